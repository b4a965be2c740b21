//! The interneurons of bernoulli units over one step, without micro-steps (model.md 9).
//!
//! K interneurons in {0, 1} that are redrawn at rate 1/tau_eps are a birth and death process: of n that are at 1, one more gets there
//! at rate (K - n) p/tau_eps and one leaves at rate n (1 - p)/tau_eps. Where many changes are to be expected, the mean over the step is
//! drawn at once, from a normal number that is bent so that mean, variance and third cumulant are exact. Where they are few, but dt is
//! long beside tau_eps, the number of visits to the rarer value is drawn, and their length in all. Elsewhere changes are drawn one by
//! one: exact for every dt and K. Most of such units see no visit, or no change, in a step; those that do are gathered and drawn side by
//! side. The means of successive steps have their exact covariance.

use crate::dynamics::noise::Noise;
use crate::model::vector::{self, inverse_square_root};
use gathered::GatheredUnits;
pub(super) use step::TwoStateStep;
use step::{CHUNK, MANY_VISITS, expected_visits};
pub use step::{DISTANCE, MANY, short_from};

mod gathered;
mod one_by_one;
mod rare_visits;
mod step;

/// The mean of K interneurons a unit in equilibrium at p = 1/2.
pub(super) fn start(k: usize, y: &mut [f32], noise: &mut Noise) {
    let mut chance = vec![0.0; y.len()];
    y.fill(0.0);
    for _ in 0..k {
        noise.fill_uniform(&mut chance);
        y.iter_mut().zip(&chance).for_each(|(y, chance)| *y += f32::from(u8::from(*chance < 0.5)));
    }
    y.iter_mut().for_each(|y| *y /= k as f32);
}

/// From K interneurons `[K, units]` to their mean, `[units]`; a mean stays as it is.
pub(super) fn pool(y: &mut Vec<f32>, units: usize) {
    let k = y.len() / units.max(1);
    if k > 1 {
        for i in 0..units {
            y[i] = (0..k).map(|j| y[j * units + i]).sum::<f32>() / k as f32;
        }
        y.truncate(units);
    }
}

/// From the mean of K interneurons, or its expectation, to the K themselves; these stay as they are.
pub(super) fn single(y: &mut Vec<f32>, units: usize, k: usize, noise: &mut Noise) {
    let whole = |y: &f32| *y == 0.0 || *y == 1.0;
    if y.len() == k * units && (k > 1 || y.iter().all(whole)) {
        return;
    }
    let mut chance = vec![0.0; units];
    noise.fill_uniform(&mut chance);
    let on: Vec<f32> = y.iter().zip(&chance).map(|(y, chance)| (y * k as f32 + chance).floor()).collect();
    y.resize(k * units, 0.0);
    y.chunks_exact_mut(units).enumerate().for_each(|(j, y)| {
        y.iter_mut().zip(&on).for_each(|(y, &on)| *y = f32::from(u8::from((j as f32) < on)));
    });
}

/// Advances the interneurons of units with the chance `p` of each trial, `[units]`. `y` is the mean of a unit's K, each of all its trials, at
/// the end of the last step, or its expectation, about which `open_variance` is left open; `mean` becomes the number of trials times their
/// mean over the step.
pub(super) fn advance(p: &[f32], y: &mut [f32], open_variance: &mut [f32], mean: &mut [f32], step: &TwoStateStep, noise: &mut Noise) {
    let mut gathered = GatheredUnits::default();
    let (mut normal, mut chance, mut marks) = ([0.0; CHUNK], [0.0; CHUNK], [0; CHUNK]);
    for first in (0..p.len()).step_by(CHUNK) {
        let now = first..p.len().min(first + CHUNK);
        let (p, y, mean) = (&p[now.clone()], &mut y[now.clone()], &mut mean[now.clone()]);
        let open_variance = &mut open_variance[now];
        let (normal, chance) = (&mut normal[..p.len()], &mut chance[..p.len()]);
        noise.fill(normal);
        noise.fill_uniform(chance);
        marks.fill(0); // the last group may be a part of one
        let units = [&mut *y, &mut *open_variance, &mut *mean];
        if step.short {
            let at_once = if step.decay == 0.0 { at_once_or_unvisited_anew } else { at_once_or_unvisited };
            if at_once(p, units, [normal, chance], &mut marks[..p.len()], step) > 0 {
                gathered.gather(&marks, p, [y, open_variance, normal, chance]);
                rare_visits::draw(&mut gathered, step);
                gathered.give([y, open_variance, mean], step.trials);
            }
        } else if at_once_or_unchanged(p, units, [normal, chance], &mut marks[..p.len()], step) > 0 {
            gathered.gather(&marks, p, [y, open_variance, normal, chance]);
            one_by_one::draw(&mut gathered, step, noise);
            gathered.give([y, open_variance, mean], step.trials);
        }
    }
}

