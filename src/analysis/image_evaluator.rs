//! The evaluation of generated images by Frechet distance, precision and recall: fitted once on a data set, then applied to any samples.

use crate::analysis::discriminants::Discriminants;
use crate::analysis::features::{Extract, RandomNetwork};
use crate::analysis::frechet::Moments;
use crate::analysis::manifold::{nearest_distances, precision_recall};
use crate::analysis::principal::Whitening;
use ndarray::{Array2, ArrayView2, Axis};
use rand::{SeedableRng, rngs::ChaCha8Rng, seq};

/// Principal components that the features of the reference are whitened to, at most, and reference images for each at least:
/// with fewer the whitening fits chance, and fresh images look broader than the reference (precision falls, recall rises).
const COMPONENTS: usize = 128;
const IMAGES_A_COMPONENT: usize = 8;
const SHRINKAGE: f64 = 0.1;
/// Training images that the discriminants are fitted to, at most; at least as many stay for the floor.
const MOST_FITTED: usize = 10_000;
/// Points of a manifold at most, and the neighbour that is the radius of its balls.
const MOST_NEIGHBOURS: usize = 5000;
const NEIGHBOUR: usize = 3;
/// Samples whose nearest training image is looked for, at most: so many among 60,000 take a second.
const MOST_NEAREST: usize = 500;
/// Grey levels at most: far beyond what is meant, far below what overflows on the way to a covariance.
const MOST_GREY: f32 = 1e6;
/// A sample closer to a training image than all but this fraction of held-out images counts as close.
const CLOSE_SHARE: f64 = 0.05;

/// Images of one size with their classes where these are known.
#[derive(Clone, Debug)]
pub struct Images {
    /// Grey levels 0 to 1, `[count, rows * columns]`.
    pub pixels: Array2<f32>,
    /// `[count]`.
    pub labels: Option<Vec<u8>>,
}

/// What is found of a set of samples.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Evaluation {
    /// Samples compared. Frechet distances fall with it: compare only figures of one count.
    pub count: usize,
    /// Reference images that they are compared with.
    pub reference_count: usize,
    /// Frechet distance in the whitened features of the random network.
    pub frechet: f64,
    /// Frechet distance in the space of the linear discriminants, where classes are known.
    pub frechet_classes: Option<f64>,
    /// Fraction of samples that look like reference images.
    pub precision: f64,
    /// Fraction of reference images that samples look like.
    pub recall: f64,
    /// Points of each set that precision and recall are counted over.
    pub manifold_count: usize,
    /// Mean distance to the nearest training image, root of the sum of squares over pixels.
    pub nearest_training: f64,
    /// Its standard error.
    pub nearest_training_error: f64,
    /// Fraction of samples that are closer to a training image than 95 % of held-out images are: 0.05 where nothing is memorised.
    pub close_share: f64,
    /// Samples that the nearest training image was looked for.
    pub nearest_count: usize,
    /// Fraction of each class by the discriminants, in the order of [`ImageEvaluator::classes`].
    pub class_shares: Option<Vec<f64>>,
}

/// Everything that is fitted before samples are evaluated.
#[derive(Clone, Debug)]
pub struct ImageEvaluator {
    network: RandomNetwork,
    extract: Extract,
    whitening: Whitening,
    /// Whitened features of the reference and their moments.
    reference: Array2<f32>,
    moments: Moments,
    classes: Option<Classes>,
    training: Array2<f32>,
    /// Training images that nothing was fitted to, shuffled.
    unused: Vec<usize>,
    /// Distances of reference images to their nearest training image.
    held_out: Distances,
}

#[derive(Clone, Debug)]
struct Classes {
    discriminants: Discriminants,
    moments: Moments,
    accuracy: Option<f64>,
    reference_shares: Vec<f64>,
}

/// Distances to the nearest training image.
#[derive(Clone, Debug)]
struct Distances {
    sorted: Vec<f32>,
}

impl Distances {
    fn of(samples: ArrayView2<f32>, training: ArrayView2<f32>) -> Self {
        let mut sorted = nearest_distances(some(samples, MOST_NEAREST).view(), training);
        sorted.sort_unstable_by(f32::total_cmp);
        Self { sorted }
    }

