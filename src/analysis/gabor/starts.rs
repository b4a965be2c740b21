//! Where the search for a fit begins: at the centre of energy, with the strongest waves of the filter's spectrum.

use super::wave::{Parameters, Wave, pixel};
use std::f64::consts::{PI, TAU};

/// Side of the spectrum, samples in half a circle of directions times frequencies up to 0.5.
const DIRECTIONS: usize = 16;
const FREQUENCIES: usize = 14;

/// Share of its power that a wave loses to the one before it.
const TIE: f64 = 1e-9;

/// The starts, the most promising first: centre of energy and strongest pixel, the strongest waves of the spectrum, round and long
/// envelopes. Each is computed when it is asked for.
pub(super) fn starts(values: &[f64], shape @ [rows, columns]: [usize; 2]) -> impl Iterator<Item = Parameters> + '_ {
    let energy: f64 = values.iter().map(|v| v * v).sum();
    let moment = |axis: usize| values.iter().enumerate().map(|(i, v)| v * v * pixel(i, columns)[axis]).sum::<f64>() / energy;
    let centre = [moment(0), moment(1)];
    let spread = |axis: usize| {
        values.iter().enumerate().map(|(i, v)| v * v * (pixel(i, columns)[axis] - centre[axis]).powi(2)).sum::<f64>() / energy
    };
    // The energy of a Gaussian envelope has half its variance.
    let width = (spread(0) + spread(1)).sqrt().clamp(1.0, 0.4 * rows.min(columns) as f64);
    let peak = (0..values.len()).max_by(|&a, &b| values[a].abs().total_cmp(&values[b].abs())).map_or(centre, |i| pixel(i, columns));
    let waves = strongest_waves(values, columns, centre, width);
    let places = [(centre, 1.0, 0), (peak, 1.0, 0), (centre, 1.0, 1), (centre, 1.8, 0), (peak, 0.6, 1)];
    places.into_iter().filter_map(move |(place, stretch, wave)| {
        let &[angle, frequency] = waves.get(wave)?;
        let mut p = [place[0], place[1], angle, frequency, 0.0, 0.0, width.ln(), (stretch * width).ln()];
        let mut sums = [0.0; 4];
        Wave::new(&p).for_each(shape, |i, at| {
            let v = values[i];
            sums = [sums[0] + v * at.even, sums[1] + at.even * at.even, sums[2] + v * at.odd, sums[3] + at.odd * at.odd];
        });
        (p[4], p[5]) = (sums[0] / sums[1].max(1e-9), sums[2] / sums[3].max(1e-9));
        Some(Parameters::from(p))
    })
}

/// Angle and frequency of the two strongest waves under a Gaussian window; the second differs in direction from the first.
fn strongest_waves(values: &[f64], columns: usize, centre: [f64; 2], width: f64) -> Vec<[f64; 2]> {
    let sharpness = 0.25 / (width * width);
    let windowed: Vec<f64> = values
        .iter()
        .enumerate()
        .map(|(i, v)| {
            let [dx, dy] = [pixel(i, columns)[0] - centre[0], pixel(i, columns)[1] - centre[1]];
            v * (-sharpness * (dx * dx + dy * dy)).exp()
        })
        .collect();
    let mut found: Vec<(f64, [f64; 2])> = Vec::with_capacity(DIRECTIONS * FREQUENCIES);
    let mut sums = [vec![0.0; columns], vec![0.0; columns]];
    for direction in 0..DIRECTIONS {
        let angle = direction as f64 * PI / DIRECTIONS as f64;
        let (sin, cos) = angle.sin_cos();
        for step in 1..=FREQUENCIES {
            let frequency = 0.5 * step as f64 / FREQUENCIES as f64;
            // exp(i (a x + b y)) = exp(i a x) exp(i b y), from the centre: a single pixel there has the same power in all waves.
            let (a, b) = (TAU * frequency * cos, TAU * frequency * sin);
            // Of waves that differ by rounding alone, as those of a single pixel do, the slowest comes first.
            let power = power(&windowed, [a, b], centre, &mut sums) * (1.0 - TIE * found.len() as f64);
            found.push((power, [angle, frequency]));
        }
    }
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    let Some(&(_, first)) = found.first() else { return Vec::new() };
    let apart = |angle: f64| {
        let difference = (angle - first[0]).rem_euclid(PI);
        difference.min(PI - difference) > 0.3
    };
    let second = found.iter().find(|(_, [angle, _])| apart(*angle)).map(|(_, wave)| *wave);
    std::iter::once(first).chain(second).collect()
}

/// |sum over x, y of v exp(i (a x + b y))|^2, places from `centre`. `sums` have room for the sums of each column.
fn power(values: &[f64], [a, b]: [f64; 2], centre: [f64; 2], [even, odd]: &mut [Vec<f64>; 2]) -> f64 {
    even.fill(0.0);
    odd.fill(0.0);
    let mut turn = Turn::new(b, 0.5 - centre[1]);
    for row in values.chunks_exact(even.len()) {
        for ((even, odd), v) in even.iter_mut().zip(odd.iter_mut()).zip(row) {
            (*even, *odd) = (*even + turn.cos * v, *odd + turn.sin * v);
        }
        turn.next();
    }
    let mut turn = Turn::new(a, 0.5 - centre[0]);
    let mut sum = [0.0; 2];
    for (even, odd) in even.iter().zip(odd) {
        sum = [sum[0] + even * turn.cos - *odd * turn.sin, sum[1] + even * turn.sin + *odd * turn.cos];
        turn.next();
    }
    sum[0] * sum[0] + sum[1] * sum[1]
}

/// exp(i k x) at places one apart.
struct Turn {
    cos: f64,
    sin: f64,
    step: [f64; 2],
}

impl Turn {
    fn new(k: f64, first: f64) -> Self {
        let (sin, cos) = (k * first).sin_cos();
        Self { cos, sin, step: k.sin_cos().into() }
    }

    fn next(&mut self) {
        let [sin, cos] = self.step;
        (self.cos, self.sin) = (self.cos * cos - self.sin * sin, self.cos * sin + self.sin * cos);
    }
}
