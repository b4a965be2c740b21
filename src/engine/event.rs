//! Small facts that the simulation thread reports.

use crate::data::ImagesReport;
use crate::engine::runs::{RunId, RunTimeline};
use crate::experiment::Remedy;
use std::path::PathBuf;

/// A fact for the window.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A model was built: preset or file name.
    Loaded(String),
    /// Something was refused, and the run goes on.
    Warning(String),
    /// One's own images were read.
    ImagesRead(ImagesReport),
    /// The run paused itself.
    Halted(Halt),
    /// How a run goes on that was saved before.
    Resumed(String),
    /// What was kept of the timeline of a run that is shown now: nothing of a new one.
    Timeline(RunId, Box<RunTimeline>),
    /// A file was written.
    Saved(PathBuf),
    /// Something asked for failed; nothing was lost.
    Failed(String),
}

/// Why a run paused itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Halt {
    /// The reason, with its cause where one is known.
    pub reason: String,
    /// Changes of one parameter that help; the least change first.
    pub remedies: Vec<Remedy>,
}
