//! Ancestral sampling: from the top down, each layer drawn given the one above (model.md 4).
//!
//! Where the conditional has a closed form it is drawn exactly (normal, heat bath, rejection, at the top the inverse of the
//! distribution function); elsewhere the layer's interneurons run to equilibrium, and what they hold is the draw.

use crate::dynamics::block::Block;
use crate::dynamics::categorical;
use crate::dynamics::interneurons;
use crate::dynamics::noise::Noise;
use crate::dynamics::state::input_from_above;
use crate::model::families::InterneuronDynamics;
use crate::model::{Family, FamilyConfig, Hierarchy, quadrature, vector};
use std::sync::Arc;

/// How long interneurons run for one draw, in tau_eps.
const SETTLING: f64 = 40.0;

/// Draws x of the layers `lowest..=highest` of every row, at `temperature`: each conditional to the power 1/temperature. Layers above
/// `highest` rest, as in a stage of learning that has not opened them.
pub(super) fn draw(model: &Hierarchy, block: &mut Block, lowest: usize, highest: usize, temperature: f32) {
    let top = &mut block.layers[highest];
    match model.layers[highest].family() {
        None => categorical::draw_prior(model, top, temperature, &mut block.noise),
        Some(family) => draw_layer(model, family, block, highest, false, temperature),
    }
    if lowest < highest {
        draw_below(model, block, lowest, highest - 1, temperature);
    } else {
        block.refresh_activations(model);
    }
}

/// The same given x of the layer above `highest`, which stays.
pub(super) fn draw_below(model: &Hierarchy, block: &mut Block, lowest: usize, highest: usize, temperature: f32) {
    for l in (lowest..=highest).rev() {
        block.refresh_activations(model);
        draw_layer(model, model.family_below_top(l), block, l, true, temperature);
    }
    block.refresh_activations(model);
}

/// x of layer l, given the layer above or (at the top of what runs) nothing.
fn draw_layer(model: &Hierarchy, family: &Arc<dyn Family>, block: &mut Block, l: usize, given_above: bool, temperature: f32) {
    let Block { layers, noise, rows, .. } = block;
    let (low, high) = layers.split_at_mut(l + 1);
    let state = &mut low[l];
    let mut a = vec![0.0; state.x.len()];
    if given_above {
        input_from_above(&mut a, &high[0], model.weights[l].view(), *rows);
    }
    for row in a.chunks_exact_mut(model.layers[l].size) {
        row.iter_mut().zip(&model.biases[l]).for_each(|(a, b)| *a += b);
    }
    if family.has_link() {
        let mut slope = vec![0.0; a.len()];
        family.apply_link(&mut a, &mut slope);
    }
    if given_above || exact(family.as_ref()) {
        conditional(family, &a, &mut state.x, temperature, noise);
    } else {
        by_quantiles(family.as_ref(), &a, &mut state.x, model.layers[l].size, temperature, noise);
    }
    if !state.eta.is_empty() {
        state.eta.copy_from_slice(&a);
    }
}

/// Whether [`conditional`] draws it at once.
fn exact(family: &dyn Family) -> bool {
    matches!(family.interneuron_dynamics(), InterneuronDynamics::OrnsteinUhlenbeck { .. } | InterneuronDynamics::HeatBath { .. })
}

/// x ~ p(. | eta), unit by unit.
fn conditional(family: &Arc<dyn Family>, eta: &[f32], x: &mut [f32], temperature: f32, noise: &mut Noise) {
    match family.interneuron_dynamics() {
        InterneuronDynamics::OrnsteinUhlenbeck { sigma } => {
            noise.fill(x);
            let spread = sigma * temperature.sqrt();
            x.iter_mut().zip(eta).for_each(|(x, eta)| *x = eta + spread * *x);
        }
        InterneuronDynamics::HeatBath { trials } => {
            let (mut on, mut chance) = (vec![0.0; x.len()], vec![0.0; x.len()]);
            let cooled: Vec<f32> = eta.iter().map(|eta| eta / temperature).collect();
            vector::logistic(&cooled, &mut on);
            x.fill(0.0);
            let each = 1.0 / trials as f32;
            for _ in 0..trials {
                noise.fill_uniform(&mut chance);
                x.iter_mut().zip(on.iter().zip(&chance)).for_each(|(x, (p, u))| *x += if u < p { each } else { 0.0 });
            }
        }
        dynamics if temperature == 1.0 => x.copy_from_slice(&interneurons::equilibrium(dynamics, family.as_ref(), eta, SETTLING, noise)),
        dynamics => {
            let tempered = Tempered { family: family.clone(), temperature: f64::from(temperature) };
            let cooled: Vec<f32> = eta.iter().map(|eta| eta / temperature).collect();
            x.copy_from_slice(&interneurons::equilibrium(dynamics, &tempered, &cooled, SETTLING, noise));
        }
    }
}

