//! Networks that generate x_0 with the weights as they are, jointly, marginally or from the top down (model.md 4).

use crate::dynamics::{Ensemble, EnsembleOptions, LayerStep, Probes, Span, StepParameters, Task};
use crate::experiment::FrozenModel;
use crate::experiment::config::ConfigError;
use crate::model::Hierarchy;
use crate::studies::generation::waking::{RENEWED, Waking};
use crate::studies::generation::{GenerationRequest, Mode, Origin};
use ndarray::Array2;
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use rayon::prelude::*;
use std::sync::Arc;

/// Networks of a block, each with its own random stream: results do not depend on the number of threads.
const BLOCK_ROWS: usize = 25;

/// Networks at work.
#[derive(Clone, Debug)]
pub struct GenerationChains {
    request: GenerationRequest,
    model: Arc<Hierarchy>,
    parameters: StepParameters,
    observed: LayerStep,
    active_layers: usize,
    networks: Ensemble,
    /// The gains of the couplings; None where the steps are the caller's own, and every gain is 1.
    waking: Option<Waking>,
    /// Steps of the whole network done so far; an ancestral draw of every layer counts as one.
    pub steps: u64,
}

/// Constants of a step of chains that generate.
#[derive(Clone, Debug)]
pub struct ChainSteps {
    /// Of layers 1..=L.
    pub parameters: StepParameters,
    /// Of x_0.
    pub observed: LayerStep,
    /// Layers of neurons that have been opened by learning, 1..=this.
    pub active_layers: usize,
}

impl ChainSteps {
    /// As the dynamics of a frozen model have them.
    pub fn of(frozen: &FrozenModel) -> Self {
        Self { parameters: frozen.step_parameters(), observed: frozen.observed_step(), active_layers: frozen.active_layers }
    }
}

/// Runs tasks on the threads of the pool that the caller is in.
fn side_by_side(tasks: Vec<Task>) {
    tasks.into_par_iter().with_max_len(1).for_each(|task| task());
}

impl GenerationChains {
    /// Networks at their start. `data`, `[images, n_0]`, is needed to start there.
    pub fn new(frozen: &FrozenModel, request: GenerationRequest, data: Option<&Array2<f32>>) -> Result<Self, ConfigError> {
        let temperature = request.temperature as f32;
        let steps = if request.mode == Mode::Ancestral { 0 } else { request.waking_steps as u64 };
        let waking = Waking::new(frozen.clone(), temperature, steps);
        Self::begun(Arc::clone(&frozen.model), ChainSteps::of(frozen), request, Some(waking), data)
    }

    /// The same with steps of one's own, which no gain changes.
    pub fn with_steps(
        model: Arc<Hierarchy>,
        steps: ChainSteps,
        request: GenerationRequest,
        data: Option<&Array2<f32>>,
    ) -> Result<Self, ConfigError> {
        Self::begun(model, steps, request, None, data)
    }

    fn begun(
        model: Arc<Hierarchy>,
        steps: ChainSteps,
        request: GenerationRequest,
        waking: Option<Waking>,
        data: Option<&Array2<f32>>,
    ) -> Result<Self, ConfigError> {
        let ChainSteps { parameters, observed, active_layers } = steps;
        request.validate(&model)?;
        let temperature = request.temperature as f32;
        let options = EnsembleOptions {
            block_rows: BLOCK_ROWS,
            interneurons: parameters.interneurons,
            seed: request.seed ^ 0x6472_6561_6d00,
            active_layers,
            learns: vec![false; model.depth()],
            tables: model.tables(),
            ..EnsembleOptions::new(&model, request.count)
        };
        let mut networks = Ensemble::new(&model, &options);
        networks.restart(&model);
        let observed = LayerStep { temperature, ..observed };
        let parameters = parameters.at_temperature(temperature);
        let mut chains = Self { request, parameters, observed, model, active_layers, networks, waking, steps: 0 };
        chains.take_gains();
        chains.start(data)?;
        Ok(chains)
    }

    fn start(&mut self, data: Option<&Array2<f32>>) -> Result<(), ConfigError> {
        let n = self.model.layers[0].size;
        match (self.request.mode, self.request.origin) {
            (Mode::Ancestral, _) | (_, Origin::Prior) => self.descend(),
            // What is independent of what is above it: the first model on the way.
            (_, Origin::Noise) if self.request.waking_steps > 0 && self.waking.is_some() => self.descend(),
            (_, Origin::Noise) => {
                let spread = self.model.layers[0].sigma().unwrap_or(1.0) as f32;
                self.networks.fill_observed(&self.model, spread);
            }
            (_, Origin::Data) => {
                let Some(data) = data.filter(|set| set.nrows() > 0 && set.ncols() == n) else {
                    return Err(ConfigError::Generation("start = data needs images of this model's size".into()));
                };
                let mut rng = ChaCha8Rng::seed_from_u64(self.request.seed);
                rng.set_stream(1 << 43);
                self.networks.set_states(&self.model, 0, |_, row| {
                    let image = rng.random_range(0..data.nrows());
                    row.iter_mut().zip(data.row(image)).for_each(|(x, &value)| *x = value);
                });
            }
        }
        if self.request.mode != Mode::Ancestral {
            self.networks.free(&vec![true; n], self.inner(), self.observed);
            self.networks.settle_interneurons();
        }
        Ok(())
    }

