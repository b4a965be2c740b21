//! Writing a file again and again: the one before is kept, what cannot be read is put aside, and a name belongs to one program.

use crate::export::{FileError, write_atomically};
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// Writes `bytes` under `path` as [`write_atomically`] does, and keeps the file that was there as `kept`, in place of an older one. A
/// program that is killed in the midst of it leaves a whole file under `path`, the old or the new one, and whatever was kept.
pub fn write_keeping(path: &Path, kept: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let next = kept.with_extension("next");
    let has_old = keep_as(path, &next).is_ok();
    write_atomically(path, bytes)?;
    if has_old {
        std::fs::rename(&next, kept).map_err(|problem| FileError::Write { path: kept.into(), problem })?;
    }
    Ok(())
}

/// Gives a file a second name in place of what had it, or a copy where the file system has one name a file.
pub fn keep_as(path: &Path, name: &Path) -> std::io::Result<()> {
    let _ = std::fs::remove_file(name); // left by a program that was killed
    std::fs::hard_link(path, name).or_else(|_| {
        let bytes = std::fs::read(path)?;
        write_atomically(name, &bytes).map_err(std::io::Error::other)
    })
}

/// Gives a file another name, `NAME.WORD-1.ENDING` or the first that is free, so that nothing is written in its place; the new name.
pub fn put_aside(path: &Path, word: &str) -> Option<PathBuf> {
    let (stem, ending) = (path.file_stem()?.to_string_lossy(), path.extension()?.to_string_lossy());
    let mut names = (1..1000).map(|n| path.with_file_name(format!("{stem}.{word}-{n}.{ending}")));
    let name = names.find(|name| !name.exists())?;
    std::fs::rename(path, &name).ok().map(|()| name)
}

/// Moves a folder, or a file, to a name within the same file system that nothing has.
pub fn move_folder(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::rename(from, to)
}

/// Locks a file of this name, which is made where there is none, until the value is dropped or the program ends; None where another
/// program has it.
pub fn lock(path: &Path) -> io::Result<Option<File>> {
    let file = File::options().create(true).truncate(false).write(true).open(path)?;
    let is_taken = matches!(file.try_lock(), Err(TryLockError::WouldBlock));
    Ok((!is_taken).then_some(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_before_is_kept_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let [path, kept] = ["a.npz", "a.previous.npz"].map(|name| folder.path().join(name));
        let content = |path: &Path| std::fs::read_to_string(path).ok();
        for (n, before) in [None, Some("0"), Some("1"), Some("2")].into_iter().enumerate() {
            std::fs::write(folder.path().join("a.previous.next"), "left by a program that was killed").unwrap();
            write_keeping(&path, &kept, n.to_string().as_bytes()).unwrap();
            assert_eq!((content(&path), content(&kept)), (Some(n.to_string()), before.map(String::from)));
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
        let nowhere = folder.path().join("none/a.npz");
        assert!(write_keeping(&nowhere, &kept, b"x").is_err());
        assert_eq!(content(&kept), Some("2".into()), "what is kept stays where nothing is written");
    }

    #[test]
    fn what_is_put_aside_has_a_name_that_was_free() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npz");
        for n in 1..=2 {
            std::fs::write(&path, n.to_string()).unwrap();
            let name = put_aside(&path, "not-recovered").unwrap();
            assert_eq!(name, folder.path().join(format!("a.not-recovered-{n}.npz")));
            assert_eq!(std::fs::read_to_string(name).unwrap(), n.to_string());
        }
        assert_eq!(put_aside(&path, "not-recovered"), None, "there is nothing to put aside");
    }

    #[test]
    fn a_locked_name_is_taken_until_the_lock_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.lock");
        let first = lock(&path).unwrap();
        assert!(first.is_some() && lock(&path).unwrap().is_none());
        drop(first);
        assert!(lock(&path).unwrap().is_some());
        assert!(lock(&folder.path().join("none/a.lock")).is_err());
    }
}
