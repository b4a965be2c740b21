//! The window: drains the engine, draws the views, turns what people do into commands.

pub mod actions;
mod side_panel;
pub mod state;
pub mod theme;
pub mod views;
pub mod widgets;

use crate::data::photographs;
use crate::engine::{Command, Engine, Event, Pace, Parameter};
use crate::experiment::Config;
use crate::export::filters;
use actions::{Action, ExportSettings, Field};
use anyhow::{Context as _, bail};
use crossbeam_channel::{Receiver, Sender, bounded};
use egui::{Context, Key, Modifiers, Ui};
use egui_tiles::{SimplificationOptions, Tile, TileId, Tiles, Tree, UiResponse};
use state::ViewState;
use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use views::{Kind, View};

const SLOW: Pace = Pace::StepsPerSecond(450.0);
/// Changes that can be undone at most.
const UNDO: usize = 200;
const LAYOUT: &str = "layout";

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
    let failure = std::sync::Arc::new(std::sync::Mutex::new(None));
    let shared = failure.clone();
    eframe::run_native(
        "heescope",
        native,
        Box::new(move |cc| {
            let mut app = App::new(&cc.egui_ctx, options)?;
            app.failure = shared;
            if app.alone.is_none()
                && app.keeps_layout
                && let Some(kept) = cc.storage.and_then(|s| eframe::get_value::<Tree<Kind>>(s, LAYOUT))
            {
                app.tree = kept;
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
    help: bool,
    about: bool,
    alone: Option<Kind>,
    background: (Sender<Background>, Receiver<Background>),
    start: Instant,
    shot: Option<Shot>,
    failure: std::sync::Arc<std::sync::Mutex<Option<anyhow::Error>>>,
    frames: (Instant, u32, f64),
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
        let engine = Engine::start(options.config, move || waker.request_repaint()).context("cannot start the simulation thread")?;
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
        Ok(Self {
            engine,
            state: ViewState::default(),
            tree: default_layout(),
            views: Kind::ALL.into_iter().map(|kind| (kind.title(), kind.view())).collect(),
            side: side_panel::SidePanel::default(),
            pending,
            undo: Vec::new(),
            redo: Vec::new(),
            gesture: 0,
            slow: SLOW,
            tiny: None,
            keeps_layout: options.shot.is_none(),
            toasts: egui_notify::Toasts::default().with_anchor(egui_notify::Anchor::BottomRight),
            halted: None,
            help: false,
            about: false,
            alone,
            background: bounded(16),
            start: Instant::now(),
            shot: options.shot,
            failure: std::sync::Arc::default(),
            frames: (Instant::now(), 0, 0.0),
        })
    }

    /// Takes in what the engine and the helpers have for the window.
    pub fn drain(&mut self, ctx: &Context) {
        while let Some(command) = self.pending.pop_front() {
            if !self.engine.send(command.clone()) {
                self.pending.push_front(command);
                break;
            }
        }
        if let Some(snapshot) = self.engine.take_snapshot() {
            if let Pace::StepsPerSecond(_) = snapshot.clock.pace {
                self.slow = snapshot.clock.pace;
            }
            // A model without an image layer shows its picture in Posterior, the others in the mosaic.
            let tiny = snapshot.stimulus.stimulus.len() <= 3;
            if self.tiny.replace(tiny) != Some(tiny) {
                let front = if tiny { Kind::Posterior } else { Kind::ReceptiveFields };
                self.tree.make_active(|_, tile| matches!(tile, Tile::Pane(kind) if *kind == front));
            }
            self.state.absorb(snapshot);
        }
        for event in self.engine.events().collect::<Vec<_>>() {
            match event {
                Event::Loaded(_) => self.halted = None,
                Event::Warning(text) => drop(self.toasts.warning(format!("Left out: {text}"))),
                Event::Failed(text) => drop(self.toasts.error(text)),
                Event::Saved(path) => drop(self.toasts.success(format!("Saved {}", path.display()))),
                Event::Halted(reason) => self.halted = Some(reason),
            }
        }
        for done in self.background.1.try_iter().collect::<Vec<_>>() {
            match done {
                Background::Exported(Ok(path)) => drop(self.toasts.success(format!("Exported {}", path.display()))),
                Background::Exported(Err(error)) => drop(self.toasts.error(format!("{error:#}"))),
                Background::Chosen(Field::Images, path) => self.side.images = path.display().to_string(),
                Background::Chosen(Field::Open | Field::Save, path) => self.side.model = path.display().to_string(),
                Background::Chosen(Field::Export, path) => {
                    let format = path.extension().and_then(|e| e.to_str()).and_then(|ending| match ending {
                        "png" => Some(filters::Format::Png),
                        "svg" => Some(filters::Format::Svg),
                        "npy" => Some(filters::Format::Npy),
                        _ => None,
                    });
                    let export = &mut self.state.export;
                    export.format = format.unwrap_or(export.format);
                    export.path = path.display().to_string();
                }
                Background::Shot(result) => {
                    *self.failure.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = result.err();
                    ctx.send_viewport_cmd(egui::ViewportCommand::Close);
                }
            }
        }
        let dropped: Vec<PathBuf> = ctx.input(|i| i.raw.dropped_files.iter().map(|f| f.path().to_path_buf()).collect());
        if !dropped.is_empty() {
            self.act(Action::Send(Command::UseImages(dropped)));
        }
        if self.shot.as_ref().is_some_and(|shot| self.start.elapsed() >= shot.after)
            && let Some(Shot { path, .. }) = self.shot.take()
        {
            let (sender, waker) = (self.background.0.clone(), ctx.clone());
            ctx.request_screenshot(move |image| {
                let rgb = image.pixels.iter().flat_map(|p| [p.r(), p.g(), p.b()]).collect();
                let picture = image::RgbImage::from_raw(image.size[0] as u32, image.size[1] as u32, rgb);
                let result = picture.context("an empty picture").and_then(|picture| crate::export::save_png(&path, &picture));
                let _ = sender.try_send(Background::Shot(result)); // the queue is empty this early
                waker.request_repaint();
            });
        }
        if self.shot.is_some() {
            ctx.request_repaint_after(Duration::from_millis(50));
        }
    }

    /// Draws one frame.
    pub fn frame(&mut self, ui: &mut Ui) {
        self.frames.1 += 1;
        if self.frames.0.elapsed() > Duration::from_millis(500) {
            self.frames = (Instant::now(), 0, f64::from(self.frames.1) / self.frames.0.elapsed().as_secs_f64());
        }
        let key_or_press =
            |i: &egui::InputState| i.pointer.any_pressed() || i.events.iter().any(|e| matches!(e, egui::Event::Key { pressed: true, .. }));
        self.gesture += u64::from(ui.ctx().input(key_or_press));
        self.shortcuts(ui.ctx());
        let mut actions = Vec::new();
        let Some(snapshot) = self.state.latest.take() else {
            egui::CentralPanel::default().show(ui, |ui| {
                ui.centered_and_justified(|ui| ui.label("Preparing the stimuli ..."));
            });
            self.toasts.show(ui.ctx());
            return;
        };
        egui::Panel::top("menu").show(ui, |ui| {
            ui.horizontal(|ui| {
                ui.strong("heescope");
                ui.separator();
                if ui.button("Help").on_hover_text("Keyboard shortcuts (F1)").clicked() {
                    self.help = !self.help;
                }
                if ui.button("About").clicked() {
                    self.about = !self.about;
                }
                if ui.button("Standard layout").on_hover_text("Tabs back to their places").clicked() {
                    (self.tree, self.alone, self.tiny) = (default_layout(), None, None);
                }
                let dark = ui.visuals().dark_mode;
                if ui.button(if dark { "Light" } else { "Dark" }).on_hover_text("Change the theme").clicked() {
                    ui.ctx().set_theme(if dark { egui::Theme::Light } else { egui::Theme::Dark });
                }
            });
        });
        if let Some(reason) = &self.halted {
            egui::Panel::top("stopped").show(ui, |ui| stopped(ui, reason, &snapshot, &mut actions));
        }
        egui::Panel::bottom("status").show(ui, |ui| status(ui, &snapshot, self.frames.2));
        egui::Panel::left("controls").default_size(290.0).size_range(240.0..=420.0).show(ui, |ui| {
            egui::ScrollArea::vertical().show(ui, |ui| self.side.ui(ui, &snapshot, &mut actions));
        });
        egui::CentralPanel::default().show(ui, |ui| match self.alone {
            Some(kind) => {
                ui.heading(kind.title());
                if let Some(view) = self.views.get_mut(kind.title()) {
                    view.ui(ui, &self.state, &snapshot, &mut actions);
                }
            }
            None => {
                let mut behaviour = Behaviour { views: &mut self.views, state: &self.state, snapshot: &snapshot, actions: &mut actions };
                self.tree.ui(&mut behaviour, ui);
            }
        });
        self.state.latest = Some(snapshot);
        self.windows(ui.ctx());
        drop_hint(ui.ctx());
        self.toasts.show(ui.ctx());
        actions.into_iter().for_each(|action| self.act(action));
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Send(command) => {
                if matches!(command, Command::Run | Command::Reset | Command::Load(_)) {
                    self.halted = None;
                }
                if matches!(command, Command::Load(_) | Command::LoadModel(_) | Command::UseImages(_)) {
                    // Values of another model are not to be brought back into this one.
                    self.undo.clear();
                    self.redo.clear();
                }
                self.pending.push_back(command);
            }
            Action::Change { to, from } => {
                let gesture = self.gesture;
                let same = |last: &&mut Edit| last.gesture == gesture && std::mem::discriminant(&last.to) == std::mem::discriminant(&to);
                match self.undo.last_mut().filter(same) {
                    Some(last) => last.to = to,
                    None => self.undo.push(Edit { to, from, gesture }),
                }
                if self.undo.len() > UNDO {
                    self.undo.remove(0);
                }
                self.redo.clear();
                self.pending.push_back(Command::SetParameter(to));
            }
            Action::Watch(watch) => self.pending.push_back(Command::Watch(watch)),
            Action::ToggleSpeed => {
                let full = self.state.latest.as_ref().is_some_and(|s| s.clock.pace == Pace::Full);
                self.pending.push_back(Command::SetPace(if full { self.slow } else { Pace::Full }));
            }
            Action::SetExport(settings) => self.state.export = settings,
            Action::Export => {
                let ExportSettings { path, format, scale, zoom, layer } = self.state.export.clone();
                let path = PathBuf::from(path.trim());
                let Some(snapshot) = self.state.latest.as_ref().filter(|s| !s.weights.is_empty()) else { return };
                let weights: Vec<_> = snapshot.weights.iter().take(layer.max(1)).cloned().collect();
                let job = move || {
                    let pixels = weights.iter().skip(1).fold((*weights[0]).clone(), |down, w| down.dot(&**w));
                    Some(Background::Exported(filters::save(&path, pixels.view(), format, scale, zoom).map(|()| path)))
                };
                self.in_background("export", job);
            }
            Action::Dialog(field) => {
                let export = self.state.export.clone();
                let job = move || {
                    let dialog = rfd::FileDialog::new();
                    let chosen = match field {
                        Field::Images => dialog.pick_folder(),
                        Field::Open => dialog.add_filter("model", &["npz"]).pick_file(),
                        Field::Save => dialog.set_file_name("model.npz").save_file(),
                        Field::Export if export.format == filters::Format::EachPng => dialog.pick_folder(),
                        Field::Export => dialog.set_file_name(&export.path).save_file(),
                    };
                    chosen.map(|path| Background::Chosen(field, path))
                };
                self.in_background("dialog", job);
            }
        }
    }

    fn in_background(&mut self, name: &str, job: impl FnOnce() -> Option<Background> + Send + 'static) {
        let sender = self.background.0.clone();
        let body = move || {
            if let Some(done) = job() {
                let _ = sender.try_send(done); // 16 unread results: the window is gone
            }
        };
        if let Err(error) = std::thread::Builder::new().name(name.into()).spawn(body) {
            self.toasts.error(format!("cannot start the {name}: {error}"));
        }
    }

    fn shortcuts(&mut self, ctx: &Context) {
        if ctx.egui_wants_keyboard_input() {
            return;
        }
        let pressed = |modifiers: Modifiers, key| ctx.input_mut(|i| i.consume_key(modifiers, key));
        if pressed(Modifiers::COMMAND | Modifiers::SHIFT, Key::Z)
            && let Some(edit) = self.redo.pop()
        {
            self.pending.push_back(Command::SetParameter(edit.to));
            self.undo.push(edit);
        }
        if pressed(Modifiers::COMMAND, Key::Z)
            && let Some(edit) = self.undo.pop()
        {
            self.pending.push_back(Command::SetParameter(edit.from));
            self.redo.push(edit);
        }
        if pressed(Modifiers::COMMAND, Key::E) {
            self.act(Action::Export);
        }
        if pressed(Modifiers::NONE, Key::F1) {
            self.help = !self.help;
        }
        let running = self.state.latest.as_ref().is_some_and(|s| s.clock.running);
        for (key, action) in [
            (Key::Space, Action::Send(if running { Command::Pause } else { Command::Run })),
            (Key::S, Action::Send(Command::Step(1))),
            (Key::R, Action::Send(Command::Reset)),
            (Key::F, Action::ToggleSpeed),
        ] {
            if pressed(Modifiers::NONE, key) {
                self.act(action);
            }
        }
    }

    fn windows(&mut self, ctx: &Context) {
        egui::Window::new("Keyboard shortcuts").open(&mut self.help).resizable(false).show(ctx, |ui| {
            egui::Grid::new("shortcuts").striped(true).show(ui, |ui| {
                for (key, what) in [
                    ("Space", "run / pause"),
                    ("S", "one step"),
                    ("R", "start again from the seed"),
                    ("F", "full speed / slow pace"),
                    ("Ctrl-E", "export the filters as last set under Export"),
                    ("Ctrl-Z, Ctrl-Shift-Z", "undo, redo a change of a parameter"),
                    ("F1", "this list"),
                ] {
                    ui.strong(key);
                    ui.label(what);
                    ui.end_row();
                }
            });
        });
        egui::Window::new("About heescope").open(&mut self.about).default_width(460.0).show(ctx, |ui| {
            ui.label("Neural sampling in hierarchical exponential-family energy-based models, after X. Dong and S. Wu, NeurIPS 2023 (arXiv 2310.08431).");
            ui.separator();
            ui.strong("Embedded photographs, each cropped and turned to grey");
            for (name, author, licence) in photographs::attribution() {
                ui.small(format!("{name}: {author}, {licence}"));
            }
        });
    }
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &Context, _: &mut eframe::Frame) {
        self.drain(ctx);
    }

    fn ui(&mut self, ui: &mut Ui, _: &mut eframe::Frame) {
        self.frame(ui);
        if !self.pending.is_empty() {
            self.drain(ui.ctx());
        }
    }

    fn save(&mut self, storage: &mut dyn eframe::Storage) {
        if self.keeps_layout {
            eframe::set_value(storage, LAYOUT, &self.tree);
        }
    }
}

