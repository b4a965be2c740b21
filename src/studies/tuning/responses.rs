//! Responses of every unit of a layer to gratings, and the tuning of each unit that follows from them.

use super::protocol::Protocol;
use crate::analysis::tuning::{OrientationTuning, modulation_ratio, orientation};
use ndarray::{Array2, Array4};

/// Responses of every unit of a layer.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Responses {
    /// What was shown.
    pub protocol: Protocol,
    /// The layer.
    pub layer: usize,
    /// Rows and columns of a grating.
    pub shape: [usize; 2],
    /// Mean rate to a blank of each unit, `[units]`. The rate of a neuron is the posterior mean of max(x, 0).
    pub blank: Vec<f64>,
    /// Mean rate, `[orientations, frequencies, phases, units]`.
    pub rate: Array4<f32>,
    /// Standard deviation of max(x, 0) over posterior samples, the same shape.
    pub spread: Array4<f32>,
    /// Mean rate at each unit's best grating over phases, `[units, contrasts]`.
    pub contrast: Array2<f32>,
    /// What follows from them, one entry a unit.
    pub units: Vec<UnitTuning>,
}

/// Tuning of one unit; rates are above the blank's.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct UnitTuning {
    /// Place of the best orientation and frequency in the protocol.
    pub best: [usize; 2],
    /// Rate at the best frequency, and its spread over posterior samples, by orientation: mean over phases for a complex cell,
    /// at the best phase for a simple one.
    pub by_orientation: Vec<[f64; 2]>,
    /// Rate at the best orientation and frequency, by phase.
    pub by_phase: Vec<f64>,
    /// F1/F0 there.
    pub modulation: Option<f64>,
    /// The orientation curve's fit and figures; None where there is no response.
    pub orientation: Option<OrientationTuning>,
}

/// The tuning of one unit.
pub(super) fn tune(rate: &Array4<f32>, spread: &Array4<f32>, blank: f64, unit: usize) -> UnitTuning {
    let (o, f, p, _) = rate.dim();
    let above = |a: usize, b: usize, c: usize| (f64::from(rate[[a, b, c, unit]]) - blank).max(0.0);
    let mean = |a: usize, b: usize| (0..p).map(|c| above(a, b, c)).sum::<f64>() / p as f64;
    let best = (0..o * f).map(|i| [i / f, i % f]).max_by(|x, y| mean(x[0], x[1]).total_cmp(&mean(y[0], y[1]))).unwrap_or([0; 2]);
    let by_phase: Vec<f64> = (0..p).map(|c| above(best[0], best[1], c)).collect();
    let modulation = modulation_ratio(&by_phase);
    let simple = modulation.is_some_and(|ratio| ratio > 1.0);
    let at_orientation = |a: usize| {
        let (mean, variance) = if simple {
            // At each orientation the first harmonic does not depend on where the phase begins.
            let phases: Vec<f64> = (0..p).map(|c| above(a, best[1], c)).collect();
            let first = modulation_ratio(&phases).unwrap_or(0.0) * mean(a, best[1]);
            let strongest = (0..p).max_by(|&x, &y| phases[x].total_cmp(&phases[y])).unwrap_or(0);
            (first, f64::from(spread[[a, best[1], strongest, unit]]).powi(2))
        } else {
            (mean(a, best[1]), (0..p).map(|c| f64::from(spread[[a, best[1], c, unit]]).powi(2)).sum::<f64>() / p as f64)
        };
        [mean, variance.sqrt()]
    };
    let by_orientation: Vec<[f64; 2]> = (0..o).map(at_orientation).collect();
    let rates: Vec<f64> = by_orientation.iter().map(|r| r[0]).collect();
    UnitTuning { best, orientation: orientation(&rates), by_orientation, by_phase, modulation }
}