    /// Mean and its standard error.
    fn mean(&self) -> (f64, f64) {
        let n = self.sorted.len().max(1) as f64;
        let mean = self.sorted.iter().map(|&d| f64::from(d)).sum::<f64>() / n;
        let variance = self.sorted.iter().map(|&d| (f64::from(d) - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
        (mean, (variance / n).sqrt())
    }

    fn quantile(&self, share: f64) -> f32 {
        let at = (share * self.sorted.len() as f64) as usize;
        self.sorted.get(at).or(self.sorted.last()).copied().unwrap_or(0.0)
    }

    fn share_below(&self, distance: f32) -> f64 {
        self.sorted.partition_point(|&d| d < distance) as f64 / self.sorted.len().max(1) as f64
    }
}

/// Why images cannot be evaluated.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum EvaluationError {
    /// A side is too small for the network.
    #[error("images of {0} x {1} pixels: at least {least} a side are needed", least = RandomNetwork::SMALLEST_SIDE)]
    Small(usize, usize),
    /// Not enough images.
    #[error("{found} {part} images: at least {least} are needed", least = ImageEvaluator::FEWEST)]
    Few {
        /// Which.
        part: &'static str,
        /// How many there are.
        found: usize,
    },
    /// A set of another size.
    #[error("{part} of {found} pixels an image, {needed} are needed")]
    Size {
        /// Which.
        part: &'static str,
        /// Pixels an image.
        found: usize,
        /// What would be right.
        needed: usize,
    },
    /// A value that no distance can be computed from.
    #[error("image {0} holds a value that is not finite")]
    NotFinite(usize),
    /// A value whose square is beyond what is computed with.
    #[error("image {image} holds {value}: grey levels are 0 to 1, and what is beyond {most} cannot be compared", most = MOST_GREY)]
    TooLarge {
        /// Which.
        image: usize,
        /// What it holds.
        value: f32,
    },
    /// Images that do not differ have no covariance that others could be held against.
    #[error("the {part} images do not differ from each other: nothing can be compared with them")]
    Constant {
        /// Which.
        part: &'static str,
    },
}

impl ImageEvaluator {
    /// Images of a set, and samples, at least.
    pub const FEWEST: usize = 20;

    /// Fits the whitening to `reference` (held-out images) and the discriminants to half of `training`, at most 10,000 of
    /// them: what is fitted is never measured on the images it was fitted to. `size`: rows and columns.
    pub fn fit(size: [usize; 2], reference: Images, training: Images, extract: Extract) -> Result<Self, EvaluationError> {
        let network = RandomNetwork::new(size[0], size[1]).ok_or(EvaluationError::Small(size[0], size[1]))?;
        for (part, images) in [("reference", &reference), ("training", &training)] {
            check(part, images.pixels.view(), size[0] * size[1])?;
        }
        let features = extract(&network, reference.pixels.view());
        let whitening = Whitening::fit(features.view(), COMPONENTS.min(reference.pixels.nrows() / IMAGES_A_COMPONENT));
        if whitening.components() == 0 {
            return Err(EvaluationError::Constant { part: "reference" });
        }
        let whitened = whitening.apply(features.view());
        let mut order = drawn(training.pixels.nrows(), training.pixels.nrows());
        let unused = order.split_off((order.len() / 2).min(MOST_FITTED));
        let classes = training.labels.as_ref().and_then(|labels| {
            let fitted = extract(&network, training.pixels.select(Axis(0), &order).view());
            let labels: Vec<u8> = order.iter().map(|&i| labels.get(i).copied()).collect::<Option<_>>()?;
            let discriminants = Discriminants::fit(fitted.view(), &labels, SHRINKAGE)?;
            Some(Classes::of(discriminants, features.view(), reference.labels.as_deref()))
        });
        let held_out = Distances::of(reference.pixels.view(), training.pixels.view());
        Ok(Self {
            moments: Moments::of(whitened.view()),
            network,
            extract,
            whitening,
            reference: whitened,
            classes,
            training: training.pixels,
            unused,
            held_out,
        })
    }

