//! Begins, shows and ends the run beside the one that is shown.

use super::{App, VIEWS_KEPT};
use crate::app::actions::BesideRequest;
use crate::app::commands::keep_views;
use crate::app::gabor_fitter::FitPriority;
use crate::app::run_beside::{EndingRun, RunBeside, shares};
use crate::app::stop_banner::StopBanner;
use crate::app::views::ViewKind;
use crate::engine::{Command, Event, RunId};
use crate::experiment::parameters;
use std::time::Instant;

impl App {
    /// Begins a run beside the one that is shown, in place of the one that may be there.
    pub(super) fn begin_beside(&mut self, request: &BesideRequest) {
        if let Err(text) = self.try_begin_beside(request) {
            self.notifications.error(&format!("No run beside this one: {text}"));
        }
    }

    fn try_begin_beside(&mut self, request: &BesideRequest) -> Result<(), String> {
        let starter = self.starter.as_ref().ok_or("a recording is shown, which no engine runs")?;
        let [here, beside] = shares().ok_or("this machine has one core, which the run that is shown needs")?;
        let snapshot = self.state.latest.as_ref().ok_or("nothing runs yet")?;
        let mut config = if request.from_here { snapshot.config_so_far() } else { (*snapshot.config).clone() };
        for (key, value) in &request.changes {
            parameters::assign(&mut config, key, *value).map_err(|error| error.to_string())?;
        }
        let model = request.from_here.then(|| snapshot.model()).transpose().map_err(|error| error.to_string())?;
        let engine = starter.start(config, model, beside).map_err(|error| error.to_string())?;
        let mut run = RunBeside::new(engine, &starter.ctx).map_err(|error| error.with_causes())?;
        run.simulation.queue(Command::SetPace(snapshot.clock.pace));
        run.simulation.queue(if snapshot.clock.running { Command::Run } else { Command::Pause });
        self.end_beside(None);
        self.simulation.queue(Command::ShareCores(Some(here)));
        self.beside = Some(run);
        self.state.beside = Some(Box::default());
        self.workspace.show(ViewKind::Compare);
        Ok(())
    }

    /// Takes in what has come of the run beside, and hands over what waits for it.
    pub(super) fn drain_beside(&mut self) {
        let simulation = &mut self.simulation;
        self.ending.retain_mut(|ending| {
            ending.simulation.send_pending();
            let has_ended = ending.simulation.has_ended();
            if has_ended {
                std::iter::once(Command::ListRuns).chain(ending.then.take()).for_each(|command| simulation.queue(command));
            }
            !has_ended
        });
        let (Some(beside), Some(state)) = (&mut self.beside, &mut self.state.beside) else { return };
        beside.simulation.set_generation_visible(false);
        beside.simulation.set_parts_visible(false);
        beside.simulation.send_pending();
        if let Some(snapshot) = beside.simulation.take() {
            beside.timeline.follow(&snapshot);
            state.absorb(snapshot);
        }
        let mut has_failed = false;
        for event in beside.simulation.events() {
            match event {
                Event::Failed(text) => {
                    self.notifications.error(&format!("The run beside: {text}"));
                    has_failed = true;
                }
                Event::Warning(text) => self.notifications.warning(&format!("The run beside: {text}")),
                Event::Halted(halt) => {
                    self.notifications.error(&format!("The run beside has stopped: {}", halt.reason));
                    beside.stopped = Some(StopBanner::new(halt));
                }
                Event::Timeline(run, timeline) => beside.timeline.restore(run, *timeline),
                Event::Loaded(_) | Event::ImagesRead(_) | Event::Resumed(_) | Event::Saved(_) => {}
            }
        }
        if let Some(fits) = beside.fitter.take() {
            state.take_fits(fits);
        }
        if let Some(snapshot) = &state.latest {
            let is_compared = self.workspace.visible().any(|kind| kind == ViewKind::Compare);
            beside.fitter.offer(snapshot, if is_compared { FitPriority::Visible } else { FitPriority::Background });
        }
        if beside.views_kept.elapsed() > VIEWS_KEPT {
            beside.views_kept = Instant::now();
            keep_views(&mut beside.simulation, state, &mut beside.timeline, &self.workspace);
        }
        if has_failed && state.latest.is_none() {
            self.end_beside(None); // it could not be built
        }
    }

