//! continuous-bernoulli: x in [0, 1], T = x, B = 0 (model.md 1; Loaiza-Ganem and Cunningham 2019).

use super::{Family, FamilyConfig};
use std::sync::Arc;

/// Density proportional to exp(eta x) on [0, 1].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ContinuousBernoulli;

impl Family for ContinuousBernoulli {
    fn name(&self) -> &'static str {
        "continuous-bernoulli"
    }
    fn config(&self) -> FamilyConfig {
        FamilyConfig::ContinuousBernoulli
    }
    fn typical_natural_parameter(&self) -> f64 {
        8.0
    }
    fn bounds(&self) -> [f64; 2] {
        [0.0, 1.0]
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
        1.0 / 12.0 // at eta = 0, where the distribution is uniform
    }
    fn normalisable_for_every_eta(&self) -> bool {
        true
    }
    fn integration_bounds(&self, eta: f64) -> (f64, f64) {
        // All but exp(-40) of the mass of a steep distribution lies beside one end.
        let width = (40.0 / eta.abs().max(1e-9)).min(1.0);
        if eta < 0.0 { (0.0, width) } else { (1.0 - width, 1.0) }
    }
    fn log_partition(&self, eta: f64) -> f64 {
        let size = eta.abs();
        // log((e^eta - 1)/eta) = max(eta, 0) + log((1 - e^-|eta|)/|eta|)
        let rest = if size < 1e-4 { -size / 2.0 + size * size / 24.0 } else { (-(-size).exp_m1() / size).ln() };
        eta.max(0.0) + rest
    }
    fn mean_statistic(&self, eta: f64) -> f64 {
        if eta.abs() < 1e-2 {
            0.5 + eta / 12.0 - eta.powi(3) / 720.0 // the next term is below 4e-15
        } else {
            -1.0 / (-eta).exp_m1() - 1.0 / eta
        }
    }
    fn has_closed_mean(&self) -> bool {
        true
    }
    fn with_sigma(&self, _: f64) -> Arc<dyn Family> {
        Arc::new(*self)
    }
    fn prior_current(&self, _: &[f32], eta: &[f32], out: &mut [f32]) {
        if eta.is_empty() { out.fill(0.0) } else { out.copy_from_slice(eta) }
    }
    fn energies(&self, x: &[f32], eta: &[f32], out: &mut [f32]) {
        out.fill(0.0);
        out.iter_mut().zip(x).zip(eta).for_each(|((out, x), eta)| *out = -eta * x);
    }
    fn statistics(&self, x: &[f32], out: &mut [f32]) {
        out.copy_from_slice(x);
    }
}
