//! Tasks that would hold up a frame, each on a thread of its own: exports and file dialogs.

use crate::app::actions::PathField;
use crate::app::error::WindowError;
use crate::panics;
use crossbeam_channel::{Receiver, Sender, bounded};
use egui::Context;
use std::path::PathBuf;

/// Results that may wait to be read. They are read with every frame, so where the queue is full the window is gone.
const MOST_RESULTS: usize = 16;

/// What a task has found or done.
pub(super) enum TaskResult {
    /// A file was written.
    Exported(Result<PathBuf, WindowError>),
    /// A figure was written: its file, and that of its caption where it has one.
    FigureWritten(Result<Vec<PathBuf>, WindowError>),
    /// A figure as it will be written.
    Preview(egui::ColorImage),
    /// A path was chosen in a dialog.
    Chosen(PathField, PathBuf),
    /// No dialog opens here: the path has to be typed.
    NoDialog(PathField),
    /// The screenshot that the program was started for was saved.
    ScreenshotSaved(Result<(), WindowError>),
}

/// Starts tasks and collects their results.
pub(super) struct BackgroundTasks {
    sender: Sender<TaskResult>,
    results: Receiver<TaskResult>,
}

/// Reports a result, also from a callback that is called later.
#[derive(Clone)]
pub(super) struct Reporter {
    sender: Sender<TaskResult>,
    waker: Context,
}

impl Reporter {
    /// Hands the result over and has a frame drawn that shows it.
    pub(super) fn report(&self, result: TaskResult) {
        let _ = self.sender.try_send(result); // a full queue: the window is gone
        self.waker.request_repaint();
    }
}

impl BackgroundTasks {
    pub(super) fn new() -> Self {
        let (sender, results) = bounded(MOST_RESULTS);
        Self { sender, results }
    }

    /// Runs `work` on a thread of this name; a panic in it is a result that says so.
    pub(super) fn spawn(&self, task: &'static str, work: impl FnOnce() -> Option<TaskResult> + Send + 'static) -> Result<(), WindowError> {
        let sender = self.sender.clone();
        let body = move || {
            let failed = |report| Some(TaskResult::Exported(Err(WindowError::Internal { task, report })));
            if let Some(result) = panics::caught(work).unwrap_or_else(failed) {
                let _ = sender.try_send(result); // a full queue: the window is gone
            }
        };
        std::thread::Builder::new().name(task.into()).spawn(body).map_err(|source| WindowError::Task { task, source })?;
        Ok(())
    }

    /// For work that somebody else does.
    pub(super) fn reporter(&self, ctx: &Context) -> Reporter {
        Reporter { sender: self.sender.clone(), waker: ctx.clone() }
    }

    /// The results since the last call.
    pub(super) fn results(&self) -> Vec<TaskResult> {
        self.results.try_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_that_panics_says_so() {
        let tasks = BackgroundTasks::new();
        tasks.spawn("export", || panic!("asked to panic")).unwrap();
        let result = tasks.results.recv_timeout(std::time::Duration::from_secs(20)).unwrap();
        let TaskResult::Exported(Err(error)) = result else { panic!("a failure is expected") };
        let text = error.with_causes();
        assert!(text.starts_with("the export failed: internal error: asked to panic") && text.contains("please report"), "{text}");
    }
}
