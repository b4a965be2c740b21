//! Every family in random models: interneurons against the exact mean, currents against the energy, chains against the exact
//! posterior, and Geweke's joint test. Tolerances in standard errors, fixed seeds, planted bugs that must fail.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use heescope::analysis::density::DensityGrid;
use heescope::dynamics::block::{Block, Span, Taps};
use heescope::dynamics::interneurons::at_rest;
use heescope::dynamics::noise::Noise;
use heescope::dynamics::parameters::{LayerStep, StepParameters};
use heescope::experiment::config::DynamicsConfig;
use heescope::experiment::laboratory::eta_range;
use heescope::experiment::race::{Field, Race, SamplerConfig, Start};
use heescope::model::energy::{currents, energy};
use heescope::model::{Activation, Family, FamilyConfig, Hierarchy, Layer, quadrature};
use ndarray::{Array1, Array2};
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRunner};

/// Tolerance in standard errors.
const Z: f64 = 5.0;

/// Every family that may stand below another layer, with random parameters.
fn below() -> Vec<BoxedStrategy<FamilyConfig>> {
    vec![
        (0.3..1.5f64).prop_map(|sigma| FamilyConfig::Gaussian { sigma }).boxed(),
        (0.3..1.5f64).prop_map(|sigma| FamilyConfig::RectifiedGaussian { sigma }).boxed(),
        Just(FamilyConfig::ContinuousBernoulli).boxed(),
        Just(FamilyConfig::Bernoulli).boxed(),
        (0.5..4.0f64, 0.1..0.5f64, 0.5..2.0f64).prop_map(|(lambda, delta, kappa)| FamilyConfig::Laplace { lambda, delta, kappa }).boxed(),
        (2.0..9.0f64, 0.3..1.0f64, 0.5..2.0f64).prop_map(|(nu, s, kappa)| FamilyConfig::StudentT { nu, s, kappa }).boxed(),
    ]
}

/// Every family of neurons, for the top.
fn top() -> Vec<BoxedStrategy<FamilyConfig>> {
    let mut all = below();
    drop(all.remove(3)); // bernoulli is observed only
    all.push((2.0..9.0f64, 0.2..0.6f64).prop_map(|(nu, s)| FamilyConfig::StudentT { nu, s, kappa: 0.0 }).boxed());
    all.push((1.0..3.0f64, 0.1..0.4f64).prop_map(|(lambda, delta)| FamilyConfig::Laplace { lambda, delta, kappa: 0.0 }).boxed());
    all
}

/// Three cases of each strategy, always the same; what fails is shrunk.
fn each<S: Strategy>(strategy: S, check: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config =
        ProptestConfig { cases: 3, rng_seed: RngSeed::Fixed(11), failure_persistence: None, max_shrink_iters: 8, ..Default::default() };
    if let Err(error) = TestRunner::new(config).run(&strategy, check) {
        panic!("{error}");
    }
}

fn layer(family: FamilyConfig, activation: Activation, size: usize) -> Layer {
    Layer { family: family.build().unwrap(), activation, size }
}

/// Largest z of <T(y)> against `mean` over nine eta; 300 independent repeats of K = 2 interneurons each.
fn worst_z(family: &dyn Family, mean: impl Fn(f64) -> f64) -> f64 {
    const REPEATS: usize = 300;
    let reach = 0.8 * eta_range(family);
    let etas: Vec<f32> = (0..9).flat_map(|i| [(reach * (f64::from(i) / 4.0 - 1.0)) as f32; REPEATS]).collect();
    let parameters = StepParameters { layers: Vec::new(), dt_ms: 1.0, dt_over_tau_eps: 3.0, interneurons: 2, exact: false };
    let samples = at_rest(family, &etas, &parameters, 30, &mut Noise::new(5, 6));
    (0..9)
        .map(|i| {
            let own: Vec<f64> = (i * REPEATS..(i + 1) * REPEATS)
                .map(|j| samples.iter().map(|s| f64::from(s[j])).sum::<f64>() / samples.len() as f64)
                .collect();
            let found = own.iter().sum::<f64>() / REPEATS as f64;
            let variance = own.iter().map(|v| (v - found).powi(2)).sum::<f64>() / (REPEATS - 1) as f64;
            (found - mean(f64::from(etas[i * REPEATS]))).abs() / (variance / REPEATS as f64).sqrt()
        })
        .fold(0.0, f64::max)
}

