//! The thread's body: executes commands, runs spans of steps at the pace asked for, publishes snapshots; survives values that are not
//! finite and panics.

mod commands;
mod exact;
mod jobs;
mod keeping;
mod loading;
mod pacing;
mod publication;
mod publishing;
mod recorder;
mod recovery;
mod run_handle;
mod running;
mod shared;
mod subject;
#[cfg(test)]
mod tests;
mod visibility;

pub(super) use shared::Shared;

use crate::engine::{AutosaveOptions, Command, Event, Halt};
use crate::experiment::Config;
use crate::experiment::parallel::run_on;
use crate::model::Hierarchy;
use crate::panics;
use crossbeam_channel::{Receiver, RecvTimeoutError};
use keeping::OtherRuns;
use loading::Loading;
use running::Running;
use std::time::{Duration, Instant};

/// Wall time from which no other span begins before the worker looks round. Meanwhile the threads need not be woken anew.
const ITERATION: Duration = Duration::from_millis(10);
/// How long the worker waits for a command where no step is to be run.
const IDLE: Duration = Duration::from_millis(4);

/// What an engine starts with.
pub(super) struct Start {
    pub(super) config: Config,
    /// Where what is learned is saved by itself.
    pub(super) autosave: Option<AutosaveOptions>,
    /// Of an engine beside another one: the cores that it may use, and the model that it goes on with.
    pub(super) beside: Option<(usize, Option<Hierarchy>)>,
}

/// Runs until the engine asks for the end.
pub(super) fn run(start: Start, inbox: &Receiver<Command>, shared: Shared) {
    let mut worker = Worker::new(shared);
    if let Err(report) = panics::caught(|| worker.start(start)) {
        worker.shared.report(Event::Failed(report));
    }
    loop {
        match panics::caught(|| worker.iterate(inbox)) {
            Ok(true) => {}
            Ok(false) => {
                worker.save_learned();
                return;
            }
            Err(report) => worker.pause_on_panic(&report),
        }
    }
}

/// The simulation: what outlives a model, and the model that runs.
struct Worker {
    shared: Shared,
    /// Made anew with every model, so that nothing of the last one is left in it.
    running: Option<Running>,
    runs: OtherRuns,
    loading: Loading,
}

impl Worker {
    fn new(shared: Shared) -> Self {
        Self { shared, running: None, runs: OtherRuns::default(), loading: Loading::Settled }
    }

    /// Executes what has come and runs spans for a short time. False at the end.
    fn iterate(&mut self, inbox: &Receiver<Command>) -> bool {
        self.collect_from_jobs();
        self.autosave();
        if self.steps_requested() == 0 {
            self.publish(true);
            match inbox.recv_timeout(IDLE) {
                Ok(command) => {
                    if !self.execute(command) {
                        return false;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return false,
            }
        }
        while let Ok(command) = inbox.try_recv() {
            if !self.execute(command) {
                return false;
            }
        }
        let pool = self.running.as_ref().and_then(|running| running.session.pool());
        let fills_machine = pool.as_ref().is_some_and(|pool| pool.current_num_threads() >= self.shared.cores);
        let is_alone = self.shared.share.is_none(); // the window's frames take turns with what is on the cores of two engines
        self.shared.exchange.core_lease.set_busy(fills_machine && is_alone && self.steps_requested() == u64::MAX);
        run_on(pool, || self.run_spans(inbox));
        self.shared.exchange.core_lease.set_busy(false);
        true
    }

    /// Runs spans while steps are to be run and no command waits, for a short time.
    fn run_spans(&mut self, inbox: &Receiver<Command>) {
        let begin = Instant::now();
        loop {
            let requested = self.steps_requested();
            if let (1.., Some(running)) = (requested, &mut self.running)
                && let Some(reason) = running.span(requested, &mut self.shared)
            {
                let halt = running.recover(&reason);
                self.pause(halt);
            }
            self.publish(false);
            if requested == 0 || !inbox.is_empty() || begin.elapsed() >= ITERATION {
                return;
            }
        }
    }

    fn steps_requested(&self) -> u64 {
        self.running.as_ref().map_or(0, |running| running.pacing.steps_requested(&self.shared.settings, running.session.steps()))
    }

    /// Pauses with the last finite weights after a panic.
    fn pause_on_panic(&mut self, report: &str) {
        if let Some(running) = &mut self.running {
            running.recovery.restore(&mut running.session);
        }
        self.pause(Halt { reason: format!("the simulation stopped: {report}"), remedies: Vec::new() });
    }

    /// Pauses and says why.
    fn pause(&mut self, halt: Halt) {
        self.shared.settings.paused = true;
        self.shared.publication.mark_changed();
        self.shared.report(Event::Halted(halt));
    }

    fn collect_from_jobs(&mut self) {
        if let Some(running) = &mut self.running
            && running.jobs.collect(&running.session, &self.shared)
        {
            self.shared.publication.mark_changed();
        }
    }
}
