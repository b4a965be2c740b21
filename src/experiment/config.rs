//! The configuration: TOML tables `[model]`, `[dynamics]`, `[learning]`, `[stimulus]`, `[data]` and `[[stages]]`.

use crate::data::{Preparation, Source};
pub use crate::experiment::config_error::ConfigError;
use crate::experiment::stages::StageConfig;
use crate::model::{Activation, FamilyConfig, usual_image_shape};
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
    /// Stages of learning, in order; none: everything learns as `[learning]` says.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<StageConfig>,
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
    /// b_l of every unit at the start.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub bias: f64,
    /// Whether sigma of this layer learns, in a layer below another.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub learned_sigma: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

/// Table `[model]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModelConfig {
    /// Preset's or file's name, for titles.
    pub name: String,
    /// W_0 row by row where the preset fixes it; empty: random columns of unit norm.
    pub weights: Vec<Vec<f32>>,
    /// W_1, W_2 .. in the same way where the preset fixes them; empty: random.
    pub deeper_weights: Vec<Vec<Vec<f32>>>,
    /// What random weights are at the start.
    pub first_weights: FirstWeights,
    /// Rows and columns of the images that layer 0 observes, as an empty list where they are not known: then they are a square where
    /// they can be one, else one row.
    #[serde(with = "image_shape")]
    pub image_shape: Option<[usize; 2]>,
    /// Layers 0..=L.
    pub layers: Vec<LayerConfig>,
}

impl ModelConfig {
    /// Rows and columns of what layer 0 observes.
    pub fn shape(&self) -> [usize; 2] {
        self.image_shape.unwrap_or_else(|| usual_image_shape(self.layers.first().map_or(0, |layer| layer.size)))
    }
}

/// Two numbers, or an empty list: TOML has no other nothing that `--set` could replace.
mod image_shape {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(shape: &Option<[usize; 2]>, serializer: S) -> Result<S::Ok, S::Error> {
        shape.iter().flatten().collect::<Vec<_>>().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<[usize; 2]>, D::Error> {
        match Vec::deserialize(deserializer)?[..] {
            [] => Ok(None),
            [rows, columns] => Ok(Some([rows, columns])),
            ref other => Err(D::Error::custom(format!("{} numbers: [rows, columns] is needed, or []", other.len()))),
        }
    }
}

/// What random weights are at the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FirstWeights {
    /// Columns of norm 1.
    #[default]
    UnitNorm,
    /// N(0, 1/n_(l+1)): eta_l starts with variance near 1.
    FanIn,
    /// Columns of norm 1; those of W_0 random only about a random place of the image (model.md 6).
    Local,
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
    /// K interneurons sample it, every redraw simulated even where the mean over a step could be drawn at once.
    Simulated,
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
    /// In units of each layer's stiffness: m_l = adaptation x sqrt(lambda_l), tau_v of the layer = tau_v_ms/lambda_l. The speed-up
    /// 1 + m^2 tau_v/tau_x is then the same in every layer.
    Stiffness,
}

/// The curvature A'' of the observation layer by which its stiffness is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Curvature {
    /// Its largest value: a bound.
    #[default]
    Bound,
    /// Its mean over the batch, for families whose A'' varies much (model.md 8).
    Mean,
}

/// Table `[dynamics]`.
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
    /// Temperature of the neurons' noise, 0 to 1: 1 samples the posterior, 0 is predictive coding.
    pub temperature: f64,
    /// Interneurons a unit, K.
    pub interneurons: usize,
    /// Sampled or exact.
    pub interneuron_mode: InterneuronMode,
    /// The stability governor.
    pub governor: Governor,
    /// c of the governor: h stays below c/lambda.
    pub safety: f64,
    /// How the observation layer's curvature is measured.
    pub curvature: Curvature,
    /// Steps from one draw of a categorical top layer to the next; the distribution sampled does not depend on it.
    pub choice_interval: usize,
    /// Seed of everything random; in TOML above 2^63 - 1 it is written as text.
    #[serde(with = "crate::experiment::whole_number")]
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
            temperature: 1.0,
            interneurons: 1,
            interneuron_mode: InterneuronMode::Sampled,
            governor: Governor::Auto,
            safety: crate::dynamics::governor::SAFETY,
            curvature: Curvature::Bound,
            choice_interval: 1,
            seed: 0,
            threads: 0,
        }
    }
}

/// The learning rate over a run (model.md 3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LearningRateSchedule {
    /// lr throughout.
    #[default]
    Constant,
    /// lr, then linearly to 0 over the second half of a run of known length.
    Linear,
    /// lr for `constant_rate_images`, then falling as 1/images to `smallest_rate_share` x lr: for runs without an end.
    #[serde(rename = "settle")]
    InverseImages,
}

/// How weights follow the gradient.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Optimizer {
    /// By lr times the gradient.
    #[default]
    Plain,
    /// Adam: each weight scaled by its own moments, which is still local (model.md 8).
    Adam,
}

