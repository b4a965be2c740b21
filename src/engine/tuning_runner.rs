//! Shows gratings to a copy of the network in the background, and keeps what was found.

use crate::dynamics::StepParameters;
use crate::engine::background::{BackgroundJob, JobContext};
use crate::experiment::tuning::{Preparation, Protocol, Responses};
use crate::model::Hierarchy;
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::sync::Arc;

/// A tuning experiment as far as it has come.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TuningState {
    /// Model and weights that it is done on.
    pub of: (u64, u64),
    /// The layer recorded.
    pub layer: usize,
    /// Networks done, and in all.
    pub progress: (usize, usize),
    /// No more will come: finished or stopped.
    pub ended: bool,
    /// What was found so far: nothing, all but the contrasts (NaN), or all.
    pub responses: Option<Arc<Responses>>,
}

/// The job and what it has found.
pub(super) struct TuningRunner {
    state: TuningState,
    job: BackgroundJob<Infallible, Responses>,
}

/// What gratings are shown to.
pub(super) struct TuningSubject {
    pub(super) of: (u64, u64),
    pub(super) model: Hierarchy,
    pub(super) parameters: StepParameters,
    pub(super) active_layers: usize,
    pub(super) layer: usize,
    pub(super) side: usize,
    pub(super) protocol: Protocol,
}

impl TuningRunner {
    pub(super) fn start(subject: TuningSubject) -> std::io::Result<Self> {
        let total = subject.protocol.networks(subject.model.layers[subject.layer].size);
        let state = TuningState { of: subject.of, layer: subject.layer, progress: (0, total), ended: false, responses: None };
        // Two reports: what is known before the contrasts, and all.
        let job = BackgroundJob::spawn("gratings", 0, 2, move |_, job| {
            job.set_progress(0, total);
            run(&subject, job);
        })?;
        Ok(Self { state, job })
    }

    /// Asks it to stop soon.
    pub(super) fn stop(&self) {
        self.job.stop();
    }

    /// Takes in what has come; true if something is new.
    pub(super) fn collect(&mut self) -> bool {
        if self.state.ended {
            return false;
        }
        let before = self.state.progress;
        self.state.ended = self.job.is_finished();
        let (done, total) = self.job.progress();
        self.state.progress = (done, total.max(before.1)); // nothing is said before the thread has begun
        if let Some(responses) = self.job.reports().last() {
            self.state.responses = Some(Arc::new(responses));
        }
        self.state.ended || before != self.state.progress
    }

    /// Whether the thread has ended by a panic.
    pub(super) fn is_lost(&self) -> bool {
        self.job.is_lost()
    }

    pub(super) fn state(&self) -> &TuningState {
        &self.state
    }
}

fn run(subject: &TuningSubject, job: &JobContext<Responses>) {
    let TuningSubject { model, parameters, active_layers, layer, .. } = subject;
    let preparation = Preparation { model, parameters, active_layers: *active_layers, layer: *layer };
    let responses = preparation.run(&subject.protocol, subject.side, &mut |done, total, so_far| {
        job.set_progress(done, total);
        if let Some(found) = so_far {
            job.report(found.clone());
        }
        !job.is_stopped()
    });
    if let Some(responses) = responses {
        job.report(responses);
    }
}
