//! What the engine can refuse or fail at.

/// Why the engine could not do what it was asked for.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// Configuration and weights do not make a model: the reason.
    #[error("{0}")]
    Model(String),
}

impl EngineError {
    /// From the model's own reason.
    pub(super) fn of_model(reason: impl ToString) -> Self {
        Self::Model(reason.to_string())
    }
}
