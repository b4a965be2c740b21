//! `heescope tuning`: shows gratings to a model as to V1, and writes what every unit of a layer answers.

use crate::cli::console::Console;
use crate::experiment::{ModelVersion, Session, WatchedUnits, modelfile};
use crate::export::table::TABLE_ENDINGS;
use crate::export::{Outputs, write_or_keep};
use crate::studies::{self, Study, StudyError, StudyOptions, StudyTarget, tuning};
use anyhow::bail;
use std::io::IsTerminal;
use std::path::PathBuf;

/// Options of `tuning`.
#[derive(clap::Args, Debug)]
pub(super) struct Tuning {
    /// Model file
    #[arg(long)]
    model: PathBuf,
    /// Change one value of the configuration, such as adaptation=0
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Layer whose units are recorded
    #[arg(long, default_value_t = 1)]
    layer: usize,
    /// Table to write (CSV or NPY), a row a unit
    #[arg(long)]
    out: PathBuf,
}

impl Tuning {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let (mut config, model) = modelfile::load(&self.model)?;
        for assignment in &self.set {
            config.set(assignment)?;
        }
        let session = Session::with_model(config, model)?;
        let watched = WatchedUnits { layer: self.layer, pair: [0, 0] };
        let target = StudyTarget { watched, ..StudyTarget::of(&session, ModelVersion::default()) };
        let study = &tuning::STUDY;
        if study.applies(&target).is_ok() {
            Outputs::default().writes("--out", &self.out, TABLE_ENDINGS).reads("--model", &self.model).check()?;
        }
        let bar = if std::io::stderr().is_terminal() { indicatif::ProgressBar::new(1) } else { indicatif::ProgressBar::hidden() };
        let found = studies::measure(study, &target, &StudyOptions::default(), &mut |findings| {
            bar.set_length(findings.total as u64);
            bar.set_position(findings.done as u64);
            true
        });
        bar.finish_and_clear();
        let found = match found {
            Err(StudyError::NotApplicable(reason)) => bail!("{}: {reason}", self.model.display()),
            other => other?,
        };
        let table = found.to_table(study);
        write_or_keep(&self.out, |path| table.save(path))?;
        let mut console = Console::beside([self.out.as_path()]);
        console.print(study.printed(&found).unwrap_or_default());
        console.finish()
    }
}
