//! A helper thread that fits Gabor functions to the first layer's filters, off the window's and the simulation's threads.

use crate::analysis::gabor::{self, Gabor};
use crate::analysis::groups::{Group, groups};
use crate::engine::Snapshot;
use crate::experiment::ModelVersion;
use crate::studies::fits;
use crossbeam_channel::{Receiver, Sender, bounded};
use ndarray::Array2;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Between two passes at least.
const REST: Duration = Duration::from_secs(1);
/// The same while nobody looks at them.
const UNSEEN: Duration = Duration::from_secs(10);

/// How much the fits are needed. What they take of a core while filters learn, learning loses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// Nobody asks for them.
    #[default]
    Nothing,
    /// They are to be at hand: now and then, a hundredth of a core at most.
    AtHand,
    /// They are in the picture: a tenth of a core.
    Shown,
}

impl Need {
    /// After a pass that took this long. None: no other pass.
    fn rest(self, took: Duration) -> Option<Duration> {
        match self {
            Self::Nothing => None,
            Self::AtHand => Some(UNSEEN.max(100 * took)),
            Self::Shown => Some(REST.max(10 * took)),
        }
    }
}

/// The fits of all filters of the first layer.
#[derive(Clone, Debug)]
pub struct Fits {
    /// Model and weights that they belong to.
    pub of: ModelVersion,
    /// Images seen by then.
    pub images: u64,
    /// Side of the patch, pixels.
    pub side: usize,
    /// One fit a unit.
    pub gabors: Arc<Vec<Gabor>>,
    /// Groups of filters that each second-layer unit drives; empty without a second layer.
    pub groups: Arc<Vec<Group>>,
}

impl Fits {
    /// Share of Gabor-like filters, and the median R^2.
    pub fn summary(&self) -> (f64, f64) {
        let mut r2: Vec<f64> = self.gabors.iter().map(|fit| fit.r2).collect();
        r2.sort_by(f64::total_cmp);
        let good = self.gabors.iter().filter(|fit| fit.is_gabor_like(self.side)).count();
        (good as f64 / r2.len().max(1) as f64, r2.get(r2.len() / 2).copied().unwrap_or_default())
    }

    /// Whether weights have changed since.
    pub fn stale(&self, snapshot: &Snapshot) -> bool {
        self.of != version(snapshot)
    }
}

/// Which model and weights a snapshot shows.
fn version(snapshot: &Snapshot) -> ModelVersion {
    ModelVersion { model: snapshot.model_id, weights: snapshot.weights_version }
}

/// What is to be fitted: filters shared with the snapshot, as no model is needed for them.
struct FitRequest {
    of: ModelVersion,
    images: u64,
    side: usize,
    filters: Arc<Array2<f32>>,
    second: Option<Arc<Array2<f32>>>,
}

/// The helper; ends with its owner.
pub(super) struct Fitter {
    jobs: Option<Sender<FitRequest>>,
    results: Receiver<(Fits, Duration)>,
    thread: Option<JoinHandle<()>>,
    last: Option<ModelVersion>,
    /// When the last pass came, and how long it took.
    passed: Option<(Instant, Duration)>,
    busy: bool,
}

impl Fitter {
    /// `wake` is called when fits have come.
    pub(super) fn start(wake: impl Fn() + Send + 'static) -> std::io::Result<Self> {
        let (jobs, inbox) = bounded::<FitRequest>(1);
        let (outbox, results) = bounded(1);
        let body = move || {
            let mut last: (u64, Arc<Vec<Gabor>>) = Default::default();
            for job in inbox {
                let begin = Instant::now();
                let before = if last.0 == job.of.model { last.1.as_slice() } else { &[] };
                let fit = |(unit, column): (usize, ndarray::ArrayView1<f32>)| match before.get(unit) {
                    Some(before) => gabor::follow(&column.to_vec(), job.side, before),
                    None => gabor::fit(&column.to_vec(), job.side),
                };
                let gabors: Arc<Vec<Gabor>> = Arc::new(job.filters.columns().into_iter().enumerate().map(fit).collect());
                last = (job.of.model, gabors.clone());
                let groups = job.second.map(|second| groups(second.view(), &gabors, job.side)).unwrap_or_default().into();
                let fits = Fits { of: job.of, images: job.images, side: job.side, gabors, groups };
                if outbox.send((fits, begin.elapsed())).is_err() {
                    return;
                }
                wake();
            }
        };
        let thread = std::thread::Builder::new().name("fits".into()).spawn(body)?;
        Ok(Self { jobs: Some(jobs), results, thread: Some(thread), last: None, passed: None, busy: false })
    }

    /// Has the filters of `snapshot` fitted, if they are others than the last and the helper has rested.
    pub(super) fn offer(&mut self, snapshot: &Snapshot, need: Need) {
        let of = version(snapshot);
        let Some(filters) = snapshot.weights.first() else { return };
        let Some(side) = fits::side(filters.nrows()) else { return };
        let rested = match self.passed.filter(|_| self.last.is_some_and(|last| last.model == of.model)) {
            Some((at, took)) => need.rest(took).is_some_and(|rest| at.elapsed() >= rest),
            None => need > Need::Nothing,
        };
        if self.busy || self.last == Some(of) || !rested {
            return;
        }
        let job =
            FitRequest { of, images: snapshot.clock.images, side, filters: filters.clone(), second: snapshot.weights.get(1).cloned() };
        if self.jobs.as_ref().is_some_and(|jobs| jobs.try_send(job).is_ok()) {
            (self.busy, self.last) = (true, Some(of));
        }
    }

    /// What was fitted since the last call.
    pub(super) fn take(&mut self) -> Option<Fits> {
        let (fits, took) = self.results.try_recv().ok()?;
        self.busy = false;
        self.passed = Some((Instant::now(), took));
        Some(fits)
    }
}

impl Drop for Fitter {
    fn drop(&mut self) {
        self.jobs = None;
        while self.thread.as_ref().is_some_and(|thread| !thread.is_finished()) {
            let _ = self.results.recv_timeout(Duration::from_millis(5)); // room for the last pass
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fits_take_no_more_of_a_core_than_they_are_needed() {
        let took = Duration::from_millis(50);
        let share = |need: Need| need.rest(took).map_or(0.0, |rest| took.as_secs_f64() / rest.as_secs_f64());
        assert_eq!([Need::Nothing, Need::AtHand, Need::Shown].map(share), [0.0, 0.005, 0.05]);
        let slow = [Need::AtHand, Need::Shown].map(|need| need.rest(10 * took));
        assert_eq!(slow, [Some(1000 * took), Some(100 * took)], "a hundredth and a tenth at most");
    }
}
