//! The formats of films.

use crate::export::{FileError, check_ending, ending};
use std::path::Path;

/// What a film can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilmFormat {
    /// Written without any other program, 256 colours a frame, repeated for ever.
    Gif,
    /// By ffmpeg, where it is installed.
    Mp4,
    /// By ffmpeg, where it is installed.
    WebM,
}

impl FilmFormat {
    /// The endings of their names.
    pub const ENDINGS: &'static str = ".gif, .mp4 or .webm";
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Gif, Self::Mp4, Self::WebM];

    /// The ending of its name, without the point.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Gif => "gif",
            Self::Mp4 => "mp4",
            Self::WebM => "webm",
        }
    }

    /// The format that a name tells by its ending. The error says which endings there are.
    pub fn of(path: &Path) -> Result<Self, FileError> {
        check_ending(path, Self::ENDINGS)?;
        let found = Self::ALL.into_iter().find(|format| format.ending() == ending(path));
        found.ok_or_else(|| FileError::Ending { path: path.into(), needed: Self::ENDINGS })
    }

    /// Frames a second at least and at most: what is faster in a GIF is shown slower than it says.
    pub fn rates(self) -> [f64; 2] {
        [0.5, if self == Self::Gif { 50.0 } else { 60.0 }]
    }
}
