//! Receptive fields: the mosaic of every filter, live; click one to enlarge and trace it.

mod arranged;
mod chosen;
mod places;

use crate::app::actions::{Action, ExportSettings};
use crate::app::gabor_fitter::{FitPriority, Fits};
use crate::app::state::ViewState;
use crate::app::theme;
use crate::app::views::View;
use crate::app::views::filter_order::{EMPTY, Grouping, Order};
use crate::app::widgets::choice::choice;
use crate::app::widgets::latest_picture::{LatestPicture, Pictured};
use crate::app::widgets::switch::Switches as _;
use crate::app::widgets::viewport::{Viewport, part};
use crate::app::widgets::{colour_bar, figure};
use crate::engine::{Snapshot, Watch};
use crate::export::filters::Look;
use crate::export::mosaic::{Layout, Scale, render};
use crate::export::table::Table;
use crate::model::FamilyConfig;
use crate::studies::fits;
use arranged::{Arranged, Choice};
use chosen::{describe, large};
use egui::{Color32, ColorImage, Rect, Sense, Ui, pos2, vec2};
use places::Places;
use std::sync::Arc;

/// The figure of all filters.
const FIGURE: &str = "filters";

/// What a choice is called.
fn named<T: Copy + PartialEq>(all: &[(T, &'static str)], chosen: T) -> &'static str {
    all.iter().find(|(choice, _)| *choice == chosen).map_or("", |(_, name)| name)
}

/// What the view keeps.
#[derive(Default)]
pub struct ReceptiveFields {
    choice: Choice,
    ellipses: bool,
    selected: Option<usize>,
    /// The pointer is on a filter, whose fit is then told.
    pointed_at: bool,
    arranged: Arranged,
    /// The part of the mosaic that is in sight.
    viewport: Viewport,
    picture: LatestPicture,
}

impl View for ReceptiveFields {
    fn ui(&mut self, ui: &mut Ui, state: &ViewState, snapshot: &Snapshot, actions: &mut Vec<Action>) {
        let depth = snapshot.weights.len();
        self.choice.layer = self.choice.layer.clamp(1, depth.max(1));
        // Fits are those of the first layer, of the model shown.
        let fits = state.fits.as_ref().filter(|fits| self.choice.layer == 1 && fits.of.model == snapshot.model_id);
        ui.horizontal_wrapped(|ui| {
            self.layer_controls(ui, depth);
            self.order_controls(ui, snapshot);
        });
        self.follow_export(state, actions);
        if snapshot.weights.is_empty() {
            ui.label("No weights yet: choose a preset on the left.");
            return;
        }
        let below = snapshot.config.model.layers.get(self.choice.layer - 1);
        if below.is_some_and(|below| matches!(below.family, FamilyConfig::LaplaceScale { .. })) {
            let (here, below) = (self.choice.layer, self.choice.layer - 1);
            ui.label(format!("Layer {here} sets the scale of layer {below}: its units have no filters in pixels. Layers shows them by the filters they drive."));
            return;
        }
        if self.arranged.refresh(ui, self.choice, state, snapshot, fits) {
            (self.selected, self.viewport) = (None, Viewport::default());
        }
        let groups = self.arranged.groups(self.choice.grouping);
        if !groups.is_empty() {
            let groups = ui.weak(format!("From above: {groups}"));
            figure::mark_title(ui, groups.rect);
        }
        let places = Places::new(ui, self.arranged.layout(), self.choice.scale, self.selected.is_some());
        let direction = if places.below { egui::Layout::top_down(egui::Align::Min) } else { egui::Layout::left_to_right(egui::Align::Min) };
        ui.with_layout(direction, |ui| {
            self.mosaic(ui, &places, snapshot, fits, actions);
            self.enlarged(ui, &places, fits);
        });
    }

    fn arrangement(&self, figure: Option<&str>) -> Option<String> {
        if figure.is_some_and(|figure| figure != FIGURE) {
            return None; // of a single filter
        }
        let (order, grouping) = (named(&Order::ALL, self.choice.sort), named(&Grouping::ALL, self.choice.grouping));
        let scale = match self.choice.scale {
            Scale::PerFilter => "each filter's strongest weight has the full colour",
            Scale::Shared => "one scale of colours for all filters",
        };
        let mut text = format!("Filters of layer {} in the order of {order}", self.choice.layer);
        let groups = self.arranged.groups(self.choice.grouping);
        if !groups.is_empty() {
            text += &format!(", in groups by {grouping}, from above: {groups}");
        }
        Some(format!("{text}; {scale}{}.", self.viewport.caption()))
    }

    fn fit_priority(&self) -> FitPriority {
        let shown = self.ellipses || self.choice.needs_fits() || self.selected.is_some() || self.pointed_at;
        if shown { FitPriority::Visible } else { FitPriority::Background }
    }

    fn table(&self, _: &ViewState, _: &Snapshot) -> Option<Table> {
        let mut table = Table::default();
        for unit in 0..self.arranged.filters.ncols() {
            table.push(format!("unit_{unit}"), self.arranged.filters.column(unit).iter().map(|&w| f64::from(w)));
        }
        (!table.columns.is_empty()).then_some(table)
    }
}

impl ReceptiveFields {
    /// Which layer, and where deeper ones are linearised.
    fn layer_controls(&mut self, ui: &mut Ui, depth: usize) {
        if depth > 1 {
            for layer in 1..=depth {
                ui.switch_value(&mut self.choice.layer, layer, format!("Layer {layer}"))
                    .on_hover_text("Deeper layers are multiplied down to pixels");
            }
            ui.separator();
        }
        if self.choice.layer > 1 {
            ui.switch_value(&mut self.choice.at_state, false, "at zero").on_hover_text("Linearised where all units below are just active");
            ui.switch_value(&mut self.choice.at_state, true, "at the present state")
                .on_hover_text("Linearised where network 0 is now: units that are silent carry nothing down");
            ui.separator();
        }
    }

    /// The colour scale, the order and the groups.
    fn order_controls(&mut self, ui: &mut Ui, snapshot: &Snapshot) {
        ui.switch_value(&mut self.choice.scale, Scale::PerFilter, "Scale per filter")
            .on_hover_text("Each filter's strongest weight has the full colour");
        ui.switch_value(&mut self.choice.scale, Scale::Shared, "Shared scale").on_hover_text("One scale for all");
        choice(ui, "Sort by", 110.0, &mut self.choice.sort, &Order::ALL);
        if self.choice.layer == 1 && fits::patch(snapshot.image_shape()).is_some() {
            choice(ui, "Group by", 110.0, &mut self.choice.grouping, &Grouping::ALL);
            ui.checkbox(&mut self.ellipses, "Fits").on_hover_text("The envelope of each Gabor-like fit, one standard deviation");
        }
        if self.viewport.is_part() && ui.button("Whole mosaic").on_hover_text("As a double click on it, or 0").clicked() {
            self.viewport = Viewport::default();
        }
    }

    /// What is exported is the layer that is shown, at its scale.
    fn follow_export(&self, state: &ViewState, actions: &mut Vec<Action>) {
        let look = Look { scale: self.choice.scale, ..state.export.look };
        let settings = ExportSettings { look, layer: self.choice.layer, ..state.export.clone() };
        if settings != state.export {
            actions.push(Action::SetExport(settings));
        }
    }

    /// The picture of all filters with what is marked on it; a click selects a filter and traces its unit.
    fn mosaic(&mut self, ui: &mut Ui, places: &Places, snapshot: &Snapshot, fits: Option<&Fits>, actions: &mut Vec<Action>) {
        let (all, response) = ui.allocate_exact_size(places.size() * places.zoom + vec2(0.0, places.bar), Sense::click_and_drag());
        let seen = all.with_max_y(all.max.y - places.bar);
        if !figure::is_saved(ui.ctx()) {
            self.viewport.follow(ui, &response, seen, places.zoom);
        }
        let (rect, layout) = (self.viewport.whole(seen), places.layout);
        let places = &Places { zoom: places.zoom * self.viewport.zoom(), ..*places };
        let zoom = places.zoom;
        if places.bar > 0.0 {
            colour_bar::colour_bar(ui, all.with_min_y(seen.max.y), self.arranged.top);
        }
        let clip = ui.clip_rect();
        ui.set_clip_rect(clip.intersect(seen.expand(2.0)));
        self.picture(ui, layout, rect);
        figure::mark(ui, FIGURE, all);
        let place = |position: usize| places.tile(rect, position);
        if let Some(fits) = fits.filter(|_| self.ellipses) {
            ellipses(ui, fits, snapshot, &self.arranged.order, &place, zoom);
        }
        if let Some(position) =
            self.selected.filter(|_| !figure::is_saved(ui.ctx())).and_then(|unit| self.arranged.order.iter().position(|&u| u == unit))
        {
            let stroke = egui::Stroke::new(2.0, theme::SERIES[4]);
            ui.painter().rect_stroke(place(position), 1.0, stroke, egui::StrokeKind::Outside);
        }
        ui.set_clip_rect(clip);
        let at = response.hover_pos().filter(|p| seen.contains(*p)).map(|p| (p - rect.min) / zoom);
        let under = at.and_then(|p| layout.hit(p.x.max(0.0) as usize, p.y.max(0.0) as usize));
        self.pointed_at = under.is_some();
        if let Some((position, [row, column])) = under
            && let Some(&unit) = self.arranged.order.get(position).filter(|&&unit| unit != EMPTY)
        {
            let value = self.arranged.filters[[row * layout.tile[1] + column, unit]];
            let norm = self.arranged.filters.column(unit).dot(&self.arranged.filters.column(unit)).sqrt();
            if response.clicked() {
                self.select(unit, snapshot, actions);
            }
            let fit = fits.and_then(|fits| fits.gabors.get(unit)).map(|fit| describe(fit, self.arranged.shape)).unwrap_or_default();
            response.on_hover_text(format!("unit {unit}, row {row}, column {column}: weight {value:+.3}, norm {norm:.2}{fit}"));
        }
    }

    /// The filters in sight: no others are put into the texture.
    fn picture(&mut self, ui: &Ui, layout: Layout, whole: Rect) {
        let (Some(at), tiles) = (self.arranged.at(), self.viewport.tiles(layout)) else { return };
        let (layout, order, rect) = part(layout, tiles.clone(), &self.arranged.order, EMPTY, whole);
        let [width, height] = layout.size();
        let wanted = Pictured { at, part: tiles, per_pixel: [1, 1], is_reduced: rect.width() * ui.ctx().pixels_per_point() < width as f32 };
        let (filters, scale, colours) = (Arc::clone(&self.arranged.filters), self.choice.scale, theme::colours(ui));
        let draw = move || {
            let picture = render(filters.view(), &order, layout, scale, colours);
            ColorImage::from_rgb([picture.width() as usize, picture.height() as usize], picture.as_raw())
        };
        if let Some(texture) = self.picture.get(ui, FIGURE, wanted, width * height, draw) {
            ui.painter().image(texture, rect, Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0)), Color32::WHITE);
        }
    }

    /// Selects a filter, or no longer where it was, and traces its unit before two of those traced already.
    fn select(&mut self, unit: usize, snapshot: &Snapshot, actions: &mut Vec<Action>) {
        self.selected = if self.selected == Some(unit) { None } else { Some(unit) };
        let others = snapshot.watch.trace_units.iter().copied().filter(|&u| u != unit).take(2);
        let units: Vec<usize> = std::iter::once(unit).chain(others).collect();
        let pair = [unit, units.get(1).copied().unwrap_or(unit)];
        actions.push(Action::Watch(Watch { trace_layer: self.choice.layer, trace_units: units, pair, raster: snapshot.watch.raster }));
    }

    /// The selected filter large, where the mosaic leaves room.
    fn enlarged(&self, ui: &mut Ui, places: &Places, fits: Option<&Fits>) {
        let Some(unit) = self.selected.filter(|&unit| unit < self.arranged.filters.ncols()) else { return };
        if places.below {
            let side = (places.available.y - places.size().y * places.zoom - 30.0).min(260.0);
            ui.horizontal_top(|ui| large(ui, &self.arranged.filters, unit, places.layout.tile, side, fits));
        } else {
            ui.vertical(|ui| large(ui, &self.arranged.filters, unit, places.layout.tile, places.side - 12.0, fits));
        }
    }
}

/// Outlines of the good fits over the mosaic; thin and grey while they are older than the weights.
fn ellipses(ui: &Ui, fits: &Fits, snapshot: &Snapshot, order: &[usize], place: &impl Fn(usize) -> Rect, zoom: f32) {
    let color = if fits.stale(snapshot) { theme::exact(ui.visuals().dark_mode).gamma_multiply(0.5) } else { theme::SERIES[4] };
    let outlines = fits::ellipses(&fits.gabors, fits.shape);
    for (position, &unit) in order.iter().enumerate() {
        let Some(Some(outline)) = outlines.get(unit) else { continue };
        let rect = place(position);
        let [x, y] = outline.centre;
        let (sin, cos) = outline.angle.sin_cos();
        let around = |i: u32| {
            let (s, c) = (i as f32 * std::f32::consts::TAU / 24.0).sin_cos();
            let (a, b) = (outline.radii[0] * c, outline.radii[1] * s);
            rect.min + vec2(x + a * cos - b * sin, y + a * sin + b * cos) * zoom
        };
        let seen = rect.intersect(ui.clip_rect());
        if seen.is_positive() {
            let line = egui::Shape::closed_line((0..24).map(around).collect(), egui::Stroke::new(1.2, color));
            ui.painter().with_clip_rect(seen).add(line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::views::tests::{at_work, taken_in, wave};
    use crate::experiment::presets;
    use egui::{Event, Key, Modifiers, PointerButton, Pos2};
    use std::time::{Duration, Instant};

    /// The view after these events, each in a frame of its own.
    fn after(ctx: &egui::Context, view: &mut ReceptiveFields, state: &ViewState, events: impl IntoIterator<Item = Event>) -> Rect {
        let snapshot = state.latest.as_deref().unwrap();
        let mut place = Rect::NOTHING;
        for (i, event) in events.into_iter().enumerate() {
            let screen_rect = Some(Rect::from_min_size(Pos2::ZERO, vec2(900.0, 700.0)));
            let time = Some(ctx.input(|input| input.time) + 0.1 + i as f64 * 1e-3);
            let input = egui::RawInput { screen_rect, time, events: vec![event], ..Default::default() };
            let mut output = ctx.run_ui(input, |ui| {
                egui::CentralPanel::default().show(ui, |ui| view.ui(ui, state, snapshot, &mut Vec::new()));
            });
            output.textures_delta.clear();
            let known = figure::take(ctx);
            place = known.iter().find(|(name, _)| name == "filters").map_or(place, |(_, rect)| *rect);
        }
        place
    }

    #[test]
    fn the_wheel_enlarges_what_is_pointed_at_and_only_that_is_uploaded() {
        let state = taken_in(at_work(presets::by_name("dead-leaves").unwrap(), wave), None);
        let (ctx, mut view) = (egui::Context::default(), ReceptiveFields::default());
        let nothing = || Event::PointerMoved(Pos2::ZERO);
        let all = after(&ctx, &mut view, &state, (0..3).map(|_| nothing()));
        let whole = view.picture.shown().unwrap().part.clone();
        assert!(!view.viewport.is_part() && whole[0].len() >= 12, "{whole:?}");
        let corner = all.max - vec2(6.0, 6.0);
        let wheel = || Event::MouseWheel {
            unit: egui::MouseWheelUnit::Point,
            delta: vec2(0.0, 150.0),
            phase: egui::TouchPhase::Move,
            source: egui::MouseWheelSource::Wheel,
            modifiers: Modifiers::NONE,
        };
        let enlarge =
            [Event::PointerMoved(corner), wheel(), wheel(), wheel()].into_iter().chain((0..20).map(|_| Event::PointerMoved(corner)));
        assert_eq!(after(&ctx, &mut view, &state, enlarge), all, "it has the room that it had");
        let part = view.picture.shown().unwrap().part.clone();
        assert!(part[0].len() < whole[0].len() / 2 && part[0].end == whole[0].end && part[1].end == whole[1].end, "{part:?} of {whole:?}");
        // Dragged to the right and down, what stands before it comes into sight.
        let button = |pressed, pos| Event::PointerButton { pos, button: PointerButton::Primary, pressed, modifiers: Modifiers::NONE };
        let [from, to] = [all.center(), all.center() + vec2(150.0, 150.0)];
        let drag = [
            Event::PointerMoved(from),
            button(true, from),
            Event::PointerMoved(from + vec2(20.0, 20.0)),
            Event::PointerMoved(to),
            button(false, to),
        ];
        after(&ctx, &mut view, &state, drag);
        let moved = view.picture.shown().unwrap().part.clone();
        assert!(moved[0].start < part[0].start && moved[0].len().abs_diff(part[0].len()) <= 1, "{moved:?} after {part:?}");
        assert!(view.selected.is_none(), "a drag selects nothing");
        let caption = |view: &ReceptiveFields| view.arrangement(Some(FIGURE)).unwrap();
        assert!(caption(&view).contains("the part in sight, enlarged") && view.arrangement(Some("chosen unit: filter")).is_none());
        let key = Event::Key { key: Key::Num0, physical_key: None, pressed: true, repeat: false, modifiers: Modifiers::NONE };
        after(&ctx, &mut view, &state, [key, nothing()]);
        assert_eq!(view.picture.shown().unwrap().part.clone(), whole);
        assert!(!caption(&view).contains("enlarged"));
    }

    #[test]
    fn thousands_of_filters_are_seen_as_a_whole() {
        let mut config = presets::by_name("dead-leaves").unwrap();
        (config.model.layers[0].size, config.model.layers[1].size) = (1024, 2048);
        config.data.patch = 32;
        let state = taken_in(Snapshot::synthetic(config.clone()), None);
        let (ctx, mut view) = (egui::Context::default(), ReceptiveFields::default());
        let place = after(&ctx, &mut view, &state, (0..3).map(|_| Event::PointerMoved(Pos2::ZERO)));
        assert!(place.is_finite() && place.max.x <= 900.0 && place.max.y <= 700.0, "{place:?}");
        assert!(view.picture.shown().is_some_and(|shown| shown.is_reduced), "each point has the mean of its weights");
        // Other weights come into the picture, but no frame waits for it.
        let first = view.picture.shown().cloned();
        let mut next = Snapshot::synthetic(config);
        next.state.weights_version += 1;
        let state = taken_in(next, None);
        std::thread::sleep(Duration::from_millis(400));
        let begun = Instant::now();
        after(&ctx, &mut view, &state, [Event::PointerMoved(Pos2::ZERO)]);
        assert_eq!(view.picture.shown(), first.as_ref(), "the picture of before stays");
        while view.picture.shown() == first.as_ref() {
            assert!(begun.elapsed() < Duration::from_secs(20), "no picture comes");
            std::thread::sleep(Duration::from_millis(5));
            after(&ctx, &mut view, &state, [Event::PointerMoved(Pos2::ZERO)]);
        }
    }
}
