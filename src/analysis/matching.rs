//! Which filters of two models belong together, and whether two samples come from one distribution.

use ndarray::{ArrayView2, Axis};

/// A filter of one model and the one of another that is most like it.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct MatchedFilters {
    /// Column of the first model.
    pub first: usize,
    /// Column of the second.
    pub second: usize,
    /// Cosine of the angle between them; negative where one is the other's negative.
    pub cosine: f64,
}

/// Pairs of columns of `first` and `second`, `[pixels, units]`, in descending |cosine|: each column is in one pair at most, and no pair
/// of columns that are both left over is more alike than a pair before it.
pub fn matched(first: ArrayView2<f32>, second: ArrayView2<f32>) -> Vec<MatchedFilters> {
    let unit = |filters: ArrayView2<f32>| {
        let mut unit = filters.to_owned();
        for mut column in unit.axis_iter_mut(Axis(1)) {
            let norm = column.iter().map(|w| w * w).sum::<f32>().sqrt();
            column.mapv_inplace(|w| if norm > 0.0 { w / norm } else { 0.0 });
        }
        unit
    };
    let cosines = crate::model::product::product(unit(first).t(), unit(second).view());
    let mut all: Vec<(usize, usize)> = cosines.indexed_iter().map(|(at, _)| at).collect();
    all.sort_by(|&a, &b| cosines[b].abs().total_cmp(&cosines[a].abs()).then(a.cmp(&b)));
    let (mut of_first, mut of_second) = (vec![false; first.ncols()], vec![false; second.ncols()]);
    let mut pairs = Vec::with_capacity(first.ncols().min(second.ncols()));
    for (i, j) in all {
        if !of_first[i] && !of_second[j] {
            (of_first[i], of_second[j]) = (true, true);
            pairs.push(MatchedFilters { first: i, second: j, cosine: f64::from(cosines[(i, j)]) });
        }
    }
    pairs
}

/// The statistic of Kolmogorov and Smirnov of two samples, the largest distance of their distribution functions, and the probability of
/// one at least so large where both come from one distribution (asymptotically). NaN where a sample is empty.
pub fn two_sample(first: &[f64], second: &[f64]) -> [f64; 2] {
    let sorted = |values: &[f64]| {
        let mut sorted: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        sorted
    };
    let (a, b) = (sorted(first), sorted(second));
    if a.is_empty() || b.is_empty() {
        return [f64::NAN; 2];
    }
    let below = |sorted: &[f64], value: f64| sorted.partition_point(|x| *x <= value) as f64 / sorted.len() as f64;
    let distance = a.iter().chain(&b).map(|&value| (below(&a, value) - below(&b, value)).abs()).fold(0.0, f64::max);
    let size = (a.len() as f64 * b.len() as f64 / (a.len() + b.len()) as f64).sqrt();
    [distance, kolmogorov((size + 0.12 + 0.11 / size) * distance)]
}

/// The probability that the scaled statistic is at least this (Stephens 1970).
fn kolmogorov(scaled: f64) -> f64 {
    if scaled < 0.2 {
        return 1.0; // the series needs more and more terms there, and is 1 to twelve digits
    }
    let term = |k: i32| (-2.0 * f64::from(k * k) * scaled * scaled).exp() * if k % 2 == 1 { 2.0 } else { -2.0 };
    (1..=20).map(term).sum::<f64>().clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;
    use rand::seq::SliceRandom;
    use rand::{SeedableRng, rngs::ChaCha8Rng};
    use rand_distr::{Distribution, StandardNormal};

    fn normals(count: usize, rng: &mut ChaCha8Rng) -> Vec<f64> {
        (0..count).map(|_| StandardNormal.sample(rng)).collect()
    }

    #[test]
    fn a_permutation_with_other_signs_and_lengths_is_found() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let filters = Array2::from_shape_simple_fn((30, 12), || StandardNormal.sample(&mut rng));
        let mut order: Vec<usize> = (0..12).collect();
        order.shuffle(&mut rng);
        let scale = |j: usize| if j.is_multiple_of(2) { -3.0f32 } else { 0.5 };
        let other = Array2::from_shape_fn((30, 12), |(i, j)| scale(j) * filters[[i, order[j]]]);
        let pairs = matched(filters.view(), other.view());
        assert_eq!(pairs.len(), 12);
        for pair in &pairs {
            assert_eq!(order[pair.second], pair.first);
            assert!((pair.cosine - f64::from(scale(pair.second).signum())).abs() < 1e-5);
        }
        let fewer = matched(filters.view(), other.slice(ndarray::s![.., ..5]));
        assert_eq!(fewer.len(), 5, "the others have no partner");
    }

    #[test]
    fn samples_of_one_distribution_are_told_from_those_of_two() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let chances: Vec<f64> = (0..400).map(|_| two_sample(&normals(150, &mut rng), &normals(100, &mut rng))[1]).collect();
        let below = |limit: f64| chances.iter().filter(|p| **p < limit).count() as f64 / 400.0;
        // A share of 0.05 has a standard error of 0.011, and the asymptotic values lie a little high.
        assert!(below(0.05) < 0.05 + 4.0 * 0.011 && below(0.5) > 0.35, "{} {}", below(0.05), below(0.5));
        let shifted: Vec<f64> = normals(150, &mut rng).iter().map(|x| x + 0.8).collect();
        assert!(two_sample(&normals(150, &mut rng), &shifted)[1] < 1e-3);
        // scipy.stats.ks_2samp([1, 2, 3], [2.5, 3.5, 4.5, 5.5]).statistic
        assert!((two_sample(&[1.0, 2.0, 3.0], &[2.5, 3.5, 4.5, 5.5])[0] - 0.75).abs() < 1e-12);
        assert!(two_sample(&[], &[1.0])[0].is_nan());
    }
}
