//! student-t(nu, s, kappa): T = x, B = (nu+1)/2 log(1 + x^2/(nu s^2)) + kappa x^2/2.

use super::{Family, FamilyConfig};
use crate::model::{quadrature, vector};
use std::sync::{Arc, OnceLock};

/// Student's t with scale s, and an optional parabola that makes it normalisable for every eta.
#[derive(Clone, Debug, PartialEq)]
pub struct StudentT {
    /// Degrees of freedom.
    pub nu: f64,
    /// Scale.
    pub s: f64,
    /// Curvature of the added parabola.
    pub kappa: f64,
    /// Measured when it is first asked for, since that takes a tenth of a second.
    largest_variance: OnceLock<f64>,
}

impl StudentT {
    /// The family.
    pub fn new(nu: f64, s: f64, kappa: f64) -> Self {
        Self { nu, s, kappa, largest_variance: OnceLock::new() }
    }

    /// The largest variance of x over all eta, which the governor needs.
    fn measured_variance(&self) -> f64 {
        if self.kappa <= 0.0 {
            return f64::INFINITY;
        }
        // B is not convex: where the narrow centre and the parabola weigh the same, p(x | eta) has two modes and Var(x | eta)
        // is far above 1/kappa. Beyond eta^2/(2 kappa) = 100 nats the parabola has won and the variance is 1/kappa.
        let last = (200.0 * self.kappa).sqrt() + 4.0 * self.nu * self.kappa.sqrt();
        let variance = |eta: f64| {
            let (low, high) = self.integration_bounds(eta);
            let log_density = |x: f64| eta * x - self.base_energy(x);
            let mean = quadrature::mean(log_density, |x| x, low, high);
            quadrature::mean(log_density, |x| (x - mean).powi(2), low, high)
        };
        let scanned = (0..=160).map(|i| variance(last * f64::from(i) / 160.0)).fold(1.0 / self.kappa, f64::max);
        1.02 * scanned // for a top between two points of the scan
    }
}

impl Family for StudentT {
    fn name(&self) -> &'static str {
        "student-t"
    }
    fn config(&self) -> FamilyConfig {
        FamilyConfig::StudentT { nu: self.nu, s: self.s, kappa: self.kappa }
    }
    fn statistic(&self, x: f64) -> f64 {
        x
    }
    fn statistic_derivative(&self, _: f64) -> f64 {
        1.0
    }
    fn base_energy(&self, x: f64) -> f64 {
        0.5 * (self.nu + 1.0) * (x * x / (self.nu * self.s * self.s)).ln_1p() + 0.5 * self.kappa * x * x
    }
    fn base_energy_derivative(&self, x: f64) -> f64 {
        (self.nu + 1.0) * x / (self.nu * self.s * self.s + x * x) + self.kappa * x
    }
    fn largest_base_curvature(&self) -> f64 {
        (self.nu + 1.0) / (self.nu * self.s * self.s) + self.kappa
    }
    fn largest_statistic_variance(&self) -> f64 {
        *self.largest_variance.get_or_init(|| self.measured_variance())
    }
    fn normalisable_for_every_eta(&self) -> bool {
        self.kappa > 0.0
    }
    fn integration_bounds(&self, eta: f64) -> (f64, f64) {
        if self.kappa > 0.0 {
            let half = eta.abs() / self.kappa + 12.0 / self.kappa.sqrt();
            (-half, half)
        } else {
            let half = self.s * 1e3_f64.max(10f64.powf(16.0 / self.nu)).min(1e6);
            (-half, half)
        }
    }
    fn with_sigma(&self, _: f64) -> Arc<dyn Family> {
        Arc::new(self.clone())
    }
    fn prior_current(&self, x: &[f32], eta: &[f32], out: &mut [f32]) {
        let (above, below, kappa) = ((self.nu + 1.0) as f32, (self.nu * self.s * self.s) as f32, self.kappa as f32);
        pull(x, [above, below, kappa], out);
        vector::add(out, eta);
    }
    fn energies(&self, x: &[f32], eta: &[f32], out: &mut [f32]) {
        let (half, scale, kappa) = (0.5 * (self.nu + 1.0) as f32, (1.0 / (self.nu * self.s * self.s)) as f32, self.kappa as f32);
        out.iter_mut().zip(x).for_each(|(out, &x)| *out = half * (x * x * scale).ln_1p() + 0.5 * kappa * x * x);
        out.iter_mut().zip(x).zip(eta).for_each(|((out, x), eta)| *out -= eta * x);
    }
    fn statistics(&self, x: &[f32], out: &mut [f32]) {
        out.copy_from_slice(x);
    }
}

/// Writes -B'(x) = -x ((nu + 1)/(nu s^2 + x^2) + kappa).
#[multiversion::multiversion(targets("x86_64+avx512f+avx512dq+avx512vl+avx512bw+avx2+avx", "x86_64+avx2+avx"))]
fn pull(x: &[f32], [above, below, kappa]: [f32; 3], out: &mut [f32]) {
    out.iter_mut().zip(x).for_each(|(out, &x)| *out = -x * (above / (below + x * x) + kappa));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_variance_is_measured_once_and_not_before_it_is_asked_for() {
        let family = StudentT::new(3.0, 0.5, 1.0);
        assert!(family.mean_statistic(0.5).is_finite() && family.log_partition(0.5).is_finite());
        assert_eq!(family.largest_variance.get(), None, "views build a family in every frame");
        let found = family.largest_statistic_variance();
        assert!(found > 1.0 && family.largest_variance.get() == Some(&found));
        assert!(StudentT::new(3.0, 0.5, 0.0).largest_statistic_variance().is_infinite());
    }
}
