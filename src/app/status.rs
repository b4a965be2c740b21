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
    /// The counters as they are shown, and since when.
    shown: Option<(Instant, Clock)>,
}

/// Between two readings of counters that run: faster ones nobody reads, and each costs the layout of its text.
const READING: Duration = Duration::from_millis(100);
/// Frames over which the quantiles are taken.
const FRAMES: usize = 600;

impl Default for FrameTimes {
    fn default() -> Self {
        Self { since: Instant::now(), count: 0, rate: 0.0, work: VecDeque::new(), quantiles: [0.0; 2], shown: None }
    }
}

impl FrameTimes {
    /// Counts a frame; `seconds` of work the frame before took, where known.
    pub(super) fn add(&mut self, seconds: Option<f32>) {
        self.count += 1;
        self.work.extend(seconds.map(|s| s * 1e3));
        if self.work.len() > FRAMES {
            self.work.pop_front();
        }
        if self.since.elapsed() > Duration::from_millis(500) {
            self.rate = f64::from(self.count) / self.since.elapsed().as_secs_f64();
            (self.since, self.count) = (Instant::now(), 0);
            let mut sorted: Vec<f32> = self.work.iter().copied().collect();
            sorted.sort_unstable_by(f32::total_cmp);
            let at = |share: f64| sorted.get((sorted.len() as f64 * share) as usize).copied().unwrap_or_default();
            self.quantiles = [at(0.5), at(0.99)];
        }
    }

    /// Of the last frame, ms.
    pub(super) fn last(&self) -> Option<f32> {
        self.work.back().copied()
    }

    /// What the next frame will take: the median of the last ones.
    pub(super) fn expected(&self) -> Duration {
        Duration::try_from_secs_f32(self.quantiles[0] / 1e3).unwrap_or_default()
    }

    /// Takes the counters in, if they stand still or the last reading is old enough.
    fn read(&mut self, clock: &Clock) {
        if !clock.running || self.shown.as_ref().is_none_or(|(at, _)| at.elapsed() >= READING) {
            self.shown = Some((Instant::now(), clock.clone()));
        }
    }
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
    fn a_frame_whose_work_is_not_known_asks_for_no_core() {
        let mut frames = FrameTimes::default();
        assert_eq!(frames.expected(), Duration::ZERO);
        for (median, expected) in [(2.0, Duration::from_millis(2)), (-1.0, Duration::ZERO), (f32::NAN, Duration::ZERO)] {
            frames.quantiles[0] = median;
            let found = frames.expected();
            assert!(found.abs_diff(expected) < Duration::from_micros(1), "{median} ms: {found:?}");
        }
    }
}
