//! A bar that says which values the colours of a picture stand for.

use crate::app::theme;
use crate::app::widgets::grid::short;
use crate::export::mosaic::diverging;
use egui::{Align2, Color32, FontId, Rect, Ui, pos2, vec2};

/// What it takes of the height, points: a gap, the bar and its numbers.
pub const HEIGHT: f32 = 30.0;
const GAP: f32 = 6.0;
const BAR: f32 = 9.0;
const WIDEST: f32 = 220.0;
const STEPS: usize = 64;

/// Draws it at the upper left of `place`, which is [`HEIGHT`] high: from -`top` to `top`.
pub fn colour_bar(ui: &Ui, place: Rect, top: f32) {
    let (painter, colours) = (ui.painter(), theme::colours(ui));
    let bar = Rect::from_min_size(place.min + vec2(0.0, GAP), vec2(place.width().min(WIDEST), BAR));
    let step = bar.width() / STEPS as f32;
    for i in 0..STEPS {
        let value = (i as f32 + 0.5) / STEPS as f32 * 2.0 - 1.0;
        let [r, g, b] = diverging(value, colours);
        let part = Rect::from_min_size(bar.min + vec2(i as f32 * step, 0.0), vec2(step + 0.5, BAR)).intersect(bar);
        painter.rect_filled(part, 0.0, Color32::from_rgb(r, g, b));
    }
    painter.rect_stroke(bar, 0.0, ui.visuals().widgets.noninteractive.bg_stroke, egui::StrokeKind::Outside);
    let top = f64::from(top);
    let numbers = [(-top, bar.left(), Align2::LEFT_TOP), (0.0, bar.center().x, Align2::CENTER_TOP), (top, bar.right(), Align2::RIGHT_TOP)];
    for (value, x, align) in numbers {
        painter.text(pos2(x, bar.bottom() + 1.0), align, short(value), FontId::proportional(10.5), ui.visuals().text_color());
    }
}
