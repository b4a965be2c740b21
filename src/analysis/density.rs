//! A density on a rectangular grid, for contours: the exact posterior of two units.

use crate::model::closed_form::solve;
use crate::model::{Hierarchy, energy::tabulated_energy, linear};
use ndarray::{Array1, Array2};

/// Neurons of a linear-Gaussian hierarchy whose precision is inverted, at most.
const MOST_UNITS: usize = 64;

/// A density tabulated at cell centres.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct DensityGrid {
    /// Horizontal range `[low, high]`.
    pub x: [f64; 2],
    /// Vertical range `[low, high]`.
    pub y: [f64; 2],
    /// Density `[rows (y), columns (x)]`, integrating to 1 over the rectangle.
    pub density: Array2<f64>,
}

impl DensityGrid {
    /// The posterior of the two units of layer 1 given x_0 to the power 1/`temperature`, `cells` x `cells`: of a model of that layer alone
    /// by normalising exp(-energy/temperature) (model.md 5.6), of a deeper linear-Gaussian one as the marginal of its Gaussian posterior
    /// (model.md 5.1). The edge of the rectangle holds less than exp(-9) of the peak. None where layer 1 has another number of units, where
    /// neither way is open, or where the temperature is 0.
    pub fn posterior(model: &Hierarchy, x0: &[f32], temperature: f64, cells: usize) -> Option<Self> {
        if model.layers[1].size != 2 || temperature <= 0.0 {
            return None;
        }
        if model.depth() > 1 {
            return Self::gaussian_marginal(model, x0, temperature, cells);
        }
        let observed = Array1::from_iter(x0.iter().map(|&x| f64::from(x)));
        let tables = model.tables();
        let energy = |x: f64, y: f64| tabulated_energy(model, &tables, &[observed.clone(), Array1::from(vec![x, y])]) / temperature;
        let (mut half, mut low) = ([1.0, 1.0], f64::INFINITY);
        for _ in 0..12 {
            let mut edge = [f64::INFINITY; 2];
            for i in 0..=40 {
                let u = f64::from(i) / 20.0 - 1.0;
                for j in 0..=40 {
                    low = low.min(energy(u * half[0], (f64::from(j) / 20.0 - 1.0) * half[1]));
                }
                for sign in [-1.0, 1.0] {
                    edge[0] = edge[0].min(energy(sign * half[0], u * half[1]));
                    edge[1] = edge[1].min(energy(u * half[0], sign * half[1]));
                }
            }
            let narrow = [edge[0] - low < 9.0, edge[1] - low < 9.0];
            if !narrow[0] && !narrow[1] {
                break;
            }
            (0..2).filter(|&axis| narrow[axis]).for_each(|axis| half[axis] *= 1.35);
        }
        let at = |half: f64, i: usize| ((i as f64 + 0.5) / cells as f64 * 2.0 - 1.0) * half;
        let energies = Array2::from_shape_fn((cells, cells), |(row, column)| energy(at(half[0], column), at(half[1], row)));
        let low = energies.fold(f64::INFINITY, |low, &e| low.min(e));
        let mut density = energies.mapv(|e| (low - e).exp());
        let mass = density.sum() * (2.0 * half[0] / cells as f64) * (2.0 * half[1] / cells as f64);
        density /= mass;
        Some(Self { x: [-half[0], half[0]], y: [-half[1], half[1]], density })
    }

    /// That of the first two latent units of a linear-Gaussian hierarchy without biases.
    fn gaussian_marginal(model: &Hierarchy, x0: &[f32], temperature: f64, cells: usize) -> Option<Self> {
        if !model.is_linear_gaussian() || model.biases.iter().flatten().any(|&b| b != 0.0) {
            return None;
        }
        let precision = linear::precision(model);
        if precision.nrows() > MOST_UNITS {
            return None;
        }
        let mean = linear::posterior_mean(model, &Array1::from_iter(x0.iter().map(|&x| f64::from(x))))?;
        let all = solve(&precision, &Array2::eye(precision.nrows()))?;
        let covariance = [0, 1].map(|i| [0, 1].map(|j| all[[i, j]] * temperature));
        let half = [0, 1].map(|i: usize| mean[i].abs() + 5.0 * covariance[i][i].sqrt());
        let [x, y] = half.map(|half| [-half, half]);
        let mut density = gaussian([mean[0], mean[1]], covariance, [x, y], cells);
        let mass = density.sum() * (2.0 * half[0] / cells as f64) * (2.0 * half[1] / cells as f64);
        density /= mass;
        Some(Self { x, y, density })
    }

