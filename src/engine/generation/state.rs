//! What generation can be asked for, and what it gives.

use crate::experiment::ModelVersion;
use crate::export::images::Tone;
use crate::studies::generation::Mode;
use crate::studies::generation::comparison::{ModeResult, Settings};
use crate::studies::generation::image_distance::Floor;
use crate::studies::generation::prototypes::Prototypes;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Arc;

/// Frames of a film at most.
pub const MOST_FRAMES: usize = 500;

/// What is asked of the generation under way.
#[derive(Clone, Debug, PartialEq)]
pub enum GenerationCommand {
    /// true: pause, the pictures stay; false: go on.
    SetPaused(bool),
    /// Whether anybody looks: nothing is generated while nobody does.
    SetVisible(bool),
    /// Go on with the weights as they are now.
    NewWeights,
    /// Whether to go on with the newest weights every few seconds.
    Follow(bool),
    /// Gains of the couplings of joint and marginal chains, the lowest first; None: those of the schedule.
    SetGains(Option<Vec<f32>>),
    /// Write all images of a mode: a picture (.png) of those shown, or samples and means of all (.npz).
    Save {
        /// Which.
        mode: Mode,
        /// The picture shows means rather than samples.
        means: bool,
        /// The file.
        path: PathBuf,
    },
    /// Write an animated GIF of a mode from its start, with the weights in use.
    Film {
        /// Which.
        mode: Mode,
        /// It shows means rather than samples.
        means: bool,
        /// Frames, at most [`MOST_FRAMES`].
        frames: usize,
        /// Steps of the network between two frames.
        every: usize,
        /// The file.
        path: PathBuf,
    },
    /// Stop the film; nothing is written.
    StopFilm,
}

/// Whether distances can be told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Measuring {
    /// The measure is being fitted.
    Preparing,
    /// Distances are to be read beside this.
    Ready(Arc<Floor>),
    /// There can be none: the reason.
    Missing(String),
}

/// Generation as far as it has come.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GenerationState {
    /// The model.
    pub model_id: u64,
    /// The weights in use.
    pub version: ModelVersion,
    /// Images that they had learned from.
    pub images: u64,
    /// What was asked for.
    pub settings: Settings,
    /// Rows and columns of an image.
    pub shape: [usize; 2],
    /// What the values are.
    pub tone: Tone,
    /// Joint, marginal, ancestral.
    pub modes: Vec<Arc<ModeResult>>,
    /// Whether distances can be told.
    pub measuring: Measuring,
    /// The states of a categorical top, where that is open.
    pub prototypes: Option<Arc<Prototypes>>,
    /// It was asked to pause.
    pub paused: bool,
    /// It goes on with the newest weights every few seconds.
    pub following: bool,
    /// Frames of a film that are done, and in all.
    pub film: Option<(usize, usize)>,
}
