//! `heescope diagnose`: how well chains have mixed, a row a unit.

use crate::analysis::chains::{Diagnostics, diagnose};
use crate::export::npz::open;
use anyhow::{anyhow, bail};
use ndarray::{Array3, Axis, Ix1, Ix3};
use std::path::PathBuf;

/// Options of `diagnose`.
#[derive(clap::Args, Debug)]
pub(super) struct Diagnose {
    /// File of samples (NPZ)
    samples: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Diagnose {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let path = self.samples.display();
        let mut file = open(&self.samples)?;
        let time = file.array("time_ms")?.into_dimensionality::<Ix1>().map_err(|_| anyhow!("{path}: time_ms is not a vector"))?;
        let mut rows: Vec<(usize, usize, Diagnostics)> = Vec::new();
        let layers = (2..).take_while(|l| file.has(&format!("x{l}"))).count() + 1;
        for layer in 1..=layers {
            let name = format!("x{layer}");
            let x: Array3<f32> = file
                .array(&name)?
                .into_dimensionality::<Ix3>()
                .map_err(|_| anyhow!("{path}: {name} needs three axes: chains, draws, units"))?;
            let draws = x.len_of(Axis(1));
            if draws < 4 || draws != time.len() {
                bail!("{path}: {name} has {draws} draws and time_ms {}: as many are needed, and at least 4", time.len());
            }
            for unit in 0..x.len_of(Axis(2)) {
                let chains: Vec<Vec<f64>> =
                    x.index_axis(Axis(2), unit).rows().into_iter().map(|c| c.iter().map(|&v| f64::from(v)).collect()).collect();
                let found = diagnose(&chains).ok_or_else(|| anyhow!("{path}: {name}, unit {unit}: a value is not finite"))?;
                rows.push((layer, unit, found));
            }
        }
        let spacing_ms = f64::from(time[time.len() - 1] - time[0]) / (time.len() - 1) as f64;
        if self.json {
            let row = |(layer, unit, d): &(usize, usize, Diagnostics)| -> anyhow::Result<serde_json::Value> {
                let mut value = serde_json::to_value(d)?;
                value["layer"] = (*layer).into();
                value["unit"] = (*unit).into();
                value["autocorrelation_time_ms"] = (d.autocorrelation_time * spacing_ms).into();
                Ok(value)
            };
            println!("{}", serde_json::Value::Array(rows.iter().map(row).collect::<anyhow::Result<_>>()?));
            return Ok(());
        }
        println!("layer  unit       mean         sd       mcse   ess_bulk   ess_mean    r_hat    tau (draws)        tau (ms)");
        for (layer, unit, d) in rows {
            println!(
                "{layer:>5} {unit:>5} {:>10.4} {:>10.4} {:>10.5} {:>10.1} {:>10.1} {:>8.4} {:>8.2} +- {:<5.2} {:>10.2}",
                d.mean,
                d.sd,
                d.mcse,
                d.ess_bulk,
                d.ess_mean,
                d.r_hat,
                d.autocorrelation_time,
                d.autocorrelation_error,
                d.autocorrelation_time * spacing_ms
            );
        }
        Ok(())
    }
}
