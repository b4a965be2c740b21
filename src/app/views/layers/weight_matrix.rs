//! The weights between two layers as a matrix, sorted by what is fitted to the filters.

use crate::app::gabor_fitter::Fits;
use crate::app::theme;
use crate::app::views::filter_order::Order;
use crate::app::widgets::cell_values;
use crate::app::widgets::choice::choice;
use crate::app::widgets::figure;
use crate::app::widgets::latest_picture::{LatestPicture, MadeOf, Pictured};
use crate::app::widgets::switch::Switches as _;
use crate::app::widgets::viewport::{LARGEST, Viewport};
use crate::engine::Snapshot;
use crate::export::mosaic::{Colours, Layout, diverging};
use crate::export::table::Table;
use egui::{Color32, ColorImage, Painter, Rect, Sense, Ui, Vec2, pos2, vec2};
use ndarray::Array2;
use std::ops::Range;
use std::sync::Arc;

/// What its rows and columns can be sorted by.
const ORDERS: [Order; 5] = [Order::Index, Order::Orientation, Order::Frequency, Order::CentreX, Order::CentreY];
/// Rows and columns in sight are pictured up to a multiple of this, so that not every move needs another picture.
const ROUNDED: usize = 64;
/// Weights that are written into their cells at most.
const MOST_WRITTEN: usize = 600;

/// Which weights are drawn, and how: the number of the model, that of the lower layer, the order and the colours.
type Shown = (u64, usize, Order, Colours);

/// The weights as they were when the picture was due.
struct Sorted {
    /// The number of the lower layer.
    lower: usize,
    weights: Arc<Array2<f32>>,
    /// Units below and above by position.
    order: Arc<[Vec<usize>; 2]>,
    /// What the strongest colour stands for.
    top: f32,
}

/// The matrix, what it shows and how.
#[derive(Default)]
pub struct WeightMatrix {
    sorting: Order,
    /// The number of the lower layer that was chosen; None: that of the highest weights.
    lower: Option<usize>,
    /// What `sorted` was made of; the values are the versions of weights and fits.
    of: MadeOf<Shown, [u64; 2]>,
    sorted: Option<Sorted>,
    viewport: Viewport,
    /// Columns and rows of weights that are one point of the screen.
    per_pixel: [usize; 2],
    picture: LatestPicture,
}

impl WeightMatrix {
    /// Which weights, in which order.
    pub fn controls(&mut self, ui: &mut Ui, depth: usize) {
        let highest = depth.saturating_sub(1);
        let mut lower = self.lower.unwrap_or(highest).min(highest);
        for l in 0..depth {
            ui.switch_value(&mut lower, l, format!("W{l}")).on_hover_text(format!("Between layers {l} and {}", l + 1));
        }
        self.lower = Some(lower);
        let orders: Vec<_> = Order::ALL.into_iter().filter(|(order, _)| ORDERS.contains(order)).collect();
        choice(ui, "Sort by", 110.0, &mut self.sorting, &orders);
        if self.viewport.is_part() && ui.button("Whole matrix").on_hover_text("As a double click on it, or 0").clicked() {
            self.viewport = Viewport::default();
        }
    }

    /// Its numbers, a column an upper unit.
    pub fn table(&self, snapshot: &Snapshot) -> Option<Table> {
        let mut table = Table::default();
        for (unit, column) in snapshot.weights.get(self.lower?)?.columns().into_iter().enumerate() {
            table.push(format!("unit_{unit}"), column.iter().map(|&w| f64::from(w)));
        }
        Some(table)
    }

    /// What the texture shows.
    #[cfg(test)]
    pub fn pictured(&self) -> Option<&Pictured> {
        self.picture.shown()
    }

    /// Which weights are shown, in which order and how large, for a caption.
    pub fn arrangement(&self) -> Option<String> {
        let order = Order::ALL.iter().find(|(order, _)| *order == self.sorting).map_or("", |(_, name)| name);
        Some(format!("W{} in the order of {order}{}.", self.lower?, self.viewport.caption()))
    }

