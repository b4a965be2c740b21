//! exp and what is made of it over whole slices, without a branch, so that the compiler can use vector instructions.
//!
//! The arithmetic has no fused multiply-add: every processor computes the same bits. `f64::exp` is the reference in the tests.

/// exp x; x is first limited to [-87, 88], where the result is a normal number.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0; // 1.5 x 2^23: adding it rounds to the nearest whole number
    let x = x.clamp(-87.0, 88.0);
    let rounded = x * std::f32::consts::LOG2_E + ROUND;
    let n = rounded - ROUND;
    // x = n log 2 + r in two parts, so that r keeps its digits.
    let r = x - n * 0.693_359_4 + n * 2.121_944_4e-4;
    // Taylor polynomial on |r| <= 0.347: the next term is below 2e-8 of the result.
    let series = 1.0 + r * (1.0 + r * (0.5 + r * (1.0 / 6.0 + r * (1.0 / 24.0 + r * (1.0 / 120.0 + r * (1.0 / 720.0))))));
    // 2^n: the low bits of `rounded` count n. (A conversion to a whole number would be made one by one.)
    series * f32::from_bits(rounded.to_bits().wrapping_sub(ROUND.to_bits() - 127) << 23)
}

/// 1/sqrt(x) of a normal x above 0 with a relative error below 5e-6, without a square root or a division, which take most of a step where a
/// unit needs little else.
#[inline(always)]
pub(crate) fn inverse_square_root(x: f32) -> f32 {
    // Half of the exponent, with its sign turned, within 3.5 %; each step of Newton's squares that and adds half of it.
    let guess = f32::from_bits(0x5f37_59df - (x.to_bits() >> 1));
    let half = 0.5 * x;
    let once = guess * (1.5 - half * guess * guess);
    once * (1.5 - half * once * once)
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

/// Writes `scale` x.
#[multiversion::multiversion(targets("x86_64+avx512f+avx512dq+avx512vl+avx512bw+avx2+avx", "x86_64+avx2+avx"))]
pub fn scaled(x: &[f32], scale: f32, out: &mut [f32]) {
    out.iter_mut().zip(x).for_each(|(out, x)| *out = scale * x);
}

/// Writes `scale` x - y.
#[multiversion::multiversion(targets("x86_64+avx512f+avx512dq+avx512vl+avx512bw+avx2+avx", "x86_64+avx2+avx"))]
pub fn scaled_less(x: &[f32], scale: f32, y: &[f32], out: &mut [f32]) {
    out.iter_mut().zip(x).zip(y).for_each(|((out, x), y)| *out = scale * x - y);
}

/// Replaces every x by `scale` x.
#[multiversion::multiversion(targets("x86_64+avx512f+avx512dq+avx512vl+avx512bw+avx2+avx", "x86_64+avx2+avx"))]
pub fn multiply(values: &mut [f32], scale: f32) {
    values.iter_mut().for_each(|x| *x *= scale);
}

/// Writes `scale` (a - b).
#[multiversion::multiversion(targets("x86_64+avx512f+avx512dq+avx512vl+avx512bw+avx2+avx", "x86_64+avx2+avx"))]
pub fn scaled_difference(a: &[f32], b: &[f32], scale: f32, out: &mut [f32]) {
    out.iter_mut().zip(a).zip(b).for_each(|((out, a), b)| *out = scale * (a - b));
}

/// a <- a - b.
#[multiversion::multiversion(targets("x86_64+avx512f+avx512dq+avx512vl+avx512bw+avx2+avx", "x86_64+avx2+avx"))]
pub fn subtract(a: &mut [f32], b: &[f32]) {
    a.iter_mut().zip(b).for_each(|(a, b)| *a -= b);
}

/// a <- a + b.
#[multiversion::multiversion(targets("x86_64+avx512f+avx512dq+avx512vl+avx512bw+avx2+avx", "x86_64+avx2+avx"))]
pub fn add(a: &mut [f32], b: &[f32]) {
    a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
}

/// Adds A''(eta) of a logistic unit, p (1 - p), to `sums`.
#[multiversion::multiversion(targets("x86_64+avx512f+avx512dq+avx512vl+avx512bw+avx2+avx", "x86_64+avx2+avx"))]
pub fn add_logistic_variance(eta: &[f32], sums: &mut [f32]) {
    for (sum, &eta) in sums.iter_mut().zip(eta) {
        let p = 1.0 / (1.0 + exp(-eta));
        *sum += p * (1.0 - p);
    }
}

/// Sums that run side by side, and are added at the end in a fixed order.
const LANES: usize = 16;

/// Sum of the squares.
pub fn squares(a: &[f32]) -> f64 {
    sum_over_lanes(a, a, |a, _| f64::from(a) * f64::from(a))
}

/// Sum of the squares of the differences. Panics where the lengths differ.
pub fn squared_distance(a: &[f32], b: &[f32]) -> f64 {
    sum_over_lanes(a, b, |a, b| f64::from(a - b) * f64::from(a - b))
}

/// Sums of x^2 and of x^4.
pub fn even_moments(x: &[f32]) -> [f64; 2] {
    let square = |x: f32| f64::from(x * x);
    [sum_over_lanes(x, x, |x, _| square(x)), sum_over_lanes(x, x, |x, _| square(x) * square(x))]
}

#[inline(always)]
fn sum_over_lanes(a: &[f32], b: &[f32], term: impl Fn(f32, f32) -> f64) -> f64 {
    assert_eq!(a.len(), b.len(), "as many values on both sides");
    let mut lanes = [0.0f64; LANES];
    let (whole_a, whole_b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest: f64 = whole_a.remainder().iter().zip(whole_b.remainder()).map(|(&a, &b)| term(a, b)).sum();
    for (a, b) in whole_a.zip(whole_b) {
        for (lane, (&a, &b)) in lanes.iter_mut().zip(a.iter().zip(b)) {
            *lane += term(a, b);
        }
    }
    lanes.iter().sum::<f64>() + rest
}

/// Whether every value is finite.
pub fn all_finite(values: &[f32]) -> bool {
    const EXPONENT: u32 = 0x7f80_0000; // all ones in what is infinite or no number
    values.chunks(256).all(|chunk| !chunk.iter().fold(false, |found, v| found | (v.to_bits() & EXPONENT == EXPONENT)))
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
    fn inverse_square_roots_have_the_error_that_is_stated_over_all_exponents_and_a_step_less_has_not() {
        let worst = |step_less: bool| {
            worst_of_many(rows::<2>(-1.0, 1.0), |x| {
                let each = |i: usize| {
                    let value = 2f32.powf(60.0 * x[i][0]) * (1.5 + 0.5 * x[i][1]);
                    let found = if step_less {
                        let guess = f32::from_bits(0x5f37_59df - (value.to_bits() >> 1));
                        guess * (1.5 - 0.5 * value * guess * guess)
                    } else {
                        inverse_square_root(value)
                    };
                    (f64::from(found) * f64::from(value).sqrt() - 1.0).abs()
                };
                (0..x.len()).map(each).fold(0.0, f64::max)
            })
        };
        assert!(worst(false) < 5e-6, "{}", worst(false));
        assert!(worst(true) > 1e-3, "planted: one step of Newton's");
    }

    #[test]
    fn elementwise_passes_are_those_of_scalars() {
        for n in [0usize, 1, 15, 33] {
            let a: Vec<f32> = (0..n).map(|i| (i as f32 * 0.7).sin()).collect();
            let b: Vec<f32> = (0..n).map(|i| (i as f32 * 0.3).cos()).collect();
            let (mut out, mut difference, mut sum) = (vec![9.0; n], a.clone(), a.clone());
            let every = |found: &[f32], exact: &dyn Fn(f32, f32) -> f32| (0..n).all(|i| found[i] == exact(a[i], b[i]));
            scaled(&a, 1.7, &mut out);
            assert!(every(&out, &|a, _| 1.7 * a));
            scaled_less(&a, 1.7, &b, &mut out);
            assert!(every(&out, &|a, b| 1.7 * a - b));
            scaled_difference(&a, &b, 1.7, &mut out);
            assert!(every(&out, &|a, b| 1.7 * (a - b)));
            subtract(&mut difference, &b);
            add(&mut sum, &b);
            assert!(every(&difference, &|a, b| a - b) && every(&sum, &|a, b| a + b));
        }
    }

    #[test]
    fn sums_over_lanes_are_those_of_f64_and_what_is_not_finite_is_found() {
        for n in [0usize, 1, 15, 16, 17, 1000] {
            let a: Vec<f32> = (0..n).map(|i| (i as f32 * 0.7).sin()).collect();
            let b: Vec<f32> = (0..n).map(|i| (i as f32 * 0.3).cos()).collect();
            let exact = |f: &dyn Fn(f64, f64) -> f64| a.iter().zip(&b).map(|(&a, &b)| f(f64::from(a), f64::from(b))).sum::<f64>();
            assert!((squares(&a) - exact(&|a, _| a * a)).abs() <= 1e-9 * n as f64);
            assert!((squared_distance(&a, &b) - exact(&|a, b| (a - b) * (a - b))).abs() <= 1e-6 * n as f64);
            let [second, fourth] = even_moments(&a);
            assert!((second - exact(&|a, _| a * a)).abs() <= 1e-6 * n as f64);
            assert!((fourth - exact(&|a, _| a * a * a * a)).abs() <= 1e-6 * n as f64);
            assert!(all_finite(&a));
            for wrong in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                for at in [0, n / 2, n.saturating_sub(1)].into_iter().filter(|&at| at < n) {
                    let mut spoiled = a.clone();
                    spoiled[at] = wrong;
                    assert!(!all_finite(&spoiled), "{wrong} at {at} of {n}");
                }
            }
        }
        assert!(all_finite(&[f32::MAX, f32::MIN, f32::MIN_POSITIVE, 0.0, -0.0, 1e-40]));
        let (eta, mut sums) = ([-90.0f32, -2.0, 0.0, 0.5, 30.0], [1.0f32; 5]);
        add_logistic_variance(&eta, &mut sums);
        for (&eta, sum) in eta.iter().zip(sums) {
            let p = 1.0 / (1.0 + (-f64::from(eta)).exp());
            assert!((f64::from(sum) - 1.0 - p * (1.0 - p)).abs() < 2e-7, "eta {eta}: {sum}");
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