/// Table `[learning]`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LearningConfig {
    /// Whether weights change.
    pub enabled: bool,
    /// Learning rate.
    pub lr: f64,
    /// How weights follow the gradient.
    #[serde(rename = "ascent")]
    pub optimizer: Optimizer,
    /// Rate of a categorical top layer; falls to a tenth over a run of known length (model.md 8).
    pub top_rate: f64,
    /// How lr changes over a run.
    #[serde(rename = "decay")]
    pub rate_schedule: LearningRateSchedule,
    /// Images at the full rate under [`LearningRateSchedule::InverseImages`].
    #[serde(rename = "settle_images")]
    pub constant_rate_images: u64,
    /// Share of lr below which it does not fall under [`LearningRateSchedule::InverseImages`].
    #[serde(rename = "floor")]
    pub smallest_rate_share: f64,
    /// Images the model had seen when it was saved: where [`LearningRateSchedule::InverseImages`] goes on.
    pub images_seen: u64,
    /// Number of the stage in which the model was saved, where there are stages.
    pub stage: usize,
    /// Images it had seen when that stage began.
    pub stage_since: u64,
    /// Columns of W kept at norm 1.
    pub unit_norm: bool,
    /// Whether biases learn.
    pub biases: bool,
    /// Whether sigma_0 follows the mean of (eps sigma)^2 (other layers: `learned_sigma` of the layer).
    pub learned_sigma: bool,
}

impl Default for LearningConfig {
    fn default() -> Self {
        Self {
            enabled: false,
            lr: 0.1,
            optimizer: Optimizer::Plain,
            top_rate: 0.02,
            rate_schedule: LearningRateSchedule::InverseImages,
            constant_rate_images: 50_000,
            smallest_rate_share: 0.1,
            images_seen: 0,
            stage: 0,
            stage_since: 0,
            unit_norm: true,
            biases: false,
            learned_sigma: false,
        }
    }
}

/// Table `[stimulus]`.
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
    /// Whether each image keeps its own chains from visit to visit (model.md 8); else they start anew.
    pub persistent: bool,
    /// Images used at most; 0: all. With persistent chains they take 8 bytes a unit of neurons and image.
    pub images: usize,
    /// Of these the first so many at the beginning; the others join while learning goes on.
    pub first_images: usize,
    /// Steps before learning, at the first visit of an image with persistent chains.
    #[serde(rename = "settle_steps")]
    pub first_visit_steps: usize,
    /// Of these the first so many without noise: descent of the energy.
    pub descent_steps: usize,
    /// Whether the chains are saved with the model: without them learning does not go on exactly.
    pub save_latents: bool,
}

impl Default for StimulusConfig {
    fn default() -> Self {
        Self {
            batch: 100,
            steps_per_stimulus: 15,
            burn_in_steps: 8,
            values: Vec::new(),
            persistent: false,
            images: 0,
            first_images: 0,
            first_visit_steps: 40,
            descent_steps: 0,
            save_latents: true,
        }
    }
}

/// Table `[data]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataConfig {
    /// Where stimuli come from.
    pub source: Source,
    /// Side of a patch, pixels.
    pub patch: usize,
    /// Patches cut.
    pub patches: usize,
    /// Each patch divided by its own standard deviation + 0.1.
    pub contrast_normalisation: bool,
    /// Whether images are whitened before patches are cut.
    pub whitening: bool,
    /// Pixels along the longer side to which one's own larger pictures are reduced before patches are cut; 0: 2048.
    pub longest_side: usize,
    /// Files and folders of `source = "files"` and `source = "images"`, the folder of `source = "mnist"`.
    pub paths: Vec<PathBuf>,
}

impl Default for DataConfig {
    fn default() -> Self {
        Self {
            source: Source::Fixed,
            patch: 12,
            patches: 60_000,
            contrast_normalisation: false,
            whitening: true,
            longest_side: 0,
            paths: Vec::new(),
        }
    }
}

impl DataConfig {
    /// What becomes of pictures before patches are cut from them.
    pub fn preparation(&self) -> Preparation {
        Preparation { longest_side: self.longest_side, whitening: self.whitening }
    }

    /// What one's own images are called, by the first file or folder of them; None where the program's own are learned.
    pub fn own_images(&self) -> Option<String> {
        let is_own = [Source::Files, Source::Images].contains(&self.source);
        let first = self.paths.first().filter(|_| is_own)?;
        let name = first.file_name().map_or_else(|| first.display().to_string(), |name| name.to_string_lossy().into_owned());
        let others = self.paths.len() - 1;
        Some(if others > 0 { format!("{name} and {others} more") } else { name })
    }
}

/// To how many pixels along the longer side one's own pictures are reduced unless something else is asked for: photographs of thousands of
/// pixels are smooth at the size of a patch, and hardly any Gabor filters are learned from them.
const OWN_PICTURES_SIDE: usize = 512;

impl Config {
    /// Own images in place of the source: whole ones where the source has whole ones, otherwise patches of them, contrast-normalised
    /// as photographs are.
    pub fn use_images(&mut self, paths: Vec<PathBuf>) {
        self.data.paths = paths;
        if self.data.source.is_whole() {
            self.data.source = Source::Images;
        } else {
            self.data.source = Source::Files;
            self.data.contrast_normalisation = true;
            if self.data.longest_side == 0 {
                self.data.longest_side = OWN_PICTURES_SIDE;
            }
        }
    }

    /// Embedded images in place of the source: photographs contrast-normalised, dead leaves not (model.md 6).
    pub fn use_embedded(&mut self, source: Source) {
        self.data.source = source;
        self.data.paths.clear();
        self.data.contrast_normalisation = source == Source::Photographs;
    }
}
