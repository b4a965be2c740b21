//! `heescope record` and `heescope replay`: what a run shows as a file, and that file in the window.

use crate::cli::Start;
use crate::cli::console::Console;
use crate::cli::film::FilmArguments;
use crate::cli::stop::Stop;
use crate::engine::recording::{ENDING, RecordingWriter};
use crate::engine::{Command, Engine, Event, Pace};
use crate::export::Outputs;
use anyhow::bail;
use std::path::PathBuf;

/// From the start of the window to the picture of a recording: what its views compute in the background is there by then.
#[cfg(feature = "window")]
const AFTER: std::time::Duration = std::time::Duration::from_secs(3);

/// Options of `record`.
#[derive(clap::Args, Debug)]
pub(super) struct Record {
    #[command(flatten)]
    start: Start,
    /// Model file
    #[arg(long)]
    model: Option<PathBuf>,
    /// Seconds that are recorded
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// Snapshots a second at most
    #[arg(long, default_value_t = 30.0)]
    rate: f64,
    /// As fast as the machine can, not at the pace of the window
    #[arg(long)]
    full_speed: bool,
    /// File to write (.heerec)
    #[arg(long)]
    out: PathBuf,
}

impl Record {
    pub(super) fn run(self) -> anyhow::Result<()> {
        for (key, value, most) in [("--seconds", self.seconds, 86_400.0), ("--rate", self.rate, 1000.0)] {
            if !(value > 0.0 && value <= most) {
                bail!("{key} {value} is out of range: above 0 to {most}");
            }
        }
        let (config, _) = self.start.read(self.model.as_ref())?;
        self.start.reads(self.model.as_ref(), Outputs::default().writes("--out", &self.out, ENDING)).check()?;
        let writer = RecordingWriter::create(&self.out)?;
        let engine = Engine::start(config, || {})?;
        let stop = Stop::listen()?;
        if let Some(model) = self.model {
            engine.send(Command::LoadModel(model));
            await_model(&engine, &stop)?;
        }
        if self.full_speed {
            engine.send(Command::SetPace(Pace::Full));
        }
        let bytes = writer.record(&engine, self.seconds, self.rate, &mut |_| stop.signal().is_none())?;
        let mut console = Console::beside([self.out.as_path()]);
        console.line(format_args!("{}: {:.1} MB", self.out.display(), bytes as f64 / 1e6));
        console.finish()
    }
}

/// Waits until the model of a file runs, so that nothing else is recorded.
fn await_model(engine: &Engine, stop: &Stop) -> anyhow::Result<()> {
    while stop.signal().is_none() {
        for event in engine.events() {
            match event {
                Event::Resumed(_) => {
                    engine.take_snapshot(); // it may be of the model before
                    return Ok(());
                }
                Event::Failed(reason) => bail!("{reason}"),
                _ => {}
            }
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    bail!("stopped before the model was read")
}

/// Options of `replay`.
#[derive(clap::Args, Debug)]
pub(super) struct Replayed {
    /// The recording (.heerec)
    file: PathBuf,
    /// View to show alone, or to film
    #[arg(long)]
    view: Option<String>,
    /// Moment at which to begin, seconds
    #[arg(long, default_value_t = 0.0)]
    at: f64,
    #[command(flatten)]
    film: FilmArguments,
    /// Save a picture of that moment there, then end
    #[arg(long)]
    screenshot: Option<PathBuf>,
    /// Size of the window, WxH points; of a film, WxH pixels [default: 960x600]
    #[arg(long)]
    size: Option<String>,
    /// light or dark
    #[arg(long)]
    theme: Option<String>,
}

impl Replayed {
    #[cfg(not(feature = "window"))]
    pub(super) fn run(self, program: crate::cli::Program) -> anyhow::Result<()> {
        crate::cli::window::WindowArguments::open(Default::default(), program)
    }

    #[cfg(feature = "window")]
    pub(super) fn run(self, program: crate::cli::Program) -> anyhow::Result<()> {
        use crate::app::{self, Options, RecordingRequest, ScreenshotRequest};
        use crate::cli::window::{is_dark, points};
        use crate::cli::writes;
        use crate::engine::recording::RecordedRun;
        if let (Some(out), Some(view)) = (&self.film.film, &self.view) {
            return self.film.write(out, &self.file, view, self.size.as_deref(), self.theme.as_deref());
        }
        if let Some(path) = &self.screenshot {
            writes("--screenshot", Some(path), ".png", Outputs::default().reads("FILE", &self.file)).check()?;
        }
        if let Some(view) = &self.view {
            app::view_by_name(view)?;
        }
        let seconds = RecordedRun::open(&self.file)?.seconds();
        if !(0.0..=seconds).contains(&self.at) {
            bail!("--at {} is out of range: {} is {seconds:.3} seconds long", self.at, self.file.display());
        }
        let is_pictured = self.screenshot.is_some();
        Ok(app::open(Options {
            recording: Some(RecordingRequest { path: self.file, at: self.at, paused: is_pictured }),
            view: self.view,
            dark: self.theme.as_deref().map(is_dark).transpose()?,
            size: self.size.as_deref().map(points).transpose()?,
            screenshot: self.screenshot.map(|path| ScreenshotRequest { path, after: AFTER }),
            on_phase: program.on_window_phase,
            ..Options::default()
        })?)
    }
}
