//! Random families and models for property tests: a few cases of each, always the same; what fails is shrunk.

use heescope::model::{Activation, FamilyConfig, Layer};
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRunner};

/// Every family that may stand below another layer, with random parameters.
pub fn below() -> Vec<BoxedStrategy<FamilyConfig>> {
    vec![
        (0.3..1.5f64).prop_map(|sigma| FamilyConfig::Gaussian { sigma }).boxed(),
        (0.3..1.5f64).prop_map(|sigma| FamilyConfig::RectifiedGaussian { sigma }).boxed(),
        Just(FamilyConfig::ContinuousBernoulli).boxed(),
        Just(FamilyConfig::Bernoulli).boxed(),
        (0.5..4.0f64, 0.1..0.5f64, 0.5..2.0f64).prop_map(|(lambda, delta, kappa)| FamilyConfig::Laplace { lambda, delta, kappa }).boxed(),
        (2.0..9.0f64, 0.3..1.0f64, 0.5..2.0f64).prop_map(|(nu, s, kappa)| FamilyConfig::StudentT { nu, s, kappa }).boxed(),
    ]
}

/// Every family of neurons, for the top.
pub fn top() -> Vec<BoxedStrategy<FamilyConfig>> {
    let mut all = below();
    drop(all.remove(3)); // bernoulli is observed only
    all.push((2.0..9.0f64, 0.2..0.6f64).prop_map(|(nu, s)| FamilyConfig::StudentT { nu, s, kappa: 0.0 }).boxed());
    all.push((1.0..3.0f64, 0.1..0.4f64).prop_map(|(lambda, delta)| FamilyConfig::Laplace { lambda, delta, kappa: 0.0 }).boxed());
    all
}

/// Three cases of each strategy.
pub fn each<S: Strategy>(strategy: S, check: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config =
        ProptestConfig { cases: 3, rng_seed: RngSeed::Fixed(11), failure_persistence: None, max_shrink_iters: 8, ..Default::default() };
    if let Err(error) = TestRunner::new(config).run(&strategy, check) {
        panic!("{error}");
    }
}

/// A layer of this family.
pub fn layer(family: FamilyConfig, activation: Activation, size: usize) -> Layer {
    Layer::new(family, activation, size).unwrap()
}
