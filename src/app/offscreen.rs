//! Frames that no display shows, as shapes and pixels: those of films, and views drawn in whole.

use crate::app::rasteriser::Rasteriser;
use crate::app::widgets::{figure, whole_frame};
use egui::epaint::ClippedShape;
use egui::{CentralPanel, Color32, Context, FullOutput, Pos2, RawInput, Rect, Theme, Ui, Vec2};
use image::RgbImage;

/// How often a frame is laid out before it is drawn: places depend on what stood where before. The first needs more.
const LAYOUTS: usize = 2;
pub(super) const FIRST_LAYOUTS: usize = 4;
/// The longest side of a texture.
const TEXTURE_SIDE: usize = 8192;

/// How large a frame is and when it is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct FrameOf {
    /// Width and height, pixels.
    pub(super) size: [u32; 2],
    /// Pixels a point.
    pub(super) scale: f32,
    /// s since the first one.
    pub(super) seconds: f64,
}

/// Where frames are laid out, and what turns them into pixels.
pub(super) struct Offscreen {
    pub(super) ctx: Context,
    pub(super) rasteriser: Rasteriser,
    is_first: bool,
}

impl Offscreen {
    /// In the colours of the theme. Frames show everything that belongs to them, however long that takes.
    pub(super) fn new(dark: bool) -> Self {
        let new = Self::beside_window(dark);
        whole_frame::ask(&new.ctx);
        new
    }

    /// The same on the thread of a window, which waits for no frame: those lack what takes long until it is there.
    pub(super) fn beside_window(dark: bool) -> Self {
        let ctx = Context::default();
        ctx.set_theme(if dark { Theme::Dark } else { Theme::Light });
        ctx.all_styles_mut(|style| style.interaction.selectable_labels = false); // a label is no control
        whole_frame::ask_when_ready(&ctx);
        Self { ctx, rasteriser: Rasteriser::default(), is_first: true }
    }

    /// The colour of the ground.
    pub(super) fn background(&self) -> Color32 {
        self.ctx.global_style().visuals.panel_fill
    }

    /// Lays a frame out once; its figures are known then.
    pub(super) fn lay_out_once(&self, of: FrameOf, mut draw: impl FnMut(&mut Ui)) -> FullOutput {
        let points = Vec2::from(of.size.map(|side| side as f32)) / of.scale;
        let mut input = RawInput {
            screen_rect: Some(Rect::from_min_size(Pos2::ZERO, points)),
            time: Some(of.seconds),
            max_texture_side: Some(TEXTURE_SIDE),
            focused: false,
            ..RawInput::default()
        };
        input.viewports.entry(input.viewport_id).or_default().native_pixels_per_point = Some(of.scale);
        self.ctx.run_ui(input, |ui| {
            CentralPanel::default().show(ui, &mut draw);
        })
    }

    /// Lays a frame out once.
    pub(super) fn lay_out(&self, of: FrameOf, draw: impl FnMut(&mut Ui)) -> FullOutput {
        let output = self.lay_out_once(of, draw);
        figure::take(&self.ctx);
        output
    }

    /// Takes in the textures that came with a frame.
    pub(super) fn keep_textures(&mut self, output: &mut FullOutput) {
        self.rasteriser.set_textures(&mut output.textures_delta);
        self.rasteriser.free(&mut output.textures_delta);
    }

    /// The pixels of shapes that were laid out, whose textures are kept.
    pub(super) fn paint(&self, shapes: Vec<ClippedShape>, of: FrameOf) -> RgbImage {
        let triangles = self.ctx.tessellate(shapes, of.scale);
        self.rasteriser.draw(&triangles, of.size, of.scale, self.background())
    }

    /// The pixels of a frame.
    pub(super) fn draw(&mut self, of: FrameOf, mut draw: impl FnMut(&mut Ui)) -> RgbImage {
        let layouts = if std::mem::take(&mut self.is_first) { FIRST_LAYOUTS } else { LAYOUTS };
        for _ in 1..layouts {
            let mut output = self.lay_out(of, &mut draw);
            self.keep_textures(&mut output);
        }
        let mut output = self.lay_out(of, &mut draw);
        self.rasteriser.set_textures(&mut output.textures_delta);
        let picture = self.paint(output.shapes, FrameOf { scale: output.pixels_per_point, ..of });
        self.rasteriser.free(&mut output.textures_delta);
        picture
    }
}
