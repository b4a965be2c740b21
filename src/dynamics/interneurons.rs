//! The interneurons of a layer: K samplers a unit of p(. | eta) with the short time constant tau_eps (model.md 2).
//!
//! The gaussian family is an Ornstein-Uhlenbeck process, whose means over dt are drawn exactly; bernoulli a process with two states,
//! whose changes or whose means over dt are drawn (or, where that is asked for, a heat bath in small pieces of dt); all others
//! move by Langevin micro-steps with eta held. A micro-step is accepted as Metropolis and Hastings do (MALA; Roberts and Tweedie
//! 1996), so that its length biases no distribution: <T(y)> is right however long it is.

use crate::dynamics::neurons::CHUNK;
use crate::dynamics::noise::Noise;
use crate::dynamics::state::{LayerState, MicroStepBuffers};
use crate::dynamics::step_parameters::{Innovation, LastInnovation, StepParameters, heat_bath_steps, micro_steps};
use crate::model::families::InterneuronDynamics;
use crate::model::mean_table::MeanTable;
use crate::model::{Family, vector};
use two_state::TwoStateStep;

pub mod two_state;

/// Sizes the interneurons for K and starts them: near equilibrium at eta = 0, inside the support.
pub(super) fn start(dynamics: InterneuronDynamics, k: usize, [low, high]: [f64; 2], state: &mut LayerState, noise: &mut Noise) {
    let size = state.x.len();
    state.unsampled_variance = 0.0;
    let (count, spread) = match dynamics {
        InterneuronDynamics::OrnsteinUhlenbeck { sigma } => (1, sigma / (k as f32).sqrt()),
        InterneuronDynamics::MicroSteps { mobility } => (k, mobility.sqrt()),
        InterneuronDynamics::HeatBath { .. } => (1, 0.0),
        InterneuronDynamics::Redraw => (k, 0.0),
    };
    state.y.resize(count * size, 0.0);
    state.unsampled_variances.clear();
    if let InterneuronDynamics::HeatBath { trials } = dynamics {
        two_state::start(k * trials as usize, &mut state.y, noise);
        state.unsampled_variances.resize(size, 0.0);
    } else {
        noise.fill(&mut state.y);
        let support = Support { low: low as f32, high: high as f32 };
        let centre = if low.is_finite() && high.is_finite() { 0.5 * (low + high) as f32 } else { 0.0 };
        state.y.iter_mut().for_each(|y| *y = support.fold(centre + spread * *y));
    }
    state.micro.pending.resize(if dynamics == InterneuronDynamics::Redraw { size } else { 0 }, 0);
    state.micro.resize(if matches!(dynamics, InterneuronDynamics::OrnsteinUhlenbeck { .. }) { 0 } else { size });
}

/// Sizes interneurons that [`settle`] puts into equilibrium before they move: what they are until then is drawn only where it matters.
pub(super) fn await_settling(dynamics: InterneuronDynamics, k: usize, bounds: [f64; 2], state: &mut LayerState, noise: &mut Noise) {
    let sized = !state.y.is_empty() && state.mean_statistic.len() == state.x.len();
    match dynamics {
        InterneuronDynamics::OrnsteinUhlenbeck { .. } | InterneuronDynamics::HeatBath { .. } if sized => {}
        _ => start(dynamics, k, bounds, state, noise),
    }
}

/// In units of tau_eps, for how long interneurons that move step by step run until they count as settled.
const SETTLING: f64 = 10.0;

/// Starts the interneurons in equilibrium at eta: as an expectation and what it leaves open, or settled where they move step by step.
pub(super) fn settle(family: &dyn Family, state: &mut LayerState, parameters: &StepParameters, noise: &mut Noise) {
    if parameters.exact {
        return;
    }
    let k = parameters.interneurons;
    match state.dynamics {
        Some(InterneuronDynamics::OrnsteinUhlenbeck { sigma }) => {
            state.y.clone_from(&state.eta);
            state.unsampled_variance = f64::from(sigma * sigma) / k as f64;
        }
        Some(InterneuronDynamics::HeatBath { trials }) if !parameters.simulated => {
            two_state::pool(&mut state.y, state.eta.len());
            vector::logistic(&state.eta, &mut state.y); // the chance of each trial
            let count = (k * trials as usize) as f32;
            state.unsampled_variances.iter_mut().zip(&state.y).for_each(|(open, p)| *open = p * (1.0 - p) / count);
        }
        _ => {
            let settling = StepParameters { dt_over_tau_eps: SETTLING, layers: Vec::new(), ..*parameters };
            advance(family, None, state, &settling, noise);
        }
    }
}

