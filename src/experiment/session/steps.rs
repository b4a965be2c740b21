//! The constants of a step from the dynamics and each layer's stiffness (model.md 2, governor).

use crate::dynamics::governor::largest_step;
use crate::dynamics::{LayerStep, StepParameters};
use crate::experiment::config::{AdaptationUnit, DynamicsConfig, Governor, InterneuronMode};
use crate::model::Hierarchy;

/// m of a layer of stiffness lambda.
pub(super) fn strength(d: &DynamicsConfig, lambda: f64) -> f64 {
    match d.adaptation_unit {
        AdaptationUnit::Absolute => d.adaptation,
        AdaptationUnit::Stiffness => d.adaptation * lambda.sqrt(),
    }
}

/// By what tau_v of a layer of stiffness lambda is divided.
fn tau_v_divisor(d: &DynamicsConfig, lambda: f64) -> f64 {
    if d.adaptation_unit == AdaptationUnit::Stiffness { lambda } else { 1.0 }
}

/// m and tau_v in ms of a layer of stiffness lambda (model.md 2).
pub fn layer_adaptation(d: &DynamicsConfig, lambda: f64) -> [f64; 2] {
    [strength(d, lambda), d.tau_v_ms / tau_v_divisor(d, lambda)]
}

/// h, m and rho of a layer of stiffness lambda; nothing moves where it is infinite.
fn layer_step(d: &DynamicsConfig, lambda: f64) -> (f64, LayerStep) {
    if !lambda.is_finite() {
        return (0.0, LayerStep { temperature: d.temperature as f32, ..LayerStep::new(0.0, 0.0, 1.0) });
    }
    let m = strength(d, lambda);
    let wanted = d.dt_ms / d.tau_x_ms;
    let h = if d.governor == Governor::Auto { wanted.min(largest_step(lambda, m, d.safety)) } else { wanted };
    (h, LayerStep { temperature: d.temperature as f32, ..LayerStep::new(h, m, d.tau_v_ms / d.tau_x_ms / tau_v_divisor(d, lambda)) })
}

/// h, m and rho of x_0 where it is free: its stiffness is that of p(x_0 | x_1).
pub fn observed_step(d: &DynamicsConfig, model: &Hierarchy) -> LayerStep {
    layer_step(d, model.observed_family().largest_base_curvature().max(1.0)).1
}

/// h_l of each layer: dt/tau_x, lowered to the layer's own limit by the governor. The clock is that of the softest layer; a
/// stiffer one has a longer tau_x, which leaves the stationary distribution as it is (model.md 2).
pub fn step_parameters(d: &DynamicsConfig, stiffness: &[f64]) -> StepParameters {
    step_parameters_of(d, stiffness, stiffness.len())
}

/// The same where only the first `open` layers of neurons run.
pub fn step_parameters_of(d: &DynamicsConfig, stiffness: &[f64], active_layers: usize) -> StepParameters {
    let steps: Vec<_> = stiffness.iter().map(|&lambda| layer_step(d, lambda)).collect();
    let h = steps.iter().take(active_layers).map(|s| s.0).fold(0.0, f64::max);
    let dt_ms = if h > 0.0 { h * d.tau_x_ms } else { d.dt_ms }; // a model whose only neurons are drawn has the clock it was given
    StepParameters {
        layers: steps.into_iter().map(|(_, step)| step).collect(),
        dt_ms,
        dt_over_tau_eps: dt_ms / d.tau_eps_ms,
        interneurons: d.interneurons,
        exact: d.interneuron_mode == InterneuronMode::Exact,
        simulated: d.interneuron_mode == InterneuronMode::Simulated,
        choice_interval: d.choice_interval,
    }
}
