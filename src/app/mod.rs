//! The window: drains the engine, draws the views, turns what people do into commands.

pub mod actions;
pub mod allocator;
mod commands;
pub mod fitter;
mod layout;
mod logic;
mod notices;
mod side_panel;
pub mod state;
mod status;
pub mod theme;
mod ui;
pub mod views;
pub mod widgets;

use crate::engine::{Command, Engine, Pace, Parameter};
use crate::experiment::Config;
use crate::studies::race::SamplerConfig;
use actions::{ExportSettings, Field};
use anyhow::{Context as _, bail};
use crossbeam_channel::{Receiver, Sender, bounded};
use egui::{Context, Ui};
use egui_tiles::Tree;
use state::ViewState;
use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use views::{Kind, View};

const SLOW: Pace = Pace::StepsPerSecond(450.0);
const LAYOUT: &str = "layout";
const EXPORT: &str = "export";

/// A picture of the window to be taken.
#[derive(Clone, Debug)]
pub struct Shot {
    /// File.
    pub path: PathBuf,
    /// When, after the start.
    pub after: Duration,
}

/// How the window opens.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What runs.
    pub config: Config,
    /// A model file to go on with.
    pub model: Option<PathBuf>,
    /// One view alone.
    pub view: Option<String>,
    /// Theme; as kept otherwise.
    pub dark: Option<bool>,
    /// Size in points.
    pub size: Option<[f32; 2]>,
    /// A picture, then the end.
    pub shot: Option<Shot>,
    /// Full speed from the start.
    pub full_speed: bool,
    /// Begin the view's experiment at once.
    pub measure: bool,
}

/// The view of that name, or an error that lists the names.
pub fn view_by_name(name: &str) -> anyhow::Result<Kind> {
    match Kind::ALL.into_iter().find(|kind| kind.name() == name) {
        Some(kind) => Ok(kind),
        None => bail!("no view is called '{name}'; there are: {}", Kind::ALL.map(Kind::name).join(", ")),
    }
}

/// Opens the window and runs until it is closed. An error without a display.
pub fn open(options: Options) -> anyhow::Result<()> {
    let size = options.size.unwrap_or([1400.0, 900.0]);
    let native = eframe::NativeOptions {
        viewport: egui::ViewportBuilder::default().with_title("heescope").with_inner_size(size).with_min_inner_size([500.0, 350.0]),
        renderer: eframe::Renderer::Glow,
        persist_window: options.size.is_none(),
        ..Default::default()
    };
    allocator::hand_back(allocator::Blocks::Start);
    let failure = std::sync::Arc::new(std::sync::Mutex::new(None));
    let shared = failure.clone();
    eframe::run_native(
        "heescope",
        native,
        Box::new(move |cc| {
            if let Some(size) = options.size {
                cc.egui_ctx.send_viewport_cmd(egui::ViewportCommand::InnerSize(size.into())); // also where another was kept
            }
            let mut app = App::new(&cc.egui_ctx, options)?;
            app.failure = shared;
            if app.alone.is_none()
                && app.keeps_layout
                && let Some(kept) = cc.storage.and_then(|s| eframe::get_value::<Tree<Kind>>(s, LAYOUT))
                && Kind::ALL.iter().all(|kind| kept.tiles.find_pane(kind).is_some())
            {
                app.tree = kept; // one of an older version lacks the newer views
            }
            if let Some(kept) = cc.storage.filter(|_| app.keeps_layout).and_then(|s| eframe::get_value::<ExportSettings>(s, EXPORT)) {
                app.state.export = kept;
            }
            Ok(Box::new(app))
        }),
    )
    .map_err(|e| anyhow::anyhow!("cannot open the window: {e}"))?;
    let taken = failure.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
    taken.map_or(Ok(()), Err)
}

/// The window's state.
pub struct App {
    engine: Engine,
    /// What the views show.
    pub state: ViewState,
    tree: Tree<Kind>,
    views: HashMap<&'static str, Box<dyn View>>,
    side: side_panel::SidePanel,
    saving: layout::Saving,
    pending: VecDeque<Command>,
    undo: Vec<Edit>,
    redo: Vec<Edit>,
    /// Counts presses of the pointer or a key: what changes between two of them is one change to undo.
    gesture: u64,
    /// The pace that full speed goes back to.
    slow: Pace,
    /// Whether the model shown has no image layer; None before the first picture.
    tiny: Option<bool>,
    /// A run for a picture neither uses nor changes the kept layout.
    keeps_layout: bool,
    toasts: egui_notify::Toasts,
    halted: Option<String>,
    /// Whether the panel at the left is shown.
    controls: bool,
    help: bool,
    about: bool,
    alone: Option<Kind>,
    background: (Sender<Background>, Receiver<Background>),
    start: Instant,
    busy_since: Option<Instant>,
    shot: Option<Shot>,
    failure: std::sync::Arc<std::sync::Mutex<Option<anyhow::Error>>>,
    frames: status::FrameTimes,
    /// How long this frame has waited for a core, and the one before.
    waited: [Duration; 2],
    /// When this frame began, after that; and how long the one before took until its triangles were to be made and painted.
    begun: Instant,
    drawing: Duration,
    fitter: fitter::Fitter,
    /// Frames drawn with a model, until the start is over.
    starting: Option<u32>,
    /// Whether the engine believes that Generation is in sight.
    generation_in_sight: bool,
}

/// A change of one parameter.
#[derive(Clone, Copy)]
struct Edit {
    to: Parameter,
    from: Parameter,
    gesture: u64,
}

