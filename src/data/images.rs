//! One's own images: files and folders of PNG or JPEG, each checked before it is decoded.

use crate::data::{DataError, Progress, ReadError};
use image::ImageReader;
use ndarray::Array2;
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// Width or height of a picture.
pub(super) const LONGEST_SIDE: u32 = 20_000;
const USED_SIDE: u32 = 2048;
/// Pixels kept in all, 4 bytes each; more images are left out with a message.
pub(super) const MOST_PIXELS: u64 = 100_000_000;

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// Grey levels 0 to 1, `[rows, columns]` each.
    pub images: Vec<Array2<f32>>,
    /// What was left out, and why.
    pub rejected: Vec<DataError>,
}

/// Reads files, and the PNG and JPEG files of folders (one level, sorted), on all cores; the outcome's order is that of the
/// names. What cannot be used is reported, the rest goes on. Sizes are checked before anything is decoded, and at most 100
/// million pixels are kept. Nothing more is read once `progress` is cancelled.
pub fn load(paths: &[PathBuf], smallest_side: usize, progress: &Progress) -> Loaded {
    let mut loaded = Loaded::default();
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            match folder(path) {
                Ok(found) => files.extend(found),
                Err(error) => loaded.rejected.push(error),
            }
        } else {
            files.push(path.clone());
        }
    }
    progress.begin("reading images", files.len());
    let failed = |path: &PathBuf, problem: ReadError| DataError::File { path: path.clone(), problem };
    let (mut pixels, mut usable) = (0, Vec::new());
    for path in files {
        match usable_size(&path, smallest_side) {
            Ok([width, height]) if pixels + width * height > MOST_PIXELS => {
                loaded.rejected.push(failed(&path, format!("{width} x {height} pixels more would be above {MOST_PIXELS} in all").into()));
            }
            Ok([width, height]) => {
                pixels += width * height;
                usable.push(path);
            }
            Err(problem) => loaded.rejected.push(failed(&path, problem)),
        }
    }
    progress.begin("reading images", usable.len());
    let read = |path: PathBuf| {
        if progress.cancelled() {
            return None;
        }
        let image = decode(&path, smallest_side).map_err(|problem| failed(&path, problem));
        progress.advance(1);
        Some(image)
    };
    let read: Vec<_> = usable.into_par_iter().map(read).collect();
    for outcome in read.into_iter().flatten() {
        match outcome {
            Ok(image) => loaded.images.push(image),
            Err(error) => loaded.rejected.push(error),
        }
    }
    loaded
}

fn folder(path: &Path) -> Result<Vec<PathBuf>, DataError> {
    let failed = |problem: ReadError| DataError::File { path: path.into(), problem };
    let entries = std::fs::read_dir(path).map_err(|e| failed(e.into()))?;
    let is_image = |p: &PathBuf| {
        let ending = p.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
        matches!(ending.as_str(), "png" | "jpg" | "jpeg")
    };
    let mut files: Vec<_> = entries.filter_map(|entry| entry.ok().map(|e| e.path())).filter(is_image).collect();
    files.sort();
    if files.is_empty() { Err(failed("no PNG or JPEG file in this folder".into())) } else { Ok(files) }
}

pub(super) fn open(path: &Path) -> Result<ImageReader<std::io::BufReader<std::fs::File>>, ReadError> {
    let reader = ImageReader::open(path).and_then(ImageReader::with_guessed_format)?;
    if reader.format().is_none() {
        return Err("not an image: PNG or JPEG is needed (sets of images, as IDX or NPZ, are for digits, fashion and mnist)".into());
    }
    Ok(reader)
}

/// Width and height as they will be used, from the file's header alone.
fn usable_size(path: &Path, smallest_side: usize) -> Result<[u64; 2], ReadError> {
    let (width, height) = open(path)?.into_dimensions().map_err(|e| format!("not a readable image: {e}"))?;
    if width.min(height) < smallest_side as u32 {
        return Err(format!("{width} x {height} pixels is too small: at least {smallest_side} a side are needed").into());
    }
    if width.max(height) > LONGEST_SIDE || u64::from(width) * u64::from(height) > MOST_PIXELS {
        return Err(format!("{width} x {height} pixels is too large: at most {LONGEST_SIDE} a side and 100 million in all").into());
    }
    let scale = (f64::from(USED_SIDE) / f64::from(width.max(height))).min(1.0);
    let used = [width, height].map(|side| (f64::from(side) * scale).round() as u64);
    if used[0].min(used[1]) < smallest_side as u64 {
        return Err(format!("{width} x {height} pixels is too narrow: reduced to {USED_SIDE} a side, {smallest_side} are needed").into());
    }
    Ok(used)
}

/// A picture as grey levels; large ones are reduced to 2048 pixels a side.
fn decode(path: &Path, smallest_side: usize) -> Result<Array2<f32>, ReadError> {
    usable_size(path, smallest_side)?;
    let mut picture = open(path)?.decode().map_err(|e| format!("not a readable image: {e}"))?;
    if picture.width().max(picture.height()) > USED_SIDE {
        picture = picture.resize(USED_SIDE, USED_SIDE, image::imageops::FilterType::Triangle);
    }
    grey(&picture)
}

/// Grey levels 0 to 1 (Rec. 601 luma), `[rows, columns]`. An error without contrast.
pub fn grey(picture: &image::DynamicImage) -> Result<Array2<f32>, ReadError> {
    let grey = levels(picture);
    let (low, high) = grey.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &v| (low.min(v), high.max(v)));
    if high - low < 1e-3 {
        return Err("no contrast: all pixels are the same grey".into());
    }
    Ok(grey)
}

/// Grey levels 0 to 1 (Rec. 601 luma), `[rows, columns]`, with or without contrast.
pub(super) fn levels(picture: &image::DynamicImage) -> Array2<f32> {
    let rgb = picture.to_rgb32f();
    let grey = |p: &image::Rgb<f32>| (0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2]).clamp(0.0, 1.0);
    let dimensions = (rgb.height() as usize, rgb.width() as usize);
    Array2::from_shape_vec(dimensions, rgb.pixels().map(grey).collect()).unwrap_or_default() // as many pixels as it has
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_files_are_named_and_good_ones_load() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        image::GrayImage::from_fn(40, 30, |x, y| image::Luma([(x * y % 256) as u8])).save(path("good.png")).unwrap();
        image::GrayImage::new(8, 8).save(path("small.png")).unwrap();
        let bytes = std::fs::read(path("good.png")).unwrap();
        std::fs::write(path("cut.png"), &bytes[..bytes.len() / 2]).unwrap();
        std::fs::write(path("text.png"), "no image").unwrap();
        image::GrayImage::from_pixel(40, 40, image::Luma([90])).save(path("flat.png")).unwrap();
        let loaded = load(&[folder.path().into(), path("missing.png")], 21, &Progress::default());
        assert_eq!(loaded.images.len(), 1);
        let messages: Vec<_> = loaded.rejected.iter().map(ToString::to_string).collect();
        for name in ["flat.png", "small.png", "cut.png", "text.png", "missing.png"] {
            assert_eq!(messages.iter().filter(|m| m.contains(name)).count(), 1, "{name} in {messages:?}");
        }
    }
}
