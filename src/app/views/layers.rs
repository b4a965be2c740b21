//! Layers: the weights between two layers as a matrix, and second-layer units by the first-layer filters that they drive.

use crate::app::actions::Action;
use crate::app::fitter::{Fits, Need};
use crate::app::state::ViewState;
use crate::app::theme;
use crate::app::views::View;
use crate::app::views::matrix::Matrix;
use crate::app::widgets::cached::Cached;
use crate::app::widgets::figure;
use crate::engine::{Snapshot, Watch};
use crate::export::mosaic::diverging;
use crate::export::table::Table;
use crate::model::FamilyConfig;
use crate::studies::fits::groups;
use egui::{Color32, ColorImage, Rect, Sense, Stroke, Ui, pos2, vec2};
use ndarray::Array2;

/// Filters shown of a unit.
const STRONGEST: usize = 8;

/// How second-layer units are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Bars,
    Strongest,
    Matrix,
}

/// Share of Gabor-like filters from which bars say enough.
const BARRED: f64 = 0.2;

/// The unit looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Chosen {
    Second(usize),
    First(usize),
}

/// What the view keeps.
#[derive(Default)]
pub struct Layers {
    /// None: bars where there are enough of them, else the strongest filters.
    mode: Option<Mode>,
    chosen: Option<Chosen>,
    filters: Cached<(u64, bool)>,
    matrix: Matrix,
}

/// What is drawn, borrowed for one frame.
struct GenerationContext<'a> {
    second: &'a Array2<f32>,
    fits: &'a Fits,
    /// All first-layer filters on one sheet, each `side` pixels wide.
    filters: egui::TextureId,
    dark: bool,
}

impl View for Layers {
    fn ui(&mut self, ui: &mut Ui, state: &ViewState, snapshot: &Snapshot, actions: &mut Vec<Action>) {
        let depth = snapshot.weights.len();
        let fits = state.fits.as_ref().filter(|fits| fits.of.model == snapshot.model_id);
        let second = snapshot.weights.get(1).filter(|_| fits.is_some());
        let barred = fits.is_none_or(|fits| fits.summary().0 >= BARRED);
        let mut mode = self.mode.unwrap_or(if barred { Mode::Bars } else { Mode::Strongest });
        ui.horizontal_wrapped(|ui| {
            for (of, name, tip) in [
                (Mode::Bars, "Bars", "First-layer filters as bars at their place; those without a good Gabor fit have none"),
                (Mode::Strongest, "Strongest filters", "Of each second-layer unit the eight filters that it drives most"),
                (Mode::Matrix, "Matrix", "The weights themselves"),
            ] {
                if ui.selectable_value(&mut mode, of, name).on_hover_text(tip).clicked() {
                    self.mode = Some(of);
                }
            }
            if mode == Mode::Matrix {
                ui.separator();
                self.matrix.controls(ui, depth);
            }
        });
        if mode == Mode::Matrix {
            self.matrix.ui(ui, snapshot, fits);
            return;
        }
        let (Some(second), Some(fits)) = (second, fits) else {
            ui.label(if depth < 2 {
                "This model has one layer of neurons: see Matrix, or choose v1-v2 for a second one."
            } else if crate::studies::fits::side(snapshot.weights[0].nrows()).is_none() {
                "It observes no square picture: see Matrix."
            } else {
                "Fitting the filters ..."
            });
            return;
        };
        if second.iter().all(|&w| w == 0.0) {
            ui.label("The second layer is still closed: its plasticity opens in a later stage (see Learning).");
            return;
        }
        let dark = ui.visuals().dark_mode;
        let (of, versions) = ((snapshot.model_id, dark), [snapshot.weights_version, 0]);
        let Some(filters) = self.filters.get(ui, "first layer", of, versions, || sheet(&snapshot.weights[0], fits.side, dark)) else {
            return;
        };
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
        let context = GenerationContext { second, fits, filters, dark };
        let mut clicked = None;
        let side = if self.chosen.is_some() { (ui.available_width() * 0.36).clamp(150.0, 320.0) } else { 0.0 };
        let height = ui.available_height();
        ui.horizontal_top(|ui| {
            let room = vec2(ui.available_width() - side - 8.0, height);
            ui.allocate_ui(room, |ui| {
                clicked = match mode {
                    Mode::Bars => context.all_bars(ui, room, self.chosen),
                    _ => context.all_strongest(ui, room, self.chosen),
                };
            });
            if let Some(chosen) = self.chosen {
                ui.vertical(|ui| clicked = context.detail(ui, chosen, side - 8.0).or(clicked));
            }
        });
        if let Some(chosen) = clicked {
            self.chosen = if self.chosen == Some(chosen) { None } else { Some(chosen) };
            let (layer, unit) = match chosen {
                Chosen::First(unit) => (1, unit),
                Chosen::Second(unit) => (2, unit),
            };
            let watch = Watch { trace_layer: layer, trace_units: vec![unit], pair: [unit, unit], raster: snapshot.watch.raster };
            actions.push(Action::Watch(watch));
        }
    }

