//! Diagnostics of Markov chains: effective sample size, integrated autocorrelation time, split R-hat, Monte Carlo error.
//!
//! Definitions and conventions: Geyer's initial monotone sequence (1992), over several chains and with rank normalisation as in
//! Vehtari, Gelman, Simpson, Carpenter and Burkner, "Rank-normalization, folding, and localization" (2021).

use rustfft::FftPlanner;
use rustfft::num_complex::Complex;
use statrs::distribution::{ContinuousCDF, Normal};

/// What is known of one scalar over several chains.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
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
    /// Rank-normalised split R-hat, the larger of bulk and folded.
    pub r_hat: f64,
    /// Integrated autocorrelation time, draws: all draws / ess_mean.
    pub autocorrelation_time: f64,
    /// Its standard error, draws (Sokal 1997: tau sqrt(2 (2 M + 1)/N), M the window).
    pub autocorrelation_error: f64,
}

/// Diagnostics of chains of equal length, at least 4 draws each; None for fewer, or for values that are not finite.
pub fn diagnose(chains: &[Vec<f64>]) -> Option<Diagnostics> {
    let draws = chains.first()?.len();
    if draws < 4 || chains.iter().any(|c| c.len() != draws || c.iter().any(|v| !v.is_finite())) {
        return None;
    }
    let all = (chains.len() * draws) as f64;
    let mean = chains.iter().flatten().sum::<f64>() / all;
    let sd = (chains.iter().flatten().map(|v| (v - mean).powi(2)).sum::<f64>() / (all - 1.0)).sqrt();
    let halves = split(chains);
    let (ess_mean, window) = effective_size(&halves);
    let (ess_bulk, _) = effective_size(&rank_normalised(&halves));
    let mut sorted: Vec<f64> = halves.iter().flatten().copied().collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let median = 0.5 * (sorted[sorted.len() / 2] + sorted[(sorted.len() - 1) / 2]);
    let folded: Vec<Vec<f64>> = halves.iter().map(|c| c.iter().map(|v| (v - median).abs()).collect()).collect();
    let r_hat = potential_scale_reduction(&rank_normalised(&halves)).max(potential_scale_reduction(&rank_normalised(&folded)));
    let used = (halves.len() * halves[0].len()) as f64;
    let tau = used / ess_mean;
    Some(Diagnostics {
        mean,
        sd,
        mcse: sd / ess_mean.sqrt(),
        ess_bulk,
        ess_mean,
        r_hat,
        autocorrelation_time: tau,
        autocorrelation_error: tau * (2.0 * (2.0 * window as f64 + 1.0) / used).sqrt(),
    })
}

/// Integrated autocorrelation time in draws and its standard error, by a window like Sokal's (1997): the sum of
/// the correlations up to the first lag M of at least 4 times the sum of their sizes. Adaptation makes chains ring, with negative correlations that belong to the sum; Geyer's
/// sequence stops before them and would hide what they gain. The chains are taken to share one mean.
pub fn windowed_autocorrelation_time(chains: &[Vec<f64>]) -> Option<(f64, f64)> {
    let n = chains.first()?.len();
    if n < 4 || chains.iter().any(|c| c.len() != n || c.iter().any(|v| !v.is_finite())) {
        return None;
    }
    let all = (chains.len() * n) as f64;
    let mean = chains.iter().flatten().sum::<f64>() / all;
    let mut sums = vec![0.0; n];
    for chain in chains {
        let own = chain.iter().sum::<f64>() / n as f64;
        // Autocovariance about the chain's own mean, moved to the mean of all.
        autocovariance(chain).iter().zip(&mut sums).for_each(|(c, sum)| *sum += c + (own - mean).powi(2));
    }
    if sums[0] <= 0.0 {
        return None;
    }
    let (mut tau, mut sizes) = (1.0, 1.0);
    for lag in 1..n / 2 {
        tau += 2.0 * sums[lag] / sums[0];
        sizes += 2.0 * (sums[lag] / sums[0]).abs();
        if lag as f64 >= 4.0 * sizes {
            return Some((tau, tau * (2.0 * (2.0 * lag as f64 + 1.0) / all).sqrt()));
        }
    }
    None // the chains are too short to say
}

/// First and second half of each chain; a middle draw is left out.
fn split(chains: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let half = chains[0].len() / 2;
    chains.iter().map(|c| c[..half].to_vec()).chain(chains.iter().map(|c| c[c.len() - half..].to_vec())).collect()
}

