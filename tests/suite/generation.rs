//! Generation and in-painting against closed forms (model.md 4, 5, 8). Each statistical test states its tolerance in standard errors and
//! has a planted bug that it must see.

use heescope::dynamics::{Ensemble, EnsembleOptions, LayerStep, Probes, Span, StepParameters, categorical, in_turn, mixture_learning};
use heescope::experiment::{ConfigError, DynamicsConfig, FrozenModel, InterneuronMode, presets};
use heescope::model::energy::energy;
use heescope::model::{Activation, FamilyConfig, Hierarchy, Layer};
use heescope::studies::generation::{ChainSteps, GenerationChains, GenerationRequest, Mode, Origin};
use nalgebra::DMatrix;
use ndarray::{Array1, Array2, array};
use std::sync::Arc;

fn layer(family: FamilyConfig, size: usize) -> Layer {
    Layer::new(family, Activation::Linear, size).unwrap()
}

/// `count` networks in one block.
fn networks(model: &Hierarchy, count: usize, seed: u64) -> Ensemble {
    Ensemble::new(model, &EnsembleOptions { seed, ..EnsembleOptions::new(model, count) })
}

/// `steps` steps without learning.
fn advance(networks: &mut Ensemble, model: &Hierarchy, parameters: &StepParameters, steps: usize) {
    networks.advance(model, parameters, Span { steps, skip: 0, learn: false, last: false }, &Probes::default(), &in_turn);
}

fn gaussian(sigma: f64, size: usize) -> Layer {
    layer(FamilyConfig::Gaussian { sigma }, size)
}

/// x_2 (1 unit) -> x_1 (2 units) -> x_0 (3 pixels), all linear and gaussian.
fn linear() -> Hierarchy {
    let weights = vec![array![[1.0f32, 0.2], [0.4, -0.7], [-0.3, 0.9]], array![[0.9f32], [-0.5]]];
    Hierarchy::new(vec![gaussian(0.5, 3), gaussian(0.6, 2), gaussian(1.0, 1)], weights).unwrap()
}

/// Covariance of x_0: W_0 (W_1 W_1^T + sigma_1^2) W_0^T + sigma_0^2.
fn covariance(model: &Hierarchy) -> DMatrix<f64> {
    let matrix = |w: &Array2<f32>| DMatrix::from_fn(w.nrows(), w.ncols(), |i, j| f64::from(w[[i, j]]));
    let noise = |l: usize| DMatrix::identity(model.layers[l].size, model.layers[l].size) * model.layers[l].sigma().unwrap().powi(2);
    (0..model.depth()).rev().fold(noise(model.depth()), |above, l| {
        let w = matrix(&model.weights[l]);
        &w * above * w.transpose() + noise(l)
    })
}

fn chain_steps(model: &Hierarchy, h: f64, h0: f64, m: f64) -> ChainSteps {
    let layers = vec![LayerStep::new(h, m, 0.3); model.depth()];
    let parameters =
        StepParameters { layers, dt_ms: 1.0, dt_over_tau_eps: 1.0, interneurons: 1, exact: true, simulated: false, choice_interval: 1 };
    ChainSteps { parameters, observed: LayerStep::new(h0, 0.0, 0.3), active_layers: model.depth() }
}

fn chains(model: &Hierarchy, steps: ChainSteps, request: GenerationRequest) -> Result<GenerationChains, ConfigError> {
    GenerationChains::with_steps(Arc::new(model.clone()), steps, request, None)
}

fn request(mode: Mode, count: usize, inner: usize) -> GenerationRequest {
    GenerationRequest { mode, count, inner, temperature: 1.0, origin: Origin::Noise, waking_steps: 0, category: None, seed: 3 }
}

/// The largest |z| of the entries of the sample covariance (mean known to be 0) against `exact`; standard errors of independent
/// normal rows, sqrt((C_ii C_jj + C_ij^2)/n).
fn covariance_z(samples: &Array2<f32>, exact: &DMatrix<f64>) -> f64 {
    let n = samples.nrows() as f64;
    let mut worst = 0.0f64;
    for i in 0..samples.ncols() {
        for j in 0..=i {
            let found = samples.column(i).iter().zip(samples.column(j)).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>() / n;
            let error = ((exact[(i, i)] * exact[(j, j)] + exact[(i, j)].powi(2)) / n).sqrt();
            assert!(found.is_finite());
            worst = worst.max((found - exact[(i, j)]).abs() / error);
        }
    }
    worst
}

