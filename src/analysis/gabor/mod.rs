//! Gabor functions fitted to filters by Levenberg and Marquardt, with the analytic Jacobian, from the filters' own spectra.
//!
//! g(x, y) = exp(-u^2/(2 sigma_u^2) - w^2/(2 sigma_w^2)) (c cos 2 pi f u + s sin 2 pi f u), where u runs along the wave vector
//! and w along the bars (Jones and Palmer, J. Neurophysiol. 58:1233, 1987). Quadrature amplitudes c and s in place of amplitude
//! and phase leave no angle that could wrap round.

mod problem;
mod starts;
mod wave;

use levenberg_marquardt::{LeastSquaresProblem as _, LevenbergMarquardt};
use problem::Problem;
use starts::starts;
use std::f64::consts::{FRAC_PI_2, PI};
use wave::{Parameters, Wave};

/// R^2 from which a filter counts as Gabor-like.
pub const GABOR_LIKE: f64 = 0.7;
/// Smallest width, pixels: below it the envelope is a single pixel, which anything fits.
const NARROWEST: f64 = 0.9;
/// R^2 at which no other start is tried.
const GOOD: f64 = 0.95;
/// Starts after which a filter with less than this R^2 is given up: noise has no better one.
const FIRST: usize = 2;
const HOPELESS: f64 = 0.3;
/// Loss of R^2 from which a fit that was followed is sought anew.
const WORSE: f64 = 0.02;
/// Rows and columns from which the starts are compared at half the resolution, and only the best fit is searched on at the full one.
const FINE: usize = 24;
/// Highest frequency of the first start, cycles a pixel, for which that is done: means of four pixels leave little of faster waves.
const SLOW: f64 = 0.2;
/// Where the R^2 at the full resolution is less than this share of that at half of it, all starts are tried at the full one.
const ASTRAY: f64 = 0.5;

/// What was fitted to a filter.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Gabor {
    /// Centre in pixels from the left and from the top edge (the first pixel's own centre lies at 0.5, 0.5).
    pub centre: [f64; 2],
    /// Preferred orientation: of the bars, radians in [0, pi), counterclockwise from horizontal as seen on screen.
    pub orientation: f64,
    /// Spatial frequency, cycles a pixel.
    pub frequency: f64,
    /// Phase of the carrier at the centre, radians in [0, pi/2]: 0 even-symmetric, pi/2 odd-symmetric (Ringach 2002).
    pub phase: f64,
    /// Widths of the envelope, standard deviations in pixels: across the bars (along the wave vector), along the bars.
    pub widths: [f64; 2],
    /// Peak of the envelope.
    pub amplitude: f64,
    /// Share of the filter's variance that the fit explains; 0 for a filter without variance.
    pub r2: f64,
    pub(crate) parameters: [f64; 8],
}

impl Gabor {
    /// Whether the fit is good and its centre lies inside a patch of these rows and columns.
    pub fn is_gabor_like(&self, shape: [usize; 2]) -> bool {
        self.r2 >= GABOR_LIKE && self.is_inside(shape)
    }

    /// Whether its centre lies inside a patch of these rows and columns.
    pub fn is_inside(&self, [rows, columns]: [usize; 2]) -> bool {
        let [x, y] = self.centre;
        (0.0..=columns as f64).contains(&x) && (0.0..=rows as f64).contains(&y)
    }

    /// n_x and n_y: widths across and along the bars in periods of the carrier (Ringach, J. Neurophysiol. 88:455, 2002).
    pub fn periods(&self) -> [f64; 2] {
        self.widths.map(|width| width * self.frequency)
    }

    /// The fitted function on a patch of these rows and columns, row by row.
    pub fn render(&self, shape @ [rows, columns]: [usize; 2]) -> Vec<f32> {
        let mut values = vec![0.0; rows * columns];
        Wave::new(&self.parameters).for_each(shape, |i, at| values[i] = at.value as f32);
        values
    }
}

/// A filter as it is fitted: its strongest weight has size 1.
struct Target {
    values: Vec<f64>,
    shape: [usize; 2],
    scale: f64,
    /// Sum of squared deviations from the mean.
    variance: f64,
    /// Width of a pixel, in pixels of the filter.
    pixel: f64,
}

