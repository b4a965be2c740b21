//! The products of a large model for all networks together. Threads divide the columns among themselves: each weight is read by one of
//! them, once for all networks, in place of by every thread for networks of its own.

use crate::dynamics::executor::{Executor, Task};
use crate::model::Hierarchy;
use crate::model::product::multiply_into;
use ndarray::{Array2, ArrayViewMut2, Axis, s};
use std::ops::Range;

/// Weights from which on the caches near a core hold so few of them that sharing pays for the copies that it needs.
const MANY_WEIGHTS: usize = 1_500_000;
/// Parts that the columns of a product are divided into, whatever the number of threads: so results do not depend on it.
const PARTS: usize = 8;
/// Columns that the matrix libraries multiply at once: parts are multiples of it.
const TILE: usize = 16;

/// Whether the products of this model are computed for all networks together.
pub(super) fn pays(model: &Hierarchy) -> bool {
    model.weights.iter().map(Array2::len).sum::<usize>() >= MANY_WEIGHTS
}

/// What the networks show and hear in a step, all of them together.
#[derive(Clone, Debug, Default)]
pub(super) struct WholeBatch {
    layers: Vec<LayerMatrices>,
}

/// A pair of layers l, l + 1, both of neurons; of a categorical one above every matrix is empty.
#[derive(Clone, Debug)]
struct LayerMatrices {
    /// f(x_(l+1)), `[networks, n_(l+1)]`.
    shown: Array2<f32>,
    /// W_l f(x_(l+1)), `[networks, n_l]`.
    prediction: Array2<f32>,
    /// eps_l, `[networks, n_l]`.
    error: Array2<f32>,
    /// W_l^T eps_l, `[networks, n_(l+1)]`.
    current: Array2<f32>,
}

/// The rows of some networks in these matrices, row by row.
#[derive(Debug)]
pub(super) struct LayerRows<'a> {
    pub(super) shown: &'a mut [f32],
    pub(super) prediction: &'a [f32],
    pub(super) error: &'a mut [f32],
    pub(super) current: &'a [f32],
}

impl WholeBatch {
    /// Sizes the matrices for so many networks and layers that run.
    pub(super) fn resize(&mut self, model: &Hierarchy, networks: usize, active_layers: usize) {
        let sizes = |l: usize| if model.layers[l + 1].is_categorical() { [0, 0] } else { [l, l + 1].map(|l| model.layers[l].size) };
        let fits = |(l, layer): (usize, &LayerMatrices)| layer.shown.dim() == (networks, sizes(l)[1]);
        if self.layers.len() != active_layers || !self.layers.iter().enumerate().all(fits) {
            let matrices = |l: usize| {
                let [below, above] = sizes(l).map(|units| (networks, units));
                let [shown, current] = [above, above].map(Array2::zeros);
                let [prediction, error] = [below, below].map(Array2::zeros);
                LayerMatrices { shown, prediction, error, current }
            };
            self.layers = (0..active_layers).map(matrices).collect();
        }
    }

    /// The rows of blocks of `block_rows` networks, a list of layers a block.
    pub(super) fn rows(&mut self, networks: usize, block_rows: usize) -> Vec<Vec<LayerRows<'_>>> {
        let mut blocks: Vec<Vec<LayerRows>> = (0..networks.div_ceil(block_rows)).map(|_| Vec::with_capacity(self.layers.len())).collect();
        for LayerMatrices { shown, prediction, error, current } in &mut self.layers {
            let [mut shown, mut error] = [shown, error].map(|of| of.as_slice_mut().unwrap_or_default());
            let [mut prediction, mut current] = [prediction, current].map(|of| of.as_slice().unwrap_or_default());
            for (b, layers) in blocks.iter_mut().enumerate() {
                let left = networks - b * block_rows;
                let length = |of: &[f32]| of.len() / left * block_rows.min(left);
                let rows = LayerRows {
                    shown: shown.split_off_mut(..length(shown)).unwrap_or_default(),
                    prediction: prediction.split_off(..length(prediction)).unwrap_or_default(),
                    error: error.split_off_mut(..length(error)).unwrap_or_default(),
                    current: current.split_off(..length(current)).unwrap_or_default(),
                };
                layers.push(rows);
            }
        }
        blocks
    }

    /// What the layers above predict of those below: W_l f(x_(l+1)).
    pub(super) fn predict(&mut self, model: &Hierarchy, executor: &Executor) {
        let mut tasks: Vec<Task> = Vec::new();
        for (LayerMatrices { shown, prediction, .. }, w) in self.layers.iter_mut().zip(&model.weights) {
            let shown = shown.view();
            for (columns, out) in parts(prediction.view_mut()) {
                tasks.push(Box::new(move || multiply_into(out, shown, w.slice(s![columns, ..]).reversed_axes(), 1.0, false)));
            }
        }
        executor(tasks);
    }

    /// The inputs from below: W_l^T eps_l.
    pub(super) fn find_currents(&mut self, model: &Hierarchy, executor: &Executor) {
        let mut tasks: Vec<Task> = Vec::new();
        for (LayerMatrices { error, current, .. }, w) in self.layers.iter_mut().zip(&model.weights) {
            let error = error.view();
            for (columns, out) in parts(current.view_mut()) {
                tasks.push(Box::new(move || multiply_into(out, error, w.slice(s![.., columns]), 1.0, false)));
            }
        }
        executor(tasks);
    }
}

/// A matrix in parts of columns, as even as whole tiles allow, with the numbers of these columns.
fn parts(mut matrix: ArrayViewMut2<f32>) -> Vec<(Range<usize>, ArrayViewMut2<f32>)> {
    let columns = matrix.ncols();
    let tiles = columns.div_ceil(TILE);
    let bounds: Vec<usize> = (0..=PARTS).map(|part| (part * tiles / PARTS * TILE).min(columns)).collect();
    let mut found = Vec::with_capacity(PARTS);
    for bounds in bounds.windows(2).filter(|bounds| bounds[0] < bounds[1]) {
        let (part, rest) = matrix.split_at(Axis(1), bounds[1] - bounds[0]);
        found.push((bounds[0]..bounds[1], part));
        matrix = rest;
    }
    found
}
