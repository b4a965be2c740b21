//! Whether the dynamics of a linear-Gaussian hierarchy are stable: in continuous time by the eigenvalues of their drift, and as the
//! integrator steps them (model.md 2, 5.2).

use crate::model::Hierarchy;
use crate::model::linear::{LayerConstants, equations};
use crate::model::linear_step::step;
use nalgebra::{DMatrix, Schur};
use ndarray::Array2;

/// States at most: the eigenvalues of more would be waited for.
const MOST_STATES: usize = 96;
/// Sweeps of the QR algorithm at most.
const MOST_SWEEPS: usize = 10_000;

/// How the means of a linear-Gaussian hierarchy go on from any state: whether they come to rest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LinearStability {
    /// Rate at which the fastest growing mode grows in continuous time, per ms: minus the smallest real part of the eigenvalues of Q
    /// (model.md 5.2). Below 0 every mode decays. It knows nothing of dt.
    pub growth: f64,
    /// Largest absolute eigenvalue of one step of the integrator (2.6, 2.8, 2.9). Below 1 every mode decays.
    pub step_radius: f64,
}

impl LinearStability {
    /// For gaussian layers with linear f that all run, a step of `dt_ms` and interneurons of `tau_eps`, ms; `exact` ones have none. None
    /// for another model, one of more than 96 states, or constants that are not finite.
    pub fn of(model: &Hierarchy, layers: &[LayerConstants], [dt_ms, tau_eps]: [f64; 2], exact: bool) -> Option<Self> {
        if layers.len() != model.depth() || !model.is_linear_gaussian() {
            return None;
        }
        let sizes: Vec<usize> = model.layers.iter().map(|layer| layer.size).collect();
        let told = if exact { 0 } else { sizes[..model.depth()].iter().sum::<usize>() };
        let states = 2 * sizes[1..].iter().sum::<usize>() + told;
        if states > MOST_STATES {
            return None;
        }
        let (drift, _, _) = equations(model, layers, [tau_eps, 1.0], exact, states);
        let growth = eigenvalues(&drift)?.into_iter().fold(f64::NEG_INFINITY, |top, [real, _]| top.max(-real));
        let step = step(model, layers, [dt_ms, tau_eps], exact, states);
        let step_radius = eigenvalues(&step)?.into_iter().fold(0.0f64, |top, [real, imaginary]| top.max(real.hypot(imaginary)));
        Some(Self { growth, step_radius })
    }

    /// Whether the steps of the integrator have a stationary distribution.
    pub fn is_stable(&self) -> bool {
        self.step_radius < 1.0
    }
}

