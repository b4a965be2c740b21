//! What the simulation thread does for generation: hands weights over, passes orders on, takes in what was made.

use crate::engine::dreamer::{DreamRequest, Dreams, GenerationState, Scene, Weights};
use crate::experiment::dream::Dreamer;
use crate::experiment::gallery::{SMALLEST_PICTURE, Settings};
use crate::experiment::measure::Sample;
use crate::experiment::session::Session;
use crate::export::filters::tile;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Between two hand-overs of weights while generation follows learning.
const FOLLOW: Duration = Duration::from_secs(3);
const BUSY: &str = "generation is busy: try again in a moment";

/// The thread of the present model, where there is one.
#[derive(Default)]
pub(super) struct Generation {
    dreams: Option<Dreams>,
    state: Option<Arc<GenerationState>>,
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
        if self.dreams.as_ref().is_some_and(Dreams::is_lost) {
            self.end();
        }
        let dreams = match self.dreams.take() {
            Some(dreams) => dreams,
            None => Dreams::new(Scene {
                model_id,
                shape: tile(pixels),
                seed: session.config().dynamics.seed,
                config: session.config().to_toml(),
                data: session.images_shown().map(|images| Sample::of(images, session.labels_shown())),
            })
            .map_err(|error| format!("cannot start the thread that generates: {error}"))?,
        };
        dreams.ask(DreamRequest::Look(!self.unseen));
        let started = dreams.start(self.hand_over(session), settings);
        self.dreams = Some(dreams);
        if started { Ok(()) } else { Err(BUSY.into()) }
    }

    fn hand_over(&mut self, session: &Session) -> Weights {
        self.handed = Some((Instant::now(), session.weights_version));
        Weights { dreamer: Dreamer::of(session), version: (session.weights_version, session.images) }
    }

    /// Asks something of what is under way; nothing where nothing is.
    pub(super) fn ask(&mut self, request: DreamRequest, session: &Session) -> Result<(), String> {
        if let DreamRequest::Look(looked_at) = request {
            self.unseen = !looked_at;
        }
        let taken = match request {
            DreamRequest::NewWeights => self.renew(session),
            request => self.dreams.as_ref().is_none_or(|dreams| dreams.ask(request)),
        };
        if taken { Ok(()) } else { Err(BUSY.into()) }
    }

    fn renew(&mut self, session: &Session) -> bool {
        if self.dreams.is_none() {
            return true;
        }
        let weights = self.hand_over(session);
        self.dreams.as_ref().is_none_or(|dreams| dreams.renew(weights))
    }

    /// Takes in what was made; true if something changed. Files written and what failed are added to `outcomes`.
    pub(super) fn collect(&mut self, session: &Session, outcomes: &mut Vec<Result<PathBuf, String>>) -> bool {
        let Some(dreams) = &self.dreams else { return false };
        outcomes.extend(dreams.outcomes());
        let new = dreams.take();
        let changed = new.is_some();
        self.state = new.or(self.state.take());
        let follows = !self.unseen && self.state.as_ref().is_some_and(|state| state.following && !state.resting);
        let due = self.handed.is_none_or(|(at, version)| at.elapsed() >= FOLLOW && version != session.weights_version);
        if follows && due {
            self.renew(session); // where it is busy: the next time
        }
        if self.dreams.as_ref().is_some_and(Dreams::is_lost) && outcomes.is_empty() {
            self.end();
            outcomes.push(Err("generation stopped on an internal error: generate again".into()));
            return true;
        }
        changed
    }
}
