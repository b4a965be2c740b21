//! What is learned from a presentation: the weights of every layer, the states of a categorical top, the stiffness that follows them.

use super::building::is_large;
use super::{BatchReport, Session};
use crate::dynamics::mixture_learning::{self, MixtureRule};
use crate::dynamics::step_parameters::averaged_variance;
use crate::dynamics::{Ensemble, learning};
use crate::experiment::config::{Curvature, FirstWeights, Optimizer};
use crate::experiment::latents::Latents;
use crate::experiment::parallel::run_all;
use ndarray::Axis;
use rand::seq::SliceRandom;
use rand::{RngExt, rngs::ChaCha8Rng};

impl Session {
    /// Updates the weights by the learning sums of the presentation.
    pub(super) fn learn(&mut self, report: &mut BatchReport) {
        let rule = self.rule(f64::from(report.lr));
        let update = learning::apply(&mut self.model, &self.networks.learning_sums(), &rule, &mut self.learning.optimizer, &run_all);
        let depth = self.model.depth();
        let top_learns = self.active_layers() == depth && rule.learn.as_ref().is_none_or(|learn| learn.contains(&(depth - 1)));
        if top_learns && self.model.layers[depth].is_categorical() {
            let progress = self.run_progress();
            let (rate, expected_error) = (self.config.learning.top_rate * (1.0 - 0.9 * progress), rule.expected_error);
            // Near the end of a run no state starts again: it could not settle.
            let top = MixtureRule { rate, dead_fraction: if progress < 0.8 { 0.15 } else { 0.0 }, expected_error };
            let (latents, networks, rng) = (&self.latents, &self.networks, &mut self.rng);
            let fresh = || state_of_some_image(latents.as_ref(), networks, depth - 1, rng);
            mixture_learning::learn(&mut self.model, &networks.learning_sums(), top, fresh);
        }
        self.networks.clear_learning_sums();
        if let Some(update) = update {
            report.weight_change = update.relative_change;
            self.weights_version += 1;
            self.learning.updates += 1;
            if !is_large(&self.model) || self.learning.updates.is_multiple_of(3) {
                self.measure_stiffness();
                self.dynamics.stiffness.update(&self.model, 3);
            }
            self.set_parameters();
        }
    }

    /// The learning rule as configuration and stage have it.
    pub(super) fn rule(&self, lr: f64) -> learning::LearningRule {
        let l = &self.config.learning;
        let layers = self.config.model.layers.iter().enumerate();
        let learned_sigma = layers.filter(|(i, layer)| layer.learned_sigma || (*i == 0 && l.learned_sigma)).map(|(i, _)| i).collect();
        let expected_error = 1.0 + averaged_variance(&self.dynamics.parameters);
        let free = learning::LearningRule {
            lr,
            learn: None,
            unit_norm: l.unit_norm,
            largest_norm: 0.0,
            biases: l.biases,
            learned_sigma,
            expected_error,
            local: self.config.model.first_weights == FirstWeights::Local,
        };
        match self.stage() {
            Some(s) => {
                let learn = Some(s.learn.clone());
                learning::LearningRule { learn, unit_norm: s.unit_norm, largest_norm: s.largest_norm, biases: s.biases, ..free }
            }
            None => free,
        }
    }

    /// Takes the mean curvature of the observation layer where the configuration asks for it.
    pub(super) fn measure_stiffness(&mut self) {
        if self.config.dynamics.curvature == Curvature::Mean {
            self.dynamics.stiffness.observed_variance = Some(self.networks.mean_observed_variance(&self.model, &run_all));
        }
    }

    /// Makes the first so many states of a categorical top active, at the latents of images; those that are active stay.
    pub(super) fn activate_states(&mut self, states: usize) {
        let top = self.model.depth();
        let learned = self.model.weights[top - 1].iter().any(|&w| w != 0.0);
        if learned && self.model.active_states() >= Some(states.min(self.model.layers[top].size)) {
            return;
        }
        let of_images = self.latents.as_ref().filter(|latents| latents.settled() > 0).map(|latents| latents.of_layer(top - 1));
        let mut x = of_images.unwrap_or_else(|| self.networks.state_matrix(top - 1));
        let mut order: Vec<usize> = (0..x.nrows()).collect();
        order.shuffle(&mut self.rng);
        x = x.select(Axis(0), &order);
        if learned {
            mixture_learning::add_states(&mut self.model, &x, states);
        } else {
            let gains = mixture_learning::initialise_states(&mut self.model, &x, states);
            if let Some(latents) = &mut self.latents {
                latents.rescale(top - 1, &gains);
            }
            if let Some(moments) = self.learning.optimizer.weights.get_mut(top.wrapping_sub(2)) {
                moments.rescale_columns(&gains);
            }
        }
        self.weights_version += 1;
    }

    /// What the learning rule remembers starts anew.
    pub(super) fn reset_optimizer(&mut self) {
        let adam = self.config.learning.optimizer == Optimizer::Adam;
        self.learning.optimizer =
            if adam { learning::OptimizerState::new(self.model.depth()) } else { learning::OptimizerState::default() };
    }
}

/// x of layer l of a random image among those that have chains, else of a random network.
pub(super) fn state_of_some_image(latents: Option<&Latents>, networks: &Ensemble, l: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
    match latents.filter(|latents| latents.settled() > 0) {
        Some(latents) => latents.of_image(l, rng.random_range(0..latents.settled())),
        None => networks.state_of_random_network(l, rng),
    }
}
