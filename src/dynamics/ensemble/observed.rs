//! The observation layer of an ensemble: clamped, freed, filled with noise, predicted (model.md 4).

use super::Ensemble;
use crate::dynamics::completions::Completions;
use crate::dynamics::step_parameters::LayerStep;
use crate::model::Hierarchy;
use ndarray::Array2;

impl Ensemble {
    /// Sets the pixels of x_0 that are not in `free`, `[n_0]` or empty, to `values`, `[n_0]`, in every network.
    pub fn clamp(&mut self, values: &[f32], free: &[bool]) {
        self.blocks.iter_mut().for_each(|block| block.clamp(values, free));
    }

    /// Frees the pixels of `free`, `[n_0]`: they move by `step`, once for `inner` steps of the layers above (model.md 4); all others stay
    /// clamped.
    pub fn free(&mut self, free: &[bool], inner: usize, step: LayerStep) {
        self.blocks.iter_mut().for_each(|block| block.free(free, inner, step));
    }

    /// Steps of the layers above for one of freed pixels, from now on.
    pub fn set_inner(&mut self, inner: usize) {
        self.blocks.iter_mut().for_each(|block| block.set_inner(inner));
    }

    /// The constants by which freed pixels move from now on.
    pub fn set_observed_step(&mut self, step: LayerStep) {
        self.blocks.iter_mut().for_each(|block| block.set_observed_step(step));
    }

    /// Sets x_0 to noise: `spread` N(0, 1), in a bounded support uniform, of a binary family 0 or 1.
    pub fn fill_observed(&mut self, model: &Hierarchy, spread: f32) {
        self.blocks.iter_mut().for_each(|block| block.fill_observed(model.observed_family().as_ref(), spread));
    }

    /// Starts the pixels of `which`, `[n_0]`, at such noise of spread 1; all others stay.
    pub fn start_from_noise(&mut self, model: &Hierarchy, which: &[bool]) {
        self.blocks.iter_mut().for_each(|block| block.start_from_noise(model.observed_family().as_ref(), which));
    }

    /// Counts what the freed pixels of `free`, `[n_0]`, become after `burn_in` steps; none where nothing is free.
    pub fn count_completions(&mut self, free: &[bool], burn_in: u64) {
        let completions = free.contains(&true).then(|| Completions::new(free, burn_in));
        self.blocks.iter_mut().for_each(|block| block.completions.clone_from(&completions));
    }

    /// What freed pixels have become, over all networks; None where that is not counted.
    pub fn completions(&self) -> Option<Completions> {
        let mut parts = self.blocks.iter().filter_map(|block| block.completions.as_ref());
        let mut sums = parts.next()?.clone();
        parts.for_each(|other| sums.merge(other));
        Some(sums)
    }

    /// The mean prediction of x_0 by network 0, E\[x_0 | x_1\] over the steps since the stimulus came or the burn-in ended, `[n_0]`,
    /// and their number.
    pub fn reconstruction(&self) -> (Vec<f32>, u64) {
        let Some(first) = self.blocks.first() else { return (Vec::new(), 0) };
        let (sum, steps) = &first.reconstruction;
        (sum.iter().map(|sum| sum / (*steps).max(1) as f32).collect(), *steps)
    }

    /// Starts the reconstruction and the sums of completions anew.
    pub fn forget_reconstruction(&mut self) {
        self.blocks.iter_mut().for_each(super::Block::forget_reconstruction);
    }

    /// E\[x_0 | x_1\] of the first `networks` networks as they are, `[networks, n_0]`: A'(eta_0) in units of x.
    pub fn expected_observation(&self, model: &Hierarchy, networks: usize) -> Array2<f32> {
        let blocks = self.blocks.iter().take(networks.div_ceil(self.block_rows));
        self.matrix(networks, self.sizes[0], blocks.flat_map(|block| block.expected_observation(model)))
    }
}
