//! A running experiment: model, blocks of networks, stimuli, clock. The window's engine and the command line run the same one.

use crate::data::{ImagesReport, Stimuli};
use crate::dynamics::ensemble::Moments;
use crate::dynamics::governor::{Stiffness, largest_step};
use crate::dynamics::learning;
use crate::dynamics::{Ensemble, LayerParts, Probes, Recorded, Span, StepParameters};
use crate::experiment::config::*;
use crate::experiment::latents::Latents;
use crate::experiment::parallel::{run_all, run_on};
use crate::experiment::stages::StagePosition;
use crate::experiment::whole_number::LARGEST_COUNT;
use crate::model::{Hierarchy, vector};
use ndarray::Array2;
use rand::rngs::ChaCha8Rng;
use std::sync::Arc;

mod building;
mod course;
mod inpainting;
mod plasticity;
mod state;
mod steps;
mod stimuli;

pub use building::{SessionError, build_model};
pub(crate) use building::{assemble_model, layers_of};
pub use inpainting::Completed;
pub use state::{SessionCounters, SessionState};
use steps::strength;
pub use steps::{layer_adaptation, observed_step, step_parameters, step_parameters_of};

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
    /// What moved every layer of network 0 in the last step; empty where nobody looks at it.
    pub parts: Vec<LayerParts>,
}

/// An experiment in progress.
pub struct Session {
    /// The only one there is: what is moved in flight is written into it.
    config: Config,
    model: Hierarchy,
    /// Grows when the weights change.
    weights_version: u64,
    networks: Ensemble,
    dynamics: DynamicsState,
    stimulus: StimulusState,
    clock: Clock,
    learning: LearningState,
    /// The chains of every image, where they persist.
    latents: Option<Latents>,
    rng: ChaCha8Rng,
    pool: Arc<rayon::ThreadPool>,
    /// What is to be told of the files that were loaded.
    images_report: Option<ImagesReport>,
}

/// What a step is computed with.
struct DynamicsState {
    stiffness: Stiffness,
    parameters: StepParameters,
}

/// What the networks see.
struct StimulusState {
    /// The images from which stimuli are taken; None where the stimulus is fixed.
    source: Option<Stimuli>,
    /// Classes of these, where they are known.
    labels: Option<Vec<u8>>,
    /// The fixed stimulus as the configuration had it when the session was built.
    configured: Vec<f32>,
    /// The stimulus of network 0, `[n_0]`; under freed pixels what they would be if they were clamped.
    values: Vec<f32>,
    /// Pixels that are free while the stimulus is held, `[n_0]`; empty: none.
    free: Vec<bool>,
    /// The stimulus stays, and nothing is learned.
    held: bool,
    /// Stimuli shown so far; those set by hand do not count.
    presentations: u64,
    /// Steps since the stimulus came.
    step: usize,
    /// Steps by which this presentation is longer than others: its images are new.
    settling: usize,
}

/// How much has been simulated.
#[derive(Default)]
struct Clock {
    time_ms: f64,
    steps: u64,
    images: u64,
}

/// How far learning has come.
struct LearningState {
    position: StagePosition,
    /// First and last image of a run whose length is known, for linear decay.
    run: Option<[u64; 2]>,
    /// The fraction of a run that is done, where its length is known in wall time.
    run_share: Option<f64>,
    optimizer: learning::OptimizerState,
    /// Updates of the weights.
    updates: u64,
}

impl Session {
    /// The configuration in force: sizes of own images, parameters moved in flight, the rate and the stages under way, the fixed
    /// stimulus as it was last set.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The configuration in force with how far learning has come, as a model file keeps it.
    pub fn config_for_saving(&self) -> Config {
        self.with_progress(self.config.clone())
    }

    /// The configuration in force with the fixed stimulus as it was when the session was built: what a fresh start is made of.
    pub fn config_for_restart(&self) -> Config {
        let mut config = self.config.clone();
        config.stimulus.values.clone_from(&self.stimulus.configured);
        config
    }

    /// Writes into a configuration how far learning has come: images seen and the stage.
    pub fn with_progress(&self, mut config: Config) -> Config {
        let StagePosition { stage, since } = self.learning.position;
        config.learning.images_seen = self.clock.images.min(LARGEST_COUNT);
        (config.learning.stage, config.learning.stage_since) = (stage, since.min(LARGEST_COUNT));
        config
    }

    /// The model with its present weights.
    pub fn model(&self) -> &Hierarchy {
        &self.model
    }

    /// The model, where the session is no longer needed.
    pub fn into_model(self) -> Hierarchy {
        self.model
    }

    /// A number that grows when the weights change.
    pub fn weights_version(&self) -> u64 {
        self.weights_version
    }

