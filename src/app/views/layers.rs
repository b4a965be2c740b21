//! Layers: the weights between two layers as a matrix, and second-layer units by the first-layer filters that they drive.

use crate::app::actions::Action;
use crate::app::fitter::Fits;
use crate::app::state::ViewState;
use crate::app::theme;
use crate::app::views::View;
use crate::app::widgets::figure;
use crate::engine::{Snapshot, Watch};
use crate::export::mosaic::diverging;
use crate::export::table::Table;
use egui::{Color32, ColorImage, Rect, Sense, Stroke, TextureHandle, TextureOptions, Ui, pos2, vec2};
use ndarray::Array2;
use std::cmp::Ordering;
use std::time::{Duration, Instant};

/// Between two pictures of weights that learn.
const REDRAW: Duration = Duration::from_millis(250);
/// Weights weaker than this share of a unit's strongest are not drawn as bars.
const FAINTEST: f32 = 0.35;
/// Filters shown of a unit.
const STRONGEST: usize = 8;
/// Half length of a bar in widths of the envelope along it.
const BAR: f32 = 1.0;

/// How second-layer units are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mode {
    #[default]
    Bars,
    Strongest,
    Matrix,
}

/// What the rows of the matrix are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Sorting {
    #[default]
    Index,
    Orientation,
    Frequency,
    Across,
    Down,
}

const SORTINGS: [(Sorting, &str); 5] = [
    (Sorting::Index, "index"),
    (Sorting::Orientation, "orientation"),
    (Sorting::Frequency, "frequency"),
    (Sorting::Across, "place, left to right"),
    (Sorting::Down, "place, top to bottom"),
];

/// The unit looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Chosen {
    Second(usize),
    First(usize),
}

/// What the view keeps.
#[derive(Default)]
pub struct Layers {
    mode: Mode,
    sorting: Sorting,
    /// The matrix is W of this index.
    lower: Option<usize>,
    chosen: Option<Chosen>,
    filters: Cached,
    matrix: Cached,
    order: [Vec<usize>; 2],
}

/// A texture and what it was made of.
#[derive(Default)]
struct Cached {
    texture: Option<TextureHandle>,
    of: Option<(u64, u64, usize, Sorting, bool)>,
    at: Option<Instant>,
}

impl Cached {
    /// The texture, made anew where `of` has changed, but not too often for new weights alone.
    fn get(
        &mut self,
        ui: &Ui,
        name: &str,
        of: (u64, u64, usize, Sorting, bool),
        make: impl FnOnce() -> ColorImage,
    ) -> Option<egui::TextureId> {
        let only_weights = self.of.is_some_and(|o| (o.0, o.2, o.3, o.4) == (of.0, of.2, of.3, of.4));
        let early = only_weights && self.at.is_some_and(|at| at.elapsed() < REDRAW);
        if self.of != Some(of) && !early {
            (self.of, self.at) = (Some(of), Some(Instant::now()));
            let image = make();
            match &mut self.texture {
                Some(texture) => texture.set(image, TextureOptions::NEAREST),
                None => self.texture = Some(ui.ctx().load_texture(name, image, TextureOptions::NEAREST)),
            }
        }
        self.texture.as_ref().map(TextureHandle::id)
    }
}

/// What is drawn, borrowed for one frame.
struct Scene<'a> {
    second: &'a Array2<f32>,
    fits: &'a Fits,
    /// All first-layer filters side by side, each `side` pixels wide.
    filters: egui::TextureId,
    dark: bool,
}

