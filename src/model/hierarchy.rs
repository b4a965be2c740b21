//! The generative model: layers, weights W_l `[n_l, n_(l+1)]`, biases b_l (model.md 1).

use crate::model::mean_table::MeanTable;
use crate::model::{Activation, Family, FamilyConfig, Layer, ModelError};
use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, PoisonError};

/// Tables that are remembered at most.
const MOST_TABLES: usize = 32;

/// The tables of A' that `interneuron_mode = "exact"` and the pictures need, one a layer without a closed form.
pub type Tables = Vec<Option<Arc<MeanTable>>>;

/// Layers 0 (observation) to L, with the weights between them. Written down (serde) as plain values, of which families are built again.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(into = "Plain", try_from = "Plain")]
pub struct Hierarchy {
    /// Layers 0..=L.
    pub layers: Vec<Layer>,
    /// W_l, `[n_l, n_(l+1)]`, for l < L.
    pub weights: Vec<Array2<f32>>,
    /// b_l, `[n_l]`, for l <= L.
    pub biases: Vec<Array1<f32>>,
    /// Rows and columns of the image that x_0 is, where they are known.
    image_shape: Option<[usize; 2]>,
}

/// Rows and columns of an image of so many pixels of which nothing else is known: a square where it can be one, else one row.
pub fn usual_image_shape(pixels: usize) -> [usize; 2] {
    let side = pixels.isqrt();
    if side * side == pixels { [side, side] } else { [1, pixels] }
}

impl Hierarchy {
    /// A hierarchy with biases 0. Errors name the layer whose shape or family does not fit (model.md 1: a layer below another
    /// must be normalisable for every eta).
    pub fn new(layers: Vec<Layer>, weights: Vec<Array2<f32>>) -> Result<Self, ModelError> {
        if layers.len() < 2 {
            return Err(ModelError::TooFewLayers { found: layers.len() });
        }
        if weights.len() + 1 != layers.len() {
            return Err(ModelError::WeightCount { layers: layers.len(), found: weights.len() });
        }
        for (l, pair) in layers.windows(2).enumerate() {
            let expected = (pair[0].size, pair[1].size);
            if weights[l].dim() != expected {
                return Err(ModelError::WeightShape { layer: l, found: weights[l].dim(), expected });
            }
            match pair[0].family() {
                None => return Err(ModelError::CategoricalBelowTop { layer: l }),
                Some(family) if !family.normalisable_for_every_eta() => {
                    return Err(ModelError::NotNormalisable { layer: l, family: family.name() });
                }
                Some(_) => {}
            }
        }
        for (l, layer) in layers.iter().enumerate().skip(1) {
            if layer.family().is_some_and(|family| family.trials().is_some()) {
                return Err(ModelError::OnlyObserved { layer: l, family: layer.name() });
            }
            if layer.is_categorical() && layer.activation != Activation::Linear {
                return Err(ModelError::CategoricalActivation { layer: l });
            }
        }
        let biases = layers.iter().map(|layer| Array1::zeros(layer.size)).collect();
        Ok(Self { layers, weights, biases, image_shape: None })
    }

    /// Rows and columns of the image that x_0 is, row by row; where they are not known, a square where it can be one, else one row.
    pub fn image_shape(&self) -> [usize; 2] {
        self.image_shape.unwrap_or_else(|| usual_image_shape(self.layers[0].size))
    }

    /// Says what image x_0 is; None: it is not known. An error where it has another number of pixels.
    pub fn set_image_shape(&mut self, shape: Option<[usize; 2]>) -> Result<(), ModelError> {
        let pixels = self.layers[0].size;
        match shape {
            Some([rows, columns]) if rows.checked_mul(columns) != Some(pixels) => Err(ModelError::ImageShape { rows, columns, pixels }),
            _ => {
                self.image_shape = shape;
                Ok(())
            }
        }
    }

