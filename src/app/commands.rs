//! Does what people ask for: commands to the engine, undo, exports, dialogs, shortcuts.

use super::App;
use crate::app::actions::{Action, ExportSettings, PathField, Question};
use crate::app::background::TaskResult;
use crate::app::error::WindowError;
use crate::app::figures::FigureRequest;
use crate::app::figures::caption::caption_path;
use crate::app::histories;
use crate::app::paths::full_path;
use crate::app::simulation::Simulation;
use crate::app::state::ViewState;
use crate::app::timeline::Timeline;
use crate::app::workspace::Workspace;
use crate::engine::recording;
use crate::engine::{Command, Pace};
use crate::experiment::modelfile;
use crate::export::filters::Format;
use crate::export::{check_ending, check_output, ending};
use crate::model::{Hierarchy, receptive_field};
use crate::studies::fits::{self, groups};
use egui::{Context, Key, Modifiers};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Seconds of learning in sight that nobody leaves behind without being asked.
const MUCH_LEARNING: f64 = 10.0;

impl App {
    /// Does one thing that was asked for, after a question where something would be written over or much learning left behind.
    pub(super) fn perform(&mut self, action: Action) {
        let action = with_full_paths(action);
        if let Action::SaveView(request) = &action {
            self.forget_other_figure(request);
        }
        let outputs = match &action {
            Action::Send(Command::SaveModel(path)) | Action::Record(path) => vec![path.clone()],
            Action::SaveView(request) => {
                let caption = self.has_caption(request).then(|| caption_path(&request.path));
                std::iter::once(request.path.clone()).chain(caption).collect()
            }
            Action::Export => vec![self.export_path()],
            Action::Film(request) => vec![request.path.clone()],
            _ => Vec::new(),
        };
        if self.asks_before_overwriting(&outputs, &action) {
            return;
        }
        if matches!(action, Action::Send(Command::Reset)) && self.learned_in_sight.1 > MUCH_LEARNING {
            let text = "Start again from the seed? That begins a new run; this one stays in the list of runs as it is.".to_string();
            self.question = Some(Question { text, yes: "Start again", action });
            return;
        }
        self.perform_at_once(action);
    }

    /// A file in which this window has written another figure is asked about as one of somebody else's.
    fn forget_other_figure(&mut self, request: &FigureRequest) {
        let of = (request.kind, request.figure.clone());
        let before = self.figures_written.insert(request.path.clone(), of.clone());
        if before.is_some_and(|before| before != of) {
            self.written.remove(&request.path);
            self.written.remove(&caption_path(&request.path));
        }
    }

    /// Does what was asked for in a frame. While the views show the past, what would change the present waits.
    pub(super) fn perform_all(&mut self, actions: Vec<Action>, was_past: bool) {
        let (now, left) = actions.into_iter().partition::<Vec<Action>, _>(|action| !was_past || is_harmless(action));
        if !left.is_empty() {
            self.notifications.warning("The views show the past: choose Live, or go on from here, to change anything");
        }
        now.into_iter().for_each(|action| self.perform(action));
    }

    /// Does it without a question.
    pub(super) fn perform_at_once(&mut self, action: Action) {
        match action {
            Action::Send(command) => self.send(command),
            Action::Change { key, to, from } => {
                self.history.record(key, to, from);
                self.simulation.queue(Command::SetParameter { key, value: to });
            }
            Action::Watch(watch) => self.simulation.queue(Command::Watch(watch)),
            Action::ToggleSpeed => {
                let full = self.state.latest.as_ref().is_some_and(|s| s.clock.pace == Pace::Full);
                self.simulation.toggle_full_speed(full);
                self.beside.iter_mut().for_each(|beside| beside.simulation.toggle_full_speed(full));
            }
            Action::OpenFigure(kind) => self.figures.open(kind),
            Action::SaveView(request) => self.save_view(request),
            Action::ShowView(kind) => self.workspace.show(kind),
            Action::SetExport(settings) => self.state.export = settings,
            Action::Export => self.export_filters(),
            Action::Dialog(field) => self.open_dialog(field),
            Action::Record(path) => {
                if let Err(error) = self.recording.start(&path) {
                    self.show_error(&WindowError::file(error));
                }
            }
            Action::StopRecording => self.stop_recording(),
            Action::RunBeside(request) => self.begin_beside(&request),
            Action::ShowBeside => self.show_beside(),
            Action::EndBeside => self.end_beside(None),
            Action::OpenFilm => self.film.open(self.workspace.visible().next()),
            Action::Film(request) => {
                if let Err(error) = self.film.start(*request) {
                    self.show_error(&error);
                }
            }
        }
    }

