//! Shapes as one page of a PDF.

use super::letters::{Letters, Segment};
use super::{About, Canvas, TextRow, crop, draw};
use egui::epaint::{ClippedShape, EllipseShape, PathShape, RectShape};
use egui::{Color32, ColorImage, Pos2, Rect, Stroke, Vec2, pos2, vec2};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use image::RgbImage;
use pdf_writer::types::LineJoinStyle;
use pdf_writer::{Content, Filter, Finish, Name, Pdf, Rect as PdfRect, Ref, TextStr};
use std::collections::BTreeSet;
use std::io::Write as _;

/// Units of a PDF in a millimetre.
const UNITS_PER_MM: f32 = 72.0 / 25.4;
/// Share of its radius at which the points stand that shape a quarter of a circle.
const ROUND: f32 = 0.552_284_8;

/// How a PDF is written.
pub(in crate::app) struct PdfOptions<'a> {
    /// Images are cut from this picture of the same frame, which has `scale` pixels a point.
    pub(in crate::app) pixels: &'a ColorImage,
    pub(in crate::app) scale: f32,
    pub(in crate::app) width_mm: f32,
    /// What the figure is.
    pub(in crate::app) about: About<'a>,
}

/// The shapes inside `rect` on a page of their size. Letters are outlines: no font is needed where it is opened.
pub(in crate::app) fn pdf(shapes: &[ClippedShape], rect: Rect, background: Color32, options: &PdfOptions<'_>) -> Vec<u8> {
    let units = options.width_mm * UNITS_PER_MM / rect.width();
    let mut page = Page {
        content: Content::new(),
        pixels: options.pixels,
        scale: options.scale,
        letters: Letters::new(),
        images: Vec::new(),
        opacities: BTreeSet::new(),
    };
    // From points downwards to units upwards.
    page.content.transform([units, 0.0, 0.0, -units, -units * rect.left(), units * rect.bottom()]);
    page.content.set_line_join(LineJoinStyle::RoundJoin);
    page.polygon(&[rect.left_top(), rect.right_top(), rect.right_bottom(), rect.left_bottom()], background);
    draw(shapes, rect, &mut page);
    file(page, units * rect.size(), options.about)
}

/// The page with all that belongs to it.
fn file(page: Page<'_>, size: Vec2, about: About<'_>) -> Vec<u8> {
    let Page { content, images, opacities, .. } = page;
    let [catalog, pages, leaf, stream, info] = [1, 2, 3, 4, 5].map(Ref::new);
    let image_id = |i: usize| Ref::new(6 + i as i32);
    let state_id = |i: usize| Ref::new(6 + (images.len() + i) as i32);
    let mut pdf = Pdf::new();
    pdf.catalog(catalog).pages(pages);
    pdf.document_info(info).title(TextStr(about.title)).subject(TextStr(about.description)).creator(TextStr(about.program));
    pdf.pages(pages).kids([leaf]).count(1);
    let mut described = pdf.page(leaf);
    described.parent(pages).media_box(PdfRect::new(0.0, 0.0, size.x, size.y)).contents(stream);
    let mut resources = described.resources();
    let mut list = resources.x_objects();
    (0..images.len()).for_each(|i| _ = list.pair(Name(image_name(i).as_bytes()), image_id(i)));
    list.finish();
    let mut list = resources.ext_g_states();
    opacities.iter().enumerate().for_each(|(i, of)| _ = list.pair(Name(opacity_name(*of).as_bytes()), state_id(i)));
    list.finish();
    resources.finish();
    described.finish();
    for (i, picture) in images.iter().enumerate() {
        let bytes = deflated(picture.as_raw());
        let mut image = pdf.image_xobject(image_id(i), &bytes);
        image.filter(Filter::FlateDecode);
        image.width(picture.width() as i32);
        image.height(picture.height() as i32);
        image.color_space().device_rgb();
        image.bits_per_component(8);
    }
    for (i, of) in opacities.iter().enumerate() {
        let share = f32::from(*of) / 255.0;
        pdf.ext_graphics(state_id(i)).non_stroking_alpha(share).stroking_alpha(share);
    }
    let content = content.finish();
    pdf.stream(stream, &deflated(&content)).filter(Filter::FlateDecode);
    pdf.finish()
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    // Memory is the only thing that can fail here.
    encoder.write_all(bytes).and_then(|()| encoder.finish()).unwrap_or_default()
}

fn image_name(i: usize) -> String {
    format!("Im{i}")
}

fn opacity_name(of: u8) -> String {
    format!("Gs{of}")
}

struct Page<'a> {
    content: Content,
    pixels: &'a ColorImage,
    scale: f32,
    letters: Letters,
    images: Vec<RgbImage>,
    /// The opacities that are used, 0 to 255.
    opacities: BTreeSet<u8>,
}

