//! For tests: how far f32 code is from the same formula in f64, and random inputs to compare them on.

use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRunner};

/// |found - exact| in units in the last place of an f32 as large as `scale`, the largest term of the sum that gives `exact`.
pub(crate) fn ulps(found: f32, exact: f64, scale: f64) -> f64 {
    (f64::from(found) - exact).abs() / (scale.abs().max(exact.abs()).max(f64::from(f32::MIN_POSITIVE)) * f64::from(f32::EPSILON))
}

/// Lists of `columns` numbers each, N rows of them with 0 <= N < 100, so that whole vectors and every rest occur.
pub(crate) fn rows<const COLUMNS: usize>(low: f32, high: f32) -> impl Strategy<Value = Vec<[f32; COLUMNS]>> {
    proptest::collection::vec(proptest::array::uniform::<_, COLUMNS>(low..high), 0..100)
}

/// Column `k` of these.
pub(crate) fn column<const COLUMNS: usize>(rows: &[[f32; COLUMNS]], k: usize) -> Vec<f32> {
    rows.iter().map(|row| row[k]).collect()
}

/// 64 random inputs, always the same; under an interpreter (`scripts/check_unsafe.sh`) two.
pub(crate) fn for_many<S: Strategy>(strategy: S, check: impl Fn(S::Value)) {
    let config = ProptestConfig {
        cases: if cfg!(miri) { 2 } else { 64 },
        rng_seed: RngSeed::Fixed(7),
        failure_persistence: None,
        ..Default::default()
    };
    let result = TestRunner::new(config).run(&strategy, |value| {
        check(value);
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

/// The largest of `worst` over 64 random inputs, always the same.
pub(crate) fn worst_of_many<S: Strategy>(strategy: S, worst: impl Fn(S::Value) -> f64) -> f64 {
    let most = std::cell::Cell::new(0.0f64);
    for_many(strategy, |value| {
        let found = worst(value);
        most.set(if found.is_nan() { f64::INFINITY } else { most.get().max(found) });
    });
    most.get()
}