/// Draws the mean over the step where many changes are to be expected, from one normal number a unit, and writes it where the rarer value
/// is not visited in the step, which `chance` decides. Marks the others, which are still to be drawn, and returns their number.
#[multiversion::multiversion(targets("x86_64+avx512f+avx512dq+avx512vl+avx512bw+avx2+avx", "x86_64+avx2+avx"))]
fn at_once_or_unvisited(p: &[f32], units: [&mut [f32]; 3], random: [&[f32]; 2], marks: &mut [u8], step: &TwoStateStep) -> u32 {
    at_once::<true, false>(p, units, random, marks, step)
}

/// The same where nothing is left of a value after a step.
#[multiversion::multiversion(targets("x86_64+avx512f+avx512dq+avx512vl+avx512bw+avx2+avx", "x86_64+avx2+avx"))]
fn at_once_or_unvisited_anew(p: &[f32], units: [&mut [f32]; 3], random: [&[f32]; 2], marks: &mut [u8], step: &TwoStateStep) -> u32 {
    at_once::<true, true>(p, units, random, marks, step)
}

/// The same where few changes are drawn one by one: the mean is written where there is none.
#[multiversion::multiversion(targets("x86_64+avx512f+avx512dq+avx512vl+avx512bw+avx2+avx", "x86_64+avx2+avx"))]
fn at_once_or_unchanged(p: &[f32], units: [&mut [f32]; 3], random: [&[f32]; 2], marks: &mut [u8], step: &TwoStateStep) -> u32 {
    at_once::<false, false>(p, units, random, marks, step)
}

#[inline(always)]
fn at_once<const BY_VISITS: bool, const ANEW: bool>(
    p: &[f32],
    [y, open, mean]: [&mut [f32]; 3],
    [normal, chance]: [&[f32]; 2],
    marks: &mut [u8],
    step: &TwoStateStep,
) -> u32 {
    let n = p.len();
    let (y, open, mean, marks) = (&mut y[..n], &mut open[..n], &mut mean[..n], &mut marks[..n]);
    let (normal, chance) = (&normal[..n], &chance[..n]);
    let mut marked = 0;
    for i in 0..n {
        let (p, n1, old, open_before) = (p[i], normal[i], y[i], open[i]);
        let expected = if BY_VISITS { expected_visits(p, old, step) } else { 0.0 };
        let variance = p * (1.0 - p);
        let many = (variance >= step.many_from) | (expected >= MANY_VISITS);
        let centre = p + step.from_z * (old - p);
        let spread_squared = (step.from_z * step.from_z * open_before + step.noise_variance * variance).max(1e-30);
        let precision = inverse_square_root(spread_squared);
        let spread = spread_squared * precision;
        let bent = bent(n1, step.bend * variance * (1.0 - 2.0 * p) * (precision * precision * precision));
        let (gain, rest, kept) = if ANEW {
            (step.shared_noise * variance * precision, step.rest_variance * variance, p)
        } else {
            let gain = (step.decay * step.from_z * open_before + step.shared_noise * variance) * precision;
            (gain, step.decay * step.decay * open_before + step.rest_variance * variance, p + step.decay * (old - p))
        };
        let left = (rest - gain * gain).max(0.0);
        let drawn = centre + spread * bent;
        let end = kept + gain * bent;
        if BY_VISITS {
            let nothing = vector::exp(-expected); // the probability of no visit
            let common = if p <= 0.5 { 0.0 } else { 1.0 };
            let visited = !many & (chance[i] > nothing);
            let end_without = kept + gain * precision * (common - centre);
            mean[i] = step.trials * if many { drawn } else { common };
            y[i] = if visited {
                old
            } else if many {
                end
            } else {
                end_without
            };
            open[i] = if visited { open_before } else { left };
            marks[i] = u8::from(visited);
            marked += u32::from(visited);
        } else {
            let rate = step.a * step.count * ((1.0 - old) * p + old * (1.0 - p));
            let nothing = vector::exp(-rate); // the probability of no change
            let changes = !many & ((chance[i] >= nothing) | (open_before != 0.0));
            mean[i] = step.trials * if many { drawn } else { old };
            y[i] = if many { end } else { old };
            open[i] = if many { left } else { open_before };
            marks[i] = u8::from(changes);
            marked += u32::from(changes);
        }
    }
    marked
}

