//! The status bar.

use crate::app::frame_times::FrameTimes;
use crate::app::theme;
use crate::engine::{Clock, GovernorState, Snapshot};
use egui::Ui;
use std::time::{Duration, Instant};

/// Between two readings of counters that run: faster ones nobody reads, and each costs the layout of its text.
const READING: Duration = Duration::from_millis(100);

/// What the bar keeps between frames: the counters as they are shown, and since when.
#[derive(Default)]
pub(super) struct StatusBar {
    shown: Option<(Instant, Clock)>,
}

impl StatusBar {
    /// Takes the counters in, if they stand still or the last reading is old enough.
    fn read(&mut self, clock: &Clock) {
        if !clock.running || self.shown.as_ref().is_none_or(|(at, _)| at.elapsed() >= READING) {
            self.shown = Some((Instant::now(), clock.clone()));
        }
    }

    /// Draws it.
    pub(super) fn ui(&mut self, ui: &mut Ui, snapshot: &Snapshot, frames: &FrameTimes) {
        self.read(&snapshot.clock);
        let Some((_, clock)) = &self.shown else { return };
        ui.horizontal_wrapped(|ui| {
            ui.label(format!("{:.2} s simulated", clock.time_ms / 1e3));
            ui.separator();
            ui.label(format!("{:.0} steps/s", clock.steps_per_second));
            ui.separator();
            let ([median, slow], count) = frames.quantiles();
            ui.label(format!("{:.0} frames/s, {median:.1} ms", frames.rate())).on_hover_text(format!(
                "Work of the window's thread a frame: median {median:.1} ms, 99th percentile {slow:.1} ms of the last {count}. Between frames \
                 the simulation goes on: {} of its states were never drawn, which loses nothing",
                clock.dropped
            ));
            ui.separator();
            ui.label(format!("{} images", clock.images));
            ui.separator();
            step_size(ui, &snapshot.governor);
        });
    }
}

/// The step size in force, and whether it is the one asked for.
fn step_size(ui: &mut Ui, governor: &GovernorState) {
    let dark = ui.visuals().dark_mode;
    let tip = format!("Largest stable dt: {:.3} ms; stiffness lambda of the layers: {:.1?}", governor.limit_ms, governor.stiffness);
    let text = format!("dt {:.3} ms", governor.dt_ms);
    if governor.beyond {
        ui.colored_label(theme::alarm(dark), format!("{text}, past the stable {:.3} ms", governor.limit_ms)).on_hover_text(tip);
    } else if governor.lowered {
        ui.weak(format!("{text} (automatic)")).on_hover_text(format!("Lower than what was asked for, so that the step is stable. {tip}"));
    } else {
        ui.label(text).on_hover_text(tip);
    }
}
