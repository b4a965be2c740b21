//! The whole state of an ensemble, taken out and put back: networks that go on from it draw the same bits as those that never stopped.

use super::Ensemble;
use crate::dynamics::block::{Block, SavedBlock, SavedLayer, SavedSums};
use crate::dynamics::completions::CompletionCounters;
use crate::dynamics::state::HISTORY;
use crate::dynamics::state_array::{StateArray, StateValues};
use crate::dynamics::step_parameters::LayerStep;
use crate::model::Hierarchy;
use serde::{Deserialize, Serialize};

/// Steps of one presentation that a state may hold, at most: sums of as many are far from where counters end.
const MOST_STEPS: u64 = 1 << 40;

/// The numbers of a state; with the shape of the model they tell the sizes of its arrays.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnsembleCounters {
    /// Networks.
    pub networks: usize,
    /// Networks of a block.
    pub block_rows: usize,
    /// K, interneurons a unit.
    pub interneurons: usize,
    /// Steps until a categorical top is drawn again.
    pub steps_until_draw: usize,
    /// Whether the next step starts the interneurons in equilibrium at their eta.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unsettled: bool,
    /// Learning steps of the presentation under way.
    pub learned_steps: usize,
    /// Of these the last ones, whose products are not in the sums yet.
    pub stored_steps: usize,
    /// Steps in the reconstruction of x_0.
    pub reconstruction_steps: u64,
    /// Steps of the layers above for one of x_0 where it is free.
    pub inner_steps: usize,
    /// Of these, the steps that have passed since x_0 moved.
    pub observation_steps: usize,
    /// What is counted of freed pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completions: Option<CompletionCounters>,
    /// Variance of the mean of K Ornstein-Uhlenbeck interneurons about its expectation, layers 0..=L.
    pub unsampled_variances: Vec<f64>,
    /// Numbers that stand for the interneurons of a unit, layers 0..=L: all K of them, or 1, their mean; 0 where there are none.
    pub interneuron_values: Vec<usize>,
    /// Numbers of the pixels of x_0 that are free.
    pub free: Vec<usize>,
}

/// Everything that the next steps of an ensemble depend on beside the model, the stage and the constants of a step.
#[derive(Clone, Debug, PartialEq)]
pub struct EnsembleState {
    counters: EnsembleCounters,
    /// Pixels that are free, `[n_0]`; empty: none.
    free: Vec<bool>,
    /// Units of the layers 0..=L.
    sizes: Vec<usize>,
    blocks: Vec<SavedBlock>,
}

/// A state of networks of another shape, or none at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} = {found}, where {expected} is needed")]
pub struct StateMismatch {
    /// What does not fit.
    pub what: String,
    /// What was found.
    pub found: String,
    /// What would be right.
    pub expected: String,
}

impl StateMismatch {
    /// `what` is not as it has to be.
    pub fn new(what: impl Into<String>, found: impl ToString, expected: impl ToString) -> Self {
        Self { what: what.into(), found: found.to_string(), expected: expected.to_string() }
    }
}

impl Ensemble {
    /// Everything that the next steps depend on.
    pub fn state(&self) -> EnsembleState {
        EnsembleState {
            counters: self.state_counters(),
            free: self.blocks.first().map_or(Vec::new(), |block| block.freed().to_vec()),
            sizes: self.sizes.clone(),
            blocks: self.blocks.iter().map(Block::saved).collect(),
        }
    }

    /// The numbers of the state.
    pub fn state_counters(&self) -> EnsembleCounters {
        let first = self.blocks.first();
        let free = first.map_or(&[][..], Block::freed);
        EnsembleCounters {
            networks: self.networks,
            block_rows: self.block_rows,
            free: (0..free.len()).filter(|&i| free[i]).collect(),
            ..first.map_or_else(EnsembleCounters::default, Block::counters)
        }
    }

    /// A state with these counters and arrays of 0, to be filled. An error where networks of this shape cannot have the counters.
    pub fn blank_state(&self, counters: EnsembleCounters) -> Result<EnsembleState, StateMismatch> {
        for (what, found, expected) in
            [("networks", counters.networks, self.networks), ("networks of a block", counters.block_rows, self.block_rows)]
        {
            if found != expected {
                return Err(StateMismatch::new(what, found, expected));
            }
        }
        let CompletionCounters { burn_in, steps, summed } = counters.completions.unwrap_or_default();
        for (what, found) in [
            ("learned steps", counters.learned_steps as u64),
            ("steps of the reconstruction", counters.reconstruction_steps),
            ("steps of the burn-in", burn_in),
            ("steps of completions", steps),
            ("summed steps of completions", summed),
        ] {
            if found > MOST_STEPS {
                return Err(StateMismatch::new(what, found, format!("0 to {MOST_STEPS}")));
            }
        }
        let (layers, pixels) = (self.sizes.len(), self.sizes[0]);
        let mut free = vec![false; if counters.free.is_empty() { 0 } else { pixels }];
        for &pixel in &counters.free {
            *free.get_mut(pixel).ok_or_else(|| StateMismatch::new("a free pixel", pixel, format!("0 to {}", pixels - 1)))? = true;
        }
        if counters.unsampled_variances.len() != layers {
            return Err(StateMismatch::new("unsampled variances", counters.unsampled_variances.len(), layers));
        }
        let interneurons = self.blocks.first().map_or(Vec::new(), |block| block.interneuron_choices(counters.interneurons));
        let chosen = &counters.interneuron_values;
        if chosen.len() != layers || chosen.iter().zip(&interneurons).any(|(chosen, choices)| !choices.contains(chosen)) {
            return Err(StateMismatch::new("interneuron values", format!("{chosen:?}"), format!("one of each of {interneurons:?}")));
        }
        if counters.unsampled_variances.iter().any(|variance| !(variance.is_finite() && *variance >= 0.0)) {
            return Err(StateMismatch::new("an unsampled variance", "a value that is not finite", "a number of at least 0"));
        }
        if counters.stored_steps >= HISTORY || counters.stored_steps > counters.learned_steps {
            return Err(StateMismatch::new("stored steps", counters.stored_steps, format!("0 to {}", HISTORY - 1)));
        }
        let blocks = self.blocks.iter().map(|block| block.blank(&counters, &free)).collect();
        Ok(EnsembleState { counters, free, sizes: self.sizes.clone(), blocks })
    }

