//! The screenshot that the program may have been started for: taken once, then the window closes.

use crate::app::background::{BackgroundTasks, TaskResult};
use crate::app::error::WindowError;
use crate::app::pictures::crop;
use egui::Context;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often the clock is looked at until then.
const CLOCK_INTERVAL: Duration = Duration::from_millis(50);

/// A screenshot of the window to be taken.
#[derive(Clone, Debug)]
pub struct ScreenshotRequest {
    /// File.
    pub path: PathBuf,
    /// When, after the start.
    pub after: Duration,
}

/// Why the screenshot failed, to be read when the window is closed.
pub(super) type Failure = Arc<Mutex<Option<WindowError>>>;

/// The request, while it is open, and what became of it.
pub(super) struct Screenshot {
    request: Option<ScreenshotRequest>,
    started: Instant,
    failure: Failure,
}

impl Screenshot {
    pub(super) fn new(request: Option<ScreenshotRequest>) -> Self {
        Self { request, started: Instant::now(), failure: Failure::default() }
    }

    /// Leaves a failure where it is found when the window is gone.
    pub(super) fn report_failure_to(&mut self, failure: Failure) {
        self.failure = failure;
    }

    /// Asks for the screenshot when its time has come.
    pub(super) fn take_when_due(&mut self, ctx: &Context, background: &BackgroundTasks) {
        let is_due = |request: &mut ScreenshotRequest| self.started.elapsed() >= request.after;
        if let Some(ScreenshotRequest { path, .. }) = self.request.take_if(is_due) {
            let reporter = background.reporter(ctx);
            ctx.request_screenshot(move |image| {
                let picture = crop(&image, egui::Rect::EVERYTHING, 1.0).ok_or(WindowError::EmptyPicture);
                let saved = picture.and_then(|picture| crate::export::save_png(&path, &picture).map_err(WindowError::file));
                reporter.report(TaskResult::ScreenshotSaved(saved));
            });
        }
        if self.request.is_some() {
            ctx.request_repaint_after(CLOCK_INTERVAL);
        }
    }

    /// The screenshot is saved, or could not be: the window closes.
    pub(super) fn finish(&self, saved: Result<(), WindowError>, ctx: &Context) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = saved.err();
        ctx.send_viewport_cmd(egui::ViewportCommand::Close);
    }
}
