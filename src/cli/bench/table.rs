//! The figures that have a target, and how they are found.

use super::clock::{Pair, median, time_ms};
use super::parts::{Normals, Products, normals};
use super::{gabor, memory, models, together};
use crate::dynamics::Probes;
use crate::experiment::parallel::{on_at_most, run_on};
use crate::experiment::{Config, Session, presets};
use std::time::Instant;

/// Milliseconds that one round of steps should last.
const ROUND_MS: f64 = 25.0;

/// What a normal should cost with AVX2 or better, ns; by the code for every processor four times that.
const NORMAL_NS: f64 = 0.8;

/// Several sets of chains over the sum of their parts, at most.
const TOGETHER: f64 = 1.1;

/// A measured number and what it should reach.
#[derive(Debug, serde::Serialize)]
pub(super) struct Figure {
    /// Its key.
    pub key: String,
    /// What it is.
    pub what: String,
    pub unit: &'static str,
    /// NaN (null in JSON) where it could not be found.
    pub value: f64,
    /// What it should reach; None: told for its own sake.
    pub target: Option<f64>,
    /// Whether it has; None without a target.
    pub reached: Option<bool>,
}

/// Where a target lies.
#[derive(Clone, Copy)]
enum Target {
    AtMost(f64),
    AtLeast(f64),
    Untold,
}

/// The list that grows while it is measured.
#[derive(Default)]
pub(super) struct Figures(pub Vec<Figure>);

impl Figures {
    fn push(&mut self, key: &str, what: impl Into<String>, unit: &'static str, value: f64, target: Target) {
        let (target, reached) = match target {
            Target::AtMost(most) => (Some(most), Some(value <= most)),
            Target::AtLeast(least) => (Some(least), Some(value >= least)),
            Target::Untold => (None, None),
        };
        self.0.push(Figure { key: key.into(), what: what.into(), unit, value, target, reached });
    }
}

/// Steps that `session` runs in about [`ROUND_MS`].
pub(super) fn steps_of_a_round(session: &mut Session) -> usize {
    let trial = 20;
    session.advance(trial, &Probes::default());
    let trial_ms = time_ms(|| drop(session.advance(trial, &Probes::default())));
    ((ROUND_MS / trial_ms * trial as f64) as usize).clamp(4, 100_000)
}

/// A session of `config` that samples one stimulus and does not learn.
pub(super) fn sampler(config: &Config, threads: usize) -> anyhow::Result<Session> {
    let mut config = config.clone();
    config.learning.enabled = false;
    config.dynamics.threads = threads;
    config.data.patches = config.data.patches.min(2000);
    let mut session = Session::new(config)?;
    session.hold(true)?;
    Ok(session)
}

/// Steps on one and on two threads, in turn, with what one thread is bound by: products of the whole batch at the libraries'
/// speed, and normals at the batched rate.
pub(super) struct Step {
    /// Milliseconds a step on 1 and on 2 threads.
    pub ms: [f64; 2],
    /// How many times faster two threads are.
    pub speedup: f64,
    /// One thread: products as the program divides them, products of the whole batch, normals.
    pub products_ms: f64,
    pub gemm_ms: f64,
    pub normals_ms: f64,
    /// Median of (whole batch)/(as divided) within rounds.
    pub products_share: f64,
    /// Floating-point operations of the products.
    pub operations: f64,
}

impl Step {
    pub(super) fn measure(config: &Config, rounds: usize) -> anyhow::Result<Self> {
        let (mut one, mut two) = (sampler(config, 1)?, sampler(config, 2)?);
        let steps = steps_of_a_round(&mut one);
        let probes = Probes::default();
        // From within the threads, as the program runs them: where they are woken from outside, both may wake on the same core.
        let pair = run_on(two.pool(), || {
            let mut alone = || drop(on_at_most(1, || one.advance(steps, &probes)));
            Pair::time(rounds, [&mut alone, &mut || drop(two.advance(steps, &probes))])
        });
        let batch = config.stimulus.batch;
        let rows = one.networks().block_rows();
        let [mut divided, mut whole] = [0, 1].map(|_| Products::new(one.model(), batch));
        let repeats = (steps / 4).max(1);
        let mut as_divided = || (0..repeats).for_each(|_| divided.run(rows));
        let products = Pair::time(rounds, [&mut as_divided, &mut || (0..repeats).for_each(|_| whole.run_whole())]);
        let mut noise = Normals::new(normals(one.model(), batch, one.parameters().exact));
        let noise_ms = super::clock::median_ms(rounds, || (0..repeats).for_each(|_| noise.draw()));
        Ok(Self {
            ms: pair.ms().map(|ms| ms / steps as f64),
            speedup: pair.ratio(),
            products_ms: products.ms()[0] / repeats as f64,
            gemm_ms: products.ms()[1] / repeats as f64,
            normals_ms: noise_ms / repeats as f64,
            products_share: 1.0 / products.ratio(),
            operations: whole.operations(),
        })
    }

    /// A step on one thread over its bound.
    pub(super) fn over_the_bound(&self) -> f64 {
        self.ms[0] / (self.gemm_ms + self.normals_ms)
    }
}

