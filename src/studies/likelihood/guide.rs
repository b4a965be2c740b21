//! States of a categorical top drawn where an image makes them probable, and what their weights have to be divided by (model.md 10).

use crate::dynamics::categorical::prior;
use crate::model::Hierarchy;
use crate::model::product::product;
use ndarray::{Array2, Axis};
use rand::RngExt;
use rand::rngs::ChaCha8Rng;

/// Of log p(x_0 | the means of the latents under a state) so much counts: the latents are spread about their means.
const TEMPERED: f64 = 0.2;
/// Probability of a draw from the prior all the same: no weight is larger than 1 over it.
const FROM_PRIOR: f64 = 0.1;

/// What an image is compared with: the model's image of each state.
pub(super) struct Guide {
    /// P(c), `[k]`.
    prior: Vec<f64>,
    /// eta_0 under the means of all layers above, `[k, n_0]`.
    eta: Array2<f32>,
    /// Sum of A(eta_0), `[k]`.
    log_partition: Vec<f64>,
}

impl Guide {
    /// Of a model with a categorical top at work; else None.
    pub(super) fn new(model: &Hierarchy, active_layers: usize) -> Option<Self> {
        let top = model.depth();
        if active_layers < top || !model.layers[top].is_categorical() {
            return None;
        }
        let prior: Vec<f64> = prior(model).into_iter().map(f64::from).collect();
        // Rows: the means of a layer under each state, from the top down; the first are the columns of W.
        let mut eta = model.weights[top - 1].t().to_owned();
        for l in (0..top).rev() {
            let family = model.family_below_top(l);
            eta.rows_mut().into_iter().for_each(|mut row| row.iter_mut().zip(&model.biases[l]).for_each(|(eta, b)| *eta += b));
            eta.mapv_inplace(|a| family.link(f64::from(a)) as f32);
            if l > 0 {
                let (activation, scale) = (model.layers[l].activation, f64::from(family.mean_per_statistic()));
                let shown = eta.mapv(|eta| activation.value(scale * family.mean_statistic(f64::from(eta))) as f32);
                eta = product(shown.view(), model.weights[l - 1].t());
            }
        }
        let family = model.observed_family();
        let log_partition =
            eta.axis_iter(Axis(0)).map(|row| row.as_slice().map_or(f64::NAN, |eta| family.log_partition_sum(eta))).collect();
        Some(Self { prior, eta, log_partition })
    }

    /// So many states for the image of these statistics T(x_0), `[n_0]`, each with log P(c) - log q(c).
    pub(super) fn draw(&self, statistics: &[f32], count: usize, rng: &mut ChaCha8Rng) -> (Vec<u32>, Vec<f64>) {
        let score = |(eta, log_partition): (ndarray::ArrayView1<f32>, &f64)| {
            let score: f64 = eta.iter().zip(statistics).map(|(&eta, &t)| f64::from(eta) * f64::from(t)).sum();
            TEMPERED * (score - log_partition)
        };
        let scores: Vec<f64> = self.eta.rows().into_iter().zip(&self.log_partition).map(score).collect();
        let possible = self.prior.iter().zip(&scores).filter(|(p, _)| **p > 0.0);
        let top = possible.fold(f64::NEG_INFINITY, |top, (_, &score)| top.max(score));
        let guided: Vec<f64> = self.prior.iter().zip(&scores).map(|(p, score)| p * (score - top).exp()).collect();
        let total: f64 = guided.iter().sum();
        let proposal: Vec<f64> =
            guided.iter().zip(&self.prior).map(|(guided, p)| (1.0 - FROM_PRIOR) * guided / total + FROM_PRIOR * p).collect();
        let draw = |_| {
            let mut left = rng.random::<f64>();
            let found = proposal.iter().position(|q| {
                left -= q;
                left < 0.0
            });
            // Rounding may leave a rest: then the last state that there is.
            let c = found.or(proposal.iter().rposition(|&q| q > 0.0)).unwrap_or_default();
            (c as u32, (self.prior[c] / proposal[c]).ln())
        };
        (0..count).map(draw).unzip()
    }
}
