//! Groups of first-layer filters that a second-layer unit drives: are they alike in orientation or place beyond chance? (model.md 7)

use crate::analysis::gabor::Gabor;
use ndarray::ArrayView2;
use rand::seq::SliceRandom;
use rand::{SeedableRng, rngs::ChaCha8Rng};

/// z above which a concentration counts as beyond chance.
pub const BEYOND_CHANCE: f64 = 3.0;
/// R^2 from which a filter has an orientation and a place.
const FITTED: f64 = 0.5;
/// Shuffles of a unit's weights.
const SHUFFLES: usize = 100;

/// The filters that one second-layer unit drives, weighted by the squares of its positive weights.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Group {
    /// Mean orientation, radians in [0, pi), as [`Gabor::orientation`].
    pub orientation: f64,
    /// Length of the mean of exp(2 i orientation), 0 to 1.
    pub concentration: f64,
    /// The same in standard deviations above the mean of shuffled weights.
    pub orientation_z: f64,
    /// Centre, pixels.
    pub centre: [f64; 2],
    /// Root mean square distance from the centre, pixels.
    pub spread: f64,
    /// Minus `spread`, in standard deviations above the mean of shuffled weights.
    pub place_z: f64,
}

/// One group for each column of `weights` `[first-layer units, second-layer units]`, of the filters that are fitted inside the patch
/// of `shape`, rows and columns.
pub fn groups(weights: ArrayView2<f32>, fits: &[Gabor], shape: [usize; 2]) -> Vec<Group> {
    let inside = |fit: &Gabor| fit.r2 >= FITTED && fit.is_inside(shape);
    let fitted: Vec<(usize, Gabor)> = fits.iter().copied().enumerate().filter(|(_, fit)| inside(fit)).collect();
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    weights
        .columns()
        .into_iter()
        .map(|column| {
            let mut shares: Vec<f64> = fitted.iter().map(|(i, _)| f64::from(column[*i].max(0.0)).powi(2)).collect();
            let Some(found) = describe(&shares, &fitted) else { return Group::default() };
            let mut chance = [Vec::with_capacity(SHUFFLES), Vec::with_capacity(SHUFFLES)];
            for _ in 0..SHUFFLES {
                shares.shuffle(&mut rng);
                if let Some(shuffled) = describe(&shares, &fitted) {
                    chance[0].push(shuffled.concentration);
                    chance[1].push(-shuffled.spread);
                }
            }
            Group { orientation_z: z(found.concentration, &chance[0]), place_z: z(-found.spread, &chance[1]), ..found }
        })
        .collect()
}

/// Fractions of units whose orientation and whose place are concentrated beyond chance.
pub fn shares(groups: &[Group]) -> [f64; 2] {
    let fraction =
        |value: fn(&Group) -> f64| groups.iter().filter(|g| value(g) > BEYOND_CHANCE).count() as f64 / groups.len().max(1) as f64;
    [fraction(|g| g.orientation_z), fraction(|g| g.place_z)]
}

fn z(value: f64, chance: &[f64]) -> f64 {
    let n = chance.len() as f64;
    let mean = chance.iter().sum::<f64>() / n;
    let spread = (chance.iter().map(|c| (c - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
    if spread > 0.0 { (value - mean) / spread } else { 0.0 }
}

/// Moments of the group; None where no weight is positive.
fn describe(shares: &[f64], fitted: &[(usize, Gabor)]) -> Option<Group> {
    let total: f64 = shares.iter().sum();
    if total <= 0.0 || !total.is_finite() {
        return None;
    }
    let mean = |value: &dyn Fn(&Gabor) -> f64| shares.iter().zip(fitted).map(|(s, (_, fit))| s * value(fit)).sum::<f64>() / total;
    let (cos, sin) = (mean(&|fit| (2.0 * fit.orientation).cos()), mean(&|fit| (2.0 * fit.orientation).sin()));
    let centre = [mean(&|fit| fit.centre[0]), mean(&|fit| fit.centre[1])];
    let spread = mean(&|fit| (fit.centre[0] - centre[0]).powi(2) + (fit.centre[1] - centre[1]).powi(2)).sqrt();
    let orientation = (0.5 * sin.atan2(cos)).rem_euclid(std::f64::consts::PI);
    Some(Group { orientation, concentration: cos.hypot(sin), centre, spread, ..Group::default() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;
    use rand::RngExt;

    #[test]
    fn groups_are_told_from_chance() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let fits: Vec<Gabor> = (0..120)
            .map(|_| Gabor {
                orientation: rng.random_range(0.0..std::f64::consts::PI),
                centre: [rng.random_range(0.0..12.0), rng.random_range(0.0..12.0)],
                r2: 0.9,
                ..Gabor::default()
            })
            .collect();
        let weights = Array2::from_shape_fn((120, 3), |(i, unit)| match unit {
            0 => (-(super::super::gabor::orientation_difference(fits[i].orientation, 1.0) / 0.3).powi(2)).exp() as f32,
            1 => (-((fits[i].centre[0] - 3.0).powi(2) + (fits[i].centre[1] - 9.0).powi(2)) / 8.0).exp() as f32,
            _ => rng.random_range(-1.0..1.0),
        });
        let found = groups(weights.view(), &fits, [12, 12]);
        assert!(found[0].orientation_z > 5.0 && (found[0].orientation - 1.0).abs() < 0.1 && found[0].place_z < 3.0, "{:?}", found[0]);
        assert!(found[1].place_z > 5.0 && (found[1].centre[0] - 3.0).abs() < 1.0 && found[1].orientation_z < 3.0, "{:?}", found[1]);
        assert!(found[2].orientation_z.abs() < 3.0 && found[2].place_z.abs() < 3.0, "planted: no group: {:?}", found[2]);
        assert_eq!(shares(&found), [1.0 / 3.0; 2]);
        assert_eq!(groups(Array2::zeros((120, 1)).view(), &fits, [12, 12]), [Group::default()]);
    }
}
