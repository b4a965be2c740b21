//! Runs outlive the one that runs: they are saved by themselves, found at the start, parked while another runs, and brought back.

use super::Worker;
use super::run_handle::RunHandle;
use super::running::Running;
use super::shared::Shared;
use crate::engine::runs::{AutosaveOptions, KeeperNews, RunId, RunKeeper, RunLabel, RunList, RunTimeline, ViewArrays};
use crate::engine::{EngineError, Event, Watch};
use crate::experiment::modelfile;
use crate::experiment::parameters::{self, Value};
use crate::experiment::session::Session;
use crate::panics;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Runs that stay in memory while another runs.
const PARKED: usize = 2;

/// The runs beside the one that runs.
#[derive(Default)]
pub(super) struct OtherRuns {
    /// What writes them; None where nothing is kept.
    keeper: Option<RunKeeper>,
    /// The last ones that ran, the latest at the end.
    parked: Vec<Running>,
    /// The one that ran before, and what it is called.
    previous: Option<(RunId, RunLabel)>,
    /// Runs that were begun where nothing is kept.
    begun: u64,
}

impl OtherRuns {
    /// The name and the images of the run that [`crate::engine::Command::Back`] brings.
    pub(super) fn previous(&self) -> Option<RunLabel> {
        self.previous.as_ref().map(|(_, label)| label.clone())
    }

    /// All runs; where nothing is kept, none.
    pub(super) fn list(&self) -> Option<Arc<RunList>> {
        self.keeper.as_ref().map(RunKeeper::list)
    }

    /// A new run of this preset, in a folder of its own where runs are kept. The error says why it is not.
    fn begin(&mut self, preset: &str) -> (RunHandle, Result<(), EngineError>) {
        let created = self.keeper.as_ref().map(|keeper| keeper.create(preset)).transpose();
        let (folder, outcome) = match created {
            Ok(folder) => (folder, Ok(())),
            Err(error) => (None, Err(error)),
        };
        self.begun += 1;
        let id = folder.as_ref().map_or_else(|| RunId(format!("{:04}-{preset}", self.begun)), |folder| folder.id.clone());
        (RunHandle { id, folder, views: None }, outcome)
    }

    fn tell_own(&self, current: Option<&Running>) {
        if let Some(keeper) = &self.keeper {
            let all = self.parked.iter().chain(current).map(|running| running.run.id.clone());
            keeper.set_own(current.map(|running| running.run.id.clone()), all);
        }
    }

    fn take_parked(&mut self, id: &RunId) -> Option<Running> {
        let at = self.parked.iter().position(|running| running.run.id == *id)?;
        Some(self.parked.remove(at))
    }
}

impl Worker {
    /// Has runs kept from here on. The one that was saved last runs, if it is to be recovered, else Back brings it. Whether a model runs
    /// now.
    pub(super) fn begin_autosave(&mut self, options: &AutosaveOptions) -> bool {
        match RunKeeper::start(options) {
            Ok(keeper) => self.runs.keeper = Some(keeper),
            Err(error) => {
                self.shared.report(Event::Failed(error.to_string()));
                return false;
            }
        }
        let is_recovered = options.recover && self.recover();
        self.runs.previous = self.saved_before();
        if let Some((_, (name, images))) = self.runs.previous.as_ref().filter(|_| !options.recover) {
            let text = format!("What was learned before is kept ({name}, {images} images seen): Back brings it");
            self.shared.report(Event::Resumed(text));
        }
        is_recovered
    }

    /// The run that was saved last, but for the one that runs.
    fn saved_before(&self) -> Option<(RunId, RunLabel)> {
        let list = self.runs.list()?;
        let current = self.running.as_ref().map(|running| &running.run.id);
        let found = list.runs.iter().find(|run| !run.is_elsewhere && Some(&run.id) != current)?;
        Some((found.id.clone(), (found.preset.clone(), found.images)))
    }

    /// Runs what was saved last, and says so.
    fn recover(&mut self) -> bool {
        let Some((id, _)) = self.saved_before() else { return false };
        match self.open_run(&id) {
            Some(text) => {
                self.shared.report(Event::Resumed(format!("Recovered {text}")));
                true
            }
            None => false,
        }
    }

    /// Opens a run that is only on disk: what was saved last, or where that cannot be read the save before. In words what runs now; None,
    /// after the reason was reported and with the present run going on, where neither can be read.
    fn open_run(&mut self, id: &RunId) -> Option<String> {
        let claimed = self.runs.keeper.as_mut().map(|keeper| keeper.claim(id));
        let folder = match claimed? {
            Ok(Some(folder)) => folder,
            Ok(None) => {
                self.shared.report(Event::Failed(format!("run {id} is open in another window")));
                return None;
            }
            Err(error) => {
                self.shared.report(Event::Failed(format!("run {id}: {error}")));
                return None;
            }
        };
        let states = folder.states();
        let there: Vec<_> = states.iter().filter(|path| path.exists()).cloned().collect();
        let found = there.iter().find_map(|path| self.session_in(path).map(|session| (path, session)));
        let Some((path, session)) = found else {
            let names: Vec<String> = folder.put_aside().iter().map(|path| path.display().to_string()).collect();
            let text = format!("run {id} could not be read; what it holds is kept in {}", names.join(" and "));
            self.shared.report_failure(Err(EngineError::File(text)));
            return None;
        };
        let (name, images) = (session.config().model.name.clone(), session.images());
        let older = if *path == states[0] { "" } else { "; the file that was saved last could not be read" };
        let text = format!("{name}, {images} images seen, saved {}{older}", age_of(path));
        let views = folder.views().map(Arc::new);
        self.replace(session, Some(RunHandle { id: id.clone(), folder: Some(folder), views }));
        Some(text)
    }

