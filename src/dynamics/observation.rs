//! x_0 where it is not clamped: generation and in-painting (model.md 4).
//!
//! With S = 1 this is joint sampling: x_0 moves at every step by its own current. With S > 1 it is marginal sampling: by Fisher's
//! identity the gradient of log p(x_0) is the mean, over posterior samples of the layers above, of the gradient of
//! log p(x_0 | x_1); it is taken over S steps of those layers, then x_0 moves once. For x_0 in {0, 1} the identity reads
//! p(x_0 with pixel i flipped)/p(x_0) = E[exp((1 - 2 x_i) eta_i)] over p(x_1 | x_0), and pixels are drawn by it.

use crate::dynamics::neurons::{langevin, reflect};
use crate::dynamics::noise::Noise;
use crate::dynamics::step_parameters::{LayerStep, above_zero};
use crate::model::Family;

/// Fraction of the pixels in {0, 1} that are drawn anew at once when S > 1: the ratio above holds for one flip at a time.
const CHUNK: f32 = 0.2;
/// How far from a level, in trials, a value counts as one between two.
const BETWEEN: f32 = 1e-3;
/// exp(eta) of a flip is limited to exp(this), so that sums stay finite; the odds beyond are 1 to e^60.
const STEEPEST: f32 = 60.0;

/// Which pixels are free, and what they need to move.
#[derive(Clone, Debug)]
pub struct Observation {
    /// Whether a pixel moves, `[n_0]`.
    free: Vec<bool>,
    /// S, steps of the layers above for one of x_0.
    inner: usize,
    /// h, m and rho of x_0.
    step: LayerStep,
    /// Steps summed so far.
    steps: usize,
    /// Sum over these of the current, or of the flips' odds, `[rows, n_0]`.
    sums: Vec<f32>,
    /// Adaptation of x_0, `[rows, n_0]`.
    v: Vec<f32>,
    before: Vec<f32>,
    noise: [Vec<f32>; 2],
    /// The current from below, which x_0 does not have.
    nothing: Vec<f32>,
}

impl Observation {
    /// For `rows` networks; `free` is `[n_0]`, `inner` is S >= 1.
    pub fn new(free: &[bool], rows: usize, inner: usize, step: LayerStep, noise: &mut Noise) -> Self {
        let size = rows * free.len();
        let zeros = || vec![0.0; size];
        let mut v = zeros();
        noise.fill(&mut v);
        Self {
            free: free.to_vec(),
            inner: inner.max(1),
            step,
            steps: 0,
            sums: zeros(),
            v,
            before: zeros(),
            noise: [zeros(), zeros()],
            nothing: zeros(),
        }
    }

    /// Whether a pixel moves, `[n_0]`.
    pub(super) fn free(&self) -> &[bool] {
        &self.free
    }

    /// Steps summed since x_0 moved last.
    pub(super) fn steps(&self) -> usize {
        self.steps
    }

    /// The sums over these, and the adaptation of x_0, `[rows, n_0]` each.
    pub(super) fn values(&self) -> [&[f32]; 2] {
        [&self.sums, &self.v]
    }

    /// Goes on from values of this size.
    pub(super) fn restore(&mut self, steps: usize, [sums, v]: [&[f32]; 2]) {
        self.steps = steps;
        self.sums.copy_from_slice(sums);
        self.v.copy_from_slice(v);
    }

    /// S, steps of the layers above for one of x_0.
    pub(super) fn inner(&self) -> usize {
        self.inner
    }

    /// S from now on, at least 1.
    pub(super) fn set_inner(&mut self, inner: usize) {
        self.inner = inner.max(1);
    }

    /// The constants of x_0 from now on.
    pub(super) fn set_step(&mut self, step: LayerStep) {
        self.step = step;
    }

    /// One step of the layers above has led to `eta`: sums up, and moves x every S steps.
    pub(super) fn advance(&mut self, family: &dyn Family, x: &mut [f32], eta: &[f32], noise: &mut Noise) {
        if let Some(trials @ 2..) = family.trials() {
            return self.advance_trials(trials, x, eta, noise);
        }
        let Self { free, inner, step, steps, sums, v, before, noise: [n1, n2], nothing } = self;
        *steps += 1;
        let last = *steps >= *inner;
        let n = free.len();
        if family.is_binary() {
            let temperature = above_zero(step.temperature);
            let odds = |x: f32, eta: f32| ((1.0 - 2.0 * x) * eta / temperature).clamp(-STEEPEST, STEEPEST).exp();
            sums.iter_mut().zip(x.iter()).zip(eta).for_each(|((sum, &x), &eta)| *sum += odds(x, eta));
            if last {
                noise.fill_uniform(n1);
                noise.fill_uniform(n2);
                let fraction = if *inner == 1 { 1.0 } else { CHUNK };
                let each = 1.0 / *steps as f32;
                for (i, x) in x.iter_mut().enumerate().filter(|(i, _)| free[i % n]) {
                    let odds = each * sums[i];
                    // x_i in (0, 1) was a grey value: 1 - 2 x no longer tells what a flip is, so it is drawn afresh.
                    let flips = n2[i] * (1.0 + odds) < odds;
                    if *x != 0.0 && *x != 1.0 {
                        *x = f32::from(u8::from(n2[i] * (1.0 + (-eta[i] / temperature).exp()) < 1.0));
                    } else if n1[i] < fraction && flips {
                        *x = 1.0 - *x;
                    }
                }
            }
        } else {
            family.prior_current(x, eta, before);
            sums.iter_mut().zip(before.iter()).for_each(|(sum, current)| *sum += current);
            if last {
                let each = 1.0 / *steps as f32;
                sums.iter_mut().for_each(|sum| *sum *= each);
                before.copy_from_slice(x);
                noise.fill(n1);
                noise.fill(n2);
                langevin(x, v, [sums, nothing], [n1, n2], *step);
                if family.bounds().iter().any(|b| b.is_finite()) {
                    reflect(x, v, family.bounds());
                }
                x.iter_mut().zip(before.iter()).enumerate().filter(|(i, _)| !free[i % n]).for_each(|(_, (x, before))| *x = *before);
            }
        }
        if last {
            *steps = 0;
            sums.fill(0.0);
        }
    }

