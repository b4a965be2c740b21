//! Writing a file again and again: the one before is kept.

use crate::export::{FileError, write_atomically};
use std::path::Path;

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

/// Gives a file a second name, or a copy where the file system has one name a file.
fn keep_as(path: &Path, name: &Path) -> std::io::Result<()> {
    let _ = std::fs::remove_file(name); // left by a program that was killed
    std::fs::hard_link(path, name).or_else(|_| {
        let bytes = std::fs::read(path)?;
        write_atomically(name, &bytes).map_err(std::io::Error::other)
    })
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
}
