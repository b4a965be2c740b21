//! The evaluator of generated images on the cores at hand.

use crate::analysis::features::RandomNetwork;
use crate::analysis::image_evaluator::{EvaluationError, ImageEvaluator, Images};
use ndarray::{Array2, ArrayView2, Axis, concatenate};
use rayon::prelude::*;

/// Images that one task takes through the network.
const TOGETHER: usize = 250;

/// [`ImageEvaluator::fit`] with features found on all threads of the current pool.
pub fn fit(size: [usize; 2], reference: Images, training: Images) -> Result<ImageEvaluator, EvaluationError> {
    ImageEvaluator::fit(size, reference, training, features)
}

/// [`RandomNetwork::features`] on all threads of the current pool; the same numbers for any number of them.
fn features(network: &RandomNetwork, images: ArrayView2<f32>) -> Array2<f32> {
    let parts: Vec<_> = images.axis_chunks_iter(Axis(0), TOGETHER).collect();
    let parts: Vec<Array2<f32>> = parts.into_par_iter().map(|part| network.features(part)).collect();
    let views: Vec<_> = parts.iter().map(|part| part.view()).collect();
    concatenate(Axis(0), &views).unwrap_or_else(|_| network.features(images))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_bits_as_on_one_thread() {
        let network = RandomNetwork::new(9, 9).expect("large enough");
        let images = Array2::from_shape_fn((613, 81), |(i, p)| ((i * 31 + p * 17) % 19) as f32 / 18.0);
        assert_eq!(features(&network, images.view()), network.features(images.view()));
        assert_eq!(features(&network, images.slice(ndarray::s![..0, ..])).nrows(), 0);
    }
}