    /// W_l as a picture, rows the lower units, columns the upper ones.
    pub fn ui(&mut self, ui: &mut Ui, snapshot: &Snapshot, fits: Option<&Fits>) {
        self.refresh(ui, snapshot, fits);
        let Some(Sorted { lower: l, weights, top, .. }) = &self.sorted else { return };
        let ((rows, columns), l) = (weights.dim(), *l);
        let text = format!("W{l}: units of layer {l} down ({rows}), of layer {} across ({columns}); strongest colour {top:.2}", l + 1);
        match self.per_pixel {
            [0 | 1, 0 | 1] => ui.weak(text),
            [wide, tall] => ui.weak(format!("{text}; each point the strongest of {tall} x {wide} weights")),
        };
        if self.sorting != Order::Index && fits.is_none() {
            ui.weak("No fits to sort by: units stand by their index.");
        }
        let available = (ui.available_size() - vec2(0.0, 4.0)).max(Vec2::splat(1.0));
        let cell = (available.x / columns as f32).min(available.y / rows as f32).min(LARGEST);
        let stretch = (available.x / columns as f32).min(4.0 * cell); // narrow matrices may be wider than they are true to scale
        let (seen, response) = ui.allocate_exact_size(vec2(stretch * columns as f32, cell * rows as f32), Sense::click_and_drag());
        if !figure::is_saved(ui.ctx()) {
            self.viewport.follow(ui, &response, seen, cell);
        }
        figure::mark(ui, "matrix", seen);
        let cell = vec2(stretch, cell) * self.viewport.zoom();
        self.per_pixel = per_pixel(ui, cell);
        let whole = self.viewport.whole(seen);
        self.draw(ui, seen, whole, cell);
        let Some(Sorted { weights, order, .. }) = &self.sorted else { return };
        if let Some(p) = response.hover_pos().filter(|p| seen.contains(*p)) {
            let at = (p - whole.min) / cell;
            if let (Some(&i), Some(&j)) = (order[0].get(at.y.max(0.0) as usize), order[1].get(at.x.max(0.0) as usize))
                && let Some(w) = weights.get((i, j))
            {
                response.on_hover_text(format!("unit {i} of layer {l}, unit {j} of layer {}: {w:+.3}", l + 1));
            }
        }
    }

    /// Takes in what the model has learned, where another picture is due.
    fn refresh(&mut self, ui: &Ui, snapshot: &Snapshot, fits: Option<&Fits>) {
        let Some((lower, weights)) = self.lower.and_then(|l| Some((l, snapshot.weights.get(l)?))) else {
            self.sorted = None;
            return;
        };
        let versions = [snapshot.weights_version, fits.map_or(0, |fits| fits.of.weights)];
        let before = self.of.key().map(|(model, lower, ..)| (*model, *lower));
        if !self.of.renew(ui, (snapshot.model_id, lower, self.sorting, theme::colours(ui)), versions, weights.len())
            && self.sorted.is_some()
        {
            return;
        }
        if before != Some((snapshot.model_id, lower)) {
            self.viewport = Viewport::default();
        }
        let top = weights.iter().fold(f32::MIN_POSITIVE, |t, w| t.max(w.abs()));
        let order = Arc::new(order(weights.dim(), lower, self.sorting, fits));
        self.sorted = Some(Sorted { lower, weights: Arc::clone(weights), order, top });
    }

    /// The weights in sight: no others are put into the texture.
    fn draw(&mut self, ui: &Ui, seen: Rect, whole: Rect, cell: Vec2) {
        let (Some(at), Some(Sorted { weights, order, top, .. })) = (self.of.at(), &self.sorted) else { return };
        let (rows, columns) = weights.dim();
        let per_pixel = self.per_pixel;
        let rounded = |range: Range<usize>, count: usize, per_pixel: usize| {
            let unit = ROUNDED * per_pixel;
            range.start / unit * unit..range.end.next_multiple_of(unit).min(count)
        };
        let [across, down] = self.viewport.tiles(Layout { columns, rows, tile: [1, 1], gap: 0 });
        let [across, down] = [rounded(across, columns, per_pixel[0]), rounded(down, rows, per_pixel[1])];
        let corner = whole.min + vec2(across.start as f32, down.start as f32) * cell;
        let size = [across.len().div_ceil(per_pixel[0]), down.len().div_ceil(per_pixel[1])];
        // The last pixel may have fewer columns or rows than the others, and reach beyond them.
        let rect = Rect::from_min_size(corner, vec2((size[0] * per_pixel[0]) as f32, (size[1] * per_pixel[1]) as f32) * cell);
        let wanted = Pictured { at, part: [across.clone(), down.clone()], per_pixel, is_reduced: false };
        let (weights, order, top, colours) = (Arc::clone(weights), Arc::clone(order), *top, theme::colours(ui));
        let many = across.len() * down.len();
        let draw = move || {
            let of = strongest(&weights, &order, [down, across], [per_pixel[1], per_pixel[0]]);
            let color = |&w: &f32| {
                let [r, g, b] = diverging(w / top, colours);
                Color32::from_rgb(r, g, b)
            };
            ColorImage::new(size, of.iter().map(color).collect())
        };
        if let Some(texture) = self.picture.get(ui, "matrix", wanted, many, draw) {
            let painter = ui.painter().with_clip_rect(seen.intersect(ui.clip_rect()));
            painter.image(texture, rect, Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0)), Color32::WHITE);
            self.write_values(ui, &painter, seen, whole, cell);
        }
    }

    /// Writes the weights in sight into their cells, where these are large enough.
    fn write_values(&self, ui: &Ui, painter: &Painter, seen: Rect, whole: Rect, cell: Vec2) {
        let Some(Sorted { weights, order, top, .. }) = self.sorted.as_ref().filter(|_| cell_values::has_room(cell)) else { return };
        let (rows, columns) = weights.dim();
        let [across, down] = self.viewport.tiles(Layout { columns, rows, tile: [1, 1], gap: 0 });
        if across.len() * down.len() > MOST_WRITTEN {
            return;
        }
        for (i, j) in down.flat_map(|i| across.clone().map(move |j| (i, j))) {
            let place = Rect::from_min_size(whole.min + vec2(j as f32, i as f32) * cell, cell);
            if seen.contains(place.center()) {
                cell_values::write(ui, painter, place, weights[[order[0][i], order[1][j]]], *top);
            }
        }
    }
}

