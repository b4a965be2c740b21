//! In-painting: freed pixels are sampled with the others clamped, and what they become is counted (model.md 4).

use super::{Session, observed_step};
use crate::dynamics::{LayerStep, in_turn};
use crate::experiment::config::ConfigError;
use ndarray::ArrayView1;

/// Simulated time in tau_x that freed pixels are given to settle before they are counted.
const BURN_IN_TAU_X: f64 = 3.0;

/// What the freed pixels became.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Completed {
    /// Pixels that are free, `[n_0]`.
    pub free: Vec<bool>,
    /// Mean of x_0 over all networks and steps, `[n_0]`; clamped pixels as they are given.
    pub mean: Vec<f32>,
    /// Standard deviation of x_0 over all networks and steps, `[n_0]`; 0 where clamped.
    pub spread: Vec<f32>,
    /// Steps counted; 0 while the chains settle, when mean and spread are of what there is so far.
    pub steps: u64,
    /// Networks counted.
    pub networks: usize,
    /// x_0 of a few networks now, `[n_0]` each.
    pub samples: Vec<Vec<f32>>,
    /// E\[x_0 | x_1\] of the same networks, `[n_0]` each; clamped pixels as they are given.
    pub expected: Vec<Vec<f32>>,
}

impl Session {
    /// Frees the pixels of `free`, `[n_0]`, in every network: they are sampled with the others clamped (in-painting, model.md 4). Empty:
    /// none. Pixels that were clamped before start from noise, those that were free are given their value again. An error where the
    /// stimulus changes.
    pub fn free_pixels(&mut self, free: &[bool]) -> Result<(), ConfigError> {
        let n = self.model.layers[0].size;
        if !free.is_empty() && free.len() != n {
            return Err(ConfigError::Stimulus(format!("a mask of {n} pixels is needed, found {}", free.len())));
        }
        if free.contains(&true) && self.stimulus.source.is_some() && !self.stimulus.held {
            return Err(ConfigError::Stimulus("pixels can be freed while the stimulus is held".into()));
        }
        let before = std::mem::take(&mut self.stimulus.free);
        if free.contains(&true) {
            self.stimulus.free = free.to_vec();
        }
        let newly: Vec<bool> =
            self.stimulus.free.iter().enumerate().map(|(i, &free)| free && !before.get(i).is_some_and(|&was| was)).collect();
        if self.stimulus.held || self.stimulus.source.is_none() {
            self.networks.clamp(&self.stimulus.values, &self.stimulus.free); // else each network has its own
        }
        self.move_freed(&newly);
        self.networks.forget_reconstruction();
        Ok(())
    }

    /// Pixels that are free now, `[n_0]`; empty: none.
    pub fn freed(&self) -> &[bool] {
        &self.stimulus.free
    }

    /// h, m and rho of x_0 where it is free.
    pub fn observed_step(&self) -> LayerStep {
        observed_step(&self.config.dynamics, &self.model)
    }

    /// Every network starts anew on the stimulus it has: neurons as at a new stimulus, freed pixels from noise.
    pub fn restart_completions(&mut self) {
        self.networks.restart(&self.model);
        if self.latents.is_some() {
            self.networks.draw_ancestral(&self.model, 1, self.active_layers(), 1.0, &in_turn); // as an image that is seen for the first time
        }
        self.networks.clamp(&self.stimulus.values, &[]);
        self.begin_completions();
    }

    /// All freed pixels start from noise.
    pub(super) fn begin_completions(&mut self) {
        if !self.stimulus.free.is_empty() {
            let free = self.stimulus.free.clone();
            self.move_freed(&free);
        }
    }

    /// Lets the freed pixels move, those of `newly` from noise, and counts them from here on.
    fn move_freed(&mut self, newly: &[bool]) {
        let step = self.observed_step();
        let burn_in = (BURN_IN_TAU_X * self.config.dynamics.tau_x_ms / self.dynamics.parameters.dt_ms).ceil() as u64;
        if newly.contains(&true) {
            self.networks.start_from_noise(&self.model, newly);
        }
        self.networks.free(&self.stimulus.free, 1, step);
        self.networks.count_completions(&self.stimulus.free, burn_in);
    }

    /// What the freed pixels became, with `count` networks one by one; None while all are clamped.
    pub fn completed(&self, count: usize) -> Option<Completed> {
        let sums = self.networks.completions()?;
        let n = self.stimulus.values.len();
        let (mut mean, mut spread) = (self.stimulus.values.clone(), vec![0.0; n]);
        sums.moments().for_each(|(i, m, s)| (mean[i], spread[i]) = (m, s));
        let seen = |row: ArrayView1<f32>| (0..n).map(|i| if self.stimulus.free[i] { row[i] } else { self.stimulus.values[i] }).collect();
        let expected = self.networks.expected_observation(&self.model, count);
        Some(Completed {
            free: self.stimulus.free.clone(),
            mean,
            spread,
            steps: sums.settled_steps(),
            networks: self.networks.networks(),
            samples: self.networks.states(0).take(count).map(<[f32]>::to_vec).collect(),
            expected: expected.rows().into_iter().map(seen).collect(),
        })
    }
}
