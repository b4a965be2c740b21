//! Networks that share weights: the one way to make them, to move them and to ask what they do (model.md 2, 3, 4).
//!
//! An ensemble computes in blocks of rows, each with its own random stream and its own sums, which are added in the order of the
//! blocks: results do not depend on how many threads the caller's executor has. Outside of this module networks are numbered
//! `0..networks`, and of blocks only their size is to be chosen.

use crate::dynamics::ancestral;
use crate::dynamics::block::{Block, Span};
use crate::dynamics::executor::{Executor, Task};
use crate::dynamics::learning_sums::LearningSums;
use crate::dynamics::prepared_weights::PreparedWeights;
use crate::dynamics::recording::{Probes, Recorded};
use crate::dynamics::state::{ChainState, LayerParts, LayerState};
use crate::dynamics::step_parameters::StepParameters;
use crate::dynamics::whole_batch::{self, WholeBatch};
use crate::model::hierarchy::Tables;
use crate::model::mean_table::MeanTable;
use crate::model::{Hierarchy, vector};
use ndarray::{Array1, Array2};
use rand::{Rng, RngExt};
use std::sync::Arc;

mod observed;
mod saved;

pub use saved::{EnsembleCounters, EnsembleState, StateMismatch};

/// How an ensemble is made.
#[derive(Clone, Debug)]
pub struct EnsembleOptions {
    /// Networks.
    pub networks: usize,
    /// Networks of a block: they share a random stream and their products, and are the least that a thread takes.
    pub block_rows: usize,
    /// K, interneurons a unit.
    pub interneurons: usize,
    /// Seed of all random streams.
    pub seed: u64,
    /// Random stream of the first block; those of the others follow.
    pub stream: u64,
    /// Layers of neurons that run, 1..=this; the others rest.
    pub active_layers: usize,
    /// Whether sums for W_l are gathered in learning steps, `[L]`.
    pub learns: Vec<bool>,
    /// Tables of A' for exact interneurons ([`Hierarchy::tables`]); empty: the quadrature answers.
    pub tables: Tables,
}

impl EnsembleOptions {
    /// `networks` networks of `model` in one block, one interneuron a unit, seed 0; every layer runs and learns, no tables.
    pub fn new(model: &Hierarchy, networks: usize) -> Self {
        Self {
            networks,
            block_rows: networks,
            interneurons: 1,
            seed: 0,
            stream: 0,
            active_layers: model.depth(),
            learns: vec![true; model.depth()],
            tables: Vec::new(),
        }
    }
}

/// Where networks begin at a stimulus.
#[derive(Clone, Copy)]
pub enum Start<'a> {
    /// x = 0 and v ~ N(0, 1) (model.md 3).
    Rest,
    /// Draws from the prior of the layers that run, v ~ N(0, 1).
    Prior,
    /// Where this puts each layer 1..=L of each network: it gets the number of the network, the layer, and what to write.
    Chains(&'a (dyn Fn(usize, usize, ChainState) + Sync)),
}

/// Sums over all networks at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Moments {
    /// Sum of (x_0 - E\[x_0 | x_1\])^2 over pixels too, of the last step.
    pub squared_residual: f64,
    /// Sum of x_1^2 over units too.
    pub second: f64,
    /// Sum of x_1^4 over units too.
    pub fourth: f64,
}

/// Independent networks that share the weights of a model, which every call is given: it must have the shape of the one they were
/// made for.
#[derive(Clone, Debug)]
pub struct Ensemble {
    blocks: Vec<Block>,
    prepared: PreparedWeights,
    /// What the networks of a large model hand each other in a step.
    shared: WholeBatch,
    /// Whether they do.
    together: bool,
    /// Units of the layers 0..=L.
    sizes: Vec<usize>,
    networks: usize,
    block_rows: usize,
}

impl Ensemble {
    /// Networks at rest, as at a new stimulus; x_0 = 0.
    pub fn new(model: &Hierarchy, options: &EnsembleOptions) -> Self {
        let EnsembleOptions { networks, interneurons, seed, stream, .. } = *options;
        let block_rows = options.block_rows.max(1);
        let block = |b: usize| {
            let rows = block_rows.min(networks - b * block_rows);
            let mut block = Block::new(model, rows, interneurons, seed, stream + b as u64);
            block.tables.clone_from(&options.tables);
            block.set_stage(options.active_layers, &options.learns);
            block
        };
        Self {
            blocks: (0..networks.div_ceil(block_rows)).map(block).collect(),
            prepared: PreparedWeights::default(),
            shared: WholeBatch::default(),
            together: whole_batch::pays(model),
            sizes: model.layers.iter().map(|layer| layer.size).collect(),
            networks,
            block_rows,
        }
    }

