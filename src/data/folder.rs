//! What is in a folder of images: its files, and those of the folders in it, which are classes.

use crate::data::{DataError, ReadError};
use std::path::{Path, PathBuf};

/// Regular files by name; hidden ones, whose names begin with a dot, do not count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Folder {
    /// Those in the folder itself.
    pub files: Vec<PathBuf>,
    /// The folders in it that hold files, by name, with their files: none deeper.
    pub classes: Vec<(String, Vec<PathBuf>)>,
    /// What is neither a regular file nor a folder: a pipe, a socket, a device, a link that leads nowhere.
    pub irregular: Vec<PathBuf>,
}

/// Lists a folder. Nothing in it is opened: opening a pipe would wait for its other end.
pub(super) fn list(path: &Path) -> Result<Folder, DataError> {
    let mut found = Folder::default();
    let mut folders = Vec::new();
    for entry in visible(path)? {
        match entry.metadata() {
            Ok(metadata) if metadata.is_file() => found.files.push(entry),
            Ok(metadata) if metadata.is_dir() => folders.push(entry),
            _ => found.irregular.push(entry),
        }
    }
    for folder in folders {
        let Ok(entries) = visible(&folder) else { continue }; // a folder that may not be read is none of the images asked for
        let (files, others): (Vec<_>, Vec<_>) = entries.into_iter().partition(|entry| entry.is_file());
        found.irregular.extend(others.into_iter().filter(|other| !other.is_dir()));
        if !files.is_empty() {
            let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            found.classes.push((name, files));
        }
    }
    Ok(found)
}

/// The entries of a folder by name, hidden ones left out.
fn visible(path: &Path) -> Result<Vec<PathBuf>, DataError> {
    let failed = |error: std::io::Error| DataError::File { path: path.into(), problem: error.into() };
    let entries = std::fs::read_dir(path).map_err(failed)?.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    let hidden = |entry: &std::fs::DirEntry| entry.file_name().as_encoded_bytes().starts_with(b".");
    let mut entries: Vec<_> = entries.iter().filter(|entry| !hidden(entry)).map(std::fs::DirEntry::path).collect();
    entries.sort();
    Ok(entries)
}

/// The error of a path that is neither a regular file nor a folder; None where it is one of them, or not there.
pub(super) fn irregular(path: &Path) -> Option<ReadError> {
    let metadata = std::fs::metadata(path).ok()?;
    (!metadata.is_file() && !metadata.is_dir()).then(not_regular)
}

/// What is said of a path that is neither a regular file nor a folder.
pub(super) fn not_regular() -> ReadError {
    "neither a regular file nor a folder".into()
}
