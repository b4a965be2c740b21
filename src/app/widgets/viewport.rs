//! The part of a mosaic, a matrix or a plane that is in sight: the wheel zooms, dragging moves, a double click shows all of it again.

use crate::export::mosaic::Layout;
use egui::{Event, Key, Modifiers, Rect, Response, Ui, Vec2, pos2, vec2};
use std::ops::Range;

/// A pixel of the wheel zooms by this, as a logarithm.
const WHEEL: f32 = 1.0 / 240.0;
/// A press of a key zooms by this, and moves by this share of what is in sight.
const KEY_ZOOM: f32 = 1.25;
const KEY_MOVE: f32 = 0.2;
/// Points a weight at most.
pub const LARGEST: f32 = 64.0;

/// How much larger than as a whole something is drawn, and which part of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Viewport {
    /// 1: all of it is in sight.
    zoom: f32,
    /// The upper left corner of what is in sight, as shares of width and height.
    corner: Vec2,
}

impl Default for Viewport {
    fn default() -> Self {
        Self { zoom: 1.0, corner: Vec2::ZERO }
    }
}

impl Viewport {
    /// Whether a part of it is out of sight.
    pub fn is_part(&self) -> bool {
        self.zoom > 1.0
    }

    /// How much larger than as a whole it is drawn.
    pub fn zoom(&self) -> f32 {
        self.zoom
    }

    /// Where the whole mosaic would stand when this part of it fills `seen`.
    pub fn whole(&self, seen: Rect) -> Rect {
        let size = seen.size() * self.zoom;
        Rect::from_min_size(seen.min - self.corner * size, size)
    }

    /// What is in sight as shares of the whole: the upper left corner and the size.
    pub fn shares(&self) -> [Vec2; 2] {
        [self.corner, Vec2::splat(1.0 / self.zoom)]
    }

    /// A phrase for captions; empty where all of it is in sight.
    pub fn caption(&self) -> String {
        if self.is_part() { format!("; the part in sight, enlarged {:.1} times", self.zoom) } else { String::new() }
    }

    /// Columns and rows of tiles that are in sight at least in part.
    pub fn tiles(&self, layout: Layout) -> [Range<usize>; 2] {
        let of = |corner: f32, count: usize| {
            let (from, to) = (corner * count as f32, (corner + 1.0 / self.zoom) * count as f32);
            let from = (from.floor().max(0.0) as usize).min(count.saturating_sub(1));
            from..(to.ceil() as usize).clamp(from + 1, count.max(from + 1))
        };
        if self.is_part() {
            [of(self.corner.x, layout.columns), of(self.corner.y, layout.rows)]
        } else {
            [0..layout.columns, 0..layout.rows]
        }
    }

    /// Follows the pointer over `seen`, `weight` points a weight as a whole, and the keys while it is there.
    pub fn follow(&mut self, ui: &Ui, response: &Response, seen: Rect, weight: f32) {
        let before = *self;
        let largest = (LARGEST / weight).max(1.0);
        if response.double_clicked() {
            *self = Self::default();
        }
        if self.is_part() && response.dragged() {
            self.corner -= response.drag_delta() / (seen.size() * self.zoom);
        }
        if let Some(at) = response.hover_pos() {
            let pointed = ((at - seen.min) / seen.size()).clamp(Vec2::ZERO, Vec2::ONE);
            let (wheel, pinch) = ui.input(|input| (input.smooth_scroll_delta().y, input.zoom_delta()));
            self.zoom_to(self.zoom * pinch * (wheel * WHEEL).exp(), largest, pointed);
            if ui.ctx().memory(|memory| memory.focused().is_none_or(|id| id == response.id)) {
                let centre = Vec2::splat(0.5);
                for key in pressed(ui) {
                    match key {
                        Key::Plus | Key::Equals => self.zoom_to(self.zoom * KEY_ZOOM, largest, centre),
                        Key::Minus => self.zoom_to(self.zoom / KEY_ZOOM, largest, centre),
                        Key::Num0 => *self = Self::default(),
                        Key::ArrowLeft => self.corner.x -= KEY_MOVE / self.zoom,
                        Key::ArrowRight => self.corner.x += KEY_MOVE / self.zoom,
                        Key::ArrowUp => self.corner.y -= KEY_MOVE / self.zoom,
                        Key::ArrowDown => self.corner.y += KEY_MOVE / self.zoom,
                        _ => {}
                    }
                }
            }
        }
        self.corner = self.corner.clamp(Vec2::ZERO, Vec2::splat(1.0 - 1.0 / self.zoom));
        if *self != before {
            ui.ctx().request_repaint();
        }
    }

