//! Second-layer units by the first-layer filters that they drive: as bars at their place, or as the strongest filters in a row.

use super::page::{STRONGEST, UnitDrawing, strongest};
use crate::app::gabor_fitter::Fits;
use crate::app::theme;
use crate::app::widgets::figure;
use crate::export::bars::Bar;
use crate::export::mosaic::{Colours, diverging};
use crate::studies::fits::groups::bars;
use egui::{Color32, ColorImage, Rect, Sense, Stroke, Ui, pos2, vec2};
use ndarray::Array2;

/// Points that a unit is high at least: as bars, and as a row of filters.
const BARS_HEIGHT: f32 = 56.0;
pub(super) const FILTER_HEIGHT: f32 = 22.0;

/// The unit looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chosen {
    Second(usize),
    First(usize),
}

/// What is drawn, borrowed for one frame.
pub(super) struct GroupDrawing<'a> {
    pub(super) second: &'a Array2<f32>,
    pub(super) fits: &'a Fits,
    /// Those in sight.
    pub(super) units: &'a [UnitDrawing],
    /// All first-layer filters on one sheet.
    pub(super) filters: egui::TextureId,
    pub(super) dark: bool,
}

/// Filters in a row of the sheet, a square of filters.
fn sheet_columns(units: usize) -> usize {
    units.isqrt().max(1) + usize::from(units.isqrt().pow(2) < units)
}

/// All filters on one sheet, row by row, each with its own colour scale.
pub(super) fn sheet(weights: &Array2<f32>, [tall, wide]: [usize; 2], colours: Colours) -> ColorImage {
    let (units, columns) = (weights.ncols(), sheet_columns(weights.ncols()));
    let tops: Vec<f32> = weights.columns().into_iter().map(|c| c.iter().fold(f32::MIN_POSITIVE, |t, w| t.max(w.abs()))).collect();
    let size = [columns * wide, units.div_ceil(columns) * tall];
    let pixel = |i: usize| {
        let (y, x) = (i / size[0], i % size[0]);
        let unit = (y / tall) * columns + x / wide;
        let weight = if unit < units { weights[[(y % tall) * wide + x % wide, unit]] / tops[unit] } else { 0.0 };
        let [r, g, b] = diverging(weight, colours);
        Color32::from_rgb(r, g, b)
    };
    ColorImage::new(size, (0..size[0] * size[1]).map(pixel).collect())
}

/// How many tiles stand in a row, and their width, so that `count` of them fill the room; `aspect` is width by height.
fn tiles(count: usize, available: egui::Vec2, aspect: f32) -> (usize, f32) {
    let fits = |columns: usize| {
        let width = available.x / columns as f32;
        (columns, width.min(available.y / (count.div_ceil(columns) as f32) * aspect))
    };
    (1..=count.max(1)).map(fits).max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or((1, available.x))
}

/// How many units have room so that they can be seen, with patches of this shape, as bars or as their strongest filters.
pub(super) fn most_in(room: egui::Vec2, [rows, columns]: [usize; 2], as_bars: bool) -> usize {
    let aspect = columns as f32 / rows as f32;
    let (height, aspect) = if as_bars { (BARS_HEIGHT, aspect) } else { (FILTER_HEIGHT, STRONGEST as f32 * aspect) };
    let [across, down] = [room.x / (height * aspect), room.y / height].map(|n| n.floor().max(1.0) as usize);
    across * down
}

