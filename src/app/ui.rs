//! Draws one frame: panels, views, windows.

use super::{App, Kind, layout, status};
use crate::app::actions::Action;
use crate::app::theme;
use crate::data::photographs;
use crate::engine::{Command, GenerationCommand, Parameter, Snapshot};
use egui::{Context, Ui};
use std::time::{Duration, Instant};

impl App {
    /// What the window's thread computes for a frame of 1400 x 900 points at `time`, s, down to the triangles; for measurements.
    pub fn compute_frame(&mut self, ctx: &egui::Context, time: f64) -> Vec<egui::ClippedPrimitive> {
        let screen = egui::Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(1400.0, 900.0));
        let input = egui::RawInput { screen_rect: Some(screen), time: Some(time), ..Default::default() };
        let begin = Instant::now();
        self.begin_frame(ctx);
        let mut output = ctx.run_ui(input, |ui| self.frame(ui));
        output.textures_delta.clear(); // nobody uploads them here
        let triangles = ctx.tessellate(output.shapes, output.pixels_per_point);
        self.engine.release_core(Duration::ZERO);
        self.frames.add(Some(begin.elapsed() - self.waited[0]), None);
        triangles
    }

    /// Work of the last frame that was counted, ms, without waiting.
    pub fn work_ms(&self) -> Option<f32> {
        self.frames.last()
    }

    /// Draws one frame.
    pub fn frame(&mut self, ui: &mut Ui) {
        let key_or_press =
            |i: &egui::InputState| i.pointer.any_pressed() || i.events.iter().any(|e| matches!(e, egui::Event::Key { pressed: true, .. }));
        self.gesture += u64::from(ui.ctx().input(key_or_press));
        self.shortcuts(ui.ctx());
        let mut actions = Vec::new();
        let Some(snapshot) = self.state.latest.take() else {
            egui::CentralPanel::default().show(ui, |ui| {
                ui.centered_and_justified(|ui| ui.label("Preparing the stimuli ..."));
            });
            self.progress(ui.ctx());
            self.toasts.show(ui.ctx());
            return;
        };
        egui::Panel::top("menu").show(ui, |ui| {
            ui.horizontal(|ui| {
                ui.strong("heescope");
                ui.separator();
                if ui.button("Help").on_hover_text("Keyboard shortcuts (F1)").clicked() {
                    self.help = !self.help;
                }
                if ui.button("About").clicked() {
                    self.about = !self.about;
                }
                if ui.button("Standard layout").on_hover_text("Tabs back to their places").clicked() {
                    (self.tree, self.alone, self.tiny) = (layout::standard(), None, None);
                }
                ui.toggle_value(&mut self.controls, "Controls")
                    .on_hover_text("The panel at the left; without it the views have all the room");
                let dark = ui.visuals().dark_mode;
                if ui.button(if dark { "Light" } else { "Dark" }).on_hover_text("Change the theme").clicked() {
                    ui.ctx().set_theme(if dark { egui::Theme::Light } else { egui::Theme::Dark });
                }
            });
        });
        if let Some(reason) = &self.halted {
            egui::Panel::top("stopped").show(ui, |ui| stopped(ui, reason, &snapshot, &mut actions));
        }
        egui::Panel::bottom("status").show(ui, |ui| status::status(ui, &snapshot, &mut self.frames));
        if self.controls {
            egui::Panel::left("controls").default_size(290.0).size_range(240.0..=420.0).show(ui, |ui| {
                egui::ScrollArea::vertical().show(ui, |ui| self.side.ui(ui, &snapshot, &mut actions));
            });
        }
        egui::CentralPanel::default().show(ui, |ui| match self.alone {
            Some(kind) => {
                ui.horizontal(|ui| {
                    ui.heading(kind.title());
                    self.saving.menu(ui, kind, &mut actions);
                });
                if let Some(view) = self.views.get_mut(kind.title()) {
                    self.saving.around(ui, kind, |ui| view.ui(ui, &self.state, &snapshot, &mut actions));
                }
            }
            None => {
                let (views, saving) = (&mut self.views, &mut self.saving);
                let mut behaviour = layout::Behaviour { views, state: &self.state, snapshot: &snapshot, actions: &mut actions, saving };
                self.tree.ui(&mut behaviour, ui);
            }
        });
        let need = self.shown().filter_map(|kind| self.views.get(kind.title())).map(|view| view.fits()).max();
        self.fitter.offer(&snapshot, need.unwrap_or_default());
        let in_sight = self.shown().any(|kind| kind == Kind::Generation);
        if std::mem::replace(&mut self.generation_in_sight, in_sight) != in_sight {
            actions.push(Action::Send(Command::Generation(GenerationCommand::SetVisible(in_sight)))); // nothing is computed that nobody sees
        }
        self.state.latest = Some(snapshot);
        self.save_drawn(ui);
        self.progress(ui.ctx());
        self.windows(ui.ctx());
        drop_hint(ui.ctx());
        self.toasts.show(ui.ctx());
        actions.into_iter().for_each(|action| self.act(action));
    }

    /// The views in sight.
    fn shown(&self) -> impl Iterator<Item = Kind> + '_ {
        let tiles = self.tree.active_tiles().into_iter().filter_map(|id| match self.tree.tiles.get(id) {
            Some(egui_tiles::Tile::Pane(kind)) => Some(*kind),
            _ => None,
        });
        self.alone.into_iter().chain(tiles.filter(|_| self.alone.is_none()))
    }

    /// A rebuild that takes its time, with a way to stop it.
    fn progress(&mut self, ctx: &Context) {
        let Some((what, done, total)) = self.engine.progress().state() else {
            self.busy_since = None;
            return;
        };
        let since = *self.busy_since.get_or_insert_with(Instant::now);
        ctx.request_repaint_after(Duration::from_millis(100));
        if since.elapsed() < Duration::from_millis(300) {
            return;
        }
        egui::Window::new("Preparing").collapsible(false).resizable(false).anchor(egui::Align2::CENTER_CENTER, [0.0, 0.0]).show(
            ctx,
            |ui| {
                ui.add(egui::ProgressBar::new(done as f32 / total.max(1) as f32).text(format!("{what}: {done} of {total}")));
                if ui.button("Cancel").on_hover_text("The model before goes on").clicked() {
                    self.engine.progress().cancel();
                }
            },
        );
    }

    fn windows(&mut self, ctx: &Context) {
        egui::Window::new("Keyboard shortcuts").open(&mut self.help).resizable(false).show(ctx, |ui| {
            egui::Grid::new("shortcuts").striped(true).show(ui, |ui| {
                for (key, what) in [
                    ("Space", "run / pause"),
                    ("S", "one step"),
                    ("R", "start again from the seed"),
                    ("F", "full speed / slow pace"),
                    ("Ctrl-E", "export the filters as last set under Export"),
                    ("Ctrl-Z, Ctrl-Shift-Z", "undo, redo a change of a parameter"),
                    ("F1", "this list"),
                ] {
                    ui.strong(key);
                    ui.label(what);
                    ui.end_row();
                }
            });
        });
        egui::Window::new("About heescope").open(&mut self.about).default_width(460.0).show(ctx, |ui| {
            ui.label("Neural sampling in hierarchical exponential-family energy-based models, after X. Dong and S. Wu, NeurIPS 2023 (arXiv 2310.08431).");
            ui.separator();
            ui.strong("Embedded photographs, each cropped and turned to grey");
            for (name, author, licence) in photographs::attribution() {
                ui.small(format!("{name}: {author}, {licence}"));
            }
        });
    }
}