/// Advances the interneurons of one layer by dt and writes <T(y)>, their mean over K and over dt.
pub(super) fn advance(
    family: &dyn Family,
    table: Option<&MeanTable>,
    state: &mut LayerState,
    parameters: &StepParameters,
    noise: &mut Noise,
) {
    if parameters.exact {
        match table {
            Some(table) => {
                let mean = |eta: f32| table.mean(family, f64::from(eta)) as f32;
                state.mean_statistic.iter_mut().zip(&state.eta).for_each(|(t, &eta)| *t = mean(eta));
            }
            None => family.mean_statistics(&state.eta, &mut state.mean_statistic),
        }
        return;
    }
    let a_dt = parameters.dt_over_tau_eps;
    let Some(dynamics) = state.dynamics else { unreachable!("set when the block is built") };
    let size = state.mean_statistic.len();
    match dynamics {
        InterneuronDynamics::OrnsteinUhlenbeck { sigma } => {
            let (k, variance) = (parameters.interneurons, state.unsampled_variance);
            let step = LastInnovation::or_new(&mut state.innovation, sigma, a_dt, k, variance);
            state.unsampled_variance = step.unsampled_variance;
            let LayerState { y, eta, mean_statistic, scratch: [normal, _], .. } = state;
            let n = y.len();
            for first in (0..n).step_by(CHUNK) {
                let now = first..n.min(first + CHUNK);
                let normal = &mut normal[..now.len()];
                noise.fill(normal);
                let (y, mean) = (&mut y[now.clone()], &mut mean_statistic[now.clone()]);
                ornstein_uhlenbeck(y, &eta[now], mean, normal, step, 1.0 / (sigma * sigma));
            }
        }
        InterneuronDynamics::MicroSteps { mobility } => {
            let (count, length) = micro_steps(mobility, a_dt, family.largest_base_curvature());
            metropolis_langevin(family, state, count, mobility * length as f32, noise);
        }
        InterneuronDynamics::HeatBath { trials } if parameters.simulated => {
            two_state::single(&mut state.y, size, parameters.interneurons * trials as usize, noise);
            heat_bath(family, trials, state, a_dt, noise);
        }
        InterneuronDynamics::HeatBath { trials } => {
            two_state::pool(&mut state.y, size);
            let LayerState { y, eta, mean_statistic, unsampled_variances, micro: MicroStepBuffers { energy: on, .. }, .. } = state;
            vector::logistic(eta, on); // the chance of each trial
            let step = TwoStateStep::new(a_dt, parameters.interneurons, trials);
            two_state::advance(on, y, unsampled_variances, mean_statistic, &step, noise);
        }
        InterneuronDynamics::Redraw => redraw(family, state, a_dt, noise),
    }
}

/// <T(y)> of interneurons whose eta stays, `[steps][etas]`, after as many steps of settling.
pub fn equilibrium_statistics(
    family: &dyn Family,
    etas: &[f32],
    parameters: &StepParameters,
    steps: usize,
    noise: &mut Noise,
) -> Vec<Vec<f32>> {
    equilibrium_statistics_under(family.interneuron_dynamics(), family, etas, parameters, steps, noise)
}

/// The same with other dynamics than the family's own.
pub fn equilibrium_statistics_under(
    dynamics: InterneuronDynamics,
    family: &dyn Family,
    etas: &[f32],
    parameters: &StepParameters,
    steps: usize,
    noise: &mut Noise,
) -> Vec<Vec<f32>> {
    let mut state = population(dynamics, family, etas, parameters.interneurons, noise);
    let mut step = || {
        advance(family, None, &mut state, parameters, noise);
        state.mean_statistic.clone()
    };
    (0..steps).for_each(|_| drop(step()));
    (0..steps).map(|_| step()).collect()
}

