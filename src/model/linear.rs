//! The neural dynamics of a linear-Gaussian hierarchy as a linear stochastic differential equation, and what follows from
//! it exactly: covariance, autocorrelation, spectrum, ringing (model.md 5.2, 5.4).

use crate::model::Hierarchy;
use crate::model::closed_form::{lyapunov, solve};
use ndarray::{Array1, Array2, s};

/// States at most: the covariance needs a solution of a system of their square.
const MOST_STATES: usize = 24;

/// Time constants of one layer of neurons, ms, and its adaptation strength.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayerConstants {
    /// tau_x.
    pub tau_x: f64,
    /// tau_v.
    pub tau_v: f64,
    /// m.
    pub m: f64,
    /// Temperature theta of the noise of x and v.
    pub temperature: f64,
}

/// dz = -A z dt + D^(1/2) dW around the stationary mean, z = (x_1, v_1, .., x_L, v_L, y_0, .., y_(L-1)).
#[derive(Clone, Debug)]
pub struct LinearDynamics {
    /// A, `[n, n]`, per ms.
    pub a: Array2<f64>,
    /// D, `[n, n]`, diagonal, per ms.
    pub d: Array2<f64>,
    /// Where x_l begins in z, l = 1..=L.
    pub x_at: Vec<usize>,
    /// Stationary covariance S, A S + S A^T = D.
    pub covariance: Array2<f64>,
    /// Curvature of the posterior, `[neurons, neurons]`: its precision matrix, all layers in order.
    pub precision: Array2<f64>,
}

impl LinearDynamics {
    /// For gaussian layers with linear f. `tau_eps` in ms; with `exact` interneurons tau_eps is 0. None for another model, one of more
    /// than 24 states, or where the dynamics are unstable or come to rest: then there is no stationary distribution.
    pub fn new(model: &Hierarchy, layers: &[LayerConstants], tau_eps: f64, k: usize, exact: bool) -> Option<Self> {
        let depth = model.depth();
        if layers.len() != depth || !model.is_linear_gaussian() {
            return None;
        }
        let sizes: Vec<usize> = model.layers.iter().map(|l| l.size).collect();
        let neurons: usize = sizes[1..].iter().sum();
        let states = 2 * neurons + if exact { 0 } else { sizes[..depth].iter().sum::<usize>() };
        if states > MOST_STATES {
            return None;
        }
        let (a, d, x_at) = equations(model, layers, [tau_eps, k as f64], exact, states);
        let covariance = lyapunov(&a, &d)?;
        // Slow interneurons and strong adaptation can make the dynamics unstable: then the equation's solution is no covariance.
        let largest = covariance.diag().iter().fold(0.0f64, |top, v| top.max(v.abs()));
        if largest == 0.0 || symmetric_eigenvalues(&covariance).iter().any(|&v| v < -1e-9 * largest) {
            return None;
        }
        let precision = precision(model);
        Some(Self { a, d, x_at, covariance, precision })
    }

    /// Index in z of unit `unit` of layer `layer` (1..=L).
    pub fn state(&self, layer: usize, unit: usize) -> usize {
        self.x_at[layer - 1] + unit
    }

    /// Integrated autocorrelation time of state `i`, ms: 2 times the integral of the autocorrelation over positive lags.
    pub fn autocorrelation_time(&self, i: usize) -> Option<f64> {
        let integral = solve(&self.a, &self.covariance)?;
        Some(2.0 * integral[[i, i]] / self.covariance[[i, i]])
    }

    /// Autocorrelation of state `i` at lags 0, dt, 2 dt, ..
    pub fn autocorrelation(&self, i: usize, dt: f64, lags: usize) -> Vec<f64> {
        let step = exponential(&(&self.a * -dt));
        let mut column: Array1<f64> = self.covariance.column(i).to_owned();
        (0..lags)
            .map(|_| {
                let value = column[i] / self.covariance[[i, i]];
                column = step.dot(&column);
                value
            })
            .collect()
    }

