//! `heescope tuning`: shows gratings to a model as to V1, and writes what every unit of a layer answers.

use crate::analysis::published::{MACAQUE_CIRCULAR_VARIANCE, MACAQUE_HALF_WIDTH_DEG};
use crate::experiment::session::Session;
use crate::experiment::tuning::{Preparation, Protocol};
use crate::experiment::tuning_figures::{medians, table};
use crate::experiment::{fits, modelfile};
use anyhow::{Context, bail};
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
        let active_layers = session.stage().map_or(session.model().depth(), |stage| stage.active_layers);
        if !(1..=active_layers).contains(&self.layer) {
            bail!("--layer {} is out of range: 1 to {active_layers}, the layers that run", self.layer);
        }
        let pixels = session.model().layers[0].size;
        let side = fits::side(pixels).with_context(|| {
            format!("{}: it observes {pixels} values, no square picture of at least 6 x 6 pixels", self.model.display())
        })?;
        let protocol = Protocol { seed: session.config().dynamics.seed, ..Protocol::default() };
        let preparation = Preparation { model: session.model(), parameters: session.parameters(), active_layers, layer: self.layer };
        let bar = if std::io::stderr().is_terminal() { indicatif::ProgressBar::new(1) } else { indicatif::ProgressBar::hidden() };
        let found = preparation.run(&protocol, side, &mut |done, total, _| {
            bar.set_length(total as u64);
            bar.set_position(done as u64);
            true
        });
        bar.finish_and_clear();
        let found = found.context("the gratings were not shown to their end")?;
        table(&found).save(&self.out)?;
        let m = medians(&found);
        println!(
            "{} of {} units respond; medians: circular variance {:.2} (macaque {MACAQUE_CIRCULAR_VARIANCE}), half-width {:.1} degrees (macaque {MACAQUE_HALF_WIDTH_DEG}), F1/F0 {:.2}; simple {:.0} %",
            m.responding,
            found.units.len(),
            m.circular_variance,
            m.half_width_deg,
            m.modulation,
            100.0 * m.simple
        );
        Ok(())
    }
}
