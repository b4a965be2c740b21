//! What values of images are divided by to become grey levels of 0 to 1: their scale, or what they hold where that is far less.

use crate::data::ReadError;

/// Values whose largest is below this share of their scale are scaled by that largest one.
const FAR_BELOW: f64 = 0.25;

/// What kind of numbers values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    /// True and false.
    Truth,
    /// Integers from 0 to this.
    Integer(u32),
    /// Numbers with a fraction, or whole ones that are stored like these.
    Real,
}

/// What is known of the values of a set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ValueRange {
    /// The smallest.
    pub low: f64,
    /// The largest.
    pub high: f64,
    /// Whether all are whole numbers.
    pub whole: bool,
    /// Whether all are finite.
    pub finite: bool,
}

impl Default for ValueRange {
    /// That of no values.
    fn default() -> Self {
        Self { low: f64::INFINITY, high: f64::NEG_INFINITY, whole: true, finite: true }
    }
}

impl ValueRange {
    /// Takes one more value in.
    pub fn add(&mut self, value: f64) {
        (self.low, self.high) = (self.low.min(value), self.high.max(value));
        self.finite &= value.is_finite();
        self.whole &= value.fract() == 0.0;
    }

    /// Takes the values of another set in.
    pub fn join(&mut self, other: Self) {
        (self.low, self.high) = (self.low.min(other.low), self.high.max(other.high));
        (self.whole, self.finite) = (self.whole && other.whole, self.finite && other.finite);
    }

    /// An error where they cannot be grey levels: what was found, and what makes grey levels of them.
    pub fn check(&self) -> Result<(), ReadError> {
        if !self.finite {
            return Err("a value is not finite: numpy.nan_to_num(images) puts numbers in place of such values".into());
        }
        if self.low < 0.0 {
            let Self { low, high, .. } = self;
            return Err(format!(
                "values from {low} to {high}: grey levels are needed, none of them below 0, such as \
                 (images - images.min()) / (images.max() - images.min())"
            )
            .into());
        }
        Ok(())
    }

    /// What they are divided by for grey levels of 0 to 1, and what is to be said of it: nothing where their scale is plain. It is 255
    /// for bytes, the largest integer of other ones, 1 for numbers up to 1, 255 for others up to 255; where they stay below a quarter
    /// of it, or above all of these, they are divided by the largest of them.
    pub fn scale(&self, number: Number) -> (f32, Option<String>) {
        let Self { low, high, whole, .. } = *self;
        let shown = |value: f64| value as f32; // as many digits as are kept
        let scale = match number {
            Number::Truth => 1.0,
            Number::Integer(most) => f64::from(most),
            Number::Real if high <= 1.0 => 1.0,
            Number::Real if high <= 255.0 => 255.0,
            Number::Real if high <= 65_535.0 && whole => 65_535.0,
            Number::Real => high,
        };
        let plain = scale == 1.0 || matches!(number, Number::Integer(_)) || (scale == 255.0 && whole);
        if high > 0.0 && high < FAR_BELOW * scale {
            let [low, high] = [low, high].map(shown);
            (high, Some(format!("values from {low} to {high}, far below {scale}: divided by {high}")))
        } else {
            (shown(scale), (!plain).then(|| format!("values from {} to {}: divided by {}", shown(low), shown(high), shown(scale))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scaled(number: Number, values: &[f64]) -> (f32, bool) {
        let mut range = ValueRange::default();
        values.iter().for_each(|&v| range.add(v));
        range.check().unwrap();
        let (divisor, said) = range.scale(number);
        (divisor, said.is_some())
    }

    #[test]
    fn what_is_far_below_its_scale_is_scaled_by_what_it_holds_and_said() {
        let (bytes, words) = (Number::Integer(255), Number::Integer(65_535));
        for (number, values, expected) in [
            (bytes, &[0.0, 255.0][..], (255.0, false)),
            (bytes, &[3.0, 64.0], (255.0, false)),
            (bytes, &[0.0, 63.0], (63.0, true)),
            (bytes, &[0.0, 1.0], (1.0, true)),
            (bytes, &[0.0, 0.0], (255.0, false)),
            (words, &[0.0, 1023.0], (1023.0, true)),
            (words, &[0.0, 60_000.0], (65_535.0, false)),
            (Number::Truth, &[0.0, 1.0], (1.0, false)),
            (Number::Real, &[0.0, 1.0], (1.0, false)),
            (Number::Real, &[0.0, 16.0], (16.0, true)),
            (Number::Real, &[0.0, 0.5, 16.0], (16.0, true)),
            (Number::Real, &[0.0, 0.125], (0.125, true)),
            (Number::Real, &[0.0, 200.0], (255.0, false)),
            (Number::Real, &[0.5, 200.0], (255.0, true)),
            (Number::Real, &[0.0, 1023.0], (1023.0, true)),
            (Number::Real, &[0.0, 40_000.0], (65_535.0, true)),
            (Number::Real, &[0.5, 1000.0], (1000.0, true)),
        ] {
            assert_eq!(scaled(number, values), expected, "{number:?} {values:?}");
        }
    }

    #[test]
    fn values_that_are_no_grey_levels_are_refused_with_what_would_be() {
        let mut range = ValueRange::default();
        [-1.0, 1.0].into_iter().for_each(|v| range.add(v));
        let text = range.check().unwrap_err().to_string();
        assert!(text.contains("values from -1 to 1") && text.contains("images.min()"), "{text}");
        range.add(f64::NAN);
        let text = range.check().unwrap_err().to_string();
        assert!(text.contains("not finite") && text.contains("nan_to_num"), "{text}");
    }
}
