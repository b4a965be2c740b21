//! Separation of time scales: the variance of a neuron against the slowness of its interneurons, beside the Lyapunov equation's
//! (model.md 5.3).

use super::stationary::{advance, stationary_chains, variance};
use crate::experiment::FrozenModel;
use crate::experiment::config::{DynamicsConfig, InterneuronMode};
use crate::model::closed_form::solve;
use crate::model::linear::precision;
use crate::studies::linear_gaussian::{linear_dynamics, variance_of_steps};
use crate::studies::race::SamplerConfig;
use crate::studies::{Axis, Figure, Observer, Point, Study, StudyError, StudyOptions, StudyTarget};
use ndarray::Array2;

/// K of the series.
const INTERNEURONS: [usize; 3] = [1, 4, 16];
/// tau_eps/tau_x of the sweep.
const RATIOS: [f64; 11] = [0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.4, 1.0, 2.0, 4.0, 10.0];
/// A variance above this has left the stationary range.
const LARGEST_VARIANCE: f64 = 1e4;

/// The study.
pub struct Separation;
/// Its value in the registry.
pub static STUDY: Separation = Separation;

impl Study for Separation {
    fn name(&self) -> &'static str {
        "separation"
    }

    fn title(&self) -> &'static str {
        "Separation of time scales"
    }

    fn summary(&self) -> &'static str {
        "Var(x) against tau_eps/tau_x for several K, beside the Lyapunov equation's"
    }

    fn figure(&self, _: &StudyTarget, _: &StudyOptions) -> Figure {
        Figure::of(Axis::logarithmic("tau_eps / tau_x"), Axis::linear("Var(x)"))
            .by("K", &INTERNEURONS.map(|k| k as f64))
            .over(RATIOS[0], RATIOS[RATIOS.len() - 1])
            .exact()
    }

    fn total(&self, _: &StudyTarget, _: &StudyOptions) -> usize {
        RATIOS.len() * INTERNEURONS.len()
    }

    fn expected(&self, target: &StudyTarget, _: &StudyOptions, series: usize, ratio: f64) -> Option<f64> {
        stationary_variance(target, ratio, *INTERNEURONS.get(series)?)
    }

    fn run(&self, target: &StudyTarget, _: &StudyOptions, observer: &mut dyn Observer) -> Result<(), StudyError> {
        let d = &target.frozen.dynamics;
        for (series, k) in INTERNEURONS.into_iter().enumerate() {
            for ratio in RATIOS {
                let tau_eps_ms = ratio * d.tau_x_ms;
                let config = SamplerConfig { tau_eps_ms, interneurons: k, ..SamplerConfig::of(d) };
                // Slow interneurons are the slowest part: wait for them.
                let burn_in_ms = 5.0 * d.tau_x_ms.max(tau_eps_ms);
                let mut race = stationary_chains(target, config, d, burn_in_ms, observer)?;
                let apart = ((0.1 * d.tau_x_ms / race.dt_ms()).round() as u64).max(1);
                race.samplers[0].set_stride(apart);
                let steps = (6.0 * burn_in_ms / race.dt_ms()) as usize;
                advance(&mut race, steps, observer)?;
                let (y, error) = variance(&race.samplers[0].chains(0).0);
                if y.is_finite() && y < LARGEST_VARIANCE {
                    observer.point(Point::new(series, ratio, y, error))?;
                }
            }
        }
        Ok(())
    }
}

/// Var(x) of the first watched unit for tau_eps = ratio tau_x; None where the model is not linear-Gaussian or the dynamics are unstable.
pub fn stationary_variance(target: &StudyTarget, ratio: f64, k: usize) -> Option<f64> {
    let frozen = &target.frozen;
    let dynamics = linear_dynamics(frozen, &with(frozen, ratio, k))?;
    let i = dynamics.state(target.watched.layer, target.watched.pair[0]);
    Some(dynamics.covariance[[i, i]])
}

/// The same by steps of the length in force, which is what is sampled.
pub fn variance_by_steps(target: &StudyTarget, ratio: f64, k: usize) -> Option<f64> {
    let [layer, unit] = [target.watched.layer, target.watched.pair[0]];
    variance_of_steps(&target.frozen, &with(&target.frozen, ratio, k), layer, unit)
}

/// The dynamics with `k` interneurons a unit and tau_eps = ratio tau_x.
fn with(frozen: &FrozenModel, ratio: f64, k: usize) -> DynamicsConfig {
    DynamicsConfig {
        tau_eps_ms: ratio * frozen.dynamics.tau_x_ms,
        interneurons: k,
        interneuron_mode: InterneuronMode::Sampled,
        ..frozen.dynamics
    }
}

/// Variance of the first watched unit under the posterior and under the prior, at the temperature of the dynamics.
pub fn variance_levels(target: &StudyTarget) -> Option<[f64; 2]> {
    let (model, layer) = (&target.frozen.model, target.watched.layer);
    if !model.is_linear_gaussian() {
        return None;
    }
    let before: usize = model.layers[1..layer].iter().map(|l| l.size).sum();
    let posterior = solve(&precision(model), &Array2::eye(precision(model).nrows()))?;
    // Covariance of the prior, down from the top: C_l = W C W^T + sigma^2.
    let mut prior = Array2::<f64>::zeros((0, 0));
    for l in (layer..=model.depth()).rev() {
        let own = Array2::<f64>::eye(model.layers[l].size) * model.layers[l].sigma()?.powi(2);
        prior = if l == model.depth() {
            own
        } else {
            let w = model.weights[l].mapv(f64::from);
            w.dot(&prior).dot(&w.t()) + own
        };
    }
    let (unit, temperature) = (target.watched.pair[0], target.frozen.dynamics.temperature);
    Some([temperature * posterior[[before + unit, before + unit]], temperature * prior[[unit, unit]]])
}
