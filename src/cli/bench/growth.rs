//! How the cost of a step grows with batch, pixels, units, layers, K and threads.

use super::clock::{median_ms, time_ms};
use super::models::{deep, sparse};
use super::parts::{Normals, Products, normals};
use super::table::sampler;
use crate::dynamics::Probes;
use crate::experiment::Config;

/// One point of the table.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub(super) struct Point {
    /// The number that varies.
    pub at: usize,
    /// Milliseconds a step.
    pub step_ms: f64,
    /// Products of the whole batch at the libraries' speed, and normals at the batched rate, one thread.
    pub bound_ms: f64,
}

/// Points along one axis, all else as in dead-leaves (batch 100, 144 pixels, 144 units, one layer, K = 1, one thread).
#[derive(Clone, Debug, serde::Serialize)]
pub(super) struct Growth {
    pub over: &'static str,
    pub points: Vec<Point>,
}

/// Measures every axis.
pub(super) fn measure(rounds: usize) -> anyhow::Result<Vec<Growth>> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads: Vec<usize> = [1, 2, 4, 8, 16].into_iter().filter(|&t| t <= cores.max(2)).collect();
    let axis = |over, values: &[usize], config: &dyn Fn(usize) -> Config| -> anyhow::Result<Growth> {
        let points = values.iter().map(|&at| point(&config(at), at, rounds)).collect::<anyhow::Result<_>>()?;
        Ok(Growth { over, points })
    };
    let with = |change: &dyn Fn(&mut Config)| {
        let mut config = sparse(144, 144, 100);
        config.dynamics.threads = 1;
        change(&mut config);
        config
    };
    Ok(vec![
        axis("batch", &[25, 50, 100, 200, 400, 800], &|n| with(&|c| c.stimulus.batch = n))?,
        axis("pixels", &[36, 64, 144, 256, 576, 1024], &|n| one_thread(sparse(n, 144, 100)))?,
        axis("units", &[36, 72, 144, 288, 576, 1152], &|n| one_thread(sparse(144, n, 100)))?,
        axis("layers", &[1, 2, 3, 4], &|n| one_thread(deep(n)))?,
        axis("K", &[1, 4, 16, 64], &|n| with(&|c| c.dynamics.interneurons = n))?,
        axis("threads", &threads, &|n| with(&|c| c.dynamics.threads = n))?,
    ])
}

fn one_thread(mut config: Config) -> Config {
    config.dynamics.threads = 1;
    config
}

fn point(config: &Config, at: usize, rounds: usize) -> anyhow::Result<Point> {
    let mut session = sampler(config, config.dynamics.threads)?;
    let probes = Probes::default();
    session.advance(20, &probes);
    let trial_ms = time_ms(|| drop(session.advance(20, &probes)));
    let steps = ((10.0 * 20.0 / trial_ms) as usize).clamp(4, 100_000);
    let step_ms = median_ms(rounds, || drop(session.advance(steps, &probes))) / steps as f64;
    let batch = config.stimulus.batch;
    let mut products = Products::new(session.model(), batch);
    let mut noise = Normals::new(normals(session.model(), batch, session.parameters().exact));
    let bound_ms = median_ms(rounds, || {
        products.run_whole();
        noise.draw();
    });
    Ok(Point { at, step_ms, bound_ms })
}