/// Biased autocovariances (divided by the length) at lags 0 .. length - 1, by Fourier transform.
pub fn autocovariance(values: &[f64]) -> Vec<f64> {
    let n = values.len();
    let size = (2 * n).next_power_of_two();
    let mean = values.iter().sum::<f64>() / n.max(1) as f64;
    let mut buffer: Vec<Complex<f64>> = values.iter().map(|v| Complex::new(v - mean, 0.0)).collect();
    buffer.resize(size, Complex::default());
    let mut planner = FftPlanner::new();
    planner.plan_fft_forward(size).process(&mut buffer);
    buffer.iter_mut().for_each(|c| *c = Complex::new(c.norm_sqr(), 0.0));
    planner.plan_fft_inverse(size).process(&mut buffer);
    buffer[..n].iter().map(|c| c.re / (size * n) as f64).collect()
}

/// Effective sample size by Geyer's initial monotone sequence over chains, and the largest lag that it uses.
fn effective_size(chains: &[Vec<f64>]) -> (f64, usize) {
    let (count, n) = (chains.len() as f64, chains[0].len());
    let total = count * n as f64;
    let (low, high) = chains.iter().flatten().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &v| (l.min(v), h.max(v)));
    if high - low < 1e-15 || n < 4 {
        return (total, 0);
    }
    let covariances: Vec<Vec<f64>> = chains.iter().map(|c| autocovariance(c)).collect();
    let average = |lag: usize| covariances.iter().map(|c| c[lag]).sum::<f64>() / count;
    let within = average(0) * n as f64 / (n as f64 - 1.0);
    let pooled = average(0) + if chains.len() > 1 { variance_of_means(chains) } else { 0.0 };
    let correlation = |lag: usize| 1.0 - (within - average(lag)) / pooled;
    // Sums of neighbouring correlations are positive and fall for a reversible chain: where they stop doing so, noise begins.
    let mut rho = vec![1.0, correlation(1)];
    let mut last = [1.0, rho[1]];
    let mut lag = 1;
    while lag < n - 3 && last[0] + last[1] > 0.0 {
        last = [correlation(lag + 1), correlation(lag + 2)];
        rho.extend(if last[0] + last[1] >= 0.0 { last } else { [0.0, 0.0] });
        lag += 2;
    }
    let end = lag.saturating_sub(2);
    if last[0] > 0.0 && end + 1 < rho.len() {
        rho[end + 1] = last[0];
    }
    let mut t = 1;
    while t + 2 <= end {
        if rho[t + 1] + rho[t + 2] > rho[t - 1] + rho[t] {
            rho[t + 1] = 0.5 * (rho[t - 1] + rho[t]);
            rho[t + 2] = rho[t + 1];
        }
        t += 2;
    }
    let tau = -1.0 + 2.0 * rho[..=end].iter().sum::<f64>() + rho.get(end + 1).copied().unwrap_or(0.0);
    (total / tau.max(1.0 / total.log10()), end + 1)
}

fn variance_of_means(chains: &[Vec<f64>]) -> f64 {
    let means: Vec<f64> = chains.iter().map(|c| c.iter().sum::<f64>() / c.len() as f64).collect();
    let centre = means.iter().sum::<f64>() / means.len() as f64;
    means.iter().map(|m| (m - centre).powi(2)).sum::<f64>() / (means.len() as f64 - 1.0)
}

/// R-hat: the root of pooled over within variance; 1 where nothing varies.
fn potential_scale_reduction(chains: &[Vec<f64>]) -> f64 {
    let n = chains[0].len() as f64;
    let variance = |c: &Vec<f64>| {
        let mean = c.iter().sum::<f64>() / n;
        c.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0)
    };
    let within = chains.iter().map(variance).sum::<f64>() / chains.len() as f64;
    let between = variance_of_means(chains);
    if within > 0.0 { (between / within + (n - 1.0) / n).sqrt() } else { 1.0 }
}

