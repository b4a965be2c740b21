//! The embedded sets of images: handwritten digits of 8 x 8 pixels and a part of Fashion-MNIST.

use crate::data::readers::idx::{self, Header};
use crate::data::readers::input::Input;
use crate::data::{DataError, ImageSet, Part, Progress, ReadError};
use ndarray::Array2;

/// Digits held out: the last of the 1797.
pub const DIGITS_HELD_OUT: usize = 297;
/// Pieces of clothing held out: the last of the 10,000.
pub const FASHION_HELD_OUT: usize = 1000;

/// 1797 handwritten digits of 8 x 8 pixels (E. Alpaydin and C. Kaynak 1998, CC-BY-4.0), classes 0 to 9. Their levels 0 to 16
/// become 0 to 1. The first 1500, in the order of their publication, are to learn from, the last 297 are held out.
pub fn digits(part: Part) -> Result<ImageSet, DataError> {
    let images = include_bytes!("../../assets/digits8x8/digits8x8-images-idx3-ubyte.gz");
    let labels = include_bytes!("../../assets/digits8x8/digits8x8-labels-idx1-ubyte.gz");
    embedded("digits8x8", images, labels, 16.0, DIGITS_HELD_OUT, part)
}

/// The 10,000 images of 28 x 28 pixels that Fashion-MNIST keeps for tests (H. Xiao, K. Rasul, R. Vollgraf 2017, MIT licence),
/// classes 0 to 9. The first 9000 are to learn from, the last 1000 are held out.
pub fn fashion(part: Part) -> Result<ImageSet, DataError> {
    let images = include_bytes!("../../assets/fashion/t10k-images-idx3-ubyte.gz");
    let labels = include_bytes!("../../assets/fashion/t10k-labels-idx1-ubyte.gz");
    embedded("fashion", images, labels, 255.0, FASHION_HELD_OUT, part)
}

fn embedded(name: &str, images: &[u8], labels: &[u8], white: f32, held_out: usize, part: Part) -> Result<ImageSet, DataError> {
    let read = || -> Result<ImageSet, ReadError> {
        let progress = Progress::default();
        let (images, labels) = (Input::Memory(images), idx::labels(Input::Memory(labels), &progress)?);
        let Header::Images(shape) = idx::header(images)? else { return Err("labels, where images are needed".into()) };
        let range = part.range(shape.count, held_out);
        let labels = labels.get(range.clone()).ok_or("fewer labels than images")?.to_vec();
        let mut pixels = vec![0.0; range.len() * shape.pixels()];
        idx::fill(images, range.start * shape.pixels(), white, &mut pixels, &progress)?;
        let pixels = Array2::from_shape_vec((range.len(), shape.pixels()), pixels).map_err(|e| e.to_string())?;
        Ok(ImageSet { labels: Some(labels), ..ImageSet::new(pixels, [shape.rows, shape.columns]) })
    };
    read().map_err(|problem| DataError::File { path: name.into(), problem })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn embedded_sets_are_whole_and_divided() {
        for (set, sizes, side) in [(digits as fn(Part) -> _, [1500, 297], 8), (fashion, [9000, 1000], 28)] {
            let read = |part| -> ImageSet { set(part).unwrap() };
            let (all, train, test) = (read(Part::All), read(Part::Train), read(Part::Test));
            assert_eq!([train.len(), test.len()], sizes);
            assert_eq!((all.rows, all.columns, all.pixels.ncols()), (side, side, side * side));
            assert_eq!(all.slice(0..sizes[0]), train);
            assert_eq!(all.slice(sizes[0]..all.len()), test);
            let (low, high) = all.pixels.iter().fold((1.0f32, 0.0f32), |(low, high), &v| (low.min(v), high.max(v)));
            assert_eq!((low, high), (0.0, 1.0));
            for part in [train, test] {
                let labels = part.labels.unwrap();
                let share = |class: u8| labels.iter().filter(|&&l| l == class).count() as f32 / labels.len() as f32;
                assert!((0..10).all(|class| (0.07..0.13).contains(&share(class))), "all ten classes alike");
            }
        }
    }

    #[test]
    fn the_first_digit_is_the_zero_it_is_labelled_as() {
        let set = digits(Part::All).unwrap();
        let first = [0., 0., 5., 13., 9., 1., 0., 0., 0., 0., 13., 15., 10., 15., 5., 0.].map(|level| level / 16.0);
        assert_eq!(set.pixels.row(0).as_slice().unwrap()[..16], first);
        assert_eq!(set.labels.unwrap()[..10], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }
}
