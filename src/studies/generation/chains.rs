//! Networks that generate x_0 with the weights as they are, jointly, marginally or from the top down (SPEC 4).

use crate::dynamics::block::{Block, Probes, Span};
use crate::dynamics::{LayerStep, StepParameters, ancestral};
use crate::experiment::FrozenModel;
use crate::experiment::config::ConfigError;
use crate::model::Hierarchy;
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
    blocks: Vec<Block>,
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

impl GenerationChains {
    /// Networks at their start. `data`, `[images, n_0]`, is needed to start there.
    pub fn new(frozen: &FrozenModel, request: GenerationRequest, data: Option<&Array2<f32>>) -> Result<Self, ConfigError> {
        Self::with_steps(Arc::clone(&frozen.model), ChainSteps::of(frozen), request, data)
    }

    /// The same with steps of one's own.
    pub fn with_steps(
        model: Arc<Hierarchy>,
        steps: ChainSteps,
        request: GenerationRequest,
        data: Option<&Array2<f32>>,
    ) -> Result<Self, ConfigError> {
        let ChainSteps { parameters, observed, active_layers } = steps;
        request.validate(&model)?;
        let temperature = request.temperature as f32;
        let rows = |b: usize| BLOCK_ROWS.min(request.count - b * BLOCK_ROWS);
        let tables = model.tables();
        let blocks = (0..request.count.div_ceil(BLOCK_ROWS))
            .map(|b| {
                let mut block = Block::new(&model, rows(b), parameters.interneurons, request.seed ^ 0x6472_6561_6d00, b as u64);
                block.tables.clone_from(&tables);
                block.set_stage(active_layers, &vec![false; model.depth()]);
                block.restart(&model);
                block
            })
            .collect();
        let observed = LayerStep { temperature, ..observed };
        let mut chains =
            Self { request, parameters: parameters.at_temperature(temperature), observed, model, active_layers, blocks, steps: 0 };
        chains.start(data)?;
        Ok(chains)
    }

    fn start(&mut self, data: Option<&Array2<f32>>) -> Result<(), ConfigError> {
        let n = self.model.layers[0].size;
        match (self.request.mode, self.request.origin) {
            (Mode::Ancestral, _) | (_, Origin::Prior) => self.descend(),
            (_, Origin::Noise) => {
                let family = self.model.layers[0].family.clone();
                let spread = family.sigma().unwrap_or(1.0) as f32;
                for block in &mut self.blocks {
                    block.fill_observed(&family.bounds().map(|b| b as f32), family.is_binary(), spread);
                }
            }
            (_, Origin::Data) => {
                let Some(data) = data.filter(|set| set.nrows() > 0 && set.ncols() == n) else {
                    return Err(ConfigError("start = data needs images of this model's size".into()));
                };
                let mut rng = ChaCha8Rng::seed_from_u64(self.request.seed);
                rng.set_stream(1 << 43);
                for block in &mut self.blocks {
                    for row in block.layers[0].x.chunks_exact_mut(n) {
                        let image = rng.random_range(0..data.nrows());
                        row.iter_mut().zip(data.row(image)).for_each(|(x, &value)| *x = value);
                    }
                }
            }
        }
        if self.request.mode != Mode::Ancestral {
            let inner = if self.request.mode == Mode::Marginal { self.request.inner } else { 1 };
            let free = vec![true; n];
            self.blocks.iter_mut().for_each(|block| block.free(&free, inner, self.observed));
        }
        Ok(())
    }

    /// Draws every layer from the top down.
    fn descend(&mut self) {
        let (model, active_layers, request) = (&self.model, self.active_layers, self.request);
        self.blocks.par_iter_mut().for_each(|block| {
            let top = model.depth();
            match request.category.filter(|_| active_layers == top) {
                Some(category) => {
                    block.layers[top].choice.fill(category as u32);
                    ancestral::draw_below(model, block, 0, top - 1, request.temperature as f32);
                }
                None => ancestral::draw(model, block, 0, active_layers, request.temperature as f32),
            }
        });
    }

    /// The same chains with other weights of the same sizes: they go on from where they are. An ancestral draw is made anew.
    pub fn renewed(&self, frozen: &FrozenModel) -> Result<Self, ConfigError> {
        let request = GenerationRequest { seed: self.request.seed.wrapping_add(1), origin: Origin::Noise, ..self.request }; // noise that was not used yet
        let mut chains = Self::new(frozen, request, None)?;
        let sizes = |model: &Hierarchy| model.layers.iter().map(|layer| layer.size).collect::<Vec<_>>();
        if sizes(&chains.model) != sizes(&self.model) {
            return Err(ConfigError("weights of another model cannot go on with these chains".into()));
        }
        chains.request.origin = self.request.origin;
        chains.steps = self.steps;
        if request.mode == Mode::Ancestral {
            return Ok(chains);
        }
        for (new, old) in chains.blocks.iter_mut().zip(&self.blocks) {
            for (new, old) in new.layers.iter_mut().zip(&old.layers).take(1 + self.active_layers.min(chains.active_layers)) {
                new.x.copy_from_slice(&old.x);
                new.v.copy_from_slice(&old.v);
                new.choice.copy_from_slice(&old.choice);
            }
            new.refresh_activations(&chains.model);
        }
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
        let span = Span { steps, skip: 0, learn: false, last: false };
        let (model, parameters) = (&self.model, &self.parameters);
        self.blocks.par_iter_mut().with_max_len(1).for_each(|block| block.run(model, parameters, span, &Probes::default()));
        self.steps += steps as u64;
    }

    /// x_0 as it is, `[count, n_0]`.
    pub fn samples(&self) -> Array2<f32> {
        self.gather(|block| block.layers[0].x.clone())
    }

    /// E\[x_0 | x_1\] as it is, `[count, n_0]`.
    pub fn means(&self) -> Array2<f32> {
        self.gather(|block| block.expected_observation(&self.model))
    }

    /// x of layer l as it is, `[count, n_l]`.
    pub fn states(&self, l: usize) -> Array2<f32> {
        self.gather(|block| block.layers[l].x.clone())
    }

    fn gather(&self, values: impl Fn(&Block) -> Vec<f32>) -> Array2<f32> {
        let all: Vec<f32> = self.blocks.iter().flat_map(values).collect();
        let columns = all.len() / self.request.count;
        Array2::from_shape_vec((self.request.count, columns), all).unwrap_or_default()
    }

    /// The first layer in which a value is not finite; None while all is well.
    pub fn broken(&self) -> Option<usize> {
        let whole = |l: usize| self.blocks.iter().all(|block| block.layers[l].x.iter().all(|x| x.is_finite()));
        (0..=self.model.depth()).find(|&l| !whole(l))
    }
}
