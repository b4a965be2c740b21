//! Which files there are and what each of them is, told by its content.

use super::input::Input;
use super::{cifar, idx, npy, zip};
use crate::data::notice::first_left_out;
use crate::data::picture;
use crate::data::{DataError, Notice, Progress, ReadError, folder};
use std::path::{Path, PathBuf};

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
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
        return Err(folder::not_regular());
    }
    let (stored, length, packed) = (input.head(262)?, input.length()?, input.packed()?);
    let head = if packed { input.unpacked_head(262).map_err(|e| format!("not a whole gzip file: {e}"))? } else { stored };
    match &head[..] {
        head if head.starts_with(npy::MAGIC) => Ok(Kind::Npy),
        head if head.starts_with(zip::MAGIC) && !packed => Ok(Kind::Npz),
        head if !packed && picture::format(head).is_some() => Ok(Kind::Picture),
        head if idx::begins(head) => match idx::header(input) {
            Ok(idx::Header::Images(_)) => Ok(Kind::IdxImages),
            Ok(idx::Header::Labels(_)) => Ok(Kind::IdxLabels),
            Err(_) if cifar::may_be(head, length) => Ok(Kind::Cifar),
            Err(problem) => Err(problem),
        },
        head if cifar::may_be(head, length) => Ok(Kind::Cifar),
        head if head.get(257..262) == Some(b"ustar") => Err("a tar archive: unpack it, and name the folder".into()),
        [] => Err("an empty file".into()),
        _ => Err(match picture::unread_format(&head) {
            Some(format) => picture::unread(format),
            None => format!("not IDX, NPY, NPZ, CIFAR-10 (records of 3073 bytes), {}", picture::READ).into(),
        }),
    }
}

/// Files sorted by kind, and those that are of none.
#[derive(Default)]
pub(super) struct Sorted {
    pub sets: Vec<(PathBuf, Kind)>,
    pub labels: Vec<PathBuf>,
    pub pictures: Vec<PathBuf>,
    /// Pictures in folders of a folder, by the name of theirs.
    pub classes: Vec<(String, Vec<PathBuf>)>,
    pub notices: Vec<Notice>,
}

impl Sorted {
    fn add(&mut self, path: PathBuf) {
        match kind(&path) {
            Ok(Kind::Picture) => self.pictures.push(path),
            Ok(Kind::IdxLabels) => self.labels.push(path),
            Ok(kind) => self.sets.push((path, kind)),
            Err(problem) => self.leave_out(path, problem),
        }
    }

    fn leave_out(&mut self, path: PathBuf, problem: ReadError) {
        self.notices.push(DataError::File { path, problem }.into());
    }

    /// The files of a folder, but for those of no kind and of another name; of the folders in it the pictures.
    fn add_folder(&mut self, path: &Path, progress: &Progress) -> Result<(), DataError> {
        let folder = folder::list(path)?;
        let in_classes = || folder.classes.iter().flat_map(|(_, files)| files);
        progress.begin("looking at files", folder.files.len() + in_classes().count());
        let mut any = false;
        for file in folder.files {
            if progress.cancelled() {
                return Err(DataError::Cancelled);
            }
            if named_as_images(&file) || kind(&file).is_ok() {
                any = true;
                self.add(file);
            }
            progress.advance(1);
        }
        for (name, files) in folder.classes {
            let mut pictures = Vec::new();
            for file in files {
                if progress.cancelled() {
                    return Err(DataError::Cancelled);
                }
                match kind(&file) {
                    Ok(Kind::Picture) => pictures.push(file),
                    Err(problem) if picture::is_named_so(&file) => self.leave_out(file, problem),
                    _ => {} // sets of images are taken from the folder that was named
                }
                progress.advance(1);
            }
            any |= !pictures.is_empty();
            self.classes.extend((!pictures.is_empty()).then_some((name, pictures)));
        }
        folder.irregular.into_iter().for_each(|path| self.leave_out(path, folder::not_regular()));
        if any {
            return Ok(());
        }
        let kinds = format!("no IDX, NPY, NPZ, CIFAR-10, {} file in this folder", picture::READ);
        let problem = match first_left_out(&self.notices) {
            Some(error) => format!("{kinds}; {error}"),
            None => format!("{kinds}, nor pictures in folders of it"),
        };
        Err(DataError::File { path: path.into(), problem: problem.into() })
    }
}

/// Whether a file's name says that it holds images: only then it is reported where it does not.
fn named_as_images(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_ascii_lowercase();
    let endings = [".npy", ".npz", ".gz", ".bin", ".idx"];
    name.contains("idx") || endings.iter().any(|ending| name.ends_with(ending)) || picture::is_named_so(path)
}

/// The files of the paths, by what they hold.
pub(super) fn sort(paths: &[PathBuf], progress: &Progress) -> Result<Sorted, DataError> {
    let mut sorted = Sorted::default();
    for path in paths {
        if path.is_dir() {
            sorted.add_folder(path, progress)?;
        } else {
            sorted.add(path.clone());
        }
    }
    Ok(sorted)
}
