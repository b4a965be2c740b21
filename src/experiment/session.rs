//! A running experiment: model, blocks of networks, stimuli, clock. The window's engine and the command line run the same one.

use crate::data::Stimuli;
use crate::dynamics::StepParameters;
use crate::dynamics::block::{Block, Prepared, Probes, Span};
use crate::dynamics::governor::{Stiffness, largest_step};
use crate::dynamics::learning;
use crate::experiment::config::*;
use crate::experiment::latents::Latents;
use crate::experiment::parallel::{on_each, run_on};
use crate::experiment::stages::StagePosition;
use crate::model::{Hierarchy, vector};
use ndarray::Array2;
use rand::rngs::ChaCha8Rng;
use std::sync::Arc;

mod building;
mod course;
mod inpainting;
mod plasticity;
mod steps;
mod stimuli;

pub use building::{SessionError, build_model};
pub use inpainting::Completed;
use steps::strength;
pub use steps::{observed_step, step_parameters, step_parameters_of};

/// Work (rows x weights) below which a span runs on the calling thread.
const SMALL_WORK: usize = 200_000;
/// Steps that are run at a time where stimuli do not end.
const USUAL_STEPS: usize = 10;

/// What a finished batch was like.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatchReport {
    /// x_0 of network 0.
    pub stimulus: Vec<f32>,
    /// E\[x_0 | x_1\] of network 0, averaged over the steps after the burn-in.
    pub reconstruction: Vec<f32>,
    /// Steps it was averaged over.
    pub steps: u64,
    /// Variance of x_0 - E`[x_0 | x_1]` at the last step.
    pub residual_variance: f32,
    /// |dW_0| / |W_0|.
    pub weight_change: f32,
    /// Excess kurtosis of x_1.
    pub kurtosis: f32,
    /// Learning rate in force.
    pub lr: f32,
}

/// An experiment in progress.
pub struct Session {
    config: Config,
    /// The model.
    pub model: Hierarchy,
    /// The networks.
    pub blocks: Vec<Block>,
    prepared: Prepared,
    stiffness: Stiffness,
    parameters: StepParameters,
    stimuli: Option<Stimuli>,
    /// Classes of these, where they are known.
    labels: Option<Vec<u8>>,
    rng: ChaCha8Rng,
    pool: Arc<rayon::ThreadPool>,
    step_in_stimulus: usize,
    /// Simulated time, ms.
    pub time_ms: f64,
    /// Steps done.
    pub steps: u64,
    /// Images shown.
    pub images: u64,
    /// Grows when the weights change.
    pub weights_version: u64,
    /// First and last image of a run whose length is known, for linear decay.
    run: Option<[u64; 2]>,
    /// Share of a run that is done, where the clock on the wall tells it.
    clock: Option<f64>,
    position: StagePosition,
    /// The chains of every image, where they persist.
    latents: Option<Latents>,
    /// What the learning rule remembers.
    pub optimizer: learning::OptimizerState,
    /// Updates of the weights.
    updates: u64,
    /// Steps by which this presentation is longer than others: its images are new.
    settling: usize,
    /// Pixels that are free while the stimulus is held, `[n_0]`; empty: none.
    free: Vec<bool>,
    /// The stimulus of network 0 as it was given, `[n_0]`: under freed pixels too.
    given: Vec<f32>,
    /// Stimuli shown so far; those set by hand do not count.
    pub presentations: u64,
    /// The stimulus stays and learning rests.
    pub held: bool,
    /// Files that were left out while loading.
    pub warnings: Vec<String>,
}

