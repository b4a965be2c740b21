//! The energy of a whole state and its exact gradient in f64 (model.md 1, 2): the reference of currents and grids.

use crate::model::hierarchy::Tables;
use crate::model::{Hierarchy, Layer};
use ndarray::{Array1, Array2};

/// a_l = W_l f(x_(l+1)) + b_l given the state, `[n_l]`; eta_l = g(a_l) (model.md 1, 7).
fn input_from_above(model: &Hierarchy, states: &[Array1<f64>], l: usize) -> Array1<f64> {
    let bias = model.biases[l].mapv(f64::from);
    if l == model.depth() {
        return bias;
    }
    let above = &model.layers[l + 1];
    let weights: Array2<f64> = model.weights[l].mapv(f64::from);
    weights.dot(&states[l + 1].mapv(|x| above.activation.value(x))) + bias
}

/// -log p(x_0 .. x_L) up to the constant A(b_L): sum over layers of B - eta T + A(eta). `states[l]` is `[n_l]`.
/// Infinite outside the support.
pub fn energy(model: &Hierarchy, states: &[Array1<f64>]) -> f64 {
    tabulated_energy(model, &Tables::new(), states)
}

/// The same with A from `tables` (of [`Hierarchy::tables`]; empty: by quadrature) where it has no closed form.
pub fn tabulated_energy(model: &Hierarchy, tables: &Tables, states: &[Array1<f64>]) -> f64 {
    let outside = |(layer, state): (&Layer, &Array1<f64>)| {
        let [low, high] = layer.bounds();
        let inactive = state.iter().skip(layer.active_states().unwrap_or(usize::MAX));
        state.iter().any(|x| !(low..=high).contains(x)) || inactive.into_iter().any(|&x| x != 0.0)
    };
    if model.layers.iter().zip(states).skip(1).any(outside) {
        return f64::INFINITY;
    }
    (0..=model.depth())
        .map(|l| {
            let Some(family) = model.layers[l].family() else {
                // A categorical top: -b.x, up to the constant log sum exp(b).
                return states[l].iter().zip(&model.biases[l]).map(|(&x, &b)| -f64::from(b) * x).sum::<f64>();
            };
            let eta = input_from_above(model, states, l).mapv(|a| family.link(a));
            let constant = l == model.depth(); // A(b_L) does not depend on the state
            let table = tables.get(l).and_then(Option::as_deref);
            let log_partition = |eta: f64| match table {
                _ if constant => 0.0,
                Some(table) => table.log_partition(family.as_ref(), eta),
                None => family.log_partition(eta),
            };
            let unit = |(&x, &eta): (&f64, &f64)| family.base_energy(x) - eta * family.statistic(x) + log_partition(eta);
            states[l].iter().zip(&eta).map(unit).sum::<f64>()
        })
        .sum()
}

/// The currents I_l = -dE/dx_l, `[n_l]`, for l = 1..=L with A' exact (model.md 2). A categorical top has none, `[0]`: it is drawn.
pub fn currents(model: &Hierarchy, states: &[Array1<f64>]) -> Vec<Array1<f64>> {
    (1..=model.depth())
        .map(|l| {
            let below = model.family_below_top(l - 1);
            // eps_(l-1) = g'(a) (T(x_(l-1)) - A'(eta_(l-1)))
            let mut error = input_from_above(model, states, l - 1);
            error.zip_mut_with(&states[l - 1], |a, &x| {
                *a = below.link_derivative(*a) * (below.statistic(x) - below.mean_statistic(below.link(*a)))
            });
            let likelihood = model.weights[l - 1].mapv(f64::from).t().dot(&error);
            let layer = &model.layers[l];
            let Some(family) = layer.family() else { return Array1::zeros(0) };
            let eta = input_from_above(model, states, l).mapv(|a| family.link(a));
            Array1::from_shape_fn(layer.size, |i| {
                let x = states[l][i];
                layer.activation.slope(x) * likelihood[i] + family.statistic_derivative(x) * eta[i] - family.base_energy_derivative(x)
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Activation, FamilyConfig};
    use rand::{RngExt, SeedableRng};

    #[test]
    fn currents_are_minus_the_slope_of_the_energy_for_every_activation() {
        let mut rng = rand_chacha_like();
        for activation in Activation::ALL {
            for families in [
                [
                    FamilyConfig::Gaussian { sigma: 0.5 },
                    FamilyConfig::Laplace { lambda: 2.0, delta: 0.3, kappa: 0.7 },
                    FamilyConfig::StudentT { nu: 4.0, s: 0.5, kappa: 0.0 },
                ],
                [
                    FamilyConfig::StudentT { nu: 5.0, s: 0.8, kappa: 1.0 },
                    FamilyConfig::Gaussian { sigma: 0.8 },
                    FamilyConfig::Laplace { lambda: 1.0, delta: 0.2, kappa: 0.0 },
                ],
                [
                    FamilyConfig::Gaussian { sigma: 0.5 },
                    FamilyConfig::LaplaceScale { eta_max: 5.0, delta: 0.3 },
                    FamilyConfig::Gaussian { sigma: 1.0 },
                ],
            ] {
                let sizes = [3, 4, 2];
                let layers = (0..3).map(|l| Layer::new(families[l], activation, sizes[l]).unwrap()).collect();
                let mut random = |shape| Array2::from_shape_simple_fn(shape, || rng.random_range(-0.6..0.6f32));
                let model = Hierarchy::new(layers, vec![random((3, 4)), random((4, 2))]).unwrap();
                let states: Vec<_> = sizes.map(|n| Array1::from_shape_simple_fn(n, || rng.random_range(-1.0..1.0f64))).into();
                let analytic = currents(&model, &states);
                for l in 1..=2 {
                    for i in 0..sizes[l] {
                        let at = |shift: f64| {
                            let mut moved = states.clone();
                            moved[l][i] += shift;
                            energy(&model, &moved)
                        };
                        let difference = (at(-1e-5) - at(1e-5)) / 2e-5;
                        assert!((difference - analytic[l - 1][i]).abs() < 1e-6 * (1.0 + difference.abs()), "{activation:?} I_{l}[{i}]");
                    }
                }
            }
        }
    }

    fn rand_chacha_like() -> rand::rngs::ChaCha8Rng {
        rand::rngs::ChaCha8Rng::seed_from_u64(7)
    }
}
