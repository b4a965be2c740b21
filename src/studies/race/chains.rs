//! Samplers raced side by side on one posterior: each with its own adaptation, interneurons and time constants, all with the same
//! step, so that equal steps are equal simulated time.

use crate::analysis::density::{self, DensityGrid};
use crate::dynamics::{Ensemble, EnsembleOptions, Probes, Span, StepParameters, in_turn};
use crate::experiment::config::DynamicsConfig;
use crate::experiment::session::step_parameters;
use crate::experiment::{FrozenModel, WatchedUnits};
use crate::model::linear::{self, LayerConstants, LinearDynamics};
use crate::model::linear_step::covariance_of_steps;
use crate::model::stability::LinearStability;
use crate::model::{Hierarchy, quadrature};
use crate::studies::race::{MOST_SAMPLERS, Sampler, SamplerConfig};
use ndarray::{Array2, s};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use std::sync::Arc;
use std::time::Instant;

/// Cells a side of the grid on which the distance to the exact posterior is taken.
const DISTANCE_CELLS: usize = 32;
/// Cells a side of the grid on which the end of a sampler's curve is found.
const FLOOR_CELLS: usize = 256;
/// Between two points of the distance curve, time grows by this factor.
const SPACING: f64 = 1.12;

/// Where the chains start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Start {
    /// x = 0, or the value of the support nearest to it.
    Origin,
    /// The watched pair here, all other units at 0.
    Point([f32; 2]),
    /// Draws from the prior, layer by layer from the top.
    Prior,
}

/// Samplers, the model that they share and the stimulus that all see.
#[derive(Debug)]
pub struct Race {
    model: Arc<Hierarchy>,
    stiffness: Vec<f64>,
    common: DynamicsConfig,
    /// Chains a sampler.
    pub chains: usize,
    pair: [usize; 2],
    layer: usize,
    stimulus: Vec<f32>,
    /// The exact posterior of the pair, where a grid can give it.
    exact: Option<Array2<f64>>,
    /// The rectangle of the visits, `[low, high]` along each axis.
    pub window: [[f64; 2]; 2],
    /// In order of their colours.
    pub samplers: Vec<Sampler>,
    /// Steps since the start.
    pub steps: u64,
    dt_ms: f64,
    next_distance_ms: f64,
    /// All chains began in the same places.
    common_start: bool,
    rng: ChaCha8Rng,
}

impl Race {
    /// Lines the samplers up at the origin; more than four are left out. All share tau_x, dt, governor and seed of the frozen model's
    /// dynamics. `exact` is the posterior of units 0 and 1 of layer 1, if known.
    pub fn new(
        frozen: &FrozenModel,
        watched: WatchedUnits,
        exact: Option<&DensityGrid>,
        samplers: &[SamplerConfig],
        chains: usize,
    ) -> Self {
        let WatchedUnits { layer, pair } = watched;
        let exact = exact.filter(|_| layer == 1 && pair == [0, 1]);
        let mut race = Self {
            model: Arc::clone(&frozen.model),
            stiffness: frozen.stiffness.clone(),
            common: frozen.dynamics,
            chains,
            pair,
            layer,
            stimulus: frozen.stimulus.clone(),
            exact: exact.map(|grid| probabilities(&grid.density, DISTANCE_CELLS)),
            window: exact.map_or([[-4.0, 4.0]; 2], |grid| [grid.x, grid.y]),
            samplers: Vec::new(),
            steps: 0,
            dt_ms: 1.0,
            next_distance_ms: 0.0,
            common_start: true,
            rng: ChaCha8Rng::seed_from_u64(frozen.dynamics.seed ^ 0x5ace),
        };
        let tables = race.model.tables();
        for (i, &config) in samplers.iter().take(MOST_SAMPLERS).enumerate() {
            let options = EnsembleOptions {
                interneurons: config.interneurons,
                seed: race.common.seed,
                stream: (1 << 30) + i as u64,
                tables: tables.clone(),
                ..EnsembleOptions::new(&race.model, chains)
            };
            let parameters = step_parameters(&config.dynamics(&race.common), &race.stiffness);
            race.samplers.push(Sampler::new(config, parameters, Ensemble::new(&race.model, &options)));
        }
        race.set_steps();
        race.restart(Start::Origin);
        race
    }

