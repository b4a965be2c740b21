//! log Z of two layers with one common partition function: exactly where one of the layers has few states, else by annealed importance
//! sampling (Salakhutdinov and Murray 2008).

use super::harmonium::{Draws, Harmonium, HiddenUnits};
use crate::studies::{Observer, Report, StudyError};
use ndarray::{Array1, Array2};

/// Binary units whose states are enumerated at most.
const MOST_ENUMERATED: usize = 16;
/// States that are looked at together.
const TOGETHER: usize = 1024;
/// Runs of annealed importance sampling, and inverse temperatures on their way.
const RUNS: usize = 100;
const TEMPERATURES: usize = 1000;

/// log Z and its standard error, 0 where it is exact.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct LogNormaliser {
    pub(super) value: f64,
    pub(super) error: f64,
}

/// A mistake that a test plants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Planted {
    no_transitions: bool,
}

/// log Z: exact up to 16 pixels, or as many binary hidden units; else the logarithm of an unbiased estimate of Z, which is below log Z
/// in the mean, so that likelihoods are above theirs. `independent` are log odds of pixels near those of the machine.
pub(super) fn log_normaliser(
    machine: &Harmonium,
    independent: &Array1<f32>,
    seed: u64,
    observer: &mut dyn Observer,
) -> Result<LogNormaliser, StudyError> {
    match exact(machine) {
        Some(value) => Ok(LogNormaliser { value, error: 0.0 }),
        None => annealed(machine, independent, seed, Planted::default(), observer),
    }
}

/// log Z by enumeration; None where there are too many states.
pub(super) fn exact(machine: &Harmonium) -> Option<f64> {
    let (pixels, hidden) = machine.weights.dim();
    if pixels <= MOST_ENUMERATED {
        return Some(enumerated(machine));
    }
    // The other way round the hidden units are the visible ones of a machine.
    let turned = || {
        let weights = machine.weights.t().as_standard_layout().to_owned();
        Harmonium::new(HiddenUnits::Binary, weights, machine.hidden_biases.clone(), machine.visible_biases.clone())
    };
    (machine.units() == HiddenUnits::Binary && hidden <= MOST_ENUMERATED).then(|| enumerated(&turned()))
}

fn enumerated(machine: &Harmonium) -> f64 {
    let pixels = machine.weights.nrows();
    let states = 1usize << pixels;
    let parts = (0..states).step_by(TOGETHER).map(|first| {
        let count = TOGETHER.min(states - first);
        let visible = Array2::from_shape_fn((count, pixels), |(row, pixel)| ((first + row) >> pixel & 1) as f32);
        log_sum_exp(&machine.log_unnormalised(visible.view()))
    });
    log_sum_exp(&parts.collect::<Vec<f64>>())
}

/// From independent pixels, whose Z is known, to the machine.
fn annealed(
    machine: &Harmonium,
    independent: &Array1<f32>,
    seed: u64,
    planted: Planted,
    observer: &mut dyn Observer,
) -> Result<LogNormaliser, StudyError> {
    let mut draws = Draws::new(seed ^ 0x616e_6e65, 0);
    let mut visible = draws.pixels(RUNS, independent);
    let start: f64 = independent.iter().map(|&b| f64::from(b).exp().ln_1p()).sum::<f64>()
        + machine.weights.ncols() as f64 * machine.log_partition_at_rest();
    let mut weights = vec![0.0; RUNS];
    let mut colder = machine.at(0.0, independent);
    for k in 1..=TEMPERATURES {
        let next = machine.at(k as f32 / TEMPERATURES as f32, independent);
        let [before, after] = [&colder, &next].map(|machine| machine.log_unnormalised(visible.view()));
        weights.iter_mut().zip(after.iter().zip(&before)).for_each(|(weight, (after, before))| *weight += after - before);
        if !planted.no_transitions {
            next.step(&mut visible, &mut draws);
        }
        colder = next;
        if k % 100 == 0 {
            observer.tell(Report::Working)?;
        }
    }
    let mean = log_sum_exp(&weights) - (RUNS as f64).ln();
    let squares = weights.iter().map(|weight| (weight - mean).exp_m1().powi(2)).sum::<f64>() / (RUNS - 1) as f64;
    Ok(LogNormaliser { value: start + mean, error: (squares / RUNS as f64).sqrt() })
}

