//! Effective sample size by Geyer's initial monotone sequence.

use super::autocovariance::MeanAutocovariance;

/// The effective sample size of `count` chains of `n` draws, and the largest lag that it uses. `between`: variance of the chains' means.
/// NaN where the draws do not vary.
pub(super) fn effective_size<T: Copy + Into<f64>>(
    covariance: &mut MeanAutocovariance<T>,
    [count, n]: [usize; 2],
    between: f64,
) -> (f64, usize) {
    let total = (count * n) as f64;
    let average = covariance.at(0);
    let (within, pooled) = (average * n as f64 / (n as f64 - 1.0), average + between);
    if pooled.is_nan() || pooled <= 0.0 {
        return (f64::NAN, 0);
    }
    let mut correlation = |lag: usize| 1.0 - (within - covariance.at(lag)) / pooled;
    // Sums of neighbouring correlations are positive and fall for a reversible chain: where they stop doing so, noise begins.
    let mut rho = vec![1.0, correlation(1)];
    let (mut even, mut odd) = (rho[0], rho[1]);
    let mut lag = 1;
    while lag + 3 < n && even + odd > 0.0 {
        (even, odd) = (correlation(lag + 1), correlation(lag + 2));
        rho.extend(if even + odd >= 0.0 { [even, odd] } else { [0.0, 0.0] });
        lag += 2;
    }
    // Whole pairs before the one at which the sequence has ended: none where the first sum is not positive, as in chains that alternate.
    let terms = lag - 1;
    if even > 0.0 {
        rho[terms] = even;
    }
    let mut t = 1;
    while t + 3 <= terms {
        if rho[t + 1] + rho[t + 2] > rho[t - 1] + rho[t] {
            rho[t + 1] = 0.5 * (rho[t - 1] + rho[t]);
            rho[t + 2] = rho[t + 1];
        }
        t += 2;
    }
    let tau = -1.0 + 2.0 * rho[..terms].iter().sum::<f64>() + rho[terms];
    (total / tau.max(1.0 / total.log10()), terms)
}
