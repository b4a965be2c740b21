//! Takes in what the simulation and the background tasks have for the window; draws nothing.

use super::{App, VIEWS_KEPT, WindowPhase};
use crate::app::actions::{Action, PathField};
use crate::app::background::TaskResult;
use crate::app::error::WindowError;
use crate::app::settings_file::SettingsFile;
use crate::app::stop_banner::StopBanner;
use crate::app::widgets::path_field;
use crate::data::ImagesReport;
use crate::engine::{Command, Event, Snapshot};
use crate::export::filters::Format;
use egui::Context;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Frames with a model until its start is over: all views in sight have been drawn, the graphics driver has what it needs, and what
/// the model before has left is freed.
const STARTING: u32 = 60;

impl App {
    /// Before a frame: a core for it, and what has come.
    pub(super) fn begin_frame(&mut self, ctx: &Context) {
        let hidden = ctx.input(|i| i.viewport().visible()) == Some(false); // then nothing is drawn
        self.frames.begin(if hidden { Duration::ZERO } else { self.simulation.lease_core() });
        self.drain(ctx);
    }

    /// Says some frames after the first picture of a model, and after the start page has built its models, that the start is over.
    pub(super) fn end_start(&mut self) {
        if self.panels.take_start_page_settled() {
            self.start_frames = Some(0);
        }
        let Some(frames) = self.start_frames.filter(|_| self.state.latest.is_some()) else { return };
        self.start_frames = (frames < STARTING).then_some(frames + 1);
        if self.start_frames.is_none()
            && let Some(on_phase) = self.on_phase
        {
            on_phase(WindowPhase::Running);
        }
    }

    /// Takes in what the simulation and the background tasks have for the window, and hands over the commands that wait.
    pub fn drain(&mut self, ctx: &Context) {
        self.simulation.send_pending();
        if let Some(snapshot) = self.simulation.take() {
            self.workspace.follow_model(&snapshot);
            if self.state.latest.as_ref().is_some_and(|before| before.model_id != snapshot.model_id) {
                self.start_frames = Some(0);
                self.follow_layout(&snapshot);
            }
            self.count_learning(&snapshot);
            self.rewind.timeline.follow(&snapshot);
            let is_recorded = self.recording.is_under_way();
            let increment = self.state.take_in(snapshot, is_recorded);
            if let Some(latest) = self.state.latest.as_deref().filter(|_| is_recorded) {
                self.recording.add(&latest.state, increment);
            }
        }
        self.drain_beside();
        if let Some(error) = self.recording.take_failure() {
            self.show_error(&WindowError::file(error));
        }
        match self.film.take_outcome() {
            Some(Ok(Some(path))) => {
                self.notifications.success(&format!("The film is written: {}", path.display()));
                self.written.insert(path);
            }
            Some(Ok(None)) => self.notifications.info("The film was cancelled: nothing was written"),
            Some(Err(error)) => self.show_error(&error),
            None => {}
        }
        if self.views_kept.elapsed() > VIEWS_KEPT {
            self.keep_views();
        }
        if let Some(fits) = self.fitter.take().and_then(|fits| self.rewind.take_fits(fits)) {
            self.state.take_fits(fits);
        }
        if let Some(text) = self.fitter.take_loss() {
            self.notifications.error(&text);
        }
        for event in self.simulation.events() {
            self.take_event(event);
        }
        for result in self.background.results() {
            self.take_result(result, ctx);
        }
        let dropped: Vec<PathBuf> = ctx.input(|i| i.raw.dropped_files.iter().map(|f| f.path().to_path_buf()).collect());
        if !dropped.is_empty() {
            self.perform(Action::Send(Command::UseImages(dropped)));
        }
        if let Some(error) = self.settings_file.as_ref().and_then(SettingsFile::failure) {
            self.notifications.error(&format!("The layout of the window is not kept: {error}"));
        }
        self.screenshot.take_when_due(ctx, &self.background);
    }

    /// Counts for how long the weights of the run that is shown have learned.
    fn count_learning(&mut self, snapshot: &Snapshot) {
        if self.learned_in_sight.0 != snapshot.run {
            self.learned_in_sight = (snapshot.run.clone(), 0.0);
        }
        let learns = snapshot.clock.running && snapshot.config.learning.enabled && snapshot.config.stimulus.steps_per_stimulus > 0;
        let since = self.last_snapshot.replace(Instant::now()).map_or(0.0, |before| before.elapsed().as_secs_f64());
        self.learned_in_sight.1 += if learns { since.min(1.0) } else { 0.0 };
    }

    /// The views stand as they did when this run was left.
    fn follow_layout(&mut self, snapshot: &Snapshot) {
        let kept = snapshot.views.as_ref().and_then(|views| views.text("layout"));
        if let Some(layout) = kept.and_then(|text| ron::from_str(text).ok()) {
            self.workspace.restore(&layout);
        }
    }

    fn take_event(&mut self, event: Event) {
        match event {
            Event::Loaded(_) => self.stopped = None,
            Event::Warning(text) => self.notifications.warning(&text),
            Event::ImagesRead(report) => self.take_report(report),
            Event::Failed(text) => self.notifications.error(&text),
            Event::Resumed(text) => self.notifications.info(&text),
            Event::Timeline(run, timeline) => self.rewind.timeline.restore(run, *timeline),
            Event::Saved(path) => {
                self.notifications.success(&format!("Saved {}", path.display()));
                self.written.insert(path);
            }
            Event::Halted(halt) => self.stopped = Some(StopBanner::new(halt)),
        }
    }

