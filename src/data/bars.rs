//! Bars: images in which horizontal and vertical bars appear independently, so that the causes are known (Foldiak 1990).

use ndarray::Array2;
use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// Standard deviation of the pixels' noise.
const NOISE: f32 = 0.1;

/// The bars themselves, `[side^2, 2 side]`, columns of norm 1: rows first, then columns of the image.
pub fn dictionary(side: usize) -> Array2<f32> {
    let value = 1.0 / (side as f32).sqrt();
    Array2::from_shape_fn((side * side, 2 * side), |(pixel, bar)| {
        let at = if bar < side { pixel / side } else { pixel % side };
        if at == bar % side { value } else { 0.0 }
    })
}

/// `count` images `[count, side^2]`: each of the 2 side bars is there with probability 1/side, its grey level uniform in 0.6 to
/// 1.4; bars add up; noise of standard deviation 0.1.
pub fn bars(count: usize, side: usize, rng: &mut ChaCha8Rng) -> Array2<f32> {
    let mut images = Array2::zeros((count, side * side));
    for mut image in images.rows_mut() {
        for bar in 0..2 * side {
            if rng.random_range(0..side) == 0 {
                let level = rng.random_range(0.6..1.4f32);
                for i in 0..side {
                    image[if bar < side { bar * side + i } else { i * side + bar - side }] += level;
                }
            }
        }
        image.mapv_inplace(|v| {
            let noise: f32 = StandardNormal.sample(rng);
            v + NOISE * noise
        });
    }
    images
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn images_have_the_mean_and_covariance_of_independent_bars() {
        let side = 8;
        let images = bars(40_000, side, &mut ChaCha8Rng::seed_from_u64(1));
        let n = images.nrows() as f32;
        let mean = images.sum_axis(ndarray::Axis(0)) / n;
        // A pixel lies on two bars, each with mean 1/8: its standard error is about 0.0025.
        assert!(mean.iter().all(|m| (m - 0.25).abs() < 0.0125), "{mean}");
        let product = |a: usize, b: usize| images.column(a).dot(&images.column(b)) / n - mean[a] * mean[b];
        let second = (0.8f32 * 0.8 / 12.0 + 1.0) / 8.0 - 1.0 / 64.0; // variance of one bar's level
        assert!((product(0, 1) - second).abs() < 0.01, "two pixels of one bar: {} against {second}", product(0, 1));
        assert!(product(0, 9).abs() < 0.01, "two pixels without a common bar");
    }
}