    fn fits(&self) -> Need {
        Need::Shown
    }

    fn table(&self, state: &ViewState, snapshot: &Snapshot) -> Option<Table> {
        if self.mode == Some(Mode::Matrix) {
            return self.matrix.table(snapshot);
        }
        let groups = state.fits.as_ref().map(|fits| &fits.groups).filter(|groups| !groups.is_empty())?;
        Some(groups::table(groups))
    }
}

/// Filters in a row of the sheet, a square of filters.
fn sheet_columns(units: usize) -> usize {
    units.isqrt().max(1) + usize::from(units.isqrt().pow(2) < units)
}

/// All filters on one sheet, row by row, each with its own colour scale.
fn sheet(weights: &Array2<f32>, side: usize, dark: bool) -> ColorImage {
    let (units, columns) = (weights.ncols(), sheet_columns(weights.ncols()));
    let tops: Vec<f32> = weights.columns().into_iter().map(|c| c.iter().fold(f32::MIN_POSITIVE, |t, w| t.max(w.abs()))).collect();
    let size = [columns * side, units.div_ceil(columns) * side];
    let pixel = |i: usize| {
        let (y, x) = (i / size[0], i % size[0]);
        let unit = (y / side) * columns + x / side;
        let weight = if unit < units { weights[[(y % side) * side + x % side, unit]] / tops[unit] } else { 0.0 };
        let [r, g, b] = diverging(weight, dark);
        Color32::from_rgb(r, g, b)
    };
    ColorImage::new(size, (0..size[0] * size[1]).map(pixel).collect())
}

/// Side of square tiles so that `count` of them fill `room`, and how many stand in a row.
fn tiles(count: usize, room: egui::Vec2, aspect: f32) -> (usize, f32) {
    let fits = |columns: usize| {
        let width = room.x / columns as f32;
        (columns, width.min(room.y / (count.div_ceil(columns) as f32) * aspect))
    };
    (1..=count.max(1)).map(fits).max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or((1, room.x))
}

