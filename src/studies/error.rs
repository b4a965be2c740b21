//! What keeps a study from being done.

use crate::analysis::image_evaluator::EvaluationError;
use crate::experiment::ConfigError;
use crate::export::FileError;

/// Why a study was not done, or not to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StudyError {
    /// There is no study of that name.
    #[error("there is no study '{name}'; there are: {known}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// The names that there are.
        known: String,
    },
    /// The model is not one that the study can be done on: the reason.
    #[error("{0}")]
    NotApplicable(String),
    /// A value of an option is out of range, or there is no such option.
    #[error("{0}")]
    Option(String),
    /// The layer or unit is not one of the model's.
    #[error("{0}")]
    Units(String),
    /// It was told to stop.
    #[error("stopped before its end")]
    Stopped,
    /// A value that is not finite.
    #[error("{0}")]
    Diverged(String),
    /// What was asked of generation or of the configuration is out of range.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Images cannot be evaluated.
    #[error(transparent)]
    Evaluation(#[from] EvaluationError),
    /// Its thread could not be started.
    #[error("cannot start its thread: {0}")]
    Thread(#[from] std::io::Error),
    /// It ended on an internal error.
    #[error("it ended on an internal error")]
    Internal,
    /// A file that could not be written.
    #[error(transparent)]
    File(#[from] FileError),
}
