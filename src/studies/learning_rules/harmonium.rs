//! Two layers with one common partition function (model.md 12.1): a restricted Boltzmann machine where the hidden units are binary
//! (Smolensky 1986), an exponential family harmonium where they are not (Welling, Rosen-Zvi and Hinton 2005).

use crate::dynamics::noise::Noise;
use crate::model::families::{Bernoulli, RectifiedGaussian};
use crate::model::product::{multiply, product};
use crate::model::{Family, vector};
use ndarray::{Array1, Array2, ArrayView2};
use rand::{SeedableRng, rngs::ChaCha8Rng};
use rand_distr::{Distribution, Exp1, Normal, StandardNormal, StandardUniform};
use std::sync::Arc;

/// Standard deviation of the weights at the start (Hinton, A practical guide to training restricted Boltzmann machines, 2010).
const FIRST_WEIGHTS: f32 = 0.01;

/// What the hidden units are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HiddenUnits {
    /// 0 or 1.
    Binary,
    /// x >= 0 with a normal distribution cut off at 0, as the neurons of the model beside it.
    Rectified,
}

/// p(x_0, x_1) = exp(b_0.x_0 + x_0.W T(x_1) + b_1.T(x_1) - B(x_1)) / Z, with x_0 of 0 and 1.
#[derive(Clone, Debug)]
pub(super) struct Harmonium {
    units: HiddenUnits,
    family: Arc<dyn Family>,
    /// W, `[n_0, n_1]`.
    pub(super) weights: Array2<f32>,
    /// b_0, `[n_0]`.
    pub(super) visible_biases: Array1<f32>,
    /// b_1, `[n_1]`.
    pub(super) hidden_biases: Array1<f32>,
}

impl Harmonium {
    /// With these parameters.
    pub(super) fn new(units: HiddenUnits, weights: Array2<f32>, visible_biases: Array1<f32>, hidden_biases: Array1<f32>) -> Self {
        let family: Arc<dyn Family> = match units {
            HiddenUnits::Binary => Arc::new(Bernoulli),
            HiddenUnits::Rectified => Arc::new(RectifiedGaussian { sigma: 1.0 }),
        };
        Self { units, family, weights, visible_biases, hidden_biases }
    }

    /// Small random weights, b_0 the log odds of the pixels' means over `images`, `[count, n_0]`, and this b_1.
    pub(super) fn untrained(units: HiddenUnits, hidden: usize, hidden_bias: f32, images: ArrayView2<f32>, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut small = || {
            let z: f32 = StandardNormal.sample(&mut rng);
            FIRST_WEIGHTS * z
        };
        let weights = Array2::from_shape_simple_fn((images.ncols(), hidden), &mut small);
        Self::new(units, weights, log_odds(images), Array1::from_elem(hidden, hidden_bias))
    }

    /// W T + b_1 of every row of `visible`, `[rows, n_0]`: what the hidden units are given, `[rows, n_1]`.
    pub(super) fn hidden_input(&self, visible: ArrayView2<f32>) -> Array2<f32> {
        let mut eta = product(visible, self.weights.view());
        eta.rows_mut().into_iter().for_each(|mut row| row += &self.hidden_biases);
        eta
    }

    /// E\[T(x_1)\] given the input, which it replaces.
    pub(super) fn mean_statistics(&self, mut eta: Array2<f32>) -> Array2<f32> {
        let input = eta.clone();
        if let (Some(input), Some(out)) = (input.as_slice(), eta.as_slice_mut()) {
            self.family.mean_statistics(input, out);
        }
        eta
    }

    /// One step of Gibbs sampling from every row of `visible`: x_1 given x_0, then x_0 given x_1.
    pub(super) fn step(&self, visible: &mut Array2<f32>, draws: &mut Draws) {
        let mut hidden = self.hidden_input(visible.view());
        draws.hidden(self.units, &mut hidden);
        let mut eta = product(hidden.view(), self.weights.t());
        eta.rows_mut().into_iter().for_each(|mut row| row += &self.visible_biases);
        draws.binary(&mut eta);
        visible.assign(&eta);
    }

    /// log of Z p(x_0) of every row of `visible`, `[rows, n_0]`: b_0.x_0 + sum of A(W x_0 + b_1).
    pub(super) fn log_unnormalised(&self, visible: ArrayView2<f32>) -> Vec<f64> {
        let eta = self.hidden_input(visible);
        let of_row = |(visible, eta): (ndarray::ArrayView1<f32>, ndarray::ArrayView1<f32>)| {
            let bias: f64 = visible.iter().zip(&self.visible_biases).map(|(&x, &b)| f64::from(x) * f64::from(b)).sum();
            bias + eta.iter().map(|&eta| self.family.log_partition(f64::from(eta))).sum::<f64>()
        };
        visible.rows().into_iter().zip(eta.rows()).map(of_row).collect()
    }

    /// The same machine at the inverse temperature `beta` on the way from independent pixels of these log odds: W and b_1 times beta,
    /// b_0 between both.
    pub(super) fn at(&self, beta: f32, independent: &Array1<f32>) -> Self {
        Self {
            weights: &self.weights * beta,
            visible_biases: independent * (1.0 - beta) + &self.visible_biases * beta,
            hidden_biases: &self.hidden_biases * beta,
            ..self.clone()
        }
    }