fn log_sum_exp(logs: &[f64]) -> f64 {
    let top = logs.iter().fold(f64::NEG_INFINITY, |top, &log| top.max(log));
    top + logs.iter().map(|log| (log - top).exp()).sum::<f64>().ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

    fn machine(units: HiddenUnits, pixels: usize, hidden: usize) -> Harmonium {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let mut some = |size: f32| size * (rng.random::<f32>() - 0.5);
        let weights = Array2::from_shape_simple_fn((pixels, hidden), || some(2.5));
        let biases = [pixels, hidden].map(|n| Array1::from_shape_simple_fn(n, || some(1.5)));
        let [visible, hidden] = biases;
        Harmonium::new(units, weights, visible, hidden)
    }

    /// log Z over the states of both layers of a small restricted Boltzmann machine.
    fn by_both_layers(machine: &Harmonium) -> f64 {
        let (pixels, hidden) = machine.weights.dim();
        let bit = |state: u32, i: usize| f64::from(state >> i & 1);
        let mut logs = Vec::new();
        for x0 in 0..1u32 << pixels {
            for x1 in 0..1u32 << hidden {
                let coupling: f64 = machine.weights.indexed_iter().map(|((i, j), &w)| f64::from(w) * bit(x0, i) * bit(x1, j)).sum();
                let visible: f64 = machine.visible_biases.iter().enumerate().map(|(i, &b)| f64::from(b) * bit(x0, i)).sum();
                let own: f64 = machine.hidden_biases.iter().enumerate().map(|(j, &b)| f64::from(b) * bit(x1, j)).sum();
                logs.push(coupling + visible + own);
            }
        }
        log_sum_exp(&logs)
    }

    #[test]
    fn enumerating_one_layer_is_enumerating_both() {
        let small = machine(HiddenUnits::Binary, 5, 4);
        let right = by_both_layers(&small);
        assert!((exact(&small).unwrap() - right).abs() < 1e-4);
        let wide = machine(HiddenUnits::Binary, 18, 3);
        let turned = {
            let weights = wide.weights.t().as_standard_layout().to_owned();
            Harmonium::new(HiddenUnits::Binary, weights, wide.hidden_biases.clone(), wide.visible_biases.clone())
        };
        assert!((exact(&wide).unwrap() - enumerated(&wide)).abs() < 1e-3, "over pixels and over hidden units");
        assert!((exact(&turned).unwrap() - exact(&wide).unwrap()).abs() < 1e-3);
        assert_eq!(exact(&machine(HiddenUnits::Binary, 18, 18)), None);
        assert_eq!(exact(&machine(HiddenUnits::Rectified, 18, 3)), None, "its hidden units have no states to enumerate");
    }

    #[test]
    fn annealing_finds_the_enumerated_normaliser() {
        for units in [HiddenUnits::Binary, HiddenUnits::Rectified] {
            let machine = machine(units, 10, 8);
            // Independent pixels that are not the machine's: the way is longer.
            let independent = Array1::from_elem(10, -0.5);
            let right = exact(&machine).unwrap();
            let z = |planted| {
                let found = annealed(&machine, &independent, 1, planted, &mut |_| true).unwrap();
                (found.value - right).abs() / found.error
            };
            assert!(z(Planted::default()) < 4.0, "{units:?}: z = {}", z(Planted::default()));
            let found = annealed(&machine, &independent, 1, Planted::default(), &mut |_| true).unwrap();
            assert!(found.error < 0.1, "{units:?}: {found:?}");
            let planted = annealed(&machine, &independent, 1, Planted { no_transitions: true }, &mut |_| true).unwrap();
            assert!(planted.error > 5.0 * found.error, "{units:?}: without transitions the weights spread: {planted:?}");
        }
    }
}
