//! Sets of whole images from files: IDX, NPY, NPZ, CIFAR-10 batches, folders of them or of pictures; the kind is known by content.
//!
//! Headers are checked against each other, against limits (4096 pixels a side) and against the length of the file, then all values
//! are read once and none is kept; only then room is made, for at most 250 million pixels. So memory is at most 4 bytes for each pixel
//! that is really there, one for each label, and 1 MiB: at most 4 times the unpacked data for bytes, less for other numbers. gzip and
//! DEFLATE unpack to at most 1032 times the file, and no more is unpacked than the header promises. Pictures are decoded one on
//! each core, with at most 40 bytes a pixel besides.

pub mod cifar;
mod found;
pub mod idx;
pub mod input;
pub mod npy;
pub mod npz;
pub mod pictures;
mod sorting;
pub mod values;
pub mod zip;

use crate::data::grey_scale::{Number, ValueRange};
use crate::data::notice::first_left_out;
use crate::data::picture::PictureSize;
use crate::data::{DataError, ImageSet, Notice, Part, Progress, ReadError};
use found::Found;
use input::Input;
use ndarray::Array2;
use sorting::{Kind, Sorted, sort};
use std::ops::Range;
use std::path::{Path, PathBuf};
use values::{MOST_VALUES, Shape};

/// Reads whole images, grey 0 to 1, from files and folders, and tells what was left out or taken in another way than as it is, and
/// why. Their kind is known by content.
///
/// `part`: where some files are named as training files (train, `data_batch`) and others as test files (t10k, test), or an NPZ
/// holds both, these are the parts; otherwise the last tenth of the images is held out. `size`: what becomes of pictures of another
/// size; sets of images keep theirs. Of more than 250 million pixels the first part is read.
/// Values that are far below their scale are scaled by what they hold ([`ValueRange::scale`]), those of all files alike.
/// Labels are found beside IDX images under the same name (images and idx3 become labels and idx1), in NPZ under `labels`, of pictures
/// in the names of the folders that they are in. Errors name the file; where several are at fault, the first.
pub fn read(paths: &[PathBuf], part: Part, size: PictureSize, progress: &Progress) -> Result<(ImageSet, Vec<Notice>), DataError> {
    read_within(paths, part, size, MOST_VALUES, progress)
}

/// The same of at most `most` pixels.
fn read_within(
    paths: &[PathBuf],
    part: Part,
    size: PictureSize,
    most: u64,
    progress: &Progress,
) -> Result<(ImageSet, Vec<Notice>), DataError> {
    let Sorted { sets, labels, pictures, classes, mut notices } = sort(paths, progress)?;
    if sets.is_empty() && !(pictures.is_empty() && classes.is_empty()) {
        if let [path] = paths
            && !path.is_dir()
        {
            let problem = "one picture is not a set of images: a folder of pictures is needed, each a whole image";
            return Err(DataError::File { path: path.clone(), problem: problem.into() });
        }
        let (set, more) = pictures::read(pictures::Labelled::of(pictures, classes), part, size, most, progress)?;
        notices.extend(more);
        return Ok((set, notices));
    }
    for path in pictures {
        notices.push(DataError::File { path, problem: "a picture beside files that hold sets of images".into() }.into());
    }
    let mut found = Vec::new();
    progress.begin("checking images", sets.len());
    for (path, kind) in &sets {
        let left_out = |problem| Notice::from(DataError::File { path: path.clone(), problem });
        match examine(path, *kind, progress) {
            Ok((more, problems)) => {
                found.extend(more);
                notices.extend(problems.into_iter().map(left_out));
            }
            Err(_) if progress.cancelled() => return Err(DataError::Cancelled),
            Err(problem) => notices.push(left_out(problem)),
        }
        progress.advance(1);
    }
    notices.extend(idx_labels(&mut found, &sets, &labels, progress));
    notices.extend(of_one_size(&mut found));
    if found.is_empty() {
        return Err(match (first_left_out(&notices), labels.first()) {
            (Some(error), _) => error.clone(),
            (None, Some(path)) => DataError::File { path: path.clone(), problem: "labels, and no images beside them".into() },
            (None, None) => DataError::Nothing("no file was named".into()),
        });
    }
    notices.extend(within(&mut found, most));
    notices.extend(scale(&mut found));
    notices.extend(found.iter_mut().filter_map(|f| f.said.take().map(|said| f.taken(said))));
    Ok((assemble(found, part, progress)?, notices))
}

