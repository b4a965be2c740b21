//! Several small plots in a grid.

use egui::{Ui, Vec2, vec2};

/// What draws one of them.
pub type Panel<'a> = Box<dyn FnOnce(&mut Ui) + 'a>;

/// Columns of a grid of `count` plots with a heading each, and the size of one, so that they fill the room that is left.
pub fn layout(ui: &Ui, count: usize, widest: usize) -> (usize, Vec2) {
    let columns = if ui.available_width() > 760.0 { widest } else { 2 };
    let rows = count.div_ceil(columns) as f32;
    let width = ui.available_width() / columns as f32 - 8.0;
    (columns, vec2(width, ((ui.available_height() - 28.0 * rows) / rows).max(80.0)))
}

/// Draws them, row by row.
pub fn grid(ui: &mut Ui, id: &str, columns: usize, panels: Vec<Panel<'_>>) {
    egui::Grid::new(id).num_columns(columns).spacing([8.0, 4.0]).show(ui, |ui| {
        for (i, panel) in panels.into_iter().enumerate() {
            ui.vertical(panel);
            if (i + 1) % columns == 0 {
                ui.end_row();
            }
        }
    });
}
