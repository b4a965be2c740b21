//! Bias and variance of each rule's estimate of the gradient, where the exact one is known (model.md 12): nine binary pixels and two
//! hidden units, whose sums are enumerated and whose integrals are done by quadrature.

use super::estimate::GradientEstimate;
use super::harmonium::{Draws, Harmonium, HiddenUnits, Statistics};
use super::negative_phase::{NegativePhase, Samples};
use crate::dynamics::governor::Stiffness;
use crate::dynamics::{Ensemble, EnsembleOptions, Probes, Span, Start, StepParameters, in_turn};
use crate::experiment::Config;
use crate::experiment::config::*;
use crate::experiment::session::{build_model, step_parameters};
use crate::model::{FamilyConfig, Hierarchy};
use crate::studies::{Observer, Report, StudyError};
use ndarray::{Array1, Array2, ArrayView2};
use std::time::Instant;

/// Pixels a side, and hidden units: one for the middle row, one for the middle column.
const SIDE: usize = 3;
const PIXELS: usize = SIDE * SIDE;
const HIDDEN: usize = 2;
/// Weight of a unit into its three pixels, and b_0.
const WEIGHT: f32 = 1.5;
const BIAS: f32 = -1.5;
/// Weights of the model whose images are learned from, over those of the one that learns.
const TRUER: f32 = 1.6;
/// Images of a batch.
const IMAGES: usize = 40;
/// Estimates whose mean and spread are taken.
const ESTIMATES: usize = 300;
/// Steps of the network or of Gibbs sampling for an estimate.
const NETWORK_STEPS: [usize; 6] = [5, 10, 20, 40, 80, 160];
const GIBBS_STEPS: [usize; 6] = [1, 2, 5, 10, 20, 50];
/// Cells a side of the quadrature over x_1, from 0 to this.
const CELLS: usize = 160;
const FARTHEST: f64 = 9.0;

/// The rules that are compared, in the order of the series.
pub const NAMES: [&str; 4] = ["model's rule", "model's rule, chains kept", "CD-k", "PCD-k"];

/// Estimates that are measured: every rule at every number of steps.
pub(super) const ESTIMATED: usize = NAMES.len() * NETWORK_STEPS.len();

/// Measures every rule at every number of steps; `found` gets each.
pub(super) fn measure(
    seed: u64,
    observer: &mut dyn Observer,
    found: &mut dyn FnMut(GradientEstimate, &mut dyn Observer) -> Result<(), StudyError>,
) -> Result<(), StudyError> {
    let problem = Problem::new(seed)?;
    let exact = [problem.gradient_of_hierarchy(), problem.gradient_of_harmonium()];
    for k in 0..NETWORK_STEPS.len() {
        for rule in 0..NAMES.len() {
            let steps = if rule < 2 { NETWORK_STEPS[k] } else { GIBBS_STEPS[k] };
            let stream = (rule * NETWORK_STEPS.len() + k) as u64;
            let (estimates, seconds) = match rule {
                0 | 1 => problem.by_interneurons(steps, rule == 1, ESTIMATES, stream, observer)?,
                _ => {
                    let samples = if rule == 2 { Samples::FromImages } else { Samples::Persistent };
                    problem.by_samples(NegativePhase { samples, steps }, ESTIMATES, stream, observer)?
                }
            };
            let [bias, deviation] = bias_and_deviation(&estimates, &exact[usize::from(rule >= 2)]);
            let microseconds = 1e6 * seconds / ESTIMATES as f64;
            found(GradientEstimate { rule, steps, microseconds, bias, deviation }, observer)?;
        }
    }
    Ok(())
}

/// A gradient: of W, row by row, then of b_0.
type Gradient = Vec<f64>;

/// The model, the machine of the same layers and the same parameters, and the images.
struct Problem {
    model: Hierarchy,
    parameters: StepParameters,
    machine: Harmonium,
    /// `[IMAGES, PIXELS]`.
    images: Array2<f32>,
    seed: u64,
}