/// A n + B (n^2 - 1), of variance A^2 + 2 B^2 = 1 and third cumulant 6 B - 4 B^3 = sqrt(8) t (model.md 9.8): B = sqrt(2) sin(asin(t)/3).
/// |t| is first limited to 0.6.
#[inline(always)]
fn bent(normal: f32, t: f32) -> f32 {
    let t = t.clamp(-0.6, 0.6);
    let square = t * t;
    // Of B/t and A as functions of t^2 the polynomials of least largest error: 5e-5 and 1.2e-5.
    let b = t * (0.471_452 + square * (0.067_673_2 + square * 0.045_155));
    let a = 1.000_011 + square * (-0.223_132 + square * (-0.079_018_7 - square * 0.098_079_6));
    a * normal + b * (normal * normal - 1.0)
}

#[cfg(test)]
mod tests {
    use super::step::third_cumulant;
    use super::*;
    use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
    use rand_distr::{Beta, Binomial, Distribution, Poisson};

    /// The mean over the step and the mean of K at its end, from another account of the same process (model.md 9.1 to 9.3): redraws cut dt
    /// into exchangeable pieces, and the share of those at 1 has a Beta distribution.
    fn by_pieces(p: f64, a: f64, k: usize, on: usize, rng: &mut ChaCha8Rng) -> [f64; 2] {
        let mut sums = [0.0; 2];
        for i in 0..k {
            let old = u64::from(i < on);
            let redraws = Poisson::new(a).unwrap().sample(rng) as u64;
            let new = Binomial::new(redraws, p).unwrap().sample(rng);
            let (at_1, at_0) = (new + old, redraws + 1 - new - old);
            sums[0] += match (at_1, at_0) {
                (0, _) => 0.0,
                (_, 0) => 1.0,
                _ => Beta::new(at_1 as f64, at_0 as f64).unwrap().sample(rng),
            };
            sums[1] += if redraws == 0 { old as f64 } else { f64::from(u8::from(rng.random::<f64>() * (redraws as f64) < new as f64)) };
        }
        sums.map(|sum| sum / k as f64)
    }

