//! What can be wrong with a configuration or with what is asked of a session.

use crate::model::ModelError;

/// What is wrong: the key, what was found, what would be right. One line each.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The text is not TOML, or not that of a configuration.
    #[error("{0}")]
    Toml(String),
    /// An assignment without an equals sign.
    #[error("--set {0}: key=value is needed")]
    Assignment(String),
    /// No value has this key.
    #[error("unknown key '{key}'; the keys are: {}", known.join(", "))]
    UnknownKey {
        /// The key that was given.
        key: String,
        /// All keys there are.
        known: Vec<String>,
    },
    /// A value of another kind, as a word where a number is needed.
    #[error("{key} = {value}: {needed} is needed")]
    WrongKind {
        /// The key.
        key: String,
        /// What was given.
        value: String,
        /// What would be right.
        needed: String,
    },
    /// A value that the key does not take.
    #[error("{key} = {value}: {problem}")]
    Refused {
        /// The key.
        key: String,
        /// What was given.
        value: String,
        /// Why not.
        problem: String,
    },
    /// A value outside the valid range of its key.
    #[error("{key} = {value} is out of range: {range}")]
    OutOfRange {
        /// The key.
        key: String,
        /// What was given.
        value: String,
        /// The valid range, as `0 to 1`.
        range: String,
    },
    /// The same within a stage of learning.
    #[error("stages: '{stage}': {key} = {value} is out of range: {range}")]
    Stage {
        /// Name of the stage.
        stage: String,
        /// The key.
        key: String,
        /// What was given.
        value: String,
        /// The valid range.
        range: String,
    },
    /// A layer of the model cannot be as it is described.
    #[error("layer {layer}: {problem}")]
    Layer {
        /// Its number, from the observation (0) upwards.
        layer: usize,
        /// What is wrong and what would be right.
        problem: String,
    },
    /// Layers that cannot stand on each other.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Weights of another size than the layers need.
    #[error("the weights W{layer} must have {rows} rows of {columns} numbers")]
    Weights {
        /// Its number l, of W_l.
        layer: usize,
        /// n_l.
        rows: usize,
        /// n_(l+1).
        columns: usize,
    },
    /// No preset has this name.
    #[error("no preset is called '{name}'; there are: {}", known.join(", "))]
    UnknownPreset {
        /// The name that was given.
        name: String,
        /// All names there are.
        known: Vec<String>,
    },
    /// Stimuli, masks of pixels or images that do not fit the model.
    #[error("{0}")]
    Stimulus(String),
    /// Generation cannot start or go on as asked.
    #[error("{0}")]
    Generation(String),
}

impl ConfigError {
    /// A value outside the range of its key.
    pub(crate) fn out_of_range(key: &str, value: impl ToString, range: impl Into<String>) -> Self {
        Self::OutOfRange { key: key.into(), value: value.to_string(), range: range.into() }
    }
}
