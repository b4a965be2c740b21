//! The simulation thread: commands in through a bounded channel, snapshots out as a latest value, events out bounded.

mod background;
pub mod command;
mod core_lease;
mod error;
pub mod event;
mod generation;
mod likelihood_monitor;
mod mixing_monitor;
mod priority;
mod race_runner;
pub mod recording;
mod runs;
mod slot;
pub mod snapshot;
pub mod source;
mod study_runner;
mod tuning_runner;
mod watch;
mod worker;

pub use background::{BackgroundJob, JobContext};
pub use command::{Command, Pace};
pub use error::EngineError;
pub use event::{Event, Halt};
pub use generation::{GenerationCommand, GenerationState, MOST_FRAMES, Measuring};
pub use likelihood_monitor::LikelihoodState;
pub use mixing_monitor::MixingDiagnostics;
pub use priority::let_threads_stand_back;
pub use runs::{
    AutosaveOptions, Bookmark, Moment, PackedSnapshot, RunFolder, RunId, RunList, RunStore, RunSummary, RunTimeline, THUMBNAIL, ViewArrays,
};
pub use snapshot::*;
pub use source::SnapshotSource;
pub use tuning_runner::TuningState;
pub use watch::Watch;

use crate::data::Progress;
use crate::experiment::Config;
use crate::model::Hierarchy;
use core_lease::CoreLease;
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use slot::SnapshotSlot;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use worker::Start;

/// Units traced at most.
pub const MAX_TRACED: usize = 6;
/// Samples of a trace kept for one snapshot at most; older ones are dropped.
pub const MAX_SAMPLES: usize = 20_000;
/// Networks whose completions are shown one by one.
pub const COMPLETIONS: usize = 6;
const COMMANDS: usize = 256;
const EVENTS: usize = 256;

/// What the engine and its thread both hold, beside the two ends of the channels.
#[derive(Clone, Default)]
struct Exchange {
    slot: Arc<SnapshotSlot>,
    progress: Arc<Progress>,
    core_lease: Arc<CoreLease>,
}

/// A running simulation; dropping it ends and joins its thread.
pub struct Engine {
    commands: Sender<Command>,
    events: Receiver<Event>,
    exchange: Exchange,
    thread: Option<JoinHandle<()>>,
}

impl Engine {
    /// Starts the thread on `config`; `wake` is called when there is something new to see.
    pub fn start(config: Config, wake: impl Fn() + Send + Sync + 'static) -> std::io::Result<Self> {
        Self::start_with(config, None, wake)
    }

    /// The same; what is learned is saved by itself where `autosave` says so, and the engine begins with what was saved last if that is
    /// to be recovered.
    pub fn start_with(config: Config, autosave: Option<AutosaveOptions>, wake: impl Fn() + Send + Sync + 'static) -> std::io::Result<Self> {
        Self::spawn(Start { config, autosave, beside: None }, Box::new(wake))
    }

    /// An engine beside another one of this program, on `cores` of the machine's at most: with this model, or a fresh one. Where `config`
    /// cannot be built, which is reported, nothing runs.
    pub fn start_beside(
        config: Config,
        model: Option<Hierarchy>,
        autosave: Option<AutosaveOptions>,
        cores: usize,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> std::io::Result<Self> {
        Self::spawn(Start { config, autosave, beside: Some((cores, model)) }, Box::new(wake))
    }

    fn spawn(start: Start, wake: Box<dyn Fn() + Send + Sync>) -> std::io::Result<Self> {
        let (commands, inbox) = bounded(COMMANDS);
        let (outbox, events) = bounded(EVENTS);
        let exchange = Exchange::default();
        let shared = worker::Shared::new(outbox, exchange.clone(), wake);
        let thread = std::thread::Builder::new().name("simulation".into()).spawn(move || {
            priority::follow();
            worker::run(start, &inbox, shared);
        })?;
        Ok(Self { commands, events, exchange, thread: Some(thread) })
    }

    /// Hands over a command without waiting; false where the queue is full (or the thread has ended): try again later.
    pub fn send(&self, command: Command) -> bool {
        self.commands.try_send(command).is_ok()
    }

    /// The latest snapshot, if there is one that was not taken yet.
    pub fn take_snapshot(&self) -> Option<Box<Snapshot>> {
        self.exchange.slot.take()
    }

    /// Says that a frame begins: at full speed the simulation then leaves this thread a core, for which this waits two milliseconds at
    /// most. Returns how long it waited.
    pub fn lease_core(&self) -> Duration {
        self.exchange.core_lease.acquire()
    }

    /// Says that the frame ends after `rest`: the simulation takes its core back.
    pub fn release_core(&self, rest: Duration) {
        self.exchange.core_lease.release_after(rest);
    }

    /// Whether its thread has ended: it was told to, and has saved what is kept.
    pub fn has_ended(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// How far a rebuild has come; it can be stopped here.
    pub fn progress(&self) -> &Progress {
        &self.exchange.progress
    }

    /// Facts that came since the last call.
    pub fn events(&self) -> impl Iterator<Item = Event> + '_ {
        self.events.try_iter()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let mut last = Command::Shutdown;
        // The worker empties its queue between spans of a few milliseconds, so this ends.
        while let Err(TrySendError::Full(command)) = self.commands.try_send(last) {
            last = command;
            std::thread::yield_now();
        }
        if let Some(thread) = self.thread.take() {
            while !thread.is_finished() {
                self.exchange.progress.cancel(); // each rebuild that is still in the queue
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
            let _ = thread.join(); // a panic was reported as an event already
        }
    }
}
