//! How much faster sampling is with adaptation: the autocorrelation time without it over that with it (model.md 5.2).

use super::stationary::{CHUNK, advance, stationary_chains};
use crate::analysis::chains::windowed_autocorrelation_time;
use crate::analysis::density::DensityGrid;
use crate::experiment::config::DynamicsConfig;
use crate::experiment::session::step_parameters;
use crate::model::linear::{critical_adaptation, precision, symmetric_eigenvalues};
use crate::studies::race::{Race, SamplerConfig};
use crate::studies::{Axis, Expectation, Figure, Observer, Point, StudyError, StudyTarget};

/// A measured time, ms, is good enough below this relative standard error.
const PRECISE_ENOUGH: f64 = 0.03;
/// In units of tau_x: for long enough that the user should know that it is not.
const LONGEST: f64 = 400.0;

/// The figure of a speed-up against `x`.
pub(super) fn figure(target: &StudyTarget, x: Axis) -> Figure {
    let exact = target.frozen.model.is_linear_gaussian();
    Figure::of(x, Axis::linear("speed-up")).expecting(if exact { Expectation::Exact } else { Expectation::Guide })
}

/// Time from the sampler without adaptation over the time with it, for each setting (x, sampler); the first setting has m = 0.
pub(super) fn run(target: &StudyTarget, sweep: &[(f64, SamplerConfig)], observer: &mut dyn Observer) -> Result<(), StudyError> {
    let frozen = &target.frozen;
    // One step for all, so that the step's own bias cancels.
    let limits = sweep.iter().map(|(_, c)| {
        let d = DynamicsConfig { adaptation: c.adaptation, tau_v_ms: c.tau_v_ms, ..frozen.dynamics };
        step_parameters(&d, &frozen.stiffness).dt_ms
    });
    let common = DynamicsConfig { dt_ms: limits.fold(f64::INFINITY, f64::min), ..frozen.dynamics };
    let mut still: Option<(f64, f64)> = None;
    for (i, &(x, config)) in sweep.iter().enumerate() {
        // Its own random numbers, so that the errors of different settings are independent.
        let common = DynamicsConfig { seed: common.seed.wrapping_add(1 + i as u64), ..common };
        let guess = still.map_or(4.0, |(tau, _)| tau / common.tau_x_ms);
        let mut race = stationary_chains(target, config, &common, 4.0 * guess * common.tau_x_ms, observer)?;
        let Some((tau, error)) = autocorrelation_time_ms(&mut race, LONGEST * common.tau_x_ms, observer)? else { continue };
        let (base, base_error) = *still.get_or_insert((tau, error));
        let y = base / tau;
        let relative = if x == 0.0 { 0.0 } else { (error / tau).hypot(base_error / base) };
        observer.point(Point::new(0, x, y, y * relative))?;
    }
    Ok(())
}

/// Integrated autocorrelation time of the first watched unit and its standard error, ms, from chains that run until it is known well or
/// for `longest_ms`; None where they are too short to say.
fn autocorrelation_time_ms(race: &mut Race, longest_ms: f64, observer: &mut dyn Observer) -> Result<Option<(f64, f64)>, StudyError> {
    let (mut found, mut ran) = (None, 0.0);
    race.samplers[0].set_stride(1);
    while ran < longest_ms {
        advance(race, 4 * CHUNK, observer)?;
        ran += 4.0 * CHUNK as f64 * race.dt_ms();
        // One unit, always the same: the larger of two noisy times would be too large on average.
        let (chains, stride) = race.samplers[0].chains(0);
        let spacing = stride as f64 * race.dt_ms();
        match windowed_autocorrelation_time(&chains) {
            Some((tau, error)) => {
                found = Some((tau * spacing, error * spacing));
                race.samplers[0].widen(tau);
            }
            None => race.samplers[0].widen(40.0), // too short a window to say
        }
        if found.is_some_and(|(tau, error)| error < PRECISE_ENOUGH * tau && ran > 30.0 * tau) {
            break;
        }
    }
    Ok(found)
}

/// m* of the softest and of the stiffest direction of the posterior of a one-layer model: exact for a linear-Gaussian one; for two
/// units of another kind that of the Gaussian with the same covariance, a guide.
pub fn critical_strengths(target: &StudyTarget) -> Option<[f64; 2]> {
    let (model, d) = (&target.frozen.model, &target.frozen.dynamics);
    if model.depth() != 1 {
        return None;
    }
    let curvatures = if model.is_linear_gaussian() {
        symmetric_eigenvalues(&precision(model))
    } else {
        let covariance = DensityGrid::posterior(model, &target.frozen.stimulus, 1.0, 96)?.covariance();
        symmetric_eigenvalues(&covariance).into_iter().map(|variance| 1.0 / variance).collect()
    };
    let ends = [curvatures.iter().copied().fold(f64::INFINITY, f64::min), curvatures.iter().copied().fold(0.0, f64::max)];
    Some(ends.map(|lambda| critical_adaptation(lambda, d.tau_x_ms / d.tau_v_ms)))
}
