//! What a study is done on.

use crate::experiment::{FrozenModel, ModelVersion, Session, WatchedUnits};
use crate::studies::StudyError;
use crate::studies::generation::image_distance::Sample;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What a study is done on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StudyTarget {
    /// The model, its dynamics and stimulus.
    pub frozen: Arc<FrozenModel>,
    /// The layer and the units looked at.
    pub watched: WatchedUnits,
    /// Images of the data, where a study needs them and there are any.
    #[serde(skip)]
    pub images: Option<Arc<Sample>>,
}

impl StudyTarget {
    /// The present model of a session and the first units of its first layer, without images.
    pub fn of(session: &Session, version: ModelVersion) -> Self {
        let second = session.model().layers[1].size.min(2) - 1;
        let watched = WatchedUnits { layer: 1, pair: [0, second] };
        Self { frozen: Arc::new(FrozenModel::of(session, version)), watched, images: None }
    }

    /// Looks at this unit of a layer, and at another beside it. The error names the layers or units that there are.
    pub fn watching(self, layer: usize, unit: usize) -> Result<Self, StudyError> {
        let depth = self.frozen.model.depth();
        if !(1..=depth).contains(&layer) {
            return Err(StudyError::Units(format!("--layer {layer}: the model has layers 1 to {depth} of neurons")));
        }
        let size = self.frozen.model.layers[layer].size;
        if unit >= size {
            return Err(StudyError::Units(format!("--unit {unit}: layer {layer} has units 0 to {}", size - 1)));
        }
        let second = if unit == 0 { size.min(2) - 1 } else { 0 };
        Ok(Self { watched: WatchedUnits { layer, pair: [unit, second] }, ..self })
    }
}

/// A target as a key: it equals another where both have the same frozen model in memory and look at the same units.
#[derive(Clone, Debug)]
pub struct SameTarget(pub Arc<StudyTarget>);

impl PartialEq for SameTarget {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0.frozen, &other.0.frozen) && self.0.watched == other.0.watched
    }
}
