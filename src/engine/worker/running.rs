//! The model that runs, with all that belongs to it.

use super::exact::ExactDensities;
use super::jobs::Jobs;
use super::pacing::Pacing;
use super::recorder::Recorder;
use super::recovery::Recovery;
use super::run_handle::RunHandle;
use super::shared::Shared;
use super::visibility::Visibility;
use crate::engine::race_runner::RaceRunner;
use crate::engine::{Halt, Watch};
use crate::experiment::StopCause;
use crate::experiment::parallel::on_at_most;
use crate::experiment::session::{BatchReport, Session};
use crate::studies::race::SamplerConfig;
use std::time::Instant;

/// Pieces of a presentation while a core is left to the window: after each the core may be free again.
const PIECES: usize = 16;

/// A session and what is kept beside it. It is made anew with every session.
pub(super) struct Running {
    pub(super) session: Session,
    pub(super) recorder: Recorder,
    pub(super) pacing: Pacing,
    pub(super) recovery: Recovery,
    pub(super) jobs: Jobs,
    pub(super) race: RaceRunner,
    /// Which run it is.
    pub(super) run: RunHandle,
    /// Its number among all models that were built.
    pub(super) model_id: u64,
}

impl Running {
    pub(super) fn new(session: Session, run: RunHandle, visibility: Visibility, shared: &mut Shared) -> Self {
        let mut running = Self {
            run,
            model_id: shared.model_id,
            recorder: Recorder::new(&session, visibility.raster, visibility.parts),
            pacing: Pacing::new(session.steps(), session.images()),
            recovery: Recovery::new(session.model()),
            jobs: Jobs::new(visibility, shared.model_id),
            race: RaceRunner::new(),
            session,
        };
        running.start_default_race(shared);
        running
    }

    pub(super) fn visibility(&self) -> Visibility {
        Visibility {
            raster: self.recorder.watch.raster,
            parts: self.recorder.probes.parts,
            generation: self.jobs.generation.is_visible(),
            likelihood: self.jobs.likelihood.is_on(),
        }
    }

    /// Computes nothing from here on, in no thread; what its jobs have found stays.
    pub(super) fn rest(&mut self) {
        self.pacing.pending_steps = 0;
        self.jobs.rest();
    }

    /// Goes on after a rest, in sight of a window that looks at this.
    pub(super) fn go_on(&mut self, visibility: Visibility) {
        let watch = Watch { raster: visibility.raster, ..self.recorder.watch.clone() };
        self.recorder.set_watch(watch, &self.session);
        self.recorder.probes.parts = visibility.parts;
        self.jobs.go_on(visibility);
    }

    /// Runs a part of the steps requested and records them. The reason where a value is no longer finite.
    pub(super) fn span(&mut self, requested: u64, shared: &mut Shared) -> Option<String> {
        self.recorder.prepare(&self.session, requested < u64::MAX, || shared.publishes_soon());
        let begin = Instant::now();
        let (first_ms, dt_ms) = (self.session.time_ms(), self.session.parameters().dt_ms);
        let (done, report) = self.advance(self.pacing.steps_of_span(requested), shared);
        shared.report_failure(self.race.advance(done));
        shared.report_failure(self.race.take_loss().map_or(Ok(()), Err));
        self.pacing.after_span([requested, done as u64, self.session.steps()], begin.elapsed(), &shared.settings);
        self.recorder.record(&mut self.session, first_ms, dt_ms);
        let has_ended = report.is_some();
        if let Some(report) = report {
            self.recorder.record_batch(&self.session, report);
        }
        shared.publication.mark_changed();
        if let Some(reason) = self.session.broken() {
            return Some(reason);
        }
        if has_ended {
            self.recovery.remember(self.session.model());
        }
        None
    }

    /// Puts the last finite values back where `reason` says which value is none, and finds out why and what helps.
    pub(super) fn recover(&mut self, reason: &str) -> Halt {
        self.recovery.restore(&mut self.session);
        let session = &self.session;
        let cause = StopCause::of(session.config(), session.model(), session.stiffness(), session.active_layers());
        let text = cause.as_ref().map_or_else(String::new, |cause| format!(": {}", cause.text));
        let reason = format!("{reason}{text}; the last good weights are back");
        Halt { reason, remedies: cause.map_or_else(Vec::new, |cause| cause.remedies) }
    }

    /// Advances the session: on its share of the cores beside another engine; on one core less and in shorter pieces while the window
    /// draws.
    fn advance(&mut self, steps: usize, shared: &Shared) -> (usize, Option<BatchReport>) {
        let (session, probes) = (&mut self.session, &self.recorder.probes);
        if shared.exchange.core_lease.yields_core() {
            let steps = steps.min(session.steps_left()).div_ceil(PIECES);
            on_at_most(shared.cores.saturating_sub(1), || session.advance(steps, probes))
        } else {
            on_at_most(shared.share.unwrap_or(usize::MAX), || session.advance(steps, probes))
        }
    }

    /// Computes the exact densities of another stimulus.
    pub(super) fn refresh_exact(&mut self) {
        self.recorder.exact = ExactDensities::of(&self.session);
    }

    pub(super) fn set_watch(&mut self, watch: Watch, shared: &mut Shared) {
        if self.recorder.set_watch(watch, &self.session) {
            self.restart_race(shared);
        }
    }

    /// A model of two causes and a fixed stimulus starts with a race: without adaptation, and as the preset has it.
    fn start_default_race(&mut self, shared: &mut Shared) {
        let configured = SamplerConfig::of(&self.session.config().dynamics);
        let without_adaptation = SamplerConfig { adaptation: 0.0, ..configured };
        let samplers = if self.recorder.exact.grid.is_none() {
            Vec::new()
        } else if configured.adaptation > 0.0 {
            vec![without_adaptation, configured]
        } else {
            vec![configured]
        };
        self.start_race(&samplers, shared);
    }

    /// Starts a race of these samplers in place of the one that is on; none ends it.
    pub(super) fn start_race(&mut self, samplers: &[SamplerConfig], shared: &mut Shared) {
        shared.publication.mark_changed();
        let Recorder { watch, exact, .. } = &self.recorder;
        shared.report_failure(self.race.start(samplers, &self.session, watch, exact.grid.as_deref()));
    }

    /// Starts the race again, on what has changed.
    pub(super) fn restart_race(&mut self, shared: &mut Shared) {
        let samplers = self.race.samplers();
        if !samplers.is_empty() {
            self.start_race(&samplers, shared);
        }
    }
}
