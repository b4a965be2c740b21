//! The stimuli of a source: in memory, or patches that are cut when they are shown.

use super::patches::Patches;
use ndarray::{Array1, Array2, ArrayViewMut1, Axis};

/// Stimuli of n values each.
#[derive(Clone, Debug)]
pub enum Stimuli {
    /// `[count, n]`.
    Stored(Array2<f32>),
    /// Places in images.
    Cut(Patches),
}

impl From<Array2<f32>> for Stimuli {
    fn from(stored: Array2<f32>) -> Self {
        Self::Stored(stored)
    }
}

impl Stimuli {
    /// Number of stimuli.
    pub fn len(&self) -> usize {
        match self {
            Self::Stored(set) => set.nrows(),
            Self::Cut(patches) => patches.len(),
        }
    }

    /// Number of pictures that they are, or are cut from.
    pub fn pictures(&self) -> usize {
        match self {
            Self::Stored(set) => set.nrows(),
            Self::Cut(patches) => patches.pictures(),
        }
    }

    /// A number that tells these stimuli from others: of the bits of at most 64 of them, evenly spread (FNV-1a, 63 bits).
    pub fn fingerprint(&self) -> u64 {
        let (mut hash, mut one) = (0xcbf2_9ce4_8422_2325_u64, vec![0.0; self.values()]);
        for i in (0..self.len()).step_by(self.len().div_ceil(64).max(1)) {
            self.write(i, &mut one);
            one.iter().for_each(|value| hash = (hash ^ u64::from(value.to_bits())).wrapping_mul(0x0100_0000_01b3));
        }
        hash >> 1
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Values of a stimulus, n.
    pub fn values(&self) -> usize {
        match self {
            Self::Stored(set) => set.ncols(),
            Self::Cut(patches) => patches.side() * patches.side(),
        }
    }

    /// Writes stimulus i, `[n]`. Panics where there is none of this number.
    pub fn write(&self, i: usize, out: &mut [f32]) {
        match self {
            Self::Stored(set) => set.row(i).assign_to(ArrayViewMut1::from(out)),
            Self::Cut(patches) => patches.write(i, out),
        }
    }

    /// The stimuli of these numbers, `[count, n]`.
    pub fn copied(&self, chosen: &[usize]) -> Array2<f32> {
        let mut copies = Array2::zeros((chosen.len(), self.values()));
        for (mut copy, &i) in copies.rows_mut().into_iter().zip(chosen) {
            self.write(i, copy.as_slice_mut().unwrap_or_default());
        }
        copies
    }

    /// The same as a set of their own.
    pub fn select(&self, chosen: &[usize]) -> Self {
        match self {
            Self::Stored(set) => Self::Stored(set.select(Axis(0), chosen)),
            Self::Cut(patches) => Self::Cut(patches.select(chosen)),
        }
    }

    /// The mean stimulus, `[n]`; None of no stimuli.
    pub fn mean(&self) -> Option<Array1<f32>> {
        let (mut sum, mut one) = (Array1::<f64>::zeros(self.values()), vec![0.0; self.values()]);
        for i in 0..self.len() {
            self.write(i, &mut one);
            sum.iter_mut().zip(&one).for_each(|(sum, &v)| *sum += f64::from(v));
        }
        (!self.is_empty()).then(|| sum.mapv(|sum| (sum / self.len() as f64) as f32))
    }
}

#[cfg(test)]
mod tests {
    use super::super::patches::Settings;
    use super::*;
    use rand::{SeedableRng, rngs::ChaCha8Rng};

    #[test]
    fn cut_and_stored_stimuli_are_the_same() {
        let image = Array2::from_shape_fn((40, 30), |(r, c)| (r as f32 * 0.9).sin() * (c as f32 * 0.7).cos());
        let settings = Settings { side: 5, count: 60, border: 4, contrast_normalisation: true };
        let cut = Stimuli::Cut(Patches::draw(vec![image], &settings, &mut ChaCha8Rng::seed_from_u64(3)));
        let all: Vec<usize> = (0..cut.len()).collect();
        let stored = Stimuli::from(cut.copied(&all));
        assert_eq!([cut.len(), cut.values()], [60, 25]);
        assert_eq!([stored.len(), stored.values()], [60, 25]);
        let chosen = [7, 3, 59, 3];
        assert_eq!(cut.copied(&chosen), stored.copied(&chosen));
        assert_eq!(cut.select(&chosen).copied(&[0, 1, 2, 3]), stored.select(&chosen).copied(&[0, 1, 2, 3]));
        assert_eq!(cut.mean(), stored.mean());
        assert_eq!(cut.fingerprint(), stored.fingerprint());
        let mut changed = cut.copied(&all);
        changed[[7, 3]] += 1e-3;
        assert_ne!(Stimuli::from(changed).fingerprint(), stored.fingerprint(), "one value of another");
        assert!(Stimuli::from(Array2::zeros((0, 4))).mean().is_none());
    }
}
