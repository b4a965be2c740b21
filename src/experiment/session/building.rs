//! Model, stimuli and networks from a configuration.

use super::steps::step_parameters;
use super::{Clock, DynamicsState, LearningState, Session, StimulusState};
use crate::data::{self, DataError, ImagesReport, Notice, Part, PictureSize, Progress, Source, Stimuli, patches::Settings};
use crate::dynamics::governor::Stiffness;
use crate::dynamics::learning;
use crate::dynamics::{Ensemble, EnsembleOptions};
use crate::experiment::config::*;
use crate::experiment::latents::{self, Latents};
use crate::experiment::stages::StagePosition;
use crate::experiment::validation::MOST_UNITS;
use crate::model::{Hierarchy, Layer};
use ndarray::Array2;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use rand_distr::{Distribution, StandardNormal};
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Rows of a block: each has its own random stream, so that results do not depend on the number of threads.
const BLOCK_ROWS: usize = 25;
/// The same for a large model, whose products need more rows to be worth laying out its weights for.
const LARGE_BLOCK_ROWS: usize = 50;
/// Weights up to which a step is calls more than arithmetic: then two blocks are enough, whatever the number of threads.
const SMALL_MODEL: usize = 500;
/// The same of models of a few units, for which one block of so many rows is enough.
const TINY_MODEL: usize = 16;
const TINY_BLOCK_ROWS: usize = 128;
/// The same for a model whose weights no core's own cache holds: each block reads them all.
const HUGE_BLOCK_ROWS: usize = 100;
const HUGE_MODEL: usize = 500_000;
/// A batch that has more blocks than this gets larger ones, up to twice as large, whose products are faster.
const MANY_BLOCKS: usize = 8;
/// Weights above which the stiffness is measured at every third update, and blocks are larger.
const LARGE_MODEL: usize = 50_000;

/// Standard deviation, in pixels, of the columns of [`FirstWeights::Local`] about their places: somewhat more than that of the Gabor
/// functions that are learned from whitened photographs.
const PLACE_WIDTH: f32 = 3.0;
/// Share of the weight at that place below which there is no connection: three standard deviations away.
const LEAST_SHARE: f32 = 0.011;

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
        let Loaded { stimuli, labels, images_report } = load_stimuli(&mut config, &mut model, fresh, progress)?;
        model.set_image_shape(config.model.image_shape).map_err(ConfigError::from)?;
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
        let rng = session_stream(seed);
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
            images_report,
        };
        session.reset_optimizer();
        session.enter_stage();
        session.show_next();
        Ok(session)
    }
}

/// The stimuli of a session, and what is to be told of their files.
struct Loaded {
    /// None where the stimulus is fixed.
    stimuli: Option<Stimuli>,
    /// Classes of these, where they are known.
    labels: Option<Vec<u8>>,
    /// What became of the images, where there is anything to tell.
    images_report: Option<ImagesReport>,
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
        return Ok(Loaded { stimuli: None, labels: None, images_report: None });
    }
    for path in config.data.paths.iter().filter(|_| [Source::Files, Source::Images].contains(&source)) {
        // What a folder holds may be left out with a word, what was named may not.
        std::fs::metadata(path).map_err(|problem| DataError::File { path: path.clone(), problem: problem.into() })?;
    }
    let (set, labels, notices) = if source.is_whole() {
        let size = picture_size(config, observed, fresh);
        let (set, notices) = data::whole(source, &config.data.paths, Part::Train, size, progress)?;
        fit_to_images(config, model, fresh, set.shape())?;
        (Stimuli::from(set.pixels), set.labels, notices)
    } else {
        let (patches, notices) = load_patches(config, observed, fresh, progress)?;
        (patches, None, notices)
    };
    let is_own = [Source::Files, Source::Images].contains(&source);
    let images_report = (is_own || !notices.is_empty()).then(|| ImagesReport::new(set.pictures(), &notices));
    let (set, labels) = chosen_images(set, labels, config.stimulus.images, seed);
    Ok(Loaded { stimuli: Some(set), labels, images_report })
}

/// Patches of the configuration's source, which are square; an error where the model observes something else.
fn load_patches(config: &mut Config, observed: usize, fresh: bool, progress: &Progress) -> Result<(Stimuli, Vec<Notice>), SessionError> {
    let side = config.data.patch;
    let needed = side.pow(2);
    if needed != observed {
        let text = format!("patch = {side} needs a layer 0 of {needed} units, it has {observed}");
        return Err(ConfigError::Stimulus(text).into());
    }
    if let Some([rows, columns]) = config.model.image_shape.filter(|shape| *shape != [side; 2]) {
        if !fresh {
            let text = format!("patches of {side} x {side} are not the {rows} x {columns} that this model has learned");
            return Err(ConfigError::Stimulus(text).into());
        }
        config.model.image_shape = None;
    }
    let d = &config.data;
    let settings = Settings { side, count: d.patches, border: 4, contrast_normalisation: d.contrast_normalisation };
    Ok(data::patches(d.source, &d.paths, &settings, d.preparation(), config.dynamics.seed, progress)?)
}

/// What becomes of pictures whose size is not the model's: one that has learned keeps its own.
fn picture_size(config: &Config, observed: usize, fresh: bool) -> PictureSize {
    match config.model.image_shape {
        _ if fresh => PictureSize::Usually(observed),
        Some(shape) => PictureSize::Exactly(shape),
        None => PictureSize::Pixels(observed),
    }
}