/// Eigenvalues, real and imaginary part each; None where a value is not finite or the algorithm finds no end.
fn eigenvalues(matrix: &Array2<f64>) -> Option<Vec<[f64; 2]>> {
    if matrix.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let matrix = DMatrix::from_fn(matrix.nrows(), matrix.ncols(), |i, j| matrix[[i, j]]);
    let schur = Schur::try_new(matrix, f64::EPSILON, MOST_SWEEPS)?;
    Some(schur.complex_eigenvalues().iter().map(|value| [value.re, value.im]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::linear::LinearDynamics;
    use crate::model::{Activation, FamilyConfig, Layer};

    fn gaussian(sizes: &[usize], sigmas: &[f64], weights: Vec<Array2<f32>>) -> Hierarchy {
        let layer = |(&size, &sigma): (&usize, &f64)| Layer::new(FamilyConfig::Gaussian { sigma }, Activation::Linear, size).unwrap();
        Hierarchy::new(sizes.iter().zip(sigmas).map(layer).collect(), weights).unwrap()
    }

    const C: LayerConstants = LayerConstants { tau_x: 100.0, tau_v: 30.0, m: 2.0, temperature: 1.0 };

    /// The edge of a condition that holds at `low` and does not at `high`, to nine digits.
    fn edge(mut low: f64, mut high: f64, holds: impl Fn(f64) -> bool) -> f64 {
        assert!(holds(low) && !holds(high), "{low} {high}");
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            if holds(middle) { low = middle } else { high = middle }
        }
        low
    }

    /// Whether x of one neuron, started away from its mean, grows in 60,000 steps that are written out here.
    fn grows([w, sigma, h, m, rho, a_dt]: [f64; 6]) -> bool {
        let (mut x, mut v, mut y) = (1.0f64, 0.0f64, 0.0f64);
        for _ in 0..60_000 {
            let eta = w * x;
            let mean = eta + (y - eta) * (1.0 - (-a_dt).exp()) / a_dt;
            y = eta + (y - eta) * (-a_dt).exp();
            let current = -x - w * mean / (sigma * sigma);
            v = rho * (v - h * m * current);
            x += h * (current - m * v);
            if x.is_nan() || x.abs() > 1e6 {
                return true;
            }
        }
        false
    }

    #[test]
    fn a_step_is_stable_up_to_where_written_out_steps_grow_and_no_further() {
        let (w, sigma) = (2.0, 0.5);
        let model = gaussian(&[1, 1], &[sigma, 1.0], vec![ndarray::array![[w as f32]]]);
        let stable = |dt: f64, tau_eps: f64, m: f64| {
            LinearStability::of(&model, &[LayerConstants { m, ..C }], [dt, tau_eps], false).unwrap().is_stable()
        };
        let written = |dt: f64, tau_eps: f64, m: f64| !grows([w, sigma, dt / C.tau_x, m, (-dt / C.tau_v).exp(), dt / tau_eps]);
        // By slow interneurons, by a long step, and by strong adaptation.
        let edges = [
            edge(0.01, 60.0, |tau_eps| stable(0.5, tau_eps, 4.0)),
            edge(0.01, 20.0, |dt| stable(dt, 0.1, 2.0)),
            edge(0.0, 50.0, |m| stable(0.5, 20.0, m)),
        ];
        for share in [0.97, 1.03] {
            let [tau_eps, dt, m] = edges.map(|edge| edge * share);
            for (dt, tau_eps, m) in [(0.5, tau_eps, 4.0), (dt, 0.1, 2.0), (0.5, 20.0, m)] {
                assert_eq!(written(dt, tau_eps, m), share < 1.0, "dt {dt}, tau_eps {tau_eps}, m {m}");
                assert_eq!(stable(dt, tau_eps, m), share < 1.0, "dt {dt}, tau_eps {tau_eps}, m {m}");
            }
        }
        // Planted: interneurons that report eta itself know nothing of the first edge.
        let exact = LinearStability::of(&model, &[LayerConstants { m: 4.0, ..C }], [0.5, 1.03 * edges[0]], true).unwrap();
        assert!(exact.is_stable() && exact.growth < 0.0, "{exact:?}");
    }

    #[test]
    fn without_interneurons_the_longest_step_is_that_of_a_line() {
        // x' = (1 - h lambda) x: stable below h = 2/lambda.
        let model = gaussian(&[1, 1], &[0.5, 1.0], vec![ndarray::array![[2.0f32]]]);
        let at = |h: f64| LinearStability::of(&model, &[LayerConstants { m: 0.0, ..C }], [h * C.tau_x, 1.0], true).unwrap();
        assert!((edge(0.001, 1.0, |h| at(h).is_stable()) - 2.0 / 17.0).abs() < 1e-9);
        assert!((at(0.02).growth + 1.0 / C.tau_v).abs() < 1e-12, "the slowest mode is that of v");
    }

    #[test]
    fn growth_begins_where_the_stationary_covariance_ends() {
        // Routh and Hurwitz: Q has no eigenvalue of negative real part as long as the Lyapunov equation has a covariance for a solution.
        let w = vec![ndarray::array![[1.0f32, 0.3], [-0.2, 0.8]], ndarray::array![[0.9f32], [0.6]]];
        let model = gaussian(&[2, 2, 1], &[0.5, 0.7, 1.0], w);
        let growth = |tau_eps: f64| LinearStability::of(&model, &[C, C], [1e-3, tau_eps], false).unwrap();
        let last = edge(1.0, 60.0, |tau_eps| growth(tau_eps).growth < 0.0);
        for (share, exists) in [(0.98, true), (1.02, false)] {
            let dynamics = LinearDynamics::new(&model, &[C, C], share * last, 1, false);
            assert_eq!(dynamics.is_some(), exists, "tau_eps {}", share * last);
        }
        assert!(
            (edge(1.0, 60.0, |tau_eps| growth(tau_eps).is_stable()) - last).abs() < 1e-2 * last,
            "short steps are those of the equation"
        );
    }

    #[test]
    fn what_is_not_linear_or_too_large_has_no_answer() {
        let layer = |family, size| Layer::new(family, Activation::Linear, size).unwrap();
        let sparse = layer(FamilyConfig::StudentT { nu: 4.0, s: 0.2, kappa: 0.0 }, 1);
        let model = Hierarchy::new(vec![layer(FamilyConfig::Gaussian { sigma: 0.5 }, 1), sparse], vec![Array2::ones((1, 1))]).unwrap();
        assert_eq!(LinearStability::of(&model, &[C], [1.0, 1.0], false), None);
        let large = gaussian(&[40, 40], &[0.5, 1.0], vec![Array2::eye(40)]);
        assert_eq!(LinearStability::of(&large, &[C], [1.0, 1.0], false), None);
        assert_eq!(LinearStability::of(&gaussian(&[1, 1], &[0.5, 1.0], vec![Array2::ones((1, 1))]), &[C], [f64::NAN, 1.0], false), None);
    }
}
