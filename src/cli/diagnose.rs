//! `heescope diagnose`: how well chains have mixed, a row a unit.

use crate::analysis::chains::{Caution, Diagnoser, Diagnostics, NormalScores, ranked_values};
use crate::cli::console::Console;
use crate::export::npz::{Opened, open};
use anyhow::{anyhow, bail};
use indicatif::ProgressBar;
use ndarray::Ix1;
use rayon::prelude::*;
use std::io::IsTerminal;
use std::path::PathBuf;

/// Values of units that are diagnosed together, about: 128 MB of them are in memory at once, and a unit at the least.
const TOGETHER: usize = 1 << 25;

/// Rows that are printed together.
const PRINTED_TOGETHER: usize = 1000;

/// Options of `diagnose`.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Figures are those of ArviZ. What is not available is n/a in the table, null in JSON, and the note says why; chains that stand still at
different values have an infinite R-hat (in JSON the text Infinity).")]
pub(super) struct Diagnose {
    /// File of samples (NPZ)
    samples: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Diagnose {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let mut samples = Samples::open(&self)?;
        let layers = samples.layers()?;
        let values = layers.iter().fold(0, |sum: usize, layer| sum.saturating_add(layer.units * layer.values()));
        let bar = if std::io::stderr().is_terminal() { ProgressBar::new((values as u64).saturating_mul(2)) } else { ProgressBar::hidden() };
        let mut rows = Vec::new();
        for layer in &layers {
            samples.diagnose(layer, &bar, &mut rows)?;
        }
        bar.finish_and_clear();
        let mut console = Console::new();
        let spacing_ms = samples.spacing_ms;
        if self.json {
            // Some at a time: there may be a million of them.
            for (i, rows) in rows.chunks(PRINTED_TOGETHER).enumerate() {
                let rows = rows.iter().map(|row| Ok(row.json(spacing_ms)?.to_string())).collect::<anyhow::Result<Vec<_>>>()?;
                console.print(format_args!("{}{}", if i == 0 { "[" } else { "," }, rows.join(",")));
            }
            console.line("]");
            return console.finish();
        }
        console.line("layer  unit       mean         sd       mcse   ess_bulk   ess_mean    r_hat    tau (draws)        tau (ms)");
        for rows in rows.chunks(PRINTED_TOGETHER) {
            console.line(rows.iter().map(|row| row.line(spacing_ms)).collect::<Vec<_>>().join("\n"));
        }
        console.finish()
    }
}

/// A file of samples.
struct Samples {
    file: Opened,
    /// Its name, for messages.
    path: String,
    /// Draws that there are times of.
    draws: usize,
    /// Between two draws, ms; NaN where the times do not tell.
    spacing_ms: f64,
}

/// The samples of a layer.
struct Layer {
    number: usize,
    chains: usize,
    draws: usize,
    units: usize,
}

impl Layer {
    fn name(&self) -> String {
        format!("x{}", self.number)
    }

    /// Values of one unit.
    fn values(&self) -> usize {
        self.chains * self.draws
    }
}

impl Samples {
    fn open(given: &Diagnose) -> anyhow::Result<Self> {
        let path = given.samples.display().to_string();
        let mut file = open(&given.samples)?;
        let time = file.array("time_ms")?.into_dimensionality::<Ix1>().map_err(|_| anyhow!("{path}: time_ms is not a vector"))?;
        let ends = time.first().zip(time.last()).map_or(f64::NAN, |(first, last)| f64::from(*last) - f64::from(*first));
        let spacing = ends / (time.len() as f64 - 1.0);
        Ok(Self { file, path, draws: time.len(), spacing_ms: if spacing.is_finite() && spacing >= 0.0 { spacing } else { f64::NAN } })
    }

    /// x1, x2, .. as far as there are any; the error says what is wrong with a shape.
    fn layers(&mut self) -> anyhow::Result<Vec<Layer>> {
        let count = (2..).take_while(|l| self.file.has(&format!("x{l}"))).count() + 1;
        (1..=count).map(|number| self.layer(number)).collect()
    }

