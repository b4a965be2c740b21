//! categorical: a layer that is in one of k states, T = one-hot, eta = b; top layer only (SPEC 1, 8).
//!
//! The units of this layer are not independent: just one is 1. What the trait says of one unit holds for its indicator; the
//! whole layer is drawn by the dynamics, which know the prototypes.

use super::{Family, InterneuronDynamics};
use std::sync::Arc;

/// One of k, with P(c) proportional to exp(b_c).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Categorical;

impl Family for Categorical {
    fn name(&self) -> &'static str {
        "categorical"
    }
    fn bounds(&self) -> [f64; 2] {
        [0.0, 1.0]
    }
    fn is_categorical(&self) -> bool {
        true
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
    fn normalisable_for_every_eta(&self) -> bool {
        true
    }
    fn integration_bounds(&self, _: f64) -> (f64, f64) {
        (0.0, 1.0)
    }
    /// Of the indicator beside one other state of weight 1.
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
        InterneuronDynamics::HeatBath
    }
    fn with_sigma(&self, _: f64) -> Arc<dyn Family> {
        Arc::new(*self)
    }
}
