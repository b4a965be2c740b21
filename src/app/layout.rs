//! Which view stands where: dockable tabs.

use crate::app::actions::Action;
use crate::app::state::ViewState;
use crate::app::views::{Kind, View};
use crate::engine::Snapshot;
use egui::Ui;
use egui_tiles::{SimplificationOptions, TileId, Tiles, Tree, UiResponse};
use std::collections::HashMap;

/// The layout before anybody has moved a tab.
pub(super) fn standard() -> Tree<Kind> {
    let mut tiles = Tiles::default();
    let fields = tiles.insert_pane(Kind::ReceptiveFields);
    let posterior = tiles.insert_pane(Kind::Posterior);
    let measured = [Kind::Adaptation, Kind::Separation, Kind::Partition].map(|kind| tiles.insert_pane(kind));
    let left = tiles.insert_tab_tile([&[fields, posterior][..], &measured].concat());
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
}

impl egui_tiles::Behavior<Kind> for Behaviour<'_> {
    fn pane_ui(&mut self, ui: &mut Ui, _: TileId, pane: &mut Kind) -> UiResponse {
        egui::Frame::new().inner_margin(6).show(ui, |ui| {
            if let Some(view) = self.views.get_mut(pane.title()) {
                ui.push_id(pane.title(), |ui| view.ui(ui, self.state, self.snapshot, self.actions));
            }
        });
        UiResponse::None
    }

    fn tab_title_for_pane(&mut self, pane: &Kind) -> egui::WidgetText {
        pane.title().into()
    }

    fn simplification_options(&self) -> SimplificationOptions {
        SimplificationOptions { all_panes_must_have_tabs: true, ..Default::default() }
    }
}
