//! Precision and recall of a set of samples by nearest-neighbour manifolds, and distances to the nearest image.
//!
//! Kynkaanniemi, Karras, Laine, Lehtinen and Aila, "Improved precision and recall metric for assessing generative models" (2019).

use crate::model::product::multiply;
use ndarray::{Array1, ArrayView2, ArrayViewMut2, Axis};

/// Rows whose distances to all others are held at once.
const TOGETHER: usize = 128;

/// How much of the samples looks like the reference, and how much of the reference the samples cover.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct PrecisionRecall {
    /// Fraction of samples inside the manifold of the reference: the union of balls whose radius is the distance of each one's k-th neighbour.
    pub precision: f64,
    /// Fraction of reference images inside the manifold of the samples.
    pub recall: f64,
}

/// Precision and recall of `samples` against `reference`, rows `[count, dimensions]` each, with balls to the `k`-th
/// neighbour. Sets of equal size are to be given: a manifold grows with the number of its points.
pub fn precision_recall(reference: ArrayView2<f32>, samples: ArrayView2<f32>, k: usize) -> PrecisionRecall {
    let (real, made) = (squared_radii(reference, k), squared_radii(samples, k));
    let (mut precise, mut recalled) = (0, vec![false; reference.nrows()]);
    for_each_block(samples, reference, |first, distances| {
        for (i, row) in distances.rows().into_iter().enumerate() {
            precise += usize::from(row.iter().zip(&real).any(|(d, radius)| d <= radius));
            row.iter().zip(&mut recalled).for_each(|(&d, recalled)| *recalled |= d <= made[first + i]);
        }
    });
    let fraction = |part: usize, all: usize| part as f64 / all.max(1) as f64;
    PrecisionRecall {
        precision: fraction(precise, samples.nrows()),
        recall: fraction(recalled.iter().filter(|&&r| r).count(), reference.nrows()),
    }
}

/// Squared distance of each row to its `k`-th nearest other row (to the farthest where there are fewer).
fn squared_radii(rows: ArrayView2<f32>, k: usize) -> Vec<f32> {
    let mut radii = Vec::with_capacity(rows.nrows());
    let kth = k.min(rows.nrows().saturating_sub(1)).saturating_sub(1);
    let mut others = Vec::with_capacity(rows.nrows());
    for_each_block(rows, rows, |first, distances| {
        for (i, row) in distances.rows().into_iter().enumerate() {
            others.clear();
            others.extend(row.iter().enumerate().filter(|(j, _)| *j != first + i).map(|(_, &d)| d));
            radii.push(if others.is_empty() { 0.0 } else { *others.select_nth_unstable_by(kth, f32::total_cmp).1 });
        }
    });
    radii
}

/// Distance of each sample to the nearest image, the root of the sum of squared differences: `[samples]`. Infinite where
/// there is no image.
pub fn nearest_distances(samples: ArrayView2<f32>, images: ArrayView2<f32>) -> Vec<f32> {
    let mut nearest = Vec::with_capacity(samples.nrows());
    for_each_block(samples, images, |first, distances| {
        for (i, row) in distances.rows().into_iter().enumerate() {
            let best = row.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1)).map(|(j, _)| j);
            // Once more from the differences: the block's |a|^2 + |b|^2 - 2 ab cancels where both are alike.
            let exact = |j: usize| samples.row(first + i).iter().zip(images.row(j)).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt();
            nearest.push(best.map_or(f32::INFINITY, exact));
        }
    });
    nearest
}

