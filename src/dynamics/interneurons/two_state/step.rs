//! What the bernoulli units of a layer share in a step (model.md 9).

use crate::dynamics::step_parameters::OrnsteinUhlenbeckStep;

/// Changes in one direction, K a p (1 - p) with a = dt/tau_eps, from which the mean is drawn at once. Its distribution function is then
/// within [`DISTANCE`] of the exact one.
pub const MANY: f64 = 5.0;
/// Bound of the Kolmogorov distance of what is drawn at once from the exact distribution, whatever p, dt and K.
pub const DISTANCE: f64 = 0.02;
/// dt/tau_eps from which a visit to the rarer value is short, where a unit has `k` interneurons: such visits are drawn together, with the
/// same bound. Of many interneurons one visit is a small part of the mean.
pub const fn short_from(k: usize) -> f64 {
    match k {
        0..4 => 30.0,
        4..8 => 16.0,
        _ => 12.0,
    }
}
/// Expected visits from which the mean is drawn at once, although few changes are to be expected later on: many of a unit's interneurons were
/// at what has become the rarer value.
pub(super) const MANY_VISITS: f32 = 5.5;
/// Less than this is left of a value after a step: nothing. (The square of what is smaller would be a slow, subnormal number.)
const NOTHING: f64 = 1e-15;
/// Units that are advanced together, while their numbers are in the cache.
pub(super) const CHUNK: usize = 256;

/// The numbers that all units of a layer share.
#[derive(Clone, Copy, Debug)]
pub(in crate::dynamics::interneurons) struct TwoStateStep {
    /// dt/tau_eps.
    pub(super) a: f32,
    /// Whether visits to the rarer value are short.
    pub(super) short: bool,
    /// Trials of a unit: its statistic is their number times the mean.
    pub(super) trials: f32,
    /// Interneurons of a unit: K for each trial.
    pub(super) count: f32,
    /// p (1 - p) from which the mean is drawn at once.
    pub(super) many_from: f32,
    /// Of a unit with p (1 - p) = 1, the transition of the mean of K (see [`OrnsteinUhlenbeckStep`]).
    pub(super) from_z: f32,
    pub(super) decay: f32,
    pub(super) noise_variance: f32,
    pub(super) shared_noise: f32,
    pub(super) rest_variance: f32,
    /// Third cumulant of the mean over the step in units of that of one draw, p (1 - p)(1 - 2 p), over sqrt(8).
    pub(super) bend: f32,
}

impl TwoStateStep {
    /// From a = dt/tau_eps and K, for each of `trials`.
    pub(in crate::dynamics::interneurons) fn new(a: f64, k: usize, trials: u32) -> Self {
        let k = k * trials as usize;
        let step = OrnsteinUhlenbeckStep::new(1.0, a, k);
        Self {
            a: a as f32,
            short: a >= short_from(k),
            trials: trials as f32,
            count: k as f32,
            many_from: (MANY / (a * k as f64)) as f32,
            from_z: step.from_z as f32,
            decay: if step.decay < NOTHING { 0.0 } else { step.decay as f32 },
            noise_variance: (step.noise * step.noise) as f32,
            shared_noise: (step.shared * step.noise) as f32,
            rest_variance: (step.shared * step.shared + step.own * step.own) as f32,
            bend: (third_cumulant(a) / (k * k) as f64 * std::f64::consts::FRAC_1_SQRT_2 * 0.5) as f32,
        }
    }
}

/// Third cumulant of the mean over dt of one redrawn unit, in units of that of a draw: 6 times the integral of s (1 - s) exp(-a s) over
/// 0 < s < 1. Three moments have something in common only where no redraw lies between them.
pub(super) fn third_cumulant(a: f64) -> f64 {
    if a < 0.1 {
        return 1.0 - a / 2.0 + 3.0 / 20.0 * a * a - a.powi(3) / 30.0;
    }
    let e = (-a).exp();
    6.0 * ((1.0 - e * (1.0 + a)) / (a * a) - (2.0 - e * (a * a + 2.0 * a + 2.0)) / a.powi(3))
}

/// Share of the interneurons that are at the rarer value, where `y` of them are at 1 in the mean.
#[inline(always)]
pub(super) fn at_rare(p: f32, y: f32) -> f32 {
    p.min(1.0 - p) + (y - p) * 1.0f32.copysign(0.5 - p)
}

/// Visits to the rarer value that are to be expected in a step.
#[inline(always)]
pub(super) fn expected_visits(p: f32, y: f32, step: &TwoStateStep) -> f32 {
    (step.count * (step.a * p.min(1.0 - p) + at_rare(p, y))).max(0.0)
}
