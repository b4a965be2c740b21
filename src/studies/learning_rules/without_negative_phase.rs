//! Learning by the rule of the model (model.md 3.1): interneurons sample the normaliser's gradient while the neurons sample the
//! posterior, and no sample of the whole model is needed.

use super::harmonium::log_odds;
use super::images::BinaryImages;
use crate::dynamics::Probes;
use crate::experiment::config::*;
use crate::experiment::session::build_model;
use crate::experiment::stages::StageConfig;
use crate::experiment::{Config, FrozenModel, ModelVersion, Session, SessionError, presets};
use crate::model::{FamilyConfig, Hierarchy};
use crate::studies::likelihood::{AnnealingOptions, annealed};
use crate::studies::{Observer, Report, StudyError};
use ndarray::{Array2, Axis};

/// Images of an update.
pub(super) const BATCH: usize = 100;
/// Annealed importance sampling of each held-out image.
const ANNEALING: AnnealingOptions = AnnealingOptions { runs: 32, temperatures: 200, seed: 1 };

/// Images between two looks at whether to go on.
const TOGETHER: usize = 25;

/// How the two layers of the model learn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct LayerSettings {
    /// Hidden units.
    pub(super) hidden: usize,
    /// b_1 of every hidden unit.
    pub(super) bias: f64,
    /// Learning rate of Adam at the beginning; it falls to 0.
    pub(super) rate: f64,
    /// Steps of the network for each image, and those of them before learning.
    pub(super) steps: [usize; 2],
}

/// A model that learns by its own rule.
pub(super) struct LocalLearner {
    session: Session,
}

impl LocalLearner {
    /// Two layers: binary pixels, and neurons whose distribution is a normal one cut off at 0.
    pub(super) fn of_layers(images: &BinaryImages, settings: LayerSettings, updates: u64, seed: u64) -> Result<Self, StudyError> {
        let pixels = images.learned.ncols();
        let layer = |size, family, bias| LayerConfig { size, family, activation: Default::default(), bias, learned_sigma: false };
        let layers = vec![
            layer(pixels, FamilyConfig::Bernoulli, 0.0),
            layer(settings.hidden, FamilyConfig::RectifiedGaussian { sigma: 1.0 }, settings.bias),
        ];
        let whole = StageConfig {
            name: "layers".into(),
            images: updates * BATCH as u64,
            active_layers: 1,
            learn: vec![0],
            lr: settings.rate,
            lr_end: 0.0,
            biases: true,
            unit_norm: false,
            largest_norm: 0.0,
            states: 0,
            start_weights: 0.0,
        };
        let config = Config {
            model: ModelConfig { layers, first_weights: FirstWeights::FanIn, ..Default::default() },
            dynamics: DynamicsConfig {
                dt_ms: 1e4,
                adaptation: 1.6,
                adaptation_unit: AdaptationUnit::Stiffness,
                threads: 1,
                seed,
                ..Default::default()
            },
            learning: LearningConfig {
                enabled: true,
                optimizer: Optimizer::Adam,
                unit_norm: false,
                biases: true,
                lr: settings.rate,
                ..Default::default()
            },
            stimulus: StimulusConfig {
                batch: BATCH,
                steps_per_stimulus: settings.steps[0],
                burn_in_steps: settings.steps[1],
                values: vec![0.0; pixels],
                ..Default::default()
            },
            stages: vec![whole],
            ..Default::default()
        };
        let mut model = build_model(&config)?;
        model.biases[0] = log_odds(images.learned.view());
        Self::new(config, model, images)
    }

    /// The whole hierarchy of the preset digits, stage by stage.
    pub(super) fn of_preset(images: &BinaryImages, updates: u64, seed: u64) -> Result<Self, StudyError> {
        let mut config = presets::by_name("digits")?;
        config.model.layers[0].family = FamilyConfig::Bernoulli; // the images are binary
        config.dynamics.threads = 1;
        config.dynamics.seed = seed;
        config.stimulus.images = images.learned.nrows();
        config.stimulus.first_images = images.learned.nrows();
        let mut session = Session::new(config).map_err(failed)?;
        session.replace_stimuli(images.learned.clone())?;
        session.run_for(updates * BATCH as u64);
        Ok(Self { session })
    }

    fn new(config: Config, model: Hierarchy, images: &BinaryImages) -> Result<Self, StudyError> {
        let mut session = Session::with_model(config, model).map_err(failed)?;
        session.replace_stimuli(images.learned.clone())?;
        Ok(Self { session })
    }

    /// Learns from one batch. An error where the weights are not finite.
    pub(super) fn update(&mut self) -> Result<(), StudyError> {
        self.session.advance(self.session.steps_left(), &Probes::default());
        self.session.broken().map_or(Ok(()), |reason| Err(StudyError::Diverged(reason)))
    }

    /// The model as it is.
    pub(super) fn model(&self) -> &Hierarchy {
        self.session.model()
    }

    /// Mean log p of `images`, `[count, n_0]`, nats, by annealed importance sampling, and the standard error of the estimate.
    pub(super) fn log_likelihood(&self, images: &Array2<f32>, observer: &mut dyn Observer) -> Result<[f64; 2], StudyError> {
        let frozen = FrozenModel::of(&self.session, ModelVersion::default());
        let (mut sum, mut squares) = (0.0, 0.0);
        for images in images.axis_chunks_iter(Axis(0), TOGETHER) {
            let found = annealed(&frozen, images, ANNEALING, &|_| true)?;
            sum += found.log_likelihood.iter().sum::<f64>();
            squares += found.error.iter().map(|error| error * error).sum::<f64>();
            observer.tell(Report::Working)?;
        }
        let count = images.nrows() as f64;
        Ok([sum / count, squares.sqrt() / count])
    }
}

fn failed(error: SessionError) -> StudyError {
    StudyError::Diverged(error.to_string())
}
