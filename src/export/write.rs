//! The one place that writes files, at once or piece by piece.

use super::FileError;
use super::destination::{Destination, folder_of};
use super::temporary;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Writes `bytes` under `path`. A regular file is written as a whole or not at all, and is on the disk when this returns: beside its
/// final name, then renamed. Symbolic links are followed; a file that is replaced keeps its mode and owner; one that may not be
/// written is not replaced. What is no regular file (a pipe, a terminal, a device) is opened and written as it is. Errors name the path.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    write(path, bytes).map_err(|problem| FileError::Write { path: path.into(), problem })
}

fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut sink = Sink::of(path)?;
    sink.write_all(bytes)?; // the errors of a temporary file itself do not name it
    sink.finish()
}

/// Where bytes go that are written under a name.
enum Sink {
    /// Beside the final name of a regular file, and what has that name now.
    File { file: NamedTempFile, path: PathBuf, present: Option<Box<Metadata>> },
    /// What is no regular file.
    Stream(Box<dyn Write + Send>),
}

impl Sink {
    fn of(path: &Path) -> std::io::Result<Self> {
        Ok(match Destination::of(path)? {
            Destination::File { path, present } => {
                if present.is_some() {
                    may_be_written(&path)?;
                }
                Self::File { file: temporary::file_in(folder_of(&path), present.as_ref())?, path, present: present.map(Box::new) }
            }
            Destination::Stream(path) => Self::Stream(Box::new(OpenOptions::new().write(true).truncate(true).open(path)?)),
            Destination::StandardOutput => Self::Stream(Box::new(std::io::stdout())),
        })
    }

    fn as_write(&mut self) -> &mut dyn Write {
        match self {
            Self::File { file, .. } => file.as_file_mut(),
            Self::Stream(stream) => stream,
        }
    }

    fn write_all(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.as_write().write_all(bytes)
    }

    /// Brings a regular file to the disk and gives it its name.
    fn finish(self) -> std::io::Result<()> {
        let (file, path, present) = match self {
            Self::Stream(mut stream) => return stream.flush(),
            Self::File { file, path, present } => (file, path, present),
        };
        if let Some(present) = present {
            keep_owner(file.as_file(), &present);
            file.as_file().set_permissions(present.permissions())?;
        }
        file.as_file().sync_all()?;
        file.persist(&path).map_err(|error| error.error)?;
        sync_folder(folder_of(&path))
    }
}

/// A file that is written piece by piece, as [`write_atomically`] writes one at once: a regular file has its name, and is on the disk, when
/// [`PendingFile::finish`] returns, and one that is dropped before that leaves nothing behind.
pub struct PendingFile {
    path: PathBuf,
    sink: Sink,
}

impl PendingFile {
    /// Begins it. The error says why nothing can be written under `path`.
    pub fn begin(path: &Path) -> Result<Self, FileError> {
        let sink = Sink::of(path).map_err(|problem| FileError::Write { path: path.into(), problem })?;
        Ok(Self { path: path.into(), sink })
    }

    /// The name that a regular file has until it is finished, for another program that writes it; None for what is no regular file.
    pub fn temporary_name(&self) -> Option<&Path> {
        match &self.sink {
            Sink::File { file, .. } => Some(file.path()),
            Sink::Stream(_) => None,
        }
    }

    /// Gives it its name.
    pub fn finish(self) -> Result<(), FileError> {
        self.sink.finish().map_err(|problem| FileError::Write { path: self.path, problem })
    }
}

impl Write for PendingFile {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.sink.as_write().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.sink.as_write().flush()
    }
}

/// An error where the system would not let a file be written in place: then it is not to be replaced either.
pub(super) fn may_be_written(path: &Path) -> std::io::Result<()> {
    OpenOptions::new().write(true).open(path).map(drop)
}

/// Writes `bytes` behind the first `whole` bytes of a file that grows piece by piece, in place of what is behind them, and returns when they
/// are on the disk.
pub fn write_after(path: &Path, whole: u64, bytes: &[u8]) -> Result<(), FileError> {
    let grow = || -> std::io::Result<()> {
        let mut file = OpenOptions::new().write(true).open(path)?;
        file.set_len(whole)?;
        file.seek(SeekFrom::Start(whole))?;
        file.write_all(bytes)?;
        file.sync_data()
    };
    grow().map_err(|problem| FileError::Write { path: path.into(), problem })
}

/// Begins a file that grows piece by piece and can be read up to where it was cut; what was there is replaced.
pub fn begin_growing(path: &Path) -> Result<File, FileError> {
    File::create(path).map_err(|problem| FileError::Write { path: path.into(), problem })
}

