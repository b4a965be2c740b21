//! A folder of PNG or JPEG pictures, each a whole image: all of one size, or scaled to the size that is wanted.

use super::input::MOST_UNPACKED;
use super::too_few;
use super::values::Shape;
use crate::data::images::{LONGEST_SIDE, MOST_PIXELS, levels, open};
use crate::data::{DataError, ImageSet, Part, Progress, ReadError};
use image::imageops::FilterType;
use ndarray::Array2;
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// Whether a file that begins so is a picture that is read here.
pub fn begins(head: &[u8]) -> bool {
    head.starts_with(b"\x89PNG") || head.starts_with(&[0xff, 0xd8, 0xff])
}

/// Width and height from the header alone: an error where they are absurd, or the file too short for so many pixels.
fn size(path: &Path) -> Result<(u32, u32), ReadError> {
    let (width, height) = open(path)?.into_dimensions().map_err(|e| format!("not a readable image: {e}"))?;
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 || width.max(height) > LONGEST_SIDE || pixels > MOST_PIXELS {
        return Err(format!("{width} x {height} pixels: 1 to {LONGEST_SIDE} a side and at most {MOST_PIXELS} in all are read").into());
    }
    let length = std::fs::metadata(path)?.len();
    if pixels > length.saturating_mul(MOST_UNPACKED) {
        return Err(format!("{width} x {height} pixels: its {length} bytes cannot hold them").into());
    }
    Ok((width, height))
}

/// Reads pictures on all cores, in their order, and leaves out with a message what cannot be read; the last tenth is held out. Where `units` is the square of
/// a side, and the pictures differ in size or have not so many pixels, the largest square in the middle of each is scaled to that
/// side. Memory: 4 bytes a pixel of the set, and at most 32 for each pixel of the pictures under way, one on each core.
pub fn read(files: &[PathBuf], part: Part, units: Option<usize>, progress: &Progress) -> Result<(ImageSet, Vec<DataError>), DataError> {
    let failed = |path: &PathBuf, problem: ReadError| DataError::File { path: path.clone(), problem };
    let (mut usable, mut rejected) = (Vec::new(), Vec::new());
    for path in files {
        match size(path) {
            Ok(size) => usable.push((path, size)),
            Err(problem) => rejected.push(failed(path, problem)),
        }
        if progress.cancelled() {
            return Err(DataError::Cancelled);
        }
    }
    let Some(&(first, _)) = usable.first() else {
        return Err(DataError::Nothing(rejected.first().map_or_else(String::new, ToString::to_string)));
    };
    let wanted = common_size(&usable, units)?;
    let range = part.range(usable.len(), usable.len() / 10);
    if range.is_empty() {
        return Err(too_few(usable.len()));
    }
    let usable = &usable[range];
    let shape = Shape::checked(usable.len() as u64, u64::from(wanted.1), u64::from(wanted.0));
    let shape = shape.map_err(|problem| failed(first, problem))?;
    let mut pixels = vec![0.0; shape.values()];
    progress.begin("reading images", usable.len());
    let outcomes: Vec<Result<(), DataError>> = pixels
        .par_chunks_mut(shape.pixels())
        .zip(usable)
        .map(|(out, (path, size))| {
            if progress.cancelled() {
                return Err(DataError::Cancelled);
            }
            let outcome = decode(path, *size, wanted, out).map_err(|problem| failed(path, problem));
            progress.advance(1);
            outcome
        })
        .collect();
    if progress.cancelled() {
        return Err(DataError::Cancelled);
    }
    let mut kept = 0;
    for (i, outcome) in outcomes.into_iter().enumerate() {
        match outcome {
            Ok(()) => {
                pixels.copy_within(i * shape.pixels()..(i + 1) * shape.pixels(), kept * shape.pixels());
                kept += 1;
            }
            Err(error) => rejected.push(error),
        }
    }
    pixels.truncate(kept * shape.pixels());
    let pixels = Array2::from_shape_vec((kept, shape.pixels()), pixels).map_err(|e| failed(first, e.to_string().into()))?;
    if kept == 0 {
        return Err(DataError::Nothing(rejected.first().map_or_else(String::new, ToString::to_string)));
    }
    Ok((ImageSet { pixels, rows: shape.rows, columns: shape.columns, labels: None }, rejected))
}

/// The width and height that all pictures get: their own where they agree, else the side of a square of `units` pixels.
fn common_size(usable: &[(&PathBuf, (u32, u32))], units: Option<usize>) -> Result<(u32, u32), DataError> {
    let Some(&(first, size)) = usable.first() else { return Err(too_few(0)) };
    let side = units.map(usize::isqrt).filter(|side| Some(side * side) == units);
    let fits = units == Some(size.0 as usize * size.1 as usize);
    let other = usable.iter().map(|(_, other)| *other).find(|other| *other != size);
    match (side, other) {
        (Some(_), None) if fits => Ok(size),
        (Some(side), _) => Ok((side as u32, side as u32)),
        (None, Some(other)) => {
            let problem = format!("{} x {} pixels, others are {} x {}: whole images must be of one size", size.0, size.1, other.0, other.1);
            Err(DataError::File { path: first.clone(), problem: problem.into() })
        }
        (None, None) => Ok(size),
    }
}

/// Grey levels of one picture of that size into `out`.
fn decode(path: &Path, size: (u32, u32), wanted: (u32, u32), out: &mut [f32]) -> Result<(), ReadError> {
    let mut reader = open(path)?;
    let mut limits = image::Limits::default();
    limits.max_alloc = Some((1 << 20) + 8 * u64::from(size.0) * u64::from(size.1));
    reader.limits(limits);
    let mut picture = reader.decode().map_err(|e| format!("not a readable image: {e}"))?;
    if (picture.width(), picture.height()) != wanted {
        picture = picture.resize_to_fill(wanted.0, wanted.1, FilterType::Triangle);
    }
    let grey = levels(&picture);
    if grey.len() != out.len() {
        return Err(format!("{} pixels, where its header promises others", grey.len()).into());
    }
    out.iter_mut().zip(&grey).for_each(|(slot, &v)| *slot = v);
    Ok(())
}