impl Session {
    /// The configuration in force.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Changes dynamics and learning values in flight; they act from the next step. Sizes, families and data stay.
    pub fn adjust(&mut self, dynamics: DynamicsConfig, learning: LearningConfig) -> Result<(), ConfigError> {
        let changed = Config { dynamics, learning, ..self.config.clone() };
        changed.validate()?;
        if dynamics.interneurons != self.config.dynamics.interneurons {
            self.blocks.iter_mut().for_each(|block| block.set_interneurons(&self.model, dynamics.interneurons));
        }
        let optimizer = (self.config.learning.optimizer, changed.learning.optimizer);
        let lr = changed.learning.lr;
        if lr != self.config.learning.lr
            && let Some(stage) = self.config.stages.get(self.position.stage).map(|_| self.position.stage)
        {
            self.config.stages[stage].lr = lr; // the rate in force is the stage's
        }
        let stages = std::mem::take(&mut self.config.stages);
        self.config = Config { stages, ..changed };
        if optimizer.0 != optimizer.1 {
            self.reset_optimizer();
        }
        self.set_parameters();
        Ok(())
    }

    /// The constants of a step in force.
    pub fn parameters(&self) -> &StepParameters {
        &self.parameters
    }

    /// lambda of layers 1..=L.
    pub fn stiffness(&self) -> &[f64] {
        &self.stiffness.lambda
    }

    /// The largest stable dt, ms: of the softest layer (SPEC 2, governor).
    pub fn largest_dt_ms(&self) -> f64 {
        let d = &self.config.dynamics;
        let moving = self.stiffness.lambda.iter().filter(|lambda| lambda.is_finite());
        moving.map(|&lambda| largest_step(lambda, strength(d, lambda), d.safety) * d.tau_x_ms).fold(0.0, f64::max)
    }

    /// Steps that may be run in one go: up to the end of the presentation.
    pub fn steps_left(&self) -> usize {
        match self.config.stimulus.steps_per_stimulus {
            0 => usize::MAX,
            _ if self.held => usize::MAX,
            steps => steps + self.settling - self.step_in_stimulus,
        }
    }

    /// Runs at most `steps`, not past the end of the presentation, and learns there. The outcome does not depend on how a
    /// presentation is divided. Returns the steps run and, where a batch ended, its report.
    pub fn advance(&mut self, steps: usize, probes: &Probes) -> (usize, Option<BatchReport>) {
        run_on(self.pool_for(steps.min(self.steps_left())), || self.advance_here(steps, probes))
    }

    /// The threads on which presentations run, where there are several and enough work for them. Who runs many of them does so on
    /// these threads: between two calls from outside they would fall asleep and wake late.
    pub fn pool(&self) -> Option<Arc<rayon::ThreadPool>> {
        self.pool_for(match self.config.stimulus.steps_per_stimulus {
            0 => USUAL_STEPS,
            steps => steps,
        })
    }

    fn pool_for(&self, steps: usize) -> Option<Arc<rayon::ThreadPool>> {
        let weights: usize = self.model.weights.iter().map(Array2::len).sum();
        let work = (self.config.stimulus.batch * weights).saturating_mul(steps);
        (work >= SMALL_WORK && self.pool.current_num_threads() > 1).then(|| Arc::clone(&self.pool))
    }

    /// The same on the threads of the pool that this runs in, or on one thread.
    fn advance_here(&mut self, steps: usize, probes: &Probes) -> (usize, Option<BatchReport>) {
        let mut steps = steps.min(self.steps_left());
        let descent = if self.settling > 0 { self.config.stimulus.descent_steps.saturating_sub(self.step_in_stimulus) } else { 0 };
        if descent > 0 {
            steps = steps.min(descent);
        }
        let learn = self.config.learning.enabled && !self.held && self.config.stimulus.steps_per_stimulus > 0;
        let skip = (self.config.stimulus.burn_in_steps + self.settling).saturating_sub(self.step_in_stimulus);
        let span = Span { steps, skip, learn, last: steps == self.steps_left() };
        let cold = (descent > 0).then(|| self.parameters.at_temperature(0.0));
        let (model, parameters, quiet) =
            (&self.model, cold.as_ref().unwrap_or(&self.parameters), Probes { units: Vec::new(), raster: false, ..probes.clone() });
        if let Some(first) = self.blocks.first() {
            self.prepared.renew(model, first, steps);
        }
        let prepared = &self.prepared;
        on_each(&mut self.blocks, |b, block| block.run_prepared(model, prepared, parameters, span, if b == 0 { probes } else { &quiet }));
        self.steps += steps as u64;
        self.time_ms += steps as f64 * self.parameters.dt_ms;
        self.step_in_stimulus += steps;
        let ended = self.steps_left() == 0;
        (steps, ended.then(|| self.end_of_stimulus()))
    }

