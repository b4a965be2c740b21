//! The local learning rule: dW_l = lr <eps_l f(x_(l+1))^T>, db_l = lr <eps_l> (model.md 3).

use crate::dynamics::adam::Moments;
use crate::dynamics::executor::{Executor, Task};
use crate::dynamics::learning_sums::LearningSums;
use crate::model::{Hierarchy, vector};

/// Weights that are moved in one piece: their mean change stays in the fastest cache.
const PIECE: usize = 4096;

/// What one update did.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Update {
    /// |dW| / |W| of the lowest weights that learn.
    pub relative_change: f32,
    /// Mean of (eps_0 sigma_0)^2 over batch, units and learning window, where layer 0 has a sigma.
    pub scaled_error: f64,
}

/// Settings of the learning rule.
#[derive(Clone, Debug)]
pub struct LearningRule {
    /// Learning rate.
    pub lr: f64,
    /// The l of the weights W_l that learn; None: all.
    pub learn: Option<Vec<usize>>,
    /// Columns of W kept at norm 1.
    pub unit_norm: bool,
    /// Largest norm of a column of W_l, l > 0; 0: no limit.
    pub largest_norm: f64,
    /// Biases learn too.
    pub biases: bool,
    /// The layers l whose sigma learns: log sigma_l^2 moves by lr x (<(eps sigma)^2> - `expected_error`).
    pub learned_sigma: Vec<usize>,
    /// Mean of (eps sigma)^2 that is expected where sigma is right.
    pub expected_error: f64,
    /// Whether a weight of W_0 that is exactly 0 is no connection, and stays 0 (model.md 6).
    pub local: bool,
}

/// What the rule remembers from update to update, where it does: moments of each W_l and b_l. Empty: plain ascent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OptimizerState {
    /// Of W_l.
    pub weights: Vec<Moments>,
    /// Of b_l.
    pub biases: Vec<Moments>,
    /// The lowest weights that learn as they were before the update.
    before: Vec<f32>,
}

impl OptimizerState {
    /// For a model of `depth` layers of neurons.
    pub fn new(depth: usize) -> Self {
        Self { weights: vec![Moments::default(); depth], biases: vec![Moments::default(); depth], before: Vec::new() }
    }
}

/// Adds the learning sums to the weights; nothing where there are none. Weights into a categorical layer have a rule of their own
/// ([`crate::dynamics::mixture_learning::learn`]).
pub fn apply(
    model: &mut Hierarchy,
    sums: &LearningSums,
    rule: &LearningRule,
    optimizer: &mut OptimizerState,
    executor: &Executor,
) -> Option<Update> {
    let samples = sums.samples();
    if samples == 0 {
        return None;
    }
    let mut update = Update::default();
    let categorical = model.layers[model.depth()].is_categorical();
    let top = model.depth();
    let learns = |l: usize| !(categorical && l + 1 == top) && rule.learn.as_ref().is_none_or(|learn| learn.contains(&l));
    let lowest = (0..model.depth()).find(|&l| learns(l));
    for l in (0..model.depth()).filter(|&l| learns(l)) {
        let weights = &mut model.weights[l];
        let before = &mut optimizer.before;
        if Some(l) == lowest {
            before.clear();
            before.extend_from_slice(row_by_row(weights.as_slice_mut()));
        }
        let local = rule.local && l == 0;
        ascend(optimizer.weights.get_mut(l), row_by_row(weights.as_slice_mut()), &sums.weights(l), samples, (rule.lr, local), executor);
        if Some(l) == lowest {
            let [moved, size] = [vector::squared_distance(row_by_row(weights.as_slice_mut()), before), vector::squares(before)];
            update.relative_change = (moved / size.max(f64::MIN_POSITIVE)).sqrt() as f32;
        }
        if rule.unit_norm {
            normalise_columns(weights);
        } else if rule.largest_norm > 0.0 {
            limit_columns(weights, rule.largest_norm as f32);
        }
        if rule.biases {
            let biases = row_by_row(model.biases[l].as_slice_mut());
            ascend(optimizer.biases.get_mut(l), biases, &sums.biases(l), samples, (rule.lr, false), executor);
        }
    }
    for l in 0..model.depth() {
        let Some(sigma) = model.layers[l].sigma() else { continue };
        let scaled_error = sums.squared_errors(l) * sigma * sigma / (samples * model.layers[l].size) as f64;
        if l == 0 {
            update.scaled_error = scaled_error;
        }
        if rule.learned_sigma.contains(&l) && learns(l) {
            let step = (rule.lr * (scaled_error - rule.expected_error)).clamp(-0.1, 0.1);
            model.layers[l].set_sigma((sigma * (0.5 * step).exp()).clamp(1e-3, 1e3));
        }
    }
    Some(update)
}

