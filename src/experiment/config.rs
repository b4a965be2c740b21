//! The configuration: TOML tables `[model]`, `[dynamics]`, `[learning]`, `[stimulus]`, `[data]`, and `--set key=value`.

use crate::data::{Source, mnist};
use crate::experiment::stages::{self, StageConfig};
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
    /// Layers 0..=L.
    pub layers: Vec<LayerConfig>,
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
    /// Its mean over the batch, for families whose A'' varies much (SPEC 8).
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
    /// Steps from one draw of a categorical top layer to the next; the law does not depend on it.
    pub choice_interval: usize,
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
            safety: crate::dynamics::governor::SAFETY,
            curvature: Curvature::Bound,
            choice_interval: 1,
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

/// How weights follow the gradient.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Optimizer {
    /// By lr times the gradient.
    #[default]
    Plain,
    /// Adam: each weight scaled by its own moments, which is still local (SPEC 8).
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
    /// Rate of a categorical top layer; falls to a tenth over a run of known length (SPEC 8).
    pub top_rate: f64,
    /// Its course.
    pub decay: Decay,
    /// Images at full rate under `decay = "settle"`.
    pub settle_images: u64,
    /// Smallest share of lr under `decay = "settle"`.
    pub floor: f64,
    /// Images the model had seen when it was saved: where `decay = "settle"` goes on.
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
            decay: Decay::Settle,
            settle_images: 50_000,
            floor: 0.1,
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
    /// Whether each image keeps its own chains from visit to visit (SPEC 8); else they start anew.
    pub persistent: bool,
    /// Images used at most; 0: all. With persistent chains they take 8 bytes a unit of neurons and image.
    pub images: usize,
    /// Of these the first so many at the beginning; the others join while learning goes on.
    pub first_images: usize,
    /// Steps before learning, at the first visit of an image with persistent chains.
    pub settle_steps: usize,
    /// Of these the first so many without noise: descent of the energy.
    pub descent_steps: usize,
    /// Whether the chains are saved with the model.
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
            settle_steps: 40,
            descent_steps: 0,
            save_latents: false,
        }
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
    /// Bars that appear independently.
    Bars,
    /// One's own images, `data.paths`, cut into patches.
    Files,
    /// The embedded digits, 8 x 8.
    Digits,
    /// The embedded part of Fashion-MNIST, 28 x 28.
    Fashion,
    /// MNIST's files in the folder `data.paths[0]`, or in data/mnist.
    Mnist,
    /// One's own whole images, `data.paths`, grey levels as they are.
    Images,
}

impl DataSource {
    /// Whether a stimulus is a whole image, grey 0 to 1, and not a whitened patch.
    pub fn is_whole(self) -> bool {
        matches!(self, Self::Digits | Self::Fashion | Self::Mnist | Self::Images)
    }
}

/// Table `[data]`.
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
    /// Files and folders of `source = "files"` and `source = "images"`, the folder of `source = "mnist"`.
    pub paths: Vec<PathBuf>,
}

impl DataConfig {
    /// The source with its files; None for fixed stimuli.
    pub fn source(&self) -> Option<Source> {
        Some(match self.source {
            DataSource::Fixed => return None,
            DataSource::DeadLeaves => Source::DeadLeaves,
            DataSource::Photographs => Source::Photographs,
            DataSource::Bars => Source::Bars,
            DataSource::Files => Source::Files(self.paths.clone()),
            DataSource::Digits => Source::Digits,
            DataSource::Fashion => Source::Fashion,
            DataSource::Mnist => Source::Mnist(self.paths.first().cloned().unwrap_or_else(|| mnist::FOLDER.into())),
            DataSource::Images => Source::Images(self.paths.clone()),
        })
    }
}

impl Default for DataConfig {
    fn default() -> Self {
        Self { source: DataSource::Fixed, patch: 12, patches: 60_000, contrast_normalisation: false, paths: Vec::new() }
    }
}

/// What is wrong with a configuration: the key, what was found, what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub String);