    /// Networks.
    pub fn networks(&self) -> usize {
        self.networks
    }

    /// Networks that are computed together, all but perhaps the last ones.
    pub fn block_rows(&self) -> usize {
        self.block_rows.min(self.networks)
    }

    /// Tables of A' that exact interneurons use.
    pub fn tables(&self) -> &[Option<Arc<MeanTable>>] {
        self.blocks.first().map_or(&[], |block| &block.tables)
    }

    /// Another K; interneurons start in equilibrium at eta = 0.
    pub fn set_interneurons(&mut self, model: &Hierarchy, k: usize) {
        self.blocks.iter_mut().for_each(|block| block.set_interneurons(model, k));
    }

    /// Lets layers 1..=`active_layers` run and gathers sums for the W_l of `learns`, `[L]`, from the next start on.
    pub fn set_stage(&mut self, active_layers: usize, learns: &[bool]) {
        self.blocks.iter_mut().for_each(|block| block.set_stage(active_layers, learns));
    }

    /// Advances every network by `span.steps` steps, records `probes` and gathers the learning sums. Traced units and rasters are
    /// recorded of network 0, the pair of every one.
    pub fn advance(&mut self, model: &Hierarchy, parameters: &StepParameters, span: Span, probes: &Probes, executor: &Executor) {
        let pair_alone = Probes { units: Vec::new(), raster: false, ..probes.clone() };
        let probes_of = |network: usize| if network == 0 { probes } else { &pair_alone };
        let mut prepared = std::mem::take(&mut self.prepared);
        if let Some(first) = self.blocks.first() {
            first.prepare(&mut prepared, model, span.steps, self.together);
        }
        if self.together {
            self.advance_together(model, &prepared, parameters, span, &probes_of, executor);
        } else {
            self.on_blocks(executor, |first, block| block.run_prepared(model, &prepared, parameters, span, probes_of(first)));
        }
        self.prepared = prepared;
    }

    /// The same step by step: products of all networks, and what each block makes of them, in turn.
    fn advance_together<'p>(
        &mut self,
        model: &Hierarchy,
        prepared: &PreparedWeights,
        parameters: &StepParameters,
        span: Span,
        probes_of: &(impl Fn(usize) -> &'p Probes + Sync),
        executor: &Executor,
    ) {
        let mut shared = std::mem::take(&mut self.shared);
        shared.resize(model, self.networks, self.blocks.first().map_or(0, |block| block.active_layers));
        self.on_blocks_and(shared.rows(self.networks, self.block_rows), executor, |_, block, rows| block.show(rows));
        for step in 0..span.steps {
            shared.predict(model, executor);
            self.on_blocks_and(shared.rows(self.networks, self.block_rows), executor, |_, block, rows| {
                block.find_shared_errors(model, prepared, parameters, rows);
            });
            shared.find_currents(model, executor);
            self.on_blocks_and(shared.rows(self.networks, self.block_rows), executor, |first, block, rows| {
                block.move_shared(model, parameters, rows);
                block.end_step(step, span, probes_of(first));
            });
        }
        self.on_blocks(executor, |_, block| block.end_span(span));
        self.shared = shared;
    }

    /// What was recorded since the last call; of the pair the last `most_pairs` steps.
    pub fn take_recorded(&mut self, most_pairs: usize) -> Recorded {
        let steps = self.blocks.iter().map(|block| block.pairs.len() / block.rows.max(1)).min().unwrap_or(0);
        let mut recorded = Recorded::default();
        for step in steps.saturating_sub(most_pairs)..steps {
            let mut all = Vec::with_capacity(self.networks);
            self.blocks.iter().for_each(|block| all.extend_from_slice(&block.pairs[step * block.rows..][..block.rows]));
            recorded.pairs.push(all);
        }
        self.blocks.iter_mut().for_each(|block| block.pairs.clear());
        if let Some(first) = self.blocks.first_mut() {
            recorded.traces.append(&mut first.traces);
            recorded.rasters.append(&mut first.rasters);
        }
        recorded
    }

