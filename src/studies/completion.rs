//! Images of which a part is hidden, completed by the model: the hidden pixels are sampled with the others clamped (model.md 4).

use crate::dynamics::{Ensemble, EnsembleOptions, Probes, Span};
use crate::experiment::FrozenModel;
use crate::experiment::config::ConfigError;
use crate::experiment::parallel::run_all;
use crate::studies::generation::schedule::Schedule;
use ndarray::{Array2, ArrayView2};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use std::str::FromStr;

/// Networks of a block, each with its own random stream: results do not depend on the number of threads.
const BLOCK_ROWS: usize = 25;
/// Steps between two predictions that are averaged.
const SPACING: usize = 5;
/// Share of the steps after which the gain of the lowest coupling is 1 where it rises.
const AWAKE: f64 = 0.4;
/// Steps at least: one prediction after the burn-in.
pub const FEWEST_STEPS: usize = 2 * SPACING;
/// Steps at most.
pub const MOST_STEPS: usize = 1_000_000;

/// Which pixels are hidden.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mask {
    /// The lower half of the rows; the middle row stays where their number is odd.
    BottomHalf,
    /// The upper half.
    TopHalf,
    /// The left half of the columns.
    LeftHalf,
    /// The right half.
    RightHalf,
    /// Each pixel with this probability, in all images the same ones.
    Random(f64),
}

impl Mask {
    /// The names, as on the command line.
    pub const NAMES: &str = "bottom-half, top-half, left-half, right-half, random:SHARE with a share between 0 and 1";

    /// The pixels that are hidden in images of `[rows, columns]`, row by row.
    pub fn hidden(self, [rows, columns]: [usize; 2], seed: u64) -> Vec<bool> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut is_hidden = |row: usize, column: usize| match self {
            Self::BottomHalf => row >= rows.div_ceil(2),
            Self::TopHalf => row < rows / 2,
            Self::LeftHalf => column < columns / 2,
            Self::RightHalf => column >= columns.div_ceil(2),
            Self::Random(share) => rng.random_bool(share),
        };
        (0..rows * columns).map(|i| is_hidden(i / columns, i % columns)).collect()
    }
}

impl FromStr for Mask {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let share = |share: &str| share.parse().ok().filter(|share| *share > 0.0 && *share < 1.0).map(Self::Random);
        let named = match text {
            "bottom-half" => Some(Self::BottomHalf),
            "top-half" => Some(Self::TopHalf),
            "left-half" => Some(Self::LeftHalf),
            "right-half" => Some(Self::RightHalf),
            _ => text.strip_prefix("random:").and_then(share),
        };
        named.ok_or_else(|| format!("one of {} is needed", Self::NAMES))
    }
}

/// Completed images.
#[derive(Clone, Debug)]
pub struct Completions {
    /// Posterior means: E\[x_0 | x_1\] averaged over the second half of the steps where pixels were hidden, as given elsewhere,
    /// `[images, n_0]`.
    pub means: Array2<f32>,
    /// x_0 at the end, `[images, n_0]`: one draw each.
    pub samples: Array2<f32>,
    /// E\[x_0 | x_1\] at the end where pixels were hidden, as given elsewhere, `[images, n_0]`: the mean of that draw.
    pub last_means: Array2<f32>,
}

/// Mean squared errors over the hidden pixels of all images.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct CompletionErrors {
    /// Of the posterior means.
    pub mean: f64,
    /// Of one draw each.
    pub sample: f64,
    /// Of the posterior means put to 0 or 1, whichever is nearer: the share of wrong pixels where the images are binary.
    pub thresholded: f64,
}

impl CompletionErrors {
    /// Of posterior means and of draws, beside the whole images; `[images, n_0]` each.
    pub fn new(means: &Array2<f32>, samples: &Array2<f32>, images: ArrayView2<f32>, hidden: &[bool]) -> Self {
        let threshold = |value: f32| f32::from(u8::from(value >= 0.5));
        let error = |found: &Array2<f32>, shown: &dyn Fn(f32) -> f32| {
            let pixels = found.indexed_iter().filter(|((_, i), _)| hidden[*i]);
            let (sum, count) =
                pixels.fold((0.0, 0.0f64), |(sum, count), (at, value)| (sum + f64::from(shown(*value) - images[at]).powi(2), count + 1.0));
            sum / count.max(1.0)
        };
        Self { mean: error(means, &|value| value), sample: error(samples, &|value| value), thresholded: error(means, &threshold) }
    }
}

/// How the classes of completions differ from those of the originals, both by the same judge.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct ClassAgreement {
    /// Share of the completions that have the class of their original.
    pub same: f64,
    /// Kullback-Leibler divergence of the shares of the classes, originals from completions, nats; half an image is added to every class.
    pub divergence: f64,
}

