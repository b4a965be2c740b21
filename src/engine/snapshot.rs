//! The latest-value picture of the simulation: built only when the window has taken the last one.

use crate::analysis::density::DensityGrid;
use crate::engine::command::{Pace, Watch};
use crate::engine::generation_thread::GenerationState;
use crate::engine::mixing_monitor::MixingDiagnostics;
use crate::engine::tuning_runner::TuningState;
use crate::experiment::Config;
use crate::experiment::config::LayerConfig;
use crate::experiment::session::Completed;
use crate::experiment::stages::StagePosition;
use crate::model::{Hierarchy, Layer};
use crate::studies::race::SamplerConfig;
use crate::studies::{StudyFindings, StudyTarget};
use ndarray::{Array1, Array2};
use std::sync::Arc;

/// One sample of a traced unit, network 0, after one step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TraceSample {
    /// Simulated time, ms.
    pub time_ms: f64,
    /// Membrane x.
    pub x: f32,
    /// Adaptation v.
    pub v: f32,
    /// Input from below, f' W^T eps.
    pub likelihood: f32,
    /// Input from above, T' eta - B'.
    pub prior: f32,
}

/// One sample of the interneurons that predict one observed unit, network 0.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct InterneuronSample {
    /// Simulated time, ms.
    pub time_ms: f64,
    /// T(x), what is observed.
    pub observed: f32,
    /// <T(y)>, what the interneurons say.
    pub sampled: f32,
    /// A'(eta), what they should say.
    pub exact: f32,
}

/// One point of the learning curves, a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LearningPoint {
    /// Images seen.
    pub images: u64,
    /// Variance of x_0 - <x_0 | x_1>.
    pub residual_variance: f32,
    /// sigma_0^2.
    pub sigma2: f32,
    /// |dW_0| / |W_0|.
    pub weight_change: f32,
    /// Mean norm of the columns of W_0.
    pub weight_norm: f32,
    /// Excess kurtosis of x_1 over batch and units.
    pub kurtosis: f32,
    /// Learning rate in force.
    pub lr: f32,
}

/// Counters and rates.
#[derive(Clone, Debug, PartialEq)]
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
    /// Snapshots not built because the window had not taken the last.
    pub dropped: u64,
}

/// What the governor did (SPEC 2).
#[derive(Clone, Debug, Default, PartialEq)]
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
#[derive(Clone, Debug, Default, PartialEq)]
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
#[derive(Clone, Debug)]
pub struct RacerState {
    /// Its settings.
    pub config: SamplerConfig,
    /// The pair's last positions, oldest first, `[chains]` each.
    pub trail: Vec<Vec<[f32; 2]>>,
    /// Visits of each cell since the start, `[rows (second unit), columns (first unit)]`.
    pub visits: Array2<u32>,
    /// All draws since the start, those outside the window included.
    pub visited: u64,
    /// Simulated time (ms) and total variation distance to the exact posterior.
    pub distance: Vec<[f64; 2]>,
    /// Integrated autocorrelation time of the pair as theory has it, ms.
    pub theory_ms: Option<[f64; 2]>,
    /// What was measured last.
    pub mixing: Option<MixingDiagnostics>,
}

/// Samplers side by side on one posterior.
#[derive(Clone, Debug)]
pub struct RaceState {
    /// In order of their colours.
    pub racers: Vec<RacerState>,
    /// The rectangle of the visits, `[low, high]` along each axis.
    pub window: [[f64; 2]; 2],
    /// Simulated time since the start, ms.
    pub time_ms: f64,
    /// Step, ms.
    pub dt_ms: f64,
    /// tau_x, ms.
    pub tau_x_ms: f64,
    /// Chains a sampler.
    pub chains: usize,
}

/// The simulation as the window sees it.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Grows with every rebuild: histories of another model do not apply.
    pub model_id: u64,
    /// The model before the last rebuild, which [`crate::engine::Command::Back`] brings back: its name and images seen.
    pub previous: Option<(String, u64)>,
    /// The configuration in force (parameters moved in flight included).
    pub config: Arc<Config>,
    /// Commands commands_executed so far: a view that leaves some snapshots out shows the first after a command.
    pub commands_executed: u64,
    /// Counters.
    pub clock: Clock,
    /// Governor.
    pub governor: GovernorState,
    /// Where learning stands in its stages, where it has any.
    pub stage: Option<StagePosition>,
    /// Grows when weights change.
    pub weights_version: u64,
    /// W_l, `[n_l, n_(l+1)]`.
    pub weights: Vec<Arc<Array2<f32>>>,
    /// b_l, `[n_l]`.
    pub biases: Vec<Array1<f32>>,
    /// x_l of network 0 now, `[n_l]`, for l = 0..=L.
    pub states: Vec<Vec<f32>>,
    /// Stimulus of network 0.
    pub stimulus: StimulusState,
    /// What is watched.
    pub watch: Watch,
    /// New samples since the last snapshot, one list a traced unit; at most [`crate::engine::MAX_SAMPLES`], oldest dropped.
    pub traces: Vec<Vec<TraceSample>>,
    /// New samples of the interneurons of observed unit 0 .. of the traced filters' strongest pixel, one list a traced unit.
    pub interneurons: Vec<Vec<InterneuronSample>>,
    /// <T(y)> of every unit of the layer below the traced one, network 0, one list a recorded step, where asked for.
    pub raster: Vec<Vec<f32>>,
    /// New positions of the pair: one list of `[networks]` points a recorded step.
    pub pairs: Vec<Vec<[f32; 2]>>,
    /// Activities x of `watch.trace_layer` in network 0 now.
    pub activity: Vec<f32>,
    /// Exact posterior density of two latent units, where there are just two; recomputed when stimulus or model changes.
    pub exact_posterior: Option<Arc<DensityGrid>>,
    /// Points (x, density) of the exact posterior of a single latent unit, where there is just one.
    pub exact_line: Option<Arc<Vec<[f64; 2]>>>,
    /// New points of the learning curves.
    pub learning: Vec<LearningPoint>,
    /// What a study would be done on: the model (as of the last change of a fixed or held stimulus), dynamics, stimulus.
    pub subject: Option<Arc<StudyTarget>>,
    /// The study under way, or the last one.
    pub findings: Option<Arc<StudyFindings>>,
    /// Responses to gratings, where these were shown.
    pub tuning: Option<Arc<TuningState>>,
    /// Generation, where it was asked for.
    pub generation: Option<Arc<GenerationState>>,
    /// The race, where one is on.
    pub race: Option<RaceState>,
}

impl Snapshot {
    /// Whether one stimulus stays, so that the chains have a stationary distribution.
    pub fn exact_stimulus(&self) -> bool {
        self.stimulus.held || self.config.stimulus.steps_per_stimulus == 0
    }

    /// The model as its configuration and present weights have it.
    pub fn model(&self) -> Result<Hierarchy, String> {
        let layer =
            |config: &LayerConfig| config.family.build().map(|family| Layer { family, activation: config.activation, size: config.size });
        let layers = self.config.model.layers.iter().map(layer).collect::<Result<_, _>>()?;
        let mut model = Hierarchy::new(layers, self.weights.iter().map(|w| (**w).clone()).collect())?;
        model.biases.clone_from(&self.biases);
        Ok(model)
    }

    /// What a study would be done on.
    pub fn subject(&self) -> Option<Arc<StudyTarget>> {
        self.subject.clone()
    }
}
