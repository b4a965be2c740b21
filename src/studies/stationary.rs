//! One sampler's chains, run until they are stationary: what the sweeps measure.

use crate::experiment::FrozenModel;
use crate::experiment::config::DynamicsConfig;
use crate::studies::race::{Race, SamplerConfig, Start};
use crate::studies::{Observer, Report, StudyError, StudyTarget};

/// Chains of each setting.
const CHAINS: usize = 128;
/// Steps in one go.
pub(super) const CHUNK: usize = 500;

/// The sampler `config` with the rest of its dynamics as in `common`, from draws of the prior, after `burn_in_ms`.
pub(super) fn stationary_chains(
    target: &StudyTarget,
    config: SamplerConfig,
    common: &DynamicsConfig,
    burn_in_ms: f64,
    observer: &mut dyn Observer,
) -> Result<Race, StudyError> {
    let frozen = FrozenModel { dynamics: *common, ..(*target.frozen).clone() };
    let mut race = Race::new(&frozen, target.watched, None, &[config], CHAINS);
    race.restart(Start::Prior);
    let steps = (burn_in_ms / race.dt_ms()).ceil() as usize;
    advance(&mut race, steps, observer)?;
    Ok(race)
}

/// At least `steps` steps.
pub(super) fn advance(race: &mut Race, steps: usize, observer: &mut dyn Observer) -> Result<(), StudyError> {
    (0..steps.div_ceil(CHUNK)).try_for_each(|_| {
        race.advance(CHUNK);
        observer.tell(Report::Working)
    })
}

/// Variance of all draws about their mean, and its standard error over chains; `chains` is `[chains][draws]`.
pub(super) fn variance(chains: &[Vec<f64>]) -> (f64, f64) {
    let draws = chains.first().map_or(1, Vec::len).max(1) as f64;
    let count = chains.len() as f64;
    let mean = chains.iter().flatten().sum::<f64>() / (draws * count);
    let own: Vec<f64> = chains.iter().map(|c| c.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / draws).collect();
    let all = own.iter().sum::<f64>() / count;
    let spread = own.iter().map(|v| (v - all).powi(2)).sum::<f64>() / (count - 1.0);
    (all, (spread / count).sqrt())
}