    /// Two-sided power spectral density of state `i` at `frequency` (per ms): (A + i w)^-1 D (A - i w)^-T, element i, i.
    pub fn spectrum(&self, i: usize, frequency: f64) -> Option<f64> {
        let n = self.a.nrows();
        let w = 2.0 * std::f64::consts::PI * frequency;
        // (A + i w)^T u = e_i as a real system of twice the size; the density is u^* D u.
        let mut big = Array2::<f64>::zeros((2 * n, 2 * n));
        big.slice_mut(s![..n, ..n]).assign(&self.a.t());
        big.slice_mut(s![n.., n..]).assign(&self.a.t());
        for j in 0..n {
            big[[j, n + j]] = -w;
            big[[n + j, j]] = w;
        }
        let mut right = Array2::zeros((2 * n, 1));
        right[[i, 0]] = 1.0;
        let u = solve(&big, &right)?;
        Some((0..n).map(|j| self.d[[j, j]] * (u[[j, 0]].powi(2) + u[[n + j, 0]].powi(2))).sum())
    }

    /// Frequencies (per ms) at which the power spectrum of state `i` has a maximum, the lowest first: the peak of the damped
    /// oscillator that adaptation makes of a neuron, slow interneurons and other layers included.
    pub fn spectral_peaks(&self, i: usize) -> Vec<f64> {
        const PLACES_AN_E_FOLD: f64 = 16.0;
        let rates = self.a.diag();
        let [slowest, fastest] = [rates.fold(f64::INFINITY, |low, &r| low.min(r)), rates.fold(0.0f64, |top, &r| top.max(r))];
        let low = (0.002 * slowest).ln();
        let count = (((2.0 * fastest).ln() - low) * PLACES_AN_E_FOLD).ceil() as usize;
        let place = |k: f64| (low + k / PLACES_AN_E_FOLD).exp();
        let power = |k: f64| self.spectrum(i, place(k)).unwrap_or(0.0);
        let values: Vec<f64> = (0..=count).map(|k| power(k as f64)).collect();
        let tops = (1..count).filter(|&k| values[k] > values[k - 1] && values[k] >= values[k + 1]);
        tops.map(|k| place(maximum(power, [k as f64 - 1.0, k as f64 + 1.0]))).collect()
    }
}

/// A and D, `[states, states]`, of the dynamics, and where x_l begins in z, l = 1..=L; `[tau_eps, K]` of the interneurons.
pub(super) fn equations(
    model: &Hierarchy,
    layers: &[LayerConstants],
    [tau_eps, k]: [f64; 2],
    exact: bool,
    states: usize,
) -> (Array2<f64>, Array2<f64>, Vec<usize>) {
    let depth = model.depth();
    let sizes: Vec<usize> = model.layers.iter().map(|l| l.size).collect();
    let variance = |l: usize| model.layers[l].sigma().unwrap_or(1.0).powi(2);
    let w = |l: usize| model.weights[l].mapv(f64::from);
    let [x_at, y_at] = places(&sizes);
    let mut a = Array2::<f64>::zeros((states, states));
    let mut d = Array2::<f64>::zeros((states, states));
    for l in 1..=depth {
        let (n, c) = (sizes[l], layers[l - 1]);
        let current = negative_current(model, l, if exact { 0.0 } else { 1.0 }, states);
        let (x, v) = (x_at[l - 1], x_at[l - 1] + n);
        a.slice_mut(s![x..x + n, ..]).scaled_add(1.0 / c.tau_x, &current);
        a.slice_mut(s![v..v + n, ..]).scaled_add(-c.m / c.tau_x, &current);
        for i in 0..n {
            a[[x + i, v + i]] += c.m / c.tau_x;
            a[[v + i, v + i]] += 1.0 / c.tau_v;
            (d[[x + i, x + i]], d[[v + i, v + i]]) = (2.0 * c.temperature / c.tau_x, 2.0 * c.temperature / c.tau_v);
        }
    }
    if !exact {
        for l in 0..depth {
            let (y, n) = (y_at[l], sizes[l]);
            a.slice_mut(s![y..y + n, x_at[l]..x_at[l] + sizes[l + 1]]).scaled_add(-1.0 / tau_eps, &w(l));
            for i in 0..n {
                a[[y + i, y + i]] += 1.0 / tau_eps;
                d[[y + i, y + i]] = 2.0 * variance(l) / (tau_eps * k);
            }
        }
    }
    (a, d, x_at)
}

