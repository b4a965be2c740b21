//! All of a view as a file, also what a window has no room for: it is drawn anew, as high as it is.

use crate::app::error::WindowError;
use crate::app::offscreen::{FrameOf, Offscreen};
use crate::app::views::WholeView;
use crate::app::widgets::picture;
use crate::export::{ending, save_png, write_atomically};
use egui::ColorImage;
use std::path::Path;

/// Pixels a point: enough to be printed.
const SCALE: f32 = 2.0;
/// Points of a side at most, and of a width at least.
const HIGHEST: f32 = 8000.0;
const NARROWEST: f32 = 500.0;
/// Points around what is drawn.
const MARGIN: f32 = 8.0;

/// Draws the view so many points wide and writes it as a PNG or, by the ending of `path`, an SVG. Errors name the file.
pub(super) fn write(path: &Path, width: f32, dark: bool, mut view: WholeView) -> Result<(), WindowError> {
    let width = width.clamp(NARROWEST, HIGHEST).ceil();
    let mut offscreen = Offscreen::new(dark);
    let of = |height: f32| FrameOf { size: [width, height].map(|side| (side * SCALE) as u32), scale: SCALE, seconds: 0.0 };
    let mut bottom = 0.0_f32;
    // Once to find out how high it is.
    let mut output = offscreen.lay_out(of(HIGHEST), |ui| {
        bottom = ui.scope(&mut view).response.rect.bottom();
    });
    offscreen.rasteriser.set_textures(&mut output.textures_delta);
    offscreen.rasteriser.free(&mut output.textures_delta);
    let of = of((bottom + MARGIN).clamp(1.0, HIGHEST).ceil());
    let (shapes, pixels) = offscreen.draw(of, view);
    if ending(path) == "svg" {
        let image = ColorImage::from_rgb(of.size.map(|side| side as usize), pixels.as_raw());
        let text = picture::svg(&shapes, offscreen.ctx.content_rect(), offscreen.background(), &image, SCALE);
        return write_atomically(path, text.as_bytes()).map_err(WindowError::file);
    }
    save_png(path, &pixels).map_err(WindowError::file)
}
