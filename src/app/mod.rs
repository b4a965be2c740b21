//! The window: drains the simulation, draws the views, turns what people do into commands.

mod actions;
mod background;
mod beside_commands;
mod changes_panel;
mod commands;
mod edit_history;
mod error;
mod figure_commands;
mod figures;
mod film;
mod film_dialog;
mod film_settings;
mod frame_times;
mod gabor_fitter;
mod histories;
mod layout;
mod lessons;
mod logic;
mod measured_curves;
mod notifications;
mod offscreen;
mod options;
mod own_images;
mod panels;
mod paths;
mod pictures;
mod projector;
mod questions;
mod rasteriser;
mod recording_menu;
mod run_beside;
mod runs_panel;
mod screenshot;
mod settings_file;
mod side_panel;
mod simulation;
mod start_page;
mod state;
mod status_bar;
mod stop_banner;
mod theme;
mod timeline;
mod timeline_panel;
mod ui;
mod views;
mod widgets;
mod workspace;
mod zoom;

pub use error::WindowError;
pub use film::write_film;
pub use film_settings::{FilmRequest, FilmSettings};
pub use options::{Options, RecordingRequest, WindowPhase, view_by_name};
pub use screenshot::ScreenshotRequest;
pub use state::ViewState;
pub use views::ViewKind;

use crate::engine::recording::{RecordedRun, Replay};
use crate::engine::{BackgroundJob, Command, Engine, Pace, RunId, SnapshotSource};
use crate::panics;
use actions::{ExportSettings, Question};
use background::BackgroundTasks;
use edit_history::EditHistory;
use egui::{Context, Ui};
use egui_tiles::Tree;
use figures::FigureSettings;
use figures::dialog::FigureDialog;
use film_dialog::FilmDialog;
use frame_times::FrameTimes;
use gabor_fitter::GaborFitter;
use notifications::Notifications;
use panels::Panels;
use projector::Projector;
use recording_menu::RecordingMenu;
use run_beside::{EndingRun, EngineStarter, RunBeside};
use screenshot::{Failure, Screenshot};
use settings_file::SettingsFile;
use simulation::Simulation;
use std::collections::{HashMap, HashSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};
use stop_banner::StopBanner;
use timeline_panel::Rewind;
use workspace::Workspace;

/// Keys of what is kept between two runs.
const LAYOUT: &str = "layout";
const EXPORT: &str = "export";
const FIGURE: &str = "figure";
/// Keys under which the desktop library keeps the window's place and what its widgets remember.
const OF_LIBRARY: [&str; 2] = ["window", "egui"];

/// How long the last commands wait to be taken when the window closes.
const LAST_COMMANDS: Duration = Duration::from_secs(2);
/// Between two times at which what the views have shown is handed over to be kept.
const VIEWS_KEPT: Duration = Duration::from_secs(30);

/// Between two looks at whether the window is to close.
const CLOSING_LOOK: Duration = Duration::from_millis(50);

/// The name by which the desktop knows the program.
const NAME: &str = "heescope";

/// The folder that holds what is kept between two runs; None where the system has none.
pub fn data_folder() -> Option<PathBuf> {
    eframe::storage_dir(NAME)
}