/// Where x_l begins in z, l = 1..=L, and y_l, l = 0..L, for layers 0..=L of these sizes.
pub(super) fn places(sizes: &[usize]) -> [Vec<usize>; 2] {
    let depth = sizes.len() - 1;
    let neurons: usize = sizes[1..].iter().sum();
    let x_at = (1..=depth).map(|l| 2 * sizes[1..l].iter().sum::<usize>()).collect();
    let y_at = (0..depth).map(|l| 2 * neurons + sizes[..l].iter().sum::<usize>()).collect();
    [x_at, y_at]
}

/// -I_l as a linear function of z around the mean, `[n_l, states]`. Neurons are told `told` y + (1 - `told`) eta of the layer below: 1 is
/// what interneurons report at this instant, 0 what exact ones do, which have no place in z.
pub(super) fn negative_current(model: &Hierarchy, l: usize, told: f64, states: usize) -> Array2<f64> {
    let sizes: Vec<usize> = model.layers.iter().map(|l| l.size).collect();
    let variance = |l: usize| model.layers[l].sigma().unwrap_or(1.0).powi(2);
    let w = |l: usize| model.weights[l].mapv(f64::from);
    let ([x_at, y_at], n) = (places(&sizes), sizes[l]);
    let mut current = Array2::<f64>::zeros((n, states));
    let own = s![.., x_at[l - 1]..x_at[l - 1] + n];
    current.slice_mut(own).scaled_add(1.0 / variance(l), &Array2::eye(n));
    if l < model.depth() {
        let above = s![.., x_at[l]..x_at[l] + sizes[l + 1]];
        current.slice_mut(above).scaled_add(-1.0 / variance(l), &w(l));
    }
    let feedback = w(l - 1).t().to_owned() / variance(l - 1);
    if l >= 2 {
        let below = s![.., x_at[l - 2]..x_at[l - 2] + sizes[l - 1]];
        current.slice_mut(below).scaled_add(-1.0, &feedback);
    }
    if told < 1.0 {
        current.slice_mut(own).scaled_add(1.0 - told, &feedback.dot(&w(l - 1)));
    }
    if told > 0.0 {
        let inter = s![.., y_at[l - 1]..y_at[l - 1] + sizes[l - 1]];
        current.slice_mut(inter).scaled_add(told, &feedback);
    }
    current
}

/// Where a function with one maximum in `[low, high]` has it, by golden sections.
fn maximum(value: impl Fn(f64) -> f64, [mut low, mut high]: [f64; 2]) -> f64 {
    let golden = 0.5 * (5f64.sqrt() - 1.0);
    for _ in 0..40 {
        let step = golden * (high - low);
        if value(high - step) < value(low + step) {
            low = high - step;
        } else {
            high = low + step;
        }
    }
    0.5 * (low + high)
}

/// Frequency (per ms) of the damped oscillator of one curvature; None where it does not oscillate.
pub fn ringing(lambda: f64, c: LayerConstants) -> Option<f64> {
    let half_difference = 0.5 * (lambda / c.tau_x - 1.0 / c.tau_v);
    let square = c.m * c.m * lambda / (c.tau_x * c.tau_x) - half_difference * half_difference;
    (square > 0.0).then(|| square.sqrt() / (2.0 * std::f64::consts::PI))
}

/// The spectral gap (per ms) for one curvature: the smallest real part of the eigenvalues (model.md 5.4).
pub fn spectral_gap(lambda: f64, c: LayerConstants) -> f64 {
    let mean = 0.5 * (lambda / c.tau_x + 1.0 / c.tau_v);
    let half_difference = 0.5 * (lambda / c.tau_x - 1.0 / c.tau_v);
    let square = half_difference * half_difference - c.m * c.m * lambda / (c.tau_x * c.tau_x);
    if square > 0.0 { mean - square.sqrt() } else { mean }
}

/// m* = |lambda - tau_x/tau_v| / (2 sqrt(lambda)), at which the spectral gap is greatest (model.md 5.4).
pub fn critical_adaptation(lambda: f64, tau_x_over_tau_v: f64) -> f64 {
    (lambda - tau_x_over_tau_v).abs() / (2.0 * lambda.sqrt())
}

