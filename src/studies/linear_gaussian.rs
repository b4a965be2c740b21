//! Models in which everything is known exactly: every layer gaussian with linear f.

use crate::experiment::session::step_parameters;
use crate::experiment::{DynamicsConfig, FrozenModel};
use crate::model::linear::LinearDynamics;

/// The exact stationary dynamics of a frozen model whose dynamics are `d`; None where the model is not linear-Gaussian, or the dynamics
/// are unstable or come to rest.
pub(super) fn linear_dynamics(frozen: &FrozenModel, d: &DynamicsConfig) -> Option<LinearDynamics> {
    let p = step_parameters(d, &frozen.stiffness);
    let constants: Vec<_> = p.layers.iter().map(|layer| layer.constants(p.dt_ms)).collect();
    LinearDynamics::new(&frozen.model, &constants, d.tau_eps_ms, p.interneurons, p.exact)
}