fn config(scale: f32, seed: u64) -> Config {
    let layer = |size, family| LayerConfig { size, family, activation: Default::default(), bias: 0.0, learned_sigma: false };
    let layers = vec![layer(PIXELS, FamilyConfig::Bernoulli), layer(HIDDEN, FamilyConfig::RectifiedGaussian { sigma: 1.0 })];
    let is_own = |pixel: usize, unit: usize| if unit == 0 { pixel / SIDE == SIDE / 2 } else { pixel % SIDE == SIDE / 2 };
    let weight = |pixel: usize, unit: usize| if is_own(pixel, unit) { scale * WEIGHT } else { 0.0 };
    let weights = (0..PIXELS).map(|pixel| (0..HIDDEN).map(|unit| weight(pixel, unit)).collect()).collect();
    Config {
        model: ModelConfig { layers, weights, ..Default::default() },
        dynamics: DynamicsConfig {
            dt_ms: 1e4, // shortened by the governor
            safety: 0.1,
            adaptation: 1.0,
            adaptation_unit: AdaptationUnit::Stiffness,
            threads: 1,
            seed,
            ..Default::default()
        },
        stimulus: StimulusConfig { values: vec![0.0; PIXELS], ..Default::default() },
        ..Default::default()
    }
}

impl Problem {
    fn new(seed: u64) -> Result<Self, StudyError> {
        let config_of = |scale| config(scale, seed);
        let build = |scale| -> Result<Hierarchy, StudyError> {
            let mut model = build_model(&config_of(scale))?;
            model.biases[0].fill(BIAS);
            Ok(model)
        };
        let (model, truer) = (build(1.0)?, build(TRUER)?);
        let mut teacher = Ensemble::new(&truer, &EnsembleOptions { seed: seed ^ 0x7465, ..EnsembleOptions::new(&truer, IMAGES) });
        teacher.restart(&truer);
        teacher.draw_ancestral(&truer, 0, 1, 1.0, &in_turn);
        let machine = Harmonium::new(HiddenUnits::Rectified, model.weights[0].clone(), model.biases[0].clone(), Array1::zeros(HIDDEN));
        let parameters = step_parameters(&config_of(1.0).dynamics, &Stiffness::new(&model).lambda);
        Ok(Self { parameters, machine, images: teacher.state_matrix(0), model, seed })
    }

    /// Mean over the images of <(x_0 - A'(eta_0)) x_1^T> under the exact posterior, by the midpoint rule over x_1.
    fn gradient_of_hierarchy(&self) -> Gradient {
        let at = |i: usize| (i as f64 + 0.5) / CELLS as f64 * FARTHEST;
        let mut cells = Vec::with_capacity(CELLS * CELLS);
        for i in 0..CELLS * CELLS {
            let x = [at(i / CELLS), at(i % CELLS)];
            let eta: Vec<f64> = (0..PIXELS)
                .map(|pixel| {
                    let row = self.model.weights[0].row(pixel);
                    f64::from(row[0]) * x[0] + f64::from(row[1]) * x[1] + f64::from(self.model.biases[0][pixel])
                })
                .collect();
            let own = -0.5 * (x[0] * x[0] + x[1] * x[1]) - eta.iter().map(|eta| eta.exp().ln_1p()).sum::<f64>();
            cells.push((x, eta, own));
        }
        let mut gradient = vec![0.0; PIXELS * HIDDEN + PIXELS];
        for image in self.images.rows() {
            let logs: Vec<f64> =
                cells.iter().map(|(_, eta, own)| own + eta.iter().zip(image).map(|(eta, &x)| eta * f64::from(x)).sum::<f64>()).collect();
            let top = logs.iter().fold(f64::NEG_INFINITY, |top, &log| top.max(log));
            let mass: f64 = logs.iter().map(|log| (log - top).exp()).sum();
            for ((x, eta, _), log) in cells.iter().zip(&logs) {
                let p = (log - top).exp() / mass / self.images.nrows() as f64;
                for pixel in 0..PIXELS {
                    let error = p * (f64::from(image[pixel]) - 1.0 / (1.0 + (-eta[pixel]).exp()));
                    (0..HIDDEN).for_each(|unit| gradient[pixel * HIDDEN + unit] += error * x[unit]);
                    gradient[PIXELS * HIDDEN + pixel] += error;
                }
            }
        }
        gradient
    }