/// Opens the window and runs until it is closed. An error without a display.
pub fn open(options: Options) -> Result<(), WindowError> {
    crate::engine::let_threads_stand_back();
    let size = options.size.unwrap_or([1400.0, 900.0]);
    let keeps = options.screenshot.is_none() && options.recording.is_none();
    let is_plain = options.view.is_none() && options.autosave.as_ref().is_some_and(|autosave| autosave.recover);
    let (settings_file, problem) = match data_folder().filter(|_| keeps).map(|folder| SettingsFile::open(&folder)) {
        None => (None, None),
        Some(Ok(file)) => (Some(file), None),
        Some(Err(problem)) => (None, Some(format!("The layout of the window is not kept: {problem}"))),
    };
    let nowhere = tempfile::tempdir().ok(); // where nothing is kept the library has a folder that goes with the run
    let copy_nowhere = nowhere.as_ref().map(|folder| folder.path().join("eframe.ron"));
    let native = eframe::NativeOptions {
        viewport: egui::ViewportBuilder::default().with_title(NAME).with_inner_size(size).with_min_inner_size([500.0, 350.0]),
        renderer: eframe::Renderer::Glow,
        persist_window: options.size.is_none(),
        persistence_path: settings_file.as_ref().map(|file| file.working_copy().to_path_buf()).or(copy_nowhere),
        ..Default::default()
    };
    if let Some(on_phase) = options.on_phase {
        on_phase(WindowPhase::Opening);
    }
    let failure = Failure::default();
    let shared = failure.clone();
    let run = || {
        eframe::run_native(
            NAME,
            native,
            Box::new(move |cc| {
                if let Some(size) = options.size {
                    cc.egui_ctx.send_viewport_cmd(egui::ViewportCommand::InnerSize(size.into())); // also where another was kept
                }
                let mut app = App::start(&cc.egui_ctx, options)?;
                zoom::limit(&cc.egui_ctx);
                app.screenshot.report_failure_to(shared);
                if !app.restore(cc.storage) && keeps && is_plain {
                    app.panels.start_page.open(); // the first start
                }
                app.settings_file = settings_file;
                problem.iter().for_each(|problem| app.notifications.error(problem));
                Ok(Box::new(app))
            }),
        )
    };
    match panics::unless(run, error::is_of_a_taken_window) {
        Some(outcome) => outcome.map_err(|error| WindowError::opening(&error))?,
        None => {
            // The application was dropped on the way, which keeps the run. Where standard error is closed nobody is told.
            let _ = writeln!(std::io::stderr(), "the window was taken away by another program; the run is kept");
        }
    }
    let taken = failure.lock().unwrap_or_else(PoisonError::into_inner).take();
    taken.map_or(Ok(()), Err)
}

/// Closes the window when `closes` is set, also where no frames are drawn.
fn close_when(closes: Arc<AtomicBool>, ctx: Context) -> std::io::Result<BackgroundJob<(), ()>> {
    BackgroundJob::spawn("closing", 1, 1, move |_, job| {
        while !job.is_stopped() {
            if closes.load(Ordering::Relaxed) {
                ctx.send_viewport_cmd(egui::ViewportCommand::Close);
                ctx.request_repaint();
                return;
            }
            std::thread::sleep(CLOSING_LOOK);
        }
    })
}

/// The window's state, a part for each thing that it does.
pub struct App {
    /// What the views show.
    pub state: ViewState,
    /// Where snapshots come from and commands go to.
    simulation: Simulation,
    /// Starts engines beside that one; None where no engine runs.
    starter: Option<EngineStarter>,
    /// A run that goes on beside the one that is shown.
    beside: Option<RunBeside>,
    /// Runs beside that were ended and are being saved.
    ending: Vec<EndingRun>,
    /// What can be undone.
    history: EditHistory,
    /// The views and their places.
    workspace: Workspace,
    /// What stands around the views.
    panels: Panels,
    /// One view alone in large type, for a room.
    projector: Projector,
    /// Messages in the corner.
    notifications: Notifications,
    /// Why the run has stopped by itself, until it goes on.
    stopped: Option<StopBanner>,
    /// Exports and dialogs under way.
    background: BackgroundTasks,
    /// The helper thread that fits the filters.
    fitter: GaborFitter,
    /// The screenshot that the program was started for.
    screenshot: Screenshot,
    /// How long frames take.
    frames: FrameTimes,
    /// What is kept between two runs; a run for a screenshot neither uses nor changes it.
    settings_file: Option<SettingsFile>,
    /// Frames drawn with a new model, until its start is over.
    start_frames: Option<u32>,
    /// Called when the start of a model is over.
    on_phase: Option<fn(WindowPhase)>,
    /// When what the views have shown was handed over last, to be kept.
    views_kept: Instant,
    /// The question that waits for its answer.
    question: Option<Question>,
    /// What is shown is recorded, where that was asked for.
    recording: RecordingMenu,
    /// A film of a recording.
    film: FilmDialog,
    /// Figures that are saved.
    figures: FigureDialog,
    /// The past of the run, and whether it is looked at.
    rewind: Rewind,
    /// Files that this window has written: writing them again is not asked about.
    written: HashSet<PathBuf>,
    /// The figure that was asked for last in each of those that hold one.
    figures_written: HashMap<PathBuf, (ViewKind, Option<String>)>,
    /// The run that is shown, and for how long its weights have learned in sight, s.
    learned_in_sight: (RunId, f64),
    /// When the last snapshot came.
    last_snapshot: Option<Instant>,
    /// Looks whether the window is to close.
    _closer: Option<BackgroundJob<(), ()>>,
}