/// With a third of the noise of layer 1.
fn less_noise(model: &Hierarchy) -> Hierarchy {
    let mut bug = model.clone();
    bug.layers[1] = gaussian(0.2, 2);
    bug
}

#[test]
fn ancestral_samples_have_the_closed_form_covariance() {
    let model = linear();
    let run =
        |model: &Hierarchy| chains(model, chain_steps(model, 0.01, 0.01, 0.0), request(Mode::Ancestral, 20_000, 1)).unwrap().samples();
    let z = covariance_z(&run(&model), &covariance(&model));
    assert!(z < 5.0, "z = {z}");
    let bug = covariance_z(&run(&less_noise(&model)), &covariance(&model));
    assert!(bug > 5.0, "a layer with less noise is not seen: z = {bug}");
}

#[test]
fn joint_samples_have_the_closed_form_covariance() {
    let model = linear();
    let run = |model: &Hierarchy| {
        // h lambda is about 0.02: the step's own bias is below one standard error.
        let mut chains = chains(model, chain_steps(model, 0.003, 0.003, 2.0), request(Mode::Joint, 4000, 1)).unwrap();
        chains.advance(3000);
        chains.samples()
    };
    let z = covariance_z(&run(&model), &covariance(&model));
    assert!(z < 5.0, "z = {z}");
    let bug = covariance_z(&run(&less_noise(&model)), &covariance(&model));
    assert!(bug > 5.0, "a layer with less noise is not seen: z = {bug}");
}

/// x_0 of joint chains that have woken over 5,000 steps; from 4,000 on with these gains, where there are any.
fn woken(model: &Hierarchy, late_gains: Option<Vec<f32>>) -> Array2<f32> {
    let mut config = presets::by_name("chain").unwrap();
    // h lambda is 0.02, as above; the stiffness that this follows is that of the present gains.
    config.dynamics = DynamicsConfig { safety: 0.02, adaptation: 1.0, interneuron_mode: InterneuronMode::Exact, ..config.dynamics };
    let frozen = FrozenModel::from_model(&config, model.clone());
    let mut chains =
        GenerationChains::new(&frozen, GenerationRequest { waking_steps: 5000, ..request(Mode::Joint, 4000, 1) }, None).unwrap();
    assert_eq!(chains.gains(), [0.0, 0.0]);
    chains.advance(500);
    assert_eq!(chains.gains()[0], 0.0, "the pixels hear nothing until the layers above have found each other");
    assert!((0.2..0.3).contains(&chains.gains()[1]), "{:?}", chains.gains());
    chains.advance(3500);
    if late_gains.is_some() {
        chains.set_gains(late_gains);
    }
    chains.advance(1000);
    chains.samples()
}

#[test]
fn chains_that_have_woken_have_the_closed_form_covariance_and_those_that_stop_at_gain_0_9_do_not() {
    let model = linear();
    let exact = covariance(&model);
    let z = covariance_z(&woken(&model, None), &exact);
    assert!(z < 5.0, "z = {z}");
    let stopped = covariance_z(&woken(&model, Some(vec![0.9, 0.9])), &exact);
    assert!(stopped > 5.0, "couplings that stay at 0.9 are not seen: z = {stopped}");
    let asleep = covariance_z(&woken(&model, Some(vec![0.0, 0.0])), &DMatrix::from_diagonal_element(3, 3, 0.25));
    assert!(asleep < 5.0, "at gain 0 nothing from above is heard: z = {asleep}");
}