    /// Covariance of the two coordinates, `[2, 2]`.
    pub fn covariance(&self) -> Array2<f64> {
        let (rows, columns) = self.density.dim();
        let at = |i: usize, n: usize, [low, high]: [f64; 2]| low + (i as f64 + 0.5) / n as f64 * (high - low);
        let point = |row: usize, column: usize| [at(column, columns, self.x), at(row, rows, self.y)];
        let total = self.density.sum();
        let mean = [0, 1].map(|axis| self.density.indexed_iter().map(|((r, c), p)| p * point(r, c)[axis]).sum::<f64>() / total);
        Array2::from_shape_fn((2, 2), |(i, j)| {
            let product = |((r, c), p): ((usize, usize), &f64)| p * (point(r, c)[i] - mean[i]) * (point(r, c)[j] - mean[j]);
            self.density.indexed_iter().map(product).sum::<f64>() / total
        })
    }
}

/// A bivariate Gaussian at the cell centres of a rectangle, `[low, high]` along each axis: `[rows (second), columns (first)]`.
pub fn gaussian(mean: [f64; 2], [[a, b], [_, c]]: [[f64; 2]; 2], window: [[f64; 2]; 2], cells: usize) -> Array2<f64> {
    let at = |[low, high]: [f64; 2], i: usize| low + (i as f64 + 0.5) / cells as f64 * (high - low);
    let determinant = a * c - b * b;
    let peak = 1.0 / (std::f64::consts::TAU * determinant.sqrt());
    Array2::from_shape_fn((cells, cells), |(row, column)| {
        let [u, v] = [at(window[0], column) - mean[0], at(window[1], row) - mean[1]];
        peak * (-0.5 * (c * u * u - 2.0 * b * u * v + a * v * v) / determinant).exp()
    })
}

