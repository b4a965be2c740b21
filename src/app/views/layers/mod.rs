//! Layers: the weights between two layers as a matrix, and second-layer units by the first-layer filters that they drive.

mod group_drawing;
mod page;
mod weight_matrix;

use crate::app::actions::Action;
use crate::app::gabor_fitter::{FitPriority, Fits};
use crate::app::state::ViewState;
use crate::app::theme;
use crate::app::views::View;
use crate::app::widgets::latest_picture::{LatestPicture, MadeOf, Pictured};
use crate::app::widgets::pages::Pages;
use crate::app::widgets::switch::Switches as _;
use crate::engine::{Snapshot, Watch};
use crate::export::mosaic::Colours;
use crate::export::table::Table;
use crate::model::FamilyConfig;
use crate::studies::fits::{self, groups};
use egui::{Ui, vec2};
use group_drawing::{Chosen, FILTER_HEIGHT, GroupDrawing, sheet};
use page::Page;
use std::sync::Arc;
use weight_matrix::WeightMatrix;

/// How second-layer units are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Bars,
    Strongest,
    Matrix,
}

/// Points that the buttons of the pages take.
const PAGES_HEIGHT: f32 = 26.0;

/// Share of Gabor-like filters from which bars say enough.
const BARRED: f64 = 0.2;

/// What the view keeps.
#[derive(Default)]
pub struct Layers {
    /// None: the matrix of a model without groups of filters; of others bars where there are enough of them, else the strongest filters.
    mode: Option<Mode>,
    /// What was drawn last.
    drawn: Option<Mode>,
    chosen: Option<Chosen>,
    /// The first layer's filters on one sheet, and what that was made of: the model and the colours; the value is the version of the weights.
    filters: LatestPicture,
    filters_of: MadeOf<(u64, Colours), u64>,
    /// The second layer's units in sight.
    pages: Pages,
    page: Page,
    matrix: WeightMatrix,
}

impl View for Layers {
    fn ui(&mut self, ui: &mut Ui, state: &ViewState, snapshot: &Snapshot, actions: &mut Vec<Action>) {
        let fits = state.fits.as_ref().filter(|fits| fits.of.model == snapshot.model_id);
        let mode = self.mode_controls(ui, snapshot, fits);
        self.drawn = Some(mode);
        if mode == Mode::Matrix {
            self.matrix.ui(ui, snapshot, fits);
            return;
        }
        let (Some(second), Some(fits)) = (snapshot.weights.get(1), fits) else {
            ui.label(why_empty(snapshot));
            return;
        };
        if second.iter().all(|&w| w == 0.0) {
            ui.label("The second layer is still closed: its plasticity opens in a later stage (see Learning).");
            return;
        }
        let dark = ui.visuals().dark_mode;
        let Some(filters) = self.filters(ui, snapshot, fits.shape) else { return };
        legend(ui, snapshot, fits, mode);
        let room = ui.available_size() - vec2(self.side(ui), PAGES_HEIGHT);
        let most = group_drawing::most_in(room, fits.shape, mode == Mode::Bars);
        self.pages.controls(ui, second.ncols(), most, "units, those of the strongest weights first");
        self.page.refresh(ui, snapshot, second, fits, self.pages.range(second.ncols(), most));
        let drawing = GroupDrawing { second, fits, units: &self.page.units, filters, dark };
        if let Some(chosen) = self.groups(ui, &drawing, mode) {
            self.chosen = if self.chosen == Some(chosen) { None } else { Some(chosen) };
            let (layer, unit) = match chosen {
                Chosen::First(unit) => (1, unit),
                Chosen::Second(unit) => (2, unit),
            };
            let watch = Watch { trace_layer: layer, trace_units: vec![unit], pair: [unit, unit], raster: snapshot.watch.raster };
            actions.push(Action::Watch(watch));
        }
    }

    fn fit_priority(&self) -> FitPriority {
        FitPriority::Visible
    }

    fn arrangement(&self, figure: Option<&str>) -> Option<String> {
        let is_matrix = figure.map_or(self.drawn == Some(Mode::Matrix), |figure| figure == "matrix");
        is_matrix.then(|| self.matrix.arrangement()).flatten()
    }

    fn table(&self, state: &ViewState, snapshot: &Snapshot) -> Option<Table> {
        if self.drawn == Some(Mode::Matrix) {
            return self.matrix.table(snapshot);
        }
        let groups = state.fits.as_ref().map(|fits| &fits.groups).filter(|groups| !groups.is_empty())?;
        Some(groups::table(groups))
    }
}

