//! Scale modulation (model.md 7): exact draws, the learning rule as the gradient of the likelihood, groups that are there and are found.

use heescope::analysis::gabor::orientation_difference;
use heescope::data::Source;
use heescope::dynamics::interneurons::equilibrium_statistics_under;
use heescope::dynamics::learning::normalise_columns;
use heescope::dynamics::noise::Noise;
use heescope::dynamics::{Ensemble, EnsembleOptions, Probes, Span, in_turn};
use heescope::dynamics::{LayerStep, StepParameters};
use heescope::experiment::stages::StageConfig;
use heescope::experiment::{Config, Session, presets};
use heescope::model::energy::energy;
use heescope::model::families::InterneuronDynamics;
use heescope::model::{Activation, FamilyConfig, Hierarchy, Layer};
use heescope::studies::tuning::{Preparation, Protocol};
use ndarray::{Array1, Array2};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use rand_distr::{Distribution, Exp1};

/// Tolerance in standard errors.
const Z: f64 = 5.0;

fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, (variance / n).sqrt())
}

#[test]
fn exact_draws_and_micro_steps_agree_with_the_mean_in_closed_form() {
    let parameters = StepParameters {
        layers: Vec::new(),
        dt_ms: 1.0,
        dt_over_tau_eps: 4.0,
        interneurons: 1,
        exact: false,
        simulated: false,
        choice_interval: 1,
    };
    for (eta_max, delta) in [(14.0, 0.15), (6.0, 0.5)] {
        let family = FamilyConfig::LaplaceScale { eta_max, delta }.build().unwrap();
        for eta in [0.1 * eta_max, 0.5 * eta_max, 0.95 * eta_max] {
            let exact = family.mean_statistic(eta);
            let variance = 2.0 / (eta * eta);
            for law in [InterneuronDynamics::Redraw, InterneuronDynamics::MicroSteps { mobility: (0.02 * variance) as f32 }] {
                let copies = vec![eta as f32; 4000];
                let steps = if law == InterneuronDynamics::Redraw { 20 } else { 60 };
                let found = equilibrium_statistics_under(law, family.as_ref(), &copies, &parameters, steps, &mut Noise::new(3, 1));
                let own: Vec<f64> =
                    (0..copies.len()).map(|i| found.iter().map(|row| f64::from(row[i])).sum::<f64>() / found.len() as f64).collect();
                let (mean, error) = mean_and_error(&own);
                assert!((mean - exact).abs() < Z * error, "{law:?} at {eta}: {mean} against {exact}, error {error}");
                if law == InterneuronDynamics::Redraw {
                    // Planted bug: without the rejection |y| is exponential with mean sqrt(2)/eta.
                    let quantile = |k: u32| -(1.0 - (f64::from(k) + 0.5) / 4096.0f64).ln() * 2f64.sqrt() / eta;
                    let wrong = -(0..4096).map(|k| quantile(k).hypot(delta)).sum::<f64>() / 4096.0;
                    assert!((mean - wrong).abs() > Z * error, "rejection left out at {eta}: {wrong} against {mean}");
                }
            }
        }
    }
}

fn tiny(weight: f32, bias: f32) -> Hierarchy {
    let layer = |family: FamilyConfig, activation| Layer::new(family, activation, 1).unwrap();
    let layers = vec![
        layer(FamilyConfig::Gaussian { sigma: 0.5 }, Activation::Linear),
        layer(FamilyConfig::LaplaceScale { eta_max: 8.0, delta: 0.3 }, Activation::Linear),
        layer(FamilyConfig::Exponential, Activation::Centred),
    ];
    let mut model = Hierarchy::new(layers, vec![Array2::from_elem((1, 1), 1.0), Array2::from_elem((1, 1), weight)]).unwrap();
    model.biases[1].fill(bias);
    model
}

/// log p(x_0) by the trapezoidal rule over x_1 and x_2.
fn log_likelihood(weight: f32, bias: f32, x0: f64) -> f64 {
    let model = tiny(weight, bias);
    let (mut sum, points) = (0.0, 300);
    for i in 0..=points {
        let x1 = -4.0 + 8.0 * f64::from(i) / f64::from(points);
        for j in 0..=points {
            let x2 = 16.0 * f64::from(j) / f64::from(points);
            let edge = if j == 0 || j == points { 0.5 } else { 1.0 };
            sum += edge * (-energy(&model, &[Array1::from_elem(1, x0), Array1::from_elem(1, x1), Array1::from_elem(1, x2)])).exp();
        }
    }
    sum.ln()
}

