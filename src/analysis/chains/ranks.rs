//! Ranks of draws, and the normal quantiles that stand for them (Blom's offset 3/8, ties share the mean rank).

use statrs::distribution::{ContinuousCDF, Normal};

/// A number that chains are made of.
pub trait Draw: Copy + Into<f64> + Send + Sync {
    /// Whether it can be used.
    fn is_usable(self) -> bool;
    /// The value and its place together, ordered by the value first: what is sorted lies in one piece.
    #[doc(hidden)]
    type Key: Copy + Ord;
    #[doc(hidden)]
    fn key(self, place: u32) -> Self::Key;
    #[doc(hidden)]
    fn place(key: Self::Key) -> u32;
    #[doc(hidden)]
    fn value(key: Self::Key) -> Self;
}

/// [`Draw`] for floating-point numbers: their bits, with the sign taken care of, are ordered as they are. -0 comes just before 0, and both
/// are one value where ties are looked for.
macro_rules! draw {
    ($float:ty, $bits:ty, $key:ty) => {
        impl Draw for $float {
            type Key = $key;

            fn is_usable(self) -> bool {
                self.is_finite()
            }

            fn key(self, place: u32) -> $key {
                const SIGN: $bits = 1 << (<$bits>::BITS - 1);
                let bits = self.to_bits();
                let ordered = if bits & SIGN == 0 { bits | SIGN } else { !bits };
                (<$key>::from(ordered) << 32) | <$key>::from(place)
            }

            fn place(key: $key) -> u32 {
                (key & 0xffff_ffff) as u32
            }

            fn value(key: $key) -> $float {
                const SIGN: $bits = 1 << (<$bits>::BITS - 1);
                let ordered = (key >> 32) as $bits;
                <$float>::from_bits(if ordered & SIGN == 0 { !ordered } else { ordered & !SIGN })
            }
        }
    };
}

draw!(f32, u32, u64);
draw!(f64, u64, u128);

/// The normal quantiles of all ranks among so many values.
#[derive(Clone, Debug)]
pub struct NormalScores {
    total: usize,
    /// Of ranks 1 .. half of all; the others are these with the other sign.
    lower: Vec<f64>,
}

fn quantile(rank: f64, total: usize) -> f64 {
    Normal::standard().inverse_cdf((rank - 0.375) / (total as f64 + 0.25))
}

impl NormalScores {
    /// Of ranks among `total` values.
    pub fn of(total: usize) -> Self {
        Self { total, lower: (1..=total.div_ceil(2)).map(|rank| quantile(rank as f64, total)).collect() }
    }

    /// Values that are ranked.
    pub fn total(&self) -> usize {
        self.total
    }

    /// Of the mean of ranks `first` + 1 .. `last` + 1, which tied values share.
    fn of_ties(&self, first: usize, last: usize) -> f64 {
        let twice = first + last; // twice the rank, from 0
        if !twice.is_multiple_of(2) {
            return quantile(0.5 * twice as f64 + 1.0, self.total);
        }
        let rank = twice / 2;
        if rank < self.lower.len() { self.lower[rank] } else { -self.lower[self.total - 1 - rank] }
    }
}

/// Values in rising order, each with its place.
pub(super) struct Ranked<T: Draw>(Vec<T::Key>);

impl<T: Draw> Ranked<T> {
    /// Of values that follow each other: the first has place 0. There are fewer than 2^32 of them.
    pub(super) fn new(values: impl Iterator<Item = T>) -> Self {
        let mut keys: Vec<T::Key> = values.zip(0u32..).map(|(value, place)| value.key(place)).collect();
        keys.sort_unstable();
        Self(keys)
    }

    fn value(&self, rank: usize) -> f64 {
        T::value(self.0[rank]).into()
    }

    /// The middle value, or the mean of both in the middle.
    pub(super) fn median(&self) -> f64 {
        0.5 * (self.value(self.0.len() / 2) + self.value((self.0.len() - 1) / 2))
    }

    /// Largest less smallest value.
    pub(super) fn range(&self) -> f64 {
        self.value(self.0.len() - 1) - self.value(0)
    }

    /// The normal score of each value, in the order of places.
    pub(super) fn scores(&self, normal: &NormalScores) -> Vec<f64> {
        let mut scores = vec![0.0; self.0.len()];
        let mut first = 0;
        while first < self.0.len() {
            let value = self.value(first);
            let mut last = first;
            while last + 1 < self.0.len() && self.value(last + 1) == value {
                last += 1;
            }
            let score = normal.of_ties(first, last);
            self.0[first..=last].iter().for_each(|&key| scores[T::place(key) as usize] = score);
            first = last + 1;
        }
        scores
    }

    /// Tells `take` the place and the normal score of each value's distance from the median. Distances rise from the median outwards on
    /// both sides, so that nothing is sorted again.
    pub(super) fn folded_scores(&self, normal: &NormalScores, mut take: impl FnMut(u32, f64)) {
        let (keys, median) = (&self.0, self.median());
        let mut above = keys.partition_point(|&key| T::value(key).into() < median);
        let mut below = above; // the values that are left lie before it
        let distance = |rank: usize| (self.value(rank) - median).abs();
        let mut taken: Vec<u32> = Vec::new();
        let mut first = 0;
        while first < keys.len() {
            let down = if below > 0 { distance(below - 1) } else { f64::INFINITY };
            let up = if above < keys.len() { distance(above) } else { f64::INFINITY };
            let nearest = down.min(up);
            taken.clear();
            while below > 0 && distance(below - 1) == nearest {
                below -= 1;
                taken.push(T::place(keys[below]));
            }
            while above < keys.len() && distance(above) == nearest {
                taken.push(T::place(keys[above]));
                above += 1;
            }
            let score = normal.of_ties(first, first + taken.len() - 1);
            taken.iter().for_each(|&place| take(place, score));
            first += taken.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ranks by comparing every value with every other.
    fn plain_scores(values: &[f64]) -> Vec<f64> {
        let rank = |v: &f64| {
            let less = values.iter().filter(|w| *w < v).count() as f64;
            less + 0.5 * (values.iter().filter(|w| *w == v).count() as f64 + 1.0)
        };
        values.iter().map(|v| quantile(rank(v), values.len())).collect()
    }

    #[test]
    fn ranks_and_folded_ranks_are_those_of_plain_counting() {
        for count in [4usize, 5, 12, 37, 200] {
            // Many ties, both zeros, values on both sides of the median and on it.
            let values: Vec<f32> =
                (0..count).map(|i| ((i * 7919 + 13) % 23) as f32 - 11.0).map(|v| if v == 1.0 { -0.0 } else { v }).collect();
            let wide: Vec<f64> = values.iter().map(|&v| f64::from(v)).collect();
            let normal = NormalScores::of(count);
            let ranked = Ranked::new(values.iter().copied());
            let near = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-12);
            assert!(near(&ranked.scores(&normal), &plain_scores(&wide)), "{count}");
            assert_eq!(ranked.scores(&normal), Ranked::new(wide.iter().copied()).scores(&normal), "in single and in double precision");
            let mut sorted = wide.clone();
            sorted.sort_by(f64::total_cmp);
            let median = 0.5 * (sorted[count / 2] + sorted[(count - 1) / 2]);
            assert_eq!(ranked.median(), median);
            let mut folded = vec![f64::NAN; count];
            ranked.folded_scores(&normal, |place, score| folded[place as usize] = score);
            assert!(near(&folded, &plain_scores(&wide.iter().map(|v| (v - median).abs()).collect::<Vec<_>>())), "{count}");
        }
    }
}
