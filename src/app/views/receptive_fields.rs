//! Receptive fields: the mosaic of every filter, live; click one to enlarge and trace it; export.

use crate::app::actions::{Action, ExportSettings, Field};
use crate::app::side_panel::path_field;
use crate::app::state::ViewState;
use crate::app::views::View;
use crate::app::widgets::figure;
use crate::engine::{Snapshot, Watch};
use crate::export::filters::{Format, tile};
use crate::export::mosaic::{Layout, Scale, diverging, render};
use crate::export::table::Table;
use egui::{Color32, ColorImage, Rect, Sense, TextureHandle, TextureOptions, Ui, pos2, vec2};
use ndarray::Array2;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Between two pictures of weights that learn.
const REDRAW: Duration = Duration::from_millis(66);

/// What the view keeps.
pub struct ReceptiveFields {
    layer: usize,
    scale: Scale,
    by_norm: bool,
    selected: Option<usize>,
    texture: Option<TextureHandle>,
    drawn: Option<(u64, u64, usize, Scale, bool, bool)>,
    drawn_at: Option<Instant>,
    filters: Array2<f32>,
    order: Vec<usize>,
}

impl Default for ReceptiveFields {
    fn default() -> Self {
        Self {
            layer: 1,
            scale: Scale::PerFilter,
            by_norm: false,
            selected: None,
            texture: None,
            drawn: None,
            drawn_at: None,
            filters: Array2::zeros((0, 0)),
            order: Vec::new(),
        }
    }
}

impl View for ReceptiveFields {
    fn ui(&mut self, ui: &mut Ui, state: &ViewState, snapshot: &Snapshot, actions: &mut Vec<Action>) {
        let depth = snapshot.weights.len();
        self.layer = self.layer.clamp(1, depth.max(1));
        ui.horizontal_wrapped(|ui| {
            if depth > 1 {
                for layer in 1..=depth {
                    ui.selectable_value(&mut self.layer, layer, format!("Layer {layer}"))
                        .on_hover_text("Deeper layers are multiplied down to pixels");
                }
                ui.separator();
            }
            ui.selectable_value(&mut self.scale, Scale::PerFilter, "Scale per filter")
                .on_hover_text("Each filter's strongest weight has the full colour");
            ui.selectable_value(&mut self.scale, Scale::Shared, "Shared scale").on_hover_text("One scale for all");
            ui.checkbox(&mut self.by_norm, "Sort by norm");
            let mut settings = ExportSettings { scale: self.scale, layer: self.layer, ..state.export.clone() };
            let mut asked = Vec::new();
            let config = egui::containers::menu::MenuConfig::new().close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside);
            egui::containers::menu::MenuButton::new("Export")
                .config(config)
                .ui(ui, |ui| export(ui, &mut settings, &mut asked))
                .0
                .on_hover_text("PNG, SVG, NPY (Ctrl-E)");
            if settings != state.export {
                actions.push(Action::SetExport(settings));
            }
            actions.extend(asked);
        });
        if snapshot.weights.is_empty() {
            ui.label("No weights yet: choose a preset on the left.");
            return;
        }
        self.refresh(ui, snapshot);
        let Some(texture) = self.texture.as_ref().map(TextureHandle::id) else { return };
        let layout = Layout::new(self.order.len(), tile(self.filters.nrows()), 1);
        let [width, height] = layout.size();
        // The large picture of a selected filter stands where the mosaic leaves room: below it in a tall view, else beside it.
        let room = ui.available_size() - vec2(0.0, 24.0);
        let zoom_in = |room: egui::Vec2| (room.x / width as f32).min(room.y / height as f32).clamp(0.5, 64.0);
        let below = room.y - height as f32 * zoom_in(room) > 150.0;
        let side = if self.selected.is_none() || below { 0.0 } else { 190.0f32.min(room.x * 0.35) };
        let zoom = zoom_in(room - vec2(side, 0.0));
        let direction = if below { egui::Layout::top_down(egui::Align::Min) } else { egui::Layout::left_to_right(egui::Align::Min) };
        ui.with_layout(direction, |ui| {
            let (rect, response) = ui.allocate_exact_size(vec2(width as f32, height as f32) * zoom, Sense::click());
            let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
            ui.painter().image(texture, rect, whole, Color32::WHITE);
            figure::mark(ui, "filters", rect);
            let place = |position: usize| {
                let [x, y] = layout.corner(position);
                Rect::from_min_size(rect.min + vec2(x as f32, y as f32) * zoom, vec2(layout.tile[1] as f32, layout.tile[0] as f32) * zoom)
            };
            if let Some(position) = self.selected.and_then(|unit| self.order.iter().position(|&u| u == unit)) {
                let stroke = egui::Stroke::new(2.0, crate::app::theme::SERIES[4]);
                ui.painter().rect_stroke(place(position), 1.0, stroke, egui::StrokeKind::Outside);
            }
            let under =
                response.hover_pos().map(|p| (p - rect.min) / zoom).and_then(|p| layout.hit(p.x.max(0.0) as usize, p.y.max(0.0) as usize));
            if let Some((position, [row, column])) = under
                && let Some(&unit) = self.order.get(position)
            {
                let value = self.filters[[row * layout.tile[1] + column, unit]];
                let norm = self.filters.column(unit).dot(&self.filters.column(unit)).sqrt();
                if response.clicked() {
                    self.selected = if self.selected == Some(unit) { None } else { Some(unit) };
                    let others = snapshot.watch.trace_units.iter().copied().filter(|&u| u != unit).take(2);
                    let units: Vec<usize> = std::iter::once(unit).chain(others).collect();
                    let pair = [unit, units.get(1).copied().unwrap_or(unit)];
                    actions.push(Action::Watch(Watch { trace_layer: self.layer, trace_units: units, pair, raster: snapshot.watch.raster }));
                }
                response.on_hover_text(format!("unit {unit}, row {row}, column {column}: weight {value:+.3}, norm {norm:.2}"));
            }
            if let Some(unit) = self.selected.filter(|&u| u < self.filters.ncols()) {
                if below {
                    let side = (room.y - height as f32 * zoom - 30.0).min(260.0);
                    ui.horizontal_top(|ui| self.large(ui, unit, layout.tile, side));
                } else {
                    ui.vertical(|ui| self.large(ui, unit, layout.tile, side - 12.0));
                }
            }
        });
    }

    fn table(&self, _: &ViewState, _: &Snapshot) -> Option<Table> {
        let mut table = Table::default();
        for unit in 0..self.filters.ncols() {
            table.push(format!("unit_{unit}"), self.filters.column(unit).iter().map(|&w| f64::from(w)));
        }
        (!table.columns.is_empty()).then_some(table)
    }
}

