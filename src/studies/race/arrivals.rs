//! When samplers arrive at the exact posterior.

use super::sampler::SamplerConfig;

/// When one sampler reached the posterior in each race.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Arrivals {
    /// Its settings.
    pub sampler: SamplerConfig,
    /// Simulated ms and wall seconds of the races in which it arrived.
    pub times: Vec<[f64; 2]>,
}
