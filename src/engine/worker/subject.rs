//! The model as it is now, for the window's curves and for studies.

use crate::engine::Watch;
use crate::experiment::config::DynamicsConfig;
use crate::experiment::laboratory::Subject;
use crate::experiment::session::Session;
use std::sync::Arc;

/// What a subject depends on, within one model.
#[derive(PartialEq)]
struct SubjectKey {
    weights_version: u64,
    dynamics: DynamicsConfig,
    watched: (usize, [usize; 2]),
    stimulus: Vec<f32>,
}

/// The subject of the last snapshot, made anew only when it has changed.
#[derive(Default)]
pub(super) struct SubjectCache(Option<(SubjectKey, Arc<Subject>)>);

impl SubjectCache {
    /// Brings it up to date. While weights learn, those of the start stand in: what is shown then does not depend on them.
    pub(super) fn refresh(&mut self, session: &Session, watch: &Watch) {
        let steady = session.is_held() || session.config().stimulus.steps_per_stimulus == 0;
        let key = SubjectKey {
            weights_version: if steady { session.weights_version() } else { 0 },
            dynamics: session.config().dynamics,
            watched: (watch.trace_layer, watch.pair),
            stimulus: if steady { session.stimulus().to_vec() } else { Vec::new() },
        };
        if self.0.as_ref().is_none_or(|(known, _)| *known != key) {
            self.0 = Some((key, Arc::new(subject(session, watch))));
        }
    }

    pub(super) fn latest(&self) -> Option<Arc<Subject>> {
        self.0.as_ref().map(|(_, subject)| subject.clone())
    }
}

/// The model, its dynamics, the stimulus and the units looked at, as they are now.
pub(super) fn subject(session: &Session, watch: &Watch) -> Subject {
    Subject {
        model: session.model().clone(),
        stiffness: session.stiffness().to_vec(),
        dynamics: session.config().dynamics,
        stimulus: session.stimulus().to_vec(),
        watched: (watch.trace_layer, watch.pair),
    }
}