/// Of the classes of each original and its completion; `classes` are all that there can be.
pub fn class_agreement(originals: &[u8], completed: &[u8], classes: &[u8]) -> ClassAgreement {
    let count = originals.len() as f64;
    let same = originals.iter().zip(completed).filter(|(a, b)| a == b).count() as f64 / count;
    let share = |all: &[u8], class: &u8| {
        let found = all.iter().filter(|one| *one == class).count() as f64;
        (found + 0.5) / (count + 0.5 * classes.len() as f64)
    };
    let divergence = classes.iter().map(|class| {
        let (p, q) = (share(originals, class), share(completed, class));
        p * (p / q).ln()
    });
    ClassAgreement { same, divergence: divergence.sum() }
}

/// Where completions start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompletionStart {
    /// Hidden pixels from noise, the layers above from the prior.
    Prior,
    /// The layers above at rest, hidden pixels at what these predict: all chains of an image at one place.
    Rest,
}

/// How images are completed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CompletionOptions {
    /// Where chains start.
    pub start: CompletionStart,
    /// Whether the gain of the lowest coupling rises from 0 to 1 on the way (model.md 10).
    pub schedule: Schedule,
    /// Steps, of which the first half is burn-in.
    pub steps: usize,
    /// Seed.
    pub seed: u64,
}

/// Completes `images`, `[images, n_0]`, by as many chains: the pixels of `hidden`, `[n_0]`, and the layers above move, all others are
/// clamped. `done` is told the steps that have passed. An error where shapes or steps do not fit, or a value becomes infinite.
pub fn complete(
    frozen: &FrozenModel,
    images: ArrayView2<f32>,
    hidden: &[bool],
    options: CompletionOptions,
    done: &mut dyn FnMut(usize),
) -> Result<Completions, ConfigError> {
    let CompletionOptions { start, schedule, steps, seed } = options;
    let (model, parameters) = (&*frozen.model, frozen.step_parameters());
    let (count, n) = images.dim();
    if n != model.layers[0].size || hidden.len() != n || !hidden.contains(&true) || count == 0 {
        return Err(ConfigError::Generation(format!("images and a mask of {} pixels are needed, with one hidden", model.layers[0].size)));
    }
    if !(FEWEST_STEPS..=MOST_STEPS).contains(&steps) {
        return Err(ConfigError::Generation(format!("steps = {steps} is out of range: {FEWEST_STEPS} to {MOST_STEPS}")));
    }
    let options = EnsembleOptions {
        block_rows: BLOCK_ROWS,
        interneurons: parameters.interneurons,
        seed: seed ^ 0x636f_6d70_6c65,
        active_layers: frozen.active_layers,
        learns: vec![false; model.depth()],
        tables: model.tables(),
        ..EnsembleOptions::new(model, count)
    };
    let mut networks = Ensemble::new(model, &options);
    networks.restart(model);
    networks.cool_adaptation(frozen.dynamics.temperature as f32);
    if start == CompletionStart::Prior {
        networks.draw_ancestral(model, 1, frozen.active_layers, 1.0, &run_all);
    }
    let predicted = networks.expected_observation(model, count);
    networks.set_states(model, 0, |image, row| {
        let pixels = images.row(image).into_iter().zip(predicted.row(image)).zip(hidden);
        row.iter_mut().zip(pixels).for_each(|(x, ((&value, &mean), &is_hidden))| *x = if is_hidden { mean } else { value });
    });
    if start == CompletionStart::Prior {
        networks.start_from_noise(model, hidden);
    }
    networks.free(hidden, 1, frozen.observed_step());
    let (mut means, mut averaged) = (Array2::<f32>::zeros((count, n)), 0.0f32);
    let mut passed = 0;
    // The model at the gain of the lowest coupling, and the steps that its stiffness asks for.
    let at_gain = |gain: f32| {
        let mut model = model.clone();
        model.weights[0] *= gain;
        (model, frozen.step_parameters_at(&[gain]))
    };
    while passed < steps {
        let gain = if schedule == Schedule::Woken { (passed as f64 / (AWAKE * steps as f64)).powi(2).min(1.0) } else { 1.0 };
        let woken = (gain < 1.0).then(|| at_gain(gain as f32));
        let (model, parameters) = woken.as_ref().map_or((model, &parameters), |(model, parameters)| (model, parameters));
        let span = Span { steps: SPACING.min(steps - passed), skip: 0, learn: false, last: false };
        networks.advance(model, parameters, span, &Probes::default(), &run_all);
        passed += span.steps;
        done(passed);
        if 2 * passed > steps {
            means += &networks.expected_observation(model, count);
            averaged += 1.0;
        }
    }
    if let Some(l) = (0..=model.depth()).find(|&l| !networks.is_finite(l)) {
        return Err(ConfigError::Generation(format!("completion diverged: x{l} is not finite")));
    }
    means.indexed_iter_mut().for_each(|((image, i), mean)| *mean = if hidden[i] { *mean / averaged } else { images[[image, i]] });
    let mut last_means = networks.expected_observation(model, count);
    last_means.indexed_iter_mut().filter(|((_, i), _)| !hidden[*i]).for_each(|(at, mean)| *mean = images[at]);
    Ok(Completions { means, samples: networks.state_matrix(0), last_means })
}