/// Moves weights up the mean over samples of the parts of a sum, which are added in their order, by Adam where it has moments. The
/// pieces are tasks: each weight's own arithmetic is the same however they are run. Where they are local, those that are 0 stay 0.
fn ascend(
    moments: Option<&mut Moments>,
    weights: &mut [f32],
    sums: &[&[f32]],
    samples: usize,
    (rate, local): (f64, bool),
    executor: &Executor,
) {
    let mean = |first: usize, weights: &[f32], mean: &mut [f32]| {
        for sums in sums {
            mean.iter_mut().zip(&sums[first..]).for_each(|(mean, value)| *mean += value);
        }
        mean.iter_mut().for_each(|mean| *mean /= samples as f32);
        if local {
            mean.iter_mut().zip(weights).for_each(|(mean, w)| *mean = if *w == 0.0 { 0.0 } else { *mean });
        }
    };
    let (mean, count) = (&mean, weights.len());
    let pieces = weights.chunks_mut(PIECE).zip((0..).step_by(PIECE));
    match moments {
        Some(moments) => {
            let (step, first, second) = moments.begin(count, rate);
            executor(
                pieces
                    .zip(first.chunks_mut(PIECE).zip(second.chunks_mut(PIECE)))
                    .map(|((weights, at), (first, second))| {
                        Box::new(move || {
                            let gradient = &mut [0.0; PIECE][..weights.len()];
                            mean(at, weights, gradient);
                            step.ascend(weights, gradient, first, second);
                        }) as Task
                    })
                    .collect(),
            );
        }
        None => executor(
            pieces
                .map(|(weights, at)| {
                    Box::new(move || {
                        let gradient = &mut [0.0; PIECE][..weights.len()];
                        mean(at, weights, gradient);
                        weights.iter_mut().zip(gradient).for_each(|(w, g)| *w += rate as f32 * *g);
                    }) as Task
                })
                .collect(),
        ),
    }
}

/// The values of weights or biases, which are stored row by row.
fn row_by_row(values: Option<&mut [f32]>) -> &mut [f32] {
    values.unwrap_or_else(|| unreachable!("weights are stored row by row"))
}

/// Scales every column of `weights` to norm 1; a column of zeros stays.
pub fn normalise_columns(weights: &mut ndarray::Array2<f32>) {
    scale_columns(weights, |norm| if norm > 0.0 { 1.0 / norm } else { 1.0 });
}

/// Shortens the columns of `weights` that are longer than `largest`.
fn limit_columns(weights: &mut ndarray::Array2<f32>, largest: f32) {
    scale_columns(weights, |norm| if norm > largest { largest / norm } else { 1.0 });
}

/// Multiplies every column by a function of its norm.
fn scale_columns(weights: &mut ndarray::Array2<f32>, factor: impl Fn(f32) -> f32) {
    let mut squares = vec![0.0f32; weights.ncols()];
    for row in weights.rows() {
        squares.iter_mut().zip(row).for_each(|(sum, w)| *sum += w * w);
    }
    let factors: Vec<f32> = squares.iter().map(|&s| factor(s.sqrt())).collect();
    for mut row in weights.rows_mut() {
        row.iter_mut().zip(&factors).for_each(|(w, factor)| *w *= factor);
    }
}
