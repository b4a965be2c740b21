//! Shows gratings to a copy of the network on a thread of its own, and keeps what was found.

use crate::dynamics::StepParameters;
use crate::experiment::tuning::{Preparation, Protocol, Responses};
use crate::model::Hierarchy;
use crossbeam_channel::{Receiver, bounded};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;

/// A tuning experiment as far as it has come.
#[derive(Clone, Debug)]
pub struct TuningState {
    /// Model and weights that it is done on.
    pub of: (u64, u64),
    /// The layer recorded.
    pub layer: usize,
    /// Networks done, and in all.
    pub progress: (usize, usize),
    /// No more will come: finished or stopped.
    pub ended: bool,
    /// What was found.
    pub responses: Option<Arc<Responses>>,
}

/// The thread and what it has found.
pub(super) struct Tuner {
    state: TuningState,
    stop: Arc<AtomicBool>,
    done: Arc<AtomicUsize>,
    inbox: Receiver<Responses>,
    thread: Option<JoinHandle<()>>,
}

/// What gratings are shown to.
pub(super) struct Animal {
    pub(super) of: (u64, u64),
    pub(super) model: Hierarchy,
    pub(super) parameters: StepParameters,
    pub(super) open: usize,
    pub(super) layer: usize,
    pub(super) side: usize,
    pub(super) protocol: Protocol,
}

impl Tuner {
    pub(super) fn start(animal: Animal) -> std::io::Result<Self> {
        let (outbox, inbox) = bounded(1);
        let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let total = animal.protocol.networks(animal.model.layers[animal.layer].size);
        let state = TuningState { of: animal.of, layer: animal.layer, progress: (0, total), ended: false, responses: None };
        let (told, counted) = (stop.clone(), done.clone());
        let body = move || {
            let Animal { model, parameters, open, layer, .. } = &animal;
            let preparation = Preparation { model, parameters, open: *open, layer: *layer };
            let responses = preparation.run(&animal.protocol, animal.side, &mut |done, _| {
                counted.store(done, Ordering::Relaxed);
                !told.load(Ordering::Relaxed)
            });
            if let Some(responses) = responses {
                let _ = outbox.try_send(responses); // room for the only one
            }
        };
        let thread = Some(std::thread::Builder::new().name("gratings".into()).spawn(body)?);
        Ok(Self { state, stop, done, inbox, thread })
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
        let before = self.state.progress.0;
        self.state.ended = self.thread.as_ref().is_none_or(JoinHandle::is_finished);
        self.state.progress.0 = self.done.load(Ordering::Relaxed);
        if let Ok(responses) = self.inbox.try_recv() {
            self.state.responses = Some(Arc::new(responses));
        }
        self.state.ended || before != self.state.progress.0
    }

    pub(super) fn state(&self) -> &TuningState {
        &self.state
    }
}

impl Drop for Tuner {
    fn drop(&mut self) {
        self.stop();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // it looks at `stop` after every block of networks
        }
    }
}