enum Background {
    Exported(anyhow::Result<PathBuf>),
    Chosen(Field, PathBuf),
    Shot(anyhow::Result<()>),
}

impl App {
    /// Starts the engine on `options.config`.
    pub fn new(ctx: &Context, options: Options) -> anyhow::Result<Self> {
        let waker = ctx.clone();
        let config = options.config.clone();
        let engine = Engine::start(options.config, move || waker.request_repaint()).context("cannot start the simulation thread")?;
        let waker = ctx.clone();
        let fitter = fitter::Fitter::start(move || waker.request_repaint()).context("cannot start the thread that fits filters")?;
        let mut pending = VecDeque::new();
        if let Some(path) = options.model {
            pending.push_back(Command::LoadModel(path));
        }
        if options.full_speed {
            pending.push_back(Command::SetPace(Pace::Full));
        }
        if let Some(dark) = options.dark {
            ctx.set_theme(if dark { egui::Theme::Dark } else { egui::Theme::Light });
        }
        let alone = options.view.as_deref().map(view_by_name).transpose()?;
        if let (true, Some((name, options))) = (options.measure, alone.and_then(|kind| kind.study(&config))) {
            pending.push_back(Command::RunStudy { name: name.into(), options });
        }
        if options.measure && alone == Some(Kind::Posterior) {
            pending.push_back(Command::Race(SamplerConfig::contrast(&config.dynamics).into()));
        }
        if options.measure && alone == Some(Kind::Tuning) {
            pending.push_back(Command::Tune { layer: 1 });
        }
        Ok(Self {
            engine,
            state: ViewState::default(),
            tree: layout::standard(),
            views: Kind::ALL.into_iter().map(|kind| (kind.title(), kind.view())).collect(),
            side: side_panel::SidePanel::default(),
            saving: layout::Saving::default(),
            pending,
            undo: Vec::new(),
            redo: Vec::new(),
            gesture: 0,
            slow: SLOW,
            tiny: None,
            keeps_layout: options.shot.is_none(),
            toasts: egui_notify::Toasts::default().with_anchor(egui_notify::Anchor::BottomRight),
            halted: None,
            controls: true,
            help: false,
            about: false,
            alone,
            background: bounded(16),
            start: Instant::now(),
            busy_since: None,
            shot: options.shot,
            failure: std::sync::Arc::default(),
            frames: status::FrameTimes::default(),
            waited: [Duration::ZERO; 2],
            begun: Instant::now(),
            drawing: Duration::ZERO,
            fitter,
            starting: Some(0),
            generation_in_sight: true,
        })
    }
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &Context, _: &mut eframe::Frame) {
        self.begin_frame(ctx);
    }

    fn ui(&mut self, ui: &mut Ui, frame: &mut eframe::Frame) {
        let all = frame.info().cpu_usage.and_then(|seconds| Duration::try_from_secs_f32(seconds).ok());
        self.frames.add(all.map(|all| all.saturating_sub(self.waited[1])), Some(self.drawing));
        self.frame(ui);
        self.end_start();
        self.drawing = self.begun.elapsed();
        self.engine.release_core(self.frames.rest());
        if !self.pending.is_empty() {
            self.drain(ui.ctx());
        }
    }

    fn save(&mut self, storage: &mut dyn eframe::Storage) {
        if self.keeps_layout {
            eframe::set_value(storage, LAYOUT, &self.tree);
            eframe::set_value(storage, EXPORT, &self.state.export);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::actions::Action;
    use crate::experiment::presets;
    use crate::export::filters;
    use egui_tiles::Tile;

    fn app() -> App {
        App::new(&Context::default(), Options { config: presets::by_name("ridge").unwrap(), ..Default::default() }).unwrap()
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
        let change = |to: f64, from: f64| Action::Change { to: Parameter::Adaptation(to), from: Parameter::Adaptation(from) };
        // The window sees values late: `from` stays behind within a drag.
        app.gesture = 1;
        [change(2.1, 2.0), change(2.5, 2.0), change(3.0, 2.1)].into_iter().for_each(|action| app.act(action));
        app.gesture = 2;
        app.act(change(4.0, 3.0));
        let edits: Vec<_> = app.undo.iter().map(|e| (e.from, e.to)).collect();
        let m = Parameter::Adaptation;
        assert_eq!(edits, [(m(2.0), m(3.0)), (m(3.0), m(4.0))]);
        app.act(Action::Send(Command::Load(Box::default())));
        assert!(app.undo.is_empty(), "values of another model do not come back");
    }

    #[test]
    fn a_model_without_images_brings_the_posterior_to_the_front() {
        let mut app = app();
        let front = |app: &App, kind| {
            app.tree.active_tiles().into_iter().any(|id| matches!(app.tree.tiles.get(id), Some(Tile::Pane(k)) if *k == kind))
        };
        assert!(!front(&app, Kind::Posterior));
        until(&mut app, |app| app.state.latest.is_some());
        assert!(front(&app, Kind::Posterior) && !front(&app, Kind::ReceptiveFields));
    }

    #[test]
    fn export_writes_what_the_settings_say() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.npy");
        let mut app = app();
        until(&mut app, |app| app.state.latest.is_some());
        let settings = ExportSettings { path: path.display().to_string(), format: filters::Format::Npy, ..Default::default() };
        app.act(Action::SetExport(settings));
        app.act(Action::Export);
        until(&mut app, |_| path.exists());
        let filters: ndarray::Array3<f32> = crate::export::npz::read_npy(&path).unwrap();
        assert_eq!(filters.dim(), (2, 1, 1), "[units, rows, columns]");
    }
}
