//! No subcommand: opens the window as the arguments say.

use crate::cli::Program;
#[cfg(feature = "window")]
use crate::cli::{Start, stop::Stop, writes};
#[cfg(feature = "window")]
use crate::export::Outputs;
use anyhow::bail;
use std::path::PathBuf;

/// Arguments of the program where no subcommand is named.
#[derive(clap::Args, Debug, Default)]
pub(super) struct WindowArguments {
    /// Preset that the window opens with
    #[arg(long)]
    preset: Option<String>,
    /// Model file that the window opens and goes on with
    #[arg(long)]
    model: Option<PathBuf>,
    /// Configuration file (TOML)
    #[arg(long)]
    config: Option<PathBuf>,
    /// Change one value of the configuration
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// View to show alone: receptive-fields, population, tuning, layers, network, traces, posterior, stimulus, generation, learning,
    /// learning-rules, adaptation, separation, partition, studies, compare
    #[arg(long)]
    view: Option<String>,
    /// Save a picture of the window there, then end
    #[arg(long)]
    screenshot: Option<PathBuf>,
    /// Seconds until the picture
    #[arg(long, default_value_t = 5.0)]
    after: f64,
    /// Size of the window, WxH points
    #[arg(long)]
    size: Option<String>,
    /// light or dark
    #[arg(long)]
    theme: Option<String>,
    /// Run at full speed from the start
    #[arg(long)]
    full_speed: bool,
    /// Seconds between two saves of what is learned in the window; the next start goes on with it unless it is told what to open
    #[arg(long, value_name = "SECONDS", default_value_t = 30.0)]
    autosave: f64,
    /// Folder in which runs are kept; the data folder of the platform otherwise
    #[arg(long, value_name = "DIR")]
    runs: Option<PathBuf>,
    /// Begin what the view measures (tuning, adaptation, separation, partition; in posterior a race of four samplers) at once
    #[arg(long)]
    measure: bool,
}

#[cfg(not(feature = "window"))]
impl WindowArguments {
    /// Always an error: there is no window in this build.
    pub(super) fn open(self, _: Program) -> anyhow::Result<()> {
        bail!("this build has no window (it was made without the feature `window`); `heescope help` lists the headless commands")
    }
}

#[cfg(feature = "window")]
impl WindowArguments {
    /// Opens the window and runs until it is closed.
    pub(super) fn open(self, program: Program) -> anyhow::Result<()> {
        use crate::app::{self, Options, ScreenshotRequest};
        use crate::engine::AutosaveOptions;
        use std::time::Duration;
        if let Some(path) = &self.screenshot {
            writes("--screenshot", Some(path), ".png", Outputs::default()).check()?;
        }
        let recover = self.preset.is_none() && self.model.is_none() && self.config.is_none() && self.set.is_empty();
        let start = Start { preset: self.preset, config: self.config, set: self.set, seed: None, threads: None };
        let (config, _) = start.read(self.model.as_ref())?;
        let dark = self.theme.as_deref().map(is_dark).transpose()?;
        let size = self.size.as_deref().map(points).transpose()?;
        if let Some(view) = &self.view {
            app::view_by_name(view)?;
        }
        if !(0.0..=86_400.0).contains(&self.after) {
            bail!("--after {} is out of range: 0 to 86400 seconds", self.after);
        }
        if !(0.0..=86_400.0).contains(&self.autosave) {
            bail!("--autosave {} is out of range: 0 to 86400 seconds", self.autosave);
        }
        let interval = Duration::from_secs_f64(self.autosave);
        let older = app::data_folder().filter(|_| self.runs.is_none());
        let folder = self.runs.or_else(|| app::data_folder().map(|folder| folder.join("runs")));
        let autosave = folder.map(|folder| AutosaveOptions { folder, older, interval, recover });
        Ok(app::open(Options {
            config,
            autosave,
            model: self.model,
            view: self.view,
            dark,
            size,
            screenshot: self.screenshot.map(|path| ScreenshotRequest { path, after: Duration::from_secs_f64(self.after) }),
            full_speed: self.full_speed,
            measure: self.measure,
            recording: None,
            closes: Some(Stop::listen()?.asked()),
            on_phase: program.on_window_phase,
        })?)
    }
}

#[cfg(feature = "window")]
pub(super) fn is_dark(theme: &str) -> anyhow::Result<bool> {
    match theme {
        "dark" => Ok(true),
        "light" => Ok(false),
        other => bail!("--theme {other}: light or dark is needed"),
    }
}

/// Width and height of the window, points.
#[cfg(feature = "window")]
pub(super) fn points(size: &str) -> anyhow::Result<[f32; 2]> {
    match size.split_once('x').map(|(w, h)| (w.parse::<f32>(), h.parse::<f32>())) {
        Some((Ok(w), Ok(h))) if (300.0..=10_000.0).contains(&w) && (200.0..=10_000.0).contains(&h) => Ok([w, h]),
        _ => bail!("--size {size}: WIDTHxHEIGHT is needed, such as 1400x900"),
    }
}
