//! Model, stimuli and networks from a configuration.

use super::steps::step_parameters;
use super::{Clock, DynamicsState, LearningState, Session, StimulusState};
use crate::data::{self, Part, Progress, Source, Stimuli, patches::Settings};
use crate::dynamics::governor::Stiffness;
use crate::dynamics::learning;
use crate::dynamics::{Ensemble, EnsembleOptions};
use crate::experiment::config::*;
use crate::experiment::latents::{self, Latents};
use crate::experiment::stages::StagePosition;
use crate::model::{Hierarchy, Layer};
use ndarray::Array2;
use rand::seq::SliceRandom;
use rand::{SeedableRng, rngs::ChaCha8Rng};
use rand_distr::{Distribution, StandardNormal};
use std::sync::Arc;

/// Rows of a block: each has its own random stream, so that results do not depend on the number of threads.
const BLOCK_ROWS: usize = 25;
/// The same for a large model, whose products need more rows to be worth laying out its weights for.
const LARGE_BLOCK_ROWS: usize = 50;
/// Weights above which the stiffness is measured at every third update, and blocks are larger.
const LARGE_MODEL: usize = 50_000;

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
        let source = config.data.source;
        let mut observed = model.layers[0].size;
        let mut labels = None;
        let stimuli = match source {
            Source::Fixed if config.stimulus.values.len() != observed => {
                return Err(ConfigError::Stimulus(format!(
                    "stimulus.values has {} numbers, layer 0 has {observed} units",
                    config.stimulus.values.len()
                ))
                .into());
            }
            Source::Fixed => None,
            source if source.is_whole() => {
                let (set, rejected) = data::whole(source, &config.data.paths, Part::Train, Some(observed), progress)?;
                warnings.extend(rejected.iter().map(ToString::to_string));
                if fresh && source == Source::Images && set.rows * set.columns != observed {
                    observed = set.rows * set.columns; // a fresh model takes the size of one's own images
                    config.model.layers[0].size = observed;
                    config.validate()?;
                    model = fresh_model(&config)?;
                }
                if set.rows * set.columns != observed {
                    return Err(ConfigError::Stimulus(format!(
                        "images of {} x {} need a layer 0 of {} units, it has {observed}",
                        set.rows,
                        set.columns,
                        set.rows * set.columns
                    ))
                    .into());
                }
                labels = set.labels;
                Some(Stimuli::from(set.pixels))
            }
            _ if config.data.patch.pow(2) != observed => {
                return Err(ConfigError::Stimulus(format!(
                    "patch = {} needs a layer 0 of {} units, it has {observed}",
                    config.data.patch,
                    config.data.patch.pow(2)
                ))
                .into());
            }
            source => {
                let d = &config.data;
                let settings = Settings { side: d.patch, count: d.patches, border: 4, contrast_normalisation: d.contrast_normalisation };
                let (patches, rejected) = data::patches(source, &d.paths, &settings, seed, progress)?;
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
                let bytes = Latents::bytes(&model, set.len());
                if bytes > latents::MOST_BYTES {
                    return Err(ConfigError::Stimulus(format!(
                        "images = {}: their chains would take {} MB, at most {} MB are kept; choose fewer images",
                        set.len(),
                        bytes >> 20,
                        latents::MOST_BYTES >> 20
                    ))
                    .into());
                }
                Some(Latents::new(&model, set.len()))
            }
            _ => None,
        };
        let batch = config.stimulus.batch;
        let options = EnsembleOptions {
            block_rows: block_rows(&model, batch),
            interneurons: config.dynamics.interneurons,
            seed,
            tables: model.tables(),
            ..EnsembleOptions::new(&model, batch)
        };
        let networks = Ensemble::new(&model, &options);
        let threads = if config.dynamics.threads == 0 {
            std::thread::available_parallelism().map_or(1, usize::from)
        } else {
            config.dynamics.threads
        };
        let pool = Arc::new(rayon::ThreadPoolBuilder::new().num_threads(threads).thread_name(|i| format!("networks {i}")).build()?);
        let stiffness = Stiffness::new(&model);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(1 << 41);
        let parameters = step_parameters(&config.dynamics, &stiffness.lambda);
        let images = config.learning.images_seen;
        let position = StagePosition { stage: config.learning.stage, since: config.learning.stage_since };
        let stimulus = StimulusState {
            source: stimuli,
            labels,
            configured: config.stimulus.values.clone(),
            values: vec![0.0; observed],
            free: Vec::new(),
            held: false,
            presentations: 0,
            step: 0,
            settling: 0,
        };
        let optimizer = learning::OptimizerState::default();
        let learning = LearningState { position, run: None, run_share: None, optimizer, updates: 0 };
        let mut session = Self {
            config,
            model,
            networks,
            weights_version: 1,
            dynamics: DynamicsState { stiffness, parameters },
            stimulus,
            clock: Clock { images, ..Clock::default() },
            learning,
            latents,
            rng,
            pool,
            warnings,
        };
        session.reset_optimizer();
        session.enter_stage();
        session.show_next();
        Ok(session)
    }
}