    /// The session of a state, exactly as it was saved; None, after the reason was reported, where it cannot be had. A panic on the way is
    /// a file that cannot be read: else no start would survive it.
    fn session_in(&mut self, path: &Path) -> Option<Session> {
        let found = panics::caught(|| self.session_of_file(path).map(|(session, _)| session));
        found.unwrap_or_else(|report| {
            self.shared.report(Event::Failed(format!("{}: {report}", path.display())));
            None
        })
    }

    /// Hands the run over to be saved, if that is due, and reports what has failed.
    pub(super) fn autosave(&mut self) {
        let Some(keeper) = &mut self.runs.keeper else { return };
        if let Some(running) = &self.running
            && let Some(folder) = &running.run.folder
        {
            keeper.offer(folder, &running.session);
        }
        let KeeperNews { failures, timelines, has_other_list } = keeper.take_news();
        failures.iter().for_each(|failure| self.shared.report(Event::Failed(failure.to_string())));
        timelines.into_iter().for_each(|(id, timeline)| self.shared.report(Event::Timeline(id, timeline)));
        if has_other_list {
            self.shared.publication.mark_changed();
        }
    }

    /// Hands over what has changed since the last save: another run comes, or the end.
    pub(super) fn save_learned(&mut self) {
        if let (Some(keeper), Some(running)) = (&mut self.runs.keeper, &self.running)
            && let Some(folder) = &running.run.folder
        {
            keeper.finish(folder, &running.session);
        }
    }

    /// Runs this session from now on, as the run that `run` says or as a new one; the present one is parked.
    pub(super) fn replace(&mut self, session: Session, run: Option<RunHandle>) {
        let visibility = self.leave_running();
        self.shared.report_session(&session);
        let run = run.unwrap_or_else(|| {
            let (run, outcome) = self.runs.begin(&session.config().model.name);
            self.shared.report_failure(outcome);
            run
        });
        self.shared.number_model();
        if let (Some(keeper), Some(folder)) = (&mut self.runs.keeper, &run.folder) {
            keeper.begin(folder, &session);
            keeper.read_timeline(folder);
        }
        self.shared.settings.follow_stimulus(&session);
        let watch = run.views.as_ref().and_then(|views| views.watch.clone());
        let mut running = Running::new(session, run, visibility, &mut self.shared);
        if let Some(watch) = watch {
            running.set_watch(Watch { raster: visibility.raster, ..watch }, &mut self.shared);
        }
        self.running = Some(running);
        self.runs.tell_own(self.running.as_ref());
        self.shared.publication.mark_changed();
    }

    /// Parks the run that runs, if one does, and saves it; what the window looks at.
    fn leave_running(&mut self) -> super::visibility::Visibility {
        let visibility = self.running.as_ref().map_or_else(Default::default, Running::visibility);
        self.save_learned();
        self.loading = super::loading::Loading::Settled;
        if let Some(mut running) = self.running.take() {
            running.rest();
            let config = running.session.config();
            self.runs.previous = Some((running.run.id.clone(), (config.model.name.clone(), running.session.images())));
            self.runs.parked.push(running);
            if self.runs.parked.len() > PARKED {
                self.forget_parked(0);
            }
        }
        visibility
    }

    /// A parked run goes out of memory.
    fn forget_parked(&mut self, at: usize) {
        let running = self.runs.parked.remove(at);
        if let (Some(keeper), Some(folder)) = (&mut self.runs.keeper, running.run.folder) {
            keeper.release(folder);
        }
    }

    /// Goes on with another run, exactly where it was left; where that cannot be the present one goes on.
    pub(super) fn switch_to(&mut self, id: &RunId) {
        if self.running.as_ref().is_some_and(|running| running.run.id == *id) {
            return;
        }
        let Some(mut running) = self.runs.take_parked(id) else {
            self.open_run(id);
            return;
        };
        let visibility = self.leave_running();
        self.shared.report(Event::Loaded(running.session.config().model.name.clone()));
        self.shared.model_id = running.model_id;
        if let (Some(keeper), Some(folder)) = (&mut self.runs.keeper, &running.run.folder) {
            keeper.begin(folder, &running.session);
            keeper.read_timeline(folder);
        }
        self.shared.settings.follow_stimulus(&running.session);
        running.go_on(visibility);
        self.running = Some(running);
        self.restart_pacing();
        self.runs.tell_own(self.running.as_ref());
        self.shared.publication.mark_changed();
    }

