//! The parts of a step alone, on one thread: what the bound of a step is made of.

use crate::dynamics::noise::Noise;
use crate::model::Hierarchy;
use crate::model::product::multiply;
use ndarray::{Array2, ArrayView2, s};
use std::ops::Range;
use std::sync::Arc;

/// The matrix products of one step of `batch` networks, with inputs and outputs of their own.
pub(super) struct Products {
    layers: Vec<LayerProducts>,
}

struct LayerProducts {
    w: Array2<f32>,
    /// W^T laid out row by row, as a run of the program does once.
    transposed: Array2<f32>,
    /// Whether the layer above shows f(x) to this one; a categorical one picks columns, and is drawn by W^T T(x).
    categorical: bool,
    below: Vec<f32>,
    above: Vec<f32>,
    eta: Vec<f32>,
    current: Vec<f32>,
}

impl Products {
    /// Of the model's shapes.
    pub(super) fn new(model: &Hierarchy, batch: usize) -> Self {
        let layers = model.weights.iter().zip(&model.layers[1..]).map(|(w, above)| {
            let (n, m) = w.dim();
            LayerProducts {
                w: w.clone(),
                transposed: w.t().as_standard_layout().into_owned(),
                categorical: above.is_categorical(),
                below: vec![0.5; batch * n],
                above: vec![0.5; batch * m],
                eta: vec![0.0; batch * n],
                current: vec![0.0; batch * m],
            }
        });
        Self { layers: layers.collect() }
    }

    /// All products once, `rows` networks at a time and by W^T laid out, as a step of the program has them.
    pub(super) fn run(&mut self, rows: usize) {
        self.multiply(rows, true);
    }

    /// All products once, of the whole batch and from W as it is: what the libraries make of these shapes.
    pub(super) fn run_whole(&mut self) {
        self.multiply(usize::MAX, false);
    }

    fn multiply(&mut self, rows: usize, laid_out: bool) {
        for layer in &mut self.layers {
            let (n, m) = layer.w.dim();
            let rows = rows.min(layer.below.len() / n);
            let chunks = layer.below.chunks(rows * n).zip(layer.above.chunks(rows * m));
            let outputs = layer.eta.chunks_mut(rows * n).zip(layer.current.chunks_mut(rows * m));
            for ((below, above), (eta, current)) in chunks.zip(outputs) {
                if !layer.categorical {
                    let by = if laid_out { layer.transposed.view() } else { layer.w.t() };
                    multiply(eta, view(above, m), by, 1.0, false);
                }
                multiply(current, view(below, n), layer.w.view(), 1.0, false);
            }
        }
    }

    /// Floating-point operations of one run.
    pub(super) fn operations(&self) -> f64 {
        self.layers.iter().map(|layer| (if layer.categorical { 2 } else { 4 }) * layer.below.len() * layer.w.ncols()).sum::<usize>() as f64
    }
}

/// The same products of the whole batch with some of their columns alone: what one of several threads does that divide the weights.
pub(super) struct ColumnProducts {
    layers: Vec<LayerColumns>,
}

struct LayerColumns {
    w: Arc<Array2<f32>>,
    /// As in [`LayerProducts`].
    categorical: bool,
    below: Array2<f32>,
    above: Array2<f32>,
    /// Units below whose eta is computed, and units above whose input is.
    columns: [Range<usize>; 2],
    eta: Vec<f32>,
    current: Vec<f32>,
}

impl ColumnProducts {
    /// Of the model's shapes, for each of so many threads.
    pub(super) fn of_threads(model: &Hierarchy, batch: usize, threads: usize) -> Vec<Self> {
        let weights: Vec<Arc<Array2<f32>>> = model.weights.iter().map(|w| Arc::new(w.clone())).collect();
        let layer = |l: usize, thread: usize| {
            let (n, m) = weights[l].dim();
            let columns = [n, m].map(|units| units * thread / threads..units * (thread + 1) / threads);
            let [eta, current] = columns.each_ref().map(|columns| vec![0.0; batch * columns.len()]);
            let [below, above] = [n, m].map(|units| Array2::from_elem((batch, units), 0.5));
            LayerColumns {
                w: Arc::clone(&weights[l]),
                categorical: model.layers[l + 1].is_categorical(),
                below,
                above,
                columns,
                eta,
                current,
            }
        };
        (0..threads).map(|thread| Self { layers: (0..weights.len()).map(|l| layer(l, thread)).collect() }).collect()
    }

    /// All products once.
    pub(super) fn run(&mut self) {
        for LayerColumns { w, categorical, below, above, columns: [rows, columns], eta, current } in &mut self.layers {
            if !*categorical {
                multiply(eta, above.view(), w.slice(s![rows.clone(), ..]).reversed_axes(), 1.0, false);
            }
            multiply(current, below.view(), w.slice(s![.., columns.clone()]), 1.0, false);
        }
    }
}

fn view(values: &[f32], columns: usize) -> ArrayView2<'_, f32> {
    match ArrayView2::from_shape((values.len() / columns, columns), values) {
        Ok(view) => view,
        Err(_) => unreachable!("whole rows"),
    }
}

/// Normals that one step draws: two for each neuron, and one for each unit whose interneurons are sampled.
pub(super) fn normals(model: &Hierarchy, batch: usize, exact: bool) -> usize {
    let moving = |l: usize| 2 * usize::from(l > 0 && !model.layers[l].is_categorical());
    let sampled = |l: usize| usize::from(l < model.depth() && !exact);
    (0..=model.depth()).map(|l| batch * model.layers[l].size * (moving(l) + sampled(l))).sum()
}

/// A stream and room for `count` normals.
pub(super) struct Normals {
    noise: Noise,
    buffer: Vec<f32>,
}

impl Normals {
    /// Of seed 0.
    pub(super) fn new(count: usize) -> Self {
        Self { noise: Noise::new(0, 0), buffer: vec![0.0; count] }
    }

    /// Draws them all by the fastest code of this processor.
    pub(super) fn draw(&mut self) {
        self.noise.fill(std::hint::black_box(&mut self.buffer));
    }

    /// Draws them by the code for every processor.
    pub(super) fn draw_portably(&mut self) {
        self.noise.fill_portably(std::hint::black_box(&mut self.buffer));
    }
}
