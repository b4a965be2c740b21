//! The log-partition A(eta) of a family and its slope as interneurons find them: without any sum over states, by thermodynamic
//! integration (model.md 5.5).

use super::natural_parameter::{FAMILY_OPTION, eta_interval, eta_origin, family, interneuron_parameters};
use crate::dynamics::interneurons::equilibrium_statistics;
use crate::dynamics::noise::Noise;
use crate::model::Family;
use crate::studies::{Axis, Figure, Observer, Point, Study, StudyError, StudyOption, StudyOptions, StudyTarget};

/// Intervals of the thermodynamic integration.
const ETAS: usize = 80;
/// Independent repeats at each eta.
const REPEATS: usize = 64;
/// Steps over which each repeat is averaged.
const STEPS: usize = 20;

/// The study.
pub struct Partition;
/// Its value in the registry.
pub static STUDY: Partition = Partition;

impl Study for Partition {
    fn name(&self) -> &'static str {
        "partition"
    }

    fn title(&self) -> &'static str {
        "Log-partition"
    }

    fn summary(&self) -> &'static str {
        "A'(eta) and A(eta) by the interneurons"
    }

    fn options(&self) -> &'static [StudyOption] {
        &[FAMILY_OPTION]
    }

    fn applies(&self, target: &StudyTarget) -> Result<(), StudyError> {
        family(target, &StudyOptions::default()).map(drop)
    }

    fn figure(&self, target: &StudyTarget, options: &StudyOptions) -> Figure {
        let figure = Figure::of(Axis::linear("eta"), Axis::linear("A' and A")).named(&["A'(eta)", "A(eta) - A(eta_0)"]).exact();
        match family(target, options) {
            Ok(family) => {
                let [low, high] = eta_interval(family.as_ref());
                figure.over(low, high)
            }
            Err(_) => figure,
        }
    }

    fn total(&self, _: &StudyTarget, _: &StudyOptions) -> usize {
        2 * (ETAS / 2 + 1)
    }

    fn expected(&self, target: &StudyTarget, options: &StudyOptions, series: usize, eta: f64) -> Option<f64> {
        let family = family(target, options).ok()?;
        Some(match series {
            0 => family.mean_statistic(eta),
            _ => family.log_partition(eta) - family.log_partition(eta_origin(family.as_ref())),
        })
    }

    /// Series 0: A'(eta) as <T(y)>; series 1: A(eta) - A(eta_0) as its integral from eta_0, by Simpson's rule.
    fn run(&self, target: &StudyTarget, options: &StudyOptions, observer: &mut dyn Observer) -> Result<(), StudyError> {
        let family = family(target, options)?;
        let [low, high] = eta_interval(family.as_ref());
        let h = (high - low) / ETAS as f64;
        let eta = |i: usize| low + h * i as f64;
        let slopes = mean_statistics(target, family.as_ref(), eta);
        for i in (0..=ETAS).step_by(2) {
            observer.point(Point::new(0, eta(i), slopes[i].0, slopes[i].1))?;
        }
        for i in (0..=ETAS).step_by(2) {
            let (value, error) = integral(&slopes, i, h);
            observer.point(Point::new(1, eta(i), value, error))?;
        }
        Ok(())
    }
}

/// <T(y)> at each eta and its standard error.
fn mean_statistics(target: &StudyTarget, family: &dyn Family, eta: impl Fn(usize) -> f64) -> Vec<(f64, f64)> {
    let repeated: Vec<f32> = (0..=ETAS).flat_map(|i| [eta(i) as f32; REPEATS]).collect();
    let d = &target.frozen.dynamics;
    let parameters = interneuron_parameters(d.dt_ms / d.tau_eps_ms, d.interneurons);
    let mut noise = Noise::new(d.seed, 1 << 33);
    let samples = equilibrium_statistics(family, &repeated, &parameters, STEPS, &mut noise);
    // Mean over steps of each repeat, then over repeats: repeats are independent, steps need not be.
    let estimate = |i: usize| {
        let own: Vec<f64> =
            (0..REPEATS).map(|r| samples.iter().map(|s| f64::from(s[i * REPEATS + r])).sum::<f64>() / STEPS as f64).collect();
        let mean = own.iter().sum::<f64>() / REPEATS as f64;
        let spread = own.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (REPEATS - 1) as f64;
        (mean, (spread / REPEATS as f64).sqrt())
    };
    (0..=ETAS).map(estimate).collect()
}

/// The integral of the slopes, h apart, from the middle to the i-th, and its standard error.
fn integral(slopes: &[(f64, f64)], i: usize, h: f64) -> (f64, f64) {
    let zero = ETAS / 2;
    let (from, to, sign) = if i < zero { (i, zero, -1.0) } else { (zero, i, 1.0) };
    let (mut integral, mut square) = (0.0, 0.0);
    for (j, (mean, error)) in slopes[from..=to].iter().enumerate().filter(|_| from < to) {
        let weight = if j == 0 || j == to - from { h / 3.0 } else { h / 3.0 * (2.0 + 2.0 * (j % 2) as f64) };
        integral += weight * mean;
        square += (weight * error).powi(2);
    }
    (sign * integral, square.sqrt())
}
