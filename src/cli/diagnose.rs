//! `heescope diagnose`: how well chains have mixed, a row a unit.

use crate::cli::console::Console;
use crate::experiment::samples::{SampleFile, UnitDiagnostics};
use indicatif::ProgressBar;
use std::io::IsTerminal;
use std::path::PathBuf;

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
        let mut samples = SampleFile::open(&self.samples)?;
        let layers = samples.layers()?;
        let values = layers.iter().fold(0, |sum: usize, layer| sum.saturating_add(layer.values()));
        let bar = if std::io::stderr().is_terminal() { ProgressBar::new((values as u64).saturating_mul(2)) } else { ProgressBar::hidden() };
        let mut rows = Vec::new();
        for layer in &layers {
            samples.diagnose(layer, &|values| bar.inc(values as u64), &mut rows)?;
        }
        bar.finish_and_clear();
        let mut console = Console::new();
        let spacing_ms = samples.spacing_ms();
        if self.json {
            // Some at a time: there may be a million of them.
            for (i, rows) in rows.chunks(PRINTED_TOGETHER).enumerate() {
                let rows = rows.iter().map(|row| Ok(json(row, spacing_ms)?.to_string())).collect::<anyhow::Result<Vec<_>>>()?;
                console.print(format_args!("{}{}", if i == 0 { "[" } else { "," }, rows.join(",")));
            }
            console.line("]");
            return console.finish();
        }
        console.line("layer  unit       mean         sd       mcse   ess_bulk   ess_mean    r_hat    tau (draws)        tau (ms)");
        for rows in rows.chunks(PRINTED_TOGETHER) {
            console.line(rows.iter().map(|row| line(row, spacing_ms)).collect::<Vec<_>>().join("\n"));
        }
        console.finish()
    }
}

fn json(row: &UnitDiagnostics, spacing_ms: f64) -> anyhow::Result<serde_json::Value> {
    let mut value = serde_json::to_value(row.figures)?;
    value["layer"] = row.layer.into();
    value["unit"] = row.unit.into();
    value["autocorrelation_time_ms"] = (row.figures.autocorrelation_time * spacing_ms).into();
    value["note"] = row.caution.map(|caution| caution.to_string()).into();
    Ok(value)
}

fn line(row: &UnitDiagnostics, spacing_ms: f64) -> String {
    let d = &row.figures;
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
    let note = row.caution.map(|caution| format!("  {caution}")).unwrap_or_default();
    let time_ms = number(d.autocorrelation_time * spacing_ms, 10, 2);
    format!("{:>5} {:>5} {} +- {error:<5} {time_ms}{note}", row.layer, row.unit, figures.join(" "))
}
