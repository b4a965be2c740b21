//! The model as it was at one moment, shared, so that handing it to another thread copies no weights.

use crate::dynamics::governor::Stiffness;
use crate::dynamics::{Ensemble, EnsembleOptions, LayerStep, StepParameters};
use crate::experiment::config::{Config, Curvature, DynamicsConfig};
use crate::experiment::parallel::run_all;
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

    /// A model with the dynamics of a configuration, which needs no data: where the curvature of the pixels counts as it is on average, the
    /// average is that of ancestral draws. The stimulus is the configuration's where it has one of the model's size, else 0.
    pub fn from_model(config: &Config, model: Hierarchy) -> Self {
        let observed = model.layers[0].size;
        let active_layers = config.stages.get(config.learning.stage).map_or(model.depth(), |stage| stage.active_layers.min(model.depth()));
        let values = &config.stimulus.values;
        Self {
            version: ModelVersion::default(),
            stiffness: stiffness_alone(&config.dynamics, &model, active_layers),
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

/// Draws from a model over which the curvature of its pixels is averaged.
const DRAWS: usize = 200;

/// lambda of layers 1..=L of a model without data (model.md 2.12).
fn stiffness_alone(dynamics: &DynamicsConfig, model: &Hierarchy, active_layers: usize) -> Vec<f64> {
    let mut stiffness = Stiffness::new(model);
    if dynamics.curvature == Curvature::Mean {
        let options = EnsembleOptions { active_layers, ..EnsembleOptions::new(model, DRAWS) };
        let mut networks = Ensemble::new(model, &options);
        networks.draw_ancestral(model, 0, active_layers, 1.0, &run_all);
        stiffness.observed_variance = Some(networks.mean_observed_variance(model, &run_all));
        stiffness.update(model, 30);
    }
    stiffness.lambda
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamics::Probes;
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
            let counts_mean = session.config().dynamics.curvature == Curvature::Mean; // measured by a session where it learns
            let same = format!("{:?}", alone.step_parameters()) == format!("{:?}", session.parameters());
            assert_eq!(same, !counts_mean, "{preset} without its data");
        }
    }

    #[test]
    fn a_model_alone_has_the_steps_that_it_learned_with_and_not_those_of_the_largest_curvature() {
        let mut session = Session::new(presets::by_name("digits").unwrap()).unwrap();
        while session.images() < 30_000 {
            session.advance(100, &Probes::default());
        }
        let model = session.model().clone();
        let alone = FrozenModel::from_model(session.config(), model.clone());
        let ratios = |stiffness: &[f64]| -> Vec<f64> {
            stiffness.iter().zip(session.stiffness()).filter(|(_, lambda)| lambda.is_finite()).map(|(a, b)| a / b).collect()
        };
        let found = ratios(&alone.stiffness);
        assert!(found.iter().all(|ratio| (0.75..1.33).contains(ratio)), "{found:?}");
        let planted = ratios(&Stiffness::new(&model).lambda);
        assert!(planted[0] > 2.0, "planted: the bound of A'' in place of its mean, {planted:?}");
    }
}