#[test]
fn marginal_chains_move_x_0_at_every_step_while_they_wake_and_once_in_s_steps_from_then_on() {
    let frozen = FrozenModel::from_model(&presets::by_name("chain").unwrap(), linear());
    let asked = GenerationRequest { waking_steps: 50, ..request(Mode::Marginal, 10, 8) };
    let mut chains = GenerationChains::new(&frozen, asked, None).unwrap();
    // In how many of so many steps x_0 moves.
    let moves = |chains: &mut GenerationChains, steps: usize| {
        let moved = (0..steps).map(|_| {
            let before = chains.samples();
            chains.advance(1);
            usize::from(chains.samples() != before)
        });
        moved.sum::<usize>()
    };
    assert_eq!(moves(&mut chains, 40), 40);
    assert_eq!(moves(&mut chains, 80), 10);
    assert_eq!(chains.gains(), [1.0, 1.0]);
    chains.set_gains(Some(vec![0.5, 1.0]));
    assert_eq!(moves(&mut chains, 80), 10, "at gains set by hand the chains are marginal ones of another model");
}

#[test]
fn marginal_samples_have_the_covariance_of_langevin_on_the_marginal() {
    let model = linear();
    let (count, inner, h, h0, outer) = (6000, 60, 0.05, 0.12, 60);
    // x' = x - h0 P x + sqrt(2 h0) n has the covariance (P (1 - h0 P/2))^-1, P the precision of x_0.
    let p = covariance(&model).try_inverse().unwrap();
    let exact = (&p * (DMatrix::identity(3, 3) - &p * (0.5 * h0))).try_inverse().unwrap();
    let mut chains = chains(&model, chain_steps(&model, h, h0, 0.0), request(Mode::Marginal, count, inner)).unwrap();
    chains.advance(inner * outer);
    let z = covariance_z(&chains.samples(), &exact);
    assert!(z < 5.0, "z = {z}");

    // Planted bug: the gradient of one step in place of the mean over all.
    let observed = LayerStep::new(h0, 0.0, 0.3);
    let parameters = chain_steps(&model, h, h0, 0.0).parameters;
    let mut wrong = networks(&model, count, 5);
    for _ in 0..outer {
        for (steps, free) in [(inner - 1, vec![false; 3]), (1, vec![true; 3])] {
            wrong.free(&free, 1, observed);
            advance(&mut wrong, &model, &parameters, steps);
        }
    }
    let bug = covariance_z(&wrong.state_matrix(0), &exact);
    assert!(bug > 5.0, "the mean over one step is not seen: z = {bug}");
}

#[test]
fn freed_pixels_are_sampled_from_the_conditional_law() {
    let model = linear();
    let (rows, clamped) = (5000, [0.8f32, -0.4]); // x_0[0] and x_0[2]; x_0[1] is free
    let run = |model: &Hierarchy| {
        let parameters = chain_steps(model, 0.004, 0.004, 2.0).parameters;
        let mut networks = networks(model, rows, 7);
        networks.clamp(&[clamped[0], 5.0, clamped[1]], &[]);
        networks.free(&[false, true, false], 1, LayerStep::new(0.004, 1.0, 0.3));
        advance(&mut networks, model, &parameters, 3000);
        assert!(networks.states(0).all(|x| x[0] == clamped[0] && x[2] == clamped[1]), "clamped pixels stay");
        networks.states(0).map(|x| f64::from(x[1])).collect::<Vec<_>>()
    };
    // Conditional normal law of x[1] given x[0] and x[2].
    let c = covariance(&model);
    let known = DMatrix::from_fn(2, 2, |i, j| c[(2 * i, 2 * j)]).try_inverse().unwrap();
    let cross = DMatrix::from_fn(1, 2, |_, j| c[(1, 2 * j)]);
    let mean = (&cross * &known * DMatrix::from_fn(2, 1, |i, _| f64::from(clamped[i])))[(0, 0)];
    let variance = c[(1, 1)] - (&cross * &known * cross.transpose())[(0, 0)];
    let z = |x: &[f64]| {
        let n = x.len() as f64;
        let m = x.iter().sum::<f64>() / n;
        let v = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
        ((m - mean).abs() / (variance / n).sqrt()).max((v - variance).abs() / (variance * (2.0 / n).sqrt()))
    };
    let found = z(&run(&model));
    assert!(found < 5.0, "z = {found}");
    let bug = z(&run(&less_noise(&model)));
    assert!(bug > 5.0, "a layer with less noise is not seen: z = {bug}");
}