/// Gives a file the owner and group of the one that it replaces, as far as that is allowed.
#[cfg(unix)]
fn keep_owner(file: &File, of: &Metadata) {
    use std::os::unix::fs::{MetadataExt, fchown};
    if file.metadata().is_ok_and(|own| (own.uid(), own.gid()) == (of.uid(), of.gid())) {
        return;
    }
    if fchown(file, Some(of.uid()), Some(of.gid())).is_err() {
        let _ = fchown(file, None, Some(of.gid())); // only the administrator gives files away; the writer owns it then
    }
}

#[cfg(not(unix))]
fn keep_owner(_: &File, _: &Metadata) {}

/// Has the folder's new entry written to the disk, where the system lets folders be opened and has them written so.
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    use std::io::ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
    let Ok(folder) = File::open(folder) else { return Ok(()) };
    match folder.sync_all() {
        Err(error) if ![InvalidInput, PermissionDenied, Unsupported].contains(&error.kind()) => Err(error),
        _ => Ok(()),
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn links_are_followed_and_stay_links() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::create_dir(path("elsewhere")).unwrap();
        std::fs::write(path("elsewhere/a"), "old").unwrap();
        symlink("elsewhere/a", path("link")).unwrap();
        symlink("link", path("link to a link")).unwrap();
        symlink("elsewhere/new", path("link to nothing")).unwrap();
        symlink("circle", path("circle")).unwrap();
        for (name, target) in [("link", "elsewhere/a"), ("link to a link", "elsewhere/a"), ("link to nothing", "elsewhere/new")] {
            write_atomically(&path(name), name.as_bytes()).unwrap();
            assert!(std::fs::symlink_metadata(path(name)).unwrap().is_symlink(), "{name}");
            assert_eq!(std::fs::read_to_string(path(target)).unwrap(), name);
        }
        assert!(write_atomically(&path("circle"), b"x").is_err());
        assert_eq!(std::fs::read_dir(path("elsewhere")).unwrap().count(), 2, "nothing is left beside them");
    }

    #[test]
    fn a_file_written_in_pieces_is_there_as_a_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, "old").unwrap();
        for is_finished in [false, true] {
            let mut file = PendingFile::begin(&path).unwrap();
            ["new", "er"].iter().for_each(|part| file.write_all(part.as_bytes()).unwrap());
            assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
            assert_eq!(std::fs::read_to_string(file.temporary_name().unwrap()).unwrap(), "newer");
            if is_finished {
                file.finish().unwrap()
            } else {
                drop(file)
            }
            assert_eq!(std::fs::read_to_string(&path).unwrap(), if is_finished { "newer" } else { "old" });
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
        }
        let nowhere = PendingFile::begin(&folder.path().join("none/a")).err().unwrap().to_string();
        assert!(nowhere.starts_with("cannot write ") && nowhere.contains("none/a"), "{nowhere}");
    }

    #[test]
    fn the_mode_is_kept_and_new_files_have_that_of_any_program() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for wanted in [0o600, 0o640, 0o755] {
            std::fs::write(path("kept"), "old").unwrap();
            std::fs::set_permissions(path("kept"), std::fs::Permissions::from_mode(wanted)).unwrap();
            write_atomically(&path("kept"), b"new").unwrap();
            assert_eq!((mode(&path("kept")), std::fs::read_to_string(path("kept")).unwrap().as_str()), (wanted, "new"));
        }
        std::fs::write(path("by another program"), "").unwrap();
        write_atomically(&path("new"), b"new").unwrap();
        assert_eq!(mode(&path("new")), mode(&path("by another program")));
    }

    #[test]
    fn what_is_no_regular_file_is_written_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::from_raw_mode(0o600)).unwrap();
        let reader = {
            let pipe = pipe.clone();
            std::thread::Builder::new().spawn(move || std::fs::read(pipe).unwrap()).unwrap()
        };
        write_atomically(&pipe, b"through the pipe").unwrap();
        assert_eq!(reader.join().unwrap(), b"through the pipe");
        assert!(std::fs::metadata(&pipe).unwrap().file_type().is_fifo(), "it is a pipe still");
        let socket = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        assert!(write_atomically(&socket, b"x").unwrap_err().to_string().contains("it is a socket"));
        assert!(write_atomically(folder.path(), b"x").unwrap_err().to_string().contains("it is a folder"));
        assert!(write_atomically(&folder.path().join("none/"), b"x").unwrap_err().to_string().contains("folder"));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left beside them");
    }
}