impl Drop for App {
    fn drop(&mut self) {
        self.keep_views();
        self.keep_views_beside();
        let begin = Instant::now();
        while (self.send_pending_beside() || self.simulation.has_pending()) && begin.elapsed() < LAST_COMMANDS {
            self.simulation.send_pending();
            std::thread::sleep(Duration::from_millis(1));
        }
        // The run in front is saved last: the next start goes on with it.
        self.beside = None;
        self.ending.clear();
    }
}

impl App {
    /// Starts the engine on `options.config` and shows it.
    pub fn start(ctx: &Context, options: Options) -> Result<Self, WindowError> {
        if let Some(request) = &options.recording {
            let recording = RecordedRun::open(&request.path).map_err(WindowError::file)?;
            let replay = Replay::new(recording, request.at);
            if request.paused {
                replay.send(Command::Pause);
            }
            return Self::new(ctx, Box::new(replay), options);
        }
        let waker = ctx.clone();
        let autosave = options.autosave.clone().filter(|_| options.screenshot.is_none());
        let engine = Engine::start_with(options.config.clone(), autosave.clone(), move || waker.request_repaint());
        let engine = engine.map_err(WindowError::Simulation)?;
        let mut app = Self::new(ctx, Box::new(engine), options)?;
        app.starter = Some(EngineStarter { autosave, ctx: ctx.clone() });
        Ok(app)
    }

    /// Shows what `source` has; it is sent the commands that `options` ask for.
    pub fn new(ctx: &Context, source: Box<dyn SnapshotSource>, options: Options) -> Result<Self, WindowError> {
        let waker = ctx.clone();
        let fitter = GaborFitter::start(move || waker.request_repaint()).map_err(WindowError::Fitter)?;
        let workspace = Workspace::new(options.view.as_deref().map(view_by_name).transpose()?);
        if let Some(dark) = options.dark {
            ctx.set_theme(if dark { egui::Theme::Dark } else { egui::Theme::Light });
        }
        let mut simulation = Simulation::new(source);
        let measurement = options.measure.then(|| workspace.measurement(&options.config)).flatten();
        let full_speed = options.full_speed.then_some(Command::SetPace(Pace::Full));
        let commands = [options.model.map(Command::LoadModel), full_speed, measurement];
        commands.into_iter().flatten().for_each(|command| simulation.queue(command));
        let closer = options
            .closes
            .map(|closes| close_when(closes, ctx.clone()))
            .transpose()
            .map_err(|source| WindowError::Task { task: "thread that listens to signals", source })?;
        Ok(Self {
            state: ViewState::default(),
            simulation,
            starter: None,
            beside: None,
            ending: Vec::new(),
            history: EditHistory::default(),
            workspace,
            panels: Panels::default(),
            projector: Projector::default(),
            notifications: Notifications::default(),
            stopped: None,
            background: BackgroundTasks::new(),
            fitter,
            settings_file: None,
            screenshot: Screenshot::new(options.screenshot),
            frames: FrameTimes::default(),
            start_frames: Some(0),
            on_phase: options.on_phase,
            views_kept: Instant::now(),
            question: None,
            recording: RecordingMenu::default(),
            film: FilmDialog::of(options.recording.map(|request| request.path)),
            figures: FigureDialog::default(),
            rewind: Rewind::default(),
            written: HashSet::new(),
            figures_written: HashMap::new(),
            learned_in_sight: (RunId::default(), 0.0),
            last_snapshot: None,
            _closer: closer,
        })
    }

    /// Begins to record what is shown. The error says why not.
    pub fn record(&mut self, path: &Path) -> Result<(), WindowError> {
        self.recording.start(path).map_err(WindowError::file)
    }

    /// Ends the recording that was begun so, where one is under way: what waits is still written.
    pub fn end_record(&mut self) {
        self.recording.stop();
    }

    /// Has the timeline take in nothing of what is shown, or go on; for measurements.
    pub fn hold_timeline(&mut self, held: bool) {
        self.rewind.timeline.hold(held);
    }