    /// Goes on from a state of networks of this shape, with the model and the stage that it belongs to; freed pixels move by
    /// `observed_step`. An error, after which the networks are as they were, where it does not fit.
    pub fn restore(&mut self, model: &Hierarchy, mut state: EnsembleState, observed_step: LayerStep) -> Result<(), StateMismatch> {
        self.check_state(&mut state)?;
        for (block, saved) in self.blocks.iter_mut().zip(&state.blocks) {
            block.restore(model, &state.counters, &state.free, observed_step, saved);
        }
        Ok(())
    }

    /// Whether networks of this shape can go on from it; the error says what does not fit.
    pub fn check_state(&self, state: &mut EnsembleState) -> Result<(), StateMismatch> {
        let mut blank = self.blank_state(state.counters.clone())?;
        let sizes = |state: &mut EnsembleState| -> Vec<_> {
            state.arrays().into_iter().map(|array| (array.values.lengths(), array.name, array.shape)).collect()
        };
        let (found, expected) = (sizes(state), sizes(&mut blank));
        if found.len() != expected.len() {
            return Err(StateMismatch::new("arrays", found.len(), expected.len()));
        }
        if let Some((found, expected)) =
            found.iter().zip(&expected).find(|(found, expected)| (&found.0, &found.1) != (&expected.0, &expected.1))
        {
            return Err(StateMismatch::new(
                format!("shape of {}", found.1),
                format!("{:?}", found.2),
                format!("{:?} of {}", expected.2, expected.1),
            ));
        }
        let states = self.sizes.last().copied().unwrap_or_default();
        let mut categories = state.blocks.iter().flat_map(|block| &block.layers).flat_map(|layer| &layer.category);
        if let Some(category) = categories.find(|&&category| category as usize >= states) {
            return Err(StateMismatch::new("a category", category, format!("0 to {}", states.saturating_sub(1))));
        }
        match state.blocks.iter().all(|block| block.noise().is_some()) {
            true => Ok(()),
            false => Err(StateMismatch::new("a random stream", "0", "what a generator left")),
        }
    }
}

impl EnsembleState {
    /// The numbers of the state.
    pub fn counters(&self) -> &EnsembleCounters {
        &self.counters
    }

    /// Pixels of x_0 that are free, `[n_0]`; empty: none.
    pub fn freed(&self) -> &[bool] {
        &self.free
    }

    /// Its arrays, in an order of their own; those without values are left out. Names are x0, v1, .. by layer.
    pub fn arrays(&mut self) -> Vec<StateArray<'_>> {
        let Self { counters, sizes, blocks, free } = self;
        let (networks, count) = (counters.networks, blocks.len());
        let pixels = free.iter().filter(|&&free| free).count();
        let mut gathered = Gathered::default();
        for SavedBlock { layers, stream, reconstruction, observation: [sums, v], completions } in blocks {
            gathered.add("streams", &[count, 4, stream.len() / 4], stream);
            gathered.add("reconstruction", &[count, sizes[0]], reconstruction);
            gathered.add("observation_sums", &[networks, sizes[0]], sums);
            gathered.add("observation_v", &[networks, sizes[0]], v);
            gathered.add("completion_sums", &[count, pixels, 2], completions);
            for (l, SavedLayer { x, v, y, unsampled_variances, category, sums }) in layers.iter_mut().enumerate() {
                let (n, above) = (sizes[l], sizes.get(l + 1).copied().unwrap_or_default());
                gathered.add(&format!("x{l}"), &[networks, n], x);
                gathered.add(&format!("v{l}"), &[networks, n], v);
                gathered.add(&format!("y{l}"), &[], y);
                gathered.add(&format!("unsampled_variances{l}"), &[networks, n], unsampled_variances);
                gathered.add(&format!("category{l}"), &[networks], category);
                let SavedSums { weights, biases, squared_errors, category_counts, eps_history, f_history } = sums;
                gathered.add(&format!("weight_sums{l}"), &[count, n, above], weights);
                gathered.add(&format!("bias_sums{l}"), &[count, n], biases);
                gathered.add(&format!("squared_errors{l}"), &[count], squared_errors);
                gathered.add(&format!("category_counts{l}"), &[count, n], category_counts);
                gathered.add(&format!("eps_history{l}"), &[], eps_history);
                gathered.add(&format!("f_history{l}"), &[], f_history);
            }
        }
        gathered.0
    }
}

/// Arrays whose parts come block by block.
#[derive(Default)]
struct Gathered<'a>(Vec<StateArray<'a>>);

impl<'a> Gathered<'a> {
    /// Adds a block's part of an array; one that has no values is left out.
    fn add(&mut self, name: &str, shape: &[usize], part: impl Into<StateValues<'a>>) {
        let part = part.into();
        match self.0.iter_mut().find(|array| array.name == name) {
            Some(array) => array.values.append(part),
            None if part.is_empty() => {}
            None => self.0.push(StateArray::new(name, shape, part)),
        }
    }
}
