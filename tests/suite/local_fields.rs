//! Units that are connected to a place of the image each: where the weights are at the start, that they stay there, and what it is good for.

use heescope::analysis::{gabor, locality};
use heescope::dynamics::Probes;
use heescope::experiment::session::build_model;
use heescope::experiment::{Config, FirstWeights, LearningRateSchedule, Session, presets};
use ndarray::Array2;

const SIDE: usize = 20;
const UNITS: usize = 200;

/// Dead leaves of 20 x 20 pixels and 200 units, with these first weights.
fn config(first_weights: FirstWeights) -> Config {
    let mut config = presets::by_name("dead-leaves").unwrap();
    config.model.layers.iter_mut().zip([SIDE * SIDE, UNITS]).for_each(|(layer, size)| layer.size = size);
    config.model.first_weights = first_weights;
    config.data.patch = SIDE;
    config.learning.rate_schedule = LearningRateSchedule::Linear;
    config
}

fn learned(mut session: Session, images: u64) -> Session {
    let last = session.run_for(images);
    while session.images() <= last {
        session.advance(usize::MAX, &Probes::default());
    }
    session
}

/// Where a filter is not 0, as rows and columns of the image.
fn support(w: &Array2<f32>, unit: usize) -> Vec<[f64; 2]> {
    let pixels = w.column(unit).into_iter().enumerate().filter(|(_, w)| **w != 0.0);
    pixels.map(|(pixel, _)| [(pixel / SIDE) as f64, (pixel % SIDE) as f64]).collect()
}

#[test]
fn local_weights_lie_within_nine_pixels_of_places_all_over_the_image() {
    let w = |first_weights| build_model(&config(first_weights)).unwrap().weights.remove(0);
    let (local, everywhere) = (w(FirstWeights::Local), w(FirstWeights::UnitNorm));
    assert!(everywhere.iter().all(|&w| w != 0.0), "of other columns every weight is a connection");
    assert_ne!(local, w(FirstWeights::FanIn));
    let mut centres = Vec::new();
    for unit in 0..UNITS {
        let filter = local.column(unit);
        assert!((filter.dot(&filter) - 1.0).abs() < 1e-5, "unit {unit}");
        let pixels = support(&local, unit);
        let widest = pixels.iter().flat_map(|a| pixels.iter().map(|b| (a[0] - b[0]).hypot(a[1] - b[1]))).fold(0.0, f64::max);
        assert!((9.0..=18.1).contains(&widest), "unit {unit}: {widest} pixels wide");
        centres.push(filter.iter().enumerate().fold([0.0; 2], |[y, x], (pixel, w)| {
            let energy = f64::from(w * w);
            [y + energy * (pixel / SIDE) as f64, x + energy * (pixel % SIDE) as f64]
        }));
    }
    for axis in [0, 1] {
        let mean = centres.iter().map(|centre| centre[axis]).sum::<f64>() / UNITS as f64;
        let spread = (centres.iter().map(|centre| (centre[axis] - mean).powi(2)).sum::<f64>() / UNITS as f64).sqrt();
        let middle = (SIDE - 1) as f64 / 2.0;
        assert!((mean - middle).abs() < 4.0 * spread / (UNITS as f64).sqrt(), "axis {axis}: {mean}");
        assert!(spread > 4.0, "axis {axis}: places {spread} pixels about their mean; uniform ones 5.8");
    }
}

#[test]
fn where_there_is_no_connection_none_is_learned_and_a_rule_for_all_weights_is_seen() {
    let learned = |rule: FirstWeights| {
        let start = build_model(&config(FirstWeights::Local)).unwrap();
        let before = start.weights[0].clone();
        let after = learned(Session::with_model(config(rule), start).unwrap(), 500).model().weights[0].clone();
        (before, after)
    };
    let kept = |(before, after): &(Array2<f32>, Array2<f32>)| {
        let pairs = || before.iter().zip(after);
        let still_absent = pairs().filter(|(before, _)| **before == 0.0).all(|(_, after)| *after == 0.0);
        (still_absent, pairs().filter(|(before, after)| before != after).count())
    };
    let local = learned(FirstWeights::Local);
    let connections = local.0.iter().filter(|w| **w != 0.0).count();
    let (still_absent, changed) = kept(&local);
    assert!(still_absent && changed * 100 > connections * 99, "{changed} of {connections} changed");
    assert!(!kept(&learned(FirstWeights::UnitNorm)).0, "planted: every weight learns");
}

#[test]
fn local_fields_become_gabor_functions_in_fewer_images() {
    let share = |first_weights| {
        let session = learned(Session::new(config(first_weights)).unwrap(), 5_000);
        let w = &session.model().weights[0];
        let is_gabor = |filter: Vec<f32>| locality::is_gabor(&filter, [SIDE, SIDE], &gabor::fit(&filter, [SIDE, SIDE]));
        w.columns().into_iter().filter(|filter| is_gabor(filter.to_vec())).count() as f64 / UNITS as f64
    };
    let [local, everywhere] = [FirstWeights::Local, FirstWeights::UnitNorm].map(share);
    // Found 0.80 and 0.20 by another count; the standard error of their difference is 0.04.
    let error = ((local * (1.0 - local) + everywhere * (1.0 - everywhere)) / UNITS as f64).sqrt();
    assert!(local - everywhere > 5.0 * error, "{local} and {everywhere} +- {error}");
}

#[test]
fn the_example_of_large_patches_is_a_configuration_of_local_fields() {
    let config: Config = Config::from_toml(include_str!("../../examples/photographs-32.toml")).unwrap();
    assert_eq!(config.model.first_weights, FirstWeights::Local);
    assert_eq!(config.model.layers.iter().map(|layer| layer.size).collect::<Vec<_>>(), [32 * 32, 2048]);
    config.validate().unwrap();
    // All else is as in the preset.
    let preset = presets::by_name("photographs").unwrap();
    let same = Config { model: preset.model.clone(), data: preset.data.clone(), ..config };
    assert_eq!(same, preset);
}
