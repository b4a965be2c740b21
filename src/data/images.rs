//! One's own images: files and folders of PNG or JPEG, each checked before it is decoded.

use crate::data::DataError;
use image::ImageReader;
use ndarray::Array2;
use std::io::Cursor;
use std::path::{Path, PathBuf};

const LONGEST_SIDE: u32 = 20_000;
const USED_SIDE: u32 = 2048;

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// Grey levels 0 to 1, `[rows, columns]` each.
    pub images: Vec<Array2<f32>>,
    /// What was left out, and why.
    pub rejected: Vec<DataError>,
}

/// Reads files, and the PNG and JPEG files of folders (one level, sorted). What cannot be used is reported, the rest goes on.
pub fn load(paths: &[PathBuf], smallest_side: usize) -> Loaded {
    let mut loaded = Loaded::default();
    for path in paths {
        let files = if path.is_dir() {
            match folder(path) {
                Ok(files) => files,
                Err(error) => {
                    loaded.rejected.push(error);
                    continue;
                }
            }
        } else {
            vec![path.clone()]
        };
        for file in files {
            match std::fs::read(&file).map_err(|e| e.to_string()).and_then(|bytes| decode(&bytes, smallest_side)) {
                Ok(image) => loaded.images.push(image),
                Err(problem) => loaded.rejected.push(DataError::File { path: file, problem }),
            }
        }
    }
    loaded
}

fn folder(path: &Path) -> Result<Vec<PathBuf>, DataError> {
    let failed = |problem: String| DataError::File { path: path.into(), problem };
    let entries = std::fs::read_dir(path).map_err(|e| failed(e.to_string()))?;
    let is_image = |p: &PathBuf| {
        let ending = p.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
        matches!(ending.as_str(), "png" | "jpg" | "jpeg")
    };
    let mut files: Vec<_> = entries.filter_map(|entry| entry.ok().map(|e| e.path())).filter(is_image).collect();
    files.sort();
    if files.is_empty() { Err(failed("no PNG or JPEG file in this folder".into())) } else { Ok(files) }
}

/// Grey levels 0 to 1 (Rec. 601 luma) of an encoded image; large ones are reduced to 2048 pixels a side.
pub fn decode(bytes: &[u8], smallest_side: usize) -> Result<Array2<f32>, String> {
    let reader = || ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|e| e.to_string());
    if reader()?.format().is_none() {
        return Err("not an image: PNG or JPEG is needed".into());
    }
    let (width, height) = reader()?.into_dimensions().map_err(|e| format!("not a readable image: {e}"))?;
    if width.min(height) < smallest_side as u32 {
        return Err(format!("{width} x {height} pixels is too small: at least {smallest_side} a side are needed"));
    }
    if width.max(height) > LONGEST_SIDE || u64::from(width) * u64::from(height) > 100_000_000 {
        return Err(format!("{width} x {height} pixels is too large: at most {LONGEST_SIDE} a side and 100 million in all"));
    }
    let mut picture = reader()?.decode().map_err(|e| format!("not a readable image: {e}"))?;
    if width.max(height) > USED_SIDE {
        picture = picture.resize(USED_SIDE, USED_SIDE, image::imageops::FilterType::Triangle);
        if (picture.width().min(picture.height()) as usize) < smallest_side {
            return Err(format!("{width} x {height} pixels is too narrow"));
        }
    }
    let rgb = picture.to_rgb32f();
    let grey = |p: &image::Rgb<f32>| 0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2];
    let (low, high) = rgb.pixels().map(grey).fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    if high - low < 1e-3 {
        return Err("no contrast: all pixels are the same grey".into());
    }
    Array2::from_shape_vec((rgb.height() as usize, rgb.width() as usize), rgb.pixels().map(grey).collect()).map_err(|e| e.to_string())
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
        let loaded = load(&[folder.path().into(), path("missing.png")], 21);
        assert_eq!(loaded.images.len(), 1);
        let messages: Vec<_> = loaded.rejected.iter().map(ToString::to_string).collect();
        for name in ["flat.png", "small.png", "cut.png", "text.png", "missing.png"] {
            assert_eq!(messages.iter().filter(|m| m.contains(name)).count(), 1, "{name} in {messages:?}");
        }
    }
}
