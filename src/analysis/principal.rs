//! Covariances, their leading eigenvectors by subspace iteration, and PCA whitening.

use crate::model::product::{multiply, product};
use nalgebra::{DMatrix, SymmetricEigen};
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis, s};
use rand::{SeedableRng, rngs::ChaCha8Rng};
use rand_distr::{Distribution, StandardNormal};

/// Below so many dimensions all eigenvectors are computed, which is then no slower.
const DENSE: usize = 256;
/// Directions iterated beyond those asked for: convergence goes with the ratio of the eigenvalues so far apart.
const GUARD: usize = 64;
/// Rounds of two products each. Measured on the features of MNIST: the eigenvalues then stand to 1e-4.
const ROUNDS: usize = 8;
/// Variances below this share of the largest are rounding errors of single-precision features.
const NULL: f64 = 1e-6;

/// Mean of the rows, `[dimensions]`; zero where there are none.
pub fn mean(rows: ArrayView2<f32>) -> Array1<f64> {
    let mut sum = Array1::<f64>::zeros(rows.ncols());
    rows.rows().into_iter().for_each(|row| sum.zip_mut_with(&row, |sum, &v| *sum += f64::from(v)));
    sum / rows.nrows().max(1) as f64
}

/// Sum over the rows of (x - centre)(x - centre)^T, `[dimensions, dimensions]`; `centre` tells that of a row by its index.
pub fn scatter<'a>(rows: ArrayView2<f32>, centre: impl Fn(usize) -> ArrayView1<'a, f64>) -> Array2<f64> {
    const TOGETHER: usize = 512;
    const PANEL: usize = 128;
    let n = rows.ncols();
    // Panels of rows from the diagonal on: the other half follows by symmetry.
    let mut panels: Vec<(usize, usize, Vec<f64>)> = Vec::new();
    for first in (0..n).step_by(PANEL) {
        let last = n.min(first + PANEL);
        panels.push((first, last, vec![0.0; (last - first) * (n - first)]));
    }
    for (block, part) in rows.axis_chunks_iter(Axis(0), TOGETHER).enumerate() {
        let mut centred = part.mapv(f64::from);
        centred.rows_mut().into_iter().enumerate().for_each(|(i, mut row)| row -= &centre(block * TOGETHER + i));
        for (first, last, sum) in &mut panels {
            multiply(sum, centred.slice(s![.., *first..*last]).t(), centred.slice(s![.., *first..]), 1.0, true);
        }
    }
    Array2::from_shape_fn((n, n), |(i, j)| {
        let (low, high) = (i.min(j), i.max(j));
        let (first, _, sum) = &panels[low / PANEL];
        sum[(low - first) * (n - first) + high - first]
    })
}

/// Eigenvalues in falling order and eigenvectors `[dimensions, count]` of a symmetric matrix, all of them.
pub fn eigen(matrix: &Array2<f64>) -> (Vec<f64>, Array2<f64>) {
    let n = matrix.nrows();
    // Symmetrised: what rounding has made of it must not choose a triangle.
    let found = SymmetricEigen::new(DMatrix::from_fn(n, n, |i, j| 0.5 * (matrix[[i, j]] + matrix[[j, i]])));
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| found.eigenvalues[b].total_cmp(&found.eigenvalues[a]));
    let vectors = Array2::from_shape_fn((n, n), |(i, k)| found.eigenvectors[(i, order[k])]);
    (order.iter().map(|&k| found.eigenvalues[k]).collect(), vectors)
}

/// The `count` largest eigenvalues of a positive semidefinite matrix, in falling order, and their vectors
/// `[dimensions, count]`, by subspace iteration with a last Rayleigh-Ritz step: the vectors are orthonormal, and the matrix is
/// diagonal in their basis, however far the iteration has converged.
pub fn leading_eigenvectors(matrix: &Array2<f64>, count: usize) -> (Vec<f64>, Array2<f64>) {
    let n = matrix.nrows();
    let count = count.min(n);
    let (values, vectors) = if n <= DENSE.max(count + GUARD) {
        eigen(matrix)
    } else {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let mut basis = Array2::from_shape_simple_fn((n, count + GUARD), || StandardNormal.sample(&mut rng));
        for _ in 0..ROUNDS {
            let power = product(matrix.view(), basis.view());
            basis = orthonormal(&product(matrix.view(), power.view()));
        }
        let inner = product(basis.t(), product(matrix.view(), basis.view()).view());
        let (values, vectors) = eigen(&inner);
        (values, product(basis.view(), vectors.view()))
    };
    (values[..count].to_vec(), vectors.slice(s![.., ..count]).to_owned())
}

