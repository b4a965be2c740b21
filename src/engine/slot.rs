//! The latest snapshot between the simulation's thread and its reader.

use crate::engine::Snapshot;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Holds a snapshot until it is taken. Its lock is held for a few instructions only: snapshots are built before and dropped after.
#[derive(Default)]
pub(super) struct SnapshotSlot(Mutex<Option<Box<Snapshot>>>);

impl SnapshotSlot {
    fn content(&self) -> MutexGuard<'_, Option<Box<Snapshot>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the last snapshot was taken.
    pub(super) fn is_empty(&self) -> bool {
        self.content().is_none()
    }

    /// Puts a snapshot in the place of one that was not taken.
    pub(super) fn put(&self, snapshot: Box<Snapshot>) {
        let before = self.content().replace(snapshot);
        drop(before); // without the lock, which has ended with the line above
    }

    /// Takes the snapshot, if there is one.
    pub(super) fn take(&self) -> Option<Box<Snapshot>> {
        self.content().take()
    }

    /// Whether somebody holds the lock just now.
    #[cfg(test)]
    pub(super) fn is_locked(&self) -> bool {
        self.0.try_lock().is_err()
    }
}
