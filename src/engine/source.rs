//! Where the window's snapshots come from: a running engine, a recording, or a test.

use crate::data::Progress;
use crate::engine::{Command, Engine, Event, Snapshot};
use std::time::Duration;

/// Takes commands, gives snapshots and events. No method waits for the simulation, but for the bounded wait of
/// [`SnapshotSource::lease_core`].
pub trait SnapshotSource {
    /// Hands over a command without waiting; false where it cannot be taken now: try again later.
    fn send(&self, command: Command) -> bool;

    /// The latest snapshot, if there is one that was not taken yet.
    fn take(&self) -> Option<Box<Snapshot>>;

    /// Events since the last call, oldest first.
    fn events(&self) -> Vec<Event>;

    /// Says that a frame begins. Returns how long it waited for a core that the source leaves to it: no time where the source does
    /// not compute.
    fn lease_core(&self) -> Duration {
        Duration::ZERO
    }

    /// Says that the frame ends after `_rest`.
    fn release_core(&self, _rest: Duration) {}

    /// Whether it has nothing left to do after [`Command::Shutdown`].
    fn has_ended(&self) -> bool {
        true
    }

    /// How far a rebuild has come, and how to stop it; None for a source that rebuilds nothing.
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

    fn has_ended(&self) -> bool {
        Engine::has_ended(self)
    }

    fn progress(&self) -> Option<&Progress> {
        Some(Engine::progress(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::presets;
    use std::cell::RefCell;
    use std::collections::VecDeque;

    /// Snapshots that were made before.
    struct Recording(RefCell<VecDeque<Box<Snapshot>>>);

    impl SnapshotSource for Recording {
        fn send(&self, _: Command) -> bool {
            true // a recording obeys nothing, and nothing waits for it
        }

        fn take(&self) -> Option<Box<Snapshot>> {
            self.0.borrow_mut().pop_front()
        }

        fn events(&self) -> Vec<Event> {
            Vec::new()
        }
    }

    #[test]
    fn a_source_needs_no_engine() {
        let mut second = Box::new(Snapshot::synthetic(presets::by_name("ridge").unwrap()));
        second.state.clock.steps = 7;
        let recording = Recording(RefCell::new([Box::default(), second].into()));
        let source: Box<dyn SnapshotSource> = Box::new(recording);
        assert!(source.send(Command::Run) && source.events().is_empty() && source.progress().is_none());
        assert_eq!(source.lease_core(), Duration::ZERO);
        let steps: Vec<u64> = std::iter::from_fn(|| source.take()).map(|snapshot| snapshot.clock.steps).collect();
        assert_eq!(steps, [0, 7]);
    }
}