/// An orthonormal basis that holds the columns, by Householder's reflections.
fn orthonormal(columns: &Array2<f64>) -> Array2<f64> {
    let q = DMatrix::from_fn(columns.nrows(), columns.ncols(), |i, j| columns[[i, j]]).qr().q();
    Array2::from_shape_fn(columns.dim(), |(i, j)| q[(i, j)])
}

/// Principal components scaled to unit variance.
#[derive(Clone, Debug)]
pub struct Whitening {
    mean: Array1<f32>,
    /// `[dimensions, components]`.
    projection: Array2<f32>,
}

impl Whitening {
    /// The whitening of rows `[count, dimensions]` by at most `components` principal components, fewer where the variance
    /// is in fewer.
    pub fn fit(rows: ArrayView2<f32>, components: usize) -> Self {
        let mean = mean(rows);
        let covariance = scatter(rows, |_| mean.view()) / rows.nrows().saturating_sub(1).max(1) as f64;
        let (values, vectors) = leading_eigenvectors(&covariance, components);
        let largest = values.first().copied().unwrap_or(0.0);
        let rank = values.iter().take_while(|&&v| v > NULL * largest && v > 0.0).count();
        let projection = Array2::from_shape_fn((rows.ncols(), rank), |(i, k)| (vectors[[i, k]] / values[k].sqrt()) as f32);
        Self { mean: mean.mapv(|v| v as f32), projection }
    }

    /// Number of components.
    pub fn components(&self) -> usize {
        self.projection.ncols()
    }

    /// Whitened rows, `[count, components]`.
    pub fn apply(&self, rows: ArrayView2<f32>) -> Array2<f32> {
        product((&rows - &self.mean).view(), self.projection.view())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normals(rows: usize, columns: usize, seed: u64) -> Array2<f32> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        Array2::from_shape_simple_fn((rows, columns), || StandardNormal.sample(&mut rng))
    }

    #[test]
    fn subspace_iteration_finds_the_eigenvalues_of_a_full_solver() {
        // Variances that fall as in a set of images, in a turned basis.
        let n = 400;
        let mixing = normals(n, n, 1).mapv(f64::from);
        let root = Array2::from_shape_fn((n, n), |(i, j)| mixing[[i, j]] * (-(j as f64) / 25.0).exp());
        let matrix = product(root.view(), root.t());
        let (exact, _) = eigen(&matrix);
        let (values, vectors) = leading_eigenvectors(&matrix, 40);
        assert!(values.iter().zip(&exact).all(|(a, b)| (a / b - 1.0).abs() < 1e-6), "{values:?} {exact:?}");
        let residual = product(matrix.view(), vectors.view()) - &vectors * &Array1::from(values.clone());
        assert!(residual.iter().all(|r| r.abs() < 1e-6 * values[0]));
    }

    #[test]
    fn whitened_rows_have_unit_covariance_and_null_directions_are_left_out() {
        let base = normals(500, 6, 2);
        // Six directions of very different size, two of them twice, one without variance.
        let rows = Array2::from_shape_fn((500, 9), |(i, j)| match j {
            6 | 7 => base[[i, j - 6]],
            8 => 3.0,
            _ => base[[i, j]] * 10f32.powi(-(j as i32) / 3),
        });
        let whitening = Whitening::fit(rows.view(), 128);
        assert_eq!(whitening.components(), 6);
        let white = whitening.apply(rows.view());
        let centre = mean(white.view());
        let covariance = scatter(white.view(), |_| centre.view()) / 499.0;
        assert!(covariance.indexed_iter().all(|((i, j), v)| (v - f64::from(u8::from(i == j))).abs() < 1e-3), "{covariance}");
        let few = Whitening::fit(normals(5, 300, 3).view(), 128);
        assert_eq!(few.components(), 4, "five points span four dimensions");
    }
}