    /// Statistics of the images minus those of all 512 states, each by its probability.
    fn gradient_of_harmonium(&self) -> Gradient {
        let all = Array2::from_shape_fn((1 << PIXELS, PIXELS), |(state, pixel)| (state >> pixel & 1) as f32);
        let logs = self.machine.log_unnormalised(all.view());
        let top = logs.iter().fold(f64::NEG_INFINITY, |top, &log| top.max(log));
        let mass: f64 = logs.iter().map(|log| (log - top).exp()).sum();
        let mut gradient = flat(&Statistics::of(&self.machine, self.images.view()));
        for (state, log) in all.rows().into_iter().zip(logs) {
            let p = (log - top).exp() / mass;
            let row: ArrayView2<f32> = state.insert_axis(ndarray::Axis(0));
            gradient.iter_mut().zip(flat(&Statistics::of(&self.machine, row))).for_each(|(sum, value)| *sum -= p * value);
        }
        gradient
    }

    /// Estimates by the rule of the model, a network for each image: half of the steps come before learning. Where chains are kept they
    /// go on from estimate to estimate, and every step is learned from.
    fn by_interneurons(
        &self,
        steps: usize,
        kept: bool,
        count: usize,
        stream: u64,
        observer: &mut dyn Observer,
    ) -> Result<(Vec<Gradient>, f64), StudyError> {
        let options = EnsembleOptions { seed: self.seed, stream, ..EnsembleOptions::new(&self.model, IMAGES) };
        let mut networks = Ensemble::new(&self.model, &options);
        let show = |network: usize, x: &mut [f32]| self.images.row(network).iter().zip(x).for_each(|(from, to)| *to = *from);
        networks.present(&self.model, &show, Start::Rest, &in_turn);
        let advance = |networks: &mut Ensemble, steps, skip| {
            let span = Span { steps, skip, learn: true, last: true };
            networks.advance(&self.model, &self.parameters, span, &Probes::default(), &in_turn);
        };
        if kept {
            advance(&mut networks, 2000, 0);
        }
        let mut estimates = Vec::with_capacity(count);
        let mut seconds = 0.0;
        for _ in 0..count {
            let begin = Instant::now();
            if kept {
                networks.clear_learning_sums();
            } else {
                networks.present(&self.model, &show, Start::Rest, &in_turn);
            }
            advance(&mut networks, steps, if kept { 0 } else { steps / 2 });
            let sums = networks.learning_sums();
            let samples = sums.samples() as f64;
            let [weights, biases] = [sums.weights(0), sums.biases(0)].map(|parts| sum_of(&parts));
            estimates.push(weights.into_iter().chain(biases).map(|sum| sum / samples).collect());
            seconds += begin.elapsed().as_secs_f64();
            observer.tell(Report::Working)?;
        }
        Ok((estimates, seconds))
    }

    /// Estimates by a rule with a negative phase.
    fn by_samples(
        &self,
        rule: NegativePhase,
        count: usize,
        stream: u64,
        observer: &mut dyn Observer,
    ) -> Result<(Vec<Gradient>, f64), StudyError> {
        let mut draws = Draws::new(self.seed, 100 + stream);
        let mut visible = self.images.clone();
        if rule.samples == Samples::Persistent {
            (0..2000).for_each(|_| self.machine.step(&mut visible, &mut draws));
        }
        let mut estimates = Vec::with_capacity(count);
        let mut seconds = 0.0;
        for _ in 0..count {
            let begin = Instant::now();
            estimates.push(flat(&rule.gradient(&self.machine, &self.images, &mut visible, &mut draws)));
            seconds += begin.elapsed().as_secs_f64();
            observer.tell(Report::Working)?;
        }
        Ok((estimates, seconds))
    }
}

/// The sum of the parts.
fn sum_of(parts: &[&[f32]]) -> Vec<f64> {
    let mut sum = vec![0.0; parts.first().map_or(0, |part| part.len())];
    parts.iter().for_each(|part| sum.iter_mut().zip(*part).for_each(|(sum, &value)| *sum += f64::from(value)));
    sum
}

/// Of W, row by row, then of b_0.
fn flat(statistics: &Statistics) -> Gradient {
    statistics.weights.iter().chain(&statistics.visible).map(|&value| f64::from(value)).collect()
}

