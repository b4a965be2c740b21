//! Features of images by a fixed random convolutional network: what a Frechet distance needs where no trained network is at hand.
//!
//! Three 3 x 3 convolutions (1-32-64-128 channels, padding 1, no bias, He initialisation from a fixed seed), each followed by
//! rectification and 2 x 2 max pooling. A random network sees strokes, textures and where they are; it knows no classes.

use crate::model::product::multiply;
use ndarray::{Array2, ArrayView2};
use rand::{SeedableRng, rngs::ChaCha8Rng};
use rand_distr::{Distribution, StandardNormal};

const CHANNELS: [usize; 4] = [1, 32, 64, 128];
/// Distances compare only between networks of one seed: it never changes.
const SEED: u64 = 2023;
/// Positions of the last map at most: pooling goes on until no more are left, which bounds the number of features by 2048.
const MOST_POSITIONS: usize = 16;
/// Pixels that go through the network together: the unfolded maps of so many stay in the cache.
const PIXELS_TOGETHER: usize = 8 * 28 * 28;

/// The network for images of one size.
#[derive(Clone, Debug)]
pub struct RandomNetwork {
    size: [usize; 2],
    /// `[9 x channels below, channels]` each.
    kernels: Vec<Array2<f32>>,
}

/// How features of many images `[count, pixels]` are found: [`RandomNetwork::features`], or the same on several threads.
pub type Extract = fn(&RandomNetwork, ArrayView2<f32>) -> Array2<f32>;

impl RandomNetwork {
    /// The smallest side of an image.
    pub const SMALLEST_SIDE: usize = 8;

    /// The network for images of `rows` x `columns`; None where a side is below [`Self::SMALLEST_SIDE`].
    pub fn new(rows: usize, columns: usize) -> Option<Self> {
        if rows.min(columns) < Self::SMALLEST_SIDE {
            return None;
        }
        let mut rng = ChaCha8Rng::seed_from_u64(SEED);
        let kernel = |pair: &[usize]| {
            let deviation = (2.0 / (9 * pair[0]) as f32).sqrt();
            Array2::from_shape_simple_fn((9 * pair[0], pair[1]), || {
                let z: f32 = StandardNormal.sample(&mut rng);
                deviation * z
            })
        };
        Some(Self { size: [rows, columns], kernels: CHANNELS.windows(2).map(kernel).collect() })
    }

    /// Rows and columns of the images.
    pub fn size(&self) -> [usize; 2] {
        self.size
    }

    /// Number of features an image.
    pub fn dimensions(&self) -> usize {
        let mut size = self.size;
        for _ in &self.kernels {
            size = pooled(size);
        }
        while size[0] * size[1] > MOST_POSITIONS {
            size = pooled(size);
        }
        size[0] * size[1] * CHANNELS[3]
    }

    /// Features of images `[count, rows * columns]`: `[count, dimensions]`. Panics where the number of pixels does not fit.
    pub fn features(&self, images: ArrayView2<f32>) -> Array2<f32> {
        assert_eq!(images.ncols(), self.size[0] * self.size[1], "pixels of an image");
        let mut features = Array2::zeros((images.nrows(), self.dimensions()));
        let together = (PIXELS_TOGETHER / images.ncols()).max(1);
        let (mut map, mut patches, mut convolved) = (Vec::new(), Vec::new(), Vec::new());
        for (images, mut out) in
            images.axis_chunks_iter(ndarray::Axis(0), together).zip(features.axis_chunks_iter_mut(ndarray::Axis(0), together))
        {
            map.clear();
            map.extend(images.iter().copied());
            let mut size = self.size;
            for (kernel, pair) in self.kernels.iter().zip(CHANNELS.windows(2)) {
                let positions = images.nrows() * size[0] * size[1];
                patches.resize(positions * 9 * pair[0], 0.0);
                convolved.resize(positions * pair[1], 0.0);
                let each = size[0] * size[1] * pair[0];
                map.chunks_exact(each)
                    .zip(patches.chunks_exact_mut(9 * each))
                    .for_each(|(map, patches)| unfold(map, size, pair[0], patches));
                if let Ok(unfolded) = ArrayView2::from_shape((positions, 9 * pair[0]), &patches) {
                    multiply(&mut convolved, unfolded, kernel.view(), 1.0, false);
                }
                size = rectify_and_pool(&convolved, size, pair[1], &mut map);
            }
            while size[0] * size[1] > MOST_POSITIONS {
                convolved.clone_from(&map);
                size = rectify_and_pool(&convolved, size, CHANNELS[3], &mut map);
            }
            out.iter_mut().zip(&map).for_each(|(out, &value)| *out = value);
        }
        features
    }
}

/// Rows and columns after 2 x 2 pooling; an odd last row or column is left out, a side of 1 stays.
fn pooled(size: [usize; 2]) -> [usize; 2] {
    size.map(|side| (side / 2).max(1))
}

/// The 3 x 3 neighbourhood of every position of a map `[rows, columns, channels]`, zero outside: `[positions, 3, 3, channels]`.
fn unfold(map: &[f32], [rows, columns]: [usize; 2], channels: usize, patches: &mut [f32]) {
    let positions = (0..rows).flat_map(|r| (0..columns).map(move |c| (r, c)));
    for ((r, c), patch) in positions.zip(patches.chunks_exact_mut(9 * channels)) {
        let (first, last) = (c.saturating_sub(1), (c + 1).min(columns - 1));
        let left = (first + 1 - c) * channels;
        for (k, line) in patch.chunks_exact_mut(3 * channels).enumerate() {
            if !(1..=rows).contains(&(r + k)) {
                line.fill(0.0);
                continue;
            }
            let row = (r + k - 1) * columns;
            let inside = &map[(row + first) * channels..(row + last + 1) * channels];
            line[..left].fill(0.0);
            line[left..left + inside.len()].copy_from_slice(inside);
            line[left + inside.len()..].fill(0.0);
        }
    }
}

