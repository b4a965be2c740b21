//! Every family against quadrature and finite differences.

use super::*;
use crate::model::ulps::{column, rows, ulps, worst_of_many};

fn examples() -> Vec<std::sync::Arc<dyn Family>> {
    [
        FamilyConfig::Gaussian { sigma: 0.4 },
        FamilyConfig::Gaussian { sigma: 2.0 },
        FamilyConfig::RectifiedGaussian { sigma: 0.6 },
        FamilyConfig::RectifiedGaussian { sigma: 1.7 },
        FamilyConfig::ContinuousBernoulli,
        FamilyConfig::Laplace { lambda: 3.0, delta: 0.1, kappa: 0.5 },
        FamilyConfig::Laplace { lambda: 1.0, delta: 0.5, kappa: 2.0 },
        FamilyConfig::StudentT { nu: 8.0, s: 0.15, kappa: 1.5 },
        FamilyConfig::StudentT { nu: 3.0, s: 1.0, kappa: 0.5 },
    ]
    .map(|config| config.build().unwrap())
    .into()
}

#[test]
fn slopes_and_curvature_bound_match_finite_differences() {
    for family in examples() {
        let mut largest = f64::NEG_INFINITY;
        let [low, high] = family.bounds();
        for i in (-400..=400).filter(|&i| (low..=high).contains(&(f64::from(i) * 0.01))) {
            let (x, d) = (f64::from(i) * 0.01, 1e-5);
            let slope = (family.base_energy(x + d) - family.base_energy(x - d)) / (2.0 * d);
            assert!((slope - family.base_energy_derivative(x)).abs() < 1e-5 * (1.0 + slope.abs()), "{family:?} B' at {x}");
            let slope = (family.statistic(x + d) - family.statistic(x - d)) / (2.0 * d);
            assert!((slope - family.statistic_derivative(x)).abs() < 1e-6 * (1.0 + slope.abs()), "{family:?} T' at {x}");
            largest = largest.max((family.base_energy_derivative(x + d) - family.base_energy_derivative(x - d)) / (2.0 * d));
        }
        let bound = family.largest_base_curvature();
        assert!(largest <= bound * 1.0001 + 1e-9 && largest >= 0.99 * bound - 1e-9, "{family:?}: curvature {largest}, bound {bound}");
    }
}

#[test]
fn mean_statistic_is_the_slope_of_the_log_partition_and_the_quadrature_mean() {
    for family in examples() {
        for eta in [-14.0, -4.1, -1.5, -0.005, 0.0, 0.02, 0.6, 2.0, 4.3, 7.7, 11.1, 15.9] {
            let d = 1e-4;
            let slope = (family.log_partition(eta + d) - family.log_partition(eta - d)) / (2.0 * d);
            assert!((slope - family.mean_statistic(eta)).abs() < 1e-5 * (1.0 + slope.abs()), "{family:?} at {eta}");
            let (low, high) = family.integration_bounds(eta);
            let log_density = |x| eta * family.statistic(x) - family.base_energy(x);
            let mean = quadrature::mean(log_density, |x| family.statistic(x), low, high);
            assert!((mean - family.mean_statistic(eta)).abs() < 1e-8 * (1.0 + mean.abs()), "{family:?} E[T] at {eta}");
            let square = quadrature::mean(log_density, |x| family.statistic(x).powi(2), low, high);
            assert!(square - mean * mean <= family.largest_statistic_variance() * (1.0 + 1e-9), "{family:?} Var T at {eta}");
        }
    }
}

#[test]
fn slices_agree_with_scalars() {
    let all = [-3.0f32, -0.2, 0.0, 0.01, 0.5, 7.0];
    let eta = [0.3f32, -1.0, 0.0, 2.0, 0.1, -0.4];
    for family in
        examples().into_iter().chain([FamilyConfig::Bernoulli, FamilyConfig::Binomial { trials: 16 }].map(|config| config.build().unwrap()))
    {
        let [low, high] = family.bounds().map(|b| b as f32);
        let x = all.map(|x| x.clamp(low, high));
        let mut out = [0.0; 6];
        for with_eta in [false, true] {
            family.prior_current(&x, if with_eta { &eta } else { &[] }, &mut out);
            for i in 0..6 {
                let (x, eta) = (f64::from(x[i]), if with_eta { f64::from(eta[i]) } else { 0.0 });
                let exact = family.statistic_derivative(x) * eta - family.base_energy_derivative(x);
                assert!((f64::from(out[i]) - exact).abs() < 1e-5 * (1.0 + exact.abs()), "{family:?}");
            }
            family.energies(&x, if with_eta { &eta } else { &[] }, &mut out);
            for i in 0..6 {
                let (x, eta) = (f64::from(x[i]), if with_eta { f64::from(eta[i]) } else { 0.0 });
                let exact = family.base_energy(x) - eta * family.statistic(x);
                assert!((f64::from(out[i]) - exact).abs() < 1e-5 * (1.0 + exact.abs()), "{family:?} energy");
            }
        }
        family.statistics(&x, &mut out);
        assert!((f64::from(out[4]) - family.statistic(0.5)).abs() < 1e-5 * family.statistic(0.5).abs());
        let (statistics, mut errors) = (out, [0.0; 6]);
        family.errors(&x, &eta, &mut errors);
        assert!((0..6).all(|i| errors[i] == statistics[i] - eta[i]), "{family:?}: the same bits as in two passes");
    }
}

