//! The error of <T(y)> over one step against tau_eps/dt, for several K (model.md 5.5).

use super::natural_parameter::{FAMILY_OPTION, eta_interval, eta_origin, family, interneuron_parameters};
use crate::dynamics::interneurons::equilibrium_statistics;
use crate::dynamics::noise::Noise;
use crate::dynamics::step_parameters::averaged_variance;
use crate::model::Family;
use crate::studies::{Axis, Figure, Observer, Point, Study, StudyError, StudyOption, StudyOptions, StudyTarget};

/// K of the series.
const INTERNEURONS: [usize; 3] = [1, 4, 16];
/// tau_eps/dt of the sweep.
const FRACTIONS: [f64; 8] = [0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0];
/// Values of eta over which the error is averaged.
const ETAS: u32 = 512;

/// The study.
pub struct PartitionError;
/// Its value in the registry.
pub static STUDY: PartitionError = PartitionError;

impl Study for PartitionError {
    fn name(&self) -> &'static str {
        "partition-error"
    }

    fn title(&self) -> &'static str {
        "Error of the log-partition's slope"
    }

    fn summary(&self) -> &'static str {
        "Error of <T(y)> against tau_eps/dt and K"
    }

    fn options(&self) -> &'static [StudyOption] {
        &[FAMILY_OPTION]
    }

    fn applies(&self, target: &StudyTarget) -> Result<(), StudyError> {
        family(target, &StudyOptions::default()).map(drop)
    }

    fn figure(&self, _: &StudyTarget, _: &StudyOptions) -> Figure {
        Figure::of(Axis::logarithmic("tau_eps / dt"), Axis::logarithmic("error"))
            .by("K", &INTERNEURONS.map(|k| k as f64))
            .over(FRACTIONS[0], FRACTIONS[FRACTIONS.len() - 1])
            .exact()
    }

    fn total(&self, _: &StudyTarget, _: &StudyOptions) -> usize {
        FRACTIONS.len() * INTERNEURONS.len()
    }

    fn expected(&self, target: &StudyTarget, options: &StudyOptions, series: usize, fraction: f64) -> Option<f64> {
        exact_error(family(target, options).ok()?.as_ref(), fraction, *INTERNEURONS.get(series)?)
    }

    /// Root mean square of <T(y)> - A'(eta) over one step, in standard deviations of T at eta_0.
    fn run(&self, target: &StudyTarget, options: &StudyOptions, observer: &mut dyn Observer) -> Result<(), StudyError> {
        let family = family(target, options)?;
        let family = family.as_ref();
        let [low, high] = eta_interval(family);
        let etas: Vec<f32> = (0..ETAS).map(|i| (low + (high - low) * f64::from(i) / f64::from(ETAS)) as f32).collect();
        let exact: Vec<f64> = etas.iter().map(|&e| family.mean_statistic(f64::from(e))).collect();
        let unit = deviation(family);
        let mut noise = Noise::new(target.frozen.dynamics.seed, 1 << 34);
        for (series, k) in INTERNEURONS.into_iter().enumerate() {
            for fraction in FRACTIONS {
                let steps = 40 + (20.0 * fraction) as usize;
                let samples = equilibrium_statistics(family, &etas, &interneuron_parameters(1.0 / fraction, k), steps, &mut noise);
                // Each eta is one independent estimate of the mean square.
                let own: Vec<f64> = (0..etas.len())
                    .map(|i| samples.iter().map(|s| (f64::from(s[i]) - exact[i]).powi(2)).sum::<f64>() / samples.len() as f64)
                    .collect();
                let mean = own.iter().sum::<f64>() / own.len() as f64;
                let spread = own.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (own.len() - 1) as f64;
                let y = mean.sqrt() / unit;
                let error = 0.5 * (spread / own.len() as f64).sqrt() / mean * y;
                observer.point(Point::new(series, fraction, y, error))?;
            }
        }
        Ok(())
    }
}

/// Standard deviation of T at eta_0.
fn deviation(family: &dyn Family) -> f64 {
    let (eta, h) = (eta_origin(family), 1e-3);
    ((family.mean_statistic(eta + h) - family.mean_statistic(eta - h)) / (2.0 * h)).sqrt()
}

/// The same error as theory has it for the gaussian family, whose interneurons are Ornstein-Uhlenbeck processes.
pub fn exact_error(family: &dyn Family, fraction: f64, k: usize) -> Option<f64> {
    family.is_normal().then(|| averaged_variance(&interneuron_parameters(1.0 / fraction, k)).sqrt())
}