    /// One step for all: the shortest that any of them needs.
    fn set_steps(&mut self) {
        let steps = |race: &Self, common: &DynamicsConfig| -> Vec<StepParameters> {
            race.samplers.iter().map(|s| step_parameters(&s.config.dynamics(common), &race.stiffness)).collect()
        };
        let shortest = steps(self, &self.common).iter().map(|p| p.dt_ms).fold(f64::INFINITY, f64::min);
        self.dt_ms = if shortest.is_finite() { shortest } else { self.common.dt_ms };
        let common = DynamicsConfig { dt_ms: self.dt_ms, ..self.common };
        let all = steps(self, &common);
        for (sampler, mut parameters) in self.samplers.iter_mut().zip(all) {
            parameters.layers.iter_mut().for_each(|layer| layer.noisy = sampler.config.noisy);
            sampler.parameters = parameters;
        }
        let theory: Vec<_> = self.samplers.iter().map(|s| self.theory_ms(s)).collect();
        self.samplers.iter_mut().zip(theory).for_each(|(sampler, theory)| sampler.theory_ms = theory);
        self.set_floors();
    }

    fn set_floors(&mut self) {
        let floors: Vec<_> = self.samplers.iter().map(|s| self.floor(s)).collect();
        self.samplers.iter_mut().zip(floors).for_each(|(sampler, floor)| sampler.floor = floor);
    }

    /// Whether all chains began in the same places.
    pub fn has_common_start(&self) -> bool {
        self.common_start
    }

    /// Step, ms.
    pub fn dt_ms(&self) -> f64 {
        self.dt_ms
    }

    /// Simulated time since the start, ms.
    pub fn time_ms(&self) -> f64 {
        self.steps as f64 * self.dt_ms
    }

    /// All chains of all samplers back to the same starting points; what was measured is forgotten.
    pub fn restart(&mut self, start: Start) {
        let depth = self.model.depth();
        let mut places: Vec<Vec<f32>> = (1..=depth).map(|l| vec![0.0; self.chains * self.model.layers[l].size]).collect();
        match start {
            Start::Origin => {}
            Start::Point(point) => {
                let size = self.model.layers[self.layer].size;
                for row in places[self.layer - 1].chunks_exact_mut(size) {
                    for (unit, value) in self.pair.into_iter().zip(point) {
                        row[unit] = value;
                    }
                }
            }
            Start::Prior => {
                for l in (1..=depth).rev() {
                    let drawn = self.prior_draws(l, places.get(l).map(Vec::as_slice));
                    places[l - 1] = drawn;
                }
            }
        }
        let (model, stimulus) = (&self.model, &self.stimulus);
        for sampler in &mut self.samplers {
            sampler.networks.restart(model);
            sampler.networks.clamp(stimulus, &[]);
            for (l, place) in (1..).zip(&places) {
                let ([low, high], n) = (model.layers[l].bounds().map(|b| b as f32), model.layers[l].size);
                let write = |chain: usize, x: &mut [f32]| x.iter_mut().zip(&place[chain * n..]).for_each(|(x, &p)| *x = p.clamp(low, high));
                sampler.networks.set_states(model, l, write);
            }
            sampler.forget();
        }
        (self.steps, self.next_distance_ms, self.common_start) = (0, 4.0 * self.dt_ms, true);
    }

    /// Draws of layer l given the one above, by the inverse of the tabulated distribution function.
    fn prior_draws(&mut self, l: usize, above: Option<&[f32]>) -> Vec<f32> {
        let (layer, size) = (&self.model.layers[l], self.model.layers[l].size);
        let count = self.chains * size;
        let draw = |eta: f64, u: &[f64]| {
            let Some(family) = layer.family() else { return vec![0.0; u.len()] }; // chains do not start a categorical top: it is drawn
            let (low, high) = family.integration_bounds(eta);
            quadrature::quantiles(|x| eta * family.statistic(x) - family.base_energy(x), low, high, u)
        };
        let chance: Vec<f64> = (0..count).map(|_| self.rng.random_range(1e-6..1.0 - 1e-6)).collect();
        match above {
            None => {
                let eta = f64::from(self.model.biases[l][0]);
                draw(eta, &chance).into_iter().map(|x| x as f32).collect()
            }
            Some(above) => {
                let upper = &self.model.layers[l + 1];
                let mut out = Vec::with_capacity(count);
                for (row, states) in above.chunks_exact(upper.size).enumerate() {
                    for i in 0..size {
                        let shown = states.iter().map(|&x| upper.activation.value(f64::from(x)));
                        let input: f64 = self.model.weights[l].row(i).iter().zip(shown).map(|(&w, f)| f64::from(w) * f).sum();
                        let eta = input + f64::from(self.model.biases[l][i]);
                        out.push(draw(eta, &chance[row * size + i..=row * size + i])[0] as f32);
                    }
                }
                out
            }
        }
    }

