//! Which view stands where: dockable tabs.

use crate::app::actions::Action;
use crate::app::state::ViewState;
use crate::app::views::{Kind, View};
use crate::app::widgets::figure::{self, Marked};
use crate::engine::Snapshot;
use egui::epaint::ClippedShape;
use egui::{Rect, Ui};
use egui_tiles::{SimplificationOptions, Tile, TileId, Tiles, Tree, UiResponse};
use std::collections::HashMap;
use std::path::PathBuf;

/// The layout before anybody has moved a tab.
pub(super) fn standard() -> Tree<Kind> {
    let mut tiles = Tiles::default();
    let fields = tiles.insert_pane(Kind::ReceptiveFields);
    let population = tiles.insert_pane(Kind::Population);
    let layers = tiles.insert_pane(Kind::Layers);
    let tuning = tiles.insert_pane(Kind::Tuning);
    let generation = tiles.insert_pane(Kind::Generation);
    let posterior = tiles.insert_pane(Kind::Posterior);
    let measured = [Kind::Adaptation, Kind::Separation, Kind::Partition, Kind::Studies].map(|kind| tiles.insert_pane(kind));
    let left = tiles.insert_tab_tile([&[fields, population, tuning, layers, generation, posterior][..], &measured].concat());
    let stimulus = tiles.insert_pane(Kind::Stimulus);
    let traces = tiles.insert_pane(Kind::Traces);
    let learning = tiles.insert_pane(Kind::Learning);
    let lower = tiles.insert_tab_tile(vec![traces, learning]);
    let mut column = egui_tiles::Linear::new(egui_tiles::LinearDir::Vertical, vec![stimulus, lower]);
    column.shares.set_share(stimulus, 0.45);
    let right = tiles.insert_container(column);
    let root = tiles.insert_horizontal_tile(vec![left, right]);
    Tree::new(egui::Id::unique("views"), root, tiles)
}

/// Draws the view of each tab.
pub(super) struct Behaviour<'a> {
    pub(super) views: &'a mut HashMap<&'static str, Box<dyn View>>,
    pub(super) state: &'a ViewState,
    pub(super) snapshot: &'a Snapshot,
    pub(super) actions: &'a mut Vec<Action>,
    pub(super) saving: &'a mut Saving,
}

/// Points around a figure: labels of axes reach a little out of it.
const MARGIN: egui::Vec2 = egui::vec2(6.0, 4.0);
/// What is saved where no figure is chosen.
const WHOLE: &str = "The whole view";

/// A view that is to become a picture, and the file names that people have typed.
#[derive(Default)]
pub(super) struct Saving {
    names: HashMap<&'static str, String>,
    /// The figures of each view as it was drawn last, and which of them was chosen.
    figures: HashMap<&'static str, (Vec<Marked>, Option<String>)>,
    /// The view asked for, and the figure of it if not the whole.
    pub(super) wanted: Option<(Kind, Option<String>, PathBuf)>,
    /// Where it was drawn in this frame, and with what.
    pub(super) drawn: Option<(Rect, Vec<ClippedShape>)>,
}

impl Saving {
    /// The menu that saves a view.
    pub(super) fn menu(&mut self, ui: &mut Ui, kind: Kind, actions: &mut Vec<Action>) {
        let name = self.names.entry(kind.title()).or_insert_with(|| format!("{}.png", kind.name()));
        let config = egui::containers::menu::MenuConfig::new().close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside);
        let button = egui::containers::menu::MenuButton::new("Save as").config(config);
        let (response, _) = button.ui(ui, |ui| {
            ui.set_min_width(270.0);
            let (figures, chosen) = self.figures.entry(kind.title()).or_default();
            chosen.take_if(|name| figures.iter().all(|(known, _)| known != name));
            ui.radio_value(chosen, None, WHOLE);
            figures.iter().for_each(|(name, _)| drop(ui.radio_value(chosen, Some(name.clone()), name)));
            ui.horizontal(|ui| {
                for ending in ["png", "svg", "csv", "npy"] {
                    let chosen = name.ends_with(&format!(".{ending}"));
                    if ui.selectable_label(chosen, ending.to_uppercase()).clicked() {
                        *name = PathBuf::from(&*name).with_extension(ending).display().to_string();
                    }
                }
            });
            let label = ui.label("File");
            ui.add(egui::TextEdit::singleline(name).desired_width(250.0)).labelled_by(label.id);
            if ui.button("Save to file").clicked() {
                actions.push(Action::SaveView { kind, figure: chosen.clone(), path: PathBuf::from(name.trim()) });
                ui.close();
            }
        });
        response.on_hover_text("This view or one figure of it as a picture (PNG, SVG), or the view's numbers (CSV, NPY)");
    }

    /// Draws a view, and remembers its shapes where it is the one asked for.
    pub(super) fn around(&mut self, ui: &mut Ui, kind: Kind, draw: impl FnOnce(&mut Ui)) {
        let count = |ui: &Ui| ui.ctx().graphics(|g| g.get(ui.layer_id()).map_or(0, |list| list.all_entries().len()));
        let (rect, before) = (ui.max_rect(), count(ui));
        figure::take(ui.ctx());
        let wanted = self.wanted.as_ref().filter(|(wanted, ..)| *wanted == kind);
        figure::set_saved(ui.ctx(), wanted.is_some());
        draw(ui);
        let figures = figure::take(ui.ctx());
        if let Some((_, figure, _)) = wanted {
            let part = figures
                .iter()
                .find(|(name, _)| Some(name) == figure.as_ref())
                .map_or(rect, |(_, part)| part.expand2(MARGIN).intersect(rect));
            let shapes = ui.ctx().graphics(|g| g.get(ui.layer_id()).map(|list| list.all_entries().skip(before).cloned().collect()));
            self.drawn = shapes.map(|shapes| (part, shapes));
        }
        self.figures.entry(kind.title()).or_default().0 = figures;
    }
}

impl egui_tiles::Behavior<Kind> for Behaviour<'_> {
    fn pane_ui(&mut self, ui: &mut Ui, _: TileId, pane: &mut Kind) -> UiResponse {
        egui::Frame::new().inner_margin(6).show(ui, |ui| {
            if let Some(view) = self.views.get_mut(pane.title()) {
                let draw = |ui: &mut Ui| {
                    ui.push_id(pane.title(), |ui| view.ui(ui, self.state, self.snapshot, self.actions));
                };
                self.saving.around(ui, *pane, draw);
            }
        });
        UiResponse::None
    }

    fn tab_title_for_pane(&mut self, pane: &Kind) -> egui::WidgetText {
        pane.title().into()
    }

    fn top_bar_right_ui(&mut self, tiles: &Tiles<Kind>, ui: &mut Ui, _: TileId, tabs: &egui_tiles::Tabs, _: &mut f32) {
        if let Some(Tile::Pane(kind)) = tabs.active.and_then(|id| tiles.get(id)) {
            ui.add_space(4.0);
            self.saving.menu(ui, *kind, self.actions);
        }
    }

    fn simplification_options(&self) -> SimplificationOptions {
        SimplificationOptions { all_panes_must_have_tabs: true, ..Default::default() }
    }
}
