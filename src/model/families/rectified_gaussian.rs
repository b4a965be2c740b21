//! rectified-gaussian(sigma): x >= 0, T = x / sigma^2, B = x^2 / (2 sigma^2): a normal distribution cut off at 0 (model.md 1).

use super::{Family, FamilyConfig, InterneuronDynamics};
use std::sync::Arc;

const SQRT_2_PI: f64 = 2.506_628_274_631_000_5;
/// Below this z the ratio phi/Phi comes from its continued fraction.
const FAR: f64 = -6.0;

/// N(eta, sigma^2) restricted to x >= 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RectifiedGaussian {
    /// Standard deviation before the restriction.
    pub sigma: f64,
}

/// Mills' ratio Phi(-t)/phi(t) for t >= 6: Laplace's continued fraction 1/(t + 1/(t + 2/(t + ..))).
fn mills(t: f64) -> f64 {
    1.0 / (1..=60).rev().fold(t, |tail, k| t + f64::from(k) / tail)
}

/// Phi(z).
fn normal_cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2)
}

impl Family for RectifiedGaussian {
    fn name(&self) -> &'static str {
        "rectified-gaussian"
    }
    fn config(&self) -> FamilyConfig {
        FamilyConfig::RectifiedGaussian { sigma: self.sigma }
    }
    fn typical_natural_parameter(&self) -> f64 {
        3.0 * self.sigma
    }
    fn bounds(&self) -> [f64; 2] {
        [0.0, f64::INFINITY]
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
        1.0 / self.sigma.powi(2) // cutting a log-concave distribution off lowers its variance
    }
    fn normalisable_for_every_eta(&self) -> bool {
        true
    }
    fn integration_bounds(&self, eta: f64) -> (f64, f64) {
        // Far below 0 the distribution is nearly exponential with rate -eta/sigma^2.
        let scale = if eta < 0.0 { self.sigma.min(self.sigma.powi(2) / -eta) * 3.0 } else { self.sigma };
        (0.0, eta.max(0.0) + 12.0 * scale)
    }
    fn log_partition(&self, eta: f64) -> f64 {
        let z = eta / self.sigma;
        if z < FAR { self.sigma.ln() + mills(-z).ln() } else { 0.5 * z * z + (self.sigma * SQRT_2_PI * normal_cdf(z)).ln() }
    }
    fn mean_statistic(&self, eta: f64) -> f64 {
        let z = eta / self.sigma;
        let ratio = if z < FAR { 1.0 / mills(-z) } else { (-0.5 * z * z).exp() / (SQRT_2_PI * normal_cdf(z)) };
        (eta + self.sigma * ratio) / self.sigma.powi(2)
    }
    fn has_closed_mean(&self) -> bool {
        true
    }
    fn interneuron_dynamics(&self) -> InterneuronDynamics {
        InterneuronDynamics::MicroSteps { mobility: self.sigma.powi(2) as f32 }
    }
    fn sigma(&self) -> Option<f64> {
        Some(self.sigma)
    }
    fn with_sigma(&self, sigma: f64) -> Arc<dyn Family> {
        Arc::new(Self { sigma })
    }
    fn prior_current(&self, x: &[f32], eta: &[f32], out: &mut [f32]) {
        super::Gaussian { sigma: self.sigma }.prior_current(x, eta, out);
    }
    fn energies(&self, x: &[f32], eta: &[f32], out: &mut [f32]) {
        super::Gaussian { sigma: self.sigma }.energies(x, eta, out);
    }
    fn statistics(&self, x: &[f32], out: &mut [f32]) {
        super::Gaussian { sigma: self.sigma }.statistics(x, out);
    }
}
