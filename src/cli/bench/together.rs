//! Several sets of chains that advance in turn, beside the same sets one after the other: what they take from each other's place in the
//! cache.

use super::clock::Pair;
use crate::experiment::{FrozenModel, ModelVersion, Session, WatchedUnits, presets};
use crate::studies::generation::{GenerationChains, GenerationRequest, Mode, Origin};
use crate::studies::race::{Race, SamplerConfig};

/// Chains of each sampler of a race, and images of each way of generating.
const CHAINS: usize = 64;
/// Steps that a set takes until it is the next one's turn.
const TURN: usize = 20;
/// Turns of a round.
const TURNS: usize = 40;

/// The four samplers of a race with the preset ridge over four races of one, `rounds` of each.
pub(super) fn race(rounds: usize) -> anyhow::Result<f64> {
    let session = Session::new(presets::by_name("ridge")?)?;
    let frozen = FrozenModel::of(&session, ModelVersion::default());
    let samplers = SamplerConfig::contrast(&frozen.dynamics);
    let of = |samplers: &[SamplerConfig]| Race::new(&frozen, WatchedUnits { layer: 1, pair: [0, 1] }, None, samplers, CHAINS);
    let mut four = of(&samplers);
    let mut alone: Vec<Race> = samplers.iter().map(|sampler| of(&[*sampler])).collect();
    let mut together = || (0..TURNS).for_each(|_| four.advance(TURN));
    let mut in_turn = || alone.iter_mut().for_each(|race| (0..TURNS).for_each(|_| race.advance(TURN)));
    Ok(Pair::time(rounds, [&mut together, &mut in_turn]).ratio())
}

/// Joint, marginal and ancestral generation with the preset digits over each of them by itself, `rounds` of each.
pub(super) fn generation(rounds: usize) -> anyhow::Result<f64> {
    let session = Session::new(presets::by_name("digits")?)?;
    let frozen = FrozenModel::of(&session, ModelVersion::default());
    let chains = || -> anyhow::Result<Vec<GenerationChains>> {
        let one = |mode| {
            let request = GenerationRequest {
                mode,
                count: CHAINS,
                inner: 8,
                temperature: 1.0,
                origin: Origin::Noise,
                waking_steps: 0,
                category: None,
                seed: 1,
            };
            Ok(GenerationChains::new(&frozen, request, None)?)
        };
        Mode::ALL.into_iter().map(one).collect()
    };
    let (mut three, mut alone) = (chains()?, chains()?);
    let mut together = || (0..TURNS).for_each(|_| three.iter_mut().for_each(|chains| chains.advance(TURN)));
    let mut in_turn = || alone.iter_mut().for_each(|chains| (0..TURNS).for_each(|_| chains.advance(TURN)));
    Ok(Pair::time(rounds, [&mut together, &mut in_turn]).ratio())
}