    /// Many lines about images are one here, and a list at the left that stays.
    fn take_report(&mut self, report: ImagesReport) {
        match report.lines().count() {
            0 => self.notifications.info(&report.summary()),
            1 => report.lines().for_each(|line| self.notifications.warning(line)),
            _ => self.notifications.warning(&format!("{}: what was left out, and why, is listed under Your images", report.summary())),
        }
        self.panels.side.images_report = Some(report);
    }

    fn take_result(&mut self, result: TaskResult, ctx: &Context) {
        match result {
            TaskResult::Exported(Ok(path)) => {
                self.notifications.success(&format!("Exported {}", path.display()));
                self.written.insert(path);
            }
            TaskResult::Exported(Err(error)) => self.show_error(&error),
            TaskResult::FigureWritten(Ok(paths)) => {
                paths.first().into_iter().for_each(|path| self.notifications.success(&format!("Exported {}", path.display())));
                self.written.extend(paths);
            }
            TaskResult::FigureWritten(Err(error)) => self.show_error(&error),
            TaskResult::Preview(image) => self.figures.take_preview(ctx, image),
            TaskResult::Chosen(field, path) => self.fill_field(field, &path),
            TaskResult::NoDialog(field) => {
                self.notifications
                    .warning("No file dialog opens here (there is no desktop portal): type the path into its field, Enter takes it");
                path_field::ask_focus(ctx, path_field_of(field));
                if matches!(field, PathField::Images | PathField::ImageFile) {
                    self.panels.side.look.open();
                }
            }
            TaskResult::ScreenshotSaved(saved) => self.screenshot.finish(saved, ctx),
        }
    }

    /// A path chosen in a dialog goes into its field; the format of an export follows the file's ending.
    fn fill_field(&mut self, field: PathField, path: &Path) {
        let text = path.display().to_string();
        match field {
            PathField::Images | PathField::ImageFile => {
                self.panels.side.images = text;
                self.panels.side.look.open();
            }
            PathField::Open => self.panels.side.model = text,
            PathField::Export => {
                let export = &mut self.state.export;
                export.format = format_by_ending(path).unwrap_or(export.format);
                export.path = text;
            }
        }
    }

    /// Tells what was not done, and why.
    pub(super) fn show_error(&mut self, error: &WindowError) {
        self.notifications.error(&error.with_causes());
    }
}

/// The field that a path goes into.
fn path_field_of(field: PathField) -> &'static str {
    match field {
        PathField::Images | PathField::ImageFile => path_field::IMAGES,
        PathField::Open => path_field::MODEL,
        PathField::Export => path_field::FILTERS,
    }
}

fn format_by_ending(path: &Path) -> Option<Format> {
    match path.extension()?.to_str()? {
        "png" => Some(Format::Png),
        "svg" => Some(Format::Svg),
        "npy" => Some(Format::Npy),
        "csv" => Some(Format::Csv),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::Options;
    use crate::experiment::presets;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn every_model_has_a_start_that_ends() {
        static STARTS: AtomicUsize = AtomicUsize::new(0);
        fn count(_: WindowPhase) {
            STARTS.fetch_add(1, Ordering::Relaxed);
        }
        let config = presets::by_name("ridge").unwrap();
        let ctx = Context::default();
        let options = Options { config: config.clone(), on_phase: Some(count), ..Options::default() };
        let mut app = App::start(&ctx, options).unwrap();
        let begin = Instant::now();
        for starts in 1..=2 {
            while STARTS.load(Ordering::Relaxed) < starts {
                app.drain(&ctx);
                app.end_start();
                assert!(begin.elapsed() < Duration::from_secs(20), "{starts} models");
            }
            (0..3 * STARTING).for_each(|_| app.end_start());
            assert_eq!(STARTS.load(Ordering::Relaxed), starts, "it is said once");
            app.perform(Action::Send(Command::Load(Box::new(config.clone()))));
        }
    }

    #[test]
    fn a_hidden_window_asks_for_no_core() {
        let ctx = Context::default();
        let mut config = presets::by_name("dead-leaves").unwrap();
        config.data.patches = 500;
        config.dynamics.threads = 0;
        let mut app = App::start(&ctx, Options { config, full_speed: true, ..Options::default() }).unwrap();
        let mut waited = |hidden: bool| {
            let begin = Instant::now();
            let mut waited = Duration::ZERO;
            while waited.is_zero() && begin.elapsed() < Duration::from_secs(if hidden { 1 } else { 20 }) {
                if hidden {
                    let mut input = egui::RawInput::default();
                    input.viewports.entry(input.viewport_id).or_default().minimized = Some(true);
                    ctx.run_ui(input, |_| {}).textures_delta.clear();
                    app.begin_frame(&ctx);
                } else {
                    app.compute_frame(&ctx, begin.elapsed().as_secs_f64());
                }
                waited = app.frames.core_wait();
            }
            waited
        };
        assert!(!waited(false).is_zero(), "one that is seen waits for its core");
        assert!(waited(true).is_zero(), "a hidden one does not");
    }
}
