//! Batched standard normals: 16 lanes of xoshiro128++ and a branch-free Box-Muller transform.
//!
//! Generator: Blackman and Vigna, "Scrambled linear pseudorandom number generators" (2021). The arithmetic has no fused
//! multiply-add, so that every processor draws the same bits. `rand_distr` is the reference in the tests.

use rand::{Rng, SeedableRng, rngs::ChaCha8Rng};

const LANES: usize = 16;
/// Numbers that say where a stream is.
pub const WORDS: usize = 4 * LANES;

/// One stream of random numbers, for one block of rows.
#[derive(Clone, Debug)]
pub struct Noise {
    state: [[u32; LANES]; 4],
}

impl Noise {
    /// The stream `stream` of `seed`; streams of one seed are independent (seeded by ChaCha8).
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        let state = std::array::from_fn(|_| std::array::from_fn(|_| rng.next_u32()));
        Self { state }
    }

    /// Where the stream is: numbers from which [`Noise::from_words`] goes on with the same draws, `[4, 16]` row by row.
    pub fn words(&self) -> [u32; WORDS] {
        std::array::from_fn(|i| self.state[i / LANES][i % LANES])
    }

    /// The stream that was there; None where a lane is all 0, from which no random number follows.
    pub fn from_words(words: &[u32; WORDS]) -> Option<Self> {
        let state: [[u32; LANES]; 4] = std::array::from_fn(|k| std::array::from_fn(|i| words[k * LANES + i]));
        (0..LANES).all(|i| state.iter().any(|word| word[i] != 0)).then_some(Self { state })
    }

    /// Fills `out` with independent N(0, 1).
    pub fn fill(&mut self, out: &mut [f32]) {
        fill(&mut self.state, out);
    }

    /// The same numbers by the code that every processor can run: the scalar reference of [`Noise::fill`], to the bit.
    pub fn fill_portably(&mut self, out: &mut [f32]) {
        fill_body(&mut self.state, out);
    }

    /// Fills `out` with independent uniform numbers in (0, 1), 24 bits each.
    pub fn fill_uniform(&mut self, out: &mut [f32]) {
        fill_uniform(&mut self.state, out);
    }
}

#[multiversion::multiversion(targets("x86_64+avx512f+avx512dq+avx512vl+avx512bw+avx2+avx", "x86_64+avx2+avx"))]
fn fill_uniform(state: &mut [[u32; LANES]; 4], out: &mut [f32]) {
    let mut s = *state;
    for chunk in out.chunks_mut(LANES) {
        let bits = next(&mut s);
        chunk.iter_mut().zip(bits).for_each(|(u, bits)| *u = ((bits >> 8) as f32 + 0.5) * (1.0 / 16_777_216.0));
    }
    *state = s;
}

#[multiversion::multiversion(targets("x86_64+avx512f+avx512dq+avx512vl+avx512bw+avx2+avx", "x86_64+avx2+avx+fma"))]
fn fill(state: &mut [[u32; LANES]; 4], out: &mut [f32]) {
    fill_body(state, out);
}

#[inline(always)]
fn fill_body(state: &mut [[u32; LANES]; 4], out: &mut [f32]) {
    let mut chunks = out.chunks_exact_mut(2 * LANES);
    let mut s = *state;
    for chunk in &mut chunks {
        let (a, b) = pair(&mut s);
        chunk[..LANES].copy_from_slice(&a);
        chunk[LANES..].copy_from_slice(&b);
    }
    let rest = chunks.into_remainder();
    if !rest.is_empty() {
        let (a, b) = pair(&mut s);
        let first = rest.len().min(LANES);
        rest[..first].copy_from_slice(&a[..first]);
        let second = rest.len() - first;
        rest[first..].copy_from_slice(&b[..second]);
    }
    *state = s;
}

#[inline(always)]
fn next(s: &mut [[u32; LANES]; 4]) -> [u32; LANES] {
    let mut result = [0; LANES];
    for i in 0..LANES {
        result[i] = s[0][i].wrapping_add(s[3][i]).rotate_left(7).wrapping_add(s[0][i]);
        let t = s[1][i] << 9;
        s[2][i] ^= s[0][i];
        s[3][i] ^= s[1][i];
        s[1][i] ^= s[2][i];
        s[0][i] ^= s[3][i];
        s[2][i] ^= t;
        s[3][i] = s[3][i].rotate_left(11);
    }
    result
}

