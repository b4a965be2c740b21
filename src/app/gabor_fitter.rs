//! Fits Gabor functions to the first layer's filters in the background, off the window's and the simulation's threads.

use crate::analysis::gabor::Gabor;
use crate::analysis::groups::{Group, groups};
use crate::engine::{BackgroundJob, Snapshot};
use crate::experiment::ModelVersion;
use crate::experiment::parallel::on_threads;
use crate::studies::fits;
use ndarray::Array2;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Time between two passes at least, while their fits are in sight.
const VISIBLE_PAUSE: Duration = Duration::from_secs(1);
/// The same while nobody looks at them.
const BACKGROUND_PAUSE: Duration = Duration::from_secs(10);

/// A pass that ends sooner is not told of.
const SOON: Duration = Duration::from_millis(500);

/// How urgently fits are needed. What they take of a core while filters learn, learning loses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum FitPriority {
    /// Nobody asks for them.
    #[default]
    Unneeded,
    /// A view may need them soon: now and then, a hundredth of a core at most.
    Background,
    /// A view shows them: a tenth of a core.
    Visible,
}

impl FitPriority {
    /// After a pass that took this long. None: no other pass.
    fn pause_after(self, took: Duration) -> Option<Duration> {
        match self {
            Self::Unneeded => None,
            Self::Background => Some(BACKGROUND_PAUSE.max(100 * took)),
            Self::Visible => Some(VISIBLE_PAUSE.max(10 * took)),
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
    /// Rows and columns of the patch.
    pub shape: [usize; 2],
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
        let gabor_like = self.gabors.iter().filter(|fit| fit.is_gabor_like(self.shape)).count();
        (gabor_like as f64 / r2.len().max(1) as f64, r2.get(r2.len() / 2).copied().unwrap_or_default())
    }

    /// Whether weights have changed since.
    pub fn stale(&self, snapshot: &Snapshot) -> bool {
        self.of != snapshot.version()
    }
}

/// Fits without a thread of its own, each pass from the fits of the one before.
#[derive(Default)]
pub(super) struct FitsInTurn(LastFits);

impl FitsInTurn {
    /// The fits of the filters of `snapshot`; None where it has none of a size that can be fitted.
    pub(super) fn fit(&mut self, snapshot: &Snapshot) -> Option<Fits> {
        fit_all(FitRequest::of(snapshot)?, &mut self.0, |_| true)
    }
}

/// The number of a model, and the last fits of its filters.
type LastFits = (u64, Arc<Vec<Gabor>>);

/// The filters to fit.
struct FitRequest {
    of: ModelVersion,
    images: u64,
    shape: [usize; 2],
    filters: Arc<Array2<f32>>,
    second: Option<Arc<Array2<f32>>>,
}

impl FitRequest {
    fn of(snapshot: &Snapshot) -> Option<Self> {
        let (filters, second) = (snapshot.weights.first()?.clone(), snapshot.weights.get(1).cloned());
        let shape = fits::patch(snapshot.image_shape())?;
        Some(Self { of: snapshot.version(), images: snapshot.clock.images, shape, filters, second })
    }
}

/// Fits, and how long they took of a core at most.
type FitReport = (Fits, Duration);

/// The job and when it was asked; ends with its owner.
pub(super) struct GaborFitter {
    job: BackgroundJob<FitRequest, FitReport>,
    /// Model and weights that were handed over last.
    last_request: Option<ModelVersion>,
    /// When the last pass came, and how long it took.
    last_pass: Option<(Instant, Duration)>,
    busy: bool,
    /// When the last pass began.
    since: Option<Instant>,
    loss_told: bool,
}

impl GaborFitter {
    /// `wake` is called when fits have come.
    pub(super) fn start(wake: impl Fn() + Send + 'static) -> std::io::Result<Self> {
        // One request is under way at a time, so that there is room for its report.
        let job = BackgroundJob::<FitRequest, _>::spawn("fits", 1, 1, move |requests, job| {
            let mut last = LastFits::default();
            for request in requests.iter().take_while(|_| !job.is_stopped()) {
                let (begin, total) = (Instant::now(), request.filters.ncols());
                let go_on = |done| {
                    job.set_progress(done, total);
                    !job.is_stopped()
                };
                // Where the system gives no threads, this one does the work.
                let mut waiting = Some(request);
                let on_all = on_threads(0, || Some((fit_all(waiting.take()?, &mut last, go_on)?, rayon::current_num_threads())));
                let fits = on_all.ok().flatten().or_else(|| Some((fit_all(waiting.take()?, &mut last, go_on)?, 1)));
                if let Some((fits, threads)) = fits {
                    job.report((fits, begin.elapsed() * threads as u32));
                }
                wake();
            }
        })?;
        Ok(Self { job, last_request: None, last_pass: None, busy: false, since: None, loss_told: false })
    }

