//! Traces: membrane, adaptation, the two parts of the input, and the interneurons of chosen units.

use crate::app::actions::Action;
use crate::app::state::{RASTER_STEPS, ViewState};
use crate::app::theme;
use crate::app::views::View;
use crate::app::views::rhythm::Rhythm;
use crate::app::widgets::decimate::min_max;
use crate::app::widgets::figure::{self, Figure as _};
use crate::app::widgets::{grid, texture};
use crate::engine::{InterneuronSample, MAX_TRACED, Snapshot, TraceSample, Watch};
use crate::export::mosaic::diverging;
use crate::export::table::Table;
use egui::{Color32, ColorImage, TextureHandle, TextureOptions, Ui};
use egui_plot::{Line, Plot, PlotPoints};
use std::collections::VecDeque;

/// Of the lines, points: up to 1 a line is two triangles a step cheaper to draw, which counts without a graphics card.
const WIDTH: f32 = 1.0;

/// What the view keeps.
pub struct Traces {
    window_ms: f64,
    units: String,
    shown_for: Option<Watch>,
    shown: (f64, f64),
    mode: Mode,
    rhythm: Rhythm,
    raster: Option<TextureHandle>,
    /// What the raster was made of: the model, its steps, the units, the theme; and what its strongest colour stands for.
    raster_of: Option<(u64, u64, usize, bool)>,
    raster_top: f32,
}

/// What is shown of the traced units.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Signals,
    Population,
    Rhythm,
}

impl Default for Traces {
    fn default() -> Self {
        Self {
            window_ms: 400.0,
            units: String::new(),
            shown_for: None,
            shown: (0.0, 0.0),
            mode: Mode::Signals,
            rhythm: Rhythm::default(),
            raster: None,
            raster_of: None,
            raster_top: 0.0,
        }
    }
}

impl View for Traces {
    fn ui(&mut self, ui: &mut Ui, state: &ViewState, snapshot: &Snapshot, actions: &mut Vec<Action>) {
        if self.shown_for.as_ref() != Some(&snapshot.watch) {
            self.shown_for = Some(snapshot.watch.clone());
            self.units = snapshot.watch.trace_units.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        }
        ui.horizontal_wrapped(|ui| {
            let label = ui.label("Units");
            let field = ui.add(egui::TextEdit::singleline(&mut self.units).desired_width(70.0)).labelled_by(label.id);
            if field.on_hover_text(format!("Numbers, at most {MAX_TRACED}; or click a filter")).lost_focus() {
                let units: Vec<usize> = self.units.split([',', ' ']).filter_map(|t| t.parse().ok()).collect();
                if units != snapshot.watch.trace_units {
                    actions.push(Action::Watch(Watch { trace_units: units, ..snapshot.watch.clone() }));
                }
            }
            for (mode, name, tip) in [
                (Mode::Signals, "Signals", "Membrane, adaptation, input, interneurons"),
                (Mode::Population, "Population", "Every interneuron of the layer below, over time"),
                (Mode::Rhythm, "Rhythm", "Autocorrelation and power spectrum of the first unit, beside theory"),
            ] {
                ui.selectable_value(&mut self.mode, mode, name).on_hover_text(tip);
            }
            let raster = self.mode == Mode::Population;
            if raster != snapshot.watch.raster {
                actions.push(Action::Watch(Watch { raster, ..snapshot.watch.clone() }));
            }
            let label = ui.label("Window");
            let slider = egui::Slider::new(&mut self.window_ms, 10.0..=10_000.0).logarithmic(true).suffix(" ms").max_decimals(0);
            ui.spacing_mut().slider_width = 70.0;
            ui.add(slider).labelled_by(label.id).on_hover_text("Simulated time that is shown; drag a plot while paused to look back");
        });
        let Some(last) = state.traces.iter().filter_map(|t| t.back()).map(|s| s.time_ms).reduce(f64::max) else {
            ui.label("No samples yet: press Run, or click a filter to trace its unit.");
            return;
        };
        match self.mode {
            Mode::Signals => {}
            Mode::Population => return self.population(ui, state, snapshot),
            Mode::Rhythm => return self.rhythm.ui(ui, snapshot, state.traces.first()),
        }
        let running = snapshot.clock.running;
        let first = last - self.window_ms;
        // While paused one can pan back into what is kept.
        let from = if running { first } else { last - 4.0 * self.window_ms };
        let follow = running || self.shown != (last, self.window_ms);
        self.shown = (last, self.window_ms);
        let bucket = self.window_ms / f64::from(ui.available_width().max(50.0));
        let dark = ui.visuals().dark_mode;
        let series = |value: fn(&TraceSample) -> f32| -> Vec<(String, Line<'static>)> {
            let draw = |(i, (trace, unit)): (usize, (&VecDeque<TraceSample>, &usize))| {
                let start = trace.partition_point(|s| s.time_ms < from);
                let points = min_max(trace.range(start..).map(|s| [s.time_ms, f64::from(value(s))]), bucket);
                let name = format!("unit {unit}");
                (name.clone(), Line::new(name, PlotPoints::from(points)).color(theme::SERIES[i % 6]).width(WIDTH))
            };
            state.traces.iter().zip(&snapshot.watch.trace_units).enumerate().map(draw).collect()
        };
        let mut stack = vec![("Membrane x", series(|s| s.x)), ("Adaptation v", series(|s| s.v))];
        let first_unit = snapshot.watch.trace_units.first().map_or(String::new(), |u| format!("Input to unit {u}"));
        let one = |value: fn(&TraceSample) -> f32, name: &str, color| {
            series(value).into_iter().take(1).map(move |(_, line)| (name.to_string(), line.name(name).color(color))).collect::<Vec<_>>()
        };
        let mut input = one(|s| s.likelihood, "likelihood, from below", theme::SERIES[0]);
        input.extend(one(|s| s.prior, "prior, from above", theme::SERIES[1]));
        stack.push((&first_unit, input));
        if let Some(samples) = state.interneurons.first() {
            let start = samples.partition_point(|s| s.time_ms < from);
            let line = |name: &str, value: fn(&InterneuronSample) -> f32, color| {
                let points = min_max(samples.range(start..).map(|s| [s.time_ms, f64::from(value(s))]), bucket);
                (name.to_string(), Line::new(name.to_string(), PlotPoints::from(points)).color(color).width(WIDTH))
            };
            stack.push((
                "Interneurons at its strongest pixel",
                vec![
                    line("<T(y)>", |s| s.sampled, theme::SERIES[2]),
                    line("A'(eta)", |s| s.exact, theme::exact(dark)),
                    steps(line("T(x)", |s| s.observed, theme::SERIES[4])),
                ],
            ));
        }
        if let Some(samples) = state.interneurons.first() {
            let start = samples.partition_point(|s| s.time_ms < from);
            let points = min_max(samples.range(start..).map(|s| [s.time_ms, f64::from(s.observed - s.sampled)]), bucket);
            let name = "eps = T(x) - <T(y)>";
            stack.push((
                "Prediction error",
                vec![(name.into(), Line::new(name, PlotPoints::from(points)).color(theme::SERIES[3]).width(WIDTH))],
            ));
        }
        let plots = stack.len();
        let height = ((ui.available_height() - 30.0 * plots as f32 - 24.0) / plots as f32).max(36.0);
        for (i, (name, lines)) in stack.into_iter().enumerate() {
            figure::title(ui, name, lines.iter().map(|(name, line)| (name.as_str(), egui_plot::PlotItem::color(line))));
            let bottom = i + 1 == plots;
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
                        plot.set_plot_bounds_x(first..=last);
                    }
                    lines.into_iter().for_each(|(_, line)| plot.line(line));
                });
        }
    }

    /// Of what is shown: signals, the population or the rhythm.
    fn table(&self, state: &ViewState, snapshot: &Snapshot) -> Option<Table> {
        match self.mode {
            Mode::Signals => signals(state, snapshot),
            Mode::Population => population(state),
            Mode::Rhythm => self.rhythm.table(None),
        }
    }

    fn figure_table(&self, figure: &str, _: &ViewState, _: &Snapshot) -> Option<Table> {
        (self.mode == Mode::Rhythm).then(|| self.rhythm.table(Some(figure))).flatten()
    }
}

