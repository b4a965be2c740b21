//! The categorical top layer: drawn exactly by heat bath, and learned like the centres of a mixture (SPEC 1, 8).

use crate::dynamics::block::{Block, LayerState};
use crate::dynamics::noise::Noise;
use crate::dynamics::product::multiply;
use crate::model::{Activation, Hierarchy, vector};
use ndarray::{Array2, ArrayView2};

/// What p(c | x_(L-1)) needs of the weights, `k` states: eta_(L-1)(c) and the log-partition of the layer below under each.
#[derive(Clone, Debug, Default)]
pub struct Prototypes {
    /// eta_(L-1) under each state, `[n_(L-1), k]`.
    eta: Array2<f32>,
    /// b_c - A_(L-1)(eta(c)) of the active states.
    offset: Vec<f32>,
}

impl Prototypes {
    /// Of the present weights; None where the top layer is not categorical.
    pub fn new(model: &Hierarchy) -> Option<Self> {
        let top = model.depth();
        let active_states = model.active_states()?;
        let family = model.family_below_top(top - 1);
        let mut eta = model.weights[top - 1].clone();
        for (mut row, &b) in eta.rows_mut().into_iter().zip(&model.biases[top - 1]) {
            row.iter_mut().for_each(|eta| *eta = family.link(f64::from(*eta + b)) as f32);
        }
        let columns = eta.t().as_standard_layout().into_owned();
        let log_partition = |c: usize| columns.row(c).as_slice().map_or(f64::NAN, |column| family.log_partition_sum(column));
        let offset = model.biases[top].iter().take(active_states).enumerate().map(|(c, &b)| b - log_partition(c) as f32).collect();
        Some(Self { eta, offset })
    }

    /// c ~ p(c | x_(L-1)), proportional to exp((eta(c).T - A + b_c)/temperature), exactly, in every row.
    pub fn heat_bath(&self, model: &Hierarchy, below: &LayerState, top: &mut LayerState, temperature: f32, noise: &mut Noise) {
        let (n, k) = self.eta.dim();
        let rows = top.choice.len();
        let LayerState { x, choice, scratch: [chance, statistics], .. } = top;
        statistics.resize(rows * n, 0.0);
        model.family_below_top(model.depth() - 1).statistics(&below.x, statistics);
        multiply(x, ArrayView2::from_shape((rows, n), &*statistics).unwrap_or_else(|_| unreachable!()), self.eta.view(), 1.0, false);
        let chance = &mut chance[..rows];
        noise.fill_uniform(chance);
        for ((row, choice), chance) in x.chunks_exact_mut(k).zip(choice).zip(chance) {
            row.iter_mut().zip(&self.offset).for_each(|(logit, offset)| *logit = (*logit + offset) / temperature);
            *choice = draw(&mut row[..self.offset.len()], *chance) as u32;
            one_hot(row, *choice as usize);
        }
    }
}

/// Weights that are summed together before they join the running sum: short chains of additions, which processors run side by side.
const GROUP: usize = 16;

/// One of the states whose logarithmic weights are `logits`, which are used up; `chance` is uniform in (0, 1).
fn draw(logits: &mut [f32], chance: f32) -> usize {
    vector::exp_shifted(logits, largest(logits));
    let sum = |group: &[f32]| group.iter().sum::<f32>();
    let wanted = chance * logits.chunks(GROUP).map(sum).sum::<f32>();
    let mut passed = 0.0;
    for (first, group) in logits.chunks(GROUP).enumerate().map(|(k, group)| (k * GROUP, group)) {
        let after = passed + sum(group);
        if wanted < after {
            let found = group.iter().position(|weight| {
                passed += weight;
                wanted < passed
            });
            return first + found.unwrap_or(group.len() - 1);
        }
        passed = after;
    }
    logits.len() - 1
}

/// The largest of `values`, found in lanes.
fn largest(values: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; GROUP];
    for group in values.chunks(GROUP) {
        lanes.iter_mut().zip(group).for_each(|(top, &v)| *top = if v > *top { v } else { *top });
    }
    lanes.iter().fold(f32::NEG_INFINITY, |top, &v| top.max(v))
}

/// All 0 but the one.
pub(super) fn one_hot(row: &mut [f32], choice: usize) {
    row.fill(0.0);
    row[choice] = 1.0;
}

/// c ~ softmax(b/temperature) over the active states in every row: the prior.
pub fn draw_prior(model: &Hierarchy, top: &mut LayerState, temperature: f32, noise: &mut Noise) {
    let k = model.layers[model.depth()].size;
    let active_states = model.active_states().unwrap_or(k);
    let logits: Vec<f32> = model.biases[model.depth()].iter().take(active_states).map(|b| b / temperature).collect();
    let mut chance = vec![0.0; top.choice.len()];
    noise.fill_uniform(&mut chance);
    for ((row, choice), chance) in top.x.chunks_exact_mut(k).zip(&mut top.choice).zip(chance) {
        *choice = draw(&mut logits.clone(), chance) as u32;
        one_hot(row, *choice as usize);
    }
}

/// P(c), `[k]`: softmax(b) over the active states of a categorical top, 0 of the others.
pub fn prior(model: &Hierarchy) -> Vec<f32> {
    let biases = &model.biases[model.depth()];
    let mut p = biases.to_vec();
    let (active, inactive) = p.split_at_mut(model.active_states().unwrap_or(biases.len()));
    let top = active.iter().fold(f32::NEG_INFINITY, |top, &b| top.max(b));
    vector::exp_shifted(active, top);
    let sum: f32 = active.iter().sum();
    active.iter_mut().for_each(|p| *p /= sum);
    inactive.fill(0.0);
    p
}

