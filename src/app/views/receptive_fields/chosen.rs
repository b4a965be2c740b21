//! The chosen filter large, its Gabor fit and what the fit leaves.

use crate::analysis::gabor::Gabor;
use crate::app::gabor_fitter::Fits;
use crate::app::theme;
use crate::app::widgets::figure;
use crate::export::mosaic::diverging;
use egui::{Color32, Rect, Sense, Ui, vec2};
use ndarray::Array2;

/// The chosen filter large; beside it its fit and what the fit leaves.
pub(super) fn large(ui: &mut Ui, filters: &Array2<f32>, unit: usize, shape: [usize; 2], side: f32, fits: Option<&Fits>) {
    let column = filters.column(unit).to_vec();
    let top = column.iter().fold(f32::MIN_POSITIVE, |t, v| t.max(v.abs()));
    let fit = fits.and_then(|fits| fits.gabors.get(unit).map(|fit| (fit, fits.shape)));
    let small = side * 0.5;
    paint(ui, &column, shape, side, top, "filter");
    if let Some((fit, patch)) = fit {
        let rendered = fit.render(patch);
        let left: Vec<f32> = column.iter().zip(&rendered).map(|(w, g)| w - g).collect();
        let pair = |ui: &mut Ui| {
            for (name, values) in [("fit", &rendered), ("residual", &left)] {
                ui.vertical(|ui| {
                    ui.weak(name);
                    paint(ui, values, shape, small - 4.0, top, name);
                });
            }
        };
        ui.horizontal_top(pair);
    }
    ui.vertical(|ui| {
        ui.strong(format!("Unit {unit}"));
        ui.label(format!("strongest weight {top:.3}"));
        if let Some((fit, _)) = fit {
            ui.label(describe(fit, shape).trim_start_matches([';', ' ']));
        }
        ui.weak("traced in Traces and Posterior");
    });
}

/// A picture of `values` (row by row) at one colour scale; hovering tells a weight.
fn paint(ui: &mut Ui, values: &[f32], [rows, columns]: [usize; 2], side: f32, top: f32, name: &str) {
    let cell = (side / rows.max(columns) as f32).max(0.5);
    let (rect, response) = ui.allocate_exact_size(vec2(cell * columns as f32, cell * rows as f32), Sense::hover());
    figure::mark(ui, format!("chosen unit: {name}"), rect);
    for (i, value) in values.iter().enumerate() {
        let corner = rect.min + vec2((i % columns) as f32, (i / columns) as f32) * cell;
        let [r, g, b] = diverging(value / top, theme::colours(ui));
        ui.painter().rect_filled(Rect::from_min_size(corner, vec2(cell + 0.5, cell + 0.5)), 0.0, Color32::from_rgb(r, g, b));
    }
    if let Some(p) = response.hover_pos() {
        let (c, r) = (((p.x - rect.min.x) / cell) as usize, ((p.y - rect.min.y) / cell) as usize);
        if let Some(value) = values.get(r * columns + c).filter(|_| c < columns) {
            response.on_hover_text(format!("{name}, row {r}, column {c}: {value:+.3}"));
        }
    }
}

/// A fit in words, on a patch of this shape.
pub(super) fn describe(fit: &Gabor, shape: [usize; 2]) -> String {
    let outside = if fit.is_inside(shape) { "" } else { "; its centre lies outside the patch, so that it does not count as Gabor-like" };
    format!(
        "; Gabor fit: orientation {:.0} deg, {:.3} cycles a pixel, phase {:.0} deg, widths {:.1} and {:.1} pixels, R^2 {:.2}{outside}",
        fit.orientation.to_degrees(),
        fit.frequency,
        fit.phase.to_degrees(),
        fit.widths[0],
        fit.widths[1],
        fit.r2
    )
}
