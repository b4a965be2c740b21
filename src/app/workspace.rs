//! Which view stands where: dockable tabs, or one view alone.

use crate::app::actions::Action;
use crate::app::figures::FigureSettings;
use crate::app::figures::drawing::{Content, Layout, Progress};
use crate::app::figures::known::{Known, KnownFigures};
use crate::app::gabor_fitter::FitPriority;
use crate::app::layout;
use crate::app::state::ViewState;
use crate::app::views::{View, ViewKind, registry};
use crate::engine::{Command, Snapshot};
use crate::experiment::Config;
use crate::export::table::Table;
use egui::Ui;
use egui_tiles::{SimplificationOptions, Tile, TileId, Tiles, Tree, UiResponse};
use std::collections::HashMap;

/// Observed values that are too few for an image.
const FEW_VALUES: usize = 3;

/// The views and their places.
pub(super) struct Workspace {
    views: HashMap<ViewKind, Box<dyn View>>,
    tree: Tree<ViewKind>,
    /// The view that has all the room, in place of the tabs.
    single: Option<ViewKind>,
    /// Whether the model shown observes an image; None before the first snapshot.
    has_image: Option<bool>,
    known: KnownFigures,
    /// The views in sight and the room they had in the frame before, and frames in which their tabs are still brought into sight.
    in_sight: (Vec<ViewKind>, egui::Vec2, u32),
}

/// Frames after a change in which the tabs of the views in sight are brought into sight: the first has none of their places.
const REVEALING: u32 = 4;

impl Workspace {
    /// The standard layout, or one view alone.
    pub(super) fn new(single: Option<ViewKind>) -> Self {
        Self {
            views: registry::create_all(),
            tree: layout::standard(),
            single,
            has_image: None,
            known: KnownFigures::default(),
            in_sight: Default::default(),
        }
    }

    /// The layout, to be kept for the next start.
    pub(super) fn layout(&self) -> &Tree<ViewKind> {
        &self.tree
    }

    /// The layout, to be kept with a run; None where one view has all the room.
    pub(super) fn kept_layout(&self) -> Option<String> {
        ron::to_string(&self.tree).ok().filter(|_| self.single.is_none())
    }

    /// Brings a kept layout back, unless it is of an older version and lacks the newer views, is damaged, or one view was asked for
    /// alone; whether it did.
    pub(super) fn restore(&mut self, kept: &Tree<ViewKind>) -> bool {
        let restored = layout::restored(kept).filter(|_| self.single.is_none());
        let is_restored = restored.is_some();
        restored.into_iter().for_each(|tree| self.tree = tree);
        is_restored
    }

    /// Brings the standard layout back; the next snapshot says again which view is in front.
    pub(super) fn reset(&mut self) {
        (self.tree, self.single, self.has_image) = (layout::standard(), None, None);
    }

    /// Brings to the front what shows another kind of model best: Posterior where there is no image, else the mosaic.
    pub(super) fn follow_model(&mut self, snapshot: &Snapshot) {
        let has_image = snapshot.stimulus.stimulus.len() > FEW_VALUES;
        if self.has_image.replace(has_image) != Some(has_image) {
            self.bring_to_front(if has_image { ViewKind::ReceptiveFields } else { ViewKind::Posterior });
        }
    }

    /// Gives one view all the room, or the tabs their places again; what it was before.
    pub(super) fn set_single(&mut self, single: Option<ViewKind>) -> Option<ViewKind> {
        std::mem::replace(&mut self.single, single)
    }

    /// Shows a view: in front of the others, or alone in place of the one that is shown alone.
    pub(super) fn show(&mut self, kind: ViewKind) {
        self.bring_to_front(kind);
        self.single = self.single.map(|_| kind);
    }

    /// Brings the tab of a view to the front.
    fn bring_to_front(&mut self, front: ViewKind) {
        self.tree.make_active(|_, tile| matches!(tile, Tile::Pane(kind) if *kind == front));
    }

