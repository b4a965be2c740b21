//! What can be wrong with a configuration or with what is asked of a session.

use crate::model::ModelError;
use crate::shown::{did_you_mean, nearest, shown, suggestion};

/// What is wrong: the key, what was found, what would be right. One line each.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The text is not TOML, or not that of a configuration.
    #[error("{0}")]
    Toml(String),
    /// An assignment without an equals sign.
    #[error("--set {}: key=value is needed", shown(.0))]
    Assignment(String),
    /// No value has this key.
    #[error("unknown key '{}'{}; the keys are: {}", shown(key), meant.as_deref().map(did_you_mean).unwrap_or_default(), known.join(", "))]
    UnknownKey {
        /// The key that was given.
        key: String,
        /// The key that was meant, where one is near.
        meant: Option<String>,
        /// All keys there are.
        known: Vec<String>,
    },
    /// In a file, a key that its table does not have.
    #[error(
        "line {line}: unknown key '{}' in {place}{}; the keys there are: {}",
        shown(key),
        home.as_ref().map_or_else(|| suggestion(key, known.iter().map(String::as_str)), |home| format!("; it belongs to [{home}]")),
        known.join(", ")
    )]
    UnknownKeyIn {
        /// The line in which it stands, from 1.
        line: usize,
        /// The key that was given.
        key: String,
        /// Where it stands, as `[dynamics]`.
        place: String,
        /// The table that has such a key; None where none has.
        home: Option<String>,
        /// The keys that may stand there.
        known: Vec<String>,
    },
    /// A value of another kind, as a word where a number is needed.
    #[error("{key} = {}: {needed} is needed", shown(value))]
    WrongKind {
        /// The key.
        key: String,
        /// What was given.
        value: String,
        /// What would be right.
        needed: String,
    },
    /// A value that the key does not take.
    #[error("{key} = {}: {problem}", shown(value))]
    Refused {
        /// The key.
        key: String,
        /// What was given.
        value: String,
        /// Why not.
        problem: String,
    },
    /// A value outside the valid range of its key.
    #[error("{key} = {} is out of range: {range}", shown(value))]
    OutOfRange {
        /// The key.
        key: String,
        /// What was given.
        value: String,
        /// The valid range, as `0 to 1`.
        range: String,
    },
    /// The same within a stage of learning.
    #[error("stages: '{}': {key} = {value} is out of range: {range}", shown(stage))]
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
    /// A number in a list of the configuration that is not finite.
    #[error("{list}: number {number} is {value}: it must be finite")]
    NotFinite {
        /// The list, as `values`.
        list: String,
        /// Its place in the list, from 0.
        number: usize,
        /// What was found.
        value: f32,
    },
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
    #[error("no preset is called '{}'{}; there are: {}", shown(name), suggestion(name, known.iter().map(String::as_str)), known.join(", "))]
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
    /// A key, alone or as `table.key`, that is none of the known ones; `symbol`: the key whose symbol it is.
    pub(crate) fn unknown_key(key: &str, known: Vec<String>, symbol: Option<&str>) -> Self {
        let leaf = key.rsplit('.').next().unwrap_or(key);
        let meant = symbol.or_else(|| nearest(leaf, known.iter().map(String::as_str))).map(String::from);
        Self::UnknownKey { key: key.into(), meant, known }
    }

    /// A value outside the range of its key.
    pub(crate) fn out_of_range(key: &str, value: impl ToString, range: impl Into<String>) -> Self {
        Self::OutOfRange { key: key.into(), value: value.to_string(), range: range.into() }
    }
}
