//! What the window asks of the simulation thread: a closed list.

use crate::engine::generation_thread::GenerationCommand;
use crate::experiment::Config;
use crate::studies::StudyOptions;
use crate::studies::generation::comparison::Settings;
use crate::studies::race::{SamplerConfig, Start};
use std::path::PathBuf;

/// A value that acts from the next simulation step on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Parameter {
    /// tau_x, ms.
    TauXMs(f64),
    /// tau_eps, ms.
    TauEpsMs(f64),
    /// tau_v, ms.
    TauVMs(f64),
    /// m.
    Adaptation(f64),
    /// K.
    Interneurons(usize),
    /// dt, ms.
    DtMs(f64),
    /// Learning rate.
    LearningRate(f64),
    /// true: A'(eta) instead of interneurons.
    ExactInterneurons(bool),
    /// true: dt as given.
    ManualGovernor(bool),
    /// Whether weights change.
    Learning(bool),
}

/// How fast the simulation runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// As fast as the machine can.
    Full,
    /// Steps a second of wall time.
    StepsPerSecond(f64),
}

/// What is shown in detail.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Watch {
    /// Layer of the traced units (1..=L).
    pub trace_layer: usize,
    /// Units traced in network 0, at most [`crate::engine::MAX_TRACED`].
    pub trace_units: Vec<usize>,
    /// The two units of the Posterior view, of layer `trace_layer`.
    pub pair: [usize; 2],
    /// Whether the interneurons of the whole layer below are recorded.
    pub raster: bool,
}

/// A command to the engine.
#[derive(Clone, Debug)]
pub enum Command {
    /// Run.
    Run,
    /// Pause; the picture stays.
    Pause,
    /// Pause and run n steps.
    Step(u64),
    /// Start again from the seed with the current configuration.
    Reset,
    /// Change one parameter.
    SetParameter(Parameter),
    /// Change the pace.
    SetPace(Pace),
    /// Rebuild everything from a configuration.
    Load(Box<Config>),
    /// Back to the model before the last rebuild, with what it had learned.
    Back,
    /// Load a model file and go on with it.
    LoadModel(PathBuf),
    /// Own images in place of the current source: files and folders.
    UseImages(Vec<PathBuf>),
    /// Begin this stage of learning now.
    Stage(usize),
    /// Show the next stimulus now.
    NextStimulus,
    /// Hold the stimulus of network 0 in every network: all rows become chains of one posterior, and learning rests.
    HoldStimulus(bool),
    /// Values of a fixed or held stimulus; freed pixels go on from where they are.
    SetStimulus(Vec<f32>),
    /// Sample these pixels of a fixed or held stimulus with the others clamped; empty: clamp all again.
    FreePixels(Vec<bool>),
    /// Begin the sampling of freed pixels anew, from noise.
    RestartCompletions,
    /// Choose what is shown in detail.
    Watch(Watch),
    /// Race these samplers on the present stimulus, which must be fixed or held; none ends the race.
    Race(Vec<SamplerConfig>),
    /// All chains of the race start again from here.
    RaceFrom(Start),
    /// Run a study of the registry on the model as it is, in place of the one under way.
    RunStudy {
        /// Its name.
        name: String,
        /// Its options; what is not given is as usual.
        options: StudyOptions,
    },
    /// Show gratings to copies of the network and record this layer.
    Tune {
        /// 1..=L.
        layer: usize,
    },
    /// Stop showing gratings.
    StopTuning,
    /// Generate images in all three ways from the start, with the weights as they are now.
    Generate(Settings),
    /// Ask something of the generation under way.
    GenerationThread(GenerationCommand),
    /// Stop the study; its points stay.
    StopStudy,
    /// Write the model file.
    SaveModel(PathBuf),
    /// End the thread.
    Shutdown,
    /// Panic inside the worker, for the test that it is survived.
    #[doc(hidden)]
    PanicForTest,
    /// Poison a weight with NaN, for the test that it is survived.
    #[doc(hidden)]
    PoisonForTest,
}
