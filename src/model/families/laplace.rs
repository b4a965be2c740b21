//! laplace(lambda, delta, kappa): T = x, B = lambda sqrt(x^2 + delta^2) + kappa x^2/2.

use super::{Family, FamilyConfig};
use std::sync::Arc;

/// The Laplace family with a smooth centre, and an optional parabola that makes it normalisable for every eta.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Laplace {
    /// Slope of the energy far from 0.
    pub lambda: f64,
    /// Width of the smooth centre.
    pub delta: f64,
    /// Curvature of the added parabola.
    pub kappa: f64,
}

impl Family for Laplace {
    fn name(&self) -> &'static str {
        "laplace"
    }
    fn config(&self) -> FamilyConfig {
        FamilyConfig::Laplace { lambda: self.lambda, delta: self.delta, kappa: self.kappa }
    }
    fn statistic(&self, x: f64) -> f64 {
        x
    }
    fn statistic_derivative(&self, _: f64) -> f64 {
        1.0
    }
    fn base_energy(&self, x: f64) -> f64 {
        self.lambda * x.hypot(self.delta) + 0.5 * self.kappa * x * x
    }
    fn base_energy_derivative(&self, x: f64) -> f64 {
        self.lambda * x / x.hypot(self.delta) + self.kappa * x
    }
    fn largest_base_curvature(&self) -> f64 {
        self.lambda / self.delta + self.kappa
    }
    fn largest_statistic_variance(&self) -> f64 {
        // The energy is convex with curvature at least kappa: Var(x | eta) <= 1 / kappa (Brascamp and Lieb 1976).
        if self.kappa > 0.0 { 1.0 / self.kappa } else { f64::INFINITY }
    }
    fn normalisable_for_every_eta(&self) -> bool {
        self.kappa > 0.0
    }
    fn integration_bounds(&self, eta: f64) -> (f64, f64) {
        let half = if self.kappa > 0.0 {
            eta.abs() / self.kappa + 12.0 / self.kappa.sqrt()
        } else {
            self.delta + 45.0 / (self.lambda - eta.abs()).max(0.05 * self.lambda)
        };
        (-half, half)
    }
    fn with_sigma(&self, _: f64) -> Arc<dyn Family> {
        Arc::new(*self)
    }
    fn prior_current(&self, x: &[f32], eta: &[f32], out: &mut [f32]) {
        let (lambda, delta2, kappa) = (self.lambda as f32, (self.delta * self.delta) as f32, self.kappa as f32);
        out.iter_mut().zip(x).for_each(|(out, &x)| *out = -x * (lambda / (x * x + delta2).sqrt() + kappa));
        out.iter_mut().zip(eta).for_each(|(out, eta)| *out += eta);
    }
    fn energies(&self, x: &[f32], eta: &[f32], out: &mut [f32]) {
        let (lambda, delta2, kappa) = (self.lambda as f32, (self.delta * self.delta) as f32, self.kappa as f32);
        out.iter_mut().zip(x).for_each(|(out, &x)| *out = lambda * (x * x + delta2).sqrt() + 0.5 * kappa * x * x);
        out.iter_mut().zip(x).zip(eta).for_each(|((out, x), eta)| *out -= eta * x);
    }
    fn statistics(&self, x: &[f32], out: &mut [f32]) {
        out.copy_from_slice(x);
    }
}
