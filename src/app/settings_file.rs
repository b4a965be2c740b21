//! What the window keeps between two runs (layout, size, fields) in one file that is whole whenever the program ends.
//!
//! The desktop library writes its own file in place, so that a kill in the midst of it would lose everything. It is given a working
//! copy, made anew at each start, and what it puts there is written by the one function for files, on a thread of its own.

use crate::engine::{BackgroundJob, JobContext};
use crate::export::{FileError, write_atomically, write_keeping};
use crossbeam_channel::Receiver;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Sets of values that wait to be written, at most.
const WAITING: usize = 2;
/// How long the last values wait for those before them.
const PATIENCE: Duration = Duration::from_secs(5);

/// Values by their keys, each as its owner wrote it.
pub(super) type Settings = BTreeMap<String, String>;

/// The file, and the thread that writes it.
pub(super) struct SettingsFile {
    working_copy: PathBuf,
    job: BackgroundJob<Settings, FileError>,
    /// What was handed over last.
    last: Settings,
}

impl SettingsFile {
    /// The file in this folder, which is made where it is not there; the working copy holds what the file does. The error says why
    /// nothing can be kept.
    pub(super) fn open(folder: &Path) -> std::io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let [file, previous, working_copy] = ["app.ron", "app.previous.ron", "eframe.ron"].map(|name| folder.join(name));
        let kept = read(&file).or_else(|| read(&previous)).unwrap_or_default();
        write(&working_copy, &kept, write_atomically).map_err(std::io::Error::other)?;
        let body = move |sets: Receiver<Settings>, job: &JobContext<FileError>| {
            for settings in sets {
                let written = write(&file, &settings, |path, bytes| write_keeping(path, &previous, bytes));
                written.err().map(|error| job.report(error));
            }
        };
        let job = BackgroundJob::spawn("settings", WAITING, WAITING, body)?;
        Ok(Self { working_copy, job, last: kept })
    }

    /// The copy that the desktop library reads and writes as it likes.
    pub(super) fn working_copy(&self) -> &Path {
        &self.working_copy
    }

    /// Has these values written, where they are others than before.
    pub(super) fn save(&mut self, settings: Settings) {
        if settings == self.last {
            return;
        }
        let begin = Instant::now();
        while !self.job.submit(settings.clone()) && !self.job.is_finished() && begin.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.last = settings;
    }

    /// Why the last values could not be written, if so.
    pub(super) fn failure(&self) -> Option<FileError> {
        self.job.reports().last()
    }
}

/// None where the file is not there or not whole.
fn read(path: &Path) -> Option<Settings> {
    ron::from_str(&std::fs::read_to_string(path).ok()?).ok()
}

fn write(path: &Path, settings: &Settings, write: impl Fn(&Path, &[u8]) -> Result<(), FileError>) -> Result<(), FileError> {
    let text = ron::ser::to_string_pretty(settings, ron::ser::PrettyConfig::default());
    write(path, text.map_err(|e| FileError::encode("what the window keeps", e))?.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(layout: &str) -> Settings {
        [("layout", layout), ("window", "(zoom: 1.5)")].map(|(key, value)| (key.to_string(), value.to_string())).into()
    }

    #[test]
    fn what_is_kept_comes_back_and_a_file_cut_short_costs_one_save() {
        let folder = tempfile::tempdir().unwrap();
        let copy = || read(SettingsFile::open(folder.path()).unwrap().working_copy()).unwrap();
        assert!(copy().is_empty(), "the first start");
        let mut file = SettingsFile::open(folder.path()).unwrap();
        ["a \"quoted\"\nname", "b", "b", "ç"].into_iter().for_each(|layout| file.save(settings(layout)));
        std::fs::write(file.working_copy(), "cut sho").unwrap(); // a kill while the library writes its copy
        drop(file); // waits for what is handed over
        assert_eq!(copy(), settings("ç"));
        assert_eq!(read(&folder.path().join("app.previous.ron")), Some(settings("b")), "written once where nothing changed");
        let whole = std::fs::read(folder.path().join("app.ron")).unwrap();
        for length in 0..whole.len() {
            std::fs::write(folder.path().join("app.ron"), &whole[..length]).unwrap();
            let kept = copy();
            assert!(kept == settings("b") || kept == settings("ç"), "{length} bytes: {kept:?}");
        }
    }

    #[test]
    fn what_cannot_be_written_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = SettingsFile::open(folder.path()).unwrap();
        std::fs::create_dir(folder.path().join("app.ron")).unwrap();
        file.save(settings("a"));
        let begin = Instant::now();
        let error = loop {
            if let Some(error) = file.failure() {
                break error.to_string();
            }
            assert!(begin.elapsed() < Duration::from_secs(20));
        };
        assert!(error.contains("app.ron"), "{error}");
        std::fs::write(folder.path().join("taken"), "").unwrap();
        assert!(SettingsFile::open(&folder.path().join("taken")).is_err());
    }
}