    /// Has the filters of `snapshot` fitted, if they are others than the last and the thread has rested.
    pub(super) fn offer(&mut self, snapshot: &Snapshot, priority: FitPriority) {
        let of = snapshot.version();
        let rested = match self.last_pass.filter(|_| self.last_request.is_some_and(|last| last.model == of.model)) {
            Some((at, took)) => priority.pause_after(took).is_some_and(|pause| at.elapsed() >= pause),
            None => priority > FitPriority::Unneeded,
        };
        if self.busy || self.last_request == Some(of) || !rested {
            return;
        }
        let Some(request) = FitRequest::of(snapshot) else { return };
        if self.job.submit(request) {
            (self.busy, self.last_request, self.since) = (true, Some(of), Some(Instant::now()));
        }
    }

    /// Says once that filters are no longer fitted, because of a panic.
    pub(super) fn take_loss(&mut self) -> Option<String> {
        let report = self.job.loss().filter(|_| !self.loss_told)?;
        self.loss_told = true;
        Some(format!("filters are no longer fitted: {report}"))
    }

    /// How many of the filters are fitted, of how many, while that takes long.
    pub(super) fn progress(&self) -> Option<(usize, usize)> {
        self.since.filter(|since| self.busy && since.elapsed() > SOON).map(|_| self.job.progress())
    }

    /// What was fitted since the last call.
    pub(super) fn take(&mut self) -> Option<Fits> {
        let (fits, took) = self.job.reports().next()?;
        self.busy = false;
        self.last_pass = Some((Instant::now(), took));
        Some(fits)
    }
}

/// Fits every filter, from the last fits of the same model where there are any; None where `go_on`, which hears how many are done, ends it.
fn fit_all(request: FitRequest, last: &mut LastFits, mut go_on: impl FnMut(usize) -> bool) -> Option<Fits> {
    let FitRequest { of, images, shape, filters, second } = request;
    let before = if last.0 == of.model { last.1.as_slice() } else { &[] };
    let gabors: Arc<Vec<Gabor>> = Arc::new(fits::fit_all(filters.view(), shape, before, &mut go_on)?);
    *last = (of.model, gabors.clone());
    let groups = second.map(|second| groups(second.view(), &gabors, shape)).unwrap_or_default().into();
    Some(Fits { of, images, shape, gabors, groups })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fits_take_no_more_of_a_core_than_they_are_needed() {
        let took = Duration::from_millis(50);
        let share = |priority: FitPriority| priority.pause_after(took).map_or(0.0, |pause| took.as_secs_f64() / pause.as_secs_f64());
        assert_eq!([FitPriority::Unneeded, FitPriority::Background, FitPriority::Visible].map(share), [0.0, 0.005, 0.05]);
        let slow = [FitPriority::Background, FitPriority::Visible].map(|priority| priority.pause_after(10 * took));
        assert_eq!(slow, [Some(1000 * took), Some(100 * took)], "a hundredth and a tenth at most");
    }
}
