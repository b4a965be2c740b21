//! The window without a display: frames one by one, how long each takes, and what passes between it and the engine.

use egui_kittest::kittest::NodeT;
use egui_kittest::{Harness, TestRenderer};
use heescope::app::{App, Options, WindowPhase};
use heescope::data::Progress;
use heescope::engine::{AutosaveOptions, Command, Engine, Event, Snapshot, SnapshotSource};
use heescope::experiment::Config;
use heescope::experiment::parameters::{self, Effect};
use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// The engine, and what passes between it and the window.
pub struct ObservedEngine {
    engine: Engine,
    /// Commands that it has taken; which of them was the last that builds a model; how many were executed, as of the last snapshot.
    sent: Cell<u64>,
    last_building: Cell<u64>,
    executed: Cell<Option<u64>>,
    last_snapshot: Cell<Instant>,
}

impl ObservedEngine {
    /// Whether a model was asked for of which no snapshot has come yet.
    pub fn is_building(&self) -> bool {
        self.executed.get().is_none_or(|executed| executed < self.last_building.get())
    }

    /// For how long no snapshot has come.
    pub fn silence(&self) -> Duration {
        self.last_snapshot.get().elapsed()
    }

    /// Hands a command over; false where the queue is full.
    pub fn send(&self, command: Command) -> bool {
        let builds = match &command {
            Command::Load(_) | Command::LoadModel(_) | Command::Back | Command::UseImages(_) | Command::Reset => true,
            Command::SwitchRun(_) | Command::DuplicateRun(_) | Command::SameAgain { .. } | Command::DeleteRun(_) | Command::GoOnFrom(_) => {
                true
            }
            Command::SetParameter { key, .. } => parameters::find(key).is_some_and(|parameter| parameter.effect == Effect::Rebuild),
            _ => false,
        };
        let is_taken = self.engine.send(command);
        self.sent.update(|sent| sent + u64::from(is_taken));
        if is_taken && builds {
            self.last_building.set(self.sent.get());
        }
        is_taken
    }
}

/// The window's end of it.
struct Source(Rc<ObservedEngine>);

impl SnapshotSource for Source {
    fn send(&self, command: Command) -> bool {
        self.0.send(command)
    }

    fn take(&self) -> Option<Box<Snapshot>> {
        let snapshot = self.0.engine.take_snapshot()?;
        self.0.executed.set(Some(snapshot.commands_executed));
        self.0.last_snapshot.set(Instant::now());
        Some(snapshot)
    }

    fn events(&self) -> Vec<Event> {
        self.0.engine.events().collect()
    }

    fn lease_core(&self) -> Duration {
        self.0.engine.lease_core()
    }

    fn release_core(&self, rest: Duration) {
        self.0.engine.release_core(rest);
    }

    fn progress(&self) -> Option<&Progress> {
        Some(self.0.engine.progress())
    }
}

/// Takes textures and keeps none; a screenshot is black.
struct NoScreen;

impl TestRenderer for NoScreen {
    fn handle_delta(&mut self, delta: &mut egui::TexturesDelta) {
        delta.clear();
    }

    fn render(&mut self, ctx: &egui::Context, _: &egui::FullOutput) -> Result<image::RgbaImage, String> {
        let size = ctx.content_rect().size() * ctx.pixels_per_point();
        Ok(image::RgbaImage::new(size.x as u32, size.y as u32))
    }
}

/// A time in milliseconds: by the clock, of this thread on a core, and of this thread waiting for a core.
#[derive(Clone, Copy, Default)]
pub struct FrameTime {
    pub ms: f64,
    pub running_ms: f64,
    pub waiting_ms: f64,
}

impl FrameTime {
    /// Adds what `work` takes.
    fn add<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let ([running, waiting], begin) = (thread_ms(), Instant::now());
        let done = work();
        self.ms += begin.elapsed().as_secs_f64() * 1e3;
        let [running_now, waiting_now] = thread_ms();
        self.running_ms += running_now - running;
        self.waiting_ms += waiting_now - waiting;
        done
    }
}

/// Milliseconds that this thread was on a core, and that it waited for one.
fn thread_ms() -> [f64; 2] {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let mut ns = text.split_whitespace().map(|number| number.parse().unwrap_or(f64::NAN));
    [(); 2].map(|()| ns.next().unwrap_or(f64::NAN) / 1e6)
}

/// Megabytes (10^6 bytes) of this process that are resident.
pub fn resident_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<f64>().unwrap() * 1024.0 / 1e6
}