fn too_few(count: usize) -> DataError {
    DataError::Nothing(format!("of {count} images none is held out: at least 10 are needed"))
}

/// What a file holds, and what is wrong with its labels.
fn examine(path: &Path, kind: Kind, progress: &Progress) -> Result<(Vec<Found>, Vec<ReadError>), ReadError> {
    match kind {
        Kind::Npz => return npz::find(path, progress),
        Kind::Npy => npy::find(path, progress),
        Kind::Cifar => cifar::find(path, progress),
        _ => idx::find(path, progress),
    }
    .map(|found| (vec![found], Vec::new()))
}

/// Finds and reads the labels of IDX images; returns what is wrong with those found.
fn idx_labels(found: &mut [Found], sets: &[(PathBuf, Kind)], labels: &[PathBuf], progress: &Progress) -> Vec<Notice> {
    let mut notices = Vec::new();
    let is_idx = |path: &Path| sets.iter().any(|(other, kind)| other == path && *kind == Kind::IdxImages);
    let lonely = found.len() == 1 && labels.len() == 1;
    for images in found.iter_mut().filter(|images| is_idx(&images.path)) {
        let beside = idx::partners(&images.path).into_iter().find(|path| path.is_file());
        let Some(path) = beside.or_else(|| labels.first().filter(|_| lonely).cloned()) else { continue };
        let count = images.images.shape().count;
        match idx::labels(Input::File(&path), progress) {
            Ok(labels) if labels.len() == count => images.labels = Some(labels),
            Ok(labels) => {
                let problem = format!("{} labels, its images are {count}", labels.len()).into();
                notices.push(DataError::File { path, problem }.into());
            }
            Err(problem) => notices.push(DataError::File { path, problem }.into()),
        }
    }
    notices
}

/// Keeps images of the first one's size.
fn of_one_size(found: &mut Vec<Found>) -> Vec<Notice> {
    let Some(first) = found.first().map(|f| f.images.shape()) else { return Vec::new() };
    let mut notices = Vec::new();
    found.retain(|f| {
        let shape = f.images.shape();
        let fits = (shape.rows, shape.columns) == (first.rows, first.columns);
        if !fits {
            let problem = format!("images of {} x {}, those before are {} x {}", shape.rows, shape.columns, first.rows, first.columns);
            notices.push(DataError::File { path: f.path.clone(), problem: problem.into() }.into());
        }
        fits
    });
    notices
}

/// Takes the first images of all, so many that there are at most `most` pixels, but one image at least.
fn within(found: &mut Vec<Found>, most: u64) -> Vec<Notice> {
    let Some(pixels) = found.first().map(|f| f.images.shape().pixels() as u64) else { return Vec::new() };
    let (mut room, mut notices) = ((most / pixels).max(1) as usize, Vec::new());
    found.retain_mut(|f| {
        let all = f.count;
        f.count = all.min(room);
        room -= f.count;
        if f.count == 0 {
            let problem = format!("its {all} images would be above {most} pixels in all");
            notices.push(DataError::File { path: f.path.clone(), problem: problem.into() }.into());
        } else if f.count < all {
            let how = format!("the first {} of its {all} images are read: at most {most} pixels in all are", f.count);
            notices.push(f.taken(how));
        }
        f.count > 0
    });
    notices
}

/// Finds what values are divided by, the same for all files whose values are of one kind: parts of one set are scaled alike.
fn scale(found: &mut [Found]) -> Vec<Notice> {
    let mut ranges: Vec<(Number, ValueRange)> = Vec::new();
    for f in found.iter() {
        match ranges.iter_mut().find(|(number, _)| *number == f.number) {
            Some((_, range)) => range.join(f.range),
            None => ranges.push((f.number, f.range)),
        }
    }
    let mut notices = Vec::new();
    for (number, range) in ranges {
        let (divisor, said) = range.scale(number);
        let mut those = found.iter_mut().filter(|f| f.number == number).peekable();
        notices.extend(said.and_then(|said| Some(those.peek()?.taken(said))));
        those.for_each(|f| f.divisor = divisor);
    }
    notices
}

