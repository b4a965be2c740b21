//! The local learning rule: dW_l = lr <eps_l f(x_(l+1))^T>, db_l = lr <eps_l> (SPEC 3).

use crate::dynamics::block::Block;
use crate::model::Hierarchy;

/// What one update did.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Update {
    /// |dW| / |W| of the lowest weights that learn.
    pub relative_change: f32,
    /// Mean of (eps_0 sigma_0)^2 over batch, units and learning window, where layer 0 has a sigma.
    pub scaled_error: f64,
}

/// Choices of the rule.
#[derive(Clone, Debug)]
pub struct Rule {
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
    /// If given, log sigma_0^2 moves by lr x ((eps sigma)^2 - this), its expected value.
    pub expected_error: Option<f64>,
}

/// Adds the blocks' sums, in their order, to the weights. The result does not depend on which thread ran which block.
pub fn apply(model: &mut Hierarchy, blocks: &mut [Block], rule: &Rule) -> Option<Update> {
    let samples: usize = blocks.iter().map(|block| block.learned_steps * block.rows).sum();
    if samples == 0 {
        return None;
    }
    let rate = (rule.lr / samples as f64) as f32;
    let mut update = Update::default();
    let learns = |l: usize| rule.learn.as_ref().is_none_or(|learn| learn.contains(&l));
    let lowest = (0..model.depth()).find(|&l| learns(l));
    for l in (0..model.depth()).filter(|&l| learns(l)) {
        let weights = &mut model.weights[l];
        let norm = weights.iter().map(|w| w * w).sum::<f32>().sqrt();
        let mut change = vec![0.0f32; weights.len()];
        for block in blocks.iter() {
            change.iter_mut().zip(&block.layers[l].weight_sum).for_each(|(sum, value)| *sum += value);
        }
        weights.iter_mut().zip(&change).for_each(|(w, sum)| *w += rate * sum);
        if Some(l) == lowest {
            update.relative_change = rate * change.iter().map(|c| c * c).sum::<f32>().sqrt() / norm.max(f32::MIN_POSITIVE);
        }
        if rule.unit_norm {
            normalise_columns(weights);
        } else if rule.largest_norm > 0.0 {
            limit_columns(weights, rule.largest_norm as f32);
        }
        if rule.biases {
            for block in blocks.iter() {
                model.biases[l].iter_mut().zip(&block.layers[l].bias_sum).for_each(|(b, sum)| *b += rate * sum);
            }
        }
    }
    if let Some(sigma) = model.layers[0].family.sigma() {
        let squares: f64 = blocks.iter().map(|block| block.eps_squares).sum();
        update.scaled_error = squares * sigma * sigma / (samples * model.layers[0].size) as f64;
        if let Some(expected) = rule.expected_error {
            let step = (rule.lr * (update.scaled_error - expected)).clamp(-0.1, 0.1);
            model.layers[0].family = model.layers[0].family.with_sigma((sigma * (0.5 * step).exp()).clamp(1e-3, 1e3));
        }
    }
    blocks.iter_mut().for_each(Block::clear_sums);
    Some(update)
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
