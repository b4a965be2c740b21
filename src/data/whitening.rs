//! Whitening: the filter rho exp(-(rho/0.4)^4) in the frequency domain (model.md 6; Olshausen and Field 1996).

use ndarray::Array2;
use rustfft::{FftPlanner, num_complex::Complex32};

/// log(grey + 0.05) of an image with grey levels in `[0, 1]`.
pub fn log_intensity(image: &Array2<f32>) -> Array2<f32> {
    image.mapv(|grey| (grey + 0.05).ln())
}

/// The image with its mean removed, filtered, and scaled to unit variance; an image without contrast gives zeros.
pub fn whiten(image: &Array2<f32>) -> Array2<f32> {
    let (rows, columns) = image.dim();
    let mean = image.mean().unwrap_or(0.0);
    let mut planner = FftPlanner::new();
    let mut data: Vec<Complex32> = image.iter().map(|&v| Complex32::new(v - mean, 0.0)).collect();
    planner.plan_fft_forward(columns).process(&mut data);
    let mut turned = transpose(&data, rows, columns);
    planner.plan_fft_forward(rows).process(&mut turned);
    let frequency = |i: usize, n: usize| if 2 * i < n { i as f32 } else { i as f32 - n as f32 } / n as f32;
    for (i, value) in turned.iter_mut().enumerate() {
        let rho = frequency(i / rows, columns).hypot(frequency(i % rows, rows));
        *value *= rho * (-(rho / 0.4).powi(4)).exp();
    }
    planner.plan_fft_inverse(rows).process(&mut turned);
    let mut data = transpose(&turned, columns, rows);
    planner.plan_fft_inverse(columns).process(&mut data);
    let scale = 1.0 / (rows * columns) as f32;
    of_unit_variance(Array2::from_shape_fn((rows, columns), |(r, c)| data[r * columns + c].re * scale))
}

/// The image with its mean removed and scaled to unit variance, and otherwise as it is; an image without contrast gives zeros.
pub fn standardise(image: &Array2<f32>) -> Array2<f32> {
    of_unit_variance(image - image.mean().unwrap_or(0.0))
}

fn of_unit_variance(mut image: Array2<f32>) -> Array2<f32> {
    let deviation = image.std(0.0);
    if deviation > 1e-6 {
        image /= deviation;
    } else {
        image.fill(0.0);
    }
    image
}

fn transpose(data: &[Complex32], rows: usize, columns: usize) -> Vec<Complex32> {
    (0..rows * columns).map(|i| data[(i % rows) * columns + i / rows]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grating_passes_with_the_filters_gain() {
        // Two gratings of equal amplitude: after whitening their amplitudes stand as the gains at their frequencies.
        let wave = |f: f32, c: usize| (2.0 * std::f32::consts::PI * f * c as f32).cos();
        let image = Array2::from_shape_fn((40, 64), |(_, c)| wave(0.0625, c) + wave(0.25, c));
        let white = whiten(&image);
        let amplitude = |f: f32| white.indexed_iter().map(|((_, c), v)| v * wave(f, c)).sum::<f32>();
        let gain = |f: f32| f * (-(f / 0.4f32).powi(4)).exp();
        let ratio = amplitude(0.25) / amplitude(0.0625);
        assert!((ratio / (gain(0.25) / gain(0.0625)) - 1.0).abs() < 1e-3, "{ratio}");
        assert!((white.std(0.0) - 1.0).abs() < 1e-4);
        assert!(whiten(&Array2::from_elem((8, 8), 0.3)).iter().all(|&v| v == 0.0), "no contrast, no NaN");
    }
}
