//! How long the window's thread works on a frame, how often it draws, and what of a frame is still to come after the views are drawn.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Frames over which the quantiles are taken.
const FRAMES: usize = 600;
/// Between two readings of rate and quantiles.
const READING: Duration = Duration::from_millis(500);

/// The frame being worked on, and statistics of those before.
pub(super) struct FrameTimes {
    /// How long this frame has waited for a core, and the one before.
    core_waits: [Duration; 2],
    /// When work on this frame began, after that wait.
    begun: Instant,
    /// How long the frame before took until its triangles were to be made and painted.
    drawing: Duration,
    statistics: Statistics,
}

impl Default for FrameTimes {
    fn default() -> Self {
        Self { core_waits: [Duration::ZERO; 2], begun: Instant::now(), drawing: Duration::ZERO, statistics: Statistics::default() }
    }
}

impl FrameTimes {
    /// Work on a frame begins, after this wait for a core.
    pub(super) fn begin(&mut self, core_wait: Duration) {
        self.core_waits = [core_wait, self.core_waits[0]];
        self.begun = Instant::now();
    }

    /// The views of this frame are drawn.
    pub(super) fn end_drawing(&mut self) {
        self.drawing = self.begun.elapsed();
    }

    /// Counts the frame before, of which the desktop says how long all of it took.
    pub(super) fn count_previous(&mut self, all: Option<Duration>) {
        self.statistics.add(all.map(|all| all.saturating_sub(self.core_waits[1])), Some(self.drawing));
    }

    /// Counts this frame, which took so long; for measurements.
    pub(super) fn count_present(&mut self, all: Duration) {
        self.statistics.add(Some(all.saturating_sub(self.core_waits[0])), None);
    }

    /// How long this frame waited for a core.
    #[cfg(test)]
    pub(super) fn core_wait(&self) -> Duration {
        self.core_waits[0]
    }

    /// Work of the last frame that was counted, ms, without waiting.
    pub(super) fn last_ms(&self) -> Option<f32> {
        self.statistics.work.back().copied()
    }

    /// What making triangles and painting will take: the median of the last frames.
    pub(super) fn after_drawing(&self) -> Duration {
        Duration::from_secs_f32(self.statistics.after_drawing_ms / 1e3)
    }

    /// Frames a second over the last half second.
    pub(super) fn rate(&self) -> f64 {
        self.statistics.rate
    }

    /// Median and 99th percentile of the work of a frame, ms, and of how many frames.
    pub(super) fn quantiles(&self) -> ([f32; 2], usize) {
        (self.statistics.quantiles, self.statistics.work.len())
    }
}

/// Of the last frames.
struct Statistics {
    since: Instant,
    count: u32,
    rate: f64,
    /// Milliseconds of work, without waiting for the display.
    work: VecDeque<f32>,
    /// Median and 99th percentile of `work`, as of `since`.
    quantiles: [f32; 2],
    /// Milliseconds after the views were drawn: triangles and painting.
    after_drawing: VecDeque<f32>,
    /// Their median, as of `since`.
    after_drawing_ms: f32,
}

impl Default for Statistics {
    fn default() -> Self {
        Self {
            since: Instant::now(),
            count: 0,
            rate: 0.0,
            work: VecDeque::new(),
            quantiles: [0.0; 2],
            after_drawing: VecDeque::new(),
            after_drawing_ms: 0.0,
        }
    }
}

impl Statistics {
    /// Counts a frame; `work` is what it took, where known, and `drawing` its part until the views were drawn.
    fn add(&mut self, work: Option<Duration>, drawing: Option<Duration>) {
        let ms = |time: Duration| time.as_secs_f32() * 1e3;
        self.count += 1;
        self.work.extend(work.map(ms));
        self.after_drawing.extend(work.zip(drawing).map(|(work, drawing)| ms(work.saturating_sub(drawing))));
        for times in [&mut self.work, &mut self.after_drawing] {
            if times.len() > FRAMES {
                times.pop_front();
            }
        }
        if self.since.elapsed() > READING {
            self.rate = f64::from(self.count) / self.since.elapsed().as_secs_f64();
            (self.since, self.count) = (Instant::now(), 0);
            self.quantiles = quantiles(&self.work, [0.5, 0.99]);
            [self.after_drawing_ms] = quantiles(&self.after_drawing, [0.5]);
        }
    }
}

/// The values below which these shares of `times` are; 0 where there are none.
fn quantiles<const N: usize>(times: &VecDeque<f32>, shares: [f64; N]) -> [f32; N] {
    let mut sorted: Vec<f32> = times.iter().copied().collect();
    sorted.sort_unstable_by(f32::total_cmp);
    shares.map(|share| sorted.get((sorted.len() as f64 * share) as usize).copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_of_a_frame_is_known_from_those_before() {
        let ms = Duration::from_millis;
        let mut frames = FrameTimes::default();
        assert_eq!(frames.after_drawing(), ms(0));
        // The part is that of another frame at times, and longer than the whole.
        for (work, drawing) in [(Some(5), Some(2)), (None, Some(1)), (Some(4), None), (Some(3), Some(9)), (Some(7), Some(3))] {
            frames.statistics.add(work.map(ms), drawing.map(ms));
        }
        frames.statistics.since -= ms(600);
        frames.statistics.add(None, None);
        assert!(frames.after_drawing().abs_diff(ms(3)) < Duration::from_micros(1), "{:?}", frames.statistics.after_drawing);
        assert_eq!(frames.quantiles(), ([5.0, 7.0], 4));
    }
}
