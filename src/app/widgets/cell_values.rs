//! Numbers in the cells of a picture, where these are large enough for them.

use egui::{Align2, Color32, FontId, Painter, Rect, Ui, Vec2};

/// Points that a number needs across and down.
const ROOM: Vec2 = Vec2 { x: 34.0, y: 12.0 };

/// Whether cells of this size have room for a number.
pub fn has_room(cell: Vec2) -> bool {
    cell.x >= ROOM.x && cell.y >= ROOM.y
}

/// Writes a value into its cell, in the ink that can be read on its colour; `top` is what the strongest colour stands for.
pub fn write(ui: &Ui, painter: &Painter, cell: Rect, value: f32, top: f32) {
    let is_light = ui.visuals().dark_mode == (value.abs() > 0.6 * top);
    let ink = if is_light { Color32::BLACK } else { Color32::WHITE };
    painter.text(cell.center(), Align2::CENTER_CENTER, format!("{value:.2}"), FontId::proportional(11.0), ink);
}
