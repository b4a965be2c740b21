//! What the window is shown: traces, findings, exact densities, and the snapshot that carries them.

use super::{MAX_PAIR_STEPS, Worker};
use crate::analysis::density::{self, DensityGrid};
use crate::dynamics::block::ProbeSample;
use crate::engine::{COMPLETIONS, Clock, Event, GovernorState, InterneuronSample, MAX_SAMPLES, Pace, Snapshot, StimulusState, TraceSample};
use crate::experiment::config::{DynamicsConfig, Governor};
use crate::experiment::session::Session;
use crate::experiment::{FrozenModel, ModelVersion, WatchedUnits};
use crate::studies::StudyTarget;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

/// Between two snapshots at least.
const SNAPSHOTS: Duration = Duration::from_millis(8);
/// The same at full speed, where each shows other stimuli: for every second of 60 frames a second. What was asked for comes at once.
const AT_FULL_SPEED: Duration = Duration::from_millis(25);

/// What a subject depends on.
#[derive(PartialEq)]
pub(super) struct SubjectKey {
    version: ModelVersion,
    dynamics: DynamicsConfig,
    watched: WatchedUnits,
    stimulus: Vec<f32>,
}

impl Worker {
    /// Has the pair recorded in the next span, in all networks, unless nobody will see it: at full speed many presentations pass between
    /// two snapshots, and only the last of them is shown.
    pub(super) fn choose_pair(&mut self, due: u64) {
        let Some(session) = &self.session else { return };
        let changing = session.steps_left() < usize::MAX;
        let soon = || {
            let taken = self.slot.lock().unwrap_or_else(PoisonError::into_inner).is_none();
            taken && self.last_snapshot.elapsed() > self.between_snapshots() - SNAPSHOTS / 2
        };
        self.probes.pair = (!changing || due < u64::MAX || soon()).then_some(self.watch.pair);
        if std::mem::replace(&mut self.pairs_of, session.presentations) != session.presentations {
            self.pairs.clear();
        }
    }

    /// Moves what the blocks recorded into the snapshot's lists.
    pub(super) fn collect(&mut self, first_ms: f64, dt_ms: f64) {
        let Some(session) = &mut self.session else { return };
        let family = session.model.layers[self.probes.layer - 1].family.clone();
        let table = session.blocks[0].tables.get(self.probes.layer - 1).cloned().flatten();
        for (step, frames) in session.blocks[0].frames.drain(..).enumerate() {
            let time_ms = first_ms + (step + 1) as f64 * dt_ms;
            for (unit, ProbeSample { neuron: [x, v, likelihood, prior], below: [observed, sampled, eta] }) in frames.into_iter().enumerate()
            {
                self.traces[unit].push(TraceSample { time_ms, x, v, likelihood, prior });
                let mean = |eta: f64| table.as_ref().map_or_else(|| family.mean_statistic(eta), |t| t.mean(family.as_ref(), eta));
                let exact = mean(f64::from(eta)) as f32;
                self.interneurons[unit].push(InterneuronSample { time_ms, observed, sampled, exact });
            }
        }
        for list in &mut self.traces {
            drop_oldest(list, MAX_SAMPLES);
        }
        for list in &mut self.interneurons {
            drop_oldest(list, MAX_SAMPLES);
        }
        self.rasters.append(&mut session.blocks[0].rasters);
        drop_oldest(&mut self.rasters, MAX_PAIR_STEPS);
        let steps = session.blocks.iter().map(|b| b.pairs.len()).min().unwrap_or(0);
        for step in steps.saturating_sub(MAX_PAIR_STEPS)..steps {
            self.pairs.push(session.blocks.iter().flat_map(|b| b.pairs[step].iter().copied()).collect());
        }
        session.blocks.iter_mut().for_each(|b| b.pairs.clear());
        drop_oldest(&mut self.pairs, MAX_PAIR_STEPS);
    }

    pub(super) fn collect_findings(&mut self) {
        if let Some(study_runner) = &mut self.study_runner
            && study_runner.collect()
        {
            self.findings = Some(Arc::new(study_runner.findings().clone()));
            self.changed = true;
        }
        if let Some(tuner) = &mut self.tuner
            && tuner.collect()
        {
            self.tuning = Some(Arc::new(tuner.state().clone()));
            self.changed = true;
        }
        if let Some(session) = &self.session {
            let mut outcomes = Vec::new();
            self.changed |= self.generation.collect(session, &mut outcomes);
            outcomes.into_iter().for_each(|outcome| self.tell(outcome.map_or_else(Event::Failed, Event::Saved)));
        }
    }

    pub(super) fn subject_of(&self, session: &Session) -> StudyTarget {
        let frozen = FrozenModel::of(session, ModelVersion { model: self.model_id, weights: session.weights_version });
        StudyTarget {
            frozen: Arc::new(FrozenModel { dynamics: self.config.dynamics, ..frozen }),
            watched: self.watched_units(),
            images: None,
        }
    }

    fn watched_units(&self) -> WatchedUnits {
        WatchedUnits { layer: self.watch.trace_layer, pair: self.watch.pair }
    }

    /// The subject for the window's curves, made anew only when it has changed. While weights learn, those of the start stand in:
    /// what is shown then does not depend on them.
    pub(super) fn refresh_subject(&mut self) {
        let Some(session) = &self.session else { return };
        let steady = session.held || session.config().stimulus.steps_per_stimulus == 0;
        let key = SubjectKey {
            version: ModelVersion { model: self.model_id, weights: if steady { session.weights_version } else { 0 } },
            dynamics: self.config.dynamics,
            watched: self.watched_units(),
            stimulus: if steady { session.stimulus().to_vec() } else { Vec::new() },
        };
        if self.subject.as_ref().is_none_or(|(known, _)| *known != key) {
            self.subject = Some((key, Arc::new(self.subject_of(session))));
        }
    }

