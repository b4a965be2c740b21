//! One step of the integrator (2.6 to 2.9) on a linear-Gaussian hierarchy: a linear map of its state and Gaussian noise, and the
//! stationary covariance of such steps, which for short ones is that of the dynamics in continuous time.

use crate::model::Hierarchy;
use crate::model::linear::{LayerConstants, negative_current, places};
use ndarray::{Array2, s};

/// States at most: the covariance takes some dozens of products of their square.
const MOST_STATES: usize = 64;
/// Doublings of the number of steps at most; a relative change of the covariance that ends them.
const DOUBLINGS: usize = 60;
const SETTLED: f64 = 1e-13;

/// What x and v gain in a step by the current I = -`current` z, each `[n, states]`: v' = rho (v - h m I), and x' = x + h (I - m v').
fn moved_by(current: &Array2<f64>, c: LayerConstants, dt_ms: f64) -> [Array2<f64>; 2] {
    let (h, rho) = (dt_ms / c.tau_x, (-dt_ms / c.tau_v).exp());
    let adapted = current * (rho * h * c.m);
    [current * -h - &adapted * (h * c.m), adapted]
}

/// One step of the integrator as a linear map of z = (x_1, v_1, .., y_0, ..) around the mean, `[states, states]`: all layers start from
/// the same state, and neurons are told the mean of the interneurons over the step.
pub(super) fn step(model: &Hierarchy, layers: &[LayerConstants], [dt_ms, tau_eps]: [f64; 2], exact: bool, states: usize) -> Array2<f64> {
    let sizes: Vec<usize> = model.layers.iter().map(|layer| layer.size).collect();
    let [x_at, y_at] = places(&sizes);
    let a_dt = dt_ms / tau_eps;
    let decay = (-a_dt).exp();
    let told = if exact { 0.0 } else { -(-a_dt).exp_m1() / a_dt };
    let mut map = Array2::<f64>::eye(states);
    for l in 1..=model.depth() {
        let (n, c) = (sizes[l], layers[l - 1]);
        let v = x_at[l - 1] + n;
        let current = negative_current(model, l, told, states);
        let [moved, adapted] = moved_by(&current, c, dt_ms);
        map.slice_mut(s![x_at[l - 1]..v, ..]).scaled_add(1.0, &moved);
        let mut own = adapted;
        let rho = (-dt_ms / c.tau_v).exp();
        (0..n).for_each(|i| own[[i, v + i]] += rho);
        (0..n).for_each(|i| map[[x_at[l - 1] + i, v + i]] -= dt_ms / c.tau_x * c.m * rho);
        map.slice_mut(s![v..v + n, ..]).assign(&own);
    }
    if !exact {
        for (l, &y) in y_at.iter().enumerate() {
            let n = sizes[l];
            (0..n).for_each(|i| map[[y + i, y + i]] = decay);
            let w = model.weights[l].mapv(f64::from);
            map.slice_mut(s![y..y + n, x_at[l]..x_at[l] + sizes[l + 1]]).scaled_add(1.0 - decay, &w);
        }
    }
    map
}

/// The covariance that steps of `dt_ms` have in the end, `[states, states]` of z = (x_1, v_1, .., y_0, ..), with `k` interneurons of
/// `tau_eps`, ms, a unit; `exact` ones have no place in z. None for another model than gaussian layers with linear f that all run, one of
/// more than 64 states, or steps that are not stable.
pub fn covariance_of_steps(
    model: &Hierarchy,
    layers: &[LayerConstants],
    [dt_ms, tau_eps]: [f64; 2],
    k: usize,
    exact: bool,
) -> Option<Array2<f64>> {
    let depth = model.depth();
    if layers.len() != depth || !model.is_linear_gaussian() {
        return None;
    }
    let sizes: Vec<usize> = model.layers.iter().map(|layer| layer.size).collect();
    let told = if exact { 0 } else { sizes[..depth].iter().sum::<usize>() };
    let states = 2 * sizes[1..].iter().sum::<usize>() + told;
    if states > MOST_STATES {
        return None;
    }
    let mut map = step(model, layers, [dt_ms, tau_eps], exact, states);
    let noise = noise(model, layers, [dt_ms, tau_eps], [k, states], exact);
    // The covariance after twice as many steps, from 0: S' = S + M S M^T, M' = M M.
    let mut covariance = noise.dot(&noise.t());
    for _ in 0..DOUBLINGS {
        let added = map.dot(&covariance).dot(&map.t());
        covariance += &added;
        map = map.dot(&map);
        let [more, all] = [&added, &covariance].map(|m| m.iter().fold(0.0f64, |top, v| top.max(v.abs())));
        if !all.is_finite() || covariance.iter().any(|v| !v.is_finite()) {
            return None;
        }
        if more <= SETTLED * all {
            return Some(covariance);
        }
    }
    None
}