/// Three pixels in {0, 1} below one rectified normal unit.
fn binary() -> Hierarchy {
    let weights = vec![array![[2.0f32], [-1.5], [1.0]]];
    let mut model = Hierarchy::new(vec![layer(FamilyConfig::Bernoulli, 3), gaussian(1.0, 1)], weights).unwrap();
    model.biases[0] = array![-0.5, 0.4, 0.2];
    model
}

/// P(x_0) of the eight pictures, by summing p(x_1) p(x_0 | x_1) over a fine grid.
fn binary_law(model: &Hierarchy) -> [f64; 8] {
    let mut law = [0.0; 8];
    for step in -8000..=8000 {
        let z = f64::from(step) * 1e-3;
        let prior = (-0.5 * z * z).exp() * 1e-3 / (2.0 * std::f64::consts::PI).sqrt();
        for (state, p) in law.iter_mut().enumerate() {
            let pixel = |i: usize| {
                let eta = f64::from(model.weights[0][[i, 0]]) * z + f64::from(model.biases[0][i]);
                let on = 1.0 / (1.0 + (-eta).exp());
                if state >> i & 1 == 1 { on } else { 1.0 - on }
            };
            *p += prior * pixel(0) * pixel(1) * pixel(2);
        }
    }
    law
}

/// The largest |z| of the shares of the eight pictures.
fn shares_z(samples: &Array2<f32>, law: &[f64; 8]) -> f64 {
    let mut counts = [0.0f64; 8];
    samples.rows().into_iter().for_each(|x| counts[x.iter().enumerate().map(|(i, &x)| usize::from(x == 1.0) << i).sum::<usize>()] += 1.0);
    let n = samples.nrows() as f64;
    counts.iter().zip(law).map(|(count, p)| (count / n - p).abs() / (p * (1.0 - p) / n).sqrt()).fold(0.0, f64::max)
}

#[test]
fn binary_pictures_have_their_shares_in_every_mode() {
    let model = binary();
    let law = binary_law(&model);
    assert!((law.iter().sum::<f64>() - 1.0).abs() < 1e-6);
    let mut stronger = model.clone();
    stronger.weights[0] *= 1.3; // planted bug
    for (mode, inner, steps) in [(Mode::Ancestral, 1, 1), (Mode::Joint, 1, 1500), (Mode::Marginal, 40, 4000)] {
        let run = |model: &Hierarchy| {
            let mut chains = chains(model, chain_steps(model, 0.02, 0.02, 1.0), request(mode, 6000, inner)).unwrap();
            chains.advance(steps);
            chains.samples()
        };
        let z = shares_z(&run(&model), &law);
        assert!(z < 5.0, "{mode:?}: z = {z}");
        let bug = shares_z(&run(&stronger), &law);
        assert!(bug > 5.0, "{mode:?}: weights 1.3 times too strong are not seen: z = {bug}");
    }
}

/// A mixture of three normal laws of two units, seen through two pixels.
fn mixture() -> Hierarchy {
    let weights = vec![array![[1.0f32, 0.0], [0.3, 1.0]], array![[1.0f32, -1.0, 0.5], [0.2, 0.4, -1.2]]];
    let mut model = Hierarchy::new(vec![gaussian(0.5, 2), gaussian(0.7, 2), layer(FamilyConfig::Categorical, 3)], weights).unwrap();
    model.biases[2] = array![0.0, 0.7, -0.4];
    model
}