fn stopped(ui: &mut Ui, reason: &str, snapshot: &crate::engine::Snapshot, actions: &mut Vec<Action>) {
    ui.horizontal_wrapped(|ui| {
        ui.colored_label(theme::alarm(ui.visuals().dark_mode), format!("Stopped: {reason}"));
        if snapshot.config.dynamics.governor == crate::experiment::Governor::Manual
            && ui.button("Automatic step size").on_hover_text("dt is lowered to what is stable, then the run goes on").clicked()
        {
            actions.push(Action::Change { to: Parameter::ManualGovernor(false), from: Parameter::ManualGovernor(true) });
            actions.push(Action::Send(Command::Run));
        }
        if ui.button("Go on").on_hover_text("From the last good weights").clicked() {
            actions.push(Action::Send(Command::Run));
        }
        if ui.button("Start again").on_hover_text("From the seed").clicked() {
            actions.push(Action::Send(Command::Reset));
        }
    });
}

fn drop_hint(ctx: &Context) {
    if ctx.input(|i| i.raw.hovered_files.is_empty()) {
        return;
    }
    let (painter, rect) = (ctx.layer_painter(egui::LayerId::new(egui::Order::Foreground, egui::Id::unique("drop"))), ctx.content_rect());
    painter.rect_filled(rect, 0.0, egui::Color32::from_black_alpha(180));
    let font = egui::FontId::proportional(22.0);
    painter.text(rect.center(), egui::Align2::CENTER_CENTER, "Drop: learn from these images", font, egui::Color32::WHITE);
}

