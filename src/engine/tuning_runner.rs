//! Shows gratings to a copy of the network on a thread of its own, and keeps what was found.

use crate::experiment::{FrozenModel, ModelVersion};
use crate::studies::tuning::{Preparation, Protocol, Responses};
use crossbeam_channel::{Receiver, bounded};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;

/// A tuning experiment as far as it has come.
#[derive(Clone, Debug)]
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

/// The thread and what it has found.
pub(super) struct TuningRunner {
    state: TuningState,
    stop: Arc<AtomicBool>,
    /// Networks done, and in all.
    progress: Arc<[AtomicUsize; 2]>,
    inbox: Receiver<Responses>,
    thread: Option<JoinHandle<()>>,
}

/// What gratings are shown to, and which.
pub(super) struct TuningRequest {
    pub(super) frozen: FrozenModel,
    pub(super) layer: usize,
    pub(super) side: usize,
    pub(super) protocol: Protocol,
}

impl TuningRunner {
    pub(super) fn start(request: TuningRequest) -> std::io::Result<Self> {
        let (outbox, inbox) = bounded(2); // what is known before the contrasts, and all
        let TuningRequest { frozen, layer, side, protocol } = request;
        let total = protocol.networks(frozen.model.layers[layer].size);
        let (stop, progress) = (Arc::new(AtomicBool::new(false)), Arc::new([AtomicUsize::new(0), AtomicUsize::new(total)]));
        let state = TuningState { of: frozen.version, layer, progress: (0, total), ended: false, responses: None };
        let (told, counted) = (stop.clone(), progress.clone());
        let body = move || {
            let parameters = frozen.step_parameters();
            let preparation = Preparation { model: &frozen.model, parameters: &parameters, active_layers: frozen.active_layers, layer };
            let responses = preparation.run(&protocol, side, &mut |done, total, so_far| {
                counted[0].store(done, Ordering::Relaxed);
                counted[1].store(total, Ordering::Relaxed);
                if let Some(found) = so_far {
                    let _ = outbox.try_send(found.clone()); // room for two
                }
                !told.load(Ordering::Relaxed)
            });
            if let Some(responses) = responses {
                let _ = outbox.try_send(responses);
            }
        };
        let thread = Some(std::thread::Builder::new().name("gratings".into()).spawn(body)?);
        Ok(Self { state, stop, progress, inbox, thread })
    }

    /// Asks it to stop soon.
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Takes in what has come; true if something changed.
    pub(super) fn collect(&mut self) -> bool {
        if self.state.ended {
            return false;
        }
        let before = self.state.progress;
        self.state.ended = self.thread.as_ref().is_none_or(JoinHandle::is_finished);
        self.state.progress = (self.progress[0].load(Ordering::Relaxed), self.progress[1].load(Ordering::Relaxed));
        if let Some(responses) = self.inbox.try_iter().last() {
            self.state.responses = Some(Arc::new(responses));
        }
        self.state.ended || before != self.state.progress
    }

    pub(super) fn state(&self) -> &TuningState {
        &self.state
    }
}

impl Drop for TuningRunner {
    fn drop(&mut self) {
        self.stop();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // it looks at `stop` after every block of networks
        }
    }
}