    /// Simulated time, ms.
    pub fn time_ms(&self) -> f64 {
        self.clock.time_ms
    }

    /// Steps done.
    pub fn steps(&self) -> u64 {
        self.clock.steps
    }

    /// Images shown, those before the session included where it goes on from a model file.
    pub fn images(&self) -> u64 {
        self.clock.images
    }

    /// Stimuli shown so far; those set by hand do not count.
    pub fn presentations(&self) -> u64 {
        self.stimulus.presentations
    }

    /// Whether the stimulus is held: it stays, all networks see the same, and nothing is learned.
    pub fn is_held(&self) -> bool {
        self.stimulus.held
    }

    /// What became of the images of one's own, or of a set of which something is to be told; None where there is nothing to tell.
    pub fn images_report(&self) -> Option<&ImagesReport> {
        self.images_report.as_ref()
    }

    /// What the learning rule remembers from update to update.
    pub fn optimizer(&self) -> &learning::OptimizerState {
        &self.learning.optimizer
    }

    /// Goes on with what the learning rule remembered elsewhere, in a session of the same model.
    pub fn resume_optimizer(&mut self, optimizer: learning::OptimizerState) {
        self.learning.optimizer = optimizer;
    }

    /// Makes one weight NaN, so that tests can see how that is reported.
    #[doc(hidden)]
    pub fn spoil_weights_for_test(&mut self) {
        self.model.weights[0][[0, 0]] = f32::NAN;
    }

