//! Plots in columns of equal width.

use egui::Ui;

/// Between two columns, points.
const GAP: f32 = 8.0;

/// Draws all in rows of so many columns; `draw` is given the width of one, points.
pub(super) fn in_columns<T>(ui: &mut Ui, columns: usize, all: &[T], mut draw: impl FnMut(&mut Ui, &T, f32)) {
    let width = (ui.available_width() - GAP * (columns - 1) as f32) / columns as f32;
    for row in all.chunks(columns) {
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = GAP;
            row.iter().for_each(|one| draw(ui, one, width));
        });
    }
}
