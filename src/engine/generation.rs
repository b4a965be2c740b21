//! What the simulation thread does for generation: hands weights over, passes orders on, takes in what was made.

use crate::engine::generation_thread::{GenerationCommand, GenerationContext, GenerationState, GenerationThread};
use crate::experiment::session::Session;
use crate::experiment::{FrozenModel, ModelVersion};
use crate::export::filters::tile;
use crate::studies::generation::comparison::{SMALLEST_PICTURE, Settings};
use crate::studies::generation::image_distance::Sample;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Between two hand-overs of weights while generation follows learning.
const FOLLOW: Duration = Duration::from_secs(3);
const BUSY: &str = "generation is busy: try again in a moment";

/// The thread of the present model, where there is one.
#[derive(Default)]
pub(super) struct Generation {
    generation_thread: Option<GenerationThread>,
    state: Option<Arc<GenerationState>>,
    /// The model of the thread.
    model_id: u64,
    unseen: bool,
    /// When weights were handed over last, and which.
    handed: Option<(Instant, u64)>,
}

impl Generation {
    /// The model is gone, and what it had generated.
    pub(super) fn end(&mut self) {
        *self = Self { unseen: self.unseen, ..Self::default() };
    }

    /// The latest state.
    pub(super) fn state(&self) -> Option<Arc<GenerationState>> {
        self.state.clone()
    }

    /// All three ways from the start, with the weights as they are. The error says why not.
    pub(super) fn generate(&mut self, settings: Settings, session: &Session, model_id: u64) -> Result<(), String> {
        let pixels = session.model.layers[0].size;
        if pixels < SMALLEST_PICTURE {
            return Err(format!("{pixels} observed values make no picture to generate: at least {SMALLEST_PICTURE} are needed"));
        }
        if self.generation_thread.as_ref().is_some_and(GenerationThread::is_lost) {
            self.end();
        }
        let generation_thread = match self.generation_thread.take() {
            Some(generation_thread) => generation_thread,
            None => GenerationThread::new(GenerationContext {
                model_id,
                shape: tile(pixels),
                seed: session.config().dynamics.seed,
                config: session.config().to_toml(),
                data: session.images_shown().map(|images| Sample::of(images, session.labels_shown())),
            })
            .map_err(|error| format!("cannot start the thread that generates: {error}"))?,
        };
        self.model_id = model_id;
        generation_thread.ask(GenerationCommand::Look(!self.unseen));
        let started = generation_thread.start(self.hand_over(session), settings);
        self.generation_thread = Some(generation_thread);
        if started { Ok(()) } else { Err(BUSY.into()) }
    }

    fn hand_over(&mut self, session: &Session) -> FrozenModel {
        self.handed = Some((Instant::now(), session.weights_version));
        FrozenModel::of(session, ModelVersion { model: self.model_id, weights: session.weights_version })
    }

    /// Asks something of what is under way; nothing where nothing is.
    pub(super) fn ask(&mut self, request: GenerationCommand, session: &Session) -> Result<(), String> {
        if let GenerationCommand::Look(looked_at) = request {
            self.unseen = !looked_at;
        }
        let taken = match request {
            GenerationCommand::NewWeights => self.renew(session),
            request => self.generation_thread.as_ref().is_none_or(|generation_thread| generation_thread.ask(request)),
        };
        if taken { Ok(()) } else { Err(BUSY.into()) }
    }

    fn renew(&mut self, session: &Session) -> bool {
        if self.generation_thread.is_none() {
            return true;
        }
        let weights = self.hand_over(session);
        self.generation_thread.as_ref().is_none_or(|generation_thread| generation_thread.renew(weights))
    }

    /// Takes in what was made; true if something changed. Files written and what failed are added to `outcomes`.
    pub(super) fn collect(&mut self, session: &Session, outcomes: &mut Vec<Result<PathBuf, String>>) -> bool {
        let Some(generation_thread) = &self.generation_thread else { return false };
        outcomes.extend(generation_thread.outcomes());
        let new = generation_thread.take();
        let changed = new.is_some();
        self.state = new.or(self.state.take());
        let follows = !self.unseen && self.state.as_ref().is_some_and(|state| state.following && !state.resting);
        let due = self.handed.is_none_or(|(at, version)| at.elapsed() >= FOLLOW && version != session.weights_version);
        if follows && due {
            self.renew(session); // where it is busy: the next time
        }
        if self.generation_thread.as_ref().is_some_and(GenerationThread::is_lost) && outcomes.is_empty() {
            self.end();
            outcomes.push(Err("generation stopped on an internal error: generate again".into()));
            return true;
        }
        changed
    }
}
