//! Changes of bernoulli interneurons drawn one after the other (model.md 9), of many units side by side.

use super::gathered::{GatheredUnits, LANES, Lanes};
use super::step::TwoStateStep;
use crate::dynamics::noise::{Noise, log};

/// Draws the units that have changes, whose `chance` decides when the first one comes. Where something is left open, `y` is an
/// expectation, and a number of interneurons with this mean is taken.
#[multiversion::multiversion(targets("x86_64+avx512f+avx512dq+avx512vl+avx512bw+avx2+avx", "x86_64+avx2+avx"))]
pub(super) fn draw(units: &mut GatheredUnits, step: &TwoStateStep, noise: &mut Noise) {
    let mut random = Uniforms::default();
    for mut lanes in units.lanes() {
        let mut process = Process::begin(&lanes, &random.next(noise), step);
        while process.change(&random.next(noise), &random.next(noise)) {}
        process.end(&mut lanes, step);
    }
}

/// The K interneurons of some units at one moment of the step.
struct Process {
    /// Rate in dt at which one interneuron that is at 0 goes to 1.
    up: [f32; LANES],
    /// Rate in dt at which one that is at 1 goes to 0.
    down: [f32; LANES],
    /// Interneurons at 1, of `count`.
    on: [f32; LANES],
    count: f32,
    /// Share of dt that is over; 1 where no change is to come.
    time: [f32; LANES],
    /// Integral of `on` over that time.
    integral: [f32; LANES],
    /// Decides when the next change comes.
    chance: [f32; LANES],
}

impl Process {
    #[inline(always)]
    fn begin(lanes: &Lanes<'_>, random: &[f32; LANES], step: &TwoStateStep) -> Self {
        let count = step.count;
        let mut process =
            Self { up: *lanes.p, down: *lanes.p, on: *lanes.y, count, time: [0.0; LANES], integral: [0.0; LANES], chance: *lanes.chance };
        for (i, random) in random.iter().enumerate() {
            let p = lanes.p[i];
            (process.up[i], process.down[i]) = (step.a * p, step.a * (1.0 - p));
            let known = lanes.open[i] == 0.0;
            process.on[i] = (lanes.y[i] * count + if known { 0.5 } else { *random }).floor().clamp(0.0, count);
        }
        process
    }

    /// Goes on to the next change of each unit, or to the end of the step; returns whether any has changed.
    #[inline(always)]
    fn change(&mut self, which: &[f32; LANES], when: &[f32; LANES]) -> bool {
        let mut changes = 0u32;
        for i in 0..LANES {
            let (on, time) = (self.on[i], self.time[i]);
            let (up, down) = (self.up[i] * (self.count - on), self.down[i] * on);
            let rate = up + down;
            let wait = -log(self.chance[i]) / rate.max(f32::MIN_POSITIVE);
            let changed = (rate > 0.0) & (time + wait < 1.0);
            self.integral[i] += if changed { wait } else { 1.0 - time } * on;
            self.time[i] = if changed { time + wait } else { 1.0 };
            let direction = if which[i] * rate < up { 1.0 } else { -1.0 };
            self.on[i] = if changed { on + direction } else { on };
            self.chance[i] = when[i];
            changes += u32::from(changed);
        }
        changes > 0
    }

    #[inline(always)]
    fn end(&self, lanes: &mut Lanes<'_>, step: &TwoStateStep) {
        let per_interneuron = 1.0 / step.count;
        for i in 0..LANES {
            lanes.mean[i] = self.integral[i] * per_interneuron;
            lanes.y[i] = self.on[i] * per_interneuron;
            lanes.open[i] = 0.0;
        }
    }
}

/// Uniform numbers in (0, 1), so many at a time.
struct Uniforms {
    values: [f32; 8 * LANES],
    used: usize,
}

impl Default for Uniforms {
    fn default() -> Self {
        Self { values: [0.0; 8 * LANES], used: 8 }
    }
}

impl Uniforms {
    fn next(&mut self, noise: &mut Noise) -> [f32; LANES] {
        let groups = self.values.len() / LANES;
        if self.used == groups {
            noise.fill_uniform(&mut self.values);
            self.used = 0;
        }
        self.used += 1;
        self.values.as_chunks::<LANES>().0[self.used - 1]
    }
}
