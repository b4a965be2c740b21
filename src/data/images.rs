//! One's own images: files and folders of pictures, each checked before it is decoded.

use crate::data::grey_scale::{Number, ValueRange};
use crate::data::picture::{self, Header, Picture};
use crate::data::{DataError, Notice, Progress, ReadError, folder};
use image::DynamicImage;
use ndarray::Array2;
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// Width or height of a picture.
pub(super) const LONGEST_SIDE: u32 = 20_000;
/// To which larger pictures are reduced where nothing else is asked for.
const USED_SIDE: u32 = 2048;
/// Pixels kept in all, 4 bytes each; more images are left out with a message.
pub(super) const MOST_PIXELS: u64 = 100_000_000;

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// Grey levels 0 to 1, `[rows, columns]` each.
    pub images: Vec<Array2<f32>>,
    /// What was left out, and why; how values were scaled.
    pub notices: Vec<Notice>,
}

/// Reads files, and the pictures of folders and of the folders in them (sorted by name), on all cores; the outcome's order is that of
/// the names. What cannot be used is reported, the rest goes on. Sizes are checked before anything is decoded, and at most 100
/// million pixels are kept; larger pictures are reduced to `longest_side` pixels along their longer side, or where that is 0 to 2048. Values that are far below their scale are scaled by the largest of them. Nothing more is read once
/// `progress` is cancelled.
pub fn load(paths: &[PathBuf], smallest_side: usize, longest_side: usize, progress: &Progress) -> Loaded {
    let used_side = if longest_side == 0 { USED_SIDE } else { USED_SIDE.min(longest_side as u32) };
    let (files, mut notices) = files(paths);
    progress.begin("reading images", files.len());
    let failed = |path: &PathBuf, problem: ReadError| Notice::from(DataError::File { path: path.clone(), problem });
    let (mut pixels, mut usable) = (0, Vec::new());
    for path in files {
        match usable_size(&path, smallest_side, used_side) {
            Ok((_, [width, height])) if pixels + width * height > MOST_PIXELS => {
                notices.push(failed(&path, format!("{width} x {height} pixels more would be above {MOST_PIXELS} in all").into()));
            }
            Ok((header, [width, height])) => {
                pixels += width * height;
                usable.push((path, header));
            }
            Err(problem) => notices.push(failed(&path, problem)),
        }
    }
    progress.begin("reading images", usable.len());
    let read = |(path, header): (PathBuf, Header)| {
        if progress.cancelled() {
            return None;
        }
        let image = decode(&path, header, used_side).map_err(|problem| failed(&path, problem));
        progress.advance(1);
        Some(image.map(|image| (path, image)))
    };
    let read: Vec<_> = usable.into_par_iter().map(read).collect();
    let mut images = Vec::new();
    for outcome in read.into_iter().flatten() {
        match outcome {
            Ok(image) => images.push(image),
            Err(notice) => notices.push(notice),
        }
    }
    let (divisors, said) = common_scale(images.iter().map(|(_, image)| (image.is_real, image.range)));
    notices.extend(said.and_then(|how| Some(taken(&images.first()?.0, how))));
    let mut loaded = Loaded { images: Vec::new(), notices };
    for (path, image) in images {
        let grey = image.grey(divisors);
        if varies(&grey) {
            loaded.images.push(grey);
        } else {
            loaded.notices.push(failed(&path, no_contrast()));
        }
    }
    loaded
}

/// What is said of all pictures of a folder, by one of them.
pub(super) fn taken(picture: &Path, how: String) -> Notice {
    Notice::Taken { path: picture.parent().unwrap_or(picture).into(), how }
}

/// The files that are named, and the pictures in the folders that are.
pub(super) fn files(paths: &[PathBuf]) -> (Vec<PathBuf>, Vec<Notice>) {
    let (mut files, mut notices) = (Vec::new(), Vec::new());
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        match folder::list(path) {
            Ok(folder) => {
                let of_classes = folder.classes.into_iter().flat_map(|(_, files)| files);
                let before = files.len();
                files.extend(folder.files.into_iter().chain(of_classes).filter(|file| picture::is_named_so(file) || is_picture(file)));
                if files.len() == before {
                    let problem = format!("no {} file in this folder, nor in folders of it", picture::READ).into();
                    notices.push(DataError::File { path: path.clone(), problem }.into());
                }
                let irregular = folder.irregular.into_iter();
                notices.extend(irregular.map(|path| DataError::File { path, problem: folder::not_regular() }.into()));
            }
            Err(error) => notices.push(error.into()),
        }
    }
    (files, notices)
}

