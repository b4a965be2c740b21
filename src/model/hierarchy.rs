//! The generative model: layers, weights W_l `[n_l, n_(l+1)]`, biases b_l (SPEC 1).

use crate::model::mean_table::MeanTable;
use crate::model::{Activation, Family};
use ndarray::{Array1, Array2};
use std::sync::{Arc, Mutex, PoisonError};

/// Tables kept at most.
const MOST_TABLES: usize = 32;

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
        if let Some((l, layer)) = layers.iter().enumerate().skip(1).find(|(_, layer)| layer.family.is_binary()) {
            return Err(format!("layer {l} ({}) can only be observed: neurons move continuously", layer.family.name()));
        }
        for (l, layer) in layers.iter().enumerate().filter(|(_, layer)| layer.family.is_categorical()) {
            if l + 1 != layers.len() {
                return Err(format!("layer {l} (categorical) can only be the top layer"));
            }
            if layer.activation != Activation::Linear {
                return Err(format!("layer {l} (categorical) shows its one-hot state: activation must be linear"));
            }
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

    /// Tables of A and A' of every layer below another that has no closed form. A family is tabulated once in the life of the
    /// program, which takes up to a second.
    pub fn tables(&self) -> Tables {
        static KNOWN: Mutex<Vec<(String, Arc<MeanTable>)>> = Mutex::new(Vec::new());
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        let mut table = |layer: &Layer| {
            let key = format!("{:?}", layer.family);
            let found = known.iter().find(|(k, _)| *k == key).map(|(_, table)| table.clone());
            found.unwrap_or_else(|| {
                let table = Arc::new(MeanTable::new(layer.family.as_ref()));
                if known.len() == MOST_TABLES {
                    known.remove(0);
                }
                known.push((key, table.clone()));
                table
            })
        };
        self.layers[..self.depth()].iter().map(|layer| (!layer.family.has_closed_mean()).then(|| table(layer))).collect()
    }

    /// Takes over weights, biases and families of a model of the same shape, without making room for them.
    pub fn copy_values(&mut self, other: &Self) {
        self.weights.iter_mut().zip(&other.weights).for_each(|(to, from)| to.assign(from));
        self.biases.iter_mut().zip(&other.biases).for_each(|(to, from)| to.assign(from));
        self.layers.clone_from_slice(&other.layers);
    }

    /// L, the number of layers of neurons.
    pub fn depth(&self) -> usize {
        self.layers.len() - 1
    }
}
