//! Shapes as SVG.

use super::letters::{Letters, Segment};
use super::{About, Canvas, TextRow, crop, draw};
use base64::Engine as _;
use egui::epaint::{ClippedShape, EllipseShape, PathShape, RectShape};
use egui::{Color32, ColorImage, Pos2, Rect, Stroke};
use std::fmt::Write as _;

/// How an SVG is written.
pub(in crate::app) struct SvgOptions<'a> {
    /// Images (densities, mosaics) are cut from this picture of the same frame, which has `scale` pixels a point.
    pub(in crate::app) pixels: &'a ColorImage,
    pub(in crate::app) scale: f32,
    /// Width in mm; None: one user unit a point.
    pub(in crate::app) width_mm: Option<f32>,
    /// What the figure is.
    pub(in crate::app) about: About<'a>,
    /// Letters as outlines, which need no font where the file is opened; else they stay text.
    pub(in crate::app) outlines: bool,
}

/// The shapes inside `rect`, one user unit a point.
pub(in crate::app) fn svg(shapes: &[ClippedShape], rect: Rect, background: Color32, options: &SvgOptions<'_>) -> String {
    let (w, h) = (rect.width(), rect.height());
    let size = options
        .width_mm
        .map_or_else(|| format!("width=\"{w}\" height=\"{h}\""), |mm| format!("width=\"{mm}mm\" height=\"{}mm\"", mm * h / w));
    let mut writer =
        Svg { out: String::new(), pixels: options.pixels, scale: options.scale, letters: options.outlines.then(Letters::new), clips: 0 };
    let _ = writeln!(writer.out, "<svg xmlns=\"http://www.w3.org/2000/svg\" {size} viewBox=\"{} {} {w} {h}\">", rect.left(), rect.top());
    let _ = writeln!(writer.out, "<title>{}</title>", escape(options.about.title));
    let _ = writeln!(writer.out, "<desc>{}</desc>", escape(options.about.description));
    let _ = writeln!(writer.out, "<rect x=\"{}\" y=\"{}\" width=\"{w}\" height=\"{h}\" {}/>", rect.left(), rect.top(), fill(background));
    draw(shapes, rect, &mut writer);
    writer.out.push_str("</svg>\n");
    writer.out
}

