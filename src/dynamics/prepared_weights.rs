//! The weights as the products of a step read them, laid out once for a span of steps.

use crate::dynamics::categorical::Prototypes;
use crate::model::Hierarchy;
use crate::model::product::{transpose, transpose_pays};

/// The weights laid out for the products of a step, and what is computed from them alone, before a span runs.
#[derive(Clone, Debug, Default)]
pub(super) struct PreparedWeights {
    /// W_l^T, `[n_(l+1), n_l]` row by row: the product that gives eta would otherwise transpose W_l at every step. Empty where that is
    /// computed for all networks together, or where it costs more than it saves.
    pub(super) transposed: Vec<Vec<f32>>,
    /// Whether b_l is not 0.
    pub(super) has_biases: Vec<bool>,
    /// What the heat bath of a categorical top needs, where it is drawn within the span.
    pub(super) prototypes: Option<Prototypes>,
}

impl PreparedWeights {
    /// Of the present weights below `active_layers`, for blocks of `rows` networks that draw a categorical top within the span or not, and whose
    /// products with weights between layers of neurons are computed for all networks `together` or not.
    pub(super) fn renew(&mut self, model: &Hierarchy, active_layers: usize, rows: usize, draws_top: bool, together: bool) {
        self.prototypes = if draws_top { Prototypes::new(model) } else { None };
        self.transposed.resize(active_layers, Vec::new());
        for ((transposed, w), above) in self.transposed.iter_mut().zip(&model.weights).zip(&model.layers[1..]) {
            if !above.is_categorical() && (together || !transpose_pays(w.len(), rows)) {
                *transposed = Vec::new();
            } else {
                transpose(w.view(), transposed);
            }
        }
        self.has_biases.clear();
        self.has_biases.extend(model.biases.iter().map(|biases| biases.iter().any(|&b| b != 0.0)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamics::block::{Block, Span};
    use crate::dynamics::recording::Probes;
    use crate::dynamics::step_parameters::{LayerStep, StepParameters};
    use crate::model::{Activation, FamilyConfig, Layer};
    use ndarray::Array2;

    #[test]
    fn steps_by_weights_as_they_are_and_by_their_transpose_are_the_same() {
        let layer = |sigma, size| Layer::new(FamilyConfig::Gaussian { sigma }, Activation::Linear, size).unwrap();
        let w = Array2::from_shape_fn((9, 7), |(i, j)| ((i * 7 + j) as f32).sin());
        let model = Hierarchy::new(vec![layer(0.5, 9), layer(1.0, 7)], vec![w]).unwrap();
        let parameters = StepParameters { layers: vec![LayerStep::new(0.01, 1.0, 0.3)], ..StepParameters::default() };
        let span = Span { steps: 5, skip: 0, learn: false, last: true };
        let after = |change: fn(&mut PreparedWeights)| {
            let mut block = Block::new(&model, 4, 1, 8, 0);
            let mut prepared = PreparedWeights::default();
            block.prepare(&mut prepared, &model, span.steps, false);
            change(&mut prepared);
            block.run_prepared(&model, &prepared, &parameters, span, &Probes::default());
            block.layers[1].x.clone()
        };
        let worst = |a: Vec<f32>, b: Vec<f32>| a.iter().zip(&b).fold(0.0f32, |worst, (a, b)| worst.max((a - b).abs()));
        let (transposed, as_it_is) = (after(|_| {}), after(|prepared| prepared.transposed[0].clear()));
        assert!(transposed.iter().any(|x| x.abs() > 0.3) && worst(transposed.clone(), as_it_is) < 1e-5);
        assert!(worst(transposed, after(|prepared| prepared.transposed[0].reverse())) > 1e-3, "planted: other weights");
    }
}