impl GenerationContext<'_> {
    fn order(&self) -> Vec<usize> {
        let norm = |j: usize| self.second.column(j).dot(&self.second.column(j));
        let mut order: Vec<usize> = (0..self.second.ncols()).collect();
        order.sort_by(|&a, &b| norm(b).total_cmp(&norm(a)));
        order
    }

    fn all_bars(&self, ui: &mut Ui, room: egui::Vec2, chosen: Option<Chosen>) -> Option<Chosen> {
        let order = self.order();
        let (columns, size) = tiles(order.len(), room, 1.0);
        let (rect, response) =
            ui.allocate_exact_size(vec2(size * columns as f32, size * order.len().div_ceil(columns) as f32), Sense::click());
        figure::mark(ui, "bars", rect);
        let place = |n: usize| {
            Rect::from_min_size(rect.min + vec2((n % columns) as f32, (n / columns) as f32) * size, vec2(size - 4.0, size - 4.0))
        };
        for (n, &unit) in order.iter().enumerate() {
            self.bars(ui, place(n), unit, chosen == Some(Chosen::Second(unit)));
        }
        let at = response.hover_pos().and_then(|p| (0..order.len()).find(|&n| place(n).contains(p))).map(|n| order[n]);
        let clicked = response.clicked();
        if let Some(unit) = at {
            response.on_hover_text(self.describe(unit));
        }
        at.filter(|_| clicked).map(Chosen::Second)
    }

    fn all_strongest(&self, ui: &mut Ui, room: egui::Vec2, chosen: Option<Chosen>) -> Option<Chosen> {
        let order = self.order();
        let (columns, width) = tiles(order.len(), room, STRONGEST as f32);
        let height = width / STRONGEST as f32;
        let (rect, response) =
            ui.allocate_exact_size(vec2(width * columns as f32, height * order.len().div_ceil(columns) as f32), Sense::click());
        figure::mark(ui, "strongest filters", rect);
        let place = |n: usize| {
            Rect::from_min_size(
                rect.min + vec2((n % columns) as f32 * width, (n / columns) as f32 * height),
                vec2(width - 8.0, height - 4.0),
            )
        };
        for (n, &unit) in order.iter().enumerate() {
            let row = place(n);
            let cell = (row.width() / STRONGEST as f32).min(row.height() + 1.0);
            for (k, (filter, _)) in self.strongest(unit).into_iter().enumerate() {
                self.filter(ui, Rect::from_min_size(row.min + vec2(k as f32 * cell, 0.0), vec2(cell - 1.0, cell - 1.0)), filter);
            }
            if chosen == Some(Chosen::Second(unit)) {
                ui.painter().rect_stroke(row, 1.0, Stroke::new(1.5, theme::SERIES[4]), egui::StrokeKind::Outside);
            }
        }
        let at = response.hover_pos().and_then(|p| (0..order.len()).find(|&n| place(n).contains(p))).map(|n| order[n]);
        let clicked = response.clicked();
        if let Some(unit) = at {
            response.on_hover_text(self.describe(unit));
        }
        at.filter(|_| clicked).map(Chosen::Second)
    }

    fn describe(&self, unit: usize) -> String {
        let group = self.fits.groups.get(unit).copied().unwrap_or_default();
        format!(
            "unit {unit} of layer 2: orientation {:.0} deg (z {:.1}), place ({:.1}, {:.1}) pixels (z {:.1})",
            group.orientation.to_degrees(),
            group.orientation_z,
            group.centre[0],
            group.centre[1],
            group.place_z
        )
    }

    /// First-layer units with their weights, strongest positive first.
    fn strongest(&self, unit: usize) -> Vec<(usize, f32)> {
        let mut list: Vec<(usize, f32)> = self.second.column(unit).iter().copied().enumerate().collect();
        list.sort_by(|a, b| b.1.total_cmp(&a.1));
        list.truncate(STRONGEST);
        list
    }

    fn filter(&self, ui: &Ui, rect: Rect, unit: usize) {
        let columns = sheet_columns(self.second.nrows());
        let tile = vec2(1.0 / columns as f32, 1.0 / self.second.nrows().div_ceil(columns) as f32);
        let at = pos2((unit % columns) as f32 * tile.x, (unit / columns) as f32 * tile.y);
        let uv = Rect::from_min_size(at, tile);
        ui.painter().image(self.filters, rect, uv, Color32::WHITE);
    }

    /// One second-layer unit: the filters it drives as bars at their place.
    fn bars(&self, ui: &Ui, rect: Rect, unit: usize, chosen: bool) {
        let painter = ui.painter().with_clip_rect(rect.expand(1.0).intersect(ui.clip_rect()));
        let edge = if chosen { theme::SERIES[4] } else { theme::exact(self.dark).gamma_multiply(0.25) };
        painter.rect_stroke(rect, 0.0, Stroke::new(if chosen { 2.0 } else { 1.0 }, edge), egui::StrokeKind::Inside);
        let zoom = rect.width() / self.fits.side as f32;
        for bar in groups::bars(self.second.column(unit), &self.fits.gabors) {
            let ends = [bar.from, bar.to].map(|[x, y]| rect.min + vec2(x, y) * zoom);
            let color = theme::signed(bar.weight).gamma_multiply(bar.weight.abs());
            painter.line_segment(ends, Stroke::new((0.35 * zoom).clamp(1.5, 5.0), color));
        }
    }

    /// The chosen unit large, and what it is connected with.
    fn detail(&self, ui: &mut Ui, chosen: Chosen, side: f32) -> Option<Chosen> {
        let mut clicked = None;
        match chosen {
            Chosen::Second(unit) => {
                ui.strong(format!("Unit {unit} of layer 2"));
                let (rect, _) = ui.allocate_exact_size(vec2(side, side), Sense::hover());
                figure::mark(ui, "chosen unit", rect);
                self.bars(ui, rect, unit, true);
                ui.label(self.describe(unit));
                ui.weak("The filters that it drives most: click one to go down to it.");
                let cell = (side / (STRONGEST / 2) as f32).floor();
                egui::Grid::new("strongest").spacing([2.0, 2.0]).show(ui, |ui| {
                    for (k, (filter, weight)) in self.strongest(unit).into_iter().enumerate() {
                        let (rect, response) = ui.allocate_exact_size(vec2(cell - 4.0, cell - 4.0), Sense::click());
                        self.filter(ui, rect, filter);
                        if response.on_hover_text(format!("unit {filter} of layer 1: weight {weight:+.2}")).clicked() {
                            clicked = Some(Chosen::First(filter));
                        }
                        if (k + 1) % (STRONGEST / 2) == 0 {
                            ui.end_row();
                        }
                    }
                });
            }
            Chosen::First(unit) => {
                ui.strong(format!("Unit {unit} of layer 1"));
                let (rect, _) = ui.allocate_exact_size(vec2(0.6 * side, 0.6 * side), Sense::hover());
                figure::mark(ui, "chosen unit", rect);
                self.filter(ui, rect, unit);
                ui.weak("The second-layer units of the strongest weights to it: click one to go up to it.");
                let mut above: Vec<(usize, f32)> = self.second.row(unit).iter().copied().enumerate().collect();
                above.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
                let cell = (side / 2.0).floor();
                egui::Grid::new("above").spacing([2.0, 2.0]).show(ui, |ui| {
                    for (k, (second, weight)) in above.into_iter().take(4).enumerate() {
                        let (rect, response) = ui.allocate_exact_size(vec2(cell - 4.0, cell - 4.0), Sense::click());
                        self.bars(ui, rect, second, false);
                        if response.on_hover_text(format!("unit {second} of layer 2: weight {weight:+.2}")).clicked() {
                            clicked = Some(Chosen::Second(second));
                        }
                        if k % 2 == 1 {
                            ui.end_row();
                        }
                    }
                });
            }
        }
        clicked
    }
}
