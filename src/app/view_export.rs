//! A view or one of its figures as a picture: the menu that asks for it, and what was drawn where.

use crate::app::actions::Action;
use crate::app::views::ViewKind;
use crate::app::widgets::figure;
use egui::epaint::ClippedShape;
use egui::{Rect, Ui};
use std::collections::HashMap;
use std::path::PathBuf;

/// Points around a figure: labels of axes reach a little out of it.
const MARGIN: egui::Vec2 = egui::vec2(6.0, 4.0);
/// What is saved where no figure is chosen.
const WHOLE: &str = "The whole view";

/// A view that is to become a picture once it is drawn again.
pub(super) struct ExportRequest {
    pub(super) kind: ViewKind,
    /// One figure of it; None: the whole view.
    pub(super) figure: Option<String>,
    pub(super) path: PathBuf,
}

/// Where something was drawn in a frame, and with what.
pub(super) struct Drawn {
    pub(super) rect: Rect,
    pub(super) shapes: Vec<ClippedShape>,
}

/// The figures of a view as it was drawn last, and which of them was chosen to be saved.
#[derive(Default)]
struct Figures {
    drawn: Vec<figure::Marked>,
    chosen: Option<String>,
    /// Points that the view had.
    width: f32,
}

/// A view that is to become a picture, and the file names that people have typed.
#[derive(Default)]
pub(super) struct ViewExport {
    file_names: HashMap<ViewKind, String>,
    figures: HashMap<ViewKind, Figures>,
    request: Option<ExportRequest>,
    drawn: Option<Drawn>,
}

impl ViewExport {
    /// Asks for a picture of what is drawn next.
    pub(super) fn request(&mut self, request: ExportRequest) {
        self.request = Some(request);
    }

    /// What was asked for, and what of it this frame has drawn: nothing where the view is not in sight.
    pub(super) fn take(&mut self) -> Option<(ExportRequest, Option<Drawn>)> {
        let request = self.request.take()?;
        Some((request, self.drawn.take()))
    }

    /// The width in points that a view had when it was drawn last.
    pub(super) fn width(&self, kind: ViewKind) -> f32 {
        self.figures.get(&kind).map_or(0.0, |figures| figures.width)
    }

    /// The menu that saves a view.
    pub(super) fn menu(&mut self, ui: &mut Ui, kind: ViewKind, actions: &mut Vec<Action>) {
        let config = egui::containers::menu::MenuConfig::new().close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside);
        let button = egui::containers::menu::MenuButton::new("Save as").config(config);
        let (response, _) = button.ui(ui, |ui| self.menu_items(ui, kind, actions));
        response.on_hover_text("This view or one figure of it as a picture (PNG, SVG), or the view's numbers (CSV, NPY)");
    }

    fn menu_items(&mut self, ui: &mut Ui, kind: ViewKind, actions: &mut Vec<Action>) {
        let name = self.file_names.entry(kind).or_insert_with(|| format!("{}.png", kind.name()));
        ui.set_min_width(270.0);
        let Figures { drawn, chosen, .. } = self.figures.entry(kind).or_default();
        chosen.take_if(|name| drawn.iter().all(|(known, _)| known != name));
        ui.radio_value(chosen, None, WHOLE);
        drawn.iter().for_each(|(name, _)| drop(ui.radio_value(chosen, Some(name.clone()), name)));
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
    }

    /// Draws a view, and remembers its shapes where it is the one asked for.
    pub(super) fn capture(&mut self, ui: &mut Ui, kind: ViewKind, draw: impl FnOnce(&mut Ui)) {
        let count = |ui: &Ui| ui.ctx().graphics(|g| g.get(ui.layer_id()).map_or(0, |list| list.all_entries().len()));
        let (rect, before) = (ui.max_rect(), count(ui));
        figure::take(ui.ctx());
        let request = self.request.as_ref().filter(|request| request.kind == kind);
        figure::set_saved(ui.ctx(), request.is_some());
        draw(ui);
        let figures = figure::take(ui.ctx());
        if let Some(request) = request {
            let part = figures
                .iter()
                .find(|(name, _)| Some(name) == request.figure.as_ref())
                .map_or(rect, |(_, part)| part.expand2(MARGIN).intersect(rect));
            let shapes = ui.ctx().graphics(|g| g.get(ui.layer_id()).map(|list| list.all_entries().skip(before).cloned().collect()));
            self.drawn = shapes.map(|shapes| Drawn { rect: part, shapes });
        }
        let known = self.figures.entry(kind).or_default();
        (known.drawn, known.width) = (figures, rect.width());
    }
}
