//! The numbers that one step needs, computed once for all blocks (model.md 2).

use crate::model::linear::LayerConstants;

/// The lowest temperature at which choices are drawn: below it the difference to the most probable one is none in single precision.
const COLDEST: f32 = 1e-6;

/// The temperature at which choices are drawn that divide by it.
pub(super) fn above_zero(temperature: f32) -> f32 {
    temperature.max(COLDEST)
}

/// Constants of one layer of neurons.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LayerStep {
    /// h = dt/tau_x.
    pub h: f32,
    /// m.
    pub m: f32,
    /// rho = exp(-dt/tau_v).
    pub rho: f32,
    /// Whether adaptation is noisy; without its noise the stationary distribution is not the posterior.
    pub noisy: bool,
    /// Temperature T: x samples exp(-E/T). 1 is the model; 0 is descent without noise.
    pub temperature: f32,
}

impl LayerStep {
    /// From h, m and tau_v/tau_x.
    pub fn new(h: f64, m: f64, tau_v_over_tau_x: f64) -> Self {
        Self { h: h as f32, m: m as f32, rho: (-h / tau_v_over_tau_x).exp() as f32, noisy: true, temperature: 1.0 }
    }

    /// tau_x, tau_v, m and temperature of the layer for a clock of `dt_ms` a step.
    pub fn constants(&self, dt_ms: f64) -> LayerConstants {
        let (h, rho) = (f64::from(self.h), f64::from(self.rho));
        LayerConstants { tau_x: dt_ms / h, tau_v: -dt_ms / rho.ln(), m: f64::from(self.m), temperature: f64::from(self.temperature) }
    }
}

/// Constants of one step of the whole network.
#[derive(Clone, Debug, PartialEq)]
pub struct StepParameters {
    /// Layers 1..=L.
    pub layers: Vec<LayerStep>,
    /// dt in ms, by which the clock advances.
    pub dt_ms: f64,
    /// dt/tau_eps.
    pub dt_over_tau_eps: f64,
    /// K.
    pub interneurons: usize,
    /// A'(eta) instead of interneurons.
    pub exact: bool,
    /// Every redraw is simulated, even where the mean over a step could be drawn at once.
    pub simulated: bool,
    /// Steps from one draw of a categorical top to the next: any interval leaves the distribution as it is, a longer one costs less.
    pub choice_interval: usize,
}

impl Default for StepParameters {
    /// No layers, a step as long as tau_eps, one sampled interneuron a unit.
    fn default() -> Self {
        Self { layers: Vec::new(), dt_ms: 1.0, dt_over_tau_eps: 1.0, interneurons: 1, exact: false, simulated: false, choice_interval: 1 }
    }
}

impl StepParameters {
    /// The same at another temperature: 0 is descent without noise.
    pub fn at_temperature(&self, temperature: f32) -> Self {
        let layers = self.layers.iter().map(|layer| LayerStep { temperature, ..*layer }).collect();
        Self { layers, ..self.clone() }
    }
}

/// The exact transition of the mean of K Ornstein-Uhlenbeck interneurons over one step (model.md 2), with z = y - eta:
/// mean of z = from_z z + noise n1;  z' = decay z + shared n1 + own n2.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OrnsteinUhlenbeckStep {
    /// Coefficient of z in its mean over the step, (1 - e)/(a dt).
    pub from_z: f64,
    /// Standard deviation of the mean given z.
    pub noise: f64,
    /// e = exp(-a dt).
    pub decay: f64,
    /// Coefficient of n1 in z'.
    pub shared: f64,
    /// Coefficient of n2 in z'.
    pub own: f64,
}