#[test]
fn the_categorical_layer_is_drawn_from_its_posterior() {
    let model = mixture();
    let rows = 30_000;
    let x1 = [0.3f32, -0.2];
    // p(c | x_1) from the energy of the whole state, which knows nothing of the heat bath.
    let weight = |c: usize| {
        let hot = Array1::from_shape_fn(3, |k| if k == c { 1.0 } else { 0.0 });
        (-energy(&model, &[array![0.0, 0.0], Array1::from_iter(x1.iter().map(|&x| f64::from(x))), hot])).exp()
    };
    let total: f64 = (0..3).map(weight).sum();
    let z = |model: &Hierarchy| {
        let mut networks = networks(model, rows, 9);
        networks.set_states(model, 1, |_, x| x.copy_from_slice(&x1));
        let still = StepParameters {
            layers: vec![LayerStep { h: 0.0, m: 0.0, rho: 1.0, noisy: true, temperature: 1.0 }; 2],
            dt_ms: 1.0,
            dt_over_tau_eps: 1.0,
            interneurons: 1,
            exact: true,
            simulated: false,
            choice_interval: 1,
        };
        advance(&mut networks, model, &still, 1);
        let one_hot = |(x, c): (&[f32], u32)| x[c as usize] == 1.0 && x.iter().sum::<f32>() == 1.0;
        assert!(networks.states(2).zip(networks.categories()).all(one_hot));
        let share = |c: u32| networks.categories().filter(|&category| category == c).count() as f64 / rows as f64;
        let score = |c: usize| {
            let p = weight(c) / total;
            (share(c as u32) - p).abs() / (p * (1.0 - p) / rows as f64).sqrt()
        };
        (0..3).map(score).fold(0.0, f64::max)
    };
    assert!(z(&model) < 5.0, "z = {}", z(&model));
    let mut bug = model.clone();
    bug.biases[2] = array![0.0, 0.9, -0.4];
    assert!(z(&bug) > 5.0, "another prior is not seen");
}

#[test]
fn joint_samples_below_a_categorical_top_have_the_mixture_s_moments() {
    let model = mixture();
    let p = categorical::prior(&model);
    let centre = |i: usize, c: usize| f64::from(model.weights[1][[i, c]]);
    let mean = |i: usize| (0..3).map(|c| f64::from(p[c]) * centre(i, c)).sum::<f64>();
    let moments = |model: &Hierarchy, choice_interval: usize| {
        let mut steps = chain_steps(model, 0.01, 0.01, 1.5);
        steps.parameters.choice_interval = choice_interval;
        let mut chains = chains(model, steps, request(Mode::Joint, 6000, 1)).unwrap();
        chains.advance(2500);
        chains.states(1)
    };
    let z = |x: &Array2<f32>| {
        let n = x.nrows() as f64;
        (0..2)
            .map(|i| {
                let found = x.column(i).iter().map(|&x| f64::from(x)).sum::<f64>() / n;
                let second = (0..3).map(|c| f64::from(p[c]) * centre(i, c).powi(2)).sum::<f64>() + 0.49;
                (found - mean(i)).abs() / ((second - mean(i).powi(2)) / n).sqrt()
            })
            .fold(0.0, f64::max)
    };
    let mut bug = model.clone();
    bug.biases[2] = array![0.0, 0.0, 0.0];
    for choice_interval in [1, 7] {
        let found = z(&moments(&model, choice_interval));
        assert!(found < 5.0, "z = {found}, the top drawn every {choice_interval} steps");
        assert!(z(&moments(&bug, choice_interval)) > 5.0, "a flat prior is not seen");
    }
}

#[test]
fn a_top_of_as_many_states_as_images_opens_with_their_distance_as_sigma() {
    // A square grid of spacing 1 in one plane: every row lies 1 from its nearest.
    let x = Array2::from_shape_fn((100, 2), |(i, j)| if j == 0 { (i / 10) as f32 } else { (i % 10) as f32 });
    let layers = |k| vec![gaussian(0.5, 2), gaussian(0.7, 2), layer(FamilyConfig::Categorical, k)];
    let opened = |k: usize| {
        let mut model = Hierarchy::new(layers(k), vec![Array2::eye(2), Array2::zeros((2, k))]).unwrap();
        mixture_learning::initialise_states(&mut model, &x, usize::MAX);
        model.layers[1].sigma().unwrap()
    };
    // Distance 1 goes along one of the two axes; ties go to the lower row, so to one axis more often.
    for k in [100, 150] {
        let sigma = opened(k);
        assert!((0.3..=1.0).contains(&sigma), "{k} states: sigma = {sigma}");
    }
}

