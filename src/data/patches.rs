//! Patches cut from whitened images (SPEC 6).

use ndarray::{Array2, Axis, s};
use rand::{Rng, RngExt};

/// How patches are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Side, pixels.
    pub side: usize,
    /// Number.
    pub count: usize,
    /// Distance kept from an image's border, pixels.
    pub border: usize,
    /// Each patch divided by (its own standard deviation + 0.1).
    pub contrast_normalisation: bool,
}

/// Patches `[count, side^2]` at random places: mean removed, the set scaled to unit variance.
/// Panics where an image is smaller than side + 2 border + 1.
pub fn extract(images: &[Array2<f32>], settings: &Settings, rng: &mut impl Rng) -> Array2<f32> {
    let side = settings.side;
    let mut patches = Array2::zeros((settings.count, side * side));
    for mut patch in patches.rows_mut() {
        let image = &images[rng.random_range(0..images.len())];
        let mut corner = |n: usize| rng.random_range(settings.border..n - settings.border - side + 1);
        let (row, column) = (corner(image.nrows()), corner(image.ncols()));
        let window = image.slice(s![row..row + side, column..column + side]);
        patch.iter_mut().zip(&window).for_each(|(p, &v)| *p = v);
        let mean = patch.mean().unwrap_or(0.0);
        patch -= mean;
    }
    scale_to_unit_variance(&mut patches);
    if settings.contrast_normalisation {
        for mut patch in patches.axis_iter_mut(Axis(0)) {
            let deviation = (patch.dot(&patch) / (side * side) as f32).sqrt();
            patch /= deviation + 0.1;
        }
        scale_to_unit_variance(&mut patches);
    }
    patches
}

fn scale_to_unit_variance(patches: &mut Array2<f32>) {
    let squares: f64 = patches.iter().map(|&v| f64::from(v * v)).sum();
    let deviation = (squares / patches.len().max(1) as f64).sqrt() as f32;
    if deviation > 0.0 {
        *patches /= deviation;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{SeedableRng, rngs::ChaCha8Rng};

    #[test]
    fn patches_have_mean_zero_and_unit_variance() {
        let image = Array2::from_shape_fn((40, 30), |(r, c)| (r as f32 * 0.9).sin() * (c as f32 * 0.7).cos() + 3.0);
        for contrast_normalisation in [false, true] {
            let settings = Settings { side: 8, count: 500, border: 4, contrast_normalisation };
            let patches = extract(std::slice::from_ref(&image), &settings, &mut ChaCha8Rng::seed_from_u64(3));
            assert!(patches.rows().into_iter().all(|p| p.mean().unwrap().abs() < 1e-5));
            assert!((patches.std(0.0) - 1.0).abs() < 1e-3);
        }
    }
}