/// The same by the inverse of the distribution function, for a top layer whose units mostly share eta.
fn by_quantiles(family: &dyn Family, eta: &[f32], x: &mut [f32], units: usize, temperature: f32, noise: &mut Noise) {
    let mut chance = vec![0.0; x.len()];
    noise.fill_uniform(&mut chance);
    let mut known: Vec<(f32, Vec<usize>)> = Vec::new(); // eta, and the units that have it
    for (unit, &eta) in eta[..units].iter().enumerate() {
        match known.iter_mut().find(|(e, _)| *e == eta) {
            Some((_, units)) => units.push(unit),
            None => known.push((eta, vec![unit])),
        }
    }
    for (eta, members) in known {
        let (low, high) = family.integration_bounds(f64::from(eta));
        let wider = 0.5 * (f64::from(temperature).max(1.0) - 1.0) * (high - low);
        let (low, high) = ((low - wider).max(family.bounds()[0]), (high + wider).min(family.bounds()[1]));
        let places: Vec<usize> = (0..x.len() / units).flat_map(|row| members.iter().map(move |unit| row * units + unit)).collect();
        let chances: Vec<f64> = places.iter().map(|&i| f64::from(chance[i])).collect();
        let log_density = |x: f64| (f64::from(eta) * family.statistic(x) - family.base_energy(x)) / f64::from(temperature);
        for (i, value) in places.into_iter().zip(quadrature::quantiles(log_density, low, high, &chances)) {
            x[i] = value as f32;
        }
    }
}

/// A family at another temperature: exp((eta T - B)/temperature), where eta/temperature is what it is given as eta.
#[derive(Debug)]
struct Tempered {
    family: Arc<dyn Family>,
    temperature: f64,
}

impl Family for Tempered {
    fn name(&self) -> &'static str {
        self.family.name()
    }
    /// Of the family at temperature 1: a configuration knows no other.
    fn config(&self) -> FamilyConfig {
        self.family.config()
    }
    fn bounds(&self) -> [f64; 2] {
        self.family.bounds()
    }
    fn propose(&self, eta: &[f32], normal: [&[f32]; 4], draw: &mut [f32]) {
        self.family.propose(eta, normal, draw); // B = 0 in the families that are drawn by rejection
    }
    fn statistic(&self, x: f64) -> f64 {
        self.family.statistic(x)
    }
    fn statistic_derivative(&self, x: f64) -> f64 {
        self.family.statistic_derivative(x)
    }
    fn base_energy(&self, x: f64) -> f64 {
        self.family.base_energy(x) / self.temperature
    }
    fn base_energy_derivative(&self, x: f64) -> f64 {
        self.family.base_energy_derivative(x) / self.temperature
    }
    fn largest_base_curvature(&self) -> f64 {
        self.family.largest_base_curvature() / self.temperature
    }
    fn largest_statistic_variance(&self) -> f64 {
        self.family.largest_statistic_variance()
    }
    fn normalisable_for_every_eta(&self) -> bool {
        self.family.normalisable_for_every_eta()
    }
    fn integration_bounds(&self, eta: f64) -> (f64, f64) {
        self.family.integration_bounds(eta * self.temperature)
    }
    fn with_sigma(&self, sigma: f64) -> Arc<dyn Family> {
        self.family.with_sigma(sigma)
    }
}