    /// Sets b_l to the same value in every unit. An error where a top layer that needs b_L = 0 gets another.
    pub fn set_bias(&mut self, l: usize, bias: f32) -> Result<(), ModelError> {
        if bias != 0.0 && self.layers[l].family().is_some_and(|family| !family.normalisable_for_every_eta()) {
            return Err(ModelError::BiasNotNormalisable { layer: l, family: self.layers[l].name() });
        }
        self.biases[l].fill(bias);
        Ok(())
    }

    /// The family of layer `l` < L: every layer below another has one, because only the top can be categorical. Of the top ask
    /// [`Layer::family`].
    pub fn family_below_top(&self, l: usize) -> &Arc<dyn Family> {
        match self.layers[l].family() {
            Some(family) => family,
            None => unreachable!("layer {l} is a categorical top, which has no family"),
        }
    }

    /// The family of the observed units x_0.
    pub fn observed_family(&self) -> &Arc<dyn Family> {
        self.family_below_top(0)
    }

    /// The states of a categorical top that can be drawn, the first so many; None where the top is not categorical.
    pub fn active_states(&self) -> Option<usize> {
        self.layers[self.depth()].active_states()
    }

    /// Whether every layer is gaussian with linear f, so that the posterior and the dynamics are known in closed form.
    pub fn is_linear_gaussian(&self) -> bool {
        self.layers.iter().all(Layer::is_linear_gaussian)
    }

    /// Tables of A and A' of every layer below another that has no closed form. A family is tabulated once in the life of the
    /// program, which takes up to a second.
    pub fn tables(&self) -> Tables {
        static KNOWN: Mutex<Vec<(FamilyConfig, Arc<MeanTable>)>> = Mutex::new(Vec::new());
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        let mut table = |family: &dyn Family| {
            let key = family.config();
            let found = known.iter().find(|(known, _)| *known == key).map(|(_, table)| table.clone());
            found.unwrap_or_else(|| {
                let table = Arc::new(MeanTable::new(family));
                if known.len() == MOST_TABLES {
                    known.remove(0);
                }
                known.push((key, table.clone()));
                table
            })
        };
        let families = (0..self.depth()).map(|l| self.family_below_top(l).as_ref());
        families.map(|family| (!family.has_closed_mean()).then(|| table(family))).collect()
    }

    /// Takes over weights, biases and layers of a model of the same shape, without new allocations.
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

/// A hierarchy as plain values.
#[derive(Serialize, Deserialize)]
struct Plain {
    layers: Vec<PlainLayer>,
    #[serde(with = "super::byte_lists::matrices")]
    weights: Vec<Array2<f32>>,
    biases: Vec<Array1<f32>>,
    #[serde(default)]
    image_shape: Option<[usize; 2]>,
}

/// A layer as plain values: its family with the present sigma.
#[derive(Serialize, Deserialize)]
struct PlainLayer {
    family: FamilyConfig,
    activation: Activation,
    size: usize,
    active_states: Option<usize>,
}

impl From<Hierarchy> for Plain {
    fn from(model: Hierarchy) -> Self {
        let plain = |layer: &Layer| PlainLayer {
            family: layer.config(),
            activation: layer.activation,
            size: layer.size,
            active_states: layer.active_states(),
        };
        let layers = model.layers.iter().map(plain).collect();
        Self { layers, weights: model.weights, biases: model.biases, image_shape: model.image_shape }
    }
}

impl TryFrom<Plain> for Hierarchy {
    type Error = ModelError;

