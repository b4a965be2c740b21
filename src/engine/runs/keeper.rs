//! The thread that writes runs: their states as they go on, names, deletions, and the list of all after each.

use super::list::RunList;
use super::writer::{Own, Report, Request, Writer};
use super::{AutosaveOptions, RunFolder, RunId, RunStore, RunTimeline, ViewArrays};
use crate::engine::background::{BackgroundJob, JobContext};
use crate::engine::error::EngineError;
use crate::experiment::session::Session;
use crossbeam_channel::Receiver;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Requests that wait to be done, at most.
const WAITING: usize = 16;
/// States that wait to be written, at most.
const STATES: usize = 2;
/// The pause after a save is at least so many times as long as that took: what is large is saved less often.
const LEAST_PAUSE: u32 = 100;
/// How long what has to be written waits for what comes before it.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the thread has done and found since it was asked last.
#[derive(Default)]
pub(in crate::engine) struct KeeperNews {
    pub(in crate::engine) failures: Vec<EngineError>,
    /// What was kept of runs that are shown again.
    pub(in crate::engine) timelines: Vec<(RunId, Box<RunTimeline>)>,
    /// Whether the list of runs is another one.
    pub(in crate::engine) has_other_list: bool,
}

/// The thread that writes, and what it has written.
pub(in crate::engine) struct RunKeeper {
    job: BackgroundJob<Request, Report>,
    store: RunStore,
    own: Arc<Mutex<Own>>,
    interval: Duration,
    /// The run that was saved last, its steps and the version of its weights; None: the next save is due at once.
    saved: Option<(RunId, u64, u64)>,
    /// When the last state was handed over.
    last: Instant,
    /// How long the last save took.
    took: Duration,
    under_way: usize,
    /// Runs that are given up once they are written.
    releasing: BTreeSet<RunId>,
    /// Whether the last save has failed, which is said once.
    has_failed: bool,
    news: KeeperNews,
    list: Arc<RunList>,
}

impl RunKeeper {
    /// Opens the folder and starts the thread. The error says why nothing can be kept there.
    pub(in crate::engine) fn start(options: &AutosaveOptions) -> Result<Self, EngineError> {
        let folder = options.folder.display();
        let of_folder = |error: std::io::Error| EngineError::File(format!("runs are not kept: {folder}: {error}"));
        let store = RunStore::open(&options.folder).map_err(of_folder)?;
        if let Some(older) = &options.older {
            store.import(older).map_err(of_folder)?;
        }
        let own = Arc::new(Mutex::new(Own::default()));
        let mut writer = Writer::new(store.clone(), own.clone());
        let body = move |requests: Receiver<Request>, job: &JobContext<Report>| {
            for request in &requests {
                let report = writer.execute(request);
                report.into_iter().for_each(|report| _ = job.report(report));
                if requests.is_empty() {
                    job.report(Report::Listed(Box::new(writer.list())));
                }
            }
        };
        let job = BackgroundJob::spawn("autosave", WAITING, 4 * WAITING, body).map_err(of_folder)?;
        let list = RunList { folder: options.folder.clone(), runs: store.list(), budget: store.budget(), ..RunList::default() };
        let now = Instant::now();
        Ok(Self {
            job,
            store,
            own,
            interval: options.interval,
            saved: None,
            last: now,
            took: Duration::ZERO,
            under_way: 0,
            releasing: BTreeSet::new(),
            has_failed: false,
            news: KeeperNews::default(),
            list: Arc::new(list),
        })
    }

    /// All runs, as the thread has found them last.
    pub(in crate::engine) fn list(&self) -> Arc<RunList> {
        self.list.clone()
    }

    /// A folder for a new run. The error says why there is none.
    pub(in crate::engine) fn create(&self, preset: &str) -> Result<RunFolder, EngineError> {
        self.store.create(preset).map_err(|error| EngineError::File(format!("this run is not kept: {error}")))
    }

    /// Says which run is the one that runs, and which this program has besides.
    pub(in crate::engine) fn set_own(&self, current: Option<RunId>, all: impl Iterator<Item = RunId>) {
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        *own = Own { all: all.collect(), current };
        drop(own);
        self.list_again();
    }

    /// This session needs no saving as it is; what it does from here on does.
    pub(in crate::engine) fn begin(&mut self, run: &RunFolder, session: &Session) {
        (self.saved, self.last) = (Some(stamp(run, session)), Instant::now());
    }

    /// The session is to be saved soon, although nothing has changed since it came.
    pub(in crate::engine) fn save_soon(&mut self) {
        self.saved = None;
    }

    /// Saves the session if it has changed and the last save is old enough; whether it was handed over.
    pub(in crate::engine) fn offer(&mut self, run: &RunFolder, session: &Session) -> bool {
        let pause = self.interval.max(LEAST_PAUSE * self.took);
        let due = self.saved.is_none() || (self.has_changed(run, session) && self.last.elapsed() >= pause);
        due && self.under_way == 0 && self.hand_over(run, session)
    }

