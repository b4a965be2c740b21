//! What the views show: the latest snapshot and bounded histories fed by it. Pausing keeps everything.

use crate::app::actions::ExportSettings;
use crate::app::gabor_fitter::Fits;
use crate::app::histories::{self, Histories};
use crate::app::measured_curves::{MeasuredCurves, are_left_behind};
use crate::engine::{InterneuronSample, LearningPoint, Snapshot, SnapshotIncrement, TraceSample};
use std::collections::VecDeque;

/// Two of the longest windows, 10 s each, at 1 ms a step.
const TRACE_SAMPLES: usize = 20_000;
const CLOUD_POINTS: usize = 200_000;
/// Steps of the raster.
pub const RASTER_STEPS: usize = 400;
/// Steps of the trails: a second at the usual ones.
const TRAIL_STEPS: usize = 1000;
const LEARNING_POINTS: usize = 4_000;
const FIT_POINTS: usize = 2_000;
/// Share of the newest picture in the running mean of activity.
const ACTIVITY_RATE: f32 = 0.03;

/// Latest picture and histories.
#[derive(Default)]
pub struct ViewState {
    /// The latest snapshot; its increments have moved into the histories.
    pub latest: Option<Box<Snapshot>>,
    /// Of each traced unit, by time.
    pub traces: Vec<VecDeque<TraceSample>>,
    /// Of the interneurons below each traced unit.
    pub interneurons: Vec<VecDeque<InterneuronSample>>,
    /// <T(y)> of the whole layer below the traced one, the last steps.
    pub raster: VecDeque<Vec<f32>>,
    /// The last positions of every network's pair.
    pub trails: VecDeque<Vec<[f32; 2]>>,
    /// Positions since the stimulus, pair or model changed.
    pub cloud: VecDeque<[f32; 2]>,
    /// Learning curves; thinned when they grow long.
    pub learning: Vec<LearningPoint>,
    /// Gabor fits of the first layer's filters, the last that came.
    pub fits: Option<Fits>,
    /// Images seen, share of Gabor-like filters and median R^2, one entry a pass of fits.
    pub fit_history: Vec<[f64; 3]>,
    /// Curves of generation, races and studies that the latest snapshot no longer has.
    measured: MeasuredCurves,
    /// Running mean of |x| of each unit in network 0, layers 0..=L.
    pub activity: Vec<Vec<f32>>,
    /// Whether this is what was shown at an earlier moment, which stands still.
    pub(super) is_past: bool,
    /// The run that goes on live beside the one that is shown, where one does.
    pub(super) beside: Option<Box<ViewState>>,
    /// What an export writes.
    pub export: ExportSettings,
    /// Of each network: sum and sum of squares of the pair's first unit since `settled_ms`, and how many.
    moments: (Vec<[f64; 2]>, f64),
    /// Simulated time from which samples count for [`ViewState::variance`].
    settled_ms: f64,
    thinning: usize,
    skipped: usize,
    /// Points of the curves of a run that was kept, until two new ones tell of how many these had one.
    kept_points: Option<usize>,
}

impl ViewState {
    /// Takes a snapshot in: histories of another model or other units are forgotten; of a run that was kept they come back.
    pub fn absorb(&mut self, snapshot: Box<Snapshot>) {
        self.take_in(snapshot, false);
    }

