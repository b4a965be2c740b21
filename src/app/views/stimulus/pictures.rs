//! Stimuli as pictures: one small texture each, its pixels hatched where they are free.

use crate::app::theme;
use crate::app::widgets::figure;
use crate::app::widgets::texture::Slot;
use crate::export::mosaic::{Colours, diverging};
use egui::{Color32, ColorImage, Rect, Response, Sense, TextureId, TextureOptions, Ui, WidgetInfo, pos2, vec2};

/// How values become colours.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Palette {
    /// 0 is neutral; the strongest colour stands for this.
    Signed(f32),
    /// 0 is black, 1 is white.
    Grey,
}

impl Palette {
    fn colour(self, value: f32, colours: Colours) -> Color32 {
        match self {
            Self::Signed(top) => {
                let [r, g, b] = diverging(value / top, colours);
                Color32::from_rgb(r, g, b)
            }
            Self::Grey => Color32::from_gray((value.clamp(0.0, 1.0) * 255.0).round() as u8),
        }
    }
}

/// The name over a picture.
pub fn caption(name: &str) -> egui::RichText {
    egui::RichText::new(name).size(11.5)
}

/// One picture.
pub struct Picture<'a> {
    /// Name of the figure, and for those who cannot see it.
    pub name: &'a str,
    /// Values, row by row.
    pub values: &'a [f32],
    /// Rows and columns.
    pub shape: [usize; 2],
    /// Colours.
    pub palette: Palette,
    /// Pixels to hatch; may be empty.
    pub hatched: &'a [bool],
}

impl Picture<'_> {
    /// Width and height when the longer side has this length.
    fn size(&self, side: f32) -> egui::Vec2 {
        let [rows, columns] = self.shape.map(|n| n.max(1) as f32);
        vec2(columns, rows) * (side / rows.max(columns))
    }

    /// The image; freed pixels in alternating colours.
    fn image(&self, colours: Colours) -> ColorImage {
        let [rows, columns] = self.shape;
        let hatch = |i: usize| theme::freed((i / columns + i % columns).is_multiple_of(2), colours.dark);
        let free = |i: usize| self.hatched.get(i).is_some_and(|&free| free);
        let pixel = |i: usize| if free(i) { hatch(i) } else { self.palette.colour(self.values.get(i).copied().unwrap_or(0.0), colours) };
        ColorImage::new([columns, rows], (0..rows * columns).map(pixel).collect())
    }
}

/// A texture and what it shows.
#[derive(Default)]
struct CachedPicture {
    texture: Slot,
    values: Vec<f32>,
    hatched: Vec<bool>,
    of: Option<([usize; 2], Palette, Colours)>,
}

impl CachedPicture {
    /// The texture of a picture; made anew where that has changed.
    fn texture(&mut self, ui: &Ui, name: &str, picture: &Picture<'_>) -> Option<TextureId> {
        let colours = theme::colours(ui);
        let of = Some((picture.shape, picture.palette, colours));
        let is_here = self.texture.id(ui).is_some();
        if !is_here || self.of != of || self.values != picture.values || self.hatched != picture.hatched {
            (self.of, self.values, self.hatched) = (of, picture.values.to_vec(), picture.hatched.to_vec());
            self.texture.put(ui, name, picture.image(colours), TextureOptions::NEAREST);
        }
        self.texture.id(ui)
    }
}

/// The textures of one view, kept from frame to frame.
#[derive(Default)]
pub struct Pictures {
    cached: Vec<CachedPicture>,
    next: usize,
}

impl Pictures {
    /// Begins a frame: pictures get their textures in the order in which they are drawn.
    pub fn begin(&mut self) {
        self.next = 0;
    }

    /// Draws a picture; its longer side is `side` points.
    pub fn show(&mut self, ui: &mut Ui, picture: &Picture<'_>, side: f32, sense: Sense) -> Response {
        let (rect, response) = ui.allocate_exact_size(picture.size(side), sense);
        figure::mark(ui, picture.name, rect);
        response.widget_info(|| WidgetInfo::labeled(egui::Role::Image, true, picture.name));
        if self.cached.len() <= self.next {
            self.cached.push(CachedPicture::default());
        }
        if let Some(texture) = self.cached[self.next].texture(ui, &format!("stimulus {}", self.next), picture) {
            ui.painter().image(texture, rect, Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0)), Color32::WHITE);
            ui.painter().rect_stroke(rect, 0.0, ui.visuals().widgets.noninteractive.bg_stroke, egui::StrokeKind::Outside);
        }
        self.next += 1;
        let at = response.hover_pos().and_then(|p| pixel_under(rect, picture.shape, p));
        match at.and_then(|i| picture.values.get(i).map(|v| (i, v))) {
            Some((i, value)) => {
                let free = if picture.hatched.get(i).is_some_and(|&free| free) { ", free" } else { "" };
                response.on_hover_text_at_pointer(format!("pixel {i}: {value:+.3}{free}"))
            }
            None => response,
        }
    }

    /// Draws a picture under its name.
    pub fn named(&mut self, ui: &mut Ui, picture: &Picture<'_>, side: f32, tip: &str) {
        ui.vertical(|ui| {
            ui.set_width(picture.size(side).x);
            ui.add(egui::Label::new(caption(picture.name)).truncate()).on_hover_text(tip);
            self.show(ui, picture, side, Sense::hover());
        });
    }
}

/// Row and column, with fractions, of a point in a picture.
pub fn place(rect: Rect, [rows, columns]: [usize; 2], point: egui::Pos2) -> [f32; 2] {
    let at = (point - rect.min) / rect.size();
    [at.y * rows as f32, at.x * columns as f32]
}

fn pixel_under(rect: Rect, shape: [usize; 2], point: egui::Pos2) -> Option<usize> {
    let [row, column] = place(rect, shape, point);
    let inside = (0.0..shape[0] as f32).contains(&row) && (0.0..shape[1] as f32).contains(&column);
    inside.then_some(row as usize * shape[1] + column as usize)
}
