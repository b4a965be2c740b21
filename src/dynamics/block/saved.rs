//! What the next steps of a block depend on beside model, stage and constants, as plain values: taken out, and put back.

use super::Block;
use crate::dynamics::completions::Completions;
use crate::dynamics::ensemble::EnsembleCounters;
use crate::dynamics::noise::{Noise, WORDS};
use crate::dynamics::observation::Observation;
use crate::dynamics::state::{HISTORY, LayerState};
use crate::dynamics::step_parameters::LayerStep;
use crate::model::Hierarchy;
use crate::model::families::InterneuronDynamics;

/// Values of one layer of a block, row by row; what a layer does not have is empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::dynamics) struct SavedLayer {
    /// x, `[rows, units]`; empty in a categorical layer, whose `category` says it all.
    pub(in crate::dynamics) x: Vec<f32>,
    pub(in crate::dynamics) v: Vec<f32>,
    /// Interneurons, as in [`LayerState`].
    pub(in crate::dynamics) y: Vec<f32>,
    /// Of bernoulli interneurons, `[rows, units]`.
    pub(in crate::dynamics) unsampled_variances: Vec<f32>,
    pub(in crate::dynamics) category: Vec<u32>,
    pub(in crate::dynamics) sums: SavedSums,
}

/// Learning sums of the presentation under way; all empty before its first learning step.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::dynamics) struct SavedSums {
    pub(in crate::dynamics) weights: Vec<f32>,
    pub(in crate::dynamics) biases: Vec<f32>,
    pub(in crate::dynamics) squared_errors: Vec<f64>,
    pub(in crate::dynamics) category_counts: Vec<f32>,
    /// Of the stored steps.
    pub(in crate::dynamics) eps_history: Vec<f32>,
    pub(in crate::dynamics) f_history: Vec<f32>,
}

/// Values of a block.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::dynamics) struct SavedBlock {
    pub(in crate::dynamics) layers: Vec<SavedLayer>,
    /// Where the random stream is, `[4, 16]`.
    pub(in crate::dynamics) stream: Vec<u32>,
    /// Sum of the predictions of x_0, `[n_0]`.
    pub(in crate::dynamics) reconstruction: Vec<f32>,
    /// Sums and adaptation of x_0 where it is free, `[rows, n_0]` each.
    pub(in crate::dynamics) observation: [Vec<f32>; 2],
    /// Sums of what freed pixels became, `[pixels, 2]`.
    pub(in crate::dynamics) completions: Vec<f64>,
}

impl SavedBlock {
    /// The random stream; None where there cannot be one.
    pub(in crate::dynamics) fn noise(&self) -> Option<Noise> {
        self.stream.as_slice().try_into().ok().and_then(Noise::from_words)
    }
}

impl Block {
    /// The numbers that blocks of one ensemble have in common, but for those of the ensemble itself.
    pub(in crate::dynamics) fn counters(&self) -> EnsembleCounters {
        EnsembleCounters {
            interneurons: self.interneurons,
            steps_until_draw: self.steps_until_draw,
            unsettled: self.unsettled,
            learned_steps: self.learned_steps,
            stored_steps: self.stored_steps,
            reconstruction_steps: self.reconstruction.1,
            inner_steps: self.observation.as_ref().map_or(1, Observation::inner),
            observation_steps: self.observation.as_ref().map_or(0, Observation::steps),
            completions: self.completions.as_ref().map(|completions| completions.counters(self.rows)),
            unsampled_variances: self.layers.iter().map(|layer| layer.unsampled_variance).collect(),
            interneuron_values: self.layers.iter().map(|layer| layer.y.len() / layer.x.len().max(1)).collect(),
            ..EnsembleCounters::default()
        }
    }

    /// Pixels that are free, `[n_0]`; empty: none.
    pub(in crate::dynamics) fn freed(&self) -> &[bool] {
        self.observation.as_ref().map_or(&[], Observation::free)
    }

    /// The values now.
    pub(in crate::dynamics) fn saved(&self) -> SavedBlock {
        let layer = |l: usize| {
            let state = &self.layers[l];
            SavedLayer {
                x: if state.category.is_empty() { state.x.clone() } else { Vec::new() },
                v: state.v.clone(),
                y: state.y.clone(),
                unsampled_variances: state.unsampled_variances.clone(),
                category: state.category.clone(),
                sums: if self.learned_steps > 0 { self.saved_sums(l) } else { SavedSums::default() },
            }
        };
        SavedBlock {
            layers: (0..self.layers.len()).map(layer).collect(),
            stream: self.noise.words().to_vec(),
            reconstruction: self.reconstruction.0.clone(),
            observation: self.observation.as_ref().map_or_else(Default::default, |o| o.values().map(<[f32]>::to_vec)),
            completions: self.completions.as_ref().map_or_else(Vec::new, Completions::sums),
        }
    }

    fn saved_sums(&self, l: usize) -> SavedSums {
        let state = &self.layers[l];
        let [eps, f] = Self::stored_lengths(state, self.stored_steps);
        SavedSums {
            weights: state.weight_sums.clone(),
            biases: state.bias_sums.clone(),
            squared_errors: if state.weight_sums.is_empty() { Vec::new() } else { vec![state.squared_errors_sum] },
            category_counts: state.category_counts.clone(),
            eps_history: state.eps_history[..eps].to_vec(),
            f_history: state.f_history[..f].to_vec(),
        }
    }

