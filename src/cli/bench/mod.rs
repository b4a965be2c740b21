//! `heescope bench`: milliseconds a step, split into its parts; every figure that has a target; how the cost grows.

mod clock;
mod gabor;
mod growth;
#[cfg(feature = "window")]
mod kept;
mod memory;
mod models;
mod parts;
mod plot;
mod scale;
mod table;
mod together;
#[cfg(feature = "window")]
mod watched;

use crate::cli::console::Console;
use crate::cli::{Start, writes};
use crate::dynamics::Probes;
use crate::experiment::parallel::run_on;
use crate::experiment::session::Session;
use crate::export::{Outputs, write_atomically, write_or_keep};
use anyhow::bail;
use clock::median_ms;
use parts::{Normals, Products};
use serde_json::{Map, Value, json};
use std::path::PathBuf;

/// Options of `bench`.
#[derive(clap::Args, Debug)]
pub(super) struct Bench {
    #[command(flatten)]
    start: Start,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Also every figure that has a target (about a minute); printed by --json without --preset, --config and --set too
    #[arg(long)]
    targets: bool,
    /// All of these with three seeds in place of one, what a window costs, and how the cost of a step grows with batch, pixels, units,
    /// layers, K and threads (some minutes)
    #[arg(long)]
    all: bool,
    /// Steps of large models, at several batches, of several layers, on one thread and on all, beside their products and normals alone (two
    /// minutes)
    #[arg(long)]
    scale: bool,
    /// What it costs that a run is kept: autosave, timeline and recording (two minutes)
    #[cfg(feature = "window")]
    #[arg(long)]
    kept: bool,
    /// Rounds of which medians are taken
    #[arg(long, default_value_t = ROUNDS)]
    rounds: usize,
    /// Picture of the growth to write (SVG); with --all
    #[arg(long, requires = "all")]
    plot: Option<PathBuf>,
}

/// Rounds unless asked otherwise.
const ROUNDS: usize = 15;
/// Steps of one round of the short table.
const STEPS: usize = 200;
/// Rounds of the comparison with a window, almost a second each.
#[cfg(feature = "window")]
const WATCHED_ROUNDS: usize = 60;

/// Rounds of what a kept run costs, 4 seconds each.
#[cfg(feature = "window")]
const KEPT_ROUNDS: usize = 30;

impl Bench {
    pub(super) fn run(self) -> anyhow::Result<()> {
        if !(1..=10_000).contains(&self.rounds) {
            bail!("--rounds {} is out of range: 1 to 10000", self.rounds);
        }
        let outputs = writes("--plot", self.plot.as_ref(), ".svg", Outputs::default());
        self.start.reads(None, outputs).check()?;
        let plain = self.start.preset.is_none() && self.start.config.is_none() && self.start.set.is_empty();
        let targets = self.targets || self.all || (self.json && plain && !self.scale);
        // First of all, while the process holds nothing else: it measures memory.
        let figures = if targets { Some(table::measure(self.rounds, if self.all { 3 } else { 1 })?) } else { None };
        let mut map = self.split()?;
        if let Some(figures) = &figures {
            map.insert("figures".into(), json!(figures.0));
        }
        #[cfg(feature = "window")]
        if self.all {
            map.insert("watched".into(), json!(watched::measure(WATCHED_ROUNDS)?));
        }
        #[cfg(feature = "window")]
        if self.kept {
            map.insert("kept".into(), json!(kept::measure(KEPT_ROUNDS)?));
        }
        let scale = if self.scale { scale::measure(self.rounds)? } else { Vec::new() };
        if self.scale {
            map.insert("scale".into(), json!(scale));
        }
        let growth = if self.all { growth::measure(self.rounds)? } else { Vec::new() };
        if self.all {
            map.insert("growth".into(), json!(growth));
        }
        if let Some(path) = &self.plot {
            write_or_keep(path, |path| write_atomically(path, plot::svg(&growth).as_bytes()))?;
        }
        map.insert("rounds".into(), self.rounds.into());
        let mut console = Console::beside(self.plot.as_deref());
        if self.json {
            console.line(Value::Object(map));
        } else {
            self.print(&mut console, &map, figures.as_ref(), &growth);
            if self.scale {
                console.line(format_args!("\n{}", scale::text(&scale).trim_end()));
            }
        }
        console.finish()
    }

