//! Outputs are checked before the work begins whose results they are to hold.

use super::FileError;
use super::destination::{Destination, folder_of, is_stream};
use super::{temporary, write};
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

/// The files that a command is asked to write, and those that it reads.
#[derive(Debug, Default)]
pub struct Outputs<'a> {
    written: Vec<(&'static str, &'a Path)>,
    read: Vec<(&'static str, &'a Path)>,
    unknown_ending: Option<FileError>,
}

impl<'a> Outputs<'a> {
    /// A file to be written that an option names. `needed` are its possible endings, as ".csv or .npy"; a name without an ending will
    /// do where there is only one.
    #[must_use]
    pub fn writes(mut self, option: &'static str, path: &'a Path, needed: &'static str) -> Self {
        self.unknown_ending = self.unknown_ending.take().or(check_ending(path, needed).err());
        self.writes_any(option, path)
    }

    /// The same for a name whose ending says nothing about what is written.
    #[must_use]
    pub fn writes_any(mut self, option: &'static str, path: &'a Path) -> Self {
        self.written.push((option, path));
        self
    }

    /// A file or folder that an option names and that is read: nothing may be written in its place.
    #[must_use]
    pub fn reads(mut self, option: &'static str, path: &'a Path) -> Self {
        self.read.push((option, path));
        self
    }

    /// An error where an ending is not known, where two names lead to the same file, or where a name cannot be written.
    pub fn check(self) -> Result<(), FileError> {
        if let Some(error) = self.unknown_ending {
            return Err(error);
        }
        for (i, &(option, path)) in self.written.iter().enumerate() {
            check_output(path)?;
            let place = place(path);
            let others = self.written[..i].iter().map(|other| (other, "writes"));
            for (&(other, file), does) in others.chain(self.read.iter().map(|other| (other, "reads"))) {
                if place.is_some() && place == self::place(file) {
                    return Err(FileError::Conflict { option, path: path.into(), other, does });
                }
            }
        }
        Ok(())
    }
}

/// An error unless a name has one of the `needed` endings, as ".csv or .npy", in small or capital letters. A name without an ending
/// will do where there is only one, and any name of what is no regular file.
pub fn check_ending(path: &Path, needed: &'static str) -> Result<(), FileError> {
    let known: Vec<&str> = needed.split(" or ").flat_map(|part| part.split(", ")).map(|ending| ending.trim_start_matches('.')).collect();
    let fits = match path.extension() {
        Some(_) => known.contains(&ending(path).as_str()),
        None => known.len() == 1,
    };
    if fits || is_stream(path) { Ok(()) } else { Err(FileError::Ending { path: path.into(), needed }) }
}

/// The ending of a name in small letters; empty where there is none.
pub fn ending(path: &Path) -> String {
    path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase()).unwrap_or_default()
}

/// An error where `path` cannot be written: it is a folder, or its folder is missing or read-only, or its file system is full.
/// Nothing is left behind.
pub fn check_output(path: &Path) -> Result<(), FileError> {
    check_room(path, 1)?;
    let writable = || match Destination::of(path)? {
        Destination::File { path, present } => {
            if present.is_some() {
                write::may_be_written(&path)?;
            }
            if let Err(problem) = std::fs::symlink_metadata(&path)
                && problem.kind() != ErrorKind::NotFound
            {
                return Err(problem); // a name that is too long, for one
            }
            temporary::file_in(folder_of(&path), present.as_ref()).map(drop)
        }
        Destination::Stream(_) | Destination::StandardOutput => Ok(()),
    };
    writable().map_err(|problem| FileError::Write { path: path.into(), problem })
}

/// An error where there are not so many bytes of room for a file; where the system does not say how many there are, there are enough.
/// What is replaced needs its room as long as the new file is written beside it.
pub fn check_room(path: &Path, bytes: u64) -> Result<(), FileError> {
    let Ok(Destination::File { path: file, .. }) = Destination::of(path) else { return Ok(()) };
    let Some(free) = free_bytes(folder_of(&file)).filter(|free| *free < bytes) else { return Ok(()) };
    let problem = format!("it needs about {}, there is room for {}", size(bytes), size(free));
    Err(FileError::Write { path: path.into(), problem: Error::new(ErrorKind::StorageFull, problem) })
}

