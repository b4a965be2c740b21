//! The command line: no subcommand opens the window, the others run the same engine without one.

mod bench;
mod diagnose;
mod evaluate;
mod filters;
mod generate;
mod measure;
mod sample;
mod train;
mod tuning;

use crate::app::{self, Options, Shot};
use crate::experiment::{Config, modelfile, presets};
use crate::model::Hierarchy;
use anyhow::{Context, bail};
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Watch neural sampling in hierarchical energy-based models.
#[derive(Parser, Debug)]
#[command(version, about, arg_required_else_help = false)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Subcommands>,
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
    /// View to show alone: receptive-fields, population, tuning, layers, traces, posterior, stimulus, generation, learning,
    /// adaptation, separation, partition, studies
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
    /// Begin what the view measures (tuning, adaptation, separation, partition; in posterior a race of four samplers) at once
    #[arg(long)]
    measure: bool,
}

#[derive(Subcommand, Debug)]
enum Subcommands {
    /// List the presets
    Presets,
    /// Learn, and write the model
    Train(train::Train),
    /// Draw posterior samples
    Sample(sample::Sample),
    /// Generate images
    Generate(generate::Generate),
    /// Tell how well chains have mixed
    Diagnose(diagnose::Diagnose),
    /// Tell how close generated images come to data
    Evaluate(evaluate::Evaluate),
    /// Write a model's filters
    Filters(filters::Filters),
    /// Show gratings, and write how every unit is tuned
    Tuning(tuning::Tuning),
    /// Run a study, or all that apply: what is measured beside what theory predicts
    Measure(measure::Measure),
    /// Measure milliseconds a step
    Bench(bench::Bench),
}

/// What a run starts from.
#[derive(Args, Debug)]
struct Start {
    /// Preset
    #[arg(long)]
    preset: Option<String>,
    /// Configuration file (TOML)
    #[arg(long)]
    config: Option<PathBuf>,
    /// Change one value of the configuration
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Seed of everything random
    #[arg(long)]
    seed: Option<u64>,
    /// Worker threads; results do not depend on it
    #[arg(long)]
    threads: Option<usize>,
}

impl Start {
    /// The configuration, and the model where it comes from a file.
    fn read(&self, model: Option<&PathBuf>) -> anyhow::Result<(Config, Option<Hierarchy>)> {
        let (mut config, model) = match (model, &self.preset, &self.config) {
            (Some(path), None, None) => modelfile::load(path).map(|(config, model)| (config, Some(model)))?,
            (None, preset, None) => (presets::by_name(preset.as_deref().unwrap_or(presets::DEFAULT))?, None),
            (None, None, Some(path)) => (read_config(path)?, None),
            _ => bail!("only one of --model, --preset and --config can be given"),
        };
        for assignment in &self.set {
            config.set(assignment)?;
        }
        if let Some(seed) = self.seed {
            config.dynamics.seed = seed;
        }
        if let Some(threads) = self.threads {
            config.set(&format!("threads={threads}"))?;
        }
        Ok((config, model))
    }
}

fn read_config(path: &PathBuf) -> anyhow::Result<Config> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Config::from_toml(&text).with_context(|| path.display().to_string())
}

/// Runs what the command line asks for; the exit status: 0, or 1 after one line on stderr.
pub fn main() -> std::process::ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) if !error.use_stderr() => {
            let _ = error.print(); // help and version; a closed pipe is no failure
            return std::process::ExitCode::SUCCESS;
        }
        Err(error) => {
            let text = error.to_string();
            let lines: Vec<_> =
                text.lines().take_while(|line| !line.starts_with("Usage")).map(str::trim).filter(|l| !l.is_empty()).collect();
            eprintln!("{}", lines.join(" "));
            return std::process::ExitCode::FAILURE;
        }
    };
    match run(arguments) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            let line = format!("{error:#}").split_whitespace().collect::<Vec<_>>().join(" ");
            eprintln!("error: {line}");
            std::process::ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<()> {
    match arguments.command {
        Some(Subcommands::Presets) => {
            for preset in presets::all() {
                println!("{:<16} {}", preset.name, preset.summary);
            }
            Ok(())
        }
        Some(Subcommands::Train(train)) => train.run(),
        Some(Subcommands::Sample(sample)) => sample.run(),
        Some(Subcommands::Generate(generate)) => generate.run(),
        Some(Subcommands::Diagnose(diagnose)) => diagnose.run(),
        Some(Subcommands::Evaluate(evaluate)) => evaluate.run(),
        Some(Subcommands::Filters(filters)) => filters.run(),
        Some(Subcommands::Tuning(tuning)) => tuning.run(),
        Some(Subcommands::Measure(measure)) => measure.run(),
        Some(Subcommands::Bench(bench)) => bench.run(),
        None => window(arguments),
    }
}

fn window(a: Arguments) -> anyhow::Result<()> {
    let start = Start { preset: a.preset, config: a.config, set: a.set, seed: None, threads: None };
    let (config, _) = start.read(a.model.as_ref())?;
    let dark = match a.theme.as_deref() {
        None => None,
        Some("dark") => Some(true),
        Some("light") => Some(false),
        Some(other) => bail!("--theme {other}: light or dark is needed"),
    };
    let size = match a.size.as_deref().map(|s| (s, s.split_once('x').map(|(w, h)| (w.parse::<f32>(), h.parse::<f32>())))) {
        None => None,
        Some((_, Some((Ok(w), Ok(h))))) if (300.0..=10_000.0).contains(&w) && (200.0..=10_000.0).contains(&h) => Some([w, h]),
        Some((s, _)) => bail!("--size {s}: WIDTHxHEIGHT is needed, such as 1400x900"),
    };
    if let Some(view) = &a.view {
        app::view_by_name(view)?;
    }
    if !(0.0..=86_400.0).contains(&a.after) {
        bail!("--after {} is out of range: 0 to 86400 seconds", a.after);
    }
    let shot = a.screenshot.map(|path| Shot { path, after: std::time::Duration::from_secs_f64(a.after) });
    app::open(Options { config, model: a.model, view: a.view, dark, size, shot, full_speed: a.full_speed, measure: a.measure })
}
