//! What is learned is saved by itself, on a thread of its own: a model file in a folder, the one before it, and that of the model
//! before. Several programs on one folder each have a file of their own.

use crate::engine::background::{BackgroundJob, JobContext};
use crate::engine::error::EngineError;
use crate::experiment::modelfile;
use crate::experiment::session::{Session, SessionState};
use crate::export::{FileError, lock, put_aside, write_keeping};
use crossbeam_channel::Receiver;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Programs that can save into one folder at the same time.
const MOST_PROGRAMS: usize = 16;
/// States that wait to be written, at most.
const WAITING: usize = 2;
/// The pause after a save is at least so many times as long as that took: what is large is saved less often.
const LEAST_PAUSE: u32 = 10;
/// How long a state that has to be saved waits for those before it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where and how often what is learned is saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AutosaveOptions {
    /// The folder; it is made where it is not there.
    pub folder: PathBuf,
    /// Wall time between two saves while learning goes on, at least.
    pub interval: Duration,
    /// Whether to begin with what was saved last.
    pub recover: bool,
}

/// The files of one program in the folder.
#[derive(Debug)]
pub(super) struct AutosaveFiles {
    /// The last save.
    pub(super) current: PathBuf,
    /// The one before it.
    pub(super) previous: PathBuf,
    /// The last save of the model before.
    pub(super) before: PathBuf,
    /// Locked as long as the program runs.
    _lock: File,
}

impl AutosaveFiles {
    /// The first files of the folder that no running program has.
    fn claim(folder: &Path) -> std::io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        for n in 1..=MOST_PROGRAMS {
            let stem = if n == 1 { "autosave".to_string() } else { format!("autosave-{n}") };
            if let Some(lock) = lock(&folder.join(format!("{stem}.lock")))? {
                let file = |ending: &str| folder.join(format!("{stem}{ending}.npz"));
                return Ok(Self { current: file(""), previous: file(".previous"), before: file(".before"), _lock: lock });
            }
        }
        Err(std::io::Error::other(format!("{MOST_PROGRAMS} programs save into it already")))
    }

    /// Gives what cannot be opened a name of its own, so that nothing is written in its place; the new names.
    pub(super) fn put_aside(&self) -> Vec<PathBuf> {
        [&self.current, &self.previous].into_iter().filter_map(|path| put_aside(path, "not-recovered")).collect()
    }
}

/// A state that is to be saved.
struct Request {
    state: SessionState,
    /// Where the last save goes.
    kept: PathBuf,
}

/// The thread that saves, and what it has saved.
pub(super) struct Autosave {
    job: BackgroundJob<Request, Result<Duration, FileError>>,
    pub(super) files: AutosaveFiles, // their lock ends after the thread
    interval: Duration,
    /// Number of the model and version of the weights that were saved last, or that need not be saved.
    saved: Option<(u64, u64)>,
    /// Number of the model that the file `current` holds.
    in_file: Option<u64>,
    /// When the last state was handed over.
    last: Instant,
    /// How long the last save took.
    took: Duration,
    under_way: usize,
    /// Whether the last save has failed, which is said once.
    has_failed: bool,
    failure: Option<EngineError>,
}

impl Autosave {
    /// Starts the thread. The error says why nothing can be saved there.
    pub(super) fn start(options: &AutosaveOptions) -> Result<Self, EngineError> {
        let folder = options.folder.display();
        let of_folder = |error: std::io::Error| EngineError::File(format!("what is learned is not saved by itself: {folder}: {error}"));
        let files = AutosaveFiles::claim(&options.folder).map_err(of_folder)?;
        let current = files.current.clone();
        let body = move |requests: Receiver<Request>, job: &JobContext<_>| {
            for Request { state, kept } in requests {
                let begin = Instant::now();
                let written = write(&current, &kept, state);
                job.report(written.map(|()| begin.elapsed()));
            }
        };
        let job = BackgroundJob::spawn("autosave", WAITING, 2 * WAITING, body).map_err(of_folder)?;
        let now = Instant::now();
        Ok(Self {
            files,
            interval: options.interval,
            job,
            saved: None,
            in_file: None,
            last: now,
            took: Duration::ZERO,
            under_way: 0,
            has_failed: false,
            failure: None,
        })
    }

    /// This model as it is needs no saving; what it learns from here on does.
    pub(super) fn begin(&mut self, model_id: u64, session: &Session) {
        (self.saved, self.last) = (Some((model_id, session.weights_version())), Instant::now());
    }

    /// It is this model that the last file holds.
    pub(super) fn is_in_file(&mut self, model_id: u64) {
        self.in_file = Some(model_id);
    }

    /// This model is to be saved soon, although it has learned nothing since it came.
    pub(super) fn save_soon(&mut self) {
        self.saved = None;
    }

    /// Saves the session if it has learned, and the last save is old enough; whether it was handed over.
    pub(super) fn offer(&mut self, model_id: u64, session: &Session) -> bool {
        let pause = self.interval.max(LEAST_PAUSE * self.took);
        let due = self.saved.is_none() || (self.has_learned(model_id, session) && self.last.elapsed() >= pause);
        due && self.under_way == 0 && self.hand_over(model_id, session)
    }

