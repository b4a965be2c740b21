//! binomial(n): x in {0, 1/n, .., 1}, T = n x, B = -log C(n, n x): the share of n bernoulli trials of one chance that succeed; for
//! observations that have n + 1 grey levels (model.md 1).

use super::{Family, FamilyConfig, InterneuronDynamics};
use crate::model::vector;
use statrs::function::gamma::ln_gamma;
use std::sync::Arc;

/// P(n x = k) = C(n, k) p^k (1 - p)^(n - k) with p = 1/(1 + exp(-eta)).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Binomial {
    /// n.
    pub trials: u32,
}

impl Binomial {
    fn count(&self) -> f64 {
        f64::from(self.trials)
    }
}

impl Family for Binomial {
    fn name(&self) -> &'static str {
        "binomial"
    }
    fn config(&self) -> FamilyConfig {
        FamilyConfig::Binomial { trials: self.trials }
    }
    fn typical_natural_parameter(&self) -> f64 {
        5.0
    }
    fn bounds(&self) -> [f64; 2] {
        [0.0, 1.0]
    }
    fn trials(&self) -> Option<u32> {
        Some(self.trials)
    }
    fn statistic(&self, x: f64) -> f64 {
        self.count() * x
    }
    fn statistic_derivative(&self, _: f64) -> f64 {
        self.count()
    }
    fn base_energy(&self, x: f64) -> f64 {
        let n = self.count();
        let k = (n * x).clamp(0.0, n);
        ln_gamma(k + 1.0) + ln_gamma(n - k + 1.0) - ln_gamma(n + 1.0)
    }
    fn base_energy_derivative(&self, _: f64) -> f64 {
        0.0
    }
    fn largest_base_curvature(&self) -> f64 {
        0.0
    }
    fn largest_statistic_variance(&self) -> f64 {
        0.25 * self.count()
    }
    fn statistic_variance(&self, eta: f64) -> f64 {
        let p = 1.0 / (1.0 + (-eta).exp());
        self.count() * p * (1.0 - p)
    }
    fn normalisable_for_every_eta(&self) -> bool {
        true
    }
    fn integration_bounds(&self, _: f64) -> (f64, f64) {
        (0.0, 1.0)
    }
    fn log_partition(&self, eta: f64) -> f64 {
        self.count() * (eta.max(0.0) + (-eta.abs()).exp().ln_1p())
    }
    fn mean_statistic(&self, eta: f64) -> f64 {
        self.count() / (1.0 + (-eta).exp())
    }
    fn has_closed_mean(&self) -> bool {
        true
    }
    fn interneuron_dynamics(&self) -> InterneuronDynamics {
        InterneuronDynamics::HeatBath { trials: self.trials }
    }
    fn with_sigma(&self, _: f64) -> Arc<dyn Family> {
        Arc::new(*self)
    }
    fn add_statistic_variances(&self, eta: &[f32], sums: &mut [f32]) {
        let n = self.trials as f32;
        sums.iter_mut().for_each(|sum| *sum /= n);
        vector::add_logistic_variance(eta, sums);
        sums.iter_mut().for_each(|sum| *sum *= n);
    }
    fn mean_statistics(&self, eta: &[f32], out: &mut [f32]) {
        vector::logistic(eta, out);
        let n = self.trials as f32;
        out.iter_mut().for_each(|mean| *mean *= n);
    }
    fn statistics(&self, x: &[f32], out: &mut [f32]) {
        vector::scaled(x, self.trials as f32, out);
    }
    fn errors(&self, x: &[f32], mean: &[f32], out: &mut [f32]) {
        vector::scaled_less(x, self.trials as f32, mean, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distribution_sums_to_1_and_has_the_moments_of_its_trials() {
        let family = Binomial { trials: 16 };
        for eta in [-3.0f64, 0.0, 0.7, 5.0] {
            let level = |k: u32| f64::from(k) / 16.0;
            let p = |k: u32| (eta * family.statistic(level(k)) - family.base_energy(level(k)) - family.log_partition(eta)).exp();
            let moment = |power: i32| (0..=16).map(|k| p(k) * family.statistic(level(k)).powi(power)).sum::<f64>();
            assert!((moment(0) - 1.0).abs() < 1e-10, "at {eta}");
            assert!((moment(1) - family.mean_statistic(eta)).abs() < 1e-9);
            assert!((moment(2) - moment(1).powi(2) - family.statistic_variance(eta)).abs() < 1e-8);
        }
        assert!((family.mean_per_statistic() - 1.0 / 16.0).abs() < 1e-7);
    }
}