impl Layers {
    /// What is shown: as was chosen, else what the model has, and bars where there are enough of them.
    fn mode_controls(&mut self, ui: &mut Ui, snapshot: &Snapshot, fits: Option<&Fits>) -> Mode {
        let barred = fits.is_none_or(|fits| fits.summary().0 >= BARRED);
        let has_groups = snapshot.weights.len() > 1 && fits::patch(snapshot.image_shape()).is_some();
        let usual = match (has_groups, barred) {
            (false, _) => Mode::Matrix,
            (true, true) => Mode::Bars,
            (true, false) => Mode::Strongest,
        };
        let mut mode = self.mode.unwrap_or(usual);
        ui.horizontal_wrapped(|ui| {
            for (of, name, tip) in [
                (Mode::Bars, "Bars", "First-layer filters as bars at their place; those without a good Gabor fit have none"),
                (Mode::Strongest, "Strongest filters", "Of each second-layer unit the eight filters that it drives most"),
                (Mode::Matrix, "Matrix", "The weights themselves"),
            ] {
                if ui.switch_value(&mut mode, of, name).on_hover_text(tip).clicked() {
                    self.mode = Some(of);
                }
            }
            if mode == Mode::Matrix {
                ui.separator();
                self.matrix.controls(ui, snapshot.weights.len());
            }
        });
        mode
    }

    /// The first layer's filters on one sheet.
    fn filters(&mut self, ui: &Ui, snapshot: &Snapshot, shape: [usize; 2]) -> Option<egui::TextureId> {
        let (weights, colours) = (Arc::clone(&snapshot.weights[0]), theme::colours(ui));
        self.filters_of.renew(ui, (snapshot.model_id, colours), snapshot.weights_version, weights.len());
        let at = self.filters_of.at()?;
        // The smallest tiles have a point of the screen for each weight of small patches.
        let is_reduced = FILTER_HEIGHT * ui.ctx().pixels_per_point() < shape[0].max(shape[1]) as f32;
        let wanted = Pictured { at, part: [0..weights.ncols(), 0..shape[0] * shape[1]], per_pixel: [1, 1], is_reduced };
        self.filters.get(ui, "first layer", wanted, weights.len(), move || sheet(&weights, shape, colours))
    }

    /// Width of what stands beside the groups.
    fn side(&self, ui: &Ui) -> f32 {
        if self.chosen.is_some() { (ui.available_width() * 0.36).clamp(150.0, 320.0) } else { 0.0 }
    }

    /// The units in sight, and beside them the chosen one; answers what was clicked.
    fn groups(&self, ui: &mut Ui, drawing: &GroupDrawing<'_>, mode: Mode) -> Option<Chosen> {
        let side = self.side(ui);
        let height = ui.available_height();
        let mut clicked = None;
        ui.horizontal_top(|ui| {
            let available = vec2(ui.available_width() - side - 8.0, height);
            ui.allocate_ui(available, |ui| {
                clicked = match mode {
                    Mode::Bars => drawing.all_bars(ui, available, self.chosen),
                    _ => drawing.all_strongest(ui, available, self.chosen),
                };
            });
            if let Some(chosen) = self.chosen {
                ui.vertical(|ui| clicked = drawing.detail(ui, chosen, side - 8.0).or(clicked));
            }
        });
        clicked
    }
}

/// Why there are no groups of filters to show.
fn why_empty(snapshot: &Snapshot) -> &'static str {
    if snapshot.weights.len() < 2 {
        "This model has one layer of neurons: see Matrix, or choose v1-v2 for a second one."
    } else if fits::patch(snapshot.image_shape()).is_none() {
        "It observes no picture of at least 6 x 6 pixels: see Matrix."
    } else {
        "Fitting the filters ..."
    }
}

