//! Snapshots of the model that runs: when one is published, and what is in it.

use super::Worker;
use super::keeping::OtherRuns;
use super::running::Running;
use super::shared::Shared;
use crate::dynamics::LayerParts;
use crate::engine::{COMPLETIONS, Clock, GovernorState, Pace, Snapshot, SnapshotState, StimulusState};
use crate::experiment::config::Governor;
use crate::model::Layer;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Between two snapshots at least.
const INTERVAL: Duration = Duration::from_millis(8);
/// The same at full speed, where each shows other stimuli: for every second of 60 frames a second. What was asked for comes at once.
const FULL_SPEED_INTERVAL: Duration = Duration::from_millis(25);
/// A snapshot that was not taken for so long makes the next one a dropped one.
const FRAME: Duration = Duration::from_millis(16);
/// Presentations a second that can be followed by eye.
const FOLLOWED_A_SECOND: f64 = 4.0;
/// How far dt may lie above the governor's limit by rounding.
const ROUNDING: f64 = 1.000_001;

impl Shared {
    fn snapshot_interval(&self) -> Duration {
        let all_seen = self.publication.commands_seen == Some(self.commands_executed);
        if matches!(self.settings.pace, Pace::Full) && all_seen { FULL_SPEED_INTERVAL } else { INTERVAL }
    }

    /// Whether a snapshot is published within a few milliseconds, if nothing is asked for.
    pub(super) fn publishes_soon(&self) -> bool {
        self.exchange.slot.is_empty() && self.publication.last_snapshot.elapsed() > self.snapshot_interval() - INTERVAL / 2
    }
}

impl Worker {
    /// Publishes a snapshot if something has changed, the last one was taken and is old enough; `idle`: however old it is. It is built
    /// before the slot is locked, so that its reader never waits for that.
    pub(super) fn publish(&mut self, idle: bool) {
        let (Some(running), shared) = (&mut self.running, &mut self.shared) else { return };
        let age = shared.publication.last_snapshot.elapsed();
        if !shared.publication.changed || (!idle && age < shared.snapshot_interval()) {
            return;
        }
        if !shared.exchange.slot.is_empty() {
            shared.publication.dropped += u64::from(!idle && age > FRAME);
            return;
        }
        let state = running.state(shared, &self.runs);
        let snapshot = Box::new(Snapshot { state, increment: running.recorder.take_increment() });
        shared.exchange.slot.put(snapshot);
        let publication = &mut shared.publication;
        (publication.changed, publication.last_snapshot) = (false, Instant::now());
        publication.commands_seen = Some(shared.commands_executed);
        shared.wake();
    }
}

impl Running {
    /// The state of the next snapshot.
    fn state(&mut self, shared: &Shared, runs: &OtherRuns) -> SnapshotState {
        self.recorder.refresh(&self.session, shared.model_id);
        self.pacing.rates.update(self.session.steps(), self.session.images());
        let Self { session, recorder, jobs, race, .. } = &*self;
        let (model, config) = (session.model(), session.config());
        let states = session.networks().network(0);
        SnapshotState {
            model_id: shared.model_id,
            run: self.run.id.clone(),
            runs: runs.list(),
            views: self.run.views.clone(),
            previous: runs.previous(),
            config: Arc::new(session.config_for_restart()),
            commands_executed: shared.commands_executed,
            clock: self.clock(shared),
            governor: self.governor(),
            stage: session.stage().map(|_| session.position()),
            learning_rate: Some(session.learning_rate()),
            weights_version: session.weights_version(),
            weights: recorder.weights.matrices.clone(),
            biases: model.biases.clone(),
            sigmas: model.layers.iter().map(Layer::sigma).collect(),
            active_states: model.active_states(),
            activity: states[recorder.watch.trace_layer].clone(),
            states,
            parts: recorder.probes.parts.then(|| self.parts(shared.settings.paused)),
            stimulus: self.stimulus(shared.settings.paused),
            watch: recorder.watch.clone(),
            exact_posterior: recorder.exact.grid.clone(),
            exact_line: recorder.exact.line.clone(),
            subject: recorder.subject.latest(),
            findings: jobs.findings.clone(),
            tuning: jobs.tuning.clone(),
            likelihood: jobs.likelihood.state(),
            generation: jobs.generation.state(),
            race: race.state(config.dynamics.tau_x_ms),
        }
    }

    fn clock(&self, shared: &Shared) -> Clock {
        let (session, rates) = (&self.session, &self.pacing.rates);
        Clock {
            running: !shared.settings.paused,
            pace: shared.settings.pace,
            time_ms: session.time_ms(),
            steps: session.steps(),
            images: session.images(),
            steps_per_second: rates.steps_per_second,
            images_per_second: rates.images_per_second,
            behind: !shared.settings.paused && self.pacing.is_behind(),
            dropped: shared.publication.dropped,
        }
    }

    fn governor(&self) -> GovernorState {
        let (session, limit_ms) = (&self.session, self.session.largest_dt_ms());
        let d = &session.config().dynamics;
        let is_beyond = d.dt_ms > limit_ms * ROUNDING;
        GovernorState {
            dt_ms: session.parameters().dt_ms,
            limit_ms,
            stiffness: session.stiffness().to_vec(),
            lowered: d.governor == Governor::Auto && is_beyond,
            beyond: d.governor == Governor::Manual && is_beyond,
        }
    }

    /// What moved the layers of network 0: at one moment, so that errors are those of what is shown. Where presentations pass too fast to be
    /// followed, or the next has not begun, that is the end of the last one.
    fn parts(&self, paused: bool) -> Vec<LayerParts> {
        let (session, finished) = (&self.session, &self.recorder.finished_parts);
        let pass_fast = self.pacing.rates.steps_per_second > FOLLOWED_A_SECOND * session.config().stimulus.steps_per_stimulus as f64;
        if !finished.is_empty() && !session.is_held() && (session.stimulus_steps() == 0 || (pass_fast && !paused)) {
            return finished.clone();
        }
        session.networks().parts(0)
    }

    /// The stimulus of network 0. A presentation lasts a few milliseconds: while it runs, the last finished one is worth more than the
    /// start of the next.
    fn stimulus(&self, paused: bool) -> StimulusState {
        let session = &self.session;
        let (reconstruction, count) = session.networks().reconstruction();
        if let Some(finished) = &self.recorder.finished_stimulus
            && (!paused || count == 0)
            && !session.is_held()
        {
            return finished.clone();
        }
        StimulusState {
            stimulus: session.stimulus().to_vec(),
            reconstruction,
            steps: count,
            held: session.is_held(),
            presentation: session.presentations(),
            completed: session.completed(COMPLETIONS),
        }
    }
}
