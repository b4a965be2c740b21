//! Every family in random models: interneurons against the exact mean, currents against the energy, chains against the exact
//! posterior, and Geweke's joint test. Tolerances in standard errors, fixed seeds, planted bugs that must fail.

use super::random::{below, each, layer, top};
use heescope::analysis::chains::windowed_autocorrelation_time;
use heescope::analysis::density::DensityGrid;
use heescope::dynamics::interneurons::equilibrium_statistics;
use heescope::dynamics::noise::Noise;
use heescope::dynamics::step_parameters::{LayerStep, StepParameters};
use heescope::dynamics::{Ensemble, EnsembleOptions, Probes, Span, in_turn};
use heescope::experiment::config::DynamicsConfig;
use heescope::experiment::{Config, FrozenModel, WatchedUnits};
use heescope::model::closed_form::adaptation_speedup;
use heescope::model::energy::{currents, energy};
use heescope::model::{Activation, Family, FamilyConfig, Hierarchy, quadrature};
use heescope::studies::natural_parameter::family_options;
use heescope::studies::race::{Race, SamplerConfig, Start};
use heescope::studies::{self, Point, StudyTarget};
use ndarray::{Array1, Array2};
use proptest::prelude::*;

/// Tolerance in standard errors.
const Z: f64 = 5.0;

/// Largest z of <T(y)> against `mean` over nine eta; 300 independent repeats of K = 2 interneurons each.
fn worst_z(family: &dyn Family, mean: impl Fn(f64) -> f64) -> f64 {
    const REPEATS: usize = 300;
    let reach = 0.8 * family.typical_natural_parameter();
    let etas: Vec<f32> = (0..9).flat_map(|i| [(reach * (f64::from(i) / 4.0 - 1.0)) as f32; REPEATS]).collect();
    let parameters = StepParameters {
        layers: Vec::new(),
        dt_ms: 1.0,
        dt_over_tau_eps: 3.0,
        interneurons: 2,
        exact: false,
        simulated: false,
        choice_interval: 1,
    };
    let samples = equilibrium_statistics(family, &etas, &parameters, 30, &mut Noise::new(5, 6));
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
            let wrong = worst_z(family.as_ref(), |eta| family.mean_statistic(1.15 * eta + 0.1 * family.typical_natural_parameter()));
            prop_assert!(wrong > Z, "{config:?}: the bug is not seen, z {wrong}");
            Ok(())
        });
    }
}

/// The first two units of the first layer.
const PAIR: WatchedUnits = WatchedUnits { layer: 1, pair: [0, 1] };

fn frozen(model: &Hierarchy, dynamics: DynamicsConfig, stimulus: &[f32]) -> FrozenModel {
    let config = Config { dynamics, ..Config::default() };
    FrozenModel { stimulus: stimulus.to_vec(), ..FrozenModel::from_model(&config, model.clone()) }
}

#[test]
fn the_log_partition_of_every_random_family_is_the_integral_of_what_interneurons_find() {
    let gaussian = |sigma, size| layer(FamilyConfig::Gaussian { sigma }, Activation::Linear, size);
    let model = Hierarchy::new(vec![gaussian(0.5, 1), gaussian(1.0, 1)], vec![Array2::ones((1, 1))]).unwrap();
    let dynamics = DynamicsConfig { dt_ms: 1.0, tau_eps_ms: 0.5, interneurons: 2, ..Default::default() };
    let frozen = FrozenModel { stiffness: vec![5.0], ..frozen(&model, dynamics, &[0.0]) };
    let target = StudyTarget { frozen: frozen.into(), watched: WatchedUnits { layer: 1, pair: [0, 0] }, images: None };
    let scales = (6.0..16.0f64, 0.1..0.4f64).prop_map(|(eta_max, delta)| FamilyConfig::LaplaceScale { eta_max, delta }).boxed();
    for strategy in below().into_iter().chain([scales]) {
        each(strategy, |family| {
            let found = studies::measure(&studies::partition::STUDY, &target, &family_options(family), &mut |_| true).unwrap().points;
            let worst = |gain: f64| {
                let z = |p: &Point| {
                    let exact = gain * p.expected.unwrap();
                    // Simpson's rule errs by well below 1 %.
                    ((p.y - exact).abs() - 0.01 * exact.abs()).max(0.0) / p.error.max(1e-12)
                };
                found.iter().filter(|p| p.error > 0.0).map(z).fold(0.0, f64::max)
            };
            prop_assert!(worst(1.0) < Z, "{family:?}: z {}", worst(1.0));
            prop_assert!(worst(1.15) > Z, "{family:?}: a partition function 1.15 times as steep is not told apart");
            Ok(())
        });
    }
}

