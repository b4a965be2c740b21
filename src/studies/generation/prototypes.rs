//! What each state of a categorical top stands for, as a picture.

use crate::dynamics::categorical;
use crate::model::{Family, Hierarchy};
use ndarray::{Array1, Array2, ArrayView1};

/// The active states of the top, the likeliest first.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Prototypes {
    /// Number of each state.
    pub states: Vec<usize>,
    /// Its probability, softmax(b).
    pub shares: Vec<f32>,
    /// Its image, `[k, n_0]`: from the top down, the mean of each layer given the mean of the one above.
    pub images: Array2<f32>,
}

/// None where the top is not categorical or, with so many active layers of neurons, does not run yet.
pub fn prototypes(model: &Hierarchy, active_layers: usize) -> Option<Prototypes> {
    let top = model.depth();
    let active_states = model.active_states().filter(|_| active_layers >= top)?;
    let all = categorical::prior(model);
    let mut states: Vec<usize> = (0..active_states).collect();
    states.sort_by(|&a, &b| all[b].total_cmp(&all[a]));
    let mut images = Array2::zeros((states.len(), model.layers[0].size));
    for (&state, mut image) in states.iter().zip(images.rows_mut()) {
        let mut x = mean(model, top - 1, model.weights[top - 1].column(state));
        for l in (0..top - 1).rev() {
            let mut f = vec![0.0; x.len()];
            model.layers[l + 1].activation.apply(&x, &mut f);
            x = mean(model, l, model.weights[l].dot(&Array1::from(f)).view());
        }
        image.assign(&Array1::from(x));
    }
    Some(Prototypes { shares: states.iter().map(|&c| all[c]).collect(), states, images })
}

/// E\[x_l\] where the layer above sends `input` = W_l f, `[n_l]`.
fn mean(model: &Hierarchy, l: usize, input: ArrayView1<f32>) -> Vec<f32> {
    let family: &dyn Family = model.family_below_top(l).as_ref();
    let mut eta: Vec<f32> = input.iter().zip(&model.biases[l]).map(|(a, b)| a + b).collect();
    if family.has_link() {
        family.apply_link(&mut eta, &mut vec![0.0; input.len()]);
    }
    let mut mean = vec![0.0; eta.len()];
    family.mean_statistics(&eta, &mut mean);
    let scale = family.mean_per_statistic();
    mean.iter_mut().for_each(|m| *m *= scale);
    mean
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Activation, FamilyConfig, Layer};
    use ndarray::array;

    #[test]
    fn a_state_descends_by_means_and_the_likeliest_comes_first() {
        let layer = |family: FamilyConfig, activation, size| Layer::new(family, activation, size).unwrap();
        let layers = vec![
            layer(FamilyConfig::Gaussian { sigma: 0.5 }, Activation::Linear, 2),
            layer(FamilyConfig::Gaussian { sigma: 0.3 }, Activation::Relu, 2),
            layer(FamilyConfig::Categorical, Activation::Linear, 3),
        ];
        let (w0, w1) = (array![[1.0f32, 0.0], [2.0, -1.0]], array![[1.0f32, -2.0, 0.0], [0.5, 3.0, 0.0]]);
        let mut model = Hierarchy::new(layers, vec![w0, w1]).unwrap();
        model.biases[2] = array![0.0, 1.0, -1.0];
        let found = prototypes(&model, 2).unwrap();
        assert_eq!(found.states, [1, 0, 2]);
        assert!((found.shares.iter().sum::<f32>() - 1.0).abs() < 1e-5 && found.shares[0] > found.shares[1]);
        // State 1: x_1 = (-2, 3), relu gives (0, 3), so x_0 = (0, -3); state 0: (1, 0.5), x_0 = (1, 1.5).
        let expected = array![[0.0f32, -3.0], [1.0, 1.5], [0.0, 0.0]];
        assert!((&found.images - &expected).iter().all(|d| d.abs() < 1e-4), "{:?}", found.images);
        assert!(prototypes(&model, 1).is_none(), "a top that does not run yet says nothing");
    }
}
