//! Visits of bernoulli interneurons to the rarer of their values, drawn together where they are few and short (model.md 9).

use super::gathered::{GatheredUnits, LANES, Lanes};
use super::step::{TwoStateStep, at_rare, expected_visits};
use crate::model::vector;

/// Visits of a unit in a step at most: more have a probability below 1e-5.
const MOST_VISITS: usize = 18;

/// Sixteen draws from Poisson distributions, by inversion.
struct Poisson {
    expected: [f32; LANES],
    /// The number, and one over it; 0 and 1 where there is nothing.
    count: [f32; LANES],
    inverse: [f32; LANES],
    /// Probability of the next number.
    term: [f32; LANES],
    /// What is left of the chance that decides.
    left: [f32; LANES],
}

impl Poisson {
    #[inline(always)]
    fn draw(p: &[f32; LANES], y: &[f32; LANES], chance: &[f32; LANES], step: &TwoStateStep) -> Self {
        let zeros = [0.0; LANES];
        let mut draw = Self { expected: zeros, count: zeros, inverse: [1.0; LANES], term: zeros, left: zeros };
        for i in 0..LANES {
            let expected = expected_visits(p[i], y[i], step);
            let nothing = vector::exp(-expected);
            draw.expected[i] = expected;
            draw.left[i] = chance[i] - nothing;
            // The bounds keep out subnormal numbers, which are slow.
            draw.term[i] = nothing * expected.max(1e-7);
        }
        if draw.look::<1, 6>() && draw.look::<7, 12>() {
            draw.look::<13, MOST_VISITS>();
        }
        draw
    }

    /// Looks at the numbers `FIRST` to `LAST`; returns whether one of the draws is more.
    #[inline(always)]
    fn look<const FIRST: usize, const LAST: usize>(&mut self) -> bool {
        let mut more = 0u32;
        for i in 0..LANES {
            // A half-open range: the compiler unrolls no other, and only then are all lanes drawn together.
            for k in FIRST..LAST + 1 {
                let beyond = self.left[i] > 0.0;
                self.count[i] = if beyond { k as f32 } else { self.count[i] };
                self.inverse[i] = if beyond { 1.0 / k as f32 } else { self.inverse[i] };
                self.left[i] -= self.term[i];
                self.term[i] *= (self.expected[i] * (1.0 / (k + 1) as f32)).max(0.02);
            }
            more += u32::from(self.left[i] > 0.0);
        }
        more > 0
    }
}

/// Poisson's number of visits, the sum of their lengths, and the state at the end given that sum.
#[multiversion::multiversion(targets("x86_64+avx512f+avx512dq+avx512vl+avx512bw+avx2+avx", "x86_64+avx2+avx"))]
pub(super) fn draw(units: &mut GatheredUnits, step: &TwoStateStep) {
    let (per_step, per_k) = (1.0 / step.a, 1.0 / step.count);
    for Lanes { p, chance, y, open, mean } in units.lanes() {
        let Poisson { count: visits, inverse, .. } = Poisson::draw(p, y, chance, step);
        for i in 0..LANES {
            let rare = p[i].min(1.0 - p[i]);
            // 1/(1 - rare) by its series.
            let per_length = per_step * (1.0 + rare * (1.0 + rare * (1.0 + rare * (1.0 + rare))));
            let length = step.a * (1.0 - rare) - at_rare(p[i], y[i]);
            let (count, one) = (visits[i].max(1.0), inverse[i]);
            let same = one + (1.0 - one) * per_k;
            // Wilson and Hilferty's power of a normal number, with the exact mean.
            let c = (one + 3.0 * same * per_length) * (1.0 / 9.0);
            let base = (1.0 - c + c.sqrt() * mean[i]).max(0.0);
            let sum = base * base * base * count;
            let scale = (1.0 - c) * ((1.0 - c) * (1.0 - c) + 3.0 * c);
            let whole = (same * sum + scale * (length - same * (1.0 + count * per_length))) * step.count;
            let (z, variance) = (y[i] - p[i], p[i] * (1.0 - p[i]));
            let spread = (step.from_z * step.from_z * open[i] + step.noise_variance * variance).max(1e-20);
            let inverse_product = 1.0 / (whole * spread);
            // The mean of the odds of two Gamma numbers is less than the odds of their means, by a term of the second order.
            let mean_of_odds = 1.0 - 0.5 * same * count * per_length * per_length;
            let share = if visits[i] > 0.0 { sum * spread * inverse_product * mean_of_odds } else { 0.0 };
            mean[i] = if p[i] <= 0.5 { share } else { 1.0 - share };
            let together = step.decay * step.from_z * open[i] + step.shared_noise * variance;
            let gain = together * whole * inverse_product;
            y[i] = p[i] + step.decay * z + gain * (mean[i] - p[i] - step.from_z * z);
            open[i] = (step.decay * step.decay * open[i] + step.rest_variance * variance - gain * together).max(0.0);
        }
    }
}
