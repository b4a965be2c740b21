//! Tuning: the chosen unit's posterior response to gratings, and the population's figures, as in an experiment on V1.

use crate::analysis::published::{MACAQUE_CIRCULAR_VARIANCE, MACAQUE_HALF_WIDTH_DEG};
use crate::app::actions::Action;
use crate::app::state::ViewState;
use crate::app::theme;
use crate::app::views::View;
use crate::app::widgets::figure::{self, Figure as _};
use crate::app::widgets::grid;
use crate::app::widgets::number_field::drag_value;
use crate::app::widgets::panels::{self, Panel};
use crate::app::widgets::plane_of_units::{Plane, PlaneOfUnits};
use crate::app::widgets::switch::Switches as _;
use crate::engine::{Command, Snapshot, TuningState};
use crate::experiment::Config;
use crate::export::mosaic::diverging;
use crate::export::table::Table;
use crate::studies::fits;
use crate::studies::tuning::figures::{self as tuning_figures, circular_variance, half_width_deg, values};
use crate::studies::tuning::{Protocol, Responses, UnitTuning};
use egui::{Color32, Rect, Sense, Ui, vec2};
use egui_plot::{Bar, BarChart, Plot, PlotBounds, Points, VLine};
use std::f64::consts::PI;

const WIDTHS: &str = "Where the fitted curve has fallen to 1/sqrt(2) of its peak. Line: median of 308 cells of macaque V1, 23.5 degrees (Ringach, Shapley and Hawken, J. Neurosci. 22:5639, 2002). At half the peak De Valois, Yund and Hepler (Vision Research 22:531, 1982) found a median full width near 40.";
const VARIANCES: &str = "1 - |sum r exp(2 i theta)| / sum r: 0 for one orientation alone, 1 for none; r is the rate above that to a blank. Line: median of 308 cells of macaque V1, 0.61, spread over all values (Ringach, Shapley and Hawken, J. Neurosci. 22:5639, 2002).";
const MODULATIONS: &str = "First harmonic over mean of the response to the phase of the best grating: above 1 a simple cell, below 1 a complex one (Skottun et al., Vision Research 31:1079, 1991).";
const METHOD: &str = "32 orientations, 6 frequencies, 8 phases, and 6 contrasts of each unit's best grating, which come last. The rate of a neuron is the posterior mean of max(x, 0), sampled by the dynamics that the sliders set, above its rate to a blank.";
const BINS: usize = 12;

// Figures with numbers of their own: those of the chosen unit.
const MAP: &str = "response map";
const ORIENTATION: &str = "orientation tuning";
const PHASE: &str = "response by phase";
const CONTRAST: &str = "contrast response";

/// The figure with a point a unit.
const PLANE: &str = "all units";

/// What the view keeps.
#[derive(Default)]
pub struct Tuning {
    /// The layer asked for.
    layer: Option<usize>,
    /// The layer traced when it was: another one that is traced, by a click in any view, is followed.
    traced: usize,
    plane: PlaneOfUnits,
}

impl View for Tuning {
    fn ui(&mut self, ui: &mut Ui, _: &ViewState, snapshot: &Snapshot, actions: &mut Vec<Action>) {
        let pixels = snapshot.weights.first().map_or(0, |w| w.nrows());
        if fits::patch(snapshot.image_shape()).is_none() {
            ui.label(format!("This model observes {pixels} values, no picture of at least 6 x 6 pixels: it cannot be shown gratings. Choose dead-leaves, photographs or v1-v2."));
            return;
        }
        let active_layers =
            snapshot.stage.and_then(|p| snapshot.config.stages.get(p.stage)).map_or(snapshot.weights.len(), |stage| stage.active_layers);
        let layer = self.follow(snapshot, active_layers);
        let state = snapshot.tuning.as_deref().filter(|t| t.of.model == snapshot.model_id && t.layer == layer);
        ui.horizontal_wrapped(|ui| {
            if snapshot.weights.len() > 1 {
                for l in 1..=active_layers {
                    let mut chosen = layer;
                    if ui.switch_value(&mut chosen, l, format!("Layer {l}")).clicked() {
                        self.layer = Some(l);
                    }
                }
                ui.separator();
            }
            controls(ui, snapshot, state, layer, actions);
        });
        let Some(responses) = state.and_then(|t| t.responses.as_deref()).filter(|responses| !responses.units.is_empty()) else {
            ui.weak("Gratings of 32 orientations and 6 frequencies are shown to copies of this network.").on_hover_text(METHOD);
            return;
        };
        let unit = choose_unit(ui, snapshot, responses, layer, actions);
        if let Some(unit) = figures(ui, &mut self.plane, responses, unit) {
            let watch = crate::engine::Watch { trace_layer: layer, trace_units: vec![unit], ..snapshot.watch.clone() };
            actions.push(Action::Watch(watch));
        }
    }

