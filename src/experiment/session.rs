//! A running experiment: model, blocks of networks, stimuli, clock. The window's engine and the command line run the same one.

use crate::data::{self, Progress, Source, patches::Settings};
use crate::dynamics::block::{Block, Span, Taps};
use crate::dynamics::governor::{Stiffness, largest_step};
use crate::dynamics::parameters::averaged_variance;
use crate::dynamics::{LayerStep, StepParameters, learning};
use crate::experiment::config::*;
use crate::experiment::stages::{StageConfig, StagePosition};
use crate::model::{Hierarchy, Layer};
use ndarray::Array2;
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

/// Rows of a block: each has its own random stream, so that results do not depend on the number of threads.
const BLOCK_ROWS: usize = 25;
/// Work (rows x weights) below which a span runs on the calling thread.
const SMALL_WORK: usize = 200_000;

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
    stiffness: Stiffness,
    parameters: StepParameters,
    stimuli: Option<Array2<f32>>,
    rng: ChaCha8Rng,
    pool: rayon::ThreadPool,
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
    position: StagePosition,
    /// The stimulus stays and learning rests.
    pub held: bool,
    /// Files that were left out while loading.
    pub warnings: Vec<String>,
}

/// The model a configuration describes, with fixed or random unit-norm weights.
pub fn build_model(config: &Config) -> Result<Hierarchy, ConfigError> {
    let mut layers = Vec::new();
    for (l, c) in config.model.layers.iter().enumerate() {
        let family = c.family.build().map_err(|e| ConfigError(format!("layer {l}: {e}")))?;
        layers.push(Layer { family, activation: c.activation, size: c.size });
    }
    let mut rng = ChaCha8Rng::seed_from_u64(config.dynamics.seed);
    rng.set_stream(1 << 40);
    let mut weights: Vec<Array2<f32>> = layers
        .windows(2)
        .map(|pair| {
            let mut w = Array2::from_shape_simple_fn((pair[0].size, pair[1].size), || StandardNormal.sample(&mut rng));
            learning::normalise_columns(&mut w);
            w
        })
        .collect();
    let fixed = std::iter::once(&config.model.weights).chain(&config.model.deeper_weights);
    for (l, (w, given)) in weights.iter_mut().zip(fixed).enumerate().filter(|(_, (_, given))| !given.is_empty()) {
        if given.len() != w.nrows() || given.iter().any(|row| row.len() != w.ncols()) {
            return Err(ConfigError(format!("the weights W{l} must have {} rows of {} numbers", w.nrows(), w.ncols())));
        }
        *w = Array2::from_shape_fn(w.dim(), |(i, j)| given[i][j]);
    }
    let mut model = Hierarchy::new(layers, weights).map_err(ConfigError)?;
    for (l, c) in config.model.layers.iter().enumerate() {
        if !c.bias.is_finite() {
            return Err(ConfigError(format!("layer {l}: bias = {} must be finite", c.bias)));
        }
        model.set_bias(l, c.bias as f32).map_err(ConfigError)?;
    }
    Ok(model)
}

impl Session {
    /// Builds model, data and networks. Errors name the key or the file.
    pub fn new(config: Config) -> anyhow::Result<Self> {
        Self::build(config, None, &Progress::default())
    }

    /// The same with a model that exists.
    pub fn with_model(config: Config, model: Hierarchy) -> anyhow::Result<Self> {
        Self::build(config, Some(model), &Progress::default())
    }