fn size(bytes: u64) -> String {
    if bytes < 10_000 { format!("{bytes} bytes") } else { format!("{:.2} MB", bytes as f64 / 1e6) }
}

/// Bytes that a file in this folder can have: what is free, and what the process may write.
#[cfg(unix)]
fn free_bytes(folder: &Path) -> Option<u64> {
    let room = rustix::fs::statvfs(folder).ok().filter(|found| found.f_blocks > 0);
    let free = room.map(|found| found.f_bavail.saturating_mul(found.f_frsize));
    let most = rustix::process::getrlimit(rustix::process::Resource::Fsize).current;
    free.into_iter().chain(most).min()
}

#[cfg(not(unix))]
fn free_bytes(_: &Path) -> Option<u64> {
    None
}

/// What tells whether two names lead to the same file; None where nothing does.
fn place(path: &Path) -> Option<PathBuf> {
    match Destination::of(path) {
        Ok(Destination::File { path, .. }) => Some(std::fs::canonicalize(folder_of(&path)).ok()?.join(path.file_name()?)),
        Ok(Destination::StandardOutput) => Some(PathBuf::from("standard output")),
        Ok(Destination::Stream(path)) => std::fs::canonicalize(path).ok(),
        Err(_) => std::fs::canonicalize(path).ok(), // a folder that is read
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(outputs: Outputs) -> String {
        outputs.check().err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn names_that_cannot_be_written_are_refused_and_nothing_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("file"), "").unwrap();
        std::fs::create_dir(path("folder")).unwrap();
        let long = "n".repeat(300);
        for name in ["none/m.npz", "file/m.npz", "folder", "folder/", "new/", long.as_str()] {
            let text = refused(Outputs::default().writes("--out", &path(name), ".npz"));
            assert!(text.starts_with("cannot write ") && text.contains(name.trim_end_matches('/')), "{name}: {text}");
        }
        assert!(refused(Outputs::default().writes("--out", Path::new(""), ".npz")).contains("empty"));
        assert_eq!(refused(Outputs::default().writes("--out", &path("m.npz"), ".npz").writes("--png", &path("m.png"), ".png")), "");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn endings_are_known() {
        for (name, needed, fits) in [
            ("m.npz", ".npz", true),
            ("m.NPZ", ".npz", true),
            ("m", ".npz", true),
            ("m.png", ".npz", false),
            ("t.csv", ".csv or .npy", true),
            ("t.npy", ".csv or .npy", true),
            ("t", ".csv or .npy", false),
            ("t.txt", ".csv or .npy", false),
            ("v.csv", ".png, .svg, .csv or .npy", true),
        ] {
            assert_eq!(check_ending(Path::new(name), needed).is_ok(), fits, "{name}: {needed}");
        }
        let text = refused(Outputs::default().writes("--out", Path::new("none/m.txt"), ".npz"));
        assert_eq!(text, "none/m.txt: a name that ends in .npz is needed");
    }

    #[test]
    fn no_file_is_written_twice_or_in_place_of_what_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("init.npz"), "").unwrap();
        std::fs::create_dir(path("pictures")).unwrap();
        let twice = refused(Outputs::default().writes("--out", &path("a"), ".npz").writes("--filters", &path("pictures/../a"), ".png"));
        assert!(twice.starts_with("--filters ") && twice.contains("--out writes the same file"), "{twice}");
        let with_input = |out: &str| refused(Outputs::default().reads("--init", &path("init.npz")).writes("--out", &path(out), ".npz"));
        assert!(with_input("init.npz").contains("--init reads the same file"), "{}", with_input("init.npz"));
        assert_eq!(with_input("other.npz"), "");
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("init.npz", path("link.npz")).unwrap();
            assert!(with_input("link.npz").contains("--init reads the same file"));
        }
    }

    #[test]
    fn there_is_room_for_a_byte_and_not_for_an_exabyte() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.npz");
        assert!(check_room(&path, 1).is_ok());
        if cfg!(unix) {
            let text = check_room(&path, 1 << 60).unwrap_err().to_string();
            assert!(text.contains("m.npz") && text.contains("needs about 1152921504606.85 MB, there is room for"), "{text}");
        }
    }
}