    fn arrangement(&self, figure: Option<&str>) -> Option<String> {
        let part = self.plane.caption();
        let is_plane = figure.is_none_or(|figure| figure == PLANE);
        (is_plane && !part.is_empty()).then(|| format!("All units{part}."))
    }

    fn measurement(&self, _: &Config) -> Option<Command> {
        Some(Command::Tune { layer: 1 })
    }

    fn table(&self, _: &ViewState, snapshot: &Snapshot) -> Option<Table> {
        Some(tuning_figures::table(snapshot.tuning.as_ref()?.responses.as_deref()?))
    }

    fn figure_table(&self, figure: &str, _: &ViewState, snapshot: &Snapshot) -> Option<Table> {
        let responses = snapshot.tuning.as_ref()?.responses.as_deref()?;
        let (unit, protocol) = (chosen(snapshot, responses), &responses.protocol);
        let (tuned, mut table) = (&responses.units[unit], Table::default());
        let degrees = |n: usize, whole: f64| (0..n).map(move |k| whole * k as f64 / n as f64);
        match figure {
            MAP => {
                table.push("orientation_deg", degrees(protocol.orientations, 180.0));
                for (b, frequency) in protocol.frequencies.iter().enumerate() {
                    table.push(format!("rate_{frequency}"), (0..protocol.orientations).map(|a| mean_rate(responses, unit, a, b)));
                }
            }
            ORIENTATION => {
                table.push("orientation_deg", degrees(protocol.orientations, 180.0));
                table.push("rate", tuned.by_orientation.iter().map(|r| r[0]));
                table.push("spread", tuned.by_orientation.iter().map(|r| r[1]));
                if let Some(fit) = &tuned.orientation {
                    table.push("fit", degrees(protocol.orientations, PI).map(|theta| fit.rate(theta)));
                }
            }
            PHASE => {
                table.push("phase_deg", degrees(protocol.phases, 360.0));
                table.push("rate", tuned.by_phase.iter().copied());
            }
            CONTRAST => {
                table.push("contrast", protocol.contrasts.iter().copied());
                table.push("rate", responses.contrast.row(unit).iter().map(|&r| f64::from(r)));
            }
            _ => return None,
        }
        Some(table)
    }
}

impl Tuning {
    /// The layer asked for, or the one that is traced where another one has been since.
    fn follow(&mut self, snapshot: &Snapshot, active_layers: usize) -> usize {
        if self.traced != snapshot.watch.trace_layer {
            (self.traced, self.layer) = (snapshot.watch.trace_layer, None);
        }
        let layer = self.layer.unwrap_or(self.traced).clamp(1, active_layers.max(1));
        self.layer = Some(layer);
        layer
    }
}

/// The unit shown, in words; another number traces another unit.
fn choose_unit(ui: &mut Ui, snapshot: &Snapshot, responses: &Responses, layer: usize, actions: &mut Vec<Action>) -> usize {
    let mut unit = chosen(snapshot, responses);
    let label = ui.horizontal(|ui| {
        let label = ui.label("Unit");
        let before = unit;
        ui.add(drag_value(&mut unit).range(0..=responses.units.len() - 1)).labelled_by(label.id);
        if unit != before {
            let watch = crate::engine::Watch { trace_layer: layer, trace_units: vec![unit], ..snapshot.watch.clone() };
            actions.push(Action::Watch(watch));
        }
        ui.label(describe(&responses.units[unit], &responses.protocol));
    });
    label.response.on_hover_text("Click a filter in Receptive fields or Layers, or drag the number");
    unit
}