/// The noise of a step as a linear function of independent standard normals, `[states, normals]`.
fn noise(model: &Hierarchy, layers: &[LayerConstants], [dt_ms, tau_eps]: [f64; 2], [k, states]: [usize; 2], exact: bool) -> Array2<f64> {
    let sizes: Vec<usize> = model.layers.iter().map(|layer| layer.size).collect();
    let [x_at, y_at] = places(&sizes);
    let mut columns: Vec<Array2<f64>> = Vec::new();
    for l in 1..=model.depth() {
        let (n, c) = (sizes[l], layers[l - 1]);
        let (h, rho) = (dt_ms / c.tau_x, (-dt_ms / c.tau_v).exp());
        let (x, v) = (x_at[l - 1], x_at[l - 1] + n);
        let (of_x, of_v) = ((2.0 * h * c.temperature).sqrt(), (c.temperature * (1.0 - rho * rho)).sqrt());
        let mut own = Array2::zeros((states, 2 * n));
        for i in 0..n {
            own[[x + i, i]] = of_x;
            (own[[v + i, n + i]], own[[x + i, n + i]]) = (of_v, -h * c.m * of_v);
        }
        columns.push(own);
        if exact {
            continue;
        }
        // What interneurons are after the step and their mean over it (2.6, 2.7), of which the neurons above hear.
        let (below, y, variance) = (sizes[l - 1], y_at[l - 1], model.layers[l - 1].sigma().unwrap_or(1.0).powi(2));
        let a = dt_ms / tau_eps;
        let (e, s2) = ((-a).exp(), variance / k as f64);
        let after = (s2 * (1.0 - e * e)).sqrt();
        let both = s2 * (1.0 - e) * (1.0 - e) / a;
        let mean = s2 * mean_variance(a);
        let shared = both / after;
        let alone = (mean - shared * shared).max(0.0).sqrt();
        let feedback = model.weights[l - 1].mapv(f64::from).t().to_owned() / variance;
        let [moved, adapted] = moved_by(&feedback, c, dt_ms);
        let mut told = Array2::zeros((states, 2 * below));
        for (part, size) in [shared, alone].into_iter().enumerate() {
            let to = part * below..(part + 1) * below;
            told.slice_mut(s![x..x + n, to.clone()]).assign(&(&moved * size));
            told.slice_mut(s![v..v + n, to]).assign(&(&adapted * size));
        }
        (0..below).for_each(|i| told[[y + i, i]] = after);
        columns.push(told);
    }
    let views: Vec<_> = columns.iter().map(|column| column.view()).collect();
    ndarray::concatenate(ndarray::Axis(1), &views).unwrap_or_else(|_| Array2::zeros((states, 0))) // all have one height
}

