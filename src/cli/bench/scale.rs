//! Steps of large models, beside what their products and normals alone would take: sizes, batches, layers, threads.

use super::clock::Turns;
use super::models::sparse;
use super::parts::{ColumnProducts, Normals, Products, normals};
use super::table::{sampler, steps_of_a_round};
use crate::dynamics::Probes;
use crate::experiment::{Config, LayerConfig};
use crate::model::FamilyConfig;
use rayon::prelude::*;
use std::cell::RefCell;
use std::fmt::Write;
use std::sync::Arc;

/// Pixels and units of models with one layer of neurons.
const SIZES: [[usize; 2]; 6] = [[144, 144], [256, 512], [576, 1024], [1024, 1024], [784, 4096], [1024, 2048]];
/// Networks; the second is that of the models with several layers.
const BATCHES: [usize; 3] = [32, 100, 400];
/// Units from the observation upwards.
const DEEP: [&[usize]; 2] = [&[576, 1024, 512], &[576, 1024, 512, 256]];

/// One model on so many threads.
#[derive(Clone, Debug, serde::Serialize)]
pub(super) struct Scale {
    /// Units of the layers, from the observation upwards.
    pub units: Vec<usize>,
    /// Networks.
    pub batch: usize,
    pub threads: usize,
    /// Milliseconds a step.
    pub step_ms: f64,
    /// Milliseconds of the products of the whole batch alone on these threads, which divide the networks, at the best of two layouts, or
    /// the weights, whichever is faster.
    pub products_ms: f64,
    /// Milliseconds of the normals alone on these threads.
    pub normals_ms: f64,
    /// A step over its products and normals alone, median of the ratios within rounds.
    pub over_the_bound: f64,
    /// Floating-point operations of the products.
    pub operations: f64,
}

/// Measures every size at every batch, and several layers, on one thread and on all.
pub(super) fn measure(rounds: usize) -> anyhow::Result<Vec<Scale>> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = if cores > 1 { vec![1, cores] } else { vec![1] };
    let wide = SIZES.iter().flat_map(|size| BATCHES.map(|batch| (size.as_slice(), batch)));
    let deep = DEEP.iter().map(|units| (*units, BATCHES[1]));
    let mut all = Vec::new();
    for (units, batch) in wide.chain(deep) {
        for &threads in &threads {
            all.push(point(units, batch, threads, rounds)?);
        }
    }
    Ok(all)
}

fn point(units: &[usize], batch: usize, threads: usize, rounds: usize) -> anyhow::Result<Scale> {
    let mut session = sampler(&model(units, batch), threads)?;
    let steps = steps_of_a_round(&mut session);
    let rows = batch.div_ceil(threads);
    let parts = 0..batch.div_ceil(rows);
    let mut by_rows: Vec<Products> = parts.clone().map(|part| Products::new(session.model(), rows.min(batch - part * rows))).collect();
    let operations = by_rows.iter().map(Products::operations).sum();
    let mut by_columns = ColumnProducts::of_threads(session.model(), batch, threads);
    let count = normals(session.model(), batch, session.parameters().exact);
    let mut noise: Vec<Normals> = parts.map(|_| Normals::new(count.div_ceil(threads))).collect();

    // From within the threads, as the program runs them.
    let pool = match session.pool() {
        Some(pool) => pool,
        None => Arc::new(rayon::ThreadPoolBuilder::new().num_threads(threads).build()?),
    };
    let probes = Probes::default();
    let turns = pool.install(|| {
        let by_rows = RefCell::new(&mut by_rows);
        Turns::time(
            rounds,
            [
                &mut || drop(session.advance(steps, &probes)),
                &mut || apart(&mut by_rows.borrow_mut(), steps, |part| part.run(usize::MAX)),
                &mut || apart(&mut by_rows.borrow_mut(), steps, Products::run_whole),
                &mut || apart(&mut by_columns, steps, ColumnProducts::run),
                &mut || apart(&mut noise, steps, Normals::draw),
            ],
        )
    });
    let [step_ms, laid_out, whole, columns, normals_ms] = turns.ms().map(|ms| ms / steps as f64);
    let products_ms = laid_out.min(whole).min(columns);
    let fastest = 1 + [laid_out, whole, columns].iter().take_while(|ms| **ms > products_ms).count();
    let over_the_bound = turns.median_of(|times| times[0] / (times[fastest] + times[4]));
    Ok(Scale { units: units.to_vec(), batch, threads, step_ms, products_ms, normals_ms, over_the_bound, operations })
}

/// Lets each thread do its part of all steps without waiting for the others.
fn apart<T: Send>(parts: &mut [T], steps: usize, step: impl Fn(&mut T) + Sync) {
    parts.par_iter_mut().with_max_len(1).for_each(|part| (0..steps).for_each(|_| step(part)));
}

/// Gaussian pixels below student-t units, and gaussian units between them where there are several layers.
fn model(units: &[usize], batch: usize) -> Config {
    let mut config = sparse(units[0], units[units.len() - 1], batch);
    for (l, &size) in units.iter().enumerate().skip(1).take(units.len().saturating_sub(2)) {
        let Some(&top) = config.model.layers.last() else { continue };
        config.model.layers.insert(l, LayerConfig { family: FamilyConfig::Gaussian { sigma: 0.4 }, size, ..top });
    }
    config
}

/// A line for each model.
pub(super) fn text(all: &[Scale]) -> String {
    let mut out = format!(
        "{:>20} {:>6} {:>8} {:>10} {:>12} {:>11} {:>8} {:>9}\n",
        "units", "batch", "threads", "step, ms", "products, ms", "normals, ms", "GFLOP/s", "over both"
    );
    for of in all {
        let units = of.units.iter().map(ToString::to_string).collect::<Vec<_>>().join(" x ");
        let speed = of.operations / of.products_ms / 1e6;
        let _ = writeln!(
            out,
            "{units:>20} {:>6} {:>8} {:>10.4} {:>12.4} {:>11.4} {speed:>8.1} {:>9.3}",
            of.batch, of.threads, of.step_ms, of.products_ms, of.normals_ms, of.over_the_bound
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_of_several_layers_has_the_units_it_is_named_after_and_its_bound_counts_them() {
        let found = point(&[16, 9, 5, 4], 6, 1, 1).unwrap();
        assert_eq!(found.operations, 4.0 * 6.0 * (16 * 9 + 9 * 5 + 5 * 4) as f64, "two products of a multiplication and a sum each");
        assert!([found.step_ms, found.products_ms, found.normals_ms].iter().all(|ms| *ms > 0.0) && found.over_the_bound > 0.0);
        let config = model(&[16, 9, 5, 4], 6);
        assert_eq!(config.model.layers.iter().map(|layer| layer.size).collect::<Vec<_>>(), [16, 9, 5, 4]);
        assert!(matches!(config.model.layers[3].family, FamilyConfig::StudentT { .. }));
        let lines = text(&[found.clone(), found]);
        assert_eq!(lines.lines().count(), 3);
        assert!(lines.contains("16 x 9 x 5 x 4"), "{lines}");
    }
}
