//! Visits of bernoulli interneurons to the rarer of their values, drawn together where they are few and short (model.md 9).

use super::step::{CHUNK, TwoStateStep, is_many};
use crate::dynamics::noise::Noise;
use crate::model::vector;

/// Units that are computed in one go: buffers are filled up to a multiple of it.
const LANES: usize = 16;
/// Visits of a unit in a step at most: more have a probability below 1e-5.
const MOST_VISITS: usize = 18;

/// The units of a chunk that have few changes, one beside the other; the results replace what is given.
#[derive(Debug)]
pub(super) struct RareVisits {
    count: usize,
    /// Places in the chunk.
    places: [u8; CHUNK],
    marks: [u8; CHUNK],
    p: [f32; CHUNK],
    y: [f32; CHUNK],
    open: [f32; CHUNK],
    /// A normal number each; then the mean over the step.
    normal: [f32; CHUNK],
    chance: [f32; CHUNK],
}

impl Default for RareVisits {
    fn default() -> Self {
        let zeros = [0.0; CHUNK];
        Self { count: 0, places: [0; CHUNK], marks: [0; CHUNK], p: zeros, y: zeros, open: zeros, normal: zeros, chance: zeros }
    }
}

impl RareVisits {
    /// Draws the units of a chunk that have few changes.
    pub(super) fn draw(&mut self, p: &[f32], [y, open, normal]: [&[f32]; 3], step: &TwoStateStep, noise: &mut Noise) {
        self.find(p, step);
        for (j, place) in self.places[..self.count].iter().map(|&place| usize::from(place)).enumerate() {
            (self.p[j], self.y[j], self.open[j], self.normal[j]) = (p[place], y[place], open[place], normal[place]);
        }
        let filled = self.count.next_multiple_of(LANES);
        self.p[self.count..filled].fill(0.5);
        noise.fill_uniform(&mut self.chance[..filled]);
        draw(self, filled, step);
    }

    /// Writes the results to their places.
    pub(super) fn give(&self, [y, open, mean]: [&mut [f32]; 3]) {
        for (j, place) in self.places[..self.count].iter().map(|&place| usize::from(place)).enumerate() {
            (y[place], open[place], mean[place]) = (self.y[j], self.open[j], self.normal[j]);
        }
    }

    fn find(&mut self, p: &[f32], step: &TwoStateStep) {
        self.marks.fill(0); // the last group may be a part of one
        mark(p, &mut self.marks[..p.len()], step);
        self.count = 0;
        for (group, marks) in self.marks.as_chunks::<8>().0.iter().enumerate() {
            if u64::from_ne_bytes(*marks) != 0 {
                for (i, mark) in marks.iter().enumerate() {
                    self.places[self.count % CHUNK] = (8 * group + i) as u8;
                    self.count += usize::from(*mark);
                }
            }
        }
    }
}

#[multiversion::multiversion(targets("x86_64+avx512f+avx512dq+avx512vl+avx512bw+avx2+avx", "x86_64+avx2+avx"))]
fn mark(p: &[f32], marks: &mut [u8], step: &TwoStateStep) {
    marks.iter_mut().zip(p).for_each(|(mark, &p)| *mark = u8::from(!is_many(p, step)));
}

/// Poisson's number of visits, the sum of their lengths, and the state at the end given that sum.
#[multiversion::multiversion(targets("x86_64+avx512f+avx512dq+avx512vl+avx512bw+avx2+avx", "x86_64+avx2+avx"))]
fn draw(visits: &mut RareVisits, filled: usize, step: &TwoStateStep) {
    let RareVisits { p, y, open, normal, chance, .. } = visits;
    let (p, chance) = (p[..filled].as_chunks::<LANES>().0, chance[..filled].as_chunks::<LANES>().0);
    let (y, open) = (y[..filled].as_chunks_mut::<LANES>().0, open[..filled].as_chunks_mut::<LANES>().0);
    let normal = normal[..filled].as_chunks_mut::<LANES>().0;
    let (per_step, per_k) = (1.0 / step.a, 1.0 / step.count);
    for ((((p, y), open), normal), chance) in p.iter().zip(y).zip(open).zip(normal).zip(chance) {
        let (mut visits, mut inverse, mut at_rare) = ([0.0; LANES], [1.0f32; LANES], [0.0; LANES]);
        for i in 0..LANES {
            let rare = p[i].min(1.0 - p[i]);
            at_rare[i] = rare + (y[i] - p[i]) * 1.0f32.copysign(0.5 - p[i]);
            let expected = (step.count * (step.a * rare + at_rare[i])).max(0.0);
            let mut term = vector::exp(-expected);
            let mut left = chance[i] - term;
            let (mut count, mut one) = (0.0, 1.0);
            // The bounds keep out subnormal numbers, which are slow.
            term *= expected.max(1e-7);
            // A half-open range: the compiler unrolls no other, and only then are all lanes drawn together.
            for k in 1..MOST_VISITS + 1 {
                count = if left > 0.0 { k as f32 } else { count };
                one = if left > 0.0 { 1.0 / k as f32 } else { one };
                left -= term;
                term *= (expected * (1.0 / (k + 1) as f32)).max(0.02);
            }
            (visits[i], inverse[i]) = (count, one);
        }
        for i in 0..LANES {
            let rare = p[i].min(1.0 - p[i]);
            // 1/(1 - rare) by its series.
            let per_length = per_step * (1.0 + rare * (1.0 + rare * (1.0 + rare * (1.0 + rare))));
            let length = step.a * (1.0 - rare) - at_rare[i];
            let (count, one) = (visits[i].max(1.0), inverse[i]);
            let same = one + (1.0 - one) * per_k;
            // Wilson and Hilferty's power of a normal number, with the exact mean.
            let c = (one + 3.0 * same * per_length) * (1.0 / 9.0);
            let base = (1.0 - c + c.sqrt() * normal[i]).max(0.0);
            let sum = base * base * base * count;
            let scale = (1.0 - c) * ((1.0 - c) * (1.0 - c) + 3.0 * c);
            let whole = (same * sum + scale * (length - same * (1.0 + count * per_length))) * step.count;
            let (z, variance) = (y[i] - p[i], p[i] * (1.0 - p[i]));
            let spread = (step.from_z * step.from_z * open[i] + step.noise_variance * variance).max(1e-20);
            let inverse_product = 1.0 / (whole * spread);
            let share = if visits[i] > 0.0 { sum * spread * inverse_product } else { 0.0 };
            let mean = if p[i] <= 0.5 { share } else { 1.0 - share };
            let together = step.decay * step.from_z * open[i] + step.shared_noise * variance;
            let gain = together * whole * inverse_product;
            y[i] = p[i] + step.decay * z + gain * (mean - p[i] - step.from_z * z);
            open[i] = (step.decay * step.decay * open[i] + step.rest_variance * variance - gain * together).max(0.0);
            normal[i] = mean;
        }
    }
}
