//! Plots in columns of equal width.

use crate::app::widgets::figure;
use egui::{Rect, Ui, Vec2};
use egui_plot::{Plot, PlotUi};

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

/// Shows a plot of this size; one that is scrolled out of sight has its room alone.
pub(super) fn shown_in_sight<'a>(ui: &mut Ui, name: &str, size: Vec2, plot: Plot<'a>, build: impl FnOnce(&mut PlotUi<'a>) + 'a) {
    if ui.is_rect_visible(Rect::from_min_size(ui.cursor().min, size)) || figure::is_saved(ui.ctx()) {
        let shown = ui.scope(|ui| plot.show(ui, build));
        figure::note_plot(ui, name, shown.response.rect, &shown.inner);
    } else {
        ui.allocate_space(size);
    }
}