/// Precision of p(x_1 .. x_L | x_0) of a linear-Gaussian hierarchy, all neurons in order of layers (model.md 5.1).
pub fn precision(model: &Hierarchy) -> Array2<f64> {
    let sizes: Vec<usize> = model.layers[1..].iter().map(|l| l.size).collect();
    let at = |l: usize| sizes[..l - 1].iter().sum::<usize>();
    let variance = |l: usize| model.layers[l].sigma().unwrap_or(1.0).powi(2);
    let n = sizes.iter().sum();
    let mut p = Array2::<f64>::zeros((n, n));
    for l in 1..=model.depth() {
        let own = at(l)..at(l) + sizes[l - 1];
        let w = model.weights[l - 1].mapv(f64::from);
        let mut block = p.slice_mut(s![own.clone(), own.clone()]);
        block.scaled_add(1.0 / variance(l), &Array2::eye(sizes[l - 1]));
        block.scaled_add(1.0 / variance(l - 1), &w.t().dot(&w));
        if l >= 2 {
            let below = at(l - 1)..at(l - 1) + sizes[l - 2];
            p.slice_mut(s![below.clone(), own.clone()]).scaled_add(-1.0 / variance(l - 1), &w);
            p.slice_mut(s![own, below]).scaled_add(-1.0 / variance(l - 1), &w.t());
        }
    }
    p
}

/// Mean of p(x_1 .. x_L | x_0), all neurons in order (model.md 5.1). None for an observation of another size.
pub fn posterior_mean(model: &Hierarchy, x0: &Array1<f64>) -> Option<Array1<f64>> {
    if x0.len() != model.layers[0].size {
        return None;
    }
    let p = precision(model);
    let variance = model.layers[0].sigma()?.powi(2);
    let mut right = Array2::<f64>::zeros((p.nrows(), 1));
    let first = model.weights[0].mapv(f64::from).t().dot(x0) / variance;
    right.slice_mut(s![..first.len(), 0]).assign(&first);
    Some(solve(&p, &right)?.column(0).to_owned())
}

/// exp(M) by scaling, a Taylor series and squaring.
fn exponential(m: &Array2<f64>) -> Array2<f64> {
    let norm = m.iter().fold(0.0f64, |top, v| top.max(v.abs())) * m.nrows() as f64;
    let halvings = norm.log2().ceil().max(0.0) as i32 + 2;
    let scaled = m / 2f64.powi(halvings);
    let (mut term, mut sum) = (Array2::<f64>::eye(m.nrows()), Array2::<f64>::eye(m.nrows()));
    for k in 1..=16 {
        term = term.dot(&scaled) / f64::from(k);
        sum += &term;
    }
    (0..halvings).fold(sum, |power, _| power.dot(&power))
}