/// The unit's responses, all units, and the population's histograms; answers which unit was clicked.
fn figures(ui: &mut Ui, plane: &mut PlaneOfUnits, responses: &Responses, unit: usize) -> Option<usize> {
    let dark = ui.visuals().dark_mode;
    let (columns, size) = panels::layout(ui, 9, 3);
    let mut clicked = None;
    let tuned = &responses.units[unit];
    let list: Vec<Panel<'_>> = vec![
        Box::new(|ui| map(ui, size, responses, unit)),
        Box::new(|ui| orientation(ui, size, tuned, dark)),
        Box::new(|ui| phases(ui, size, tuned)),
        Box::new(|ui| contrast(ui, size, responses, unit)),
        Box::new(|ui| best(ui, size, responses, unit)),
        Box::new(|ui| clicked = all_units(ui, size, plane, responses, unit)),
        Box::new(|ui| {
            let values = values(responses, circular_variance);
            histogram(ui, size, ("Circular variance", VARIANCES), values, [0.0, 1.0], Some(("macaque", MACAQUE_CIRCULAR_VARIANCE)));
        }),
        Box::new(|ui| {
            let values = values(responses, half_width_deg);
            histogram(ui, size, ("Half-width (deg)", WIDTHS), values, [0.0, 90.0], Some(("macaque", MACAQUE_HALF_WIDTH_DEG)));
        }),
        Box::new(|ui| {
            let values = values(responses, |u| u.modulation);
            histogram(ui, size, ("F1/F0, modulation by phase", MODULATIONS), values, [0.0, 2.0], Some(("simple | complex", 1.0)));
        }),
    ];
    panels::grid(ui, "tuning", columns, list);
    clicked
}

/// The unit that is traced, where it is of the layer recorded.
fn chosen(snapshot: &Snapshot, responses: &Responses) -> usize {
    let traced = snapshot.watch.trace_units.first().copied().filter(|_| snapshot.watch.trace_layer == responses.layer);
    traced.unwrap_or(0).min(responses.units.len() - 1)
}

/// Rate above the blank's, mean over phases.
fn mean_rate(responses: &Responses, unit: usize, orientation: usize, frequency: usize) -> f64 {
    let phases = responses.protocol.phases;
    let rate = |c: usize| f64::from(responses.rate[[orientation, frequency, c, unit]]);
    (0..phases).map(rate).sum::<f64>() / phases as f64 - responses.blank[unit]
}

fn controls(ui: &mut Ui, snapshot: &Snapshot, state: Option<&TuningState>, layer: usize, actions: &mut Vec<Action>) {
    if let Some(under_way) = state.filter(|t| !t.ended) {
        if ui.button("Stop").clicked() {
            actions.push(Action::Send(Command::StopTuning));
        }
        let (done, total) = under_way.progress;
        ui.add(egui::ProgressBar::new(done as f32 / total.max(1) as f32).desired_width(200.0).text(format!("{done} of {total} gratings")));
        return;
    }
    let found = state.filter(|t| t.responses.is_some());
    let text = if found.is_some() { "Show gratings again" } else { "Show gratings" };
    if ui.button(text).on_hover_text(METHOD).clicked() {
        actions.push(Action::Send(Command::Tune { layer }));
    }
    if found.is_some_and(|t| t.of.weights != snapshot.weights_version) {
        ui.colored_label(theme::caution(ui.visuals().dark_mode), "Measured on earlier weights");
    }
}

fn describe(unit: &UnitTuning, protocol: &Protocol) -> String {
    let Some(tuning) = &unit.orientation else { return "does not respond to gratings".into() };
    let degrees = |angle: Option<f64>| angle.map_or("none".into(), |a| format!("{:.0} deg", a.to_degrees()));
    let kind = match unit.modulation {
        Some(ratio) if ratio > 1.0 => format!("simple, F1/F0 {ratio:.2}"),
        Some(ratio) => format!("complex, F1/F0 {ratio:.2}"),
        None => String::new(),
    };
    format!(
        "prefers {:.0} deg at {:.2} cycles a pixel, half-width {}, circular variance {:.2}; {kind}",
        tuning.preferred.to_degrees(),
        protocol.frequencies[unit.best[1]],
        degrees(tuning.half_width),
        tuning.circular_variance
    )
}

fn plot<'a>(name: &str, size: egui::Vec2) -> Plot<'a> {
    Plot::new(name.to_string())
        .width(size.x)
        .height(size.y)
        .allow_scroll(false)
        .allow_drag(false)
        .allow_zoom(false)
        .allow_boxed_zoom(false)
        .y_axis_min_width(30.0)
        .include_y(0.0)
}

