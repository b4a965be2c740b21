//! Everything that is known of one scalar over several chains.

use super::autocovariance::{MeanAutocovariance, Transforms};
use super::effective_size::effective_size;
use super::ranks::{Draw, NormalScores, Ranked};
use std::fmt;

/// Draws of a chain from which correlations are estimated, at least.
pub const FEWEST_DRAWS: usize = 4;
/// Draws that differ by less have no correlations that could be computed (the resolution of numpy.finfo, as ArviZ has it).
const RESOLUTION: f64 = 1e-15;

/// What is known of one scalar over several chains; NaN where it is not available.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Diagnostics {
    /// Mean over all draws.
    pub mean: f64,
    /// Standard deviation over all draws.
    pub sd: f64,
    /// Monte Carlo standard error of the mean, sd / sqrt(ess_mean).
    pub mcse: f64,
    /// Effective sample size of rank-normalised draws.
    pub ess_bulk: f64,
    /// Effective sample size for the mean.
    pub ess_mean: f64,
    /// Rank-normalised split R-hat, the larger of bulk and folded; infinite where every chain stands still and not all at one value. In
    /// JSON, which has no infinite numbers, it is then the text `Infinity`.
    #[serde(serialize_with = "number_or_infinity")]
    pub r_hat: f64,
    /// Integrated autocorrelation time, draws: all draws / ess_mean.
    pub autocorrelation_time: f64,
    /// Its standard error, draws (Sokal 1997: tau sqrt(2 (2 M + 1)/N), M the window).
    pub autocorrelation_error: f64,
}

fn number_or_infinity<S: serde::Serializer>(value: &f64, to: S) -> Result<S::Ok, S::Error> {
    if *value == f64::INFINITY { to.serialize_str("Infinity") } else { to.serialize_f64(*value) }
}

impl Default for Diagnostics {
    /// Nothing is available.
    fn default() -> Self {
        let [mean, sd, mcse, ess_bulk, ess_mean, r_hat, autocorrelation_time, autocorrelation_error] = [f64::NAN; 8];
        Self { mean, sd, mcse, ess_bulk, ess_mean, r_hat, autocorrelation_time, autocorrelation_error }
    }
}

/// Why some figures are not available, or what they hide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caution {
    /// A draw is not finite.
    NotFinite {
        /// Its chain, from 0.
        chain: usize,
        /// Its number in the chain, from 0.
        draw: usize,
    },
    /// Fewer than [`FEWEST_DRAWS`] draws a chain.
    FewDraws,
    /// All draws are the same.
    Constant,
    /// Every chain stands still, and not all of them at one value.
    FrozenApart,
    /// R-hat compares chains, and there is one.
    OneChain,
}

impl fmt::Display for Caution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFinite { chain, draw } => write!(f, "not available: draw {draw} of chain {chain} is not finite"),
            Self::FewDraws => write!(f, "fewer than {FEWEST_DRAWS} draws a chain: the rest is not available"),
            Self::Constant => write!(f, "all draws are the same: R-hat is not available"),
            Self::FrozenApart => write!(f, "not converged: every chain stands still, and not all at one value"),
            Self::OneChain => write!(f, "one chain: R-hat is not available"),
        }
    }
}

/// Diagnoses one scalar after the other; what they share is kept from one to the next.
pub struct Diagnoser<'a> {
    normal: &'a NormalScores,
    transforms: Transforms,
}

impl<'a> Diagnoser<'a> {
    /// For scalars that each have as many values as are ranked by `normal`: [`ranked_values`] of them.
    pub fn new(normal: &'a NormalScores) -> Self {
        Self { normal, transforms: Transforms::new() }
    }

