//! The likelihood of images: annealed importance sampling over the gain of the lowest coupling, and the mean over ancestral draws
//! (model.md 10, 11).

mod annealing;
mod curve;
mod guide;
mod latents;

pub use annealing::{AnnealedLikelihood, AnnealingOptions, MOST_RUNS, MOST_TEMPERATURES, annealed};
pub use curve::{HeldOut, LikelihoodPoint, OPTIONS};

use crate::dynamics::{Ensemble, EnsembleOptions};
use crate::experiment::FrozenModel;
use crate::experiment::config::ConfigError;
use crate::experiment::parallel::run_all;
use crate::model::product::product;
use ndarray::{Array2, ArrayView2, Axis};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use rayon::prelude::*;

/// Images whose products are computed together.
const TOGETHER: usize = 50;
/// Networks of a block of ancestral draws.
const BLOCK_ROWS: usize = 25;

/// How grey levels from 0 to 1 become pixels of 0 or 1, where the model observes these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Binarisation {
    /// A pixel is 1 with the probability of its level, drawn once.
    Drawn,
    /// A pixel is 1 from the level 0.5 on.
    Threshold,
}

impl Binarisation {
    /// The images with pixels of 0 or 1, `[images, n_0]`.
    pub fn apply(self, images: ArrayView2<f32>, seed: u64) -> Array2<f32> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        images.mapv(|level| {
            let is_on = match self {
                Self::Drawn => rng.random::<f32>() < level,
                Self::Threshold => level >= 0.5,
            };
            f32::from(u8::from(is_on))
        })
    }
}

/// Mean over images, and its standard error from the spread between them; the error is NaN for a single image.
pub fn mean_and_error(values: &[f64]) -> [f64; 2] {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
    [mean, (variance / n).sqrt()]
}

/// log of the mean of exp, without overflow.
fn log_mean_exp(logs: &[f64]) -> f64 {
    let top = logs.iter().fold(f64::NEG_INFINITY, |top, &log| top.max(log));
    if top == f64::NEG_INFINITY {
        return top;
    }
    top + (logs.iter().map(|log| (log - top).exp()).sum::<f64>() / logs.len() as f64).ln()
}

/// An error where the images, `[images, n_0]`, are none of this model's.
fn check_images(frozen: &FrozenModel, images: ArrayView2<f32>) -> Result<(), ConfigError> {
    let (count, n) = images.dim();
    let observed = frozen.model.layers[0].size;
    if count == 0 || n != observed {
        return Err(ConfigError::Generation(format!("images of {observed} pixels are needed")));
    }
    Ok(())
}

/// log p(x_0), nats, of each of `images`, `[images, n_0]`, as the log mean of p(x_0 | x_1) over so many ancestral draws of x_1: a lower
/// bound in the mean, which is far below where the prior seldom draws what explains an image (model.md 11). An error where the images
/// are none of this model's.
pub fn ancestral(frozen: &FrozenModel, images: ArrayView2<f32>, draws: usize, seed: u64) -> Result<Vec<f64>, ConfigError> {
    check_images(frozen, images)?;
    let model = &*frozen.model;
    let family = model.observed_family();
    let options = EnsembleOptions {
        block_rows: BLOCK_ROWS,
        seed: seed ^ 0x616e_6365,
        active_layers: frozen.active_layers,
        learns: vec![false; model.depth()],
        tables: model.tables(),
        ..EnsembleOptions::new(model, draws)
    };
    let mut networks = Ensemble::new(model, &options);
    networks.restart(model);
    networks.draw_ancestral(model, 1, frozen.active_layers, 1.0, &run_all);
    let mut shown = networks.state_matrix(1);
    if let Some(x) = shown.as_slice_mut() {
        let states = x.to_vec();
        model.layers[1].activation.apply(&states, x);
    }
    let mut eta = product(shown.view(), model.weights[0].t());
    eta.rows_mut().into_iter().for_each(|mut row| row.iter_mut().zip(&model.biases[0]).for_each(|(eta, b)| *eta += b));
    eta.mapv_inplace(|a| family.link(f64::from(a)) as f32);
    let log_partition: Vec<f64> =
        eta.rows().into_iter().map(|row| row.as_slice().map_or(f64::NAN, |eta| family.log_partition_sum(eta))).collect();
    let chunks: Vec<_> = images.axis_chunks_iter(Axis(0), TOGETHER).collect();
    let of_chunk = |images: ArrayView2<f32>| {
        let statistics = images.mapv(|x| family.statistic(f64::from(x)) as f32);
        let scores = product(statistics.view(), eta.t());
        let base = images.rows().into_iter().map(|row| row.iter().map(|&x| family.base_energy(f64::from(x))).sum::<f64>());
        let of_image = |(scores, base): (ndarray::ArrayView1<f32>, f64)| {
            let logs: Vec<f64> = scores.iter().zip(&log_partition).map(|(&score, a)| f64::from(score) - a).collect();
            log_mean_exp(&logs) - base
        };
        scores.rows().into_iter().zip(base).map(of_image).collect::<Vec<f64>>()
    };
    Ok(chunks.into_par_iter().flat_map_iter(of_chunk).collect())
}
