//! How the window opens.

use crate::app::error::WindowError;
use crate::app::screenshot::ScreenshotRequest;
use crate::app::views::ViewKind;
use crate::engine::AutosaveOptions;
use crate::experiment::Config;
use std::path::PathBuf;
use std::sync::{Arc, atomic::AtomicBool};

/// How the window opens.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What runs.
    pub config: Config,
    /// A model file to go on with.
    pub model: Option<PathBuf>,
    /// One view alone.
    pub view: Option<String>,
    /// Theme; as kept otherwise.
    pub dark: Option<bool>,
    /// Size in points.
    pub size: Option<[f32; 2]>,
    /// A screenshot, then the end.
    pub screenshot: Option<ScreenshotRequest>,
    /// Full speed from the start.
    pub full_speed: bool,
    /// Begin the view's experiment at once.
    pub measure: bool,
    /// Where what is learned is saved by itself; None: nowhere. Not for a screenshot.
    pub autosave: Option<AutosaveOptions>,
    /// A recording that is shown in place of an engine.
    pub recording: Option<RecordingRequest>,
    /// The window closes when this is set, as if somebody had closed it.
    pub closes: Option<Arc<AtomicBool>>,
    /// Called when a phase begins, on the window's thread.
    pub on_phase: Option<fn(WindowPhase)>,
}

/// A recording to be shown.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordingRequest {
    /// The file.
    pub path: PathBuf,
    /// The moment at which it begins, s.
    pub at: f64,
    /// Whether it rests there.
    pub paused: bool,
}

/// What the window is doing: the program sets its memory policy by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowPhase {
    /// From before the window exists.
    Opening,
    /// From some frames after the first picture of a model; it begins anew with every other model.
    Running,
}

/// The view of that name, or an error that lists the names.
pub fn view_by_name(name: &str) -> Result<ViewKind, WindowError> {
    ViewKind::by_name(name).ok_or_else(|| WindowError::UnknownView { name: name.into() })
}
