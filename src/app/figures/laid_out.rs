//! A figure that was laid out: its pixels, and its file.

use super::FigureSettings;
use crate::app::error::WindowError;
use crate::app::offscreen::{FrameOf, Offscreen};
use crate::app::pictures::{About, PdfOptions, SvgOptions, crop, pdf, png, svg};
use crate::export::{FileError, ending, write_atomically};
use egui::epaint::{ClippedShape, Shape};
use egui::{Color32, ColorImage, Rect};
use std::path::Path;

/// A figure that was laid out: pixels and file are made of it on another thread.
pub(in crate::app) struct LaidOut {
    offscreen: Offscreen,
    pub(super) shapes: Vec<ClippedShape>,
    pub(super) of: FrameOf,
    pub(super) rect: Rect,
    settings: FigureSettings,
}

impl LaidOut {
    /// Of what was drawn in `rect`, which becomes the whole of it: no pixel is painted beside it.
    pub(super) fn new(offscreen: Offscreen, mut shapes: Vec<ClippedShape>, scale: f32, rect: Rect, settings: FigureSettings) -> Self {
        shapes.retain(|clipped| clipped.clip_rect.intersects(rect) && clipped.shape.visual_bounding_rect().intersects(rect));
        for clipped in &mut shapes {
            clipped.clip_rect = clipped.clip_rect.translate(-rect.min.to_vec2());
            clipped.shape.translate(-rect.min.to_vec2());
        }
        let size = [rect.width(), rect.height()].map(|side| (side * scale).round().max(1.0) as u32);
        let rect = Rect::from_min_size(egui::Pos2::ZERO, rect.size());
        Self { offscreen, shapes, of: FrameOf { size, scale, seconds: 0.0 }, rect, settings }
    }

    /// The shapes with lines as wide as was asked for, and their pixels.
    fn paint(&mut self) -> (Vec<ClippedShape>, ColorImage) {
        let mut shapes = std::mem::take(&mut self.shapes);
        if self.settings.line_width != 1.0 {
            shapes.iter_mut().for_each(|clipped| widen(&mut clipped.shape, self.settings.line_width));
        }
        let picture = self.offscreen.paint(shapes.clone(), self.of);
        (shapes, ColorImage::from_rgb(self.of.size.map(|side| side as usize), picture.as_raw()))
    }

    /// Its pixels.
    pub(in crate::app) fn picture(mut self) -> Option<image::RgbImage> {
        let (_, pixels) = self.paint();
        crop(&pixels, self.rect, self.of.scale)
    }

    /// Writes it as a PNG, an SVG or a PDF, by the ending. Errors name the file.
    pub(in crate::app) fn write(mut self, path: &Path, title: &str, description: &str) -> Result<(), WindowError> {
        let (shapes, pixels) = self.paint();
        let (scale, width_mm) = (self.of.scale, self.settings.width_mm);
        let about = About { title, description, program: concat!("heescope ", env!("CARGO_PKG_VERSION")) };
        let background: Color32 = self.offscreen.background();
        match ending(path).as_str() {
            "svg" => {
                let options = SvgOptions { pixels: &pixels, scale, width_mm: Some(width_mm), outlines: self.settings.outlines, about };
                write_atomically(path, svg(&shapes, self.rect, background, &options).as_bytes()).map_err(WindowError::file)
            }
            "pdf" => {
                let options = PdfOptions { pixels: &pixels, scale, width_mm, about };
                write_atomically(path, &pdf(&shapes, self.rect, background, &options)).map_err(WindowError::file)
            }
            _ => {
                let picture = crop(&pixels, self.rect, scale).ok_or(WindowError::EmptyPicture)?;
                let bytes = png(&picture, width_mm, about).map_err(|error| WindowError::file(FileError::encode("the figure", error)))?;
                write_atomically(path, &bytes).map_err(WindowError::file)
            }
        }
    }
}

/// Makes every line of a shape so many times as wide.
fn widen(shape: &mut Shape, factor: f32) {
    match shape {
        Shape::Vec(shapes) => shapes.iter_mut().for_each(|shape| widen(shape, factor)),
        Shape::LineSegment { stroke, .. } => stroke.width *= factor,
        Shape::Path(path) => path.stroke.width *= factor,
        Shape::Circle(circle) => circle.stroke.width *= factor,
        Shape::Ellipse(ellipse) => ellipse.stroke.width *= factor,
        _ => {}
    }
}