/// The model a configuration describes, with fixed or random unit-norm weights.
pub fn build_model(config: &Config) -> Result<Hierarchy, ConfigError> {
    let mut layers = Vec::new();
    for (l, c) in config.model.layers.iter().enumerate() {
        layers.push(Layer::new(c.family, c.activation, c.size).map_err(|e| ConfigError::Layer { layer: l, problem: e.to_string() })?);
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
            return Err(ConfigError::Model(format!("the weights W{l} must have {} rows of {} numbers", w.nrows(), w.ncols())));
        }
        *w = Array2::from_shape_fn(w.dim(), |(i, j)| given[i][j]);
    }
    let mut model = Hierarchy::new(layers, weights).map_err(|e| ConfigError::Model(e.to_string()))?;
    for (l, c) in config.model.layers.iter().enumerate() {
        if !c.bias.is_finite() {
            return Err(ConfigError::Layer { layer: l, problem: format!("bias = {} must be finite", c.bias) });
        }
        model.set_bias(l, c.bias as f32).map_err(|e| ConfigError::Model(e.to_string()))?;
    }
    Ok(model)
}

/// A model that has learned nothing; layers that open later say nothing before.
fn fresh_model(config: &Config) -> Result<Hierarchy, ConfigError> {
    let mut model = build_model(config)?;
    let active_layers = config.stages.first().map_or(model.depth(), |stage| stage.active_layers.min(model.depth()));
    model.weights[active_layers..].iter_mut().for_each(|w| w.fill(0.0));
    Ok(model)
}

/// A fresh model of pixels in {0, 1} starts where every image is the mean image: b_0 = logit of the mean grey.
fn start_at_the_mean(model: &mut Hierarchy, images: &Stimuli) {
    if model.observed_family().is_binary()
        && model.biases[0].iter().all(|&b| b == 0.0)
        && let Some(mean) = images.mean()
    {
        let logit = |grey: f32| (grey / (1.0 - grey)).ln();
        model.biases[0] = mean.mapv(|grey| logit(grey.clamp(0.0, 1.0) * 0.98 + 0.01));
    }
}

/// At most `most` of the images (0: all), in a random order of their own.
fn chosen_images(set: Stimuli, labels: Option<Vec<u8>>, most: usize, seed: u64) -> (Stimuli, Option<Vec<u8>>) {
    if most == 0 || most >= set.len() {
        return (set, labels);
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(1 << 42);
    let mut order: Vec<usize> = (0..set.len()).collect();
    order.shuffle(&mut rng);
    let labels = labels.and_then(|labels| order[..most].iter().map(|&i| labels.get(i).copied()).collect());
    (set.select(&order[..most]), labels)
}

/// Rows of a block. Those of a large model are as many as two threads share evenly, whatever the number of threads.
fn block_rows(model: &Hierarchy, batch: usize) -> usize {
    if !is_large(model) {
        return BLOCK_ROWS;
    }
    let pairs = ((batch as f64 / (2 * LARGE_BLOCK_ROWS) as f64).round() as usize).max(1);
    batch.div_ceil(2 * pairs)
}

/// Whether the products are worth larger blocks, and its stiffness too dear to measure at every update.
pub(super) fn is_large(model: &Hierarchy) -> bool {
    model.weights.iter().map(Array2::len).sum::<usize>() > LARGE_MODEL
}