    /// The same; where it `is_recorded`, what is new in the snapshot comes back.
    pub(super) fn take_in(&mut self, mut snapshot: Box<Snapshot>, is_recorded: bool) -> SnapshotIncrement {
        let is_other = self.latest.as_ref().is_none_or(|before| before.model_id != snapshot.model_id);
        self.forget(&snapshot);
        if let Some(before) = self.latest.as_ref().filter(|before| !is_other && are_left_behind(before, &snapshot)) {
            self.measured = std::mem::take(&mut self.measured).renewed(MeasuredCurves::of(before));
        }
        if let Some(views) = snapshot.views.as_ref().filter(|_| is_other) {
            let Histories { learning, fits, traces, interneurons, measured } = histories::from_arrays(views);
            (self.learning, self.fit_history, self.traces, self.interneurons) = (learning, fits, traces, interneurons);
            self.measured = measured;
            self.kept_points = Some(self.learning.len()).filter(|&count| count > 1);
        }
        self.activity.resize(snapshot.states.len(), Vec::new());
        for (mean, x) in self.activity.iter_mut().zip(&snapshot.states) {
            mean.resize(x.len(), 0.0);
            mean.iter_mut().zip(x).for_each(|(mean, x)| *mean += ACTIVITY_RATE * (x.abs() - *mean));
        }
        let new = std::mem::take(&mut snapshot.increment);
        append(&mut self.traces, &new.traces);
        append(&mut self.interneurons, &new.interneurons);
        let SnapshotIncrement { traces, interneurons, raster, pairs, learning } = new;
        let increment = if is_recorded {
            SnapshotIncrement { traces, interneurons, raster: raster.clone(), pairs: pairs.clone(), learning: learning.clone() }
        } else {
            SnapshotIncrement::default()
        };
        self.raster.extend(raster);
        keep_newest(&mut self.raster, RASTER_STEPS);
        self.absorb_pairs(pairs, snapshot.clock.time_ms);
        self.absorb_learning(learning);
        self.latest = Some(snapshot);
        increment
    }

    /// Forgets what does not belong to the model, the units or the distribution of this snapshot.
    fn forget(&mut self, snapshot: &Snapshot) {
        let before = self.latest.as_ref();
        if before.is_none_or(|b| b.model_id != snapshot.model_id) {
            let (export, beside) = (std::mem::take(&mut self.export), self.beside.take());
            *self = Self { thinning: 1, export, beside, ..Self::default() };
        } else if before.is_some_and(|b| b.watch != snapshot.watch) {
            (self.traces, self.interneurons) = (Vec::new(), Vec::new());
            self.raster.clear();
            self.trails.clear();
            self.cloud.clear();
        } else if before.is_some_and(|b| {
            let free = |s: &Snapshot| s.stimulus.completed.as_ref().map(|done| done.free.clone());
            b.stimulus.stimulus != snapshot.stimulus.stimulus || free(b) != free(snapshot) || b.config.dynamics != snapshot.config.dynamics
        }) {
            // Samples of another distribution must not stay in the picture of this one.
            self.cloud.clear();
            self.trails.clear();
        }
        if self.cloud.is_empty() {
            let d = &snapshot.config.dynamics;
            self.moments = Default::default();
            self.settled_ms = snapshot.clock.time_ms + 3.0 * d.tau_x_ms.max(d.tau_eps_ms);
        }
    }

    /// Positions of the pair of watched units, `[networks]` a recorded step.
    fn absorb_pairs(&mut self, pairs: Vec<Vec<[f32; 2]>>, time_ms: f64) {
        for positions in pairs {
            if time_ms > self.settled_ms {
                self.moments.0.resize(positions.len(), [0.0; 2]);
                self.moments.1 += 1.0;
                for (sums, p) in self.moments.0.iter_mut().zip(&positions) {
                    let x = f64::from(p[0]);
                    *sums = [sums[0] + x, sums[1] + x * x];
                }
            }
            // Of full length from the start, as the traces.
            self.cloud.reserve_exact(CLOUD_POINTS.saturating_sub(self.cloud.len()));
            let surplus = (self.cloud.len() + positions.len()).saturating_sub(CLOUD_POINTS);
            self.cloud.drain(..surplus.min(self.cloud.len()));
            self.cloud.extend(&positions[positions.len().saturating_sub(CLOUD_POINTS)..]);
            self.trails.push_back(positions);
        }
        keep_newest(&mut self.trails, TRAIL_STEPS);
    }

