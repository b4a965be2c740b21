//! NPZ: one array of images, or one to learn from and one held out, with labels beside them. An array that alone can be images may have
//! any name.

use super::found::{Found, Images};
use super::npy::Header;
use super::values::{self, Item, Shape};
use super::zip::{self, Entry};
use crate::data::{Part, Progress, ReadError};
use std::io::Read;
use std::path::{Path, PathBuf};

/// Names of images, heescope's own first; the first that is there is taken.
const WHOLE: [&str; 5] = ["images", "samples", "means", "x", "arr_0"];
/// Names of labels of images under any name but those of a part.
const LABELS: [&str; 2] = ["labels", "y"];
/// Names where the file is divided: images and labels to learn from, then those held out.
const DIVIDED: [[(&str, &str); 2]; 2] =
    [[("x_train", "y_train"), ("x_test", "y_test")], [("train_images", "train_labels"), ("test_images", "test_labels")]];
/// Arrays that an error lists at most.
const LISTED: usize = 20;

/// Images of an array in an NPZ file.
struct NpzImages {
    path: PathBuf,
    entry: Entry,
    shape: Shape,
    item: Item,
}

/// An array that is to be read: its name, the names its labels may have, and the part that its name says.
type Chosen<'a> = (String, &'a Entry, Vec<&'static str>, Option<Part>);

/// Checks an NPZ file; beside its images, what is wrong with the labels that go with them.
pub fn find(path: &Path, progress: &Progress) -> Result<(Vec<Found>, Vec<ReadError>), ReadError> {
    let entries = zip::entries(path)?;
    let (mut all, mut problems) = (Vec::new(), Vec::new());
    for (name, entry, labels, part) in chosen(path, &entries)? {
        let found = images(path, entry, progress).map_err(|problem| match problem {
            ReadError::Stopped => ReadError::Stopped,
            problem => format!("array {name}: {problem}").into(),
        })?;
        let mut found = Found { part, ..found };
        if let Some(entry) = labels.iter().find_map(|name| named(&entries, name)) {
            match read_labels(path, entry, found.images.shape().count) {
                Ok(labels) => found.labels = Some(labels),
                Err(problem) => problems.push(format!("{}: {problem}", entry.name).into()),
            }
        }
        all.push(found);
    }
    Ok((all, problems))
}

fn named<'a>(entries: &'a [Entry], name: &str) -> Option<&'a Entry> {
    entries.iter().find(|e| e.name.strip_suffix(".npy") == Some(name))
}

/// The arrays of images: under a known name, or the only one that can be images. An error names what is looked for and what is there.
fn chosen<'a>(path: &Path, entries: &'a [Entry]) -> Result<Vec<Chosen<'a>>, ReadError> {
    if let Some((name, entry)) = WHOLE.iter().find_map(|name| Some((name, named(entries, name)?))) {
        return Ok(vec![((*name).into(), entry, LABELS.into(), None)]);
    }
    for parts in DIVIDED {
        let there = parts.into_iter().zip([Part::Train, Part::Test]);
        let there = there.filter_map(|((images, labels), part)| Some((images.into(), named(entries, images)?, vec![labels], Some(part))));
        let there: Vec<Chosen> = there.collect();
        if !there.is_empty() {
            return Ok(there);
        }
    }
    let arrays: Vec<(&str, &Entry)> = entries.iter().filter_map(|e| Some((e.name.strip_suffix(".npy")?, e))).collect();
    let (mut candidates, mut listed) = (Vec::new(), Vec::new());
    for &(name, entry) in &arrays {
        let Ok(header) = entry.open(path).and_then(|mut reader| Header::read(&mut reader)) else { continue };
        if header.images(entry.length).is_ok() {
            candidates.push((name, entry));
        }
        if listed.len() < LISTED {
            listed.push(format!("{name} {}", header.shape_text()));
        }
    }
    // What is wrong with the only array is told of that array.
    match (&candidates[..], &arrays[..]) {
        ([(name, entry)], _) | ([], [(name, entry)]) => Ok(vec![((*name).into(), entry, LABELS.into(), None)]),
        _ => Err(format!(
            "images are looked for under {}, {}, or as the only array of images; there are: {}",
            WHOLE.join(", "),
            DIVIDED.as_flattened().iter().map(|(images, _)| *images).collect::<Vec<_>>().join(", "),
            if listed.is_empty() { "no arrays".into() } else { listed.join(", ") }
        )
        .into()),
    }
}

fn images(path: &Path, entry: &Entry, progress: &Progress) -> Result<Found, ReadError> {
    let mut reader = entry.open(path)?;
    let header = Header::read(&mut reader)?;
    let (shape, item) = header.images(entry.length)?;
    let range = values::check(&mut reader, &shape, item, progress)?;
    let images = NpzImages { path: path.into(), entry: entry.clone(), shape, item };
    Ok(Found { said: header.said(), ..Found::new(path, images, item.number(), range) })
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

    fn fill(&self, first: usize, divisor: f32, out: &mut [f32], progress: &Progress) -> Result<(), ReadError> {
        let mut reader = self.entry.open(&self.path)?;
        Header::read(&mut reader)?;
        values::fill(&mut reader, self.item, divisor, first * self.shape.pixels(), out, progress)
    }
}
