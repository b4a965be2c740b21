//! A block of rows: independent networks that one worker advances, with their own random stream (model.md 2).

use crate::dynamics::categorical;
use crate::dynamics::completions::Completions;
use crate::dynamics::interneurons;
use crate::dynamics::neurons;
use crate::dynamics::noise::Noise;
use crate::dynamics::observation::Observation;
use crate::dynamics::prepared_weights::PreparedWeights;
use crate::dynamics::recording::{ProbeSample, Probes};
use crate::dynamics::state::{LayerState, input_from_above, prepared_input};
use crate::dynamics::step_parameters::StepParameters;
use crate::dynamics::whole_batch::LayerRows;
use crate::model::families::InterneuronDynamics;
use crate::model::hierarchy::Tables;
use crate::model::small_product::layer_product;
use crate::model::{Hierarchy, vector};

mod observed;
mod probes;
mod saved;
mod sums;

pub(super) use saved::{SavedBlock, SavedLayer, SavedSums};

/// A run of steps under one stimulus.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// Steps.
    pub steps: usize,
    /// The first this many steps do not learn.
    pub skip: usize,
    /// Whether the others learn.
    pub learn: bool,
    /// Whether the presentation ends with this span: only then are the learning sums completed, so that their rounding does not
    /// depend on how the presentation was divided.
    pub last: bool,
}

/// Independent networks, rows of the batch, that share the weights.
#[derive(Clone, Debug)]
pub(super) struct Block {
    /// Networks.
    pub(super) rows: usize,
    /// Layers 0..=L.
    pub(super) layers: Vec<LayerState>,
    /// Traced units, one list a step.
    pub(super) traces: Vec<Vec<ProbeSample>>,
    /// The pair in every row, `[steps, rows]` row by row.
    pub(super) pairs: Vec<[f32; 2]>,
    /// <T(y)> of the layer below the traced one, one list of units a step.
    pub(super) rasters: Vec<Vec<f32>>,
    /// Steps multiplied into `weight_sums` since the last [`Block::clear_sums`].
    pub(super) learned_steps: usize,
    /// Sum over network 0's steps of the prediction of x_0 since the stimulus came, `[n_0]`, and their number.
    pub(super) reconstruction: (Vec<f32>, u64),
    /// Tables of A' for exact interneurons without a closed form, a layer each; empty: the quadrature answers.
    pub(super) tables: Tables,
    /// Layers of neurons that run, 1..=this; those above do not move, and this one has eta = g(b).
    pub(super) active_layers: usize,
    /// Whether W_l learns.
    learns: Vec<bool>,
    /// What moves x_0 where it is free.
    observation: Option<Observation>,
    /// Counts what the freed pixels become, where that is asked for.
    pub(super) completions: Option<Completions>,
    /// Steps until a categorical top is drawn again.
    steps_until_draw: usize,
    /// Whether the next step starts the interneurons in equilibrium at the eta that it finds.
    unsettled: bool,
    pub(super) noise: Noise,
    /// Learning steps stored in the histories of eps and f, whose products are not in the sums yet.
    stored_steps: usize,
    interneurons: usize,
}

impl Block {
    /// Networks at x = 0, v ~ N(0, 1); `stream` is this block's own random stream of `seed`.
    pub(super) fn new(model: &Hierarchy, rows: usize, interneurons: usize, seed: u64, stream: u64) -> Self {
        let depth = model.depth();
        let layers = (0..=depth).map(|l| LayerState::new(model, l, rows)).collect();
        let mut block = Self {
            rows,
            layers,
            traces: Vec::new(),
            pairs: Vec::new(),
            rasters: Vec::new(),
            learned_steps: 0,
            reconstruction: (vec![0.0; model.layers[0].size], 0),
            tables: Vec::new(),
            active_layers: depth,
            learns: vec![true; depth],
            observation: None,
            completions: None,
            steps_until_draw: 0,
            unsettled: false,
            noise: Noise::new(seed, stream),
            stored_steps: 0,
            interneurons,
        };
        block.set_interneurons(model, interneurons);
        block.restart(model);
        block
    }

    /// Sizes the interneurons for another K; they start in equilibrium at eta = 0.
    pub(super) fn set_interneurons(&mut self, model: &Hierarchy, k: usize) {
        self.interneurons = k;
        for l in 0..model.depth() {
            let state = &mut self.layers[l];
            let dynamics = model.family_below_top(l).interneuron_dynamics(); // may need a quadrature: once a stimulus, not in a step
            state.dynamics = Some(dynamics);
            interneurons::start(dynamics, k, model.layers[l].bounds(), state, &mut self.noise);
        }
    }