    fn send(&mut self, command: Command) {
        let Some(command) = self.send_beside(command) else { return };
        if begins_or_switches(&command) {
            self.keep_views();
        }
        if matches!(command, Command::Run | Command::Reset | Command::Load(_)) {
            self.stopped = None;
        }
        if begins_or_switches(&command) && !matches!(command, Command::Reset) {
            // Values of another model are not to be brought back into this one.
            self.history.clear();
        }
        self.simulation.queue(command);
    }

    /// Hands over what the views have shown of the run that runs, to be kept with it.
    pub(super) fn keep_views(&mut self) {
        self.views_kept = Instant::now();
        keep_views(&mut self.simulation, &self.state, &mut self.rewind.timeline, &self.workspace);
    }

    /// Where the filters are written.
    fn export_path(&self) -> PathBuf {
        full_path(&self.state.export.path, self.state.export.format.ending())
    }

    /// Writes the filters of the model shown as the settings say.
    fn export_filters(&mut self) {
        let path = self.export_path().display().to_string();
        let settings = ExportSettings { path, ..self.state.export.clone() };
        let Some(snapshot) = self.state.latest.as_ref().filter(|s| !s.weights.is_empty()) else { return };
        match snapshot.model() {
            Ok(model) => self.in_background("export", move || Some(TaskResult::Exported(write_filters(&model, &settings)))),
            Err(error) => self.show_error(&WindowError::Model(error.to_string())),
        }
    }

    /// Ends the recording, and says where it is.
    fn stop_recording(&mut self) {
        match self.recording.stop() {
            Some(Ok((path, text))) => {
                self.notifications.success(&text);
                self.film.propose(&path);
                self.written.insert(path);
            }
            Some(Err(error)) => self.show_error(&WindowError::file(error)),
            None => {}
        }
    }

    /// Has a path chosen; the answer goes into its field.
    fn open_dialog(&mut self, field: PathField) {
        let export = self.state.export.clone();
        self.in_background("dialog", move || {
            let begin = Instant::now();
            match choose_path(field, &export) {
                Some(path) => Some(TaskResult::Chosen(field, path)),
                None => (begin.elapsed() < BY_HAND).then_some(TaskResult::NoDialog(field)),
            }
        });
    }

    /// Numbers are written at once; a picture is drawn for it in the next frame.
    fn save_view(&mut self, request: FigureRequest) {
        let FigureRequest { kind, figure, path } = &request;
        match ending(path).as_str() {
            "png" | "svg" | "pdf" => self.figures.request(request),
            "csv" | "npy" => match self.workspace.table(*kind, figure.as_deref(), &self.state) {
                Some(table) => {
                    let path = path.clone();
                    let write = move || table.save(&path).map(|()| path).map_err(WindowError::file);
                    self.in_background("export", move || Some(TaskResult::Exported(write())));
                }
                None => self.notifications.error(&format!("{} holds no table now: save it as PNG, SVG or PDF", kind.title())),
            },
            _ => {
                let text = format!("{}: a name that ends in .png, .svg, .pdf, .csv or .npy is needed", path.display());
                self.notifications.error(&text);
            }
        }
    }

    pub(super) fn in_background(&mut self, task: &'static str, work: impl FnOnce() -> Option<TaskResult> + Send + 'static) {
        if let Err(error) = self.background.spawn(task, work) {
            self.show_error(&error);
        }
    }

    /// Does what the keys pressed in this frame ask for.
    pub(super) fn shortcuts(&mut self, ctx: &Context) {
        if ctx.egui_wants_keyboard_input() || self.question.is_some() || egui::Popup::is_any_open(ctx) {
            return;
        }
        let pressed = |modifiers: Modifiers, key| ctx.input_mut(|i| i.consume_key(modifiers, key));
        let is_past = self.rewind.is_rewound(); // then nothing changes the run that goes on
        if !is_past
            && pressed(Modifiers::COMMAND | Modifiers::SHIFT, Key::Z)
            && let Some(parameter) = self.history.redo()
        {
            self.simulation.queue(parameter);
        }
        if !is_past
            && pressed(Modifiers::COMMAND, Key::Z)
            && let Some(parameter) = self.history.undo()
        {
            self.simulation.queue(parameter);
        }
        if pressed(Modifiers::COMMAND, Key::E) {
            self.perform(Action::Export);
        }
        if pressed(Modifiers::NONE, Key::F1) {
            self.panels.help = !self.panels.help;
        }
        let closes_nothing = self.figures.view().is_none() && !self.panels.help;
        let leaves_room = self.projector.is_on() && closes_nothing && pressed(Modifiers::NONE, Key::Escape);
        if leaves_room || pressed(Modifiers::NONE, Key::F11) {
            self.toggle_projector(ctx);
        }
        let running = self.state.latest.as_ref().is_some_and(|s| s.clock.running);
        for (key, action) in [
            (Key::Space, Action::Send(if running { Command::Pause } else { Command::Run })),
            (Key::S, Action::Send(Command::Step(1))),
            (Key::R, Action::Send(Command::Reset)),
            (Key::F, Action::ToggleSpeed),
        ] {
            if pressed(Modifiers::NONE, key) {
                self.perform_all(vec![action], is_past);
            }
        }
    }
}

