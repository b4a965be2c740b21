//! The temperature of the neurons: what a network loses as its noise goes to 0, where it is predictive coding (model.md 2, 5.8).

mod classes;
mod weights;

use super::stationary::{advance, stationary_chains, variance};
use crate::analysis::density::{DensityGrid, line};
use crate::experiment::config::{DynamicsConfig, InterneuronMode};
use crate::studies::linear_gaussian::linear_dynamics;
use crate::studies::race::SamplerConfig;
use crate::studies::{Axis, Figure, Observer, OptionKind, Point, Study, StudyError, StudyOption, StudyOptions, StudyTarget};

/// Temperatures of the sweep.
const TEMPERATURES: [f64; 9] = [0.0, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 1.0];
/// Cells a side of the exact posterior.
const CELLS: usize = 400;
/// What can be measured; the first is the usual one.
const MEASURES: [&str; 3] = ["variance", "weights", "classes"];

/// The study.
pub struct Temperature;
/// Its value in the registry.
pub static STUDY: Temperature = Temperature;

impl Study for Temperature {
    fn name(&self) -> &'static str {
        "temperature"
    }

    fn title(&self) -> &'static str {
        "Noise to zero"
    }

    fn summary(&self) -> &'static str {
        "Posterior variance, learned weights or classes of completed images against the temperature of the neurons; 0 is predictive coding"
    }

    fn options(&self) -> &'static [StudyOption] {
        const {
            &[StudyOption {
                key: "measure",
                help: "The variance of the watched neuron; the square of the weights that a linear-Gaussian model of one unit learns; \
                       the classes that completions of one image have, on a model of labelled images",
                kind: OptionKind::Choice(&MEASURES),
            }]
        }
    }

    fn needs_images(&self) -> bool {
        true
    }

    fn figure(&self, _: &StudyTarget, options: &StudyOptions) -> Figure {
        let y = match options.text("measure") {
            "weights" => "|w|^2",
            "classes" => "classes of one image's completions",
            _ => "Var(x)",
        };
        let figure = Figure::of(Axis::linear("temperature"), Axis::linear(y)).over(0.0, 1.0);
        if options.text("measure") == "classes" { figure } else { figure.exact() }
    }

    fn total(&self, _: &StudyTarget, _: &StudyOptions) -> usize {
        TEMPERATURES.len()
    }

    fn expected(&self, target: &StudyTarget, options: &StudyOptions, _: usize, temperature: f64) -> Option<f64> {
        match options.text("measure") {
            // The curve begins where it is on the scale of the points.
            "weights" => Some(weights::fixed_point(temperature)).filter(|_| temperature >= TEMPERATURES[1]),
            "classes" => None,
            _ => exact_variance(target, temperature),
        }
    }

    fn run(&self, target: &StudyTarget, options: &StudyOptions, observer: &mut dyn Observer) -> Result<(), StudyError> {
        match options.text("measure") {
            "weights" => TEMPERATURES.iter().try_for_each(|&t| {
                let [y, error] = weights::learned(t, target.frozen.dynamics.seed, observer)?;
                observer.point(Point::new(0, t, y, error))
            }),
            "classes" => classes::run(target, &TEMPERATURES, observer),
            _ => TEMPERATURES.iter().try_for_each(|&t| {
                let [y, error] = measured_variance(target, t, observer)?;
                observer.point(Point::new(0, t, y, error))
            }),
        }
    }
}

/// Variance of the first watched unit in chains at this temperature, and its standard error.
fn measured_variance(target: &StudyTarget, temperature: f64, observer: &mut dyn Observer) -> Result<[f64; 2], StudyError> {
    let d = DynamicsConfig { temperature, ..target.frozen.dynamics };
    let config = SamplerConfig::of(&d);
    let burn_in_ms = 8.0 * d.tau_x_ms.max(d.tau_eps_ms);
    let mut race = stationary_chains(target, config, &d, burn_in_ms, observer)?;
    let apart = ((0.1 * d.tau_x_ms / race.dt_ms()).round() as u64).max(1);
    race.samplers[0].set_stride(apart);
    let steps = (6.0 * burn_in_ms / race.dt_ms()) as usize;
    advance(&mut race, steps, observer)?;
    let (y, error) = variance(&race.samplers[0].chains(0).0);
    if y.is_finite() { Ok([y, error]) } else { Err(StudyError::Diverged(format!("the chains at temperature {temperature} diverged"))) }
}

