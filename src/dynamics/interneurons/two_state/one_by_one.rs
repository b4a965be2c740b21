//! Changes of bernoulli interneurons drawn one after the other (model.md 9).

use super::step::{TwoStateStep, is_many};
use crate::dynamics::noise::Noise;
use crate::model::vector;

/// Draws the units where few changes are to be expected; each of these has a number of `chance` and no change in `mean` and `y` so far.
pub(super) fn advance(
    p: &[f32],
    [y, open_variance, mean]: [&mut [f32]; 3],
    (chance, marks): (&[f32], &mut [u8]),
    step: &TwoStateStep,
    random: &mut Uniforms,
    noise: &mut Noise,
) {
    marks.fill(0); // the last group may be a part of one
    mark_changes(p, y, open_variance, chance, &mut marks[..p.len()], step);
    for (group, marks) in marks.as_chunks::<8>().0.iter().enumerate() {
        if u64::from_ne_bytes(*marks) == 0 {
            continue;
        }
        for i in (0..8).filter(|&i| marks[i] != 0).map(|i| 8 * group + i) {
            let first = if open_variance[i] == 0.0 { Some(chance[i]) } else { None };
            (mean[i], y[i]) = one_by_one(p[i], y[i], first, step, random, noise);
            open_variance[i] = 0.0;
        }
    }
}

/// Marks the units whose changes are to be drawn one by one: those with a change in the step, which `chance` decides, and those
/// of which only an expectation is known.
#[multiversion::multiversion(targets("x86_64+avx512f+avx512dq+avx512vl+avx512bw+avx2+avx", "x86_64+avx2+avx"))]
fn mark_changes(p: &[f32], y: &[f32], open: &[f32], chance: &[f32], marks: &mut [u8], step: &TwoStateStep) {
    let n = p.len();
    let (y, open, chance, marks) = (&y[..n], &open[..n], &chance[..n], &mut marks[..n]);
    for i in 0..n {
        let rate = step.a * step.count * ((1.0 - y[i]) * p[i] + y[i] * (1.0 - p[i]));
        let none = vector::exp(-rate); // the probability of no change
        marks[i] = u8::from(!is_many(p[i], step) & ((chance[i] >= none) | (open[i] != 0.0)));
    }
}

/// Changes drawn one after the other: the mean over the step and the mean of the K at its end. `first` decides when the first comes; where
/// it is None, `y` is an expectation, and a number of interneurons with this mean is taken.
fn one_by_one(p: f32, y: f32, first: Option<f32>, step: &TwoStateStep, random: &mut Uniforms, noise: &mut Noise) -> (f32, f32) {
    let k = step.count;
    let mut on = match first {
        Some(_) => (y * k + 0.5).floor(),
        None => (y * k + random.next(noise)).floor().clamp(0.0, k),
    };
    let mut chance = first.unwrap_or_else(|| random.next(noise));
    let (mut time, mut integral) = (0.0, 0.0);
    loop {
        let (up, down) = (step.a * (k - on) * p, step.a * on * (1.0 - p));
        let wait = -chance.ln() / (up + down); // infinite, or 0/0, where nothing can change
        if wait.is_nan() || time + wait >= 1.0 {
            return ((integral + (1.0 - time) * on) / k, on / k);
        }
        integral += wait * on;
        time += wait;
        on += if random.next(noise) * (up + down) < up { 1.0 } else { -1.0 };
        chance = random.next(noise);
    }
}

/// Uniform numbers in (0, 1), one at a time.
pub(super) struct Uniforms {
    values: [f32; 64],
    used: usize,
}

impl Default for Uniforms {
    fn default() -> Self {
        Self { values: [0.0; 64], used: 64 }
    }
}

impl Uniforms {
    fn next(&mut self, noise: &mut Noise) -> f32 {
        if self.used == self.values.len() {
            noise.fill_uniform(&mut self.values);
            self.used = 0;
        }
        self.used += 1;
        self.values[self.used - 1]
    }
}
