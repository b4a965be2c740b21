//! The simulation at one moment: its state, and what was recorded since the snapshot before. Both can be written, read and made up
//! without a running engine.

mod parts;
mod samples;
mod shapes;

pub use parts::{Clock, GovernorState, RaceState, RacerState, StimulusState};
pub use samples::{InterneuronSample, LearningPoint, TraceSample};

use crate::analysis::density::DensityGrid;
use crate::dynamics::LayerParts;
use crate::engine::generation::GenerationState;
use crate::engine::likelihood_monitor::LikelihoodState;
use crate::engine::runs::{RunId, RunList, RunSummary, ViewArrays};
use crate::engine::tuning_runner::TuningState;
use crate::engine::watch::Watch;
use crate::experiment::config::LayerConfig;
use crate::experiment::stages::StagePosition;
use crate::experiment::{Config, ModelVersion};
use crate::model::{Hierarchy, Layer, ModelError, byte_lists};
use crate::studies::{StudyFindings, StudyTarget};
use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};
use std::ops::Deref;
use std::sync::Arc;

/// The simulation as its readers see it. It reads like its state, which is what nearly all of them want.
///
/// A file of snapshots should be in a format that keeps values that are not finite, as CBOR does and JSON does not: sigma_0^2 of a
/// family without one is NaN, the stiffness of a layer that is drawn as a whole is infinite.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Snapshot {
    /// What is.
    pub state: SnapshotState,
    /// What is new since the snapshot before.
    pub increment: SnapshotIncrement,
}

impl Snapshot {
    /// What the run is called, as the list of runs has it.
    pub fn run_title(&self) -> String {
        let listed = self.runs.iter().flat_map(|list| &list.runs).find(|run| run.id == self.run);
        let unlisted = || RunSummary { id: self.run.clone(), preset: self.config.model.name.clone(), ..RunSummary::default() }.title();
        listed.map_or_else(unlisted, RunSummary::title)
    }

    /// A snapshot of a model that has not run: weights and neurons are 0 and have the shapes that `config` gives them.
    pub fn synthetic(config: Config) -> Self {
        let state = SnapshotState::of_config(config);
        let traced = state.watch.trace_units.len();
        let increment =
            SnapshotIncrement { traces: vec![Vec::new(); traced], interneurons: vec![Vec::new(); traced], ..SnapshotIncrement::default() };
        Self { state, increment }
    }
}

impl Deref for Snapshot {
    type Target = SnapshotState;

    fn deref(&self) -> &SnapshotState {
        &self.state
    }
}

/// What is: it replaces the state of the snapshot before.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SnapshotState {
    /// Grows with every rebuild: histories of another model do not apply.
    pub model_id: u64,
    /// The run that runs.
    #[serde(default)]
    pub run: RunId,
    /// All runs, where they are kept.
    #[serde(default)]
    pub runs: Option<Arc<RunList>>,
    /// What the views of this run had shown when they were kept last.
    #[serde(skip)]
    pub views: Option<Arc<ViewArrays>>,
    /// The run before, which [`crate::engine::Command::Back`] brings back: its name and images seen.
    pub previous: Option<(String, u64)>,
    /// The configuration in force (parameters moved in flight included).
    pub config: Arc<Config>,
    /// Commands executed so far: a view that leaves some snapshots out shows the first after a command.
    pub commands_executed: u64,
    /// Counters.
    pub clock: Clock,
    /// Governor.
    pub governor: GovernorState,
    /// Where learning stands in its stages, where it has any.
    pub stage: Option<StagePosition>,
    /// The learning rate now, which its course may have moved away from the configuration's.
    #[serde(default)]
    pub learning_rate: Option<f64>,
    /// Grows when weights change.
    pub weights_version: u64,
    /// W_l, `[n_l, n_(l+1)]`.
    #[serde(with = "byte_lists::matrices")]
    pub weights: Vec<Arc<Array2<f32>>>,
    /// b_l, `[n_l]`.
    pub biases: Vec<Array1<f32>>,
    /// The present sigma_l of each layer 0..=L, which learning may have moved away from the configuration's; None where the layer
    /// has none.
    pub sigmas: Vec<Option<f64>>,
    /// The active states of a categorical top.
    pub active_states: Option<usize>,
    /// x_l of network 0 now, `[n_l]`, for l = 0..=L.
    pub states: Vec<Vec<f32>>,
    /// What moved each layer 0..=L of network 0 in the last step, where that is asked for ([`crate::engine::Command::ShowParts`]).
    #[serde(default)]
    pub parts: Option<Vec<LayerParts>>,
    /// Stimulus of network 0.
    pub stimulus: StimulusState,
    /// What is watched.
    pub watch: Watch,
    /// Activities x of `watch.trace_layer` in network 0 now.
    pub activity: Vec<f32>,
    /// Exact posterior density of two latent units, where there are just two; recomputed when stimulus or model changes.
    pub exact_posterior: Option<Arc<DensityGrid>>,
    /// Points (x, density) of the exact posterior of a single latent unit, where there is just one.
    pub exact_line: Option<Arc<Vec<[f64; 2]>>>,
    /// What a study would be done on: the model (as of the last change of a fixed or held stimulus), dynamics, stimulus.
    pub subject: Option<Arc<StudyTarget>>,
    /// The study under way, or the last one.
    pub findings: Option<Arc<StudyFindings>>,
    /// Responses to gratings, where these were shown.
    pub tuning: Option<Arc<TuningState>>,
    /// The likelihood over learning, where it was asked for.
    #[serde(default)]
    pub likelihood: Option<Arc<LikelihoodState>>,
    /// Generation, where it was asked for.
    pub generation: Option<Arc<GenerationState>>,
    /// The race, where one is on.
    pub race: Option<RaceState>,
}

