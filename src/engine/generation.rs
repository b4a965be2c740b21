//! What the simulation thread does for generation: sends weights and requests, takes in what was made.

mod job;
mod state;

pub use state::{GenerationCommand, GenerationState, MOST_FRAMES, Measuring};

use crate::engine::EngineError;
use crate::experiment::session::Session;
use crate::experiment::{FrozenModel, ModelVersion};
use crate::studies::generation::comparison::{SMALLEST_PICTURE, Settings};
use crate::studies::generation::image_distance::Sample;
use job::{GenerationContext, GenerationJob};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Between two deliveries of weights while generation follows learning.
const FOLLOWING_INTERVAL: Duration = Duration::from_secs(3);

/// Generation with one model: its job, where there is one, and what came of it.
pub(super) struct Generation {
    job: Option<GenerationJob>,
    state: Option<Arc<GenerationState>>,
    /// Whether anybody looks.
    visible: bool,
    /// When weights were sent last, and which.
    weights_sent: Option<(Instant, ModelVersion)>,
    /// Number of the model.
    model_id: u64,
}

impl Generation {
    /// Nothing is generated yet.
    pub(super) fn new(visible: bool, model_id: u64) -> Self {
        Self { job: None, state: None, visible, weights_sent: None, model_id }
    }

    /// Whether anybody looks: this outlives the model.
    pub(super) fn is_visible(&self) -> bool {
        self.visible
    }

    /// Says whether anybody looks: where not, nothing is computed.
    pub(super) fn set_visible(&mut self, visible: bool) {
        self.visible = visible;
        if let Some(job) = &self.job {
            job.submit(GenerationCommand::SetVisible(visible));
        }
    }

    /// The latest state.
    pub(super) fn state(&self) -> Option<Arc<GenerationState>> {
        self.state.clone()
    }

    /// All three ways from the start, with the weights as they are. The error says why not.
    pub(super) fn generate(&mut self, settings: Settings, session: &Session) -> Result<(), EngineError> {
        let pixels = session.model().layers[0].size;
        if pixels < SMALLEST_PICTURE {
            return Err(EngineError::NoPicture { pixels });
        }
        if self.job.as_ref().is_some_and(GenerationJob::is_finished) {
            *self = Self::new(self.visible, self.model_id);
        }
        let job = match self.job.take() {
            Some(job) => job,
            None => GenerationJob::start(GenerationContext {
                model_id: self.model_id,
                shape: session.model().image_shape(),
                seed: session.config().dynamics.seed,
                config: session.config().to_toml(),
                data: session.images_shown().map(|images| Sample::of(images, session.labels_shown())),
            })
            .map_err(|error| EngineError::Thread { task: "start the thread that generates", reason: error.to_string() })?,
        };
        job.submit(GenerationCommand::SetVisible(self.visible));
        let started = job.start_modes(self.present_weights(session), settings);
        self.job = Some(job);
        started.then_some(()).ok_or(EngineError::GenerationBusy)
    }

    fn present_weights(&mut self, session: &Session) -> FrozenModel {
        let version = ModelVersion { model: self.model_id, weights: session.weights_version() };
        self.weights_sent = Some((Instant::now(), version));
        FrozenModel::of(session, version)
    }

    /// Passes a command on to what is under way; nothing where nothing is.
    pub(super) fn execute(&mut self, command: GenerationCommand, session: &Session) -> Result<(), EngineError> {
        if let GenerationCommand::SetVisible(visible) = command {
            self.visible = visible;
        }
        let taken = match command {
            GenerationCommand::NewWeights => self.send_weights(session),
            command => self.job.as_ref().is_none_or(|job| job.submit(command)),
        };
        taken.then_some(()).ok_or(EngineError::GenerationBusy)
    }

    fn send_weights(&mut self, session: &Session) -> bool {
        if self.job.is_none() {
            return true;
        }
        let weights = self.present_weights(session);
        self.job.as_ref().is_none_or(|job| job.replace_weights(weights))
    }

    /// Takes in what was made; true if something is new. Files written and what failed are added to `outcomes`.
    pub(super) fn collect(&mut self, session: &Session, outcomes: &mut Vec<Result<PathBuf, EngineError>>) -> bool {
        let Some(job) = &self.job else { return false };
        outcomes.extend(job.outcomes());
        let latest = job.take();
        let is_new = latest.is_some();
        self.state = latest.or(self.state.take());
        let follows = self.visible && self.state.as_ref().is_some_and(|state| state.following && !state.paused);
        let outdated = self
            .weights_sent
            .is_none_or(|(at, version)| at.elapsed() >= FOLLOWING_INTERVAL && version.weights != session.weights_version());
        if follows && outdated {
            self.send_weights(session); // where the job is busy: the next time
        }
        if self.job.as_ref().is_some_and(GenerationJob::is_finished) && outcomes.is_empty() {
            let report = self.job.as_ref().and_then(GenerationJob::loss).unwrap_or("its thread has ended").to_string();
            *self = Self::new(self.visible, self.model_id);
            outcomes.push(Err(EngineError::Lost { job: "generation", advice: ", generate again", report }));
            return true;
        }
        is_new
    }
}