    /// Shows every network a stimulus and starts it there; learning sums begin anew. `show` gets the number of a network and its
    /// x_0, `[n_0]`, to be written.
    pub fn present(&mut self, model: &Hierarchy, show: &(dyn Fn(usize, &mut [f32]) + Sync), start: Start, executor: &Executor) {
        let n = self.sizes[0];
        self.on_blocks(executor, |first, block| {
            block.clear_sums();
            block.layers[0].x.chunks_exact_mut(n).enumerate().for_each(|(r, row)| show(first + r, row));
            match start {
                Start::Rest => block.restart(model),
                Start::Prior => {
                    block.restart(model);
                    ancestral::draw(model, block, 1, block.active_layers, 1.0);
                    block.begin(model);
                }
                Start::Chains(chain) => {
                    block.place(model, |r, l, state| chain(first + r, l, state));
                    block.begin(model);
                }
            }
        });
    }

    /// x = 0, v ~ N(0, 1) and interneurons in equilibrium at eta = 0 in every network; x_0 stays (model.md 3).
    pub fn restart(&mut self, model: &Hierarchy) {
        self.blocks.iter_mut().for_each(|block| block.restart(model));
    }

    /// Where v was drawn from N(0, 1): v ~ N(0, temperature), which is stationary at that temperature.
    pub fn cool_adaptation(&mut self, temperature: f32) {
        if temperature != 1.0 {
            let spread = temperature.sqrt();
            let layers = self.blocks.iter_mut().flat_map(|block| block.layers.iter_mut());
            layers.flat_map(|layer| layer.v.iter_mut()).for_each(|v| *v *= spread);
        }
    }

    /// Lets the interneurons begin in equilibrium at the eta that the next step finds, where neurons were set to where they are.
    pub fn settle_interneurons(&mut self) {
        self.blocks.iter_mut().for_each(Block::settle_interneurons);
    }

    /// Draws x of the layers `lowest..=highest` from the top down at `temperature`: each conditional to the power 1/temperature
    /// (model.md 4). Layers above `highest` rest.
    pub fn draw_ancestral(&mut self, model: &Hierarchy, lowest: usize, highest: usize, temperature: f32, executor: &Executor) {
        self.on_blocks(executor, |_, block| ancestral::draw(model, block, lowest, highest, temperature));
    }

    /// The same given x of the layer above `highest`, which stays.
    pub fn draw_below(&mut self, model: &Hierarchy, lowest: usize, highest: usize, temperature: f32, executor: &Executor) {
        self.on_blocks(executor, |_, block| ancestral::draw_below(model, block, lowest, highest, temperature));
    }

    /// x of layer `l`, `[n_l]` a network.
    pub fn states(&self, l: usize) -> impl Iterator<Item = &[f32]> {
        self.blocks.iter().flat_map(move |block| block.layers[l].x.chunks_exact(self.sizes[l]))
    }

    /// x of layer `l` as a matrix, `[networks, n_l]`.
    pub fn state_matrix(&self, l: usize) -> Array2<f32> {
        self.matrix(self.networks, self.sizes[l], self.blocks.iter().flat_map(|block| block.layers[l].x.iter().copied()))
    }

    /// x of every layer 0..=L of one network, `[n_l]` each.
    pub fn network(&self, network: usize) -> Vec<Vec<f32>> {
        let (block, r) = (&self.blocks[network / self.block_rows], network % self.block_rows);
        block.layers.iter().zip(&self.sizes).map(|(state, &n)| state.x[r * n..][..n].to_vec()).collect()
    }

    /// What moved every layer 0..=L of one network in the last step.
    pub fn parts(&self, network: usize) -> Vec<LayerParts> {
        let (block, r) = (&self.blocks[network / self.block_rows], network % self.block_rows);
        let of_layer = |(state, &n): (&LayerState, &usize)| {
            let row = |values: &[f32]| values.get(r * n..(r + 1) * n).map(<[f32]>::to_vec).unwrap_or_default();
            let [neurons, adaptation, statistic, error] = [&state.x, &state.v, &state.mean_statistic, &state.eps].map(|values| row(values));
            LayerParts { neurons, adaptation, statistic, error, likelihood: row(&state.likelihood), prior: row(&state.prior) }
        };
        block.layers.iter().zip(&self.sizes).map(of_layer).collect()
    }

    /// Adaptation v of layer `l` > 0, `[n_l]` a network; nothing of a categorical layer, which has none.
    pub fn adaptation(&self, l: usize) -> impl Iterator<Item = &[f32]> {
        self.blocks.iter().flat_map(move |block| block.layers[l].v.chunks_exact(self.sizes[l]))
    }

