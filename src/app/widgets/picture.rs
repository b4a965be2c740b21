//! A view as a file: PNG cut from a screenshot, or SVG made of the shapes that drew it.

use base64::Engine as _;
use egui::epaint::{ClippedShape, ColorMode, EllipseShape, Mesh, PathShape, RectShape, Shape, StrokeKind};
use egui::{Color32, ColorImage, Pos2, Rect};
use std::fmt::Write as _;

/// The part of a screenshot that `rect` (points) covers; `scale` pixels a point.
pub fn crop(screenshot: &ColorImage, rect: Rect, scale: f32) -> Option<image::RgbImage> {
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

/// The shapes inside `rect` as SVG, one user unit a point. Images (densities, mosaics) are cut from `screenshot`.
pub fn svg(shapes: &[ClippedShape], rect: Rect, background: Color32, screenshot: &ColorImage, scale: f32) -> String {
    let mut out = String::new();
    let (w, h) = (rect.width(), rect.height());
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\" viewBox=\"{} {} {w} {h}\">",
        rect.left(),
        rect.top()
    );
    let _ = writeln!(out, "<rect x=\"{}\" y=\"{}\" width=\"{w}\" height=\"{h}\" {}/>", rect.left(), rect.top(), fill(background));
    let mut writer = Writer { out, screenshot, scale };
    for (i, ClippedShape { clip_rect, shape, .. }) in shapes.iter().enumerate() {
        let clip = clip_rect.intersect(rect);
        if !clip.is_positive() || matches!(shape, Shape::Noop) || !shape.visual_bounding_rect().intersects(clip) {
            continue;
        }
        let (x, y, w, h) = (clip.left(), clip.top(), clip.width(), clip.height());
        let _ = writeln!(
            writer.out,
            "<clipPath id=\"c{i}\"><rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\"/></clipPath><g clip-path=\"url(#c{i})\">"
        );
        writer.shape(shape);
        writer.out.push_str("</g>\n");
    }
    writer.out.push_str("</svg>\n");
    writer.out
}

struct Writer<'a> {
    out: String,
    screenshot: &'a ColorImage,
    scale: f32,
}

fn paint(name: &str, color: Color32) -> String {
    if color == Color32::TRANSPARENT {
        return format!("{name}=\"none\"");
    }
    let [r, g, b, a] = color.to_srgba_unmultiplied();
    format!("{name}=\"#{r:02x}{g:02x}{b:02x}\" {name}-opacity=\"{:.3}\"", f32::from(a) / 255.0)
}

fn fill(color: Color32) -> String {
    paint("fill", color)
}