/// A line that jumps and rests, drawn as it is: joined into a band, each jump would be a wedge as long as the rest after it.
fn steps((name, line): (String, Line<'static>)) -> (String, Line<'static>) {
    (name, line.allow_band(false))
}

/// Every trace that is kept, a row a step.
fn signals(state: &ViewState, snapshot: &Snapshot) -> Option<Table> {
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

/// <T(y)> of every unit of the layer below, a row a step.
fn population(state: &ViewState) -> Option<Table> {
    let mut table = Table::default();
    for unit in 0..state.raster.front().map_or(0, Vec::len) {
        table.push(format!("interneurons_unit_{unit}"), state.raster.iter().map(|step| step.get(unit).map_or(f64::NAN, |&y| f64::from(y))));
    }
    (!table.columns.is_empty()).then_some(table)
}

/// <T(y)> of the layer below, a row a unit, the newest step at the right end.
fn raster(state: &ViewState, units: usize, top: f32, dark: bool) -> ColorImage {
    let empty = RASTER_STEPS.saturating_sub(state.raster.len());
    let pixel = |i: usize| {
        let step = (i % RASTER_STEPS).checked_sub(empty).and_then(|step| state.raster.get(step));
        let [r, g, b] = diverging(step.and_then(|step| step.get(i / RASTER_STEPS)).map_or(0.0, |v| v / top), dark);
        Color32::from_rgb(r, g, b)
    };
    ColorImage::new([RASTER_STEPS, units], (0..units * RASTER_STEPS).map(pixel).collect())
}

impl Traces {
    /// <T(y)> of the layer below as a picture, time to the right.
    fn population(&mut self, ui: &mut Ui, state: &ViewState, snapshot: &Snapshot) {
        let Some(units) = state.raster.back().map(Vec::len).filter(|_| state.raster.len() > 1) else {
            ui.label("Recording begins: run the simulation.");
            return;
        };
        let dark = ui.visuals().dark_mode;
        let of = Some((snapshot.model_id, snapshot.clock.steps, units, dark));
        if self.raster_of != of {
            self.raster_of = of;
            self.raster_top = state.raster.iter().flatten().fold(f32::MIN_POSITIVE, |top, v| top.max(v.abs()));
            texture::put(ui, &mut self.raster, "population", raster(state, units, self.raster_top, dark), TextureOptions::NEAREST);
        }
        let (Some(texture), top) = (&self.raster, self.raster_top) else { return };
        ui.weak(format!(
            "<T(y)> of all {units} units of layer {} in network 0, the last {RASTER_STEPS} steps ({:.1} ms), newest at the right; strongest colour {top:.2}",
            snapshot.watch.trace_layer - 1,
            RASTER_STEPS as f64 * snapshot.governor.dt_ms
        ));
        let size = ui.available_size() - egui::vec2(0.0, 8.0);
        let shown = ui.image(egui::load::SizedTexture::new(texture.id(), size));
        figure::mark(ui, "population", shown.rect);
    }
}

fn time(ms: f64) -> String {
    if ms.abs() >= 10_000.0 { format!("{:.2} s", ms / 1000.0) } else { format!("{ms:.0} ms") }
}
