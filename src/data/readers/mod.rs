//! Sets of whole images from files: IDX, NPY, NPZ, CIFAR-10 batches, folders of them or of pictures; the kind is known by content.
//!
//! Headers are checked against each other, against limits (4096 pixels a side, 250 million in all) and against the length of the
//! file, then all values are read once and none is kept; only then room is made. So memory is at most 4 bytes for each pixel that
//! is really there, one for each label, and 1 MiB: at most 4 times the unpacked data for bytes, less for other numbers. gzip and
//! DEFLATE unpack to at most 1032 times the file, and no more is unpacked than the header promises. Pictures are decoded one on
//! each core, with at most 32 bytes a pixel besides.

pub mod cifar;
pub mod idx;
pub mod input;
pub mod npy;
pub mod npz;
pub mod pictures;
pub mod values;
pub mod zip;

use crate::data::{DataError, ImageSet, Part, Progress, ReadError};
use input::Input;
use ndarray::Array2;
use std::ops::Range;
use std::path::{Path, PathBuf};
use values::{MOST_VALUES, Shape};

/// Images in a file, known to be sound, and not yet in memory.
trait Images {
    /// Their number and size.
    fn shape(&self) -> Shape;
    /// Grey levels 0 to 1 of the images from `first` on, as many as `out` has room for.
    fn fill(&self, first: usize, out: &mut [f32], progress: &Progress) -> Result<(), ReadError>;
}

/// A file's images with what is known of them.
pub struct Found {
    path: PathBuf,
    images: Box<dyn Images>,
    labels: Option<Vec<u8>>,
    /// Train or Test where the name says so.
    part: Option<Part>,
}

impl Found {
    fn new(path: &Path, images: impl Images + 'static) -> Self {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_ascii_lowercase();
        let part = match () {
            () if name.contains("t10k") || name.contains("test") => Some(Part::Test),
            () if name.contains("train") || name.contains("data_batch") => Some(Part::Train),
            () => None,
        };
        Self { path: path.into(), images: Box::new(images), labels: None, part }
    }
}

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    IdxImages,
    IdxLabels,
    Npy,
    Npz,
    Cifar,
    Picture,
}

/// The kind of a file by its first bytes, for CIFAR-10 by its length as well.
fn kind(path: &Path) -> Result<Kind, ReadError> {
    let input = Input::File(path);
    if !std::fs::metadata(path)?.is_file() {
        return Err("neither a file nor a folder".into());
    }
    let (stored, length) = (input.head(262)?, input.length()?);
    let head = if input.packed()? { input.unpacked_head(262).map_err(|e| format!("not a whole gzip file: {e}"))? } else { stored };
    match &head[..] {
        head if head.starts_with(npy::MAGIC) => Ok(Kind::Npy),
        head if head.starts_with(zip::MAGIC) && !input.packed()? => Ok(Kind::Npz),
        head if pictures::begins(head) => Ok(Kind::Picture),
        head if idx::begins(head) => match idx::header(input) {
            Ok(idx::Header::Images(_)) => Ok(Kind::IdxImages),
            Ok(idx::Header::Labels(_)) => Ok(Kind::IdxLabels),
            Err(_) if cifar::may_be(head, length) => Ok(Kind::Cifar),
            Err(problem) => Err(problem),
        },
        head if cifar::may_be(head, length) => Ok(Kind::Cifar),
        head if head.get(257..262) == Some(b"ustar") => Err("a tar archive: unpack it, and name the folder".into()),
        [] => Err("an empty file".into()),
        _ => Err("not IDX, NPY, NPZ, CIFAR-10 (records of 3073 bytes), PNG or JPEG".into()),
    }
}

/// Files sorted by kind, and those that are of none.
#[derive(Default)]
struct Sorted {
    sets: Vec<(PathBuf, Kind)>,
    labels: Vec<PathBuf>,
    pictures: Vec<PathBuf>,
    rejected: Vec<DataError>,
}

impl Sorted {
    fn add(&mut self, path: PathBuf) {
        match kind(&path) {
            Ok(Kind::Picture) => self.pictures.push(path),
            Ok(Kind::IdxLabels) => self.labels.push(path),
            Ok(kind) => self.sets.push((path, kind)),
            Err(problem) => self.rejected.push(DataError::File { path, problem }),
        }
    }
}

/// Whether a file's name says that it holds images: only then it is reported where it does not.
fn named_as_images(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_ascii_lowercase();
    let endings = [".png", ".jpg", ".jpeg", ".npy", ".npz", ".gz", ".bin", ".idx"];
    name.contains("idx") || endings.iter().any(|ending| name.ends_with(ending))
}

/// The files of the paths: of a folder those in it (one level, sorted by name), but for those of no kind and of another name.
fn sort(paths: &[PathBuf], progress: &Progress) -> Result<Sorted, DataError> {
    let mut sorted = Sorted::default();
    for path in paths {
        if !path.is_dir() {
            sorted.add(path.clone());
            continue;
        }
        let failed = |problem: ReadError| DataError::File { path: path.clone(), problem };
        let entries = std::fs::read_dir(path).map_err(|e| failed(e.into()))?;
        let mut files: Vec<_> = entries.filter_map(|entry| entry.ok().map(|e| e.path())).filter(|path| path.is_file()).collect();
        files.sort();
        progress.begin("looking at files", files.len());
        let mut any = false;
        for file in files {
            if progress.cancelled() {
                return Err(DataError::Cancelled);
            }
            if named_as_images(&file) || kind(&file).is_ok() {
                any = true;
                sorted.add(file);
            }
            progress.advance(1);
        }
        if !any {
            return Err(failed("no IDX, NPY, NPZ, CIFAR-10, PNG or JPEG file in this folder".into()));
        }
    }
    Ok(sorted)
}

