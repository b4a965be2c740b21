//! What a lesson measures on the run that is shown, beside what theory says of it.

use crate::analysis::groups;
use crate::app::state::ViewState;
use crate::engine::Snapshot;
use crate::studies::generation::Mode;
use crate::studies::separation::{variance_by_steps, variance_levels};
use serde::Deserialize;

/// Samples of interneurons that a mean needs at least, and in how many batches of successive ones its error is estimated.
const SAMPLES: usize = 1000;
const BATCHES: usize = 20;

/// Simulated time in units of tau_x after which chains that started together have been in every arm of a posterior.
const MIXED: f64 = 100.0;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Measure {
    /// Variance of the first watched unit, beside that of the exact posterior (closed form 5.1).
    PosteriorVariance,
    /// Correlation of the two watched units, beside that of the exact density (closed form 5.6).
    PosteriorCorrelation,
    /// Ratio of the autocorrelation times of the race's first two samplers, beside theory (closed form 5.4).
    SpeedUp,
    /// Variance of the neuron, beside that of steps of this length with these interneurons (closed form 5.2).
    SlowInterneurons,
    /// Mean of <T(y)> less the mean of A'(eta), beside 0.
    GradientOfTheLogPartition,
    /// Share of filters that a Gabor function fits well, beside the least that learning has to reach.
    GaborShare,
    /// Share of second-layer units whose filters are alike in orientation beyond chance, beside the least that learning has to reach.
    GroupsOfFilters,
    /// How many times nearer to the data than at the beginning the images of joint chains are, beside the least that it has to be.
    Dreams,
}

/// What was expected.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Expected {
    /// This value.
    Exactly(f64),
    /// This value or more.
    AtLeast(f64),
}

/// A measured value beside what was expected.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Measured {
    /// What it is.
    pub(super) what: &'static str,
    pub(super) value: f64,
    /// Its standard error; 0 for a count.
    pub(super) error: f64,
    pub(super) expected: Expected,
}

impl Measured {
    /// Standard errors between measurement and theory; None where theory names a bound alone.
    pub(super) fn standard_errors(&self) -> Option<f64> {
        match self.expected {
            Expected::Exactly(value) => Some((self.value - value) / self.error.max(f64::MIN_POSITIVE)),
            Expected::AtLeast(_) => None,
        }
    }
}

impl Measure {
    /// Whether its theory is of continuous time, so that the length of a step adds to what is measured.
    pub(super) fn ignores_steps(self) -> bool {
        matches!(self, Self::PosteriorVariance | Self::PosteriorCorrelation | Self::SpeedUp)
    }

    /// What is measured now; None where there is too little yet, or no theory of it.
    pub(super) fn of(self, state: &ViewState, snapshot: &Snapshot) -> Option<Measured> {
        let found = match self {
            Self::PosteriorVariance => {
                let (value, error) = state.variance()?;
                let exact = variance_levels(&*snapshot.subject()?)?[0];
                Measured { what: "variance of the first neuron", value, error, expected: Expected::Exactly(exact) }
            }
            Self::PosteriorCorrelation => correlation(state, snapshot)?,
            Self::SpeedUp => speed_up(snapshot)?,
            Self::SlowInterneurons => {
                let d = &snapshot.config.dynamics;
                let (value, error) = state.variance()?;
                let exact = variance_by_steps(&*snapshot.subject()?, d.tau_eps_ms / d.tau_x_ms, d.interneurons)?;
                Measured { what: "variance of the neuron", value, error, expected: Expected::Exactly(exact) }
            }
            Self::GradientOfTheLogPartition => gradient(state)?,
            Self::GaborShare => {
                let value = state.fits.as_ref()?.summary().0;
                Measured { what: "share of Gabor-like filters", value, error: 0.0, expected: Expected::AtLeast(0.8) }
            }
            Self::GroupsOfFilters => {
                let groups = state.fits.as_ref().map(|fits| &fits.groups).filter(|groups| !groups.is_empty())?;
                let [value, _] = groups::shares(groups);
                let what = "share of second-layer neurons whose filters are alike in orientation";
                Measured { what, value, error: 0.0, expected: Expected::AtLeast(0.7) }
            }
            Self::Dreams => {
                let joint = snapshot.generation.as_ref()?.modes.iter().find(|result| result.mode == Mode::Joint)?;
                let [first, .., last] = joint.distances.as_slice() else { return None };
                let what = "Frechet distance of joint chains at the beginning over that now";
                Measured { what, value: first.means / last.means, error: 0.0, expected: Expected::AtLeast(4.0) }
            }
        };
        Some(found).filter(|found| found.value.is_finite() && found.error.is_finite())
    }
}

