//! The model as it was at one moment, shared, so that handing it to another thread copies no weights.

use crate::dynamics::governor::Stiffness;
use crate::dynamics::{LayerStep, StepParameters};
use crate::experiment::config::{Config, DynamicsConfig};
use crate::experiment::session::{Session, observed_step, step_parameters_of};
use crate::model::Hierarchy;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Which model and which state of its weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ModelVersion {
    /// Grows with every model that is built.
    pub model: u64,
    /// Grows when its weights change.
    pub weights: u64,
}

/// A layer and two of its units that are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct WatchedUnits {
    /// 1..=L.
    pub layer: usize,
    /// Two units of that layer; the first is the one that sweeps measure.
    pub pair: [usize; 2],
}

/// The model as it was at one moment: what every study, race, fit and generation works on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FrozenModel {
    /// Which model, and which state of its weights.
    pub version: ModelVersion,
    /// The model; its weights stay as they are.
    pub model: Arc<Hierarchy>,
    /// lambda of layers 1..=L.
    pub stiffness: Vec<f64>,
    /// Time constants, step, seed.
    pub dynamics: DynamicsConfig,
    /// Layers of neurons that run, 1..=this.
    pub active_layers: usize,
    /// x_0 as it was given, `[n_0]`.
    pub stimulus: Vec<f32>,
    /// Images that the weights had learned from.
    pub images: u64,
}

impl FrozenModel {
    /// The present weights, dynamics and stimulus of a session.
    pub fn of(session: &Session, version: ModelVersion) -> Self {
        Self {
            version,
            model: Arc::new(session.model().clone()),
            stiffness: session.stiffness().to_vec(),
            dynamics: session.config().dynamics,
            active_layers: session.active_layers(),
            stimulus: session.stimulus().to_vec(),
            images: session.images(),
        }
    }

    /// A model with the dynamics of a configuration, which needs no data. The stimulus is the configuration's where it has one of the
    /// model's size, else 0.
    pub fn from_model(config: &Config, model: Hierarchy) -> Self {
        let observed = model.layers[0].size;
        let active_layers = config.stages.get(config.learning.stage).map_or(model.depth(), |stage| stage.active_layers.min(model.depth()));
        let values = &config.stimulus.values;
        Self {
            version: ModelVersion::default(),
            stiffness: Stiffness::new(&model).lambda,
            dynamics: config.dynamics,
            active_layers,
            stimulus: if values.len() == observed { values.clone() } else { vec![0.0; observed] },
            images: config.learning.images_seen,
            model: Arc::new(model),
        }
    }

    /// Constants of a step of layers 1..=L (model.md 2).
    pub fn step_parameters(&self) -> StepParameters {
        step_parameters_of(&self.dynamics, &self.stiffness, self.active_layers)
    }

    /// The same where the couplings W_0 .. have these gains: what a layer hears from below is stiff by the square of its gain
    /// (model.md 10).
    pub fn step_parameters_at(&self, gains: &[f32]) -> StepParameters {
        step_parameters_of(&self.dynamics, &self.stiffness_at(gains), self.active_layers)
    }

    /// lambda of layers 1..=L where the couplings W_0 .. have these gains.
    pub fn stiffness_at(&self, gains: &[f32]) -> Vec<f64> {
        let at_gain = |(l, &lambda): (usize, &f64)| match (self.model.layers[l + 1].family(), gains.get(l)) {
            (Some(family), Some(gain)) => {
                let own = family.largest_base_curvature();
                own + (lambda - own) * f64::from(gain * gain)
            }
            _ => lambda,
        };
        self.stiffness.iter().enumerate().map(at_gain).collect()
    }

    /// Constants of x_0 where it is free (model.md 4).
    pub fn observed_step(&self) -> LayerStep {
        observed_step(&self.dynamics, &self.model)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::presets;

    #[test]
    fn steps_are_those_of_the_session_and_copies_share_the_weights() {
        for preset in ["ridge", "chain", "digits"] {
            let session = Session::new(presets::by_name(preset).unwrap()).unwrap();
            let frozen = FrozenModel::of(&session, ModelVersion { model: 1, weights: session.weights_version() });
            assert_eq!(format!("{:?}", frozen.step_parameters()), format!("{:?}", session.parameters()), "{preset}");
            assert_eq!(format!("{:?}", frozen.observed_step()), format!("{:?}", session.observed_step()), "{preset}");
            assert!(Arc::ptr_eq(&frozen.model, &frozen.clone().model));
            let alone = FrozenModel::from_model(session.config(), session.model().clone());
            assert_eq!(format!("{:?}", alone.step_parameters()), format!("{:?}", session.parameters()), "{preset} without its data");
        }
    }
}
