//! Learning of a categorical top: its states are the centres of a mixture of the layer below (model.md 8).

use crate::dynamics::categorical::prior;
use crate::dynamics::learning_sums::LearningSums;
use crate::model::{Activation, Hierarchy};
use ndarray::Array2;

/// Settings of the learning rule of a categorical top.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MixtureRule {
    /// Fraction of the way that a centre goes to the mean of its cluster.
    pub rate: f64,
    /// A state with p below this fraction of 1/k starts again at the latents of a random image; 0: never.
    pub dead_fraction: f64,
    /// Mean of (eps sigma)^2 that is expected where sigma is right: 1 with exact interneurons.
    pub expected_error: f64,
}

/// Entries with a smaller p than 1/(this x k) learn no faster than one with it.
const LARGEST_GAIN: f32 = 4.0;

/// One update of W_(L-1), b_L and sigma_(L-1) from the learning sums (model.md 8):
/// `dW = rate sigma^2 <eps onehot(c)^T>/p(c)`;  `db = rate/4 k (<onehot> - softmax(b))`;  `d log sigma^2 = rate (<(x - W c)^2>/sigma^2 - 1)`.
/// `fresh` gives the latents, `[n_(L-1)]`, at which a state that is hardly used starts again.
pub fn learn(model: &mut Hierarchy, sums: &LearningSums, rule: MixtureRule, mut fresh: impl FnMut() -> Vec<f32>) {
    let top = model.depth();
    let samples = sums.samples();
    if samples == 0 {
        return;
    }
    let (n, all) = model.weights[top - 1].dim();
    let (k, p) = (model.active_states().unwrap_or(all), prior(model));
    let (rate, each) = (rule.rate as f32, 1.0 / samples as f32);
    let sigma = model.layers[top - 1].sigma();
    let scale = sigma.map_or(1.0, |sigma| (sigma * sigma) as f32); // eps sigma^2 = x - W c, whatever the units of eps
    let gains: Vec<f32> = p.iter().map(|p| rate * scale * each * (1.0 / p).min(LARGEST_GAIN * k as f32)).collect();
    let weights = sums.weights(top - 1);
    for (i, mut row) in model.weights[top - 1].rows_mut().into_iter().enumerate() {
        let total = total(weights.iter().map(|part| &part[i * all..][..all]));
        row.iter_mut().zip(gains.iter().zip(total)).for_each(|(w, (gain, total))| *w += gain * total);
    }
    let used = total(sums.state_counts());
    model.biases[top].iter_mut().zip(used.iter().zip(&p)).for_each(|(b, (used, p))| *b += 0.25 * rate * k as f32 * (used * each - p));
    if let Some(sigma) = sigma {
        let error = sums.squared_errors(top - 1) * sigma * sigma / (samples * n) as f64; // <(x - W c)^2>/sigma^2
        let step = (rule.rate * (error - rule.expected_error)).clamp(-0.1, 0.1);
        model.layers[top - 1].set_sigma((sigma * (0.5 * step).exp()).clamp(1e-3, 1e3));
    }
    let typical = typical(k);
    let active = || model.biases[top].iter().take(k);
    let largest = active().fold(f32::NEG_INFINITY, |largest, &b| largest.max(b));
    let norm = largest + active().map(|b| (b - largest).exp()).sum::<f32>().ln();
    model.biases[top].iter_mut().take(k).for_each(|b| *b -= norm); // a constant that no probability depends on must not drift
    for (c, p) in p.iter().enumerate().take(k).filter(|(_, p)| f64::from(**p) < rule.dead_fraction / k as f64) {
        debug_assert!(*p >= 0.0);
        model.weights[top - 1].column_mut(c).iter_mut().zip(fresh()).for_each(|(w, x)| *w = x);
        model.biases[top][c] = typical;
    }
}

/// b of a state of probability 1/k.
fn typical(k: usize) -> f32 {
    -(k as f32).ln()
}