    /// The same, fresh without a `model`, telling how far it has come; it can be stopped through `progress`.
    pub fn build(mut config: Config, model: Option<Hierarchy>, progress: &Progress) -> anyhow::Result<Self> {
        let model = match model {
            Some(model) => model,
            None => {
                config.learning.images_seen = 0; // a fresh model has seen none
                (config.learning.stage, config.learning.stage_since) = (0, 0);
                let mut model = build_model(&config)?;
                // Layers that open later say nothing before.
                let open = config.stages.first().map_or(model.depth(), |stage| stage.open.min(model.depth()));
                model.weights[open..].iter_mut().for_each(|w| w.fill(0.0));
                model
            }
        };
        config.validate()?;
        let seed = config.dynamics.seed;
        let mut warnings = Vec::new();
        let source = match config.data.source {
            DataSource::Fixed => None,
            DataSource::DeadLeaves => Some(Source::DeadLeaves),
            DataSource::Photographs => Some(Source::Photographs),
            DataSource::Bars => Some(Source::Bars),
            DataSource::Files => Some(Source::Files(config.data.paths.clone())),
        };
        let observed = model.layers[0].size;
        let stimuli = match source {
            None if config.stimulus.values.len() != observed => {
                return Err(ConfigError(format!(
                    "stimulus.values has {} numbers, layer 0 has {observed} units",
                    config.stimulus.values.len()
                ))
                .into());
            }
            None => None,
            Some(_) if config.data.patch.pow(2) != observed => {
                return Err(ConfigError(format!(
                    "patch = {} needs a layer 0 of {} units, it has {observed}",
                    config.data.patch,
                    config.data.patch.pow(2)
                ))
                .into());
            }
            Some(source) => {
                let d = &config.data;
                let settings = Settings { side: d.patch, count: d.patches, border: 4, contrast_normalisation: d.contrast_normalisation };
                let (patches, rejected) = data::patches(&source, &settings, seed, progress)?;
                warnings.extend(rejected.iter().map(ToString::to_string));
                Some(patches)
            }
        };
        let batch = config.stimulus.batch;
        let tables = model.tables();
        let mut blocks: Vec<Block> = (0..batch.div_ceil(BLOCK_ROWS))
            .map(|b| Block::new(&model, BLOCK_ROWS.min(batch - b * BLOCK_ROWS), config.dynamics.interneurons, seed, b as u64))
            .collect();
        blocks.iter_mut().for_each(|block| block.tables.clone_from(&tables));
        let threads = if config.dynamics.threads == 0 {
            std::thread::available_parallelism().map_or(1, usize::from)
        } else {
            config.dynamics.threads
        };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).thread_name(|i| format!("networks {i}")).build()?;
        let stiffness = Stiffness::new(&model);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(1 << 41);
        let parameters = step_parameters(&config.dynamics, &stiffness.lambda);
        let images = config.learning.images_seen;
        let position = StagePosition { stage: config.learning.stage, since: config.learning.stage_since };
        let mut session = Self {
            config,
            model,
            blocks,
            stiffness,
            parameters,
            stimuli,
            rng,
            pool,
            step_in_stimulus: 0,
            time_ms: 0.0,
            steps: 0,
            images,
            weights_version: 1,
            position,
            run: None,
            held: false,
            warnings,
        };
        session.enter_stage();
        session.show_next();
        Ok(session)
    }

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
        let lr = changed.learning.lr;
        if lr != self.config.learning.lr
            && let Some(stage) = self.config.stages.get(self.position.stage).map(|_| self.position.stage)
        {
            self.config.stages[stage].lr = lr; // the rate in force is the stage's
        }
        let stages = std::mem::take(&mut self.config.stages);
        self.config = Config { stages, ..changed };
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
        self.stiffness.lambda.iter().map(|&lambda| largest_step(lambda, strength(d, lambda)) * d.tau_x_ms).fold(0.0, f64::max)
    }

    /// Sets the fixed stimulus, `[n_0]`, in every network; states stay, so that the chains follow it.
    pub fn set_stimulus(&mut self, values: &[f32]) -> Result<(), ConfigError> {
        let n = self.model.layers[0].size;
        if values.len() != n || values.iter().any(|v| !v.is_finite()) {
            return Err(ConfigError(format!("a stimulus of {n} finite numbers is needed, found {}", values.len())));
        }
        if self.stimuli.is_none() {
            self.config.stimulus.values = values.to_vec();
        }
        for block in &mut self.blocks {
            block.layers[0].x.chunks_exact_mut(n).for_each(|row| row.copy_from_slice(values));
            block.forget_reconstruction();
        }
        Ok(())
    }

    /// Shows every network another stimulus, from x = 0 (SPEC 3). Fixed stimuli start again. While held, all get the same.
    pub fn show_next(&mut self) {
        self.step_in_stimulus = 0;
        let n = self.model.layers[0].size;
        let held = self.stimuli.as_ref().filter(|_| self.held).map(|set| self.rng.random_range(0..set.nrows()));
        for block in &mut self.blocks {
            block.restart(&self.model);
            block.clear_sums();
            for row in block.layers[0].x.chunks_exact_mut(n) {
                match &self.stimuli {
                    Some(set) => {
                        let i = held.unwrap_or_else(|| self.rng.random_range(0..set.nrows()));
                        row.iter_mut().zip(set.row(i)).for_each(|(x, &value)| *x = value);
                    }
                    None => row.copy_from_slice(&self.config.stimulus.values),
                }
            }
        }
        if self.stimuli.is_some() {
            self.images += if held.is_some() { 1 } else { self.config.stimulus.batch as u64 };
        }
    }

    /// Shows network 0's stimulus in every network, so that all sample one posterior, and lets learning rest; or goes on.
    pub fn hold(&mut self, hold: bool) -> Result<(), ConfigError> {
        self.held = hold;
        if hold {
            let stimulus = self.stimulus().to_vec();
            self.set_stimulus(&stimulus)
        } else {
            self.show_next();
            Ok(())
        }
    }

    /// Stimuli of one's own, `[count, n_0]`, in place of the source's.
    pub fn replace_stimuli(&mut self, stimuli: Array2<f32>) -> Result<(), ConfigError> {
        let n = self.model.layers[0].size;
        if stimuli.ncols() != n || stimuli.nrows() == 0 {
            return Err(ConfigError(format!("stimuli of shape [count, {n}] are needed, found {:?}", stimuli.dim())));
        }
        self.stimuli = Some(stimuli);
        self.show_next();
        Ok(())
    }

    /// x_0 of network 0, `[n_0]`.
    pub fn stimulus(&self) -> &[f32] {
        &self.blocks[0].layers[0].x[..self.model.layers[0].size]
    }

    /// Steps that may be run in one go: up to the end of the presentation.
    pub fn steps_left(&self) -> usize {
        match self.config.stimulus.steps_per_stimulus {
            0 => usize::MAX,
            _ if self.held => usize::MAX,
            steps => steps - self.step_in_stimulus,
        }
    }

    /// Runs at most `steps`, not past the end of the presentation, and learns there. The outcome does not depend on how a
    /// presentation is divided. Returns the steps run and, where a batch ended, its report.
    pub fn advance(&mut self, steps: usize, taps: &Taps) -> (usize, Option<BatchReport>) {
        let steps = steps.min(self.steps_left());
        let learn = self.config.learning.enabled && !self.held && self.config.stimulus.steps_per_stimulus > 0;
        let skip = self.config.stimulus.burn_in_steps.saturating_sub(self.step_in_stimulus);
        let span = Span { steps, skip, learn, last: steps == self.steps_left() };
        let (model, parameters, quiet) = (&self.model, &self.parameters, Taps { units: Vec::new(), raster: false, ..taps.clone() });
        let run = |(b, block): (usize, &mut Block)| block.run(model, parameters, span, if b == 0 { taps } else { &quiet });
        let work: usize = self.config.stimulus.batch * model.weights.iter().map(Array2::len).sum::<usize>();
        if work * steps < SMALL_WORK || self.pool.current_num_threads() == 1 {
            self.blocks.iter_mut().enumerate().for_each(run);
        } else {
            let blocks = &mut self.blocks;
            self.pool.install(|| blocks.par_iter_mut().enumerate().with_max_len(1).for_each(run));
        }
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
        if self.config.learning.enabled {
            let l = &self.config.learning;
            let expected_error = l.learned_sigma.then(|| 1.0 + averaged_variance(&self.parameters));
            let rate = f64::from(report.lr);
            let rule = match self.stage() {
                Some(s) => learning::Rule {
                    lr: rate,
                    learn: Some(s.learn.clone()),
                    unit_norm: s.unit_norm,
                    largest_norm: s.largest_norm,
                    biases: s.biases,
                    expected_error,
                },
                None => {
                    learning::Rule { lr: rate, learn: None, unit_norm: l.unit_norm, largest_norm: 0.0, biases: l.biases, expected_error }
                }
            };
            if let Some(update) = learning::apply(&mut self.model, &mut self.blocks, &rule) {
                report.weight_change = update.relative_change;
                self.weights_version += 1;
                self.stiffness.update(&self.model, 3);
                self.set_parameters();
            }
        }
        let ended = self.stage().is_some_and(|stage| stage.images > 0 && self.images - self.position.since >= stage.images);
        if ended && self.config.learning.enabled && self.position.stage + 1 < self.config.stages.len() {
            self.go_to_stage(self.position.stage + 1); // shows the next stimulus
            return report;
        }
        self.show_next();
        report
    }

    /// Announces a run of `images` from here on, over which `decay = "linear"` falls; returns its last image.
    pub fn run_for(&mut self, images: u64) -> u64 {
        let last = self.images + images;
        self.run = Some([self.images, last]);
        last
    }

    /// The stage under way.
    pub fn stage(&self) -> Option<&StageConfig> {
        self.config.stages.get(self.position.stage)
    }

    /// Number of the stage under way, and the images seen when it began.
    pub fn position(&self) -> StagePosition {
        self.position
    }

    /// Goes to another stage, from its beginning; weights that it draws anew are drawn.
    pub fn go_to_stage(&mut self, stage: usize) {
        if stage >= self.config.stages.len() {
            return;
        }
        self.position = StagePosition { stage, since: self.images };
        let StageConfig { open, start_weights, .. } = self.config.stages[stage];
        if start_weights > 0.0 {
            for w in &mut self.model.weights[open - 1] {
                let z: f32 = StandardNormal.sample(&mut self.rng);
                *w = start_weights as f32 * z;
            }
            self.weights_version += 1;
        }
        self.enter_stage();
        self.show_next();
    }

    /// Tells blocks and integrator which layers run.
    fn enter_stage(&mut self) {
        let depth = self.model.depth();
        if let Some(lr) = self.stage().map(|stage| stage.lr) {
            self.config.learning.lr = lr;
        }
        let (open, learns): (usize, Vec<bool>) = match self.stage() {
            Some(stage) => (stage.open, (0..depth).map(|l| stage.learn.contains(&l)).collect()),
            None => (depth, vec![true; depth]),
        };
        self.blocks.iter_mut().for_each(|block| block.set_stage(open, &learns));
        self.stiffness = Stiffness::new(&self.model);
        self.set_parameters();
    }

    /// The constants of a step: of the layers that run.
    fn set_parameters(&mut self) {
        let open = self.stage().map_or(self.model.depth(), |stage| stage.open);
        self.parameters = step_parameters_of(&self.config.dynamics, &self.stiffness.lambda, open);
    }

    /// The learning rate now (its course: [`Decay`]).
    pub fn learning_rate(&self) -> f64 {
        if let Some(stage) = self.stage() {
            return stage.rate(self.images - self.position.since);
        }
        let l = &self.config.learning;
        l.lr * match (l.decay, self.run) {
            (Decay::Linear, Some([first, last])) => {
                let share = (self.images - first) as f64 / (last - first).max(1) as f64;
                (2.0 * (1.0 - share)).clamp(0.0, 1.0)
            }
            (Decay::Settle, _) if self.images > l.settle_images => (l.settle_images as f64 / self.images as f64).max(l.floor),
            _ => 1.0,
        }
    }

    fn measure(&self) -> BatchReport {
        let (mut residual, mut pixels, mut second, mut fourth, mut units) = (0.0f64, 0usize, 0.0f64, 0.0f64, 0usize);
        for block in &self.blocks {
            for (x, eta) in block.layers[0].x.iter().zip(&block.layers[0].eta) {
                residual += f64::from(x - eta).powi(2);
                pixels += 1;
            }
            for &x in &block.layers[1].x {
                let square = f64::from(x * x);
                second += square;
                fourth += square * square;
                units += 1;
            }
        }
        let kurtosis = if second > 0.0 { fourth * units as f64 / (second * second) - 3.0 } else { 0.0 };
        BatchReport { residual_variance: (residual / pixels.max(1) as f64) as f32, kurtosis: kurtosis as f32, ..Default::default() }
    }

    /// Puts weights back, and measures the stiffness from scratch: what a non-finite value spoiled is forgotten.
    pub fn restore(&mut self, weights: &[Array2<f32>]) {
        self.model.weights.clone_from_slice(weights);
        self.stiffness = Stiffness::new(&self.model);
        self.set_parameters();
        self.weights_version += 1;
        self.show_next();
    }

    /// The first value that is not finite, named; None while all is well.
    pub fn broken(&self) -> Option<String> {
        for (l, w) in self.model.weights.iter().enumerate() {
            if w.iter().any(|v| !v.is_finite()) {
                return Some(format!("W{l} holds a value that is not finite"));
            }
        }
        let broken = |l: usize| self.blocks.iter().any(|block| block.layers[l].x.iter().any(|v| !v.is_finite()));
        (1..=self.model.depth()).find(|&l| broken(l)).map(|l| format!("x{l} is not finite: dt is too large for this stiffness"))
    }
}

