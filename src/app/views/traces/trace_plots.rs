//! Time courses of the traced units: membrane, adaptation, the two parts of the input, and the interneurons, one plot under the other.

use crate::app::state::ViewState;
use crate::app::theme;
use crate::app::widgets::cached_lines::CachedLines;
use crate::app::widgets::decimate::min_max;
use crate::app::widgets::figure::{self, Figure as _};
use crate::app::widgets::{grid, whole_frame};
use crate::engine::{InterneuronSample, Snapshot, TraceSample};
use crate::export::table::Table;
use egui::Ui;
use egui_plot::{Line, Plot, PlotPoints};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Of the lines, points: up to 1 a line is two triangles a step cheaper to draw, which counts without a graphics card.
const WIDTH: f32 = 1.0;
/// Between two pictures where each is new from end to end, or half of it: faster ones nobody can read.
const REDRAW: Duration = Duration::from_millis(66);

/// What the lines were made of, but for the newest sample.
#[derive(PartialEq)]
struct Key {
    model_id: u64,
    /// Commands executed: what was asked for is shown at once.
    commands_executed: u64,
    running: bool,
    window_ms: f64,
    width: f32,
    dark: bool,
}

/// The lines of each plot, with the plot's name.
type Plots = Vec<(String, CachedLines)>;

struct Picture {
    of: Key,
    /// The newest sample, ms.
    last: f64,
    at: Instant,
    plots: Plots,
}

impl Picture {
    /// How long it stands, with `last` the newest sample by now; None: for as long as nothing changes.
    fn stands(&self, last: f64) -> Option<Duration> {
        if last == self.last {
            return None;
        }
        let passes = (last - self.last).abs() > 0.5 * self.of.window_ms;
        Some(if passes { REDRAW.saturating_sub(self.at.elapsed()) } else { Duration::ZERO })
    }
}

/// What the view keeps.
#[derive(Default)]
pub struct TracePlots {
    picture: Option<Picture>,
    /// Newest sample and window of the last frame.
    shown: (f64, f64),
}

impl TracePlots {
    /// Draws them: the last `window_ms` of simulated time up to `last`.
    pub fn ui(&mut self, ui: &mut Ui, state: &ViewState, snapshot: &Snapshot, last: f64, window_ms: f64) {
        let key = Key {
            model_id: snapshot.model_id,
            commands_executed: snapshot.commands_executed,
            running: snapshot.clock.running,
            window_ms,
            width: ui.available_width().max(50.0),
            dark: ui.visuals().dark_mode,
        };
        let running = key.running;
        let is_whole = whole_frame::is_asked(ui.ctx());
        match self.picture.as_ref().filter(|picture| picture.of == key).map(|picture| picture.stands(last)) {
            Some(None) => {}
            Some(Some(rest)) if !rest.is_zero() && !is_whole => ui.ctx().request_repaint_after(rest),
            _ => self.picture = Some(Picture { plots: plots(state, snapshot, last, &key), of: key, last, at: Instant::now() }),
        }
        let Some(Picture { last, plots, .. }) = &self.picture else { return };
        let follow = running || self.shown != (*last, window_ms);
        self.shown = (*last, window_ms);
        let shown = last - window_ms..=*last;
        let count = plots.len();
        let height = ((ui.available_height() - 30.0 * count as f32 - 24.0) / count as f32).max(36.0);
        for (i, (name, lines)) in plots.iter().enumerate() {
            figure::title(ui, name, lines.names());
            let bottom = i + 1 == count;
            let (lines, shown) = (lines.clone(), shown.clone());
            grid::numbered(Plot::new(("trace", i)))
                .height(if bottom { height + 18.0 } else { height })
                .link_axis(egui::Id::unique("trace axes"), [true, false])
                .allow_scroll(false)
                .allow_drag([!running, false])
                .allow_zoom([!running, false])
                .allow_boxed_zoom(false)
                .show_axes([bottom, true])
                .y_axis_min_width(36.0)
                .x_axis_formatter(|mark, _| time(mark.value))
                .figure(ui, name, |plot| {
                    if follow {
                        plot.set_plot_bounds_x(shown);
                    }
                    lines.show(plot);
                });
        }
    }
}

