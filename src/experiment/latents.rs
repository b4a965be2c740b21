//! Latents that persist: the chains of every image go on from one visit to the next (model.md 8).

use crate::dynamics::{ChainState, Ensemble};
use crate::experiment::config::ConfigError;
use crate::model::{Hierarchy, vector};
use ndarray::{Array2, ArrayView1, ArrayViewMut1};
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;

/// Memory at most, bytes; more images are refused.
pub const MOST_BYTES: usize = 2 << 30;

/// x and v of every image's own chain, and which image each network shows.
#[derive(Clone, Debug)]
pub struct Latents {
    /// x of layers 1..=L, `[images, n_l]`; of a categorical layer the state alone, `[images, 1]`.
    x: Vec<Array2<f32>>,
    /// v likewise; `[images, 0]` of a categorical layer.
    v: Vec<Array2<f32>>,
    /// The first so many images have chains.
    settled: usize,
    order: Vec<u32>,
    next: usize,
    /// The image that each network shows.
    shown: Vec<u32>,
    /// Whether these images are seen for the first time.
    fresh: bool,
}

/// Values of one image in each layer of neurons.
fn widths(model: &Hierarchy) -> impl Iterator<Item = [usize; 2]> {
    model.layers[1..].iter().map(|layer| if layer.is_categorical() { [1, 0] } else { [layer.size; 2] })
}

impl Latents {
    /// Bytes that the chains of `images` need.
    pub fn bytes(model: &Hierarchy, images: usize) -> usize {
        widths(model).flatten().sum::<usize>() * images * size_of::<f32>()
    }

    /// Storage for the chains of `images`; none has been seen.
    pub fn new(model: &Hierarchy, images: usize) -> Self {
        let [x, v] = [0, 1].map(|which| widths(model).map(|width| Array2::zeros((images, width[which]))).collect());
        Self { x, v, settled: 0, order: Vec::new(), next: 0, shown: Vec::new(), fresh: false }
    }

    /// Images whose chains can be stored.
    pub fn images(&self) -> usize {
        self.x[0].nrows()
    }

    /// Images seen so far.
    pub fn settled(&self) -> usize {
        self.settled
    }

    /// Whether the images now shown are seen for the first time.
    pub fn fresh(&self) -> bool {
        self.fresh
    }

    /// Chooses `batch` images: new ones while fewer than `wanted` have been seen, else the next of a random order of those seen.
    pub fn choose(&mut self, batch: usize, wanted: usize, rng: &mut ChaCha8Rng) -> &[u32] {
        let wanted = wanted.min(self.images());
        self.fresh = self.settled == 0 || self.settled < wanted;
        if self.fresh {
            let last = (self.settled + batch).min(self.images());
            self.shown = (0..batch).map(|row| (self.settled + row % (last - self.settled)) as u32).collect();
        } else {
            self.shown.clear();
            while self.shown.len() < batch {
                if self.next >= self.order.len() {
                    self.order = (0..self.settled as u32).collect();
                    self.order.shuffle(rng);
                    self.next = 0;
                }
                self.shown.push(self.order[self.next]);
                self.next += 1;
            }
        }
        &self.shown
    }

    /// Puts layer `l` of the chain of the image that a network shows into that network.
    pub fn load(&self, network: usize, l: usize, state: ChainState) {
        let (image, [x_l, v_l]) = (self.shown[network] as usize, [&self.x[l - 1], &self.v[l - 1]]);
        match state {
            ChainState::Category(category) => *category = x_l[[image, 0]] as u32,
            ChainState::Neurons { x, v } => {
                x_l.row(image).assign_to(ArrayViewMut1::from(x));
                v_l.row(image).assign_to(ArrayViewMut1::from(v));
            }
        }
    }

    /// Stores the chains as they are at the end of a visit; one that is not finite is left as it was.
    pub fn store(&mut self, networks: &Ensemble) {
        let depth = self.x.len();
        for (l, (x, v)) in (1..).zip(self.x.iter_mut().zip(&mut self.v)) {
            if l == depth && networks.categories().next().is_some() {
                self.shown.iter().zip(networks.categories()).for_each(|(&image, category)| x[[image as usize, 0]] = category as f32);
                continue;
            }
            for (&image, (new_x, new_v)) in self.shown.iter().zip(networks.states(l).zip(networks.adaptation(l))) {
                if vector::all_finite(new_x) && vector::all_finite(new_v) {
                    x.row_mut(image as usize).assign(&ArrayView1::from(new_x));
                    v.row_mut(image as usize).assign(&ArrayView1::from(new_v));
                }
            }
        }
        if self.fresh {
            let last = self.shown.iter().copied().max().map_or(0, |image| image as usize + 1);
            self.settled = self.settled.max(last);
        }
    }

    /// x of layer l of the images seen so far, `[settled, n_l]`.
    pub fn of_layer(&self, l: usize) -> Array2<f32> {
        self.x[l - 1].slice(ndarray::s![..self.settled, ..]).to_owned()
    }

    /// x of layer l of one image, `[n_l]`.
    pub fn of_image(&self, l: usize, image: usize) -> Vec<f32> {
        self.x[l - 1].row(image).to_vec()
    }

    /// Multiplies x of unit i of layer l by `gains[i]` in every chain: the unit is measured in other units.
    pub fn rescale(&mut self, l: usize, gains: &[f32]) {
        for mut row in self.x[l - 1].rows_mut() {
            row.iter_mut().zip(gains).for_each(|(x, gain)| *x *= gain);
        }
    }

    /// The chains of the images seen: (x, v) of each layer, for a model file.
    pub fn arrays(&self) -> impl Iterator<Item = (usize, [Array2<f32>; 2])> + '_ {
        let seen = |a: &Array2<f32>| a.slice(ndarray::s![..self.settled, ..]).to_owned();
        (1..).zip(self.x.iter().zip(&self.v).map(move |(x, v)| [seen(x), seen(v)]))
    }

    /// Goes on from chains that were saved: (x, v) of layers 1..=L, `[seen, width]` each. An error where a shape does not fit.
    pub fn resume(&mut self, chains: Vec<[Array2<f32>; 2]>) -> Result<(), ConfigError> {
        let seen = chains.first().map_or(0, |[x, _]| x.nrows()).min(self.images());
        for (l, [x, v]) in (1..).zip(&chains) {
            let (own_x, own_v) = (self.x.get(l - 1).map_or(0, Array2::ncols), self.v.get(l - 1).map_or(0, Array2::ncols));
            if x.ncols() != own_x || v.ncols() != own_v || x.nrows() < seen || v.nrows() < seen {
                let shapes = format!("{:?} and {:?}", x.dim(), v.dim());
                return Err(ConfigError::Stimulus(format!("the latents of layer {l} have shapes {shapes}, which do not fit the model")));
            }
        }
        for (l, [x, v]) in chains.into_iter().enumerate() {
            self.x[l].slice_mut(ndarray::s![..seen, ..]).assign(&x.slice(ndarray::s![..seen, ..]));
            self.v[l].slice_mut(ndarray::s![..seen, ..]).assign(&v.slice(ndarray::s![..seen, ..]));
        }
        self.settled = seen;
        Ok(())
    }
}
