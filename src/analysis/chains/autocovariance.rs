//! Autocovariances by Fourier transform, as many lags as are asked for.

use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};
use std::sync::Arc;

/// Lags that are computed first.
const FIRST_LAGS: usize = 512;
/// By how much more lags are computed where those before did not suffice.
const GROWTH: usize = 8;
/// Length of a transform over the lags that it gives, where a chain is transformed piece by piece.
const PIECE: usize = 8;

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

/// Plans and room for transforms, used again from one scalar to the next.
pub(super) struct Transforms {
    planner: FftPlanner<f64>,
    piece: Vec<Complex<f64>>,
    ahead: Vec<Complex<f64>>,
    spectrum: Vec<Complex<f64>>,
    scratch: Vec<Complex<f64>>,
}

impl Transforms {
    pub(super) fn new() -> Self {
        Self { planner: FftPlanner::new(), piece: Vec::new(), ahead: Vec::new(), spectrum: Vec::new(), scratch: Vec::new() }
    }

    /// Transforms as the plan says, with scratch room that is kept.
    fn transform(plan: &Arc<dyn Fft<f64>>, values: &mut [Complex<f64>], scratch: &mut Vec<Complex<f64>>) {
        scratch.resize(plan.get_inplace_scratch_len(), Complex::default());
        plan.process_with_scratch(values, scratch);
    }

    /// The mean over chains of their biased autocovariances at lags 0 .. `lags` - 1. A chain is taken piece by piece, so that memory goes
    /// with the lags and not with its length, and two at once, one in the real and one in the imaginary part: in the product of
    /// conjugates the real part is the sum of both.
    fn mean_autocovariance<T: Copy + Into<f64>>(&mut self, chains: &[&[T]], means: &[f64], lags: usize) -> Vec<f64> {
        let n = chains[0].len();
        let whole = lags == n;
        let size = if whole { (2 * n).next_power_of_two() } else { PIECE * lags };
        let piece = if whole { n } else { size - lags };
        let (forward, inverse) = (self.planner.plan_fft_forward(size), self.planner.plan_fft_inverse(size));
        let Self { piece: at, ahead, spectrum, scratch, .. } = self;
        spectrum.clear();
        spectrum.resize(size, Complex::default());
        for (pair, centres) in chains.chunks(2).zip(means.chunks(2)) {
            for start in (0..n).step_by(piece) {
                load(at, size, pair, centres, start..n.min(start + piece));
                Self::transform(&forward, at, scratch);
                if whole {
                    spectrum.iter_mut().zip(at.iter()).for_each(|(sum, x)| sum.re += x.norm_sqr());
                } else {
                    load(ahead, size, pair, centres, start..n.min(start + size));
                    Self::transform(&forward, ahead, scratch);
                    spectrum.iter_mut().zip(at.iter().zip(ahead.iter())).for_each(|(sum, (x, y))| *sum += x.conj() * y);
                }
            }
        }
        Self::transform(&inverse, spectrum, scratch);
        let scale = 1.0 / (size as f64 * n as f64 * chains.len() as f64);
        spectrum[..lags].iter().map(|c| c.re * scale).collect()
    }
}

/// Puts part of one chain or of two, about their means, into a buffer of `size` numbers, and 0 behind them.
fn load<T: Copy + Into<f64>>(buffer: &mut Vec<Complex<f64>>, size: usize, pair: &[&[T]], centres: &[f64], part: std::ops::Range<usize>) {
    buffer.clear();
    let centred = |k: usize| pair[k][part.clone()].iter().map(move |&v| v.into() - centres[k]);
    if pair.len() == 2 {
        buffer.extend(centred(0).zip(centred(1)).map(|(re, im)| Complex::new(re, im)));
    } else {
        buffer.extend(centred(0).map(|re| Complex::new(re, 0.0)));
    }
    buffer.resize(size, Complex::default());
}

/// The mean over chains of one length of their biased autocovariances, about the mean of each chain; lags are computed as they are asked
/// for, since those of chains that mix are few.
pub(super) struct MeanAutocovariance<'a, T> {
    transforms: &'a mut Transforms,
    chains: &'a [&'a [T]],
    means: &'a [f64],
    known: Vec<f64>,
}

impl<'a, T: Copy + Into<f64>> MeanAutocovariance<'a, T> {
    pub(super) fn new(transforms: &'a mut Transforms, chains: &'a [&'a [T]], means: &'a [f64]) -> Self {
        Self { transforms, chains, means, known: Vec::new() }
    }

    /// At a lag below the length of the chains.
    pub(super) fn at(&mut self, lag: usize) -> f64 {
        if lag >= self.known.len() {
            if self.known.first() == Some(&0.0) {
                return 0.0; // nothing moves
            }
            let n = self.chains[0].len();
            let wanted = FIRST_LAGS.max(GROWTH * self.known.len()).max((lag + 1).next_power_of_two());
            // Near its length a chain is transformed as a whole, which is cheaper than in pieces.
            let lags = if 4 * wanted >= n { n } else { wanted };
            self.known = self.transforms.mean_autocovariance(self.chains, self.means, lags);
        }
        self.known[lag]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{SeedableRng, rngs::ChaCha8Rng};
    use rand_distr::{Distribution, StandardNormal};

    #[test]
    fn pieces_and_pairs_give_what_the_whole_chains_give() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for (count, n) in [(1, 9000), (2, 9000), (3, 10_001), (5, 40), (4, 2)] {
            let mut x = 0.0;
            let chains: Vec<Vec<f64>> = (0..count)
                .map(|k| {
                    let noise = std::iter::repeat_with(|| StandardNormal.sample(&mut rng));
                    noise.take(n).map(|e: f64| (x = 0.95 * x + e, x + 10.0 * k as f64).1).collect()
                })
                .collect();
            let views: Vec<&[f64]> = chains.iter().map(Vec::as_slice).collect();
            let means: Vec<f64> = chains.iter().map(|c| c.iter().sum::<f64>() / n as f64).collect();
            let direct = |lag: usize| {
                let one = |(c, m): (&Vec<f64>, &f64)| c.iter().zip(&c[lag..]).map(|(a, b)| (a - m) * (b - m)).sum::<f64>() / n as f64;
                chains.iter().zip(&means).map(one).sum::<f64>() / f64::from(count)
            };
            let mut transforms = Transforms::new();
            let mut mean = MeanAutocovariance::new(&mut transforms, &views, &means);
            for lag in [0, 1, 7, 39, 511, 512, 600, 4095, 4096, n - 1].into_iter().filter(|&lag| lag < n) {
                assert!((mean.at(lag) - direct(lag)).abs() < 1e-12 * direct(0), "{count} x {n}, lag {lag}");
            }
            // A planted bug: without the values ahead of a piece, lags that cross its end are missing.
            if n == 9000 {
                let short: f64 = (0..3584 - 500).map(|i| (chains[0][i] - means[0]) * (chains[0][i + 500] - means[0])).sum();
                assert!((short / n as f64 - direct(500)).abs() > 1e-6 * direct(0));
            }
        }
    }
}
