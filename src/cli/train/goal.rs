//! How long a run of `train` lasts, and how one that was stopped goes on.

use crate::experiment::session::Session;
use std::time::Instant;

/// How long a run shall last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Length {
    /// Images, where their number was asked for.
    pub(super) images: Option<u64>,
    /// Seconds at most.
    pub(super) seconds: Option<f64>,
    /// Images after which to stop, before the run has come to its end.
    pub(super) stop_after: Option<u64>,
    /// Images of a run whose length nobody has said.
    pub(super) usual: u64,
}

/// When a run is over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Goal {
    start: Instant,
    /// The last image of the run, where its length is known in images.
    last: Option<u64>,
    /// The last image to learn from now.
    stop: Option<u64>,
    seconds: Option<f64>,
    /// The share of a run by the clock that was done when it was stopped.
    share_before: f64,
}

impl Goal {
    /// Announces the run to the session: the one that was stopped, where the session goes on exactly and no more is asked for, else
    /// another one.
    pub(super) fn announce(length: Length, session: &mut Session, goes_on_exactly: bool) -> Self {
        let learned = if goes_on_exactly { session.images_learned() } else { session.images() };
        let stopped = session.last_image_of_run().filter(|_| goes_on_exactly);
        let share_before = session.share_of_run().filter(|&share| goes_on_exactly && share < 1.0).unwrap_or(0.0);
        let mut announce = |images| if goes_on_exactly { session.run_on_for(images) } else { session.run_for(images) };
        let (last, stop) = match (length.images, stopped, length.seconds) {
            (Some(images), Some(last), _) if learned.saturating_add(images) <= last => (Some(last), Some(learned + images)),
            (Some(images), ..) => (Some(announce(images)), None),
            (None, Some(last), _) => (Some(last), None),
            (None, None, Some(_)) => (None, None),
            (None, None, None) => (Some(announce(length.usual)), None),
        };
        let asked = length.stop_after.map(|images| learned.saturating_add(images));
        let stop = [last, stop, asked].into_iter().flatten().min();
        Self { start: Instant::now(), last, stop, seconds: length.seconds, share_before }
    }

    /// Whether the length of the run is known in images.
    pub(super) fn is_in_images(&self) -> bool {
        self.last.is_some()
    }

    /// The last image to learn from.
    pub(super) fn stop(&self) -> Option<u64> {
        self.stop
    }

    /// Since the run was announced.
    pub(super) fn elapsed_seconds(&self) -> f64 {
        self.start.elapsed().as_secs_f64()
    }

    /// Whether nothing more is to be learned. The images of the presentation that runs are counted when it begins, so the last one ends
    /// past the number asked for.
    pub(super) fn is_reached(&self, session: &Session) -> bool {
        self.stop.is_some_and(|stop| session.images() > stop) || self.is_time_over()
    }

    fn is_time_over(&self) -> bool {
        self.seconds.is_some_and(|seconds| self.elapsed_seconds() >= seconds)
    }

    /// Tells the session how far a run by the clock has come.
    pub(super) fn tell(&self, session: &mut Session) {
        if let (None, Some(seconds)) = (self.last, self.seconds) {
            session.set_run_progress(self.share_before + (1.0 - self.share_before) * self.elapsed_seconds() / seconds);
        }
    }

    /// Says after the last presentation whether a run by the clock has come to its end.
    pub(super) fn end(&self, session: &mut Session) {
        if self.last.is_none() && self.is_time_over() {
            session.end_run();
        }
    }
}