/// Choices of the rule for the top.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TopRule {
    /// Share of the way that a centre goes to the mean of its cluster.
    pub rate: f64,
    /// A state with p below this share of 1/k starts again at the latents of a random row; 0: never.
    pub dead: f64,
    /// Mean of (eps sigma)^2 that is expected where sigma is right: 1 with exact interneurons.
    pub expected_error: f64,
}

/// Entries with a smaller p than 1/(this x k) learn no faster than one with it.
const RAREST: f32 = 4.0;

/// One update of W_(L-1), b_L and sigma_(L-1) from the sums of `blocks` (SPEC 8):
/// `dW = rate sigma^2 <eps onehot(c)^T>/p(c)`;  `db = rate/4 k (<onehot> - softmax(b))`;  `d log sigma^2 = rate (<(x - W c)^2>/sigma^2 - 1)`.
/// `fresh` gives the latents, `[n_(L-1)]`, at which a state that is hardly used starts again.
pub fn learn(model: &mut Hierarchy, blocks: &[Block], rule: TopRule, mut fresh: impl FnMut() -> Vec<f32>) {
    let top = model.depth();
    let samples: usize = blocks.iter().map(|block| block.learned_steps * block.rows).sum();
    if samples == 0 {
        return;
    }
    let (n, all) = model.weights[top - 1].dim();
    let (k, p) = (model.active_states().unwrap_or(all), prior(model));
    let (rate, each) = (rule.rate as f32, 1.0 / samples as f32);
    let sigma = model.layers[top - 1].sigma();
    let scale = sigma.map_or(1.0, |sigma| (sigma * sigma) as f32); // eps sigma^2 = x - W c, whatever the units of eps
    let gains: Vec<f32> = p.iter().map(|p| rate * scale * each * (1.0 / p).min(RAREST * k as f32)).collect();
    for (i, mut row) in model.weights[top - 1].rows_mut().into_iter().enumerate() {
        let total = total(blocks, |block| &block.layers[top - 1].weight_sum[i * all..][..all]);
        row.iter_mut().zip(gains.iter().zip(total)).for_each(|(w, (gain, total))| *w += gain * total);
    }
    let used = total(blocks, |block| &block.layers[top].uses);
    model.biases[top].iter_mut().zip(used.iter().zip(&p)).for_each(|(b, (used, p))| *b += 0.25 * rate * k as f32 * (used * each - p));
    if let Some(sigma) = sigma {
        let squares: f64 = blocks.iter().map(|block| block.layers[top - 1].eps_squares).sum();
        let error = squares * sigma * sigma / (samples * n) as f64; // <(x - W c)^2>/sigma^2
        let step = (rule.rate * (error - rule.expected_error)).clamp(-0.1, 0.1);
        model.layers[top - 1].set_sigma((sigma * (0.5 * step).exp()).clamp(1e-3, 1e3));
    }
    let typical = typical(k);
    let active = || model.biases[top].iter().take(k);
    let largest = active().fold(f32::NEG_INFINITY, |largest, &b| largest.max(b));
    let norm = largest + active().map(|b| (b - largest).exp()).sum::<f32>().ln();
    model.biases[top].iter_mut().take(k).for_each(|b| *b -= norm); // a constant that no probability depends on must not drift
    for (c, p) in p.iter().enumerate().take(k).filter(|(_, p)| f64::from(**p) < rule.dead / k as f64) {
        debug_assert!(*p >= 0.0);
        model.weights[top - 1].column_mut(c).iter_mut().zip(fresh()).for_each(|(w, x)| *w = x);
        model.biases[top][c] = typical;
    }
}

/// b of a state of probability 1/k.
fn typical(k: usize) -> f32 {
    -(k as f32).ln()
}

/// Sums over the blocks, in their order.
fn total(blocks: &[Block], sums: impl Fn(&Block) -> &[f32]) -> Vec<f32> {
    let mut total = blocks.first().map_or(Vec::new(), |block| sums(block).to_vec());
    for block in blocks.iter().skip(1) {
        total.iter_mut().zip(sums(block)).for_each(|(total, sum)| *total += sum);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ulps::{column, for_many, rows};

    /// Whether `found` is where the cumulative sum in f64 of the weights passes `chance`, to within the rounding of f32.
    fn is_right(logits: &[f32], chance: f32, found: usize) -> bool {
        let top = f64::from(largest(logits));
        let weights: Vec<f64> = logits.iter().map(|&l| (f64::from(l) - top).exp()).collect();
        let total: f64 = weights.iter().sum();
        let share = |n: usize| weights[..n].iter().sum::<f64>() / total;
        let chance = f64::from(chance);
        share(found) <= chance + 1e-5 && chance <= share(found + 1) + 1e-5
    }

    #[test]
    fn a_draw_is_where_the_cumulative_sum_passes_chance_and_a_planted_bug_is_seen() {
        let missed = std::cell::Cell::new(0);
        for_many(rows::<2>(0.0, 1.0), |input| {
            let logits: Vec<f32> = column(&input, 0).iter().map(|u| 12.0 * u - 5.0).collect();
            for chance in column(&input, 1) {
                let found = draw(&mut logits.clone(), chance);
                assert!(is_right(&logits, chance, found), "{} states, chance {chance}: {found}", logits.len());
                missed.set(missed.get() + usize::from(!is_right(&logits, chance, (found + 1) % logits.len())));
            }
        });
        assert!(missed.get() > 1000, "planted: the state after the right one");
        assert_eq!(draw(&mut [f32::NAN, 0.0], 0.5), 1, "what is not finite falls through to the last state");
    }
}