impl Config {
    /// The configuration as TOML.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).unwrap_or_default() // every field is a plain value, which TOML can always hold
    }

    /// Reads TOML; an unknown key or a value of the wrong kind is named.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text).map_err(|e| ConfigError(one_line(&e.to_string())))?;
        config.validate()?;
        Ok(config)
    }

    /// Own images in place of the source: whole ones where the source has whole ones, otherwise patches of them, contrast-normalised
    /// as photographs are.
    pub fn use_images(&mut self, paths: Vec<PathBuf>) {
        self.data.paths = paths;
        if self.data.source.is_whole() {
            self.data.source = DataSource::Images;
        } else {
            self.data.source = DataSource::Files;
            self.data.contrast_normalisation = true;
        }
    }

    /// Embedded images in place of the source: photographs contrast-normalised, dead leaves not (SPEC 6).
    pub fn use_embedded(&mut self, source: DataSource) {
        self.data.source = source;
        self.data.paths.clear();
        self.data.contrast_normalisation = source == DataSource::Photographs;
    }

    /// Sets `key=value`, the key a leaf's name or `table.leaf`. Errors list the keys, or name the range.
    pub fn set(&mut self, assignment: &str) -> Result<(), ConfigError> {
        let (key, value) = assignment.split_once('=').ok_or_else(|| ConfigError(format!("--set {assignment}: key=value is needed")))?;
        let (key, value) = (key.trim(), value.trim());
        let mut tables = toml::Table::try_from(&*self).map_err(|e| ConfigError(one_line(&e.to_string())))?;
        let leaves: Vec<(String, String)> = tables
            .iter()
            .filter_map(|(table, content)| content.as_table().map(|c| (table, c)))
            .flat_map(|(table, content)| content.keys().map(move |leaf| (table.clone(), leaf.clone())))
            .filter(|(_, leaf)| !["layers", "weights", "deeper_weights"].contains(&leaf.as_str()))
            .collect();
        let wanted: Vec<_> = leaves.iter().filter(|(table, leaf)| key == leaf || key == format!("{table}.{leaf}")).collect();
        let [(table, leaf)] = wanted[..] else {
            let known: Vec<_> = leaves.iter().map(|(_, leaf)| leaf.as_str()).collect();
            return Err(ConfigError(format!("unknown key '{key}'; the keys are: {}", known.join(", "))));
        };
        let Some(slot) = tables.get_mut(table).and_then(|t| t.as_table_mut()).and_then(|t| t.get_mut(leaf)) else { return Ok(()) };
        let wrong = |kind: &str| ConfigError(format!("{leaf} = {value}: {kind} is needed"));
        *slot = match slot {
            toml::Value::Float(_) => toml::Value::Float(value.parse().map_err(|_| wrong("a number"))?),
            toml::Value::Integer(_) => toml::Value::Integer(value.parse().map_err(|_| wrong("a whole number of at least 0"))?),
            toml::Value::Boolean(_) => toml::Value::Boolean(value.parse().map_err(|_| wrong("true or false"))?),
            toml::Value::String(_) => toml::Value::String(value.into()),
            _ => {
                let parsed: toml::Table = toml::from_str(&format!("v = {value}")).map_err(|_| wrong("a list like [1.0, 2.0]"))?;
                parsed.get("v").cloned().ok_or_else(|| wrong("a list"))?
            }
        };
        let changed: Self =
            tables.try_into().map_err(|e: toml::de::Error| ConfigError(format!("{leaf} = {value}: {}", one_line(e.message()))))?;
        changed.validate()?;
        *self = changed;
        Ok(())
    }

    /// Checks every value's range; the error names the key, the value and the range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let d = &self.dynamics;
        for (key, value, low, high) in [
            ("dt_ms", d.dt_ms, 1e-6, 1e4),
            ("tau_x_ms", d.tau_x_ms, 1e-3, 1e7),
            ("tau_eps_ms", d.tau_eps_ms, 1e-6, 1e7),
            ("tau_v_ms", d.tau_v_ms, 1e-3, 1e7),
            ("adaptation", d.adaptation, 0.0, 1e4),
            ("safety", d.safety, 1e-3, 1.9),
            ("lr", self.learning.lr, 0.0, 1e3),
            ("top_rate", self.learning.top_rate, 0.0, 1.0),
            ("floor", self.learning.floor, 0.0, 1.0),
        ] {
            if !(low..=high).contains(&value) {
                return Err(ConfigError(format!("{key} = {value} is out of range: {low} to {high}")));
            }
        }
        for (key, value, low, high) in [
            ("interneurons", d.interneurons, 1, 10_000),
            ("choice_interval", d.choice_interval, 1, 10_000),
            ("threads", d.threads, 0, 1024),
            ("batch", self.stimulus.batch, 1, 100_000),
            ("steps_per_stimulus", self.stimulus.steps_per_stimulus, 0, 10_000_000),
            ("images", self.stimulus.images, 0, 10_000_000),
            ("settle_steps", self.stimulus.settle_steps, 0, 100_000),
            ("descent_steps", self.stimulus.descent_steps, 0, self.stimulus.settle_steps),
            ("patch", self.data.patch, 2, 64),
            ("patches", self.data.patches, 1, 5_000_000),
        ] {
            if !(low..=high).contains(&value) {
                return Err(ConfigError(format!("{key} = {value} is out of range: {low} to {high}")));
            }
        }
        let s = &self.stimulus;
        if s.steps_per_stimulus > 0 && s.burn_in_steps >= s.steps_per_stimulus {
            return Err(ConfigError(format!(
                "burn_in_steps = {} is out of range: it must be below steps_per_stimulus = {}",
                s.burn_in_steps, s.steps_per_stimulus
            )));
        }
        let sizes: Vec<usize> = self.model.layers.iter().map(|layer| layer.size).collect();
        stages::validate(&self.stages, &sizes)?;
        if let Some(l) = self.model.layers.iter().find(|l| !(1..=16_384).contains(&l.size)) {
            return Err(ConfigError(format!("size = {} is out of range: 1 to 16384", l.size)));
        }
        Ok(())
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use crate::experiment::presets;

    #[test]
    fn presets_survive_toml_and_leaves_can_be_set() {
        for preset in presets::all() {
            let config = preset.config();
            assert_eq!(super::Config::from_toml(&config.to_toml()).unwrap(), config, "{}", preset.name);
        }
        let mut config = presets::by_name("ridge").unwrap();
        for (set, expected) in
            [("tau_v_ms=12.5", true), ("interneuron_mode=exact", true), ("stimulus.batch=7", true), ("values=[0.5]", true)]
        {
            assert_eq!(config.set(set).is_ok(), expected, "{set}: {:?}", config.set(set));
        }
        assert_eq!((config.dynamics.tau_v_ms, config.stimulus.batch), (12.5, 7));
        for (set, part) in
            [("nonsense=1", "tau_x_ms"), ("tau_x_ms=-3", "out of range"), ("interneurons=2.5", "whole"), ("governor=maybe", "auto")]
        {
            let before = config.clone();
            let error = config.set(set).unwrap_err().to_string();
            assert!(error.contains(part) && !error.contains('\n'), "{set}: {error}");
            assert_eq!(config, before);
        }
        assert!(presets::by_name("x").unwrap_err().to_string().contains("dead-leaves"));
    }
}
