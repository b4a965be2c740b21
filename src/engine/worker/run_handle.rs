//! Which run it is that runs.

use crate::engine::runs::{RunFolder, RunId, ViewArrays};
use std::sync::Arc;

/// A run among others: what it is called, where it is kept, what its views have shown.
#[derive(Debug)]
pub(super) struct RunHandle {
    pub(super) id: RunId,
    /// None where nothing is kept.
    pub(super) folder: Option<RunFolder>,
    pub(super) views: Option<Arc<ViewArrays>>,
}