    fn try_from(plain: Plain) -> Result<Self, ModelError> {
        let build = |plain: &PlainLayer| {
            let mut layer = Layer::new(plain.family, plain.activation, plain.size)?;
            layer.set_active_states(plain.active_states.unwrap_or(plain.size));
            Ok(layer)
        };
        let mut model = Self::new(plain.layers.iter().map(build).collect::<Result<_, _>>()?, plain.weights)?;
        if plain.biases.len() != model.biases.len() {
            return Err(ModelError::BiasCount { layers: model.biases.len(), found: plain.biases.len() });
        }
        for (l, (own, given)) in model.biases.iter_mut().zip(plain.biases).enumerate() {
            if own.len() != given.len() {
                return Err(ModelError::BiasShape { layer: l, found: given.len(), expected: own.len() });
            }
            *own = given;
        }
        model.set_image_shape(plain.image_shape)?;
        Ok(model)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    fn mixture(weights: Vec<Array2<f32>>) -> Result<Hierarchy, ModelError> {
        let layers = [(FamilyConfig::Bernoulli, 3), (FamilyConfig::Gaussian { sigma: 0.7 }, 2), (FamilyConfig::Categorical, 4)];
        let layer = |(family, size): (FamilyConfig, usize)| Layer::new(family, Activation::Linear, size);
        Hierarchy::new(layers.into_iter().map(layer).collect::<Result<_, _>>()?, weights)
    }

    #[test]
    fn what_is_written_down_is_built_again_with_its_sigma_and_active_states() {
        let mut model =
            mixture(vec![Array2::from_elem((3, 2), 0.25), Array2::from_shape_fn((2, 4), |(i, c)| i as f32 - 0.1 * c as f32)]).unwrap();
        model.layers[1].set_sigma(0.3125);
        model.layers[2].set_active_states(2);
        model.biases[2] = array![0.5, -0.25, 0.0, 0.0];
        model.set_image_shape(Some([3, 1])).unwrap();
        let text = serde_json::to_string(&model).unwrap();
        let again: Hierarchy = serde_json::from_str(&text).unwrap();
        assert_eq!((&again.weights, &again.biases), (&model.weights, &model.biases));
        assert_eq!((again.layers[1].sigma(), again.active_states()), (Some(0.3125), Some(2)));
        assert_eq!(again.image_shape(), [3, 1]);
        let configurations = |model: &Hierarchy| model.layers.iter().map(Layer::config).collect::<Vec<_>>();
        assert_eq!(configurations(&again), configurations(&model));
        let spoiled = text.replace("[0.5,-0.25,0.0,0.0]", "[0.5,-0.25,0.0]").replace("\"dim\":[4]", "\"dim\":[3]");
        let error = serde_json::from_str::<Hierarchy>(&spoiled).unwrap_err().to_string();
        assert!(error.contains("b2 has 3 values, the layer needs 4"), "{error}");
    }

    #[test]
    fn the_image_is_a_square_where_it_can_be_one_unless_it_is_known() {
        assert_eq!([144, 600, 1].map(usual_image_shape), [[12, 12], [1, 600], [1, 1]]);
        let mut model = mixture(vec![Array2::zeros((3, 2)), Array2::zeros((2, 4))]).unwrap();
        assert_eq!(model.image_shape(), [1, 3]);
        model.set_image_shape(Some([3, 1])).unwrap();
        assert_eq!(model.image_shape(), [3, 1]);
        for wrong in [[2, 2], [usize::MAX, 2], [0, 3]] {
            assert!(model.set_image_shape(Some(wrong)).is_err(), "{wrong:?}");
        }
        assert_eq!(model.image_shape(), [3, 1], "what is refused changes nothing");
    }

    #[test]
    fn a_categorical_layer_has_no_family_and_stands_only_at_the_top() {
        assert_eq!(FamilyConfig::Categorical.build().unwrap_err(), ModelError::CategoricalHasNoFamily);
        let layer = |family| Layer::new(family, Activation::Linear, 2).unwrap();
        let layers = vec![layer(FamilyConfig::Gaussian { sigma: 1.0 }), layer(FamilyConfig::Categorical), layer(FamilyConfig::Exponential)];
        let error = Hierarchy::new(layers, vec![Array2::zeros((2, 2)); 2]).unwrap_err();
        assert_eq!(error, ModelError::CategoricalBelowTop { layer: 1 });
    }
}