fn strength(d: &DynamicsConfig, lambda: f64) -> f64 {
    match d.adaptation_unit {
        AdaptationUnit::Absolute => d.adaptation,
        AdaptationUnit::Stiffness => d.adaptation * lambda.sqrt(),
    }
}

/// h_l of each layer: dt/tau_x, lowered to the layer's own limit by the governor. The clock is that of the softest layer; a
/// stiffer one has a longer tau_x, which leaves the stationary law as it is (SPEC 2).
pub fn step_parameters(d: &DynamicsConfig, stiffness: &[f64]) -> StepParameters {
    step_parameters_of(d, stiffness, stiffness.len())
}

/// The same where only the first `open` layers of neurons run.
fn step_parameters_of(d: &DynamicsConfig, stiffness: &[f64], open: usize) -> StepParameters {
    let wanted = d.dt_ms / d.tau_x_ms;
    let step = |&lambda: &f64| {
        let m = strength(d, lambda);
        let h = if d.governor == Governor::Auto { wanted.min(largest_step(lambda, m)) } else { wanted };
        (h, m)
    };
    let steps: Vec<_> = stiffness.iter().map(step).collect();
    let dt_ms = steps.iter().take(open).map(|s| s.0).fold(0.0, f64::max) * d.tau_x_ms;
    StepParameters {
        layers: steps.iter().map(|&(h, m)| LayerStep::new(h, m, d.tau_v_ms / d.tau_x_ms)).collect(),
        dt_ms,
        dt_over_tau_eps: dt_ms / d.tau_eps_ms,
        interneurons: d.interneurons,
        exact: d.interneuron_mode == InterneuronMode::Exact,
    }
}
