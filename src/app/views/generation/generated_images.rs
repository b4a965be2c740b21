//! Generated images as tiles of one texture, and one of them pinned with its latents.

use crate::app::theme;
use crate::app::widgets::figure;
use crate::app::widgets::texture::{self, Slot};
use crate::engine::GenerationState;
use crate::export::images::Tone;
use crate::export::mosaic::{Colours, diverging};
use crate::studies::generation::Mode;
use crate::studies::generation::comparison::ModeResult;
use egui::{Color32, ColorImage, Pos2, Rect, Response, Sense, TextureId, TextureOptions, Ui, WidgetInfo, pos2, vec2};
use ndarray::{Array2, ArrayView1};

/// Bars of latents drawn at most; a wider layer shows its strongest.
const BARS: usize = 256;

/// What a texture was made of: an address, a count that grows, the theme, means or samples.
type Key = (usize, u64, Colours, bool);

/// Pixels of a sheet of tiles at most: more would take longer to colour than a frame has.
const SHEET: usize = 1 << 20;

/// A sheet of images, as many in a row as in a column.
#[derive(Default)]
pub(super) struct ImageTiles {
    texture: Slot,
    of: Option<Key>,
    columns: usize,
    /// Pixels of a tile, its gap included: `[height, width]`.
    pitch: [usize; 2],
    size: [usize; 2],
}

/// Images of `[height, width]` that one sheet holds here; at least one.
pub(super) fn capacity(ui: &Ui, [height, width]: [usize; 2]) -> usize {
    let row = texture::longest(ui) / (height.max(width) + 1);
    (row * row).min(SHEET / ((height + 1) * (width + 1))).max(1)
}

/// Colours of one image: grey, or signed with the image's own scale.
fn colours(image: ArrayView1<f32>, tone: Tone, shades: Colours) -> Vec<Color32> {
    if tone == Tone::Grey {
        return tone.colours(image).into_iter().map(|[r, g, b]| Color32::from_rgb(r, g, b)).collect();
    }
    let top = image.iter().fold(f32::MIN_POSITIVE, |top, v| if v.is_finite() { top.max(v.abs()) } else { top });
    let colour = |v: &f32| {
        let [r, g, b] = diverging(v / top, shades);
        Color32::from_rgb(r, g, b)
    };
    image.iter().map(colour).collect()
}

impl ImageTiles {
    /// The sheet of the first `most` of these images, `[count, n_0]`; made anew where `key` has changed.
    pub(super) fn of(
        &mut self,
        ui: &Ui,
        name: &str,
        key: Key,
        images: &Array2<f32>,
        found: &GenerationState,
        most: usize,
    ) -> Option<TextureId> {
        if self.of != Some(key) || self.texture.id(ui).is_none() {
            self.of = Some(key);
            let [height, width] = found.shape;
            let count = images.nrows().min(most);
            self.columns = ((count as f64).sqrt().ceil() as usize).max(1);
            self.pitch = [height + 1, width + 1];
            self.size = [self.columns * self.pitch[1], count.div_ceil(self.columns).max(1) * self.pitch[0]];
            let mut picture = ColorImage::filled(self.size, Color32::from_gray(if key.2.dark { 60 } else { 190 }));
            for (i, image) in images.rows().into_iter().take(count).enumerate() {
                let [left, upper] = self.corner(i);
                for (p, colour) in colours(image, found.tone, key.2).into_iter().enumerate().take(height * width) {
                    picture.pixels[(upper + p / width) * self.size[0] + left + p % width] = colour;
                }
            }
            self.texture.put(ui, name, picture, TextureOptions::NEAREST);
        }
        self.texture.id(ui)
    }

    /// Left and upper edge of a tile, pixels.
    fn corner(&self, i: usize) -> [usize; 2] {
        [i % self.columns * self.pitch[1], i / self.columns * self.pitch[0]]
    }