#[test]
fn interneurons_of_every_family_find_the_slope_of_its_log_partition() {
    for strategy in below() {
        each(strategy, |config| {
            let family = config.build().unwrap();
            let z = worst_z(family.as_ref(), |eta| family.mean_statistic(eta));
            prop_assert!(z < Z, "{config:?}: z {z}");
            // Planted bug: a mean that belongs to an input 1.15 times as strong, and 0.1 higher.
            let wrong = worst_z(family.as_ref(), |eta| family.mean_statistic(1.15 * eta + 0.1 * eta_range(family.as_ref())));
            prop_assert!(wrong > Z, "{config:?}: the bug is not seen, z {wrong}");
            Ok(())
        });
    }
}

#[test]
fn currents_of_every_family_are_minus_the_slope_of_the_energy() {
    for (i, strategy) in below().into_iter().enumerate() {
        let tops = top();
        let upper = tops[i % tops.len()].clone();
        let middle = below()[[0, 1, 2, 4, 5][i % 5]].clone();
        let numbers = prop::collection::vec(-0.8..0.8f64, 3 * 3 + 3 * 2 + 3 + 3 + 2);
        each((strategy, middle, upper, numbers), |(low, middle, high, numbers)| {
            for activation in Activation::ALL {
                let layers = vec![layer(low, activation, 3), layer(middle, activation, 3), layer(high, activation, 2)];
                let w0 = Array2::from_shape_fn((3, 3), |(r, c)| numbers[3 * r + c] as f32);
                let w1 = Array2::from_shape_fn((3, 2), |(r, c)| numbers[9 + 2 * r + c] as f32);
                let model = Hierarchy::new(layers, vec![w0, w1]).unwrap();
                // Inside every support: 0.1 .. 0.9 for the bounded ones; the observation of bernoulli may be grey.
                let state = |l: usize, from: usize, n: usize| {
                    let bounded = model.layers[l].family.bounds()[0].is_finite();
                    Array1::from_shape_fn(n, |i| if bounded { 0.5 + 0.5 * numbers[from + i] } else { numbers[from + i] })
                };
                let states = vec![state(0, 15, 3), state(1, 18, 3), state(2, 21, 2)];
                let analytic = currents(&model, &states);
                for l in 1..=2 {
                    for i in 0..states[l].len() {
                        let at = |shift: f64| {
                            let mut moved = states.clone();
                            moved[l][i] += shift;
                            energy(&model, &moved)
                        };
                        let difference = (at(-1e-5) - at(1e-5)) / 2e-5;
                        let error = (difference - analytic[l - 1][i]).abs() / (1.0 + difference.abs());
                        prop_assert!(error < 1e-6, "{low:?} {middle:?} {high:?} {activation:?} I_{l}[{i}]: {error}");
                    }
                }
            }
            Ok(())
        });
    }
}

/// Largest z of the first two moments of a short race on `model` against the exact posterior of `judge`.
fn moments_z(model: &Hierarchy, judge: &Hierarchy, stimulus: &[f32]) -> f64 {
    let stiffness = heescope::dynamics::governor::Stiffness::new(model);
    let common = DynamicsConfig { dt_ms: 0.4, tau_eps_ms: 0.3, adaptation: 1.5, ..Default::default() };
    let field = Field { model, stiffness: &stiffness.lambda, common: &common, stimulus, exact: None, watched: (1, [0, 1]) };
    let mut race = Race::new(&field, &[SamplerConfig::of(&common)], 128);
    race.restart(Start::Prior);
    race.advance(600);
    race.samplers[0].set_stride(1);
    race.advance(1500);
    let (first, second) = (race.samplers[0].chains(0).0, race.samplers[0].chains(1).0);
    let grid = DensityGrid::posterior(judge, stimulus, 160).unwrap();
    let at = |i: usize, range: [f64; 2]| range[0] + (i as f64 + 0.5) / 160.0 * (range[1] - range[0]);
    let total = grid.density.sum();
    let statistics: [fn(f64, f64) -> f64; 5] = [|x, _| x, |_, y| y, |x, _| x * x, |_, y| y * y, |x, y| x * y];
    statistics
        .iter()
        .map(|statistic| {
            let exact =
                grid.density.indexed_iter().map(|((row, column), p)| p * statistic(at(column, grid.x), at(row, grid.y))).sum::<f64>()
                    / total;
            let square = grid
                .density
                .indexed_iter()
                .map(|((row, column), p)| p * statistic(at(column, grid.x), at(row, grid.y)).powi(2))
                .sum::<f64>()
                / total;
            let own: Vec<f64> = first
                .iter()
                .zip(&second)
                .map(|(x, y)| x.iter().zip(y).map(|(&x, &y)| statistic(x, y)).sum::<f64>() / x.len() as f64)
                .collect();
            let mean = own.iter().sum::<f64>() / own.len() as f64;
            let variance = own.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (own.len() - 1) as f64;
            // The finite step and the grid bias a moment by up to 2 % of the root mean square.
            ((mean - exact).abs() - 0.02 * square.sqrt()).max(0.0) / (variance / own.len() as f64).sqrt()
        })
        .fold(0.0, f64::max)
}