    /// x = 0, v ~ N(0, 1) and interneurons in equilibrium at eta = 0, as at each new stimulus (model.md 3).
    pub(super) fn restart(&mut self, model: &Hierarchy) {
        for (l, state) in self.layers.iter_mut().enumerate() {
            let Some(family) = model.layers[l].family() else {
                categorical::draw_prior(model, state, 1.0, &mut self.noise);
                continue;
            };
            if l > 0 {
                let [centre, spread] = family.start();
                state.x.fill(0.0);
                if spread > 0.0 {
                    self.noise.fill(&mut state.x);
                }
                state.x.iter_mut().for_each(|x| *x = centre + spread * x.abs());
                self.noise.fill(&mut state.v);
                state.activate(model.layers[l].activation);
            }
        }
        self.begin(model);
        self.set_interneurons(model, self.interneurons);
        self.unsettled = false;
    }

    /// The beginning of a presentation to neurons that stay, or are set from outside, where they are: interneurons in equilibrium at
    /// the eta that the first step finds, sums of the presentation at 0.
    pub(super) fn begin(&mut self, model: &Hierarchy) {
        self.unsettled = true;
        self.refresh_highest_input(model);
        self.steps_until_draw = 0;
        for l in 0..model.depth() {
            let (state, dynamics) = (&mut self.layers[l], model.family_below_top(l).interneuron_dynamics());
            state.dynamics = Some(dynamics);
            interneurons::await_settling(dynamics, self.interneurons, model.layers[l].bounds(), state, &mut self.noise);
        }
        self.forget_reconstruction();
    }

    /// Interneurons that begin in equilibrium at the eta that the next step finds.
    pub(super) fn settle_interneurons(&mut self) {
        self.unsettled = true;
    }

    /// eta of the highest layer that runs, which no layer above moves: eta = g(b).
    fn refresh_highest_input(&mut self, model: &Hierarchy) {
        let (l, state) = (self.active_layers, &mut self.layers[self.active_layers]);
        if state.eta.is_empty() {
            return;
        }
        state.eta.chunks_exact_mut(model.layers[l].size).for_each(|row| {
            row.iter_mut().zip(&model.biases[l]).for_each(|(eta, b)| *eta = *b);
        });
        if let (false, Some(family)) = (state.slope.is_empty(), model.layers[l].family()) {
            family.apply_link(&mut state.eta, &mut state.slope);
        }
    }

    /// Lets layers 1..=`active_layers` run and the weights W_l of `learns` learn, from the next [`Block::restart`] on.
    pub(super) fn set_stage(&mut self, active_layers: usize, learns: &[bool]) {
        self.active_layers = active_layers;
        self.learns.copy_from_slice(learns);
    }

    /// As [`Block::run_prepared`], of a block alone.
    #[cfg(test)]
    pub(super) fn run(&mut self, model: &Hierarchy, parameters: &StepParameters, span: Span, probes: &Probes) {
        let mut prepared = PreparedWeights::default();
        self.prepare(&mut prepared, model, span.steps, false);
        self.run_prepared(model, &prepared, parameters, span, probes);
    }

    /// Advances every network by `span.steps` steps with what several blocks share; records `probes`; gathers the learning rule's sums.
    pub(super) fn run_prepared(
        &mut self,
        model: &Hierarchy,
        prepared: &PreparedWeights,
        parameters: &StepParameters,
        span: Span,
        probes: &Probes,
    ) {
        for step in 0..span.steps {
            self.draw_top(model, prepared, parameters);
            for l in 0..self.active_layers {
                self.predict(model, prepared, l);
                self.find_errors(model, prepared, parameters, l);
                self.find_current(model, l);
            }
            self.move_neurons(model, parameters);
            self.end_step(step, span, probes);
        }
        self.end_span(span);
    }

    /// Lays out the present weights for spans of `steps` steps of this block and of those that are as far as it, whose products with weights
    /// between layers of neurons are computed for all networks `together` or not.
    pub(super) fn prepare(&self, weights: &mut PreparedWeights, model: &Hierarchy, steps: usize, together: bool) {
        let draws_top = self.active_layers == model.depth() && self.steps_until_draw < steps;
        weights.renew(model, self.active_layers, self.rows, draws_top, together);
    }

