//! Where the mosaic stands, and what stands beside it.

use crate::app::widgets::colour_bar;
use crate::app::widgets::viewport::LARGEST;
use crate::export::mosaic::{Layout, Scale};
use egui::{Rect, Ui, vec2};

/// Points a weight at least: a mosaic of thousands of filters is seen as a whole, and enlarged where one wants.
const SMALLEST: f32 = 0.02;

/// Where the mosaic stands, and where it leaves room for the large picture of a selected filter: below it in a tall view, else beside.
pub(super) struct Places {
    pub(super) layout: Layout,
    pub(super) available: egui::Vec2,
    pub(super) below: bool,
    /// Width of the room beside the mosaic; 0 where it is below or nothing is selected.
    pub(super) side: f32,
    /// Points a weight.
    pub(super) zoom: f32,
    /// Height of the colour bar below the mosaic.
    pub(super) bar: f32,
}

impl Places {
    pub(super) fn new(ui: &Ui, layout: Layout, scale: Scale, is_selected: bool) -> Self {
        // Each filter with a scale of its own: then no colour stands for a value.
        let bar = if scale == Scale::Shared { colour_bar::HEIGHT } else { 0.0 };
        let available = ui.available_size() - vec2(0.0, 24.0 + bar);
        let [width, height] = layout.size().map(|side| side as f32);
        let zoom_in = |available: egui::Vec2| (available.x / width).min(available.y / height).clamp(SMALLEST, LARGEST);
        let below = available.y - height * zoom_in(available) > 150.0;
        let side = if !is_selected || below { 0.0 } else { 190.0f32.min(available.x * 0.35) };
        Self { layout, available, below, side, zoom: zoom_in(available - vec2(side, 0.0)), bar }
    }

    /// Width and height of the mosaic, weights.
    pub(super) fn size(&self) -> egui::Vec2 {
        let [width, height] = self.layout.size();
        vec2(width as f32, height as f32)
    }

    /// The tile at a position of the mosaic drawn in `rect`.
    pub(super) fn tile(&self, rect: Rect, position: usize) -> Rect {
        let [x, y] = self.layout.corner(position);
        let [rows, columns] = self.layout.tile;
        Rect::from_min_size(rect.min + vec2(x as f32, y as f32) * self.zoom, vec2(columns as f32, rows as f32) * self.zoom)
    }
}
