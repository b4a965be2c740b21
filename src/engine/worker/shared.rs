//! What outlives a model: the ends of the channels, the settings of the run, the model before.

use super::pacing::RunSettings;
use super::publication::Publication;
use crate::engine::{Event, Exchange};
use crossbeam_channel::Sender;
use std::fmt::Display;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many models all engines of this program have built.
static MODELS: AtomicU64 = AtomicU64::new(0);

/// Called when there is something new to see.
pub(in crate::engine) type Wake = Box<dyn Fn() + Send + Sync>;

/// What all models that run one after the other share.
pub(in crate::engine) struct Shared {
    outbox: Sender<Event>,
    wake: Wake,
    pub(super) exchange: Exchange,
    /// Of this machine.
    pub(super) cores: usize,
    /// Of these the ones that it may use, where another engine runs beside it.
    pub(super) share: Option<usize>,
    pub(super) settings: RunSettings,
    pub(super) publication: Publication,
    pub(super) commands_executed: u64,
    /// The number of the model that runs.
    pub(super) model_id: u64,
}

impl Shared {
    /// At the start: it runs at the pace at which learning can be followed by eye.
    pub(in crate::engine) fn new(outbox: Sender<Event>, exchange: Exchange, wake: Wake) -> Self {
        Self {
            outbox,
            wake,
            exchange,
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            share: None,
            settings: RunSettings::default(),
            publication: Publication::default(),
            commands_executed: 0,
            model_id: 0,
        }
    }

    /// A number for another model, which no model of this program has had.
    pub(super) fn number_model(&mut self) {
        self.model_id = MODELS.fetch_add(1, Ordering::Relaxed) + 1;
    }

    /// Sends an event, unless as many wait as the channel holds: a reader that is gone or slow must not stop the simulation.
    pub(super) fn report(&self, event: Event) {
        let _ = self.outbox.try_send(event);
        self.wake();
    }

    /// Reports what failed, if something did.
    pub(super) fn report_failure(&self, result: Result<(), impl Display>) {
        if let Err(error) = result {
            self.report(Event::Failed(format!("{error:#}")));
        }
    }

    /// Says that there is something new to see.
    pub(super) fn wake(&self) {
        (self.wake)();
    }
}