    /// The views in sight.
    pub(super) fn visible(&self) -> impl Iterator<Item = ViewKind> + '_ {
        let tiles = self.tree.active_tiles().into_iter().filter_map(|id| match self.tree.tiles.get(id) {
            Some(Tile::Pane(kind)) => Some(*kind),
            _ => None,
        });
        self.single.into_iter().chain(tiles.filter(|_| self.single.is_none()))
    }

    /// How urgently the views in sight need the fits of the filters.
    pub(super) fn fit_priority(&self) -> FitPriority {
        self.visible().filter_map(|kind| self.views.get(&kind)).map(|view| view.fit_priority()).max().unwrap_or_default()
    }

    /// What the view that is shown alone measures first.
    pub(super) fn measurement(&self, config: &Config) -> Option<Command> {
        self.views.get(&self.single?)?.measurement(config)
    }

    /// The numbers of a view, or of one figure of it where it has its own.
    pub(super) fn table(&self, kind: ViewKind, figure: Option<&str>, state: &ViewState) -> Option<Table> {
        let (view, snapshot) = (self.views.get(&kind)?, state.latest.as_ref()?);
        let of_figure = figure.and_then(|figure| view.figure_table(figure, state, snapshot));
        of_figure.or_else(|| view.table(state, snapshot))
    }

    /// How a figure of a view, or all of it, is arranged.
    pub(super) fn arrangement(&self, kind: ViewKind, figure: Option<&str>) -> Option<String> {
        self.views.get(&kind)?.arrangement(figure)
    }

    /// The figures of a view, as it was drawn last.
    pub(super) fn figures(&self, kind: ViewKind, state: &ViewState) -> Known {
        let whole = state.latest.as_deref().and_then(|snapshot| self.views.get(&kind)?.whole(state, snapshot));
        Known { is_as_high_as_it_is: whole.is_some(), ..self.known.of(kind) }
    }

    /// Begins to lay a figure of a view out apart from the window.
    pub(super) fn begin_layout(
        &self,
        kind: ViewKind,
        figure: Option<String>,
        settings: &FigureSettings,
        dpi: f32,
        state: &ViewState,
    ) -> Layout {
        let whole = state.latest.as_deref().and_then(|snapshot| self.views.get(&kind)?.whole(state, snapshot));
        let content = match figure {
            Some(figure) => Content::Figure(figure),
            None if whole.is_some() => Content::AsHighAsItIs,
            None => Content::View,
        };
        Layout::new(content, settings, dpi, self.known.of(kind).size)
    }

    /// Draws the view once more for a layout.
    pub(super) fn pass(&mut self, layout: &mut Layout, kind: ViewKind, state: &ViewState) -> Progress {
        let (Some(view), Some(snapshot)) = (self.views.get_mut(&kind), state.latest.as_deref()) else { return Progress::IsNotThere };
        if let Some(mut whole) = view.whole(state, snapshot).filter(|_| layout.is_as_high_as_it_is()) {
            return layout.pass(|ui| whole(ui));
        }
        layout.pass(|ui| {
            ui.push_id(kind.title(), |ui| view.ui(ui, state, snapshot, &mut Vec::new()));
        })
    }

    /// Draws the views in sight.
    pub(super) fn ui(&mut self, ui: &mut Ui, state: &ViewState, snapshot: &Snapshot, actions: &mut Vec<Action>) {
        let (shown, room) = (self.visible().collect::<Vec<_>>(), ui.max_rect().size().round());
        if (&self.in_sight.0, self.in_sight.1) != (&shown, room) {
            self.in_sight = (shown, room, REVEALING);
            ui.ctx().request_repaint();
        } else {
            self.in_sight.2 = self.in_sight.2.saturating_sub(1);
        }
        let Self { views, tree, single, known, in_sight, .. } = self;
        let Some(kind) = *single else {
            let revealed = if in_sight.2 > 0 { in_sight.0.as_slice() } else { &[] };
            tree.ui(&mut Tabs { views, state, snapshot, actions, known, revealed }, ui);
            return;
        };
        ui.horizontal(|ui| {
            ui.heading(kind.title());
            KnownFigures::button(ui, kind, actions);
        });
        if let Some(view) = views.get_mut(&kind) {
            known.watch(ui, kind, |ui| view.ui(ui, state, snapshot, actions));
        }
    }
}

