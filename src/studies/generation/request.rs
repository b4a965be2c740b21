//! What is asked of generation: how, how many images, from where.

use crate::experiment::config::ConfigError;
use crate::model::Hierarchy;
use serde::{Deserialize, Serialize};

/// Images at most.
pub const MOST_IMAGES: usize = 1_000_000;
/// Steps of the network at most.
pub const MOST_STEPS: usize = 10_000_000;

/// How x_0 is generated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// All layers move together.
    Joint,
    /// x_0 follows the gradient of log p(x_0), averaged over S steps of the layers above.
    Marginal,
    /// Each layer is drawn given the one above.
    Ancestral,
}

impl Mode {
    /// All, in the order in which they are shown.
    pub const ALL: [Self; 3] = [Self::Joint, Self::Marginal, Self::Ancestral];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Joint => "joint",
            Self::Marginal => "marginal",
            Self::Ancestral => "ancestral",
        }
    }
}

/// Where joint and marginal chains start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// Pixels at random, neurons as at a new stimulus.
    #[default]
    Noise,
    /// Ancestral draws: the distribution that the chains should keep.
    Prior,
    /// Images of the data, neurons as at a new stimulus.
    Data,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GenerationRequest {
    /// How.
    pub mode: Mode,
    /// Images.
    pub count: usize,
    /// S of the marginal mode.
    pub inner: usize,
    /// Temperature; 1 is the model.
    pub temperature: f64,
    /// Where joint and marginal chains start.
    pub origin: Origin,
    /// Steps over which joint and marginal chains wake from the top down; 0: every coupling has gain 1 throughout.
    pub waking_steps: usize,
    /// The state of a categorical top from which ancestral draws descend; None: drawn too.
    pub category: Option<usize>,
    /// Seed.
    pub seed: u64,
}

impl GenerationRequest {
    /// Checks every value's range; the error names it.
    pub fn validate(&self, model: &Hierarchy) -> Result<(), ConfigError> {
        let wrong = |text: String| Err(ConfigError::Generation(text));
        let states = model.layers.last().filter(|layer| layer.is_categorical()).map_or(0, |layer| layer.size);
        if !(1..=MOST_IMAGES).contains(&self.count) {
            return wrong(format!("count = {} is out of range: 1 to {MOST_IMAGES}", self.count));
        }
        if !(1..=10_000).contains(&self.inner) {
            return wrong(format!("inner = {} is out of range: 1 to 10000", self.inner));
        }
        if !(0.01..=100.0).contains(&self.temperature) {
            return wrong(format!("temperature = {} is out of range: 0.01 to 100", self.temperature));
        }
        if self.waking_steps > MOST_STEPS {
            return wrong(format!("waking_steps = {} is out of range: 0 to {MOST_STEPS}", self.waking_steps));
        }
        match self.category {
            Some(c) if c >= states && states == 0 => wrong("a category needs a categorical top layer".into()),
            Some(c) if c >= states => wrong(format!("category = {c} is out of range: 0 to {}", states - 1)),
            _ => Ok(()),
        }
    }
}
