//! Which figures each view has, as it was drawn last.

use crate::app::actions::Action;
use crate::app::views::ViewKind;
use crate::app::widgets::figure;
use egui::Ui;
use std::collections::HashMap;

/// The figures of a view, and the size in points that it had.
#[derive(Clone, Debug, Default)]
pub(in crate::app) struct Known {
    pub(in crate::app) figures: Vec<figure::Marked>,
    pub(in crate::app) size: [f32; 2],
    /// The whole view is drawn as high as what there is to show.
    pub(in crate::app) is_as_high_as_it_is: bool,
}

/// Those of all views that were drawn.
#[derive(Default)]
pub(in crate::app) struct KnownFigures(HashMap<ViewKind, Known>);

impl KnownFigures {
    /// Those of a view; none where it was not drawn yet.
    pub(in crate::app) fn of(&self, kind: ViewKind) -> Known {
        self.0.get(&kind).cloned().unwrap_or_default()
    }

    /// The button that opens the dialog for a view.
    pub(in crate::app) fn button(ui: &mut Ui, kind: ViewKind, actions: &mut Vec<Action>) {
        let tip = "This view or one figure of it: as a picture to be printed (PNG, SVG, PDF), or its numbers (CSV, NPY)";
        if ui.button("Save as").on_hover_text(tip).clicked() {
            actions.push(Action::OpenFigure(kind));
        }
    }

    /// Draws a view, and remembers its figures.
    pub(in crate::app) fn watch(&mut self, ui: &mut Ui, kind: ViewKind, draw: impl FnOnce(&mut Ui)) {
        let size = ui.max_rect().size();
        figure::take(ui.ctx());
        draw(ui);
        self.0.insert(kind, Known { figures: figure::take(ui.ctx()), size: size.into(), ..Known::default() });
    }
}