    /// Draws the sheet; its longer side is `side` points.
    pub(super) fn draw(&self, ui: &mut Ui, name: &str, texture: Option<TextureId>, side: f32) -> Response {
        let [width, height] = self.size.map(|pixels| pixels.max(1) as f32);
        let (rect, response) = ui.allocate_exact_size(vec2(width, height) * (side / width.max(height)), Sense::click());
        response.widget_info(|| WidgetInfo::labeled(egui::Role::Image, true, name));
        if let Some(texture) = texture {
            ui.painter().image(texture, rect, Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0)), Color32::WHITE);
        }
        response
    }

    /// Draws the first `count` tiles in one row, those in sight only; the tile under the pointer.
    pub(super) fn strip(
        &self,
        ui: &mut Ui,
        name: &str,
        texture: Option<TextureId>,
        count: usize,
        height: f32,
    ) -> (Response, Option<usize>) {
        let [rows, columns] = self.pitch.map(|pitch| pitch.saturating_sub(1).max(1) as f32);
        let tile = vec2(height * columns / rows, height);
        let step = tile.x + 2.0;
        let (rect, response) = ui.allocate_exact_size(vec2(step * count as f32, height), Sense::click());
        response.widget_info(|| WidgetInfo::labeled(egui::Role::Image, true, name));
        let seen = ui.clip_rect().intersect(rect);
        let place = |x: f32| ((x - rect.left()) / step).max(0.0) as usize;
        if let Some(texture) = texture.filter(|_| seen.is_positive()) {
            let whole = vec2(self.size[0] as f32, self.size[1] as f32);
            for i in place(seen.left())..count.min(place(seen.right()) + 1) {
                let [left, upper] = self.corner(i).map(|pixel| pixel as f32);
                let part = Rect::from_min_size((vec2(left, upper) / whole).to_pos2(), vec2(columns, rows) / whole);
                let at = Rect::from_min_size(rect.min + vec2(i as f32 * step, 0.0), tile);
                ui.painter().image(texture, at, part, Color32::WHITE);
            }
        }
        let under = response.hover_pos().map(|p| place(p.x)).filter(|&i| i < count);
        (response, under)
    }

    /// The tile under a point of the picture drawn in `rect`.
    pub(super) fn tile_at(&self, at: Pos2, rect: Rect) -> Option<usize> {
        let place = |share: f32, side: usize, pitch: usize| (share * side as f32) as usize / pitch.max(1);
        let share = (at - rect.min) / rect.size();
        let (column, row) = (place(share.x, self.size[0], self.pitch[1]), place(share.y, self.size[1], self.pitch[0]));
        (share.x >= 0.0 && share.y >= 0.0 && column < self.columns).then_some(row * self.columns + column)
    }
}

/// An image that was clicked, as it was then.
pub(super) struct PinnedImage {
    pub(super) mode: Mode,
    pub(super) number: usize,
    /// What was shown, `[n_0]`.
    pub(super) image: Vec<f32>,
    /// x of layers 1..=L.
    latents: Vec<Vec<f32>>,
    sorted: bool,
}

impl PinnedImage {
    pub(super) fn of(mode_result: &ModeResult, number: usize, means: bool) -> Option<Self> {
        let images = if means { &mode_result.means } else { &mode_result.samples };
        if number >= images.nrows() {
            return None;
        }
        let latents = mode_result.latents.iter().map(|x| x.row(number).to_vec()).collect();
        Some(Self { mode: mode_result.mode, number, image: images.row(number).to_vec(), latents, sorted: true })
    }

    pub(super) fn draw(&self, ui: &mut Ui, found: &GenerationState) {
        let [rows, columns] = found.shape;
        let cell = (ui.available_width() / columns as f32).min(240.0 / rows as f32);
        let (rect, _) = ui.allocate_exact_size(vec2(columns as f32, rows as f32) * cell, Sense::hover());
        figure::mark(ui, "pinned", rect);
        for (i, colour) in colours(ArrayView1::from(&self.image), found.tone, theme::colours(ui)).into_iter().enumerate() {
            let corner = rect.min + vec2((i % columns) as f32, (i / columns) as f32) * cell;
            ui.painter().rect_filled(Rect::from_min_size(corner, vec2(cell + 0.5, cell + 0.5)), 0.0, colour);
        }
    }
}

/// The latents of a pinned image: bars by unit or sorted, a layer below the other.
pub(super) fn latents(ui: &mut Ui, pinned: &mut PinnedImage) {
    ui.checkbox(&mut pinned.sorted, "Sort latents").on_hover_text("By value, largest first; else by unit");
    let layers = pinned.latents.len() as f32;
    let height = ((ui.available_height() - 20.0 * layers) / layers).clamp(24.0, 90.0);
    for (l, x) in (1..).zip(&pinned.latents) {
        let active = x.iter().filter(|v| v.abs() > 1e-3).count();
        if let (1, Some(state)) = (active, x.iter().position(|&v| v == 1.0)) {
            ui.weak(format!("x{l}: state {state} of {}", x.len()));
            continue;
        }
        ui.weak(format!("x{l}: {} units", x.len()));
        let mut values = x.clone();
        if pinned.sorted || values.len() > BARS {
            values.sort_by(|a, b| b.total_cmp(a));
        }
        if values.len() > BARS {
            values.drain(BARS / 2..values.len() - BARS / 2); // the middle of a sorted row says least
        }
        let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::hover());
        figure::mark(ui, format!("latents x{l}"), rect);
        let top = values.iter().fold(0.0f32, |t, v| t.max(*v)).max(1e-6);
        let bottom = values.iter().fold(0.0f32, |t, v| t.min(*v));
        let y = |v: f32| rect.bottom() - (v - bottom) / (top - bottom) * rect.height();
        let width = rect.width() / values.len().max(1) as f32;
        for (i, &v) in values.iter().enumerate() {
            let x = rect.left() + i as f32 * width;
            let bar = Rect::from_two_pos(pos2(x, y(0.0)), pos2(x + (0.85 * width).max(0.7), y(v)));
            ui.painter().rect_filled(bar, 0.0, theme::signed(v));
        }
    }
}