struct Svg<'a> {
    out: String,
    pixels: &'a ColorImage,
    scale: f32,
    letters: Option<Letters>,
    clips: usize,
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
fn stroke(stroke: Stroke) -> String {
    format!("{} stroke-width=\"{}\"", paint("stroke", stroke.color), stroke.width)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn points(points: impl Iterator<Item = Pos2>) -> String {
    points.map(|p| format!("{:.2},{:.2} ", p.x, p.y)).collect()
}

impl Canvas for Svg<'_> {
    fn begin_clip(&mut self, clip: Rect) {
        let i = self.clips;
        self.clips += 1;
        let (x, y, w, h) = (clip.left(), clip.top(), clip.width(), clip.height());
        let _ = writeln!(
            self.out,
            "<clipPath id=\"c{i}\"><rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\"/></clipPath><g clip-path=\"url(#c{i})\">"
        );
    }

    fn end_clip(&mut self) {
        self.out.push_str("</g>\n");
    }

    fn circle(&mut self, center: Pos2, radius: f32, color: Color32, line: Stroke) {
        let (x, y) = (center.x, center.y);
        let _ = writeln!(self.out, "<circle cx=\"{x:.2}\" cy=\"{y:.2}\" r=\"{radius:.2}\" {} {}/>", fill(color), stroke(line));
    }

    fn ellipse(&mut self, e: &EllipseShape) {
        let (x, y, degrees) = (e.center.x, e.center.y, e.angle.to_degrees());
        let _ = writeln!(
            self.out,
            "<ellipse cx=\"{x:.2}\" cy=\"{y:.2}\" rx=\"{:.2}\" ry=\"{:.2}\" transform=\"rotate({degrees:.2} {x:.2} {y:.2})\" {} {}/>",
            e.radius.x,
            e.radius.y,
            fill(e.fill),
            stroke(e.stroke)
        );
    }

    fn line(&mut self, [a, b]: [Pos2; 2], line: Stroke) {
        let _ = writeln!(self.out, "<line x1=\"{:.2}\" y1=\"{:.2}\" x2=\"{:.2}\" y2=\"{:.2}\" {}/>", a.x, a.y, b.x, b.y, stroke(line));
    }

    fn path(&mut self, path: &PathShape, line: Stroke) {
        let element = if path.closed { "polygon" } else { "polyline" };
        let all = points(path.points.iter().copied());
        let _ = writeln!(self.out, "<{element} points=\"{all}\" {} {} stroke-linejoin=\"round\"/>", fill(path.fill), stroke(line));
    }

    fn polygon(&mut self, corners: &[Pos2], color: Color32) {
        let _ = writeln!(self.out, "<polygon points=\"{}\" {}/>", points(corners.iter().copied()), fill(color));
    }

    fn rect(&mut self, r: &RectShape, rect: Rect) {
        let (x, y, w, h) = (rect.left(), rect.top(), rect.width(), rect.height());
        let (round, stroke) = (r.corner_radius.nw, stroke(r.stroke));
        let _ = writeln!(
            self.out,
            "<rect x=\"{x:.2}\" y=\"{y:.2}\" width=\"{w:.2}\" height=\"{h:.2}\" rx=\"{round}\" {} {stroke}/>",
            fill(r.fill)
        );
    }

    fn text(&mut self, row: &TextRow) {
        let TextRow { at, pivot, degrees, size, color, glyphs } = row;
        let rotation = if *degrees == 0.0 { String::new() } else { format!(" transform=\"rotate({degrees} {} {})\"", pivot.x, pivot.y) };
        if let Some(letters) = &self.letters {
            let mut d = String::new();
            for glyph in glyphs {
                for segment in letters.outline(glyph, *at, *size) {
                    let _ = match segment {
                        Segment::Move(p) => write!(d, "M{:.3} {:.3}", p.x, p.y),
                        Segment::Line(p) => write!(d, "L{:.3} {:.3}", p.x, p.y),
                        Segment::Curve([a, b, c]) => {
                            write!(d, "C{:.3} {:.3} {:.3} {:.3} {:.3} {:.3}", a.x, a.y, b.x, b.y, c.x, c.y)
                        }
                        Segment::Close => write!(d, "Z"),
                    };
                }
            }
            let _ = writeln!(self.out, "<path d=\"{d}\" {}{rotation}/>", fill(*color));
            return;
        }
        let content: String = glyphs.iter().map(|glyph| glyph.chr).collect();
        let _ = writeln!(
            self.out,
            "<text x=\"{:.2}\" y=\"{:.2}\" font-family=\"Ubuntu, sans-serif\" font-size=\"{size}\" {}{rotation}>{}</text>",
            at.x,
            at.y,
            fill(*color),
            escape(&content)
        );
    }

    fn image(&mut self, rect: Rect) {
        let Some(picture) = crop(self.pixels, rect, self.scale) else { return };
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
    use egui::epaint::{BandPoint, BandShape, Shape};
    use egui::{pos2, vec2};

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
        let options = SvgOptions {
            pixels: &screenshot,
            scale: 1.0,
            width_mm: None,
            about: About { title: "a & b", description: "n < 3", program: "heescope 1" },
            outlines: false,
        };
        let text = svg(&shapes, view, Color32::BLACK, &options);
        assert!(text.contains("<line x1=\"12.00\"") && text.contains("#ff0000"), "{text}");
        assert!(text.contains("<title>a &amp; b</title>") && text.contains("<desc>n &lt; 3</desc>"), "{text}");
        assert!(text.contains("<circle") && text.contains("fill-opacity=\"0.502\""), "{text}");
        assert!(text.contains("points=\"11.00,12.00 14.00,15.00 14.00,16.00 11.00,13.00 \""), "a band by its outline: {text}");
        assert!(text.contains("rx=\"4.00\"") && !text.contains("#ffff00"), "outside the view though not clipped: {text}");
        assert!(!text.contains("#00ff00"), "a shape of another view: {text}");
        assert!(text.contains("data:image/png;base64,"), "{text}");
        assert_eq!(crop(&screenshot, view, 1.0).unwrap().dimensions(), (50, 40));
        assert!(crop(&screenshot, Rect::from_min_size(pos2(500.0, 0.0), vec2(5.0, 5.0)), 1.0).is_none());
    }
}