/// Columns and rows of weights that are one point of the screen where each has `cell` of it.
fn per_pixel(ui: &Ui, cell: Vec2) -> [usize; 2] {
    [cell.x, cell.y].map(|side| (1.0 / (side * ui.ctx().pixels_per_point())).round().max(1.0) as usize)
}

/// The strongest weight of every so many rows and columns of a part of the matrix in this order.
fn strongest(weights: &Array2<f32>, order: &[Vec<usize>; 2], [rows, columns]: [Range<usize>; 2], [tall, wide]: [usize; 2]) -> Array2<f32> {
    let mut found = Array2::zeros((rows.len().div_ceil(tall), columns.len().div_ceil(wide)));
    for (i, &below) in order[0][rows].iter().enumerate() {
        let row = weights.row(below);
        for (j, &above) in order[1][columns.clone()].iter().enumerate() {
            let most: &mut f32 = &mut found[[i / tall, j / wide]];
            if row[above].abs() > most.abs() {
                *most = row[above];
            }
        }
    }
    found
}

/// Units of layer `l` and of the one above by position, `(below, above)` of them.
fn order((below, above): (usize, usize), l: usize, sorting: Order, fits: Option<&Fits>) -> [Vec<usize>; 2] {
    let mut order = [by_fit(below, sorting, fits.filter(|_| l == 1)), by_fit(above, sorting, fits.filter(|_| l == 0))];
    if let Some(fits) = fits.filter(|fits| l == 1 && fits.groups.len() == above) {
        let key = |j: usize| match sorting {
            Order::Orientation => fits.groups[j].orientation,
            Order::CentreX => fits.groups[j].centre[0],
            Order::CentreY => fits.groups[j].centre[1],
            _ => j as f64,
        };
        order[1].sort_by(|&a, &b| key(a).total_cmp(&key(b)));
    }
    order
}

/// Units in the order of a fitted parameter; by index where there are no fits.
fn by_fit(units: usize, sorting: Order, fits: Option<&Fits>) -> Vec<usize> {
    let mut order: Vec<usize> = (0..units).collect();
    if let Some(fits) = fits.filter(|fits| fits.gabors.len() == units && sorting.needs_fits()) {
        let key = |unit: usize| sorting.of_fit(&fits.gabors[unit]).unwrap_or_default();
        order.sort_by(|&a, &b| key(a).total_cmp(&key(b)));
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_has_the_strongest_of_its_weights_in_their_order() {
        let weights = ndarray::arr2(&[[1.0, -2.0, 0.5], [0.0, 1.5, -4.0], [3.0, 0.25, -0.5]]);
        let order = [vec![0, 1, 2], vec![2, 0, 1]];
        let all = strongest(&weights, &order, [0..3, 0..3], [1, 1]);
        assert_eq!(all, ndarray::arr2(&[[0.5, 1.0, -2.0], [-4.0, 0.0, 1.5], [-0.5, 3.0, 0.25]]));
        assert_eq!(strongest(&weights, &order, [0..3, 0..3], [2, 2]), ndarray::arr2(&[[-4.0, -2.0], [3.0, 0.25]]));
        assert_eq!(strongest(&weights, &order, [1..3, 0..2], [2, 1]), ndarray::arr2(&[[-4.0, 3.0]]));
    }
}