/// Largest distance, in ulps of the largest term, of T, T' eta - B' and B - eta T of random slices from the scalar formulas.
fn worst_ulps(family: &dyn Family, reference: &dyn Family) -> f64 {
    worst_of_many(rows::<2>(-5.0, 5.0), |input| {
        let [low, high] = family.bounds().map(|b| b as f32);
        let x: Vec<f32> = column(&input, 0).iter().map(|x| x.clamp(low, high)).collect();
        let eta: Vec<f32> = column(&input, 1).iter().map(|eta| if family.has_link() { 0.01 + eta.abs() } else { *eta }).collect();
        let zeros = || vec![0.0; x.len()];
        let (mut statistics, mut current, mut energy) = (zeros(), zeros(), zeros());
        family.statistics(&x, &mut statistics);
        family.prior_current(&x, &eta, &mut current);
        family.energies(&x, &eta, &mut energy);
        let each = |i: usize| {
            let (x, eta) = (f64::from(x[i]), f64::from(eta[i]));
            let (statistic_term, base_term) = (reference.statistic_derivative(x) * eta, reference.base_energy_derivative(x));
            let (gain, cost) = (reference.statistic(x) * eta, reference.base_energy(x));
            ulps(statistics[i], reference.statistic(x), 0.0)
                .max(ulps(current[i], statistic_term - base_term, statistic_term.abs().max(base_term.abs())))
                .max(ulps(energy[i], cost - gain, cost.abs().max(gain.abs())))
        };
        (0..x.len()).map(each).fold(0.0, f64::max)
    })
}

#[test]
fn random_slices_are_within_eight_ulps_of_the_scalars_and_a_planted_bug_is_not() {
    let others = [
        FamilyConfig::Bernoulli,
        FamilyConfig::Binomial { trials: 16 },
        FamilyConfig::Exponential,
        FamilyConfig::LaplaceScale { eta_max: 14.0, delta: 0.15 },
    ];
    for family in examples().into_iter().chain(others.map(|config| config.build().unwrap())) {
        let worst = worst_ulps(family.as_ref(), family.as_ref());
        assert!(worst <= 8.0, "{family:?}: {worst} ulps");
    }
    let reference = FamilyConfig::StudentT { nu: 8.0, s: 0.150_000_3, kappa: 1.5 }.build().unwrap();
    assert!(worst_ulps(examples()[7].as_ref(), reference.as_ref()) > 8.0, "planted: s is 2e-6 too large");
}

#[test]
fn parameters_out_of_range_are_named() {
    let error = FamilyConfig::Gaussian { sigma: -1.0 }.build().unwrap_err().to_string();
    assert!(error.contains("sigma = -1"), "{error}");
    assert!(FamilyConfig::StudentT { nu: f64::NAN, s: 1.0, kappa: 0.0 }.build().unwrap_err().to_string().contains("nu"));
    assert!(FamilyConfig::Laplace { lambda: 1.0, delta: 1.0, kappa: -0.1 }.build().unwrap_err().to_string().contains("kappa"));
}

#[test]
fn bernoulli_against_its_two_values() {
    let family = FamilyConfig::Bernoulli.build().unwrap();
    for eta in [-30.0, -2.0, 0.0, 0.7, 25.0f64] {
        let (a, p) = (eta.exp().ln_1p(), eta.exp() / (1.0 + eta.exp()));
        assert!((family.log_partition(eta) - a).abs() < 1e-12 * (1.0 + a.abs()) && (family.mean_statistic(eta) - p).abs() < 1e-12);
        assert!(p * (1.0 - p) <= family.largest_statistic_variance());
    }
}
