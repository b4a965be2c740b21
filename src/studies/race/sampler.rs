//! One sampler: its settings, its chains, and what it has done since the start.

use crate::dynamics::{Ensemble, StepParameters};
use crate::experiment::config::{Config, DynamicsConfig};
use crate::experiment::parameters;
use crate::shown::{shown, suggestion};
use crate::studies::StudyError;
use ndarray::Array2;
use std::collections::VecDeque;
use std::time::Duration;

/// Samplers at most.
pub const MOST_SAMPLERS: usize = 4;
/// Cells a side of the grid on which visits are counted.
pub const CELLS: usize = 64;
/// Draws a chain kept for the diagnostics.
pub const DRAWS: usize = 2000;
/// Positions of the first chain that are kept: a second at the usual steps.
const PATH: usize = 1000;
/// Positions kept for the trails.
const TRAIL: usize = 40;
/// Parameters that a sampler has for itself, beside its noise.
const OWN_PARAMETERS: [&str; 4] = ["adaptation", "tau_v_ms", "tau_eps_ms", "interneurons"];

/// What is the sampler's own.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct SamplerConfig {
    /// m.
    pub adaptation: f64,
    /// tau_v, ms.
    pub tau_v_ms: f64,
    /// tau_eps, ms.
    pub tau_eps_ms: f64,
    /// K.
    pub interneurons: usize,
    /// Whether adaptation is noisy, as model.md 2 has it; without its noise another distribution is sampled.
    pub noisy: bool,
}

impl SamplerConfig {
    /// The sampler that a configuration describes.
    pub fn of(d: &DynamicsConfig) -> Self {
        Self { adaptation: d.adaptation, tau_v_ms: d.tau_v_ms, tau_eps_ms: d.tau_eps_ms, interneurons: d.interneurons, noisy: true }
    }

    /// Four that show what matters: no adaptation, adaptation, twice as strong, and with interneurons a fifth as slow as the neurons.
    pub fn contrast(d: &DynamicsConfig) -> [Self; MOST_SAMPLERS] {
        let adaptation = if d.adaptation > 0.0 { d.adaptation } else { 2.0 };
        let adapting = Self { adaptation, ..Self::of(d) };
        let slow = Self { tau_eps_ms: 0.2 * d.tau_x_ms, ..adapting };
        [Self { adaptation: 0.0, ..adapting }, adapting, Self { adaptation: 2.0 * adaptation, ..adapting }, slow]
    }

    /// A sampler out of a text such as `m=4,K=2`; the rest as the configuration has it. Keys are those of the configuration or the
    /// symbols m and K, with the ranges of the table of parameters. The error names the key at fault.
    pub fn read(text: &str, d: &DynamicsConfig) -> Result<Self, StudyError> {
        let (mut config, mut noisy) = (Config { dynamics: *d, ..Config::default() }, true);
        let wrong = |reason: String| StudyError::Option(format!("--sampler {}: {reason}", shown(text)));
        for part in text.split(',') {
            let (key, value) = part.split_once('=').ok_or_else(|| wrong(format!("'{}' is no KEY=VALUE", shown(part))))?;
            let key = match key.trim() {
                "m" => "adaptation",
                "K" => "interneurons",
                key => key,
            };
            match parameters::find(key).filter(|_| OWN_PARAMETERS.contains(&key)) {
                Some(parameter) => {
                    let set = parameter.parse(value).and_then(|value| parameter.set(&mut config, value));
                    set.map_err(|error| wrong(error.to_string()))?;
                }
                None if key == "noisy" => {
                    noisy = value.parse().map_err(|_| wrong(format!("noisy = {} is neither true nor false", shown(value))))?;
                }
                None => {
                    const KEYS: [&str; 5] = ["m", "tau_v_ms", "tau_eps_ms", "K", "noisy"];
                    let meant = suggestion(key, KEYS);
                    return Err(wrong(format!("no key '{}'{meant}; there are: {}", shown(key), KEYS.join(", "))));
                }
            }
        }
        Ok(Self { noisy, ..Self::of(&config.dynamics) })
    }

    /// A name for plots.
    pub fn label(&self) -> String {
        let noise = if self.noisy { "" } else { ", no noise" };
        format!("m = {}, tau_v = {} ms, tau_eps = {} ms, K = {}{noise}", self.adaptation, self.tau_v_ms, self.tau_eps_ms, self.interneurons)
    }

    pub(super) fn dynamics(&self, common: &DynamicsConfig) -> DynamicsConfig {
        DynamicsConfig {
            adaptation: self.adaptation,
            tau_v_ms: self.tau_v_ms,
            tau_eps_ms: self.tau_eps_ms,
            interneurons: self.interneurons,
            ..*common
        }
    }
}

