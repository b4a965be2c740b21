//! The window's end of the simulation: commands wait here until the source takes them, snapshots and events are fetched from it.

use crate::data::Progress;
use crate::engine::{Command, Event, GenerationCommand, Pace, Snapshot, SnapshotSource};
use std::collections::VecDeque;
use std::time::Duration;

/// The pace that full speed goes back to where no other was set.
const FIRST_PACE: Pace = Pace::StepsPerSecond(450.0);

/// A source of snapshots and what it was told.
pub(super) struct Simulation {
    source: Box<dyn SnapshotSource>,
    /// Commands that the source had no room for yet.
    pending: VecDeque<Command>,
    /// The last pace that was not full speed.
    limited_pace: Pace,
    /// Whether the source believes that images being generated are in sight.
    generation_visible: bool,
    parts_visible: bool,
}

impl Simulation {
    pub(super) fn new(source: Box<dyn SnapshotSource>) -> Self {
        Self { source, pending: VecDeque::new(), limited_pace: FIRST_PACE, generation_visible: true, parts_visible: false }
    }

    /// Queues a command. Of stimuli and masks that wait in a row the latest of each kind counts, so that a fast drag never piles up.
    pub(super) fn queue(&mut self, command: Command) {
        let replaceable = |c: &Command| matches!(c, Command::SetStimulus(_) | Command::FreePixels(_));
        let same = |c: &Command| std::mem::discriminant(c) == std::mem::discriminant(&command);
        let waiting = self.pending.iter_mut().rev().take_while(|c| replaceable(c));
        match waiting.into_iter().find(|c| replaceable(&command) && same(c)) {
            Some(older) => *older = command,
            None => self.pending.push_back(command),
        }
    }

    /// Hands over what waits, as far as there is room for it; the rest is tried again with the next frame.
    pub(super) fn send_pending(&mut self) {
        while let Some(command) = self.pending.pop_front() {
            if !self.source.send(command.clone()) {
                self.pending.push_front(command);
                break;
            }
        }
    }

    /// Whether it has ended, after a command to do so.
    pub(super) fn has_ended(&self) -> bool {
        !self.has_pending() && self.source.has_ended()
    }

    pub(super) fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// The latest snapshot, if there is one that was not taken yet.
    pub(super) fn take(&mut self) -> Option<Box<Snapshot>> {
        let snapshot = self.source.take()?;
        if let Pace::StepsPerSecond(_) = snapshot.clock.pace {
            self.limited_pace = snapshot.clock.pace;
        }
        Some(snapshot)
    }

    pub(super) fn events(&self) -> Vec<Event> {
        self.source.events()
    }

    /// Full speed, or from there the pace before.
    pub(super) fn toggle_full_speed(&mut self, is_full: bool) {
        self.queue(Command::SetPace(if is_full { self.limited_pace } else { Pace::Full }));
    }

    /// Says whether images being generated are in sight: nothing is computed that nobody sees.
    pub(super) fn set_generation_visible(&mut self, visible: bool) {
        if std::mem::replace(&mut self.generation_visible, visible) != visible {
            self.queue(Command::Generation(GenerationCommand::SetVisible(visible)));
        }
    }

    /// Says whether what moves every unit is in sight.
    pub(super) fn set_parts_visible(&mut self, visible: bool) {
        if std::mem::replace(&mut self.parts_visible, visible) != visible {
            self.queue(Command::ShowParts(visible));
        }
    }

    /// Says that a frame begins, and returns how long it waited for a core.
    pub(super) fn lease_core(&self) -> Duration {
        self.source.lease_core()
    }

    /// Says that the frame ends after `rest`.
    pub(super) fn release_core(&self, rest: Duration) {
        self.source.release_core(rest);
    }

    /// How far a rebuild has come, where the source has such.
    pub(super) fn progress(&self) -> Option<&Progress> {
        self.source.progress()
    }
}
