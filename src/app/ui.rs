//! Draws one frame: panels, views, windows.

use super::{App, panels};
use crate::app::actions::Action;
use crate::app::panels::MenuChoice;
use crate::app::views::ViewKind;
use crate::engine::Snapshot;
use egui::Ui;
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
        self.simulation.release_core(Duration::ZERO);
        self.frames.count_present(begin.elapsed());
        triangles
    }

    /// Work of the last frame that was counted, ms, without waiting.
    pub fn work_ms(&self) -> Option<f32> {
        self.frames.last_ms()
    }

    /// Draws one frame.
    pub fn frame(&mut self, ui: &mut Ui) {
        let key_or_press =
            |i: &egui::InputState| i.pointer.any_pressed() || i.events.iter().any(|e| matches!(e, egui::Event::Key { pressed: true, .. }));
        if ui.ctx().input(key_or_press) {
            self.history.begin_gesture();
        }
        self.shortcuts(ui.ctx());
        if ui.ctx().input(|i| i.viewport().close_requested()) {
            self.projector.end(ui.ctx(), &mut self.workspace);
        }
        self.rewind.begin_frame(ui, &mut self.state);
        // Taken out while it is drawn, so that the views can borrow the rest.
        let Some(snapshot) = self.state.latest.take() else {
            egui::CentralPanel::default().show(ui, |ui| {
                ui.centered_and_justified(|ui| ui.label("Preparing the stimuli ..."));
            });
            self.panels.progress(ui.ctx(), self.simulation.progress());
            self.notifications.show(ui.ctx());
            self.rewind.end_frame(&mut self.state);
            return;
        };
        let mut actions = Vec::new();
        self.draw(ui, &snapshot, &mut actions);
        self.fitter.offer(&snapshot, self.workspace.fit_priority());
        self.state.latest = Some(snapshot);
        self.figure_dialog(ui.ctx(), &mut actions);
        let was_past = self.rewind.is_on();
        self.rewind.end_frame(&mut self.state);
        self.panels.progress(ui.ctx(), self.simulation.progress());
        self.panels.windows(ui.ctx());
        if let Some(snapshot) = &self.state.latest {
            self.panels.start_page(ui.ctx(), snapshot, &mut actions);
            self.panels.side.own_images_window(ui.ctx(), &snapshot.config, &mut actions);
        }
        panels::drop_hint(ui.ctx());
        self.show_changes(ui.ctx());
        self.film.ui(ui.ctx(), &mut actions);
        self.show_question(ui.ctx());
        self.notifications.show(ui.ctx());
        self.perform_all(actions, was_past);
        let is_visible = |shown: ViewKind| self.workspace.visible().any(|kind| kind == shown);
        let [generation, parts] = [ViewKind::Generation, ViewKind::Network].map(is_visible);
        self.simulation.set_generation_visible(generation);
        self.simulation.set_parts_visible(parts);
    }

    /// Panels and views of this snapshot.
    fn draw(&mut self, ui: &mut Ui, snapshot: &Snapshot, actions: &mut Vec<Action>) {
        if self.projector.is_on() {
            self.draw_for_a_room(ui, snapshot, actions);
            return;
        }
        match self.panels.menu(ui, snapshot, actions, |ui, actions| self.recording.ui(ui, actions)) {
            Some(MenuChoice::StandardLayout) => self.workspace.reset(),
            Some(MenuChoice::Projector) => self.toggle_projector(ui.ctx()),
            None => {}
        }
        self.panels.beside_views(ui, &self.state, snapshot, (&self.frames, self.fitter.progress()), actions);
        self.panels.lessons(ui, &self.state, snapshot, actions);
        if let Some(view) = self.panels.lessons.take_view(snapshot.model_id) {
            self.workspace.show(view);
        }
        self.rewind.panel(ui, snapshot, actions);
        self.draw_views(ui, snapshot, actions);
    }

    /// The views, and over them why the run has stopped, where it has.
    fn draw_views(&mut self, ui: &mut Ui, snapshot: &Snapshot, actions: &mut Vec<Action>) {
        let area = ui.available_rect_before_wrap();
        egui::CentralPanel::default().show(ui, |ui| self.workspace.ui(ui, &self.state, snapshot, actions));
        if self.stopped.as_mut().is_some_and(|banner| banner.ui(ui.ctx(), area, snapshot, actions)) {
            self.stopped = None;
        }
    }

    /// One view with three sliders.
    fn draw_for_a_room(&mut self, ui: &mut Ui, snapshot: &Snapshot, actions: &mut Vec<Action>) {
        let leaves = self.projector.beside_view(ui, &mut self.workspace, snapshot, actions);
        self.draw_views(ui, snapshot, actions);
        if leaves {
            self.toggle_projector(ui.ctx());
        }
    }

    /// Shows the view in front to a room with nothing over it, or the whole window again.
    pub(in crate::app) fn toggle_projector(&mut self, ctx: &egui::Context) {
        self.panels.close_windows();
        self.projector.toggle(ctx, &mut self.workspace);
    }
}
