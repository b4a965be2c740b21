//! What can go wrong around the window.

use crate::app::views::ViewKind;
use std::error::Error;

/// Why the window did not open, or why something that it was asked for was not done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WindowError {
    /// No view has this name.
    #[error("no view is called '{name}'; there are: {}", ViewKind::ALL.map(ViewKind::name).join(", "))]
    UnknownView {
        /// The name asked for.
        name: String,
    },
    /// The desktop gave no window: there is no display, or no OpenGL.
    #[error("cannot open the window: {0}; what needs none is listed by: heescope --help")]
    Open(String),
    /// The simulation could not begin.
    #[error("cannot start the simulation thread")]
    Simulation(#[source] std::io::Error),
    /// The helper thread that fits filters could not begin.
    #[error("cannot start the thread that fits filters")]
    Fitter(#[source] std::io::Error),
    /// The thread of a task in the background could not begin.
    #[error("cannot start the {task}")]
    Task {
        /// What was to be done.
        task: &'static str,
        /// Why it was not.
        source: std::io::Error,
    },
    /// The thread of a task in the background panicked.
    #[error("the {task} failed: {report}")]
    Internal {
        /// What was to be done.
        task: &'static str,
        /// What went wrong, in a line that asks for a report.
        report: String,
    },
    /// A picture without pixels cannot be saved.
    #[error("an empty picture")]
    EmptyPicture,
    /// The snapshot has no model that could be exported.
    #[error("{0}")]
    Model(String),
    /// A file could not be written.
    #[error(transparent)]
    File(Box<dyn Error + Send + Sync>),
}

/// Whether a panic is the window library's, which does not expect that another program destroys its window.
pub(super) fn is_of_a_taken_window(report: &str) -> bool {
    report.contains("X11Error") && ["Drawable", "Window", "DeviceType"].iter().any(|kind| report.contains(&format!("error_kind: {kind}")))
}

impl WindowError {
    /// A file that could not be written, whatever its writer calls the reason.
    pub(super) fn file(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::File(error.into())
    }

    /// Why there is no window, in words.
    pub(super) fn opening(error: &eframe::Error) -> Self {
        let text = error.to_string();
        let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let displays = ["WAYLAND_DISPLAY", "WAYLAND_SOCKET", "DISPLAY"];
        // The library's own words begin with a place in its source.
        let reason = text
            .rsplit_once(".rs:")
            .map_or(text.as_str(), |(_, rest)| rest.trim_start_matches(|c: char| c.is_ascii_digit() || ": ".contains(c)));
        Self::Open(match error {
            eframe::Error::OpenGL(_) | eframe::Error::Glutin(_) | eframe::Error::NoGlutinConfigs(..) => {
                format!("no OpenGL is offered here ({reason})")
            }
            _ if cfg!(target_os = "linux") && !displays.into_iter().any(is_set) => {
                "there is no display (neither WAYLAND_DISPLAY nor DISPLAY is set)".into()
            }
            _ if text.contains("EventLoopError") => format!("the display does not answer ({reason})"),
            _ => reason.into(),
        })
    }

    /// The error and what caused it, in one line.
    pub(super) fn with_causes(&self) -> String {
        let (mut text, mut cause) = (self.to_string(), self.source());
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_tells_its_causes_once() {
        let cause = || std::io::Error::other("no more threads");
        let task = WindowError::Task { task: "export", source: cause() };
        assert_eq!(task.with_causes(), "cannot start the export: no more threads");
        let written = WindowError::Task { task: "writing of w.png", source: cause() };
        assert_eq!(WindowError::file(written).with_causes(), "cannot start the writing of w.png: no more threads");
        let unknown = WindowError::UnknownView { name: "tracks".into() };
        assert!(unknown.with_causes().starts_with("no view is called 'tracks'; there are: receptive-fields, population"));
    }
}