#[test]
fn opening_the_top_leaves_what_lies_below_as_it_is() {
    let mut model = mixture();
    let x = Array2::from_shape_fn((400, 2), |(i, j)| ((i * (3 + 4 * j)) as f32 * 0.37).sin() * if j == 0 { 2.0 } else { 0.3 });
    let before = x.dot(&model.weights[0].t());
    let gains = mixture_learning::initialise_states(&mut model, &x, usize::MAX);
    let scaled = Array2::from_shape_fn(x.dim(), |(i, j)| x[[i, j]] * gains[j]);
    let after = scaled.dot(&model.weights[0].t());
    assert!(before.iter().zip(&after).all(|(a, b)| (a - b).abs() < 1e-5), "eta_0 of every image stays");
    assert!(gains[1] > 2.0 * gains[0], "the narrow axis is stretched: {gains:?}");
    // The spread around the nearest centre is sigma along both axes.
    let sigma = model.layers[1].sigma().unwrap();
    for i in 0..2 {
        let distance = |r: usize, c: usize| (0..2).map(|k| (scaled[[r, k]] - model.weights[1][[k, c]]).powi(2)).sum::<f32>();
        let off = |r: usize| {
            let nearest = (0..3).min_by(|&a, &b| distance(r, a).total_cmp(&distance(r, b))).unwrap();
            f64::from(scaled[[r, i]] - model.weights[1][[i, nearest]])
        };
        let rms = ((3..400).map(|r| off(r).powi(2)).sum::<f64>() / 397.0).sqrt();
        assert!((rms / sigma - 1.0).abs() < 0.25, "axis {i}: {rms} against {sigma}"); // nearness was judged before the stretching
    }
}

#[test]
fn states_that_open_later_are_not_drawn_before_and_leave_the_others_as_they_are() {
    let layers = vec![gaussian(0.5, 2), gaussian(0.7, 2), layer(FamilyConfig::Categorical, 6)];
    let mut model = Hierarchy::new(layers, vec![Array2::eye(2), Array2::zeros((2, 6))]).unwrap();
    let x = Array2::from_shape_fn((30, 2), |(i, j)| (i as f32 * (0.9 + 0.4 * j as f32)).sin());
    mixture_learning::initialise_states(&mut model, &x, 3);
    model.biases[2][1] = 0.7; // the open states differ in probability
    assert_eq!(model.active_states(), Some(3));
    let rows = 3000;
    let drawn = |model: &Hierarchy| {
        let mut networks = networks(model, rows, 4);
        networks.draw_ancestral(model, 0, 2, 1.0, &in_turn);
        let prior = shares(&networks);
        let still = LayerStep { h: 0.0, m: 0.0, rho: 1.0, noisy: true, temperature: 1.0 };
        let parameters = StepParameters {
            layers: vec![still, LayerStep::new(0.0, 0.0, 1.0)],
            dt_ms: 1.0,
            dt_over_tau_eps: 1.0,
            interneurons: 1,
            exact: true,
            simulated: false,
            choice_interval: 1,
        };
        let span = Span { steps: 1, skip: 0, learn: true, last: true };
        networks.advance(model, &parameters, span, &Probes::default(), &in_turn);
        let posterior = shares(&networks);
        let rule = mixture_learning::MixtureRule { rate: 0.1, dead_fraction: 0.9, expected_error: 1.0 };
        let mut learned = model.clone();
        mixture_learning::learn(&mut learned, &networks.learning_sums(), rule, || vec![0.1, 0.2]);
        (prior, posterior, learned)
    };
    let (prior, posterior, learned) = drawn(&model);
    assert!(prior[3..].iter().chain(&posterior[3..]).all(|&share| share == 0.0), "{prior:?}, {posterior:?}");
    assert_eq!(learned.active_states(), Some(3), "an inactive state does not start again");
    assert!(learned.weights[1].columns().into_iter().skip(3).all(|column| column.iter().all(|&w| w == 0.0)));

    let before = categorical::prior(&model);
    let centres = model.weights[1].clone();
    mixture_learning::add_states(&mut model, &x, 5);
    let p = categorical::prior(&model);
    assert!((0..3).all(|c| (p[c] - 0.6 * before[c]).abs() < 1e-5), "{p:?} after {before:?}");
    assert!(p[3..5].iter().all(|p| (p - 0.2).abs() < 1e-5) && p[5] < 1e-20);
    assert!((0..2).all(|i| (0..3).all(|c| model.weights[1][[i, c]] == centres[[i, c]])));
    assert!((3..5).all(|c| (0..2).all(|i| (model.weights[1][[i, c]] - x[[c - 3, i]]).abs() < 1e-6)));
    let (prior, posterior, _) = drawn(&model);
    assert!(prior[..5].iter().chain(&posterior[..5]).all(|&share| share > 0.0) && prior[5] == 0.0);
    mixture_learning::add_states(&mut model, &x, usize::MAX);
    assert_eq!(model.active_states(), Some(6));
}