/// Variance of the first watched unit as theory has it: of the linear dynamics, the noise of the interneurons included, or of the
/// posterior to the power 1/temperature where that can be tabulated.
fn exact_variance(target: &StudyTarget, temperature: f64) -> Option<f64> {
    let (frozen, unit) = (&target.frozen, target.watched.pair[0]);
    let d = DynamicsConfig { temperature, ..frozen.dynamics };
    if frozen.model.is_linear_gaussian() {
        if temperature == 0.0 && d.interneuron_mode == InterneuronMode::Exact {
            return Some(0.0); // they come to rest
        }
        let dynamics = linear_dynamics(frozen, &d)?;
        let i = dynamics.state(target.watched.layer, unit);
        return Some(dynamics.covariance[[i, i]]);
    }
    if let Some(points) = line(&frozen.model, &frozen.stimulus, temperature) {
        let moment = |power: i32| points.iter().map(|[x, p]| x.powi(power) * p).sum::<f64>() / points.iter().map(|[_, p]| p).sum::<f64>();
        return Some(moment(2) - moment(1).powi(2));
    }
    let covariance = DensityGrid::posterior(&frozen.model, &frozen.stimulus, temperature, CELLS)?.covariance();
    Some(covariance[[unit, unit]])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{ModelVersion, Session, presets};
    use crate::studies::{StudyFindings, measure};

    fn findings(preset: &str, what: &str, change: impl Fn(&mut DynamicsConfig)) -> StudyFindings {
        let mut config = presets::by_name(preset).unwrap();
        change(&mut config.dynamics);
        let target = StudyTarget::of(&Session::new(config).unwrap(), ModelVersion::default());
        measure(&STUDY, &target, &StudyOptions::with_text("measure", what), &mut |_| true).unwrap()
    }

    /// The largest difference from what is expected, in standard errors.
    fn z(found: &StudyFindings, expected: impl Fn(f64, f64) -> f64) -> f64 {
        let z = |point: &Point| (point.y - expected(point.x, point.expected.unwrap())).abs() / point.error.max(1e-9);
        found.points.iter().filter(|point| point.expected.is_some()).map(z).fold(0.0, f64::max)
    }

    #[test]
    fn the_variance_falls_with_the_temperature_as_the_linear_dynamics_have_it_and_one_of_the_squared_noise_is_seen() {
        // Short steps, whose own error is far below the standard errors.
        let found = findings("chain", "variance", |d| d.safety = 0.02);
        assert_eq!(found.points.len(), TEMPERATURES.len());
        let worst = z(&found, |_, expected| expected);
        assert!(worst < 5.0, "z = {worst}: {:?}", found.points);
        let planted = z(&found, |t, expected| t * expected);
        assert!(planted > 5.0, "planted: the noise has the temperature in place of its root: z = {planted}");
        assert!(found.points[0].y < 0.2 * found.points[8].y, "only interneurons make noise at temperature 0: {:?}", found.points);
        let at_rest = findings("chain", "variance", |d| d.interneuron_mode = InterneuronMode::Exact);
        assert!(at_rest.points[0].y < 1e-6 && at_rest.points[0].expected == Some(0.0), "{:?}", at_rest.points[0]);
    }

    #[test]
    fn learned_weights_grow_as_one_over_the_temperature_and_without_end_at_0() {
        let mut nobody = |_| true;
        // Steps of a fiftieth of 1/lambda add a hundredth of V/theta at most; beyond that, in standard errors.
        let mut beyond = |temperature: f64, expected: f64| {
            let [found, error] = weights::learned(temperature, 5, &mut nobody).unwrap();
            ((found - expected).abs() - 0.01 * (expected + 1.0)) / error
        };
        for temperature in [1.0, 0.35] {
            let z = beyond(temperature, weights::fixed_point(temperature));
            assert!(z < 5.0, "at {temperature}: z = {z}");
        }
        let planted = beyond(0.35, weights::fixed_point(1.0));
        assert!(planted > 5.0, "planted: learning that does not hear of the temperature: z = {planted}");
    }
}
