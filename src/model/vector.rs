//! exp and what is made of it over whole slices, without a branch, so that the compiler can use vector instructions.
//!
//! The arithmetic has no fused multiply-add: every processor computes the same bits. `f64::exp` is the reference in the tests.

/// exp x; x is first limited to [-87, 88], where the result is a normal number.
#[inline(always)]
fn exp(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0; // 1.5 x 2^23: adding it rounds to the nearest whole number
    let x = x.clamp(-87.0, 88.0);
    let n = x * std::f32::consts::LOG2_E + ROUND - ROUND;
    // x = n log 2 + r in two parts, so that r keeps its digits.
    let r = x - n * 0.693_359_4 + n * 2.121_944_4e-4;
    // Taylor polynomial on |r| <= 0.347: the next term is below 2e-8 of the result.
    let series = 1.0 + r * (1.0 + r * (0.5 + r * (1.0 / 6.0 + r * (1.0 / 24.0 + r * (1.0 / 120.0 + r * (1.0 / 720.0))))));
    series * f32::from_bits(((n as i32 + 127) as u32) << 23)
}

/// Writes 1/(1 + exp(-eta)).
#[multiversion::multiversion(targets("x86_64+avx512f+avx512dq+avx512vl+avx512bw+avx2+avx", "x86_64+avx2+avx"))]
pub fn logistic(eta: &[f32], out: &mut [f32]) {
    for (out, &eta) in out.iter_mut().zip(eta) {
        *out = 1.0 / (1.0 + exp(-eta));
    }
}

/// Replaces every x by exp(x - shift).
#[multiversion::multiversion(targets("x86_64+avx512f+avx512dq+avx512vl+avx512bw+avx2+avx", "x86_64+avx2+avx"))]
pub fn exp_shifted(values: &mut [f32], shift: f32) {
    values.iter_mut().for_each(|x| *x = exp(*x - shift));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ulps::{column, rows, ulps, worst_of_many};

    #[test]
    fn random_slices_are_within_four_ulps_and_a_planted_bug_is_not() {
        let worst = |shift: f64, gain: f64| {
            worst_of_many(rows::<1>(-80.0, 80.0), |x| {
                let mut powers = column(&x, 0);
                let mut chances = vec![0.0; x.len()];
                logistic(&powers, &mut chances);
                exp_shifted(&mut powers, shift as f32);
                let each = |i: usize| {
                    let x = f64::from(x[i][0]);
                    let shifted = f64::from(x as f32 - shift as f32);
                    ulps(powers[i], gain * shifted.exp(), 0.0).max(ulps(chances[i], gain / (1.0 + (-x).exp()), 0.0))
                };
                (0..x.len()).map(each).fold(0.0, f64::max)
            })
        };
        for shift in [0.0, 3.25] {
            assert!(worst(shift, 1.0) <= 4.0, "{} ulps", worst(shift, 1.0));
            assert!(worst(shift, 1.0 + 1e-6) > 4.0, "planted: 1e-6 too large");
        }
    }

    #[test]
    fn within_four_ulps_of_f64_and_sound_at_the_ends() {
        let mut values: Vec<f32> = (-8600..8700).map(|i| i as f32 * 0.01003).collect();
        let exact: Vec<f64> = values.iter().map(|&x| f64::from(x).exp()).collect();
        let etas = values.clone();
        exp_shifted(&mut values, 0.0);
        for (value, exact) in values.iter().zip(&exact) {
            assert!((f64::from(*value) / exact - 1.0).abs() < 4.0 * f64::from(f32::EPSILON), "{value} against {exact}");
        }
        let mut chances = vec![0.0; etas.len()];
        logistic(&etas, &mut chances);
        for (&eta, p) in etas.iter().zip(&chances) {
            let exact = 1.0 / (1.0 + (-f64::from(eta)).exp());
            assert!((f64::from(*p) - exact).abs() < 4.0 * f64::from(f32::EPSILON) * exact, "eta {eta}: {p} against {exact}");
        }
        let mut ends = [f32::INFINITY, f32::NEG_INFINITY, 1e30, -1e30];
        exp_shifted(&mut ends, 0.0);
        assert!(ends.iter().all(|e| e.is_finite()) && ends[1] < 1e-37);
        let mut nan = [f32::NAN];
        exp_shifted(&mut nan, 0.0);
        assert!(nan[0].is_nan(), "what is not finite must not be hidden");
    }
}
