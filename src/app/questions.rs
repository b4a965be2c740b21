//! Questions that come before something is overwritten or left behind.

use super::App;
use crate::app::actions::{Action, Question};
use egui::{Button, Context, Key, Modal};
use std::path::PathBuf;

impl App {
    /// Draws the question that waits for its answer, if one does.
    pub(super) fn show_question(&mut self, ctx: &Context) {
        let Some(question) = &self.question else { return };
        let mut answer = None;
        let modal = Modal::new(egui::Id::unique("question")).show(ctx, |ui| {
            ui.set_max_width(420.0);
            ui.label(&question.text);
            ui.add_space(8.0);
            ui.horizontal(|ui| {
                if ui.add(Button::new(question.yes)).clicked() {
                    answer = Some(true);
                }
                if ui.button("Cancel").clicked() {
                    answer = Some(false);
                }
            });
        });
        if modal.should_close() || ctx.input_mut(|i| i.consume_key(egui::Modifiers::NONE, Key::Escape)) {
            answer = Some(false);
        }
        if let Some(is_yes) = answer
            && let Some(question) = self.question.take()
            && is_yes
        {
            self.perform_at_once(question.action);
        }
    }

    /// Asks before `action` where that would write over files that this window has not written itself.
    pub(super) fn asks_before_overwriting(&mut self, paths: &[PathBuf], action: &Action) -> bool {
        let is_there = |path: &&PathBuf| path.is_file() && !self.written.contains(*path);
        let there: Vec<String> = paths.iter().filter(is_there).map(|path| path.display().to_string()).collect();
        if there.is_empty() {
            return false;
        }
        let [verb, them] = if there.len() == 1 { ["is", "it"] } else { ["are", "them"] };
        let text = format!("{} {verb} there already. Write over {them}?", there.join(" and "));
        self.question = Some(Question { text, yes: "Write over it", action: action.clone() });
        true
    }
}
