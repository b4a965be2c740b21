//! bernoulli: x in {0, 1}, T = x, B = 0; for observations, whose grey values in [0, 1] are taken as means (model.md 1).

use super::{Family, FamilyConfig, InterneuronDynamics};
use crate::model::vector;
use std::sync::Arc;

/// P(x = 1) = 1/(1 + exp(-eta)).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bernoulli;

impl Family for Bernoulli {
    fn name(&self) -> &'static str {
        "bernoulli"
    }
    fn config(&self) -> FamilyConfig {
        FamilyConfig::Bernoulli
    }
    fn typical_natural_parameter(&self) -> f64 {
        5.0
    }
    fn bounds(&self) -> [f64; 2] {
        [0.0, 1.0]
    }
    fn trials(&self) -> Option<u32> {
        Some(1)
    }
    fn statistic(&self, x: f64) -> f64 {
        x
    }
    fn statistic_derivative(&self, _: f64) -> f64 {
        1.0
    }
    fn base_energy(&self, _: f64) -> f64 {
        0.0
    }
    fn base_energy_derivative(&self, _: f64) -> f64 {
        0.0
    }
    fn largest_base_curvature(&self) -> f64 {
        0.0
    }
    fn largest_statistic_variance(&self) -> f64 {
        0.25
    }
    fn statistic_variance(&self, eta: f64) -> f64 {
        let p = self.mean_statistic(eta);
        p * (1.0 - p)
    }
    fn normalisable_for_every_eta(&self) -> bool {
        true
    }
    fn integration_bounds(&self, _: f64) -> (f64, f64) {
        (0.0, 1.0)
    }
    fn log_partition(&self, eta: f64) -> f64 {
        eta.max(0.0) + (-eta.abs()).exp().ln_1p()
    }
    fn mean_statistic(&self, eta: f64) -> f64 {
        1.0 / (1.0 + (-eta).exp())
    }
    fn has_closed_mean(&self) -> bool {
        true
    }
    fn interneuron_dynamics(&self) -> InterneuronDynamics {
        InterneuronDynamics::HeatBath { trials: 1 }
    }
    fn with_sigma(&self, _: f64) -> Arc<dyn Family> {
        Arc::new(*self)
    }
    fn add_statistic_variances(&self, eta: &[f32], sums: &mut [f32]) {
        vector::add_logistic_variance(eta, sums);
    }
    fn mean_statistics(&self, eta: &[f32], out: &mut [f32]) {
        vector::logistic(eta, out);
    }
    fn statistics(&self, x: &[f32], out: &mut [f32]) {
        out.copy_from_slice(x);
    }
    fn errors(&self, x: &[f32], mean: &[f32], out: &mut [f32]) {
        vector::scaled_less(x, 1.0, mean, out);
    }
}