#[test]
fn chains_of_every_family_sample_the_exact_posterior() {
    for (i, observed) in below().into_iter().enumerate() {
        let tops = top();
        let choice = prop::sample::select(vec![i % tops.len(), (i + 2) % tops.len(), (i + 4) % tops.len()]);
        let upper = choice.prop_flat_map(move |k| tops[k].clone());
        let numbers = prop::collection::vec(0.4..0.9f32, 6);
        each((observed, upper, numbers), |(low, high, n)| {
            // One pixel in [0, 1] says little: stronger weights there.
            let gain = if low.build().unwrap().bounds()[1].is_finite() { 4.0 } else { 1.0 };
            let weights = gain * &ndarray::array![[n[0], -n[1]], [n[2], n[3]]];
            let build = |w: Array2<f32>| {
                Hierarchy::new(vec![layer(low, Activation::Linear, 2), layer(high, Activation::Linear, 2)], vec![w]).unwrap()
            };
            let (model, wrong) = (build(weights.clone()), build(-&weights));
            let found = moments_z(&model, &model, &[n[4], n[5]]);
            prop_assert!(found < Z, "{low:?} under {high:?}: z {found}");
            // Planted bug: a likelihood of the wrong sign.
            let planted = moments_z(&wrong, &model, &[n[4], n[5]]);
            prop_assert!(planted > Z, "{low:?} under {high:?}: the bug is not seen: z {planted}");
            Ok(())
        });
    }
}

/// Geweke (2004): draws of x and x_0 from the model alone, and draws in which x_0 | x is exact and x moves by the sampler, have
/// one law. Largest z of the mean and the mean square of x_1 between the two. `gain` scales the stimuli that the sampler sees.
fn geweke(low: FamilyConfig, high: FamilyConfig, gain: f32) -> f64 {
    const ROWS: usize = 400;
    let weights = ndarray::array![[0.9f32], [-0.6]];
    let model = Hierarchy::new(vec![layer(low, Activation::Linear, 2), layer(high, Activation::Linear, 1)], vec![weights.clone()]).unwrap();
    let mut noise = Noise::new(3, 9);
    let mut uniform = |n: usize| {
        let mut u = vec![0.0f32; n];
        noise.fill_uniform(&mut u);
        u.into_iter().map(f64::from).collect::<Vec<_>>()
    };
    let draw = |family: &dyn Family, eta: f64, u: &[f64]| -> Vec<f64> {
        let (from, to) = family.reach(eta);
        quadrature::quantiles(|x| eta * family.statistic(x) - family.base_energy(x), from, to, u)
    };
    let upper = model.layers[1].family.clone();
    let prior = draw(upper.as_ref(), 0.0, &uniform(ROWS));
    let mut block = Block::new(&model, ROWS, 1, 3, 1);
    block.layers[1].x.iter_mut().zip(&prior).for_each(|(x, &p)| *x = p as f32);
    let step = LayerStep::new(0.01, 1.0, 0.3);
    let parameters = StepParameters { layers: vec![step], dt_ms: 1.0, dt_over_tau_eps: 3.0, interneurons: 1, exact: false };
    let (mut first, mut second) = (vec![0.0; ROWS], vec![0.0; ROWS]);
    let rounds = 300;
    for _ in 0..rounds {
        let u = uniform(2 * ROWS);
        for row in 0..ROWS {
            let x = f64::from(block.layers[1].x[row]);
            for i in 0..2 {
                let eta = f64::from(weights[[i, 0]]) * x;
                let x0 = match low {
                    // The closed form of the quantile, for speed; the others by quadrature.
                    FamilyConfig::ContinuousBernoulli if eta.abs() > 1e-6 => (u[2 * row + i] * eta.exp_m1()).ln_1p() / eta,
                    FamilyConfig::Bernoulli => f64::from(u8::from(u[2 * row + i] < 1.0 / (1.0 + (-eta).exp()))),
                    _ => draw(model.layers[0].family.as_ref(), eta, &u[2 * row + i..=2 * row + i])[0],
                };
                block.layers[0].x[2 * row + i] = gain * x0 as f32;
            }
        }
        block.run(&model, &parameters, Span { steps: 4, skip: 0, learn: false, last: false }, &Taps::default());
        for row in 0..ROWS {
            let x = f64::from(block.layers[1].x[row]);
            first[row] += x / f64::from(rounds);
            second[row] += x * x / f64::from(rounds);
        }
    }
    // The rows are independent; the prior's moments are exact.
    let (from, to) = upper.reach(0.0);
    let moment = |k: i32| quadrature::mean(|x| -upper.base_energy(x), |x| x.powi(k), from, to);
    let z = |values: &[f64], exact: f64| {
        let mean = values.iter().sum::<f64>() / ROWS as f64;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (ROWS - 1) as f64;
        // The finite step biases a moment by up to 1.5 %.
        ((mean - exact).abs() - 0.015 * exact.abs()).max(0.0) / (variance / ROWS as f64).sqrt()
    };
    z(&first, moment(1)).max(z(&second, moment(2)))
}

