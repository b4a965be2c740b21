//! Model, stimuli and networks from a configuration.

use super::steps::step_parameters;
use super::{Clock, DynamicsState, LearningState, Session, StimulusState};
use crate::data::{self, DataError, Part, Progress, Source, Stimuli, patches::Settings};
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

/// Why a session cannot be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The configuration cannot be run.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Its stimuli cannot be had, or somebody stopped it.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The worker threads cannot be started.
    #[error("{0}")]
    Threads(String),
}

impl Session {
    /// Builds model, data and networks. Errors name the key or the file.
    pub fn new(config: Config) -> Result<Self, SessionError> {
        Self::build(config, None, &Progress::default())
    }

    /// The same with a model that exists.
    pub fn with_model(config: Config, model: Hierarchy) -> Result<Self, SessionError> {
        Self::build(config, Some(model), &Progress::default())
    }

    /// The same, fresh without a `model`, telling how far it has come; it can be stopped through `progress`.
    pub fn build(mut config: Config, model: Option<Hierarchy>, progress: &Progress) -> Result<Self, SessionError> {
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
        let Loaded { stimuli, labels, warnings } = load_stimuli(&mut config, &mut model, fresh, progress)?;
        if let (true, Some(set)) = (fresh, &stimuli) {
            start_at_the_mean(&mut model, set);
        }
        let latents = match &stimuli {
            Some(set) if config.stimulus.persistent => Some(latents_of(&model, set.len())?),
            _ => None,
        };
        let networks = networks(&model, &config);
        let pool = thread_pool(config.dynamics.threads)?;
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
            values: vec![0.0; model.layers[0].size],
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

/// The stimuli of a session, and what was left out while they were loaded.
struct Loaded {
    /// None where the stimulus is fixed.
    stimuli: Option<Stimuli>,
    /// Classes of these, where they are known.
    labels: Option<Vec<u8>>,
    /// A message for each file that was left out.
    warnings: Vec<String>,
}

/// Loads the stimuli of the configuration's source. A fresh model takes the size of one's own whole images; otherwise stimuli of
/// another size than layer 0 are an error.
fn load_stimuli(config: &mut Config, model: &mut Hierarchy, fresh: bool, progress: &Progress) -> Result<Loaded, SessionError> {
    let (source, observed, seed) = (config.data.source, model.layers[0].size, config.dynamics.seed);
    if source == Source::Fixed {
        let found = config.stimulus.values.len();
        if found != observed {
            return Err(ConfigError::Stimulus(format!("stimulus.values has {found} numbers, layer 0 has {observed} units")).into());
        }
        return Ok(Loaded { stimuli: None, labels: None, warnings: Vec::new() });
    }
    for path in config.data.paths.iter().filter(|_| [Source::Files, Source::Images].contains(&source)) {
        // What a folder holds may be left out with a word, what was named may not.
        std::fs::metadata(path).map_err(|problem| DataError::File { path: path.clone(), problem: problem.into() })?;
    }
    let (set, labels, rejected) = if source.is_whole() {
        let (set, rejected) = data::whole(source, &config.data.paths, Part::Train, Some(observed), progress)?;
        fit_to_images(config, model, fresh, [set.rows, set.columns])?;
        (Stimuli::from(set.pixels), set.labels, rejected)
    } else {
        let d = &config.data;
        let needed = d.patch.pow(2);
        if needed != observed {
            let text = format!("patch = {} needs a layer 0 of {needed} units, it has {observed}", d.patch);
            return Err(ConfigError::Stimulus(text).into());
        }
        let settings = Settings { side: d.patch, count: d.patches, border: 4, contrast_normalisation: d.contrast_normalisation };
        let (patches, rejected) = data::patches(source, &d.paths, &settings, seed, progress)?;
        (patches, None, rejected)
    };
    let (set, labels) = chosen_images(set, labels, config.stimulus.images, seed);
    Ok(Loaded { stimuli: Some(set), labels, warnings: rejected.iter().map(ToString::to_string).collect() })
}

/// Gives a fresh model the size of one's own images; an error where layer 0 has another size.
fn fit_to_images(config: &mut Config, model: &mut Hierarchy, fresh: bool, [rows, columns]: [usize; 2]) -> Result<(), ConfigError> {
    let pixels = rows * columns;
    if fresh && config.data.source == Source::Images && pixels != model.layers[0].size {
        config.model.layers[0].size = pixels;
        config.validate()?;
        *model = fresh_model(config)?;
    }
    let observed = model.layers[0].size;
    if pixels != observed {
        let text = format!("images of {rows} x {columns} need a layer 0 of {pixels} units, it has {observed}");
        return Err(ConfigError::Stimulus(text));
    }
    Ok(())
}

/// Chains of so many images; an error where they would take too much memory.
fn latents_of(model: &Hierarchy, images: usize) -> Result<Latents, ConfigError> {
    let bytes = Latents::bytes(model, images);
    if bytes > latents::MOST_BYTES {
        return Err(ConfigError::Stimulus(format!(
            "images = {images}: their chains would take {} MB, at most {} MB are kept; choose fewer images",
            bytes >> 20,
            latents::MOST_BYTES >> 20
        )));
    }
    Ok(Latents::new(model, images))
}

/// The networks of a batch.
fn networks(model: &Hierarchy, config: &Config) -> Ensemble {
    let batch = config.stimulus.batch;
    let options = EnsembleOptions {
        block_rows: block_rows(model, batch),
        interneurons: config.dynamics.interneurons,
        seed: config.dynamics.seed,
        tables: model.tables(),
        ..EnsembleOptions::new(model, batch)
    };
    Ensemble::new(model, &options)
}

/// Threads that the networks run on; 0: as many as cores.
fn thread_pool(threads: usize) -> Result<Arc<rayon::ThreadPool>, SessionError> {
    let threads = if threads == 0 { std::thread::available_parallelism().map_or(1, usize::from) } else { threads };
    let builder = rayon::ThreadPoolBuilder::new().num_threads(threads).thread_name(|i| format!("networks {i}"));
    Ok(Arc::new(builder.build().map_err(|e| SessionError::Threads(e.to_string()))?))
}

/// The layers a configuration describes; nothing of their size is made.
pub(crate) fn layers_of(config: &Config) -> Result<Vec<Layer>, ConfigError> {
    let layer = |(l, c): (usize, &LayerConfig)| {
        Layer::new(c.family, c.activation, c.size).map_err(|e| ConfigError::Layer { layer: l, problem: e.to_string() })
    };
    let layers: Vec<Layer> = config.model.layers.iter().enumerate().map(layer).collect::<Result<_, _>>()?;
    for (l, (pair, given)) in layers.windows(2).zip(fixed_weights(config)).enumerate().filter(|(_, (_, given))| !given.is_empty()) {
        let [rows, columns] = [pair[0].size, pair[1].size];
        if given.len() != rows || given.iter().any(|row| row.len() != columns) {
            return Err(ConfigError::Weights { layer: l, rows, columns });
        }
    }
    Ok(layers)
}

/// W_0, W_1 .. as the configuration fixes them, row by row; empty where it does not.
fn fixed_weights(config: &Config) -> impl Iterator<Item = &Vec<Vec<f32>>> {
    std::iter::once(&config.model.weights).chain(&config.model.deeper_weights)
}

/// The model of these layers and weights, with biases as the configuration has them at the start.
pub(crate) fn assemble_model(config: &Config, layers: Vec<Layer>, weights: Vec<Array2<f32>>) -> Result<Hierarchy, ConfigError> {
    let mut model = Hierarchy::new(layers, weights)?;
    for (l, c) in config.model.layers.iter().enumerate() {
        if !c.bias.is_finite() {
            return Err(ConfigError::Layer { layer: l, problem: format!("bias = {} must be finite", c.bias) });
        }
        model.set_bias(l, c.bias as f32)?;
    }
    Ok(model)
}

/// The model a configuration describes, with fixed or random unit-norm weights.
pub fn build_model(config: &Config) -> Result<Hierarchy, ConfigError> {
    let layers = layers_of(config)?;
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
    for (w, given) in weights.iter_mut().zip(fixed_weights(config)).filter(|(_, given)| !given.is_empty()) {
        *w = Array2::from_shape_fn(w.dim(), |(i, j)| given[i][j]);
    }
    assemble_model(config, layers, weights)
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
