//! The configuration: TOML tables [model], [dynamics], [learning], [stimulus], [data], and `--set key=value`.

use crate::model::{Activation, FamilyConfig};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Everything that determines a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Layers and fixed weights.
    pub model: ModelConfig,
    /// Time constants, noise, integrator.
    pub dynamics: DynamicsConfig,
    /// The local learning rule.
    pub learning: LearningConfig,
    /// How stimuli are shown.
    pub stimulus: StimulusConfig,
    /// Where stimuli come from.
    pub data: DataConfig,
}

/// One layer, from the observation (0) upwards.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerConfig {
    /// Units.
    pub size: usize,
    /// The family and its parameters.
    #[serde(flatten)]
    pub family: FamilyConfig,
    /// f, what the layer shows to the one below.
    #[serde(default)]
    pub activation: Activation,
}

/// Table [model].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModelConfig {
    /// Preset's or file's name, for titles.
    pub name: String,
    /// W_0 row by row where the preset fixes it; empty: random columns of unit norm.
    pub weights: Vec<Vec<f32>>,
    /// Layers 0..=L.
    pub layers: Vec<LayerConfig>,
}

/// How <T(y)> is obtained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InterneuronMode {
    /// K interneurons sample it.
    #[default]
    Sampled,
    /// A'(eta), the limit of infinitely fast interneurons.
    Exact,
}

/// What happens when dt is too large for the stiffness.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Governor {
    /// dt is lowered, and the window says so.
    #[default]
    Auto,
    /// dt is taken as given.
    Manual,
}

/// Units of m.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AdaptationUnit {
    /// m itself.
    #[default]
    Absolute,
    /// m_l = adaptation x sqrt(lambda_l).
    Stiffness,
}

/// Table [dynamics].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DynamicsConfig {
    /// Integration step, ms.
    pub dt_ms: f64,
    /// Membrane time constant, ms.
    pub tau_x_ms: f64,
    /// Interneuron time constant, ms.
    pub tau_eps_ms: f64,
    /// Adaptation time constant, ms.
    pub tau_v_ms: f64,
    /// Adaptation strength m.
    pub adaptation: f64,
    /// Units of `adaptation`.
    pub adaptation_unit: AdaptationUnit,
    /// Interneurons a unit, K.
    pub interneurons: usize,
    /// Sampled or exact.
    pub interneuron_mode: InterneuronMode,
    /// The stability governor.
    pub governor: Governor,
    /// Seed of everything random.
    pub seed: u64,
    /// Worker threads; 0: as many as cores. Results do not depend on it.
    pub threads: usize,
}

impl Default for DynamicsConfig {
    fn default() -> Self {
        Self {
            dt_ms: 1.0,
            tau_x_ms: 100.0,
            tau_eps_ms: 0.05,
            tau_v_ms: 30.0,
            adaptation: 2.0,
            adaptation_unit: AdaptationUnit::Absolute,
            interneurons: 1,
            interneuron_mode: InterneuronMode::Sampled,
            governor: Governor::Auto,
            seed: 0,
            threads: 0,
        }
    }
}

/// The learning rate over a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decay {
    /// lr throughout.
    #[default]
    Constant,
    /// lr, then linearly to 0 over the second half of a run of known length.
    Linear,
    /// lr for `settle_images`, then falling as 1/images to `floor` x lr: for runs without an end.
    Settle,
}

/// Table [learning].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LearningConfig {
    /// Whether weights change.
    pub enabled: bool,
    /// Learning rate.
    pub lr: f64,
    /// Its course.
    pub decay: Decay,
    /// Images at full rate under `decay = "settle"`.
    pub settle_images: u64,
    /// Smallest share of lr under `decay = "settle"`.
    pub floor: f64,
    /// Columns of W kept at norm 1.
    pub unit_norm: bool,
    /// Whether biases learn.
    pub biases: bool,
    /// Whether sigma_0 follows the mean of (eps sigma)^2.
    pub learned_sigma: bool,
}

impl Default for LearningConfig {
    fn default() -> Self {
        Self {
            enabled: false,
            lr: 0.1,
            decay: Decay::Settle,
            settle_images: 50_000,
            floor: 0.1,
            unit_norm: true,
            biases: false,
            learned_sigma: false,
        }
    }
}

/// Table [stimulus].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StimulusConfig {
    /// Independent networks that share the weights.
    pub batch: usize,
    /// Steps a stimulus is shown; 0: it stays.
    pub steps_per_stimulus: usize,
    /// Steps after each change of stimulus that do not learn.
    pub burn_in_steps: usize,
    /// The observation where the preset fixes it.
    pub values: Vec<f32>,
}

impl Default for StimulusConfig {
    fn default() -> Self {
        Self { batch: 100, steps_per_stimulus: 15, burn_in_steps: 8, values: Vec::new() }
    }
}

/// Where stimuli come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DataSource {
    /// `stimulus.values`.
    #[default]
    Fixed,
    /// Synthetic dead leaves.
    DeadLeaves,
    /// The embedded photographs.
    Photographs,
    /// One's own images, `data.paths`.
    Files,
}

/// Table [data].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataConfig {
    /// The source.
    pub source: DataSource,
    /// Side of a patch, pixels.
    pub patch: usize,
    /// Patches cut.
    pub patches: usize,
    /// Each patch divided by its own standard deviation + 0.1.
    pub contrast_normalisation: bool,
    /// Files and folders of `source = "files"`.
    pub paths: Vec<PathBuf>,
}

impl Default for DataConfig {
    fn default() -> Self {
        Self { source: DataSource::Fixed, patch: 12, patches: 60_000, contrast_normalisation: false, paths: Vec::new() }
    }
}