    /// Another stimulus: the chains follow it from where they are, and what was measured is forgotten.
    pub fn set_stimulus(&mut self, stimulus: &[f32], exact: Option<&DensityGrid>) {
        self.stimulus = stimulus.to_vec();
        let exact = exact.filter(|_| self.layer == 1 && self.pair == [0, 1]);
        self.exact = exact.map(|grid| probabilities(&grid.density, DISTANCE_CELLS));
        if let Some(grid) = exact {
            self.window = [grid.x, grid.y];
        }
        for sampler in &mut self.samplers {
            sampler.networks.clamp(stimulus, &[]);
            sampler.forget();
        }
        self.set_floors();
        (self.steps, self.next_distance_ms, self.common_start) = (0, 4.0 * self.dt_ms, false);
    }

    /// Other settings of one sampler, with as many interneurons as before: its chains go on from where they are, and what was measured of all
    /// is forgotten, since all may have another step.
    pub fn set_config(&mut self, sampler: usize, config: SamplerConfig) {
        let Some(of) = self.samplers.get_mut(sampler) else { return };
        of.config = config;
        self.set_steps();
        self.samplers.iter_mut().for_each(Sampler::forget);
        (self.steps, self.next_distance_ms, self.common_start) = (0, 4.0 * self.dt_ms, false);
    }

    /// Every sampler takes `steps` steps.
    pub fn advance(&mut self, steps: usize) {
        let probes = Probes { layer: self.layer, units: Vec::new(), below: Vec::new(), pair: Some(self.pair), ..Probes::default() };
        let span = Span { steps, skip: 0, learn: false, last: false };
        for sampler in &mut self.samplers {
            let begin = Instant::now();
            sampler.networks.advance(&self.model, &sampler.parameters, span, &probes, &in_turn);
            sampler.wall += begin.elapsed();
            let pairs = sampler.networks.take_recorded(steps).pairs;
            for (i, positions) in pairs.into_iter().enumerate() {
                sampler.record(self.steps + i as u64 + 1, positions, self.window);
            }
        }
        self.steps += steps as u64;
        if let Some(exact) = self.exact.as_ref().filter(|_| self.time_ms() >= self.next_distance_ms) {
            let time = self.steps as f64 * self.dt_ms;
            for sampler in &mut self.samplers {
                let share = coarse(&sampler.visits.mapv(f64::from), DISTANCE_CELLS) / sampler.visited.max(1) as f64;
                sampler.distance.push([time, distance(&share, exact)]);
            }
            self.next_distance_ms = self.time_ms() * SPACING;
        }
    }

    /// The dynamics of a sampler of a linear-Gaussian model, where its adaptation is noisy.
    fn linear(&self, sampler: &Sampler) -> Option<LinearDynamics> {
        if !sampler.config.noisy {
            return None;
        }
        let p = &sampler.parameters;
        LinearDynamics::new(&self.model, &self.constants(sampler), sampler.config.tau_eps_ms, p.interneurons, p.exact)
    }

    /// The constants of its layers.
    fn constants(&self, sampler: &Sampler) -> Vec<LayerConstants> {
        let p = &sampler.parameters;
        p.layers.iter().map(|layer| layer.constants(p.dt_ms)).collect()
    }

