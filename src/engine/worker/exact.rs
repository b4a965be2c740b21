//! The exact posterior of models with one or two latent units.

use crate::analysis::density::{self, DensityGrid};
use crate::experiment::session::Session;
use std::sync::Arc;

/// Cells a side of the grid.
const CELLS: usize = 128;

/// Exact densities given the stimulus, where the model is small enough; none while pixels are free.
#[derive(Default)]
pub(super) struct ExactDensities {
    /// Of two latent units.
    pub(super) grid: Option<Arc<DensityGrid>>,
    /// Of one.
    pub(super) line: Option<Arc<Vec<[f64; 2]>>>,
}

impl ExactDensities {
    /// Those of a stimulus that is clamped as a whole.
    pub(super) fn of(session: &Session) -> Self {
        if !session.freed().is_empty() {
            return Self::default();
        }
        let temperature = session.config().dynamics.temperature;
        Self { grid: grid(session), line: density::line(session.model(), session.stimulus(), temperature).map(Arc::new) }
    }

    /// After the weights have changed.
    pub(super) fn follow_weights(&mut self, session: &Session) {
        if self.grid.is_some() {
            self.grid = grid(session);
        }
    }
}

fn grid(session: &Session) -> Option<Arc<DensityGrid>> {
    DensityGrid::posterior(session.model(), session.stimulus(), session.config().dynamics.temperature, CELLS).map(Arc::new)
}
