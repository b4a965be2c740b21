//! Exponential families of one unit: sufficient statistic T, base energy B and log-partition A (model.md 1).
//!
//! A new family is one file here and one line in [`FamilyConfig`].

mod bernoulli;
mod binomial;
mod continuous_bernoulli;
mod exponential;
mod gaussian;
mod laplace;
mod laplace_scale;
mod rectified_gaussian;
mod student_t;

pub use bernoulli::Bernoulli;
pub use binomial::Binomial;
pub use continuous_bernoulli::ContinuousBernoulli;
pub use exponential::Exponential;
pub use gaussian::Gaussian;
pub use laplace::Laplace;
pub use laplace_scale::LaplaceScale;
pub use rectified_gaussian::RectifiedGaussian;
pub use student_t::StudentT;

use crate::model::vector;
use crate::model::{ModelError, quadrature};
use serde::{Deserialize, Serialize};
use std::fmt::Debug;
use std::sync::Arc;

/// Trials of a binomial unit at most.
const MOST_TRIALS: u32 = 1000;

/// How the interneurons of a layer sample p(. | eta) (model.md 2).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum InterneuronDynamics {
    /// Ornstein-Uhlenbeck around eta with standard deviation sigma, sampled exactly for any dt.
    OrnsteinUhlenbeck {
        /// Standard deviation of the stationary distribution.
        sigma: f32,
    },
    /// Langevin micro-steps with this mobility M, the variance at eta = 0.
    MicroSteps {
        /// The mobility M.
        mobility: f32,
    },
    /// For shares of trials in {0, 1}: each is redrawn at rate 1/tau_eps.
    HeatBath {
        /// Trials of a unit.
        trials: u32,
    },
    /// Exact draws, made anew at rate 1/tau_eps.
    Redraw,
}

