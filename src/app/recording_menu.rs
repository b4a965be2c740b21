//! Recording what is shown: the menu that begins it, and how far it is.

use crate::app::actions::Action;
use crate::app::paths::full_path;
use crate::app::theme;
use crate::engine::recording::{ENDING, SnapshotRecorder};
use crate::engine::{SnapshotIncrement, SnapshotState};
use crate::export::FileError;
use egui::containers::menu::{MenuButton, MenuConfig};
use egui::{TextEdit, Ui};
use std::path::{Path, PathBuf};

/// The recording under way, and where the next one goes.
pub(super) struct RecordingMenu {
    recorder: Option<SnapshotRecorder>,
    /// Recordings that were ended and are written to their ends.
    finishing: Vec<SnapshotRecorder>,
    path: String,
    failure: Option<FileError>,
}

impl Default for RecordingMenu {
    fn default() -> Self {
        Self { recorder: None, finishing: Vec::new(), path: format!("recording{ENDING}"), failure: None }
    }
}

impl RecordingMenu {
    /// Begins a recording. The error says why not.
    pub(super) fn start(&mut self, path: &Path) -> Result<(), FileError> {
        if self.finishing.iter().any(|earlier| earlier.path() == path) {
            return Err(FileError::content(path, "the recording before is still being written there; try again in a moment"));
        }
        self.recorder = Some(SnapshotRecorder::start(path)?);
        Ok(())
    }

    /// Whether what is shown is recorded.
    pub(super) fn is_under_way(&self) -> bool {
        self.recorder.is_some()
    }

    /// Adds what is shown now and what is new in it, where a recording is under way.
    pub(super) fn add(&mut self, state: &SnapshotState, increment: SnapshotIncrement) {
        if let Some(recorder) = &mut self.recorder {
            recorder.add(state, increment);
        }
    }

    /// Ends the recording: its file, and a sentence about it.
    pub(super) fn stop(&mut self) -> Option<Result<(PathBuf, String), FileError>> {
        let mut recorder = self.recorder.take()?;
        let outcome = recorder.progress().map(|(path, seconds, _, lost)| {
            let left_out = if lost > 0 { format!("; {lost} pictures were left out: the disk is slow") } else { String::new() };
            (path.to_path_buf(), format!("Recorded {seconds:.0} s: {}{left_out}", path.display()))
        });
        recorder.close();
        self.finishing.push(recorder);
        Some(outcome)
    }

    /// Looks after the recordings that were ended.
    fn finish(&mut self) {
        let failure = &mut self.failure;
        self.finishing.retain_mut(|recorder| {
            let is_finished = recorder.is_finished(); // before its last report is read
            match recorder.progress() {
                Ok(_) => !is_finished,
                Err(error) => {
                    *failure = Some(error);
                    false
                }
            }
        });
    }

    /// Why a recording has ended by itself, if so.
    pub(super) fn take_failure(&mut self) -> Option<FileError> {
        self.failure.take()
    }

    /// Draws the menu, or how far the recording is.
    pub(super) fn ui(&mut self, ui: &mut Ui, actions: &mut Vec<Action>) {
        self.finish();
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
            ui.separator();
            if ui.button("Film ...").on_hover_text("A view of a recording as GIF, MP4 or WebM").clicked() {
                actions.push(Action::OpenFilm);
                ui.close();
            }
        });
        response.on_hover_text("Record what is shown, to see it again in all its views");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Snapshot;
    use crate::engine::recording::RecordedRun;
    use crate::experiment::presets;

    #[test]
    fn a_recording_that_is_ended_is_written_to_its_end_while_nobody_waits() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.heerec");
        let mut menu = RecordingMenu::default();
        menu.start(&path).unwrap();
        let mut snapshot = Snapshot::synthetic(presets::by_name("bars").unwrap());
        for model in 1..=30 {
            snapshot.state.model_id = model; // each is recorded at once
            menu.add(&snapshot.state, snapshot.increment.clone());
        }
        assert_eq!(menu.stop().unwrap().unwrap().0, path);
        let refused = menu.start(&path).err().unwrap().to_string();
        assert!(refused.contains("still being written"), "{refused}");
        let begin = std::time::Instant::now();
        while !menu.finishing.is_empty() {
            assert!(begin.elapsed().as_secs() < 20, "it is never written");
            std::thread::sleep(std::time::Duration::from_millis(2));
            menu.finish();
        }
        assert!(menu.take_failure().is_none());
        assert_eq!(RecordedRun::open(&path).unwrap().len(), 30);
        menu.start(&path).unwrap();
    }
}
