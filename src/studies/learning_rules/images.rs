//! Binary images from which every rule learns: bars, whose distribution is known, and handwritten digits.

use crate::data::{self, Part};
use crate::studies::StudyError;
use crate::studies::likelihood::Binarisation;
use ndarray::{Array2, s};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

/// Pixels a side of an image of bars: two bars for each.
const SIDE: usize = 4;
/// A bar is there with this probability, and a pixel is then turned over with this one.
const BAR: f64 = 0.25;
const TURNED: f64 = 0.05;
/// Images of bars that are learned from.
const LEARNED: usize = 5000;
/// Digits of the training set that are kept back to choose settings by.
const KEPT_BACK: usize = 200;
/// Images whose likelihood is measured.
const MEASURED: usize = 100;

/// Images of 0 and 1, `[count, n_0]`.
#[derive(Clone, Debug)]
pub(super) struct BinaryImages {
    /// Rows and columns of each.
    pub(super) shape: [usize; 2],
    /// Learned from.
    pub(super) learned: Array2<f32>,
    /// Never learned from: their likelihood is measured.
    pub(super) held_out: Array2<f32>,
    /// log p of each of the latter under the distribution that has drawn them, nats, where that is known.
    pub(super) truth: Option<Vec<f64>>,
}

impl BinaryImages {
    /// Mean log p of the held-out images under the distribution that has drawn them, nats, where that is known.
    pub(super) fn mean_truth(&self) -> Option<f64> {
        self.truth.as_ref().map(|logs| logs.iter().sum::<f64>() / logs.len() as f64)
    }
}

/// Which images the likelihood is of: those that figures are told of, or others by which settings are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeldOut {
    Test,
    Validation,
}

/// Bars of 4 x 4 pixels: each of the eight is there with probability 1/4, and every pixel is turned over with probability 1/20.
pub(super) fn bars(which: HeldOut) -> BinaryImages {
    let draw = |count: usize, seed: u64| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut images = Array2::zeros((count, SIDE * SIDE));
        for mut image in images.rows_mut() {
            let present: Vec<bool> = (0..2 * SIDE).map(|_| rng.random_bool(BAR)).collect();
            for (pixel, value) in image.iter_mut().enumerate() {
                *value = f32::from(u8::from(is_covered(pixel, &present) != rng.random_bool(TURNED)));
            }
        }
        images
    };
    let held_out = draw(MEASURED, if which == HeldOut::Test { 0x7465 } else { 0x7661 });
    let truth = Some(log_probabilities(&held_out));
    BinaryImages { shape: [SIDE; 2], learned: draw(LEARNED, 0x6c65), held_out, truth }
}

/// Whether one of the bars that are there, rows first, covers the pixel.
fn is_covered(pixel: usize, present: &[bool]) -> bool {
    present[pixel / SIDE] || present[SIDE + pixel % SIDE]
}

/// log p of each image of bars: the sum over all 256 sets of bars.
fn log_probabilities(images: &Array2<f32>) -> Vec<f64> {
    let sets: Vec<(f64, Vec<bool>)> = (0..1u32 << (2 * SIDE))
        .map(|set| {
            let present: Vec<bool> = (0..2 * SIDE).map(|bar| set >> bar & 1 == 1).collect();
            let prior: f64 = present.iter().map(|&is_there| if is_there { BAR } else { 1.0 - BAR }).product();
            (prior, present)
        })
        .collect();
    let of_image = |image: &[f32]| {
        let given = |present: &[bool]| -> f64 {
            let right = |(pixel, value): (usize, &f32)| (*value == 1.0) == is_covered(pixel, present);
            image.iter().enumerate().map(|at| if right(at) { 1.0 - TURNED } else { TURNED }).product()
        };
        sets.iter().map(|(prior, present)| prior * given(present)).sum::<f64>().ln()
    };
    images.rows().into_iter().map(|image| of_image(&image.to_vec())).collect()
}

/// Handwritten digits of 8 x 8 pixels, each pixel 1 with the probability of its grey level, drawn once.
pub(super) fn digits(which: HeldOut) -> Result<BinaryImages, StudyError> {
    let read = |part| data::digits(part).map_err(|error| StudyError::NotApplicable(error.to_string()));
    let (train, test) = (read(Part::Train)?, read(Part::Test)?);
    let binary = Binarisation::Drawn.apply(train.pixels.view(), 1);
    let count = binary.nrows() - KEPT_BACK;
    let held_out = match which {
        HeldOut::Test => Binarisation::Drawn.apply(test.pixels.slice(s![..MEASURED.min(test.pixels.nrows()), ..]), 2),
        HeldOut::Validation => binary.slice(s![count..count + MEASURED, ..]).to_owned(),
    };
    Ok(BinaryImages { shape: train.shape(), learned: binary.slice(s![..count, ..]).to_owned(), held_out, truth: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_probabilities_of_bars_sum_to_1_and_their_means_are_those_of_the_images() {
        let all = Array2::from_shape_fn((1 << 16, 16), |(image, pixel)| (image >> pixel & 1) as f32);
        let p: Vec<f64> = log_probabilities(&all).iter().map(|log| log.exp()).collect();
        assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        let images = bars(HeldOut::Test);
        let mean_of = |pixel: usize| all.column(pixel).iter().zip(&p).map(|(&x, p)| f64::from(x) * p).sum::<f64>();
        for pixel in 0..16 {
            let found = f64::from(images.learned.column(pixel).sum()) / LEARNED as f64;
            let error = (mean_of(pixel) * (1.0 - mean_of(pixel)) / LEARNED as f64).sqrt();
            assert!((found - mean_of(pixel)).abs() < 4.5 * error, "pixel {pixel}: {found} against {}", mean_of(pixel));
        }
    }

    #[test]
    fn digits_that_are_measured_are_never_learned_from() {
        for which in [HeldOut::Test, HeldOut::Validation] {
            let images = digits(which).unwrap();
            assert_eq!((images.held_out.nrows(), images.learned.ncols(), images.shape), (MEASURED, 64, [8, 8]));
            let is_learned = |row: Vec<f32>| images.learned.rows().into_iter().any(|other| other.to_vec() == row);
            assert!(!images.held_out.rows().into_iter().any(|row| is_learned(row.to_vec())), "{which:?}");
        }
    }
}