/// Draws the view of each tab.
struct Tabs<'a> {
    views: &'a mut HashMap<ViewKind, Box<dyn View>>,
    state: &'a ViewState,
    snapshot: &'a Snapshot,
    actions: &'a mut Vec<Action>,
    known: &'a mut KnownFigures,
    /// Views whose tabs are brought into sight.
    revealed: &'a [ViewKind],
}

impl egui_tiles::Behavior<ViewKind> for Tabs<'_> {
    fn pane_ui(&mut self, ui: &mut Ui, _: TileId, pane: &mut ViewKind) -> UiResponse {
        egui::Frame::new().inner_margin(6).show(ui, |ui| {
            if let Some(view) = self.views.get_mut(pane) {
                let draw = |ui: &mut Ui| {
                    ui.push_id(pane.title(), |ui| view.ui(ui, self.state, self.snapshot, self.actions));
                };
                self.known.watch(ui, *pane, draw);
            }
        });
        UiResponse::None
    }

    fn tab_title_for_pane(&mut self, pane: &ViewKind) -> egui::WidgetText {
        pane.title().into()
    }

    fn on_tab_button(&mut self, tiles: &mut Tiles<ViewKind>, tile: TileId, button: egui::Response) -> egui::Response {
        let is_shown = tiles.get_pane(&tile).is_some_and(|kind| self.revealed.contains(kind));
        if is_shown && button.interact_rect.width() < button.rect.width() - 0.5 {
            button.scroll_to_me_animation(None, egui::style::ScrollAnimation::none());
        }
        button
    }

    fn top_bar_right_ui(&mut self, tiles: &Tiles<ViewKind>, ui: &mut Ui, _: TileId, tabs: &egui_tiles::Tabs, _: &mut f32) {
        if let Some(Tile::Pane(kind)) = tabs.active.and_then(|id| tiles.get(id)) {
            ui.add_space(4.0);
            KnownFigures::button(ui, *kind, self.actions);
        }
    }

    fn simplification_options(&self) -> SimplificationOptions {
        SimplificationOptions { all_panes_must_have_tabs: true, ..Default::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_layout_comes_back_unless_it_lacks_a_view() {
        let mut older = layout::standard();
        let partition = older.tiles.find_pane(&ViewKind::Partition).unwrap();
        older.tiles.remove(partition);
        let mut moved = layout::standard();
        moved.make_active(|_, tile| matches!(tile, Tile::Pane(ViewKind::Tuning)));
        let mut workspace = Workspace::new(None);
        assert!(!workspace.restore(&older));
        assert!(
            workspace.layout().tiles.find_pane(&ViewKind::Partition).is_some() && workspace.visible().all(|kind| kind != ViewKind::Tuning)
        );
        assert!(workspace.restore(&moved));
        assert!(workspace.visible().any(|kind| kind == ViewKind::Tuning));
        assert_eq!(Workspace::new(Some(ViewKind::Learning)).visible().collect::<Vec<_>>(), [ViewKind::Learning]);
    }

    #[test]
    fn views_that_measure_say_what_they_begin_with() {
        let config = crate::experiment::presets::by_name("ridge").unwrap();
        let measures = |kind| Workspace::new(Some(kind)).measurement(&config).is_some();
        let found: Vec<ViewKind> = ViewKind::ALL.into_iter().filter(|kind| measures(*kind)).collect();
        let swept = [ViewKind::LearningRules, ViewKind::Adaptation, ViewKind::Separation, ViewKind::Partition, ViewKind::Studies];
        let wanted = [&[ViewKind::Tuning, ViewKind::Posterior][..], &swept].concat();
        assert_eq!(found, wanted);
    }
}
