//! The points that studies measure on the exact curves, and the bars all found.

use heescope::dynamics::Probes;
use heescope::experiment::{FrozenModel, ModelVersion, Session, presets};
use heescope::model::FamilyConfig;
use heescope::studies::natural_parameter::{FAMILIES, eta_origin, family_options};
use heescope::studies::partition_error::exact_error;
use heescope::studies::separation::{stationary_variance, variance_levels};
use heescope::studies::{self, Point, Study, StudyOptions, StudyTarget};
use std::sync::Arc;

/// K of the series.
const INTERNEURONS: [usize; 3] = [1, 4, 16];
/// Tolerance in standard errors.
const Z: f64 = 5.0;

fn target(preset: &str, dt_ms: f64) -> StudyTarget {
    let mut config = presets::by_name(preset).unwrap();
    config.dynamics.dt_ms = dt_ms;
    StudyTarget::of(&Session::new(config).unwrap(), ModelVersion::default())
}

fn points(study: &dyn Study, target: &StudyTarget, options: &StudyOptions, most: usize) -> Vec<Point> {
    studies::measure(study, target, options, &mut |findings| findings.points.len() < most).unwrap().points
}

/// The same target with other dynamics.
fn with_dynamics(target: &StudyTarget, change: impl FnOnce(&mut heescope::experiment::config::DynamicsConfig)) -> StudyTarget {
    let mut frozen = FrozenModel::clone(&target.frozen);
    change(&mut frozen.dynamics);
    StudyTarget { frozen: Arc::new(frozen), ..target.clone() }
}

/// Largest z against `theory`, after allowing a relative `bias` for the finite step.
fn worst(points: &[Point], theory: impl Fn(&Point) -> f64, bias: f64) -> f64 {
    points.iter().map(|p| ((p.y - theory(p)).abs() - bias * theory(p).abs()).max(0.0) / p.error.max(1e-12)).fold(0.0, f64::max)
}

#[test]
fn adaptation_sweep_lies_on_the_curve() {
    let target = target("ridge", 0.25);
    let (study, options) = (&studies::adaptation::STUDY, StudyOptions::default());
    let found = points(study, &target, &options, 7);
    assert_eq!(found.len(), 7);
    let theory = |target: &StudyTarget, p: &Point| study.expected(target, &options, 0, p.x).unwrap();
    let z = worst(&found[1..], |p| theory(&target, p), 0.03);
    assert!(z < Z, "{found:?}");
    // Planted bug: adaptation that is forgotten half as fast as theory is told.
    let wrong = with_dynamics(&target, |d| d.tau_v_ms *= 2.0);
    assert!(worst(&found[1..], |p| theory(&wrong, p), 0.03) > Z);
}

#[test]
fn separation_lies_on_the_curves_of_every_k() {
    for preset in ["slow-interneurons", "chain"] {
        let target = target(preset, 0.25);
        let all = points(&studies::separation::STUDY, &target, &StudyOptions::default(), usize::MAX);
        let found: Vec<Point> = all.into_iter().filter(|p| p.x >= 0.03 && p.x <= 2.0).collect();
        let (stable, unstable): (Vec<Point>, Vec<Point>) =
            found.into_iter().partition(|p| stationary_variance(&target, p.x, INTERNEURONS[p.series]).is_some());
        assert!(stable.len() >= 6);
        let theory = |p: &Point| stationary_variance(&target, p.x, INTERNEURONS[p.series]).unwrap();
        assert!(worst(&stable, theory, 0.03) < Z, "{preset}: {stable:?}");
        assert!(
            unstable.iter().all(|p| p.y > 3.0),
            "{preset}: where theory has no stationary distribution the chains run away: {unstable:?}"
        );
        let ignored = |p: &Point| stationary_variance(&target, p.x, 1).unwrap_or(1.0);
        let found = stable;
        assert!(worst(&found, ignored, 0.03) > Z, "{preset}: interneurons that ignore K are told apart");
        let [posterior, prior] = variance_levels(&target).unwrap();
        assert!(posterior < prior);
    }
    let scalar = target("slow-interneurons", 0.25);
    let found = stationary_variance(&scalar, 0.1, 4).unwrap();
    assert!((found - heescope::model::closed_form::separation_variance(17.0, 0.1, 4)).abs() < 1e-6, "{found}");
}

#[test]
fn interneurons_find_the_log_partition_itself() {
    let target = with_dynamics(&target("ridge", 1.0), |d| (d.tau_eps_ms, d.interneurons) = (0.5, 4));
    for config in FAMILIES {
        let family = config.build().unwrap();
        let found = points(&studies::partition::STUDY, &target, &family_options(config), usize::MAX);
        let slope: Vec<Point> = found.iter().copied().filter(|p| p.series == 0).collect();
        let value: Vec<Point> = found.iter().copied().filter(|p| p.series == 1 && p.error > 0.0).collect();
        assert!(worst(&slope, |p| family.mean_statistic(p.x), 0.0) < Z, "{config:?}: A'");
        // Simpson's rule itself errs by well below 1 %.
        let a = |eta: f64| family.log_partition(eta) - family.log_partition(eta_origin(family.as_ref()));
        assert!(worst(&value, |p| a(p.x), 0.01) < Z, "{config:?}: A");
        assert!(worst(&value, |p| 1.1 * a(p.x), 0.01) > Z, "{config:?}: a partition function 1.1 times as steep is told apart");
    }
}

#[test]
fn the_error_of_the_mean_follows_tau_eps_and_k() {
    let target = target("ridge", 1.0);
    let config = FamilyConfig::Gaussian { sigma: 0.7 };
    let family = config.build().unwrap();
    let found = points(&studies::partition_error::STUDY, &target, &family_options(config), usize::MAX);
    assert_eq!(found.len(), 24);
    let theory = |p: &Point| exact_error(family.as_ref(), p.x, INTERNEURONS[p.series]).unwrap();
    assert!(worst(&found, theory, 0.01) < Z, "{found:?}");
    assert!(worst(&found, |p| exact_error(family.as_ref(), p.x, 1).unwrap(), 0.01) > Z);
}

#[test]
fn all_bars_are_found_from_five_seeds() {
    let dictionary = heescope::data::bars::dictionary(8);
    for seed in 0..5 {
        let mut config = presets::by_name("bars").unwrap();
        config.dynamics.seed = seed;
        config.learning.rate_schedule = heescope::experiment::LearningRateSchedule::Linear;
        let mut session = Session::new(config).unwrap();
        let found = |session: &Session| {
            let cosine = session.model().weights[0].t().dot(&dictionary);
            (0..16).filter(|&bar| cosine.column(bar).iter().any(|&c| c > 0.95)).count()
        };
        assert!(found(&session) < 3, "the start knows no bars");
        let last = session.run_for(60_000);
        while session.images() < last {
            session.advance(usize::MAX, &Probes::default());
        }
        assert_eq!(found(&session), 16, "seed {seed}");
    }
}
