//! Samples in files: the chains of every unit, and how well they have mixed.

use crate::analysis::chains::{Caution, Diagnoser, Diagnostics, NormalScores, ranked_values};
use crate::export::FileError;
use crate::export::npz::{Opened, open};
use ndarray::Ix1;
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// Values of units that are diagnosed together, about: 128 MB of them are in memory at once, and a unit at the least.
const TOGETHER: usize = 1 << 25;

/// What was found of the chains of a unit.
#[derive(Clone, Copy, Debug)]
pub struct UnitDiagnostics {
    /// Its layer, from 1.
    pub layer: usize,
    /// Its number in the layer.
    pub unit: usize,
    /// The figures.
    pub figures: Diagnostics,
    /// Why some of them are not available.
    pub caution: Option<Caution>,
}

/// A file of samples: arrays time_ms `[draws]` and x1, x2, .. `[chains, draws, units]`, all float32.
pub struct SampleFile {
    file: Opened,
    path: PathBuf,
    /// Draws that there are times of.
    draws: usize,
    spacing_ms: f64,
}

/// The samples of a layer.
#[derive(Clone, Copy, Debug)]
pub struct LayerSamples {
    number: usize,
    chains: usize,
    draws: usize,
    units: usize,
}

impl LayerSamples {
    fn name(&self) -> String {
        format!("x{}", self.number)
    }

    /// Values of one unit.
    fn values_of_unit(&self) -> usize {
        self.chains * self.draws
    }

    /// Values of all units.
    pub fn values(&self) -> usize {
        self.units * self.values_of_unit()
    }
}

impl SampleFile {
    /// Opens it and reads its times; the error names the file, and the array that is not as it should be.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        let mut file = open(path)?;
        let time = file.array("time_ms")?.into_dimensionality::<Ix1>().map_err(|_| FileError::content(path, "time_ms is not a vector"))?;
        let ends = time.first().zip(time.last()).map_or(f64::NAN, |(first, last)| f64::from(*last) - f64::from(*first));
        let spacing = ends / (time.len() as f64 - 1.0);
        Ok(Self {
            file,
            path: path.into(),
            draws: time.len(),
            spacing_ms: if spacing.is_finite() && spacing >= 0.0 { spacing } else { f64::NAN },
        })
    }

    /// Between two draws, ms; NaN where the times do not tell.
    pub fn spacing_ms(&self) -> f64 {
        self.spacing_ms
    }

    /// x1, x2, .. as far as there are any; the error says what is wrong with a shape.
    pub fn layers(&mut self) -> Result<Vec<LayerSamples>, FileError> {
        let count = (2..).take_while(|l| self.file.has(&format!("x{l}"))).count() + 1;
        (1..=count).map(|number| self.layer(number)).collect()
    }

    fn layer(&mut self, number: usize) -> Result<LayerSamples, FileError> {
        let name = format!("x{number}");
        let wrong = |problem: String| Err(FileError::content(&self.path, problem));
        let shape = self.file.shape(&name)?;
        let &[chains, draws, units] = &shape[..] else {
            return wrong(format!("{name} has the shape {shape:?}, three axes are needed: chains, draws, units"));
        };
        if let Some((_, what)) = [(chains, "chain"), (draws, "draw"), (units, "unit")].iter().find(|(side, _)| *side == 0) {
            return wrong(format!("{name} has the shape {shape:?} (chains, draws, units): there is no {what}"));
        }
        if draws != self.draws {
            return wrong(format!("{name} has {draws} draws and time_ms {}: as many are needed", self.draws));
        }
        if chains.checked_mul(draws).and_then(|values| values.checked_mul(units)).is_none() {
            return wrong(format!("{name} has the shape {shape:?}: no file holds so much"));
        }
        Ok(LayerSamples { number, chains, draws, units })
    }

    /// Adds what is found of each unit of a layer. Some units are in memory at a time. `done` is told of values that were read or
    /// diagnosed: in all twice as many as there are.
    pub fn diagnose(
        &mut self,
        layer: &LayerSamples,
        done: &(dyn Fn(usize) + Sync),
        found: &mut Vec<UnitDiagnostics>,
    ) -> Result<(), FileError> {
        let (name, values) = (layer.name(), layer.values_of_unit());
        let together = (TOGETHER / values).clamp(1, layer.units);
        let mut normal = None;
        for first in (0..layer.units).step_by(together) {
            let wanted = first..layer.units.min(first + together);
            let share = wanted.len() as f64 / layer.units as f64;
            let mut read = |count: usize| done((count as f64 * share) as usize);
            let x = self.file.last_axis(&name, wanted.clone(), &mut read)?;
            // Made once the file has shown that it holds what it promises.
            let normal = normal.get_or_insert_with(|| NormalScores::of(ranked_values(layer.chains, layer.draws)));
            let diagnose = |diagnoser: &mut Diagnoser, unit: &[f32]| {
                let figures = diagnoser.diagnose(unit, layer.draws);
                done(values);
                figures
            };
            let figures: Vec<_> = x.par_chunks_exact(values).map_init(|| Diagnoser::new(normal), diagnose).collect();
            let of_unit = |(unit, (figures, caution))| UnitDiagnostics { layer: layer.number, unit, figures, caution };
            found.extend(wanted.zip(figures).map(of_unit));
        }
        Ok(())
    }
}