    fn layer(&mut self, number: usize) -> anyhow::Result<Layer> {
        let (path, name) = (&self.path, format!("x{number}"));
        let shape = self.file.shape(&name)?;
        let &[chains, draws, units] = &shape[..] else {
            bail!("{path}: {name} has the shape {shape:?}, three axes are needed: chains, draws, units");
        };
        if let Some((_, what)) = [(chains, "chain"), (draws, "draw"), (units, "unit")].iter().find(|(side, _)| *side == 0) {
            bail!("{path}: {name} has the shape {shape:?} (chains, draws, units): there is no {what}");
        }
        if draws != self.draws {
            bail!("{path}: {name} has {draws} draws and time_ms {}: as many are needed", self.draws);
        }
        if chains.checked_mul(draws).and_then(|values| values.checked_mul(units)).is_none() {
            bail!("{path}: {name} has the shape {shape:?}: no file holds so much");
        }
        Ok(Layer { number, chains, draws, units })
    }

    /// Adds a row for each unit of a layer. Some units are in memory at a time.
    fn diagnose(&mut self, layer: &Layer, bar: &ProgressBar, rows: &mut Vec<Row>) -> anyhow::Result<()> {
        let (name, values) = (layer.name(), layer.values());
        let together = (TOGETHER / values).clamp(1, layer.units);
        let mut normal = None;
        for first in (0..layer.units).step_by(together) {
            let wanted = first..layer.units.min(first + together);
            let share = wanted.len() as f64 / layer.units as f64;
            let mut read = |count: usize| bar.inc((count as f64 * share) as u64);
            let x = self.file.last_axis(&name, wanted.clone(), &mut read)?;
            // Made once the file has shown that it holds what it promises.
            let normal = normal.get_or_insert_with(|| NormalScores::of(ranked_values(layer.chains, layer.draws)));
            let diagnose = |diagnoser: &mut Diagnoser, unit: &[f32]| {
                let found = diagnoser.diagnose(unit, layer.draws);
                bar.inc(values as u64);
                found
            };
            let found: Vec<_> = x.par_chunks_exact(values).map_init(|| Diagnoser::new(normal), diagnose).collect();
            let row = |(unit, (figures, caution))| Row { layer: layer.number, unit, figures, caution };
            rows.extend(wanted.zip(found).map(row));
        }
        Ok(())
    }
}

/// What was found of a unit.
struct Row {
    layer: usize,
    unit: usize,
    figures: Diagnostics,
    caution: Option<Caution>,
}

impl Row {
    fn json(&self, spacing_ms: f64) -> anyhow::Result<serde_json::Value> {
        let mut value = serde_json::to_value(self.figures)?;
        value["layer"] = self.layer.into();
        value["unit"] = self.unit.into();
        value["autocorrelation_time_ms"] = (self.figures.autocorrelation_time * spacing_ms).into();
        value["note"] = self.caution.map(|caution| caution.to_string()).into();
        Ok(value)
    }

    fn line(&self, spacing_ms: f64) -> String {
        let d = &self.figures;
        // In a column of so many letters.
        let number = |value: f64, width: usize, digits: usize| {
            let text = if value.is_nan() { "n/a".into() } else { format!("{value:.digits$}") };
            format!("{text:>width$}")
        };
        let figures = [
            number(d.mean, 10, 4),
            number(d.sd, 10, 4),
            number(d.mcse, 10, 5),
            number(d.ess_bulk, 10, 1),
            number(d.ess_mean, 10, 1),
            number(d.r_hat, 8, 4),
            number(d.autocorrelation_time, 8, 2),
        ];
        let error = if d.autocorrelation_error.is_nan() { "n/a".into() } else { format!("{:.2}", d.autocorrelation_error) };
        let note = self.caution.map(|caution| format!("  {caution}")).unwrap_or_default();
        let time_ms = number(d.autocorrelation_time * spacing_ms, 10, 2);
        format!("{:>5} {:>5} {} +- {error:<5} {time_ms}{note}", self.layer, self.unit, figures.join(" "))
    }
}
