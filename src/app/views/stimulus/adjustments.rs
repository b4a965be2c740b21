//! A stimulus changed by hand: mixed of two others, its contrast and noise set, drawn on. Always made anew from the original, so that
//! changes never add up.

use crate::dynamics::noise::Noise;

/// What was done to a stimulus.
#[derive(Clone, Debug, PartialEq)]
pub struct StimulusAdjustments {
    /// x_0 before any change, `[units]`.
    pub base: Vec<f32>,
    /// Whether values are grey, in [0, 1]; else any, with 0 in the middle.
    pub grey: bool,
    /// Share of B in a mixture of the pinned A and B that stands in for the base; None: the base.
    pub morph: Option<f32>,
    /// Factor of the deviations from the middle: 0, of grey values their mean.
    pub contrast: f32,
    /// Standard deviation of added noise.
    pub noise: f32,
    /// Which noise: the same picture for the same number.
    pub pattern: u64,
    /// Pixels that were drawn, `[units]`.
    pub painted: Vec<Option<f32>>,
}

impl StimulusAdjustments {
    /// Nothing changed yet.
    pub fn new(base: Vec<f32>, grey: bool) -> Self {
        let painted = vec![None; base.len()];
        Self { base, grey, morph: None, contrast: 1.0, noise: 0.0, pattern: 0, painted }
    }

    /// The base, or the mixture (1 - t) A + t B of what is pinned.
    fn original(&self, pinned: [Option<&[f32]>; 2]) -> Vec<f32> {
        match (self.morph, pinned) {
            (Some(t), [Some(a), Some(b)]) if a.len() == self.base.len() && b.len() == a.len() => {
                a.iter().zip(b).map(|(a, b)| (1.0 - t) * a + t * b).collect()
            }
            _ => self.base.clone(),
        }
    }

    /// The stimulus as it is to be shown, `[units]`: original, morph, contrast, noise, what was drawn; grey values within [0, 1].
    pub fn composed(&self, pinned: [Option<&[f32]>; 2]) -> Vec<f32> {
        let mut shown = self.original(pinned);
        let middle = if self.grey { shown.iter().sum::<f32>() / shown.len().max(1) as f32 } else { 0.0 };
        if self.contrast != 1.0 {
            shown.iter_mut().for_each(|x| *x = middle + self.contrast * (*x - middle));
        }
        if self.noise > 0.0 {
            let mut grain = vec![0.0; shown.len()];
            Noise::new(self.pattern, 0).fill(&mut grain);
            shown.iter_mut().zip(&grain).for_each(|(x, n)| *x += self.noise * n);
        }
        self.finish(shown)
    }

    /// The same before contrast and noise: what is pinned, so that these do not act twice.
    pub fn plain(&self, pinned: [Option<&[f32]>; 2]) -> Vec<f32> {
        self.finish(self.original(pinned))
    }

    fn finish(&self, mut shown: Vec<f32>) -> Vec<f32> {
        shown.iter_mut().zip(&self.painted).for_each(|(x, painted)| *x = painted.unwrap_or(*x));
        if self.grey {
            shown.iter_mut().for_each(|x| *x = x.clamp(0.0, 1.0));
        }
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn morph_contrast_noise_and_brush_act_in_that_order() {
        let mut adjustments = StimulusAdjustments::new(vec![1.0, -1.0, 0.5, 0.0], false);
        let (a, b) = (adjustments.base.clone(), vec![3.0, 1.0, 0.5, 2.0]);
        let pinned = [Some(&a[..]), Some(&b[..])];
        assert_eq!(adjustments.composed(pinned), adjustments.base, "pinned stimuli alone change nothing");
        adjustments.morph = Some(0.5);
        assert_eq!(adjustments.composed(pinned), [2.0, 0.0, 0.5, 1.0]);
        adjustments.contrast = 2.0;
        assert_eq!(adjustments.composed(pinned), [4.0, 0.0, 1.0, 2.0]);
        adjustments.painted[1] = Some(9.0);
        assert_eq!(adjustments.composed(pinned), [4.0, 9.0, 1.0, 2.0]);
        assert_eq!(adjustments.plain(pinned), [2.0, 9.0, 0.5, 1.0], "pinned without contrast, with what was drawn");
        adjustments.noise = 1.0;
        let noisy = adjustments.composed(pinned);
        assert_eq!((noisy[1], noisy.clone()), (9.0, adjustments.composed(pinned)), "drawn pixels have no noise, and the grain stays");
        assert!((noisy[0] - 4.0).abs() > 1e-3);
        let grain = |r: &StimulusAdjustments| r.composed(pinned)[0] - 4.0;
        let one = grain(&adjustments);
        adjustments.noise = 2.0;
        assert!((grain(&adjustments) - 2.0 * one).abs() < 1e-5, "the same pattern, twice as strong");
        adjustments.pattern = 1;
        assert!((grain(&adjustments) - 2.0 * one).abs() > 1e-3, "another pattern");
        (adjustments.contrast, adjustments.noise, adjustments.painted[1]) = (1.0, 0.0, None);
        assert_eq!(adjustments.composed([Some(&a[..1]), Some(&b[..])]), adjustments.base, "pinned in another model");
    }

    #[test]
    fn grey_values_stay_grey() {
        let mut adjustments = StimulusAdjustments::new(vec![0.0, 0.2, 1.0, 0.4], true);
        adjustments.contrast = 0.5;
        let halved = adjustments.composed([None, None]);
        assert!(halved.iter().zip([0.2, 0.3, 0.7, 0.4]).all(|(x, y)| (x - y).abs() < 1e-6), "about their mean, 0.4: {halved:?}");
        (adjustments.contrast, adjustments.noise) = (5.0, 3.0);
        assert!(adjustments.composed([None, None]).iter().all(|x| (0.0..=1.0).contains(x)));
    }
}