    /// Values in the histories of eps and f after so many stored steps.
    fn stored_lengths(state: &LayerState, steps: usize) -> [usize; 2] {
        [&state.eps_history, &state.f_history].map(|history| history.len() / HISTORY * steps)
    }

    /// How many numbers may stand for the interneurons of a unit, layer by layer, where there are `k` of them.
    pub(in crate::dynamics) fn interneuron_choices(&self, k: usize) -> Vec<Vec<usize>> {
        let choices = |state: &LayerState| match state.dynamics {
            None => vec![0],
            Some(_) if state.y.is_empty() => vec![0],
            Some(InterneuronDynamics::OrnsteinUhlenbeck { .. }) => vec![1],
            Some(InterneuronDynamics::HeatBath { trials }) => vec![1, k * trials as usize],
            Some(_) => vec![k],
        };
        self.layers.iter().map(choices).collect()
    }

    /// Values 0 of the sizes that they have with these counters and freed pixels.
    pub(in crate::dynamics) fn blank(&self, counters: &EnsembleCounters, free: &[bool]) -> SavedBlock {
        let observed = self.reconstruction.0.len();
        let freed = if free.is_empty() { 0 } else { self.rows * observed };
        let layer = |(state, &values): (&LayerState, &usize)| {
            let [eps, f] = Self::stored_lengths(state, counters.stored_steps);
            let has_sums = counters.learned_steps > 0;
            let zeros = |present: bool, length: usize| vec![0.0; if present { length } else { 0 }];
            SavedLayer {
                x: zeros(state.category.is_empty(), state.x.len()),
                v: zeros(true, state.v.len()),
                y: zeros(true, state.x.len() * values),
                unsampled_variances: zeros(true, state.unsampled_variances.len()),
                category: vec![0; state.category.len()],
                sums: SavedSums {
                    weights: zeros(has_sums, state.weight_sums.len()),
                    biases: zeros(has_sums, state.bias_sums.len()),
                    squared_errors: vec![0.0; usize::from(has_sums && !state.weight_sums.is_empty())],
                    category_counts: zeros(has_sums, state.category_counts.len()),
                    eps_history: zeros(has_sums, eps),
                    f_history: zeros(has_sums, f),
                },
            }
        };
        SavedBlock {
            layers: self.layers.iter().zip(&counters.interneuron_values).map(layer).collect(),
            stream: vec![0; WORDS],
            reconstruction: vec![0.0; observed],
            observation: [vec![0.0; freed], vec![0.0; freed]],
            completions: vec![0.0; counters.completions.map_or(0, |_| 2 * free.iter().filter(|&&free| free).count())],
        }
    }

    /// Goes on from saved values, which have the sizes of [`Block::blank`] and a random stream; freed pixels move by `step`.
    pub(in crate::dynamics) fn restore(
        &mut self,
        model: &Hierarchy,
        counters: &EnsembleCounters,
        free: &[bool],
        step: LayerStep,
        saved: &SavedBlock,
    ) {
        self.set_interneurons(model, counters.interneurons); // sizes them, and takes their constants from the model
        self.clear_sums();
        for (l, (state, saved)) in self.layers.iter_mut().zip(&saved.layers).enumerate() {
            if state.category.is_empty() {
                state.x.copy_from_slice(&saved.x);
            }
            state.v.copy_from_slice(&saved.v);
            state.y.clone_from(&saved.y);
            state.unsampled_variances.copy_from_slice(&saved.unsampled_variances);
            state.category.copy_from_slice(&saved.category);
            state.unsampled_variance = counters.unsampled_variances.get(l).copied().unwrap_or_default();
            if counters.learned_steps > 0 {
                restore_sums(state, &saved.sums);
            }
        }
        self.refresh_activations(model);
        self.refresh_highest_input(model);
        (self.steps_until_draw, self.learned_steps, self.stored_steps) =
            (counters.steps_until_draw, counters.learned_steps, counters.stored_steps);
        self.unsettled = counters.unsettled;
        self.reconstruction = (saved.reconstruction.clone(), counters.reconstruction_steps);
        self.free(free, counters.inner_steps, step);
        let [sums, v] = &saved.observation;
        self.observation.iter_mut().for_each(|observation| observation.restore(counters.observation_steps, [sums, v]));
        self.completions = counters.completions.map(|counters| Completions::restored(free, self.rows, counters, &saved.completions));
        if let Some(noise) = saved.noise() {
            self.noise = noise; // last: what came before has drawn from the stream
        }
    }
}

fn restore_sums(state: &mut LayerState, saved: &SavedSums) {
    state.weight_sums.copy_from_slice(&saved.weights);
    state.bias_sums.copy_from_slice(&saved.biases);
    state.squared_errors_sum = saved.squared_errors.first().copied().unwrap_or_default();
    state.category_counts.copy_from_slice(&saved.category_counts);
    state.eps_history[..saved.eps_history.len()].copy_from_slice(&saved.eps_history);
    state.f_history[..saved.f_history.len()].copy_from_slice(&saved.f_history);
}
