//! What cost time to find is not lost where its file cannot be written in the end.

use super::destination::is_stream;
use std::path::{Path, PathBuf};

/// What could not be written under its name.
#[derive(Debug, thiserror::Error)]
pub enum SaveError<E> {
    /// It was written elsewhere.
    #[error("{problem}; what was to be written is in {kept}")]
    Elsewhere {
        /// Why the name failed.
        problem: E,
        /// The file that holds it.
        kept: PathBuf,
    },
    /// It could be written nowhere.
    #[error(transparent)]
    Nowhere(E),
}

/// Lets `write` write a file under `path`; where that fails, under a name beside it that nothing has, or in a new folder of its own
/// among the temporary files. The error says why, and where it is.
pub fn write_or_keep<E>(path: &Path, write: impl Fn(&Path) -> Result<(), E>) -> Result<(), SaveError<E>> {
    let Err(problem) = write(path) else { return Ok(()) };
    // Beside a pipe or a device, in a folder of such, files have no business.
    let beside = if is_stream(path) { None } else { free_name(path) };
    if let Some(kept) = beside.filter(|beside| write(beside).is_ok()) {
        return Err(SaveError::Elsewhere { problem, kept });
    }
    let Some(name) = path.file_name() else { return Err(SaveError::Nowhere(problem)) };
    let mut builder = tempfile::Builder::new();
    builder.prefix("heescope-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700)); // others look into that folder too
    let Ok(folder) = builder.tempdir() else { return Err(SaveError::Nowhere(problem)) };
    let kept = folder.path().join(name);
    if write(&kept).is_err() {
        return Err(SaveError::Nowhere(problem));
    }
    let _ = folder.keep();
    Err(SaveError::Elsewhere { problem, kept })
}

/// The first of `model-kept.npz`, `model-kept-2.npz`, .. that nothing has.
fn free_name(path: &Path) -> Option<PathBuf> {
    let stem = path.file_stem()?.to_string_lossy();
    let ending = path.extension().map(|ending| format!(".{}", ending.to_string_lossy())).unwrap_or_default();
    let names = std::iter::once(String::new()).chain((2..1000).map(|n| format!("-{n}")));
    names
        .map(|number| path.with_file_name(format!("{stem}-kept{number}{ending}")))
        .find(|path| std::fs::symlink_metadata(path).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::write_atomically;

    fn kept(outcome: Result<(), SaveError<crate::export::FileError>>) -> (PathBuf, String) {
        let error = outcome.unwrap_err();
        let text = error.to_string();
        match error {
            SaveError::Elsewhere { kept, .. } => (kept, text),
            SaveError::Nowhere(problem) => panic!("{problem}"),
        }
    }

    #[test]
    fn a_name_that_fails_leaves_its_content_beside_it_or_among_the_temporary_files() {
        let folder = tempfile::tempdir().unwrap();
        let taken = folder.path().join("taken.npz");
        std::fs::create_dir(&taken).unwrap();
        std::fs::write(folder.path().join("taken-kept.npz"), "older").unwrap();
        let write = |path: &Path| write_atomically(path, b"an hour of work");
        let (beside, text) = kept(write_or_keep(&taken, write));
        assert_eq!(beside, folder.path().join("taken-kept-2.npz"), "nothing that is there is replaced");
        assert!(text.contains("taken.npz: it is a folder") && text.contains("taken-kept-2.npz"), "{text}");
        let (elsewhere, text) = kept(write_or_keep(&folder.path().join("gone/m.npz"), write));
        assert!(elsewhere.starts_with(std::env::temp_dir()) && elsewhere.ends_with("m.npz"), "{text}");
        for path in [&beside, &elsewhere] {
            assert_eq!(std::fs::read(path).unwrap(), b"an hour of work");
        }
        std::fs::remove_dir_all(elsewhere.parent().unwrap()).unwrap();
        assert!(write_or_keep(&folder.path().join("m.npz"), write).is_ok());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 4);
    }
}