/// Eigenvalues of a symmetric matrix by Jacobi's rotations, unordered.
pub fn symmetric_eigenvalues(m: &Array2<f64>) -> Vec<f64> {
    let (n, mut a) = (m.nrows(), m.clone());
    for _ in 0..60 {
        let off: f64 = a.indexed_iter().filter(|((i, j), _)| i != j).map(|(_, v)| v * v).sum();
        if off < 1e-24 * a.iter().map(|v| v * v).sum::<f64>() {
            break;
        }
        for p in 0..n {
            for q in p + 1..n {
                if a[[p, q]] == 0.0 {
                    continue;
                }
                let theta = 0.5 * (2.0 * a[[p, q]]).atan2(a[[q, q]] - a[[p, p]]);
                let (sin, cos) = theta.sin_cos();
                for k in 0..n {
                    let (x, y) = (a[[k, p]], a[[k, q]]);
                    (a[[k, p]], a[[k, q]]) = (cos * x - sin * y, sin * x + cos * y);
                }
                for k in 0..n {
                    let (x, y) = (a[[p, k]], a[[q, k]]);
                    (a[[p, k]], a[[q, k]]) = (cos * x - sin * y, sin * x + cos * y);
                }
            }
        }
    }
    a.diag().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::closed_form::{Constants, adaptation_speedup, stationary_covariance};
    use crate::model::{Activation, FamilyConfig, Layer};

    fn gaussian(sizes: &[usize], sigmas: &[f64], weights: Vec<Array2<f32>>) -> Hierarchy {
        let layer = |(&size, &sigma): (&usize, &f64)| Layer::new(FamilyConfig::Gaussian { sigma }, Activation::Linear, size).unwrap();
        Hierarchy::new(sizes.iter().zip(sigmas).map(layer).collect(), weights).unwrap()
    }

    fn chain() -> Hierarchy {
        let w = vec![ndarray::array![[1.0f32, 0.3], [-0.2, 0.8]], ndarray::array![[0.9f32], [0.6]]];
        gaussian(&[2, 2, 1], &[0.5, 0.7, 1.0], w)
    }

    const C: LayerConstants = LayerConstants { tau_x: 100.0, tau_v: 30.0, m: 2.0, temperature: 1.0 };

    #[test]
    fn one_layer_is_the_known_case_and_exact_interneurons_its_limit() {
        let w = ndarray::array![[1.2f32], [0.7]];
        let model = gaussian(&[2, 1], &[0.6, 1.0], vec![w.clone()]);
        let known = stationary_covariance(&w.mapv(f64::from), 0.6, Constants { tau_x: 100.0, tau_eps: 20.0, tau_v: 30.0, m: 2.0, k: 3 });
        let found = LinearDynamics::new(&model, &[C], 20.0, 3, false).unwrap();
        assert!((&known.unwrap() - &found.covariance).iter().all(|d| d.abs() < 1e-9));
        let exact = LinearDynamics::new(&model, &[C], 20.0, 3, true).unwrap();
        assert!((exact.covariance[[0, 0]] - 1.0 / exact.precision[[0, 0]]).abs() < 1e-12);
    }

    #[test]
    fn slow_interneurons_with_adaptation_are_unstable_and_have_no_covariance() {
        let model = chain();
        let found = |tau_eps: f64| LinearDynamics::new(&model, &[C, C], tau_eps, 1, false);
        assert!(found(1.0).is_some());
        let unstable = found(60.0);
        assert!(unstable.is_none(), "{:?}", unstable.map(|d| d.covariance.diag().to_owned()));
        // The growth itself: exp(-A t) of the same drift does not fall.
        let slow = LayerConstants { m: 0.0, ..C };
        assert!(LinearDynamics::new(&model, &[slow, slow], 60.0, 1, false).is_some(), "without adaptation it is stable");
    }

    #[test]
    fn three_layers_have_the_joint_posterior_for_any_time_constants() {
        let slow = LayerConstants { tau_x: 300.0, tau_v: 90.0, m: 1.0, ..C };
        let found = LinearDynamics::new(&chain(), &[C, slow], 1.0, 1, true).unwrap();
        let posterior = solve(&found.precision, &Array2::eye(3)).unwrap();
        let at = [found.state(1, 0), found.state(1, 1), found.state(2, 0)];
        for i in 0..3 {
            for j in 0..3 {
                assert!((found.covariance[[at[i], at[j]]] - posterior[[i, j]]).abs() < 1e-9, "{i} {j}");
            }
        }
        // The joint distribution of x_0 and x has the mean and precision of the hierarchy: condition the joint covariance on x_0.
        let mean = posterior_mean(&chain(), &ndarray::array![0.4, -1.0]).unwrap();
        let energy = |m: &Array1<f64>| {
            let states = [ndarray::array![0.4, -1.0], m.slice(s![..2]).to_owned(), m.slice(s![2..]).to_owned()];
            crate::model::energy::energy(&chain(), &states)
        };
        for i in 0..3 {
            let mut moved = [mean.clone(), mean.clone()];
            (moved[0][i], moved[1][i]) = (mean[i] + 1e-4, mean[i] - 1e-4);
            assert!((energy(&moved[0]) - energy(&moved[1])).abs() < 1e-9, "the mean is where the energy is lowest");
        }
    }

    #[test]
    fn adaptation_shortens_the_autocorrelation_by_s_and_spectrum_and_correlation_agree() {
        let model = gaussian(&[1, 2], &[0.5, 1.0], vec![ndarray::array![[1.0f32, 0.4]]]);
        let time = |m: f64| {
            let dynamics = LinearDynamics::new(&model, &[LayerConstants { m, ..C }], 1.0, 1, true).unwrap();
            dynamics.autocorrelation_time(0).unwrap()
        };
        let theory = adaptation_speedup(3.0, 30.0, 100.0);
        assert!((time(0.0) / time(3.0) - theory).abs() < 1e-9);
        let dynamics = LinearDynamics::new(&model, &[C], 10.0, 2, false).unwrap();
        // tau = S(0)/C(0), and the area of the autocorrelation.
        let from_spectrum = dynamics.spectrum(0, 0.0).unwrap() / dynamics.covariance[[0, 0]];
        let tau = dynamics.autocorrelation_time(0).unwrap();
        assert!((from_spectrum - tau).abs() < 1e-9 * tau);
        let dt = 0.25;
        let area = 2.0 * dt * (dynamics.autocorrelation(0, dt, 12_000).iter().sum::<f64>() - 0.5);
        assert!((area - tau).abs() < 1e-3 * tau, "{area} {tau}");
    }

    #[test]
    fn the_spectrum_peaks_where_its_derivative_says() {
        let model = gaussian(&[1, 1], &[0.5, 1.0], vec![ndarray::array![[1.0f32]]]);
        let lambda = 5.0;
        for m in [0.5, 2.0, 6.0] {
            let c = LayerConstants { m, ..C };
            let found = LinearDynamics::new(&model, &[c], 1.0, 1, true).unwrap().spectral_peaks(0);
            // S = D_x (u + k)/((det - u)^2 + trace^2 u), u = omega^2, is greatest at u = -k + sqrt((k + det)^2 - k trace^2).
            let (drift, decay) = (lambda / c.tau_x, 1.0 / c.tau_v);
            let k = decay * decay + (m / c.tau_x).powi(2) * c.tau_x / c.tau_v;
            let determinant = drift * decay + m * m * lambda / (c.tau_x * c.tau_x);
            let u = -k + ((k + determinant).powi(2) - k * (drift + decay).powi(2)).max(0.0).sqrt();
            let known = (u > 0.0).then(|| u.sqrt() / (2.0 * std::f64::consts::PI));
            let damped = ringing(lambda, c);
            assert_eq!(found.len(), usize::from(known.is_some()), "m {m}: {found:?} {known:?}");
            if let Some(known) = known {
                assert!((found[0] - known).abs() < 1e-5 * known, "m {m}: {found:?} {known}");
                assert!(damped.is_none_or(|f| (f - known).abs() > 1e-3 * known), "the frequency of the damped oscillation is another one");
            }
        }
        let ringing_chain = LinearDynamics::new(&chain(), &[LayerConstants { m: 4.0, ..C }; 2], 0.1, 1, false).unwrap();
        assert!(!ringing_chain.spectral_peaks(ringing_chain.state(1, 0)).is_empty(), "layers above and interneurons change it little");
    }

    #[test]
    fn the_gap_is_greatest_at_the_critical_adaptation_and_ringing_begins_there() {
        for lambda in [0.8, 5.0, 51.0] {
            let best = critical_adaptation(lambda, 100.0 / 30.0);
            let gap = |m: f64| spectral_gap(lambda, LayerConstants { m, ..C });
            assert!(gap(best) > gap(best * 0.9) && gap(best) > gap(best * 1.1) - 1e-7);
            assert!(ringing(lambda, LayerConstants { m: best * 1.01, ..C }).is_some());
            assert!(ringing(lambda, LayerConstants { m: best * 0.99, ..C }).is_none());
        }
        let mut values = symmetric_eigenvalues(&ndarray::array![[2.0, 1.0, 0.0], [1.0, 2.0, 0.0], [0.0, 0.0, 7.0]]);
        values.sort_by(f64::total_cmp);
        assert!(values.iter().zip([1.0, 3.0, 7.0]).all(|(a, b)| (a - b).abs() < 1e-12));
    }
}