impl Target {
    /// None where values are missing, are not finite or do not vary.
    fn new(filter: &[f32], shape: [usize; 2]) -> Option<Self> {
        let [rows, columns] = shape;
        if rows.min(columns) < 4 || filter.len() != rows * columns || filter.iter().any(|v| !v.is_finite()) {
            return None;
        }
        let scale = filter.iter().fold(0.0f32, |top, v| top.max(v.abs()));
        let values: Vec<f64> = filter.iter().map(|v| f64::from(v / scale.max(f32::MIN_POSITIVE))).collect();
        let target = Self { variance: variance(&values), values, shape, scale: f64::from(scale), pixel: 1.0 };
        (scale > 0.0 && target.varies()).then_some(target)
    }

    fn varies(&self) -> bool {
        self.variance >= 1e-9 * self.values.len() as f64
    }

    /// The same at half the resolution, each pixel the mean of four; a last row or column that is left over is left out. None where little
    /// would be saved or nothing be left.
    fn halved(&self) -> Option<Self> {
        let [rows, columns] = self.shape;
        let shape @ [low, narrow] = [rows / 2, columns / 2];
        let mean = |i: usize| {
            let first = 2 * (i / narrow) * columns + 2 * (i % narrow);
            [0, 1, columns, columns + 1].iter().map(|offset| self.values[first + offset]).sum::<f64>() / 4.0
        };
        let values: Vec<f64> = if rows.min(columns) < FINE { return None } else { (0..low * narrow).map(mean).collect() };
        let target = Self { variance: variance(&values), values, shape, scale: self.scale, pixel: 2.0 * self.pixel };
        target.varies().then_some(target)
    }

    /// R^2 and parameters where the search from `start` ends; None where it is lost.
    fn search(&self, start: Parameters) -> Option<(f64, Parameters)> {
        let problem = Problem::new(&self.values, self.shape, NARROWEST / self.pixel, start);
        let (problem, report) = LevenbergMarquardt::new().with_tol(1e-4).with_patience(6).minimize(problem);
        let r2 = 1.0 - 2.0 * report.objective_function / self.variance;
        (r2.is_finite() && !problem.is_lost()).then_some((r2, problem.params()))
    }

    fn starts(&self) -> impl Iterator<Item = Parameters> {
        starts(&self.values, self.shape)
    }

    fn best_of_all_starts(&self) -> Option<(f64, Parameters)> {
        let mut starts = self.starts().peekable();
        let half = if starts.peek()?[3] <= SLOW { self.halved() } else { None };
        let Some(half) = half else { return best_of(starts, |start| self.search(start)) };
        let (rough, found) = best_of(starts, |start| half.search(scaled(start, 0.5)))?;
        let fine = self.search(scaled(found, 2.0));
        if rough >= HOPELESS && fine.is_none_or(|(r2, _)| r2 < ASTRAY * rough) {
            return best_of(self.starts(), |start| self.search(start));
        }
        fine
    }

    fn describe(&self, found: Option<(f64, Parameters)>) -> Gabor {
        found.map_or_else(|| nothing(self.shape), |(r2, parameters)| describe(parameters, r2.clamp(0.0, 1.0), self.scale))
    }
}

/// The best of what is found from these starts, as far as they are worth trying.
fn best_of(
    starts: impl Iterator<Item = Parameters>,
    search: impl Fn(Parameters) -> Option<(f64, Parameters)>,
) -> Option<(f64, Parameters)> {
    let mut best: Option<(f64, Parameters)> = None;
    for (tried, start) in starts.enumerate() {
        let so_far = best.map_or(f64::NEG_INFINITY, |(r2, _)| r2);
        if so_far > GOOD || (tried == FIRST && so_far < HOPELESS) {
            break;
        }
        best = search(start).filter(|(r2, _)| *r2 > so_far).or(best);
    }
    best
}

/// The parameters of the same function in other pixels, of which `pixels` are as wide as one of the present ones.
fn scaled(mut p: Parameters, pixels: f64) -> Parameters {
    (p[0], p[1], p[3]) = (p[0] * pixels, p[1] * pixels, p[3] / pixels);
    (p[6], p[7]) = (p[6] + pixels.ln(), p[7] + pixels.ln());
    p
}

fn variance(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.iter().map(|v| (v - mean).powi(2)).sum()
}

fn nothing([rows, columns]: [usize; 2]) -> Gabor {
    Gabor { centre: [0.5 * columns as f64, 0.5 * rows as f64], widths: [NARROWEST; 2], ..Gabor::default() }
}