/// What the pictures show, and how far the groups are from chance.
fn legend(ui: &mut Ui, snapshot: &Snapshot, fits: &Fits, mode: Mode) {
    let [oriented, placed] = crate::analysis::groups::shares(&fits.groups);
    let scales = snapshot.config.model.layers.get(1).is_some_and(|layer| matches!(layer.family, FamilyConfig::LaplaceScale { .. }));
    let shown = match (mode, scales) {
        (Mode::Strongest, _) => "A row a unit: the eight filters of its largest weights, the largest first.",
        (_, true) => "Red: the unit raises the filter's scale; blue: it lowers it.",
        (_, false) => "Red: positive weight; blue: negative.",
    };
    ui.weak(format!(
        "{shown} Beyond shuffled weights (z > 3): {:.0} % of the units in orientation, {:.0} % in place. Click a unit, then a filter, to go down and up again.",
        100.0 * oriented,
        100.0 * placed
    ));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::views::tests::{at_work, fitted, taken_in, wave};
    use crate::app::widgets::figure;
    use crate::experiment::presets;
    use egui::{Event, Key, Modifiers, Pos2, RawInput, Rect};

    /// The view after these events, each in a frame of its own; answers where its figure stands.
    fn after(ctx: &egui::Context, view: &mut Layers, state: &ViewState, events: impl IntoIterator<Item = Event>) -> Rect {
        let mut place = Rect::NOTHING;
        for (i, event) in events.into_iter().enumerate() {
            let screen_rect = Some(Rect::from_min_size(Pos2::ZERO, vec2(900.0, 700.0)));
            let time = Some(ctx.input(|input| input.time) + 0.1 + i as f64 * 1e-3);
            let input = RawInput { screen_rect, time, events: vec![event], ..Default::default() };
            let mut output = ctx.run_ui(input, |ui| {
                let snapshot = state.latest.as_deref().unwrap();
                egui::CentralPanel::default().show(ui, |ui| view.ui(ui, state, snapshot, &mut Vec::new()));
            });
            output.textures_delta.clear();
            place = figure::take(ctx).first().map_or(place, |(_, rect)| *rect);
        }
        place
    }

    fn key(key: Key) -> Event {
        Event::Key { key, physical_key: None, pressed: true, repeat: false, modifiers: Modifiers::NONE }
    }

    /// A model of two layers of neurons with so many units in the second.
    fn with_second(units: usize) -> ViewState {
        let mut config = presets::by_name("v1-v2").unwrap();
        config.model.layers[2].size = units;
        let snapshot = at_work(config, wave);
        let fits = fitted(&snapshot, wave);
        taken_in(snapshot, fits)
    }

    #[test]
    fn a_thousand_groups_stand_on_pages_and_a_few_on_one() {
        for mode in [Mode::Bars, Mode::Strongest] {
            let ctx = egui::Context::default();
            let mut view = Layers { mode: Some(mode), ..Layers::default() };
            let state = with_second(1000);
            after(&ctx, &mut view, &state, (0..3).map(|_| Event::PointerGone));
            let of = |view: &Layers| view.page.units.iter().map(|drawing| drawing.unit).collect::<Vec<_>>();
            let first = of(&view);
            assert!((30..400).contains(&first.len()), "{mode:?}: {} units", first.len());
            let place = after(&ctx, &mut view, &state, [key(Key::PageDown), Event::PointerGone]);
            let second = of(&view);
            assert!(second.len() == first.len() && first.iter().all(|unit| !second.contains(unit)), "{mode:?}: another page");
            assert!(place.max.x <= 900.0 && place.max.y <= 700.0, "{mode:?}: {place:?}");
            let norm = |unit: usize| {
                let w = state.latest.as_ref().unwrap().weights[1].column(unit).to_owned();
                w.dot(&w)
            };
            let least = first.iter().map(|&unit| norm(unit)).fold(f32::INFINITY, f32::min);
            assert!(second.iter().all(|&unit| norm(unit) <= least + 1e-4), "{mode:?}: the strongest come first");

            let (ctx, mut view) = (egui::Context::default(), Layers { mode: Some(mode), ..Layers::default() });
            after(&ctx, &mut view, &with_second(36), (0..3).map(|_| Event::PointerGone));
            assert_eq!(of(&view).len(), 36, "{mode:?}: all on one page");
        }
    }

    #[test]
    fn the_part_of_a_large_matrix_in_sight_alone_is_pictured() {
        let mut config = presets::by_name("dead-leaves").unwrap();
        (config.model.layers[0].size, config.model.layers[1].size) = (1024, 2048);
        config.data.patch = 32;
        let state = taken_in(at_work(config, wave), None);
        let (ctx, mut view) = (egui::Context::default(), Layers::default());
        let place = after(&ctx, &mut view, &state, (0..3).map(|_| Event::PointerGone));
        let part = |view: &Layers| view.matrix.pictured().unwrap().part.clone();
        assert_eq!(part(&view), [0..2048, 0..1024]);
        let squares = view.matrix.pictured().unwrap().per_pixel;
        assert!(squares.iter().all(|side| (2..4).contains(side)), "a point of the screen has several weights: {squares:?}");
        let corner = place.max - vec2(3.0, 3.0);
        after(&ctx, &mut view, &state, [Event::PointerMoved(corner)].into_iter().chain((0..20).map(|_| key(Key::Plus))));
        let [across, down] = part(&view);
        assert!(across.len() < 256 && down.len() < 256, "{across:?} {down:?}");
        assert!(across.contains(&1024) && down.contains(&512), "keys enlarge the middle: {across:?} {down:?}");
        assert_eq!(view.matrix.pictured().unwrap().per_pixel, [1, 1], "each weight by itself");
        let caption = |view: &Layers| view.arrangement(Some("matrix")).unwrap();
        assert!(caption(&view).starts_with("W0 in the order of index; the part in sight, enlarged"), "{}", caption(&view));
        after(&ctx, &mut view, &state, [key(Key::Num0), Event::PointerGone]);
        assert_eq!(part(&view), [0..2048, 0..1024]);
        assert_eq!(caption(&view), "W0 in the order of index.");
    }
}
