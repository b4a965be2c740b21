//! The categorical top layer, drawn exactly: by heat bath given the layer below, or from its prior (model.md 1).

use crate::dynamics::noise::Noise;
use crate::dynamics::product::{multiply, product};
use crate::dynamics::state::LayerState;
use crate::dynamics::step_parameters::above_zero;
use crate::model::{Hierarchy, vector};
use ndarray::{Array2, ArrayView2, ArrayViewMut1, s};

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

    /// c ~ p(c | x_(L-1)) for each row of T(x_(L-1)), `[rows, n_(L-1)]`; `chance` is uniform in (0, 1), `[rows]`.
    pub fn draw(&self, statistics: ArrayView2<f32>, chance: &[f32]) -> Vec<u32> {
        let mut logits = product(statistics, self.eta.slice(s![.., ..self.offset.len()]));
        let of_row = |(mut row, &chance): (ArrayViewMut1<f32>, &f32)| {
            row.iter_mut().zip(&self.offset).for_each(|(logit, offset)| *logit += offset);
            row.as_slice_mut().map_or(0, |row| draw(row, chance)) as u32
        };
        logits.rows_mut().into_iter().zip(chance).map(of_row).collect()
    }

    /// c ~ p(c | x_(L-1)), proportional to exp((eta(c).T - A + b_c)/temperature), exactly, in every row.
    pub(super) fn heat_bath(&self, model: &Hierarchy, below: &LayerState, top: &mut LayerState, temperature: f32, noise: &mut Noise) {
        let (n, k) = self.eta.dim();
        let (rows, temperature) = (top.category.len(), above_zero(temperature));
        let LayerState { x, category, scratch: [chance, statistics], .. } = top;
        statistics.resize(rows * n, 0.0);
        model.family_below_top(model.depth() - 1).statistics(&below.x, statistics);
        multiply(x, ArrayView2::from_shape((rows, n), &*statistics).unwrap_or_else(|_| unreachable!()), self.eta.view(), 1.0, false);
        let chance = &mut chance[..rows];
        noise.fill_uniform(chance);
        for ((row, category), chance) in x.chunks_exact_mut(k).zip(category).zip(chance) {
            row.iter_mut().zip(&self.offset).for_each(|(logit, offset)| *logit = (*logit + offset) / temperature);
            *category = draw(&mut row[..self.offset.len()], *chance) as u32;
            one_hot(row, *category as usize);
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
pub(super) fn one_hot(row: &mut [f32], category: usize) {
    row.fill(0.0);
    row[category] = 1.0;
}

/// c ~ softmax(b/temperature) over the active states in every row: the prior.
pub(super) fn draw_prior(model: &Hierarchy, top: &mut LayerState, temperature: f32, noise: &mut Noise) {
    let k = model.layers[model.depth()].size;
    let active_states = model.active_states().unwrap_or(k);
    let logits: Vec<f32> = model.biases[model.depth()].iter().take(active_states).map(|b| b / temperature).collect();
    let mut chance = vec![0.0; top.category.len()];
    noise.fill_uniform(&mut chance);
    for ((row, category), chance) in top.x.chunks_exact_mut(k).zip(&mut top.category).zip(chance) {
        *category = draw(&mut logits.clone(), chance) as u32;
        one_hot(row, *category as usize);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ulps::{column, for_many, rows};

    /// Whether `found` is where the cumulative sum in f64 of the weights passes `chance`, to within the rounding of f32.
    fn is_right(logits: &[f32], chance: f32, found: usize) -> bool {
        let top = f64::from(largest(logits));
        let weights: Vec<f64> = logits.iter().map(|&l| (f64::from(l) - top).exp()).collect();
        let total: f64 = weights.iter().sum();
        let cumulative = |n: usize| weights[..n].iter().sum::<f64>() / total;
        let chance = f64::from(chance);
        cumulative(found) <= chance + 1e-5 && chance <= cumulative(found + 1) + 1e-5
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