/// Reads whole images, grey 0 to 1, from files and folders, and tells what was left out and why. Their kind is known by content.
///
/// `part`: where some files are named as training files (train, `data_batch`) and others as test files (t10k, test), or an NPZ
/// holds both, these are the parts; otherwise the last tenth of the images is held out. `units`: pictures of another size are
/// scaled to a square of so many pixels (see [`pictures::read`]); sets of images keep their size.
/// Labels are found beside IDX images under the same name (images and idx3 become labels and idx1), and in NPZ under `labels`.
/// Errors name the file; where several are at fault, the first.
pub fn read(paths: &[PathBuf], part: Part, units: Option<usize>, progress: &Progress) -> Result<(ImageSet, Vec<DataError>), DataError> {
    let Sorted { sets, labels, pictures, mut rejected } = sort(paths, progress)?;
    if sets.is_empty() && !pictures.is_empty() {
        if let [path] = paths
            && !path.is_dir()
        {
            let problem = "one picture is not a set of images: a folder of pictures is needed, each a whole image";
            return Err(DataError::File { path: path.clone(), problem: problem.into() });
        }
        let (set, more) = pictures::read(&pictures, part, units, progress)?;
        rejected.extend(more);
        return Ok((set, rejected));
    }
    for path in pictures {
        rejected.push(DataError::File { path, problem: "a picture beside files that hold sets of images".into() });
    }
    let mut found = Vec::new();
    progress.begin("checking images", sets.len());
    for (path, kind) in &sets {
        match examine(path, *kind, progress) {
            Ok((more, problems)) => {
                found.extend(more);
                rejected.extend(problems.into_iter().map(|problem| DataError::File { path: path.clone(), problem }));
            }
            Err(_) if progress.cancelled() => return Err(DataError::Cancelled),
            Err(problem) => rejected.push(DataError::File { path: path.clone(), problem }),
        }
        progress.advance(1);
    }
    rejected.extend(idx_labels(&mut found, &sets, &labels, progress));
    rejected.extend(of_one_size(&mut found));
    if found.is_empty() {
        return Err(match (rejected.into_iter().next(), labels.first()) {
            (Some(error), _) => error,
            (None, Some(path)) => DataError::File { path: path.clone(), problem: "labels, and no images beside them".into() },
            (None, None) => DataError::Nothing("no file was named".into()),
        });
    }
    Ok((assemble(found, part, progress)?, rejected))
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
fn idx_labels(found: &mut [Found], sets: &[(PathBuf, Kind)], labels: &[PathBuf], progress: &Progress) -> Vec<DataError> {
    let mut rejected = Vec::new();
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
                rejected.push(DataError::File { path, problem });
            }
            Err(problem) => rejected.push(DataError::File { path, problem }),
        }
    }
    rejected
}

/// Keeps images of the first one's size, and within the limit in all.
fn of_one_size(found: &mut Vec<Found>) -> Vec<DataError> {
    let Some(first) = found.first().map(|f| f.images.shape()) else { return Vec::new() };
    let (mut rejected, mut values) = (Vec::new(), 0u64);
    found.retain(|f| {
        let shape = f.images.shape();
        let problem = if (shape.rows, shape.columns) != (first.rows, first.columns) {
            format!("images of {} x {}, those before are {} x {}", shape.rows, shape.columns, first.rows, first.columns)
        } else if values + shape.values() as u64 > MOST_VALUES {
            format!("{} pixels more would be above {MOST_VALUES} in all", shape.values())
        } else {
            values += shape.values() as u64;
            return true;
        };
        rejected.push(DataError::File { path: f.path.clone(), problem: problem.into() });
        false
    });
    rejected
}

/// The part that is wanted, in one piece of memory.
fn assemble(mut found: Vec<Found>, part: Part, progress: &Progress) -> Result<ImageSet, DataError> {
    let named = |part| found.iter().any(|f| f.part == Some(part));
    let divided = named(Part::Train) && named(Part::Test);
    if divided && part != Part::All {
        found.retain(|f| f.part.unwrap_or(Part::Train) == part);
    }
    let Some(Shape { rows, columns, .. }) = found.first().map(|f| f.images.shape()) else { return Err(too_few(0)) };
    let count = found.iter().map(|f| f.images.shape().count).sum();
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
        let within = start.max(before) - before..end.clamp(before, before + f.images.shape().count) - before;
        before += f.images.shape().count;
        if within.is_empty() {
            continue;
        }
        let (out, more) = rest.split_at_mut(within.len() * size);
        rest = more;
        f.images.fill(within.start, out, progress).map_err(|problem| match progress.cancelled() {
            true => DataError::Cancelled,
            false => DataError::File { path: f.path.clone(), problem },
        })?;
        if let (Some(all), Some(labels)) = (&mut labels, &f.labels) {
            all.extend_from_slice(&labels[within]);
        }
        progress.advance(1);
    }
    let pixels = Array2::from_shape_vec((wanted.len(), size), pixels).map_err(|e| DataError::Nothing(e.to_string()))?;
    Ok(ImageSet { pixels, rows, columns, labels })
}