/// p(x | eta) = exp(eta T(x) - B(x) - A(eta)) for one unit; units of a layer are independent given eta.
pub trait Family: Debug + Send + Sync {
    /// The name used in configurations.
    fn name(&self) -> &'static str;
    /// The family as a configuration writes it down, with the present parameters; [`FamilyConfig::build`] is its inverse.
    fn config(&self) -> FamilyConfig;
    /// Whether p(x | eta) is N(eta, sigma^2) for every eta, so that eta is the mean and linear-Gaussian theory is exact.
    fn is_normal(&self) -> bool {
        false
    }
    /// The largest |eta| that counts as typical input: in figures eta runs from minus this to this. Unless a family says otherwise,
    /// four standard deviations of x at eta = 0 divided by its variance.
    fn typical_natural_parameter(&self) -> f64 {
        let (low, high) = self.integration_bounds(0.0);
        4.0 / quadrature::mean(|x| -self.base_energy(x), |x| x * x, low, high).sqrt()
    }
    /// The support, `[low, high]`; at a finite end the dynamics reflect.
    fn bounds(&self) -> [f64; 2] {
        [f64::NEG_INFINITY, f64::INFINITY]
    }
    /// Where x is the share of so many trials in {0, 1} that succeed, whose log odds eta is, their number; such a layer can only be
    /// observed.
    fn trials(&self) -> Option<u32> {
        None
    }
    /// Whether x takes only the two values at the ends of the support.
    fn is_binary(&self) -> bool {
        self.trials() == Some(1)
    }
    /// Whether eta is another function of W f + b than itself.
    fn has_link(&self) -> bool {
        false
    }
    /// eta = g(a), where a = W f(x above) + b (model.md 7).
    fn link(&self, a: f64) -> f64 {
        a
    }
    /// g'(a).
    fn link_derivative(&self, _a: f64) -> f64 {
        1.0
    }
    /// Replaces a by g(a) in `eta`, and writes g'(a). Called only where there is a link.
    fn apply_link(&self, eta: &mut [f32], slope: &mut [f32]) {
        for (eta, slope) in eta.iter_mut().zip(slope) {
            let a = f64::from(*eta);
            (*eta, *slope) = (self.link(a) as f32, self.link_derivative(a) as f32);
        }
    }
    /// Where neurons start at a new stimulus: x = first + second |N(0, 1)|.
    fn start(&self) -> [f32; 2] {
        [0.0; 2]
    }
    /// A draw of each p(. | eta) out of four standard normal numbers, NaN where it is rejected: for [`InterneuronDynamics::Redraw`].
    fn propose(&self, _eta: &[f32], _normal: [&[f32]; 4], draw: &mut [f32]) {
        draw.fill(f32::NAN);
    }
    /// T(x).
    fn statistic(&self, x: f64) -> f64;
    /// T'(x).
    fn statistic_derivative(&self, x: f64) -> f64;
    /// B(x), minus the logarithm of the base measure.
    fn base_energy(&self, x: f64) -> f64;
    /// B'(x).
    fn base_energy_derivative(&self, x: f64) -> f64;
    /// The largest B''(x): the prior's stiffness, for the governor (model.md 2).
    fn largest_base_curvature(&self) -> f64;
    /// The largest A''(eta), the variance of T: how strongly the layer holds the one above it (model.md 2).
    fn largest_statistic_variance(&self) -> f64;
    /// A''(eta), the variance of T, or a bound of it where no closed form is given.
    fn statistic_variance(&self, _eta: f64) -> f64 {
        self.largest_statistic_variance()
    }
    /// Adds A''(eta) of a slice to `sums`, unit by unit.
    fn add_statistic_variances(&self, eta: &[f32], sums: &mut [f32]) {
        sums.iter_mut().zip(eta).for_each(|(sum, &eta)| *sum += self.statistic_variance(f64::from(eta)) as f32);
    }
    /// Whether exp(eta T - B) has a finite integral for every eta, so that the layer may stand below another.
    fn normalisable_for_every_eta(&self) -> bool;
    /// The interval over which the quadrature integrates, given eta: it holds all but a negligible mass.
    fn integration_bounds(&self, eta: f64) -> (f64, f64);
    /// A(eta); by quadrature unless a closed form is given.
    fn log_partition(&self, eta: f64) -> f64 {
        let (low, high) = self.integration_bounds(eta);
        quadrature::log_integral(|x| eta * self.statistic(x) - self.base_energy(x), low, high)
    }
    /// A'(eta) = E`[T]`; by quadrature unless a closed form is given.
    fn mean_statistic(&self, eta: f64) -> f64 {
        let (low, high) = self.integration_bounds(eta);
        quadrature::mean(|x| eta * self.statistic(x) - self.base_energy(x), |x| self.statistic(x), low, high)
    }
    /// Whether A' has a closed form; else `interneuron_mode = "exact"` takes it from a table.
    fn has_closed_mean(&self) -> bool {
        false
    }
    /// How the interneurons sample this family.
    fn interneuron_dynamics(&self) -> InterneuronDynamics {
        let (low, high) = self.integration_bounds(0.0);
        let variance = quadrature::mean(|x| -self.base_energy(x), |x| x * x, low, high);
        InterneuronDynamics::MicroSteps { mobility: variance as f32 }
    }
    /// E`[x]`/E`[T(x)]` = 1/T'(0) where T is linear in x. 0 where T is even (T'(0) = 0): the distribution is symmetric and E`[x]` is 0.
    fn mean_per_statistic(&self) -> f32 {
        let slope = self.statistic_derivative(0.0) as f32;
        if slope == 0.0 { 0.0 } else { 1.0 / slope }
    }
    /// The standard deviation that learning may change, if the family has one.
    fn sigma(&self) -> Option<f64> {
        None
    }
    /// The same family with another sigma; itself where there is none.
    fn with_sigma(&self, sigma: f64) -> Arc<dyn Family>;
    /// Writes T'(x) eta - B'(x), the prior's current, for a slice (eta: empty means 0).
    fn prior_current(&self, x: &[f32], eta: &[f32], out: &mut [f32]) {
        for (i, (out, &x)) in out.iter_mut().zip(x).enumerate() {
            let (x, eta) = (f64::from(x), eta.get(i).map_or(0.0, |&e| f64::from(e)));
            *out = (self.statistic_derivative(x) * eta - self.base_energy_derivative(x)) as f32;
        }
    }
    /// Writes B(x) - eta T(x) for a slice (eta: empty means 0).
    fn energies(&self, x: &[f32], eta: &[f32], out: &mut [f32]) {
        for (i, (out, &x)) in out.iter_mut().zip(x).enumerate() {
            let (x, eta) = (f64::from(x), eta.get(i).map_or(0.0, |&e| f64::from(e)));
            *out = (self.base_energy(x) - eta * self.statistic(x)) as f32;
        }
    }
    /// Sum of A(eta) over a slice.
    fn log_partition_sum(&self, eta: &[f32]) -> f64 {
        eta.iter().map(|&eta| self.log_partition(f64::from(eta))).sum()
    }
    /// Writes A'(eta) for a slice.
    fn mean_statistics(&self, eta: &[f32], out: &mut [f32]) {
        out.iter_mut().zip(eta).for_each(|(out, &eta)| *out = self.mean_statistic(f64::from(eta)) as f32);
    }
    /// Writes T(x) for a slice.
    fn statistics(&self, x: &[f32], out: &mut [f32]) {
        out.iter_mut().zip(x).for_each(|(out, &x)| *out = self.statistic(f64::from(x)) as f32);
    }
    /// Writes T(x) - `mean` for slices (model.md 2.2).
    fn errors(&self, x: &[f32], mean: &[f32], out: &mut [f32]) {
        self.statistics(x, out);
        vector::subtract(out, mean);
    }
}

