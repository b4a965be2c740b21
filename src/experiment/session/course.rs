//! The course of learning: stages, the fraction of a run that is done, the rate in force.

use super::Session;
use crate::dynamics::governor::Stiffness;
use crate::experiment::config::LearningRateSchedule;
use crate::experiment::stages::{StageConfig, StagePosition, total};
use crate::experiment::whole_number::LARGEST_COUNT;
use rand_distr::{Distribution, StandardNormal};

impl Session {
    /// Announces a run of `images` from here on, over which `decay = "linear"` falls; returns its last image. The presentation under
    /// way comes before it.
    pub fn run_for(&mut self, images: u64) -> u64 {
        self.announce(self.clock.images, images)
    }

    /// Announces a run of `images` after those learned so far, which follow the last run where that was done to its end: two runs one
    /// after the other show as many images as one run of both lengths. Returns its last image.
    pub fn run_on_for(&mut self, images: u64) -> u64 {
        let learned = self.images_learned();
        let first = match self.learning.run {
            Some([_, last]) if learned <= last && last < self.clock.images => last,
            _ => learned,
        };
        self.announce(first, images)
    }

    fn announce(&mut self, first: u64, images: u64) -> u64 {
        let last = first.saturating_add(images).min(LARGEST_COUNT);
        (self.learning.run, self.learning.run_share) = (Some([first.min(last), last]), None);
        last
    }

    /// The last image of the run under way, where its length was announced and is not reached.
    pub fn last_image_of_run(&self) -> Option<u64> {
        self.learning.run.map(|[_, last]| last).filter(|&last| self.clock.images <= last)
    }

    /// Images shown without those of the presentation under way.
    pub fn images_learned(&self) -> u64 {
        self.clock.images.saturating_sub(self.config.stimulus.batch as u64)
    }

    /// The fraction of a run that was done when it was stopped, where its length was known in time.
    pub fn share_of_run(&self) -> Option<f64> {
        self.learning.run_share
    }

    /// Says that a run whose length was known in time has come to its end.
    pub fn end_run(&mut self) {
        self.learning.run_share = None;
    }

    /// Says which fraction of a run is done whose length is known in time, not in images; each stage lasts its part of it.
    pub fn set_run_progress(&mut self, fraction: f64) {
        self.learning.run_share = Some(fraction.clamp(0.0, 1.0));
    }

    /// Fraction of the run that is done: by the clock, by images, or of all stages together; 0 for a run without end.
    pub fn run_progress(&self) -> f64 {
        let stages = total(&self.config.stages);
        match (self.learning.run_share, self.learning.run) {
            (Some(fraction), _) => fraction,
            (None, Some([first, last])) => (self.clock.images.saturating_sub(first) as f64 / (last - first).max(1) as f64).min(1.0),
            (None, None) if stages > 0 => (self.clock.images as f64 / stages as f64).min(1.0),
            _ => 0.0,
        }
    }

    /// Fraction of the stage under way that is done; 0 in one without end.
    pub fn stage_progress(&self) -> f64 {
        let Some(stage) = self.stage() else { return 0.0 };
        let planned = |stages: &[StageConfig]| total(stages) as f64;
        match self.learning.run_share {
            Some(fraction) => {
                let all = planned(&self.config.stages);
                (fraction * all - planned(&self.config.stages[..self.learning.position.stage])) / (stage.images as f64).max(1.0)
            }
            None if stage.images > 0 => self.clock.images.saturating_sub(self.learning.position.since) as f64 / stage.images as f64,
            None => 0.0,
        }
    }

    /// Layers of neurons that run, 1..=this.
    pub fn active_layers(&self) -> usize {
        self.stage().map_or(self.model.depth(), |stage| stage.active_layers)
    }

    /// The stage under way.
    pub fn stage(&self) -> Option<&StageConfig> {
        self.config.stages.get(self.learning.position.stage)
    }

    /// Number of the stage under way, and the images seen when it began.
    pub fn position(&self) -> StagePosition {
        self.learning.position
    }

    /// Goes to another stage, from its beginning; weights that it draws anew are drawn.
    pub fn go_to_stage(&mut self, stage: usize) {
        if stage >= self.config.stages.len() {
            return;
        }
        self.learning.position = StagePosition { stage, since: self.clock.images };
        let StageConfig { active_layers, states, start_weights, .. } = self.config.stages[stage];
        if active_layers == self.model.depth() && self.model.layers[active_layers].is_categorical() {
            self.activate_states(if states == 0 { usize::MAX } else { states });
        }
        if start_weights > 0.0 {
            for w in &mut self.model.weights[active_layers - 1] {
                let z: f32 = StandardNormal.sample(&mut self.rng);
                *w = start_weights as f32 * z;
            }
            self.weights_version += 1;
        }
        self.enter_stage();
        self.show_next();
    }

    /// Lets the layers of the stage run, by the constants that they need.
    pub(super) fn enter_stage(&mut self) {
        if let Some(lr) = self.stage().map(|stage| stage.lr) {
            self.config.learning.lr = lr;
        }
        self.open_layers();
        self.dynamics.stiffness = Stiffness::new(&self.model);
        self.set_parameters();
    }

    /// Lets the layers of the stage run, and its weights learn.
    pub(super) fn open_layers(&mut self) {
        let depth = self.model.depth();
        let (active_layers, learns): (usize, Vec<bool>) = match self.stage() {
            Some(stage) => (stage.active_layers, (0..depth).map(|l| stage.learn.contains(&l)).collect()),
            None => (depth, vec![true; depth]),
        };
        self.networks.set_stage(active_layers, &learns);
    }

    /// The learning rate now (its course: [`LearningRateSchedule`]).
    pub fn learning_rate(&self) -> f64 {
        if let Some(stage) = self.stage() {
            return stage.rate(self.stage_progress());
        }
        let l = &self.config.learning;
        l.lr * match (l.rate_schedule, self.learning.run) {
            (LearningRateSchedule::Linear, _) if self.learning.run.is_some() || self.learning.run_share.is_some() => {
                (2.0 * (1.0 - self.run_progress())).clamp(0.0, 1.0)
            }
            (LearningRateSchedule::InverseImages, _) if self.clock.images > l.constant_rate_images => {
                (l.constant_rate_images as f64 / self.clock.images as f64).max(l.smallest_rate_share)
            }
            _ => 1.0,
        }
    }
}