    /// The same for shares of trials: each is a pixel in {0, 1} of its own, and the trials of a unit share its eta. Of the odds of both
    /// flips, from 1 to 0 are summed in `sums`, from 0 to 1 in place of the adaptation, which such units do not have.
    fn advance_trials(&mut self, trials: u32, x: &mut [f32], eta: &[f32], noise: &mut Noise) {
        let Self { free, inner, step, steps, sums, v: rises, before: count, noise: [n1, n2], .. } = self;
        let (n, temperature, trials_f32) = (free.len(), above_zero(step.temperature), trials as f32);
        if *steps == 0 {
            rises.fill(0.0);
        }
        *steps += 1;
        for ((fall, rise), &eta) in sums.iter_mut().zip(rises.iter_mut()).zip(eta) {
            let odds = (eta / temperature).clamp(-STEEPEST, STEEPEST).exp();
            *rise += odds;
            *fall += 1.0 / odds;
        }
        if *steps < *inner {
            return;
        }
        let fraction = if *inner == 1 { 1.0 } else { CHUNK };
        let each = 1.0 / *steps as f32;
        count.fill(0.0);
        for trial in 0..trials {
            noise.fill_uniform(n1);
            noise.fill_uniform(n2);
            for i in (0..x.len()).filter(|i| free[i % n]) {
                let level = x[i] * trials_f32;
                let is_on = (trial as f32) < level.round();
                let odds = each * if is_on { sums[i] } else { rises[i] };
                // A grey value between two levels tells no flips: it is drawn afresh.
                let flips = if (level - level.round()).abs() > BETWEEN {
                    (n2[i] * (1.0 + (-eta[i] / temperature).exp()) < 1.0) != is_on
                } else {
                    n1[i] < fraction && n2[i] * (1.0 + odds) < odds
                };
                count[i] += f32::from(u8::from(is_on != flips));
            }
        }
        x.iter_mut().zip(count.iter()).enumerate().filter(|(i, _)| free[i % n]).for_each(|(_, (x, count))| *x = count / trials_f32);
        *steps = 0;
        sums.fill(0.0);
        rises.fill(0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::families::Binomial;

    #[test]
    fn free_shares_of_trials_are_drawn_from_their_binomial_distribution_and_others_stay() {
        let (trials, rows, eta) = (6u32, 3000, 0.8f32);
        let family = Binomial { trials };
        let p = 1.0 / (1.0 + (-f64::from(eta)).exp());
        for inner in [1, 4] {
            let mut noise = Noise::new(3, inner as u64);
            let mut observation = Observation::new(&[true, false], rows, inner, LayerStep::new(0.1, 0.0, 1.0), &mut noise);
            let mut x = vec![0.4f32; 2 * rows]; // between two levels
            for _ in 0..60 * inner {
                observation.advance(&family, &mut x, &vec![eta; 2 * rows], &mut noise);
            }
            assert!(x.iter().skip(1).step_by(2).all(|&x| x == 0.4), "a clamped pixel moves");
            let counts: Vec<f64> = x.iter().step_by(2).map(|&x| f64::from(x) * f64::from(trials)).collect();
            assert!(counts.iter().all(|k| (k - k.round()).abs() < 1e-4));
            let mean = counts.iter().sum::<f64>() / rows as f64;
            let variance = counts.iter().map(|k| (k - mean).powi(2)).sum::<f64>() / rows as f64;
            let wanted = f64::from(trials) * p * (1.0 - p);
            let z = |wanted: f64| (variance / wanted - 1.0).abs() / (2.0 / rows as f64).sqrt();
            assert!((mean - f64::from(trials) * p).abs() < 4.5 * (wanted / rows as f64).sqrt(), "S = {inner}: mean {mean}");
            assert!(z(wanted) < 5.0, "S = {inner}: variance {variance} {wanted}");
            assert!(z(wanted * f64::from(trials)) > 20.0, "planted: all trials of a unit together");
        }
    }
}