    /// The state that a categorical top is in, one a network; nothing where the top is not categorical.
    pub fn categories(&self) -> impl Iterator<Item = u32> {
        self.blocks.iter().flat_map(|block| block.layers.last()).flat_map(|top| top.category.iter().copied())
    }

    /// Puts a categorical top into one state in every network; nothing where the top is not categorical.
    pub fn set_category(&mut self, model: &Hierarchy, category: u32) {
        for block in &mut self.blocks {
            block.layers.iter_mut().for_each(|state| state.category.fill(category));
            block.refresh_activations(model);
        }
    }

    /// Puts a categorical top into these states, one a network; nothing where the top is not categorical.
    pub fn set_categories(&mut self, model: &Hierarchy, categories: &[u32]) {
        let mut left = categories.iter();
        for block in &mut self.blocks {
            let top = block.layers.iter_mut().flat_map(|state| &mut state.category);
            top.zip(&mut left).for_each(|(category, &given)| *category = given);
            block.refresh_activations(model);
        }
    }

    /// Writes x of layer `l` of every network: `write` gets the number of the network and its x, `[n_l]`. All else stays.
    pub fn set_states(&mut self, model: &Hierarchy, l: usize, mut write: impl FnMut(usize, &mut [f32])) {
        let n = self.sizes[l];
        let mut network = 0;
        for block in &mut self.blocks {
            for row in block.layers[l].x.chunks_exact_mut(n) {
                write(network, row);
                network += 1;
            }
            block.layers[l].activate(model.layers[l].activation);
        }
    }

    /// Goes on from where the networks of another ensemble of the same shape are: x, v and categories of the layers
    /// 0..=`highest`.
    pub fn continue_from(&mut self, model: &Hierarchy, other: &Self, highest: usize) {
        for (new, old) in self.blocks.iter_mut().zip(&other.blocks) {
            for (new, old) in new.layers.iter_mut().zip(&old.layers).take(1 + highest) {
                new.x.copy_from_slice(&old.x);
                new.v.copy_from_slice(&old.v);
                new.category.copy_from_slice(&old.category);
            }
            new.refresh_activations(model);
        }
    }

    /// Whether x of layer `l` is finite in every network.
    pub fn is_finite(&self, l: usize) -> bool {
        self.blocks.iter().all(|block| vector::all_finite(&block.layers[l].x))
    }

    /// x of layer `l` of a random network, `[n_l]`.
    pub fn state_of_random_network(&self, l: usize, rng: &mut impl Rng) -> Vec<f32> {
        let block = &self.blocks[rng.random_range(0..self.blocks.len())];
        let (row, n) = (rng.random_range(0..block.rows), self.sizes[l]);
        block.layers[l].x[row * n..][..n].to_vec()
    }