/// The part that is wanted, in one piece of memory.
fn assemble(mut found: Vec<Found>, part: Part, progress: &Progress) -> Result<ImageSet, DataError> {
    let named = |part| found.iter().any(|f| f.part == Some(part));
    let divided = named(Part::Train) && named(Part::Test);
    if divided && part != Part::All {
        found.retain(|f| f.part.unwrap_or(Part::Train) == part);
    }
    let Some(Shape { rows, columns, .. }) = found.first().map(|f| f.images.shape()) else { return Err(too_few(0)) };
    let count = found.iter().map(|f| f.count).sum();
    let wanted = if divided { 0..count } else { part.range(count, count / 10) };
    if wanted.is_empty() {
        return Err(too_few(count));
    }
    let size = rows * columns;
    let mut pixels = vec![0.0; wanted.len() * size];
    let mut labels = found.iter().all(|f| f.labels.is_some()).then(|| Vec::with_capacity(wanted.len()));
    progress.begin("reading images", found.len());
    let (mut rest, mut before) = (&mut pixels[..], 0);
    for f in &found {
        let Range { start, end } = wanted;
        let within = start.max(before) - before..end.clamp(before, before + f.count) - before;
        before += f.count;
        if within.is_empty() {
            continue;
        }
        let (out, more) = rest.split_at_mut(within.len() * size);
        rest = more;
        f.images.fill(within.start, f.divisor, out, progress).map_err(|problem| match progress.cancelled() {
            true => DataError::Cancelled,
            false => DataError::File { path: f.path.clone(), problem },
        })?;
        if let (Some(all), Some(labels)) = (&mut labels, &f.labels) {
            all.extend_from_slice(&labels[within]);
        }
        progress.advance(1);
    }
    let pixels = Array2::from_shape_vec((wanted.len(), size), pixels).map_err(|e| DataError::Nothing(e.to_string()))?;
    Ok(ImageSet { labels, ..ImageSet::new(pixels, [rows, columns]) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array1, Array3};
    use ndarray_npy::{NpzWriter, WriteNpyExt};

    #[test]
    fn of_a_set_that_is_too_large_the_first_part_is_read_and_that_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let images = Array3::from_shape_fn((30, 4, 5), |(i, row, column)| (i * 8 + row + column) as u8);
        let within = |paths: &[PathBuf], most| {
            let (set, notices) = read_within(paths, Part::All, PictureSize::Own, most, &Progress::default()).unwrap();
            (set, notices.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        images.write_npy(std::fs::File::create(at("a.npy")).unwrap()).unwrap();
        let mut file = NpzWriter::new(std::fs::File::create(at("b.npz")).unwrap());
        file.add_array("images", &images).unwrap();
        file.add_array("labels", &Array1::from_iter(0..30u8)).unwrap();
        file.finish().unwrap();
        let (whole, said) = within(&[at("b.npz")], 600);
        assert!(whole.len() == 30 && said.is_empty(), "{said:?}");
        let (set, said) = within(&[at("b.npz")], 219);
        assert_eq!((set.len(), set.labels.clone().unwrap()), (10, (0..10).collect()));
        assert_eq!(set.pixels, whole.slice(0..10).pixels, "scaled as the whole set is");
        assert!(said.len() == 1 && said[0].contains("b.npz: the first 10 of its 30 images are read: at most 219 pixels"), "{said:?}");
        let (set, said) = within(&[at("a.npy"), at("b.npz")], 700);
        assert!(set.len() == 35 && said.len() == 1 && said[0].contains("b.npz: the first 5 of its 30"), "{said:?}");
        let (set, said) = within(&[at("a.npy"), at("b.npz")], 600);
        assert!(set.len() == 30 && said.len() == 1 && said[0].contains("left out") && said[0].contains("b.npz"), "{said:?}");
        // Pictures alike.
        let pictures = tempfile::tempdir().unwrap();
        for i in 0..20u8 {
            let picture = image::GrayImage::from_fn(5, 4, |x, y| image::Luma([(x + y) as u8 * 20 + i]));
            picture.save(pictures.path().join(format!("{i:02}.png"))).unwrap();
        }
        let (set, said) = within(&[pictures.path().into()], 119);
        assert!(set.len() == 5 && said.len() == 1 && said[0].contains("the first 5 of 20 pictures"), "{said:?}");
    }
}
