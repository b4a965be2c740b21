//! The status bar.

use crate::app::frame_times::FrameTimes;
use crate::app::theme;
use crate::engine::{Clock, GovernorState, Pace, Snapshot, SnapshotState};
use egui::Ui;
use std::time::{Duration, Instant};

/// Between two readings of counters that run: faster ones nobody reads, and each costs the layout of its text.
const READING: Duration = Duration::from_millis(100);

/// What the bar keeps between frames: the counters as they are shown, and since when.
#[derive(Default)]
pub(super) struct StatusBar {
    shown: Option<(Instant, Clock, GovernorState)>,
}

impl StatusBar {
    /// Takes the counters and the step size in, if they stand still or the last reading is old enough.
    fn read(&mut self, Snapshot { state: SnapshotState { clock, governor, .. }, .. }: &Snapshot) {
        if !clock.running || self.shown.as_ref().is_none_or(|(at, ..)| at.elapsed() >= READING) {
            self.shown = Some((Instant::now(), clock.clone(), governor.clone()));
        }
    }

    /// Draws it; `fits` are the filters fitted so far and all of them, while that takes long.
    pub(super) fn ui(&mut self, ui: &mut Ui, snapshot: &Snapshot, frames: &FrameTimes, fits: Option<(usize, usize)>) {
        self.read(snapshot);
        let Some((_, clock, governor)) = &self.shown else { return };
        ui.horizontal_wrapped(|ui| {
            ui.label(format!("{:.2} s simulated", clock.time_ms / 1e3));
            ui.separator();
            pace(ui, clock);
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
            step_size(ui, governor);
            if let Some((done, total)) = fits {
                ui.separator();
                ui.label(format!("fits {done} of {total}")).on_hover_text("Gabor functions are being fitted to the filters of layer 1");
            }
        });
    }
}

/// Steps a second, and whether they are as many as were asked for.
fn pace(ui: &mut Ui, clock: &Clock) {
    match clock.pace {
        Pace::StepsPerSecond(asked) if clock.behind => {
            let tip = format!("This machine cannot keep the pace of {asked:.0} steps/s with this model: it runs as fast as it can");
            let text = format!("{:.0} of {asked:.0} steps/s", clock.steps_per_second);
            ui.colored_label(theme::caution(ui.visuals().dark_mode), text).on_hover_text(tip)
        }
        _ => ui.label(format!("{:.0} steps/s", clock.steps_per_second)),
    };
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