/// Gives a fresh model the rows and columns of the images, and one of which they are not known; an error where they do not fit.
fn fit_to_images(config: &mut Config, model: &mut Hierarchy, fresh: bool, shape: [usize; 2]) -> Result<(), ConfigError> {
    let [rows, columns] = shape;
    let (pixels, observed) = (rows * columns, model.layers[0].size);
    let own = fresh && config.data.source == Source::Images;
    let paths = config.data.paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
    let refused = |needed: String| {
        let whose = if own || config.data.source == Source::Images { format!("{paths}: ") } else { String::new() };
        Err(ConfigError::Stimulus(format!("{whose}images of {rows} x {columns} {needed}")))
    };
    if own && pixels > MOST_UNITS {
        let step = (1..).find(|step| rows.div_ceil(*step) * columns.div_ceil(*step) <= MOST_UNITS).unwrap_or(1);
        return refused(format!("have {pixels} pixels, at most {MOST_UNITS} are observed: images[:, ::{step}, ::{step}] has fewer"));
    }
    if own && pixels != observed {
        config.model.layers[0].size = pixels;
        config.model.image_shape = Some(shape);
        config.validate()?;
        *model = fresh_model(config)?;
        return Ok(());
    }
    if pixels != observed {
        return refused(format!("need a layer 0 of {pixels} units, it has {observed}"));
    }
    if let Some([r, c]) = config.model.image_shape.filter(|known| !fresh && *known != shape) {
        return refused(format!("are not the {r} x {c} that this model has learned"));
    }
    config.model.image_shape = Some(shape);
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

/// The session's own random numbers, beside those of the networks: which images are shown, what starts again where.
pub(super) fn session_stream(seed: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(1 << 41);
    rng
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

/// Threads that the networks run on; 0: as many as cores. Sessions of as many threads share them, so that a model that follows another
/// starts none.
fn thread_pool(threads: usize) -> Result<Arc<ThreadPool>, SessionError> {
    static POOLS: Mutex<BTreeMap<usize, Weak<ThreadPool>>> = Mutex::new(BTreeMap::new());
    let threads = if threads == 0 { std::thread::available_parallelism().map_or(1, usize::from) } else { threads };
    let mut pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(pool) = pools.get(&threads).and_then(Weak::upgrade) {
        return Ok(pool);
    }
    let builder = ThreadPoolBuilder::new().num_threads(threads).thread_name(|i| format!("networks {i}"));
    let pool = Arc::new(builder.build().map_err(|e| SessionError::Threads(e.to_string()))?);
    pools.insert(threads, Arc::downgrade(&pool));
    Ok(pool)
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
    model.set_image_shape(config.model.image_shape)?;
    Ok(model)
}

/// Fades every column of W_0 from a place of its own outwards, a random one of an image of this shape; from afar there is no connection.
fn restrict_to_places(w: &mut Array2<f32>, [rows, columns]: [usize; 2], rng: &mut ChaCha8Rng) {
    for mut field in w.columns_mut() {
        let place = [rows, columns].map(|side| rng.random_range(0.0..side as f32) - 0.5);
        for (pixel, weight) in field.iter_mut().enumerate() {
            let distances =
                [(pixel / columns) as f32 - place[0], (pixel % columns) as f32 - place[1]].map(|distance| distance / PLACE_WIDTH);
            let share = (-0.5 * (distances[0] * distances[0] + distances[1] * distances[1])).exp();
            *weight *= if share < LEAST_SHARE { 0.0 } else { share };
        }
    }
}

/// The model a configuration describes, with fixed or random unit-norm weights.
pub fn build_model(config: &Config) -> Result<Hierarchy, ConfigError> {
    let layers = layers_of(config)?;
    let mut rng = ChaCha8Rng::seed_from_u64(config.dynamics.seed);
    rng.set_stream(1 << 40);
    let mut weights: Vec<Array2<f32>> = layers
        .windows(2)
        .enumerate()
        .map(|(l, pair)| {
            let mut w = Array2::from_shape_simple_fn((pair[0].size, pair[1].size), || StandardNormal.sample(&mut rng));
            match config.model.first_weights {
                FirstWeights::FanIn => w /= (pair[1].size as f32).sqrt(),
                FirstWeights::Local if l == 0 => {
                    restrict_to_places(&mut w, config.model.shape(), &mut rng);
                    learning::normalise_columns(&mut w);
                }
                FirstWeights::UnitNorm | FirstWeights::Local => learning::normalise_columns(&mut w),
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

/// A fresh model whose pixels have log odds starts where every image is the mean image: b_0 = logit of the mean grey.
fn start_at_the_mean(model: &mut Hierarchy, images: &Stimuli) {
    if model.observed_family().trials().is_some()
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

/// Rows of a block: about as many as are best, and as many in each as two threads share evenly, whatever the number of threads.
fn block_rows(model: &Hierarchy, batch: usize) -> usize {
    let weights = weights(model);
    if weights <= TINY_MODEL {
        return batch.clamp(1, TINY_BLOCK_ROWS);
    }
    if weights <= SMALL_MODEL {
        return batch.div_ceil(2);
    }
    let rows = if weights <= LARGE_MODEL {
        BLOCK_ROWS
    } else if weights <= HUGE_MODEL {
        LARGE_BLOCK_ROWS
    } else {
        HUGE_BLOCK_ROWS
    };
    let rows = (batch / MANY_BLOCKS).clamp(rows, 2 * rows);
    let pairs = ((batch as f64 / (2 * rows) as f64).round() as usize).max(1);
    batch.div_ceil(2 * pairs)
}

/// Whether the products are worth larger blocks, and its stiffness too dear to measure at every update.
pub(super) fn is_large(model: &Hierarchy) -> bool {
    weights(model) > LARGE_MODEL
}

fn weights(model: &Hierarchy) -> usize {
    model.weights.iter().map(Array2::len).sum()
}