fn status(ui: &mut Ui, snapshot: &crate::engine::Snapshot, frames: f64) {
    let (clock, governor, dark) = (&snapshot.clock, &snapshot.governor, ui.visuals().dark_mode);
    ui.horizontal_wrapped(|ui| {
        ui.label(format!("{:.2} s simulated", clock.time_ms / 1e3));
        ui.separator();
        ui.label(format!("{:.0} steps/s", clock.steps_per_second));
        ui.separator();
        ui.label(format!("{frames:.0} frames/s"));
        ui.separator();
        ui.label(format!("{} images", clock.images));
        ui.separator();
        ui.label(format!("{} dropped", clock.dropped))
            .on_hover_text("Pictures of the simulation that were not drawn because the window was busy");
        ui.separator();
        let tip = format!("Largest stable dt: {:.3} ms; stiffness lambda of the layers: {:.1?}", governor.limit_ms, governor.stiffness);
        let text = format!("dt {:.3} ms", governor.dt_ms);
        if governor.beyond {
            ui.colored_label(theme::alarm(dark), format!("{text}, past the stable {:.3} ms", governor.limit_ms)).on_hover_text(tip);
        } else if governor.lowered {
            ui.colored_label(theme::caution(dark), format!("{text}, lowered for stability")).on_hover_text(tip);
        } else {
            ui.label(text).on_hover_text(tip);
        }
    });
}

