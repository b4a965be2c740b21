//! The status bar.

use crate::app::theme;
use crate::engine::{Clock, Snapshot};
use egui::Ui;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How long the window thread works on a frame, and how often it draws.
pub(super) struct FrameTimes {
    since: Instant,
    count: u32,
    /// Frames a second over the last half second.
    rate: f64,
    /// Milliseconds of work of the last frames, without waiting for the display.
    work: VecDeque<f32>,
    /// Median and 99th percentile of `work`, as of `since`.
    quantiles: [f32; 2],
    /// Milliseconds of the last frames after the views were drawn: triangles and painting. And their median, as of `since`.
    rests: VecDeque<f32>,
    rest: f32,
    /// The counters as they are shown, and since when.
    shown: Option<(Instant, Clock)>,
}

/// Between two readings of counters that run: faster ones nobody reads, and each costs the layout of its text.
const READING: Duration = Duration::from_millis(100);
/// Frames over which the quantiles are taken.
const FRAMES: usize = 600;

impl Default for FrameTimes {
    fn default() -> Self {
        Self {
            since: Instant::now(),
            count: 0,
            rate: 0.0,
            work: VecDeque::new(),
            quantiles: [0.0; 2],
            rests: VecDeque::new(),
            rest: 0.0,
            shown: None,
        }
    }
}

impl FrameTimes {
    /// Counts a frame; `work` is what the frame before took, where known, and `drawing` its part until the views were drawn.
    pub(super) fn add(&mut self, work: Option<Duration>, drawing: Option<Duration>) {
        let ms = |time: Duration| time.as_secs_f32() * 1e3;
        self.count += 1;
        self.work.extend(work.map(ms));
        self.rests.extend(work.zip(drawing).map(|(work, drawing)| ms(work.saturating_sub(drawing))));
        for times in [&mut self.work, &mut self.rests] {
            if times.len() > FRAMES {
                times.pop_front();
            }
        }
        if self.since.elapsed() > Duration::from_millis(500) {
            self.rate = f64::from(self.count) / self.since.elapsed().as_secs_f64();
            (self.since, self.count) = (Instant::now(), 0);
            self.quantiles = quantiles(&self.work, [0.5, 0.99]);
            [self.rest] = quantiles(&self.rests, [0.5]);
        }
    }

    /// Of the last frame, ms.
    pub(super) fn last(&self) -> Option<f32> {
        self.work.back().copied()
    }

    /// What making triangles and painting will take: the median of the last frames.
    pub(super) fn rest(&self) -> Duration {
        Duration::from_secs_f32(self.rest / 1e3)
    }

    /// Takes the counters in, if they stand still or the last reading is old enough.
    fn read(&mut self, clock: &Clock) {
        if !clock.running || self.shown.as_ref().is_none_or(|(at, _)| at.elapsed() >= READING) {
            self.shown = Some((Instant::now(), clock.clone()));
        }
    }
}

/// The values below which these shares of `times` are; 0 where there are none.
fn quantiles<const N: usize>(times: &VecDeque<f32>, shares: [f64; N]) -> [f32; N] {
    let mut sorted: Vec<f32> = times.iter().copied().collect();
    sorted.sort_unstable_by(f32::total_cmp);
    shares.map(|share| sorted.get((sorted.len() as f64 * share) as usize).copied().unwrap_or_default())
}

/// Draws it.
pub(super) fn status(ui: &mut Ui, snapshot: &Snapshot, frames: &mut FrameTimes) {
    let (governor, dark) = (&snapshot.governor, ui.visuals().dark_mode);
    frames.read(&snapshot.clock);
    let Some((_, clock)) = &frames.shown else { return };
    ui.horizontal_wrapped(|ui| {
        ui.label(format!("{:.2} s simulated", clock.time_ms / 1e3));
        ui.separator();
        ui.label(format!("{:.0} steps/s", clock.steps_per_second));
        ui.separator();
        let [median, slow] = frames.quantiles;
        ui.label(format!("{:.0} frames/s, {median:.1} ms", frames.rate)).on_hover_text(format!(
            "Work of the window's thread a frame: median {median:.1} ms, 99th percentile {slow:.1} ms of the last {}",
            frames.work.len()
        ));
        ui.separator();
        ui.label(format!("{} images", clock.images));
        ui.separator();
        ui.label(format!("{} dropped", clock.dropped))
            .on_hover_text("Pictures of the simulation that were not drawn because the window was busy");
        ui.separator();
        let tip = format!("Largest stable dt: {:.3} ms; stiffness lambda of the layers: {:.1?}", governor.limit_ms, governor.stiffness);
        let text = format!("dt {:.3} ms", governor.dt_ms);
        if governor.beyond {
            ui.colored_label(theme::alarm(dark), format!("{text}, past the stable {:.3} ms", governor.limit_ms)).on_hover_text(tip);
        } else if governor.lowered {
            ui.colored_label(theme::caution(dark), format!("{text}, lowered for stability")).on_hover_text(tip);
        } else {
            ui.label(text).on_hover_text(tip);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_of_a_frame_is_known_from_those_before() {
        let ms = Duration::from_millis;
        let mut frames = FrameTimes::default();
        assert_eq!(frames.rest(), ms(0));
        // The part is that of another frame at times, and longer than the whole.
        for (work, drawing) in [(Some(5), Some(2)), (None, Some(1)), (Some(4), None), (Some(3), Some(9)), (Some(7), Some(3))] {
            frames.add(work.map(ms), drawing.map(ms));
        }
        frames.since -= ms(600);
        frames.add(None, None);
        assert!(frames.rest().abs_diff(ms(3)) < Duration::from_micros(1), "{:?}", frames.rests);
        assert_eq!(frames.quantiles, [5.0, 7.0]);
    }
}