/// Two times 16 normals: sqrt(-2 log u) (cos, sin)(angle).
#[inline(always)]
fn pair(s: &mut [[u32; LANES]; 4]) -> ([f32; LANES], [f32; LANES]) {
    let (u, angle) = (next(s), next(s));
    let (mut a, mut b) = ([0.0; LANES], [0.0; LANES]);
    for i in 0..LANES {
        // u in (0, 1): 31 random bits and a half, so that the largest |z| is 6.7.
        let uniform = ((u[i] >> 1) as i32 as f32 + 0.5) * (1.0 / 2_147_483_648.0);
        let radius = (-2.0 * log(uniform)).sqrt();
        // The two low bits choose the quadrant; the others an angle in (-pi/4, pi/4).
        let offset = ((angle[i] >> 2) as i32 as f32 + 0.5 - 536_870_912.0) * (std::f32::consts::FRAC_PI_2 / 1_073_741_824.0);
        let square = offset * offset;
        // Taylor polynomials, truncation error below 4e-7 on |offset| <= pi/4.
        let sine = offset * (1.0 + square * (-1.666_666_7e-1 + square * (8.333_333e-3 + square * (-1.984_127e-4 + square * 2.755_732e-6))));
        let cosine = 1.0 + square * (-0.5 + square * (4.166_666_8e-2 + square * (-1.388_889e-3 + square * 2.480_158_7e-5)));
        // Rotation by a multiple of pi/2: (c, s), (-s, c), (-c, -s), (s, -c). By the bits: not every processor chooses without a branch.
        let (swap, half_turn) = (angle[i] << 31, (angle[i] & 2) << 30);
        let change = (cosine.to_bits() ^ sine.to_bits()) & (swap as i32 >> 31) as u32;
        a[i] = radius * f32::from_bits(cosine.to_bits() ^ change ^ half_turn ^ swap);
        b[i] = radius * f32::from_bits(sine.to_bits() ^ change ^ half_turn);
    }
    (a, b)
}

