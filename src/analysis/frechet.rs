//! The Frechet distance of two sets by their means and covariances: the squared 2-Wasserstein distance of the Gaussians.
//!
//! Dowson and Landau, "The Frechet distance between multivariate normal distributions" (1982); for images Heusel et al. (2017).

use crate::analysis::principal::{eigen, mean, scatter};
use crate::model::product::product;
use ndarray::{Array1, Array2, ArrayView2};

/// Mean and unbiased covariance of a set.
#[derive(Clone, Debug, PartialEq)]
pub struct Moments {
    /// `[dimensions]`.
    pub mean: Array1<f64>,
    /// `[dimensions, dimensions]`.
    pub covariance: Array2<f64>,
}

impl Moments {
    /// Of rows `[count, dimensions]`; a single row has no covariance, 0.
    pub fn of(rows: ArrayView2<f32>) -> Self {
        let mean = mean(rows);
        let covariance = scatter(rows, |_| mean.view()) / rows.nrows().saturating_sub(1).max(1) as f64;
        Self { mean, covariance }
    }

    /// |m - m'|^2 + tr(S + S' - 2 (S^1/2 S' S^1/2)^1/2). Both roots are of symmetric positive semidefinite matrices, so a
    /// singular covariance does no harm. Panics where the dimensions differ.
    pub fn frechet_distance(&self, other: &Self) -> f64 {
        assert_eq!(self.mean.len(), other.mean.len(), "dimensions");
        let apart: f64 = self.mean.iter().zip(&other.mean).map(|(a, b)| (a - b).powi(2)).sum();
        let root = square_root(&self.covariance);
        let between = product(root.view(), product(other.covariance.view(), root.view()).view());
        let common: f64 = eigen(&between).0.iter().map(|v| v.max(0.0).sqrt()).sum();
        (apart + self.covariance.diag().sum() + other.covariance.diag().sum() - 2.0 * common).max(0.0)
    }
}