#[test]
fn sampler_and_model_agree_in_gewekes_joint_test() {
    let rectified = FamilyConfig::RectifiedGaussian { sigma: 0.8 };
    for (low, high) in [
        (FamilyConfig::ContinuousBernoulli, rectified),
        (FamilyConfig::Bernoulli, FamilyConfig::Gaussian { sigma: 1.0 }),
        (FamilyConfig::ContinuousBernoulli, FamilyConfig::StudentT { nu: 8.0, s: 0.8, kappa: 0.3 }),
    ] {
        let z = geweke(low, high, 1.0);
        assert!(z < Z, "{low:?} {high:?}: z {z}");
        let planted = geweke(low, high, 0.2);
        assert!(planted > Z, "{low:?} {high:?}: stimuli 0.2 times as strong are not seen: z {planted}");
    }
}

#[test]
fn what_is_not_normalisable_is_refused_with_the_reason() {
    let layers = |low, high| vec![layer(low, Activation::Linear, 1), layer(high, Activation::Linear, 1)];
    let w = || vec![Array2::from_elem((1, 1), 1.0f32)];
    let laplace = FamilyConfig::Laplace { lambda: 1.0, delta: 0.2, kappa: 0.0 };
    let gaussian = FamilyConfig::Gaussian { sigma: 1.0 };
    let error = Hierarchy::new(layers(laplace, gaussian), w()).unwrap_err();
    assert!(error.contains("laplace") && error.contains("kappa > 0"), "{error}");
    let error = Hierarchy::new(layers(gaussian, FamilyConfig::Bernoulli), w()).unwrap_err();
    assert!(error.contains("bernoulli") && error.contains("observed"), "{error}");
    let mut model = Hierarchy::new(layers(gaussian, laplace), w()).unwrap();
    let error = model.set_bias(1, 0.5).unwrap_err();
    assert!(error.contains("laplace") && error.contains("bias"), "{error}");
}