    /// Brings back what the last run has kept, or what of it can be used; whether the layout came back.
    pub fn restore(&mut self, storage: Option<&dyn eframe::Storage>) -> bool {
        let Some(storage) = storage else { return false };
        let kept = eframe::get_value::<Tree<ViewKind>>(storage, LAYOUT);
        let has_layout = kept.is_some_and(|kept| self.workspace.restore(&kept));
        if let Some(kept) = eframe::get_value::<ExportSettings>(storage, EXPORT) {
            self.state.export = kept;
        }
        if let Some(kept) = eframe::get_value::<FigureSettings>(storage, FIGURE) {
            self.figures.settings = kept;
        }
        has_layout
    }
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &Context, _: &mut eframe::Frame) {
        self.begin_frame(ctx);
    }

    fn ui(&mut self, ui: &mut Ui, frame: &mut eframe::Frame) {
        self.frames.count_previous(frame.info().cpu_usage.and_then(|seconds| Duration::try_from_secs_f32(seconds).ok()));
        self.frame(ui);
        self.end_start();
        self.frames.end_drawing();
        self.simulation.release_core(self.frames.after_drawing());
        if self.simulation.has_pending() {
            self.drain(ui.ctx());
        }
    }

    fn save(&mut self, storage: &mut dyn eframe::Storage) {
        let Some(file) = &mut self.settings_file else { return };
        eframe::set_value(storage, LAYOUT, self.workspace.layout());
        eframe::set_value(storage, EXPORT, &self.state.export);
        eframe::set_value(storage, FIGURE, &self.figures.settings);
        let value = |key: &str| storage.get_string(key).map(|value| (key.to_string(), value));
        file.save([LAYOUT, EXPORT, FIGURE].into_iter().chain(OF_LIBRARY).filter_map(value).collect());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::actions::Action;
    use crate::engine::{Event, Snapshot};
    use crate::experiment::parameters::Value;
    use crate::experiment::presets;
    use crate::export::filters;
    use std::cell::RefCell;
    use std::collections::VecDeque;
    use std::rc::Rc;

    fn app() -> App {
        App::start(&Context::default(), Options { config: presets::by_name("ridge").unwrap(), ..Default::default() }).unwrap()
    }

    fn until(app: &mut App, done: impl Fn(&App) -> bool) {
        let (start, ctx) = (Instant::now(), Context::default());
        while !done(app) {
            app.drain(&ctx);
            assert!(start.elapsed() < Duration::from_secs(20), "waited too long");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    #[test]
    fn a_drag_is_one_change_to_undo_and_two_drags_are_two() {
        let mut app = app();
        let m = Value::Number;
        let change = |to: f64, from: f64| Action::Change { key: "adaptation", to: m(to), from: m(from) };
        // The window sees values late: `from` stays behind within a drag.
        app.history.begin_gesture();
        [change(2.1, 2.0), change(2.5, 2.0), change(3.0, 2.1)].into_iter().for_each(|action| app.perform(action));
        app.history.begin_gesture();
        app.perform(change(4.0, 3.0));
        assert_eq!(app.history.changes(), [("adaptation", m(2.0), m(3.0)), ("adaptation", m(3.0), m(4.0))]);
        app.perform(Action::Send(Command::Load(Box::default())));
        assert!(app.history.changes().is_empty(), "values of another model do not come back");
    }

    #[test]
    fn a_caption_that_would_be_written_over_is_asked_about_with_its_figure() {
        let folder = tempfile::tempdir().unwrap();
        let [figure, caption] = ["a.png", "a.txt"].map(|name| folder.path().join(name));
        std::fs::write(&caption, "notes of somebody").unwrap();
        let mut app = app();
        let save = || Action::SaveView(figures::FigureRequest { kind: ViewKind::Posterior, figure: None, path: figure.clone() });
        app.perform(save());
        let question = app.question.take().expect("the caption is there already");
        assert!(question.text.contains("a.txt") && !question.text.contains("a.png"), "{}", question.text);
        app.figures.settings.caption = false;
        app.perform(save());
        assert!(app.question.is_none(), "no caption is written");
        // Another figure of the view under the same name.
        let folder = figure.parent().unwrap();
        let other = folder.join("b.png");
        std::fs::write(&other, "a figure").unwrap();
        app.written.insert(other.clone());
        let of = |name: Option<&str>| {
            Action::SaveView(figures::FigureRequest { kind: ViewKind::Posterior, figure: name.map(String::from), path: other.clone() })
        };
        app.perform(of(None));
        assert!(app.question.is_none(), "the window's own file");
        app.perform(of(Some("posterior")));
        assert!(app.question.take().is_some_and(|question| question.text.contains("b.png")), "it holds another figure");
        // What stands beside a file of another kind is nobody's caption.
        app.figures.settings.caption = true;
        app.written.insert(figure.clone());
        app.perform(save());
        assert!(app.question.take().is_some_and(|question| question.text.contains("a.txt")));
    }

    #[test]
    fn the_window_closes_when_it_is_asked_from_outside_and_not_before() {
        let (ctx, closes) = (Context::default(), Arc::new(AtomicBool::new(false)));
        let job = close_when(closes.clone(), ctx.clone()).unwrap();
        let closing = || {
            let mut drawn = ctx.run_ui(egui::RawInput::default(), |_| ());
            drawn.textures_delta.clear(); // nothing paints them
            drawn.viewport_output.values().any(|viewport| viewport.commands.contains(&egui::ViewportCommand::Close))
        };
        std::thread::sleep(2 * CLOSING_LOOK);
        assert!(!closing() && !job.is_finished());
        closes.store(true, Ordering::Relaxed);
        let begin = Instant::now();
        while !job.is_finished() {
            assert!(begin.elapsed() < Duration::from_secs(20), "nobody looked");
            std::thread::sleep(Duration::from_millis(2));
        }
        assert!(closing());
    }

    #[test]
    fn a_model_without_images_brings_the_posterior_to_the_front() {
        let mut app = app();
        let front = |app: &App, kind| app.workspace.visible().any(|visible| visible == kind);
        assert!(!front(&app, ViewKind::Posterior));
        until(&mut app, |app| app.state.latest.is_some());
        assert!(front(&app, ViewKind::Posterior) && !front(&app, ViewKind::ReceptiveFields));
    }

    /// Snapshots made up before, and the commands that it was sent; full until it was asked twice.
    #[derive(Clone, Default)]
    struct Recording(Rc<RefCell<Recorded>>);

    /// Snapshots that wait, commands that were taken, and how often one was tried.
    type Recorded = (VecDeque<Box<Snapshot>>, Vec<Command>, usize);

    impl SnapshotSource for Recording {
        fn send(&self, command: Command) -> bool {
            let (_, commands, attempts) = &mut *self.0.borrow_mut();
            *attempts += 1;
            if *attempts > 1 {
                commands.push(command);
            }
            *attempts > 1
        }

        fn take(&self) -> Option<Box<Snapshot>> {
            self.0.borrow_mut().0.pop_front()
        }

        fn events(&self) -> Vec<Event> {
            Vec::new()
        }
    }

    #[test]
    fn a_source_that_is_no_engine_drives_the_window() {
        let config = presets::by_name("ridge").unwrap();
        let recording = Recording::default();
        let mut second = Box::new(Snapshot::synthetic(config.clone()));
        second.state.clock.steps = 7;
        recording.0.borrow_mut().0 = [Box::new(Snapshot::synthetic(config.clone())), second].into();
        let ctx = Context::default();
        let options = Options { config, view: Some("separation".into()), full_speed: true, measure: true, ..Default::default() };
        let mut app = App::new(&ctx, Box::new(recording.clone()), options).unwrap();
        for (frame, steps) in [0, 7, 7].into_iter().enumerate() {
            assert!(!app.compute_frame(&ctx, frame as f64).is_empty());
            assert_eq!(app.state.latest.as_ref().map(|snapshot| snapshot.clock.steps), Some(steps));
        }
        let commands = &recording.0.borrow().1;
        let asked = matches!(commands.as_slice(), [Command::SetPace(Pace::Full), Command::RunStudy { .. }, ..]);
        assert!(asked, "what a full queue refuses is sent again, in order: {commands:?}");
    }

    #[test]
    fn export_writes_what_the_settings_say() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.npy");
        let mut app = app();
        until(&mut app, |app| app.state.latest.is_some());
        let settings = ExportSettings { path: path.display().to_string(), format: filters::Format::Npy, ..Default::default() };
        app.perform(Action::SetExport(settings));
        app.perform(Action::Export);
        until(&mut app, |_| path.exists());
        let filters: ndarray::Array3<f32> = crate::export::npz::read_npy(&path).unwrap();
        assert_eq!(filters.dim(), (2, 1, 1), "[units, rows, columns]");
        // A layer that was chosen on a deeper model.
        let path = folder.path().join("deep.npy");
        let settings = ExportSettings { path: path.display().to_string(), layer: 3, ..app.state.export.clone() };
        app.perform(Action::SetExport(settings));
        app.perform(Action::Export);
        until(&mut app, |_| path.exists());
    }
}
