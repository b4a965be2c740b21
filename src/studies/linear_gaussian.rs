//! Models in which everything is known exactly: every layer gaussian with linear f.

use crate::experiment::session::step_parameters;
use crate::experiment::{DynamicsConfig, FrozenModel};
use crate::model::linear::LinearDynamics;
use crate::model::linear_step::covariance_of_steps;

/// The exact stationary dynamics of a frozen model whose dynamics are `d`; None where the model is not linear-Gaussian, or the dynamics
/// are unstable or come to rest.
pub(super) fn linear_dynamics(frozen: &FrozenModel, d: &DynamicsConfig) -> Option<LinearDynamics> {
    let p = step_parameters(d, &frozen.stiffness);
    let constants: Vec<_> = p.layers.iter().map(|layer| layer.constants(p.dt_ms)).collect();
    LinearDynamics::new(&frozen.model, &constants, d.tau_eps_ms, p.interneurons, p.exact)
}

/// Variance of unit `unit` of layer `layer` in the end under the settings `d`, by steps of their length (model.md 5.2).
pub(super) fn variance_of_steps(frozen: &FrozenModel, d: &DynamicsConfig, layer: usize, unit: usize) -> Option<f64> {
    let p = step_parameters(d, &frozen.stiffness);
    let constants: Vec<_> = p.layers.iter().map(|layer| layer.constants(p.dt_ms)).collect();
    let covariance = covariance_of_steps(&frozen.model, &constants, [p.dt_ms, d.tau_eps_ms], p.interneurons, p.exact)?;
    let i = 2 * frozen.model.layers[1..layer].iter().map(|below| below.size).sum::<usize>() + unit;
    Some(covariance[[i, i]])
}
