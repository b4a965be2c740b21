//! A set of whole images of one size, and its division into a part to learn from and a part held out.

use ndarray::{Array2, Axis, s};
use rand::{SeedableRng, rngs::ChaCha8Rng};
use std::ops::Range;

/// Whole images, grey.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageSet {
    /// Grey levels 0 to 1, `[count, rows * columns]`, an image a row, row by row.
    pub pixels: Array2<f32>,
    /// Rows of an image.
    pub rows: usize,
    /// Columns of an image.
    pub columns: usize,
    /// The class of each image where it is known, `[count]`.
    pub labels: Option<Vec<u8>>,
    /// Names of classes by their number, where they have any.
    pub class_names: ClassNames,
}

/// Names of classes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClassNames(Vec<(u8, String)>);

impl ClassNames {
    /// The name of a class: its number where it has no other.
    pub fn of(&self, class: u8) -> String {
        let named = self.0.iter().find(|(number, _)| *number == class);
        named.map_or_else(|| class.to_string(), |(_, name)| name.clone())
    }
}

impl FromIterator<(u8, String)> for ClassNames {
    fn from_iter<T: IntoIterator<Item = (u8, String)>>(names: T) -> Self {
        Self(names.into_iter().collect())
    }
}

/// Which images of a set are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Those to learn from.
    Train,
    /// Those held out.
    Test,
    /// Every image.
    All,
}

impl Part {
    /// The images of this part where the last `held_out` of `count` are held out.
    pub fn range(self, count: usize, held_out: usize) -> Range<usize> {
        let first = count - held_out.min(count);
        match self {
            Self::Train => 0..first,
            Self::Test => first..count,
            Self::All => 0..count,
        }
    }
}

impl ImageSet {
    /// Images `[count, rows * columns]` whose classes are not known.
    pub fn new(pixels: Array2<f32>, [rows, columns]: [usize; 2]) -> Self {
        Self { pixels, rows, columns, labels: None, class_names: ClassNames::default() }
    }

    /// Rows and columns of an image.
    pub fn shape(&self) -> [usize; 2] {
        [self.rows, self.columns]
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.pixels.nrows()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The images of `range`, in their order. Panics where it reaches past the end.
    pub fn slice(&self, range: Range<usize>) -> Self {
        let labels = self.labels.as_ref().map(|labels| labels[range.clone()].to_vec());
        Self { pixels: self.pixels.slice(s![range, ..]).to_owned(), labels, class_names: self.class_names.clone(), ..*self }
    }

    /// `count` different images drawn at random (all of them, shuffled, where there are fewer); the same for one seed.
    pub fn subset(&self, count: usize, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let chosen = rand::seq::index::sample(&mut rng, self.len(), count.min(self.len())).into_vec();
        let labels = self.labels.as_ref().map(|labels| chosen.iter().map(|&i| labels[i]).collect());
        Self { pixels: self.pixels.select(Axis(0), &chosen), labels, class_names: self.class_names.clone(), ..*self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_overlap_and_subsets_keep_labels_with_their_images() {
        let set = ImageSet { labels: Some((0..50).collect()), ..ImageSet::new(Array2::from_shape_fn((50, 4), |(i, _)| i as f32), [2, 2]) };
        let [train, test] = [Part::Train, Part::Test].map(|part| set.slice(part.range(set.len(), 5)));
        assert_eq!((train.len(), test.len()), (45, 5));
        assert_eq!(test.labels.unwrap(), [45, 46, 47, 48, 49]);
        let drawn = set.subset(20, 7);
        let labels = drawn.labels.clone().unwrap();
        assert!(drawn.pixels.rows().into_iter().zip(&labels).all(|(image, &label)| image[0] == f32::from(label)));
        let mut different = labels.clone();
        different.sort_unstable();
        different.dedup();
        assert_eq!(different.len(), 20, "drawn without replacement");
        assert_eq!(drawn, set.subset(20, 7));
        assert_ne!(drawn, set.subset(20, 8));
        assert_eq!(set.subset(99, 1).len(), 50);
    }
}
