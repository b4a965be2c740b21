//! A stimulus that was changed by hand: mixed with another, its contrast and noise set, drawn on, parts of it freed.

use crate::dynamics::noise::Noise;

/// Seed of the noise that is laid over a stimulus: the same picture for the same setting.
const NOISE_SEED: u64 = 77;

/// What was done to a stimulus.
#[derive(Clone, Debug, PartialEq)]
pub struct Retouch {
    /// x_0 before any change, `[units]`.
    pub base: Vec<f32>,
    /// The other end of the morph, where one was pinned.
    pub pinned: Option<Vec<f32>>,
    /// Share of the pinned stimulus, 0 to 1.
    pub morph: f32,
    /// Factor of the deviations from the middle grey (0).
    pub contrast: f32,
    /// Standard deviation of added noise.
    pub noise: f32,
    /// Pixels that were drawn.
    pub painted: Vec<Option<f32>>,
}

impl Retouch {
    /// Nothing changed yet.
    pub fn new(base: Vec<f32>) -> Self {
        let painted = vec![None; base.len()];
        Self { base, pinned: None, morph: 0.0, contrast: 1.0, noise: 0.0, painted }
    }

    /// The stimulus as it is to be shown, `[units]`.
    pub fn composed(&self) -> Vec<f32> {
        let mut grain = vec![0.0; self.base.len()];
        Noise::new(NOISE_SEED, 0).fill(&mut grain);
        let other = self.pinned.as_ref().filter(|other| other.len() == self.base.len()).unwrap_or(&self.base);
        let mixed = self.base.iter().zip(other).map(|(a, b)| (1.0 - self.morph) * a + self.morph * b);
        let shown = mixed.zip(&grain).map(|(x, n)| self.contrast * x + self.noise * n);
        shown.zip(&self.painted).map(|(x, painted)| painted.unwrap_or(x)).collect()
    }

    /// Draws `value` on the pixels within `radius` of `at` (row, column; pixels) of a picture `columns` wide; None takes drawing back.
    pub fn paint(&mut self, at: [f32; 2], radius: f32, columns: usize, value: Option<f32>) {
        within(self.base.len(), at, radius, columns).for_each(|i| self.painted[i] = value);
    }

    /// Whether anything differs from the stimulus as it came.
    pub fn is_changed(&self) -> bool {
        self.composed() != self.base
    }
}

/// Pixels whose centres lie within `radius` of `at` (row, column; pixels) in a picture of `count` pixels, `columns` wide.
pub fn within(count: usize, [row, column]: [f32; 2], radius: f32, columns: usize) -> impl Iterator<Item = usize> {
    (0..count).filter(move |i| {
        let (dy, dx) = ((i / columns) as f32 + 0.5 - row, (i % columns) as f32 + 0.5 - column);
        dx * dx + dy * dy <= radius * radius
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn morph_contrast_noise_and_brush_act_in_that_order() {
        let mut retouch = Retouch::new(vec![1.0, -1.0, 0.5, 0.0]);
        assert!(!retouch.is_changed());
        retouch.pinned = Some(vec![3.0, 1.0, 0.5, 2.0]);
        retouch.morph = 0.5;
        assert_eq!(retouch.composed(), [2.0, 0.0, 0.5, 1.0]);
        retouch.contrast = 2.0;
        assert_eq!(retouch.composed(), [4.0, 0.0, 1.0, 2.0]);
        retouch.paint([0.5, 1.5], 0.6, 2, Some(9.0)); // the pixel in row 0, column 1
        assert_eq!(retouch.composed(), [4.0, 9.0, 1.0, 2.0]);
        retouch.noise = 1.0;
        let noisy = retouch.composed();
        assert_eq!((noisy[1], noisy.clone()), (9.0, retouch.composed()), "drawn pixels have no noise, and the grain stays");
        assert!((noisy[0] - 4.0).abs() > 1e-3);
        retouch.paint([0.5, 1.5], 0.6, 2, None);
        retouch.pinned = Some(vec![1.0]); // of another model
        (retouch.contrast, retouch.noise) = (1.0, 0.0);
        assert_eq!(retouch.composed(), retouch.base);
    }

    #[test]
    fn a_brush_covers_a_disc() {
        assert_eq!(within(25, [2.5, 2.5], 1.1, 5).collect::<Vec<_>>(), [7, 11, 12, 13, 17]);
        assert_eq!(within(25, [-3.0, 2.0], 1.5, 5).count(), 0);
    }
}