#[test]
fn the_local_rule_climbs_the_exact_likelihood() {
    let (weight, bias, x0) = (0.7f32, -0.4f32, 0.9);
    let slope = |w: f32, b: f32| {
        let d = 0.01;
        [
            (log_likelihood(w + d, b, x0) - log_likelihood(w - d, b, x0)) / (2.0 * f64::from(d)),
            (log_likelihood(w, b + d, x0) - log_likelihood(w, b - d, x0)) / (2.0 * f64::from(d)),
        ]
    };
    let exact = slope(weight, bias);
    let model = tiny(weight, bias);
    let layers = vec![LayerStep::new(0.004, 3.0, 0.3), LayerStep::new(0.02, 1.0, 0.3)];
    let parameters =
        StepParameters { layers, dt_ms: 1.0, dt_over_tau_eps: 40.0, interneurons: 1, exact: false, simulated: false, choice_interval: 1 };
    // Each ensemble is one independent estimate.
    let mut estimates = [Vec::new(), Vec::new()];
    for stream in 0..24 {
        let mut networks = Ensemble::new(&model, &EnsembleOptions { seed: 9, stream, ..EnsembleOptions::new(&model, 50) });
        networks.clamp(&[x0 as f32], &[]);
        let span = Span { steps: 7000, skip: 2000, learn: true, last: true };
        networks.advance(&model, &parameters, span, &Probes::default(), &in_turn);
        let sums = networks.learning_sums();
        estimates[0].push(f64::from(sums.weights(1)[0][0]) / sums.samples() as f64);
        estimates[1].push(f64::from(sums.biases(1)[0][0]) / sums.samples() as f64);
    }
    let scale = exact.iter().fold(0.0f64, |top, v| top.max(v.abs()));
    let wrong = slope(weight, bias + 1.0);
    let mut planted = false;
    for k in 0..2 {
        let (mean, error) = mean_and_error(&estimates[k]);
        let z = |truth: f64| ((mean - truth).abs() - 0.03 * scale).max(0.0) / error; // 3 % for the finite step
        assert!(z(exact[k]) < Z, "derivative {k}: {mean} +- {error} against {}", exact[k]);
        planted |= z(wrong[k]) > Z; // planted: another bias
    }
    assert!(planted, "{estimates:?} against {wrong:?}");
}

/// Stimuli of 4 x 4 pixels, each a unit of its own, whose scales rise together within each half; or each alone.
fn modulated(count: usize, together: bool, rng: &mut ChaCha8Rng) -> Array2<f32> {
    let mut stimuli = Array2::zeros((count, 16));
    for mut row in stimuli.rows_mut() {
        let shared = [0, 1].map(|_| if rng.random_bool(0.5) { 1.5f32 } else { 0.1 });
        for (i, x) in row.iter_mut().enumerate() {
            let own = if rng.random_bool(0.5) { 1.5 } else { 0.1 };
            let size: f32 = Exp1.sample(rng);
            let sign = if rng.random_bool(0.5) { 1.0 } else { -1.0 };
            *x = sign * size * if together { shared[i / 8] } else { own };
        }
    }
    stimuli
}

/// For each half of the units: how far the weights of some second-layer unit into it stand apart from those into the other half, in
/// standard deviations within the halves.
fn separation(w: &Array2<f32>) -> [f64; 2] {
    [0, 1].map(|half| {
        w.columns()
            .into_iter()
            .map(|column| {
                let part = |h: usize| column.iter().skip(8 * h).take(8).map(|&w| f64::from(w)).collect::<Vec<_>>();
                let ((inside, e1), (outside, e2)) = (mean_and_error(&part(half)), mean_and_error(&part(1 - half)));
                (inside - outside) / (8.0 * (e1 * e1 + e2 * e2) / 2.0).sqrt()
            })
            .fold(0.0, f64::max)
    })
}

fn groups(together: bool) -> [f64; 2] {
    let mut config: Config = presets::by_name("v1-v2").unwrap();
    config.data.source = Source::DeadLeaves;
    (config.data.patch, config.data.patches) = (4, 200);
    (config.model.layers[0].size, config.model.layers[1].size, config.model.layers[2].size) = (16, 16, 4);
    config.model.weights = (0..16).map(|i| (0..16).map(|j| f32::from(u8::from(i == j))).collect()).collect();
    let stage: StageConfig = config.stages[1].clone();
    config.stages = vec![StageConfig { images: 60_000, ..stage }];
    let mut session = Session::new(config).unwrap();
    session.replace_stimuli(modulated(8000, together, &mut ChaCha8Rng::seed_from_u64(4))).unwrap();
    session.go_to_stage(0);
    while session.images() < 60_000 {
        session.advance(usize::MAX, &Probes::default());
    }
    assert!(session.model().weights[0].diag().iter().all(|&w| w == 1.0), "W0 rests in this stage");
    separation(&session.model().weights[1])
}

#[test]
fn units_whose_scales_rise_together_become_a_group() {
    let found = groups(true);
    assert!(found.iter().all(|&z| z > 3.0), "{found:?}");
    let none = groups(false);
    assert!(none.iter().all(|&z| z < 2.0), "planted: every scale alone: {none:?}");
}