    /// One step of a configuration, and its parts alone.
    fn split(&self) -> anyhow::Result<Map<String, Value>> {
        let (mut config, _) = self.start.read(None)?;
        config.learning.enabled = false;
        let mut session = Session::new(config.clone())?;
        session.hold(true)?;
        let probes = Probes::default();
        // From within the threads, as the program runs.
        let step_ms = run_on(session.pool(), || median_ms(self.rounds, || drop(session.advance(STEPS, &probes)))) / STEPS as f64;
        // The parts alone on one thread, all rows: what the bound is made of.
        let batch = config.stimulus.batch;
        let mut products = Products::new(session.model(), batch);
        let products_ms = median_ms(self.rounds, || products.run_whole());
        let count = parts::normals(session.model(), batch, session.parameters().exact);
        let mut normals = Normals::new(count);
        let noise_ms = median_ms(self.rounds, || normals.draw());
        config.learning.enabled = true;
        let images_per_second = if config.stimulus.steps_per_stimulus > 0 {
            let mut learner = Session::new(config.clone())?;
            let presentation_ms = median_ms(self.rounds, || drop(learner.advance(usize::MAX, &probes)));
            batch as f64 / presentation_ms * 1e3
        } else {
            0.0
        };
        let threads = match config.dynamics.threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        };
        let elementwise_ms = (step_ms * threads as f64 - products_ms - noise_ms).max(0.0);
        let rows = [
            ("step_ms", step_ms),
            ("steps_per_second", 1e3 / step_ms),
            ("learning_images_per_second", images_per_second),
            ("one_thread_products_ms", products_ms),
            ("one_thread_noise_ms", noise_ms),
            ("one_thread_elementwise_and_rest_ms", elementwise_ms),
            ("noise_ns_per_normal", noise_ms * 1e6 / count.max(1) as f64),
        ];
        let mut map: Map<_, _> = rows.iter().map(|(k, v)| ((*k).to_string(), json!(v))).collect();
        map.insert("preset".into(), config.model.name.clone().into());
        map.insert("batch".into(), batch.into());
        map.insert("threads".into(), threads.into());
        Ok(map)
    }

    fn print(&self, console: &mut Console, map: &Map<String, Value>, figures: Option<&table::Figures>, growth: &[growth::Growth]) {
        let text = |key: &str| map.get(key).and_then(Value::as_str).unwrap_or_default();
        console.line(format_args!(
            "preset {}, batch {}, {} threads, medians of {} rounds",
            text("preset"),
            map["batch"],
            map["threads"],
            self.rounds
        ));
        for (name, value) in map.iter().filter_map(|(name, value)| value.as_f64().filter(|_| value.is_f64()).map(|v| (name, v))) {
            console.line(format_args!("{name:<36} {value:.4}"));
        }
        for f in figures.iter().flat_map(|figures| &figures.0) {
            let scores = match (f.target, f.reached) {
                (Some(target), Some(true)) => format!("  target {target}: reached"),
                (Some(target), _) => format!("  target {target}: NOT reached"),
                _ => String::new(),
            };
            console.line(format_args!("{:<60} {:>10.4} {}{scores}", f.what, f.value, f.unit));
        }
        if let Some(watched) = map.get("watched") {
            console.line(format_args!("\nwatched: {watched:#}"));
        }
        if let Some(kept) = map.get("kept") {
            console.line(format_args!("\nkept: {kept:#}"));
        }
        for g in growth {
            console.line(format_args!("\n{:>10} {:>12} {:>12}", g.over, "step ms", "bound ms"));
            g.points.iter().for_each(|p| console.line(format_args!("{:>10} {:>12.4} {:>12.4}", p.at, p.step_ms, p.bound_ms)));
        }
    }
}
