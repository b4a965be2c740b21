//! Files beside their final name while they are written, and those that a run which was killed has left behind.

use std::collections::BTreeSet;
use std::fs::{File, Metadata};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use tempfile::NamedTempFile;

const PREFIX: &str = ".heescope-";
const SUFFIX: &str = ".part";
/// Characters between the two.
const RANDOM: usize = 6;
/// Attempts to make a file that nobody takes for a stale one.
const MOST_ATTEMPTS: usize = 10;

/// An empty file in `folder`, removed again unless it gets its final name. It is locked as long as its writer lives. It has the mode
/// of a new file, or is for nobody else to read where it will replace something.
pub(super) fn file_in(folder: &Path, replaces: Option<&Metadata>) -> std::io::Result<NamedTempFile> {
    remove_stale_once(folder);
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX).rand_bytes(RANDOM);
    let mut file = builder.make_in(folder, |path| new_file(path, replaces))?;
    for _ in 0..MOST_ATTEMPTS {
        // Another process may have looked at it before it was locked, and removed it.
        let locked = !matches!(file.as_file().try_lock(), Err(std::fs::TryLockError::WouldBlock));
        if locked && file.path().exists() {
            break;
        }
        file = builder.make_in(folder, |path| new_file(path, replaces))?;
    }
    Ok(file)
}

#[cfg_attr(not(unix), allow(unused_variables, reason = "modes are of Unix"))]
fn new_file(path: &Path, replaces: Option<&Metadata>) -> std::io::Result<File> {
    let mut options = File::options();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, if replaces.is_some() { 0o600 } else { 0o666 }); // less the process's umask
    options.write(true).create_new(true).open(path)
}

/// Removes what killed processes have left in a folder, once in the life of this process.
fn remove_stale_once(folder: &Path) {
    static SEEN: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    let is_new = SEEN.lock().unwrap_or_else(PoisonError::into_inner).insert(folder.into());
    if is_new {
        remove_stale(folder);
    }
}

/// Removes those files of [`file_in`] whose writer is gone: a lock ends with the process that holds it.
fn remove_stale(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()).filter(|path| is_temporary(path)) {
        if File::open(&path).is_ok_and(|file| file.try_lock().is_ok()) {
            let _ = std::fs::remove_file(&path); // it stays where that is not allowed
        }
    }
}

fn is_temporary(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let middle = name.strip_prefix(PREFIX).and_then(|rest| rest.strip_suffix(SUFFIX));
    middle.is_some_and(|middle| middle.len() == RANDOM && middle.chars().all(|c| c.is_ascii_alphanumeric()))
        && std::fs::symlink_metadata(path).is_ok_and(|found| found.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_writer_left_is_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let others = [".heescope-notes", ".heescope-notes.part", "model.npz", ".heescope-a b-cd.part"];
        for name in [".heescope-Ab3xYz.part"].iter().chain(&others) {
            std::fs::write(path(name), "left").unwrap();
        }
        let being_written = file_in(Path::new("."), None).and_then(|_| file_in(folder.path(), None)).unwrap();
        assert!(!path(".heescope-Ab3xYz.part").exists(), "the stale one is removed by whoever writes there next");
        remove_stale(folder.path());
        assert!(being_written.path().exists(), "one that is being written stays");
        assert!(others.iter().all(|name| path(name).exists()), "so does what only looks like one");
        let failed = file_in(&path("none"), None).unwrap_err().to_string();
        assert!(!failed.contains("heescope") && failed.contains("os error"), "{failed}");
        let abandoned = being_written.into_temp_path().keep().unwrap();
        remove_stale(folder.path());
        assert!(!abandoned.exists(), "the lock went with the writer");
    }
}