/// Fits a Gabor function to a filter of a patch of `shape`, rows and columns, `[rows * columns]` row by row. A filter with values that
/// are not finite, or without variance, gets R^2 = 0.
pub fn fit(filter: &[f32], shape: [usize; 2]) -> Gabor {
    Target::new(filter, shape).map_or_else(|| nothing(shape), |target| target.describe(target.best_of_all_starts()))
}

/// Fits a filter that has changed little since it had the fit `before`: a good fit is followed from where it was, at a fraction of
/// the cost; one that is not good, or gets worse, is sought anew.
pub fn follow(filter: &[f32], shape: [usize; 2], before: &Gabor) -> Gabor {
    let Some(target) = Target::new(filter, shape) else { return nothing(shape) };
    let mut start = Parameters::from(before.parameters);
    (start[4], start[5]) = (start[4] / target.scale, start[5] / target.scale);
    let followed = if before.r2 >= GABOR_LIKE { target.search(start).filter(|(r2, _)| *r2 >= before.r2 - WORSE) } else { None };
    target.describe(followed.or_else(|| target.best_of_all_starts()))
}

/// The fit in the terms of physiology.
fn describe(mut p: Parameters, r2: f64, scale: f64) -> Gabor {
    (p[4], p[5]) = (p[4] * scale, p[5] * scale);
    if p[3] < 0.0 {
        (p[3], p[5]) = (-p[3], -p[5]);
    }
    Gabor {
        centre: [p[0], p[1]],
        // Rows run downwards: on screen the wave vector points to -angle, and the bars stand at right angles to it.
        orientation: (FRAC_PI_2 - p[2]).rem_euclid(PI),
        frequency: p[3],
        phase: p[5].abs().atan2(p[4].abs()),
        widths: [p[6].exp(), p[7].exp()],
        amplitude: p[4].hypot(p[5]),
        r2,
        parameters: p.into(),
    }
}

