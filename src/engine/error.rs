//! What the engine can refuse or fail at.

use crate::studies::generation::comparison::SMALLEST_PICTURE;
use std::path::PathBuf;

/// Why the engine could not do what it was asked for.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// The system gave no thread.
    #[error("cannot {task}: {reason}")]
    Thread {
        /// What it was needed for.
        task: &'static str,
        /// The system's reason.
        reason: String,
    },
    /// A background job ended by a panic.
    #[error("{job} stopped{advice}: {report}")]
    Lost {
        /// Which.
        job: &'static str,
        /// What can be done; empty or after a comma.
        advice: &'static str,
        /// What went wrong, in a line that asks for a report.
        report: String,
    },
    /// A study cannot be run, or there is none of that name.
    #[error("cannot run the study {name}: {reason}")]
    Study {
        /// Its name.
        name: String,
        /// Why not.
        reason: String,
    },
    /// Gratings need a layer of neurons that runs, above an observation that is a picture.
    #[error("layer {layer} of this model cannot be shown gratings")]
    NoGratings {
        /// The layer asked for.
        layer: usize,
    },
    /// A race needs a fixed or held stimulus.
    #[error("a race needs one stimulus: hold it first")]
    ChangingStimulus,
    /// A sampler of the race left the stable range.
    #[error("the race ended: {0}")]
    UnstableRace(String),
    /// There is no model to do it with.
    #[error("there is no model to {task}")]
    NoModel {
        /// What it was needed for.
        task: &'static str,
    },
    /// Too few observed values for generation to be worth showing.
    #[error("{pixels} observed values make no picture to generate: at least {SMALLEST_PICTURE} are needed")]
    NoPicture {
        /// Units of layer 0.
        pixels: usize,
    },
    /// Too many requests wait for the thread that generates.
    #[error("generation is busy: try again in a moment")]
    GenerationBusy,
    /// Generation with these settings or weights is not possible: the reason.
    #[error("{0}")]
    Generation(String),
    /// Nothing was generated that could be written.
    #[error("nothing was generated yet")]
    NothingGenerated,
    /// The name of a file does not tell which kind of images it is to hold.
    #[error("{}: a name that ends in .png, .npz or .gif is needed", path.display())]
    UnknownImageFormat {
        /// The name.
        path: PathBuf,
    },
    /// A file could not be written: the reason, with its name.
    #[error("{0}")]
    File(String),
}

impl EngineError {
    /// From the reason why it cannot be generated.
    pub(super) fn of_generation(reason: impl ToString) -> Self {
        Self::Generation(reason.to_string())
    }

    /// From the reason why a file cannot be written, with all that led to it.
    pub(super) fn of_file(reason: impl std::fmt::Display) -> Self {
        Self::File(format!("{reason:#}"))
    }
}