    /// Goes back to the run before.
    pub(super) fn load_previous(&mut self) {
        if let Some((id, _)) = self.runs.previous.clone() {
            self.switch_to(&id);
            if let Some(keeper) = &mut self.runs.keeper {
                keeper.save_soon(); // so that the next start begins with it
            }
        }
    }

    /// A run like this one, exactly as it is now, which goes on by itself.
    pub(super) fn duplicate(&mut self, id: &RunId) {
        let of = |running: &Running| (running.session.state(), running.run.views.clone());
        let here = self.running.iter().chain(&self.runs.parked).find(|running| running.run.id == *id).map(of);
        let (session, views) = match here {
            Some((state, views)) => {
                let Some(mut session) = self.build(state.config.clone(), Some(state.model.clone())) else { return };
                self.shared.report_failure(session.restore(state));
                (session, views)
            }
            None => {
                let claimed = self.runs.keeper.as_mut().map(|keeper| keeper.claim(id));
                let Some(Ok(Some(folder))) = claimed else {
                    self.shared.report(Event::Failed(format!("run {id} cannot be opened to be duplicated")));
                    return;
                };
                let [state, _] = folder.states();
                let Some(session) = self.session_in(&state) else { return };
                (session, folder.views().map(Arc::new))
            }
        };
        self.replace(session, None);
        if let (Some(running), Some(views)) = (&mut self.running, views) {
            running.set_watch(views.watch.clone().unwrap_or_else(|| running.recorder.watch.clone()), &mut self.shared);
            running.run.views = Some(views);
        }
        if let Some(keeper) = &mut self.runs.keeper {
            keeper.save_soon();
        }
    }

    /// A new run from the seed with the configuration of another one, and these values changed.
    pub(super) fn same_again(&mut self, id: &RunId, changes: &[(&'static str, Value)]) {
        let here = self.running.iter().chain(&self.runs.parked).find(|running| running.run.id == *id);
        let config = match here {
            Some(running) => Some(running.session.config_for_restart()),
            None => self.runs.keeper.as_mut().and_then(|keeper| {
                let [state, _] = keeper.claim(id).ok()??.states();
                modelfile::load_config(&state).ok()
            }),
        };
        let Some(mut config) = config else {
            self.shared.report(Event::Failed(format!("run {id} cannot be opened")));
            return;
        };
        for (key, value) in changes {
            if let Err(error) = parameters::assign(&mut config, key, *value) {
                self.shared.report(Event::Failed(error.to_string()));
                return;
            }
        }
        self.load(config, None);
    }

    /// Deletes a run; where it is the one that runs the one before comes, or the same from the seed.
    pub(super) fn delete(&mut self, id: &RunId) {
        if self.running.as_ref().is_some_and(|running| running.run.id == *id) {
            match self.saved_before().or_else(|| self.runs.previous.clone()) {
                Some((other, _)) => self.switch_to(&other),
                None => self.reset(),
            }
            if self.running.as_ref().is_some_and(|running| running.run.id == *id) {
                return; // nothing could take its place, which was said
            }
        }
        drop(self.runs.take_parked(id));
        if self.runs.previous.as_ref().is_some_and(|(previous, _)| previous == id) {
            self.runs.previous = self.runs.parked.last().map(|running| {
                let name = running.session.config().model.name.clone();
                (running.run.id.clone(), (name, running.session.images()))
            });
        }
        self.runs.tell_own(self.running.as_ref());
        self.keeper(|keeper| keeper.delete(id.clone()));
    }

    /// Keeps what the views of a run have shown.
    pub(super) fn keep_views(&mut self, id: &RunId, views: ViewArrays) {
        let found = self.running.iter_mut().chain(&mut self.runs.parked).find(|running| running.run.id == *id);
        let Some(running) = found else { return };
        let views = Arc::new(ViewArrays { watch: Some(running.recorder.watch.clone()), ..views });
        running.run.views = Some(views.clone());
        if let (Some(keeper), Some(folder)) = (&self.runs.keeper, &running.run.folder) {
            keeper.keep_views(folder, views);
        }
    }

    /// Keeps the timeline of a run.
    pub(super) fn keep_timeline(&self, id: &RunId, timeline: Box<RunTimeline>) {
        let found = self.running.iter().chain(&self.runs.parked).find(|running| running.run.id == *id);
        if let (Some(keeper), Some(folder)) = (&self.runs.keeper, found.and_then(|running| running.run.folder.as_ref())) {
            keeper.keep_timeline(folder, timeline);
        }
    }

    /// Asks what writes the runs for something, where runs are kept.
    pub(super) fn keeper(&self, ask: impl FnOnce(&RunKeeper)) {
        self.runs.keeper.iter().next().map(ask).unwrap_or_default();
    }
}

impl Shared {
    /// Says which model comes, and what became of the images that it learns from.
    fn report_session(&self, session: &Session) {
        if let Some(report) = session.images_report() {
            self.report(Event::ImagesRead(report.clone()));
        }
        self.report(Event::Loaded(session.config().model.name.clone()));
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
        let path = folder.path().join("state.npz");
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