    /// Points of the learning curves; a curve that has grown long keeps every second point, and takes fewer from then on.
    fn absorb_learning(&mut self, points: Vec<LearningPoint>) {
        let points = match self.kept_points.take() {
            Some(count) => {
                let new: Vec<LearningPoint> = self.learning.drain(count.min(self.learning.len())..).chain(points).collect();
                if new.len() < 2 {
                    self.learning.extend(new); // one point tells no distance
                    self.kept_points = Some(count);
                    return;
                }
                self.thinning = thinning_before(&self.learning, &new);
                new
            }
            None => points,
        };
        for point in points {
            self.skipped += 1;
            if self.skipped >= self.thinning {
                self.skipped = 0;
                self.learning.push(point);
            }
        }
        if self.learning.len() > LEARNING_POINTS {
            keep_every_second(&mut self.learning);
            self.thinning *= 2;
        }
    }

    /// What is to be kept of the run that is shown.
    pub(super) fn histories(&self) -> Histories {
        fn last<T: Copy>(histories: &[VecDeque<T>]) -> Vec<VecDeque<T>> {
            let end =
                |history: &VecDeque<T>| history.iter().skip(history.len().saturating_sub(histories::TRACE_SAMPLES)).copied().collect();
            histories.iter().map(end).collect()
        }
        Histories { traces: last(&self.traces), interneurons: last(&self.interneurons), ..self.curves() }
    }

    /// The curves over the whole run alone.
    pub(super) fn curves(&self) -> Histories {
        let measured = self.latest.as_ref().map_or_else(|| self.measured.clone(), |snapshot| self.measured(snapshot));
        Histories { learning: self.learning.clone(), fits: self.fit_history.clone(), measured, ..Histories::default() }
    }

    /// What was measured on the run that is shown, up to `snapshot`, its latest.
    pub(super) fn measured(&self, snapshot: &Snapshot) -> MeasuredCurves {
        self.measured.clone().renewed(MeasuredCurves::of(snapshot))
    }

    /// Takes fits in, unless they are of another model.
    pub fn take_fits(&mut self, fits: Fits) {
        if self.latest.as_ref().is_some_and(|snapshot| snapshot.model_id == fits.of.model) {
            let (share, median) = fits.summary();
            self.fit_history.push([fits.images as f64, share, median]);
            if self.fit_history.len() > FIT_POINTS {
                keep_every_second(&mut self.fit_history);
            }
            self.fits = Some(fits);
        }
    }

    /// A few of the positions since the last change, evenly: `most` or up to twice as many.
    pub fn thinned_cloud(&self, most: usize) -> impl Iterator<Item = &[f32; 2]> {
        self.cloud.iter().step_by((self.cloud.len() / most).max(1))
    }

    /// Variance of the pair's first unit over networks and time since the last change had settled, and its standard error.
    pub fn variance(&self) -> Option<(f64, f64)> {
        let (sums, n) = (&self.moments.0, self.moments.1);
        let count = sums.len() as f64;
        if n < 20.0 || count < 8.0 {
            return None;
        }
        let mean = sums.iter().map(|s| s[0]).sum::<f64>() / (n * count);
        let own: Vec<f64> = sums.iter().map(|s| s[1] / n - 2.0 * mean * s[0] / n + mean * mean).collect();
        let all = own.iter().sum::<f64>() / count;
        let spread = own.iter().map(|v| (v - all).powi(2)).sum::<f64>() / (count - 1.0);
        Some((all, (spread / count).sqrt()))
    }
}

fn keep_newest<T>(history: &mut VecDeque<T>, most: usize) {
    history.drain(..history.len().saturating_sub(most));
}

fn keep_every_second<T>(history: &mut Vec<T>) {
    let mut keep = false;
    history.retain(|_| {
        keep = !keep;
        keep
    });
}

fn append<T: Copy>(histories: &mut Vec<VecDeque<T>>, new: &[Vec<T>]) {
    // Of full length from the start: a ring that grows passes through all of the memory it has doubled into.
    histories.resize_with(new.len(), || VecDeque::with_capacity(TRACE_SAMPLES));
    for (history, samples) in histories.iter_mut().zip(new) {
        let last = &samples[samples.len().saturating_sub(TRACE_SAMPLES)..];
        let surplus = (history.len() + last.len()).saturating_sub(TRACE_SAMPLES);
        history.drain(..surplus);
        history.extend(last);
    }
}

