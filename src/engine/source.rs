//! Where a window's snapshots come from: a running engine, or whatever else speaks the same language.

use crate::data::Progress;
use crate::engine::{Command, Engine, Event, Snapshot};
use std::time::Duration;

/// Takes commands, and has snapshots and events to show.
pub trait SnapshotSource {
    /// Hands over a command without waiting; false where there is no room for it now: try again later.
    fn send(&self, command: Command) -> bool;

    /// The latest snapshot, if there is one that was not taken yet.
    fn take(&self) -> Option<Box<Snapshot>>;

    /// What happened since the last call.
    fn events(&self) -> Vec<Event>;

    /// Says that a frame begins, and returns how long this waited for a core.
    fn lease_core(&self) -> Duration {
        Duration::ZERO
    }

    /// Says that the frame ends after this long.
    fn release_core(&self, _rest: Duration) {}

    /// How far a rebuild has come; None where nothing is ever rebuilt.
    fn progress(&self) -> Option<&Progress> {
        None
    }
}

impl SnapshotSource for Engine {
    fn send(&self, command: Command) -> bool {
        Engine::send(self, command)
    }

    fn take(&self) -> Option<Box<Snapshot>> {
        self.take_snapshot()
    }

    fn events(&self) -> Vec<Event> {
        Engine::events(self).collect()
    }

    fn lease_core(&self) -> Duration {
        Engine::lease_core(self)
    }

    fn release_core(&self, rest: Duration) {
        Engine::release_core(self, rest);
    }

    fn progress(&self) -> Option<&Progress> {
        Some(Engine::progress(self))
    }
}
