//! Latents of an image: their density, its gradient, and moves that leave it invariant (model.md 10).

use crate::dynamics::categorical::Prototypes;
use crate::dynamics::noise::Noise;
use crate::model::hierarchy::Tables;
use crate::model::product::multiply;
use crate::model::{Family, Hierarchy};
use ndarray::ArrayView2;

/// What chains of one image share.
pub(super) struct Posterior<'a> {
    pub(super) model: &'a Hierarchy,
    pub(super) tables: &'a Tables,
    pub(super) prototypes: Option<Prototypes>,
    /// Layers of neurons at work, 1..=this.
    pub(super) active_layers: usize,
    /// T(x_0), `[n_0]`.
    pub(super) statistics: &'a [f32],
    /// Chains.
    pub(super) rows: usize,
    /// Whether proposals are accepted by Metropolis' rule; always, but for a planted mistake.
    pub(super) adjusted: bool,
    /// Whether A(eta_0) counts; always, but for a planted mistake.
    pub(super) normalised: bool,
}

/// Where chains are, and what is known of the density there.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// x of layers 1..=L, `[rows, n_l]` each; of a categorical top one hot.
    pub(super) x: Vec<Vec<f32>>,
    /// The state of a categorical top, `[rows]`.
    pub(super) category: Vec<u32>,
    /// log p(x_0, x_1 ..) up to terms of the top alone and of x_0 alone, `[rows]`.
    pub(super) log_density: Vec<f64>,
    /// Its gradient by x_l of layers 1.. of neurons, `[rows, n_l]` each.
    current: Vec<Vec<f32>>,
}

fn view(values: &[f32], rows: usize) -> ArrayView2<'_, f32> {
    ArrayView2::from_shape((rows, values.len() / rows.max(1)), values).unwrap_or_else(|_| unreachable!("whole rows"))
}