    /// S: steps of the layers above for one of x_0.
    fn inner(&self) -> usize {
        if self.request.mode == Mode::Marginal { self.request.inner } else { 1 }
    }

    /// Draws every layer from the top down.
    fn descend(&mut self) {
        let (model, top, temperature) = (&self.model, self.model.depth(), self.request.temperature as f32);
        match self.request.category.filter(|_| self.active_layers == top) {
            Some(category) => {
                self.networks.set_category(model, category as u32);
                self.networks.draw_below(model, 0, top - 1, temperature, &side_by_side);
            }
            None => self.networks.draw_ancestral(model, 0, self.active_layers, temperature, &side_by_side),
        }
    }

    /// The same chains with other weights of the same sizes: they go on from where they are. An ancestral draw is made anew.
    pub fn renewed(&self, frozen: &FrozenModel) -> Result<Self, ConfigError> {
        let request = GenerationRequest { seed: self.request.seed.wrapping_add(1), origin: Origin::Noise, ..self.request }; // noise that was not used yet
        let mut chains = Self::new(frozen, request, None)?;
        let sizes = |model: &Hierarchy| model.layers.iter().map(|layer| layer.size).collect::<Vec<_>>();
        if sizes(&chains.model) != sizes(&self.model) {
            return Err(ConfigError::Generation("weights of another model cannot go on with these chains".into()));
        }
        chains.request.origin = self.request.origin;
        chains.steps = self.steps;
        if request.mode == Mode::Ancestral {
            return Ok(chains);
        }
        chains.waking = self.waking.as_ref().map(|waking| waking.renewed(frozen.clone(), self.steps));
        chains.take_gains();
        chains.networks.continue_from(&chains.model, &self.networks, self.active_layers.min(chains.active_layers));
        Ok(chains)
    }

    /// What was asked for.
    pub fn request(&self) -> &GenerationRequest {
        &self.request
    }

    /// L.
    pub fn depth(&self) -> usize {
        self.model.depth()
    }

    /// Runs `steps` of the whole network; ancestral mode draws everything anew.
    pub fn advance(&mut self, steps: usize) {
        if self.request.mode == Mode::Ancestral {
            if self.steps > 0 {
                self.descend(); // the first draw was made at the start
            }
            self.steps += 1;
            return;
        }
        let end = self.steps + steps as u64;
        while self.steps < end {
            if self.waking.as_mut().is_some_and(|waking| waking.move_to(self.steps / RENEWED * RENEWED)) {
                self.take_gains();
            }
            // No distribution on the way is waited for, so that x_0 moves as often as it can until the last one is there.
            let is_waking = self.waking.as_ref().is_some_and(|waking| waking.is_under_way(self.steps));
            self.networks.set_inner(if is_waking { 1 } else { self.inner() });
            // To the next change of the gains; where they stay as they are, to the end.
            let changes = self.waking.as_ref().is_some_and(|waking| waking.now().iter().any(|gain| *gain < 1.0));
            let next = if changes { end.min((self.steps / RENEWED + 1) * RENEWED) } else { end };
            let span = Span { steps: (next - self.steps) as usize, skip: 0, learn: false, last: false };
            self.networks.advance(&self.model, &self.parameters, span, &Probes::default(), &side_by_side);
            self.steps = next;
        }
    }

    /// Goes on with the model at the present gains.
    fn take_gains(&mut self) {
        if let Some(waking) = &self.waking {
            (self.model, self.parameters) = waking.model();
        }
    }

    /// Gains of the couplings, the lowest first: set by hand from now on, or (None) those of the schedule. Ancestral draws have none.
    pub fn set_gains(&mut self, gains: Option<Vec<f32>>) {
        if self.request.mode != Mode::Ancestral {
            self.waking.iter_mut().for_each(|waking| waking.set_by_hand(gains.clone()));
        }
    }

    /// Gains of the couplings now, the lowest first; empty where they cannot change.
    pub fn gains(&self) -> &[f32] {
        self.waking.as_ref().map_or(&[], Waking::now)
    }

    /// Steps, and the gains from then on, as they have been.
    pub fn gains_over_steps(&self) -> &[(u64, Vec<f32>)] {
        self.waking.as_ref().map_or(&[], Waking::history)
    }

    /// x_0 as it is, `[count, n_0]`.
    pub fn samples(&self) -> Array2<f32> {
        self.networks.state_matrix(0)
    }

    /// E\[x_0 | x_1\] as it is, `[count, n_0]`.
    pub fn means(&self) -> Array2<f32> {
        self.networks.expected_observation(&self.model, self.request.count)
    }

    /// x of layer l as it is, `[count, n_l]`.
    pub fn states(&self, l: usize) -> Array2<f32> {
        self.networks.state_matrix(l)
    }

    /// The first layer in which a value is not finite; None while all is well.
    pub fn broken(&self) -> Option<usize> {
        (0..=self.model.depth()).find(|&l| !self.networks.is_finite(l))
    }
}