/// Megabytes (10^6 bytes) that were asked of the allocator and not freed, all threads together.
pub fn in_use_mb() -> f64 {
    // SAFETY: mallinfo2 only reads the allocator's own counters, under its locks.
    let counters = unsafe { libc::mallinfo2() };
    (counters.uordblks + counters.hblkhd) as f64 / 1e6
}

/// Whether a job of a model that is gone is still at work: nobody waits for these, and what they have is freed when they end.
pub fn is_finishing() -> bool {
    let names =
        std::fs::read_dir("/proc/self/task").unwrap().filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.into_iter().any(|name| matches!(name.trim(), "generation" | "likelihood" | "study" | "gratings" | "film"))
}

pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// What the program does with freed memory when a model runs (src/allocator.rs).
fn give_back_freed(phase: WindowPhase) {
    if phase == WindowPhase::Running {
        // SAFETY: malloc_trim takes a number and touches only memory that nobody has; glibc allows it at any time, from any thread.
        unsafe { libc::malloc_trim(0) };
    }
}

/// Something in the window that can be acted on.
#[derive(Clone)]
pub struct Widget {
    pub role: egui::Role,
    pub label: String,
    pub rect: egui::Rect,
    pub is_focused: bool,
}

/// What the window's thread has: the program, the desktop's frame, and how long it works on the present one.
struct Drawing {
    app: Option<App>,
    desktop: eframe::Frame,
    time: FrameTime,
}

/// The window and its engine.
pub struct Window {
    harness: Harness<'static, Drawing>,
    pub engine: Rc<ObservedEngine>,
}

impl Window {
    /// Opens it on this configuration, with all views or one alone; from frame to frame pass `interval` seconds.
    pub fn open(config: Config, view: Option<String>, autosave: Option<AutosaveOptions>, interval: f32) -> Self {
        let engine = Rc::new(ObservedEngine {
            engine: Engine::start_with(config.clone(), autosave, || {}).unwrap(),
            sent: Cell::new(0),
            last_building: Cell::new(0),
            executed: Cell::new(None),
            last_snapshot: Cell::new(Instant::now()),
        });
        let source = engine.clone();
        let draw = move |ui: &mut egui::Ui, drawing: &mut Drawing| {
            let options = || Options { config: config.clone(), view: view.clone(), on_phase: Some(give_back_freed), ..Options::default() };
            let app = drawing.app.get_or_insert_with(|| App::new(ui.ctx(), Box::new(Source(source.clone())), options()).unwrap());
            drawing.time.add(|| {
                eframe::App::logic(app, ui.ctx(), &mut drawing.desktop);
                eframe::App::ui(app, ui, &mut drawing.desktop);
            });
        };
        let builder = Harness::builder().with_size([1000.0, 700.0]).with_step_dt(interval).renderer(NoScreen);
        let drawing = Drawing { app: None, desktop: eframe::Frame::_new_kittest(), time: FrameTime::default() };
        Self { harness: builder.build_ui_state(draw, drawing), engine }
    }

    /// Draws a frame in which these events have come. Returns how long the window's thread takes for what the program does, and for
    /// the triangles.
    pub fn frame(&mut self, events: Vec<egui::Event>) -> FrameTime {
        self.harness.input_mut().events.extend(events);
        self.harness.state_mut().time = FrameTime::default();
        self.harness.step();
        let (shapes, scale) = (self.harness.output().shapes.clone(), self.harness.ctx.pixels_per_point());
        let mut time = self.harness.state().time;
        time.add(|| std::hint::black_box(self.harness.ctx.tessellate(shapes, scale)));
        time
    }

    /// The preset that is shown.
    pub fn preset(&self) -> Option<&str> {
        Some(&self.harness.state().app.as_ref()?.state.latest.as_ref()?.config.model.name)
    }

    pub fn resize(&mut self, size: [f32; 2]) {
        self.harness.set_size(size.into());
    }

    pub fn size(&self) -> egui::Vec2 {
        self.harness.ctx.content_rect().size()
    }

    /// What is in sight, enabled and has one of these roles.
    pub fn widgets(&self, roles: &[egui::Role]) -> Vec<Widget> {
        let screen = self.harness.ctx.content_rect();
        let nodes = self.harness.root().children_recursive().filter(|node| roles.contains(&node.accesskit_node().role()));
        let widgets = nodes.filter_map(|node| {
            let found = node.accesskit_node();
            let is_usable = found.bounding_box().is_some() && !found.is_disabled() && !found.is_hidden();
            let widget = || Widget {
                role: found.role(),
                label: found.label().unwrap_or_default(),
                rect: node.rect(),
                is_focused: found.is_focused(),
            };
            is_usable.then(widget).filter(|widget| screen.contains(widget.rect.center()))
        });
        widgets.collect()
    }
}