impl ReceptiveFields {
    fn refresh(&mut self, ui: &Ui, snapshot: &Snapshot) {
        let dark = ui.visuals().dark_mode;
        let key = (snapshot.model_id, snapshot.weights_version, self.layer, self.scale, self.by_norm, dark);
        if self.drawn == Some(key) {
            return;
        }
        let only_weights = self.drawn.is_some_and(|d| (d.0, d.2, d.3, d.4, d.5) == (key.0, key.2, key.3, key.4, key.5));
        if let Some(wait) = self.drawn_at.and_then(|at| REDRAW.checked_sub(at.elapsed())).filter(|_| only_weights) {
            ui.ctx().request_repaint_after(wait);
            return;
        }
        self.drawn_at = Some(Instant::now());
        if self.drawn.is_some_and(|d| d.0 != key.0) {
            self.selected = None;
        }
        self.drawn = Some(key);
        let first = (*snapshot.weights[0]).clone();
        self.filters = snapshot.weights[..self.layer].iter().skip(1).fold(first, |down, w| down.dot(&**w));
        self.order = (0..self.filters.ncols()).collect();
        if self.by_norm {
            let norms: Vec<f32> = self.filters.columns().into_iter().map(|c| c.dot(&c)).collect();
            self.order.sort_by(|&a, &b| norms[b].total_cmp(&norms[a]));
        }
        let layout = Layout::new(self.order.len(), tile(self.filters.nrows()), 1);
        let picture = render(self.filters.view(), &self.order, layout, self.scale, dark);
        let size = [picture.width() as usize, picture.height() as usize];
        let image = ColorImage::from_rgb(size, picture.as_raw());
        match &mut self.texture {
            Some(texture) => texture.set(image, TextureOptions::NEAREST),
            None => self.texture = Some(ui.ctx().load_texture("filters", image, TextureOptions::NEAREST)),
        }
    }

    fn large(&self, ui: &mut Ui, unit: usize, [rows, columns]: [usize; 2], side: f32) {
        let column = self.filters.column(unit);
        let top = column.iter().fold(f32::MIN_POSITIVE, |t, v| t.max(v.abs()));
        let cell = side / rows.max(columns) as f32;
        let (rect, response) = ui.allocate_exact_size(vec2(cell * columns as f32, cell * rows as f32), Sense::hover());
        for (i, value) in column.iter().enumerate() {
            let corner = rect.min + vec2((i % columns) as f32, (i / columns) as f32) * cell;
            let [r, g, b] = diverging(value / top, ui.visuals().dark_mode);
            ui.painter().rect_filled(Rect::from_min_size(corner, vec2(cell + 0.5, cell + 0.5)), 0.0, Color32::from_rgb(r, g, b));
        }
        ui.vertical(|ui| {
            ui.strong(format!("Unit {unit}"));
            ui.label(format!("strongest weight {top:.3}"));
            ui.weak("traced in Traces and Posterior");
            if let Some(p) = response.hover_pos() {
                let (c, r) = (((p.x - rect.min.x) / cell) as usize, ((p.y - rect.min.y) / cell) as usize);
                if r < rows && c < columns {
                    ui.label(format!("row {r}, column {c}: {:+.3}", column[r * columns + c]));
                }
            }
        });
    }
}

fn export(ui: &mut Ui, settings: &mut ExportSettings, asked: &mut Vec<Action>) {
    ui.set_min_width(280.0);
    ui.label("Format");
    let names = [
        (Format::Png, "PNG mosaic", "png"),
        (Format::Svg, "SVG", "svg"),
        (Format::Npy, "NPY", "npy"),
        (Format::EachPng, "One PNG a filter", ""),
    ];
    ui.horizontal_wrapped(|ui| {
        for (format, name, ending) in names {
            if ui.selectable_value(&mut settings.format, format, name).clicked() {
                settings.path = PathBuf::from(&settings.path).with_extension(ending).display().to_string();
            }
        }
    });
    let label = ui.label("Screen pixels a weight");
    ui.add(egui::Slider::new(&mut settings.zoom, 1..=16)).labelled_by(label.id);
    let label = ui.label(if settings.format == Format::EachPng { "Folder" } else { "File" });
    ui.horizontal(|ui| {
        path_field(ui, &label, "filters.png", &mut settings.path);
        if ui.button("Choose").clicked() {
            asked.push(Action::Dialog(Field::Export));
        }
    });
    if ui.add_enabled(!settings.path.trim().is_empty(), egui::Button::new("Export filters")).clicked() {
        asked.push(Action::Export);
        ui.close();
    }
}