/// Mean rate over phases, orientation across, frequency up.
fn map(ui: &mut Ui, size: egui::Vec2, responses: &Responses, unit: usize) {
    let colours = theme::colours(ui);
    let range = |values: &[f64]| values.first().zip(values.last()).map_or(String::new(), |(low, high)| format!("{low} to {high}"));
    ui.strong(format!("Response: 0 to 180 deg, {} up", range(&responses.protocol.frequencies)))
        .on_hover_text("Rate above that to a blank by orientation and frequency (cycles a pixel), mean over phases");
    let (o, f, ..) = responses.rate.dim();
    let mean = |a: usize, b: usize| mean_rate(responses, unit, a, b);
    let top = (0..o * f).map(|i| mean(i / f, i % f).abs()).fold(f64::MIN_POSITIVE, f64::max);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    figure::mark(ui, MAP, rect);
    let cell = vec2(rect.width() / o as f32, rect.height() / f as f32);
    for a in 0..o {
        for b in 0..f {
            let [r, g, bl] = diverging((mean(a, b) / top) as f32, colours);
            let corner = rect.min + vec2(a as f32 * cell.x, (f - 1 - b) as f32 * cell.y);
            ui.painter().rect_filled(Rect::from_min_size(corner, cell + vec2(0.5, 0.5)), 0.0, Color32::from_rgb(r, g, bl));
        }
    }
    if let Some(at) = response.hover_pos() {
        let (a, b) = (((at.x - rect.min.x) / cell.x) as usize, f - 1 - (((at.y - rect.min.y) / cell.y) as usize).min(f - 1));
        if a < o {
            let degrees = 180.0 * a as f64 / o as f64;
            let frequency = responses.protocol.frequencies[b];
            response.on_hover_text(format!("{degrees:.0} deg, {frequency:.2} cycles a pixel: {:+.3}", mean(a, b)));
        }
    }
}

fn orientation(ui: &mut Ui, size: egui::Vec2, tuned: &UnitTuning, dark: bool) {
    ui.strong("Response by orientation, degrees").on_hover_text(
        "Points: first harmonic of a simple cell, mean over phases of a complex one, at the best frequency. Bars: spread over posterior samples. Line: von Mises fit.",
    );
    grid::every(plot("orientation curve", size), 45.0).include_x(0.0).include_x(180.0).figure(ui, ORIENTATION, |plot| {
        let n = tuned.by_orientation.len() as f64;
        for (k, [rate, spread]) in tuned.by_orientation.iter().enumerate() {
            let x = 180.0 * k as f64 / n;
            let bar = vec![[x, (rate - spread).max(0.0)], [x, rate + spread]];
            plot.line(figure::line("", figure::points(bar)).color(theme::SERIES[0].gamma_multiply(0.4)).width(1.2).allow_hover(false));
        }
        let points: Vec<[f64; 2]> = tuned.by_orientation.iter().enumerate().map(|(k, r)| [180.0 * k as f64 / n, r[0]]).collect();
        plot.points(Points::new("rate", figure::points(points)).color(theme::SERIES[0]).radius(3.0));
        if let Some(tuning) = &tuned.orientation {
            let line: Vec<[f64; 2]> = (0..=90).map(|i| [f64::from(2 * i), tuning.rate(f64::from(2 * i) * PI / 180.0)]).collect();
            plot.line(figure::line("fit", figure::points(line)).color(theme::exact(dark)).width(1.4));
        }
    });
}

fn phases(ui: &mut Ui, size: egui::Vec2, tuned: &UnitTuning) {
    ui.strong("Response by phase, degrees").on_hover_text(MODULATIONS);
    grid::every(plot("phase curve", size), 90.0).include_x(0.0).include_x(360.0).figure(ui, PHASE, |plot| {
        let n = tuned.by_phase.len();
        let points: Vec<[f64; 2]> = (0..=n).map(|k| [360.0 * k as f64 / n as f64, tuned.by_phase[k % n]]).collect();
        plot.line(figure::line("rate", figure::points(points.clone())).color(theme::SERIES[2]).width(1.4));
        plot.points(Points::new("rate", figure::points(points)).color(theme::SERIES[2]).radius(2.6));
    });
}

