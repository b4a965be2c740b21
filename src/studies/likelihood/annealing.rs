//! Annealed importance sampling of log p(x_0): the gain of the lowest coupling rises from 0 to 1 (model.md 10; Neal 2001).

use super::guide::Guide;
use super::latents::Posterior;
use super::{check_images, log_mean_exp};
use crate::dynamics::categorical::Prototypes;
use crate::dynamics::noise::Noise;
use crate::dynamics::{Ensemble, EnsembleOptions, in_turn};
use crate::experiment::FrozenModel;
use crate::experiment::config::ConfigError;
use crate::model::Hierarchy;
use crate::model::hierarchy::Tables;
use ndarray::{ArrayView1, ArrayView2, Axis};
use rand::{SeedableRng, rngs::ChaCha8Rng};
use rayon::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Runs of each image at most.
pub const MOST_RUNS: usize = 10_000;
/// Gains from 0 to 1 at most.
pub const MOST_TEMPERATURES: usize = 1_000_000;
/// Gains at which the length of a step is found, evenly from 0 to 1.
const TUNED_GAINS: usize = 9;
/// Transitions at each of them.
const TUNING_STEPS: usize = 80;
/// Share of proposals that are to be accepted: the best for Langevin steps of many dimensions (Roberts and Rosenthal 1998).
const WANTED: f64 = 0.574;

/// How it is done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AnnealingOptions {
    /// Independent runs of each image.
    pub runs: usize,
    /// Gains on the way from 0 to 1; the last one is 1.
    pub temperatures: usize,
    /// Seed.
    pub seed: u64,
}

impl Default for AnnealingOptions {
    fn default() -> Self {
        Self { runs: 100, temperatures: 200, seed: 1 }
    }
}

/// What was found, an entry for each image.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct AnnealedLikelihood {
    /// log p(x_0), nats.
    pub log_likelihood: Vec<f64>,
    /// Standard error of each from the spread of its runs.
    pub error: Vec<f64>,
    /// Effective number of runs, (sum of weights)^2 over the sum of their squares.
    pub effective_runs: Vec<f64>,
    /// Share of proposals that were accepted, over all images.
    pub accepted: f64,
}

/// Mistakes that a test plants.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Planted {
    not_adjusted: bool,
    not_normalised: bool,
    not_weighed: bool,
}

/// log p(x_0) of each of `images`, `[images, n_0]`. `done` is told how many images are done, once for every gain; where it says no, the rest is
/// left out and the error is [`ConfigError::Generation`]. An error also where the images are none of this model's or an option is out of range.
pub fn annealed(
    frozen: &FrozenModel,
    images: ArrayView2<f32>,
    options: AnnealingOptions,
    done: &(dyn Fn(usize) -> bool + Sync),
) -> Result<AnnealedLikelihood, ConfigError> {
    with_planted(frozen, images, options, Planted::default(), done)
}

fn with_planted(
    frozen: &FrozenModel,
    images: ArrayView2<f32>,
    options: AnnealingOptions,
    planted: Planted,
    done: &(dyn Fn(usize) -> bool + Sync),
) -> Result<AnnealedLikelihood, ConfigError> {
    check_images(frozen, images)?;
    for (key, value, most) in [("runs", options.runs, MOST_RUNS), ("temperatures", options.temperatures, MOST_TEMPERATURES)] {
        if !(2..=most).contains(&value) {
            return Err(ConfigError::Generation(format!("{key} = {value} is out of range: 2 to {most}")));
        }
    }
    let annealing =
        Annealing { frozen, tables: frozen.model.tables(), guide: Guide::new(&frozen.model, frozen.active_layers), options, planted };
    let finished = AtomicUsize::new(0);
    let goes_on = || done(finished.load(Ordering::Relaxed));
    let of_image = |(i, image): (usize, ArrayView1<f32>), lengths: &[f64]| {
        let found = annealing.run(image, 1 + i as u64, lengths, &goes_on)?;
        done(1 + finished.fetch_add(1, Ordering::Relaxed)).then_some(found)
    };
    let rows: Vec<_> = images.axis_iter(Axis(0)).enumerate().collect();
    // A step is found on the first image, for all.
    let lengths = annealing.tune(images.row(0), &goes_on);
    let found = lengths.and_then(|lengths| rows.into_par_iter().map(|row| of_image(row, &lengths)).collect::<Option<Vec<OfImage>>>());
    let found = found.ok_or_else(|| ConfigError::Generation("stopped before its end".into()))?;
    Ok(AnnealedLikelihood {
        log_likelihood: found.iter().map(|of| of.log_likelihood).collect(),
        error: found.iter().map(|of| of.error).collect(),
        effective_runs: found.iter().map(|of| of.effective_runs).collect(),
        accepted: found.iter().map(|of| of.accepted).sum::<f64>() / found.len() as f64,
    })
}

