//! The weights between two layers as a matrix, sorted by what is fitted to the filters.

use crate::app::gabor_fitter::Fits;
use crate::app::theme;
use crate::app::views::filter_order::Order;
use crate::app::widgets::cached_texture::CachedTexture;
use crate::app::widgets::choice::choice;
use crate::app::widgets::figure;
use crate::app::widgets::switch::Switches as _;
use crate::engine::Snapshot;
use crate::export::mosaic::{Colours, diverging};
use crate::export::table::Table;
use egui::{Color32, ColorImage, Rect, Sense, Ui, pos2, vec2};

/// What its rows and columns can be sorted by.
const ORDERS: [Order; 5] = [Order::Index, Order::Orientation, Order::Frequency, Order::CentreX, Order::CentreY];

/// The matrix, what it shows and how.
#[derive(Default)]
pub struct WeightMatrix {
    sorting: Order,
    /// It is W of this index; None: the highest.
    lower: Option<usize>,
    picture: CachedTexture<(u64, usize, Order, Colours)>,
    order: [Vec<usize>; 2],
    /// What the strongest colour stands for.
    top: f32,
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
    }

    /// Its numbers, a column an upper unit.
    pub fn table(&self, snapshot: &Snapshot) -> Option<Table> {
        let mut table = Table::default();
        for (unit, column) in snapshot.weights.get(self.lower?)?.columns().into_iter().enumerate() {
            table.push(format!("unit_{unit}"), column.iter().map(|&w| f64::from(w)));
        }
        Some(table)
    }

    /// W_l as a picture, rows the lower units, columns the upper ones.
    pub fn ui(&mut self, ui: &mut Ui, snapshot: &Snapshot, fits: Option<&Fits>) {
        let Some(l) = self.lower.filter(|&l| l < snapshot.weights.len()) else { return };
        let weights = &snapshot.weights[l];
        let (rows, columns) = weights.dim();
        let colours = theme::colours(ui);
        let of = (snapshot.model_id, l, self.sorting, colours);
        let versions = [snapshot.weights_version, fits.map_or(0, |fits| fits.of.weights)];
        let (sorting, order, top) = (self.sorting, &mut self.order, &mut self.top);
        let texture = self.picture.get(ui, "matrix", of, versions, || {
            *top = weights.iter().fold(f32::MIN_POSITIVE, |t, w| t.max(w.abs()));
            *order = [by_fit(rows, sorting, if l == 1 { fits } else { None }), by_fit(columns, sorting, if l == 0 { fits } else { None })];
            if let Some(fits) = fits.filter(|fits| l == 1 && fits.groups.len() == columns) {
                let key = |j: usize| match sorting {
                    Order::Orientation => fits.groups[j].orientation,
                    Order::CentreX => fits.groups[j].centre[0],
                    Order::CentreY => fits.groups[j].centre[1],
                    _ => j as f64,
                };
                order[1].sort_by(|&a, &b| key(a).total_cmp(&key(b)));
            }
            let pixel = |i: usize| {
                let [r, g, b] = diverging(weights[[order[0][i / columns], order[1][i % columns]]] / *top, colours);
                Color32::from_rgb(r, g, b)
            };
            ColorImage::new([columns, rows], (0..rows * columns).map(pixel).collect())
        });
        ui.weak(format!("W{l}: {rows} units of layer {l} down, {columns} of layer {} across; strongest colour {:.2}", l + 1, self.top));
        if sorting != Order::Index && fits.is_none() {
            ui.weak("No fits to sort by: units stand by their index.");
        }
        let Some(texture) = texture else { return };
        let available = ui.available_size() - vec2(0.0, 4.0);
        let cell = (available.x / columns as f32).min(available.y / rows as f32);
        let stretch = (available.x / columns as f32).min(4.0 * cell); // narrow matrices may be wider than they are true to scale
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
fn by_fit(units: usize, sorting: Order, fits: Option<&Fits>) -> Vec<usize> {
    let mut order: Vec<usize> = (0..units).collect();
    if let Some(fits) = fits.filter(|fits| fits.gabors.len() == units && sorting.needs_fits()) {
        let key = |unit: usize| sorting.of_fit(&fits.gabors[unit]).unwrap_or_default();
        order.sort_by(|&a, &b| key(a).total_cmp(&key(b)));
    }
    order
}
