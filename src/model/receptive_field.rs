//! What a unit of any layer means in pixels: its effect on eta_0, linearised through the means of the layers between (model.md 1).

use crate::model::{Family, Hierarchy};
use ndarray::Array2;

/// Where "at zero" is: just above, where a rectified unit is active and the slope of `square` has a direction.
const ZERO: f64 = 1e-3;
/// Step of the difference that gives dE`[x]`/d eta.
const STEP: f64 = 1e-4;

/// d eta_0 / d f(x_l) for l = `layer`, `[n_0, n_l]`: W_0 D_1 W_1 .. D_(l-1) W_(l-1), where D_k = f'(x_k) dE`[x_k]`/d eta_k.
/// `state` holds x_k of the layers 0..=L, `[n_k]` each, the point at which to linearise; None: at zero.
pub fn filters(model: &Hierarchy, layer: usize, state: Option<&[Vec<f32>]>) -> Array2<f32> {
    let layer = layer.clamp(1, model.depth());
    let mut down = model.weights[0].clone();
    for k in 1..layer {
        let gains = gains(model, k, state);
        for mut row in down.rows_mut() {
            row.iter_mut().zip(&gains).for_each(|(w, gain)| *w *= gain);
        }
        down = down.dot(&model.weights[k]);
    }
    down
}

/// D_k of every unit of layer k.
fn gains(model: &Hierarchy, k: usize, state: Option<&[Vec<f32>]>) -> Vec<f32> {
    let (here, above) = (&model.layers[k], &model.layers[k + 1]);
    let f: Vec<f32> = match state {
        Some(state) => state[k + 1].iter().map(|&x| above.activation.value(f64::from(x)) as f32).collect(),
        None => vec![0.0; above.size],
    };
    let eta = model.weights[k].dot(&ndarray::aview1(&f)) + &model.biases[k];
    let gain = |i: usize| {
        let x = state.map_or(ZERO, |state| f64::from(state[k][i]));
        here.activation.slope(x) * mean_slope(model.family_below_top(k).as_ref(), f64::from(eta[i]))
    };
    (0..here.size).map(|i| gain(i) as f32).collect()
}

/// dE`[x]`/d eta; 1 where eta is the mean.
fn mean_slope(family: &dyn Family, eta: f64) -> f64 {
    if family.is_normal() {
        return 1.0;
    }
    if family.has_link() {
        return 0.0; // what comes from above sets the scale of an even distribution, and leaves its mean at 0
    }
    (family.mean_statistic(eta + STEP) - family.mean_statistic(eta - STEP)) / (2.0 * STEP * family.statistic_derivative(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Activation, FamilyConfig, Layer};
    use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

    /// eta_0 when every layer below `x` stands at its mean given the layer above; the means come with it.
    fn descend(model: &Hierarchy, x: &[f32]) -> (Vec<f64>, Vec<Vec<f32>>) {
        let mut states = vec![x.to_vec()];
        for k in (0..model.depth()).rev() {
            let f: Vec<f64> = states[0].iter().map(|&x| model.layers[k + 1].activation.value(f64::from(x))).collect();
            let eta = model.weights[k].mapv(f64::from).dot(&ndarray::aview1(&f));
            if k == 0 {
                return (eta.to_vec(), [vec![Vec::new()], states].concat());
            }
            let family = model.family_below_top(k);
            states.insert(0, eta.iter().map(|&eta| (family.mean_statistic(eta) / family.statistic_derivative(1.0)) as f32).collect());
        }
        unreachable!("depth is at least 1")
    }

    #[test]
    fn the_linearised_filter_is_the_derivative_of_the_descent() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let layer = |family: FamilyConfig, activation, size| Layer::new(family, activation, size).unwrap();
        let layers = vec![
            layer(FamilyConfig::Gaussian { sigma: 0.5 }, Activation::Linear, 6),
            layer(FamilyConfig::Gaussian { sigma: 0.8 }, Activation::Tanh, 5),
            layer(FamilyConfig::RectifiedGaussian { sigma: 0.9 }, Activation::Softplus, 4),
            layer(FamilyConfig::Gaussian { sigma: 1.0 }, Activation::Linear, 3),
        ];
        let weights = [(6, 5), (5, 4), (4, 3)].map(|shape| Array2::from_shape_simple_fn(shape, || rng.random_range(-1.0f32..1.0)));
        let model = Hierarchy::new(layers, weights.to_vec()).unwrap();
        let top: Vec<f32> = vec![0.4, -0.3, 0.6];
        let states = descend(&model, &top).1;
        let exact = filters(&model, 3, Some(&states));
        let bent = filters(&model, 3, None);
        let (mut worst, mut planted) = (0.0f64, 0.0f64);
        for unit in 0..3 {
            let moved = |by: f32| {
                let mut x = top.clone();
                x[unit] += by;
                descend(&model, &x).0
            };
            let (up, down) = (moved(0.01), moved(-0.01));
            for pixel in 0..6 {
                let difference = (up[pixel] - down[pixel]) / 0.02;
                worst = worst.max((difference - f64::from(exact[[pixel, unit]])).abs());
                planted = planted.max((difference - f64::from(bent[[pixel, unit]])).abs());
            }
        }
        assert!(worst < 2e-3, "{worst}");
        assert!(planted > 0.05, "linearised at another point: {planted}");
        assert_eq!(filters(&model, 1, None), model.weights[0]);
    }
}
