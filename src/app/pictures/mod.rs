//! What was drawn as a file: cut from its pixels, or made of its shapes as SVG or PDF.

mod letters;
mod pdf;
mod png;
mod svg;

pub(super) use pdf::{PdfOptions, pdf};
pub(super) use png::png;
pub(super) use svg::{SvgOptions, svg};

use egui::epaint::{ClippedShape, ColorMode, EllipseShape, Mesh, PathShape, RectShape, Shape, StrokeKind, TextShape};
use egui::{Color32, ColorImage, Pos2, Rect, Stroke};

/// What a file says of itself.
#[derive(Clone, Copy)]
pub(super) struct About<'a> {
    /// What the figure is.
    pub(super) title: &'a str,
    /// What it shows and how it came about.
    pub(super) description: &'a str,
    /// The program and its version.
    pub(super) program: &'a str,
}

/// The part of a screenshot that `rect` (points) covers; `scale` pixels a point.
pub(super) fn crop(screenshot: &ColorImage, rect: Rect, scale: f32) -> Option<image::RgbImage> {
    let [width, height] = screenshot.size;
    let clamp = |value: f32, most: usize| ((value * scale).round().max(0.0) as usize).min(most);
    let (left, right) = (clamp(rect.left(), width), clamp(rect.right(), width));
    let (top, bottom) = (clamp(rect.top(), height), clamp(rect.bottom(), height));
    if left >= right || top >= bottom {
        return None;
    }
    let mut picture = image::RgbImage::new((right - left) as u32, (bottom - top) as u32);
    for (x, y, pixel) in picture.enumerate_pixels_mut() {
        let c = screenshot.pixels[(top + y as usize) * width + left + x as usize];
        *pixel = image::Rgb([c.r(), c.g(), c.b()]);
    }
    Some(picture)
}

/// A letter of a row: where it stands from the row's first one, and how wide it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Glyph {
    pub(super) chr: char,
    pub(super) x: f32,
    pub(super) advance: f32,
}

/// A row of letters on its base line, turned about `pivot`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TextRow {
    pub(super) at: Pos2,
    pub(super) pivot: Pos2,
    pub(super) degrees: f32,
    pub(super) size: f32,
    pub(super) color: Color32,
    pub(super) glyphs: Vec<Glyph>,
}

/// What shapes are drawn on, one by one.
trait Canvas {
    fn begin_clip(&mut self, clip: Rect);
    fn end_clip(&mut self);
    fn circle(&mut self, center: Pos2, radius: f32, color: Color32, line: Stroke);
    fn ellipse(&mut self, ellipse: &EllipseShape);
    fn line(&mut self, ends: [Pos2; 2], line: Stroke);
    fn path(&mut self, path: &PathShape, line: Stroke);
    fn polygon(&mut self, corners: &[Pos2], color: Color32);
    /// `rect` is the place of its line's middle.
    fn rect(&mut self, shape: &RectShape, rect: Rect);
    fn text(&mut self, row: &TextRow);
    /// A picture, which stands there in the pixels of the frame.
    fn image(&mut self, rect: Rect);
}

/// Draws the shapes that are seen in `rect`.
fn draw(shapes: &[ClippedShape], rect: Rect, canvas: &mut dyn Canvas) {
    for ClippedShape { clip_rect, shape, .. } in shapes {
        let clip = clip_rect.intersect(rect);
        if !clip.is_positive() || matches!(shape, Shape::Noop) || !shape.visual_bounding_rect().intersects(clip) {
            continue;
        }
        canvas.begin_clip(clip);
        draw_shape(shape, canvas);
        canvas.end_clip();
    }
}

fn draw_shape(shape: &Shape, canvas: &mut dyn Canvas) {
    match shape {
        Shape::Vec(shapes) => shapes.iter().for_each(|shape| draw_shape(shape, canvas)),
        Shape::Circle(c) => canvas.circle(c.center, c.radius, c.fill, c.stroke),
        Shape::Ellipse(ellipse) => canvas.ellipse(ellipse),
        Shape::LineSegment { points, stroke } => canvas.line(*points, *stroke),
        Shape::Path(path) => {
            let color = match &path.stroke.color {
                ColorMode::Solid(color) => *color,
                ColorMode::UV(_) => Color32::GRAY,
            };
            canvas.path(path, Stroke::new(path.stroke.width, color));
        }
        Shape::Band(band) => {
            let lower = band.points.iter().map(|p| Pos2::new(p.x, p.y.min));
            let outline: Vec<Pos2> = lower.chain(band.points.iter().rev().map(|p| Pos2::new(p.x, p.y.max))).collect();
            canvas.polygon(&outline, band.fill);
        }
        Shape::Rect(r) if r.brush.is_some() => canvas.image(r.rect),
        Shape::Rect(r) => {
            let inside = r.stroke_kind == StrokeKind::Inside;
            canvas.rect(r, if inside { r.rect.shrink(0.5 * r.stroke.width) } else { r.rect });
        }
        Shape::Text(text) => rows(text).iter().for_each(|row| canvas.text(row)),
        Shape::Mesh(mesh) if mesh.texture_id == egui::TextureId::default() => triangles(mesh, canvas),
        Shape::Mesh(mesh) => canvas.image(mesh.calc_bounds()),
        _ => {} // Bezier curves and callbacks: no view draws them
    }
}

fn triangles(mesh: &Mesh, canvas: &mut dyn Canvas) {
    for corners in mesh.indices.as_chunks::<3>().0 {
        let corners = corners.map(|i| &mesh.vertices[i as usize]);
        canvas.polygon(&corners.map(|corner| corner.pos), corners[2].color);
    }
}

fn rows(text: &TextShape) -> Vec<TextRow> {
    let row = |row: &egui::epaint::text::PlacedRow| {
        let glyphs = &row.row.glyphs;
        let first = glyphs.first().filter(|_| glyphs.iter().any(|glyph| !glyph.chr.is_whitespace()))?;
        let format = text.galley.job.sections.first().map(|s| s.format.clone()).unwrap_or_default(); // one format a text here
        let own = if format.color == Color32::PLACEHOLDER { text.fallback_color } else { format.color };
        Some(TextRow {
            at: text.pos + row.pos.to_vec2() + egui::vec2(first.pos.x, first.pos.y),
            pivot: text.pos,
            degrees: text.angle.to_degrees(),
            size: format.font_id.size,
            color: text.override_text_color.unwrap_or(own),
            glyphs: glyphs
                .iter()
                .map(|glyph| Glyph { chr: glyph.chr, x: glyph.pos.x - first.pos.x, advance: glyph.advance_width })
                .collect(),
        })
    };
    text.galley.rows.iter().filter_map(row).collect()
}
