//! A running experiment: model, blocks of networks, stimuli, clock. The window's engine and the command line run the same one.

use crate::data::{self, Part, Progress, patches::Settings};
use crate::dynamics::block::{Block, Span, Taps};
use crate::dynamics::categorical::{self, TopRule};
use crate::dynamics::governor::{Stiffness, largest_step};
use crate::dynamics::parameters::averaged_variance;
use crate::dynamics::{LayerStep, StepParameters, ancestral, learning};
use crate::experiment::config::*;
use crate::experiment::latents::{self, Latents};
use crate::experiment::stages::{StageConfig, StagePosition};
use crate::model::{Hierarchy, Layer};
use ndarray::{Array1, Array2, Axis};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

mod inpainting;

pub use inpainting::Completed;

/// Rows of a block: each has its own random stream, so that results do not depend on the number of threads.
const BLOCK_ROWS: usize = 25;
/// The same for a large model, whose products need more rows to be worth laying out its weights for.
const LARGE_BLOCK_ROWS: usize = 50;
/// Work (rows x weights) below which a span runs on the calling thread.
const SMALL_WORK: usize = 200_000;
/// Weights above which the stiffness is measured at every third update, and blocks are larger.
const LARGE_MODEL: usize = 50_000;

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
    /// Classes of these, where they are known.
    labels: Option<Vec<u8>>,
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
    /// Share of a run that is done, where the clock on the wall tells it.
    clock: Option<f64>,
    position: StagePosition,
    /// The chains of every image, where they persist.
    latents: Option<Latents>,
    /// What the learning rule remembers.
    pub memory: learning::Memory,
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
            match config.model.first_weights {
                FirstWeights::UnitNorm => learning::normalise_columns(&mut w),
                FirstWeights::FanIn => w /= (pair[1].size as f32).sqrt(),
            }
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
        let fresh = model.is_none();
        let mut model = match model {
            Some(model) => model,
            None => {
                config.learning.images_seen = 0; // a fresh model has seen none
                (config.learning.stage, config.learning.stage_since) = (0, 0);
                fresh_model(&config)?
            }
        };
        config.validate()?;
        let seed = config.dynamics.seed;
        let mut warnings = Vec::new();
        let source = config.data.source();
        let mut observed = model.layers[0].size;
        let mut labels = None;
        let stimuli = match source {
            None if config.stimulus.values.len() != observed => {
                return Err(ConfigError(format!(
                    "stimulus.values has {} numbers, layer 0 has {observed} units",
                    config.stimulus.values.len()
                ))
                .into());
            }
            None => None,
            Some(source) if config.data.source.is_whole() => {
                let (set, rejected) = data::whole(&source, Part::Train, Some(observed), progress)?;
                warnings.extend(rejected.iter().map(ToString::to_string));
                if fresh && config.data.source == DataSource::Images && set.rows * set.columns != observed {
                    observed = set.rows * set.columns; // a fresh model takes the size of one's own images
                    config.model.layers[0].size = observed;
                    config.validate()?;
                    model = fresh_model(&config)?;
                }
                if set.rows * set.columns != observed {
                    return Err(ConfigError(format!(
                        "images of {} x {} need a layer 0 of {} units, it has {observed}",
                        set.rows,
                        set.columns,
                        set.rows * set.columns
                    ))
                    .into());
                }
                labels = set.labels;
                Some(set.pixels)
            }
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
        let (stimuli, labels) = match stimuli {
            Some(set) => {
                let (set, labels) = chosen_images(set, labels, config.stimulus.images, seed);
                (Some(set), labels)
            }
            None => (None, None),
        };
        if let (true, Some(set)) = (fresh, &stimuli) {
            start_at_the_mean(&mut model, set);
        }
        let latents = match &stimuli {
            Some(set) if config.stimulus.persistent => {
                let bytes = Latents::bytes(&model, set.nrows());
                if bytes > latents::MOST_BYTES {
                    return Err(ConfigError(format!(
                        "images = {}: their chains would take {} MB, at most {} MB are kept; choose fewer images",
                        set.nrows(),
                        bytes >> 20,
                        latents::MOST_BYTES >> 20
                    ))
                    .into());
                }
                Some(Latents::new(&model, set.nrows()))
            }
            _ => None,
        };
        let batch = config.stimulus.batch;
        let tables = model.tables();
        let block_rows = if is_large(&model) { LARGE_BLOCK_ROWS } else { BLOCK_ROWS };
        let mut blocks: Vec<Block> = (0..batch.div_ceil(block_rows))
            .map(|b| Block::new(&model, block_rows.min(batch - b * block_rows), config.dynamics.interneurons, seed, b as u64))
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
            labels,
            rng,
            pool,
            step_in_stimulus: 0,
            time_ms: 0.0,
            steps: 0,
            images,
            weights_version: 1,
            position,
            run: None,
            clock: None,
            latents,
            memory: learning::Memory::default(),
            updates: 0,
            settling: 0,
            free: Vec::new(),
            given: vec![0.0; observed],
            presentations: 0,
            held: false,
            warnings,
        };
        session.renew_memory();
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
        let ascent = (self.config.learning.ascent, changed.learning.ascent);
        let lr = changed.learning.lr;
        if lr != self.config.learning.lr
            && let Some(stage) = self.config.stages.get(self.position.stage).map(|_| self.position.stage)
        {
            self.config.stages[stage].lr = lr; // the rate in force is the stage's
        }
        let stages = std::mem::take(&mut self.config.stages);
        self.config = Config { stages, ..changed };
        if ascent.0 != ascent.1 {
            self.renew_memory();
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

    /// Sets the fixed stimulus, `[n_0]`, in every network; states and freed pixels stay, so that the chains follow it.
    pub fn set_stimulus(&mut self, values: &[f32]) -> Result<(), ConfigError> {
        let n = self.model.layers[0].size;
        if values.len() != n || values.iter().any(|v| !v.is_finite()) {
            return Err(ConfigError(format!("a stimulus of {n} finite numbers is needed, found {}", values.len())));
        }
        if self.stimuli.is_none() {
            self.config.stimulus.values = values.to_vec();
        }
        for block in &mut self.blocks {
            block.clamp(values, &self.free);
            block.forget_reconstruction();
        }
        self.given.copy_from_slice(values);
        Ok(())
    }

    /// Shows every network another stimulus, from x = 0 (SPEC 3) or from where its own chains were. Fixed stimuli start again. While
    /// held, all get the same.
    pub fn show_next(&mut self) {
        (self.step_in_stimulus, self.settling) = (0, 0);
        let n = self.model.layers[0].size;
        let persistent = self.latents.is_some() && !self.held;
        let shown = self.choose_images();
        let mut next = shown.iter();
        for block in &mut self.blocks {
            block.restart(&self.model);
            block.clear_sums();
            for row in block.layers[0].x.chunks_exact_mut(n) {
                match (&self.stimuli, next.next()) {
                    (Some(set), Some(&i)) => row.iter_mut().zip(set.row(i)).for_each(|(x, &value)| *x = value),
                    _ => row.copy_from_slice(&self.config.stimulus.values),
                }
            }
        }
        if let (true, Some(latents)) = (persistent, &self.latents) {
            if latents.fresh() {
                let open = self.open();
                self.blocks.iter_mut().for_each(|block| ancestral::draw(&self.model, block, 1, open, 1.0));
                self.settling = self.config.stimulus.settle_steps;
            } else {
                latents.load(&self.model, &mut self.blocks);
            }
        }
        if self.stimuli.is_some() {
            self.images += if self.held { 1 } else { self.config.stimulus.batch as u64 };
        }
        self.presentations += 1;
        self.given.copy_from_slice(&self.blocks[0].layers[0].x[..n]);
        self.begin_completions();
    }

    /// The image of each network for the next presentation; none where the stimulus is fixed.
    fn choose_images(&mut self) -> Vec<usize> {
        let (batch, wanted) = (self.config.stimulus.batch, self.wanted_images());
        let Some(set) = &self.stimuli else { return Vec::new() };
        match &mut self.latents {
            _ if self.held => vec![self.rng.random_range(0..set.nrows()); batch],
            Some(latents) => latents.choose(batch, wanted, &mut self.rng).iter().map(|&i| i as usize).collect(),
            None => (0..batch).map(|_| self.rng.random_range(0..set.nrows())).collect(),
        }
    }

    /// Images that take part now: the first ones, and then, between a twentieth and three fifths of the run, all others (SPEC 8).
    fn wanted_images(&self) -> usize {
        let all = self.latents.as_ref().map_or(0, Latents::images);
        let first = match self.config.stimulus.first_images {
            0 => all,
            first => first.min(all),
        };
        let joined = ((self.share() - 0.05) / 0.55).clamp(0.0, 1.0);
        first + ((all - first) as f64 * joined) as usize
    }

    /// Shows network 0's stimulus in every network, so that all sample one posterior, and lets learning rest; or goes on.
    pub fn hold(&mut self, hold: bool) -> Result<(), ConfigError> {
        self.held = hold;
        if hold {
            let stimulus = self.stimulus().to_vec();
            self.set_stimulus(&stimulus)
        } else {
            self.free_pixels(&[])?;
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
        (self.stimuli, self.labels) = (Some(stimuli), None);
        self.show_next();
        Ok(())
    }

    /// The images from which stimuli are taken, `[count, n_0]`; None where the stimulus is fixed.
    pub fn images_shown(&self) -> Option<&Array2<f32>> {
        self.stimuli.as_ref()
    }

    /// Classes of these, `[count]`; None where they are not known.
    pub fn labels_shown(&self) -> Option<&[u8]> {
        self.labels.as_deref()
    }

    /// The stimulus of network 0 as it was given, `[n_0]`: under freed pixels what they would be if they were clamped.
    pub fn stimulus(&self) -> &[f32] {
        &self.given
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
    pub fn advance(&mut self, steps: usize, taps: &Taps) -> (usize, Option<BatchReport>) {
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
            (&self.model, cold.as_ref().unwrap_or(&self.parameters), Taps { units: Vec::new(), raster: false, ..taps.clone() });
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
        if let (Some(latents), false) = (&mut self.latents, self.held) {
            latents.store(&self.model, &self.blocks);
        }
        if self.config.learning.enabled {
            self.learn(&mut report);
        }
        let ended = self.stage().is_some_and(|stage| stage.images > 0) && self.stage_share() >= 1.0;
        if ended && self.config.learning.enabled && self.position.stage + 1 < self.config.stages.len() {
            self.go_to_stage(self.position.stage + 1); // shows the next stimulus
            return report;
        }
        self.show_next();
        report
    }

    /// Adds what the presentation has taught to the weights.
    fn learn(&mut self, report: &mut BatchReport) {
        let rule = self.rule(f64::from(report.lr));
        let update = learning::apply(&mut self.model, &self.blocks, &rule, &mut self.memory);
        let depth = self.model.depth();
        let opened = self.open() == depth && rule.learn.as_ref().is_none_or(|learn| learn.contains(&(depth - 1)));
        if opened && self.model.layers[depth].family.is_categorical() {
            let share = self.share();
            let (rate, expected_error) = (self.config.learning.top_rate * (1.0 - 0.9 * share), rule.expected_error);
            // Near the end of a run no state starts again: it could not settle.
            let top = TopRule { rate, dead: if share < 0.8 { 0.15 } else { 0.0 }, expected_error };
            let (latents, blocks, rng) = (&self.latents, &self.blocks, &mut self.rng);
            categorical::learn(&mut self.model, blocks, top, || state_of_some_image(latents.as_ref(), blocks, depth - 1, rng));
        }
        self.blocks.iter_mut().for_each(Block::clear_sums);
        if let Some(update) = update {
            report.weight_change = update.relative_change;
            self.weights_version += 1;
            self.updates += 1;
            if !is_large(&self.model) || self.updates.is_multiple_of(3) {
                self.measure_stiffness();
                self.stiffness.update(&self.model, 3);
            }
            self.set_parameters();
        }
    }

    /// The learning rule as configuration and stage have it.
    fn rule(&self, lr: f64) -> learning::Rule {
        let l = &self.config.learning;
        let layers = self.config.model.layers.iter().enumerate();
        let learned_sigma = layers.filter(|(i, layer)| layer.learned_sigma || (*i == 0 && l.learned_sigma)).map(|(i, _)| i).collect();
        let expected_error = 1.0 + averaged_variance(&self.parameters);
        let free =
            learning::Rule { lr, learn: None, unit_norm: l.unit_norm, largest_norm: 0.0, biases: l.biases, learned_sigma, expected_error };
        match self.stage() {
            Some(s) => {
                let learn = Some(s.learn.clone());
                learning::Rule { learn, unit_norm: s.unit_norm, largest_norm: s.largest_norm, biases: s.biases, ..free }
            }
            None => free,
        }
    }

    /// Takes the mean curvature of the observation layer where the configuration asks for it.
    fn measure_stiffness(&mut self) {
        if self.config.dynamics.curvature == Curvature::Mean {
            let family = self.model.layers[0].family.as_ref();
            let pixels = self.model.layers[0].size;
            let (mut sum, mut rows) = (Array1::zeros(pixels), 0.0f32);
            for row in self.blocks.iter().flat_map(|block| block.layers[0].eta.chunks_exact(pixels)) {
                family.add_statistic_variances(row, sum.as_slice_mut().unwrap_or_default());
                rows += 1.0;
            }
            self.stiffness.observed_variance = Some(sum / rows.max(1.0));
        }
    }

    /// Announces a run of `images` from here on, over which `decay = "linear"` falls; returns its last image.
    pub fn run_for(&mut self, images: u64) -> u64 {
        let last = self.images + images;
        self.run = Some([self.images, last]);
        last
    }

    /// Tells which share of a run is done whose length is known in time, not in images; stages last their shares of it.
    pub fn set_clock(&mut self, share: f64) {
        self.clock = Some(share.clamp(0.0, 1.0));
    }

    /// Share of the run that is done: by the clock, by images, or of all stages together; 0 for a run without end.
    pub fn share(&self) -> f64 {
        let stages: u64 = self.config.stages.iter().map(|stage| stage.images).sum();
        match (self.clock, self.run) {
            (Some(share), _) => share,
            (None, Some([first, last])) => (self.images.saturating_sub(first) as f64 / (last - first).max(1) as f64).min(1.0),
            (None, None) if stages > 0 => (self.images as f64 / stages as f64).min(1.0),
            _ => 0.0,
        }
    }

    /// Share of the stage under way that is done; 0 in one without end.
    pub fn stage_share(&self) -> f64 {
        let Some(stage) = self.stage() else { return 0.0 };
        let planned = |stages: &[StageConfig]| stages.iter().map(|stage| stage.images).sum::<u64>() as f64;
        match self.clock {
            Some(share) => {
                let all = planned(&self.config.stages);
                (share * all - planned(&self.config.stages[..self.position.stage])) / (stage.images as f64).max(1.0)
            }
            None if stage.images > 0 => self.images.saturating_sub(self.position.since) as f64 / stage.images as f64,
            None => 0.0,
        }
    }

    /// Layers of neurons that run, 1..=this.
    pub fn open(&self) -> usize {
        self.stage().map_or(self.model.depth(), |stage| stage.open)
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
        if open == self.model.depth() && self.model.layers[open].family.is_categorical() {
            self.open_top();
        }
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

    /// Starts the states of a categorical top at the latents of images, unless it has learned before.
    fn open_top(&mut self) {
        let top = self.model.depth();
        if self.model.weights[top - 1].iter().any(|&w| w != 0.0) {
            return;
        }
        let n = self.model.layers[top - 1].size;
        let rows = || self.blocks.iter().flat_map(|block| block.layers[top - 1].x.iter().copied());
        let kept = self.latents.as_ref().filter(|latents| latents.settled() > 0).map(|latents| latents.of_layer(top - 1));
        let x = kept.or_else(|| Array2::from_shape_vec((rows().count() / n, n), rows().collect()).ok());
        let Some(mut x) = x else { return };
        let mut order: Vec<usize> = (0..x.nrows()).collect();
        order.shuffle(&mut self.rng);
        x = x.select(Axis(0), &order);
        let gains = categorical::open(&mut self.model, &x);
        if let Some(latents) = &mut self.latents {
            latents.rescale(top - 1, &gains);
        }
        if let Some(moments) = self.memory.weights.get_mut(top.wrapping_sub(2)) {
            moments.rescale_columns(&gains);
        }
        self.weights_version += 1;
    }

    /// What the learning rule remembers starts anew.
    fn renew_memory(&mut self) {
        let adam = self.config.learning.ascent == Ascent::Adam;
        self.memory = if adam { learning::Memory::new(self.model.depth()) } else { learning::Memory::default() };
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
        let open = self.open();
        self.parameters = step_parameters_of(&self.config.dynamics, &self.stiffness.lambda, open);
        if !self.free.is_empty() {
            let step = self.observed_step();
            self.blocks.iter_mut().for_each(|block| block.set_observed_step(step));
        }
    }

    /// The learning rate now (its course: [`Decay`]).
    pub fn learning_rate(&self) -> f64 {
        if let Some(stage) = self.stage() {
            return stage.rate(self.stage_share());
        }
        let l = &self.config.learning;
        l.lr * match (l.decay, self.run) {
            (Decay::Linear, _) if self.run.is_some() || self.clock.is_some() => (2.0 * (1.0 - self.share())).clamp(0.0, 1.0),
            (Decay::Settle, _) if self.images > l.settle_images => (l.settle_images as f64 / self.images as f64).max(l.floor),
            _ => 1.0,
        }
    }

    fn measure(&self) -> BatchReport {
        let (mut residual, mut pixels, mut second, mut fourth, mut units) = (0.0f64, 0usize, 0.0f64, 0.0f64, 0usize);
        let observed = &self.model.layers[0].family;
        let scale = 1.0 / observed.statistic_slope(0.0) as f32; // T is linear in x
        let mut mean = Vec::new();
        for block in &self.blocks {
            mean.resize(block.layers[0].eta.len(), 0.0);
            observed.mean_statistics(&block.layers[0].eta, &mut mean);
            for (x, mean) in block.layers[0].x.iter().zip(&mean) {
                residual += f64::from(x - scale * mean).powi(2);
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

    /// Puts weights, biases and families back, and measures the stiffness from scratch: what a non-finite value spoiled is forgotten.
    pub fn restore(&mut self, good: &Hierarchy) {
        self.model.copy_values(good);
        self.stiffness = Stiffness::new(&self.model);
        self.renew_memory();
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
        for (l, b) in self.model.biases.iter().enumerate() {
            if b.iter().any(|v| !v.is_finite()) {
                return Some(format!("b{l} holds a value that is not finite"));
            }
        }
        let broken = |l: usize| self.blocks.iter().any(|block| block.layers[l].x.iter().any(|v| !v.is_finite()));
        (1..=self.model.depth()).find(|&l| broken(l)).map(|l| format!("x{l} is not finite: dt is too large for this stiffness"))
    }
}

fn is_large(model: &Hierarchy) -> bool {
    model.weights.iter().map(Array2::len).sum::<usize>() > LARGE_MODEL
}

/// At most `most` of the images (0: all), in a random order of their own.
fn chosen_images(set: Array2<f32>, labels: Option<Vec<u8>>, most: usize, seed: u64) -> (Array2<f32>, Option<Vec<u8>>) {
    if most == 0 || most >= set.nrows() {
        return (set, labels);
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(1 << 42);
    let mut order: Vec<usize> = (0..set.nrows()).collect();
    order.shuffle(&mut rng);
    let labels = labels.and_then(|labels| order[..most].iter().map(|&i| labels.get(i).copied()).collect());
    (set.select(Axis(0), &order[..most]), labels)
}

/// A model that has learned nothing; layers that open later say nothing before.
fn fresh_model(config: &Config) -> Result<Hierarchy, ConfigError> {
    let mut model = build_model(config)?;
    let open = config.stages.first().map_or(model.depth(), |stage| stage.open.min(model.depth()));
    model.weights[open..].iter_mut().for_each(|w| w.fill(0.0));
    Ok(model)
}

/// A fresh model of pixels in {0, 1} starts where every image is the mean image: b_0 = logit of the mean grey.
fn start_at_the_mean(model: &mut Hierarchy, images: &Array2<f32>) {
    if model.layers[0].family.is_discrete()
        && model.biases[0].iter().all(|&b| b == 0.0)
        && let Some(mean) = images.mean_axis(Axis(0))
    {
        let logit = |grey: f32| (grey / (1.0 - grey)).ln();
        model.biases[0] = mean.mapv(|grey| logit(grey.clamp(0.0, 1.0) * 0.98 + 0.01));
    }
}

/// x of layer l of a random image among those that have chains, else of a random network.
fn state_of_some_image(latents: Option<&Latents>, blocks: &[Block], l: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
    match latents.filter(|latents| latents.settled() > 0) {
        Some(latents) => latents.of_image(l, rng.random_range(0..latents.settled())),
        None => {
            let block = &blocks[rng.random_range(0..blocks.len())];
            let (row, n) = (rng.random_range(0..block.rows), block.layers[l].x.len() / block.rows);
            block.layers[l].x[row * n..][..n].to_vec()
        }
    }
}

fn strength(d: &DynamicsConfig, lambda: f64) -> f64 {
    match d.adaptation_unit {
        AdaptationUnit::Absolute => d.adaptation,
        AdaptationUnit::Stiffness => d.adaptation * lambda.sqrt(),
    }
}

/// h, m and rho of a layer of stiffness lambda; nothing moves where it is infinite.
fn layer_step(d: &DynamicsConfig, lambda: f64) -> (f64, LayerStep) {
    if !lambda.is_finite() {
        return (0.0, LayerStep::new(0.0, 0.0, 1.0));
    }
    let m = strength(d, lambda);
    let wanted = d.dt_ms / d.tau_x_ms;
    let h = if d.governor == Governor::Auto { wanted.min(largest_step(lambda, m, d.safety)) } else { wanted };
    let units = if d.adaptation_unit == AdaptationUnit::Stiffness { lambda } else { 1.0 };
    (h, LayerStep::new(h, m, d.tau_v_ms / d.tau_x_ms / units))
}

/// h, m and rho of x_0 where it is free: its stiffness is that of p(x_0 | x_1).
pub fn observed_step(d: &DynamicsConfig, model: &Hierarchy) -> LayerStep {
    layer_step(d, model.layers[0].family.largest_base_curvature().max(1.0)).1
}

/// h_l of each layer: dt/tau_x, lowered to the layer's own limit by the governor. The clock is that of the softest layer; a
/// stiffer one has a longer tau_x, which leaves the stationary law as it is (SPEC 2).
pub fn step_parameters(d: &DynamicsConfig, stiffness: &[f64]) -> StepParameters {
    step_parameters_of(d, stiffness, stiffness.len())
}

/// The same where only the first `open` layers of neurons run.
pub(super) fn step_parameters_of(d: &DynamicsConfig, stiffness: &[f64], open: usize) -> StepParameters {
    let steps: Vec<_> = stiffness.iter().map(|&lambda| layer_step(d, lambda)).collect();
    let h = steps.iter().take(open).map(|s| s.0).fold(0.0, f64::max);
    let dt_ms = if h > 0.0 { h * d.tau_x_ms } else { d.dt_ms }; // a model whose only neurons are drawn has the clock it was given
    StepParameters {
        layers: steps.into_iter().map(|(_, step)| step).collect(),
        dt_ms,
        dt_over_tau_eps: dt_ms / d.tau_eps_ms,
        interneurons: d.interneurons,
        exact: d.interneuron_mode == InterneuronMode::Exact,
    }
}
