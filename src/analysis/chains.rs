//! Diagnostics of Markov chains: effective sample size, integrated autocorrelation time, split R-hat, Monte Carlo error.
//!
//! Definitions and conventions: Geyer's initial monotone sequence (1992), over several chains and with rank normalisation as in
//! Vehtari, Gelman, Simpson, Carpenter and Burkner, "Rank-normalization, folding, and localization" (2021).

mod autocovariance;
mod diagnostics;
mod effective_size;
mod ranks;

pub use autocovariance::autocovariance;
pub use diagnostics::{Caution, Diagnoser, Diagnostics, FEWEST_DRAWS, diagnose, ranked_values};
pub use ranks::{Draw, NormalScores};

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
        assert_eq!((constant.ess_mean, constant.mcse), (120.0, 0.0));
        assert!(constant.r_hat.is_nan(), "nothing varies, so nothing can be said");
    }
}