/// The lines of all plots. While paused one can pan back into what is kept.
fn plots(state: &ViewState, snapshot: &Snapshot, last: f64, key: &Key) -> Plots {
    let from = last - if key.running { 1.0 } else { 4.0 } * key.window_ms;
    let bucket = key.window_ms / f64::from(key.width);
    // Points are two a column at most: a band of them would have more triangles, and a wedge after each jump of what rests.
    let line =
        |name: &str, points: Vec<[f64; 2]>, color| Line::new(name, PlotPoints::from(points)).color(color).width(WIDTH).allow_band(false);
    let traced = |trace: &VecDeque<TraceSample>, value: fn(&TraceSample) -> f32| {
        let start = trace.partition_point(|s| s.time_ms < from);
        min_max(trace.range(start..).map(|s| [s.time_ms, f64::from(value(s))]), bucket)
    };
    let units = &snapshot.watch.trace_units;
    let of_all = |value: fn(&TraceSample) -> f32| -> CachedLines {
        let draw = |(i, (trace, unit))| line(&format!("unit {unit}"), traced(trace, value), theme::SERIES[i % 6]);
        CachedLines::new(state.traces.iter().zip(units).enumerate().map(draw))
    };
    let mut plots = vec![("Membrane x".to_string(), of_all(|s| s.x)), ("Adaptation v".to_string(), of_all(|s| s.v))];
    if let (Some(trace), Some(unit)) = (state.traces.first(), units.first()) {
        let one = |name, value, color| line(name, traced(trace, value), color);
        let below = one("likelihood, from below", |s| s.likelihood, theme::SERIES[0]);
        let above = one("prior, from above", |s| s.prior, theme::SERIES[1]);
        plots.push((format!("Input to unit {unit}"), CachedLines::new([below, above])));
    }
    if let Some(samples) = state.interneurons.first() {
        let start = samples.partition_point(|s| s.time_ms < from);
        let of = |name, value: fn(&InterneuronSample) -> f32, color| {
            line(name, min_max(samples.range(start..).map(|s| [s.time_ms, f64::from(value(s))]), bucket), color)
        };
        let sampled = of("<T(y)>", |s| s.sampled, theme::SERIES[2]);
        let exact = of("A'(eta)", |s| s.exact, theme::exact(key.dark));
        let observed = of("T(x)", |s| s.observed, theme::SERIES[4]);
        plots.push(("Interneurons at its strongest pixel".into(), CachedLines::new([sampled, exact, observed])));
        let error = of("eps = T(x) - <T(y)>", |s| s.observed - s.sampled, theme::SERIES[3]);
        plots.push(("Prediction error".into(), CachedLines::new([error])));
    }
    plots
}

/// Every trace that is kept, a row a step.
pub fn table(state: &ViewState, snapshot: &Snapshot) -> Option<Table> {
    let mut table = Table::default();
    let first = state.traces.first()?;
    table.push("time_ms", first.iter().map(|s| s.time_ms));
    for (trace, unit) in state.traces.iter().zip(&snapshot.watch.trace_units) {
        let mut column = |name: &str, value: fn(&TraceSample) -> f32| {
            table.push(format!("{name}_unit_{unit}"), trace.iter().map(|s| f64::from(value(s))));
        };
        column("x", |s| s.x);
        column("v", |s| s.v);
        column("likelihood", |s| s.likelihood);
        column("prior", |s| s.prior);
    }
    for (samples, unit) in state.interneurons.iter().zip(&snapshot.watch.trace_units) {
        let mut column = |name: &str, value: fn(&InterneuronSample) -> f32| {
            table.push(format!("{name}_below_unit_{unit}"), samples.iter().map(|s| f64::from(value(s))));
        };
        column("observed", |s| s.observed);
        column("interneurons", |s| s.sampled);
        column("exact", |s| s.exact);
        table.push(format!("prediction_error_below_unit_{unit}"), samples.iter().map(|s| f64::from(s.observed - s.sampled)));
    }
    Some(table)
}

fn time(ms: f64) -> String {
    if ms.abs() >= 10_000.0 { format!("{:.2} s", ms / 1000.0) } else { format!("{ms:.0} ms") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Engine;
    use crate::experiment::presets;

    #[test]
    fn what_passes_too_fast_is_drawn_now_and_then_and_at_once_after_a_command() {
        let engine = Engine::start(presets::by_name("ridge").unwrap(), || {}).unwrap();
        let start = Instant::now();
        let mut snapshot = loop {
            if let Some(snapshot) = engine.take_snapshot() {
                break snapshot;
            }
            assert!(start.elapsed() < Duration::from_secs(20));
            std::thread::sleep(Duration::from_millis(2));
        };
        let samples = (0..5000).map(|i| TraceSample { time_ms: f64::from(i), ..Default::default() }).collect();
        let mut state = ViewState::default();
        state.traces = vec![samples];
        let (ctx, mut signals) = (egui::Context::default(), TracePlots::default());
        // Answers up to when the picture goes, and how old it was allowed to be.
        let mut draw = |snapshot: &Snapshot, last: f64, age: Duration| {
            if let Some(picture) = &mut signals.picture {
                picture.at = Instant::now() - age;
            }
            ctx.run_ui(egui::RawInput::default(), |ui| signals.ui(ui, &state, snapshot, last, 400.0)).textures_delta.clear();
            signals.picture.as_ref().unwrap().last
        };
        let (young, old) = (Duration::ZERO, 2 * REDRAW);
        assert_eq!(draw(&snapshot, 1000.0, young), 1000.0);
        assert_eq!(draw(&snapshot, 1100.0, young), 1100.0, "a picture that slides is drawn every time");
        assert_eq!(draw(&snapshot, 1500.0, young), 1100.0, "one that is new from end to end is not");
        assert_eq!(draw(&snapshot, 1600.0, old), 1600.0, "but now and then");
        snapshot.state.commands_executed += 1;
        assert_eq!(draw(&snapshot, 2100.0, young), 2100.0, "and where something was asked for");
    }
}