    /// Zooms to this, while the place that is pointed at stays where it is.
    fn zoom_to(&mut self, zoom: f32, largest: f32, pointed: Vec2) {
        let zoom = zoom.clamp(1.0, largest);
        self.corner += pointed * (1.0 / self.zoom - 1.0 / zoom);
        self.zoom = zoom;
    }
}

/// The keys that were pressed alone.
fn pressed(ui: &Ui) -> Vec<Key> {
    let alone = |event: &Event| match event {
        Event::Key { key, pressed: true, modifiers, .. } if *modifiers == Modifiers::NONE || *modifiers == Modifiers::SHIFT => Some(*key),
        _ => None,
    };
    ui.input(|input| input.events.iter().filter_map(alone).collect())
}

/// The tiles of a part, row by row, as a mosaic of their own, and where it stands in the whole one drawn in `whole`.
pub fn part(layout: Layout, [columns, rows]: [Range<usize>; 2], order: &[usize], empty: usize, whole: Rect) -> (Layout, Vec<usize>, Rect) {
    let tile = |row: usize, column: usize| order.get(row * layout.columns + column).copied().unwrap_or(empty);
    let of = rows.clone().flat_map(|row| columns.clone().map(move |column| tile(row, column))).collect();
    let part = Layout { columns: columns.len(), rows: rows.len(), ..layout };
    let scale = whole.size() / Vec2::from(layout.size().map(|side| side as f32));
    let corner = vec2((columns.start * (layout.tile[1] + layout.gap)) as f32, (rows.start * (layout.tile[0] + layout.gap)) as f32);
    let size = Vec2::from(part.size().map(|side| side as f32));
    (part, of, Rect::from_min_size(pos2(whole.min.x, whole.min.y) + corner * scale, size * scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEEN: Rect = Rect { min: pos2(10.0, 20.0), max: pos2(110.0, 220.0) };

    #[test]
    fn what_is_pointed_at_stays_and_no_place_beyond_the_edges_is_seen() {
        let mut window = Viewport::default();
        for (zoom, pointed) in [(3.0, vec2(0.25, 0.75)), (8.0, vec2(1.0, 0.0)), (2.0, vec2(0.5, 0.1))] {
            let place = |window: &Viewport| (SEEN.min + pointed * SEEN.size() - window.whole(SEEN).min) / window.whole(SEEN).size();
            let before = place(&window);
            window.zoom_to(zoom, 10.0, pointed);
            assert!((place(&window) - before).length() < 1e-6, "{window:?}");
        }
        window.zoom_to(100.0, 10.0, Vec2::ZERO);
        assert_eq!(window.zoom(), 10.0);
        window.zoom_to(0.1, 10.0, Vec2::ZERO);
        assert!(!window.is_part());
        assert_eq!(Viewport::default().whole(SEEN), SEEN);
    }

    #[test]
    fn a_part_has_its_tiles_at_their_places() {
        let layout = Layout { columns: 4, rows: 3, tile: [5, 7], gap: 1 };
        let order: Vec<usize> = (0..11).collect();
        let window = Viewport { zoom: 4.0, corner: vec2(0.5, 0.4) };
        let [columns, rows] = window.tiles(layout);
        assert_eq!([columns.clone(), rows.clone()], [2..3, 1..2]);
        let whole = Rect::from_min_size(SEEN.min, 2.0 * Vec2::from(layout.size().map(|side| side as f32)));
        let (one, units, rect) = part(layout, [columns, rows], &order, 99, whole);
        assert_eq!((one.columns, one.rows, units), (1, 1, vec![6]));
        let [x, y] = layout.corner(6).map(|at| at as f32);
        assert_eq!(rect.min + 2.0 * vec2(1.0, 1.0), whole.min + 2.0 * vec2(x, y), "its gap, then its first weight");
        let (all, units, rect) = part(layout, Viewport::default().tiles(layout), &order, 99, whole);
        assert_eq!((all, rect, units.len(), units[11]), (layout, whole, 12, 99));
    }
}
