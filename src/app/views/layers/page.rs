//! The second-layer units in sight: those of a page, in the order of the norm of their weights, with what is drawn of each.

use crate::app::gabor_fitter::Fits;
use crate::app::widgets::latest_picture::MadeOf;
use crate::engine::Snapshot;
use crate::export::bars::Bar;
use crate::studies::fits::groups::bars;
use egui::Ui;
use ndarray::{Array2, ArrayView1};
use std::ops::Range;

/// Filters shown of a unit in a row.
pub(super) const STRONGEST: usize = 8;
/// Bars of a unit at most, the strongest: more cover each other where many units are in sight.
const MOST_BARS: usize = 64;

/// What is drawn of a second-layer unit.
pub(super) struct UnitDrawing {
    pub(super) unit: usize,
    /// First-layer units with their weights, the strongest positive first.
    pub(super) strongest: Vec<(usize, f32)>,
    pub(super) bars: Vec<Bar>,
}

/// The units in sight.
#[derive(Default)]
pub(super) struct Page {
    /// What `units` were made of: the model and the positions; the values are the versions of weights and fits.
    of: MadeOf<(u64, Range<usize>), [u64; 2]>,
    pub(super) units: Vec<UnitDrawing>,
}

impl Page {
    /// Takes in what the model has learned, where another picture is due, and the units that stand at these positions.
    pub(super) fn refresh(&mut self, ui: &Ui, snapshot: &Snapshot, second: &Array2<f32>, fits: &Fits, positions: Range<usize>) {
        let key = (snapshot.model_id, positions.clone());
        if !self.of.renew(ui, key, [snapshot.weights_version, fits.of.weights], second.len()) {
            return;
        }
        let order = by_norm(second);
        let drawing = |&unit: &usize| {
            let mut bars = bars(second.column(unit), &fits.gabors);
            bars.drain(..bars.len().saturating_sub(MOST_BARS)); // the strongest stand last
            UnitDrawing { unit, strongest: strongest(second.column(unit)), bars }
        };
        self.units = order.get(positions).unwrap_or_default().iter().map(drawing).collect();
    }
}

/// The columns, that of the largest norm first.
fn by_norm(weights: &Array2<f32>) -> Vec<usize> {
    let mut norms = vec![0.0f32; weights.ncols()];
    for row in weights.rows() {
        norms.iter_mut().zip(row).for_each(|(norm, w)| *norm += w * w);
    }
    let mut order: Vec<usize> = (0..norms.len()).collect();
    order.sort_by(|&a, &b| norms[b].total_cmp(&norms[a]));
    order
}

/// First-layer units with their weights to a unit, the strongest positive first.
pub(super) fn strongest(weights: ArrayView1<f32>) -> Vec<(usize, f32)> {
    let mut list: Vec<(usize, f32)> = weights.iter().copied().enumerate().collect();
    let first = |a: &(usize, f32), b: &(usize, f32)| b.1.total_cmp(&a.1);
    if list.len() > STRONGEST {
        list.select_nth_unstable_by(STRONGEST, first);
        list.truncate(STRONGEST);
    }
    list.sort_by(first);
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_stand_by_the_norm_of_their_weights_and_filters_by_their_weight() {
        let weights = ndarray::arr2(&[[0.1, -3.0, 1.0], [0.2, 0.0, -1.0]]);
        assert_eq!(by_norm(&weights), [1, 2, 0]);
        let column: ndarray::Array1<f32> = (0..20).map(|i| ((7 * i) % 20) as f32 - 10.0).collect();
        let found = strongest(column.view());
        let mut all: Vec<(usize, f32)> = column.iter().copied().enumerate().collect();
        all.sort_by(|a, b| b.1.total_cmp(&a.1));
        assert_eq!(found, all[..STRONGEST]);
    }
}
