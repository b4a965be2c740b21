//! How far something that takes its time has come, and the request to have it stopped; shared between threads.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Progress of one task at a time.
#[derive(Debug, Default)]
pub struct Progress {
    what: Mutex<&'static str>,
    done: AtomicUsize,
    total: AtomicUsize,
    cancelled: AtomicBool,
}

impl Progress {
    /// A task of `total` parts begins; a request to stop the one before is forgotten by [`Progress::clear`] only.
    pub fn begin(&self, what: &'static str, total: usize) {
        *self.what.lock().unwrap_or_else(PoisonError::into_inner) = what;
        self.done.store(0, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
    }

    /// `parts` more are done.
    pub fn advance(&self, parts: usize) {
        self.done.fetch_add(parts, Ordering::Relaxed);
    }

    /// Nothing is under way any more.
    pub fn clear(&self) {
        self.begin("", 0);
        self.cancelled.store(false, Ordering::Relaxed);
    }

    /// Asks the task to stop soon.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether it was asked to stop.
    pub fn cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// What is under way, parts done and parts in all; None where nothing is.
    pub fn state(&self) -> Option<(&'static str, usize, usize)> {
        let what = *self.what.lock().unwrap_or_else(PoisonError::into_inner);
        (!what.is_empty()).then(|| (what, self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed)))
    }
}
