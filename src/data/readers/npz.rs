//! NPZ: one array of images, or one to learn from and one held out, with labels beside them.

use super::npy::Header;
use super::values::{self, Item, Shape};
use super::zip::{self, Entry};
use super::{Found, Images};
use crate::data::{Part, Progress, ReadError};
use std::io::Read;
use std::path::{Path, PathBuf};

/// Names of images, heescope's own first; the first that is there is taken.
const WHOLE: [&str; 5] = ["images", "samples", "means", "x", "arr_0"];
/// Names of their labels.
const LABELS: [&str; 2] = ["labels", "y"];
/// Names where the file is divided: images and labels to learn from, then those held out.
const DIVIDED: [[(&str, &str); 2]; 2] =
    [[("x_train", "y_train"), ("x_test", "y_test")], [("train_images", "train_labels"), ("test_images", "test_labels")]];

/// Images of an array in an NPZ file.
struct NpzImages {
    path: PathBuf,
    entry: Entry,
    shape: Shape,
    item: Item,
    divisor: f32,
}

/// Checks an NPZ file; beside its images, what is wrong with the labels that go with them.
pub fn find(path: &Path, progress: &Progress) -> Result<(Vec<Found>, Vec<ReadError>), ReadError> {
    let entries = zip::entries(path)?;
    let named = |name: &str| entries.iter().find(|e| e.name.strip_suffix(".npy") == Some(name));
    let mut problems = Vec::new();
    let mut read = |name: &str, entry: &Entry, labels: &[&str], part: Option<Part>| -> Result<Found, ReadError> {
        let images = images(path, entry, progress).map_err(|problem| format!("array {name}: {problem}"))?;
        let mut found = Found { part, ..Found::new(path, images) };
        if let Some(entry) = labels.iter().find_map(|name| named(name)) {
            match read_labels(path, entry, found.images.shape().count) {
                Ok(labels) => found.labels = Some(labels),
                Err(problem) => problems.push(format!("{}: {problem}", entry.name).into()),
            }
        }
        Ok(found)
    };
    if let Some((name, entry)) = WHOLE.iter().find_map(|name| Some((name, named(name)?))) {
        return Ok((vec![read(name, entry, &LABELS, None)?], problems));
    }
    for [train, test] in DIVIDED {
        if let (Some(first), Some(second)) = (named(train.0), named(test.0)) {
            let found = vec![read(train.0, first, &[train.1], Some(Part::Train))?, read(test.0, second, &[test.1], Some(Part::Test))?];
            return Ok((found, problems));
        }
    }
    let names: Vec<_> = entries.iter().filter_map(|e| e.name.strip_suffix(".npy")).take(20).collect();
    Err(format!("images are looked for under images, samples, means or x; there are: {}", names.join(", ")).into())
}

fn images(path: &Path, entry: &Entry, progress: &Progress) -> Result<NpzImages, ReadError> {
    let mut reader = entry.open(path)?;
    let (shape, item) = Header::read(&mut reader)?.images(entry.length)?;
    let divisor = values::check(&mut reader, &shape, item, progress)?;
    Ok(NpzImages { path: path.into(), entry: entry.clone(), shape, item, divisor })
}

fn read_labels(path: &Path, entry: &Entry, count: usize) -> Result<Vec<u8>, ReadError> {
    let mut reader = entry.open(path)?;
    let labels = Header::read(&mut reader)?.labels(&mut reader, count)?;
    match reader.read(&mut [0]) {
        Ok(0) => Ok(labels),
        Ok(_) => Err("it holds more than its header promises".into()),
        Err(error) => Err(error.into()),
    }
}

impl Images for NpzImages {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn fill(&self, first: usize, out: &mut [f32], progress: &Progress) -> Result<(), ReadError> {
        let mut reader = self.entry.open(&self.path)?;
        Header::read(&mut reader)?;
        values::fill(&mut reader, self.item, self.divisor, first * self.shape.pixels(), out, progress)
    }
}
