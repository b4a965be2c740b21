//! The generative model: layers, weights W_l `[n_l, n_(l+1)]`, biases b_l (SPEC 1).

use crate::model::table::MeanTable;
use crate::model::{Activation, Family};
use ndarray::{Array1, Array2};
use std::sync::Arc;

/// One layer: its family, what it shows to the layer below, its size.
#[derive(Clone, Debug)]
pub struct Layer {
    /// The exponential family of each unit.
    pub family: Arc<dyn Family>,
    /// f, applied to this layer's x for the layer below.
    pub activation: Activation,
    /// Units.
    pub size: usize,
}

/// The tables of A' that `interneuron_mode = "exact"` and the pictures need, one a layer without a closed form.
pub type Tables = Vec<Option<Arc<MeanTable>>>;

/// Layers 0 (observation) to L, with the weights between them.
#[derive(Clone, Debug)]
pub struct Hierarchy {
    /// Layers 0..=L.
    pub layers: Vec<Layer>,
    /// W_l, `[n_l, n_(l+1)]`, for l < L.
    pub weights: Vec<Array2<f32>>,
    /// b_l, `[n_l]`, for l <= L.
    pub biases: Vec<Array1<f32>>,
}

impl Hierarchy {
    /// A hierarchy with biases 0. Errors name the layer whose shape or family does not fit (SPEC 1: a layer below another
    /// must be normalisable for every eta).
    pub fn new(layers: Vec<Layer>, weights: Vec<Array2<f32>>) -> Result<Self, String> {
        if layers.len() < 2 {
            return Err(format!("a model needs an observation layer and at least one layer of neurons, found {} layers", layers.len()));
        }
        if weights.len() + 1 != layers.len() {
            return Err(format!("{} layers need {} weight matrices, found {}", layers.len(), layers.len() - 1, weights.len()));
        }
        for (l, pair) in layers.windows(2).enumerate() {
            let expected = (pair[0].size, pair[1].size);
            if weights[l].dim() != expected {
                return Err(format!("W{l} has shape {:?}, the layers need {expected:?}", weights[l].dim()));
            }
            if !pair[0].family.normalisable_for_every_eta() {
                return Err(format!(
                    "layer {l} ({}) stands below another layer but is not normalisable for every eta: it needs kappa > 0",
                    pair[0].family.name()
                ));
            }
        }
        if let Some((l, layer)) = layers.iter().enumerate().skip(1).find(|(_, layer)| layer.family.is_discrete()) {
            return Err(format!("layer {l} ({}) can only be observed: neurons move continuously", layer.family.name()));
        }
        let biases = layers.iter().map(|layer| Array1::zeros(layer.size)).collect();
        Ok(Self { layers, weights, biases })
    }

    /// Sets b_l to the same value in every unit. An error where a top layer that needs b_L = 0 gets another.
    pub fn set_bias(&mut self, l: usize, bias: f32) -> Result<(), String> {
        if bias != 0.0 && !self.layers[l].family.normalisable_for_every_eta() {
            return Err(format!("layer {l} ({}) is normalisable for bias = 0 only, or with kappa > 0", self.layers[l].family.name()));
        }
        self.biases[l].fill(bias);
        Ok(())
    }

    /// Tabulates A' of every layer below another that has no closed form; takes up to a second a family.
    pub fn tables(&self) -> Tables {
        let mut known: Vec<(String, Arc<MeanTable>)> = Vec::new();
        let below = &self.layers[..self.depth()];
        let table = |layer: &Layer| {
            (!layer.family.has_closed_mean()).then(|| {
                let key = format!("{:?}", layer.family);
                match known.iter().find(|(k, _)| *k == key) {
                    Some((_, table)) => table.clone(),
                    None => {
                        let table = Arc::new(MeanTable::new(layer.family.as_ref()));
                        known.push((key, table.clone()));
                        table
                    }
                }
            })
        };
        below.iter().map(table).collect()
    }

    /// L, the number of layers of neurons.
    pub fn depth(&self) -> usize {
        self.layers.len() - 1
    }
}