#[test]
fn adaptation_speeds_random_gaussian_posteriors_up_by_s() {
    let weights = prop::collection::vec(0.4..1.5f32, 2);
    each((weights, 0.4..0.8f64, 1.5..4.0f64, 20.0..60.0f64), |(w, sigma, m, tau_v_ms)| {
        let gaussian = |sigma, size| layer(FamilyConfig::Gaussian { sigma }, Activation::Linear, size);
        let model = Hierarchy::new(vec![gaussian(sigma, 1), gaussian(1.0, 2)], vec![ndarray::array![[w[0], w[1]]]]).unwrap();
        let common = DynamicsConfig { dt_ms: 0.5, tau_eps_ms: 0.02, tau_v_ms, adaptation: m, ..Default::default() };
        let frozen = frozen(&model, common, &[0.5]);
        let adapting = SamplerConfig::of(&common);
        let mut race = Race::new(&frozen, PAIR, None, &[SamplerConfig { adaptation: 0.0, ..adapting }, adapting], 256);
        race.restart(Start::Prior);
        race.advance(1600);
        race.samplers.iter_mut().for_each(|s| s.set_stride(8));
        race.advance(8 * 1200);
        let [still, fast] = [0, 1].map(|i| windowed_autocorrelation_time(&race.samplers[i].chains(0).0).unwrap());
        let measured = still.0 / fast.0;
        let error = measured * (still.1 / still.0).hypot(fast.1 / fast.0);
        let exact = adaptation_speedup(m, tau_v_ms, common.tau_x_ms);
        // The finite run and step shorten times by up to 3 %.
        let z = |exact: f64| ((measured - exact).abs() - 0.03 * exact).max(0.0) / error;
        prop_assert!(z(exact) < Z, "measured {measured} +- {error}, theory {exact}");
        prop_assert!(z(1.5 * exact) > Z, "1.5 times the speed-up is not told apart: {measured} +- {error}");
        Ok(())
    });
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
                    let bounded = model.layers[l].bounds()[0].is_finite();
                    Array1::from_shape_fn(n, |i| if bounded { 0.5 + 0.5 * numbers[from + i] } else { numbers[from + i] })
                };
                let states = vec![state(0, 15, 3), state(1, 18, 3), state(2, 21, 2)];
                let analytic = currents(&model, &states);
                let mut planted = 0.0f64;
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
                        planted = planted.max((1.1 * difference - analytic[l - 1][i]).abs() / (1.0 + difference.abs()));
                    }
                }
                // Planted bug: an energy 1.1 times as large.
                prop_assert!(planted > 1e-3, "{low:?} {middle:?} {high:?} {activation:?}: the bug is not seen: {planted}");
            }
            Ok(())
        });
    }
}

/// Largest z of the first two moments of a short race on `model` against the exact posterior of `reference`.
fn moments_z(model: &Hierarchy, reference: &Hierarchy, stimulus: &[f32]) -> f64 {
    let common = DynamicsConfig { dt_ms: 0.4, tau_eps_ms: 0.3, adaptation: 1.5, ..Default::default() };
    let frozen = frozen(model, common, stimulus);
    let mut race = Race::new(&frozen, PAIR, None, &[SamplerConfig::of(&common)], 128);
    race.restart(Start::Prior);
    race.advance(600);
    race.samplers[0].set_stride(1);
    race.advance(1500);
    let (first, second) = (race.samplers[0].chains(0).0, race.samplers[0].chains(1).0);
    let grid = DensityGrid::posterior(reference, stimulus, 1.0, 160).unwrap();
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
        let (from, to) = family.integration_bounds(eta);
        quadrature::quantiles(|x| eta * family.statistic(x) - family.base_energy(x), from, to, u)
    };
    let upper = model.layers[1].family().unwrap().clone();
    let prior = draw(upper.as_ref(), 0.0, &uniform(ROWS));
    let mut networks = Ensemble::new(&model, &EnsembleOptions { seed: 3, stream: 1, ..EnsembleOptions::new(&model, ROWS) });
    networks.set_states(&model, 1, |row, x| x[0] = prior[row] as f32);
    let step = LayerStep::new(0.01, 1.0, 0.3);
    let parameters = StepParameters {
        layers: vec![step],
        dt_ms: 1.0,
        dt_over_tau_eps: 3.0,
        interneurons: 1,
        exact: false,
        simulated: false,
        choice_interval: 1,
    };
    let (mut first, mut second) = (vec![0.0; ROWS], vec![0.0; ROWS]);
    let rounds = 300;
    for _ in 0..rounds {
        let u = uniform(2 * ROWS);
        let above = networks.state_matrix(1);
        networks.set_states(&model, 0, |row, observed| {
            let x = f64::from(above[[row, 0]]);
            for i in 0..2 {
                let eta = f64::from(weights[[i, 0]]) * x;
                let x0 = match low {
                    // The closed form of the quantile, for speed; the others by quadrature.
                    FamilyConfig::ContinuousBernoulli if eta.abs() > 1e-6 => (u[2 * row + i] * eta.exp_m1()).ln_1p() / eta,
                    FamilyConfig::Bernoulli => f64::from(u8::from(u[2 * row + i] < 1.0 / (1.0 + (-eta).exp()))),
                    _ => draw(model.observed_family().as_ref(), eta, &u[2 * row + i..=2 * row + i])[0],
                };
                observed[i] = gain * x0 as f32;
            }
        });
        networks.advance(&model, &parameters, Span { steps: 4, skip: 0, learn: false, last: false }, &Probes::default(), &in_turn);
        for (row, x) in networks.states(1).enumerate() {
            let x = f64::from(x[0]);
            first[row] += x / f64::from(rounds);
            second[row] += x * x / f64::from(rounds);
        }
    }
    // The rows are independent; the prior's moments are exact.
    let (from, to) = upper.integration_bounds(0.0);
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
    let error = Hierarchy::new(layers(laplace, gaussian), w()).unwrap_err().to_string();
    assert!(error.contains("laplace") && error.contains("kappa > 0"), "{error}");
    let error = Hierarchy::new(layers(gaussian, FamilyConfig::Bernoulli), w()).unwrap_err().to_string();
    assert!(error.contains("bernoulli") && error.contains("observed"), "{error}");
    let mut model = Hierarchy::new(layers(gaussian, laplace), w()).unwrap();
    let error = model.set_bias(1, 0.5).unwrap_err().to_string();
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
        let frozen = frozen(&model, common, &[0.0, 0.0]);
        let mut race = Race::new(&frozen, PAIR, None, &[SamplerConfig::of(&common)], 400);
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