fn default_layout() -> Tree<Kind> {
    let mut tiles = Tiles::default();
    let fields = tiles.insert_pane(Kind::ReceptiveFields);
    let posterior = tiles.insert_pane(Kind::Posterior);
    let left = tiles.insert_tab_tile(vec![fields, posterior]);
    let stimulus = tiles.insert_pane(Kind::Stimulus);
    let traces = tiles.insert_pane(Kind::Traces);
    let learning = tiles.insert_pane(Kind::Learning);
    let lower = tiles.insert_tab_tile(vec![traces, learning]);
    let mut column = egui_tiles::Linear::new(egui_tiles::LinearDir::Vertical, vec![stimulus, lower]);
    column.shares.set_share(stimulus, 0.45);
    let right = tiles.insert_container(column);
    let root = tiles.insert_horizontal_tile(vec![left, right]);
    Tree::new(egui::Id::unique("views"), root, tiles)
}

struct Behaviour<'a> {
    views: &'a mut HashMap<&'static str, Box<dyn View>>,
    state: &'a ViewState,
    snapshot: &'a crate::engine::Snapshot,
    actions: &'a mut Vec<Action>,
}

impl egui_tiles::Behavior<Kind> for Behaviour<'_> {
    fn pane_ui(&mut self, ui: &mut Ui, _: TileId, pane: &mut Kind) -> UiResponse {
        egui::Frame::new().inner_margin(6).show(ui, |ui| {
            if let Some(view) = self.views.get_mut(pane.title()) {
                ui.push_id(pane.title(), |ui| view.ui(ui, self.state, self.snapshot, self.actions));
            }
        });
        UiResponse::None
    }

    fn tab_title_for_pane(&mut self, pane: &Kind) -> egui::WidgetText {
        pane.title().into()
    }

    fn simplification_options(&self) -> SimplificationOptions {
        SimplificationOptions { all_panes_must_have_tabs: true, ..Default::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::presets;

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
