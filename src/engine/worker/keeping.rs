//! What was learned outlives model and program: it is saved by itself, recovered at the start, brought back after a rebuild.

use super::Worker;
use crate::engine::autosave::{Autosave, AutosaveOptions};
use crate::engine::{EngineError, Event};
use crate::experiment::modelfile;
use crate::experiment::session::SessionState;
use crate::export::keep_as;
use crate::panics;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The model before the last rebuild, with what it had learned.
#[derive(Clone)]
pub(super) enum Previous {
    /// As it was.
    State(Box<SessionState>),
    /// In a file of an earlier run of the program: the file, the model's name, images seen.
    File(PathBuf, String, u64),
}

impl Previous {
    /// The one in a file; None where there is none that can be read.
    fn in_file(path: &Path) -> Option<Self> {
        let config = modelfile::load_config(path).ok()?;
        Some(Self::File(path.into(), config.model.name, config.learning.images_seen))
    }

    /// Its name and the images that it has seen.
    pub(super) fn label(&self) -> (String, u64) {
        match self {
            Self::State(state) => (state.config.model.name.clone(), state.config.learning.images_seen),
            Self::File(_, name, images) => (name.clone(), *images),
        }
    }
}

impl Worker {
    /// Has what is learned saved by itself from here on. What was saved last runs, if it is to be recovered, else Back brings it.
    /// Whether a model runs now.
    pub(super) fn begin_autosave(&mut self, options: &AutosaveOptions) -> bool {
        match Autosave::start(options) {
            Ok(autosave) => self.shared.autosave = Some(autosave),
            Err(error) => {
                self.shared.report(Event::Failed(error.to_string()));
                return false;
            }
        }
        if options.recover {
            self.recover()
        } else {
            self.keep_for_back();
            false
        }
    }

    /// Runs what was saved last, or where that cannot be read the save before, and says so.
    fn recover(&mut self) -> bool {
        let Some(files) = self.shared.autosave.as_ref().map(|autosave| &autosave.files) else { return false };
        let (saves, before) = ([files.current.clone(), files.previous.clone()], files.before.clone());
        let there: Vec<PathBuf> = saves.iter().filter(|path| path.exists()).cloned().collect();
        let found = there.iter().find(|path| self.recovers_from(path));
        if let (Some(path), Some(running)) = (found, &self.running) {
            let (name, images) = (&running.session.config().model.name, running.session.images());
            let older = if *path == saves[0] { "" } else { "; the file that was saved last could not be read" };
            self.shared.report(Event::Resumed(format!("Recovered {name}, {images} images seen, saved {}{older}", age_of(path))));
            if let Some(autosave) = &mut self.shared.autosave {
                autosave.is_in_file(self.shared.model_id);
            }
        } else if !there.is_empty() {
            self.put_aside();
        }
        self.shared.previous = Previous::in_file(&before);
        found.is_some()
    }

    /// Whether the model of this file runs now. A panic on the way is a file that cannot be recovered: else no start would survive it.
    fn recovers_from(&mut self, path: &Path) -> bool {
        let recovered = panics::caught(|| self.resume_file(path).is_some());
        recovered.unwrap_or_else(|report| {
            self.shared.report(Event::Failed(format!("{}: {report}", path.display())));
            false
        })
    }

    /// Keeps files that cannot be recovered under names of their own, and says which.
    fn put_aside(&self) {
        let Some(autosave) = &self.shared.autosave else { return };
        let names: Vec<String> = autosave.files.put_aside().iter().map(|path| path.display().to_string()).collect();
        let text = format!("what was learned before could not be recovered; it is kept in {}", names.join(" and "));
        self.shared.report_failure(Err(EngineError::File(text)));
    }

    /// Another model was asked for: what was saved last is the model before, and stays when the other one is saved.
    fn keep_for_back(&mut self) {
        let Some(files) = self.shared.autosave.as_ref().map(|autosave| &autosave.files) else { return };
        if files.current.exists() {
            let _ = keep_as(&files.current, &files.before); // else the file itself stays until another model has learned
        }
        self.shared.previous = Previous::in_file(&files.before);
        if let Some((name, images)) = self.shared.previous.as_ref().map(Previous::label) {
            self.shared.report(Event::Resumed(format!("What was learned before is kept ({name}, {images} images seen): Back brings it")));
        }
    }

    /// Hands what was learned over to be saved, if that is due, and reports what has failed.
    pub(super) fn autosave(&mut self) {
        let Some(autosave) = &mut self.shared.autosave else { return };
        if let Some(running) = &self.running {
            autosave.offer(self.shared.model_id, &running.session);
        }
        if let Some(failure) = autosave.take_failure() {
            self.shared.report(Event::Failed(failure.to_string()));
        }
    }

    /// Hands over what was learned since the last save: another model comes, or the end.
    pub(super) fn save_learned(&mut self) {
        if let (Some(autosave), Some(running)) = (&mut self.shared.autosave, &self.running) {
            autosave.finish(self.shared.model_id, &running.session);
        }
    }

    /// Goes back to the model before the last rebuild, exactly as it was; it is dropped only when it runs.
    pub(super) fn load_previous(&mut self) {
        let is_back = match self.shared.previous.clone() {
            None => false,
            Some(Previous::File(path, ..)) => self.resume_file(&path).is_some(),
            Some(Previous::State(state)) => match self.build(state.config.clone(), Some(state.model.clone())) {
                None => false,
                Some(mut session) => {
                    self.shared.report_failure(session.restore(*state));
                    self.replace(session);
                    true
                }
            },
        };
        if let (true, Some(autosave)) = (is_back, &mut self.shared.autosave) {
            autosave.save_soon();
        }
    }
}

/// How long ago a file was written.
fn age_of(path: &Path) -> String {
    let written = std::fs::metadata(path).and_then(|found| found.modified());
    let age = written.ok().and_then(|written| written.elapsed().ok()).unwrap_or(Duration::ZERO);
    match age.as_secs() {
        seconds @ 0..120 => format!("{seconds} s ago"),
        seconds @ 120..7200 => format!("{} min ago", seconds / 60),
        seconds @ 7200..172_800 => format!("{} h ago", seconds / 3600),
        seconds => format!("{} days ago", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::time::SystemTime;

    #[test]
    fn a_file_from_another_time_has_an_age_whatever_the_clock_says() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("autosave.npz");
        assert_eq!(age_of(&path), "0 s ago", "no file, no age");
        let file = File::create(&path).unwrap();
        let now = SystemTime::now();
        for (written, age) in [
            (now + Duration::from_secs(86_400), "0 s ago"), // the clock was put back since
            (now - Duration::from_secs(200), "3 min ago"),
            (now - Duration::from_secs(3 * 3600), "3 h ago"),
            (SystemTime::UNIX_EPOCH, "days ago"),
        ] {
            file.set_modified(written).unwrap();
            assert!(age_of(&path).ends_with(age), "{}", age_of(&path));
        }
    }
}