    /// The run beside and the one that is shown change places; both go on.
    pub(super) fn show_beside(&mut self) {
        let is_there = self.state.beside.as_ref().is_some_and(|state| state.latest.is_some());
        let Some(beside) = self.beside.as_mut().filter(|_| is_there) else {
            self.notifications.info("The run beside is still being prepared");
            return;
        };
        self.rewind.leave();
        self.history.clear(); // values of another model are not to be brought back into this one
        std::mem::swap(&mut self.simulation, &mut beside.simulation);
        std::mem::swap(&mut self.rewind.timeline, &mut beside.timeline);
        std::mem::swap(&mut self.fitter, &mut beside.fitter);
        std::mem::swap(&mut self.stopped, &mut beside.stopped);
        std::mem::swap(&mut self.views_kept, &mut beside.views_kept);
        if let Some(mut shown) = self.state.beside.take() {
            std::mem::swap(&mut self.state, &mut shown);
            std::mem::swap(&mut self.state.export, &mut shown.export);
            self.state.beside = Some(shown);
        }
        self.start_frames = Some(0);
    }

    /// Ends the run beside, which stays in the list; `then` follows for the one that is shown when all of it is saved.
    pub(super) fn end_beside(&mut self, then: Option<Command>) {
        let Some(mut beside) = self.beside.take() else { return };
        if let Some(state) = self.state.beside.take() {
            keep_views(&mut beside.simulation, &state, &mut beside.timeline, &self.workspace);
        }
        beside.simulation.queue(Command::Shutdown);
        beside.simulation.send_pending();
        self.ending.push(EndingRun { simulation: beside.simulation, then });
        self.simulation.queue(Command::ShareCores(None));
    }

    /// What a command to the run that is shown means for the one beside: the same where it says how both go on. Where it is about the run
    /// beside itself, that is done here, and nothing is left of it.
    pub(super) fn send_beside(&mut self, command: Command) -> Option<Command> {
        let run = self.run_beside();
        let (Some(beside), Some(run)) = (&mut self.beside, run) else { return Some(command) };
        match &command {
            Command::Run | Command::Pause | Command::Step(_) | Command::SetPace(_) => beside.simulation.queue(command.clone()),
            Command::SwitchRun(id) if *id == run => {
                self.show_beside();
                return None;
            }
            Command::DeleteRun(id) if *id == run => {
                self.end_beside(Some(command));
                return None;
            }
            Command::RenameRun(id, _) if *id == run => {
                beside.simulation.queue(command);
                return None;
            }
            Command::DuplicateRun(id) | Command::SameAgain { run: id, .. } if *id == run => {
                self.notifications.info("That run goes on beside this one: show it first");
                return None;
            }
            _ => {}
        }
        Some(command)
    }

    /// The run beside, once it is there.
    fn run_beside(&self) -> Option<RunId> {
        let snapshot = self.state.beside.as_ref()?.latest.as_ref()?;
        Some(snapshot.run.clone())
    }

    /// Has what has been shown of the run beside kept, before the window closes.
    pub(super) fn keep_views_beside(&mut self) {
        if let (Some(beside), Some(state)) = (&mut self.beside, &self.state.beside) {
            keep_views(&mut beside.simulation, state, &mut beside.timeline, &self.workspace);
        }
    }

    /// Hands commands over that still wait for runs that are not shown; whether any are left.
    pub(super) fn send_pending_beside(&mut self) -> bool {
        let ending = self.ending.iter_mut().map(|ending| &mut ending.simulation);
        let all = self.beside.iter_mut().map(|beside| &mut beside.simulation).chain(ending);
        all.fold(false, |is_left, simulation| {
            simulation.send_pending();
            is_left | simulation.has_pending()
        })
    }
}