/// Of how many points a curve that was kept has one, from the images between two of its last points and those between two new ones.
fn thinning_before(kept: &[LearningPoint], new: &[LearningPoint]) -> usize {
    let [before, now] = [kept.last_chunk(), new.first_chunk()].map(|two: Option<&[LearningPoint; 2]>| match two {
        Some([first, second]) => second.images.saturating_sub(first.images),
        None => 0,
    });
    before.checked_div(now).unwrap_or(1).max(1) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Engine;
    use crate::experiment::presets;
    use std::time::{Duration, Instant};

    fn snapshot() -> Snapshot {
        let engine = Engine::start(presets::by_name("ridge").unwrap(), || {}).unwrap();
        let start = Instant::now();
        loop {
            if let Some(snapshot) = engine.take_snapshot() {
                return Snapshot { increment: SnapshotIncrement::default(), ..*snapshot };
            }
            assert!(start.elapsed() < Duration::from_secs(20));
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    #[test]
    fn histories_are_bounded_and_forget_what_no_longer_applies() {
        let mut state = ViewState::default();
        state.export.zoom = 9;
        let empty = snapshot();
        let full = || {
            let point = |i: u64| LearningPoint { images: i, ..Default::default() };
            let increment = SnapshotIncrement {
                traces: vec![vec![TraceSample::default(); 20_000]],
                pairs: vec![vec![[0.5, 0.5]; 64]; 400],
                learning: (0..3000).map(point).collect(),
                ..SnapshotIncrement::default()
            };
            Box::new(Snapshot { increment, ..empty.clone() })
        };
        (0..12).for_each(|_| state.absorb(full()));
        assert_eq!((state.traces[0].len(), state.cloud.len(), state.trails.len()), (TRACE_SAMPLES, CLOUD_POINTS, TRAIL_STEPS));
        let capacities = [state.traces[0].capacity(), state.cloud.capacity()];
        assert_eq!(capacities, [TRACE_SAMPLES, CLOUD_POINTS], "memory of twice the length would be dirtied");
        assert!(state.learning.len() <= LEARNING_POINTS && state.learning.len() > LEARNING_POINTS / 4);

        let mut slower = empty.clone();
        slower.increment.traces = vec![Vec::new()];
        let mut config = (*slower.config).clone();
        config.dynamics.tau_eps_ms *= 10.0;
        slower.state.config = config.into();
        state.absorb(Box::new(slower.clone()));
        assert!(state.cloud.is_empty() && !state.traces.is_empty(), "samples of the old distribution go, traces stay");

        slower.state.model_id += 1;
        state.absorb(Box::new(slower));
        assert!(state.learning.is_empty() && state.traces[0].is_empty());
        assert_eq!(state.export.zoom, 9);
    }
    #[test]
    fn a_curve_that_was_kept_goes_on_as_dense_as_it_was() {
        let of = |range: std::ops::Range<u64>, spacing: u64| -> Vec<LearningPoint> {
            range.map(|i| LearningPoint { images: spacing * i, ..Default::default() }).collect()
        };
        let mut state = ViewState { learning: of(0..1000, 400), kept_points: Some(1000), ..ViewState::default() };
        state.absorb_learning(of(4000..4040, 100));
        assert_eq!(state.learning.len(), 1010, "one of four");
        assert!(state.learning.windows(2).skip(1000).all(|two| two[1].images - two[0].images == 400));

        let mut state = ViewState { learning: of(0..1000, 400), kept_points: Some(1000), ..ViewState::default() };
        state.absorb_learning(of(4000..4001, 100));
        state.absorb_learning(of(4001..4041, 100));
        assert_eq!(state.learning.len(), 1010, "a single point tells no distance, and two tell it");

        let mut state = ViewState { learning: of(0..1000, 400), kept_points: Some(1000), ..ViewState::default() };
        (4000..24_000).for_each(|i| state.absorb_learning(of(i..i + 1, 100)));
        assert!(state.learning.len() <= LEARNING_POINTS, "points that come one by one are thinned too: {}", state.learning.len());
    }
}