    /// The distance between what a sampler has in the end, the stationary Gaussian of its steps (model.md 2.6 to 2.9), and the exact
    /// posterior: its curve comes no lower.
    fn floor(&self, sampler: &Sampler) -> Option<f64> {
        let (exact, dynamics) = (self.exact.as_ref()?, self.linear(sampler)?);
        let p = &sampler.parameters;
        let times = [p.dt_ms, sampler.config.tau_eps_ms];
        let covariance = covariance_of_steps(&self.model, &self.constants(sampler), times, p.interneurons, p.exact)?;
        let x0 = self.stimulus.iter().map(|&x| f64::from(x)).collect();
        let mean = linear::posterior_mean(&self.model, &x0).filter(|_| self.model.biases.iter().flatten().all(|&b| b == 0.0))?;
        let states = self.pair.map(|unit| dynamics.state(self.layer, unit));
        let covariance = states.map(|i| states.map(|j| covariance[[i, j]]));
        let density = density::gaussian(self.pair.map(|unit| mean[unit]), covariance, self.window, FLOOR_CELLS);
        let cell = self.window.map(|[low, high]| (high - low) / FLOOR_CELLS as f64).iter().product::<f64>();
        Some(distance(&(coarse(&density, DISTANCE_CELLS) * cell), exact))
    }

    /// Known for a linear-Gaussian model and noisy adaptation.
    fn theory_ms(&self, sampler: &Sampler) -> Option<[f64; 2]> {
        let dynamics = self.linear(sampler)?;
        let [a, b] = self.pair.map(|unit| dynamics.autocorrelation_time(dynamics.state(self.layer, unit)));
        Some([a?, b?])
    }

    /// When a sampler's distance to the exact posterior first was at most `distance`, ms since the start, between two points of its
    /// curve on logarithmic scales; None as long as it was not.
    pub fn arrival_ms(&self, sampler: usize, distance: f64) -> Option<f64> {
        let curve = &self.samplers.get(sampler)?.distance;
        let i = curve.iter().position(|d| d[1] <= distance)?;
        let [time, reached] = curve[i];
        let Some([before, above]) = i.checked_sub(1).map(|i| curve[i]) else { return Some(time) };
        let share = (above / distance).ln() / (above / reached.max(1e-12)).ln();
        Some(before * (time / before).powf(share))
    }

    /// Which sampler has left the stable range, and what helps; None while the watched pair of all is finite.
    pub fn broken(&self) -> Option<String> {
        let is_broken = |s: &&Sampler| s.trail.last().is_some_and(|t| t.iter().flatten().any(|v| !v.is_finite()));
        let sampler = self.samplers.iter().find(is_broken)?;
        let SamplerConfig { adaptation, tau_eps_ms, .. } = sampler.config;
        let help = match self.stability(sampler) {
            Some(stability) if stability.growth > 0.0 => "interneurons so slow make this adaptation unstable at any dt",
            _ => "lower dt or choose the automatic step size",
        };
        Some(format!("the sampler with m = {adaptation} and tau_eps = {tau_eps_ms} ms left the stable range; {help}"))
    }

    fn stability(&self, sampler: &Sampler) -> Option<LinearStability> {
        let p = &sampler.parameters;
        LinearStability::of(&self.model, &self.constants(sampler), [p.dt_ms, sampler.config.tau_eps_ms], p.exact)
    }

    /// The samplers whose linear dynamics theory knows to be unstable.
    pub fn unstable(&self) -> impl Iterator<Item = &Sampler> {
        self.samplers.iter().filter(|sampler| self.stability(sampler).is_some_and(|stability| !stability.is_stable()))
    }
}

/// Sums of the cells of a square grid in `cells` x `cells` tiles.
fn coarse(grid: &Array2<f64>, cells: usize) -> Array2<f64> {
    let factor = grid.nrows() / cells;
    Array2::from_shape_fn((cells, cells), |(r, c)| grid.slice(s![r * factor..(r + 1) * factor, c * factor..(c + 1) * factor]).sum())
}

/// Total variation distance between the shares of the tiles and the exact ones; what is missing from the shares is outside of them.
fn distance(share: &Array2<f64>, exact: &Array2<f64>) -> f64 {
    let apart: f64 = share.iter().zip(exact).map(|(a, b)| (a - b).abs()).sum();
    0.5 * (apart + (1.0 - share.sum()).max(0.0))
}

/// Probability of each tile of a density on a grid.
fn probabilities(density: &Array2<f64>, cells: usize) -> Array2<f64> {
    coarse(density, cells) / density.sum()
}