/// One sampler and what it has done since the start.
#[derive(Clone, Debug)]
pub struct Sampler {
    /// Its settings.
    pub config: SamplerConfig,
    pub(super) parameters: StepParameters,
    pub(super) networks: Ensemble,
    /// The pair's last positions, oldest first, `[chains]` each.
    pub trail: Vec<Vec<[f32; 2]>>,
    /// The last positions of the first chain alone, oldest first: its trail may be longer.
    pub path: VecDeque<[f32; 2]>,
    /// Draws of the pair for the diagnostics, `[draws][chains]`, `stride` steps apart.
    draws: Vec<Vec<[f32; 2]>>,
    stride: u64,
    /// Visits of each cell, `[rows (second unit), columns (first unit)]`, all chains since the start.
    pub visits: Array2<u32>,
    pub(super) visited: u64,
    /// Simulated time (ms) and total variation distance to the exact posterior.
    pub distance: Vec<[f64; 2]>,
    /// Wall time spent on it since the start.
    pub wall: Duration,
    /// Integrated autocorrelation time (ms) of the pair's units as theory has it; None where it is not known.
    pub theory_ms: Option<[f64; 2]>,
    /// Total variation distance to the exact posterior at which its curve ends; None where that is not known.
    pub floor: Option<f64>,
}

impl Sampler {
    /// With chains that have not started yet.
    pub(super) fn new(config: SamplerConfig, parameters: StepParameters, networks: Ensemble) -> Self {
        Self {
            config,
            parameters,
            networks,
            trail: Vec::new(),
            path: VecDeque::new(),
            draws: Vec::new(),
            stride: 1,
            visits: Array2::zeros((CELLS, CELLS)),
            visited: 0,
            distance: Vec::new(),
            wall: Duration::ZERO,
            theory_ms: None,
            floor: None,
        }
    }

    /// What was measured is forgotten; the chains stay where they are.
    pub(super) fn forget(&mut self) {
        self.trail.clear();
        self.path.clear();
        self.draws.clear();
        self.stride = 1;
        self.visits.fill(0);
        self.visited = 0;
        self.distance.clear();
        self.wall = Duration::ZERO;
        self.networks.take_recorded(0);
    }

    /// Takes in the positions of all chains after a step.
    pub(super) fn record(&mut self, step: u64, positions: Vec<[f32; 2]>, window: [[f64; 2]; 2]) {
        for position in &positions {
            let cell = |axis: usize| {
                let [low, high] = window[axis];
                let at = (f64::from(position[axis]) - low) / (high - low) * CELLS as f64;
                (0.0..CELLS as f64).contains(&at).then_some(at as usize)
            };
            if let (Some(column), Some(row)) = (cell(0), cell(1)) {
                self.visits[[row, column]] += 1;
            }
        }
        self.visited += positions.len() as u64;
        if step.is_multiple_of(self.stride) {
            if self.draws.len() == DRAWS {
                self.draws.drain(..DRAWS / 2); // the newest tell most
            }
            self.draws.push(positions.clone());
        }
        if self.path.len() == PATH {
            self.path.pop_front();
        }
        self.path.extend(positions.first());
        if self.trail.len() == TRAIL {
            self.trail.remove(0);
        }
        self.trail.push(positions);
    }

    /// Draws of one axis for the diagnostics, `[chains][draws]`, and the time between two, in steps.
    pub fn chains(&self, axis: usize) -> (Vec<Vec<f64>>, u64) {
        let count = self.draws.first().map_or(0, Vec::len);
        ((0..count).map(|c| self.draws.iter().map(|d| f64::from(d[c][axis])).collect()).collect(), self.stride)
    }

    /// Takes draws further apart (once there are a quarter of the most that are kept) until their autocorrelation time is below 20 draws: the window then covers many of it.
    pub fn widen(&mut self, mut autocorrelation_draws: f64) {
        while autocorrelation_draws > 20.0 && self.draws.len() > DRAWS / 4 {
            let mut keep = false;
            self.draws.retain(|_| {
                keep = !keep;
                keep
            });
            self.stride *= 2;
            autocorrelation_draws /= 2.0;
        }
    }

    /// Keeps every `steps`-th draw for the diagnostics.
    pub fn set_stride(&mut self, steps: u64) {
        self.draws.clear();
        self.stride = steps.max(1);
    }

    /// Draws of all chains since the start.
    pub fn visited(&self) -> u64 {
        self.visited
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sampler_has_the_ranges_of_the_configuration() {
        let d = DynamicsConfig::default();
        let read = |text: &str| SamplerConfig::read(text, &d);
        for key in OWN_PARAMETERS {
            let high = match parameters::find(key).unwrap().domain {
                parameters::Domain::Number { high, .. } => high,
                parameters::Domain::Whole { high, .. } => high as f64,
                _ => panic!("{key} is no number"),
            };
            let error = read(&format!("{key}={}", 2.0 * high)).unwrap_err().to_string();
            let expected = Config::default().set(&format!("{key}={}", 2.0 * high)).unwrap_err().to_string();
            assert!(error.ends_with(&expected) && error.contains("is out of range"), "{error} against {expected}");
            assert!(read(&format!("{key}={high}")).is_ok());
        }
        let found = read("m=200,K=3,noisy=false").unwrap();
        assert_eq!((found.adaptation, found.interneurons, found.noisy, found.tau_v_ms), (200.0, 3, false, d.tau_v_ms));
        assert!(read("K=2.5").is_err() && read("m=-1").is_err() && read("tau_v_ms=nan").is_err());
    }
}