/// Share of the networks in each state of the top, layer 2.
fn shares(networks: &Ensemble) -> Vec<f64> {
    let k = networks.network(0)[2].len();
    let count = |c: usize| networks.categories().filter(|&category| category as usize == c).count();
    (0..k).map(|c| count(c) as f64 / networks.networks() as f64).collect()
}

#[test]
fn every_family_is_drawn_from_its_conditional() {
    let rows = 20_000;
    for family in [
        FamilyConfig::RectifiedGaussian { sigma: 0.7 },
        FamilyConfig::ContinuousBernoulli,
        FamilyConfig::Laplace { lambda: 2.0, delta: 0.2, kappa: 0.5 },
        FamilyConfig::StudentT { nu: 5.0, s: 0.6, kappa: 0.5 },
        FamilyConfig::Bernoulli,
        FamilyConfig::LaplaceScale { eta_max: 5.0, delta: 0.3 },
    ] {
        let built = family.build().unwrap();
        let mut model = Hierarchy::new(vec![layer(family, 2), gaussian(1.0, 1)], vec![array![[0.8f32], [-0.6]]]).unwrap();
        model.biases[0] = array![0.3, -0.2];
        let mut networks = networks(&model, rows, 2);
        networks.set_states(&model, 1, |_, x| x.fill(1.0));
        networks.draw_below(&model, 0, 0, 1.0, &in_turn);
        for (unit, a) in [(0, 1.1), (1, -0.8)] {
            let eta = built.link(a);
            let exact = built.mean_statistic(eta);
            let spread = (built.mean_statistic(eta + 1e-4) - built.mean_statistic(eta - 1e-4)) / 2e-4; // A'', the variance of T
            let mean = |shift: f64| {
                let t = networks.states(0).map(|x| built.statistic(f64::from(x[unit]))).sum::<f64>() / rows as f64;
                (t + shift - exact).abs() / (spread / rows as f64).sqrt()
            };
            assert!(mean(0.0) < 5.0, "{family:?}, unit {unit}: z = {}", mean(0.0));
            assert!(mean(0.08 * spread.sqrt()) > 5.0, "a planted shift of 0.08 standard deviations is not seen");
        }
    }
}

#[test]
fn lower_temperatures_narrow_the_law() {
    let model = linear();
    let exact = covariance(&model) * 0.25; // exp(-E/T) of a Gaussian has T times the covariance
    for (mode, steps) in [(Mode::Ancestral, 1), (Mode::Joint, 3000)] {
        let request = GenerationRequest { temperature: 0.25, ..request(mode, 4000, 1) };
        let mut chains = chains(&model, chain_steps(&model, 0.003, 0.003, 2.0), request).unwrap();
        chains.advance(steps);
        let z = covariance_z(&chains.samples(), &exact);
        assert!(z < 5.0, "{mode:?}: z = {z}");
        assert!(covariance_z(&chains.samples(), &covariance(&model)) > 5.0);
    }
}

#[test]
fn what_cannot_be_generated_is_refused_with_the_value_named() {
    let model = linear();
    for (request, part) in [
        (GenerationRequest { count: 0, ..request(Mode::Joint, 1, 1) }, "count = 0"),
        (GenerationRequest { temperature: f64::NAN, ..request(Mode::Joint, 1, 1) }, "temperature"),
        (GenerationRequest { category: Some(1), ..request(Mode::Ancestral, 1, 1) }, "categorical"),
        (GenerationRequest { origin: Origin::Data, ..request(Mode::Joint, 1, 1) }, "data"),
    ] {
        let error = chains(&model, chain_steps(&model, 0.01, 0.01, 0.0), request).err().unwrap().to_string();
        assert!(error.contains(part), "{error}");
    }
}
