//! The dialog that asks what a film is to show, and the thread that writes it.

use crate::app::actions::Action;
use crate::app::error::WindowError;
use crate::app::film;
use crate::app::film_settings::{FilmRequest, FilmSettings};
use crate::app::paths::full_path;
use crate::app::theme;
use crate::app::views::ViewKind;
use crate::app::widgets::choice::choice;
use crate::app::widgets::number_field::parse_number;
use crate::app::widgets::switch::Switches as _;
use crate::engine::recording::ENDING;
use crate::engine::{BackgroundJob, JobContext};
use crate::export::FileError;
use crate::export::film::FilmFormat;
use egui::{Context, Grid, ProgressBar, TextEdit, Ui, Window};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Between two looks at how far the film is.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);
/// What the thread does, as messages name it.
const TASK: &str = "writing of the film";

/// Writes a film; it reports once, whether the film was written to its end.
type FilmJob = BackgroundJob<(), Result<bool, FileError>>;

/// What is typed, and the film that is being written.
pub(super) struct FilmDialog {
    is_open: bool,
    recording: String,
    view: ViewKind,
    from: String,
    to: String,
    rate: String,
    size: String,
    /// None: the theme of the window.
    dark: Option<bool>,
    path: String,
    /// What of it cannot be understood.
    problem: Option<String>,
    job: Option<(FilmJob, PathBuf)>,
}

impl FilmDialog {
    /// Of this recording where the window shows one.
    pub(super) fn of(recording: Option<PathBuf>) -> Self {
        let usual = FilmSettings::default();
        let [width, height] = usual.size;
        Self {
            is_open: false,
            recording: recording.map_or_else(|| format!("recording{ENDING}"), |path| path.display().to_string()),
            view: usual.view,
            from: String::new(),
            to: String::new(),
            rate: usual.rate.to_string(),
            size: format!("{width}x{height}"),
            dark: None,
            path: "film.gif".into(),
            problem: None,
            job: None,
        }
    }

    /// Opens it, for the view in sight.
    pub(super) fn open(&mut self, view: Option<ViewKind>) {
        self.is_open = true;
        self.view = view.unwrap_or(self.view);
    }

    /// A recording was written: the next film shows it.
    pub(super) fn propose(&mut self, recording: &Path) {
        self.recording = recording.display().to_string();
    }

    /// Begins a film on a thread of its own.
    pub(super) fn start(&mut self, request: FilmRequest) -> Result<(), WindowError> {
        let path = request.path.clone();
        let body = move |_, job: &JobContext<_>| {
            let written = film::write_film(&request, &mut |done, all| {
                job.set_progress(done, all);
                !job.is_stopped()
            });
            job.report(written);
        };
        let job = BackgroundJob::spawn("film", 1, 1, body).map_err(|source| WindowError::Task { task: TASK, source })?;
        self.job = Some((job, path));
        Ok(())
    }

    /// What became of a film, once: its file, or None where it was cancelled.
    pub(super) fn take_outcome(&mut self) -> Option<Result<Option<PathBuf>, WindowError>> {
        let (job, path) = self.job.take_if(|(job, _)| job.is_finished())?;
        let report = job.reports().next();
        Some(match (report, job.loss()) {
            (Some(Ok(is_whole)), _) => Ok(is_whole.then_some(path)),
            (Some(Err(error)), _) => Err(WindowError::file(error)),
            (None, loss) => Err(WindowError::Internal { task: TASK, report: loss.unwrap_or_default().into() }),
        })
    }