    /// Changes dynamics and learning values in flight; they act from the next step. Sizes, families and data stay.
    pub fn adjust(&mut self, dynamics: DynamicsConfig, learning: LearningConfig) -> Result<(), ConfigError> {
        let changed = Config { dynamics, learning, ..self.config.clone() };
        changed.validate()?;
        if dynamics.interneurons != self.config.dynamics.interneurons {
            self.networks.set_interneurons(&self.model, dynamics.interneurons);
        }
        let optimizer = (self.config.learning.optimizer, changed.learning.optimizer);
        let lr = changed.learning.lr;
        if lr != self.config.learning.lr
            && let Some(stage) = self.config.stages.get(self.learning.position.stage).map(|_| self.learning.position.stage)
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

    /// The networks, one a row of the batch.
    pub fn networks(&self) -> &Ensemble {
        &self.networks
    }

    /// What was recorded since the last call; of the pair the last `most_pairs` steps.
    pub fn take_recorded(&mut self, most_pairs: usize) -> Recorded {
        self.networks.take_recorded(most_pairs)
    }

    /// The constants of a step in force.
    pub fn parameters(&self) -> &StepParameters {
        &self.dynamics.parameters
    }

    /// lambda of layers 1..=L.
    pub fn stiffness(&self) -> &[f64] {
        &self.dynamics.stiffness.lambda
    }

    /// The largest stable dt, ms: of the softest layer (model.md 2, governor).
    pub fn largest_dt_ms(&self) -> f64 {
        let d = &self.config.dynamics;
        let moving = self.dynamics.stiffness.lambda.iter().filter(|lambda| lambda.is_finite());
        moving.map(|&lambda| largest_step(lambda, strength(d, lambda), d.safety) * d.tau_x_ms).fold(0.0, f64::max)
    }

    /// Steps that may be run in one go: up to the end of the presentation.
    pub fn steps_left(&self) -> usize {
        match self.config.stimulus.steps_per_stimulus {
            0 => usize::MAX,
            _ if self.stimulus.held => usize::MAX,
            steps => (steps + self.stimulus.settling).saturating_sub(self.stimulus.step),
        }
    }

    /// Steps of the present presentation that are done.
    pub fn stimulus_steps(&self) -> usize {
        self.stimulus.step
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
        let descent = if self.stimulus.settling > 0 { self.config.stimulus.descent_steps.saturating_sub(self.stimulus.step) } else { 0 };
        if descent > 0 {
            steps = steps.min(descent);
        }
        let learn = self.config.learning.enabled && !self.stimulus.held && self.config.stimulus.steps_per_stimulus > 0;
        let skip = (self.config.stimulus.burn_in_steps + self.stimulus.settling).saturating_sub(self.stimulus.step);
        let span = Span { steps, skip, learn, last: steps == self.steps_left() };
        let cold = (descent > 0).then(|| self.dynamics.parameters.at_temperature(0.0));
        self.networks.advance(&self.model, cold.as_ref().unwrap_or(&self.dynamics.parameters), span, probes, &run_all);
        self.clock.steps += steps as u64;
        (0..steps).for_each(|_| self.clock.time_ms += self.dynamics.parameters.dt_ms); // its rounding is that of single steps
        self.stimulus.step += steps;
        let ended = self.steps_left() == 0;
        (steps, ended.then(|| self.end_of_stimulus(probes)))
    }

    fn end_of_stimulus(&mut self, probes: &Probes) -> BatchReport {
        let mut report = self.measure();
        if probes.parts {
            report.parts = self.networks.parts(0);
        }
        report.lr = self.learning_rate() as f32;
        report.stimulus = self.stimulus().to_vec();
        (report.reconstruction, report.steps) = self.networks.reconstruction();
        if let (Some(latents), false) = (&mut self.latents, self.stimulus.held) {
            latents.store(&self.networks);
        }
        if self.config.learning.enabled {
            self.learn(&mut report);
        }
        let ended = self.stage().is_some_and(|stage| stage.images > 0) && self.stage_progress() >= 1.0;
        if ended && self.config.learning.enabled && self.learning.position.stage + 1 < self.config.stages.len() {
            self.go_to_stage(self.learning.position.stage + 1); // shows the next stimulus
            return report;
        }
        self.show_next();
        report
    }

    /// The chains of every image, where they persist.
    pub fn latents(&self) -> Option<&Latents> {
        self.latents.as_ref()
    }

    /// Goes on from chains that were saved: (x, v) of layers 1..=L. Nothing happens where chains do not persist; an error where a shape
    /// does not fit.
    pub fn resume_latents(&mut self, chains: Vec<[Array2<f32>; 2]>) -> Result<(), ConfigError> {
        let Some(latents) = &mut self.latents else { return Ok(()) };
        latents.resume(chains)?;
        self.show_next();
        Ok(())
    }

    /// The constants of a step: of the layers that run.
    fn set_parameters(&mut self) {
        let active_layers = self.active_layers();
        self.dynamics.parameters = step_parameters_of(&self.config.dynamics, &self.dynamics.stiffness.lambda, active_layers);
        if !self.stimulus.free.is_empty() {
            let step = self.observed_step();
            self.networks.set_observed_step(step);
        }
    }

    fn measure(&mut self) -> BatchReport {
        let model = &self.model;
        let Moments { squared_residual, second, fourth } = self.networks.moments(model, &run_all);
        let [pixels, units] = [0, 1].map(|l| (self.config.stimulus.batch * model.layers[l].size) as f64);
        let kurtosis = if second > 0.0 { fourth * units / (second * second) - 3.0 } else { 0.0 };
        BatchReport { residual_variance: (squared_residual / pixels) as f32, kurtosis: kurtosis as f32, ..Default::default() }
    }

    /// Puts weights, biases and families back, and measures the stiffness from scratch: what a non-finite value spoiled is forgotten.
    pub fn return_to(&mut self, good: &Hierarchy) {
        self.model.copy_values(good);
        self.dynamics.stiffness = Stiffness::new(&self.model);
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
        (1..=self.model.depth()).find(|&l| !self.networks.is_finite(l)).map(|l| format!("x{l} is not finite"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::presets;

    #[test]
    fn the_configuration_is_what_is_in_force() {
        let config = presets::by_name("ridge").unwrap();
        let before = config.stimulus.values.clone();
        let mut session = Session::new(config).unwrap();
        let moved: Vec<f32> = before.iter().map(|value| value + 0.5).collect();
        session.set_stimulus(&moved).unwrap();
        let dynamics = DynamicsConfig { adaptation: 1.25, ..session.config().dynamics };
        session.adjust(dynamics, session.config().learning).unwrap();
        assert_eq!((session.config().dynamics.adaptation, &session.config().stimulus.values), (1.25, &moved));
        assert_eq!(session.config_for_saving().stimulus.values, moved);
        let restart = session.config_for_restart();
        assert_eq!((restart.dynamics.adaptation, restart.stimulus.values), (1.25, before), "a fresh start has its own stimulus");
    }

    #[test]
    fn the_rate_of_a_stage_that_is_moved_is_in_the_configuration() {
        let mut config = presets::by_name("digits").unwrap();
        config.stimulus.batch = 4;
        let mut session = Session::new(config).unwrap();
        let learning = LearningConfig { lr: 0.0625, ..session.config().learning };
        session.adjust(session.config().dynamics, learning).unwrap();
        assert_eq!((session.config().stages[0].lr, session.config().learning.lr), (0.0625, 0.0625));
        session.go_to_stage(1);
        let saved = session.config_for_saving();
        assert_eq!((saved.learning.stage, saved.learning.stage_since), (1, session.images() - 4));
        assert_eq!((saved.learning.images_seen, saved.learning.lr), (session.images(), saved.stages[1].lr));
    }
}
