//! Gratings shown to the network as to a neuron in V1: the posterior response of every unit of a layer over orientation,
//! frequency, phase and contrast, sampled by the same neural dynamics.
//!
//! Gratings are shown where the model's stimuli are, after whitening; contrast 1 has the standard deviation of those stimuli, 1.

use super::protocol::{Protocol, ROWS};
use super::responses::{Responses, UnitTuning, tune};
use crate::dynamics::{Ensemble, EnsembleOptions, Probes, Span, StepParameters, in_turn};
use crate::model::Hierarchy;
use ndarray::{Array2, Array4};

/// Mean and standard deviation of max(x, 0) over `samples` steps, `[rows, units]` each.
struct Shown {
    mean: Vec<f64>,
    spread: Vec<f64>,
}

/// The network that gratings are shown to.
pub struct Preparation<'a> {
    /// The model.
    pub model: &'a Hierarchy,
    /// Constants of a step.
    pub parameters: &'a StepParameters,
    /// Layers of neurons that run.
    pub active_layers: usize,
    /// The layer that is recorded, 1..=active_layers.
    pub layer: usize,
}

impl Preparation<'_> {
    /// Shows each stimulus to a network of its own. `tell` gets the networks done and says whether to go on.
    fn show(&self, protocol: &Protocol, stimuli: &[Vec<f32>], stream: u64, tell: &mut dyn FnMut(usize) -> bool) -> Option<Shown> {
        let units = self.model.layers[self.layer].size;
        let (mut mean, mut spread) = (Vec::with_capacity(stimuli.len() * units), Vec::with_capacity(stimuli.len() * units));
        let tables = self.model.tables();
        for (b, chunk) in stimuli.chunks(ROWS).enumerate() {
            let options = EnsembleOptions {
                interneurons: self.parameters.interneurons,
                seed: protocol.seed,
                stream: stream + b as u64,
                active_layers: self.active_layers,
                learns: vec![false; self.model.depth()],
                tables: tables.clone(),
                ..EnsembleOptions::new(self.model, chunk.len())
            };
            let mut networks = Ensemble::new(self.model, &options);
            networks.restart(self.model);
            networks.set_states(self.model, 0, |k, x| x.copy_from_slice(&chunk[k]));
            let advance = |networks: &mut Ensemble, steps| {
                let span = Span { steps, skip: 0, learn: false, last: false };
                networks.advance(self.model, self.parameters, span, &Probes::default(), &in_turn);
            };
            advance(&mut networks, protocol.burn_in);
            let mut sums = vec![[0.0f64; 2]; chunk.len() * units];
            for _ in 0..protocol.samples {
                advance(&mut networks, 1);
                for (sum, x) in sums.iter_mut().zip(networks.states(self.layer).flatten()) {
                    let rate = f64::from(x.max(0.0));
                    *sum = [sum[0] + rate, sum[1] + rate * rate];
                }
            }
            let n = protocol.samples as f64;
            mean.extend(sums.iter().map(|s| s[0] / n));
            spread.extend(sums.iter().map(|s| (s[1] / n - (s[0] / n).powi(2)).max(0.0).sqrt()));
            if !tell(chunk.len()) {
                return None;
            }
        }
        Some(Shown { mean, spread })
    }

    /// Runs the whole protocol on stimuli of `shape`, rows and columns. `tell` gets networks done and of how many, and, once every
    /// orientation has been shown, what is known before the contrasts (NaN there). None where `tell` says stop.
    pub fn run(
        &self,
        protocol: &Protocol,
        shape: [usize; 2],
        tell: &mut dyn FnMut(usize, usize, Option<&Responses>) -> bool,
    ) -> Option<Responses> {
        let units = self.model.layers[self.layer].size;
        let (mut done, most) = (0, protocol.networks(units));
        let mut found = self.show_gratings(protocol, shape, &mut |more| {
            done += more;
            tell(done, most, None)
        })?;
        // Units that like the same grating share its networks.
        let mut best: Vec<[usize; 2]> = found.units.iter().map(|unit| unit.best).collect();
        best.sort_unstable();
        best.dedup();
        let total = done + best.len() * protocol.other_contrasts().len() * protocol.phases;
        if !tell(done, total, Some(&found)) {
            return None;
        }
        found.contrast = self.show_contrasts(&found, &best, &mut |more| {
            done += more;
            tell(done, total, None)
        })?;
        Some(found)
    }

    /// Blanks, then every grating at the usual contrast; the contrast responses are NaN yet.
    fn show_gratings(&self, protocol: &Protocol, picture: [usize; 2], tell: &mut dyn FnMut(usize) -> bool) -> Option<Responses> {
        let units = self.model.layers[self.layer].size;
        let shape @ (_, f, p, _) = (protocol.orientations, protocol.frequencies.len(), protocol.phases, units);
        let blank = self.show(protocol, &vec![vec![0.0; picture[0] * picture[1]]; ROWS], 0, tell)?;
        let blank: Vec<f64> = (0..units).map(|u| blank.mean.iter().skip(u).step_by(units).sum::<f64>() / ROWS as f64).collect();
        let stimuli: Vec<Vec<f32>> =
            (0..shape.0 * f * p).map(|i| protocol.stimulus(picture, [i / (f * p), i / p % f, i % p], protocol.contrast)).collect();
        let shown = self.show(protocol, &stimuli, 1 << 20, tell)?;
        let cube = |values: &[f64]| Array4::from_shape_fn(shape, |(a, b, c, u)| values[((a * f + b) * p + c) * units + u] as f32);
        let (rate, spread) = (cube(&shown.mean), cube(&shown.spread));
        let tuned: Vec<UnitTuning> = (0..units).map(|u| tune(&rate, &spread, blank[u], u)).collect();
        let contrast = Array2::from_elem((units, protocol.contrasts.len()), f32::NAN);
        Some(Responses { protocol: protocol.clone(), layer: self.layer, shape: picture, blank, rate, spread, contrast, units: tuned })
    }

    /// The gratings that some unit likes `best`, sorted, at the other contrasts: the contrast responses, `[units, contrasts]`.
    fn show_contrasts(&self, found: &Responses, best: &[[usize; 2]], tell: &mut dyn FnMut(usize) -> bool) -> Option<Array2<f32>> {
        let (protocol, units) = (&found.protocol, found.units.len());
        let (p, others) = (protocol.phases, protocol.other_contrasts());
        let stimuli: Vec<Vec<f32>> = (0..best.len() * others.len() * p)
            .map(|i| {
                let [a, b] = best[i / (others.len() * p)];
                protocol.stimulus(found.shape, [a, b, i % p], protocol.contrasts[others[i / p % others.len()]])
            })
            .collect();
        let shown = self.show(protocol, &stimuli, 1 << 21, tell)?;
        Some(Array2::from_shape_fn((units, protocol.contrasts.len()), |(u, k)| {
            let ([a, b], level) = (found.units[u].best, protocol.contrasts[k]);
            if level == 0.0 {
                return 0.0;
            }
            let rate = |c: usize| match others.iter().position(|&other| other == k) {
                None => f64::from(found.rate[[a, b, c, u]]),
                Some(place) => {
                    let shared = best.binary_search(&[a, b]).unwrap_or_default(); // every unit's best is in the list
                    shown.mean[((shared * others.len() + place) * p + c) * units + u]
                }
            };
            ((0..p).map(rate).sum::<f64>() / p as f64 - found.blank[u]) as f32
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::gabor::{fit, orientation_difference};
    use crate::dynamics::LayerStep;
    use crate::model::{Activation, FamilyConfig, Layer};
    use std::f64::consts::PI;

    const SIDE: usize = 12;

    /// One Gabor unit at each of the angles (turned by `turn`), round and in the middle.
    fn dictionary(turn: f64) -> Hierarchy {
        let angles: Vec<f64> = [0.2, 1.0, 2.3].iter().map(|angle| angle + turn).collect();
        let mut w = Array2::zeros((SIDE * SIDE, angles.len()));
        for (j, &angle) in angles.iter().enumerate() {
            for (i, g) in Protocol::grating([SIDE; 2], angle, 0.18, 0.4, 1.0).enumerate() {
                let (x, y) = ((i % SIDE) as f32 - 5.5, (i / SIDE) as f32 - 5.5);
                w[[i, j]] = g * (-(x * x + y * y) / 12.0).exp();
            }
        }
        crate::dynamics::learning::normalise_columns(&mut w);
        let layer = |family: FamilyConfig, size| Layer::new(family, Activation::Linear, size).unwrap();
        let top = FamilyConfig::StudentT { nu: 8.0, s: 0.15, kappa: 0.0 };
        Hierarchy::new(vec![layer(FamilyConfig::Gaussian { sigma: 0.4 }, SIDE * SIDE), layer(top, 3)], vec![w]).unwrap()
    }

    fn responses(model: &Hierarchy, stop_after: usize) -> Option<Responses> {
        let parameters = StepParameters {
            layers: vec![LayerStep::new(0.01, 2.0, 0.3)],
            dt_ms: 1.0,
            dt_over_tau_eps: 20.0,
            interneurons: 1,
            exact: false,
            simulated: false,
            choice_interval: 1,
        };
        let preparation = Preparation { model, parameters: &parameters, active_layers: 1, layer: 1 };
        let protocol = Protocol { burn_in: 80, samples: 60, ..Protocol::default() };
        preparation.run(&protocol, [SIDE; 2], &mut |done, total, so_far| {
            assert!(done <= total && so_far.is_none_or(|found| found.contrast.iter().all(|r| r.is_nan())));
            done < stop_after
        })
    }

    #[test]
    fn a_gabor_unit_is_tuned_to_its_own_orientation_and_frequency_and_turns_with_it() {
        for turn in [0.0, 0.7] {
            let model = dictionary(turn);
            let found = responses(&model, usize::MAX).unwrap();
            for (j, angle) in [0.2, 1.0, 2.3].iter().map(|a| a + turn).enumerate() {
                let unit = &found.units[j];
                let tuning = unit.orientation.as_ref().unwrap();
                assert!(orientation_difference(tuning.preferred, angle) < 0.1, "unit {j}: {} against {angle}", tuning.preferred);
                let fitted = fit(&model.weights[0].column(j).to_vec(), [SIDE; 2]);
                assert!(orientation_difference(tuning.preferred, fitted.orientation) < 0.1, "the fit agrees");
                assert_eq!(found.protocol.frequencies[unit.best[1]], 0.18);
                assert!(unit.modulation.unwrap() > 1.2, "a linear unit that is rectified is simple: {:?}", unit.modulation);
                assert!(tuning.circular_variance < 0.6 && tuning.half_width.unwrap() < 0.6);
                let contrast = found.contrast.row(j);
                assert!(contrast[0].abs() < 0.05 && contrast[5] > contrast[4] && contrast[4] > contrast[3], "{contrast}");
                // Planted: the wave vector stands at right angles to the bars.
                assert!(orientation_difference(tuning.preferred, angle + PI / 2.0) > 1.0);
            }
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_responses_and_it_can_be_stopped() {
        let model = dictionary(0.0);
        let (a, b) = (responses(&model, usize::MAX).unwrap(), responses(&model, usize::MAX).unwrap());
        assert_eq!((a.rate, a.contrast), (b.rate, b.contrast));
        assert!(responses(&model, 200).is_none());
    }
}
