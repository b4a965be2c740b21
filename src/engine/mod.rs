//! The simulation thread: commands in through a bounded channel, snapshots out as a latest value, events out bounded.

pub mod command;
mod core_lease;
pub mod event;
mod generation;
mod generation_thread;
mod laboratory;
mod mixing_monitor;
mod race_runner;
pub mod snapshot;
mod tuning_runner;
mod worker;

pub use command::{Command, Pace, Parameter, Watch};
pub use event::Event;
pub use generation_thread::{GenerationCommand, GenerationState, MOST_FRAMES, Measuring};
pub use mixing_monitor::MixingDiagnostics;
pub use snapshot::*;
pub use tuning_runner::TuningState;

use crate::data::Progress;
use crate::experiment::Config;
use core_lease::CoreLease;
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Units traced at most.
pub const MAX_TRACED: usize = 6;
/// Samples of a trace kept for one snapshot at most; older ones are dropped.
pub const MAX_SAMPLES: usize = 20_000;
/// Networks whose completions are shown one by one.
pub const COMPLETIONS: usize = 6;
const COMMANDS: usize = 256;
const EVENTS: usize = 256;

type Slot = Arc<Mutex<Option<Box<Snapshot>>>>;

/// A running simulation; dropping it ends and joins its thread.
pub struct Engine {
    commands: Sender<Command>,
    events: Receiver<Event>,
    slot: Slot,
    progress: Arc<Progress>,
    core_lease: Arc<CoreLease>,
    thread: Option<JoinHandle<()>>,
}

impl Engine {
    /// Starts the thread on `config`; `wake` is called when there is something new to see.
    pub fn start(config: Config, wake: impl Fn() + Send + Sync + 'static) -> std::io::Result<Self> {
        let (commands, inbox) = bounded(COMMANDS);
        let (outbox, events) = bounded(EVENTS);
        let slot = Slot::default();
        let progress = Arc::new(Progress::default());
        let core_lease = Arc::new(CoreLease::default());
        let shared = (slot.clone(), progress.clone(), core_lease.clone());
        let body = move || worker::run(config, inbox, outbox, shared, Box::new(wake));
        let thread = std::thread::Builder::new().name("simulation".into()).spawn(body)?;
        Ok(Self { commands, events, slot, progress, core_lease, thread: Some(thread) })
    }

    /// Hands over a command without waiting; false where the queue is full (or the thread has ended): try again later.
    pub fn send(&self, command: Command) -> bool {
        self.commands.try_send(command).is_ok()
    }

    /// The latest picture, if there is one that was not taken yet.
    pub fn take_snapshot(&self) -> Option<Box<Snapshot>> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Says that a frame begins: at full speed the simulation then leaves this thread a core, for which this waits two milliseconds at
    /// most. Returns how long it waited.
    pub fn lease_core(&self) -> Duration {
        self.core_lease.acquire()
    }

    /// Says that the frame ends after `rest`: the simulation takes its core back.
    pub fn release_core(&self, rest: Duration) {
        self.core_lease.release_after(rest);
    }

    /// How far a rebuild has come; it can be stopped here.
    pub fn progress(&self) -> &Progress {
        &self.progress
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
                self.progress.cancel(); // each rebuild that is still in the queue
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
            let _ = thread.join(); // a panic was reported as an event already
        }
    }
}
