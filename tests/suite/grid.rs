//! The posterior on a grid (model.md 5.6) against adaptive quadrature, for the presets and for random models of every family.

use super::random::{each, layer, top};
use heescope::analysis::density::DensityGrid;
use heescope::model::energy::energy;
use heescope::model::{Activation, FamilyConfig, Hierarchy};
use ndarray::{Array1, Axis};
use proptest::prelude::*;

/// Simpson's rule on halves of `[low, high]` until the two halves agree with the whole; `ends` are the values at low, middle, high.
fn refine(f: &impl Fn(f64) -> f64, [low, high]: [f64; 2], ends: [f64; 3], tolerance: f64, depth: u32) -> f64 {
    let middle = 0.5 * (low + high);
    let [left, right] = [0.5 * (low + middle), 0.5 * (middle + high)].map(f);
    let simpson = |a: f64, b: f64, [fa, fm, fb]: [f64; 3]| (b - a) / 6.0 * (fa + 4.0 * fm + fb);
    let halves = [[ends[0], left, ends[1]], [ends[1], right, ends[2]]];
    let fine = simpson(low, middle, halves[0]) + simpson(middle, high, halves[1]);
    let error = fine - simpson(low, high, ends);
    if error.abs() < 15.0 * tolerance || depth == 0 {
        return fine + error / 15.0;
    }
    refine(f, [low, middle], halves[0], 0.5 * tolerance, depth - 1) + refine(f, [middle, high], halves[1], 0.5 * tolerance, depth - 1)
}

/// The integral over `[low, high]`, begun on 32 pieces so that no narrow peak is missed.
fn adaptive(f: impl Fn(f64) -> f64, [low, high]: [f64; 2], tolerance: f64) -> f64 {
    let at = |i: usize| low + (high - low) * i as f64 / 32.0;
    (0..32)
        .map(|i| {
            let piece = [at(i), at(i + 1)];
            refine(&f, piece, [f(piece[0]), f(0.5 * (piece[0] + piece[1])), f(piece[1])], tolerance / 32.0, 24)
        })
        .sum()
}

/// Largest difference of the grid's marginal of the first unit from the exact one at a few places, over the largest density.
/// `shift` moves the places by cells: a planted bug.
fn worst(model: &Hierarchy, x0: &[f32], reach: f64, shift: f64) -> f64 {
    const CELLS: usize = 256;
    let grid = DensityGrid::posterior(model, x0, 1.0, CELLS).unwrap();
    let observed = Array1::from_iter(x0.iter().map(|&x| f64::from(x)));
    let log_density = |a: f64, b: f64| -energy(model, &[observed.clone(), Array1::from(vec![a, b])]);
    let [low, high] = model.layers[1].bounds();
    let ends = [low.max(-reach), high.min(reach)];
    // In units of the largest density near the grid's own peak.
    let place = |i: usize, [low, high]: [f64; 2]| low + (i as f64 + 0.5) / CELLS as f64 * (high - low);
    let peak = grid.density.indexed_iter().max_by(|a, b| a.1.total_cmp(b.1)).unwrap().0;
    let top = log_density(place(peak.1, grid.x), place(peak.0, grid.y));
    let marginal = |a: f64| adaptive(|b| (log_density(a, b) - top).exp(), ends, 1e-6);
    let total = adaptive(marginal, ends, 1e-5);
    let cell = (grid.x[1] - grid.x[0]) / CELLS as f64;
    let sums = grid.density.sum_axis(Axis(0)) * ((grid.y[1] - grid.y[0]) / CELLS as f64);
    // A cell that a wall of the support cuts holds less than its centre says.
    let inside = |a: f64| a - cell > ends[0] && a + cell < ends[1];
    let difference = |i: usize| {
        let a = place(i, grid.x);
        if inside(a) { (sums[i] - marginal(a + shift * cell) / total).abs() } else { 0.0 }
    };
    (0..CELLS).step_by(5).map(difference).fold(0.0, f64::max) / sums.fold(0.0f64, |top, &v| top.max(v))
}

#[test]
fn the_grid_of_the_presets_is_that_of_adaptive_quadrature() {
    for preset in ["explaining-away", "ring"] {
        let config = heescope::experiment::presets::by_name(preset).unwrap();
        let model = heescope::experiment::session::build_model(&config).unwrap();
        let found = worst(&model, &config.stimulus.values, 12.0, 0.0);
        assert!(found < 2e-3, "{preset}: {found}");
        let shifted = worst(&model, &config.stimulus.values, 12.0, 0.5);
        assert!(shifted > 2e-3, "{preset}: a grid that is half a cell off is told apart: {shifted}");
    }
}

#[test]
fn the_grid_of_random_models_is_that_of_adaptive_quadrature() {
    for (i, family) in top().into_iter().enumerate() {
        let numbers = prop::collection::vec(0.4..0.9f32, 3);
        each((family, 0.4..0.8f64, numbers), |(high, sigma, n)| {
            let activation = Activation::ALL[i % 5];
            let layers = vec![layer(FamilyConfig::Gaussian { sigma }, Activation::Linear, 1), layer(high, activation, 2)];
            let model = Hierarchy::new(layers, vec![ndarray::array![[n[0], -n[1]]]]).unwrap();
            let found = worst(&model, &[n[2]], 10.0, 0.0);
            // Heavy tails are cut where the grid ends, and walls cut cells: up to 1 % of the largest density.
            prop_assert!(found < 1e-2, "{high:?} {activation:?}: {found}");
            let shifted = worst(&model, &[n[2]], 10.0, 3.0);
            prop_assert!(shifted > 1e-2, "{high:?} {activation:?}: a grid three cells off is not told apart: {shifted}");
            Ok(())
        });
    }
}
