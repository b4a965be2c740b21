//! CIFAR-10 binary batches (A. Krizhevsky 2009): records of a label and 32 x 32 pixels in red, green and blue, made grey.

use super::found::{Found, Images};
use super::input::Input;
use super::values::{Item, Shape};
use crate::data::grey_scale::ValueRange;
use crate::data::{Progress, ReadError};
use std::io::Read;
use std::path::{Path, PathBuf};

const SIDE: usize = 32;
const PIXELS: usize = SIDE * SIDE;
/// Bytes of a record.
pub const RECORD: usize = 1 + 3 * PIXELS;

struct CifarImages {
    path: PathBuf,
    count: usize,
}

/// Whether a file of this length that begins so may be a batch: it has no magic number.
pub fn may_be(head: &[u8], length: u64) -> bool {
    length > 0 && length.is_multiple_of(RECORD as u64) && head.first().is_some_and(|&label| label < 10)
}

/// Checks the length and every label of a batch.
pub fn find(path: &Path, progress: &Progress) -> Result<Found, ReadError> {
    let count = Input::File(path).length()? / RECORD as u64;
    let (mut labels, mut range) = (Vec::with_capacity(count as usize), ValueRange::default());
    records(path, count as usize, progress, |i, record| {
        labels.push(record[0]);
        let (low, high) = record[1..].iter().fold((u8::MAX, u8::MIN), |(low, high), &b| (low.min(b), high.max(b)));
        [low, high].into_iter().for_each(|v| range.add(f64::from(v)));
        if record[0] < 10 {
            Ok(())
        } else {
            Err(format!("record {i} of a CIFAR-10 batch has label {}: 0 to 9 are possible", record[0]).into())
        }
    })?;
    let images = CifarImages { path: path.into(), count: count as usize };
    Ok(Found { labels: Some(labels), ..Found::new(path, images, Item::Byte.number(), range) })
}

fn records(
    path: &Path,
    count: usize,
    progress: &Progress,
    mut f: impl FnMut(usize, &[u8; RECORD]) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    let (mut reader, mut record) = (Input::File(path).stored()?, [0; RECORD]);
    for i in 0..count {
        if progress.cancelled() {
            return Err(ReadError::Stopped);
        }
        reader.read_exact(&mut record).map_err(|e| format!("record {i}: {e}"))?;
        f(i, &record)?;
    }
    Ok(())
}

impl Images for CifarImages {
    fn shape(&self) -> Shape {
        Shape { count: self.count, rows: SIDE, columns: SIDE }
    }

    fn fill(&self, first: usize, divisor: f32, out: &mut [f32], progress: &Progress) -> Result<(), ReadError> {
        let last = first + out.len() / PIXELS;
        records(&self.path, last, progress, |i, record| {
            if i >= first {
                let colour = |at: usize, channel: usize| f32::from(record[1 + channel * PIXELS + at]);
                let grey = |at| (0.299 * colour(at, 0) + 0.587 * colour(at, 1) + 0.114 * colour(at, 2)) / divisor;
                out[(i - first) * PIXELS..][..PIXELS].iter_mut().enumerate().for_each(|(at, slot)| *slot = grey(at).min(1.0));
            }
            Ok(())
        })
    }
}