impl SnapshotState {
    /// The state of a model that has not run: weights and neurons are 0 and have the shapes that `config` gives them; the first units
    /// of layer 1 are watched, as after a rebuild.
    pub fn of_config(config: Config) -> Self {
        let sizes: Vec<usize> = config.model.layers.iter().map(|layer| layer.size).collect();
        let observed = sizes.first().copied().unwrap_or_default();
        let mut stimulus = config.stimulus.values.clone();
        stimulus.resize(observed, 0.0);
        let states: Vec<Vec<f32>> = sizes.iter().map(|&size| vec![0.0; size]).collect();
        Self {
            model_id: 1,
            run: RunId::default(),
            runs: None,
            views: None,
            previous: None,
            commands_executed: 0,
            clock: Clock::default(),
            governor: GovernorState { stiffness: vec![1.0; sizes.len().saturating_sub(1)], ..GovernorState::default() },
            stage: (!config.stages.is_empty()).then(StagePosition::default),
            learning_rate: None,
            weights_version: 1,
            weights: sizes.windows(2).map(|pair| Arc::new(Array2::zeros((pair[0], pair[1])))).collect(),
            biases: sizes.iter().map(|&size| Array1::zeros(size)).collect(),
            sigmas: vec![None; sizes.len()],
            active_states: None,
            activity: states.get(1).cloned().unwrap_or_default(),
            states,
            parts: None,
            stimulus: StimulusState { reconstruction: vec![0.0; observed], stimulus, ..StimulusState::default() },
            watch: Watch::first_units(sizes.get(1).copied().unwrap_or_default()),
            exact_posterior: None,
            exact_line: None,
            subject: None,
            findings: None,
            tuning: None,
            likelihood: None,
            generation: None,
            race: None,
            config: Arc::new(config),
        }
    }

    /// The configuration in force with how far learning has come: images seen, and the stage.
    pub fn config_so_far(&self) -> Config {
        let mut config = (*self.config).clone();
        config.learning.images_seen = self.clock.images;
        if let Some(StagePosition { stage, since }) = self.stage {
            (config.learning.stage, config.learning.stage_since) = (stage, since);
        }
        config
    }

    /// Whether one stimulus stays, so that the chains have a stationary distribution.
    pub fn exact_stimulus(&self) -> bool {
        self.stimulus.held || self.config.stimulus.steps_per_stimulus == 0
    }

    /// Which model this is, and which state of its weights.
    pub fn version(&self) -> ModelVersion {
        ModelVersion { model: self.model_id, weights: self.weights_version }
    }

    /// The model as its configuration and what has been learned since have it. An error where they do not fit together.
    pub fn model(&self) -> Result<Hierarchy, ModelError> {
        let layer = |(l, config): (usize, &LayerConfig)| {
            let mut layer = Layer::new(config.family, config.activation, config.size)?;
            self.sigmas.get(l).copied().flatten().into_iter().for_each(|sigma| layer.set_sigma(sigma));
            self.active_states.iter().for_each(|&states| layer.set_active_states(states));
            Ok(layer)
        };
        let layers = self.config.model.layers.iter().enumerate().map(layer).collect::<Result<_, ModelError>>()?;
        let weights = self.weights.iter().map(|w| (**w).clone()).collect();
        let mut model = Hierarchy::new(layers, weights)?;
        model.biases.clone_from(&self.biases);
        model.set_image_shape(self.config.model.image_shape)?;
        Ok(model)
    }

