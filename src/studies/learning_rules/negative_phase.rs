//! Learning with a negative phase (model.md 12): contrastive divergence (Hinton 2002) and persistent chains (Tieleman 2008).

use super::harmonium::{Draws, Harmonium, Statistics};
use crate::dynamics::adam::Moments;
use ndarray::{Array2, Axis};
use rand::RngExt;

/// Where the samples of the negative phase come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Samples {
    /// Chains that begin at the images of each update.
    FromImages,
    /// Chains that go on from update to update.
    Persistent,
}

/// A learning rule with a negative phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NegativePhase {
    pub(super) samples: Samples,
    /// Steps of Gibbs sampling of each update.
    pub(super) steps: usize,
}

impl NegativePhase {
    /// The statistics of the images minus those of the samples; `visible`, `[rows, n_0]`, are the chains, which move on.
    pub(super) fn gradient(self, machine: &Harmonium, images: &Array2<f32>, visible: &mut Array2<f32>, draws: &mut Draws) -> Statistics {
        if self.samples == Samples::FromImages {
            visible.clone_from(images);
        }
        for _ in 0..self.steps {
            machine.step(visible, draws);
        }
        let mut found = Statistics::of(machine, images.view());
        let negative = Statistics::of(machine, visible.view());
        found.weights -= &negative.weights;
        found.visible -= &negative.visible;
        found.hidden -= &negative.hidden;
        found
    }
}

/// A machine that learns by such a rule, by Adam.
#[derive(Debug)]
pub(super) struct Learner {
    pub(super) machine: Harmonium,
    rule: NegativePhase,
    /// The chains' x_0, `[batch, n_0]`: samples of the negative phase.
    chains: Array2<f32>,
    moments: [Moments; 3],
    weight_decay: f32,
    draws: Draws,
}

impl Learner {
    /// Its first chains are at images.
    pub(super) fn new(machine: Harmonium, rule: NegativePhase, batch: usize, weight_decay: f64, images: &Array2<f32>, seed: u64) -> Self {
        let mut draws = Draws::new(seed, 1);
        let chains = some_rows(images, batch, &mut draws);
        Self { machine, rule, chains, moments: Default::default(), weight_decay: weight_decay as f32, draws }
    }

    /// Learns from one batch of `images`, `[count, n_0]`.
    pub(super) fn update(&mut self, images: &Array2<f32>, rate: f64) {
        let batch = some_rows(images, self.chains.nrows(), &mut self.draws);
        let mut gradient = self.rule.gradient(&self.machine, &batch, &mut self.chains, &mut self.draws);
        gradient.weights.scaled_add(-self.weight_decay, &self.machine.weights);
        let machine = &mut self.machine;
        let parts = [
            (machine.weights.as_slice_mut(), gradient.weights.as_slice()),
            (machine.visible_biases.as_slice_mut(), gradient.visible.as_slice()),
            (machine.hidden_biases.as_slice_mut(), gradient.hidden.as_slice()),
        ];
        for (moments, part) in self.moments.iter_mut().zip(parts) {
            let (Some(parameters), Some(gradient)) = part else { unreachable!("parameters are stored row by row") };
            let (step, first, second) = moments.begin(parameters.len(), rate);
            step.ascend(parameters, gradient, first, second);
        }
    }

    /// Samples of the last negative phase, `[batch, n_0]`.
    pub(super) fn negative_samples(&self) -> &Array2<f32> {
        &self.chains
    }
}

/// Rows at random, with replacement.
fn some_rows(images: &Array2<f32>, count: usize, draws: &mut Draws) -> Array2<f32> {
    let rows: Vec<usize> = (0..count).map(|_| draws.rng().random_range(0..images.nrows())).collect();
    images.select(Axis(0), &rows)
}