impl GroupDrawing<'_> {
    /// Width by height of a patch.
    fn aspect(&self) -> f32 {
        let [rows, columns] = self.fits.shape;
        columns as f32 / rows as f32
    }

    /// Width and height of a patch whose longer side has this length.
    fn patch(&self, side: f32) -> egui::Vec2 {
        let [rows, columns] = self.fits.shape.map(|n| n as f32);
        vec2(columns, rows) * (side / rows.max(columns))
    }

    pub(super) fn all_bars(&self, ui: &mut Ui, available: egui::Vec2, chosen: Option<Chosen>) -> Option<Chosen> {
        let (columns, width) = tiles(self.units.len(), available, self.aspect());
        let size = vec2(width, width / self.aspect());
        let (rect, response) =
            ui.allocate_exact_size(size * vec2(columns as f32, self.units.len().div_ceil(columns) as f32), Sense::click());
        figure::mark(ui, "bars", rect);
        let place =
            |n: usize| Rect::from_min_size(rect.min + vec2((n % columns) as f32, (n / columns) as f32) * size, size - vec2(4.0, 4.0));
        for (n, UnitDrawing { unit, bars, .. }) in self.units.iter().enumerate() {
            self.bars(ui, place(n), bars, chosen == Some(Chosen::Second(*unit)));
        }
        let at = response.hover_pos().and_then(|p| (0..self.units.len()).find(|&n| place(n).contains(p))).map(|n| self.units[n].unit);
        let clicked = response.clicked();
        if let Some(unit) = at {
            response.on_hover_text(self.describe(unit));
        }
        at.filter(|_| clicked).map(Chosen::Second)
    }

    pub(super) fn all_strongest(&self, ui: &mut Ui, available: egui::Vec2, chosen: Option<Chosen>) -> Option<Chosen> {
        let aspect = STRONGEST as f32 * self.aspect();
        let (columns, width) = tiles(self.units.len(), available, aspect);
        let height = width / aspect;
        let (rect, response) =
            ui.allocate_exact_size(vec2(width * columns as f32, height * self.units.len().div_ceil(columns) as f32), Sense::click());
        figure::mark(ui, "strongest filters", rect);
        let place = |n: usize| {
            Rect::from_min_size(
                rect.min + vec2((n % columns) as f32 * width, (n / columns) as f32 * height),
                vec2(width - 8.0, height - 4.0),
            )
        };
        for (n, UnitDrawing { unit, strongest, .. }) in self.units.iter().enumerate() {
            let row = place(n);
            let cell = (row.width() / STRONGEST as f32).min((row.height() + 1.0) * self.aspect());
            let tile = vec2(cell - 1.0, cell / self.aspect() - 1.0);
            for (k, (filter, _)) in strongest.iter().enumerate() {
                self.filter(ui, Rect::from_min_size(row.min + vec2(k as f32 * cell, 0.0), tile), *filter);
            }
            if chosen == Some(Chosen::Second(*unit)) {
                ui.painter().rect_stroke(row, 1.0, Stroke::new(1.5, theme::SERIES[4]), egui::StrokeKind::Outside);
            }
        }
        let at = response.hover_pos().and_then(|p| (0..self.units.len()).find(|&n| place(n).contains(p))).map(|n| self.units[n].unit);
        let clicked = response.clicked();
        if let Some(unit) = at {
            response.on_hover_text(self.describe(unit));
        }
        at.filter(|_| clicked).map(Chosen::Second)
    }

    fn describe(&self, unit: usize) -> String {
        let group = self.fits.groups.get(unit).copied().unwrap_or_default();
        format!(
            "unit {unit} of layer 2: orientation {:.0} deg (z {:.1}), place ({:.1}, {:.1}) pixels (z {:.1})",
            group.orientation.to_degrees(),
            group.orientation_z,
            group.centre[0],
            group.centre[1],
            group.place_z
        )
    }

    fn filter(&self, ui: &Ui, rect: Rect, unit: usize) {
        let columns = sheet_columns(self.second.nrows());
        let tile = vec2(1.0 / columns as f32, 1.0 / self.second.nrows().div_ceil(columns) as f32);
        let at = pos2((unit % columns) as f32 * tile.x, (unit / columns) as f32 * tile.y);
        let uv = Rect::from_min_size(at, tile);
        ui.painter().image(self.filters, rect, uv, Color32::WHITE);
    }

    /// One second-layer unit: the filters it drives as bars at their place.
    fn bars(&self, ui: &Ui, rect: Rect, bars: &[Bar], chosen: bool) {
        let painter = ui.painter().with_clip_rect(rect.expand(1.0).intersect(ui.clip_rect()));
        let edge = if chosen { theme::SERIES[4] } else { theme::exact(self.dark).gamma_multiply(0.25) };
        painter.rect_stroke(rect, 0.0, Stroke::new(if chosen { 2.0 } else { 1.0 }, edge), egui::StrokeKind::Inside);
        let zoom = rect.width() / self.fits.shape[1] as f32;
        for bar in bars {
            let ends = [bar.from, bar.to].map(|[x, y]| rect.min + vec2(x, y) * zoom);
            let color = theme::signed(bar.weight).gamma_multiply(bar.weight.abs());
            painter.line_segment(ends, Stroke::new((0.35 * zoom).clamp(1.5, 5.0), color));
        }
    }

    /// The chosen unit large, and what it is connected with; answers what was clicked.
    pub(super) fn detail(&self, ui: &mut Ui, chosen: Chosen, side: f32) -> Option<Chosen> {
        match chosen {
            Chosen::Second(unit) => self.second_detail(ui, unit, side),
            Chosen::First(unit) => self.first_detail(ui, unit, side),
        }
    }

    fn second_detail(&self, ui: &mut Ui, unit: usize, side: f32) -> Option<Chosen> {
        let mut clicked = None;
        ui.strong(format!("Unit {unit} of layer 2"));
        let (rect, _) = ui.allocate_exact_size(self.patch(side), Sense::hover());
        figure::mark(ui, "chosen unit", rect);
        self.bars(ui, rect, &bars(self.second.column(unit), &self.fits.gabors), true);
        ui.label(self.describe(unit));
        ui.weak("The filters that it drives most: click one to go down to it.");
        let cell = (side / (STRONGEST / 2) as f32).floor();
        egui::Grid::new("strongest").spacing([2.0, 2.0]).show(ui, |ui| {
            for (k, (filter, weight)) in strongest(self.second.column(unit)).into_iter().enumerate() {
                let (rect, response) = ui.allocate_exact_size(self.patch(cell - 4.0), Sense::click());
                self.filter(ui, rect, filter);
                if response.on_hover_text(format!("unit {filter} of layer 1: weight {weight:+.2}")).clicked() {
                    clicked = Some(Chosen::First(filter));
                }
                if (k + 1) % (STRONGEST / 2) == 0 {
                    ui.end_row();
                }
            }
        });
        clicked
    }

    fn first_detail(&self, ui: &mut Ui, unit: usize, side: f32) -> Option<Chosen> {
        let mut clicked = None;
        ui.strong(format!("Unit {unit} of layer 1"));
        let (rect, _) = ui.allocate_exact_size(self.patch(0.6 * side), Sense::hover());
        figure::mark(ui, "chosen unit", rect);
        self.filter(ui, rect, unit);
        ui.weak("The second-layer units of the strongest weights to it: click one to go up to it.");
        let mut above: Vec<(usize, f32)> = self.second.row(unit).iter().copied().enumerate().collect();
        above.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
        let cell = (side / 2.0).floor();
        egui::Grid::new("above").spacing([2.0, 2.0]).show(ui, |ui| {
            for (k, (second, weight)) in above.into_iter().take(4).enumerate() {
                let (rect, response) = ui.allocate_exact_size(self.patch(cell - 4.0), Sense::click());
                self.bars(ui, rect, &bars(self.second.column(second), &self.fits.gabors), false);
                if response.on_hover_text(format!("unit {second} of layer 2: weight {weight:+.2}")).clicked() {
                    clicked = Some(Chosen::Second(second));
                }
                if k % 2 == 1 {
                    ui.end_row();
                }
            }
        });
        clicked
    }
}
