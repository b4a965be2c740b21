//! Joint, marginal and ancestral generation side by side: the same weights, equal time, each with its own clock (model.md 4).

use crate::experiment::FrozenModel;
use crate::experiment::config::ConfigError;
use crate::studies::generation::image_distance::Measure;
use crate::studies::generation::schedule::Schedule;
use crate::studies::generation::{GenerationChains, GenerationRequest, Mode, Origin};
use ndarray::{Array2, s};
use std::time::{Duration, Instant};

/// Images of each mode that are shown, at most.
pub const SHOWN: usize = 64;
/// Steps over which chains wake, where nothing else is asked for.
pub const WAKING_STEPS: usize = 600;
/// A smaller observation is no picture.
pub const SMALLEST_PICTURE: usize = 21;
/// Images of each mode at most.
pub const MOST_IMAGES: usize = 2000;
/// Ancestral draws are independent: they are shown anew this often rather than as fast as they can be made.
const REDRAW: Duration = Duration::from_millis(1500);
/// Chains have their first distance after so many seconds of computing; the next one comes after this factor, or after as many
/// seconds as evaluating took.
const FIRST_EVALUATED: f64 = 0.05;
const NEXT_EVALUATED: f64 = 1.25;

/// What is asked of all three.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Settings {
    /// Images of each.
    pub count: usize,
    /// S of the marginal mode.
    pub inner: usize,
    /// Temperature; 1 is the model.
    pub temperature: f64,
    /// Where joint and marginal chains start.
    pub origin: Origin,
    /// Whether chains that start from noise wake from the top down.
    pub schedule: Schedule,
    /// Over so many steps.
    pub waking_steps: usize,
    /// The state of a categorical top from which it is descended; None: drawn too.
    pub category: Option<usize>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            count: 256,
            inner: 8,
            temperature: 1.0,
            origin: Origin::Noise,
            schedule: Schedule::Woken,
            waking_steps: WAKING_STEPS,
            category: None,
        }
    }
}

impl Settings {
    /// For one mode.
    pub fn request(&self, mode: Mode, seed: u64) -> GenerationRequest {
        let Self { count, inner, temperature, origin, category, schedule, waking_steps } = *self;
        let wakes = schedule == Schedule::Woken && origin == Origin::Noise;
        let waking_steps = if wakes { waking_steps } else { 0 };
        GenerationRequest { mode, count, inner, temperature, origin, waking_steps, category, seed }
    }
}

/// How far the images are from the reference.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Distance {
    /// Computing time of this mode by then, s; evaluating is not counted.
    pub seconds: f64,
    /// Steps of the whole network by then; an ancestral draw of every layer is one.
    pub steps: u64,
    /// Frechet distance of the samples x_0.
    pub samples: f64,
    /// Of the means E\[x_0 | x_1\].
    pub means: f64,
}

/// What one mode has made so far.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct ModeResult {
    /// How.
    pub mode: Mode,
    /// x_0 of the first images, `[shown, n_0]`.
    pub samples: Array2<f32>,
    /// E\[x_0 | x_1\] of these, `[shown, n_0]`.
    pub means: Array2<f32>,
    /// x of layers 1..=L of these, `[shown, n_l]` each.
    pub latents: Vec<Array2<f32>>,
    /// Steps of the whole network.
    pub steps: u64,
    /// Computing time, s.
    pub seconds: f64,
    /// Over time, oldest first.
    pub distances: Vec<Distance>,
    /// Share of each class among the means when they were evaluated last, where classes are known.
    pub shares: Option<Vec<f64>>,
    /// Computing time at which it went on with newer weights, s.
    pub renewed: Vec<f64>,
    /// Gains of the couplings now, the lowest first; empty where there are none.
    pub gains: Vec<f32>,
    /// Steps, and the gains from then on.
    pub gains_over_steps: Vec<(u64, Vec<f32>)>,
    /// Why it stopped: a value that is not finite.
    pub broken: Option<String>,
}

struct ModeRun {
    chains: GenerationChains,
    clock: Duration,
    steps_a_turn: usize,
    drawn: Instant,
    distances: Vec<Distance>,
    /// Computing time from which the next distance is due, s.
    due: f64,
    shares: Option<Vec<f64>>,
    renewed: Vec<f64>,
    broken: Option<String>,
}

/// The three of them.
pub struct GenerationComparison {
    runs: Vec<ModeRun>,
}

