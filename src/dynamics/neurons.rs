//! Neurons: Langevin dynamics of x with adaptation v (model.md 2, integrator).

use crate::dynamics::noise::Noise;
use crate::dynamics::state::LayerState;
use crate::dynamics::step_parameters::LayerStep;
use crate::model::{Activation, Family};

/// Neurons that are taken through a whole step at once, so that their noise and currents are still in the innermost cache.
pub(super) const CHUNK: usize = 1024;

/// Moves x and v of a layer of neurons by dt under the input from below and the prior, and writes f(x).
#[inline]
pub(super) fn advance(family: &dyn Family, activation: Activation, state: &mut LayerState, step: LayerStep, noise: &mut Noise) {
    let LayerState { x, v, f, eta, likelihood, prior, scratch: [n1, n2], .. } = state;
    let bounds = family.bounds();
    let bounded = bounds.iter().any(|b| b.is_finite());
    let n = x.len();
    for first in (0..n).step_by(CHUNK) {
        let now = first..n.min(first + CHUNK);
        let (n1, n2) = (&mut n1[..now.len()], &mut n2[..now.len()]);
        let (x, v, prior) = (&mut x[now.clone()], &mut v[now.clone()], &mut prior[now.clone()]);
        family.prior_current(x, eta.get(now.clone()).unwrap_or_default(), prior);
        noise.fill(n1);
        noise.fill(n2);
        langevin(x, v, [&likelihood[now.clone()], prior], [n1, n2], step);
        if bounded {
            reflect(x, v, bounds);
        }
        if let Some(f) = f.get_mut(now) {
            activation.apply(x, f);
        }
    }
}

/// Folds x back into `[low, high]`; v changes sign with each reflection, as a momentum does at a wall (model.md 2).
pub(super) fn reflect(x: &mut [f32], v: &mut [f32], [low, high]: [f64; 2]) {
    let (low, high) = (low as f32, high as f32);
    for (x, v) in x.iter_mut().zip(v) {
        // A step is far shorter than the support: more than a few reflections mean that dt is far past the stable one.
        for _ in 0..8 {
            if *x < low {
                (*x, *v) = (2.0 * low - *x, -*v);
            } else if *x > high {
                (*x, *v) = (2.0 * high - *x, -*v);
            } else {
                break;
            }
        }
        if x.is_finite() {
            *x = x.clamp(low, high);
        }
    }
}

/// v <- rho (v - h m I) + sqrt(1 - rho^2) n1;  x <- x + h (I - m v) + sqrt(2 h) n2 (model.md 2, integrator).
#[multiversion::multiversion(targets("x86_64+avx512f+avx512dq+avx512vl+avx512bw+avx2+avx", "x86_64+avx2+avx"))]
pub(super) fn langevin(x: &mut [f32], v: &mut [f32], current: [&[f32]; 2], noise: [&[f32]; 2], step: LayerStep) {
    let n = x.len();
    let (v, likelihood, prior, n1, n2) = (&mut v[..n], &current[0][..n], &current[1][..n], &noise[0][..n], &noise[1][..n]);
    let LayerStep { h, m, rho, noisy, temperature } = step;
    let spread_v = if noisy { (temperature * (1.0 - rho * rho)).sqrt() } else { 0.0 };
    let spread_x = (2.0 * h * temperature).sqrt();
    for i in 0..n {
        let current = likelihood[i] + prior[i];
        v[i] = rho * (v[i] - h * m * current) + spread_v * n1[i];
        x[i] += h * (current - m * v[i]) + spread_x * n2[i];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ulps::{column, rows, ulps, worst_of_many};

    #[test]
    fn langevin_is_within_four_ulps_of_f64_and_a_planted_bug_is_not() {
        let step = LayerStep { temperature: 0.7, ..LayerStep::new(0.013, 1.9, 0.3) };
        let worst = |gain: f64| {
            worst_of_many(rows::<6>(-4.0, 4.0), |input| {
                let [mut x, mut v, likelihood, prior, n1, n2] = [0, 1, 2, 3, 4, 5].map(|k| column(&input, k));
                langevin(&mut x, &mut v, [&likelihood, &prior], [&n1, &n2], step);
                let [h, m, rho, temperature] = [step.h, step.m, step.rho, step.temperature].map(f64::from);
                let each = |i: usize| {
                    let [x0, v0, likelihood, prior, n1, n2] = input[i].map(f64::from);
                    let current = likelihood + prior;
                    let kick = (temperature * (1.0 - rho * rho)).sqrt() * n1;
                    let v1 = rho * (v0 - gain * h * m * current) + kick;
                    let shake = (2.0 * h * temperature).sqrt() * n2;
                    let x1 = x0 + h * (current - m * v1) + shake;
                    let largest = |terms: [f64; 3]| terms.iter().fold(0.0f64, |most, t| most.max(t.abs()));
                    ulps(v[i], v1, largest([v0, likelihood.abs().max(prior.abs()) * h * m, kick])).max(ulps(
                        x[i],
                        x1,
                        largest([x0, shake, h * m * v1]),
                    ))
                };
                (0..input.len()).map(each).fold(0.0, f64::max)
            })
        };
        assert!(worst(1.0) <= 4.0, "{} ulps", worst(1.0));
        assert!(worst(1.0001) > 4.0, "planted: adaptation driven 1e-4 too strongly");
    }
}
