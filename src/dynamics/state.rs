//! The state of one layer of a block of networks: plain buffers, apart from what moves them.

use crate::dynamics::step_parameters::LastInnovation;
use crate::model::families::InterneuronDynamics;
use crate::model::product::multiply;
use crate::model::small_product::layer_product;
use crate::model::{Activation, Hierarchy};
use ndarray::ArrayView2;

/// Learning steps that are stored before their products are added to the sums.
pub(super) const HISTORY: usize = 16;

/// State of one layer in a block; every buffer is `[rows, units]`, row by row.
#[derive(Clone, Debug, Default)]
pub(super) struct LayerState {
    /// Activity x.
    pub(super) x: Vec<f32>,
    /// Adaptation v (empty in layer 0).
    pub(super) v: Vec<f32>,
    /// f(x); empty where f is the identity, and in a categorical layer.
    pub(super) f: Vec<f32>,
    /// Natural parameter eta given the layer above; at the top the bias, or empty where that is 0.
    pub(super) eta: Vec<f32>,
    /// g'(a) where the family has a link, else empty.
    pub(super) slope: Vec<f32>,
    /// Interneurons y, `[K, rows, units]`; for Ornstein-Uhlenbeck the expectation of their mean given its means over the steps so far,
    /// `[rows, units]`, and for bernoulli their mean or its expectation, unless every step is simulated.
    pub(super) y: Vec<f32>,
    /// For Ornstein-Uhlenbeck the variance of the mean of K about that expectation.
    pub(super) unsampled_variance: f64,
    /// What was computed for the last step of such interneurons.
    pub(super) innovation: Option<LastInnovation>,
    /// The same for bernoulli, where it differs from unit to unit, `[rows, units]`; else empty.
    pub(super) unsampled_variances: Vec<f32>,
    /// How the interneurons move; None before they are started.
    pub(super) dynamics: Option<InterneuronDynamics>,
    /// <T(y)> over the last step.
    pub(super) mean_statistic: Vec<f32>,
    /// eps = T(x) - <T(y)>.
    pub(super) eps: Vec<f32>,
    /// Input from below, f' W^T eps.
    pub(super) likelihood: Vec<f32>,
    /// Input from above, T' eta - B'.
    pub(super) prior: Vec<f32>,
    /// Buffers of whoever moves the layer.
    pub(super) scratch: [Vec<f32>; 2],
    /// Buffers of interneurons that move by micro-steps.
    pub(super) micro: MicroStepBuffers,
    /// eps of the stored learning steps, `[HISTORY, rows, units]`.
    pub(super) eps_history: Vec<f32>,
    /// f of the layer above at their ends, `[HISTORY, rows, units above]`.
    pub(super) f_history: Vec<f32>,
    /// Sum of eps_l f(x_(l+1))^T over rows and learning steps, `[n_l, n_(l+1)]`.
    pub(super) weight_sums: Vec<f32>,
    /// Sum of eps_l, `[n_l]`.
    pub(super) bias_sums: Vec<f32>,
    /// Sum of (eps_l)^2 over rows, units and learning steps.
    pub(super) squared_errors_sum: f64,
    /// In a categorical layer the state that each row is in, `[rows]`.
    pub(super) category: Vec<u32>,
    /// In a categorical layer how often each state was taken in the learning steps, `[k]`.
    pub(super) category_counts: Vec<f32>,
}

impl LayerState {
    /// Layer `l` of `rows` networks at x = 0; interneurons and adaptation are not started.
    pub(super) fn new(model: &Hierarchy, l: usize, rows: usize) -> Self {
        let (layer, depth) = (&model.layers[l], model.depth());
        let (size, categorical) = (rows * layer.size, layer.is_categorical());
        let above = if l < depth { model.layers[l + 1].size } else { 0 };
        let zeros = |present: bool, n: usize| vec![0.0; if present { n } else { 0 }];
        Self {
            x: vec![0.0; size],
            v: zeros(l > 0 && !categorical, size),
            f: zeros(l > 0 && !categorical && layer.activation != Activation::Linear, size),
            eta: zeros(l < depth || model.biases[l].iter().any(|&b| b != 0.0) && !categorical, size),
            slope: zeros(layer.family().is_some_and(|family| family.has_link()), size),
            mean_statistic: zeros(l < depth, size),
            eps: zeros(l < depth, size),
            likelihood: zeros(l > 0 && !categorical, size),
            prior: zeros(l > 0 && !categorical, size),
            scratch: [vec![0.0; size], vec![0.0; size]],
            eps_history: zeros(l < depth, HISTORY * size),
            f_history: zeros(l < depth && !model.layers[l + 1].is_categorical(), HISTORY * rows * above),
            weight_sums: zeros(l < depth, layer.size * above),
            bias_sums: zeros(l < depth, layer.size),
            category: vec![0; if categorical { rows } else { 0 }],
            category_counts: zeros(categorical, layer.size),
            ..Self::default()
        }
    }