    fn end_of_stimulus(&mut self) -> BatchReport {
        let mut report = self.measure();
        report.lr = self.learning_rate() as f32;
        let (sum, count) = &self.blocks[0].reconstruction;
        report.stimulus = self.stimulus().to_vec();
        report.reconstruction = sum.iter().map(|s| s / (*count).max(1) as f32).collect();
        report.steps = *count;
        if let (Some(latents), false) = (&mut self.latents, self.held) {
            latents.store(&self.model, &self.blocks);
        }
        if self.config.learning.enabled {
            self.learn(&mut report);
        }
        let ended = self.stage().is_some_and(|stage| stage.images > 0) && self.stage_progress() >= 1.0;
        if ended && self.config.learning.enabled && self.position.stage + 1 < self.config.stages.len() {
            self.go_to_stage(self.position.stage + 1); // shows the next stimulus
            return report;
        }
        self.show_next();
        report
    }

    /// The chains of every image, where they persist.
    pub fn latents(&self) -> Option<&Latents> {
        self.latents.as_ref()
    }

    /// Goes on from chains that were saved. Nothing where chains do not persist.
    pub fn resume_latents(&mut self, kept: Vec<[Array2<f32>; 2]>) -> Result<(), String> {
        let Some(latents) = &mut self.latents else { return Ok(()) };
        latents.resume(kept)?;
        self.show_next();
        Ok(())
    }

    /// The constants of a step: of the layers that run.
    fn set_parameters(&mut self) {
        let active_layers = self.active_layers();
        self.parameters = step_parameters_of(&self.config.dynamics, &self.stiffness.lambda, active_layers);
        if !self.free.is_empty() {
            let step = self.observed_step();
            self.blocks.iter_mut().for_each(|block| block.set_observed_step(step));
        }
    }

    fn measure(&mut self) -> BatchReport {
        let model = &self.model;
        let sums = on_each(&mut self.blocks, |_, block| {
            let [second, fourth] = vector::even_moments(&block.layers[1].x);
            [block.squared_residual(model), second, fourth]
        });
        let [residual, second, fourth] = sums.into_iter().fold([0.0; 3], |total, sums| [0, 1, 2].map(|k| total[k] + sums[k]));
        let [pixels, units] = [0, 1].map(|l| (self.config.stimulus.batch * model.layers[l].size) as f64);
        let kurtosis = if second > 0.0 { fourth * units / (second * second) - 3.0 } else { 0.0 };
        BatchReport { residual_variance: (residual / pixels) as f32, kurtosis: kurtosis as f32, ..Default::default() }
    }

    /// Puts weights, biases and families back, and measures the stiffness from scratch: what a non-finite value spoiled is forgotten.
    pub fn restore(&mut self, good: &Hierarchy) {
        self.model.copy_values(good);
        self.stiffness = Stiffness::new(&self.model);
        self.reset_optimizer();
        self.set_parameters();
        self.weights_version += 1;
        self.show_next();
    }

    /// The first value that is not finite, named; None while all is well.
    pub fn broken(&self) -> Option<String> {
        for (l, w) in self.model.weights.iter().enumerate() {
            if !w.as_slice().is_some_and(vector::all_finite) {
                return Some(format!("W{l} holds a value that is not finite"));
            }
        }
        for (l, b) in self.model.biases.iter().enumerate() {
            if b.iter().any(|v| !v.is_finite()) {
                return Some(format!("b{l} holds a value that is not finite"));
            }
        }
        let broken = |l: usize| self.blocks.iter().any(|block| !vector::all_finite(&block.layers[l].x));
        (1..=self.model.depth()).find(|&l| broken(l)).map(|l| format!("x{l} is not finite: dt is too large for this stiffness"))
    }
}
