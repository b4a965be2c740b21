//! Questions that come before something is overwritten or left behind, and the paths that are typed.

use super::App;
use crate::app::actions::Action;
use egui::{Button, Context, Key, Modal};
use std::path::{Path, PathBuf};

/// Something that is done if the answer is yes.
pub(super) struct Question {
    /// What is asked.
    pub(super) text: String,
    /// The word of the button that does it.
    pub(super) yes: &'static str,
    /// What is done.
    pub(super) action: Action,
}

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

    /// Asks before `action` where that would write over a file that this window has not written itself.
    pub(super) fn asks_before_overwriting(&mut self, path: &Path, action: &Action) -> bool {
        let is_new = !path.is_file() || self.written.contains(path);
        if !is_new {
            let text = format!("{} is there already. Write over it?", path.display());
            self.question = Some(Question { text, yes: "Write over it", action: action.clone() });
        }
        !is_new
    }
}

/// The path that somebody has typed: `~` is the home folder, the ending is added where there is none, and the rest is from the folder in
/// which the program runs.
pub(super) fn full_path(text: &str, ending: Option<&str>) -> PathBuf {
    let text = text.trim();
    let home = std::env::home_dir();
    let mut path = match (text.strip_prefix('~'), home) {
        (Some(rest), Some(home)) if rest.is_empty() || rest.starts_with(['/', '\\']) => home.join(rest.trim_start_matches(['/', '\\'])),
        _ => PathBuf::from(text),
    };
    if let (Some(ending), None, Some(name)) = (ending, path.extension(), path.file_name()) {
        let name = format!("{}{ending}", name.to_string_lossy());
        path.set_file_name(name);
    }
    std::path::absolute(&path).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed_paths_are_whole_and_have_an_ending() {
        let here = std::env::current_dir().unwrap();
        assert_eq!(full_path(" model ", Some(".npz")), here.join("model.npz"));
        assert_eq!(full_path("a/model.npz", Some(".npz")), here.join("a/model.npz"));
        assert_eq!(full_path("model.txt", Some(".npz")), here.join("model.txt"), "another ending is refused by who writes");
        assert_eq!(full_path("folder", None), here.join("folder"));
        let home = std::env::home_dir().unwrap();
        assert_eq!(full_path("~/m", Some(".npz")), home.join("m.npz"));
        assert_eq!(full_path("~", None), home);
        assert_eq!(full_path("~m", Some(".npz")), here.join("~m.npz"), "a file of that name");
    }
}