fn contrast(ui: &mut Ui, size: egui::Vec2, responses: &Responses, unit: usize) {
    ui.strong("Response by contrast")
        .on_hover_text("At the best grating, mean over phases; contrast 1 has the standard deviation of the stimuli");
    let rates = responses.contrast.row(unit);
    let measured = responses.protocol.contrasts.iter().zip(rates).filter(|(_, r)| r.is_finite());
    let points: Vec<[f64; 2]> = measured.map(|(c, r)| [*c, f64::from(*r)]).collect();
    if points.is_empty() {
        ui.allocate_ui(size, |ui| ui.weak("comes last"));
        return;
    }
    grid::every(plot("contrast", size), 0.5).figure(ui, CONTRAST, |plot| {
        plot.line(figure::line("rate", figure::points(points.clone())).color(theme::SERIES[1]).width(1.4));
        plot.points(Points::new("rate", figure::points(points)).color(theme::SERIES[1]).radius(3.0));
    });
}

/// The best grating as it was shown.
fn best(ui: &mut Ui, size: egui::Vec2, responses: &Responses, unit: usize) {
    let colours = theme::colours(ui);
    ui.strong("Its best grating");
    let (protocol, tuned) = (&responses.protocol, &responses.units[unit]);
    let phase = (0..tuned.by_phase.len()).max_by(|&a, &b| tuned.by_phase[a].total_cmp(&tuned.by_phase[b])).unwrap_or(0);
    let [o, f] = tuned.best;
    let angle = o as f64 * PI / protocol.orientations as f64;
    let cycle = phase as f64 * 2.0 * PI / protocol.phases as f64;
    let [rows, columns] = responses.shape;
    let cell = (size.x / columns as f32).min(size.y / rows as f32);
    let (rect, _) = ui.allocate_exact_size(vec2(columns as f32, rows as f32) * cell, Sense::hover());
    figure::mark(ui, "best grating", rect);
    for (i, value) in Protocol::grating(responses.shape, angle, protocol.frequencies[f], cycle, 1.0).enumerate() {
        let corner = rect.min + vec2((i % columns) as f32, (i / columns) as f32) * cell;
        let [r, g, b] = diverging(value / 1.5, colours);
        ui.painter().rect_filled(Rect::from_min_size(corner, vec2(cell + 0.5, cell + 0.5)), 0.0, Color32::from_rgb(r, g, b));
    }
}

/// A point a unit: how broadly it is tuned, by what it prefers.
fn all_units(ui: &mut Ui, size: egui::Vec2, plane: &mut PlaneOfUnits, responses: &Responses, unit: usize) -> Option<usize> {
    ui.strong("Circular variance by preferred orientation, degrees").on_hover_text(
        "All units that respond. A click chooses the unit there, the wheel enlarges what is pointed at, a double click shows all",
    );
    let place = |tuned: &UnitTuning| tuned.orientation.as_ref().map(|t| [t.preferred.to_degrees().rem_euclid(180.0), t.circular_variance]);
    let units = responses.units.iter().enumerate().filter_map(|(unit, tuned)| Some((unit, place(tuned)?)));
    let drawn = Plane {
        name: PLANE,
        plot: grid::every(plot(PLANE, size), 45.0),
        whole: PlotBounds::from_min_max([0.0, 0.0], [180.0, 1.0]),
        units: units.collect(),
        chosen: Some(unit),
        axes: ["orientation in degrees", "circular variance"],
        behind: Box::new(|_| ()),
    };
    plane.ui(ui, drawn)
}

fn histogram(ui: &mut Ui, size: egui::Vec2, (name, tip): (&str, &str), values: Vec<f64>, [low, high]: [f64; 2], mark: Option<(&str, f64)>) {
    let published = mark.filter(|(whose, _)| *whose == "macaque").map_or(String::new(), |(_, value)| format!(", macaque {value}"));
    let digits = if high > 10.0 { 1 } else { 2 };
    let median = tuning_figures::median(values.clone());
    ui.strong(format!("{name}: median {median:.digits$}{published}")).on_hover_text(tip);
    let width = (high - low) / BINS as f64;
    let mut counts = [0.0f64; BINS];
    values.iter().for_each(|v| counts[(((v - low) / width).max(0.0) as usize).min(BINS - 1)] += 1.0);
    let bar = |(i, count): (usize, &f64)| Bar::new(low + (i as f64 + 0.5) * width, *count).width(0.94 * width);
    let bars = BarChart::new(name, counts.iter().enumerate().map(bar).collect()).color(theme::histogram(ui.visuals().dark_mode));
    grid::every(plot(name, size), (high - low) / 4.0).include_x(low).include_x(high).figure(ui, name, |plot| {
        plot.bar_chart(bars);
        if let Some((whose, mark)) = mark {
            plot.vline(VLine::new(whose, mark).color(theme::SERIES[4]).width(1.6));
        }
    });
}