impl View for Layers {
    fn ui(&mut self, ui: &mut Ui, state: &ViewState, snapshot: &Snapshot, actions: &mut Vec<Action>) {
        let depth = snapshot.weights.len();
        let fits = state.fits.as_ref().filter(|fits| fits.of.0 == snapshot.model_id);
        let second = snapshot.weights.get(1).filter(|_| fits.is_some());
        ui.horizontal_wrapped(|ui| {
            for (mode, name, tip) in [
                (Mode::Bars, "Bars", "First-layer filters as bars at their place"),
                (Mode::Strongest, "Strongest filters", "Of each second-layer unit the eight filters it raises most"),
                (Mode::Matrix, "Matrix", "The weights themselves"),
            ] {
                ui.selectable_value(&mut self.mode, mode, name).on_hover_text(tip);
            }
            if self.mode == Mode::Matrix {
                ui.separator();
                let highest = depth.saturating_sub(1);
                let mut lower = self.lower.unwrap_or(highest).min(highest);
                for l in 0..depth {
                    ui.selectable_value(&mut lower, l, format!("W{l}")).on_hover_text(format!("Between layers {l} and {}", l + 1));
                }
                self.lower = Some(lower);
                let label = ui.label("Sort by");
                let name = SORTINGS.iter().find(|(s, _)| *s == self.sorting).map_or("", |(_, name)| name);
                let list = egui::ComboBox::from_id_salt("sorting").selected_text(name);
                let list =
                    list.show_ui(ui, |ui| SORTINGS.iter().for_each(|(s, name)| drop(ui.selectable_value(&mut self.sorting, *s, *name))));
                list.response.labelled_by(label.id);
            }
        });
        if self.mode == Mode::Matrix {
            self.matrix(ui, snapshot, fits);
            return;
        }
        let (Some(second), Some(fits)) = (second, fits) else {
            ui.label(if depth < 2 {
                "This model has one layer of neurons: see Matrix, or choose v1-v2 for a second one."
            } else if crate::experiment::fits::side(snapshot.weights[0].nrows()).is_none() {
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
        let of = (snapshot.model_id, snapshot.weights_version, 0, Sorting::Index, dark);
        let Some(filters) = self.filters.get(ui, "first layer", of, || strip(&snapshot.weights[0], fits.side, dark)) else { return };
        let [oriented, placed] = crate::analysis::groups::shares(&fits.groups);
        ui.weak(format!(
            "Red: the unit raises the filter's scale; blue: it lowers it. Beyond shuffled weights (z > 3): {:.0} % of the units in orientation, {:.0} % in place. Click a unit, then a filter, to go down and up again.",
            100.0 * oriented,
            100.0 * placed
        ));
        let scene = Scene { second, fits, filters, dark };
        let mut clicked = None;
        let side = if self.chosen.is_some() { (ui.available_width() * 0.36).clamp(150.0, 320.0) } else { 0.0 };
        let height = ui.available_height();
        ui.horizontal_top(|ui| {
            let room = vec2(ui.available_width() - side - 8.0, height);
            ui.allocate_ui(room, |ui| {
                clicked = match self.mode {
                    Mode::Bars => scene.all_bars(ui, room, self.chosen),
                    _ => scene.all_strongest(ui, room, self.chosen),
                };
            });
            if let Some(chosen) = self.chosen {
                ui.vertical(|ui| clicked = scene.detail(ui, chosen, side - 8.0).or(clicked));
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

    fn table(&self, state: &ViewState, snapshot: &Snapshot) -> Option<Table> {
        let mut table = Table::default();
        if self.mode == Mode::Matrix {
            let weights = snapshot.weights.get(self.lower?)?;
            for (unit, column) in weights.columns().into_iter().enumerate() {
                table.push(format!("unit_{unit}"), column.iter().map(|&w| f64::from(w)));
            }
            return Some(table);
        }
        let groups = state.fits.as_ref().map(|fits| &fits.groups).filter(|groups| !groups.is_empty())?;
        table.push("unit", (0..groups.len()).map(|unit| unit as f64));
        table.push("orientation_deg", groups.iter().map(|g| g.orientation.to_degrees()));
        table.push("concentration", groups.iter().map(|g| g.concentration));
        table.push("orientation_z", groups.iter().map(|g| g.orientation_z));
        table.push("x", groups.iter().map(|g| g.centre[0]));
        table.push("y", groups.iter().map(|g| g.centre[1]));
        table.push("spread", groups.iter().map(|g| g.spread));
        table.push("place_z", groups.iter().map(|g| g.place_z));
        Some(table)
    }
}

/// All filters in a row, each with its own colour scale.
fn strip(weights: &Array2<f32>, side: usize, dark: bool) -> ColorImage {
    let units = weights.ncols();
    let tops: Vec<f32> = weights.columns().into_iter().map(|c| c.iter().fold(f32::MIN_POSITIVE, |t, w| t.max(w.abs()))).collect();
    let pixel = |i: usize| {
        let (row, x) = (i / (units * side), i % (units * side));
        let (unit, column) = (x / side, x % side);
        let [r, g, b] = diverging(weights[[row * side + column, unit]] / tops[unit], dark);
        Color32::from_rgb(r, g, b)
    };
    ColorImage::new([units * side, side], (0..units * side * side).map(pixel).collect())
}

/// Side of square tiles so that `count` of them fill `room`, and how many stand in a row.
fn tiles(count: usize, room: egui::Vec2, aspect: f32) -> (usize, f32) {
    let fits = |columns: usize| {
        let width = room.x / columns as f32;
        (columns, width.min(room.y / (count.div_ceil(columns) as f32) * aspect))
    };
    (1..=count.max(1)).map(fits).max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or((1, room.x))
}

impl Scene<'_> {
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
            Rect::from_min_size(rect.min + vec2((n % columns) as f32 * width, (n / columns) as f32 * height), vec2(width - 8.0, height))
        };
        for (n, &unit) in order.iter().enumerate() {
            let row = place(n);
            let cell = row.width() / STRONGEST as f32;
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
            "unit {unit} of layer 2: orientation {:.0} deg (z {:.1}), place {:.1}, {:.1} pixels (z {:.1})",
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
        let width = 1.0 / self.second.nrows() as f32;
        let uv = Rect::from_min_max(pos2(unit as f32 * width, 0.0), pos2((unit + 1) as f32 * width, 1.0));
        ui.painter().image(self.filters, rect, uv, Color32::WHITE);
    }

    /// One second-layer unit: the filters it drives as bars at their place.
    fn bars(&self, ui: &Ui, rect: Rect, unit: usize, chosen: bool) {
        let painter = ui.painter().with_clip_rect(rect.expand(1.0).intersect(ui.clip_rect()));
        let edge = if chosen { theme::SERIES[4] } else { theme::exact(self.dark).gamma_multiply(0.25) };
        painter.rect_stroke(rect, 0.0, Stroke::new(if chosen { 2.0 } else { 1.0 }, edge), egui::StrokeKind::Inside);
        let zoom = rect.width() / self.fits.side as f32;
        let column = self.second.column(unit);
        let top = column.iter().fold(f32::MIN_POSITIVE, |t, w| t.max(w.abs()));
        let mut visible: Vec<(f32, usize)> = column
            .iter()
            .enumerate()
            .map(|(i, w)| (w / top, i))
            .filter(|(w, i)| w.abs() >= FAINTEST && self.fits.gabors[*i].r2 > 0.5)
            .collect();
        visible.sort_by(|a, b| a.0.abs().partial_cmp(&b.0.abs()).unwrap_or(Ordering::Equal));
        for (weight, i) in visible {
            let fit = &self.fits.gabors[i];
            let centre = rect.min + vec2(fit.centre[0] as f32, fit.centre[1] as f32) * zoom;
            let (sin, cos) = (fit.orientation as f32).sin_cos();
            let half = vec2(cos, -sin) * BAR * fit.widths[1] as f32 * zoom;
            let color = theme::signed(weight).gamma_multiply(weight.abs());
            painter.line_segment([centre - half, centre + half], Stroke::new((0.35 * zoom).clamp(1.5, 5.0), color));
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
                ui.weak("The filters it raises most: click one to go down to it.");
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
                ui.weak("The second-layer units that move its scale most: click one to go up to it.");
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

impl Layers {
    /// W_l as a picture, rows the lower units, columns the upper ones.
    fn matrix(&mut self, ui: &mut Ui, snapshot: &Snapshot, fits: Option<&Fits>) {
        let Some(l) = self.lower.filter(|&l| l < snapshot.weights.len()) else { return };
        let weights = &snapshot.weights[l];
        let (rows, columns) = weights.dim();
        let dark = ui.visuals().dark_mode;
        let of = (snapshot.model_id, snapshot.weights_version, l, self.sorting, dark);
        let top = weights.iter().fold(f32::MIN_POSITIVE, |t, w| t.max(w.abs()));
        let (sorting, order) = (self.sorting, &mut self.order);
        let texture = self.matrix.get(ui, "matrix", of, || {
            *order = [by_fit(rows, sorting, if l == 1 { fits } else { None }), by_fit(columns, sorting, if l == 0 { fits } else { None })];
            if l == 1 && sorting == Sorting::Orientation && fits.is_some_and(|fits| fits.groups.len() == columns) {
                let group = |j: usize| fits.map_or(0.0, |fits| fits.groups[j].orientation);
                order[1].sort_by(|&a, &b| group(a).total_cmp(&group(b)));
            }
            let pixel = |i: usize| {
                let [r, g, b] = diverging(weights[[order[0][i / columns], order[1][i % columns]]] / top, dark);
                Color32::from_rgb(r, g, b)
            };
            ColorImage::new([columns, rows], (0..rows * columns).map(pixel).collect())
        });
        ui.weak(format!("W{l}: {rows} units of layer {l} down, {columns} of layer {} across; strongest colour {top:.2}", l + 1));
        if sorting != Sorting::Index && fits.is_none() {
            ui.weak("No fits to sort by: units stand by their index.");
        }
        let Some(texture) = texture else { return };
        let room = ui.available_size() - vec2(0.0, 4.0);
        let cell = (room.x / columns as f32).min(room.y / rows as f32);
        let stretch = (room.x / columns as f32).min(4.0 * cell); // narrow matrices may be wider than they are true to scale
        let (rect, response) = ui.allocate_exact_size(vec2(stretch * columns as f32, cell * rows as f32), Sense::hover());
        figure::mark(ui, "matrix", rect);
        ui.painter().image(texture, rect, Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0)), Color32::WHITE);
        if let Some(p) = response.hover_pos() {
            let at = (p - rect.min) / vec2(stretch, cell);
            if let (Some(&i), Some(&j)) = (self.order[0].get(at.y.max(0.0) as usize), self.order[1].get(at.x.max(0.0) as usize))
                && let Some(w) = weights.get((i, j))
            {
                response.on_hover_text(format!("unit {i} of layer {l}, unit {j} of layer {}: {w:+.3}", l + 1));
            }
        }
    }
}

/// Units in the order of a fitted parameter; by index where there are no fits.
fn by_fit(units: usize, sorting: Sorting, fits: Option<&Fits>) -> Vec<usize> {
    let mut order: Vec<usize> = (0..units).collect();
    if let Some(fits) = fits.filter(|fits| fits.gabors.len() == units) {
        let key = |i: usize| {
            let fit = &fits.gabors[i];
            match sorting {
                Sorting::Index => i as f64,
                Sorting::Orientation => fit.orientation,
                Sorting::Frequency => fit.frequency,
                Sorting::Across => fit.centre[0],
                Sorting::Down => fit.centre[1],
            }
        };
        order.sort_by(|&a, &b| key(a).total_cmp(&key(b)));
    }
    order
}