/// log x for positive normal x: exponent and an atanh series of the mantissa in [sqrt(1/2), sqrt(2)).
#[inline(always)]
pub(super) fn log(x: f32) -> f32 {
    let bits = x.to_bits() as i32 - 0x3f35_04f3; // sqrt(1/2)
    let exponent = bits >> 23;
    let mantissa = f32::from_bits(((bits & 0x007f_ffff) + 0x3f35_04f3) as u32);
    // log m = 2 atanh(z), z = (m - 1)/(m + 1), |z| < 0.172: the next term is below 2e-9.
    let z = (mantissa - 1.0) / (mantissa + 1.0);
    let square = z * z;
    let series = 2.0 * z * (1.0 + square * (1.0 / 3.0 + square * (1.0 / 5.0 + square * (1.0 / 7.0 + square * (1.0 / 9.0)))));
    exponent as f32 * std::f32::consts::LN_2 + series
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ulps::{for_many, ulps, worst_of_many};
    use proptest::prelude::*;
    use rand_distr::{Distribution, StandardNormal};

    fn draw(seed: u64, count: usize) -> Vec<f32> {
        let mut out = vec![0.0; count];
        Noise::new(seed, 3).fill(&mut out);
        out
    }

    /// Largest of the z scores of the first four moments, against those of N(0, 1).
    fn worst_moment_z(values: &[f32]) -> f64 {
        let n = values.len() as f64;
        let moment = |k: i32| values.iter().map(|&v| f64::from(v).powi(k)).sum::<f64>() / n;
        // Standard errors sqrt((E x^2k - (E x^k)^2) / n).
        [(1, 0.0, 1.0f64), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0)]
            .iter()
            .map(|&(k, mean, variance)| (moment(k) - mean).abs() / (variance / n).sqrt())
            .fold(0.0, f64::max)
    }

    #[test]
    fn moments_within_five_standard_errors_and_a_planted_bug_is_seen() {
        let values = draw(1, 4_000_000);
        assert!(worst_moment_z(&values) < 5.0, "z {}", worst_moment_z(&values));
        let bug: Vec<f32> = values.iter().map(|v| v * 1.005).collect();
        assert!(worst_moment_z(&bug) > 5.0);
    }

    /// Two-sample Kolmogorov-Smirnov statistic times sqrt(n/2).
    fn kolmogorov_smirnov(a: &mut [f32], b: &mut [f32]) -> f64 {
        a.sort_by(f32::total_cmp);
        b.sort_by(f32::total_cmp);
        let (mut i, mut j, mut worst) = (0, 0, 0.0f64);
        while i < a.len() && j < b.len() {
            if a[i] <= b[j] {
                i += 1
            } else {
                j += 1
            }
            worst = worst.max((i as f64 / a.len() as f64 - j as f64 / b.len() as f64).abs());
        }
        worst * (a.len() as f64 / 2.0).sqrt()
    }

    #[test]
    fn agrees_with_rand_distr_and_a_planted_bug_is_seen() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let mut reference: Vec<f32> = (0..1_000_000).map(|_| StandardNormal.sample(&mut rng)).collect();
        let mut ours = draw(2, 1_000_000);
        let mut bug: Vec<f32> = ours.iter().map(|v| v * 1.02).collect();
        // 2.23 is exceeded with probability 1e-4 (Kolmogorov's distribution).
        let statistic = kolmogorov_smirnov(&mut ours, &mut reference);
        assert!(statistic < 2.23, "{statistic}");
        assert!(kolmogorov_smirnov(&mut bug, &mut reference) > 2.23);
    }

    #[test]
    fn lanes_pairs_and_streams_are_independent() {
        let n = 400_000;
        let values = draw(3, n + 64);
        let mut other = vec![0.0; n];
        Noise::new(3, 4).fill(&mut other);
        let correlate = |a: &[f32], b: &[f32]| {
            let mean = |f: &dyn Fn(f64) -> f64, v: &[f32]| v.iter().map(|&x| f(f64::from(x))).sum::<f64>() / v.len() as f64;
            let _ = mean;
            a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>() / (a.len() as f64).sqrt()
        };
        let squares: Vec<f32> = values.iter().map(|v| (v * v - 1.0) / 2f32.sqrt()).collect();
        for lag in [1, 2, 15, 16, 17, 31, 32, 33, 48] {
            assert!(correlate(&values[..n], &values[lag..n + lag]).abs() < 5.0, "lag {lag}");
            assert!(correlate(&squares[..n], &squares[lag..n + lag]).abs() < 5.0, "squares, lag {lag}");
        }
        assert!(correlate(&values[..n], &other).abs() < 5.0);
        assert!(correlate(&values[..n], &values[..n]).abs() > 5.0, "the statistic sees dependence");
    }

    #[test]
    fn a_stream_goes_on_from_its_words() {
        let (mut noise, mut first, mut second) = (Noise::new(3, 2), [0.0; 50], [0.0; 70]);
        noise.fill(&mut first);
        let mut again = Noise::from_words(&noise.words()).unwrap();
        noise.fill(&mut second);
        let mut same = [0.0; 70];
        again.fill(&mut same);
        assert_eq!(second, same);
        again.fill(&mut same);
        assert_ne!(second, same, "it moves on");
        let mut stuck = noise.words();
        (0..4).for_each(|k| stuck[k * LANES + 5] = 0);
        assert!(Noise::from_words(&stuck).is_none());
    }

    #[test]
    fn every_processor_draws_the_same_bits() {
        for_many((any::<u64>(), 0..300usize), |(seed, count)| {
            let (mut fast, mut portable) = (Noise::new(seed, 1), Noise::new(seed, 1));
            let (mut a, mut b) = (vec![0.0; count], vec![0.0; count]);
            for _ in 0..2 {
                fast.fill(&mut a);
                portable.fill_portably(&mut b);
                assert!(a.iter().zip(&b).all(|(a, b)| a.to_bits() == b.to_bits()), "seed {seed}, {count} numbers");
            }
            portable.fill_portably(&mut [0.0]); // planted: one draw more
            fast.fill(&mut a);
            portable.fill_portably(&mut b);
            assert!(a != b || count == 0);
        });
    }

    #[test]
    fn the_transform_is_within_eight_ulps_of_f64_and_a_planted_bug_is_not() {
        let worst = |gain: f64| {
            worst_of_many(any::<u64>(), |seed| {
                let mut noise = Noise::new(seed, 0);
                let mut bits = noise.state;
                let mut out = [0.0; 4 * LANES];
                noise.fill(&mut out);
                let mut worst = 0.0f64;
                for pair in out.chunks_exact(2 * LANES) {
                    let (u, angle) = (next(&mut bits), next(&mut bits));
                    for i in 0..LANES {
                        // The numbers as f32 has them, the functions in f64.
                        let uniform = f64::from(((u[i] >> 1) as i32 as f32 + 0.5) * (1.0 / 2_147_483_648.0));
                        let offset = f64::from(
                            ((angle[i] >> 2) as i32 as f32 + 0.5 - 536_870_912.0) * (std::f32::consts::FRAC_PI_2 / 1_073_741_824.0),
                        );
                        let radius = gain * (-2.0 * uniform.ln()).sqrt();
                        let quarters = f64::from(u8::from(angle[i] & 1 == 1));
                        let sign = if angle[i] & 2 == 2 { -radius } else { radius };
                        let (sine, cosine) = (offset + quarters * std::f64::consts::FRAC_PI_2).sin_cos();
                        worst = worst.max(ulps(pair[i], sign * cosine, 0.0)).max(ulps(pair[LANES + i], sign * sine, 0.0));
                    }
                }
                worst
            })
        };
        assert!(worst(1.0) <= 8.0, "{} ulps", worst(1.0));
        assert!(worst(1.0 + 2e-6) > 8.0, "planted: 2e-6 too large");
    }

    #[test]
    fn logarithm_within_three_ulps_of_f64() {
        for i in 1..200_000u32 {
            let x = i as f32 * 5e-6;
            let exact = f64::from(x).ln();
            assert!((f64::from(log(x)) - exact).abs() <= 3.0 * f64::from(f32::EPSILON) * exact.abs().max(0.5), "log {x}");
        }
    }
}