impl GenerationComparison {
    /// All three at their start. `data`, `[images, n_0]`, is needed to start there.
    pub fn new(frozen: &FrozenModel, settings: &Settings, seed: u64, data: Option<&Array2<f32>>) -> Result<Self, ConfigError> {
        if settings.count > MOST_IMAGES {
            return Err(ConfigError::Generation(format!("count = {} is out of range: 1 to {MOST_IMAGES}", settings.count)));
        }
        let run = |mode| {
            let start = Instant::now();
            let chains = GenerationChains::new(frozen, settings.request(mode, seed), data)?;
            Ok(ModeRun {
                chains,
                clock: if mode == Mode::Ancestral { start.elapsed() } else { Duration::ZERO }, // its first draw is made at the start
                steps_a_turn: 1,
                drawn: start,
                distances: Vec::new(),
                due: if mode == Mode::Ancestral { 0.0 } else { FIRST_EVALUATED },
                shares: None,
                renewed: Vec::new(),
                broken: None,
            })
        };
        Ok(Self { runs: Mode::ALL.into_iter().map(run).collect::<Result<_, ConfigError>>()? })
    }

    /// Lets the one that has had the least time compute for about `budget`, and returns its number; None where nothing is due.
    pub fn turn(&mut self, budget: Duration) -> Option<usize> {
        let due = |run: &ModeRun| run.broken.is_none() && (run.chains.request().mode != Mode::Ancestral || run.drawn.elapsed() >= REDRAW);
        let all = self.runs.iter().enumerate().filter(|(_, run)| due(run));
        let chosen = all.min_by_key(|(_, run)| run.clock).map(|(i, _)| i)?;
        let run = &mut self.runs[chosen];
        let start = Instant::now();
        run.chains.advance(run.steps_a_turn);
        let took = start.elapsed();
        run.clock += took;
        run.drawn = Instant::now();
        if took < budget / 2 {
            run.steps_a_turn = (run.steps_a_turn * 2).min(1024);
        } else if took > budget {
            run.steps_a_turn = (run.steps_a_turn / 2).max(1);
        }
        if let Some(l) = run.chains.broken() {
            run.broken = Some(format!("diverged after {} steps: x{l} is not finite", run.chains.steps));
        }
        Some(chosen)
    }

    /// Evaluates one of them if that is due; true if it was.
    pub fn evaluate(&mut self, which: usize, measure: &Measure) -> bool {
        let run = &mut self.runs[which];
        let seconds = run.clock.as_secs_f64();
        if seconds < run.due || run.broken.is_some() {
            return false;
        }
        let start = Instant::now();
        let (samples, means) = (run.chains.samples(), run.chains.means());
        let Some([samples, means]) = measure.scores(samples.view(), means.view()) else { return false };
        run.distances.push(Distance { seconds, steps: run.chains.steps, samples: samples.distance, means: means.distance });
        run.shares = means.shares;
        run.due = (seconds * NEXT_EVALUATED).max(seconds + start.elapsed().as_secs_f64());
        true
    }

    /// All go on with other weights.
    pub fn renew(&mut self, frozen: &FrozenModel) -> Result<(), ConfigError> {
        for run in &mut self.runs {
            run.chains = run.chains.renewed(frozen)?;
            run.renewed.push(run.clock.as_secs_f64());
            if run.chains.request().mode == Mode::Ancestral {
                run.due = 0.0; // its draws take so little time that they would be shown by the old weights for long
            }
            run.broken = None;
        }
        Ok(())
    }

    /// Gains of the couplings of joint and marginal chains, the lowest first: set by hand, or (None) those of the schedule.
    pub fn set_gains(&mut self, gains: Option<&[f32]>) {
        self.runs.iter_mut().for_each(|run| run.chains.set_gains(gains.map(<[f32]>::to_vec)));
    }

    /// What one of them has made.
    pub fn mode_result(&self, which: usize) -> ModeResult {
        let ModeRun { chains, clock, distances, shares, renewed, broken, .. } = &self.runs[which];
        let shown = chains.request().count.min(SHOWN);
        let first = |all: Array2<f32>| all.slice(s![..shown, ..]).to_owned();
        ModeResult {
            mode: chains.request().mode,
            samples: first(chains.samples()),
            means: first(chains.means()),
            latents: (1..=chains.depth()).map(|l| first(chains.states(l))).collect(),
            steps: chains.steps,
            seconds: clock.as_secs_f64(),
            distances: distances.clone(),
            shares: shares.clone(),
            renewed: renewed.clone(),
            gains: if chains.request().mode == Mode::Ancestral { Vec::new() } else { chains.gains().to_vec() },
            gains_over_steps: chains.gains_over_steps().to_vec(),
            broken: broken.clone(),
        }
    }

    /// Samples and means of all images of a mode, `[count, n_0]` each.
    pub fn images(&self, mode: Mode) -> Option<[Array2<f32>; 2]> {
        let run = self.runs.iter().find(|run| run.chains.request().mode == mode)?;
        Some([run.chains.samples(), run.chains.means()])
    }
}
