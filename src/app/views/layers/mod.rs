//! Layers: the weights between two layers as a matrix, and second-layer units by the first-layer filters that they drive.

mod group_drawing;
mod weight_matrix;

use crate::app::actions::Action;
use crate::app::gabor_fitter::{FitPriority, Fits};
use crate::app::state::ViewState;
use crate::app::theme;
use crate::app::views::View;
use crate::app::widgets::cached_texture::CachedTexture;
use crate::app::widgets::switch::Switches as _;
use crate::engine::{Snapshot, Watch};
use crate::export::mosaic::Colours;
use crate::export::table::Table;
use crate::model::FamilyConfig;
use crate::studies::fits::groups;
use egui::{Ui, vec2};
use group_drawing::{Chosen, GroupDrawing, sheet};
use weight_matrix::WeightMatrix;

/// How second-layer units are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Bars,
    Strongest,
    Matrix,
}

/// Share of Gabor-like filters from which bars say enough.
const BARRED: f64 = 0.2;

/// What the view keeps.
#[derive(Default)]
pub struct Layers {
    /// None: bars where there are enough of them, else the strongest filters.
    mode: Option<Mode>,
    chosen: Option<Chosen>,
    filters: CachedTexture<(u64, Colours)>,
    matrix: WeightMatrix,
}

impl View for Layers {
    fn ui(&mut self, ui: &mut Ui, state: &ViewState, snapshot: &Snapshot, actions: &mut Vec<Action>) {
        let fits = state.fits.as_ref().filter(|fits| fits.of.model == snapshot.model_id);
        let mode = self.mode_controls(ui, snapshot, fits);
        if mode == Mode::Matrix {
            self.matrix.ui(ui, snapshot, fits);
            return;
        }
        let (Some(second), Some(fits)) = (snapshot.weights.get(1), fits) else {
            ui.label(why_empty(snapshot));
            return;
        };
        if second.iter().all(|&w| w == 0.0) {
            ui.label("The second layer is still closed: its plasticity opens in a later stage (see Learning).");
            return;
        }
        let dark = ui.visuals().dark_mode;
        let colours = theme::colours(ui);
        let (of, versions) = ((snapshot.model_id, colours), [snapshot.weights_version, 0]);
        let Some(filters) = self.filters.get(ui, "first layer", of, versions, || sheet(&snapshot.weights[0], fits.shape, colours)) else {
            return;
        };
        legend(ui, snapshot, fits, mode);
        let drawing = GroupDrawing { second, fits, filters, dark };
        if let Some(chosen) = self.groups(ui, &drawing, mode) {
            self.chosen = if self.chosen == Some(chosen) { None } else { Some(chosen) };
            let (layer, unit) = match chosen {
                Chosen::First(unit) => (1, unit),
                Chosen::Second(unit) => (2, unit),
            };
            let watch = Watch { trace_layer: layer, trace_units: vec![unit], pair: [unit, unit], raster: snapshot.watch.raster };
            actions.push(Action::Watch(watch));
        }
    }

    fn fit_priority(&self) -> FitPriority {
        FitPriority::Visible
    }

    fn table(&self, state: &ViewState, snapshot: &Snapshot) -> Option<Table> {
        if self.mode == Some(Mode::Matrix) {
            return self.matrix.table(snapshot);
        }
        let groups = state.fits.as_ref().map(|fits| &fits.groups).filter(|groups| !groups.is_empty())?;
        Some(groups::table(groups))
    }
}

impl Layers {
    /// How second-layer units are shown: as was chosen, else as bars where there are enough of them.
    fn mode_controls(&mut self, ui: &mut Ui, snapshot: &Snapshot, fits: Option<&Fits>) -> Mode {
        let barred = fits.is_none_or(|fits| fits.summary().0 >= BARRED);
        let mut mode = self.mode.unwrap_or(if barred { Mode::Bars } else { Mode::Strongest });
        ui.horizontal_wrapped(|ui| {
            for (of, name, tip) in [
                (Mode::Bars, "Bars", "First-layer filters as bars at their place; those without a good Gabor fit have none"),
                (Mode::Strongest, "Strongest filters", "Of each second-layer unit the eight filters that it drives most"),
                (Mode::Matrix, "Matrix", "The weights themselves"),
            ] {
                if ui.switch_value(&mut mode, of, name).on_hover_text(tip).clicked() {
                    self.mode = Some(of);
                }
            }
            if mode == Mode::Matrix {
                ui.separator();
                self.matrix.controls(ui, snapshot.weights.len());
            }
        });
        mode
    }

    /// All units, and beside them the chosen one; answers what was clicked.
    fn groups(&self, ui: &mut Ui, drawing: &GroupDrawing<'_>, mode: Mode) -> Option<Chosen> {
        let side = if self.chosen.is_some() { (ui.available_width() * 0.36).clamp(150.0, 320.0) } else { 0.0 };
        let height = ui.available_height();
        let mut clicked = None;
        ui.horizontal_top(|ui| {
            let available = vec2(ui.available_width() - side - 8.0, height);
            ui.allocate_ui(available, |ui| {
                clicked = match mode {
                    Mode::Bars => drawing.all_bars(ui, available, self.chosen),
                    _ => drawing.all_strongest(ui, available, self.chosen),
                };
            });
            if let Some(chosen) = self.chosen {
                ui.vertical(|ui| clicked = drawing.detail(ui, chosen, side - 8.0).or(clicked));
            }
        });
        clicked
    }
}

/// Why there are no groups of filters to show.
fn why_empty(snapshot: &Snapshot) -> &'static str {
    if snapshot.weights.len() < 2 {
        "This model has one layer of neurons: see Matrix, or choose v1-v2 for a second one."
    } else if crate::studies::fits::patch(snapshot.image_shape()).is_none() {
        "It observes no picture of at least 6 x 6 pixels: see Matrix."
    } else {
        "Fitting the filters ..."
    }
}

/// What the pictures show, and how far the groups are from chance.
fn legend(ui: &mut Ui, snapshot: &Snapshot, fits: &Fits, mode: Mode) {
    let [oriented, placed] = crate::analysis::groups::shares(&fits.groups);
    let scales = snapshot.config.model.layers.get(1).is_some_and(|layer| matches!(layer.family, FamilyConfig::LaplaceScale { .. }));
    let shown = match (mode, scales) {
        (Mode::Strongest, _) => "A row a unit: the eight filters of its largest weights, the largest first.",
        (_, true) => "Red: the unit raises the filter's scale; blue: it lowers it.",
        (_, false) => "Red: positive weight; blue: negative.",
    };
    ui.weak(format!(
        "{shown} Beyond shuffled weights (z > 3): {:.0} % of the units in orientation, {:.0} % in place. Click a unit, then a filter, to go down and up again.",
        100.0 * oriented,
        100.0 * placed
    ));
}