impl Page<'_> {
    fn opacity(&mut self, of: u8) {
        self.opacities.insert(of);
        self.content.set_parameters(Name(opacity_name(of).as_bytes()));
    }

    fn segments(&mut self, segments: impl IntoIterator<Item = Segment>) {
        for segment in segments {
            match segment {
                Segment::Move(p) => self.content.move_to(p.x, p.y),
                Segment::Line(p) => self.content.line_to(p.x, p.y),
                Segment::Curve([a, b, c]) => self.content.cubic_to(a.x, a.y, b.x, b.y, c.x, c.y),
                Segment::Close => self.content.close_path(),
            };
        }
    }

    /// Fills what these segments enclose and draws a line along them.
    fn shape(&mut self, segments: Vec<Segment>, color: Color32, line: Stroke) {
        if color != Color32::TRANSPARENT {
            let [r, g, b, a] = color.to_srgba_unmultiplied();
            self.opacity(a);
            let [r, g, b] = [r, g, b].map(|c| f32::from(c) / 255.0);
            self.content.set_fill_rgb(r, g, b);
            self.segments(segments.iter().copied());
            self.content.fill_nonzero();
        }
        if line.color != Color32::TRANSPARENT && line.width > 0.0 {
            let [r, g, b, a] = line.color.to_srgba_unmultiplied();
            self.opacity(a);
            let [r, g, b] = [r, g, b].map(|c| f32::from(c) / 255.0);
            self.content.set_stroke_rgb(r, g, b).set_line_width(line.width);
            self.segments(segments);
            self.content.stroke();
        }
    }
}

/// A line through these points.
fn through(points: &[Pos2], closed: bool) -> Vec<Segment> {
    let mut segments: Vec<Segment> =
        points.iter().enumerate().map(|(i, p)| if i == 0 { Segment::Move(*p) } else { Segment::Line(*p) }).collect();
    segments.extend(closed.then_some(Segment::Close));
    segments
}

/// An ellipse with these half axes, the first turned by `angle`.
fn round(center: Pos2, radius: Vec2, angle: f32) -> Vec<Segment> {
    let place = |x: f32, y: f32| {
        let (x, y) = (x * radius.x, y * radius.y);
        center + vec2(x * angle.cos() - y * angle.sin(), x * angle.sin() + y * angle.cos())
    };
    let quarter = |[x, y]: [f32; 2]| {
        // From (x, y) a quarter turn to (-y, x).
        Segment::Curve([place(x - ROUND * y, y + ROUND * x), place(-y + ROUND * x, x + ROUND * y), place(-y, x)])
    };
    let quarters = [[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]].map(quarter);
    std::iter::once(Segment::Move(place(1.0, 0.0))).chain(quarters).chain([Segment::Close]).collect()
}

impl Canvas for Page<'_> {
    fn begin_clip(&mut self, clip: Rect) {
        self.content.save_state().rect(clip.left(), clip.top(), clip.width(), clip.height()).clip_nonzero().end_path();
    }

    fn end_clip(&mut self) {
        self.content.restore_state();
    }

    fn circle(&mut self, center: Pos2, radius: f32, color: Color32, line: Stroke) {
        self.shape(round(center, vec2(radius, radius), 0.0), color, line);
    }

    fn ellipse(&mut self, e: &EllipseShape) {
        self.shape(round(e.center, e.radius, e.angle), e.fill, e.stroke);
    }

    fn line(&mut self, ends: [Pos2; 2], line: Stroke) {
        self.shape(through(&ends, false), Color32::TRANSPARENT, line);
    }

    fn path(&mut self, path: &PathShape, line: Stroke) {
        self.shape(through(&path.points, path.closed), path.fill, line);
    }

    fn polygon(&mut self, corners: &[Pos2], color: Color32) {
        self.shape(through(corners, true), color, Stroke::NONE);
    }

    fn rect(&mut self, r: &RectShape, rect: Rect) {
        let corners = [rect.left_top(), rect.right_top(), rect.right_bottom(), rect.left_bottom()];
        self.shape(through(&corners, true), r.fill, r.stroke);
    }

    fn text(&mut self, row: &TextRow) {
        let TextRow { at, pivot, degrees, size, color, glyphs } = row;
        let segments: Vec<Segment> = glyphs.iter().flat_map(|glyph| self.letters.outline(glyph, *at, *size)).collect();
        self.content.save_state();
        if *degrees != 0.0 {
            let (sin, cos) = degrees.to_radians().sin_cos();
            let moved = pos2(pivot.x - cos * pivot.x + sin * pivot.y, pivot.y - sin * pivot.x - cos * pivot.y);
            self.content.transform([cos, sin, -sin, cos, moved.x, moved.y]);
        }
        self.shape(segments, *color, Stroke::NONE);
        self.content.restore_state();
    }

    fn image(&mut self, rect: Rect) {
        let Some(picture) = crop(self.pixels, rect, self.scale) else { return };
        let (w, h) = (picture.width() as f32 / self.scale, picture.height() as f32 / self.scale);
        let (x, y) = (rect.left().max(0.0), rect.top().max(0.0));
        self.opacity(255);
        // A picture fills the unit square, its first row at the top.
        self.content.save_state().transform([w, 0.0, 0.0, -h, x, y + h]);
        self.content.x_object(Name(image_name(self.images.len()).as_bytes()));
        self.content.restore_state();
        self.images.push(picture);
    }
}
