//! A'(eta) of a family without a closed form, tabulated once by quadrature and interpolated (model.md 2, `interneurons = exact`).

use crate::model::Family;
use crate::model::quadrature;

/// Error of the interpolation that ends the refinement, relative to max(|A'|, sqrt(A''(0))).
const TOLERANCE: f64 = 1e-6;
const MOST_INTERVALS: usize = 4096;

/// A'(eta) on a uniform grid over `[-largest_eta, largest_eta]` with slopes A''(eta), between them cubic Hermite interpolation. Outside of
/// the grid the quadrature itself answers.
#[derive(Clone, Debug)]
pub struct MeanTable {
    largest_eta: f64,
    step: f64,
    nodes: Vec<[f64; 2]>,
    /// A(eta) at the nodes.
    values: Vec<f64>,
    /// Largest error found midway between nodes, relative to max(|A'|, sqrt(A''(0))).
    pub error: f64,
}

/// A'(eta) and A''(eta) by quadrature.
fn mean_and_variance(family: &dyn Family, eta: f64) -> [f64; 2] {
    let (low, high) = family.integration_bounds(eta);
    let log_density = |x: f64| eta * family.statistic(x) - family.base_energy(x);
    let mean = quadrature::mean(log_density, |x| family.statistic(x), low, high);
    [mean, quadrature::mean(log_density, |x| (family.statistic(x) - mean).powi(2), low, high)]
}

impl MeanTable {
    /// Tabulates `family`, which must be normalisable for every eta.
    pub fn new(family: &dyn Family) -> Self {
        let spread = mean_and_variance(family, 0.0)[1].sqrt();
        // The eta at which x is typically eight standard deviations of eta = 0 out.
        let largest_eta = (0..=64).map(|i| family.base_energy_derivative(spread * f64::from(i) / 8.0)).fold(4.0 / spread, f64::max);
        let mut intervals = 64;
        let mut nodes: Vec<[f64; 2]> =
            (0..=intervals).map(|i| mean_and_variance(family, largest_eta * (2.0 * i as f64 / intervals as f64 - 1.0))).collect();
        loop {
            let mut table = Self { largest_eta, step: 2.0 * largest_eta / intervals as f64, nodes, values: Vec::new(), error: 0.0 };
            let middles: Vec<[f64; 2]> =
                (0..intervals).map(|i| mean_and_variance(family, -largest_eta + (i as f64 + 0.5) * table.step)).collect();
            for (i, middle) in middles.iter().enumerate() {
                let found = table.interpolate(-largest_eta + (i as f64 + 0.5) * table.step);
                table.error = table.error.max((found - middle[0]).abs() / middle[0].abs().max(spread));
            }
            if table.error < TOLERANCE || intervals >= MOST_INTERVALS {
                table.values = (0..=intervals).map(|i| family.log_partition(-largest_eta + i as f64 * table.step)).collect();
                return table;
            }
            nodes = Vec::with_capacity(2 * intervals + 1);
            for (node, middle) in table.nodes.iter().zip(&middles) {
                nodes.extend([*node, *middle]);
            }
            nodes.extend(table.nodes.last());
            intervals *= 2;
        }
    }

    fn interpolate(&self, eta: f64) -> f64 {
        let at = (eta + self.largest_eta) / self.step;
        let i = (at as usize).min(self.nodes.len() - 2);
        let scaled = |[value, slope]: [f64; 2]| [value, slope * self.step];
        hermite(at - i as f64, scaled(self.nodes[i]), scaled(self.nodes[i + 1]))
    }

    /// A(eta), by cubic Hermite interpolation with the slopes A'(eta).
    pub fn log_partition(&self, family: &dyn Family, eta: f64) -> f64 {
        if eta.abs() > self.largest_eta {
            return family.log_partition(eta);
        }
        let at = (eta + self.largest_eta) / self.step;
        let i = (at as usize).min(self.nodes.len() - 2);
        let t = at - i as f64;
        hermite(t, [self.values[i], self.nodes[i][0] * self.step], [self.values[i + 1], self.nodes[i + 1][0] * self.step])
    }

    /// A'(eta).
    pub fn mean(&self, family: &dyn Family, eta: f64) -> f64 {
        if eta.abs() <= self.largest_eta { self.interpolate(eta) } else { family.mean_statistic(eta) }
    }
}

/// Between two nodes, `t` from 0 to 1, each with value and slope per interval.
fn hermite(t: f64, [a, da]: [f64; 2], [b, db]: [f64; 2]) -> f64 {
    let u = 1.0 - t;
    u * u * ((1.0 + 2.0 * t) * a + t * da) + t * t * ((1.0 + 2.0 * u) * b - u * db)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::FamilyConfig;

    #[test]
    fn the_stated_bound_holds_between_all_nodes_and_a_coarse_table_breaks_it() {
        for config in [
            FamilyConfig::Laplace { lambda: 3.0, delta: 0.1, kappa: 0.5 },
            FamilyConfig::StudentT { nu: 8.0, s: 0.15, kappa: 1.5 },
            FamilyConfig::StudentT { nu: 3.0, s: 1.0, kappa: 0.5 },
        ] {
            let family = config.build().unwrap();
            let table = MeanTable::new(family.as_ref());
            let spread = mean_and_variance(family.as_ref(), 0.0)[1].sqrt();
            let worst = |table: &MeanTable| {
                let error = |i: i32| {
                    let eta = f64::from(i) * 0.0137 * table.largest_eta;
                    let exact = family.mean_statistic(eta);
                    (table.mean(family.as_ref(), eta) - exact).abs() / exact.abs().max(spread)
                };
                (-90..=90).map(error).fold(0.0, f64::max) // beyond the grid as well
            };
            assert!(table.error < TOLERANCE && worst(&table) < 2.0 * TOLERANCE, "{config:?}: {} {}", table.error, worst(&table));
            for i in -90..=90 {
                let eta = f64::from(i) * 0.0137 * table.largest_eta;
                let (found, exact) = (table.log_partition(family.as_ref(), eta), family.log_partition(eta));
                assert!((found - exact).abs() < 1e-6 * (1.0 + exact.abs()), "{config:?}: A({eta}) {found} {exact}");
            }
            let coarse = MeanTable {
                step: table.step * 16.0,
                nodes: table.nodes.iter().step_by(16).copied().collect(),
                values: table.values.iter().step_by(16).copied().collect(),
                ..table.clone()
            };
            assert!(worst(&coarse) > 2.0 * TOLERANCE, "{config:?}: a table too coarse is not seen: {}", worst(&coarse));
        }
    }
}