/// Over |exact|: |mean - exact| and what is to be expected of it by chance alone, and the standard deviation with its standard error.
fn bias_and_deviation(estimates: &[Gradient], exact: &Gradient) -> [[f64; 2]; 2] {
    let count = estimates.len() as f64;
    let size = exact.iter().map(|g| g * g).sum::<f64>().sqrt();
    let mean: Vec<f64> = (0..exact.len()).map(|i| estimates.iter().map(|g| g[i]).sum::<f64>() / count).collect();
    let squares = estimates.iter().map(|g| g.iter().zip(&mean).map(|(g, mean)| (g - mean).powi(2)).sum::<f64>());
    let variance = squares.sum::<f64>() / (count - 1.0);
    let apart: f64 = mean.iter().zip(exact).map(|(mean, exact)| (mean - exact).powi(2)).sum();
    let bias = apart.sqrt();
    let deviation = variance.sqrt();
    [[bias / size, (variance / count).sqrt() / size], [deviation / size, deviation / size / (2.0 * (count - 1.0)).sqrt()]]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studies::likelihood::mean_and_error;

    /// The largest difference of the mean of estimates from a gradient, in standard errors, where more than `beyond` of |gradient| is apart.
    fn z(estimates: &[Gradient], exact: &Gradient, beyond: f64) -> f64 {
        let size = exact.iter().map(|g| g * g).sum::<f64>().sqrt();
        let of = |i: usize| {
            let [mean, error] = mean_and_error(&estimates.iter().map(|g| g[i]).collect::<Vec<f64>>());
            ((mean - exact[i]).abs() - beyond * size).max(0.0) / error
        };
        (0..exact.len()).map(of).fold(0.0, f64::max)
    }

    #[test]
    fn contrastive_divergence_and_persistent_chains_find_the_enumerated_gradient_where_they_should() {
        let problem = Problem::new(3).unwrap();
        let exact = problem.gradient_of_harmonium();
        let mut nobody = |_| true;
        let mut estimates = |samples, steps, count| problem.by_samples(NegativePhase { samples, steps }, count, 1, &mut nobody).unwrap().0;
        let long = z(&estimates(Samples::FromImages, 100, 1000), &exact, 0.0);
        assert!(long < 4.5, "chains that are long enough forget the images: z = {long}");
        // Estimates in turn are correlated: at 100 steps each they are as good as independent.
        let kept = z(&estimates(Samples::Persistent, 100, 1000), &exact, 0.0);
        assert!(kept < 4.5, "persistent chains sample the machine: z = {kept}");
        let short = z(&estimates(Samples::FromImages, 1, 1000), &exact, 0.0);
        assert!(short > 6.0, "planted: one step from the images, which is biased: z = {short}");
    }

    #[test]
    fn the_exact_gradients_are_slopes_of_the_log_likelihoods() {
        let problem = Problem::new(3).unwrap();
        let mean_log = |change: &dyn Fn(&mut Harmonium)| {
            let mut machine = problem.machine.clone();
            change(&mut machine);
            let z = super::super::normaliser::exact(&machine).unwrap();
            machine.log_unnormalised(problem.images.view()).iter().map(|log| log - z).sum::<f64>() / IMAGES as f64
        };
        let exact = problem.gradient_of_harmonium();
        let d = 0.02f32;
        for (at, [pixel, unit]) in [(0, [0, 0]), (7, [3, 1]), (8, [4, 0])] {
            let slope =
                (mean_log(&|m| m.weights[[pixel, unit]] += d) - mean_log(&|m| m.weights[[pixel, unit]] -= d)) / (2.0 * f64::from(d));
            assert!((slope - exact[at]).abs() < 2e-3, "W[{pixel}, {unit}]: {slope} against {}", exact[at]);
        }
        let slope = (mean_log(&|m| m.visible_biases[4] += d) - mean_log(&|m| m.visible_biases[4] -= d)) / (2.0 * f64::from(d));
        assert!((slope - exact[PIXELS * HIDDEN + 4]).abs() < 2e-3);
    }

    #[test]
    fn the_rule_of_the_model_finds_the_gradient_by_quadrature() {
        let problem = Problem::new(3).unwrap();
        let exact = problem.gradient_of_hierarchy();
        let mut nobody = |_| true;
        let (estimates, _) = problem.by_interneurons(400, true, 200, 1, &mut nobody).unwrap();
        let right = z(&estimates, &exact, 0.03); // 3 % for the finite step
        assert!(right < 4.5, "z = {right}");
        let other = problem.gradient_of_harmonium();
        let planted = z(&estimates, &other, 0.03);
        assert!(planted > 6.0, "planted: the gradient of the machine with one partition function: z = {planted}");
    }
}
