//! The parts of a snapshot's state.

use crate::engine::command::Pace;
use crate::engine::mixing_monitor::MixingDiagnostics;
use crate::experiment::session::Completed;
use crate::studies::race::SamplerConfig;
use ndarray::Array2;
use serde::{Deserialize, Serialize};

/// Counters and rates.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Clock {
    /// Whether it runs.
    pub running: bool,
    /// The pace asked for.
    pub pace: Pace,
    /// Simulated time, ms.
    pub time_ms: f64,
    /// Steps since the start.
    pub steps: u64,
    /// Images seen.
    pub images: u64,
    /// Steps a second of wall time, lately.
    pub steps_per_second: f64,
    /// Images a second of wall time, lately.
    pub images_per_second: f64,
    /// The machine is too slow for the pace asked for.
    #[serde(default)]
    pub behind: bool,
    /// Snapshots not built because the window had not taken the last.
    pub dropped: u64,
}

/// What the governor did (model.md 2).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GovernorState {
    /// dt in force, ms.
    pub dt_ms: f64,
    /// Largest stable dt, ms.
    pub limit_ms: f64,
    /// lambda_max of each layer 1..=L.
    pub stiffness: Vec<f64>,
    /// dt was lowered.
    pub lowered: bool,
    /// manual, and past the limit.
    pub beyond: bool,
}

/// Pictures of network 0's stimulus, `[units of layer 0]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StimulusState {
    /// x_0 as it was given: under freed pixels what they would be if they were clamped.
    pub stimulus: Vec<f32>,
    /// E`[x_0 | x_1]` averaged over the samples since the stimulus came: the posterior mean's reconstruction.
    pub reconstruction: Vec<f32>,
    /// Steps since the stimulus came.
    pub steps: u64,
    /// The stimulus is held in every network.
    pub held: bool,
    /// Grows with every stimulus shown, but not with values set by hand; 0 while presentations end by themselves.
    pub presentation: u64,
    /// What freed pixels became, while there are any.
    pub completed: Option<Completed>,
}

/// One sampler of a race.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RacerState {
    /// Its settings.
    pub config: SamplerConfig,
    /// The pair's last positions, oldest first, `[chains]` each.
    pub trail: Vec<Vec<[f32; 2]>>,
    /// The last positions of the first chain alone, oldest first; more of them.
    #[serde(default)]
    pub path: Vec<[f32; 2]>,
    /// Visits of each cell since the start, `[rows (second unit), columns (first unit)]`.
    pub visits: Array2<u32>,
    /// All draws since the start, those outside the window included.
    pub visited: u64,
    /// Simulated time (ms) and total variation distance to the exact posterior.
    pub distance: Vec<[f64; 2]>,
    /// Integrated autocorrelation time of the pair as theory has it, ms.
    pub theory_ms: Option<[f64; 2]>,
    /// Total variation distance at which its curve ends, as theory has it.
    #[serde(default)]
    pub floor: Option<f64>,
    /// What was measured last.
    pub mixing: Option<MixingDiagnostics>,
}

/// Samplers side by side on one posterior.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RaceState {
    /// In order of their colours.
    pub racers: Vec<RacerState>,
    /// The rectangle of the visits, `[low, high]` along each axis.
    pub window: [[f64; 2]; 2],
    /// All chains began in the same places; else some have gone on from where other settings had brought them.
    #[serde(default)]
    pub common_start: bool,
    /// Simulated time since the start, ms.
    pub time_ms: f64,
    /// Step, ms.
    pub dt_ms: f64,
    /// tau_x, ms.
    pub tau_x_ms: f64,
    /// Chains a sampler.
    pub chains: usize,
}