/// A step of a hierarchy of these sizes below a categorical top: how much of it is products.
fn hierarchy(figures: &mut Figures, prefix: &str, sizes: [usize; 4], rounds: usize) -> anyhow::Result<()> {
    use Target::{AtLeast, AtMost, Untold};
    let step = Step::measure(&models::hierarchy(sizes)?, rounds)?;
    let [pixels, units, latents, states] = sizes;
    let mut push = |key: &str, what: &str, unit, value, target| figures.push(&format!("{prefix}_{key}"), what, unit, value, target);
    let what = format!("step, {pixels}-{units}-{latents}-categorical {states}, batch 100, 2 threads");
    push("2_threads_ms", &what, "ms", step.ms[1], Untold);
    push("1_thread_ms", "the same, 1 thread", "ms", step.ms[0], Untold);
    push("products_share", "its products, share of the libraries' speed", "", step.products_share, AtLeast(0.85));
    let gflops = step.operations / step.products_ms / 1e6;
    push("products_gflops", "its products, as the program divides them", "GFLOP/s", gflops, Untold);
    let rest = (step.ms[0] - step.products_ms) / step.products_ms;
    push("rest_over_products", "all else in its step over the products", "times", rest, AtMost(1.0));
    push("over_bound", "the same, 1 thread over products and normals alone", "times", step.over_the_bound(), Untold);
    Ok(())
}

/// Memory first, while the process is young; then steps, normals and learning, `seeds` runs of each preset.
pub(super) fn measure(rounds: usize, seeds: u64) -> anyhow::Result<Figures> {
    use Target::{AtLeast, AtMost, Untold};
    let mut figures = Figures::default();
    let dead_leaves = presets::by_name(presets::DEFAULT)?;

    let mut learner = Session::new(dead_leaves.clone())?;
    let start = Instant::now();
    while start.elapsed().as_secs_f64() < 1.0 {
        learner.advance(usize::MAX, &Probes::default());
    }
    let [resident, most] = memory::resident_mb().unwrap_or([f64::NAN; 2]);
    drop(learner);
    figures.push("memory_resident_mb", "resident memory, default preset, no window", "MB", resident, AtMost(150.0));
    figures.push("memory_peak_mb", "the most that it was", "MB", most, Untold);

    let step = Step::measure(&dead_leaves, rounds)?;
    figures.push("dead_leaves_2_threads_ms", "step, dead-leaves, 2 threads", "ms", step.ms[1], AtMost(0.13));
    figures.push("dead_leaves_1_thread_ms", "step, dead-leaves, 1 thread", "ms", step.ms[0], AtMost(0.25));
    figures.push("dead_leaves_speedup", "dead-leaves, 1 thread over 2", "times", step.speedup, AtLeast(1.8));
    figures.push("dead_leaves_over_bound", "dead-leaves, 1 thread over products and normals alone", "times", step.over_the_bound(), Untold);

    let wide = Step::measure(&models::sparse(256, 512, 128), rounds)?;
    figures.push("wide_2_threads_ms", "step, 256 pixels, 512 units, batch 128, 2 threads", "ms", wide.ms[1], Untold);
    figures.push("wide_1_thread_ms", "the same, 1 thread", "ms", wide.ms[0], Untold);
    figures.push("wide_speedup", "the same, 1 thread over 2", "times", wide.speedup, Untold);
    figures.push("wide_over_bound", "the same, 1 thread over products and normals alone", "times", wide.over_the_bound(), Untold);

    for (prefix, sizes) in [("hierarchy", [784, 256, 20, 400]), ("large_hierarchy", [784, 400, 24, 4000])] {
        hierarchy(&mut figures, prefix, sizes, rounds)?;
    }
    figures.push("race_of_four", "race of four, ridge, over four races of one", "times", together::race(rounds)?, AtMost(TOGETHER));
    let generation = together::generation(rounds)?;
    figures.push("generation_of_three", "three ways of generating digits over each by itself", "times", generation, AtMost(TOGETHER));

    let (mut fast, mut portable) = (Normals::new(32_768), Normals::new(32_768));
    let mut by_lanes = || (0..20).for_each(|_| fast.draw());
    let normals = Pair::time(5 * rounds, [&mut by_lanes, &mut || (0..20).for_each(|_| portable.draw_portably())]);
    let [fast_ns, portable_ns] = normals.ms().map(|ms| ms * 1e6 / (20.0 * 32_768.0));
    figures.push("normals_ns", "normals, each", "ns", fast_ns, AtMost(NORMAL_NS));
    figures.push("normals_portable_ns", "normals, each, by the code for every processor", "ns", portable_ns, AtMost(4.0 * NORMAL_NS));
    figures.push("normals_portable_ratio", "the second over the first", "times", 1.0 / normals.ratio(), Untold);

    for (key, what, config, share, most) in [
        ("gabor_dead_leaves_s", "dead-leaves: start to Gabor share 0.95", dead_leaves, 0.95, 2.0),
        ("gabor_photographs_s", "photographs: start to Gabor share 0.9", presets::by_name("photographs")?, 0.9, 3.0),
        ("gabor_photographs_16_s", "photographs 16x16, 256 units: start to Gabor share 0.9", models::photographs_16()?, 0.9, 6.0),
    ] {
        let mut found = Vec::new();
        for seed in 0..seeds {
            let mut config = config.clone();
            (config.dynamics.seed, config.dynamics.threads) = (seed, 0);
            found.push(gabor::seconds_to(&config, share)?.map_or([f64::NAN; 2], |(seconds, images)| [seconds, images as f64]));
        }
        let seconds = median(found.iter().map(|f| f[0]).collect());
        figures.push(key, what, "s", seconds, AtMost(most));
        let images = median(found.iter().map(|f| f[1]).collect());
        figures.push(&key.replace("_s", "_images"), format!("images of that run, median of {seeds} seeds"), "", images, Untold);
    }
    Ok(figures)
}