    /// Draws it where it is open.
    pub(super) fn ui(&mut self, ctx: &Context, actions: &mut Vec<Action>) {
        if self.job.is_some() {
            ctx.request_repaint_after(PROGRESS_INTERVAL);
        }
        let mut is_open = self.is_open;
        Window::new("Film").open(&mut is_open).resizable(false).show(ctx, |ui| {
            ui.set_width(430.0);
            ui.label("A view of a recording, each frame drawn anew at the size of the film.");
            ui.add_enabled_ui(self.job.is_none(), |ui| self.fields(ui));
            match &self.job {
                Some((job, _)) => progress(ui, job),
                None if ui.button("Write the film").clicked() => match self.request(ui.visuals().dark_mode) {
                    Ok(request) => {
                        self.problem = None;
                        actions.push(Action::Film(Box::new(request)));
                    }
                    Err(problem) => self.problem = Some(problem),
                },
                None => {}
            }
            if let Some(problem) = &self.problem {
                ui.colored_label(theme::alarm(ui.visuals().dark_mode), problem);
            }
        });
        self.is_open = is_open;
    }

    fn fields(&mut self, ui: &mut Ui) {
        Grid::new("film").num_columns(2).show(ui, |ui| {
            row(ui, "Recording", "", &mut self.recording);
            choice(ui, "View", 180.0, &mut self.view, &ViewKind::ALL.map(|kind| (kind, kind.title())));
            ui.end_row();
            row(ui, "From, s", "its beginning", &mut self.from);
            row(ui, "To, s", "its end", &mut self.to);
            row(ui, "Pixels", "width x height", &mut self.size);
            row(ui, "Frames a second", "", &mut self.rate);
            let themes = [(None, "as the window"), (Some(false), "light"), (Some(true), "dark")];
            choice(ui, "Colours", 180.0, &mut self.dark, &themes);
            ui.end_row();
            ui.label("Format");
            ui.horizontal(|ui| {
                let path = PathBuf::from(&self.path);
                for format in FilmFormat::ALL {
                    let is_chosen = FilmFormat::of(&path).is_ok_and(|chosen| chosen == format);
                    if ui.switch(is_chosen, format.ending()).clicked() {
                        self.path = path.with_extension(format.ending()).display().to_string();
                    }
                }
                ui.weak("mp4 and webm where ffmpeg is installed");
            });
            ui.end_row();
            row(ui, "Film", "film.gif", &mut self.path);
        });
        ui.weak(full_path(&self.path, Some(".gif")).display().to_string());
    }

    /// What is typed; the error says what of it is not understood.
    fn request(&self, window_is_dark: bool) -> Result<FilmRequest, String> {
        let seconds = |text: &str, name: &str| match text.trim() {
            "" => Ok(None),
            text => parse_number(text, "s").map(Some).ok_or(format!("{name} {text}: seconds are needed, such as 2.5")),
        };
        let side = |text: &str| text.trim().parse().ok();
        let size = self.size.split_once(['x', '×']).and_then(|(width, height)| Some([side(width)?, side(height)?]));
        let settings = FilmSettings {
            view: self.view,
            from: seconds(&self.from, "From")?.unwrap_or(0.0),
            to: seconds(&self.to, "To")?,
            rate: parse_number(&self.rate, "").ok_or(format!("{}: frames a second are needed, such as 25", self.rate))?,
            size: size.ok_or(format!("{}: width x height in pixels is needed, such as 960x600", self.size))?,
            scale: None,
            dark: self.dark.unwrap_or(window_is_dark),
        };
        let path = full_path(&self.path, Some(".gif"));
        let format = FilmFormat::of(&path).map_err(|error| error.to_string())?;
        settings.check(format).map_err(|error| error.to_string())?;
        Ok(FilmRequest { recording: full_path(&self.recording, Some(ENDING)), path, settings })
    }
}

fn row(ui: &mut Ui, name: &str, hint: &str, text: &mut String) {
    let label = ui.label(name);
    ui.add(TextEdit::singleline(text).hint_text(hint).desired_width(280.0)).labelled_by(label.id);
    ui.end_row();
}

/// How far the film is, and the way to end it.
fn progress(ui: &mut Ui, job: &FilmJob) {
    let (done, all) = job.progress();
    ui.add(ProgressBar::new(done as f32 / all.max(1) as f32).text(format!("{done} of {all} frames")));
    if ui.button("Cancel").on_hover_text("Nothing is written").clicked() {
        job.stop();
    }
}
