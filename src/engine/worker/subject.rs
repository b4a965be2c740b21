//! The model as it is now, for the window's curves and for studies.

use crate::engine::Watch;
use crate::experiment::config::DynamicsConfig;
use crate::experiment::session::Session;
use crate::experiment::{FrozenModel, ModelVersion, WatchedUnits};
use crate::studies::StudyTarget;
use std::sync::Arc;

/// What a subject depends on, within one model.
#[derive(PartialEq)]
struct SubjectKey {
    weights_version: u64,
    dynamics: DynamicsConfig,
    watched: WatchedUnits,
    stimulus: Vec<f32>,
}

/// The subject of the last snapshot, made anew only when it has changed.
#[derive(Default)]
pub(super) struct SubjectCache(Option<(SubjectKey, Arc<StudyTarget>)>);

impl SubjectCache {
    /// Brings it up to date. While weights learn, those of the start stand in: what is shown then does not depend on them.
    pub(super) fn refresh(&mut self, session: &Session, watch: &Watch, model_id: u64) {
        let steady = session.is_held() || session.config().stimulus.steps_per_stimulus == 0;
        let key = SubjectKey {
            weights_version: if steady { session.weights_version() } else { 0 },
            dynamics: session.config().dynamics,
            watched: watched_units(watch),
            stimulus: if steady { session.stimulus().to_vec() } else { Vec::new() },
        };
        if self.0.as_ref().is_none_or(|(known, _)| *known != key) {
            self.0 = Some((key, Arc::new(subject(session, watch, model_id))));
        }
    }

    pub(super) fn latest(&self) -> Option<Arc<StudyTarget>> {
        self.0.as_ref().map(|(_, subject)| subject.clone())
    }
}

/// The model, its dynamics, the stimulus and the units looked at, as they are now.
pub(super) fn subject(session: &Session, watch: &Watch, model_id: u64) -> StudyTarget {
    let version = ModelVersion { model: model_id, weights: session.weights_version() };
    StudyTarget { frozen: Arc::new(FrozenModel::of(session, version)), watched: watched_units(watch), images: None }
}

fn watched_units(watch: &Watch) -> WatchedUnits {
    WatchedUnits { layer: watch.trace_layer, pair: watch.pair }
}