/// The total of parts of a sum, added in their order.
fn total<'a>(mut parts: impl Iterator<Item = &'a [f32]>) -> Vec<f32> {
    let mut total = parts.next().map_or(Vec::new(), <[f32]>::to_vec);
    for part in parts {
        total.iter_mut().zip(part).for_each(|(total, value)| *total += value);
    }
    total
}

/// Makes the first `states` of the top active on the latents `x` of the layer below, `[count, n_(L-1)]`: centres at the first of them (in turn where there are
/// fewer), sigma at the root mean square distance of the others to the nearest centre (of the centres to each other where there are
/// no others). A gaussian layer has one sigma for all its units: unit i is measured in other units first, x_i <- g_i x_i and W_(L-2)
/// column i divided by g_i, so that this distance is the same along every axis; what the model says of the layers below stays as it
/// is. Returns g, `[n_(L-1)]`.
pub fn initialise_states(model: &mut Hierarchy, x: &Array2<f32>, states: usize) -> Vec<f32> {
    let top = model.depth();
    let (n, all) = model.weights[top - 1].dim();
    let k = states.clamp(1, all);
    let centre = |c: usize| x.row(c % x.nrows());
    let mut squares = vec![0.0f64; n];
    let own = k.min(x.nrows());
    // Rows that are no centre; where every row is one, its own does not count: sigma would be 0.
    let rest = if k < x.nrows() { k..x.nrows() } else { 0..x.nrows() }.take(1000);
    let count = rest.len() as f64;
    for r in rest {
        let row = x.row(r);
        let distance = |c: usize| row.iter().zip(x.row(c)).map(|(a, b)| (a - b) * (a - b)).sum::<f32>();
        let nearest = (0..own).filter(|&c| c != r).min_by(|&a, &b| distance(a).total_cmp(&distance(b))).unwrap_or(0);
        squares.iter_mut().zip(row.iter().zip(x.row(nearest))).for_each(|(s, (a, b))| *s += f64::from(a - b).powi(2));
    }
    let spread: Vec<f64> = squares.iter().map(|s| (s / count).sqrt().max(1e-3)).collect();
    let mut gains = vec![1.0f32; n];
    let homogeneous = matches!(model.layers[top - 1].activation, Activation::Linear | Activation::Relu); // f(g x) = g f(x)
    if model.layers[top - 1].sigma().is_some() && homogeneous && top >= 2 {
        let common = (spread.iter().map(|s| s.ln()).sum::<f64>() / n as f64).exp();
        model.layers[top - 1].set_sigma(common);
        gains = spread.iter().map(|s| (common / s) as f32).collect();
    }
    for c in 0..k {
        let column = centre(c).to_owned();
        for i in 0..n {
            model.weights[top - 1][[i, c]] = gains[i] * column[i] - model.biases[top - 1][i];
        }
    }
    if top >= 2 && homogeneous {
        for mut row in model.weights[top - 2].rows_mut() {
            row.iter_mut().zip(&gains).for_each(|(w, g)| *w /= g);
        }
    }
    model.biases[top].fill(0.0);
    model.layers[top].set_active_states(k);
    gains
}

/// Makes more of the states active, up to the first `states`, where some are: centres at the first of the latents `x`,
/// `[count, n_(L-1)]`, each as likely as a state is on average; those that were active share the rest as before.
pub fn add_states(model: &mut Hierarchy, x: &Array2<f32>, states: usize) {
    let top = model.depth();
    let Some(before) = model.active_states() else { return };
    let after = states.min(model.layers[top].size);
    if after <= before || x.nrows() == 0 {
        return;
    }
    let p = prior(model);
    let rest = (before as f32 / after as f32).ln();
    model.biases[top].iter_mut().zip(&p).take(before).for_each(|(b, p)| *b = p.max(f32::MIN_POSITIVE).ln() + rest);
    for c in before..after {
        let centre = &x.row((c - before) % x.nrows()) - &model.biases[top - 1];
        model.weights[top - 1].column_mut(c).assign(&centre);
        model.biases[top][c] = typical(after);
    }
    model.layers[top].set_active_states(after);
}
