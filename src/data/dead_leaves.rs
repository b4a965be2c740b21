//! Dead leaves: opaque discs drawn front to back until they cover the image (SPEC 6).

use ndarray::Array2;
use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};

/// An image of `size` x `size` grey levels N(0, 1); disc radii from a density proportional to r^-3 on `[r_min, r_max]` pixels.
pub fn dead_leaves(size: usize, r_min: f64, r_max: f64, rng: &mut impl Rng) -> Array2<f32> {
    // Centres are uniform in the plane. Only discs whose centre is within r of the image can touch it, which weights radii by
    // (size + 2 r)^2: tabulate that law's distribution function and invert it.
    const TABLE: usize = 4000;
    let radius = |i: usize| r_min + (r_max - r_min) * i as f64 / (TABLE - 1) as f64;
    let mut cumulative = Vec::with_capacity(TABLE);
    let mut total = 0.0;
    for i in 0..TABLE {
        total += radius(i).powi(-3) * (size as f64 + 2.0 * radius(i)).powi(2);
        cumulative.push(total);
    }
    let mut image = Array2::zeros((size, size));
    // In each row, `next[c]` leads to the first empty pixel at or right of c: covered runs are skipped, not visited again.
    let mut next: Vec<Vec<usize>> = vec![(0..=size).collect(); size];
    let mut empty = size * size;
    while empty > 0 {
        let u = rng.random_range(0.0..total);
        let r = radius(cumulative.partition_point(|&c| c < u).min(TABLE - 1));
        let (row, column) = (rng.random_range(-r..size as f64 + r), rng.random_range(-r..size as f64 + r));
        let grey: f32 = StandardNormal.sample(rng);
        let (first, last) = ((row - r).ceil().max(0.0) as usize, (row + r).floor().min(size as f64 - 1.0));
        if last < first as f64 {
            continue;
        }
        for y in first..=last as usize {
            let half = (r * r - (y as f64 - row).powi(2)).max(0.0).sqrt();
            let (from, to) = ((column - half).ceil().max(0.0), (column + half).floor().min(size as f64 - 1.0));
            if to < from {
                continue;
            }
            let mut x = find(&mut next[y], from as usize);
            while x as f64 <= to {
                image[[y, x]] = grey;
                empty -= 1;
                next[y][x] = x + 1;
                x = find(&mut next[y], x + 1);
            }
        }
    }
    image
}

/// The first empty pixel at or right of `x`, with path halving.
fn find(next: &mut [usize], mut x: usize) -> usize {
    while next[x] != x {
        next[x] = next[next[x]];
        x = next[x];
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{SeedableRng, rngs::ChaCha8Rng};

    #[test]
    fn covers_everything_with_unit_variance_and_correlation_that_falls() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let images: Vec<_> = (0..40).map(|_| dead_leaves(64, 3.0, 200.0, &mut rng)).collect();
        let correlation = |lag: usize| {
            let pair = |image: &Array2<f32>| (0..64).map(|y| f64::from(image[[y, 0]] * image[[y, lag]])).sum::<f64>() / 64.0;
            images.iter().map(pair).sum::<f64>() / 40.0
        };
        // Pixels of one image are strongly dependent: about 40 independent squares, standard error sqrt(2/40) = 0.22.
        assert!((correlation(0) - 1.0).abs() < 5.0 * 0.22);
        assert!(correlation(1) > correlation(8) && correlation(8) > correlation(40));
        assert!(images.iter().all(|image| image.iter().all(|&v| v != 0.0)), "every pixel is covered");
    }
}
