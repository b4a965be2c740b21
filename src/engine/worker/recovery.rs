//! The way back from values that are not finite.

use crate::experiment::session::Session;
use crate::model::Hierarchy;

/// Weights, biases and families when they were last known to be finite.
pub(super) struct Recovery {
    last_finite_model: Hierarchy,
}

impl Recovery {
    pub(super) fn new(model: &Hierarchy) -> Self {
        Self { last_finite_model: model.clone() }
    }

    /// Remembers this model, of the same shape, which is finite.
    pub(super) fn remember(&mut self, model: &Hierarchy) {
        self.last_finite_model.copy_values(model);
    }

    /// Puts the last finite values back into the session.
    pub(super) fn restore(&self, session: &mut Session) {
        session.return_to(&self.last_finite_model);
    }
}
