//! For a room: one view alone in large type, with three sliders of one's choice.

use crate::app::actions::Action;
use crate::app::side_panel;
use crate::app::views::ViewKind;
use crate::app::widgets::greek::greek;
use crate::app::workspace::Workspace;
use crate::engine::Snapshot;
use crate::experiment::parameters::{self, Parameter};
use egui::{ComboBox, Context, Ui};

/// How much larger everything is.
const LARGER: f32 = 1.5;
/// Points across and up that a view with its sliders needs beside that.
const ROOM: egui::Vec2 = egui::vec2(640.0, 450.0);

/// Points that name and value of the pace take.
const PACE_TEXT: f32 = 160.0;

/// Whether one view is shown to a room, and with which sliders.
pub(super) struct Projector {
    /// What the window was before; None where it is as usual.
    before: Option<Before>,
    /// What is moved below the view.
    sliders: [Moved; 3],
}

/// What a slider below the view moves.
#[derive(Clone, Copy, PartialEq)]
enum Moved {
    /// The parameter of this key.
    Parameter(&'static str),
    /// Steps in a second.
    Pace,
}

/// What comes back when the window is as usual again.
struct Before {
    single: Option<ViewKind>,
    zoom: f32,
}

impl Default for Projector {
    fn default() -> Self {
        Self { before: None, sliders: [Moved::Parameter("adaptation"), Moved::Parameter("tau_eps_ms"), Moved::Pace] }
    }
}

impl Projector {
    /// Whether one view is shown to a room.
    pub(super) fn is_on(&self) -> bool {
        self.before.is_some()
    }

    /// Shows the view in front to a room, or the whole window again.
    pub(super) fn toggle(&mut self, ctx: &Context, workspace: &mut Workspace) {
        match self.before.take() {
            Some(Before { single, zoom }) => {
                workspace.set_single(single);
                ctx.set_zoom_factor(zoom);
            }
            None => {
                let (shown, zoom) = (workspace.visible().next(), ctx.zoom_factor());
                self.before = Some(Before { single: workspace.set_single(shown), zoom });
                // In a small window the view needs the room more than the letters do.
                let room = ctx.content_rect().size() / ROOM;
                ctx.set_zoom_factor(LARGER.min(room.min_elem()).max(1.0) * zoom);
            }
        }
    }

    /// Before the window closes: the next start is as usual.
    pub(super) fn end(&mut self, ctx: &Context, workspace: &mut Workspace) {
        if let Some(Before { single, zoom }) = self.before.take() {
            workspace.set_single(single);
            ctx.options_mut(|options| options.zoom_factor = zoom); // no other frame would take it over
        }
    }

    /// The rows above and below the view. Answers whether the window is to be as usual again.
    pub(super) fn beside_view(&mut self, ui: &mut Ui, workspace: &mut Workspace, snapshot: &Snapshot, actions: &mut Vec<Action>) -> bool {
        let mut leaves = false;
        egui::Panel::top("projector").show(ui, |ui| {
            ui.horizontal(|ui| {
                side_panel::run_or_pause(ui, snapshot, actions);
                let shown = workspace.visible().next().unwrap_or(ViewKind::ReceptiveFields);
                let mut wanted = shown;
                let label = ui.label("View");
                let list = ComboBox::from_id_salt("view of the projector").selected_text(shown.title()).height(400.0);
                let choices = |ui: &mut Ui| {
                    for kind in ViewKind::ALL {
                        ui.selectable_value(&mut wanted, kind, kind.title());
                    }
                };
                list.show_ui(ui, choices).response.labelled_by(label.id);
                if wanted != shown {
                    workspace.set_single(Some(wanted));
                }
                leaves =
                    ui.button("Whole window").on_hover_text("Back from the projector to all views and controls (F11 or Escape)").clicked();
                ui.weak(format!("{}, {:.2} s simulated", snapshot.config.model.name, snapshot.clock.time_ms / 1e3));
            });
        });
        egui::Panel::bottom("sliders of the projector").show(ui, |ui| {
            ui.columns(self.sliders.len(), |columns| {
                for (i, (ui, moved)) in columns.iter_mut().zip(&mut self.sliders).enumerate() {
                    choice(ui, i, moved);
                    match moved {
                        Moved::Pace => drop(ui.horizontal(|ui| {
                            ui.spacing_mut().slider_width = (ui.available_width() - PACE_TEXT).max(60.0);
                            side_panel::pace(ui, snapshot, actions);
                        })),
                        Moved::Parameter(key) => {
                            if let Some(parameter) = parameters::find(key) {
                                side_panel::slider(ui, parameter, [&snapshot.config, &snapshot.config], None, actions);
                            }
                        }
                    }
                }
            });
        });
        leaves
    }
}

/// What a slider moves.
fn choice(ui: &mut Ui, number: usize, moved: &mut Moved) {
    let has_slider = |parameter: &&Parameter| parameter.usual.is_some();
    let shown = match moved {
        Moved::Pace => "Pace",
        Moved::Parameter(key) => parameters::find(key).map_or("", |parameter| parameter.symbol),
    };
    let list = ComboBox::from_id_salt(("slider of the projector", number)).selected_text(greek(shown));
    let label = ui.weak(format!("Slider {}", number + 1));
    let choices = |ui: &mut Ui| {
        ui.selectable_value(moved, Moved::Pace, "Pace").on_hover_text("Simulation steps in a second of your time");
        for parameter in parameters::all().iter().filter(has_slider) {
            let hint = greek(&parameter.tooltip());
            ui.selectable_value(moved, Moved::Parameter(parameter.key), greek(parameter.symbol)).on_hover_text(hint);
        }
    };
    list.show_ui(ui, choices).response.labelled_by(label.id);
}