#[test]
fn random_linear_gaussian_dynamics_have_the_covariance_of_their_lyapunov_equation() {
    use heescope::experiment::session::step_parameters;
    use heescope::model::linear::LinearDynamics;
    let weights = prop::collection::vec(-1.2..1.2f32, 4);
    each((weights, 0.4..1.0f64, 1.0..30.0f64, 0.0..2.0f64, 1..5usize), |(w, sigma, tau_eps_ms, m, k)| {
        let gaussian = |sigma| layer(FamilyConfig::Gaussian { sigma }, Activation::Linear, 2);
        let model = Hierarchy::new(vec![gaussian(sigma), gaussian(1.0)], vec![ndarray::array![[w[0], w[1]], [w[2], w[3]]]]).unwrap();
        let stiffness = heescope::dynamics::governor::Stiffness::new(&model).lambda;
        let common = DynamicsConfig { dt_ms: 0.5, tau_eps_ms, adaptation: m, interneurons: k, ..Default::default() };
        let p = step_parameters(&common, &stiffness);
        let constants: Vec<_> = p.layers.iter().map(|layer| layer.constants(p.dt_ms)).collect();
        let Some(exact) = LinearDynamics::new(&model, &constants, tau_eps_ms, k, false) else { return Ok(()) }; // unstable
        let field =
            Field { model: &model, stiffness: &stiffness, common: &common, stimulus: &[0.0, 0.0], exact: None, watched: (1, [0, 1]) };
        let mut race = Race::new(&field, &[SamplerConfig::of(&common)], 400);
        race.advance(4000);
        race.samplers[0].set_stride(4);
        race.advance(4 * 1900);
        let (first, second) = (race.samplers[0].chains(0).0, race.samplers[0].chains(1).0);
        let [a, b] = [0, 1].map(|unit| exact.state(1, unit));
        let z = |x: &[Vec<f64>], y: &[Vec<f64>], expected: f64| {
            let own: Vec<f64> = x.iter().zip(y).map(|(x, y)| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>() / x.len() as f64).collect();
            let mean = own.iter().sum::<f64>() / own.len() as f64;
            let variance = own.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (own.len() - 1) as f64;
            // The finite step biases a covariance by up to 3 % of a variance.
            ((mean - expected).abs() - 0.03 * exact.covariance[[a, a]].max(exact.covariance[[b, b]])).max(0.0)
                / (variance / own.len() as f64).sqrt()
        };
        let found = z(&first, &first, exact.covariance[[a, a]]).max(z(&second, &second, exact.covariance[[b, b]])).max(z(
            &first,
            &second,
            exact.covariance[[a, b]],
        ));
        prop_assert!(found < Z, "z {found}");
        // Planted bug: variances 1.15 times as large, as of a drift that is too weak.
        let planted = z(&first, &first, 1.15 * exact.covariance[[a, a]]);
        prop_assert!(planted > Z, "the bug is not seen: z {planted}");
        Ok(())
    });
}

#[test]
fn the_grid_posterior_agrees_with_nested_quadrature() {
    for preset in ["explaining-away", "ring"] {
        let config = heescope::experiment::presets::by_name(preset).unwrap();
        let model = heescope::experiment::session::build_model(&config).unwrap();
        let x0 = Array1::from_iter(config.stimulus.values.iter().map(|&v| f64::from(v)));
        let log_density = |a: f64, b: f64| -energy(&model, &[x0.clone(), Array1::from(vec![a, b])]);
        // Another rule (sinh-spaced nodes, Simpson's weights) in each direction, far beyond the grid's rectangle.
        let reach = 12.0;
        let marginal = |a: f64| quadrature::log_integral(|b| log_density(a, b), -reach, reach);
        let total = {
            let values: Vec<f64> = (0..=800).map(|i| marginal(reach * (f64::from(i) / 400.0 - 1.0))).collect();
            let top = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let weight = |i: usize| if i == 0 || i == 800 { 1.0 } else { 2.0 + 2.0 * (i % 2) as f64 };
            top + (values.iter().enumerate().map(|(i, v)| weight(i) * (v - top).exp()).sum::<f64>() * reach / 400.0 / 3.0).ln()
        };
        let grid = DensityGrid::posterior(&model, &config.stimulus.values, 256).unwrap();
        let cell = (grid.x[1] - grid.x[0]) / 256.0;
        let sums = grid.density.sum_axis(ndarray::Axis(0)) * ((grid.y[1] - grid.y[0]) / 256.0);
        let worst = |shift: f64| {
            (0..256)
                .map(|i| {
                    let a = grid.x[0] + (i as f64 + 0.5 + shift) * cell;
                    (sums[i] - (marginal(a) - total).exp()).abs()
                })
                .fold(0.0, f64::max)
                / sums.fold(0.0f64, |top, &v| top.max(v))
        };
        assert!(worst(0.0) < 2e-3, "{preset}: {}", worst(0.0));
        assert!(worst(0.5) > 2e-3, "{preset}: a grid that is half a cell off is told apart: {}", worst(0.5));
    }
}