    /// The sums of the learning rule since the stimulus came.
    pub fn learning_sums(&self) -> LearningSums<'_> {
        LearningSums::new(&self.blocks)
    }

    /// Learning sums back to 0.
    pub fn clear_learning_sums(&mut self) {
        self.blocks.iter_mut().for_each(Block::clear_sums);
    }

    /// Sums over all networks as they are.
    pub fn moments(&mut self, model: &Hierarchy, executor: &Executor) -> Moments {
        let parts = self.on_blocks(executor, |_, block| {
            let [second, fourth] = vector::even_moments(&block.layers[1].x);
            Moments { squared_residual: block.squared_residual(model), second, fourth }
        });
        parts.into_iter().fold(Moments::default(), |total, part| Moments {
            squared_residual: total.squared_residual + part.squared_residual,
            second: total.second + part.second,
            fourth: total.fourth + part.fourth,
        })
    }

    /// A''(eta_0) of each observed unit, the mean over networks at the last step, `[n_0]`.
    pub fn mean_observed_variance(&mut self, model: &Hierarchy, executor: &Executor) -> Array1<f32> {
        let (family, pixels) = (model.observed_family().as_ref(), self.sizes[0]);
        let parts = self.on_blocks(executor, |_, block| {
            let mut sum = vec![0.0; pixels];
            block.layers[0].eta.chunks_exact(pixels).for_each(|row| family.add_statistic_variances(row, &mut sum));
            Array1::from(sum)
        });
        parts.iter().fold(Array1::zeros(pixels), |total, part| total + part) / self.networks as f32
    }

    /// What `action` answers for every block, in their order; it gets the number of the block's first network.
    fn on_blocks<T: Send>(&mut self, executor: &Executor, action: impl Fn(usize, &mut Block) -> T + Sync) -> Vec<T> {
        self.on_blocks_and(vec![(); self.blocks.len()], executor, |first, block, ()| action(first, block))
    }

    /// The same with something of its own for every block.
    fn on_blocks_and<P: Send, T: Send>(
        &mut self,
        mut parts: Vec<P>,
        executor: &Executor,
        action: impl Fn(usize, &mut Block, &mut P) -> T + Sync,
    ) -> Vec<T> {
        let mut answers: Vec<Option<T>> = self.blocks.iter().map(|_| None).collect();
        let (rows, action) = (self.block_rows, &action);
        let task = |(b, ((block, part), answer)): (usize, ((_, _), _))| -> Task<'_> {
            let (block, part, answer): (&mut Block, &mut P, &mut Option<T>) = (block, part, answer);
            Box::new(move || *answer = Some(action(b * rows, block, part)))
        };
        executor(self.blocks.iter_mut().zip(&mut parts).zip(&mut answers).enumerate().map(task).collect());
        answers.into_iter().flatten().collect()
    }

    /// Values of the first `networks` networks as a matrix, `[networks, columns]`.
    fn matrix(&self, networks: usize, columns: usize, values: impl Iterator<Item = f32>) -> Array2<f32> {
        let networks = networks.min(self.networks);
        Array2::from_shape_vec((networks, columns), values.take(networks * columns).collect()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamics::executor::in_turn;
    use crate::dynamics::step_parameters::LayerStep;
    use crate::model::{Activation, FamilyConfig, Layer};

    /// Two gaussian units, observed through three, below three states.
    fn mixture() -> Hierarchy {
        let layers =
            [(FamilyConfig::Gaussian { sigma: 0.5 }, 3), (FamilyConfig::Gaussian { sigma: 0.8 }, 2), (FamilyConfig::Categorical, 3)];
        let layers = layers.into_iter().map(|(family, size)| Layer::new(family, Activation::Linear, size).unwrap()).collect();
        let w = |shape| Array2::from_shape_fn(shape, |(i, j)| 0.4 * (i as f32 - j as f32));
        Hierarchy::new(layers, vec![w((3, 2)), w((2, 3))]).unwrap()
    }

    fn parameters() -> StepParameters {
        let layers = vec![LayerStep::new(0.05, 1.0, 0.3), LayerStep::new(0.0, 0.0, 1.0)];
        StepParameters { layers, dt_over_tau_eps: 2.0, interneurons: 2, choice_interval: 2, ..StepParameters::default() }
    }

    /// Eight networks in blocks of three.
    fn ensemble(model: &Hierarchy, seed: u64) -> Ensemble {
        Ensemble::new(model, &EnsembleOptions { block_rows: 3, interneurons: 2, seed, ..EnsembleOptions::new(model, 8) })
    }

    #[test]
    fn networks_are_numbered_through_all_blocks() {
        let model = mixture();
        let mut networks = ensemble(&model, 1);
        let show = |k: usize, x: &mut [f32]| x.fill(k as f32);
        let chain = |k: usize, _: usize, state: ChainState| match state {
            ChainState::Neurons { x, v } => (x.fill(10.0 + k as f32), v.fill(20.0 + k as f32)).0,
            ChainState::Category(category) => *category = k as u32 % 3,
        };
        networks.present(&model, &show, Start::Chains(&chain), &in_turn);
        assert_eq!((networks.networks(), networks.block_rows()), (8, 3));
        assert!(networks.states(0).enumerate().all(|(k, x)| x == [k as f32; 3]));
        assert!(
            networks
                .states(1)
                .zip(networks.adaptation(1))
                .enumerate()
                .all(|(k, (x, v))| x[0] == 10.0 + k as f32 && v[1] == 20.0 + k as f32)
        );
        assert!(networks.categories().eq((0..8).map(|k| k % 3)));
        assert_eq!(networks.network(7), [vec![7.0; 3], vec![17.0; 2], vec![0.0, 1.0, 0.0]]);
        assert_eq!(networks.adaptation(2).count(), 0, "a categorical top has no adaptation");
        networks.set_states(&model, 1, |k, x| x[0] = -(k as f32));
        assert!(networks.state_matrix(1).column(0).iter().enumerate().all(|(k, &x)| x == -(k as f32)));
        assert_eq!(networks.expected_observation(&model, 5).dim(), (5, 3));
    }

    /// x of both layers of neurons, W's learning sums and the recorded steps after 12 steps of 23 gaussian units of two layers, observed
    /// through 40, below five states, in blocks of three; products of all networks together or not, tasks in this order.
    fn after_steps_of_three_layers(together: bool, executor: &Executor) -> (Vec<Array2<f32>>, Vec<f32>, usize) {
        let layers = [(FamilyConfig::Bernoulli, 40), (FamilyConfig::Gaussian { sigma: 0.8 }, 23), (FamilyConfig::Categorical, 5)];
        let activations = [Activation::Linear, Activation::Relu, Activation::Linear];
        let layers =
            layers.into_iter().zip(activations).map(|((family, size), activation)| Layer::new(family, activation, size).unwrap()).collect();
        let w = |shape| Array2::from_shape_fn(shape, |(i, j)| 0.3 * ((7 * i + 3 * j) as f32).sin());
        let mut model = Hierarchy::new(layers, vec![w((40, 23)), w((23, 5))]).unwrap();
        model.biases[0].fill(0.2);
        let mut networks = ensemble(&model, 3);
        networks.together = together;
        networks.present(&model, &|k, x| x.iter_mut().enumerate().for_each(|(i, x)| *x = ((i + k) % 2) as f32), Start::Prior, executor);
        let probes = Probes { layer: 1, units: vec![2], below: vec![4], ..Probes::default() };
        for last in [false, true] {
            let span = Span { steps: 6, skip: if last { 0 } else { 2 }, learn: true, last };
            networks.advance(&model, &parameters(), span, &probes, executor);
        }
        let sums = networks.learning_sums();
        let sums: Vec<f32> = [sums.weights(0), sums.weights(1), sums.biases(0)].concat().concat();
        let traces = networks.take_recorded(usize::MAX).traces.len();
        ([1, 2].map(|l| networks.state_matrix(l)).to_vec(), sums, traces)
    }

    #[test]
    fn products_of_all_networks_together_move_them_as_those_of_each_block_do() {
        let worst = |a: &[f32], b: &[f32]| a.iter().zip(b).fold(0.0f32, |worst, (a, b)| worst.max((a - b).abs()));
        let (alone, alone_sums, steps) = after_steps_of_three_layers(false, &in_turn);
        let (together, sums, traced) = after_steps_of_three_layers(true, &in_turn);
        assert_eq!((steps, traced), (12, 12));
        assert!(alone_sums.iter().any(|sum| sum.abs() > 0.5) && alone[0].iter().any(|x| x.abs() > 0.5), "they move and learn");
        for (alone, together) in alone.iter().zip(&together) {
            let error = worst(alone.as_slice().unwrap(), together.as_slice().unwrap());
            assert!(error < 1e-4, "{error}");
        }
        assert!(worst(&alone_sums, &sums) < 1e-3);
        let backwards = |mut tasks: Vec<Task>| {
            while let Some(task) = tasks.pop() {
                task()
            }
        };
        assert!((together, sums, traced) == after_steps_of_three_layers(true, &backwards), "to the bit, in whatever order tasks run");
    }

    #[test]
    fn what_is_computed_does_not_depend_on_the_executor() {
        let model = mixture();
        let backwards = |mut tasks: Vec<Task>| {
            while let Some(task) = tasks.pop() {
                task()
            }
        };
        let probes = Probes { layer: 1, units: vec![0], below: vec![1], pair: Some([0, 1]), raster: true, ..Probes::default() };
        let run = |seed: u64, executor: &Executor| {
            let mut networks = ensemble(&model, seed);
            networks.present(&model, &|k, x| x.fill(0.1 * k as f32), Start::Prior, executor);
            networks.advance(&model, &parameters(), Span { steps: 20, skip: 5, learn: true, last: true }, &probes, executor);
            let sums = networks.learning_sums();
            let sums: Vec<f32> = sums.weights(0).into_iter().chain(sums.biases(0)).chain(sums.state_counts()).flatten().copied().collect();
            (networks.state_matrix(1), sums, networks.moments(&model, executor), networks.take_recorded(usize::MAX))
        };
        assert!(run(4, &in_turn) == run(4, &backwards));
        assert!(run(4, &in_turn).0 != run(5, &in_turn).0, "another seed gives other states");
        let recorded = run(4, &in_turn).3;
        assert_eq!((recorded.traces.len(), recorded.rasters.len(), recorded.pairs.len()), (20, 20, 20));
        assert!(recorded.traces.iter().all(|units| units.len() == 1) && recorded.pairs.iter().all(|pairs| pairs.len() == 8));
    }
}