    /// Saves the session if it has changed since it was saved last, whenever that was; waits for saves under way.
    pub(in crate::engine) fn finish(&mut self, run: &RunFolder, session: &Session) {
        let begin = Instant::now();
        while (self.saved.is_none() || self.has_changed(run, session)) && begin.elapsed() < PATIENCE {
            if session.broken().is_some() || self.hand_over(run, session) || self.job.is_finished() {
                return;
            }
            self.collect();
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn has_changed(&self, run: &RunFolder, session: &Session) -> bool {
        self.saved.as_ref() != Some(&stamp(run, session))
    }

    fn hand_over(&mut self, run: &RunFolder, session: &Session) -> bool {
        if self.under_way >= STATES || session.broken().is_some() {
            return false;
        }
        let handed_over = self.job.submit(Request::Save(run.place(), Box::new(session.state())));
        if handed_over {
            self.saved = Some(stamp(run, session));
            (self.last, self.under_way) = (Instant::now(), self.under_way + 1);
        }
        handed_over
    }

    /// Has what the views have shown written.
    pub(in crate::engine) fn keep_views(&self, run: &RunFolder, views: Arc<ViewArrays>) {
        self.submit(Request::Views(run.place(), views));
    }

    /// Has what was kept of a run's timeline read, whatever was handed over of it before: it is in the news then, empty where there is none.
    pub(in crate::engine) fn read_timeline(&self, run: &RunFolder) {
        self.submit(Request::ReadTimeline(run.id.clone(), run.place()));
    }

    /// Has the timeline of a run written that was read before.
    pub(in crate::engine) fn keep_timeline(&self, run: &RunFolder, timeline: Box<RunTimeline>) {
        self.submit(Request::KeepTimeline(run.id.clone(), run.place(), timeline));
    }

    /// Gives a run a name.
    pub(in crate::engine) fn rename(&self, id: RunId, name: String) {
        self.submit(Request::Rename(id, name));
    }

    /// Deletes a run that this program does not have.
    pub(in crate::engine) fn delete(&self, id: RunId) {
        self.submit(Request::Delete(id));
    }

    /// Takes a deleted run back.
    pub(in crate::engine) fn restore(&self, id: RunId) {
        self.submit(Request::Restore(id));
    }

    /// Sets how many bytes all runs may take.
    pub(in crate::engine) fn set_budget(&self, bytes: u64) {
        self.submit(Request::SetBudget(bytes));
    }

    /// Looks again which runs there are.
    pub(in crate::engine) fn list_again(&self) {
        self.job.submit(Request::List); // a full queue: it lists when it is through
    }

    /// Gives up a run that went out of memory, once all that was handed over of it is written; one that holds nothing leaves no folder.
    pub(in crate::engine) fn release(&mut self, run: RunFolder) {
        self.releasing.insert(run.id.clone());
        self.submit(Request::Release(run));
    }

    /// A run of this name as [`RunStore::claim`] gives it; one that this program is giving up is waited for.
    pub(in crate::engine) fn claim(&mut self, id: &RunId) -> std::io::Result<Option<RunFolder>> {
        let begin = Instant::now();
        while self.releasing.contains(id) && !self.job.is_finished() && begin.elapsed() < PATIENCE {
            self.collect();
            std::thread::sleep(Duration::from_millis(1));
        }
        self.store.claim(id)
    }

    /// Waits a little where many requests are under way already.
    fn submit(&self, mut request: Request) {
        let begin = Instant::now();
        loop {
            match self.job.offer(request) {
                Ok(()) => return,
                Err(back) if self.job.is_finished() || begin.elapsed() > PATIENCE => return drop(back),
                Err(back) => request = back,
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Takes in what the thread has to say.
    pub(in crate::engine) fn take_news(&mut self) -> KeeperNews {
        self.collect();
        std::mem::take(&mut self.news)
    }

    fn collect(&mut self) {
        let mut failed = None;
        for report in self.job.reports() {
            match report {
                Report::Saved(outcome) => {
                    self.under_way = self.under_way.saturating_sub(1);
                    match outcome {
                        Ok(took) => (self.took, self.has_failed) = (took, false),
                        Err(error) => {
                            failed = Some(EngineError::File(format!("this run is not kept: {error}")));
                            self.saved = self.saved.take().map(|(run, ..)| (run, u64::MAX, 0)); // the next save is due after the interval
                        }
                    }
                }
                Report::Released(id) => _ = self.releasing.remove(&id),
                Report::Timeline(id, timeline) => self.news.timelines.push((id, timeline)),
                Report::Listed(list) => {
                    self.list = Arc::from(list);
                    self.news.has_other_list = true;
                }
                Report::Failed(text) => self.news.failures.push(EngineError::File(text)),
            }
        }
        if let Some(report) = self.job.loss() {
            let (job, advice) = ("the thread that keeps runs", ", save the model by hand");
            failed = Some(EngineError::Lost { job, advice, report: report.into() });
        }
        if let Some(failed) = failed
            && !std::mem::replace(&mut self.has_failed, true)
        {
            self.news.failures.push(failed);
        }
    }
}

/// What a run has done.
fn stamp(run: &RunFolder, session: &Session) -> (RunId, u64, u64) {
    (run.id.clone(), session.steps(), session.weights_version())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamics::Probes;
    use crate::experiment::{modelfile, presets};
    use std::path::Path;

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

    fn start(folder: &Path, interval: Duration) -> RunKeeper {
        RunKeeper::start(&AutosaveOptions { folder: folder.into(), older: None, interval, recover: false }).unwrap()
    }

    fn images(path: &Path) -> u64 {
        modelfile::load(path).unwrap().0.learning.images_seen
    }

    fn until(keeper: &mut RunKeeper, mut done: impl FnMut(&mut RunKeeper) -> bool) {
        let begin = Instant::now();
        while !done(keeper) {
            assert!(begin.elapsed() < Duration::from_secs(20));
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn a_run_is_saved_when_it_is_due_and_the_state_before_it_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let mut session = learned();
        let mut keeper = start(folder.path(), Duration::from_secs(3600));
        let run = keeper.create("bars").unwrap();
        keeper.begin(&run, &session);
        assert!(!keeper.offer(&run, &session), "nothing has changed since");
        learn(&mut session);
        assert!(!keeper.offer(&run, &session), "an hour has not passed");
        keeper.finish(&run, &session);
        keeper.finish(&run, &session);
        let first = session.images();
        learn(&mut session);
        keeper.finish(&run, &session);
        let [current, previous] = run.states();
        drop(keeper); // waits for what is handed over
        assert_eq!((images(&current), images(&previous)), (session.images(), first));
    }

    #[test]
    fn names_deletions_and_the_budget_are_in_the_list_that_follows() {
        let folder = tempfile::tempdir().unwrap();
        let mut keeper = start(folder.path(), Duration::ZERO);
        let session = learned();
        let runs = [(); 2].map(|()| keeper.create("bars").unwrap());
        for run in &runs {
            keeper.save_soon();
            keeper.finish(run, &session);
        }
        let [first, second] = runs.map(|run| run.id.clone()); // no longer locked
        keeper.set_own(Some(second.clone()), std::iter::once(second.clone()));
        keeper.rename(first.clone(), "good".into());
        until(&mut keeper, |keeper| {
            keeper.take_news().has_other_list && keeper.list().runs.iter().any(|run| run.name.as_deref() == Some("good"))
        });
        keeper.delete(first.clone());
        until(&mut keeper, |keeper| keeper.take_news().has_other_list && keeper.list().runs.len() == 1);
        assert_eq!(keeper.list().deleted.as_ref(), Some(&first));
        keeper.restore(first);
        until(&mut keeper, |keeper| keeper.take_news().has_other_list && keeper.list().runs.len() == 2);
        keeper.set_budget(1);
        until(&mut keeper, |keeper| keeper.take_news().has_other_list && keeper.list().budget == 1);
        assert!(keeper.list().is_nearly_full() && keeper.list().runs.len() == 2, "one has a name, the other one runs");
        keeper.delete(RunId("nothing".into()));
        until(&mut keeper, |keeper| {
            keeper.take_news().failures.iter().any(|error| error.to_string().contains("run nothing is not deleted"))
        });
    }

    #[test]
    fn a_failure_is_said_once_and_what_failed_is_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut keeper = start(folder.path(), Duration::ZERO);
        let run = keeper.create("bars").unwrap();
        let [current, _] = run.states();
        std::fs::create_dir(&current).unwrap(); // so that nothing can be written there
        let mut session = learned();
        let mut said = 0;
        for _ in 0..3 {
            learn(&mut session);
            keeper.finish(&run, &session);
            until(&mut keeper, |keeper| {
                said += keeper.take_news().failures.len();
                keeper.under_way == 0
            });
        }
        assert_eq!(said, 1);
        std::fs::remove_dir(&current).unwrap();
        keeper.finish(&run, &session);
        drop(keeper);
        assert_eq!(images(&current), session.images());
    }

    #[test]
    fn a_model_that_is_broken_is_never_saved() {
        let folder = tempfile::tempdir().unwrap();
        let mut session = learned();
        let mut keeper = start(folder.path(), Duration::ZERO);
        let run = keeper.create("bars").unwrap();
        session.spoil_weights_for_test();
        keeper.save_soon();
        assert!(!keeper.offer(&run, &session));
        keeper.finish(&run, &session);
        drop(keeper);
        assert!(!run.states()[0].exists());
    }
}