    /// Draws of one step by the program, all units alike, from `on` of K at 1; or from equilibrium after some steps where `on` is None.
    fn drawn(p: f64, a: f64, k: usize, on: Option<usize>, count: usize, seed: u64) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
        let mut noise = Noise::new(seed, 0);
        let (p, step) = (vec![p as f32; count], TwoStateStep::new(a, k, 1));
        let start = on.map_or(p[0].round(), |on| on as f32 / k as f32);
        let (mut y, mut open, mut mean) = (vec![start; count], vec![0.0; count], vec![0.0; count]);
        let mut before = mean.clone();
        for _ in 0..if on.is_some() { 1 } else { 2 + (12.0 / a) as usize } {
            before.clone_from(&mean);
            advance(&p, &mut y, &mut open, &mut mean, &step, &mut noise);
        }
        let wide = |values: Vec<f32>| values.into_iter().map(f64::from).collect::<Vec<_>>();
        (wide(mean), wide(y), wide(before))
    }

    /// Largest difference of the two distribution functions.
    fn distance(a: &[f64], b: &[f64]) -> f64 {
        let sorted = |values: &[f64]| {
            let mut values = values.to_vec();
            values.sort_by(f64::total_cmp);
            values
        };
        let (a, b) = (sorted(a), sorted(b));
        let (mut i, mut j, mut worst) = (0, 0, 0.0f64);
        while i < a.len() && j < b.len() {
            let at = a[i].min(b[j]) + 1e-7; // shares of exactly 0 or 1 in f32 and f64
            i += a[i..].partition_point(|&v| v <= at);
            j += b[j..].partition_point(|&v| v <= at);
            worst = worst.max((i as f64 / a.len() as f64 - j as f64 / b.len() as f64).abs());
        }
        worst
    }

    fn mean(values: &[f64]) -> f64 {
        values.iter().sum::<f64>() / values.len() as f64
    }

    /// Covariance, and its standard error from the spread of the products.
    fn covariance(a: &[f64], b: &[f64]) -> [f64; 2] {
        let [ma, mb] = [mean(a), mean(b)];
        let products: Vec<f64> = a.iter().zip(b).map(|(a, b)| (a - ma) * (b - mb)).collect();
        let centre = mean(&products);
        let spread = mean(&products.iter().map(|v| (v - centre).powi(2)).collect::<Vec<_>>()).sqrt();
        [centre, spread / (products.len() as f64).sqrt()]
    }

    #[test]
    fn the_bent_normal_has_the_cumulants_that_are_asked_for_and_one_term_less_has_not() {
        for i in 0..=120 {
            let t = f64::from(i - 60) / 100.0;
            // What the function does, from three of its values: A n + B (n^2 - 1).
            let [low, middle, high] = [-1.0, 0.0, 1.0].map(|n| f64::from(bent(n, t as f32)));
            let (a, b) = ((high - low) / 2.0, -middle);
            let [variance, third] = [a * a + 2.0 * b * b, 6.0 * a * a * b + 8.0 * b.powi(3)];
            assert!((variance - 1.0).abs() < 1e-4, "t {t}: variance {variance}");
            assert!((third - 8f64.sqrt() * t).abs() < 2e-3 * t.abs() + 1e-6, "t {t}: third cumulant {third}");
            let planted = a * a + 2.0 * (b - 0.045_155 * t.powi(5)).powi(2);
            assert!(t.abs() < 0.55 || (planted - 1.0).abs() > 1e-4, "t {t}: planted {planted}");
        }
    }

    const DRAWS: usize = 40_000;
    /// sqrt(n/2) times the two-sample distance is above this with probability 1e-4 (Kolmogorov's distribution).
    const KOLMOGOROV: f64 = 2.23;

    #[test]
    fn changes_one_by_one_are_the_process_of_redraws_and_an_independent_last_value_is_seen() {
        let scale = (DRAWS as f64 / 2.0).sqrt();
        for (p, a, k, on) in [
            (0.3, 0.05, 1, 1),
            (0.3, 0.5, 1, 1),
            (0.3, 5.0, 1, 0),
            (0.02, 25.0, 1, 0),
            (0.4, 1.2, 4, 3),
            (0.7, 0.3, 16, 2),
            (0.01, 3.0, 16, 1),
        ] {
            let mut rng = ChaCha8Rng::seed_from_u64(7);
            let reference: Vec<[f64; 2]> = (0..DRAWS).map(|_| by_pieces(p, a, k, on, &mut rng)).collect();
            let [shares, last] = [0, 1].map(|part| reference.iter().map(|draw| draw[part]).collect::<Vec<_>>());
            let (found, end, _) = drawn(p, a, k, Some(on), DRAWS, 11);
            let case = format!("p {p}, a {a}, K {k}, {on} at 1");
            assert!(scale * distance(&found, &shares) < KOLMOGOROV, "{case}: {}", distance(&found, &shares));
            assert!(scale * distance(&end, &last) < KOLMOGOROV, "{case}, the last value");
            let ([together, error], [expected, other_error]) = (covariance(&found, &end), covariance(&shares, &last));
            let error = error.hypot(other_error);
            assert!((together - expected).abs() < 4.0 * error, "{case}: covariance {together} {expected} +- {error}");
            // Planted: the last value of another draw. Where it depends on the share at all, that is seen.
            let shifted: Vec<f64> = (0..DRAWS).map(|i| end[(i + 1) % DRAWS]).collect();
            if expected > 10.0 * error {
                assert!((covariance(&found, &shifted)[0] - expected).abs() > 4.0 * error, "{case}: planted");
            }
            // Planted: a rate 1.1 times too high.
            if p == 0.3 && a >= 0.5 {
                let (wrong, ..) = drawn(p, 1.1 * a, k, Some(on), DRAWS, 11);
                assert!(scale * distance(&wrong, &shares) > KOLMOGOROV, "{case}: planted");
            }
        }
    }

    /// The mean over a step in equilibrium, by pieces.
    fn equilibrium_by_pieces(p: f64, a: f64, k: usize) -> Vec<f64> {
        let mut rng = ChaCha8Rng::seed_from_u64(8);
        let binomial = Binomial::new(k as u64, p).unwrap();
        let mut draw = || {
            let on = binomial.sample(&mut rng) as usize;
            by_pieces(p, a, k, on, &mut rng)[0]
        };
        (0..DRAWS).map(|_| draw()).collect()
    }

    #[test]
    fn means_drawn_at_once_keep_the_bound_and_three_cumulants_and_a_missing_term_is_seen() {
        for (p, a, k) in
            [(0.5, 30.0, 1), (0.2, 32.0, 1), (0.3, 400.0, 1), (0.0128, 400.0, 1), (0.4, 10.0, 3), (0.25, 2.0, 16), (0.6, 8.0, 4)]
        {
            let exact = equilibrium_by_pieces(p, a, k);
            assert!(k as f64 * a * p * (1.0 - p) >= MANY, "drawn at once");
            let (found, _, before) = drawn(p, a, k, None, DRAWS, 12);
            let case = format!("p {p}, a {a}, K {k}");
            let slack = KOLMOGOROV / (DRAWS as f64 / 2.0).sqrt();
            assert!(distance(&found, &exact) < DISTANCE + slack, "{case}: {}", distance(&found, &exact));
            let one = p * (1.0 - p) / k as f64;
            let variance = one * 2.0 * (a - 1.0 + (-a).exp()) / (a * a);
            let root_n = (DRAWS as f64).sqrt();
            assert!((mean(&found) - p).abs() < 4.0 * variance.sqrt() / root_n, "{case}: mean");
            let [own, error] = covariance(&found, &found);
            assert!((own - variance).abs() < 4.0 * error, "{case}: variance {own} {variance} +- {error}");
            // Planted: without the term -1 + exp(-a).
            if a < 30.0 {
                assert!((own - one * 2.0 / a).abs() > 4.0 * error, "{case}: planted");
            }
            let cubes: Vec<f64> = found.iter().map(|v| (v - p).powi(3)).collect();
            let third = (1.0 - 2.0 * p) * p * (1.0 - p) / (k * k) as f64 * third_cumulant(a);
            let spread = covariance(&cubes, &cubes)[0].sqrt() / root_n;
            assert!((mean(&cubes) - third).abs() < 4.0 * spread, "{case}: third cumulant {} {third} +- {spread}", mean(&cubes));
            // Successive means share what lies at their border: one (1 - e^-a)^2/a^2.
            let expected = one * ((-a).exp_m1() / a).powi(2);
            let [lagged, error] = covariance(&before, &found);
            assert!((lagged - expected).abs() < 4.0 * error, "{case}: covariance of successive means {lagged} {expected} +- {error}");
        }
    }

    #[test]
    fn few_short_visits_keep_the_bound_and_the_mean_and_planted_mistakes_are_seen() {
        let slack = KOLMOGOROV / (DRAWS as f64 / 2.0).sqrt();
        let root_n = (DRAWS as f64).sqrt();
        for (expected, a, k) in [
            (0.02, 400.0, 1),
            (0.3, 30.0, 1),
            (1.0, 46.0, 1),
            (2.0, 119.0, 1),
            (4.9, 30.0, 1),
            (4.9, 400.0, 1),
            (0.5, 60.0, 4),
            (3.0, 30.0, 4),
            (4.0, 100.0, 16),
            (1.0, 16.0, 4),
            (4.4, 16.0, 4),
            (1.0, 12.0, 16),
            (4.6, 12.0, 16),
            (4.4, 12.0, 8),
        ] {
            let rare = expected / (a * k as f64);
            let case = format!("{expected} visits, a {a}, K {k}");
            assert!(k as f64 * a * rare * (1.0 - rare) < MANY && TwoStateStep::new(a, k, 1).short, "drawn by visits");
            let exact = equilibrium_by_pieces(rare, a, k);
            for p in [rare, 1.0 - rare] {
                let (found, end, before) = drawn(p, a, k, None, DRAWS, 13);
                let as_rare: Vec<f64> = found.iter().map(|share| if p == rare { *share } else { 1.0 - share }).collect();
                assert!(distance(&as_rare, &exact) < DISTANCE + slack, "{case}: {}", distance(&as_rare, &exact));
                let variance = rare * (1.0 - rare) / k as f64 * 2.0 * (a - 1.0 + (-a).exp()) / (a * a);
                let error = variance.sqrt() / root_n;
                assert!((mean(&as_rare) - rare).abs() < 0.003 * rare + 4.0 * error, "{case}: mean {} {rare}", mean(&as_rare));
                let [own, error] = covariance(&as_rare, &as_rare);
                assert!((own - variance).abs() < 0.05 * variance + 4.0 * error, "{case}: variance {own} {variance} +- {error}");
                assert!(end.iter().all(|y| (0.0..=1.0).contains(y)));
                let expected = rare * (1.0 - rare) / k as f64 / (a * a);
                let [lagged, error] = covariance(&before, &found);
                assert!((lagged - expected).abs() < 0.05 * expected + 4.0 * error, "{case}: {lagged} {expected} +- {error}");
            }
            // Planted: lengths that all have their mean; visits that come at 1.1 times their rate.
            if (0.3..3.5).contains(&expected) {
                let mut rng = ChaCha8Rng::seed_from_u64(9);
                let visits = Poisson::new(a * rare * k as f64).unwrap();
                let wrong: Vec<f64> = (0..DRAWS).map(|_| visits.sample(&mut rng) / (a * k as f64)).collect();
                assert!(distance(&wrong, &exact) > DISTANCE + slack, "{case}: planted lengths");
                let (wrong, ..) = drawn(1.1 * rare, a, k, None, DRAWS, 13);
                let error = covariance(&wrong, &wrong)[0].sqrt() / root_n;
                assert!(expected < 1.0 || (mean(&wrong) - rare).abs() > 0.003 * rare + 4.0 * error, "{case}: planted rate");
            }
        }
    }

    #[test]
    fn units_that_change_between_the_two_accounts_keep_their_mean() {
        for (a, k) in [(20.0, 2), (40.0, 2), (16.0, 4), (12.0, 16)] {
            units_that_change(a, k);
        }
    }

    fn units_that_change(a: f64, k: usize) {
        let count = DRAWS;
        let mut noise = Noise::new(3, 0);
        let step = TwoStateStep::new(a, k, 1);
        let (mut y, mut open, mut shares) = (vec![0.0; count], vec![0.0; count], vec![0.0; count]);
        for p in [0.4f32, 0.02, 0.97, 0.5, 0.1] {
            let old: Vec<f64> = y.iter().map(|&y| f64::from(y)).collect();
            advance(&vec![p; count], &mut y, &mut open, &mut shares, &step, &mut noise);
            let found: Vec<f64> = shares.iter().map(|&v| f64::from(v)).collect();
            let expected = f64::from(p) + (mean(&old) - f64::from(p)) * (-(-a).exp_m1()) / a;
            let error = covariance(&found, &found)[0].sqrt() / (count as f64).sqrt() + 0.02 / (count as f64).sqrt();
            assert!((mean(&found) - expected).abs() < 4.0 * error, "p {p}: {} {expected} +- {error}", mean(&found));
            assert!(shares.iter().chain(&y).all(|v| v.is_finite()));
        }
        // Certain units, and nothing to be drawn.
        for p in [0.0, 1.0] {
            // Not every interneuron has been drawn again after two steps of 12 tau_eps: of 640,000 some are left.
            (0..3).for_each(|_| advance(&vec![p; count], &mut y, &mut open, &mut shares, &step, &mut noise));
            assert!(shares.iter().all(|share| (share - p).abs() < 1e-6), "{p}");
        }
        advance(&[], &mut [], &mut [], &mut [], &step, &mut noise);
    }
}