    /// Evaluates samples `[count, rows * columns]`, at least 20 of them, every value finite.
    pub fn evaluate(&self, samples: ArrayView2<f32>) -> Result<Evaluation, EvaluationError> {
        let [rows, columns] = self.network.size();
        check("samples", samples, rows * columns)?;
        Ok(self.compare(samples, &Distances::of(samples, self.training.view())))
    }

    /// The floor: the same figures for `count` training images that nothing was fitted to (fewer where there are fewer), but
    /// distances to the nearest training image and their close share are those of the reference images.
    pub fn floor(&self, count: usize) -> Evaluation {
        let chosen = self.training.select(Axis(0), &self.unused[..count.min(self.unused.len())]);
        self.compare(chosen.view(), &self.held_out)
    }

    fn compare(&self, samples: ArrayView2<f32>, distances: &Distances) -> Evaluation {
        let features = (self.extract)(&self.network, samples);
        let whitened = self.whitening.apply(features.view());
        let manifold_count = samples.nrows().min(self.reference.nrows()).min(MOST_NEIGHBOURS);
        let [real, made] = [&self.reference, &whitened].map(|rows| some(rows.view(), manifold_count));
        let manifold = precision_recall(real.view(), made.view(), NEIGHBOUR);
        let placed = self.classes.as_ref().map(|classes| (classes, classes.discriminants.apply(features.view())));
        let (nearest_training, nearest_training_error) = distances.mean();
        Evaluation {
            count: samples.nrows(),
            reference_count: self.reference.nrows(),
            frechet: self.moments.frechet_distance(&Moments::of(whitened.view())),
            frechet_classes: placed.as_ref().map(|(classes, rows)| classes.moments.frechet_distance(&Moments::of(rows.view()))),
            precision: manifold.precision,
            recall: manifold.recall,
            manifold_count,
            nearest_training,
            nearest_training_error,
            close_share: distances.share_below(self.held_out.quantile(CLOSE_SHARE)),
            nearest_count: distances.sorted.len(),
            class_shares: placed.map(|(classes, rows)| shares(&classes.discriminants, rows.view())),
        }
    }

    /// The most samples that a floor of the same count can be given for.
    pub fn most_comparable(&self) -> usize {
        self.unused.len()
    }

    /// The classes that are known, rising; empty where none are.
    pub fn classes(&self) -> Vec<u8> {
        self.classes.as_ref().map_or_else(Vec::new, |classes| classes.discriminants.labels().collect())
    }

    /// Fraction of each class among the reference images by the discriminants, in the order of [`Self::classes`].
    pub fn reference_shares(&self) -> Option<&[f64]> {
        self.classes.as_ref().map(|classes| classes.reference_shares.as_slice())
    }

    /// The class of each of `images`, `[count, rows * columns]`, by the discriminants, where classes are known.
    pub fn classify(&self, images: ArrayView2<f32>) -> Option<Vec<u8>> {
        let classes = self.classes.as_ref()?;
        let placed = classes.discriminants.apply((self.extract)(&self.network, images).view());
        Some(classes.discriminants.classify(placed.view()))
    }

    /// Fraction of reference images whose class the discriminants classify rightly, where labels are known.
    pub fn accuracy(&self) -> Option<f64> {
        self.classes.as_ref().and_then(|classes| classes.accuracy)
    }

