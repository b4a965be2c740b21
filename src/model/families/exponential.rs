//! exponential: x >= 0, T = x, B = x: the prior exp(-x) of units that only amplify or dampen (model.md 7). Top layer only.

use super::{Family, FamilyConfig};
use std::sync::Arc;

/// exp(-x) on x >= 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exponential;

impl Family for Exponential {
    fn name(&self) -> &'static str {
        "exponential"
    }
    fn config(&self) -> FamilyConfig {
        FamilyConfig::Exponential
    }
    fn bounds(&self) -> [f64; 2] {
        [0.0, f64::INFINITY]
    }
    /// At mu = 1, the prior's mean, plus 0.3 |N(0, 1)|: from the mean itself learning finds groups of mixed signs (model.md 7).
    fn start(&self) -> [f32; 2] {
        [1.0, 0.3]
    }
    fn statistic(&self, x: f64) -> f64 {
        x
    }
    fn statistic_derivative(&self, _: f64) -> f64 {
        1.0
    }
    fn base_energy(&self, x: f64) -> f64 {
        x
    }
    fn base_energy_derivative(&self, _: f64) -> f64 {
        1.0
    }
    fn largest_base_curvature(&self) -> f64 {
        0.0
    }
    fn largest_statistic_variance(&self) -> f64 {
        f64::INFINITY
    }
    fn normalisable_for_every_eta(&self) -> bool {
        false
    }
    fn integration_bounds(&self, eta: f64) -> (f64, f64) {
        (0.0, 45.0 / (1.0 - eta).max(0.05))
    }
    fn log_partition(&self, eta: f64) -> f64 {
        -(1.0 - eta).ln()
    }
    fn mean_statistic(&self, eta: f64) -> f64 {
        1.0 / (1.0 - eta)
    }
    fn has_closed_mean(&self) -> bool {
        true
    }
    fn with_sigma(&self, _: f64) -> Arc<dyn Family> {
        Arc::new(*self)
    }
}