    /// The exact densities, which are those of a stimulus that is clamped as a whole.
    pub(super) fn refresh_exact(&mut self) {
        let clamped = self.session.as_ref().filter(|session| session.freed().is_empty());
        self.exact = clamped.and_then(|s| DensityGrid::posterior(&s.model, s.stimulus(), 128)).map(Arc::new);
        self.exact_line = clamped.and_then(|s| density::line(&s.model, s.stimulus())).map(Arc::new);
    }

    fn between_snapshots(&self) -> Duration {
        if matches!(self.pace, Pace::Full) && self.answered == Some(self.commands_executed) { AT_FULL_SPEED } else { SNAPSHOTS }
    }

    /// Leaves a snapshot if the window has taken the last one and it is old enough.
    pub(super) fn publish(&mut self, idle: bool) {
        if !self.changed || (!idle && self.last_snapshot.elapsed() < self.between_snapshots()) {
            return;
        }
        self.refresh_subject();
        let mut slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(session) = &self.session else { return };
        if slot.is_some() {
            self.dropped += u64::from(!idle && self.last_snapshot.elapsed() > Duration::from_millis(16));
            return;
        }
        if self.shared_weights.0 != session.weights_version {
            if self.exact.is_some() {
                self.exact = DensityGrid::posterior(&session.model, session.stimulus(), 128).map(Arc::new);
            }
            self.shared_weights = (session.weights_version, session.model.weights.iter().cloned().map(Arc::new).collect());
        }
        let elapsed = self.rate.0.elapsed().as_secs_f64();
        if elapsed > 0.25 {
            let per_second = |now: u64, before: u64| now.saturating_sub(before) as f64 / elapsed;
            self.rate = (
                Instant::now(),
                session.steps,
                session.images,
                per_second(session.steps, self.rate.1),
                per_second(session.images, self.rate.2),
            );
        }
        if session.stage().is_some() {
            self.config.learning.lr = session.config().learning.lr;
            self.config.stages.clone_from(&session.config().stages);
        }
        let (d, limit_ms) = (&self.config.dynamics, session.largest_dt_ms());
        let (reconstruction, count) = &session.blocks[0].reconstruction;
        let now = || StimulusState {
            stimulus: session.stimulus().to_vec(),
            reconstruction: reconstruction.iter().map(|sum| sum / (*count).max(1) as f32).collect(),
            steps: *count,
            held: session.held,
            presentation: session.presentations,
            completed: session.completed(COMPLETIONS),
        };
        // A presentation lasts a few milliseconds: while it runs, the last finished one is worth more than the start of the next.
        let stimulus = self.finished.clone().filter(|_| (self.running || *count == 0) && !session.held).unwrap_or_else(now);
        let n = session.model.layers[self.watch.trace_layer].size;
        let traced = self.traces.len();
        *slot = Some(Box::new(Snapshot {
            model_id: self.model_id,
            previous: self.previous.as_ref().map(|(config, _)| (config.model.name.clone(), config.learning.images_seen)),
            config: Arc::new(self.config.clone()),
            commands_executed: self.commands_executed,
            clock: Clock {
                running: self.running,
                pace: self.pace,
                time_ms: session.time_ms,
                steps: session.steps,
                images: session.images,
                steps_per_second: self.rate.3,
                images_per_second: self.rate.4,
                dropped: self.dropped,
            },
            governor: GovernorState {
                dt_ms: session.parameters().dt_ms,
                limit_ms,
                stiffness: session.stiffness().to_vec(),
                lowered: d.governor == Governor::Auto && d.dt_ms > limit_ms * 1.000_001,
                beyond: d.governor == Governor::Manual && d.dt_ms > limit_ms * 1.000_001,
            },
            stage: session.stage().map(|_| session.position()),
            weights_version: session.weights_version,
            weights: self.shared_weights.1.clone(),
            stimulus,
            watch: self.watch.clone(),
            traces: std::mem::replace(&mut self.traces, vec![Vec::new(); traced]),
            interneurons: std::mem::replace(&mut self.interneurons, vec![Vec::new(); traced]),
            raster: std::mem::take(&mut self.rasters),
            pairs: std::mem::take(&mut self.pairs),
            states: session.blocks[0]
                .layers
                .iter()
                .zip(&session.model.layers)
                .map(|(state, layer)| state.x[..layer.size].to_vec())
                .collect(),
            biases: session.model.biases.clone(),
            activity: session.blocks[0].layers[self.watch.trace_layer].x[..n].to_vec(),
            exact_posterior: self.exact.clone(),
            exact_line: self.exact_line.clone(),
            learning: std::mem::take(&mut self.learning),
            subject: self.subject.as_ref().map(|(_, subject)| subject.clone()),
            findings: self.findings.clone(),
            tuning: self.tuning.clone(),
            generation: self.generation.state(),
            race: self.race_runner.state(d.tau_x_ms),
        }));
        drop(slot);
        self.last_snapshot = Instant::now();
        (self.changed, self.answered) = (false, Some(self.commands_executed));
        (self.wake)();
    }
}

pub(super) fn drop_oldest<T>(list: &mut Vec<T>, most: usize) {
    if list.len() > most {
        list.drain(..list.len() - most);
    }
}
