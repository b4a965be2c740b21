//! What a film shows and how.

use crate::app::views::ViewKind;
use crate::export::FileError;
use crate::export::film::FilmFormat;
use std::path::{Path, PathBuf};

/// Pixels of a side.
const SIDES: std::ops::RangeInclusive<u16> = 64..=4096;
/// Pixels a point.
const SCALES: std::ops::RangeInclusive<f32> = 0.5..=8.0;
/// The size in points at which everything has the room that it is made for; larger films have larger letters.
const ROOM: [f32; 2] = [1280.0, 720.0];

/// A film that is to be written.
#[derive(Clone, Debug, PartialEq)]
pub struct FilmRequest {
    /// The recording.
    pub recording: PathBuf,
    /// The film, whose ending tells the format.
    pub path: PathBuf,
    /// What it shows and how.
    pub settings: FilmSettings,
}

/// What a film shows and how.
#[derive(Clone, Debug, PartialEq)]
pub struct FilmSettings {
    /// The view.
    pub view: ViewKind,
    /// Where in the recording it begins, s.
    pub from: f64,
    /// Where it ends, s; None: where the recording does.
    pub to: Option<f64>,
    /// Frames a second.
    pub rate: f64,
    /// Width and height, pixels.
    pub size: [u16; 2],
    /// Pixels a point; None: as many as make letters legible at this size.
    pub scale: Option<f32>,
    /// Light letters on a dark ground, or dark ones on a light ground.
    pub dark: bool,
}

impl Default for FilmSettings {
    fn default() -> Self {
        Self { view: ViewKind::ReceptiveFields, from: 0.0, to: None, rate: 25.0, size: [960, 600], scale: None, dark: false }
    }
}

impl FilmSettings {
    /// Pixels a point.
    pub(super) fn scale(&self) -> f32 {
        let [width, height] = self.size.map(f32::from);
        self.scale.unwrap_or((width / ROOM[0]).min(height / ROOM[1]).max(1.0))
    }

    /// An error where rate, size or scale cannot be those of a film in this format.
    pub(super) fn check(&self, format: FilmFormat) -> Result<(), FileError> {
        let [slowest, fastest] = format.rates();
        if !(slowest..=fastest).contains(&self.rate) {
            let range = if format == FilmFormat::Gif { "0.5 to 50 frames a second in a GIF" } else { "0.5 to 60 frames a second" };
            return Err(FileError::OutOfRange { key: "rate", value: self.rate.to_string(), range });
        }
        if !self.size.iter().all(|side| SIDES.contains(side)) {
            let [width, height] = self.size;
            return Err(FileError::OutOfRange { key: "size", value: format!("{width}x{height}"), range: "64 to 4096 pixels a side" });
        }
        match self.scale.filter(|scale| !SCALES.contains(scale)) {
            Some(scale) => Err(FileError::OutOfRange { key: "scale", value: scale.to_string(), range: "0.5 to 8 pixels a point" }),
            None => Ok(()),
        }
    }

    /// Where the film ends, s. A recording that was to last for ten seconds ends with its last snapshot, a little earlier: up to the next
    /// whole second that snapshot stays.
    pub(super) fn end(&self, path: &Path, seconds: f64) -> Result<f64, FileError> {
        let to = self.to.unwrap_or(seconds);
        let is_within = self.from >= 0.0 && (self.from < to || self.to.is_none() && self.from == to) && to <= seconds.ceil();
        if is_within {
            return Ok(to);
        }
        let problem = format!("from {} to {to} s is no part of it: it is {seconds:.3} seconds long", self.from);
        Err(FileError::content(path, problem))
    }
}