impl Posterior<'_> {
    /// Layers of neurons that move, 1..=this.
    fn moving(&self) -> usize {
        if self.has_categorical_top() { self.active_layers - 1 } else { self.active_layers }
    }

    fn has_categorical_top(&self) -> bool {
        self.model.layers[self.active_layers].is_categorical()
    }

    fn log_partition(&self, l: usize, family: &dyn Family, eta: &[f32]) -> f64 {
        match self.tables.get(l).and_then(Option::as_deref) {
            Some(table) => eta.iter().map(|&eta| table.log_partition(family, f64::from(eta))).sum(),
            None => family.log_partition_sum(eta),
        }
    }

    fn means(&self, l: usize, family: &dyn Family, eta: &[f32], out: &mut [f32]) {
        match self.tables.get(l).and_then(Option::as_deref) {
            Some(table) => out.iter_mut().zip(eta).for_each(|(out, &eta)| *out = table.mean(family, f64::from(eta)) as f32),
            None => family.mean_statistics(eta, out),
        }
    }

    /// f(x_l), `[rows, n_l]`.
    fn shown(&self, l: usize, x: &[f32]) -> Vec<f32> {
        let mut f = vec![0.0; x.len()];
        self.model.layers[l].activation.apply(x, &mut f);
        f
    }

    /// a_l = W_l f(x_(l+1)) + b_l without the bias, `[rows, n_l]`.
    fn drive(&self, l: usize, x: &[Vec<f32>], category: &[u32]) -> Vec<f32> {
        let (n, w) = (self.model.layers[l].size, &self.model.weights[l]);
        let mut drive = vec![0.0; self.rows * n];
        if self.model.layers[l + 1].is_categorical() {
            for (row, &c) in drive.chunks_exact_mut(n).zip(category) {
                row.iter_mut().zip(w.column(c as usize)).for_each(|(a, w)| *a = *w);
            }
        } else {
            multiply(&mut drive, view(&self.shown(l + 1, &x[l]), self.rows), w.t(), 1.0, false);
        }
        drive
    }

    /// eta_l and g'(a_l) of a drive, `[rows, n_l]` each; the slope is empty where g is the identity.
    fn natural_parameter(&self, l: usize, drive: &[f32]) -> [Vec<f32>; 2] {
        let (family, biases) = (self.model.family_below_top(l), &self.model.biases[l]);
        let mut eta: Vec<f32> = drive.chunks_exact(biases.len()).flat_map(|row| row.iter().zip(biases).map(|(a, b)| a + b)).collect();
        let mut slope = vec![1.0; if family.has_link() { eta.len() } else { 0 }];
        if family.has_link() {
            family.apply_link(&mut eta, &mut slope);
        }
        [eta, slope]
    }

    /// log p(x_0 | x_1) of each chain without the base measure, `[rows]`.
    pub(super) fn log_likelihood(&self, drive: &[f32]) -> Vec<f64> {
        let family = self.model.observed_family();
        let [eta, _] = self.natural_parameter(0, drive);
        let of_row = |eta: &[f32]| {
            let score: f64 = eta.iter().zip(self.statistics).map(|(&eta, &t)| f64::from(eta) * f64::from(t)).sum();
            score - if self.normalised { self.log_partition(0, family.as_ref(), eta) } else { 0.0 }
        };
        eta.chunks_exact(self.statistics.len()).map(of_row).collect()
    }

    /// What is known of the density where chains are.
    pub(super) fn at(&self, x: Vec<Vec<f32>>, category: Vec<u32>) -> Place {
        let mut place = Place { x, category, log_density: Vec::new(), current: Vec::new() };
        self.look(&mut place);
        place
    }

    /// The same of chains that another model has brought there.
    pub(super) fn look(&self, place: &mut Place) {
        let (model, rows) = (self.model, self.rows);
        let drive = self.drive(0, &place.x, &place.category);
        place.log_density = self.log_likelihood(&drive);
        place.current.clear();
        // eps of the layer below, g' (T(x) - A'(eta)), `[rows, n_(l-1)]`.
        let [eta, slope] = self.natural_parameter(0, &drive);
        let mut below = vec![0.0; eta.len()];
        self.means(0, model.observed_family().as_ref(), &eta, &mut below);
        let statistics = self.statistics.iter().cycle();
        below.iter_mut().zip(statistics).for_each(|(mean, t)| *mean = t - *mean);
        below.iter_mut().zip(&slope).for_each(|(eps, slope)| *eps *= slope);
        for l in 1..=self.moving() {
            let (layer, n, x) = (&model.layers[l], model.layers[l].size, &place.x[l - 1]);
            let family = model.family_below_top(l);
            let mut current = vec![0.0; rows * n];
            multiply(&mut current, view(&below, rows), model.weights[l - 1].view(), 1.0, false);
            layer.activation.multiply_by_slope(x, &mut current);
            let drive = if l < self.active_layers { self.drive(l, &place.x, &place.category) } else { vec![0.0; rows * n] };
            let [eta, slope] = self.natural_parameter(l, &drive);
            let (mut own, mut energy) = (vec![0.0; rows * n], vec![0.0; rows * n]);
            family.prior_current(x, &eta, &mut own);
            family.energies(x, &eta, &mut energy);
            current.iter_mut().zip(&own).for_each(|(current, own)| *current += own);
            let [low, high] = family.bounds().map(|bound| bound as f32);
            for (r, log_density) in place.log_density.iter_mut().enumerate() {
                let row = r * n..(r + 1) * n;
                let is_outside = x[row.clone()].iter().any(|x| !(low..=high).contains(x));
                *log_density -= energy[row.clone()].iter().map(|&e| f64::from(e)).sum::<f64>();
                *log_density -= if l < self.active_layers { self.log_partition(l, family.as_ref(), &eta[row]) } else { 0.0 };
                *log_density = if is_outside { f64::NEG_INFINITY } else { *log_density };
            }
            // What this layer tells the one above.
            let mut means = vec![0.0; rows * n];
            self.means(l, family.as_ref(), &eta, &mut means);
            below = vec![0.0; rows * n];
            family.statistics(x, &mut below);
            below.iter_mut().zip(&means).for_each(|(t, mean)| *t -= mean);
            below.iter_mut().zip(&slope).for_each(|(eps, slope)| *eps *= slope);
            place.current.push(current);
        }
    }

    /// A Langevin step of length `h[l - 1]` in layer l, accepted by Metropolis' rule; then a categorical top is drawn. Returns the share
    /// of chains that accepted.
    pub(super) fn transition(&self, place: &mut Place, h: &[f32], noise: &mut Noise) -> f64 {
        let mut proposed = place.clone();
        for ((x, current), &h) in proposed.x.iter_mut().zip(&place.current).zip(h) {
            let mut normal = vec![0.0; x.len()];
            noise.fill(&mut normal);
            let spread = (2.0 * h).sqrt();
            x.iter_mut().zip(current).zip(&normal).for_each(|((x, current), normal)| *x += h * current + spread * normal);
        }
        self.look(&mut proposed);
        let mut chance = vec![0.0; self.rows];
        noise.fill_uniform(&mut chance);
        let mut accepted = 0;
        for (r, &chance) in chance.iter().enumerate() {
            // log q(old | new) - log q(new | old)
            let mut odds = proposed.log_density[r] - place.log_density[r];
            for (l, &h) in h.iter().enumerate().take(self.moving()) {
                let n = self.model.layers[l + 1].size;
                let row = r * n..(r + 1) * n;
                let far = |to: &Place, from: &Place| -> f64 {
                    let steps = to.x[l][row.clone()].iter().zip(&from.x[l][row.clone()]).zip(&from.current[l][row.clone()]);
                    steps.map(|((to, from), current)| f64::from(to - from - h * current).powi(2)).sum()
                };
                odds += (far(&proposed, place) - far(place, &proposed)) / (4.0 * f64::from(h));
            }
            // What is not finite is never accepted.
            if !self.adjusted || f64::from(chance).ln() < odds {
                accepted += 1;
            } else {
                for (l, layer) in self.model.layers.iter().enumerate().skip(1).take(self.moving()) {
                    let row = r * layer.size..(r + 1) * layer.size;
                    proposed.x[l - 1][row.clone()].copy_from_slice(&place.x[l - 1][row.clone()]);
                    proposed.current[l - 1][row.clone()].copy_from_slice(&place.current[l - 1][row]);
                }
                proposed.log_density[r] = place.log_density[r];
            }
        }
        *place = proposed;
        if let (Some(prototypes), true) = (&self.prototypes, self.has_categorical_top()) {
            let below = &place.x[self.active_layers - 2];
            let mut statistics = vec![0.0; below.len()];
            self.model.family_below_top(self.active_layers - 1).statistics(below, &mut statistics);
            noise.fill_uniform(&mut chance);
            place.category = prototypes.draw(view(&statistics, self.rows), &chance);
            self.look(place);
        }
        accepted as f64 / self.rows as f64
    }
}