/// The symmetric root of a symmetric positive semidefinite matrix.
fn square_root(matrix: &Array2<f64>) -> Array2<f64> {
    let (values, vectors) = eigen(matrix);
    let scaled = &vectors * &values.iter().map(|v| v.max(0.0).sqrt()).collect::<Array1<f64>>();
    product(scaled.view(), vectors.t())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Axis, array, concatenate, s};
    use proptest::prelude::*;
    use rand::{SeedableRng, rngs::ChaCha8Rng, seq::SliceRandom};
    use rand_distr::{Distribution, StandardNormal};

    fn normals(rows: usize, columns: usize, seed: u64) -> Array2<f32> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        Array2::from_shape_simple_fn((rows, columns), || StandardNormal.sample(&mut rng))
    }

    const DEVIATIONS: [[f32; 4]; 2] = [[1.0, 0.5, 2.0, 1.0], [1.5, 0.5, 3.0, 1.2]];
    const SHIFTS: [f32; 4] = [0.3, -0.2, 0.0, 1.0];

    fn sets(count: usize) -> [Array2<f32>; 2] {
        let [first, second] = [0, 1].map(|k| normals(count, 4, k as u64 + 1) * &Array1::from(DEVIATIONS[k].to_vec()));
        [first, second + &Array1::from(SHIFTS.to_vec())]
    }

    /// How many standard errors (delta method on independent coordinates) a distance of sets lies from the closed form
    /// sum (m - m')^2 + (s - s')^2.
    fn z(distance: f64, count: usize) -> f64 {
        let (mut exact, mut variance) = (0.0, 0.0);
        for i in 0..4 {
            let [a, b] = [0, 1].map(|k| f64::from(DEVIATIONS[k][i]));
            let shift = f64::from(SHIFTS[i]);
            exact += shift.powi(2) + (a - b).powi(2);
            variance += (4.0 * shift.powi(2) + 2.0 * (a - b).powi(2)) * (a * a + b * b) / count as f64;
        }
        (distance - exact) / variance.sqrt()
    }

    #[test]
    fn gaussians_of_known_moments_within_four_standard_errors_and_planted_bugs_are_seen() {
        let [a, b] = sets(20_000).map(|set| Moments::of(set.view()));
        let distance = a.frechet_distance(&b);
        assert!(z(distance, 20_000).abs() < 4.0, "{distance}: z {}", z(distance, 20_000));
        let mut scaled = b.clone();
        scaled.covariance *= 1.1;
        assert!(z(a.frechet_distance(&scaled), 20_000).abs() > 4.0, "a covariance 1.1 times too large");
        let mut centred = b.clone();
        centred.mean = a.mean.clone();
        assert!(z(a.frechet_distance(&centred), 20_000).abs() > 4.0, "the means left out");
    }

    #[test]
    fn covariances_that_do_not_commute_by_the_closed_form_in_two_dimensions() {
        let moments = |mean: Array1<f64>, covariance: Array2<f64>| Moments { mean, covariance };
        let (a, b) = (array![[2.0, 0.8], [0.8, 1.0]], array![[0.5, -0.4], [-0.4, 3.0]]);
        // tr M^1/2 = sqrt(tr M + 2 sqrt(det M)) with M = A B.
        let det = |m: &Array2<f64>| m[[0, 0]] * m[[1, 1]] - m[[0, 1]] * m[[1, 0]];
        let common = (a.dot(&b).diag().sum() + 2.0 * (det(&a) * det(&b)).sqrt()).sqrt();
        let exact = 5.0 + 3.0 + 3.5 - 2.0 * common;
        let [a, b] = [moments(array![0.0, 0.0], a), moments(array![1.0, 2.0], b)];
        assert!((a.frechet_distance(&b) - exact).abs() < 1e-12);
        assert!((b.frechet_distance(&a) - exact).abs() < 1e-12, "symmetric");
    }

    #[test]
    fn a_set_has_no_distance_to_itself_and_order_does_not_matter() {
        let [a, b] = sets(500);
        let mut order: Vec<usize> = (0..500).collect();
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(9));
        let [shuffled, a, b] = [a.select(Axis(0), &order), a, b].map(|set| Moments::of(set.view()));
        assert!(a.frechet_distance(&a) < 1e-10);
        assert!(a.frechet_distance(&shuffled) < 1e-10);
        assert!((a.frechet_distance(&b) - shuffled.frechet_distance(&b)).abs() < 1e-9);
    }

    #[test]
    fn singular_covariances_do_no_harm() {
        // Every dimension twice: the distance doubles. Rounding splits 0 eigenvalues by 1e-16 and their roots by 1e-8.
        let doubled = |set: &Array2<f32>| concatenate(Axis(1), &[set.view(), set.view()]).unwrap();
        let [a, b] = sets(500);
        let once = Moments::of(a.view()).frechet_distance(&Moments::of(b.view()));
        let [a, b] = [a, b].map(|set| doubled(&set));
        let twice = Moments::of(a.view()).frechet_distance(&Moments::of(b.view()));
        assert!((twice - 2.0 * once).abs() < 1e-5, "{twice} against {}", 2.0 * once);
        // Fewer rows than dimensions, and a single one.
        let (few, many) = (normals(5, 40, 1), normals(60, 40, 2));
        let [few, many, one] = [few.view(), many.view(), many.slice(s![..1, ..])].map(Moments::of);
        assert!(few.frechet_distance(&few) < 1e-5);
        assert!(few.frechet_distance(&many) > 1.0 && few.frechet_distance(&many).is_finite());
        let point = one.mean.iter().zip(&many.mean).map(|(a, b)| (a - b).powi(2)).sum::<f64>() + many.covariance.diag().sum();
        assert!((one.frechet_distance(&many) - point).abs() < 1e-5, "a point has no covariance");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn a_rotation_of_the_features_changes_nothing(seed in 0u64..1000, dimensions in 2usize..12, count in 3usize..60) {
            let [a, b] = [1, 2].map(|k| normals(count, dimensions, 10 * seed + k) * k as f32 + 0.1 * k as f32);
            let turn = nalgebra::DMatrix::from_fn(dimensions, dimensions, |i, j| f64::from(normals(dimensions, dimensions, seed)[[i, j]])).qr().q();
            let turn = Array2::from_shape_fn((dimensions, dimensions), |(i, j)| turn[(i, j)] as f32);
            let distance = |a: &Array2<f32>, b: &Array2<f32>| Moments::of(a.view()).frechet_distance(&Moments::of(b.view()));
            let (before, after) = (distance(&a, &b), distance(&a.dot(&turn), &b.dot(&turn)));
            prop_assert!((before - after).abs() < 1e-4 * before.max(1.0), "{before} {after}");
        }
    }
}
