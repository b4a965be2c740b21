//! The command line: no subcommand opens the window, the others run the same engine without one.

mod bench;
mod boundary;
mod compare;
mod complete;
mod completion_errors;
mod console;
mod diagnose;
mod evaluate;
mod film;
mod filters;
mod generate;
mod image_data;
mod likelihood;
mod measure;
mod record;
mod sample;
mod stop;
mod train;
mod tuning;
mod window;

use crate::experiment::parameters::{self, Value};
use crate::experiment::{Config, ConfigError, modelfile, presets};
use crate::export::Outputs;
use crate::model::Hierarchy;
use anyhow::{Context, bail};
use clap::{Args, Parser, Subcommand};
use console::{Console, notice};
use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};

/// Watch neural sampling in hierarchical energy-based models.
#[derive(Parser, Debug)]
#[command(version, about, arg_required_else_help = false)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Subcommands>,
    #[command(flatten)]
    window: window::WindowArguments,
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
    /// Complete images of which a part is hidden
    Complete(complete::Complete),
    /// Tell what differs between two models
    Compare(compare::Compare),
    /// Tell how well chains have mixed
    Diagnose(diagnose::Diagnose),
    /// Tell how close generated images come to data
    Evaluate(evaluate::Evaluate),
    /// Write a model's filters
    Filters(filters::Filters),
    /// Show gratings, and write how every unit is tuned
    Tuning(tuning::Tuning),
    /// Measure what theory predicts: adaptation, separation of time scales, the partition function, a race of samplers
    Measure(measure::Measure),
    /// Record what a run shows
    Record(record::Record),
    /// Open the window on a recording, or write a film of one of its views
    Replay(record::Replayed),
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
    /// Seed of everything random, 0 to 2^64 - 1
    #[arg(long, value_parser = seed)]
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

    /// What a command reads that starts from this and from a `model` file: nothing is to be written in its place.
    fn reads<'a>(&'a self, model: Option<&'a PathBuf>, outputs: Outputs<'a>) -> Outputs<'a> {
        reads("--model", model, reads("--config", self.config.as_ref(), outputs))
    }
}

/// Adds a file that an option names, where it does, to what a command reads.
fn reads<'a>(option: &'static str, path: Option<&'a PathBuf>, outputs: Outputs<'a>) -> Outputs<'a> {
    match path {
        Some(path) => outputs.reads(option, path),
        None => outputs,
    }
}

/// Adds a file that an option names, where it does, to what a command writes.
fn writes<'a>(option: &'static str, path: Option<&'a PathBuf>, needed: &'static str, outputs: Outputs<'a>) -> Outputs<'a> {
    match path {
        Some(path) => outputs.writes(option, path, needed),
        None => outputs,
    }
}

/// A seed, in the range and the words of the configuration.
fn seed(text: &str) -> Result<u64, ConfigError> {
    let known = || parameters::all().iter().map(|parameter| parameter.key.into()).collect();
    let parameter = parameters::find("seed").ok_or_else(|| ConfigError::unknown_key("seed", known(), None))?;
    match parameter.parse(text)? {
        Value::Whole(seed) => Ok(seed),
        other => Err(parameter.wrong_kind(other)),
    }
}

/// Bytes of a configuration file at most.
const LONGEST_CONFIG: u64 = 1 << 24;

fn read_config(path: &Path) -> anyhow::Result<Config> {
    let (mut text, place) = (String::new(), path.display());
    let file = std::fs::File::open(path).with_context(|| format!("cannot read {place}"))?;
    file.take(LONGEST_CONFIG + 1).read_to_string(&mut text).with_context(|| format!("cannot read {place}"))?;
    if text.len() as u64 > LONGEST_CONFIG {
        bail!("{place}: a configuration has at most {LONGEST_CONFIG} bytes");
    }
    Config::from_toml(&text).with_context(|| place.to_string())
}

/// The program around the commands: what only the process as a whole may decide is handed in here.
#[derive(Clone, Copy, Debug, Default)]
pub struct Program {
    #[cfg(feature = "window")]
    on_window_phase: Option<fn(crate::app::WindowPhase)>,
}

impl Program {
    /// Calls `on_phase` when a phase of the window begins, on the window's thread.
    #[cfg(feature = "window")]
    #[must_use]
    pub fn on_window_phase(self, on_phase: fn(crate::app::WindowPhase)) -> Self {
        Self { on_window_phase: Some(on_phase) }
    }

    /// Runs what the command line asks for; the exit status: 0, 1 after one line on stderr, or 70 after one that asks for a report.
    pub fn run(self) -> std::process::ExitCode {
        boundary::guarded(|| main(self)).into()
    }
}

/// The exit status.
fn main(program: Program) -> u8 {
    stop::survive_file_limit();
    let outcome = match Arguments::try_parse() {
        Ok(arguments) => run(arguments, program),
        Err(error) if !error.use_stderr() => {
            // Help and version.
            let mut console = Console::new();
            match std::io::stdout().is_terminal() {
                true => console.print(error.render().ansi()),
                false => console.print(error.render()),
            }
            console.finish()
        }
        Err(error) => {
            let text = error.to_string();
            let lines: Vec<_> = text.lines().take_while(|line| !line.starts_with("Usage")).collect();
            notice(lines.join(" "));
            return 1;
        }
    };
    match outcome {
        Ok(()) => 0,
        Err(error) => {
            notice(format_args!("error: {error:#}"));
            1
        }
    }
}

fn run(arguments: Arguments, program: Program) -> anyhow::Result<()> {
    match arguments.command {
        Some(Subcommands::Presets) => {
            let mut console = Console::new();
            for preset in presets::all() {
                console.line(format_args!("{:<16} {}", preset.name, preset.summary));
            }
            console.finish()
        }
        Some(Subcommands::Train(train)) => train.run(),
        Some(Subcommands::Sample(sample)) => sample.run(),
        Some(Subcommands::Generate(generate)) => generate.run(),
        Some(Subcommands::Complete(complete)) => complete.run(),
        Some(Subcommands::Compare(compare)) => compare.run(),
        Some(Subcommands::Diagnose(diagnose)) => diagnose.run(),
        Some(Subcommands::Evaluate(evaluate)) => evaluate.run(),
        Some(Subcommands::Filters(filters)) => filters.run(),
        Some(Subcommands::Tuning(tuning)) => tuning.run(),
        Some(Subcommands::Measure(measure)) => measure.run(),
        Some(Subcommands::Record(record)) => record.run(),
        Some(Subcommands::Replay(replay)) => replay.run(program),
        Some(Subcommands::Bench(bench)) => bench.run(),
        None => arguments.window.open(program),
    }
}
