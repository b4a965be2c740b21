//! Time courses of the traced units: membrane, adaptation, the two parts of the input, and the interneurons, one plot under the other.

use super::readout::{Readout, TABLE_WIDTH};
use super::signals::{self, Group};
use crate::app::state::ViewState;
use crate::app::widgets::cached_lines::CachedLines;
use crate::app::widgets::figure::{self, Figure as _};
use crate::app::widgets::{grid, whole_frame};
use crate::engine::{InterneuronSample, Snapshot, TraceSample};
use crate::export::table::Table;
use egui::{Color32, Ui};
use egui_plot::{Plot, PlotPoints};
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

/// Of the lines, points: up to 1 a line is two triangles a step cheaper to draw, which counts without a graphics card.
const WIDTH: f32 = 1.0;
/// Between two pictures where each is new from end to end, or half of it: faster ones nobody can read.
const REDRAW: Duration = Duration::from_millis(66);
/// Width below which the values at the cursors stand above the plots, and their height there.
const NARROW: f32 = 640.0;
const TABLE_HEIGHT: f32 = 110.0;

/// What the lines were made of, but for the newest sample.
#[derive(PartialEq)]
struct Key {
    model_id: u64,
    /// Commands executed: what was asked for is shown at once.
    commands_executed: u64,
    running: bool,
    window_ms: f64,
    /// The time across the plots where they stand still, ms.
    span: Option<RangeInclusive<f64>>,
    width: f32,
    dark: bool,
}

struct Picture {
    of: Key,
    /// The newest sample, ms.
    last: f64,
    at: Instant,
    groups: Vec<Group>,
    /// The lines of each group.
    lines: Vec<CachedLines>,
}

impl Picture {
    /// The lines of what is recorded up to `last`, ms.
    fn new(of: Key, state: &ViewState, snapshot: &Snapshot, last: f64) -> Self {
        let groups = signals::groups(state, snapshot, of.dark);
        let span = of.span.clone().unwrap_or(last - of.window_ms..=last);
        let bucket = (span.end() - span.start()) / f64::from(of.width);
        // Points are two a column at most: a band of them would have more triangles, and a wedge after each jump of what rests.
        let line = |signal: &signals::Signal, points: Vec<[f64; 2]>| {
            figure::line(&*signal.name, PlotPoints::from(points)).color(signal.color).width(WIDTH)
        };
        let lines_of = |signal| signals::Signal::pieces(signal, state, &span, bucket).into_iter().map(|points| line(signal, points));
        let lines = groups.iter().map(|group| CachedLines::new(group.signals.iter().flat_map(lines_of))).collect();
        Self { of, last, at: Instant::now(), groups, lines }
    }

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
    readout: Readout,
    /// Newest sample and window of the last frame.
    shown: (f64, f64),
}

impl TracePlots {
    /// Draws them: the last `window_ms` of simulated time up to `last`, or what is looked at while they stand still.
    pub fn ui(&mut self, ui: &mut Ui, state: &ViewState, snapshot: &Snapshot, last: f64, window_ms: f64) {
        let still = stands_still(state, snapshot);
        if !still || self.shown != (last, window_ms) {
            self.readout.end();
        }
        self.shown = (last, window_ms);
        let beside = self.readout.has_cursors() && ui.available_width() >= NARROW;
        let key = Key {
            model_id: snapshot.model_id,
            commands_executed: snapshot.commands_executed,
            running: snapshot.clock.running,
            window_ms,
            span: still.then(|| self.readout.span(last - window_ms..=last)),
            width: (ui.available_width() - if beside { TABLE_WIDTH } else { 0.0 }).max(50.0),
            dark: ui.visuals().dark_mode,
        };
        let is_whole = whole_frame::is_asked(ui.ctx());
        match self.picture.as_ref().filter(|picture| picture.of == key).map(|picture| picture.stands(last)) {
            Some(None) => {}
            Some(Some(rest)) if !rest.is_zero() && !is_whole => ui.ctx().request_repaint_after(rest),
            _ => self.picture = Some(Picture::new(key, state, snapshot, last)),
        }
        let Some(picture) = &self.picture else { return };
        let readout = &mut self.readout;
        if beside {
            egui::Panel::right("values").exact_size(TABLE_WIDTH).show(ui, |ui| readout.table(ui, &picture.groups, state));
        } else if readout.has_cursors() {
            let size = egui::vec2(ui.available_width(), TABLE_HEIGHT);
            ui.allocate_ui(size, |ui| readout.table(ui, &picture.groups, state));
        }
        plots(ui, picture, readout, state);
    }
}

/// Whether nothing is added to the traces: they can be looked at in peace.
pub fn stands_still(state: &ViewState, snapshot: &Snapshot) -> bool {
    state.is_past || !snapshot.clock.running
}

