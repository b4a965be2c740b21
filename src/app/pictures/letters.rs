//! The outlines of letters, from the fonts that the window has: a file with outlines looks the same wherever it is opened.

use super::Glyph;
use egui::{FontData, FontDefinitions, FontFamily, Pos2, pos2};
use skrifa::instance::{LocationRef, Size};
use skrifa::outline::{DrawSettings, OutlinePen};
use skrifa::{FontRef, MetadataProvider};
use std::sync::Arc;

/// A part of an outline.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Segment {
    Move(Pos2),
    Line(Pos2),
    /// Two points that shape a curve, and its end.
    Curve([Pos2; 3]),
    Close,
}

/// The fonts, in the order in which a letter is looked for in them.
pub(super) struct Letters {
    fonts: Vec<Arc<FontData>>,
}

impl Letters {
    /// Those of the window.
    pub(super) fn new() -> Self {
        let FontDefinitions { font_data, families } = FontDefinitions::default();
        let names = families.get(&FontFamily::Proportional).cloned().unwrap_or_default();
        Self { fonts: names.iter().filter_map(|name| font_data.get(name).cloned()).collect() }
    }

    /// The outline of a letter of a row that begins at `at`, of this size in points; nothing for a space.
    pub(super) fn outline(&self, glyph: &Glyph, at: Pos2, size: f32) -> Vec<Segment> {
        let found = self.fonts.iter().find_map(|data| {
            let font = FontRef::from_index((*data.font).as_ref(), data.index).ok()?;
            let id = font.charmap().map(glyph.chr)?;
            Some((font, id))
        });
        let Some((font, id)) = found else { return Vec::new() };
        // As wide as it was laid out.
        let natural = font.glyph_metrics(Size::new(size), LocationRef::default()).advance_width(id).unwrap_or_default();
        let scale = if natural > 0.0 && glyph.advance > 0.0 { glyph.advance / natural } else { 1.0 };
        let mut pen = Pen { origin: pos2(at.x + glyph.x, at.y), scale, last: Pos2::ZERO, segments: Vec::new() };
        if let Some(outline) = font.outline_glyphs().get(id) {
            let _ = outline.draw(DrawSettings::unhinted(Size::new(size), LocationRef::default()), &mut pen);
        }
        pen.segments
    }
}

/// Takes an outline down, upwards of the base line turned to upwards on screen.
struct Pen {
    origin: Pos2,
    scale: f32,
    last: Pos2,
    segments: Vec<Segment>,
}

impl Pen {
    fn place(&self, x: f32, y: f32) -> Pos2 {
        pos2(self.origin.x + self.scale * x, self.origin.y - self.scale * y)
    }
}

impl OutlinePen for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.last = self.place(x, y);
        self.segments.push(Segment::Move(self.last));
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.last = self.place(x, y);
        self.segments.push(Segment::Line(self.last));
    }

    fn quad_to(&mut self, cx: f32, cy: f32, x: f32, y: f32) {
        // The same curve with two points that shape it.
        let (control, end) = (self.place(cx, cy), self.place(x, y));
        let toward = |from: Pos2| from + (control - from) * (2.0 / 3.0);
        self.segments.push(Segment::Curve([toward(self.last), toward(end), end]));
        self.last = end;
    }

    fn curve_to(&mut self, ax: f32, ay: f32, bx: f32, by: f32, x: f32, y: f32) {
        let end = self.place(x, y);
        self.segments.push(Segment::Curve([self.place(ax, ay), self.place(bx, by), end]));
        self.last = end;
    }

    fn close(&mut self) {
        self.segments.push(Segment::Close);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_digits_and_greek_have_outlines_as_wide_as_they_were_laid_out() {
        let letters = Letters::new();
        for chr in "Wm05\u{03C4}\u{03B5}\u{03C3}\u{00B1}".chars() {
            let glyph = |advance: f32| Glyph { chr, x: 4.0, advance };
            let outline = letters.outline(&glyph(12.0), pos2(100.0, 50.0), 14.0);
            assert!(matches!(outline.first(), Some(Segment::Move(_))) && outline.contains(&Segment::Close), "{chr}");
            let extent = |outline: &[Segment]| {
                let ends = outline.iter().filter_map(|segment| match segment {
                    Segment::Move(p) | Segment::Line(p) | Segment::Curve([.., p]) => Some(p.x),
                    Segment::Close => None,
                });
                ends.fold([f32::INFINITY, f32::NEG_INFINITY], |[low, high], x| [low.min(x), high.max(x)])
            };
            let [low, high] = extent(&outline);
            assert!(low > 103.0 && high < 117.5, "{chr}: {low} to {high}");
            let [_, wide] = extent(&letters.outline(&glyph(24.0), pos2(100.0, 50.0), 14.0));
            assert!((wide - 104.0 - 2.0 * (high - 104.0)).abs() < 0.1, "{chr} is as wide as its place");
        }
        assert!(letters.outline(&Glyph { chr: ' ', x: 0.0, advance: 4.0 }, Pos2::ZERO, 14.0).is_empty());
    }
}
