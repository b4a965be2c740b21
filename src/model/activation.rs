//! The activation f: what a layer shows to the layer below it, eta_l = W_l f(x_{l+1}) + b_l (model.md 1).

use serde::{Deserialize, Serialize};

/// An element-wise activation f and its slope f'.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// f(x) = x
    #[default]
    Linear,
    /// f(x) = max(x, 0)
    Relu,
    /// f(x) = tanh x
    Tanh,
    /// f(x) = log(1 + e^x)
    Softplus,
    /// f(x) = x^2
    Square,
    /// f(x) = x - 1, the deviation from the mean of the exponential prior (model.md 7)
    Centred,
}

impl Activation {
    /// Every activation, for lists and tests.
    pub const ALL: [Self; 6] = [Self::Linear, Self::Relu, Self::Tanh, Self::Softplus, Self::Square, Self::Centred];

    /// f(x).
    pub fn value(self, x: f64) -> f64 {
        match self {
            Self::Linear => x,
            Self::Relu => x.max(0.0),
            Self::Tanh => x.tanh(),
            Self::Softplus => x.max(0.0) + (-x.abs()).exp().ln_1p(),
            Self::Square => x * x,
            Self::Centred => x - 1.0,
        }
    }

    /// f'(x); at the kink of `relu` 0.
    pub fn slope(self, x: f64) -> f64 {
        match self {
            Self::Linear | Self::Centred => 1.0,
            Self::Relu => f64::from(x > 0.0),
            Self::Tanh => 1.0 - x.tanh().powi(2),
            Self::Softplus => 1.0 / (1.0 + (-x).exp()),
            Self::Square => 2.0 * x,
        }
    }

    /// A bound of f'^2 for |x| <= `largest_x`, which the stability governor uses (model.md 2).
    pub fn largest_slope_squared(self, largest_x: f64) -> f64 {
        match self {
            Self::Square => (2.0 * largest_x).powi(2),
            _ => 1.0,
        }
    }

    /// Writes f(x) for a slice.
    pub fn apply(self, x: &[f32], f: &mut [f32]) {
        match self {
            Self::Linear => f.copy_from_slice(x),
            Self::Relu => f.iter_mut().zip(x).for_each(|(f, &x)| *f = x.max(0.0)),
            Self::Centred => f.iter_mut().zip(x).for_each(|(f, &x)| *f = x - 1.0),
            Self::Square => f.iter_mut().zip(x).for_each(|(f, &x)| *f = x * x),
            _ => f.iter_mut().zip(x).for_each(|(f, &x)| *f = self.value(f64::from(x)) as f32),
        }
    }

    /// Multiplies `current` by f'(x), element by element.
    pub fn multiply_by_slope(self, x: &[f32], current: &mut [f32]) {
        match self {
            Self::Linear | Self::Centred => {}
            Self::Relu => current.iter_mut().zip(x).for_each(|(c, &x)| *c = if x > 0.0 { *c } else { 0.0 }),
            Self::Square => current.iter_mut().zip(x).for_each(|(c, &x)| *c *= 2.0 * x),
            _ => current.iter_mut().zip(x).for_each(|(c, &x)| *c *= self.slope(f64::from(x)) as f32),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_are_the_differences_of_the_values() {
        for activation in Activation::ALL {
            for x in [-2.3, -0.4, 0.7, 1.9] {
                let difference = (activation.value(x + 1e-6) - activation.value(x - 1e-6)) / 2e-6;
                assert!((difference - activation.slope(x)).abs() < 1e-7, "{activation:?} at {x}");
            }
        }
    }
}