    /// What the layer below is shown, f(x), `[rows, units]`; not for a categorical layer.
    #[inline]
    pub(super) fn output(&self) -> &[f32] {
        if self.f.is_empty() { &self.x } else { &self.f }
    }

    /// Writes f(x) after x was set from outside.
    pub(super) fn activate(&mut self, activation: Activation) {
        if !self.f.is_empty() {
            activation.apply(&self.x, &mut self.f);
        }
    }
}

/// What moves one layer of one network: the last step's. An array is empty where the layer has no such part.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct LayerParts {
    /// Neurons x after that step, `[units]`.
    #[serde(default)]
    pub neurons: Vec<f32>,
    /// Adaptation v, `[units]`.
    pub adaptation: Vec<f32>,
    /// <T(y)> of the interneurons that predict this layer, `[units]`.
    pub statistic: Vec<f32>,
    /// Prediction errors eps = T(x) - <T(y)>, `[units]` (model.md 2.2).
    pub error: Vec<f32>,
    /// Input from below, f' W^T eps, `[units]` (model.md 2.1).
    pub likelihood: Vec<f32>,
    /// Input from above, T' eta - B', `[units]` (model.md 2.1).
    pub prior: Vec<f32>,
}

/// The state of one layer of one network, to be written.
#[derive(Debug)]
pub enum ChainState<'a> {
    /// A layer of neurons.
    Neurons {
        /// x, `[units]`.
        x: &'a mut [f32],
        /// v, `[units]`.
        v: &'a mut [f32],
    },
    /// The state of a categorical layer.
    Category(&'a mut u32),
}

/// Buffers of the micro-steps, `[rows, units]` each; empty where there are none.
#[derive(Clone, Debug, Default)]
pub(super) struct MicroStepBuffers {
    pub(super) force: Vec<f32>,
    pub(super) energy: Vec<f32>,
    pub(super) proposal: Vec<f32>,
    pub(super) new_force: Vec<f32>,
    pub(super) new_energy: Vec<f32>,
    pub(super) noise: [Vec<f32>; 3],
    /// Units whose draw was rejected so far.
    pub(super) pending: Vec<u32>,
}

impl MicroStepBuffers {
    /// Sizes the buffers of the Langevin micro-steps for so many units.
    pub(super) fn resize(&mut self, size: usize) {
        let Self { force, energy, proposal, new_force, new_energy, noise: [n1, n2, n3], .. } = self;
        [force, energy, proposal, new_force, new_energy, n1, n2, n3].into_iter().for_each(|buffer| buffer.resize(size, 0.0));
    }
}

/// eta = W f(x) of the layer above, row by row; of a categorical one the columns of W that its rows have chosen.
#[inline]
pub(super) fn input_from_above(eta: &mut [f32], above: &LayerState, w: ArrayView2<f32>, rows: usize) {
    if above.category.is_empty() {
        multiply(eta, view(above.output(), rows), w.t(), 1.0, false);
    } else {
        for (eta, &c) in eta.chunks_exact_mut(w.nrows()).zip(&above.category) {
            eta.iter_mut().zip(w.column(c as usize)).for_each(|(eta, w)| *eta = *w);
        }
    }
}

/// The same from W^T laid out row by row, of `[units above, units]`.
#[inline]
pub(super) fn prepared_input(eta: &mut [f32], above: &LayerState, transposed: &[f32], shape: [usize; 2]) {
    if above.category.is_empty() {
        layer_product(eta, above.output(), transposed, shape);
    } else {
        let n = shape[1];
        for (eta, &c) in eta.chunks_exact_mut(n).zip(&above.category) {
            eta.copy_from_slice(&transposed[c as usize * n..][..n]);
        }
    }
}

/// A buffer of whole rows as a matrix, `[rows, values.len()/rows]`.
#[inline]
pub(super) fn view(values: &[f32], rows: usize) -> ArrayView2<'_, f32> {
    let columns = values.len() / rows.max(1);
    match ArrayView2::from_shape((rows, columns), values) {
        Ok(view) => view,
        Err(_) => unreachable!("a buffer of whole rows"),
    }
}