/// Rectified maxima of 2 x 2 positions of maps `[images, rows, columns, channels]`, put into `out`; their rows and columns.
fn rectify_and_pool(maps: &[f32], [rows, columns]: [usize; 2], channels: usize, out: &mut Vec<f32>) -> [usize; 2] {
    let size = pooled([rows, columns]);
    let each = rows * columns * channels;
    out.clear();
    out.resize(maps.len() / each * size[0] * size[1] * channels, 0.0);
    let steps = [rows / size[0].min(rows), columns / size[1].min(columns)].map(|step| step.min(2));
    for (map, out) in maps.chunks_exact(each).zip(out.chunks_exact_mut(size[0] * size[1] * channels)) {
        let positions = (0..size[0]).flat_map(|r| (0..size[1]).map(move |c| (r, c)));
        for ((r, c), out) in positions.zip(out.chunks_exact_mut(channels)) {
            for (dr, dc) in (0..steps[0]).flat_map(|dr| (0..steps[1]).map(move |dc| (dr, dc))) {
                let position = (steps[0] * r + dr) * columns + steps[1] * c + dc;
                let values = &map[position * channels..(position + 1) * channels];
                out.iter_mut().zip(values).for_each(|(out, &v)| *out = out.max(v)); // it starts at 0: rectified
            }
        }
    }
    size
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One convolution, rectification and pooling, written as the definition has it.
    fn naive(map: &[f32], [rows, columns]: [usize; 2], channels: usize, kernel: &Array2<f32>) -> Vec<f32> {
        let at = |r: isize, c: isize, k: usize| {
            let inside = (0..rows as isize).contains(&r) && (0..columns as isize).contains(&c);
            if inside { map[(r as usize * columns + c as usize) * channels + k] } else { 0.0 }
        };
        let convolved = |r: usize, c: usize, out: usize| {
            let mut sum = 0.0;
            for (i, j, k) in (0..3).flat_map(|i| (0..3).flat_map(move |j| (0..channels).map(move |k| (i, j, k)))) {
                sum += at((r + i) as isize - 1, (c + j) as isize - 1, k) * kernel[[(i * 3 + j) * channels + k, out]];
            }
            sum.max(0.0)
        };
        let [high, wide] = pooled([rows, columns]);
        let mut pooled = Vec::new();
        for (r, c, out) in (0..high).flat_map(|r| (0..wide).flat_map(move |c| (0..kernel.ncols()).map(move |out| (r, c, out)))) {
            let of = |dr: usize, dc: usize| convolved((2 * r + dr).min(rows - 1), (2 * c + dc).min(columns - 1), out);
            pooled.push(of(0, 0).max(of(0, 1)).max(of(1, 0)).max(of(1, 1)));
        }
        pooled
    }

    fn picture(count: usize, pixels: usize) -> Array2<f32> {
        Array2::from_shape_fn((count, pixels), |(i, p)| ((i * 7919 + p * 104_729) % 97) as f32 / 96.0)
    }

    #[test]
    fn agrees_with_the_definition_for_even_and_odd_sides() {
        for [rows, columns] in [[8, 8], [9, 14], [28, 28]] {
            let network = RandomNetwork::new(rows, columns).unwrap();
            let images = picture(11, rows * columns);
            let features = network.features(images.view());
            for (image, features) in images.rows().into_iter().zip(features.rows()) {
                let (mut map, mut size) = (image.to_vec(), [rows, columns]);
                for (kernel, pair) in network.kernels.iter().zip(CHANNELS.windows(2)) {
                    map = naive(&map, size, pair[0], kernel);
                    size = pooled(size);
                }
                assert_eq!(map.len(), network.dimensions());
                assert!(features.iter().zip(&map).all(|(a, b)| (a - b).abs() < 1e-4), "{rows} x {columns}");
            }
        }
    }

    #[test]
    fn sizes_are_bounded_and_small_images_refused() {
        let dimensions = |rows, columns| RandomNetwork::new(rows, columns).map(|n| n.dimensions());
        assert_eq!(dimensions(8, 8), Some(128));
        assert_eq!(dimensions(28, 28), Some(1152));
        assert_eq!(dimensions(32, 32), Some(2048));
        assert!(dimensions(200, 300).unwrap() <= 2048 && dimensions(8, 1000).unwrap() <= 2048);
        assert_eq!(dimensions(7, 28), None);
        let network = RandomNetwork::new(8, 300).unwrap();
        assert_eq!(network.features(picture(2, 2400).view()).dim(), (2, network.dimensions()));
    }

    #[test]
    fn kernels_have_the_variance_of_he_and_stay_what_they_are() {
        let network = RandomNetwork::new(8, 8).unwrap();
        for (kernel, pair) in network.kernels.iter().zip(CHANNELS.windows(2)) {
            let n = kernel.len() as f32;
            let variance = kernel.iter().map(|w| w * w).sum::<f32>() / n;
            let exact = 2.0 / (9 * pair[0]) as f32;
            assert!((variance / exact - 1.0).abs() < 5.0 * (2.0 / n).sqrt(), "5 standard errors: {variance} against {exact}");
        }
        // Recorded once: distances printed by different versions can be compared only while this holds.
        let sum: f32 = network.features(picture(1, 64).view()).sum();
        assert!((sum - RECORDED).abs() < 1e-3 * RECORDED, "{sum}");
    }
    const RECORDED: f32 = 110.614;
}
