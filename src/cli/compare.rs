//! `heescope compare`: what differs between two model files.

use crate::cli::console::Console;
use crate::experiment::modelfile;
use crate::studies::model_comparison::{ALIKE, ComparedModel, ModelComparison};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Options of `compare`.
#[derive(clap::Args, Debug)]
pub(super) struct Compare {
    /// Model file
    first: PathBuf,
    /// The other one
    second: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Compare {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let read = |path: &Path| modelfile::load(path).map(|(config, model)| ComparedModel { config, model });
        let comparison = ModelComparison::of(&read(&self.first)?, &read(&self.second)?);
        let text = if self.json { serde_json::to_string_pretty(&json(&comparison))? + "\n" } else { table(&comparison) };
        let mut console = Console::new();
        console.print(&text);
        console.finish()
    }
}

/// Numbers that JSON cannot hold are null.
fn json(comparison: &ModelComparison) -> serde_json::Value {
    serde_json::to_value(comparison).unwrap_or_default()
}

fn table(comparison: &ModelComparison) -> String {
    let mut text = String::new();
    if comparison.differing.is_empty() {
        text.push_str("The configurations are the same.\n");
    }
    let width = comparison.differing.iter().map(|value| value.key.len()).max().unwrap_or(0);
    for value in &comparison.differing {
        let _ = writeln!(text, "{:width$}  {}  |  {}", value.key, value.first, value.second);
    }
    match comparison.matched.len() {
        0 => text.push_str("filters: of other pixels, none belong together\n"),
        all => {
            let _ = writeln!(
                text,
                "filters: {} of {all} alike (|cosine| from {ALIKE}), |W - W'|/|W| {:.3}",
                comparison.alike, comparison.weight_difference
            );
        }
    }
    for of in &comparison.distributions {
        let [first, second] = of.medians;
        let _ = writeln!(text, "{}: medians {first:.3} and {second:.3}, KS {:.3}, p = {:.2}", of.name, of.statistic, of.chance);
    }
    text
}
