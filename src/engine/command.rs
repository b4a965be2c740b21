//! What the window asks of the simulation thread: a closed list.

use crate::engine::generation::GenerationCommand;
use crate::engine::runs::{RunId, RunTimeline, ViewArrays};
use crate::engine::watch::Watch;
use crate::experiment::Config;
use crate::experiment::parameters::Value;
use crate::model::Hierarchy;
use crate::studies::StudyOptions;
use crate::studies::generation::comparison::Settings;
use crate::studies::race::{SamplerConfig, Start};
use std::path::PathBuf;

/// Steps a second at which learning is slow enough to be watched.
pub(super) const LEARNING_STEPS_PER_SECOND: f64 = 450.0;

/// How fast the simulation runs.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum Pace {
    /// As fast as the machine can.
    Full,
    /// Steps a second of wall time.
    StepsPerSecond(f64),
}

impl Default for Pace {
    /// That at which learning can be followed by eye.
    fn default() -> Self {
        Self::StepsPerSecond(LEARNING_STEPS_PER_SECOND)
    }
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
    /// Change one parameter: from the next step on, or by building everything anew, as its row of the table says.
    SetParameter {
        /// Its key in [`crate::experiment::parameters`].
        key: &'static str,
        /// The new value.
        value: Value,
    },
    /// Change the pace.
    SetPace(Pace),
    /// Rebuild everything from a configuration.
    Load(Box<Config>),
    /// Back to the run before.
    Back,
    /// Go on with another run, exactly where it was left.
    SwitchRun(RunId),
    /// Begin a run like this one, as it is now.
    DuplicateRun(RunId),
    /// Begin a run from the seed with the configuration of another one, and these values changed.
    SameAgain {
        /// The other one.
        run: RunId,
        /// Keys in [`crate::experiment::parameters`] with their new values.
        changes: Vec<(&'static str, Value)>,
    },
    /// Begin a run with this model, whose configuration says how many images it has seen.
    GoOnFrom(Box<(Config, Hierarchy)>),
    /// Give a run a name; an empty one takes it away.
    RenameRun(RunId, String),
    /// Delete a run; [`Command::RestoreRun`] takes it back for a day.
    DeleteRun(RunId),
    /// Take a deleted run back.
    RestoreRun(RunId),
    /// Bytes that all runs may take.
    SetRunBudget(u64),
    /// Look again which runs there are: others than this engine have changed them.
    ListRuns,
    /// Keep what the views of a run have shown.
    KeepViews(RunId, Box<ViewArrays>),
    /// Keep the timeline of a run, which [`crate::engine::Event::Timeline`] has brought as it was kept before.
    KeepTimeline(RunId, Box<RunTimeline>),
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
    /// Change the generation under way, or have it written.
    Generation(GenerationCommand),
    /// Measure the likelihood of held-out images while the weights learn, or leave it off; the points stay.
    MeasureLikelihood(bool),
    /// Publish what moves every unit of network 0 ([`crate::engine::Snapshot`]'s parts), or leave it out.
    ShowParts(bool),
    /// Stop the study; its points stay.
    StopStudy,
    /// Write the model file.
    SaveModel(PathBuf),
    /// Use so many of the machine's cores at most, since another engine runs beside this one; None: all.
    ShareCores(Option<usize>),
    /// End the thread.
    Shutdown,
    /// Panic inside the worker, for the test that it is survived.
    #[doc(hidden)]
    PanicForTest,
    /// Poison a weight with NaN, for the test that it is survived.
    #[doc(hidden)]
    PoisonForTest,
}