#[test]
fn stages_follow_one_another_are_steered_and_kept() {
    let mut config = presets::by_name("v1-v2").unwrap();
    config.data.source = Source::DeadLeaves;
    (config.data.patch, config.data.patches) = (8, 500);
    (config.model.layers[0].size, config.model.layers[1].size, config.model.layers[2].size) = (64, 32, 5);
    heescope::experiment::stages::scale(&mut config.stages, 1600);
    let lengths: Vec<u64> = config.stages.iter().map(|stage| stage.images).collect();
    assert_eq!(lengths, [1000, 600]);
    let mut session = Session::new(config).unwrap();
    assert!(session.model().weights[1].iter().all(|&w| w == 0.0), "the second layer is closed");
    let before = session.model().weights[0].clone();
    while session.position().stage == 0 {
        session.advance(usize::MAX, &Probes::default());
        assert!(session.images() < 2000);
    }
    assert_ne!(session.model().weights[0], before);
    let spread = session.model().weights[1].std(0.0);
    assert!((spread - 0.1).abs() < 0.03, "W1 starts at 0.1 N(0, 1): {spread}");
    let (first, second) = (session.model().weights[0].clone(), session.model().weights[1].clone());
    (0..5).for_each(|_| drop(session.advance(usize::MAX, &Probes::default())));
    assert_eq!(session.model().weights[0], first);
    assert_ne!(session.model().weights[1], second);
    // Kept in a model file and gone on with.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.npz");
    heescope::experiment::modelfile::save(&path, session.config(), &session).unwrap();
    let (config, model) = heescope::experiment::modelfile::load(&path).unwrap();
    let again = Session::with_model(config, model).unwrap();
    assert_eq!((again.position(), again.model().weights[1].clone()), (session.position(), session.model().weights[1].clone()));
    // Back to the first stage: W0 learns again.
    session.go_to_stage(0);
    session.advance(usize::MAX, &Probes::default());
    assert_eq!(session.position().stage, 0);
    assert_ne!(session.model().weights[0], first);
}

/// Twelve filters at 12 x 12 pixels, six at each of two orientations and of all phases, and two units that raise the scales of either
/// six (or, planted, of every other filter of both).
fn two_groups(orientations: [f64; 2], mixed: bool) -> Hierarchy {
    let mut w = Array2::zeros((144, 12));
    for (j, mut column) in w.columns_mut().into_iter().enumerate() {
        let phase = std::f64::consts::TAU * (j % 6) as f64 / 6.0;
        for (i, g) in Protocol::grating([12, 12], orientations[j / 6], 0.18, phase, 1.0).enumerate() {
            let (x, y) = ((i % 12) as f32 - 5.5, (i / 12) as f32 - 5.5);
            column[i] = g * (-(x * x + y * y) / 12.0).exp();
        }
    }
    normalise_columns(&mut w);
    let group = |j: usize| if mixed { j % 2 } else { j / 6 };
    let second = Array2::from_shape_fn((12, 2), |(j, unit)| if group(j) == unit { 0.8f32 } else { -0.3 });
    let layer = |family: FamilyConfig, activation, size| Layer::new(family, activation, size).unwrap();
    let layers = vec![
        layer(FamilyConfig::Gaussian { sigma: 0.4 }, Activation::Linear, 144),
        layer(FamilyConfig::LaplaceScale { eta_max: 14.0, delta: 0.15 }, Activation::Linear, 12),
        layer(FamilyConfig::Exponential, Activation::Centred, 2),
    ];
    let mut model = Hierarchy::new(layers, vec![w, second]).unwrap();
    model.biases[1].fill(-1.0);
    model
}

#[test]
fn a_unit_of_the_second_layer_is_tuned_to_its_group_whatever_the_phase() {
    let orientations = [0.4, 0.4 + std::f64::consts::FRAC_PI_2];
    let respond = |mixed| {
        let layers = vec![LayerStep::new(0.005, 4.0, 0.3), LayerStep::new(0.03, 1.0, 0.3)];
        let parameters = StepParameters {
            layers,
            dt_ms: 1.0,
            dt_over_tau_eps: 40.0,
            interneurons: 1,
            exact: false,
            simulated: false,
            choice_interval: 1,
        };
        let model = two_groups(orientations, mixed);
        let preparation = Preparation { model: &model, parameters: &parameters, active_layers: 2, layer: 2 };
        let protocol =
            Protocol { orientations: 12, frequencies: vec![0.18], contrasts: vec![1.0], burn_in: 200, samples: 300, ..Protocol::default() };
        preparation.run(&protocol, [12, 12], &mut |_, _, _| true).unwrap()
    };
    let found = respond(false);
    for (unit, orientation) in found.units.iter().zip(orientations) {
        let tuning = unit.orientation.as_ref().unwrap();
        assert!(orientation_difference(tuning.preferred, orientation) < 0.2, "{tuning:?} against {orientation}");
        assert!(unit.modulation.unwrap() < 0.7, "a pool of all phases is complex: {unit:?}");
    }
    let variance = |found: &heescope::studies::tuning::Responses| {
        found.units.iter().map(|u| u.orientation.as_ref().map_or(1.0, |o| o.circular_variance)).sum::<f64>()
    };
    let planted = respond(true);
    assert!(variance(&planted) > variance(&found) + 0.2, "groups of both orientations: {} {}", variance(&planted), variance(&found));
}
