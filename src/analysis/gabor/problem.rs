//! The fit as a problem of least squares, in as few equations as it has unknowns.
//!
//! A search needs of the residuals r and their Jacobian J no more than J^T J, J^T r and |r|^2: these are summed in one pass over the pixels.
//! With J^T J = V L V^T, the Jacobian L^(1/2) V^T and the residuals L^(-1/2) V^T J^T r, with what is left of |r| as one more, have the same
//! sums, and so the same steps.

use super::wave::{Parameters, Wave};
use levenberg_marquardt::LeastSquaresProblem;
use nalgebra::storage::Owned;
use nalgebra::{SMatrix, SVector, U1, U8, U9};
use ndarray::Array2;

/// Share of the largest eigenvalue of J^T J below which a direction says nothing.
const NOTHING: f64 = 1e-14;

/// A Gabor function on its way to a filter.
pub(super) struct Problem<'a> {
    /// The filter, `[rows * columns]` row by row.
    values: &'a [f64],
    /// Rows and columns.
    shape: [usize; 2],
    /// The logarithm of the smallest width of the envelope, pixels.
    narrowest: f64,
    parameters: Parameters,
    /// The derivatives of the residuals by each parameter, and the residuals, `[9, pixels]`.
    derivatives: Array2<f64>,
    /// None where the envelope has left the range in which it says something about this patch.
    reduced: Option<Reduced>,
}

/// Residuals and Jacobian in nine equations.
struct Reduced {
    residuals: SVector<f64, 9>,
    jacobian: SMatrix<f64, 9, 8>,
}

impl Reduced {
    /// Of [`Problem::derivatives`].
    fn of(derivatives: &Array2<f64>) -> Self {
        let sums = derivatives.dot(&derivatives.t());
        let eigen = SMatrix::<f64, 8, 8>::from_fn(|i, j| sums[[i, j]]).symmetric_eigen();
        let slopes = eigen.eigenvectors.tr_mul(&SVector::from_fn(|i, _| sums[[i, 8]]));
        let floor = NOTHING * eigen.eigenvalues.max();
        let mut reduced = Self { residuals: SVector::zeros(), jacobian: SMatrix::zeros() };
        for (i, &value) in eigen.eigenvalues.iter().enumerate().filter(|(_, value)| **value > floor) {
            let root = value.sqrt();
            reduced.residuals[i] = slopes[i] / root;
            reduced.jacobian.row_mut(i).copy_from(&(root * eigen.eigenvectors.column(i)).transpose());
        }
        reduced.residuals[8] = (sums[[8, 8]] - reduced.residuals.norm_squared()).max(0.0).sqrt();
        reduced
    }
}

impl<'a> Problem<'a> {
    /// Begins with these parameters at a filter of these rows and columns; no width of the envelope is smaller than `narrowest`, pixels.
    pub(super) fn new(values: &'a [f64], shape: [usize; 2], narrowest: f64, start: Parameters) -> Self {
        let (derivatives, narrowest) = (Array2::zeros([9, values.len()]), narrowest.ln());
        let mut problem = Self { values, shape, narrowest, parameters: start, derivatives, reduced: None };
        problem.reduce();
        problem
    }

    fn reduce(&mut self) {
        self.reduced = None;
        if self.is_lost() {
            return;
        }
        let wave = Wave::new(&self.parameters.into());
        let (values, count) = (self.values, self.values.len());
        if let Some(rows) = self.derivatives.as_slice_mut() {
            wave.for_each(self.shape, |i, at| {
                wave.gradient(&at).into_iter().enumerate().for_each(|(row, slope)| rows[row * count + i] = slope);
                rows[8 * count + i] = at.value - values[i];
            });
        }
        self.reduced = Some(Reduced::of(&self.derivatives));
    }

    /// Whether the envelope has left the range in which it says something about this patch.
    pub(super) fn is_lost(&self) -> bool {
        let [rows, columns] = self.shape;
        let widest = (2.0 * rows.max(columns) as f64).ln();
        let p = &self.parameters;
        p.iter().any(|v| !v.is_finite()) || p[6] > widest || p[7] > widest || p[3].abs() > 1.0
    }
}

