//! A Gabor function on the pixels of a patch, and its derivatives by its parameters.

use nalgebra::SVector;
use std::f64::consts::TAU;

/// Parameters: x_0, y_0, angle of the wave vector, f, c, s, log sigma_u, log sigma_w.
pub(super) type Parameters = SVector<f64, 8>;

/// The centre of pixel i of a patch of so many columns.
pub(super) fn pixel(i: usize, columns: usize) -> [f64; 2] {
    [(i % columns) as f64 + 0.5, (i / columns) as f64 + 0.5]
}

/// A Gabor function ready to be evaluated.
pub(super) struct Wave {
    x0: f64,
    y0: f64,
    cos: f64,
    sin: f64,
    wave_number: f64,
    c: f64,
    s: f64,
    /// 1/sigma_u^2, 1/sigma_w^2.
    sharpness: [f64; 2],
}

/// Value and what its derivatives need.
pub(super) struct At {
    u: f64,
    w: f64,
    pub(super) value: f64,
    /// Envelope times cos and sin of the carrier.
    pub(super) even: f64,
    pub(super) odd: f64,
}

impl Wave {
    /// With these [`Parameters`].
    pub(super) fn new(p: &[f64; 8]) -> Self {
        let (sin, cos) = p[2].sin_cos();
        let sharpness = [p[6], p[7]].map(|log| (-2.0 * log).exp());
        Self { x0: p[0], y0: p[1], cos, sin, wave_number: TAU * p[3], c: p[4], s: p[5], sharpness }
    }

    #[cfg(test)]
    pub(super) fn at(&self, [x, y]: [f64; 2]) -> At {
        let (dx, dy) = (x - self.x0, y - self.y0);
        let (u, w) = (dx * self.cos + dy * self.sin, dy * self.cos - dx * self.sin);
        let envelope = (-0.5 * (u * u * self.sharpness[0] + w * w * self.sharpness[1])).exp();
        let (sin, cos) = (self.wave_number * u).sin_cos();
        self.seen([dx, dy], [envelope * cos, envelope * sin])
    }

    /// At a place relative to the centre, where envelope times carrier are known.
    fn seen(&self, [dx, dy]: [f64; 2], [even, odd]: [f64; 2]) -> At {
        let (u, w) = (dx * self.cos + dy * self.sin, dy * self.cos - dx * self.sin);
        At { u, w, value: self.c * even + self.s * odd, even, odd }
    }

    /// Calls `see` with every pixel of a patch of these rows and columns. Along a row the logarithm of envelope times carrier is a quadratic
    /// polynomial of x, so that each pixel follows from its neighbour by two products: outwards from where the envelope is highest, since
    /// what has become zero stays zero.
    pub(super) fn for_each(&self, [rows, columns]: [usize; 2], mut see: impl FnMut(usize, At)) {
        let Self { sin, cos, wave_number, sharpness: [across, along], .. } = *self;
        let square = -0.5 * (across * cos * cos + along * sin * sin);
        let ratio = (2.0 * square).exp();
        let turn = (wave_number * cos).sin_cos();
        for row in 0..rows {
            let dy = row as f64 + 0.5 - self.y0;
            let linear = (along - across) * cos * sin * dy;
            let constant = -0.5 * dy * dy * (across * sin * sin + along * cos * cos);
            let highest = self.x0 - 0.5 * linear / square - 0.5;
            let first = highest.round().clamp(0.0, columns as f64 - 1.0) as usize;
            let dx = first as f64 + 0.5 - self.x0;
            let envelope = (constant + dx * (linear + dx * square)).exp();
            let (odd, even) = (wave_number * (dx * cos + dy * sin)).sin_cos();
            for (step, turn) in [(1.0, turn), (-1.0, (-turn.0, turn.1))] {
                let mut factor = (square * (1.0 + 2.0 * step * dx) + step * linear).exp();
                let (mut even, mut odd) = (envelope * even, envelope * odd);
                let mut column = first;
                loop {
                    // The highest pixel belongs to the way to the right.
                    if step > 0.0 || column != first {
                        see(row * columns + column, self.seen([column as f64 + 0.5 - self.x0, dy], [even, odd]));
                    }
                    column = if step > 0.0 { column + 1 } else { column.wrapping_sub(1) };
                    if column >= columns {
                        break;
                    }
                    (even, odd) = (factor * (even * turn.1 - odd * turn.0), factor * (even * turn.0 + odd * turn.1));
                    factor *= ratio;
                }
            }
        }
    }

    /// Derivatives by the eight parameters.
    pub(super) fn gradient(&self, at: &At) -> [f64; 8] {
        let carrier = self.s * at.even - self.c * at.odd; // d/d(k u) without the envelope's slope
        let du = self.wave_number * carrier - at.u * self.sharpness[0] * at.value;
        let dw = -at.w * self.sharpness[1] * at.value;
        [
            -self.cos * du + self.sin * dw,
            -self.sin * du - self.cos * dw,
            at.w * du - at.u * dw,
            TAU * at.u * carrier,
            at.even,
            at.odd,
            at.u * at.u * self.sharpness[0] * at.value,
            at.w * at.w * self.sharpness[1] * at.value,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

    /// Narrow and wide envelopes, centres inside and outside, patches of any shape.
    #[test]
    fn a_row_from_neighbour_to_neighbour_is_the_function_itself() {
        let mut random = ChaCha8Rng::seed_from_u64(2);
        for case in 0..600 {
            let shape @ [rows, columns] = [[12, 12], [32, 32], [7, 90]][case % 3];
            let mut width = || random.random_range(-0.1f64..4.5);
            let widths = [width(), width()];
            let mut place = |side: usize| random.random_range(-0.5..1.5) * side as f64;
            let p = [place(columns), place(rows), place(3), place(1), 1.0, -0.7, widths[0], widths[1]];
            let wave = Wave::new(&p);
            let mut seen = vec![0; rows * columns];
            wave.for_each(shape, |i, at| {
                let exact = wave.at(pixel(i, columns));
                let pairs = [(at.even, exact.even), (at.odd, exact.odd), (at.value, exact.value), (at.u, exact.u), (at.w, exact.w)];
                assert!(pairs.iter().all(|(a, b)| (a - b).abs() < 1e-11), "{p:?}, pixel {i} of {shape:?}: {pairs:?}");
                seen[i] += 1;
            });
            assert!(seen.iter().all(|&count| count == 1), "each pixel once");
        }
    }
}