/// Variance of the mean of an Ornstein-Uhlenbeck process over a step of `a` relaxation times that begins at 0, as a share of its stationary
/// variance (2.7).
fn mean_variance(a: f64) -> f64 {
    if a < 1e-3 {
        return 2.0 / 3.0 * a - 0.5 * a * a; // of which the closed form loses all digits
    }
    let e = (-a).exp();
    (2.0 * a - 3.0 + 4.0 * e - e * e) / (a * a)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::linear::LinearDynamics;
    use crate::model::{Activation, FamilyConfig, Layer};

    const C: LayerConstants = LayerConstants { tau_x: 100.0, tau_v: 30.0, m: 2.0, temperature: 1.0 };

    fn chain() -> Hierarchy {
        let layer = |(size, sigma): (usize, f64)| Layer::new(FamilyConfig::Gaussian { sigma }, Activation::Linear, size).unwrap();
        let weights = vec![ndarray::array![[1.0f32, 0.3], [-0.2, 0.8]], ndarray::array![[0.9f32], [0.6]]];
        Hierarchy::new([(2, 0.5), (2, 0.7), (1, 1.0)].into_iter().map(layer).collect(), weights).unwrap()
    }

    #[test]
    fn short_steps_have_the_covariance_of_continuous_time_and_one_neuron_that_of_its_step() {
        let model = chain();
        for (tau_eps, k, exact) in [(5.0, 1, false), (20.0, 3, false), (5.0, 1, true)] {
            let dynamics = LinearDynamics::new(&model, &[C; 2], tau_eps, k, exact).unwrap();
            let apart = |dt: f64| {
                let found = covariance_of_steps(&model, &[C; 2], [dt, tau_eps], k, exact).unwrap();
                (&found - &dynamics.covariance).iter().fold(0.0f64, |top, v| top.max(v.abs()))
            };
            let [long, short] = [0.2, 0.02].map(apart);
            assert!(short < 2e-3 && (5.0..20.0).contains(&(long / short)), "{long} {short}: the difference is of the order of dt");
        }
        let alone = |h: f64| {
            let one = Layer::new(FamilyConfig::Gaussian { sigma: 1.0 }, Activation::Linear, 1).unwrap();
            let below = Layer::new(FamilyConfig::Gaussian { sigma: 0.25 }, Activation::Linear, 1).unwrap();
            let model = Hierarchy::new(vec![below, one], vec![ndarray::array![[1.0f32]]]).unwrap();
            covariance_of_steps(&model, &[LayerConstants { m: 0.0, ..C }], [100.0 * h, 1.0], 1, true).unwrap()[[0, 0]]
        };
        let lambda = 17.0; // as in (2.10)
        assert!((alone(0.005) - 1.0 / lambda / (1.0 - 0.0025 * lambda)).abs() < 1e-9);
        assert!(covariance_of_steps(&model, &[LayerConstants { m: 6.0, ..C }; 2], [900.0, 5.0], 1, false).is_none(), "not stable");
    }

    /// Steps written out: one neuron with adaptation and interneurons that take time.
    #[test]
    fn steps_that_are_written_out_have_this_variance() {
        use rand::{SeedableRng, rngs::ChaCha8Rng};
        use rand_distr::{Distribution, StandardNormal};
        let (w, sigma, dt, tau_eps, k) = (1.0f64, 0.5f64, 4.0, 10.0, 2.0f64);
        let layer = |sigma: f64| Layer::new(FamilyConfig::Gaussian { sigma }, Activation::Linear, 1).unwrap();
        let model = Hierarchy::new(vec![layer(sigma), layer(1.0)], vec![ndarray::array![[w as f32]]]).unwrap();
        let theory = covariance_of_steps(&model, &[C], [dt, tau_eps], k as usize, false).unwrap()[[0, 0]];
        let continuous = LinearDynamics::new(&model, &[C], tau_eps, k as usize, false).unwrap().covariance[[0, 0]];
        let (h, rho, substeps) = (dt / C.tau_x, (-dt / C.tau_v).exp(), 50);
        let e = (-dt / tau_eps / f64::from(substeps)).exp();
        let mut random = ChaCha8Rng::seed_from_u64(7);
        let mut normal = || -> f64 { StandardNormal.sample(&mut random) };
        let batches: Vec<f64> = (0..40)
            .map(|_| {
                let (mut x, mut v, mut z, mut sum) = (0.0, 0.0, 0.0, 0.0);
                for i in 0..11_000 {
                    // z is y - eta in small steps, eta held fixed over the step as the integrator does.
                    let (eta, mut mean) = (w * x, 0.0);
                    let mut y = z;
                    for _ in 0..substeps {
                        let next = eta + e * (y - eta) + (sigma * sigma / k * (1.0 - e * e)).sqrt() * normal();
                        mean += 0.5 * (y + next) / f64::from(substeps);
                        y = next;
                    }
                    z = y;
                    let current = -x - w * mean / (sigma * sigma);
                    v = rho * (v - h * C.m * current) + (1.0 - rho * rho).sqrt() * normal();
                    x += h * (current - C.m * v) + (2.0 * h).sqrt() * normal();
                    sum += if i >= 1000 { x * x / 10_000.0 } else { 0.0 };
                }
                sum
            })
            .collect();
        let mean = batches.iter().sum::<f64>() / 40.0;
        let error = (batches.iter().map(|b| (b - mean).powi(2)).sum::<f64>() / 39.0 / 40.0).sqrt();
        assert!((mean - theory).abs() < 4.0 * error, "{mean} +- {error}, {theory}");
        assert!((mean - continuous).abs() > 8.0 * error, "without the length of the step it would be {continuous}");
    }
}