/// Points (x, density) of the posterior of the only latent unit of a model given x_0, to the power 1/`temperature`; None where there are
/// more, or the temperature is 0. Widened until the ends hold less than exp(-12) of the peak.
pub fn line(model: &Hierarchy, x0: &[f32], temperature: f64) -> Option<Vec<[f64; 2]>> {
    if model.depth() != 1 || model.layers[1].size != 1 || temperature <= 0.0 {
        return None;
    }
    let observed = Array1::from_iter(x0.iter().map(|&x| f64::from(x)));
    let tables = model.tables();
    let energy = |x: f64| tabulated_energy(model, &tables, &[observed.clone(), Array1::from(vec![x])]) / temperature;
    let at = |half: f64, i: usize| half * (i as f64 / 150.0 - 1.0);
    let (mut half, mut energies) = (1.0, Vec::new());
    for _ in 0..20 {
        energies = (0..=300).map(|i| energy(at(half, i))).collect();
        let low = energies.iter().copied().fold(f64::INFINITY, f64::min);
        if energies[0].min(energies[300]) - low > 12.0 {
            break;
        }
        half *= 1.35;
    }
    let low = energies.iter().copied().fold(f64::INFINITY, f64::min);
    let mass = energies.iter().map(|e| (low - e).exp()).sum::<f64>() * half / 150.0;
    Some(energies.iter().enumerate().map(|(i, e)| [at(half, i), (low - e).exp() / mass]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::closed_form::linear_gaussian_posterior;
    use crate::model::{Activation, FamilyConfig, Layer};

    #[test]
    fn grid_moments_are_those_of_the_linear_gaussian_posterior() {
        let layer = |sigma, size| Layer::new(FamilyConfig::Gaussian { sigma }, Activation::Linear, size).unwrap();
        let w = ndarray::array![[1.0f32, 0.8], [0.2, 0.9]];
        let model = Hierarchy::new(vec![layer(0.6, 2), layer(1.0, 2)], vec![w.clone()]).unwrap();
        let grid = DensityGrid::posterior(&model, &[1.0, -0.5], 1.0, 160).unwrap();
        let (mean, covariance) = linear_gaussian_posterior(&w.mapv(f64::from), 0.6, &ndarray::array![1.0, -0.5]);
        let cell = (grid.x[1] - grid.x[0]) / 160.0 * (grid.y[1] - grid.y[0]) / 160.0;
        let x = |i: usize| grid.x[0] + (i as f64 + 0.5) / 160.0 * (grid.x[1] - grid.x[0]);
        let moment = |k: i32| grid.density.indexed_iter().map(|((_, column), p)| p * cell * (x(column) - mean[0]).powi(k)).sum::<f64>();
        assert!((moment(0) - 1.0).abs() < 1e-9);
        assert!(moment(1).abs() < 2e-3, "mean off by {}", moment(1));
        let found = grid.covariance();
        assert!(found.iter().zip(&covariance).all(|(a, b)| (a - b).abs() < 5e-3 * covariance[[0, 0]]), "{found} {covariance}");
        assert!((moment(2) - covariance[[0, 0]]).abs() < 5e-3 * covariance[[0, 0]], "{} {}", moment(2), covariance[[0, 0]]);
    }

    /// The units above are integrated out by sums over the energy.
    #[test]
    fn the_marginal_of_a_deeper_hierarchy_is_that_of_its_energy() {
        let layer = |sigma, size| Layer::new(FamilyConfig::Gaussian { sigma }, Activation::Linear, size).unwrap();
        let weights = vec![ndarray::array![[1.0f32, 0.3], [0.3, 1.0]], ndarray::array![[1.0f32], [0.7]]];
        let mut model = Hierarchy::new(vec![layer(0.4, 2), layer(0.6, 2), layer(1.0, 1)], weights).unwrap();
        let (x0, temperature, cells) = ([1.2, -0.3], 0.8, 60);
        let grid = DensityGrid::posterior(&model, &x0, temperature, cells).unwrap();
        let (tables, observed) = (model.tables(), Array1::from_iter(x0.map(f64::from)));
        let place = |[low, high]: [f64; 2], i: usize| low + (i as f64 + 0.5) / cells as f64 * (high - low);
        let mut by_sums = Array2::from_shape_fn((cells, cells), |(row, column)| {
            let first = Array1::from(vec![place(grid.x, column), place(grid.y, row)]);
            let of = |z: f64| tabulated_energy(&model, &tables, &[observed.clone(), first.clone(), Array1::from(vec![z])]);
            (-60..=60).map(|i| (-of(f64::from(i) / 10.0) / temperature).exp()).sum::<f64>()
        });
        by_sums *= grid.density.sum() / by_sums.sum();
        let peak = grid.density.fold(0.0f64, |top, v| top.max(*v));
        let apart = (&grid.density - &by_sums).fold(0.0f64, |top, v| top.max(v.abs()));
        assert!(apart < 1e-5 * peak, "{apart} of {peak}");
        let edge = grid.density.row(0).iter().chain(grid.density.column(cells - 1)).fold(0.0f64, |top, v| top.max(*v));
        assert!(edge < (-9f64).exp() * peak, "{edge} at the edge");

        model.biases[1][0] = 0.1;
        assert!(DensityGrid::posterior(&model, &x0, temperature, cells).is_none(), "the closed form knows no biases");
        assert!(DensityGrid::posterior(&model, &x0, 0.0, cells).is_none());
    }

    #[test]
    fn at_another_temperature_the_covariance_of_a_gaussian_is_multiplied_by_it() {
        let layer = |sigma, size| Layer::new(FamilyConfig::Gaussian { sigma }, Activation::Linear, size).unwrap();
        let w = ndarray::array![[1.0f32, 0.8], [0.2, 0.9]];
        let model = Hierarchy::new(vec![layer(0.6, 2), layer(1.0, 2)], vec![w.clone()]).unwrap();
        let (_, covariance) = linear_gaussian_posterior(&w.mapv(f64::from), 0.6, &ndarray::array![1.0, -0.5]);
        let found = DensityGrid::posterior(&model, &[1.0, -0.5], 0.25, 200).unwrap().covariance();
        assert!(found.iter().zip(&covariance).all(|(a, b)| (a - 0.25 * b).abs() < 5e-3 * covariance[[0, 0]]), "{found} {covariance}");
        assert!(DensityGrid::posterior(&model, &[1.0, -0.5], 0.0, 200).is_none(), "a point has no density");

        let single = Hierarchy::new(vec![layer(0.5, 1), layer(1.0, 1)], vec![ndarray::array![[2.0f32]]]).unwrap();
        let points = line(&single, &[1.0], 0.25).unwrap();
        let moment = |power: i32| points.iter().map(|[x, p]| p * x.powi(power)).sum::<f64>() / points.iter().map(|[_, p]| p).sum::<f64>();
        assert!((moment(2) - moment(1).powi(2) - 0.25 / 17.0).abs() < 1e-4, "lambda = 17");
        assert!(line(&single, &[1.0], 0.0).is_none());
    }
}
