//! Dead leaves: opaque discs drawn front to back until they cover the image (model.md 6).

use ndarray::Array2;
use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};

/// An image of `size` x `size` grey levels N(0, 1); disc radii from a density proportional to r^-3 on `[r_min, r_max]` pixels.
pub fn dead_leaves(size: usize, r_min: f64, r_max: f64, rng: &mut impl Rng) -> Array2<f32> {
    let radii = Radii::new(size as f64, r_min, r_max);
    let mut image = Array2::zeros((size, size));
    // In each row, `next[c]` leads to the first empty pixel at or right of c: covered runs are skipped, not visited again.
    let mut next: Vec<Vec<usize>> = vec![(0..=size).collect(); size];
    let mut empty = size * size;
    while empty > 0 {
        let r = radii.draw(rng);
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

/// Radii of the discs that can touch the image. Centres are uniform in the plane; a disc can touch only if its centre is within r
/// of the image, which weights the density r^-3 by (size + 2 r)^2.
struct Radii {
    radius: Vec<f64>,
    cumulative: Vec<f64>,
}

impl Radii {
    /// Tabulates the distribution function on a geometric grid.
    fn new(size: f64, r_min: f64, r_max: f64) -> Self {
        const CELLS: usize = 4000;
        let radius: Vec<f64> = (0..=CELLS).map(|i| r_min * (r_max / r_min).powf(i as f64 / CELLS as f64)).collect();
        let density = |r: f64| r.powi(-3) * (size + 2.0 * r).powi(2);
        let mut cumulative = vec![0.0];
        let mut total = 0.0;
        for pair in radius.windows(2) {
            total += 0.5 * (density(pair[0]) + density(pair[1])) * (pair[1] - pair[0]);
            cumulative.push(total);
        }
        Self { radius, cumulative }
    }

    /// Inverts the distribution function, linearly within a cell.
    fn draw(&self, rng: &mut impl Rng) -> f64 {
        let u = rng.random_range(0.0..self.cumulative[self.cumulative.len() - 1]);
        let i = self.cumulative.partition_point(|&c| c <= u).clamp(1, self.radius.len() - 1);
        let share = (u - self.cumulative[i - 1]) / (self.cumulative[i] - self.cumulative[i - 1]);
        self.radius[i - 1] + share * (self.radius[i] - self.radius[i - 1])
    }
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
    fn radii_follow_their_distribution() {
        let (size, low, high, n) = (384.0, 3.0, 200.0, 50_000);
        // Antiderivative of r^-3 (size + 2 r)^2, and of the planted r^-2 (size + 2 r)^2.
        let cumulative = |r: f64| -size * size / (2.0 * r * r) - 4.0 * size / r + 4.0 * r.ln();
        let wrong = |r: f64| -size * size / r + 4.0 * size * r.ln() + 4.0 * r;
        let radii = Radii::new(size, low, high);
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let mut drawn: Vec<f64> = (0..n).map(|_| radii.draw(&mut rng)).collect();
        drawn.sort_by(f64::total_cmp);
        let distance = |f: &dyn Fn(f64) -> f64| {
            let cdf = |r: f64| (f(r) - f(low)) / (f(high) - f(low));
            drawn.iter().enumerate().map(|(i, &r)| (cdf(r) - (i as f64 + 0.5) / f64::from(n)).abs()).fold(0.0, f64::max)
                * f64::from(n).sqrt()
        };
        // Kolmogorov's statistic exceeds 2.23 with probability 1e-4.
        assert!(distance(&cumulative) < 2.23, "{}", distance(&cumulative));
        assert!(distance(&wrong) > 2.23);
    }

    #[test]
    fn covers_everything_with_unit_variance_and_correlation_that_falls() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        // One pixel an image, so that the squares are independent: standard errors sqrt(2/n) for the variance, at most that for a product.
        let n = 3000;
        let images: Vec<_> = (0..n).map(|_| dead_leaves(24, 3.0, 200.0, &mut rng)).collect();
        let correlation = |lag: usize| images.iter().map(|image| f64::from(image[[12, 0]] * image[[12, lag]])).sum::<f64>() / f64::from(n);
        let error = (2.0 / f64::from(n)).sqrt();
        assert!((correlation(0) - 1.0).abs() < 5.0 * error, "{}", correlation(0));
        assert!((1.2 * correlation(0) - 1.0).abs() > 5.0 * error, "planted: grey levels 1.1 times too strong");
        assert!(correlation(1) > correlation(8) + 5.0 * error && correlation(8) > correlation(23) + error);
        assert!(images.iter().all(|image| image.iter().all(|&v| v != 0.0)), "every pixel is covered");
    }
}