impl LeastSquaresProblem<f64, U9, U8> for Problem<'_> {
    type ResidualStorage = Owned<f64, U9, U1>;
    type JacobianStorage = Owned<f64, U9, U8>;
    type ParameterStorage = Owned<f64, U8>;

    fn set_params(&mut self, p: &Parameters) {
        self.parameters = *p;
        // A wall: beyond it the function no longer changes with the parameter.
        (self.parameters[6], self.parameters[7]) = (p[6].max(self.narrowest), p[7].max(self.narrowest));
        self.reduce();
    }

    fn params(&self) -> Parameters {
        self.parameters
    }

    fn residuals(&self) -> Option<SVector<f64, 9>> {
        self.reduced.as_ref().map(|reduced| reduced.residuals)
    }

    fn jacobian(&self) -> Option<SMatrix<f64, 9, 8>> {
        self.reduced.as_ref().map(|reduced| reduced.jacobian)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::gabor::wave::pixel;
    use nalgebra::{DMatrix, DVector};
    use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

    /// Against residuals and a Jacobian over all pixels, by differences of the function itself.
    #[test]
    fn nine_equations_have_the_sums_of_all_pixels() {
        let (mut rng, shape @ [rows, columns]) = (ChaCha8Rng::seed_from_u64(3), [11, 14]);
        for case in 0..40 {
            let mut between = |low: f64, high: f64| rng.random_range(low..high);
            let mut drawn = || {
                let place = [between(2.0, 12.0), between(2.0, 9.0), between(0.0, 3.0), between(0.05, 0.4)];
                [place[0], place[1], place[2], place[3], between(-1.0, 1.0), between(-1.0, 1.0), between(0.1, 1.5), between(0.1, 1.5)]
            };
            let (mut p, filter) = (drawn(), drawn());
            if case % 4 == 0 {
                (p[4], p[5]) = (0.0, 0.0); // six of the directions say nothing
            }
            let values = |p: [f64; 8]| DVector::from_fn(rows * columns, |i, _| Wave::new(&p).at(pixel(i, columns)).value);
            let filter = values(filter);
            let residuals = values(p) - &filter;
            let slope = |k: usize| {
                let moved = |by: f64| values(std::array::from_fn(|i| if i == k { p[i] + by } else { p[i] }));
                (moved(1e-5) - moved(-1e-5)) / 2e-5
            };
            let jacobian = DMatrix::from_columns(&Vec::from_iter((0..8).map(slope)));
            let problem = Problem::new(filter.as_slice(), shape, 0.9, p.into());
            let (r, j) = (problem.residuals().unwrap(), problem.jacobian().unwrap());
            let size = jacobian.norm_squared();
            assert!((j.tr_mul(&j) - jacobian.tr_mul(&jacobian)).amax() < 1e-7 * size, "{p:?}");
            assert!((j.tr_mul(&r) - jacobian.tr_mul(&residuals)).amax() < 1e-7 * (size * residuals.norm_squared()).sqrt(), "{p:?}");
            assert!((r.norm_squared() / residuals.norm_squared() - 1.0).abs() < 1e-9, "{p:?}");
            // Planted: without what is left of the residuals a fit would look better than it is.
            assert!(r.rows(0, 8).norm_squared() < 0.999 * residuals.norm_squared());
        }
    }

    #[test]
    fn an_envelope_that_says_nothing_about_the_patch_is_lost() {
        let filter = Vec::from_iter((0..144).map(|i| f64::from(i).sin()));
        let start = [6.0, 6.0, 0.3, 0.2, 1.0, 0.0, 0.7, 0.7];
        let lost = |k: usize, value: f64| {
            let mut p = start;
            p[k] = value;
            let problem = Problem::new(&filter, [12, 12], 0.9, p.into());
            problem.residuals().is_none() && problem.jacobian().is_none() && problem.is_lost()
        };
        assert!(lost(6, 3.3) && lost(7, 3.3) && lost(3, -1.1) && lost(0, f64::NAN) && !lost(6, 3.0));
    }
}
