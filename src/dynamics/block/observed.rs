//! The observation layer of a block: clamped, freed, filled with noise, and predicted.

use super::Block;
use crate::dynamics::categorical;
use crate::dynamics::completions::Completions;
use crate::dynamics::observation::Observation;
use crate::dynamics::state::{ChainState, LayerState, input_from_above};
use crate::dynamics::step_parameters::LayerStep;
use crate::model::mean_table::MeanTable;
use crate::model::{Family, Hierarchy, vector};

impl Block {
    /// Frees the pixels of `free`, `[n_0]`, which then move by `step`, once for `inner` steps of the layers above (model.md 4); all others
    /// stay clamped.
    pub(in crate::dynamics) fn free(&mut self, free: &[bool], inner: usize, step: LayerStep) {
        self.observation = free.contains(&true).then(|| Observation::new(free, self.rows, inner, step, &mut self.noise));
    }

    /// Steps of the layers above for one of freed pixels, from now on.
    pub(in crate::dynamics) fn set_inner(&mut self, inner: usize) {
        self.observation.iter_mut().for_each(|observation| observation.set_inner(inner));
    }

    /// The constants by which freed pixels move from now on.
    pub(in crate::dynamics) fn set_observed_step(&mut self, step: LayerStep) {
        self.observation.iter_mut().for_each(|observation| observation.set_step(step));
    }

    /// Starts the pixels of `which`, `[n_0]`, at noise, as [`Block::fill_observed`] does.
    pub(in crate::dynamics) fn start_from_noise(&mut self, family: &dyn Family, which: &[bool]) {
        let before = self.layers[0].x.clone();
        self.fill_observed(family, 1.0);
        let others = self.layers[0].x.iter_mut().zip(before).enumerate().filter(|(i, _)| !which[i % which.len()]);
        others.for_each(|(_, (x, before))| *x = before);
    }

    /// Sets the pixels of x_0 that are not in `free`, `[n_0]` or empty, to `values`, `[n_0]`, in every network.
    pub(in crate::dynamics) fn clamp(&mut self, values: &[f32], free: &[bool]) {
        for row in self.layers[0].x.chunks_exact_mut(values.len()) {
            for (i, (x, &value)) in row.iter_mut().zip(values).enumerate() {
                if !free.get(i).is_some_and(|&free| free) {
                    *x = value;
                }
            }
        }
    }

    /// Sets x_0 to noise: spread N(0, 1), in a bounded support uniform, of a binary family 0 or 1.
    pub(in crate::dynamics) fn fill_observed(&mut self, family: &dyn Family, spread: f32) {
        let x = &mut self.layers[0].x;
        match family.bounds().map(|b| b as f32) {
            [low, high] if low.is_finite() && high.is_finite() => {
                self.noise.fill_uniform(x);
                x.iter_mut().for_each(|x| *x = if family.is_binary() { x.round() } else { low + (high - low) * *x });
            }
            [low, _] => {
                self.noise.fill(x);
                x.iter_mut().for_each(|x| *x *= spread);
                if low.is_finite() {
                    x.iter_mut().for_each(|x| *x = low + x.abs());
                }
            }
        }
    }

    /// E\[x_0 | x_1\] of every row, `[rows, n_0]`: A'(eta_0) in units of x.
    pub(in crate::dynamics) fn expected_observation(&self, model: &Hierarchy) -> Vec<f32> {
        let (family, mut eta) = (model.observed_family(), vec![0.0; self.layers[0].x.len()]);
        input_from_above(&mut eta, &self.layers[1], model.weights[0].view(), self.rows);
        for row in eta.chunks_exact_mut(model.layers[0].size) {
            row.iter_mut().zip(&model.biases[0]).for_each(|(eta, b)| *eta += b);
        }
        if family.has_link() {
            family.apply_link(&mut eta, &mut vec![0.0; self.layers[0].x.len()]);
        }
        let mut means = vec![0.0; eta.len()];
        write_means(model, self.tables.first().and_then(Option::as_deref), &eta, &mut means);
        means
    }

    /// Sum of (x_0 - E\[x_0 | x_1\])^2 over rows and pixels, of the last step.
    pub(in crate::dynamics) fn squared_residual(&mut self, model: &Hierarchy) -> f64 {
        let LayerState { x, eta, scratch: [means, _], .. } = &mut self.layers[0];
        write_means(model, self.tables.first().and_then(Option::as_deref), eta, means);
        vector::squared_distance(x, means)
    }

    /// Writes f(x) of every layer after x was set from outside.
    pub(in crate::dynamics) fn refresh_activations(&mut self, model: &Hierarchy) {
        for (layer, state) in model.layers.iter().zip(&mut self.layers).skip(1) {
            if layer.is_categorical() {
                state.x.chunks_exact_mut(layer.size).zip(&state.category).for_each(|(row, &c)| categorical::one_hot(row, c as usize));
            } else {
                state.activate(layer.activation);
            }
        }
    }