impl OrnsteinUhlenbeckStep {
    /// From sigma, a dt = dt/tau_eps and K.
    pub fn new(sigma: f64, a_dt: f64, k: usize) -> Self {
        let s = sigma / (k as f64).sqrt();
        let e = (-a_dt).exp();
        let one_minus_e = -(-a_dt).exp_m1();
        // 2 a - 3 + 4 e - e^2 cancels to 2/3 a^3 for small a.
        let bracket = if a_dt < 1e-2 {
            a_dt.powi(3) * (2.0 / 3.0 - a_dt / 2.0 + 7.0 / 30.0 * a_dt * a_dt)
        } else {
            2.0 * a_dt - 3.0 + 4.0 * e - e * e
        };
        let noise = s / a_dt * bracket.sqrt();
        let shared = s * s * one_minus_e * one_minus_e / a_dt / noise;
        let own = (s * s * -(-2.0 * a_dt).exp_m1() - shared * shared).max(0.0).sqrt();
        Self { from_z: one_minus_e / a_dt, noise, decay: e, shared, own }
    }

    /// The same distribution of the means (model.md 2) with one normal a step: neurons receive the mean of z, never z. Let z, given the
    /// means so far, be N(z^, `unsampled_variance`). Then the next mean is from_z z^ + spread n, and given it z' is
    /// N(decay z^ + gain n, `unsampled_variance`'): the
    /// innovations of Kalman's filter, exact for every sequence of steps.
    pub fn innovation(&self, unsampled_variance: f64) -> Innovation {
        let Self { from_z, noise, decay, shared, own } = *self;
        let spread = (from_z * from_z * unsampled_variance + noise * noise).sqrt();
        let gain = (decay * from_z * unsampled_variance + shared * noise) / spread;
        let variance = decay * decay * unsampled_variance + shared * shared + own * own;
        Innovation {
            from_z: from_z as f32,
            spread: spread as f32,
            decay: decay as f32,
            gain: gain as f32,
            unsampled_variance: (variance - gain * gain).max(0.0),
        }
    }
}

/// One step of z^, the expectation of z given the means so far: mean of z = from_z z^ + spread n;  z^' = decay z^ + gain n.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Innovation {
    /// Coefficient of z^ in the mean of z.
    pub from_z: f32,
    /// Standard deviation of the mean of z given z^.
    pub spread: f32,
    /// Coefficient of z^ in z^'.
    pub decay: f32,
    /// Coefficient of n in z^'.
    pub gain: f32,
    /// Variance of z' that the means up to this one leave open.
    pub unsampled_variance: f64,
}

/// The innovation of the last step with what it was computed from: after a few equal steps it does not change any more.
#[derive(Clone, Copy, Debug)]
pub(super) struct LastInnovation {
    sigma: f32,
    a_dt: f64,
    k: usize,
    unsampled_variance: f64,
    step: OrnsteinUhlenbeckStep,
    innovation: Innovation,
}

impl LastInnovation {
    /// [`OrnsteinUhlenbeckStep::innovation`], computed anew where something has changed since `last`.
    pub(super) fn or_new(last: &mut Option<Self>, sigma: f32, a_dt: f64, k: usize, unsampled_variance: f64) -> Innovation {
        let same = last.filter(|last| (last.sigma, last.a_dt, last.k) == (sigma, a_dt, k));
        if let Some(same) = same.filter(|same| same.unsampled_variance == unsampled_variance) {
            return same.innovation;
        }
        let step = same.map_or_else(|| OrnsteinUhlenbeckStep::new(f64::from(sigma), a_dt, k), |same| same.step);
        let innovation = step.innovation(unsampled_variance);
        *last = Some(Self { sigma, a_dt, k, unsampled_variance, step, innovation });
        innovation
    }
}

/// Variance of `<y>` over one step in units of sigma^2, stationary: 2 (a - 1 + e^-a) / (a^2 K) with a = dt/tau_eps; 0 in exact mode.
pub fn averaged_variance(parameters: &StepParameters) -> f64 {
    let a = parameters.dt_over_tau_eps;
    if parameters.exact {
        0.0
    } else if a < 1e-3 {
        (1.0 - a / 3.0) / parameters.interneurons as f64
    } else {
        2.0 * (a + (-a).exp_m1()) / (a * a * parameters.interneurons as f64)
    }
}