    /// The first half of a step whose products are computed for all networks together: takes what the layers above predict, and hands
    /// out the errors, a layer of `rows` each.
    pub(super) fn find_shared_errors(
        &mut self,
        model: &Hierarchy,
        prepared: &PreparedWeights,
        parameters: &StepParameters,
        rows: &mut [LayerRows],
    ) {
        self.draw_top(model, prepared, parameters);
        for (l, rows) in rows.iter_mut().enumerate() {
            if rows.prediction.is_empty() {
                self.predict(model, prepared, l);
            } else {
                self.layers[l].eta.copy_from_slice(rows.prediction);
            }
            self.find_errors(model, prepared, parameters, l);
            if !rows.error.is_empty() {
                rows.error.copy_from_slice(&self.layers[l].eps);
            }
        }
    }

    /// The second half: takes the currents, moves the neurons, and hands out what they show from then on.
    pub(super) fn move_shared(&mut self, model: &Hierarchy, parameters: &StepParameters, rows: &mut [LayerRows]) {
        for (above, rows) in self.layers[1..].iter_mut().zip(rows.iter()) {
            above.likelihood.copy_from_slice(rows.current);
        }
        self.move_neurons(model, parameters);
        self.show(rows);
    }

    /// Hands out f(x) of the layers of neurons.
    pub(super) fn show(&self, rows: &mut [LayerRows]) {
        for (above, rows) in self.layers[1..].iter().zip(rows) {
            if !rows.shown.is_empty() {
                rows.shown.copy_from_slice(above.output());
            }
        }
    }

    /// A categorical top, drawn before all else moves, in the steps that draw it.
    fn draw_top(&mut self, model: &Hierarchy, prepared: &PreparedWeights, parameters: &StepParameters) {
        let now = self.steps_until_draw == 0;
        self.steps_until_draw = self.steps_until_draw.checked_sub(1).unwrap_or(parameters.choice_interval.max(1) - 1);
        if let (true, Some(prototypes)) = (now, &prepared.prototypes) {
            let (low, high) = self.layers.split_at_mut(self.active_layers);
            let temperature = parameters.layers[self.active_layers - 1].temperature;
            prototypes.heat_bath(model, &low[self.active_layers - 1], &mut high[0], temperature, &mut self.noise);
        }
    }

    /// W_l f(x_(l+1)).
    fn predict(&mut self, model: &Hierarchy, prepared: &PreparedWeights, l: usize) {
        let (low, high) = self.layers.split_at_mut(l + 1);
        let (w, transposed) = (&model.weights[l], &prepared.transposed[l]);
        if transposed.is_empty() {
            input_from_above(&mut low[l].eta, &high[0], w.view(), self.rows);
        } else {
            let (n, m) = w.dim();
            prepared_input(&mut low[l].eta, &high[0], transposed, [m, n]);
        }
    }

    /// eta_l = g(W_l f(x_(l+1)) + b_l), a step of its interneurons and of x_0 where that is free, and the errors eps_l.
    fn find_errors(&mut self, model: &Hierarchy, prepared: &PreparedWeights, parameters: &StepParameters, l: usize) {
        let (below, family) = (&mut self.layers[l], model.family_below_top(l));
        if let (true, Some(biases)) = (prepared.has_biases[l], model.biases[l].as_slice()) {
            below.eta.chunks_exact_mut(model.layers[l].size).for_each(|row| vector::add(row, biases));
        }
        if !below.slope.is_empty() {
            family.apply_link(&mut below.eta, &mut below.slope); // eta = g(a) (model.md 7)
        }
        let table = self.tables.get(l).and_then(Option::as_deref);
        if self.unsettled {
            interneurons::settle(family.as_ref(), below, parameters, &mut self.noise);
        }
        interneurons::advance(family.as_ref(), table, below, parameters, &mut self.noise);
        if let (0, Some(observation)) = (l, &mut self.observation) {
            observation.advance(family.as_ref(), &mut below.x, &below.eta, &mut self.noise);
            self.completions.iter_mut().for_each(|completions| completions.add(&below.x, model.layers[0].size));
        }
        family.errors(&below.x, &below.mean_statistic, &mut below.eps);
        below.eps.iter_mut().zip(&below.slope).for_each(|(eps, slope)| *eps *= slope);
    }

