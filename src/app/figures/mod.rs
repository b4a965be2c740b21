//! Figures: a view, or one plot or picture of it, as a file that can be printed.

pub(super) mod caption;
pub(super) mod dialog;
pub(super) mod drawing;
mod filter_fields;
pub(super) mod known;
pub(super) mod laid_out;

use crate::app::views::ViewKind;
use crate::export::mosaic::ColourMap;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Widths of one column and of two columns of a page, mm.
pub(super) const COLUMNS: [(&str, f32); 2] = [("one column", 85.0), ("two columns", 180.0)];

/// How figures are written; kept between two runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FigureSettings {
    /// Width, mm.
    pub width_mm: f32,
    /// Height over width of what has no shape of its own.
    pub ratio: f32,
    /// Size of the letters, pt.
    pub font_pt: f32,
    /// Dots an inch of a PNG.
    pub dpi: f32,
    /// Lines are so many times as wide as in the window.
    pub line_width: f32,
    /// Light letters on a dark ground.
    pub dark: bool,
    /// Colours of signed values.
    pub colours: ColourMap,
    /// The axes are named.
    pub axis_names: bool,
    /// A figure by itself has its title and the names of its lines above it.
    pub title: bool,
    /// Letters of an SVG as outlines; else they stay text.
    pub outlines: bool,
    /// A text file of the same name says what the figure shows and how it came about.
    pub caption: bool,
    /// The folder that was used last.
    pub folder: PathBuf,
}

impl Default for FigureSettings {
    fn default() -> Self {
        Self {
            width_mm: COLUMNS[0].1,
            ratio: 0.75,
            font_pt: 8.0,
            dpi: 300.0,
            line_width: 1.0,
            dark: false,
            colours: ColourMap::default(),
            axis_names: true,
            title: true,
            outlines: true,
            caption: true,
            folder: PathBuf::new(),
        }
    }
}

impl FigureSettings {
    /// Within what can be drawn.
    fn within_limits(&self) -> Self {
        Self {
            width_mm: self.width_mm.clamp(20.0, 500.0),
            ratio: self.ratio.clamp(0.1, 5.0),
            font_pt: self.font_pt.clamp(3.0, 40.0),
            dpi: self.dpi.clamp(36.0, 1200.0),
            line_width: self.line_width.clamp(0.2, 8.0),
            ..self.clone()
        }
    }
}

/// A figure that is to be written.
#[derive(Clone, Debug, PartialEq)]
pub struct FigureRequest {
    /// The view.
    pub kind: ViewKind,
    /// One figure of it; None: the whole view.
    pub figure: Option<String>,
    /// The file: .png, .svg or .pdf for a picture, .csv or .npy for its numbers.
    pub path: PathBuf,
}