    /// Rows and columns of what layer 0 observes: of stimuli, filters and generated images.
    pub fn image_shape(&self) -> [usize; 2] {
        self.config.model.shape()
    }

    /// What an experiment would be done on.
    pub fn subject(&self) -> Option<Arc<StudyTarget>> {
        self.subject.clone()
    }
}

impl Default for SnapshotState {
    /// That of a configuration without layers.
    fn default() -> Self {
        Self::of_config(Config::default())
    }
}

/// What was recorded since the snapshot before: it is added to the histories.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SnapshotIncrement {
    /// Samples of the traced units, one list a unit; at most [`crate::engine::MAX_SAMPLES`], oldest dropped.
    #[serde(with = "byte_lists::lists")]
    pub traces: Vec<Vec<TraceSample>>,
    /// Samples of the interneurons of the traced filters' strongest pixel, one list a traced unit.
    #[serde(with = "byte_lists::lists")]
    pub interneurons: Vec<Vec<InterneuronSample>>,
    /// <T(y)> of every unit of the layer below the traced one, network 0, one list a recorded step, where asked for.
    #[serde(with = "byte_lists::lists")]
    pub raster: Vec<Vec<f32>>,
    /// Positions of the pair: one list of `[networks]` points a recorded step.
    #[serde(with = "byte_lists::lists")]
    pub pairs: Vec<Vec<[f32; 2]>>,
    /// Points of the learning curves.
    pub learning: Vec<LearningPoint>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Command, Engine};
    use crate::experiment::presets;
    use crate::experiment::session::build_model;
    use std::time::{Duration, Instant};

    fn wait(engine: &Engine, wanted: impl Fn(&Snapshot) -> bool) -> Box<Snapshot> {
        let start = Instant::now();
        loop {
            if let Some(snapshot) = engine.take_snapshot().filter(|snapshot| wanted(snapshot)) {
                return snapshot;
            }
            assert!(start.elapsed() < Duration::from_secs(20), "waited too long");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    #[test]
    fn what_is_written_of_a_live_engine_is_read_back() {
        for (preset, steps) in [("ridge", 200), ("dead-leaves", 40)] {
            let mut config = presets::by_name(preset).unwrap();
            config.data.patches = 500;
            let engine = Engine::start(config, || {}).unwrap();
            [Command::Pause, Command::Reset, Command::Step(steps)].into_iter().for_each(|command| assert!(engine.send(command)));
            let snapshot = wait(&engine, |s| s.clock.steps == steps);
            let mut bytes = Vec::new();
            ciborium::into_writer(&snapshot, &mut bytes).unwrap();
            let read: Snapshot = ciborium::from_reader(bytes.as_slice()).unwrap();
            assert_eq!(format!("{:?}", read.state), format!("{:?}", snapshot.state), "{preset}");
            assert_eq!(format!("{:?}", read.increment), format!("{:?}", snapshot.increment), "{preset}");
            assert!(read.weights == snapshot.weights && read.biases == snapshot.biases, "{preset}: to the bit");
            assert!(!read.increment.traces.concat().is_empty(), "{preset}: the increment is more than a shape");
        }
    }

    #[test]
    fn the_model_of_a_snapshot_has_the_sigma_that_was_learned() {
        let mut config = presets::by_name("dead-leaves").unwrap();
        config.data.patches = 500;
        config.learning.learned_sigma = true;
        let before = build_model(&config).unwrap().layers[0].sigma();
        let engine = Engine::start(config, || {}).unwrap();
        let snapshot = wait(&engine, |s| s.clock.images > 500);
        let found = snapshot.model().unwrap().layers[0].sigma();
        assert!(found.is_some() && found != before, "{found:?} is not the {before:?} of the configuration");
        let variance = |point: &LearningPoint| f64::from(point.sigma2);
        let last = snapshot.increment.learning.last().map(variance).unwrap();
        assert!((found.unwrap().powi(2) - last).abs() < 1e-5 * last, "{found:?} against a variance of {last}");
    }

    #[test]
    fn a_snapshot_can_be_made_up_from_every_preset() {
        for preset in presets::all() {
            let snapshot = Snapshot::synthetic(preset.config());
            let model = snapshot.model().unwrap();
            assert_eq!(snapshot.states.len(), model.layers.len(), "{}", preset.name);
            assert!(model.weights.iter().flatten().all(|&w| w == 0.0), "{}", preset.name);
            assert!(snapshot.watch.trace_units.iter().all(|&unit| unit < model.layers[1].size), "{}", preset.name);
        }
    }
}