    /// W_l^T eps_l, the input of layer l + 1 from below.
    fn find_current(&mut self, model: &Hierarchy, l: usize) {
        let (low, high) = self.layers.split_at_mut(l + 1);
        let above = &mut high[0];
        if above.likelihood.is_empty() {
            return; // a categorical layer has been drawn already
        }
        let ((n, m), Some(w)) = (model.weights[l].dim(), model.weights[l].as_slice()) else {
            unreachable!("weights are stored row by row")
        };
        layer_product(&mut above.likelihood, &low[l].eps, w, [n, m]);
    }

    /// Moves every layer of neurons from the same state (model.md 2, integrator), under the currents that were found.
    fn move_neurons(&mut self, model: &Hierarchy, parameters: &StepParameters) {
        self.unsettled = false;
        let (reconstruction, count) = &mut self.reconstruction;
        let observed = &self.layers[0];
        let gaussian = matches!(observed.dynamics, Some(InterneuronDynamics::OrnsteinUhlenbeck { .. }));
        let (prediction, scale) =
            if gaussian { (&observed.eta, 1.0) } else { (&observed.mean_statistic, model.observed_family().mean_per_statistic()) };
        reconstruction.iter_mut().zip(prediction).for_each(|(sum, p)| *sum += scale * p);
        *count += 1;
        for l in 1..=self.active_layers {
            let (layer, state) = (&model.layers[l], &mut self.layers[l]);
            if let Some(family) = layer.family() {
                layer.activation.multiply_by_slope(&state.x, &mut state.likelihood);
                neurons::advance(family.as_ref(), layer.activation, state, parameters.layers[l - 1], &mut self.noise);
            }
        }
    }

    /// What the step's end is for: sums and recordings.
    pub(super) fn end_step(&mut self, step: usize, span: Span, probes: &Probes) {
        if step + 1 == span.skip {
            self.forget_reconstruction(); // states on the way from x = 0 are no posterior samples
        }
        if span.learn && step >= span.skip {
            self.accumulate();
        }
        self.record(probes);
    }