/// Number and length (in tau_eps) of the micro-steps that make up dt: at most 0.2 tau_eps, and short for the curvature.
pub fn micro_steps(mobility: f32, a_dt: f64, curvature: f64) -> (usize, f64) {
    let longest = 0.2f64.min(0.5 / (f64::from(mobility) * curvature));
    let count = (a_dt / longest).ceil().max(1.0) as usize;
    (count, a_dt / count as f64)
}

/// Number of pieces of dt, at most 0.2 tau_eps each, and the probability 1 - e of a redraw in one.
pub fn heat_bath_steps(a_dt: f64) -> (usize, f32) {
    let count = (a_dt / 0.2).ceil().max(1.0);
    (count as usize, -(-a_dt / count).exp_m1() as f32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array1, Array2};

    /// Covariance of the means of z over the steps `a_dt`, from z ~ N(0, 1), as linear maps of independent normals.
    fn covariance(steps: &[f64], recursion: impl Fn(usize, &OrnsteinUhlenbeckStep) -> ([f64; 2], [[f64; 2]; 2])) -> Array2<f64> {
        let size = 1 + 2 * steps.len();
        let unit = |i: usize| Array1::from_shape_fn(size, |j| f64::from(u8::from(i == j)));
        let mut z = unit(0);
        let mut means = Array2::zeros((steps.len(), size));
        for (i, &a_dt) in steps.iter().enumerate() {
            let ([from_z, decay], [first, second]) = recursion(i, &OrnsteinUhlenbeckStep::new(1.0, a_dt, 1));
            let (n1, n2) = (unit(1 + 2 * i), unit(2 + 2 * i));
            means.row_mut(i).assign(&(&z * from_z + &n1 * first[0] + &n2 * first[1]));
            z = &z * decay + &n1 * second[0] + &n2 * second[1];
        }
        means.dot(&means.t())
    }

    #[test]
    fn a_kept_innovation_is_the_one_computed_anew_whatever_changes() {
        let mut last = None;
        let mut variance = 0.0;
        for (i, (sigma, a, k)) in [(0.4, 0.5, 2), (0.4, 0.7, 2), (0.5, 0.7, 2), (0.5, 0.7, 3), (0.4, 0.5, 2)].into_iter().enumerate() {
            for step in 0..60 {
                let anew = OrnsteinUhlenbeckStep::new(f64::from(sigma), a, k).innovation(variance);
                assert_eq!(LastInnovation::or_new(&mut last, sigma, a, k, variance), anew, "change {i}, step {step}");
                variance = anew.unsampled_variance;
            }
        }
    }

    #[test]
    fn one_normal_a_step_leaves_the_distribution_of_the_means_as_it_is() {
        // The step changes in mid-course, as a slider or the governor changes it.
        let steps: Vec<f64> = [0.02, 0.7, 5.0, 0.1].iter().flat_map(|&a| [a; 12]).collect();
        let exact = covariance(&steps, |_, s| ([s.from_z, s.decay], [[s.noise, 0.0], [s.shared, s.own]]));
        let with = |forget: bool| {
            let unsampled_variance = std::cell::Cell::new(0.0);
            let found = covariance(&steps, |_, s| {
                let i = s.innovation(unsampled_variance.get());
                unsampled_variance.set(if forget { 0.0 } else { i.unsampled_variance });
                let [from_z, spread, decay, gain] = [i.from_z, i.spread, i.decay, i.gain].map(f64::from);
                ([from_z, decay], [[spread, 0.0], [gain, 0.0]])
            });
            (&found - &exact).iter().fold(0.0f64, |worst, d| worst.max(d.abs()))
        };
        assert!(with(false) < 1e-6, "{}", with(false));
        assert!(with(true) > 1e-2, "planted: what the means leave open is forgotten: {}", with(true));
        // And the exact distribution is that of the process: Var of a mean is 2 (a - 1 + e^-a)/a^2.
        for (i, &a) in steps.iter().enumerate() {
            assert!((exact[[i, i]] - 2.0 * (a + (-a).exp_m1()) / (a * a)).abs() < 1e-9, "step {i}");
        }
    }
}