/// Each value replaced by the normal quantile of its rank (ties share the mean rank; Blom's offset 3/8).
fn rank_normalised(chains: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let n = chains[0].len();
    let values: Vec<f64> = chains.iter().flatten().copied().collect();
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|&a, &b| values[a].total_cmp(&values[b]));
    let normal = Normal::standard();
    let mut scores = vec![0.0; values.len()];
    let mut first = 0;
    while first < order.len() {
        let mut last = first;
        while last + 1 < order.len() && values[order[last + 1]] == values[order[first]] {
            last += 1;
        }
        let rank = 0.5 * (first + last) as f64 + 1.0;
        let score = normal.inverse_cdf((rank - 0.375) / (values.len() as f64 + 0.25));
        order[first..=last].iter().for_each(|&i| scores[i] = score);
        first = last + 1;
    }
    scores.chunks_exact(n).map(<[f64]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A generator that any language can repeat: Knuth's 64-bit linear congruence, top 53 bits; the sum of twelve less six.
    struct Congruence(u64);

    impl Congruence {
        fn normal(&mut self) -> f64 {
            (0..12)
                .map(|_| {
                    self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    (self.0 >> 11) as f64 / (1u64 << 53) as f64
                })
                .sum::<f64>()
                - 6.0
        }
    }

    fn chains(kind: &str, count: usize, draws: usize) -> Vec<Vec<f64>> {
        let mut random = Congruence(7);
        (0..count)
            .map(|k| {
                let mut x = random.normal();
                (0..draws)
                    .map(|_| {
                        let e = random.normal();
                        x = match kind {
                            "white" => e,
                            "ar1" => 0.9 * x + (1.0f64 - 0.81).sqrt() * e,
                            "apart" => 0.5 * x + 0.75f64.sqrt() * e,
                            _ => 0.7 * x + e.powi(3),
                        };
                        x + if kind == "apart" && k % 2 == 1 { 3.0 } else { 0.0 }
                    })
                    .collect()
            })
            .collect()
    }

    #[test]
    fn agrees_with_arviz() {
        // ArviZ 0.23.4 on these chains: ess(method="bulk"), ess(method="mean"), rhat, mcse, mean, std(ddof=1).
        for (kind, count, draws, recorded) in [
            (
                "white",
                4,
                500,
                [2108.968616336148, 2105.10690108859, 1.0006579686589485, 0.022013340005168615, 0.010737990151216912, 1.0100038261155915],
            ),
            (
                "ar1",
                4,
                1000,
                [225.2388065792863, 224.83807055656857, 1.0156014499677795, 0.06584036129654562, 0.09984833367697377, 0.9872499723820651],
            ),
            (
                "apart",
                2,
                400,
                [3.095427895141926, 2.739197604693948, 1.7662665877404153, 1.1413369641772948, 1.5924352443789829, 1.8889721914275952],
            ),
            (
                "heavy",
                3,
                333,
                [156.23508547572868, 170.8580351000288, 1.02783674929969, 0.43470002413239517, 0.7557893689810358, 5.682080315041931],
            ),
        ] {
            let d = diagnose(&chains(kind, count, draws)).unwrap();
            for (found, expected) in [d.ess_bulk, d.ess_mean, d.r_hat, d.mcse, d.mean, d.sd].into_iter().zip(recorded) {
                assert!((found - expected).abs() < 1e-6 * expected.abs(), "{kind}: {found} against {expected}");
            }
        }
    }

    #[test]
    fn the_error_bar_covers_the_known_autocorrelation_time() {
        let d = diagnose(&chains("ar1", 16, 20_000)).unwrap();
        let known = (1.0 + 0.9) / (1.0 - 0.9);
        let z = (d.autocorrelation_time - known) / d.autocorrelation_error;
        assert!(z.abs() < 4.0 && d.autocorrelation_error < 0.05 * known, "{} +- {}", d.autocorrelation_time, d.autocorrelation_error);
        let white = diagnose(&chains("white", 16, 20_000)).unwrap();
        assert!((white.autocorrelation_time - known).abs() > 4.0 * d.autocorrelation_error, "another chain is told apart");
    }

    #[test]
    fn windowed_time_counts_the_negative_lobes_of_a_ringing_chain() {
        // x_t = 2 r cos(a) x_(t-1) - r^2 x_(t-2) + e: tau = spectrum at 0 over variance.
        let (r, angle) = (0.95f64, 0.3f64);
        let (a, b) = (2.0 * r * angle.cos(), -r * r);
        let variance = (1.0 - b) / ((1.0 + b) * ((1.0 - b).powi(2) - a * a));
        let known = 1.0 / (1.0 - a - b).powi(2) / variance;
        let mut random = Congruence(3);
        let chains: Vec<Vec<f64>> = (0..64)
            .map(|_| {
                let (mut x, mut before) = (0.0, 0.0);
                let mut step = || {
                    (x, before) = (a * x + b * before + random.normal(), x);
                    x
                };
                (0..300).for_each(|_| {
                    step();
                });
                (0..4000).map(|_| step()).collect()
            })
            .collect();
        let (tau, error) = windowed_autocorrelation_time(&chains).unwrap();
        assert!((tau - known).abs() < 4.0 * error, "{tau} +- {error}, known {known}");
        let geyer = diagnose(&chains).unwrap().autocorrelation_time;
        assert!((geyer - known).abs() > 4.0 * error, "a sum that stops at the first negative lobe is told apart: {geyer}");
        assert!(windowed_autocorrelation_time(&[vec![1.0; 50]]).is_none());
    }

    #[test]
    fn degenerate_chains_are_answered() {
        assert!(diagnose(&[]).is_none() && diagnose(&[vec![1.0; 3]]).is_none());
        assert!(diagnose(&[vec![1.0, f64::NAN, 2.0, 3.0, 4.0]]).is_none());
        let constant = diagnose(&vec![vec![2.5; 40]; 3]).unwrap();
        assert_eq!((constant.ess_mean, constant.r_hat), (120.0, 1.0));
    }
}
