//! The power spectrum of a trace.

use rustfft::FftPlanner;
use rustfft::num_complex::Complex;

/// Segments that are averaged.
const SEGMENTS: usize = 8;
/// Frequencies of the result, evenly on a logarithmic axis.
const FREQUENCIES: usize = 80;

/// Two-sided power spectral density at logarithmic frequencies (per unit of `dt`), by averaging Hann-windowed half-overlapping
/// segments (Welch 1967) and then neighbouring frequencies: points `[frequency, density]`. Empty for fewer than 64 values.
pub fn periodogram(values: &[f64], dt: f64) -> Vec<[f64; 2]> {
    let size = 2 * values.len() / (SEGMENTS + 1);
    if size < 16 {
        return Vec::new();
    }
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let window: Vec<f64> = (0..size).map(|i| 0.5 - 0.5 * (2.0 * std::f64::consts::PI * (i as f64 + 0.5) / size as f64).cos()).collect();
    let weight: f64 = window.iter().map(|w| w * w).sum();
    let mut power = vec![0.0; size / 2];
    let mut planner = FftPlanner::new();
    let fft = planner.plan_fft_forward(size);
    for segment in (0..SEGMENTS).map(|k| k * size / 2) {
        let mut buffer: Vec<Complex<f64>> =
            values[segment..segment + size].iter().zip(&window).map(|(v, w)| Complex::new((v - mean) * w, 0.0)).collect();
        fft.process(&mut buffer);
        power.iter_mut().zip(&buffer).for_each(|(p, c)| *p += c.norm_sqr() * dt / weight / SEGMENTS as f64);
    }
    // Means over bands of equal width on the logarithmic axis.
    let spacing = 1.0 / (size as f64 * dt);
    let top = (power.len() as f64).ln();
    let mut points = Vec::new();
    let mut from = 1;
    for band in 1..=FREQUENCIES {
        let to = (((top * band as f64 / FREQUENCIES as f64).exp()) as usize).min(power.len());
        if to > from {
            let count = (to - from) as f64;
            let frequency = (from..to).map(|i| (i as f64).ln()).sum::<f64>() / count;
            points.push([frequency.exp() * spacing, power[from..to].iter().sum::<f64>() / count]);
            from = to;
        }
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_distr::{Distribution, StandardNormal};

    #[test]
    fn white_noise_is_flat_at_its_variance_times_the_step_and_a_sine_has_a_peak() {
        let mut rng = rand::rngs::ChaCha8Rng::seed_from_u64(2);
        let noise: Vec<f64> = (0..65_536).map(|_| 2.0 * <StandardNormal as Distribution<f64>>::sample(&StandardNormal, &mut rng)).collect();
        let spectrum = periodogram(&noise, 0.5);
        // Far up, a band averages hundreds of frequencies in eight segments: a few per cent.
        let high: Vec<f64> = spectrum.iter().rev().take(10).map(|p| p[1]).collect();
        assert!(high.iter().all(|p| (p - 2.0).abs() < 0.3), "{high:?}");
        let sine: Vec<f64> = noise.iter().enumerate().map(|(i, n)| n + 3.0 * (0.2 * i as f64).sin()).collect();
        let peak = periodogram(&sine, 0.5).into_iter().max_by(|a, b| a[1].total_cmp(&b[1])).unwrap();
        assert!((peak[0] - 0.2 / std::f64::consts::PI).abs() < 0.005, "{peak:?}"); // 0.2 rad a step of 0.5
        assert!(periodogram(&noise[..20], 1.0).is_empty());
    }
}
