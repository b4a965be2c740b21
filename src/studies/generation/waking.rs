//! A model on the path from no coupling to the model itself: every coupling has a gain (model.md 10).

use super::schedule::gains;
use crate::dynamics::StepParameters;
use crate::experiment::FrozenModel;
use crate::model::Hierarchy;
use std::sync::Arc;

/// Steps for which gains stay: a choice of the categorical top lasts as long.
pub(super) const RENEWED: u64 = 5;
/// Entries of the history at most; when it is full every second one goes.
const MOST_ENTRIES: usize = 400;

/// What the gains are, and why.
#[derive(Clone, Debug)]
pub(super) struct Waking {
    frozen: FrozenModel,
    temperature: f32,
    /// Steps from gain 0 to gain 1; 0: every gain is 1 throughout.
    steps: u64,
    /// Gains that a person has set; None: those of the schedule.
    by_hand: Option<Vec<f32>>,
    now: Vec<f32>,
    /// Steps, and the gains from then on.
    history: Vec<(u64, Vec<f32>)>,
    /// Between two entries of the history at least.
    spacing: u64,
}

impl Waking {
    /// Of chains at their start.
    pub(super) fn new(frozen: FrozenModel, temperature: f32, steps: u64) -> Self {
        let couplings = frozen.active_layers;
        let mut waking =
            Self { frozen, temperature, steps, by_hand: None, now: vec![1.0; couplings], history: Vec::new(), spacing: RENEWED };
        waking.now = waking.gains_at(0);
        waking.history.push((0, waking.now.clone()));
        waking
    }

    /// The same course for other weights, from this step on; where they have as many layers at work, gains set by hand and the history
    /// stay.
    pub(super) fn renewed(&self, frozen: FrozenModel, step: u64) -> Self {
        if frozen.active_layers == self.now.len() {
            return Self { frozen, ..self.clone() };
        }
        let mut waking = Self::new(frozen, self.temperature, self.steps);
        waking.now = waking.gains_at(step);
        waking.history = vec![(step, waking.now.clone())];
        waking
    }

    /// Gains of the couplings, the lowest first.
    pub(super) fn now(&self) -> &[f32] {
        &self.now
    }

    /// Steps, and the gains from then on.
    pub(super) fn history(&self) -> &[(u64, Vec<f32>)] {
        &self.history
    }

    /// Gains from now on; None: those of the schedule. Missing ones are 1.
    pub(super) fn set_by_hand(&mut self, gains: Option<Vec<f32>>) {
        let couplings = self.now.len();
        self.by_hand = gains.map(|gains| (0..couplings).map(|l| gains.get(l).map_or(1.0, |gain| gain.clamp(0.0, 1.0))).collect());
    }

    fn gains_at(&self, step: u64) -> Vec<f32> {
        match &self.by_hand {
            Some(gains) => gains.clone(),
            None if step >= self.steps => vec![1.0; self.now.len()],
            None => gains(step as f64 / self.steps as f64, self.now.len()),
        }
    }

    /// Whether the schedule is still on its way to gain 1.
    pub(super) fn is_under_way(&self, step: u64) -> bool {
        self.by_hand.is_none() && step < self.steps && self.now.iter().any(|gain| *gain < 1.0)
    }

    /// Whether the gains of this step are others than those now, which they then become.
    pub(super) fn move_to(&mut self, step: u64) -> bool {
        let gains = self.gains_at(step);
        if gains == self.now {
            return false;
        }
        self.now = gains;
        let is_late = self.history.last().is_none_or(|(last, _)| step >= last + self.spacing);
        if is_late || self.now.iter().all(|gain| *gain == 1.0) {
            if self.history.len() >= MOST_ENTRIES {
                let mut number = 0;
                self.history.retain(|_| {
                    number += 1;
                    number % 2 == 1
                });
                self.spacing *= 2;
            }
            self.history.push((step, self.now.clone()));
        }
        true
    }

    /// The model at the present gains, and the steps that its stiffness asks for.
    pub(super) fn model(&self) -> (Arc<Hierarchy>, StepParameters) {
        let parameters = self.frozen.step_parameters_at(&self.now).at_temperature(self.temperature);
        if self.now.iter().all(|gain| *gain == 1.0) {
            return (Arc::clone(&self.frozen.model), parameters);
        }
        let mut model = (*self.frozen.model).clone();
        model.weights.iter_mut().zip(&self.now).for_each(|(w, gain)| *w *= *gain);
        (Arc::new(model), parameters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{ModelVersion, Session, presets};

    #[test]
    fn layers_that_learning_opens_do_not_put_chains_to_sleep_again_and_the_history_stays_short() {
        let session = Session::new(presets::by_name("digits").unwrap()).unwrap();
        let frozen = |active_layers| FrozenModel { active_layers, ..FrozenModel::of(&session, ModelVersion::default()) };
        let mut waking = Waking::new(frozen(2), 1.0, 4000);
        for step in (0..=4000).step_by(RENEWED as usize) {
            waking.move_to(step);
        }
        assert_eq!(waking.now(), [1.0, 1.0]);
        let history = waking.history();
        assert!(history.len() <= 1 + MOST_ENTRIES && history.windows(2).all(|pair| pair[0].0 < pair[1].0), "{}", history.len());
        assert_eq!(waking.renewed(frozen(2), 5000).history().len(), history.len());
        let opened = waking.renewed(frozen(3), 5000);
        assert_eq!((opened.now(), opened.history()), (&[1.0; 3][..], &[(5000, vec![1.0; 3])][..]));
        waking.set_by_hand(Some(vec![0.0, 2.0]));
        assert!(waking.move_to(4005));
        assert_eq!(waking.renewed(frozen(2), 4005).now(), [0.0, 1.0], "gains set by hand stay, between 0 and 1");
    }
}
