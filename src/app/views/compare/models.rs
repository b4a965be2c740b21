//! The models side by side: their filters, and the values that differ.

use super::compared::{Compared, PRESENT, color};
use super::distributions::STATISTIC;
use crate::app::theme;
use crate::app::widgets::cached_texture::CachedTexture;
use crate::app::widgets::figure;
use crate::app::widgets::grid;
use crate::export::mosaic::{self, Colours, Layout, Scale};
use crate::studies::model_comparison::ALIKE;
use egui::{Color32, ColorImage, Rect, Sense, Ui, Vec2, pos2};

/// Points a side of a mosaic, at most.
const MOSAIC: f32 = 260.0;
/// Filters of a mosaic, at most.
const FILTERS: usize = 400;

/// The picture of the filters of one of them, by its number and the theme.
pub(super) type Mosaic = CachedTexture<(usize, Colours)>;

/// Filters side by side, those that belong together at the same place.
pub(super) fn mosaics(ui: &mut Ui, textures: &mut [Mosaic], compared: &[Compared]) {
    let address = compared.as_ptr() as u64; // other models are elsewhere
    let dark = ui.visuals().dark_mode;
    let colours = theme::colours(ui);
    let side = ((ui.available_width() - 12.0 * compared.len() as f32) / compared.len() as f32).min(MOSAIC);
    ui.horizontal_top(|ui| {
        for (i, of) in compared.iter().enumerate() {
            ui.vertical(|ui| {
                ui.set_width(side);
                ui.colored_label(color(i), &of.name);
                if let Some(problem) = &of.problem {
                    ui.colored_label(theme::alarm(dark), problem);
                    return;
                }
                match &of.comparison {
                    Some(c) if !c.matched.is_empty() => ui.weak(format!("{} of {} filters alike", c.alike, c.matched.len())),
                    Some(_) => ui.weak("other pixels"),
                    None => ui.weak("filters in their order"),
                }
                .on_hover_text(format!("Alike: |cosine| of at least {ALIKE}. Filters that belong together stand at the same place"));
                let count = of.filters.ncols().min(FILTERS);
                let make = || {
                    let layout = Layout::new(count, of.shape, 1);
                    let picture = mosaic::render(of.filters.view(), &Vec::from_iter(0..count), layout, Scale::PerFilter, colours);
                    ColorImage::from_rgb([picture.width() as usize, picture.height() as usize], picture.as_raw())
                };
                let texture = textures[i].get(ui, &format!("compared {i}"), (i, colours), [address, count as u64], make);
                let (rect, _) = ui.allocate_exact_size(Vec2::splat(side), Sense::hover());
                figure::mark(ui, format!("filters of {}", of.name), rect);
                if let Some(texture) = texture {
                    ui.painter().image(texture, rect, Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0)), Color32::WHITE);
                }
            });
        }
    });
}

/// Values that differ, and how the units' quantities compare.
pub(super) fn differences(ui: &mut Ui, compared: &[Compared]) {
    for (i, of) in compared.iter().enumerate().skip(1) {
        let Some(comparison) = &of.comparison else { continue };
        ui.separator();
        ui.colored_label(color(i), format!("{} beside {PRESENT}", of.name));
        if comparison.weight_difference.is_finite() {
            ui.label(format!("|W - W'| / |W| with filters matched: {:.3}", comparison.weight_difference));
        }
        egui::Grid::new(("differing", i)).striped(true).num_columns(3).show(ui, |ui| {
            ui.strong("value");
            ui.strong(PRESENT);
            ui.strong(&of.name);
            ui.end_row();
            for value in &comparison.differing {
                ui.label(&value.key);
                ui.label(&value.first);
                ui.label(&value.second);
                ui.end_row();
            }
            for quantity in &comparison.distributions {
                let text = format!("KS {:.3}, p = {:.2}", quantity.statistic, quantity.chance);
                ui.label(format!("{}, median ({text})", quantity.name)).on_hover_text(STATISTIC);
                quantity.medians.iter().for_each(|median| _ = ui.label(grid::short(*median)));
                ui.end_row();
            }
        });
    }
}
