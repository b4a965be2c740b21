//! Traces: membrane, adaptation, the two parts of the input, and the interneurons of chosen units.

mod readout;
mod signals;
mod spectrum;
mod trace_plots;

use crate::app::actions::Action;
use crate::app::state::{RASTER_STEPS, ViewState};
use crate::app::theme;
use crate::app::views::View;
use crate::app::widgets::choice::keep_together;
use crate::app::widgets::figure;
use crate::app::widgets::number_field::slider;
use crate::app::widgets::switch::Switches as _;
use crate::app::widgets::texture::Slot;
use crate::engine::{MAX_TRACED, Snapshot, Watch};
use crate::export::mosaic::{Colours, diverging};
use crate::export::table::Table;
use egui::{Color32, ColorImage, TextureOptions, Ui};
use spectrum::SpectrumPlots;
use trace_plots::TracePlots;

/// Points that the slider of the window needs with its name and value.
const WINDOW_WIDTH: f32 = 200.0;

/// What the view keeps.
pub struct Traces {
    window_ms: f64,
    units: String,
    shown_for: Option<Watch>,
    mode: Mode,
    plots: TracePlots,
    spectrum: SpectrumPlots,
    raster: Slot,
    /// What the raster was made of: the model, its steps, the units, the theme; and what its strongest colour stands for.
    raster_of: Option<(u64, u64, usize, Colours)>,
    raster_top: f32,
}

/// What is shown of the traced units.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Signals,
    Population,
    Spectrum,
}

impl Default for Traces {
    fn default() -> Self {
        Self {
            window_ms: 400.0,
            units: String::new(),
            shown_for: None,
            mode: Mode::Signals,
            plots: TracePlots::default(),
            spectrum: SpectrumPlots::default(),
            raster: Slot::default(),
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
                (Mode::Population, "Raster", "Every interneuron of the layer below, over time"),
                (Mode::Spectrum, "Spectrum", "Autocorrelation and power spectrum of the first unit, beside theory"),
            ] {
                ui.switch_value(&mut self.mode, mode, name).on_hover_text(tip);
            }
            let raster = self.mode == Mode::Population;
            if raster != snapshot.watch.raster {
                actions.push(Action::Watch(Watch { raster, ..snapshot.watch.clone() }));
            }
            keep_together(ui, WINDOW_WIDTH);
            let label = ui.label("Window");
            let slider = slider(&mut self.window_ms, 10.0..=10_000.0, "ms").logarithmic(true).max_decimals(0);
            ui.spacing_mut().slider_width = 70.0;
            ui.add(slider).labelled_by(label.id).on_hover_text("Simulated time that is shown");
            if self.mode == Mode::Signals && trace_plots::stands_still(state, snapshot) {
                let hint = "Double-click: everything as it was. A second cursor shows the differences";
                ui.weak("drag: pan, scroll: zoom, click: cursor").on_hover_text(hint);
            }
        });
        let Some(last) = state.traces.iter().filter_map(|t| t.back()).map(|s| s.time_ms).reduce(f64::max) else {
            let waits = snapshot.clock.running;
            ui.label(if waits {
                "No samples yet: click a filter to trace its unit."
            } else {
                "No samples of these units yet: press Run or Step."
            });
            return;
        };
        match self.mode {
            Mode::Signals => self.plots.ui(ui, state, snapshot, last, self.window_ms),
            Mode::Population => self.population(ui, state, snapshot),
            Mode::Spectrum => self.spectrum.ui(ui, snapshot, state.traces.first()),
        }
    }

    /// Of what is shown: signals, the population or the spectrum.
    fn table(&self, state: &ViewState, snapshot: &Snapshot) -> Option<Table> {
        match self.mode {
            Mode::Signals => trace_plots::table(state, snapshot),
            Mode::Population => population(state),
            Mode::Spectrum => self.spectrum.table(None),
        }
    }

    fn figure_table(&self, figure: &str, _: &ViewState, _: &Snapshot) -> Option<Table> {
        (self.mode == Mode::Spectrum).then(|| self.spectrum.table(Some(figure))).flatten()
    }
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
fn raster(state: &ViewState, units: usize, top: f32, colours: Colours) -> ColorImage {
    let empty = RASTER_STEPS.saturating_sub(state.raster.len());
    let pixel = |i: usize| {
        let step = (i % RASTER_STEPS).checked_sub(empty).and_then(|step| state.raster.get(step));
        let [r, g, b] = diverging(step.and_then(|step| step.get(i / RASTER_STEPS)).map_or(0.0, |v| v / top), colours);
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
        let colours = theme::colours(ui);
        let of = Some((snapshot.model_id, snapshot.clock.steps, units, colours));
        if self.raster_of != of || self.raster.id(ui).is_none() {
            self.raster_of = of;
            self.raster_top = state.raster.iter().flatten().fold(f32::MIN_POSITIVE, |top, v| top.max(v.abs()));
            self.raster.put(ui, "raster", raster(state, units, self.raster_top, colours), TextureOptions::NEAREST);
        }
        let (Some(texture), top) = (self.raster.id(ui), self.raster_top) else { return };
        ui.weak(format!(
            "<T(y)> of all {units} units of layer {} in network 0, the last {RASTER_STEPS} steps ({:.1} ms), newest at the right; strongest colour {top:.2}",
            snapshot.watch.trace_layer - 1,
            RASTER_STEPS as f64 * snapshot.governor.dt_ms
        ));
        let size = ui.available_size() - egui::vec2(0.0, 8.0);
        let shown = ui.image(egui::load::SizedTexture::new(texture, size));
        figure::mark(ui, "population", shown.rect);
    }
}
