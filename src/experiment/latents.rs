//! Latents that persist: the chains of every image go on from one visit to the next (model.md 8).

use crate::dynamics::{ChainState, Ensemble, StateArray, StateMismatch};
use crate::experiment::config::ConfigError;
use crate::model::{Hierarchy, vector};
use ndarray::{Array2, ArrayView1, ArrayViewMut1};
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

/// Memory at most, bytes; more images are refused.
pub const MOST_BYTES: usize = 2 << 30;

/// The numbers of the chains' state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LatentsCounters {
    /// Images that chains are kept for.
    pub images: usize,
    /// The first so many have been seen.
    pub seen: usize,
    /// Images of the order in which those seen come back.
    pub order: usize,
    /// How many of them have come.
    pub next: usize,
    /// Images that are shown now.
    pub shown: usize,
    /// Whether these are seen for the first time.
    pub fresh: bool,
}

/// x and v of every image's own chain, and which image each network shows.
#[derive(Clone, Debug, PartialEq)]
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

/// The first `seen` rows of each layer 1..=L.
fn arrays_of_layers<'a>(name: &str, values: &'a mut [Array2<f32>], seen: usize) -> Vec<StateArray<'a>> {
    let array = |(l, values): (usize, &'a mut Array2<f32>)| {
        let width = values.ncols();
        let rows = values.as_slice_mut().and_then(|values| values.get_mut(..seen * width)).unwrap_or_default();
        StateArray::new(format!("{name}{l}"), &[seen, width], rows)
    };
    (1..).zip(values).map(array).collect()
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

    /// The numbers of the state.
    pub fn counters(&self) -> LatentsCounters {
        LatentsCounters {
            images: self.images(),
            seen: self.settled,
            order: self.order.len(),
            next: self.next,
            shown: self.shown.len(),
            fresh: self.fresh,
        }
    }

    /// The arrays of the state: the chains of the images seen, (x, v) of each layer, the order of the images and those shown.
    pub fn arrays(&mut self) -> Vec<StateArray<'_>> {
        let Self { x, v, settled, order, shown, .. } = self;
        let mut arrays = arrays_of_layers("latent_x", x, *settled);
        arrays.extend(arrays_of_layers("latent_v", v, *settled));
        arrays.push(StateArray::new("latent_order", &[order.len()], order));
        arrays.push(StateArray::new("latent_shown", &[shown.len()], shown));
        arrays
    }

    /// Chains with these counters and arrays of 0, to be filled, of the same model and number of images.
    pub fn blank(&self, counters: LatentsCounters) -> Result<Self, StateMismatch> {
        let images = self.images();
        if counters.images != images || counters.shown != self.shown.len() {
            let text = |images: usize, shown: usize| format!("{images}, {shown} of them shown");
            return Err(StateMismatch::new("images with chains", text(counters.images, counters.shown), text(images, self.shown.len())));
        }
        for (what, found, most) in [
            ("images seen", counters.seen, images),
            ("images in order", counters.order, counters.seen),
            ("the next image", counters.next, counters.order),
        ] {
            if found > most {
                return Err(StateMismatch::new(what, found, format!("0 to {most}")));
            }
        }
        let zeros = |like: &[Array2<f32>]| like.iter().map(|array| Array2::zeros(array.dim())).collect();
        Ok(Self {
            x: zeros(&self.x),
            v: zeros(&self.v),
            settled: counters.seen,
            order: vec![0; counters.order],
            next: counters.next,
            shown: vec![0; counters.shown],
            fresh: counters.fresh,
        })
    }

    /// Whether the chains can go on in place of these: of as many images and units, with numbers of images and states that there are;
    /// the error says what does not fit.
    pub fn check(&self, own: &Self, states: Option<usize>) -> Result<(), StateMismatch> {
        let shapes = |latents: &Self| -> Vec<_> { latents.x.iter().chain(&latents.v).map(Array2::dim).collect() };
        if shapes(self) != shapes(own) {
            return Err(StateMismatch::new("shapes of chains", format!("{:?}", shapes(self)), format!("{:?}", shapes(own))));
        }
        let last = |numbers: &[u32]| numbers.iter().max().map_or(0, |&last| last as usize + 1);
        let shown_first = if self.fresh { self.images() } else { self.settled };
        for (what, found, most) in [("image in order", last(&self.order), self.settled), ("image shown", last(&self.shown), shown_first)] {
            if found > most {
                return Err(StateMismatch::new(what, found - 1, format!("below {most}")));
            }
        }
        let states = states.map(|states| 0.0..states as f32);
        match self.x.last().zip(states).and_then(|(x, states)| x.iter().find(|x| !states.contains(x)).copied().zip(Some(states))) {
            Some((state, states)) => Err(StateMismatch::new("a category of a chain", state, format!("below {}", states.end))),
            None => Ok(()),
        }
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