fn is_picture(path: &Path) -> bool {
    picture::format_of(path).is_ok()
}

/// What the header says, and width and height as they will be used.
fn usable_size(path: &Path, smallest_side: usize, used_side: u32) -> Result<(Header, [u64; 2]), ReadError> {
    let header @ Header { width, height, .. } = picture::header(path)?;
    if width.min(height) < smallest_side as u32 {
        return Err(format!("{width} x {height} pixels is too small: at least {smallest_side} a side are needed").into());
    }
    if width.max(height) > LONGEST_SIDE || u64::from(width) * u64::from(height) > MOST_PIXELS {
        return Err(format!("{width} x {height} pixels is too large: at most {LONGEST_SIDE} a side and 100 million in all").into());
    }
    let scale = (f64::from(used_side) / f64::from(width.max(height))).min(1.0);
    let used = [width, height].map(|side| (f64::from(side) * scale).round() as u64);
    if used[0].min(used[1]) < smallest_side as u64 {
        return Err(format!("{width} x {height} pixels is too narrow: reduced to {used_side} a side, {smallest_side} are needed").into());
    }
    Ok((header, used))
}

/// A picture; one with a longer side than `used_side` is reduced to that.
fn decode(path: &Path, header: Header, used_side: u32) -> Result<Luma, ReadError> {
    let mut picture = picture::decode(path, header)?;
    if picture.image.width().max(picture.image.height()) > used_side {
        picture.image = picture.image.resize(used_side, used_side, image::imageops::FilterType::Triangle);
    }
    Luma::of(&picture)
}

/// The luma of a picture, before it is known what the pictures of its set range over.
pub(super) struct Luma {
    /// `[rows, columns]`; 0 to 1 where the picture's numbers are integers.
    pub values: Array2<f32>,
    /// What they range over.
    pub range: ValueRange,
    /// Whether the numbers have no scale of their own, as TIFF can hold them.
    pub is_real: bool,
}

impl Luma {
    /// An error where values cannot be grey levels.
    pub fn of(picture: &Picture) -> Result<Self, ReadError> {
        let (mut values, is_real, mut range) = (picture::luma(&picture.image), picture.is_real, ValueRange::default());
        if !is_real {
            values.mapv_inplace(|v| v.clamp(0.0, 1.0)); // but for rounding they are
        }
        values.iter().for_each(|&v| range.add(f64::from(v)));
        range.check()?;
        Ok(Self { values, range, is_real })
    }

    /// Grey levels of 0 to 1: `divisors` are those of pictures of integers and of others.
    pub fn grey(self, divisors: [f32; 2]) -> Array2<f32> {
        let divisor = divisors[usize::from(self.is_real)];
        if divisor == 1.0 { self.values } else { self.values / divisor }
    }
}

/// What the values of pictures of one set are divided by, those of integers and others, and what is to be said of it. `pictures`: whether
/// a picture is of the others, and what it ranges over.
pub(super) fn common_scale(pictures: impl Iterator<Item = (bool, ValueRange)>) -> ([f32; 2], Option<String>) {
    let mut ranges = [ValueRange::default(); 2];
    pictures.for_each(|(is_real, range)| ranges[usize::from(is_real)].join(range));
    let [(integers, first), (reals, second)] = ranges.map(|range| range.scale(Number::Real));
    ([integers, reals], first.or(second))
}

/// Whether an image of grey levels has any contrast.
fn varies(grey: &Array2<f32>) -> bool {
    let (low, high) = grey.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &v| (low.min(v), high.max(v)));
    high - low >= 1e-3
}

fn no_contrast() -> ReadError {
    "no contrast: all pixels are the same grey".into()
}

/// Grey levels 0 to 1 (Rec. 601 luma), `[rows, columns]`, of an opaque picture of integers. An error without contrast.
pub fn grey(picture: &DynamicImage) -> Result<Array2<f32>, ReadError> {
    let grey = picture::luma(picture).mapv(|v| v.clamp(0.0, 1.0));
    if varies(&grey) { Ok(grey) } else { Err(no_contrast()) }
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
        let loaded = load(&[folder.path().into(), path("missing.png")], 21, 0, &Progress::default());
        assert_eq!(loaded.images.len(), 1);
        let messages: Vec<_> = loaded.notices.iter().map(ToString::to_string).collect();
        for name in ["flat.png", "small.png", "cut.png", "text.png", "missing.png"] {
            assert_eq!(messages.iter().filter(|m| m.contains(name)).count(), 1, "{name} in {messages:?}");
        }
    }
}
