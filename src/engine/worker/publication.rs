//! What the readers of snapshots have seen so far.

use std::time::Instant;

/// What the readers have seen.
pub(super) struct Publication {
    /// Something has changed since the last snapshot.
    pub(super) changed: bool,
    pub(super) last_snapshot: Instant,
    /// Commands that had been executed by then.
    pub(super) commands_seen: Option<u64>,
    /// Snapshots not built because the last was not taken.
    pub(super) dropped: u64,
}

impl Default for Publication {
    fn default() -> Self {
        Self { changed: true, last_snapshot: Instant::now(), commands_seen: None, dropped: 0 }
    }
}

impl Publication {
    /// The next snapshot differs from the last.
    pub(super) fn mark_changed(&mut self) {
        self.changed = true;
    }
}