/// Hands out squared distances of some rows of `a` (from the index given) to all rows of `b`, block after block.
fn for_each_block(a: ArrayView2<f32>, b: ArrayView2<f32>, mut visit: impl FnMut(usize, ArrayViewMut2<f32>)) {
    let norms = |rows: ArrayView2<f32>| rows.rows().into_iter().map(|row| row.dot(&row)).collect::<Array1<f32>>();
    let (a_norms, b_norms) = (norms(a), norms(b));
    let mut distances = vec![0.0; TOGETHER * b.nrows()];
    for (block, part) in a.axis_chunks_iter(Axis(0), TOGETHER).enumerate() {
        let first = block * TOGETHER;
        let distances = &mut distances[..part.nrows() * b.nrows()];
        multiply(distances, part, b.t(), -2.0, false);
        let Ok(mut distances) = ArrayViewMut2::from_shape((part.nrows(), b.nrows()), distances) else { continue };
        for (i, mut row) in distances.rows_mut().into_iter().enumerate() {
            row.zip_mut_with(&b_norms, |d, b| *d = (*d + b + a_norms[first + i]).max(0.0));
        }
        visit(first, distances);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, Axis};
    use rand::{SeedableRng, rngs::ChaCha8Rng};
    use rand_distr::{Distribution, StandardNormal};

    fn normals(rows: usize, columns: usize, seed: u64) -> Array2<f32> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        Array2::from_shape_simple_fn((rows, columns), || StandardNormal.sample(&mut rng))
    }

    #[test]
    fn identical_sets_collapsed_sets_and_far_noise() {
        let reference = normals(300, 6, 1);
        let measure = |samples: &Array2<f32>| precision_recall(reference.view(), samples.view(), 3);
        assert_eq!(measure(&reference), PrecisionRecall { precision: 1.0, recall: 1.0 });
        let collapsed = reference.select(Axis(0), &[7; 300]) + normals(300, 6, 2) * 1e-3;
        let found = measure(&collapsed);
        assert!(found.precision > 0.95 && found.recall < 0.01, "{found:?}");
        let far = normals(300, 6, 3) + 50.0;
        assert_eq!(measure(&far), PrecisionRecall { precision: 0.0, recall: 0.0 });
        let wide = normals(300, 6, 4) * 3.0;
        let found = measure(&wide);
        assert!(found.precision < 0.4 && found.recall > 0.7, "covers without resembling: {found:?}");
    }

    #[test]
    fn agrees_with_every_pair_counted_one_by_one() {
        let (reference, samples) = (normals(150, 3, 5), normals(140, 3, 6) * 1.3);
        let distance = |a: &Array2<f32>, i: usize, b: &Array2<f32>, j: usize| {
            a.row(i).iter().zip(b.row(j)).map(|(x, y)| f64::from(x - y).powi(2)).sum::<f64>().sqrt()
        };
        let radius = |set: &Array2<f32>, i: usize, k: usize| {
            let mut others: Vec<f64> = (0..set.nrows()).filter(|&j| j != i).map(|j| distance(set, i, set, j)).collect();
            others.sort_by(f64::total_cmp);
            others[k - 1]
        };
        let inside = |points: &Array2<f32>, manifold: &Array2<f32>, k: usize| {
            let radii: Vec<f64> = (0..manifold.nrows()).map(|j| radius(manifold, j, k)).collect();
            let hit = |i: usize| (0..manifold.nrows()).any(|j| distance(points, i, manifold, j) <= radii[j]);
            (0..points.nrows()).filter(|&i| hit(i)).count() as f64 / points.nrows() as f64
        };
        let found = precision_recall(reference.view(), samples.view(), 3);
        let exact = PrecisionRecall { precision: inside(&samples, &reference, 3), recall: inside(&reference, &samples, 3) };
        assert_eq!(found, exact);
        // Planted bug: balls to the second neighbour are smaller.
        assert!(inside(&samples, &reference, 2) < exact.precision);
    }

    #[test]
    fn nearest_distances_are_exact_even_for_copies() {
        let images = normals(400, 20, 7) + 10.0;
        let mut samples = normals(200, 20, 8) + 10.0;
        samples.row_mut(3).assign(&images.row(77));
        let found = nearest_distances(samples.view(), images.view());
        assert_eq!(found[3], 0.0);
        for (sample, found) in samples.rows().into_iter().zip(&found) {
            let to = |image: ndarray::ArrayView1<f32>| image.iter().zip(sample).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt();
            let exact = images.rows().into_iter().map(to).fold(f32::INFINITY, f32::min);
            assert!((found - exact).abs() < 1e-3 * exact.max(1e-3), "{found} {exact}");
        }
        assert_eq!(nearest_distances(samples.view(), images.slice(ndarray::s![..0, ..])), [f32::INFINITY; 200]);
    }

    #[test]
    fn sets_of_a_point_or_none_are_measured_without_harm() {
        let (one, none) = (normals(1, 4, 9), normals(0, 4, 9));
        assert_eq!(precision_recall(one.view(), one.view(), 3).precision, 1.0);
        assert_eq!(precision_recall(one.view(), none.view(), 3), PrecisionRecall { precision: 0.0, recall: 0.0 });
    }
}
