//! The Frechet measure of generated images, against the images that the session learns from (model.md 8).

use crate::analysis::image_evaluator::{ImageEvaluator, Images};
use crate::data::Stimuli;
use crate::studies::StudyError;
use crate::studies::generation::image_evaluation;
use ndarray::{Array2, ArrayView2, s};
use rand::{SeedableRng, rngs::ChaCha8Rng, seq};

/// Images that generated ones are compared with, at most, and other images for floor and classes, at most.
const REFERENCE: usize = 1000;
const OTHERS: usize = 2000;

/// Images of a session, a part of them in an order of their own.
#[derive(Clone, Debug)]
pub struct Sample {
    /// `[count, n_0]`.
    pub pixels: Array2<f32>,
    /// `[count]`, where they are known.
    pub labels: Option<Vec<u8>>,
}

impl Sample {
    /// As many of the images as a measure uses.
    pub fn of(images: &Stimuli, labels: Option<&[u8]>) -> Self {
        let all = images.len();
        let chosen = seq::index::sample(&mut ChaCha8Rng::seed_from_u64(0), all, all.min(REFERENCE + OTHERS)).into_vec();
        let labels = labels.and_then(|labels| chosen.iter().map(|&i| labels.get(i).copied()).collect());
        Self { pixels: images.copied(&chosen), labels }
    }
}

/// An evaluator of images, and how many it compares.
#[derive(Clone, Debug)]
pub struct Measure {
    evaluator: ImageEvaluator,
    /// Generated images that are evaluated, at most: there is a floor of as many.
    most: usize,
}

/// How a set of images compares.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ImageScores {
    /// Frechet distance.
    pub distance: f64,
    /// Share of each class, where classes are known.
    pub shares: Option<Vec<f64>>,
}

/// What distances are to be read beside.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Floor {
    /// Frechet distance of images of the data, as many as are evaluated.
    pub distance: f64,
    /// Images evaluated of each mode.
    pub count: usize,
    /// Images that they are compared with.
    pub reference_count: usize,
    /// The classes, where they are known.
    pub classes: Vec<u8>,
    /// Share of each class among the data.
    pub shares: Option<Vec<f64>>,
}

impl Measure {
    /// Fits it to images of `[rows, columns]`; an error says why that cannot be.
    pub fn fit(size: [usize; 2], sample: &Sample) -> Result<Self, StudyError> {
        let count = sample.pixels.nrows();
        let reference = count / 3; // a third to compare with, the rest for floor and classes
        let part = |range: std::ops::Range<usize>| Images {
            pixels: sample.pixels.slice(s![range.clone(), ..]).to_owned(),
            labels: sample.labels.as_ref().map(|labels| labels[range].to_vec()),
        };
        let evaluator = image_evaluation::fit(size, part(0..reference), part(reference..count))?;
        let most = evaluator.most_comparable();
        if most < ImageEvaluator::FEWEST {
            return Err(StudyError::NotApplicable(format!("{count} images: more are needed for a floor")));
        }
        Ok(Self { evaluator, most })
    }

    /// What distances of `count` images are to be read beside.
    pub fn floor(&self, count: usize) -> Floor {
        let count = count.min(self.most);
        let floor = self.evaluator.floor(count);
        Floor {
            distance: floor.frechet,
            count,
            reference_count: floor.reference_count,
            classes: self.evaluator.classes(),
            shares: self.evaluator.reference_shares().map(<[f64]>::to_vec),
        }
    }

    /// Evaluates samples and means, `[count, n_0]` each; None where there are too few, or one is not finite.
    pub fn scores(&self, samples: ArrayView2<f32>, means: ArrayView2<f32>) -> Option<[ImageScores; 2]> {
        let score = |images: ArrayView2<f32>| {
            let found = self.evaluator.evaluate(images.slice(s![..images.nrows().min(self.most), ..])).ok()?;
            Some(ImageScores { distance: found.frechet, shares: found.class_shares })
        };
        Some([score(samples)?, score(means)?])
    }
}