/// Draws of p(. | eta), one for each eta: interneurons that have run for `a_dt` tau_eps.
pub(super) fn equilibrium(dynamics: InterneuronDynamics, family: &dyn Family, etas: &[f32], a_dt: f64, noise: &mut Noise) -> Vec<f32> {
    let parameters = StepParameters { dt_over_tau_eps: a_dt, ..StepParameters::default() };
    let mut state = population(dynamics, family, etas, 1, noise);
    advance(family, None, &mut state, &parameters, noise);
    let rest = state.unsampled_variance.sqrt() as f32;
    if rest > 0.0 {
        noise.fill(&mut state.x);
        state.y.iter_mut().zip(&state.x).for_each(|(y, normal)| *y += rest * normal);
    }
    state.y
}

/// K interneurons for each eta, not yet settled.
fn population(dynamics: InterneuronDynamics, family: &dyn Family, etas: &[f32], k: usize, noise: &mut Noise) -> LayerState {
    let zeros = || vec![0.0; etas.len()];
    let mut state = LayerState {
        x: zeros(),
        eta: etas.to_vec(),
        mean_statistic: zeros(),
        scratch: [zeros(), zeros()],
        dynamics: Some(dynamics),
        ..LayerState::default()
    };
    start(dynamics, k, family.bounds(), &mut state, noise);
    state
}

/// z = y - eta moves on; <y> = eta + mean of z over the step.
#[multiversion::multiversion(targets("x86_64+avx512f+avx512dq+avx512vl+avx512bw+avx2+avx", "x86_64+avx2+avx"))]
fn ornstein_uhlenbeck(y: &mut [f32], eta: &[f32], mean: &mut [f32], normal: &[f32], step: Innovation, precision: f32) {
    let n = y.len();
    let (eta, mean, normal) = (&eta[..n], &mut mean[..n], &normal[..n]);
    for i in 0..n {
        let z = y[i] - eta[i];
        mean[i] = precision * (eta[i] + step.from_z * z + step.spread * normal[i]);
        y[i] = eta[i] + step.decay * z + step.gain * normal[i];
    }
}

/// `count` micro-steps of length c = M dt/tau_eps each: y* = y - c dE/dy + sqrt(2 c) N(0,1), folded into the support.
fn metropolis_langevin(family: &dyn Family, state: &mut LayerState, count: usize, c: f32, noise: &mut Noise) {
    let LayerState { y, eta, mean_statistic, micro, scratch: [statistics, _], .. } = state;
    let n = mean_statistic.len();
    let populations = y.len() / n.max(1);
    let weight = 1.0 / (count * populations) as f32;
    let [low, high] = family.bounds().map(|b| b as f32);
    let support = Support { low, high };
    let spread = (2.0 * c).sqrt();
    mean_statistic.fill(0.0);
    let MicroStepBuffers { force, energy, proposal, new_force, new_energy, noise: [n1, n2, n3], .. } = micro;
    for y in y.chunks_exact_mut(n) {
        family.prior_current(y, eta, force); // -dE/dy
        family.energies(y, eta, energy);
        for _ in 0..count {
            [&mut *n1, &mut *n2, &mut *n3].into_iter().for_each(|n| noise.fill(n));
            for i in 0..n {
                proposal[i] = support.fold(y[i] + c * force[i] + spread * n1[i]);
            }
            family.prior_current(proposal, eta, new_force);
            family.energies(proposal, eta, new_energy);
            for i in 0..n {
                let back = support.log_density(y[i], proposal[i] + c * new_force[i], c);
                let there = support.log_density(proposal[i], y[i] + c * force[i], c);
                // (n2^2 + n3^2)/2 is exponential: accepted with probability min(1, exp(log odds)).
                if energy[i] - new_energy[i] + back - there > -0.5 * (n2[i] * n2[i] + n3[i] * n3[i]) {
                    (y[i], force[i], energy[i]) = (proposal[i], new_force[i], new_energy[i]);
                }
            }
            family.statistics(y, statistics);
            mean_statistic.iter_mut().zip(statistics.iter()).for_each(|(mean, t)| *mean += weight * t);
        }
    }
}

/// The ends of the support, at which proposals are reflected.
#[derive(Clone, Copy)]
struct Support {
    low: f32,
    high: f32,
}