    /// Writes x and v, or the state, of the layers 1..=L of every row: `write` gets the row and the layer.
    pub(in crate::dynamics) fn place(&mut self, model: &Hierarchy, write: impl Fn(usize, usize, ChainState)) {
        for r in 0..self.rows {
            for (l, state) in self.layers.iter_mut().enumerate().skip(1) {
                let n = model.layers[l].size;
                match state.category.get_mut(r) {
                    Some(category) => write(r, l, ChainState::Category(category)),
                    None => write(r, l, ChainState::Neurons { x: &mut state.x[r * n..][..n], v: &mut state.v[r * n..][..n] }),
                }
            }
        }
        self.refresh_activations(model);
    }

    /// Starts the posterior mean's reconstruction and the completions' sums anew.
    pub(in crate::dynamics) fn forget_reconstruction(&mut self) {
        self.reconstruction.0.fill(0.0);
        self.reconstruction.1 = 0;
        self.completions.iter_mut().for_each(Completions::restart);
    }
}

/// Writes A'(eta_0) in units of x, of natural parameters `[rows, n_0]`.
fn write_means(model: &Hierarchy, table: Option<&MeanTable>, eta: &[f32], means: &mut [f32]) {
    let family = model.observed_family().as_ref();
    match table {
        Some(table) => means.iter_mut().zip(eta).for_each(|(m, &eta)| *m = table.mean(family, f64::from(eta)) as f32),
        None => family.mean_statistics(eta, means),
    }
    let scale = family.mean_per_statistic();
    means.iter_mut().for_each(|m| *m *= scale);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamics::StepParameters;
    use crate::dynamics::block::Span;
    use crate::dynamics::recording::Probes;
    use crate::model::{Activation, FamilyConfig, Layer};
    use ndarray::Array2;

    /// Sum of (x_0 - A'(eta_0))^2 of a model of this family after a step that moves nothing, and eta_0.
    fn squared_residual(family: FamilyConfig, x: f32) -> (f64, Vec<f32>) {
        let (mut block, model) = after_a_step(family, x);
        (block.squared_residual(&model), block.layers[0].eta.clone())
    }

    /// Four networks whose observation layer is of this family, all at `x`, after a step that moves nothing; and their model.
    fn after_a_step(family: FamilyConfig, x: f32) -> (Block, Hierarchy) {
        let layer = |family: FamilyConfig, size| Layer::new(family, Activation::Linear, size).unwrap();
        let layers = vec![layer(family, 3), layer(FamilyConfig::Gaussian { sigma: 1.0 }, 2)];
        let model = Hierarchy::new(layers, vec![Array2::from_elem((3, 2), 0.8)]).unwrap();
        let mut block = Block::new(&model, 4, 1, 5, 0);
        block.layers[0].x.fill(x);
        block.layers[1].x.iter_mut().zip(0..).for_each(|(x, i)| *x = i as f32 - 3.0);
        block.refresh_activations(&model);
        let still = LayerStep { h: 0.0, m: 0.0, rho: 1.0, noisy: true, temperature: 1.0 };
        let parameters = StepParameters { layers: vec![still], exact: true, ..StepParameters::default() };
        block.run(&model, &parameters, Span { steps: 1, skip: 0, learn: false, last: false }, &Probes::default());
        (block, model)
    }

    #[test]
    fn the_residual_is_taken_from_the_mean_of_the_family_not_from_its_natural_parameter() {
        let by_hand =
            |eta: &[f32], x: f32, mean: fn(f64) -> f64| eta.iter().map(|&eta| (f64::from(x) - mean(f64::from(eta))).powi(2)).sum::<f64>();
        let logistic = |eta: f64| 1.0 / (1.0 + (-eta).exp());
        let continuous = |eta: f64| 1.0 / (1.0 - (-eta).exp()) - 1.0 / eta; // mean of density proportional to exp(eta x) on [0, 1]
        let (found, eta) = squared_residual(FamilyConfig::Bernoulli, 1.0);
        assert!((found / by_hand(&eta, 1.0, logistic) - 1.0).abs() < 1e-4);
        assert!((found / by_hand(&eta, 1.0, |eta| eta) - 1.0).abs() > 0.1, "the planted bug is not seen");
        let (found, eta) = squared_residual(FamilyConfig::ContinuousBernoulli, 0.25);
        assert!((found / by_hand(&eta, 0.25, continuous) - 1.0).abs() < 1e-3, "{found}, {}", by_hand(&eta, 0.25, continuous));
        let (found, eta) = squared_residual(FamilyConfig::Gaussian { sigma: 0.5 }, 0.7);
        assert!((found / by_hand(&eta, 0.7, |eta| eta) - 1.0).abs() < 1e-4);
    }

    #[test]
    fn where_the_statistic_is_even_the_prediction_of_the_observation_is_0() {
        let (block, model) = after_a_step(FamilyConfig::LaplaceScale { eta_max: 5.0, delta: 0.3 }, 0.7);
        assert!(block.layers[0].mean_statistic.iter().all(|&t| t != 0.0), "the statistic itself is not 0");
        assert_eq!(block.reconstruction, (vec![0.0; 3], 1));
        assert_eq!(block.expected_observation(&model), vec![0.0; 12]);
    }
}