    /// A(0) of a hidden unit.
    pub(super) fn log_partition_at_rest(&self) -> f64 {
        self.family.log_partition(0.0)
    }

    /// What the hidden units are.
    pub(super) fn units(&self) -> HiddenUnits {
        self.units
    }
}

/// The log odds of the pixels' means over `images`, `[count, n_0]`; those of a pixel that is always or never 1 are those of one image
/// more in which it is the other.
pub(super) fn log_odds(images: ArrayView2<f32>) -> Array1<f32> {
    let count = images.nrows() as f32;
    images.columns().into_iter().map(|pixel| ((pixel.sum() + 0.5) / (count - pixel.sum() + 0.5)).ln()).collect()
}

/// Sums over rows of x_0 T(x_1)^T, x_0 and T(x_1), over the number of rows.
pub(super) struct Statistics {
    pub(super) weights: Array2<f32>,
    pub(super) visible: Array1<f32>,
    pub(super) hidden: Array1<f32>,
}

impl Statistics {
    /// Of every row of `visible`, `[rows, n_0]`, with the hidden units' means given it.
    pub(super) fn of(machine: &Harmonium, visible: ArrayView2<f32>) -> Self {
        let hidden = machine.mean_statistics(machine.hidden_input(visible));
        let scale = 1.0 / visible.nrows() as f32;
        let mut weights = Array2::zeros(machine.weights.dim());
        if let Some(out) = weights.as_slice_mut() {
            multiply(out, visible.t(), hidden.view(), scale, false);
        }
        Self { weights, visible: visible.sum_axis(ndarray::Axis(0)) * scale, hidden: hidden.sum_axis(ndarray::Axis(0)) * scale }
    }
}

/// Random draws of the units.
#[derive(Debug)]
pub(super) struct Draws {
    noise: Noise,
    rng: ChaCha8Rng,
    uniform: Vec<f32>,
}

impl Draws {
    pub(super) fn new(seed: u64, stream: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Self { noise: Noise::new(seed, stream), rng, uniform: Vec::new() }
    }

    /// 1 with probability A'(eta), in place of eta.
    pub(super) fn binary(&mut self, eta: &mut Array2<f32>) {
        self.uniform.resize(2 * eta.len(), 0.0);
        let (uniform, chance) = self.uniform.split_at_mut(eta.len());
        self.noise.fill_uniform(uniform);
        if let Some(eta) = eta.as_slice_mut() {
            vector::logistic(eta, chance);
            eta.iter_mut().zip(uniform.iter().zip(chance)).for_each(|(x, (u, p))| *x = f32::from(u8::from(*u < *p)));
        }
    }

    fn hidden(&mut self, units: HiddenUnits, eta: &mut Array2<f32>) {
        match units {
            HiddenUnits::Binary => self.binary(eta),
            HiddenUnits::Rectified => eta.mapv_inplace(|eta| rectified_normal(f64::from(eta), &mut self.rng) as f32),
        }
    }

    /// `rows` rows of independent pixels of these log odds.
    pub(super) fn pixels(&mut self, rows: usize, log_odds: &Array1<f32>) -> Array2<f32> {
        let mut eta = Array2::from_shape_fn((rows, log_odds.len()), |(_, pixel)| log_odds[pixel]);
        self.binary(&mut eta);
        eta
    }

    pub(super) fn rng(&mut self) -> &mut ChaCha8Rng {
        &mut self.rng
    }
}

/// A draw of N(mean, 1) restricted to x >= 0: by rejection from the normal distribution, or where 0 is far above the mean from an
/// exponential one (Robert, Statistics and Computing 5:121, 1995).
fn rectified_normal(mean: f64, rng: &mut ChaCha8Rng) -> f64 {
    if mean > -0.45 {
        let normal = Normal::new(mean, 1.0).unwrap_or_else(|_| unreachable!("the standard deviation is 1"));
        return loop {
            let x = normal.sample(rng);
            if x >= 0.0 {
                break x;
            }
        };
    }
    let rate = 0.5 * (-mean + (mean * mean + 4.0).sqrt());
    loop {
        let e: f64 = Exp1.sample(rng);
        let x = e / rate;
        let u: f64 = StandardUniform.sample(rng);
        // x - mean is the place in the tail that begins at -mean.
        if u <= (-0.5 * (x - mean - rate).powi(2)).exp() {
            return x;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cut_off_normals_have_the_mean_that_the_family_states() {
        let family = RectifiedGaussian { sigma: 1.0 };
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        for mean in [-6.0, -2.0, -0.5, -0.4, 0.0, 3.0] {
            let draws: Vec<f64> = (0..40_000).map(|_| rectified_normal(mean, &mut rng)).collect();
            let found = draws.iter().sum::<f64>() / draws.len() as f64;
            let variance = draws.iter().map(|x| (x - found).powi(2)).sum::<f64>() / draws.len() as f64;
            let error = (variance / draws.len() as f64).sqrt();
            let z = |expected: f64| (found - expected).abs() / error;
            assert!(z(family.mean_statistic(mean)) < 4.5, "at {mean}: {found} against {}", family.mean_statistic(mean));
            assert!(z(family.mean_statistic(mean + 0.3)) > 4.5, "planted: another mean");
            assert!(draws.iter().all(|x| *x >= 0.0));
        }
    }
}