impl Support {
    fn fold(self, y: f32) -> f32 {
        match (self.low.is_finite(), self.high.is_finite()) {
            (true, true) => {
                let width = self.high - self.low;
                let at = ((y - self.low) / width).rem_euclid(2.0);
                self.low + width * if at > 1.0 { 2.0 - at } else { at }
            }
            (true, false) => self.low + (y - self.low).abs(),
            (false, true) => self.high - (self.high - y).abs(),
            (false, false) => y,
        }
    }

    /// log of the density, up to a constant, of arriving at `y` from N(mean, 2 c) folded: the sum over y's mirror images.
    fn log_density(self, y: f32, mean: f32, c: f32) -> f32 {
        let exponent = |at: f32| -(at - mean) * (at - mean) / (4.0 * c);
        let with_mirror = |mirror: f32| {
            let (a, b) = (exponent(y), exponent(mirror));
            a.max(b) + (-(a - b).abs()).exp().ln_1p()
        };
        match (self.low.is_finite(), self.high.is_finite()) {
            (true, true) => {
                // A strong force may fold several times: the images nearest to the mean count.
                let period = 2.0 * (self.high - self.low);
                let mirror = 2.0 * self.low - y;
                let nearest = |at: f32| at + ((mean - at) / period).round() * period;
                let images = [y, mirror].map(|at| [-period, 0.0, period].map(|shift| exponent(nearest(at) + shift)));
                let top = images.as_flattened().iter().fold(f32::NEG_INFINITY, |top, &e| top.max(e));
                top + images.as_flattened().iter().map(|e| (e - top).exp()).sum::<f32>().ln()
            }
            (true, false) => with_mirror(2.0 * self.low - y),
            (false, true) => with_mirror(2.0 * self.high - y),
            (false, false) => exponent(y),
        }
    }
}

/// Pieces of a step in which interneurons may be redrawn, at most.
const INSTANTS: f64 = 4.0;
/// Rounds of rejection at most; a draw that fails them all (probability below 1e-9) stays as it was.
const ROUNDS: usize = 80;

/// y is drawn anew from p(. | eta), exactly, at rate 1/tau_eps; <T(y)> is its mean over K and over equal pieces of dt.
fn redraw(family: &dyn Family, state: &mut LayerState, a_dt: f64, noise: &mut Noise) {
    let count = a_dt.ceil().clamp(1.0, INSTANTS);
    let probability = -(-a_dt / count).exp_m1() as f32;
    let LayerState { y, eta, mean_statistic, micro, scratch: [statistics, _], .. } = state;
    let MicroStepBuffers { pending, noise: [n1, n2, n3], proposal: n4, force: etas, energy: draws, .. } = micro;
    let n = mean_statistic.len();
    let weight = 1.0 / (count as usize * (y.len() / n.max(1))) as f32;
    mean_statistic.fill(0.0);
    for y in y.chunks_exact_mut(n) {
        for _ in 0..count as usize {
            noise.fill_uniform(n1);
            let mut left = 0;
            for (i, &chance) in n1.iter().enumerate() {
                if chance < probability {
                    pending[left] = i as u32;
                    left += 1;
                }
            }
            for _ in 0..ROUNDS {
                if left == 0 {
                    break;
                }
                for z in [&mut *n1, &mut *n2, &mut *n3, &mut *n4] {
                    noise.fill(&mut z[..left]);
                }
                etas.iter_mut().zip(&pending[..left]).for_each(|(own, &i)| *own = eta[i as usize]);
                let normal = [&n1[..left], &n2[..left], &n3[..left], &n4[..left]];
                family.propose(&etas[..left], normal, &mut draws[..left]);
                let mut rejected = 0;
                for k in 0..left {
                    if draws[k].is_nan() {
                        pending[rejected] = pending[k];
                        rejected += 1;
                    } else {
                        y[pending[k] as usize] = draws[k];
                    }
                }
                left = rejected;
            }
            family.statistics(y, statistics);
            mean_statistic.iter_mut().zip(statistics.iter()).for_each(|(mean, t)| *mean += weight * t);
        }
    }
}