/// Colour and width of a line, as attributes.
fn stroke(color: Color32, width: f32) -> String {
    format!("{} stroke-width=\"{width}\"", paint("stroke", color))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

impl Writer<'_> {
    fn shape(&mut self, shape: &Shape) {
        match shape {
            Shape::Vec(shapes) => shapes.iter().for_each(|s| self.shape(s)),
            Shape::Circle(c) => {
                let (x, y, r) = (c.center.x, c.center.y, c.radius);
                let stroke = stroke(c.stroke.color, c.stroke.width);
                let _ = writeln!(self.out, "<circle cx=\"{x:.2}\" cy=\"{y:.2}\" r=\"{r:.2}\" {} {stroke}/>", fill(c.fill));
            }
            Shape::Ellipse(ellipse) => self.ellipse(ellipse),
            Shape::LineSegment { points: [a, b], stroke: line } => {
                let stroke = stroke(line.color, line.width);
                let _ = writeln!(self.out, "<line x1=\"{:.2}\" y1=\"{:.2}\" x2=\"{:.2}\" y2=\"{:.2}\" {stroke}/>", a.x, a.y, b.x, b.y);
            }
            Shape::Path(path) => self.path(path),
            Shape::Band(band) => {
                let lower = band.points.iter().map(|p| (p.x, p.y.min));
                let outline = lower.chain(band.points.iter().rev().map(|p| (p.x, p.y.max)));
                let points: String = outline.map(|(x, y)| format!("{x:.2},{y:.2} ")).collect();
                let _ = writeln!(self.out, "<polygon points=\"{points}\" {}/>", fill(band.fill));
            }
            Shape::Rect(r) if r.brush.is_some() => self.image(r.rect),
            Shape::Rect(r) => self.rect(r),
            Shape::Text(text) => self.text(text),
            Shape::Mesh(mesh) if mesh.texture_id == egui::TextureId::default() => self.triangles(mesh),
            Shape::Mesh(mesh) => self.image(mesh.calc_bounds()),
            _ => {} // Bezier curves and callbacks: no view draws them
        }
    }

    fn ellipse(&mut self, e: &EllipseShape) {
        let (x, y, degrees) = (e.center.x, e.center.y, e.angle.to_degrees());
        let _ = writeln!(
            self.out,
            "<ellipse cx=\"{x:.2}\" cy=\"{y:.2}\" rx=\"{:.2}\" ry=\"{:.2}\" transform=\"rotate({degrees:.2} {x:.2} {y:.2})\" {} {}/>",
            e.radius.x,
            e.radius.y,
            fill(e.fill),
            stroke(e.stroke.color, e.stroke.width)
        );
    }

    fn path(&mut self, path: &PathShape) {
        let color = match &path.stroke.color {
            ColorMode::Solid(color) => *color,
            ColorMode::UV(_) => Color32::GRAY,
        };
        let stroke = format!("{} stroke-linejoin=\"round\"", stroke(color, path.stroke.width));
        let element = if path.closed { "polygon" } else { "polyline" };
        let points: String = path.points.iter().map(|p| format!("{:.2},{:.2} ", p.x, p.y)).collect();
        let _ = writeln!(self.out, "<{element} points=\"{points}\" {} {stroke}/>", fill(path.fill));
    }

    fn rect(&mut self, r: &RectShape) {
        let mut rect = r.rect;
        if r.stroke_kind == StrokeKind::Inside {
            rect = rect.shrink(0.5 * r.stroke.width);
        }
        let (x, y, w, h) = (rect.left(), rect.top(), rect.width(), rect.height());
        let (round, stroke) = (r.corner_radius.nw, stroke(r.stroke.color, r.stroke.width));
        let _ = writeln!(
            self.out,
            "<rect x=\"{x:.2}\" y=\"{y:.2}\" width=\"{w:.2}\" height=\"{h:.2}\" rx=\"{round}\" {} {stroke}/>",
            fill(r.fill)
        );
    }

    fn triangles(&mut self, mesh: &Mesh) {
        for t in mesh.indices.chunks_exact(3) {
            let [a, b, c] = [0, 1, 2].map(|i| &mesh.vertices[t[i] as usize]);
            let point = |p: Pos2| format!("{:.2},{:.2}", p.x, p.y);
            let _ = writeln!(self.out, "<polygon points=\"{} {} {}\" {}/>", point(a.pos), point(b.pos), point(c.pos), fill(a.color));
        }
    }

    fn text(&mut self, text: &egui::epaint::TextShape) {
        for row in &text.galley.rows {
            let content: String = row.row.glyphs.iter().map(|g| g.chr).collect();
            let Some(glyph) = row.row.glyphs.first().filter(|_| !content.trim().is_empty()) else { continue };
            let format = text.galley.job.sections.first().map(|s| s.format.clone()).unwrap_or_default(); // one format a text here
            let color =
                text.override_text_color.unwrap_or(if format.color == Color32::PLACEHOLDER { text.fallback_color } else { format.color });
            let at = text.pos + row.pos.to_vec2() + egui::vec2(glyph.pos.x, glyph.pos.y);
            let degrees = text.angle.to_degrees();
            let rotation =
                if degrees == 0.0 { String::new() } else { format!(" transform=\"rotate({degrees} {} {})\"", text.pos.x, text.pos.y) };
            let _ = writeln!(
                self.out,
                "<text x=\"{:.2}\" y=\"{:.2}\" font-family=\"Ubuntu, sans-serif\" font-size=\"{}\" {}{rotation}>{}</text>",
                at.x,
                at.y,
                format.font_id.size,
                fill(color),
                escape(&content)
            );
        }
    }

    fn image(&mut self, rect: Rect) {
        let Some(picture) = crop(self.screenshot, rect, self.scale) else { return };
        let mut bytes = std::io::Cursor::new(Vec::new());
        if picture.write_to(&mut bytes, image::ImageFormat::Png).is_err() {
            return; // memory is the only thing that can fail here
        }
        let data = base64::engine::general_purpose::STANDARD.encode(bytes.get_ref());
        let (x, y) = (rect.left().max(0.0), rect.top().max(0.0));
        let (w, h) = (picture.width() as f32 / self.scale, picture.height() as f32 / self.scale);
        let _ = writeln!(
            self.out,
            "<image x=\"{x:.2}\" y=\"{y:.2}\" width=\"{w:.2}\" height=\"{h:.2}\" href=\"data:image/png;base64,{data}\"/>"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui::epaint::{BandPoint, BandShape};
    use egui::{Stroke, pos2, vec2};

    #[test]
    fn shapes_inside_the_view_become_elements_and_others_do_not() {
        let view = Rect::from_min_size(pos2(10.0, 10.0), vec2(50.0, 40.0));
        let clipped = |shape: Shape, clip_rect: Rect| ClippedShape {
            clip_rect,
            shape,
            transform_after_tessellation: egui::emath::TSTransform::IDENTITY,
        };
        let shapes = [
            clipped(Shape::line_segment([pos2(12.0, 12.0), pos2(30.0, 30.0)], Stroke::new(1.5, Color32::RED)), view),
            clipped(Shape::circle_filled(pos2(20.0, 20.0), 3.0, Color32::from_rgba_unmultiplied(0, 0, 255, 128)), view),
            clipped(Shape::rect_filled(Rect::EVERYTHING, 0.0, Color32::GREEN), Rect::from_min_size(pos2(200.0, 0.0), vec2(9.0, 9.0))),
            clipped(Shape::circle_filled(pos2(300.0, 20.0), 3.0, Color32::YELLOW), view),
            clipped(
                BandShape::filled(vec![BandPoint::new(11.0, 12.0..=13.0), BandPoint::new(14.0, 15.0..=16.0)], Color32::BROWN).into(),
                view,
            ),
            clipped(Shape::ellipse_filled(pos2(20.0, 20.0), vec2(4.0, 2.0), Color32::BLUE), view),
            clipped(Shape::image(egui::TextureId::User(7), view, Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0)), Color32::WHITE), view),
        ];
        let screenshot = ColorImage::filled([100, 80], Color32::from_rgb(1, 2, 3));
        let text = svg(&shapes, view, Color32::BLACK, &screenshot, 1.0);
        assert!(text.contains("<line x1=\"12.00\"") && text.contains("#ff0000"), "{text}");
        assert!(text.contains("<circle") && text.contains("fill-opacity=\"0.502\""), "{text}");
        assert!(text.contains("points=\"11.00,12.00 14.00,15.00 14.00,16.00 11.00,13.00 \""), "a band by its outline: {text}");
        assert!(text.contains("rx=\"4.00\"") && !text.contains("#ffff00"), "outside the view though not clipped: {text}");
        assert!(!text.contains("#00ff00"), "a shape of another view: {text}");
        assert!(text.contains("data:image/png;base64,"), "{text}");
        assert_eq!(crop(&screenshot, view, 1.0).unwrap().dimensions(), (50, 40));
        assert!(crop(&screenshot, Rect::from_min_size(pos2(500.0, 0.0), vec2(5.0, 5.0)), 1.0).is_none());
    }
}
