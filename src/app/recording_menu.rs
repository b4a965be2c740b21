//! Recording what is shown: the menu that begins it, and how far it is.

use crate::app::actions::Action;
use crate::app::paths::full_path;
use crate::app::theme;
use crate::engine::Snapshot;
use crate::engine::recording::{ENDING, SnapshotRecorder};
use crate::export::FileError;
use egui::containers::menu::{MenuButton, MenuConfig};
use egui::{TextEdit, Ui};
use std::path::{Path, PathBuf};

/// The recording under way, and where the next one goes.
pub(super) struct RecordingMenu {
    recorder: Option<SnapshotRecorder>,
    path: String,
    failure: Option<FileError>,
}

impl Default for RecordingMenu {
    fn default() -> Self {
        Self { recorder: None, path: format!("recording{ENDING}"), failure: None }
    }
}

impl RecordingMenu {
    /// Begins a recording. The error says why not.
    pub(super) fn start(&mut self, path: &Path) -> Result<(), FileError> {
        self.recorder = Some(SnapshotRecorder::start(path)?);
        Ok(())
    }

    /// Adds what is shown now, where a recording is under way.
    pub(super) fn add(&mut self, snapshot: &Snapshot) {
        self.recorder.iter_mut().for_each(|recorder| recorder.add(snapshot));
    }

    /// Ends the recording: its file, and a sentence about it.
    pub(super) fn stop(&mut self) -> Option<Result<(PathBuf, String), FileError>> {
        let mut recorder = self.recorder.take()?;
        let outcome = recorder.progress().map(|(path, seconds, _, lost)| {
            let left_out = if lost > 0 { format!("; {lost} pictures were left out: the disk is slow") } else { String::new() };
            (path.to_path_buf(), format!("Recorded {seconds:.0} s: {}{left_out}", path.display()))
        });
        Some(outcome)
    }

    /// Why a recording has ended by itself, if so.
    pub(super) fn take_failure(&mut self) -> Option<FileError> {
        self.failure.take()
    }

    /// Draws the menu, or how far the recording is.
    pub(super) fn ui(&mut self, ui: &mut Ui, actions: &mut Vec<Action>) {
        match self.recorder.as_mut().map(SnapshotRecorder::progress) {
            None => self.menu(ui, actions),
            Some(Ok((path, seconds, bytes, _))) => {
                let text = format!("Recording: {seconds:.0} s, {:.1} MB", bytes as f64 / 1e6);
                ui.colored_label(theme::alarm(ui.visuals().dark_mode), text).on_hover_text(path.display().to_string());
                if ui.button("Stop recording").on_hover_text("heescope replay FILE shows it again").clicked() {
                    actions.push(Action::StopRecording);
                }
            }
            Some(Err(error)) => (self.recorder, self.failure) = (None, Some(error)),
        }
    }

    fn menu(&mut self, ui: &mut Ui, actions: &mut Vec<Action>) {
        let config = MenuConfig::new().close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside);
        let (response, _) = MenuButton::new("Record").config(config).ui(ui, |ui| {
            ui.label("What is shown from now on becomes a file that `heescope replay` opens again.");
            ui.horizontal(|ui| {
                let label = ui.label("File");
                ui.add(TextEdit::singleline(&mut self.path).desired_width(220.0)).labelled_by(label.id);
            });
            let path = full_path(&self.path, Some(ENDING));
            ui.weak(path.display().to_string());
            if ui.button("Start").clicked() {
                actions.push(Action::Record(path));
                ui.close();
            }
        });
        response.on_hover_text("Record what is shown, to see it again in all its views");
    }
}