    /// Saves the session if it has learned since it was saved last, whenever that was; waits for saves under way.
    pub(super) fn finish(&mut self, model_id: u64, session: &Session) {
        let begin = Instant::now();
        while (self.saved.is_none() || self.has_learned(model_id, session)) && begin.elapsed() < PATIENCE {
            if self.hand_over(model_id, session) || self.job.is_finished() {
                return;
            }
            self.collect();
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn has_learned(&self, model_id: u64, session: &Session) -> bool {
        self.saved != Some((model_id, session.weights_version()))
    }

    fn hand_over(&mut self, model_id: u64, session: &Session) -> bool {
        if self.under_way >= WAITING || session.broken().is_some() {
            return false;
        }
        let same = self.in_file.is_none_or(|in_file| in_file == model_id);
        let kept = if same { &self.files.previous } else { &self.files.before };
        let handed_over = self.job.submit(Request { state: session.state(), kept: kept.clone() });
        if handed_over {
            (self.saved, self.in_file) = (Some((model_id, session.weights_version())), Some(model_id));
            (self.last, self.under_way) = (Instant::now(), self.under_way + 1);
        }
        handed_over
    }

    /// Takes in how saves have ended; what has failed since the last one that did not.
    pub(super) fn take_failure(&mut self) -> Option<EngineError> {
        self.collect();
        self.failure.take()
    }

    fn collect(&mut self) {
        let mut failed = None;
        for outcome in self.job.reports() {
            self.under_way = self.under_way.saturating_sub(1);
            match outcome {
                Ok(took) => (self.took, self.has_failed) = (took, false),
                Err(error) => {
                    failed = Some(EngineError::File(format!("what is learned is not saved by itself: {error}")));
                    self.saved = self.saved.map(|(model, _)| (model, 0)); // the next save is due after the interval
                }
            }
        }
        if let Some(report) = self.job.loss() {
            let (job, advice) = ("the thread that saves what is learned", ", save the model by hand");
            failed = Some(EngineError::Lost { job, advice, report: report.into() });
        }
        if failed.is_some() && !std::mem::replace(&mut self.has_failed, true) {
            self.failure = failed;
        }
    }
}

fn write(current: &Path, kept: &Path, state: SessionState) -> Result<(), FileError> {
    let bytes = modelfile::state_archive(state)?.into_bytes()?;
    write_keeping(current, kept, &bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamics::Probes;
    use crate::experiment::presets;

    fn learned() -> Session {
        let mut config = presets::by_name("bars").unwrap();
        (config.data.patches, config.stimulus.batch) = (100, 10);
        let mut session = Session::new(config).unwrap();
        learn(&mut session);
        session
    }

    fn learn(session: &mut Session) {
        session.advance(usize::MAX, &Probes::default());
    }

    fn start(folder: &Path, interval: Duration) -> Autosave {
        Autosave::start(&AutosaveOptions { folder: folder.into(), interval, recover: false }).unwrap()
    }

    fn images(path: &Path) -> u64 {
        modelfile::load(path).unwrap().0.learning.images_seen
    }

    #[test]
    fn what_is_learned_is_saved_when_it_is_due_and_the_file_before_it_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let mut session = learned();
        let mut autosave = start(folder.path(), Duration::from_secs(3600));
        autosave.begin(1, &session);
        assert!(!autosave.offer(1, &session), "nothing was learned since");
        learn(&mut session);
        assert!(!autosave.offer(1, &session), "an hour has not passed");
        autosave.finish(1, &session);
        autosave.finish(1, &session);
        let first = session.images();
        learn(&mut session);
        autosave.finish(1, &session);
        let (current, previous, before) = (autosave.files.current.clone(), autosave.files.previous.clone(), autosave.files.before.clone());
        drop(autosave); // waits for what is handed over
        assert_eq!((images(&current), images(&previous)), (session.images(), first));
        assert!(!before.exists());
        // Another model: the last file of the one before is kept as such.
        let mut autosave = start(folder.path(), Duration::ZERO);
        autosave.begin(1, &session);
        autosave.is_in_file(1);
        let other = learned();
        assert!(autosave.offer(2, &other));
        drop(autosave);
        assert_eq!((images(&current), images(&previous), images(&before)), (other.images(), first, session.images()));
    }

    #[test]
    fn programs_on_one_folder_have_files_of_their_own_and_a_failure_is_said_once() {
        let folder = tempfile::tempdir().unwrap();
        let (first, mut second) = (start(folder.path(), Duration::ZERO), start(folder.path(), Duration::ZERO));
        assert_ne!(first.files.current, second.files.current);
        let name = first.files.current.clone();
        drop(first);
        assert_eq!(start(folder.path(), Duration::ZERO).files.current, name, "a name is free again when its program has ended");
        std::fs::create_dir(&second.files.current).unwrap(); // so that nothing can be written there
        let mut session = learned();
        let mut said = 0;
        for _ in 0..3 {
            learn(&mut session);
            second.finish(1, &session);
            let begin = Instant::now();
            while second.under_way > 0 {
                said += usize::from(second.take_failure().is_some());
                assert!(begin.elapsed() < Duration::from_secs(20));
            }
        }
        assert_eq!(said, 1);
        std::fs::remove_dir(&second.files.current).unwrap();
        second.finish(1, &session);
        let path = second.files.current.clone();
        drop(second);
        assert_eq!(images(&path), session.images(), "what failed is tried again");
    }

    #[test]
    fn a_model_that_is_broken_is_never_saved() {
        let folder = tempfile::tempdir().unwrap();
        let mut session = learned();
        let mut autosave = start(folder.path(), Duration::ZERO);
        session.spoil_weights_for_test();
        assert!(!autosave.offer(1, &session));
        assert!(!autosave.files.current.exists());
    }
}