/// Hands over what has been shown of a run, to be kept with it.
pub(super) fn keep_views(simulation: &mut Simulation, state: &ViewState, timeline: &mut Timeline, workspace: &Workspace) {
    let Some(snapshot) = state.latest.as_ref().filter(|snapshot| snapshot.runs.is_some()) else { return };
    let views = Box::new(histories::to_arrays(&state.histories(), workspace.kept_layout()));
    simulation.queue(Command::KeepViews(snapshot.run.clone(), views));
    if let Some((run, timeline)) = timeline.take_news() {
        simulation.queue(Command::KeepTimeline(run, Box::new(timeline)));
    }
}

/// Whether an action leaves the run that goes on as it is, or is one of the ways out of the past.
fn is_harmless(action: &Action) -> bool {
    match action {
        Action::Send(command) => matches!(command, Command::Run | Command::Pause | Command::GoOnFrom(_) | Command::SwitchRun(_)),
        Action::Change { .. } | Action::Watch(_) | Action::RunBeside(_) => false,
        _ => true,
    }
}

/// The action with the paths that were typed in it made whole.
fn with_full_paths(action: Action) -> Action {
    let text = |path: &Path| path.to_string_lossy().into_owned();
    match action {
        Action::Send(Command::SaveModel(path)) => Action::Send(Command::SaveModel(full_path(&text(&path), Some(modelfile::ENDING)))),
        Action::Send(Command::LoadModel(path)) => Action::Send(Command::LoadModel(full_path(&text(&path), Some(modelfile::ENDING)))),
        Action::Send(Command::UseImages(paths)) => {
            Action::Send(Command::UseImages(paths.iter().map(|path| full_path(&text(path), None)).collect()))
        }
        Action::Record(path) => Action::Record(full_path(&text(&path), Some(recording::ENDING))),
        Action::SaveView(request) => Action::SaveView(FigureRequest { path: full_path(&text(&request.path), None), ..request }),
        other => other,
    }
}

/// Whether another run comes in place of the present one.
fn begins_or_switches(command: &Command) -> bool {
    matches!(
        command,
        Command::Load(_)
            | Command::LoadModel(_)
            | Command::UseImages(_)
            | Command::Back
            | Command::Reset
            | Command::SwitchRun(_)
            | Command::DuplicateRun(_)
            | Command::SameAgain { .. }
            | Command::GoOnFrom(_)
            | Command::DeleteRun(_)
    )
}

/// Writes the filters of a layer; of a layer that sets a scale the groups of filters that its units drive.
fn write_filters(model: &Hierarchy, settings: &ExportSettings) -> Result<PathBuf, WindowError> {
    let ExportSettings { path, format, look, zoom, layer, outlines } = settings;
    let path = PathBuf::from(path.trim());
    let layer = &(*layer).clamp(1, model.depth()); // the layer was chosen on a model that may have been deeper, as in the mosaic
    if let Some(ending) = format.ending() {
        check_ending(&path, ending).and_then(|()| check_output(&path)).map_err(WindowError::file)?; // before filters are fitted
    }
    let written = if groups::sets_scale(model, *layer) {
        groups::save(&path, model, *layer, *format)
    } else {
        let pixels = receptive_field::filters(model, *layer, None);
        fits::save(&path, pixels.view(), model.image_shape(), *format, *look, *zoom, *outlines)
    };
    written.map(|()| path).map_err(WindowError::file)
}

/// Nobody closes a dialog within this time: none has opened, where the desktop has no portal for it.
const BY_HAND: Duration = Duration::from_millis(150);

/// Asks for a path in a dialog of the desktop; None where it was closed without one, or none opened.
fn choose_path(field: PathField, export: &ExportSettings) -> Option<PathBuf> {
    let dialog = rfd::FileDialog::new();
    match field {
        PathField::Images => dialog.pick_folder(),
        PathField::ImageFile => dialog
            .add_filter("images", &["png", "jpg", "jpeg", "tif", "tiff", "webp", "bmp", "npz", "npy", "gz", "idx3-ubyte", "idx", "bin"])
            .add_filter("every file", &["*"]) // MNIST's names have no ending
            .pick_file(),
        PathField::Open => dialog.add_filter("model", &["npz"]).pick_file(),
        PathField::Export if export.format == Format::EachPng => dialog.pick_folder(),
        PathField::Export => dialog.set_file_name(&export.path).save_file(),
    }
}