    /// Number of training images that samples are held against.
    pub fn training_count(&self) -> usize {
        self.training.nrows()
    }
}

impl Classes {
    fn of(discriminants: Discriminants, features: ArrayView2<f32>, labels: Option<&[u8]>) -> Self {
        let placed = discriminants.apply(features);
        let classified = discriminants.classify(placed.view());
        let right = |labels: &[u8]| classified.iter().zip(labels).filter(|(a, b)| a == b).count() as f64 / classified.len() as f64;
        let accuracy = labels.filter(|labels| labels.len() == classified.len()).map(right);
        Self { moments: Moments::of(placed.view()), accuracy, reference_shares: shares(&discriminants, placed.view()), discriminants }
    }
}

/// Fraction of each class among placed rows.
fn shares(discriminants: &Discriminants, placed: ArrayView2<f32>) -> Vec<f64> {
    let classified = discriminants.classify(placed);
    let share = |label: u8| classified.iter().filter(|&&t| t == label).count() as f64 / classified.len().max(1) as f64;
    discriminants.labels().map(share).collect()
}

/// `count` of `all` indices, drawn at random with a fixed seed (all of them, shuffled): sets may be sorted by class.
fn drawn(all: usize, count: usize) -> Vec<usize> {
    seq::index::sample(&mut ChaCha8Rng::seed_from_u64(0), all, count.min(all)).into_vec()
}

/// At most `count` rows, drawn at random.
fn some(rows: ArrayView2<f32>, count: usize) -> Array2<f32> {
    rows.select(Axis(0), &drawn(rows.nrows(), count))
}

fn check(part: &'static str, images: ArrayView2<f32>, pixels: usize) -> Result<(), EvaluationError> {
    if images.nrows() < ImageEvaluator::FEWEST {
        return Err(EvaluationError::Few { part, found: images.nrows() });
    }
    if images.ncols() != pixels {
        return Err(EvaluationError::Size { part, found: images.ncols(), needed: pixels });
    }
    match images.indexed_iter().find(|(_, v)| !v.is_finite() || v.abs() > MOST_GREY) {
        Some(((image, _), value)) if value.is_finite() => Err(EvaluationError::TooLarge { image, value: *value }),
        Some(((image, _), _)) => Err(EvaluationError::NotFinite(image)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngExt;

    /// Bars of 8 x 8 pixels, upright (class 0) or lying (class 1), at a random place, on faint noise; sorted by class.
    fn bars(count: usize, seed: u64) -> Images {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let labels: Vec<u8> = (0..count).map(|i| u8::from(i >= count / 2)).collect();
        let mut pixels = Array2::from_shape_simple_fn((count, 64), || 0.1 * rng.random::<f32>());
        for (mut row, &label) in pixels.rows_mut().into_iter().zip(&labels) {
            let (place, grey) = (rng.random_range(0..8), rng.random_range(0.5..0.9));
            (0..8).for_each(|i| row[if label == 0 { i * 8 + place } else { place * 8 + i }] += grey);
        }
        Images { pixels, labels: Some(labels) }
    }

    fn evaluator() -> ImageEvaluator {
        ImageEvaluator::fit([8, 8], bars(400, 1), bars(800, 2), RandomNetwork::features).unwrap()
    }

    #[test]
    fn tells_fresh_images_from_noisy_collapsed_and_memorised_ones() {
        let evaluator = evaluator();
        assert_eq!((evaluator.classes(), evaluator.most_comparable(), evaluator.training_count()), (vec![0, 1], 400, 800));
        assert!(evaluator.accuracy().unwrap() > 0.97, "{:?}", evaluator.accuracy());
        let of = |pixels: &Array2<f32>| evaluator.evaluate(pixels.view()).unwrap();
        let (fresh, floor) = (of(&bars(400, 3).pixels), evaluator.floor(400));
        assert!((fresh.frechet / floor.frechet - 1.0).abs() < 0.3, "{fresh:?} {floor:?}");
        assert!(fresh.precision > 0.7 && fresh.recall > 0.7 && (fresh.close_share - 0.05).abs() < 0.05, "{fresh:?}");
        assert!(fresh.class_shares.as_ref().unwrap().iter().all(|s| (s - 0.5).abs() < 0.05));
        assert!((fresh.nearest_training - floor.nearest_training).abs() < 5.0 * fresh.nearest_training_error * 2f64.sqrt());
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        let noisy = of(&bars(400, 3).pixels.mapv(|v| v + 0.3 * rng.random::<f32>()));
        assert!(noisy.frechet > 3.0 * floor.frechet && noisy.precision < 0.2, "{noisy:?}");
        let collapsed = of(&bars(400, 3).pixels.select(Axis(0), &[5; 400]));
        assert!(collapsed.recall < 0.02 && collapsed.precision > 0.98, "{collapsed:?}");
        assert!(collapsed.frechet > 10.0 * floor.frechet && collapsed.frechet_classes > Some(10.0 * floor.frechet_classes.unwrap()));
        assert_eq!(collapsed.class_shares.unwrap(), [1.0, 0.0]);
        let memorised = of(&bars(800, 2).pixels);
        assert_eq!((memorised.close_share, memorised.nearest_training), (1.0, 0.0));
    }

    #[test]
    fn order_does_not_matter_and_reference_is_as_good_as_can_be() {
        let evaluator = evaluator();
        let reference = bars(400, 1).pixels;
        let same = evaluator.evaluate(reference.view()).unwrap();
        assert!(same.frechet < 1e-6 && same.frechet_classes.unwrap() < 1e-6, "{same:?}");
        assert_eq!((same.precision, same.recall), (1.0, 1.0));
        let samples = bars(300, 5).pixels;
        let turned = samples.select(Axis(0), &(0..300).rev().collect::<Vec<_>>());
        let [a, b] = [samples, turned].map(|s| evaluator.evaluate(s.view()).unwrap());
        assert!((a.frechet - b.frechet).abs() < 1e-4 * a.frechet, "{} {}", a.frechet, b.frechet);
        assert_eq!(a.nearest_training, b.nearest_training);
    }

    #[test]
    fn what_cannot_be_evaluated_is_named() {
        let fit =
            |size, reference, training| ImageEvaluator::fit(size, reference, training, RandomNetwork::features).map(|_| ()).unwrap_err();
        assert!(fit([4, 16], bars(40, 1), bars(40, 2)).to_string().contains("4 x 16"));
        assert!(fit([8, 8], bars(10, 1), bars(40, 2)).to_string().contains("10 reference"));
        assert!(fit([8, 9], bars(40, 1), bars(40, 2)).to_string().contains("72"));
        let evaluator = ImageEvaluator::fit([8, 8], bars(40, 1), Images { labels: None, ..bars(40, 2) }, RandomNetwork::features).unwrap();
        let without = evaluator.evaluate(bars(40, 3).pixels.view()).unwrap();
        assert!(without.frechet_classes.is_none() && without.class_shares.is_none() && evaluator.accuracy().is_none());
        let mut broken = bars(40, 3).pixels;
        broken[[17, 5]] = f32::NAN;
        assert_eq!(evaluator.evaluate(broken.view()), Err(EvaluationError::NotFinite(17)));
        broken[[17, 5]] = 1e30;
        assert_eq!(evaluator.evaluate(broken.view()), Err(EvaluationError::TooLarge { image: 17, value: 1e30 }));
    }

    #[test]
    fn sets_without_variance_are_named_and_singular_ones_are_compared() {
        let fit = |reference, training| ImageEvaluator::fit([8, 8], reference, training, RandomNetwork::features);
        let flat = |count: usize| Images { pixels: Array2::from_elem((count, 64), 0.3), ..bars(count, 1) };
        for reference in [flat(40), Images { pixels: Array2::zeros((40, 64)), labels: None }] {
            assert_eq!(fit(reference, bars(40, 2)).map(|_| ()), Err(EvaluationError::Constant { part: "reference" }));
        }
        // Two pictures that repeat span one dimension; training images that do not differ tell no classes apart.
        let two = |count: usize| Images { pixels: bars(400, 1).pixels.select(Axis(0), &[0, 399].repeat(count / 2)), ..bars(count, 1) };
        for (reference, training) in [(two(40), bars(400, 2)), (bars(400, 1), flat(40)), (two(40), flat(40)), (two(40), two(40))] {
            let evaluator = fit(reference, training).unwrap();
            for samples in [bars(40, 3), flat(40), two(40)] {
                let found = evaluator.evaluate(samples.pixels.view()).unwrap();
                let figures = [found.frechet, found.frechet_classes.unwrap_or(0.0), found.precision, found.recall, found.nearest_training];
                assert!(figures.iter().all(|v| v.is_finite()), "{found:?}");
            }
            assert!(evaluator.floor(20).frechet.is_finite());
        }
    }
}