/// The correlation of the watched pair; its error is that of the mean over the networks of the product that makes it.
fn correlation(state: &ViewState, snapshot: &Snapshot) -> Option<Measured> {
    let exact = snapshot.exact_posterior.as_ref()?.covariance();
    let networks = snapshot.config.stimulus.batch;
    let draws = state.cloud.len() / networks.max(1);
    let is_early = snapshot.clock.time_ms < MIXED * snapshot.config.dynamics.tau_x_ms;
    if is_early || draws < 100 || networks < 8 || !state.cloud.len().is_multiple_of(networks) {
        return None; // the cloud holds whole steps, one position a network each
    }
    let count = state.cloud.len() as f64;
    let mean = [0, 1].map(|axis| state.cloud.iter().map(|p| f64::from(p[axis])).sum::<f64>() / count);
    let product = |p: &[f32; 2], [a, b]: [usize; 2]| (f64::from(p[a]) - mean[a]) * (f64::from(p[b]) - mean[b]);
    let moment = |axes: [usize; 2]| state.cloud.iter().map(|p| product(p, axes)).sum::<f64>() / count;
    let [xx, xy, yy] = [[0, 0], [0, 1], [1, 1]].map(moment);
    let value = xy / (xx * yy).sqrt();
    // The influence of each network on the correlation (the delta method).
    let mut influence = vec![0.0; networks];
    for (i, p) in state.cloud.iter().enumerate() {
        let [a, b] = [0, 1].map(|axis| (f64::from(p[axis]) - mean[axis]) / [xx, yy][axis].sqrt());
        influence[i % networks] += (a * b - 0.5 * value * (a * a + b * b)) / draws as f64;
    }
    let spread = influence.iter().map(|x| x * x).sum::<f64>() / (networks - 1) as f64;
    let theory = exact[[0, 1]] / (exact[[0, 0]] * exact[[1, 1]]).sqrt();
    let error = (spread / networks as f64).sqrt();
    Some(Measured { what: "correlation of the two neurons", value, error, expected: Expected::Exactly(theory) })
}

/// How much faster the second sampler of a race is than the first, in the direction that is slow without adaptation.
fn speed_up(snapshot: &Snapshot) -> Option<Measured> {
    let [plain, adapting, ..] = snapshot.race.as_ref()?.racers.as_slice() else { return None };
    let (before, after) = (plain.mixing.as_ref()?, adapting.mixing.as_ref()?);
    let slow = usize::from(before.autocorrelation_ms[1] > before.autocorrelation_ms[0]);
    let (long, short) = (before.autocorrelation_ms[slow], after.autocorrelation_ms[slow]);
    let value = long / short;
    let error = value * (before.error_ms[slow] / long).hypot(after.error_ms[slow] / short);
    let theory = plain.theory_ms?[slow] / adapting.theory_ms?[slow];
    Some(Measured { what: "autocorrelation time without adaptation over that with it", value, error, expected: Expected::Exactly(theory) })
}

/// The mean of what the interneurons below the first traced unit say, less that of what they should say.
fn gradient(state: &ViewState) -> Option<Measured> {
    let samples = state.interneurons.first().filter(|samples| samples.len() >= SAMPLES)?;
    let length = samples.len() / BATCHES;
    let off = |batch: usize| {
        samples.iter().skip(batch * length).take(length).map(|s| f64::from(s.sampled - s.exact)).sum::<f64>() / length as f64
    };
    let means: Vec<f64> = (0..BATCHES).map(off).collect();
    let value = means.iter().sum::<f64>() / BATCHES as f64;
    let spread = means.iter().map(|mean| (mean - value).powi(2)).sum::<f64>() / (BATCHES - 1) as f64;
    let error = (spread / BATCHES as f64).sqrt();
    Some(Measured { what: "mean of <T(y)> less A'(eta)", value, error, expected: Expected::Exactly(0.0) })
}
