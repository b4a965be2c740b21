//! Shows gratings to a copy of the network in the background, and keeps what was found.

use crate::engine::background::{BackgroundJob, JobContext};
use crate::experiment::{FrozenModel, ModelVersion};
use crate::studies::tuning::{Preparation, Protocol, Responses};
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::sync::Arc;

/// A tuning experiment as far as it has come.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TuningState {
    /// Model and weights that it is done on.
    pub of: ModelVersion,
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

/// What gratings are shown to, and which.
pub(super) struct TuningRequest {
    pub(super) frozen: FrozenModel,
    pub(super) layer: usize,
    pub(super) shape: [usize; 2],
    pub(super) protocol: Protocol,
}

impl TuningRunner {
    pub(super) fn start(request: TuningRequest) -> std::io::Result<Self> {
        let total = request.protocol.networks(request.frozen.model.layers[request.layer].size);
        let state = TuningState { of: request.frozen.version, layer: request.layer, progress: (0, total), ended: false, responses: None };
        // Two reports: what is known before the contrasts, and all.
        let job = BackgroundJob::spawn("gratings", 0, 2, move |_, job| {
            job.set_progress(0, total);
            run(&request, job);
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

    /// Where the thread has ended by a panic, a line that asks for a report.
    pub(super) fn loss(&self) -> Option<&str> {
        self.job.loss()
    }

    pub(super) fn state(&self) -> &TuningState {
        &self.state
    }
}

fn run(request: &TuningRequest, job: &JobContext<Responses>) {
    let TuningRequest { frozen, layer, shape, protocol } = request;
    let parameters = frozen.step_parameters();
    let preparation = Preparation { model: &frozen.model, parameters: &parameters, active_layers: frozen.active_layers, layer: *layer };
    let responses = preparation.run(protocol, *shape, &mut |done, total, so_far| {
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