fn stopped(ui: &mut Ui, reason: &str, snapshot: &Snapshot, actions: &mut Vec<Action>) {
    ui.horizontal_wrapped(|ui| {
        ui.colored_label(theme::alarm(ui.visuals().dark_mode), format!("Stopped: {reason}"));
        if snapshot.config.dynamics.governor == crate::experiment::Governor::Manual
            && ui.button("Automatic step size").on_hover_text("dt is lowered to what is stable, then the run goes on").clicked()
        {
            actions.push(Action::Change { to: Parameter::ManualGovernor(false), from: Parameter::ManualGovernor(true) });
            actions.push(Action::Send(Command::Run));
        }
        if ui.button("Go on").on_hover_text("From the last good weights").clicked() {
            actions.push(Action::Send(Command::Run));
        }
        if ui.button("Start again").on_hover_text("From the seed").clicked() {
            actions.push(Action::Send(Command::Reset));
        }
    });
}

fn drop_hint(ctx: &Context) {
    if ctx.input(|i| i.raw.hovered_files.is_empty()) {
        return;
    }
    let (painter, rect) = (ctx.layer_painter(egui::LayerId::new(egui::Order::Foreground, egui::Id::unique("drop"))), ctx.content_rect());
    painter.rect_filled(rect, 0.0, egui::Color32::from_black_alpha(180));
    let font = egui::FontId::proportional(22.0);
    painter.text(rect.center(), egui::Align2::CENTER_CENTER, "Drop: learn from these images", font, egui::Color32::WHITE);
}
