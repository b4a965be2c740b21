//! The list of all runs.

use super::{RunId, RunSummary};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Share of the budget from which on it is said which run goes next.
const NEARLY_FULL: f64 = 0.9;

/// All runs, and the room that they take.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunList {
    /// Where they are.
    pub folder: PathBuf,
    /// The one saved last first.
    pub runs: Vec<RunSummary>,
    /// Bytes of all at most.
    pub budget: u64,
    /// Those that go where there is no room, the next one first.
    pub next_to_go: Vec<RunId>,
    /// The run deleted last, which can come back.
    pub deleted: Option<RunId>,
}

impl RunList {
    /// Bytes of all runs.
    pub fn bytes(&self) -> u64 {
        self.runs.iter().map(|run| run.bytes).sum()
    }

    /// Whether there is so little room left that it is to be said which run goes next.
    pub fn is_nearly_full(&self) -> bool {
        self.bytes() as f64 > NEARLY_FULL * self.budget as f64
    }
}