    /// Completes the learning sums where the presentation ends.
    pub(super) fn end_span(&mut self, span: Span) {
        if span.last {
            self.sum_products();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamics::step_parameters::LayerStep;
    use crate::model::energy::currents;
    use crate::model::{Activation, FamilyConfig, Layer};
    use ndarray::{Array1, Array2};
    use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

    /// Largest error of the f32 currents that one step uses, relative to the exact ones of `reference`.
    fn worst_error(model: &Hierarchy, reference: &Hierarchy, rng: &mut ChaCha8Rng) -> f64 {
        let rows = 3;
        let mut block = Block::new(model, rows, 1, 1, 0);
        for (layer, state) in model.layers.iter().zip(&mut block.layers) {
            let [low, high] = layer.bounds().map(|b| b.clamp(-1.0, 1.0) as f32);
            state.x.iter_mut().for_each(|x| *x = rng.random_range(low..high));
            state.activate(layer.activation);
        }
        // h = 0: the step computes its currents and moves nothing.
        let still = LayerStep { h: 0.0, m: 0.0, rho: 1.0, noisy: true, temperature: 1.0 };
        let parameters = StepParameters { layers: vec![still; model.depth()], exact: true, ..StepParameters::default() };
        block.run(model, &parameters, Span { steps: 1, skip: 0, learn: false, last: false }, &Probes::default());
        let mut worst = 0.0f64;
        for row in 0..rows {
            let part = |l: usize, values: &[f32]| -> Vec<f64> {
                let n = model.layers[l].size;
                values[row * n..(row + 1) * n].iter().map(|&v| f64::from(v)).collect()
            };
            let states: Vec<_> = (0..=model.depth()).map(|l| Array1::from(part(l, &block.layers[l].x))).collect();
            for (l, exact) in (1..).zip(currents(reference, &states)) {
                let scale = exact.iter().fold(0.0f64, |t, v| t.max(v.abs()));
                let (likelihood, prior) = (part(l, &block.layers[l].likelihood), part(l, &block.layers[l].prior));
                for i in 0..exact.len() {
                    worst = worst.max((likelihood[i] + prior[i] - exact[i]).abs() / scale);
                }
            }
        }
        worst
    }

    /// Mean over `rows` networks of <T(y)> in the first step of dt = tau_eps, the neurons at x = 2, of K = 2 interneurons that know it or
    /// (planted) are in equilibrium at eta = 0; its standard error, and A'(eta).
    fn first_statistic(family: FamilyConfig, simulated: bool, planted: bool) -> [f64; 3] {
        let rows = 4000;
        let layers = vec![
            Layer::new(family, Activation::Linear, 1).unwrap(),
            Layer::new(FamilyConfig::Gaussian { sigma: 1.0 }, Activation::Linear, 1).unwrap(),
        ];
        let model = Hierarchy::new(layers, vec![Array2::from_elem((1, 1), 0.7)]).unwrap();
        let mut block = Block::new(&model, rows, 2, 5, 0);
        block.layers[1].x.fill(2.0);
        block.begin(&model);
        block.unsettled &= !planted;
        let still = LayerStep { h: 0.0, m: 0.0, rho: 1.0, noisy: true, temperature: 1.0 };
        let parameters = StepParameters { layers: vec![still], interneurons: 2, simulated, ..StepParameters::default() };
        block.run(&model, &parameters, Span { steps: 1, skip: 0, learn: false, last: false }, &Probes::default());
        let found: Vec<f64> = block.layers[0].mean_statistic.iter().map(|&t| f64::from(t)).collect();
        let mean = found.iter().sum::<f64>() / rows as f64;
        let variance = found.iter().map(|t| (t - mean).powi(2)).sum::<f64>() / rows as f64;
        let family = model.layers[0].family().unwrap();
        [mean, (variance / rows as f64).sqrt(), family.mean_statistic(family.link(1.4))]
    }

    #[test]
    fn interneurons_of_neurons_that_go_on_begin_in_equilibrium_at_their_eta_and_others_are_seen() {
        for (family, simulated) in [
            (FamilyConfig::Gaussian { sigma: 0.6 }, false),
            (FamilyConfig::Bernoulli, false),
            (FamilyConfig::Bernoulli, true),
            (FamilyConfig::RectifiedGaussian { sigma: 0.6 }, false),
            (FamilyConfig::LaplaceScale { eta_max: 5.0, delta: 0.4 }, false),
        ] {
            let [mean, error, expected] = first_statistic(family, simulated, false);
            let case = format!("{family:?}, simulated {simulated}: {mean} {expected} +- {error}");
            assert!((mean - expected).abs() < 4.0 * error, "{case}");
            let [mean, error, expected] = first_statistic(family, simulated, true);
            assert!((mean - expected).abs() > 4.0 * error, "{case}: planted");
        }
    }

    #[test]
    fn the_currents_of_a_step_are_those_of_the_energy_in_every_layer() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let gaussian = |sigma| FamilyConfig::Gaussian { sigma };
        let laplace = |kappa| FamilyConfig::Laplace { lambda: 1.5, delta: 0.3, kappa };
        let student = |kappa| FamilyConfig::StudentT { nu: 4.0, s: 0.6, kappa };
        for activation in Activation::ALL {
            let scale = FamilyConfig::LaplaceScale { eta_max: 5.0, delta: 0.4 };
            for families in [
                [gaussian(0.5), laplace(0.8), gaussian(0.7), student(0.0)],
                [student(1.2), gaussian(0.6), student(0.9), laplace(0.0)],
                [gaussian(0.6), scale, gaussian(0.8), student(0.0)],
                [scale, gaussian(0.5), scale, FamilyConfig::Exponential],
            ] {
                let sizes = [4, 3, 3, 2];
                let layers = (0..4).map(|l| Layer::new(families[l], activation, sizes[l]).unwrap()).collect();
                let weights =
                    (0..3).map(|l| Array2::from_shape_simple_fn((sizes[l], sizes[l + 1]), || rng.random_range(-0.7..0.7))).collect();
                let mut model = Hierarchy::new(layers, weights).unwrap();
                model.biases[1].iter_mut().for_each(|b| *b = rng.random_range(-0.5..0.5));
                let error = worst_error(&model, &model, &mut rng);
                assert!(error < 1e-3, "{activation:?}: {error}");
                // Planted bug: weights 1.1 times too strong in the middle.
                let mut wrong = model.clone();
                wrong.weights[1] *= 1.1;
                assert!(worst_error(&model, &wrong, &mut rng) > 1e-3, "{activation:?}: the bug is not seen");
            }
        }
    }
}
