//! All that a person can ask for, handled in one place.

use crate::app::figures::FigureRequest;
use crate::app::film_settings::FilmRequest;
use crate::app::views::ViewKind;
use crate::engine::{Command, Watch};
use crate::experiment::parameters::Value;
use crate::export::filters::{Format, Look};
use std::path::PathBuf;

/// What an export writes and how; kept while the program runs, so that Ctrl-E does the same again.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ExportSettings {
    /// File, or folder for one PNG a filter.
    pub path: String,
    /// Kind of file.
    pub format: Format,
    /// Colours and their scale.
    #[serde(default)]
    pub look: Look,
    /// Screen pixels a weight.
    pub zoom: u32,
    /// 1..=L.
    pub layer: usize,
    /// Outlines of the Gabor fits over an SVG.
    #[serde(default)]
    pub outlines: bool,
}

impl Default for ExportSettings {
    fn default() -> Self {
        Self { path: "filters.png".into(), format: Format::Png, look: Look::default(), zoom: 4, layer: 1, outlines: false }
    }
}

/// Something asked for in a view or panel.
#[derive(Clone, Debug)]
pub enum Action {
    /// For the engine as it is.
    Send(Command),
    /// A parameter moved, with the value before, for undo.
    Change {
        /// Its key in the table of parameters.
        key: &'static str,
        /// The new value.
        to: Value,
        /// The value before.
        from: Value,
    },
    /// Watch other units.
    Watch(Watch),
    /// Ask how a view or a figure of it is to be saved.
    OpenFigure(ViewKind),
    /// Write a view, or one figure of it: a picture (.png, .svg, .pdf) or the view's numbers (.csv, .npy), by the file's ending.
    SaveView(FigureRequest),
    /// Bring a view to the front.
    ShowView(ViewKind),
    /// What the next export writes.
    SetExport(ExportSettings),
    /// Write the filters as the settings say.
    Export,
    /// Ask for a file or folder in a dialog; the answer goes into the field.
    Dialog(PathField),
    /// Full speed, or the slow pace again.
    ToggleSpeed,
    /// Record what is shown into this file.
    Record(PathBuf),
    /// End the recording.
    StopRecording,
    /// Ask what a film is to show.
    OpenFilm,
    /// Write a film.
    Film(Box<FilmRequest>),
    /// Begin a run that goes on live beside the one that is shown.
    RunBeside(BesideRequest),
    /// Show the run beside, and have the one that is shown go on beside it.
    ShowBeside,
    /// End the run beside; it stays in the list of runs.
    EndBeside,
}

/// A run like the one that is shown, which is to go on beside it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BesideRequest {
    /// Keys in [`crate::experiment::parameters`] of what is changed, with the new values.
    pub changes: Vec<(&'static str, Value)>,
    /// Whether it goes on with the weights as they are now; else it begins from the seed.
    pub from_here: bool,
}

/// A path field that a dialog fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathField {
    /// A folder of own images.
    Images,
    /// A file of own images.
    ImageFile,
    /// Where filters are written.
    Export,
    /// A model file to open.
    Open,
}

/// Something that is done if the answer is yes.
pub struct Question {
    /// What is asked.
    pub text: String,
    /// The word of the button that does it.
    pub yes: &'static str,
    /// What is done.
    pub action: Action,
}