/// One plot under the other.
fn plots(ui: &mut Ui, picture: &Picture, readout: &mut Readout, state: &ViewState) {
    let still = picture.of.span.is_some();
    let span = picture.of.span.clone().unwrap_or(picture.last - picture.of.window_ms..=picture.last);
    let dark = picture.of.dark;
    let under_pointer = readout.pointer().filter(|_| still);
    let marks = readout.begin_frame();
    let count = picture.groups.len();
    let height = ((ui.available_height() - 30.0 * count as f32 - 24.0) / count as f32).max(36.0);
    for (i, (group, lines)) in picture.groups.iter().zip(&picture.lines).enumerate() {
        title(ui, group, state, under_pointer);
        let bottom = i + 1 == count;
        let (lines, shown, marks) = (lines.clone(), span.clone(), &marks);
        let plot = grid::numbered(Plot::new(("trace", i)))
            .height(if bottom { height + 18.0 } else { height })
            .allow_scroll(false)
            .allow_drag(false)
            .allow_zoom(false)
            .allow_boxed_zoom(false)
            .allow_double_click_reset(false)
            .show_axes([bottom, true])
            .y_axis_min_width(36.0)
            .x_axis_formatter(|mark, _| time(mark.value))
            .x_grid_spacer(grid::with_long_numbers)
            .figure(ui, &group.name, move |plot| {
                plot.set_plot_bounds_x(shown);
                lines.show(plot);
                still.then(|| marks.show(plot, dark))
            });
        if let Some((done, pointer)) = plot.inner {
            readout.take(done, &span);
            readout.point(pointer);
        }
    }
    if readout.pointer() != under_pointer {
        ui.ctx().request_repaint(); // the other plots show its time too
    }
}

/// The name of a plot and of its lines, with their values under the pointer.
fn title(ui: &mut Ui, group: &Group, state: &ViewState, time_ms: Option<f64>) {
    let text = |signal: &signals::Signal| match time_ms.and_then(|time_ms| signal.at(state, time_ms)) {
        Some(value) => format!("{}: {}", signal.name, grid::short(value)),
        None => signal.name.clone(),
    };
    let named: Vec<(String, Color32)> = group.signals.iter().map(|signal| (text(signal), signal.color)).collect();
    figure::title(ui, &group.name, named.iter().map(|(name, color)| (name.as_str(), *color)));
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

    #[test]
    fn what_stands_still_can_be_zoomed_and_read_until_it_runs_again() {
        let mut snapshot = Snapshot::synthetic(presets::by_name("ridge").unwrap());
        snapshot.state.clock.running = false;
        let mut state = ViewState::default();
        state.traces = vec![(0..5000).map(|i| TraceSample { time_ms: f64::from(i), x: i as f32, ..Default::default() }).collect()];
        let (ctx, mut signals) = (egui::Context::default(), TracePlots::default());
        let at = egui::pos2(400.0, 120.0);
        let button =
            |pressed| egui::Event::PointerButton { pos: at, button: egui::PointerButton::Primary, pressed, modifiers: Default::default() };
        let wheel = egui::Event::MouseWheel {
            unit: egui::MouseWheelUnit::Point,
            delta: egui::vec2(0.0, 200.0),
            phase: egui::TouchPhase::Move,
            source: egui::MouseWheelSource::Unknown,
            modifiers: Default::default(),
        };
        let mut seconds = 0.0;
        let mut frame = |signals: &mut TracePlots, snapshot: &Snapshot, events: Vec<egui::Event>| {
            seconds += 0.05;
            let screen_rect = Some(egui::Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(800.0, 600.0)));
            let input = egui::RawInput { events, screen_rect, time: Some(seconds), ..Default::default() };
            ctx.run_ui(input, |ui| signals.ui(ui, &state, snapshot, 4999.0, 400.0)).textures_delta.clear();
            signals.readout.span(4599.0..=4999.0)
        };
        for events in [vec![], vec![egui::Event::PointerMoved(at)], vec![], vec![]] {
            assert_eq!(frame(&mut signals, &snapshot, events), 4599.0..=4999.0);
        }
        let under = signals.readout.pointer().expect("the pointer is in the first plot");
        assert!((4700.0..4900.0).contains(&under), "{under}");
        let zoomed = (0..40).map(|i| frame(&mut signals, &snapshot, if i == 0 { vec![wheel.clone()] } else { vec![] })).last().unwrap();
        let width = zoomed.end() - zoomed.start();
        assert!((140.0..200.0).contains(&width) && zoomed.contains(&under), "{zoomed:?}");
        for events in [vec![button(true)], vec![button(false)], vec![]] {
            frame(&mut signals, &snapshot, events);
        }
        assert!(signals.readout.has_cursors());
        snapshot.state.clock.running = true;
        assert_eq!(frame(&mut signals, &snapshot, vec![]), 4599.0..=4999.0);
        assert!(!signals.readout.has_cursors() && signals.readout.pointer().is_none());
    }
}
