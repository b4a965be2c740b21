//! Patches cut from whitened images (model.md 6).

use ndarray::{Array2, s};
use rand::{Rng, RngExt};
use std::sync::Arc;

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

/// Where a patch lies, and what becomes of it: (image - `mean`) `gain`.
#[derive(Clone, Copy, Debug)]
struct Place {
    image: u32,
    row: u32,
    column: u32,
    mean: f32,
    gain: f32,
}

/// Patches at random places, mean removed, the set scaled to unit variance. They are cut when they are asked for: the images and the
/// places take a tenth of the memory that the patches would.
#[derive(Clone, Debug)]
pub struct Patches {
    images: Arc<Vec<Array2<f32>>>,
    /// Number of images that they are cut from.
    pictures: usize,
    side: usize,
    places: Vec<Place>,
}

impl Patches {
    /// Number of images that they are cut from.
    pub fn pictures(&self) -> usize {
        self.pictures
    }

    /// The same patches one below the other in a single image, where that has fewer pixels than the images from which they are cut.
    fn cut_out_where_smaller(mut self) -> Self {
        let side = self.side;
        if self.len() * side * side < self.images.iter().map(Array2::len).sum() {
            let mut one = Array2::zeros((self.len() * side, side));
            for (place, mut patch) in self.places.iter().zip(one.exact_chunks_mut((side, side))) {
                let [row, column] = [place.row, place.column].map(|start| start as usize);
                patch.assign(&self.images[place.image as usize].slice(s![row..row + side, column..column + side]));
            }
            for (i, place) in self.places.iter_mut().enumerate() {
                (place.image, place.row, place.column) = (0, (i * side) as u32, 0);
            }
            self.images = Arc::new(vec![one]);
        }
        self
    }

    /// Draws the places. Panics where an image is smaller than side + 2 border + 1.
    pub fn draw(images: Vec<Array2<f32>>, settings: &Settings, rng: &mut impl Rng) -> Self {
        let images: Vec<_> = images.into_iter().map(|image| image.as_standard_layout().into_owned()).collect();
        let side = settings.side;
        let (mut places, mut variances) = (Vec::with_capacity(settings.count), Vec::with_capacity(settings.count));
        for _ in 0..settings.count {
            let image = rng.random_range(0..images.len());
            let mut corner = |n: usize| rng.random_range(settings.border..n - settings.border - side + 1);
            let (row, column) = (corner(images[image].nrows()), corner(images[image].ncols()));
            let window = images[image].slice(s![row..row + side, column..column + side]);
            let mean = window.mean().unwrap_or(0.0);
            variances.push(window.iter().map(|&v| f64::from(v - mean).powi(2)).sum::<f64>() / (side * side) as f64);
            places.push(Place { image: image as u32, row: row as u32, column: column as u32, mean, gain: 1.0 });
        }
        let deviation = root_mean(&variances);
        let mut gains = vec![1.0 / deviation; settings.count];
        if settings.contrast_normalisation {
            gains.iter_mut().zip(&variances).for_each(|(gain, variance)| *gain /= variance.sqrt() * *gain + 0.1);
            let normalised: Vec<f64> = gains.iter().zip(&variances).map(|(gain, variance)| gain * gain * variance).collect();
            let deviation = root_mean(&normalised);
            gains.iter_mut().for_each(|gain| *gain /= deviation);
        }
        places.iter_mut().zip(gains).for_each(|(place, gain)| place.gain = gain as f32);
        let pictures = images.len();
        Self { images: Arc::new(images), pictures, side, places }.cut_out_where_smaller()
    }

    /// Number of patches.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Side, pixels.
    pub fn side(&self) -> usize {
        self.side
    }

    /// Writes patch i, `[side^2]`, row by row. Panics where there is none of this number.
    pub fn write(&self, i: usize, out: &mut [f32]) {
        let Place { image, row, column, mean, gain } = self.places[i];
        let image = &self.images[image as usize];
        let (width, Some(pixels)) = (image.ncols(), image.as_slice()) else { unreachable!("images are kept row by row") };
        // The rows lie far apart in memory: nothing but loads, so that the processor waits for several at a time.
        let rows = pixels[row as usize * width..].chunks(width);
        for (out, from) in out.chunks_exact_mut(self.side).zip(rows) {
            out.copy_from_slice(&from[column as usize..][..self.side]);
        }
        out.iter_mut().for_each(|out| *out = (*out - mean) * gain);
    }

    /// The patches of these numbers, in this order.
    pub fn select(&self, chosen: &[usize]) -> Self {
        Self { places: chosen.iter().map(|&i| self.places[i]).collect(), ..self.clone() }
    }
}

/// Square root of the mean of `variances`; 1 where all are 0.
fn root_mean(variances: &[f64]) -> f64 {
    let mean = variances.iter().sum::<f64>() / variances.len().max(1) as f64;
    if mean > 0.0 { mean.sqrt() } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{SeedableRng, rngs::ChaCha8Rng};

    #[test]
    fn patches_are_windows_of_mean_zero_and_unit_variance() {
        let images: Vec<_> = [1.0f32, 4.0]
            .map(|size| Array2::from_shape_fn((40, 30), |(r, c)| size * (r as f32 * 0.9).sin() * (c as f32 * 0.7).cos() + 3.0))
            .into();
        for contrast_normalisation in [false, true] {
            let settings = Settings { side: 8, count: 500, border: 4, contrast_normalisation };
            let patches = Patches::draw(images.clone(), &settings, &mut ChaCha8Rng::seed_from_u64(3));
            let mut all = Array2::<f32>::zeros((500, 64));
            all.rows_mut().into_iter().enumerate().for_each(|(i, mut row)| patches.write(i, row.as_slice_mut().unwrap()));
            assert!(all.rows().into_iter().all(|p| p.mean().unwrap().abs() < 1e-5));
            assert!((all.std(0.0) - 1.0).abs() < 1e-4);
            // By hand: the same steps on the windows themselves.
            let mut by_hand = Array2::<f32>::zeros((500, 64));
            for (place, mut row) in patches.places.iter().zip(by_hand.rows_mut()) {
                let (top, left) = (place.row as usize, place.column as usize);
                assert!((4..=28).contains(&top) && (4..=18).contains(&left), "within the border");
                row.iter_mut().zip(images[place.image as usize].slice(s![top..top + 8, left..left + 8])).for_each(|(p, v)| *p = *v);
                row -= row.mean().unwrap();
            }
            by_hand /= by_hand.std(0.0);
            if contrast_normalisation {
                by_hand.rows_mut().into_iter().for_each(|mut row| row /= row.std(0.0) + 0.1);
                by_hand /= by_hand.std(0.0);
            }
            assert!((&all - &by_hand).iter().all(|d| d.abs() < 1e-4));
            let contrasts =
                all.rows().into_iter().map(|row| row.std(0.0)).fold([f32::MAX, 0.0f32], |[low, high], s| [low.min(s), high.max(s)]);
            assert_eq!(contrasts[1] / contrasts[0] < 2.0, contrast_normalisation, "{contrasts:?}: the images differ by 4 in contrast");
        }
    }
}
