//! laplace-scale(eta_max, delta): T = -sqrt(x^2 + delta^2), B = 0, and a link that is not the canonical one:
//! eta = g(a) = eta_max / (1 + e^a), so that what comes from above sets the scale of x (model.md 7).

use super::{Family, FamilyConfig, InterneuronDynamics};
use std::f32::consts::FRAC_1_SQRT_2;
use std::sync::Arc;

/// Nodes of the table of E`[y]`, evenly spaced in log eta; linear interpolation between them is off by less than 2e-5 of E`[y]` for eta >= e^-14.
const NODES: usize = 2048;
const LOWEST_LOG_ETA: f64 = -14.0;

/// Symmetric, peaked at 0 and with tails exp(-eta |x|): units whose scale another layer sets.
#[derive(Clone, Debug, PartialEq)]
pub struct LaplaceScale {
    /// The largest eta, where the scale is smallest.
    pub eta_max: f64,
    /// Width of the smooth centre.
    pub delta: f64,
    /// eta E`[y]` at the nodes.
    table: Arc<Vec<f32>>,
}

/// e^z K_0(z) and e^z K_1(z) for z > 0: the integral of exp(-z (cosh t - 1)) cosh(nu t) over t > 0 (NIST Handbook, 10.32.9) by the
/// trapezoidal rule, whose error falls exponentially.
fn scaled_bessel(z: f64) -> [f64; 2] {
    const STEP: f64 = 1.0 / 32.0;
    let last = (1.0 + 745.0 / z).acosh();
    let mut sums = [0.5, 0.5];
    let mut t = STEP;
    while t < last {
        let cosh = t.cosh();
        let weight = (-z * (cosh - 1.0)).exp();
        sums = [sums[0] + weight, sums[1] + weight * cosh];
        t += STEP;
    }
    sums.map(|sum| sum * STEP)
}

/// |y| ~ Exp(eta/sqrt(2)), accepted with probability exp(-eta (sqrt(y^2 + delta^2) - (delta + |y|)/sqrt(2))): the line is the tangent
/// of the convex root at |y| = delta, so that the exponent is never positive. Each exponential number is half the square length of
/// two normal ones, which says nothing about the sign of the first: that is the draw's.
#[multiversion::multiversion(targets("x86_64+avx512f+avx512dq+avx512vl+avx512bw+avx2+avx", "x86_64+avx2+avx"))]
fn propose(eta: &[f32], normal: [&[f32]; 4], draw: &mut [f32], delta: f32) {
    let n = draw.len();
    let (eta, [n1, n2, n3, n4]) = (&eta[..n], normal.map(|z| &z[..n]));
    for i in 0..n {
        let y = FRAC_1_SQRT_2 * (n1[i] * n1[i] + n2[i] * n2[i]) / eta[i];
        let exponent = eta[i] * ((y * y + delta * delta).sqrt() - FRAC_1_SQRT_2 * (delta + y));
        let accepted = 0.5 * (n3[i] * n3[i] + n4[i] * n4[i]) > exponent;
        draw[i] = if accepted { y.copysign(n1[i]) } else { f32::NAN };
    }
}

impl LaplaceScale {
    /// With its table of E`[y]`.
    pub fn new(eta_max: f64, delta: f64) -> Self {
        let mut family = Self { eta_max, delta, table: Arc::default() };
        let log_eta = |i: usize| LOWEST_LOG_ETA + (eta_max.ln() - LOWEST_LOG_ETA) * i as f64 / (NODES - 1) as f64;
        let node = |i: usize| (-log_eta(i).exp() * family.mean_statistic(log_eta(i).exp())) as f32;
        let table = (0..NODES).map(node).collect();
        family.table = Arc::new(table);
        family
    }
}