/// y in {0, 1}, K for each trial: in each piece of dt redrawn from the trial's chance with probability 1 - e (model.md 2).
fn heat_bath(family: &dyn Family, trials: u32, state: &mut LayerState, a_dt: f64, noise: &mut Noise) {
    let (count, probability) = heat_bath_steps(a_dt);
    let LayerState { y, eta, mean_statistic, micro: MicroStepBuffers { energy: on, proposal: redraw, .. }, scratch: [chance, _], .. } =
        state;
    let n = mean_statistic.len();
    let weight = 1.0 / (count * (y.len() / n.max(1))) as f32;
    mean_statistic.fill(0.0);
    on.iter_mut().zip(eta.iter()).for_each(|(p, &eta)| *p = (family.mean_statistic(f64::from(eta)) / f64::from(trials)) as f32);
    for y in y.chunks_exact_mut(n) {
        for _ in 0..count {
            noise.fill_uniform(redraw);
            noise.fill_uniform(chance);
            for i in 0..n {
                if redraw[i] < probability {
                    y[i] = f32::from(u8::from(chance[i] < on[i]));
                }
                mean_statistic[i] += weight * y[i];
            }
        }
    }
    vector::multiply(mean_statistic, trials as f32);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamics::step_parameters::OrnsteinUhlenbeckStep;
    use crate::model::ulps::{column, rows, ulps, worst_of_many};

    #[test]
    fn ornstein_uhlenbeck_is_within_four_ulps_of_f64_and_a_planted_bug_is_not() {
        let (sigma, step) = (0.4f64, OrnsteinUhlenbeckStep::new(0.4, 0.8, 3).innovation(0.01));
        let worst = |gain: f64| {
            worst_of_many(rows::<3>(-4.0, 4.0), |input| {
                let [mut y, eta, normal] = [0, 1, 2].map(|k| column(&input, k));
                let mut mean = vec![0.0; y.len()];
                let precision = (1.0 / (sigma * sigma)) as f32;
                ornstein_uhlenbeck(&mut y, &eta, &mut mean, &normal, step, precision);
                let [from_z, spread, decay, own] = [step.from_z, step.spread, step.decay, step.gain].map(f64::from);
                let precision = f64::from(precision);
                let each = |i: usize| {
                    let [y0, eta, normal] = input[i].map(f64::from);
                    let (z, scale) = (y0 - eta, y0.abs().max(eta.abs()));
                    let average = precision * (eta + gain * from_z * z + spread * normal);
                    let next = eta + decay * z + own * normal;
                    ulps(mean[i], average, precision * scale).max(ulps(y[i], next, scale))
                };
                (0..input.len()).map(each).fold(0.0, f64::max)
            })
        };
        assert!(worst(1.0) <= 4.0, "{} ulps", worst(1.0));
        assert!(worst(1.0001) > 4.0, "planted: z counts 1e-4 too much");
    }

    #[test]
    fn a_binomial_unit_has_the_interneurons_of_all_its_trials() {
        let (trials, k, etas) = (8u32, 2, vec![0.6f32; 4000]);
        let family = crate::model::families::Binomial { trials };
        let (n, p) = (f64::from(trials), 1.0 / (1.0 + (-0.6f64).exp()));
        for (a, simulated) in [(400.0, false), (0.8, false), (0.8, true)] {
            let parameters = StepParameters { dt_over_tau_eps: a, interneurons: k, simulated, ..StepParameters::default() };
            let found = equilibrium_statistics(&family, &etas, &parameters, 12, &mut Noise::new(5, 0));
            let all: Vec<f64> = found[11].iter().map(|&t| f64::from(t)).collect();
            let count = all.len() as f64;
            let mean = all.iter().sum::<f64>() / count;
            let variance = all.iter().map(|t| (t - mean).powi(2)).sum::<f64>() / count;
            // T is n times the mean of n K trials.
            let one = n * p * (1.0 - p) / k as f64;
            let wanted = one * 2.0 * (a - 1.0 + (-a).exp()) / (a * a);
            let z = |variance_wanted: f64| (variance / variance_wanted - 1.0).abs() / (2.0 / count).sqrt();
            assert!((mean - n * p).abs() < 4.5 * (wanted / count).sqrt(), "a {a}: mean {mean} {}", n * p);
            assert!(z(wanted) < 5.0, "a {a}, simulated {simulated}: variance {variance} {wanted}");
            assert!(z(wanted * n) > 20.0, "planted: one trial whose mean is that of all");
        }
    }
}
