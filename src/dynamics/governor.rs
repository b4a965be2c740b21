//! The stability governor: the stiffness of each layer by power iteration, and the largest stable step (model.md 2).

use crate::model::Hierarchy;
use ndarray::Array1;

/// c of model.md 2.
pub const SAFETY: f64 = 0.7;
const MOMENTUM: f64 = 0.98; // h m sqrt(lambda) stays below it
const MARGIN: f64 = 1.1; // for networks that are stiffer than the average
const LARGEST_ACTIVITY: f64 = 3.0; // |x| up to which the slope of `square` counts

/// Warm-started power iteration of every W_l^T W_l.
#[derive(Clone, Debug)]
pub struct Stiffness {
    /// Where the iteration has come, `[n_(l+1)]` of each W_l.
    pub directions: Vec<Array1<f32>>,
    /// A''(eta) of each unit of layer 0 as it is on average, `[n_0]`; None: its largest value, which is a bound (model.md 8).
    pub observed_variance: Option<Array1<f32>>,
    /// lambda_l of layers 1..=L.
    pub lambda: Vec<f64>,
}

impl Stiffness {
    /// Measured from scratch.
    pub fn new(model: &Hierarchy) -> Self {
        // A start that no symmetry of the weights makes orthogonal to the answer.
        let start = |n: usize| Array1::from_shape_fn(n, |i| 1.0 + 0.5 * (1.7 * i as f32).sin());
        let directions = model.weights.iter().map(|w| start(w.ncols())).collect();
        let mut stiffness = Self { directions, observed_variance: None, lambda: vec![1.0; model.depth()] };
        stiffness.update(model, 30);
        stiffness
    }

    /// `rounds` more rounds after a change of the weights.
    pub fn update(&mut self, model: &Hierarchy, rounds: usize) {
        for l in 0..model.depth() {
            let Some(family) = model.layers[l + 1].family() else {
                self.lambda[l] = f64::INFINITY; // a categorical top does not move: it is drawn
                continue;
            };
            let variance = self.observed_variance.as_ref().filter(|_| l == 0);
            let (w, u) = (&model.weights[l], &mut self.directions[l]);
            let mut top = 0.0;
            for _ in 0..rounds {
                let mut below = w.dot(u);
                if let Some(variance) = variance {
                    below *= variance;
                }
                let mut next = Array1::zeros(w.ncols()); // W^T below, row by row as W is stored
                w.rows().into_iter().zip(&below).for_each(|(row, &b)| next.scaled_add(b, &row));
                let (norm, before) = (next.dot(&next).sqrt(), u.dot(u).sqrt());
                top = norm / before;
                if norm > 0.0 {
                    *u = next / norm;
                }
            }
            let largest = if variance.is_some() { 1.0 } else { model.family_below_top(l).largest_statistic_variance() };
            let likelihood = f64::from(top) * largest * model.layers[l + 1].activation.largest_slope_squared(LARGEST_ACTIVITY);
            let margin = if variance.is_some() { MARGIN } else { 1.0 };
            self.lambda[l] = margin * likelihood + family.largest_base_curvature();
        }
    }
}

/// The largest stable h of a layer: below c/lambda (c: `safety`), and h m sqrt(lambda) below 1.
pub fn largest_step(lambda: f64, m: f64, safety: f64) -> f64 {
    let by_curvature = safety / lambda;
    if m > 0.0 { by_curvature.min(MOMENTUM / (m * lambda.sqrt())) } else { by_curvature }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Activation, FamilyConfig, Layer};

    #[test]
    fn stiffness_of_a_diagonal_model_is_known() {
        let layer = |sigma, size| Layer::new(FamilyConfig::Gaussian { sigma }, Activation::Linear, size).unwrap();
        let w = ndarray::array![[3.0f32, 0.0], [0.0, 1.0]];
        let model = Hierarchy::new(vec![layer(0.5, 2), layer(1.0, 2)], vec![w]).unwrap();
        assert!((Stiffness::new(&model).lambda[0] - (9.0 / 0.25 + 1.0)).abs() < 1e-3);
        assert!((largest_step(37.0, 0.0, SAFETY) - 0.7 / 37.0).abs() < 1e-12);
        assert!((largest_step(37.0, 100.0, SAFETY) - 0.98 / (100.0 * 37f64.sqrt())).abs() < 1e-12);
    }
}