impl Family for LaplaceScale {
    fn name(&self) -> &'static str {
        "laplace-scale"
    }
    fn config(&self) -> FamilyConfig {
        FamilyConfig::LaplaceScale { eta_max: self.eta_max, delta: self.delta }
    }
    fn has_link(&self) -> bool {
        true
    }
    fn link(&self, a: f64) -> f64 {
        self.eta_max / (1.0 + a.exp())
    }
    fn link_derivative(&self, a: f64) -> f64 {
        let eta = self.link(a);
        -eta * (1.0 - eta / self.eta_max)
    }
    fn statistic(&self, x: f64) -> f64 {
        -x.hypot(self.delta)
    }
    fn statistic_derivative(&self, x: f64) -> f64 {
        -x / x.hypot(self.delta)
    }
    fn base_energy(&self, _: f64) -> f64 {
        0.0
    }
    fn base_energy_derivative(&self, _: f64) -> f64 {
        0.0
    }
    /// 0.7 eta_max/delta (model.md 7, measured): the energy's curvature is eta/delta at 0, and few units have eta near eta_max.
    fn largest_base_curvature(&self) -> f64 {
        0.7 * self.eta_max / self.delta
    }
    /// 1.5 (model.md 7, measured): g'^2 Var(y) is at most 1, the rest is the link's own curvature.
    fn largest_statistic_variance(&self) -> f64 {
        1.5
    }
    fn normalisable_for_every_eta(&self) -> bool {
        true // the link gives eta > 0
    }
    fn integration_bounds(&self, eta: f64) -> (f64, f64) {
        let half = self.delta + 45.0 / eta.max(1e-6);
        (-half, half)
    }
    fn log_partition(&self, eta: f64) -> f64 {
        let z = eta * self.delta;
        (2.0 * self.delta * scaled_bessel(z)[1]).ln() - z
    }
    fn mean_statistic(&self, eta: f64) -> f64 {
        let [k0, k1] = scaled_bessel(eta * self.delta);
        -(1.0 / eta + self.delta * k0 / k1)
    }
    fn has_closed_mean(&self) -> bool {
        true
    }
    fn interneuron_dynamics(&self) -> InterneuronDynamics {
        InterneuronDynamics::Redraw
    }
    fn with_sigma(&self, _: f64) -> Arc<dyn Family> {
        Arc::new(self.clone())
    }
    fn propose(&self, eta: &[f32], normal: [&[f32]; 4], draw: &mut [f32]) {
        propose(eta, normal, draw, self.delta as f32);
    }
    fn apply_link(&self, eta: &mut [f32], slope: &mut [f32]) {
        let top = self.eta_max as f32;
        for (eta, slope) in eta.iter_mut().zip(slope) {
            let fraction = 1.0 / (1.0 + eta.exp());
            (*eta, *slope) = (top * fraction, -top * fraction * (1.0 - fraction));
        }
    }
    fn prior_current(&self, x: &[f32], eta: &[f32], out: &mut [f32]) {
        let delta2 = (self.delta * self.delta) as f32;
        out.fill(0.0);
        for ((out, &x), &eta) in out.iter_mut().zip(x).zip(eta) {
            *out = -eta * x / (x * x + delta2).sqrt();
        }
    }
    fn energies(&self, x: &[f32], eta: &[f32], out: &mut [f32]) {
        let delta2 = (self.delta * self.delta) as f32;
        out.fill(0.0);
        for ((out, &x), &eta) in out.iter_mut().zip(x).zip(eta) {
            *out = eta * (x * x + delta2).sqrt();
        }
    }
    fn statistics(&self, x: &[f32], out: &mut [f32]) {
        let delta2 = (self.delta * self.delta) as f32;
        out.iter_mut().zip(x).for_each(|(out, &x)| *out = -(x * x + delta2).sqrt());
    }
    fn mean_statistics(&self, eta: &[f32], out: &mut [f32]) {
        let (lowest, scale) = (LOWEST_LOG_ETA as f32, (NODES - 1) as f32 / (self.eta_max.ln() - LOWEST_LOG_ETA) as f32);
        for (out, &eta) in out.iter_mut().zip(eta) {
            let at = ((eta.ln() - lowest) * scale).clamp(0.0, (NODES - 1) as f32);
            let i = (at as usize).min(NODES - 2);
            let t = at - i as f32;
            *out = -(self.table[i] + t * (self.table[i + 1] - self.table[i])) / eta;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::quadrature;
    use crate::model::ulps::{column, rows, ulps, worst_of_many};

    #[test]
    fn proposals_are_within_four_ulps_of_f64_and_a_planted_bug_is_not() {
        let delta = 0.15f32;
        let worst = |gain: f64| {
            worst_of_many(rows::<5>(-3.0, 3.0), |input| {
                let eta: Vec<f32> = input.iter().map(|row| 0.05 + row[4].abs()).collect();
                let normal = [0, 1, 2, 3].map(|k| column(&input, k));
                let mut draw = vec![0.0; input.len()];
                propose(&eta, normal.each_ref().map(Vec::as_slice), &mut draw, delta);
                let each = |i: usize| {
                    let ([n1, n2, n3, n4, _], eta, delta) = (input[i].map(f64::from), f64::from(eta[i]), f64::from(delta));
                    let y = gain * std::f64::consts::FRAC_1_SQRT_2 * (n1 * n1 + n2 * n2) / eta;
                    let exponent = eta * (y.hypot(delta) - std::f64::consts::FRAC_1_SQRT_2 * (delta + y));
                    let chance = 0.5 * (n3 * n3 + n4 * n4);
                    // Rounding may decide only where both sides are equal to within it.
                    let open = (chance - exponent).abs() <= 4.0 * f64::from(f32::EPSILON) * (chance + eta * (y + delta));
                    match (draw[i].is_nan(), chance > exponent) {
                        (false, _) => ulps(draw[i], y.copysign(n1), 0.0),
                        (true, true) if !open => f64::INFINITY,
                        _ => 0.0,
                    }
                    .max(if !draw[i].is_nan() && chance <= exponent && !open { f64::INFINITY } else { 0.0 })
                };
                (0..input.len()).map(each).fold(0.0, f64::max)
            })
        };
        assert!(worst(1.0) <= 4.0, "{} ulps", worst(1.0));
        assert!(worst(1.0 + 1e-6) > 4.0, "planted: 1e-6 too far out");
    }

    #[test]
    fn mean_and_log_partition_against_quadrature_and_the_table_against_both() {
        let family = LaplaceScale::new(14.0, 0.15);
        let mut worst = 0.0f64;
        for a in [-9.0, -3.0, -1.0, 0.0, 1.5, 4.0, 8.0] {
            let eta = family.link(a);
            let (low, high) = family.integration_bounds(eta);
            // An even distribution: half of it, where the integrand has no peak in the middle of the rule.
            let mean = quadrature::mean(|x| eta * family.statistic(x), |x| family.statistic(x), 0.0, high);
            assert!((mean - family.mean_statistic(eta)).abs() < 1e-6 * mean.abs(), "E[T] at a = {a}: {mean}");
            let log = quadrature::log_integral(|x| eta * family.statistic(x), low, high);
            assert!((log - family.log_partition(eta)).abs() < 1e-5 * (1.0 + log.abs()), "A at a = {a}: {log}");
            let slope = (family.log_partition(eta + 1e-5) - family.log_partition(eta - 1e-5)) / 2e-5;
            assert!((slope - family.mean_statistic(eta)).abs() < 1e-5 * slope.abs(), "A' at a = {a}");
            let link = (family.link(a + 1e-5) - family.link(a - 1e-5)) / 2e-5;
            assert!((link - family.link_derivative(a)).abs() < 1e-6 * (1.0 + link.abs()));
            let mut out = [0.0];
            family.mean_statistics(&[eta as f32], &mut out);
            worst = worst.max((f64::from(out[0]) / family.mean_statistic(eta) - 1.0).abs());
        }
        assert!(worst < 2e-5, "{worst}");
        // SciPy's k0e and k1e at 0.3 and 2.1.
        for (z, k0, k1) in [(0.3, 1.852_627_300_772, 4.125_157_762_244), (2.1, 0.823_017_152_532, 1.002_368_052_741)] {
            let found = scaled_bessel(z);
            assert!((found[0] - k0).abs() < 1e-11 && (found[1] - k1).abs() < 1e-11, "{z}: {found:?}");
        }
    }
}