    /// Diagnostics of one scalar, its values `[chains, draws]` chain after chain, and what is to be known beside them. Definitions and
    /// conventions are those of ArviZ (0.23).
    ///
    /// # Panics
    /// Where the number of values is another than `normal` was made for.
    pub fn diagnose<T: Draw>(&mut self, values: &[T], draws: usize) -> (Diagnostics, Option<Caution>) {
        let mut found = Diagnostics::default();
        if let Some(at) = values.iter().position(|v| !v.is_usable()) {
            return (found, Some(Caution::NotFinite { chain: at / draws, draw: at % draws }));
        }
        found.mean = mean(values);
        found.sd = variance(values, found.mean).sqrt();
        if draws < FEWEST_DRAWS {
            return (found, Some(Caution::FewDraws));
        }
        let halves = halves(values, draws);
        let (count, n) = (halves.len(), halves[0].len());
        let used = count * n;
        assert_eq!(used, self.normal.total(), "values that are ranked");
        let ranked = Ranked::new(halves.iter().flat_map(|half| half.iter().copied()));
        let scores = ranked.scores(self.normal);
        let scores: Vec<&[f64]> = scores.chunks_exact(n).collect();
        let spreads = |chains: &[&[f64]]| -> Vec<[f64; 2]> { chains.iter().map(|c| spread(c)).collect() };
        let folded = self.folded(&ranked, [count, n]);
        let range = ranked.range();
        drop(ranked);
        let (ess_mean, window) = if range < RESOLUTION { (used as f64, 0) } else { self.size(&halves) };
        found.ess_mean = ess_mean;
        found.ess_bulk = if range == 0.0 { used as f64 } else { self.size(&scores).0 };
        if count > 2 {
            // NaN, where all are at one distance from the median, is no larger one.
            found.r_hat = potential_scale_reduction(&spreads(&scores), n).max(potential_scale_reduction(&folded, n));
        }
        found.mcse = found.sd / ess_mean.sqrt();
        found.autocorrelation_time = used as f64 / ess_mean;
        found.autocorrelation_error = found.autocorrelation_time * (2.0 * (2.0 * window as f64 + 1.0) / used as f64).sqrt();
        let caution = match found.r_hat {
            _ if range == 0.0 => Some(Caution::Constant),
            f64::INFINITY => Some(Caution::FrozenApart),
            _ if count == 2 => Some(Caution::OneChain),
            _ => None,
        };
        (found, caution)
    }

    fn size<T: Draw>(&mut self, chains: &[&[T]]) -> (f64, usize) {
        let means: Vec<f64> = chains.iter().map(|c| mean(c)).collect();
        let between = variance(&means, mean(&means));
        let mut covariance = MeanAutocovariance::new(&mut self.transforms, chains, &means);
        effective_size(&mut covariance, [chains.len(), chains[0].len()], between)
    }

    /// Mean and variance in each half chain of the scores of distances from the median.
    fn folded<T: Draw>(&self, ranked: &Ranked<T>, [count, n]: [usize; 2]) -> Vec<[f64; 2]> {
        // Sums of the differences from the first score that came: exactly 0 where the half stands still.
        let mut sums = vec![(f64::NAN, 0.0, 0.0); count];
        ranked.folded_scores(self.normal, |place, score| {
            let (origin, sum, squares) = &mut sums[place as usize / n];
            if origin.is_nan() {
                *origin = score;
            }
            let apart = score - *origin;
            *sum += apart;
            *squares += apart * apart;
        });
        let n = n as f64;
        sums.into_iter().map(|(origin, sum, squares)| [origin + sum / n, (squares - sum * sum / n).max(0.0) / (n - 1.0)]).collect()
    }
}

/// Values of a scalar that are ranked: those of two halves of each chain.
pub fn ranked_values(chains: usize, draws: usize) -> usize {
    2 * chains * (draws / 2)
}

/// Diagnostics of chains of equal length, at least 4 draws each; None for fewer, or for values that are not finite.
pub fn diagnose(chains: &[Vec<f64>]) -> Option<Diagnostics> {
    let draws = chains.first()?.len();
    if draws < FEWEST_DRAWS || chains.iter().any(|c| c.len() != draws || c.iter().any(|v| !v.is_finite())) {
        return None;
    }
    let normal = NormalScores::of(ranked_values(chains.len(), draws));
    Some(Diagnoser::new(&normal).diagnose(&chains.concat(), draws).0)
}

/// First and second half of each chain; a middle draw is left out.
fn halves<T>(values: &[T], draws: usize) -> Vec<&[T]> {
    let half = draws / 2;
    values.chunks_exact(draws).flat_map(|chain| [&chain[..half], &chain[draws - half..]]).collect()
}

/// The mean; exactly the value where all are the same.
fn mean<T: Draw>(values: &[T]) -> f64 {
    let Some(&first) = values.first() else { return f64::NAN };
    let first = first.into();
    first + values.iter().map(|&v| v.into() - first).sum::<f64>() / values.len() as f64
}

/// The unbiased variance; NaN of fewer than two values.
fn variance<T: Draw>(values: &[T], mean: f64) -> f64 {
    let sum: f64 = values.iter().map(|&v| (v.into() - mean).powi(2)).sum();
    if values.len() < 2 { f64::NAN } else { sum / (values.len() as f64 - 1.0) }
}

/// Mean and variance.
fn spread(values: &[f64]) -> [f64; 2] {
    let mean = mean(values);
    [mean, variance(values, mean)]
}

/// R-hat of chains of `n` draws with these means and variances: the root of pooled over within variance. Infinite where nothing varies
/// within any chain and the chains differ, NaN where nothing varies at all.
fn potential_scale_reduction(spreads: &[[f64; 2]], n: usize) -> f64 {
    let [means, variances]: [Vec<f64>; 2] = [0, 1].map(|k| spreads.iter().map(|spread| spread[k]).collect());
    let (n, within, between) = (n as f64, mean(&variances), variance(&means, mean(&means)));
    (between / within + (n - 1.0) / n).sqrt()
}
