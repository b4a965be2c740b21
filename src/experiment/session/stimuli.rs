//! Which stimulus each network sees: from a set, fixed, set by hand, or held.

use super::Session;
use crate::data::Stimuli;
use crate::dynamics::{ChainState, Start};
use crate::experiment::config::ConfigError;
use crate::experiment::latents::Latents;
use crate::experiment::parallel::run_all;
use ndarray::Array2;
use rand::RngExt;

impl Session {
    /// Sets the fixed stimulus, `[n_0]`, in every network; states and freed pixels stay, so that the chains follow it.
    pub fn set_stimulus(&mut self, values: &[f32]) -> Result<(), ConfigError> {
        let n = self.model.layers[0].size;
        if values.len() != n || values.iter().any(|v| !v.is_finite()) {
            return Err(ConfigError::Stimulus(format!("a stimulus of {n} finite numbers is needed, found {}", values.len())));
        }
        if self.stimulus.source.is_none() {
            self.config.stimulus.values = values.to_vec();
        }
        self.networks.clamp(values, &self.stimulus.free);
        self.networks.forget_reconstruction();
        self.stimulus.values.copy_from_slice(values);
        Ok(())
    }

    /// Shows every network another stimulus, from x = 0 (model.md 3) or from where its own chains were. Fixed stimuli start again. While
    /// held, all get the same.
    pub fn show_next(&mut self) {
        (self.stimulus.step, self.stimulus.settling) = (0, 0);
        let shown = self.choose_images();
        let latents = self.latents.as_ref().filter(|_| !self.stimulus.held);
        let (stimuli, values) = (&self.stimulus.source, &self.config.stimulus.values);
        let show = |network: usize, row: &mut [f32]| match (stimuli, shown.get(network)) {
            (Some(set), Some(&i)) => set.write(i, row),
            _ => row.copy_from_slice(values),
        };
        let load = |network: usize, l: usize, state: ChainState| {
            if let Some(latents) = latents {
                latents.load(network, l, state);
            }
        };
        let start = match latents {
            Some(latents) if !latents.fresh() => Start::Chains(&load),
            Some(_) => Start::Prior,
            None => Start::Rest,
        };
        self.networks.present(&self.model, &show, start, &run_all);
        if latents.is_none_or(Latents::fresh) {
            self.networks.cool_adaptation(self.config.dynamics.temperature as f32);
        }
        if latents.is_some_and(Latents::fresh) {
            self.stimulus.settling = self.config.stimulus.first_visit_steps;
        }
        if self.stimulus.source.is_some() {
            let shown = if self.stimulus.held { 1 } else { self.config.stimulus.batch as u64 };
            self.clock.images = self.clock.images.saturating_add(shown);
        }
        self.stimulus.presentations += 1;
        self.networks.states(0).take(1).for_each(|x| self.stimulus.values.copy_from_slice(x));
        self.begin_completions();
    }

    /// The image of each network for the next presentation; none where the stimulus is fixed.
    pub(super) fn choose_images(&mut self) -> Vec<usize> {
        let (batch, wanted) = (self.config.stimulus.batch, self.wanted_images());
        let Some(set) = &self.stimulus.source else { return Vec::new() };
        match &mut self.latents {
            _ if self.stimulus.held => vec![self.rng.random_range(0..set.len()); batch],
            Some(latents) => latents.choose(batch, wanted, &mut self.rng).iter().map(|&i| i as usize).collect(),
            None => (0..batch).map(|_| self.rng.random_range(0..set.len())).collect(),
        }
    }

    /// Images that take part now: the first ones, and then, between a twentieth and three fifths of the run, all others (model.md 8).
    pub(super) fn wanted_images(&self) -> usize {
        let all = self.latents.as_ref().map_or(0, Latents::images);
        let first = match self.config.stimulus.first_images {
            0 => all,
            first => first.min(all),
        };
        let joined = ((self.run_progress() - 0.05) / 0.55).clamp(0.0, 1.0);
        first + ((all - first) as f64 * joined) as usize
    }

    /// Shows network 0's stimulus in every network, so that all sample one posterior, and learns nothing; or goes on with the next stimuli.
    pub fn hold(&mut self, hold: bool) -> Result<(), ConfigError> {
        self.stimulus.held = hold;
        if hold {
            let stimulus = self.stimulus().to_vec();
            self.set_stimulus(&stimulus)
        } else {
            self.free_pixels(&[])?;
            self.show_next();
            Ok(())
        }
    }

    /// Stimuli of one's own, `[count, n_0]`, in place of the source's.
    pub fn replace_stimuli(&mut self, stimuli: Array2<f32>) -> Result<(), ConfigError> {
        let n = self.model.layers[0].size;
        if stimuli.ncols() != n || stimuli.nrows() == 0 {
            return Err(ConfigError::Stimulus(format!("stimuli of shape [count, {n}] are needed, found {:?}", stimuli.dim())));
        }
        (self.stimulus.source, self.stimulus.labels) = (Some(stimuli.into()), None);
        self.show_next();
        Ok(())
    }

    /// The images from which stimuli are taken, of n_0 values; None where the stimulus is fixed.
    pub fn images_shown(&self) -> Option<&Stimuli> {
        self.stimulus.source.as_ref()
    }

    /// Classes of these, `[count]`; None where they are not known.
    pub fn labels_shown(&self) -> Option<&[u8]> {
        self.stimulus.labels.as_deref()
    }

    /// The stimulus of network 0, `[n_0]`; under freed pixels what they would be if they were clamped.
    pub fn stimulus(&self) -> &[f32] {
        &self.stimulus.values
    }
}