/// A family and its parameters as a configuration names them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "family", rename_all = "kebab-case", deny_unknown_fields)]
pub enum FamilyConfig {
    /// N(eta, sigma^2).
    Gaussian {
        /// Standard deviation.
        sigma: f64,
    },
    /// N(eta, sigma^2) restricted to x >= 0.
    RectifiedGaussian {
        /// Standard deviation before the restriction.
        sigma: f64,
    },
    /// exp(eta x) on [0, 1].
    ContinuousBernoulli,
    /// 0 or 1, observed.
    Bernoulli,
    /// The share of trials that succeed, observed.
    Binomial {
        /// How many there are.
        trials: u32,
    },
    /// One of as many states as the layer has units; top layer.
    Categorical,
    /// Smoothed Laplace whose scale the layer above sets.
    LaplaceScale {
        /// The largest eta.
        eta_max: f64,
        /// Width of the smooth centre.
        delta: f64,
    },
    /// exp(-x) on x >= 0.
    Exponential,
    /// Smoothed Laplace.
    Laplace {
        /// Slope of the energy.
        lambda: f64,
        /// Width of the smooth centre.
        delta: f64,
        /// Curvature of the added parabola.
        #[serde(default)]
        kappa: f64,
    },
    /// Student's t.
    StudentT {
        /// Degrees of freedom.
        nu: f64,
        /// Scale.
        s: f64,
        /// Curvature of the added parabola.
        #[serde(default)]
        kappa: f64,
    },
}

impl FamilyConfig {
    /// The family itself, which [`Family::config`] turns back into this. Errors name the parameter that is out of range; a categorical
    /// layer has no family, because its units are not independent: it is built by [`crate::model::Layer::new`].
    pub fn build(self) -> Result<Arc<dyn Family>, ModelError> {
        let positive = |name: &'static str, value: f64| match value {
            value if value.is_finite() && value > 0.0 => Ok(()),
            value => Err(ModelError::FamilyParameter { name, value, needed: "above 0" }),
        };
        let not_negative = |name: &'static str, value: f64| match value {
            value if value.is_finite() && value >= 0.0 => Ok(()),
            value => Err(ModelError::FamilyParameter { name, value, needed: "at least 0" }),
        };
        Ok(match self {
            Self::Gaussian { sigma } => {
                positive("sigma", sigma)?;
                Arc::new(Gaussian { sigma })
            }
            Self::RectifiedGaussian { sigma } => {
                positive("sigma", sigma)?;
                Arc::new(RectifiedGaussian { sigma })
            }
            Self::ContinuousBernoulli => Arc::new(ContinuousBernoulli),
            Self::Bernoulli => Arc::new(Bernoulli),
            Self::Binomial { trials } => {
                if !(1..=MOST_TRIALS).contains(&trials) {
                    return Err(ModelError::FamilyParameter { name: "trials", value: f64::from(trials), needed: "1 to 1000" });
                }
                Arc::new(Binomial { trials })
            }
            Self::Categorical => return Err(ModelError::CategoricalHasNoFamily),
            Self::Exponential => Arc::new(Exponential),
            Self::LaplaceScale { eta_max, delta } => {
                positive("eta_max", eta_max)?;
                positive("delta", delta)?;
                Arc::new(LaplaceScale::new(eta_max, delta))
            }
            Self::Laplace { lambda, delta, kappa } => {
                positive("lambda", lambda)?;
                positive("delta", delta)?;
                not_negative("kappa", kappa)?;
                Arc::new(Laplace { lambda, delta, kappa })
            }
            Self::StudentT { nu, s, kappa } => {
                positive("nu", nu)?;
                positive("s", s)?;
                not_negative("kappa", kappa)?;
                Arc::new(StudentT::new(nu, s, kappa))
            }
        })
    }
}

#[cfg(test)]
mod tests;