/// The angle between two orientations, radians in [0, pi/2].
pub fn orientation_difference(a: f64, b: f64) -> f64 {
    let difference = (a - b).rem_euclid(PI);
    difference.min(PI - difference)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::gabor::wave::pixel;
    use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
    use rand_distr::{Distribution, StandardNormal};
    use std::f64::consts::TAU;

    const SIDE: usize = 12;
    const SHAPE: [usize; 2] = [SIDE; 2];

    /// A Gabor inside the patch with two lobes or more, as filters have.
    fn random_parameters(rng: &mut ChaCha8Rng) -> [f64; 8] {
        let frequency = rng.random_range(0.1..0.35);
        let phase = rng.random_range(0.0..TAU);
        let across = rng.random_range(0.35f64..0.7) / frequency;
        let along = across * rng.random_range(0.8..1.8);
        let place = |rng: &mut ChaCha8Rng| rng.random_range(4.0..8.0);
        let clamp = |w: f64| w.clamp(1.1, 3.0).ln();
        [place(rng), place(rng), rng.random_range(0.0..PI), frequency, phase.cos(), phase.sin(), clamp(across), clamp(along)]
    }

    fn picture(p: &[f64; 8], noise: f64, rng: &mut ChaCha8Rng) -> Vec<f32> {
        let wave = Wave::new(p);
        let clean: Vec<f64> = (0..SIDE * SIDE).map(|i| wave.at(pixel(i, SIDE)).value).collect();
        let rms = (clean.iter().map(|v| v * v).sum::<f64>() / clean.len() as f64).sqrt();
        clean
            .iter()
            .map(|v| {
                let z: f64 = StandardNormal.sample(rng);
                (v + noise * rms * z) as f32
            })
            .collect()
    }

    #[test]
    fn five_hundred_noisy_gabors_are_recovered() {
        let mut rng = ChaCha8Rng::seed_from_u64(11);
        let (mut orientation, mut frequency, mut place, mut width, mut poor, mut planted) = (0, 0, 0, 0, 0, 0);
        for _ in 0..500 {
            let p = random_parameters(&mut rng);
            let fit = fit(&picture(&p, 0.2, &mut rng), SHAPE);
            let truth = describe(p.into(), 1.0, 1.0);
            poor += usize::from(fit.r2 < 0.9);
            orientation += usize::from(orientation_difference(fit.orientation, truth.orientation) > 5f64.to_radians());
            frequency += usize::from((fit.frequency / truth.frequency - 1.0).abs() > 0.1);
            place += usize::from((fit.centre[0] - truth.centre[0]).hypot(fit.centre[1] - truth.centre[1]) > 0.5);
            width += usize::from((0..2).any(|i| (fit.widths[i] / truth.widths[i] - 1.0).abs() > 0.25));
            planted += usize::from((fit.widths[0] / truth.widths[1] - 1.0).abs() > 0.25);
        }
        // Noise of a fifth of the filter's rms; widths and frequency trade off where less than a period is seen.
        assert!(poor <= 10 && orientation <= 10 && place <= 25, "R^2 {poor}, orientation {orientation}, place {place} of 500");
        assert!(frequency <= 50 && width <= 60, "frequency {frequency}, widths {width} of 500");
        assert!(planted > 60, "widths across and along exchanged: {planted} of 500");
    }

    #[test]
    fn a_good_fit_is_followed_and_a_lost_one_is_sought_anew() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let (mut moved_on, mut jumped) = (0, 0);
        for _ in 0..100 {
            let p = random_parameters(&mut rng);
            let before = fit(&picture(&p, 0.2, &mut rng), SHAPE);
            let mut q = p;
            (q[0], q[1], q[2], q[4], q[5]) = (q[0] + 0.3, q[1] - 0.2, q[2] + 0.1, 3.0 * q[4], 3.0 * q[5]);
            // Another Gabor altogether: the old fit leads nowhere.
            for (p, lost) in [(q, &mut moved_on), (random_parameters(&mut rng), &mut jumped)] {
                let filter = picture(&p, 0.2, &mut rng);
                let (anew, followed) = (fit(&filter, SHAPE), follow(&filter, SHAPE, &before));
                *lost += usize::from(anew.r2 - followed.r2 > 0.03);
            }
        }
        assert!(moved_on == 0 && jumped <= 2, "lost: {moved_on} that moved, {jumped} that jumped, of 100");
        // Planted: without a new search what has jumped is lost.
        let lost = |_: &i32| {
            let before = fit(&picture(&random_parameters(&mut rng), 0.2, &mut rng), SHAPE);
            let filter = picture(&random_parameters(&mut rng), 0.2, &mut rng);
            let stuck = Target::new(&filter, SHAPE).unwrap().search(before.parameters.into());
            stuck.is_none_or(|(r2, _)| fit(&filter, SHAPE).r2 - r2 > 0.03)
        };
        assert!((0..100).filter(lost).count() > 5);
        assert_eq!(follow(&[f32::NAN; SIDE * SIDE], SHAPE, &Gabor { r2: 0.9, ..Gabor::default() }).r2, 0.0);
    }

    #[test]
    fn half_the_resolution_leads_a_large_filter_to_the_same_fit() {
        let (mut rng, side) = (ChaCha8Rng::seed_from_u64(8), 32);
        let (mut astray, mut planted) = (0, 0);
        for _ in 0..100 {
            let mut p = random_parameters(&mut rng);
            (p[0], p[1]) = (p[0] + rng.random_range(2.0..18.0), p[1] + rng.random_range(2.0..18.0));
            let wave = Wave::new(&p);
            let pixel = |i: usize, z: f64| (wave.at(pixel(i, side)).value + 0.1 * z) as f32;
            let filter: Vec<f32> = (0..side * side).map(|i| pixel(i, StandardNormal.sample(&mut rng))).collect();
            let target = Target::new(&filter, [side; 2]).unwrap();
            let (r2, _) = best_of(target.starts(), |start| target.search(start)).unwrap();
            astray += usize::from(fit(&filter, [side; 2]).r2 < r2 - 0.01);
            let half = target.halved().unwrap();
            let (_, rough) = best_of(target.starts(), |start| half.search(scaled(start, 0.5))).unwrap();
            planted += usize::from(target.search(scaled(rough, 1.0)).is_none_or(|(found, _)| found < r2 - 0.01));
        }
        assert!(astray == 0, "{astray} of 100");
        assert!(planted > 50, "parameters that keep the pixels of half the resolution: {planted} of 100");
    }

    #[test]
    fn what_is_no_gabor_fits_badly() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut single = vec![0.0f32; SIDE * SIDE];
        single[5 * SIDE + 7] = 1.0;
        let mut checks = vec![("constant", vec![0.3; SIDE * SIDE]), ("zero", vec![0.0; SIDE * SIDE]), ("single pixel", single)];
        checks.push(("not a number", vec![f32::NAN; SIDE * SIDE]));
        checks.push(("infinite", vec![f32::INFINITY; SIDE * SIDE]));
        checks.push(("tiny", vec![1e-40; SIDE * SIDE]));
        (0..20).for_each(|_| checks.push(("white noise", (0..SIDE * SIDE).map(|_| StandardNormal.sample(&mut rng)).collect())));
        for (name, filter) in checks {
            let fit = fit(&filter, SHAPE);
            assert!(fit.r2 < 0.6 && !fit.is_gabor_like(SHAPE), "{name}: R^2 {}", fit.r2);
            assert!(fit.render(SHAPE).iter().all(|v| v.is_finite()), "{name}");
        }
        assert_eq!(fit(&[1.0; 7], SHAPE).r2, 0.0);
    }

    #[test]
    fn a_gabor_on_a_patch_that_is_not_square_is_recovered_where_it_lies() {
        let mut rng = ChaCha8Rng::seed_from_u64(9);
        for shape @ [rows, columns] in [[9, 20], [20, 9], [16, 25]] {
            for _ in 0..20 {
                let mut p = random_parameters(&mut rng);
                (p[0], p[1]) = (rng.random_range(0.3..0.7) * columns as f64, rng.random_range(0.3..0.7) * rows as f64);
                let drawn = Wave::new(&p);
                let values: Vec<f32> = (0..rows * columns).map(|i| drawn.at(pixel(i, columns)).value as f32).collect();
                let (found, truth) = (fit(&values, shape), describe(p.into(), 1.0, 1.0));
                assert!(found.r2 > 0.95 && found.is_gabor_like(shape), "{shape:?}: {found:?} of {truth:?}");
                assert!((0..2).all(|axis| (found.centre[axis] - truth.centre[axis]).abs() < 0.6), "{shape:?}: {found:?} of {truth:?}");
                assert!(found.render(shape).iter().zip(&values).all(|(a, b)| (a - b).abs() < 0.3), "{shape:?}");
            }
        }
        // Planted: the same values read as columns by rows are no such Gabor function.
        let drawn = Wave::new(&[10.0, 4.0, 0.4, 0.2, 1.0, 0.0, 0.7, 0.9]);
        let values: Vec<f32> = (0..180).map(|i| drawn.at(pixel(i, 20)).value as f32).collect();
        assert!(fit(&values, [9, 20]).r2 > 0.99 && fit(&values, [20, 9]).r2 < 0.9);
        let outside = Gabor { centre: [15.0, 4.0], r2: 0.9, ..Gabor::default() };
        assert!(outside.is_gabor_like([9, 20]) && !outside.is_gabor_like([20, 9]));
    }

    #[test]
    fn orientation_is_that_of_the_bars_and_turns_with_the_picture() {
        // Rows alternate: horizontal bars. Turning the picture by 90 degrees makes them vertical.
        let rows: Vec<f32> = (0..SIDE * SIDE)
            .map(|i| {
                let [x, y] = pixel(i, SIDE);
                ((-((x - 6.0).powi(2) + (y - 6.0).powi(2)) / 10.0).exp() * (TAU * 0.2 * (y - 6.0)).cos()) as f32
            })
            .collect();
        let turned: Vec<f32> = (0..SIDE * SIDE).map(|i| rows[(i % SIDE) * SIDE + i / SIDE]).collect();
        let [flat, upright] = [rows.clone(), turned].map(|f| fit(&f, SHAPE));
        assert!(orientation_difference(flat.orientation, 0.0) < 0.01 && flat.phase < 0.01, "{flat:?}");
        assert!(orientation_difference(upright.orientation, FRAC_PI_2) < 0.01, "{upright:?}");
        assert!((flat.frequency - 0.2).abs() < 0.005 && (flat.widths[0] - 5f64.sqrt()).abs() < 0.05, "{flat:?}");
        // A bar from the lower left to the upper right leans to 45 degrees on screen.
        let slanted: Vec<f32> = (0..SIDE * SIDE)
            .map(|i| {
                let [x, y] = pixel(i, SIDE);
                let across = (x - 6.0 + (y - 6.0)) / 2f64.sqrt();
                ((-across * across / 3.0).exp() * (-((x - y) / 2f64.sqrt()).powi(2) / 12.0).exp()) as f32
            })
            .collect();
        let bar = fit(&slanted, SHAPE);
        assert!(orientation_difference(bar.orientation, PI / 4.0) < 0.05, "{bar:?}");
        // Planted: the wave vector's own angle would be a right angle away.
        assert!(orientation_difference(bar.orientation + FRAC_PI_2, PI / 4.0) > 1.0);
    }
}
