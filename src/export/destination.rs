//! Where the name of an output leads: through links to a regular file, or to a pipe, a device or standard output.

use std::fs::Metadata;
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

/// Links that are followed at most, as many as Linux follows.
const MOST_LINKS: usize = 40;

/// What is written where a name is given.
#[derive(Debug)]
pub(super) enum Destination {
    /// A regular file, all links followed, and what has that name now.
    File { path: PathBuf, present: Option<Metadata> },
    /// Something that has to be opened and written as it is: a pipe, a terminal, another device.
    Stream(PathBuf),
    /// What the program has as its standard output.
    StandardOutput,
}

impl Destination {
    /// Where `path` leads; the error says why nothing can be written there.
    pub(super) fn of(path: &Path) -> std::io::Result<Self> {
        match std::fs::metadata(path) {
            Ok(found) => Self::present(path, found),
            Err(error) if error.kind() == ErrorKind::NotFound => Self::absent(path),
            Err(error) => Err(error),
        }
    }

    fn present(path: &Path, found: Metadata) -> std::io::Result<Self> {
        if found.is_dir() {
            return Err(Error::new(ErrorKind::IsADirectory, "it is a folder"));
        }
        if is_same(&found, standard_output().as_ref()) {
            return Ok(Self::StandardOutput);
        }
        if let Some(kind) = never_written(&found) {
            return Err(Error::new(ErrorKind::InvalidInput, format!("it is a {kind}")));
        }
        // A file that is open under /proc and has no name any more has no path that leads to it.
        let named = std::fs::canonicalize(path).ok().filter(|path| is_same(&found, std::fs::metadata(path).ok().as_ref()));
        Ok(match named {
            Some(path) if found.is_file() => Self::File { path, present: Some(found) },
            _ => Self::Stream(path.into()),
        })
    }

    /// A name that nothing has, or a link to one.
    fn absent(path: &Path) -> std::io::Result<Self> {
        let mut path = path.to_path_buf();
        for _ in 0..MOST_LINKS {
            let Ok(target) = std::fs::read_link(&path) else {
                let last = path.to_string_lossy().chars().next_back();
                return match last {
                    None => Err(Error::new(ErrorKind::InvalidInput, "the name is empty")),
                    Some(last) if std::path::is_separator(last) => Err(Error::new(ErrorKind::IsADirectory, "it is the name of a folder")),
                    Some(_) => Ok(Self::File { path, present: None }),
                };
            };
            path = folder_of(&path).join(target);
        }
        Err(Error::new(ErrorKind::InvalidInput, "too many symbolic links"))
    }
}

/// The folder that holds a file of that path.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Whether `path` leads to what is no regular file, so that its name says nothing about what is written.
pub fn is_stream(path: &Path) -> bool {
    matches!(Destination::of(path), Ok(Destination::Stream(_) | Destination::StandardOutput))
}

/// Whether `path` leads to what the program has as its standard output.
pub fn is_standard_output(path: &Path) -> bool {
    matches!(Destination::of(path), Ok(Destination::StandardOutput))
}

#[cfg(unix)]
fn standard_output() -> Option<Metadata> {
    use std::os::fd::AsFd;
    let descriptor = std::io::stdout().as_fd().try_clone_to_owned().ok()?;
    std::fs::File::from(descriptor).metadata().ok()
}

#[cfg(not(unix))]
fn standard_output() -> Option<Metadata> {
    None
}

#[cfg(unix)]
fn is_same(a: &Metadata, b: Option<&Metadata>) -> bool {
    use std::os::unix::fs::MetadataExt;
    b.is_some_and(|b| (a.dev(), a.ino()) == (b.dev(), b.ino()))
}

#[cfg(not(unix))]
fn is_same(_: &Metadata, b: Option<&Metadata>) -> bool {
    b.is_some() // links without a name are of Unix
}

/// What is not to be written to by mistake, or cannot be.
#[cfg(unix)]
fn never_written(found: &Metadata) -> Option<&'static str> {
    use std::os::unix::fs::FileTypeExt;
    let kind = found.file_type();
    if kind.is_block_device() { Some("disk") } else { kind.is_socket().then_some("socket") }
}

#[cfg(not(unix))]
fn never_written(_: &Metadata) -> Option<&'static str> {
    None
}
