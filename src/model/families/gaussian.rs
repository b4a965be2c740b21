//! gaussian(sigma): T = x / sigma^2, B = x^2 / (2 sigma^2), mean eta.

use super::{Family, FamilyConfig, InterneuronDynamics};
use crate::model::vector;
use std::sync::Arc;

/// The normal family N(eta, sigma^2).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gaussian {
    /// Standard deviation.
    pub sigma: f64,
}

impl Family for Gaussian {
    fn name(&self) -> &'static str {
        "gaussian"
    }
    fn config(&self) -> FamilyConfig {
        FamilyConfig::Gaussian { sigma: self.sigma }
    }
    fn is_normal(&self) -> bool {
        true
    }
    fn typical_natural_parameter(&self) -> f64 {
        3.0 * self.sigma
    }
    fn statistic(&self, x: f64) -> f64 {
        x / self.sigma.powi(2)
    }
    fn statistic_derivative(&self, _: f64) -> f64 {
        1.0 / self.sigma.powi(2)
    }
    fn base_energy(&self, x: f64) -> f64 {
        0.5 * (x / self.sigma).powi(2)
    }
    fn base_energy_derivative(&self, x: f64) -> f64 {
        x / self.sigma.powi(2)
    }
    fn largest_base_curvature(&self) -> f64 {
        1.0 / self.sigma.powi(2)
    }
    fn largest_statistic_variance(&self) -> f64 {
        1.0 / self.sigma.powi(2)
    }
    fn normalisable_for_every_eta(&self) -> bool {
        true
    }
    fn integration_bounds(&self, eta: f64) -> (f64, f64) {
        (eta - 12.0 * self.sigma, eta + 12.0 * self.sigma)
    }
    fn log_partition(&self, eta: f64) -> f64 {
        0.5 * (eta / self.sigma).powi(2) + 0.5 * (2.0 * std::f64::consts::PI * self.sigma.powi(2)).ln()
    }
    fn log_partition_sum(&self, eta: &[f32]) -> f64 {
        let squares: f32 = eta.iter().map(|eta| eta * eta).sum();
        f64::from(squares) / (2.0 * self.sigma.powi(2)) + eta.len() as f64 * self.log_partition(0.0)
    }
    fn mean_statistic(&self, eta: f64) -> f64 {
        eta / self.sigma.powi(2)
    }
    fn has_closed_mean(&self) -> bool {
        true
    }
    fn interneuron_dynamics(&self) -> InterneuronDynamics {
        InterneuronDynamics::OrnsteinUhlenbeck { sigma: self.sigma as f32 }
    }
    fn sigma(&self) -> Option<f64> {
        Some(self.sigma)
    }
    fn with_sigma(&self, sigma: f64) -> Arc<dyn Family> {
        Arc::new(Self { sigma })
    }
    fn prior_current(&self, x: &[f32], eta: &[f32], out: &mut [f32]) {
        let precision = self.statistic_derivative(0.0) as f32;
        if eta.is_empty() {
            vector::scaled(x, -precision, out);
        } else {
            vector::scaled_difference(eta, x, precision, out);
        }
    }
    fn energies(&self, x: &[f32], eta: &[f32], out: &mut [f32]) {
        let precision = self.statistic_derivative(0.0) as f32;
        if eta.is_empty() {
            out.iter_mut().zip(x).for_each(|(out, x)| *out = 0.5 * precision * x * x);
        } else {
            out.iter_mut().zip(x).zip(eta).for_each(|((out, x), eta)| *out = precision * x * (0.5 * x - eta));
        }
    }
    fn statistics(&self, x: &[f32], out: &mut [f32]) {
        let precision = self.statistic_derivative(0.0) as f32;
        vector::scaled(x, precision, out);
    }
    fn errors(&self, x: &[f32], mean: &[f32], out: &mut [f32]) {
        vector::scaled_less(x, self.statistic_derivative(0.0) as f32, mean, out);
    }
}