struct OfImage {
    log_likelihood: f64,
    error: f64,
    effective_runs: f64,
    accepted: f64,
}

struct Annealing<'a> {
    frozen: &'a FrozenModel,
    tables: Tables,
    guide: Option<Guide>,
    options: AnnealingOptions,
    planted: Planted,
}

impl Annealing<'_> {
    /// The gain of the step k of the path.
    fn gain(&self, k: usize) -> f32 {
        (k as f32 / self.options.temperatures as f32).powi(2)
    }

    /// The model whose lowest coupling has this gain. (Were all gains to rise together, the latents would have to travel further: on the
    /// digits, 1000 gains then lose 15 nats.)
    fn model(&self, gain: f32) -> Hierarchy {
        let mut model = (*self.frozen.model).clone();
        model.weights[0] *= gain;
        model
    }

    /// So many latents for an image of these statistics: drawn from the prior, but for the state of a categorical top, which is guided
    /// by the image. x of layers 1..=L, the states, and the logarithm of the prior's density over that of the draw.
    fn start(&self, statistics: &[f32], seed: u64) -> (Vec<Vec<f32>>, Vec<u32>, Vec<f64>) {
        let (model, active_layers) = (&*self.frozen.model, self.frozen.active_layers);
        let runs = self.options.runs;
        let options = EnsembleOptions {
            block_rows: runs,
            seed,
            active_layers,
            learns: vec![false; model.depth()],
            tables: self.tables.clone(),
            ..EnsembleOptions::new(model, runs)
        };
        let mut networks = Ensemble::new(model, &options);
        networks.restart(model);
        let (mut categories, mut weights) = (Vec::new(), vec![0.0; runs]);
        match &self.guide {
            Some(guide) => {
                (categories, weights) = guide.draw(statistics, runs, &mut ChaCha8Rng::seed_from_u64(seed));
                networks.set_categories(model, &categories);
                networks.draw_below(model, 1, model.depth() - 1, 1.0, &in_turn);
            }
            None => networks.draw_ancestral(model, 1, active_layers, 1.0, &in_turn),
        }
        if self.planted.not_weighed {
            weights.fill(0.0);
        }
        let states = (1..=model.depth()).map(|l| networks.states(l).flatten().copied().collect()).collect();
        (states, categories, weights)
    }

    fn posterior<'b>(&'b self, model: &'b Hierarchy, statistics: &'b [f32]) -> Posterior<'b> {
        Posterior {
            model,
            tables: &self.tables,
            prototypes: Prototypes::new(model),
            active_layers: self.frozen.active_layers,
            statistics,
            rows: self.options.runs,
            adjusted: !self.planted.not_adjusted,
            normalised: !self.planted.not_normalised,
        }
    }

    fn statistics(&self, image: ArrayView1<f32>) -> Vec<f32> {
        let family = self.frozen.model.observed_family();
        image.iter().map(|&x| family.statistic(f64::from(x)) as f32).collect()
    }

    /// Lengths of a step of each layer of neurons at this gain: `scale` over the layer's stiffness there.
    fn lengths(&self, gain: f32, scale: f64) -> Vec<f32> {
        let stiffness = self.frozen.stiffness_at(&[gain]);
        stiffness.iter().take(self.frozen.active_layers).filter(|lambda| lambda.is_finite()).map(|lambda| (scale / lambda) as f32).collect()
    }

    /// The scale of the steps at [`TUNED_GAINS`] gains at which the wanted share of proposals is accepted; None where it is not to go on.
    fn tune(&self, image: ArrayView1<f32>, goes_on: &dyn Fn() -> bool) -> Option<Vec<f64>> {
        if self.planted.not_adjusted {
            return Some(vec![0.5; TUNED_GAINS]);
        }
        let statistics = self.statistics(image);
        let mut noise = Noise::new(self.options.seed ^ 0x7475_6e65, 0);
        let (x, category, _) = self.start(&statistics, self.options.seed ^ 0x7475_6e65);
        let mut place = self.posterior(&self.model(0.0), &statistics).at(x, category);
        let mut scale = 0.5f64;
        let found = (0..TUNED_GAINS).map(|k| {
            let gain = k as f32 / (TUNED_GAINS - 1) as f32;
            let model = self.model(gain);
            let posterior = self.posterior(&model, &statistics);
            posterior.look(&mut place);
            for step in 0..TUNING_STEPS {
                if !goes_on() {
                    return None;
                }
                let accepted = posterior.transition(&mut place, &self.lengths(gain, scale), &mut noise);
                scale *= ((accepted - WANTED) / (1.0 + step as f64 / 10.0)).exp();
                scale = scale.clamp(1e-4, 2.0);
            }
            Some(scale)
        });
        found.collect()
    }

    /// What the runs of an image find; None where it is not to go on.
    fn run(&self, image: ArrayView1<f32>, stream: u64, scales: &[f64], goes_on: &dyn Fn() -> bool) -> Option<OfImage> {
        let statistics = self.statistics(image);
        let (seed, runs) = (self.options.seed, self.options.runs);
        let mut noise = Noise::new(seed ^ 0x616e_6e65_616c, stream);
        let (x, category, mut weights) = self.start(&statistics, seed.wrapping_add(stream.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        let (family, asleep) = (self.frozen.model.observed_family(), self.model(0.0));
        let base: f64 = image.iter().map(|&x| family.base_energy(f64::from(x))).sum();
        let start = self.posterior(&asleep, &statistics);
        let mut place = start.at(x, category);
        let at_gain_0 = start.log_likelihood(&vec![0.0; statistics.len() * runs]); // log p(x_0), the same for all
        weights.iter_mut().zip(at_gain_0).for_each(|(weight, log_p)| *weight += log_p);
        let mut accepted = 0.0;
        for k in 1..=self.options.temperatures {
            if !goes_on() {
                return None;
            }
            let gain = self.gain(k);
            let model = self.model(gain);
            let posterior = self.posterior(&model, &statistics);
            let before = place.log_density.clone();
            posterior.look(&mut place);
            weights.iter_mut().zip(place.log_density.iter().zip(before)).for_each(|(weight, (now, before))| *weight += now - before);
            if k < self.options.temperatures {
                let at = f64::from(gain) * (TUNED_GAINS - 1) as f64;
                let (low, share) = (at.floor() as usize, at.fract());
                let scale = scales[low] + share * (scales[(low + 1).min(TUNED_GAINS - 1)] - scales[low]);
                accepted += posterior.transition(&mut place, &self.lengths(gain, scale), &mut noise);
            }
        }
        let log_mean = log_mean_exp(&weights);
        let relative: Vec<f64> = weights.iter().map(|weight| (weight - log_mean).exp()).collect();
        let squares = relative.iter().map(|w| w * w).sum::<f64>();
        let variance = relative.iter().map(|w| (w - 1.0).powi(2)).sum::<f64>() / (runs - 1) as f64;
        Some(OfImage {
            log_likelihood: log_mean - base,
            error: (variance / runs as f64).sqrt(),
            effective_runs: relative.iter().sum::<f64>().powi(2) / squares,
            accepted: accepted / (self.options.temperatures - 1) as f64,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::presets;
    use crate::model::{Activation, FamilyConfig, Layer};
    use nalgebra::{DMatrix, DVector};
    use ndarray::{Array2, array};

    fn frozen(families: &[FamilyConfig], weights: Vec<Array2<f32>>) -> FrozenModel {
        let mut sizes: Vec<usize> = weights.iter().map(|w| w.nrows()).collect();
        sizes.push(weights[weights.len() - 1].ncols());
        let layers = families.iter().zip(sizes).map(|(family, size)| Layer::new(*family, Activation::Linear, size).unwrap()).collect();
        let mut model = Hierarchy::new(layers, weights).unwrap();
        model.biases[0].iter_mut().enumerate().for_each(|(i, b)| *b = 0.3 - 0.2 * i as f32);
        FrozenModel::from_model(&presets::by_name("chain").unwrap(), model)
    }

    fn linear() -> FrozenModel {
        let gaussian = |sigma| FamilyConfig::Gaussian { sigma };
        let weights = vec![array![[1.0f32, 0.2], [0.4, -0.7], [-0.3, 0.9]], array![[0.9f32], [-0.5]]];
        frozen(&[gaussian(0.5), gaussian(0.6), gaussian(1.0)], weights)
    }

    /// log N(x_0; b_0, C), C = W_0 (W_1 W_1^T + sigma_1^2) W_0^T + sigma_0^2 (closed form 5.1).
    fn exact(model: &Hierarchy, image: ArrayView1<f32>) -> f64 {
        let matrix = |w: &Array2<f32>| DMatrix::from_fn(w.nrows(), w.ncols(), |i, j| f64::from(w[[i, j]]));
        let noise = |l: usize| DMatrix::identity(model.layers[l].size, model.layers[l].size) * model.layers[l].sigma().unwrap().powi(2);
        let covariance = (0..model.depth()).rev().fold(noise(model.depth()), |above, l| {
            let w = matrix(&model.weights[l]);
            &w * above * w.transpose() + noise(l)
        });
        let z = DVector::from_iterator(image.len(), image.iter().zip(&model.biases[0]).map(|(&x, &b)| f64::from(x) - f64::from(b)));
        let quadratic = (z.transpose() * covariance.clone().try_inverse().unwrap() * &z)[(0, 0)];
        -0.5 * (quadratic + covariance.determinant().ln() + image.len() as f64 * (2.0 * std::f64::consts::PI).ln())
    }

    fn images() -> Array2<f32> {
        array![[0.4f32, -0.3, 0.9], [1.5, 0.8, -1.2], [-2.0, 1.0, 0.3]]
    }

    /// Largest difference from `expected` in standard errors.
    fn z(frozen: &FrozenModel, images: &Array2<f32>, planted: Planted, expected: &[f64]) -> f64 {
        // So many runs that the spread of the weights, some of which are large, is known.
        let options = AnnealingOptions { runs: 4000, temperatures: 60, seed: 3 };
        let found = with_planted(frozen, images.view(), options, planted, &|_| true).unwrap();
        let each = found.log_likelihood.iter().zip(&found.error).zip(expected);
        each.fold(0.0, |worst, ((found, error), exact)| worst.max((found - exact).abs() / error))
    }

    #[test]
    fn a_linear_gaussian_hierarchy_has_its_closed_form_and_planted_mistakes_are_seen() {
        let (frozen, images) = (linear(), images());
        let expected: Vec<f64> = images.rows().into_iter().map(|image| exact(&frozen.model, image)).collect();
        let right = z(&frozen, &images, Planted::default(), &expected);
        assert!(right < 4.0, "z = {right}");
        let without_normaliser = z(&frozen, &images, Planted { not_normalised: true, ..Planted::default() }, &expected);
        assert!(without_normaliser > 6.0, "a gain's normaliser that is left out: z = {without_normaliser}");
        let not_adjusted = z(&frozen, &images, Planted { not_adjusted: true, ..Planted::default() }, &expected);
        assert!(not_adjusted > 6.0, "transitions that are not adjusted: z = {not_adjusted}");
    }

    #[test]
    fn binary_pixels_of_one_latent_agree_with_quadrature_and_so_do_ancestral_draws() {
        let frozen = frozen(&[FamilyConfig::Bernoulli, FamilyConfig::Gaussian { sigma: 1.0 }], vec![array![[2.0f32], [-1.5], [0.7]]]);
        let images = array![[1.0f32, 0.0, 1.0], [0.0, 0.0, 0.0], [0.0, 1.0, 0.0]];
        let log_p = |image: ArrayView1<f32>| {
            let step = 1e-3;
            let density = |x: f64| {
                let pixels = image.iter().zip(frozen.model.weights[0].column(0)).zip(&frozen.model.biases[0]);
                let log = pixels.map(|((&t, &w), &b)| {
                    let eta = f64::from(w) * x + f64::from(b);
                    f64::from(t) * eta - eta.exp().ln_1p()
                });
                (log.sum::<f64>() - 0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt()
            };
            ((-8000..=8000).map(|i| density(f64::from(i) * step)).sum::<f64>() * step).ln()
        };
        let expected: Vec<f64> = images.rows().into_iter().map(log_p).collect();
        let right = z(&frozen, &images, Planted::default(), &expected);
        assert!(right < 4.0, "z = {right}");
        let draws = 20_000;
        let found = super::super::ancestral(&frozen, images.view(), draws, 5).unwrap();
        for (found, exact) in found.iter().zip(&expected) {
            // p(x_0 | x_1) is at most 1, so that its variance is at most p (1 - p): a bound of the relative standard error.
            let error = ((-exact).exp_m1() / draws as f64).sqrt();
            assert!((found - exact).abs() < 4.0 * error, "{found} {exact} +- {error}");
        }
    }

    #[test]
    fn a_categorical_top_agrees_with_the_sum_over_its_states() {
        // x_1 given each of two states is gaussian: x_0 is a mixture of two gaussians.
        let weights = vec![array![[0.8f32], [-0.6]], array![[1.5f32, -1.0]]];
        let gaussian = |sigma| FamilyConfig::Gaussian { sigma };
        let frozen = frozen(&[gaussian(0.5), gaussian(0.7), FamilyConfig::Categorical], weights);
        let model = &frozen.model;
        let images = array![[1.2f32, -0.4], [-0.9, 0.9], [0.3, 0.1]];
        let log_p = |image: ArrayView1<f32>| {
            let w = DVector::from_iterator(2, model.weights[0].column(0).iter().map(|&w| f64::from(w)));
            let covariance = &w * w.transpose() * 0.49 + DMatrix::identity(2, 2) * 0.25;
            let inverse = covariance.clone().try_inverse().unwrap();
            let of_state = |c: usize| {
                let mean = &w * f64::from(model.weights[1][[0, c]] + model.biases[1][0]);
                let z = DVector::from_fn(2, |i, _| f64::from(image[i] - model.biases[0][i]) - mean[i]);
                (-0.5 * (z.transpose() * &inverse * &z)[(0, 0)]).exp() / (2.0 * std::f64::consts::PI * covariance.determinant().sqrt())
            };
            (0.5 * (of_state(0) + of_state(1))).ln()
        };
        let expected: Vec<f64> = images.rows().into_iter().map(log_p).collect();
        let right = z(&frozen, &images, Planted::default(), &expected);
        assert!(right < 4.0, "z = {right}");
        let not_weighed = z(&frozen, &images, Planted { not_weighed: true, ..Planted::default() }, &expected);
        assert!(not_weighed > 6.0, "states that the image has guided count as if the prior had drawn them: z = {not_weighed}");
    }

    #[test]
    fn what_does_not_fit_is_an_error_and_stopping_stops() {
        let frozen = linear();
        let options = AnnealingOptions { runs: 4, temperatures: 5, seed: 1 };
        let error = |options, images: &Array2<f32>| annealed(&frozen, images.view(), options, &|_| true).unwrap_err().to_string();
        assert!(error(options, &Array2::zeros((2, 4))).contains("3 pixels"));
        assert!(error(AnnealingOptions { runs: 1, ..options }, &images()).contains("runs = 1"));
        assert!(error(AnnealingOptions { temperatures: 0, ..options }, &images()).contains("temperatures = 0"));
        let calls = AtomicUsize::new(0);
        let stops = |_| calls.fetch_add(1, Ordering::Relaxed) < 3;
        assert!(annealed(&frozen, images().view(), AnnealingOptions { temperatures: 100_000, ..options }, &stops).is_err());
        assert!(calls.load(Ordering::Relaxed) < 20, "within a transition, and not after an image");
        let [first, second] = [0, 1].map(|_| annealed(&frozen, images().view(), options, &|_| true).unwrap());
        assert_eq!(first, second, "the same seed");
    }
}
