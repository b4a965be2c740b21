//! Medians of timed rounds; what is compared runs in turn, so that a busy machine slows both sides alike.

use std::time::Instant;

/// Milliseconds that `action` takes.
pub(super) fn time_ms(mut action: impl FnMut()) -> f64 {
    let start = Instant::now();
    action();
    start.elapsed().as_secs_f64() * 1e3
}

/// The middle one, or the mean of the two in the middle; NaN of none.
pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        n => 0.5 * (values[(n - 1) / 2] + values[n / 2]),
    }
}

/// Median milliseconds of `action` over `rounds`, after one that does not count.
pub(super) fn median_ms(rounds: usize, mut action: impl FnMut()) -> f64 {
    action();
    median((0..rounds).map(|_| time_ms(&mut action)).collect())
}

/// Milliseconds of two actions that ran in turn.
pub(super) struct Pair {
    times: Vec<[f64; 2]>,
}

impl Pair {
    /// `rounds` of each, after one that does not count; who begins changes from round to round.
    pub(super) fn time(rounds: usize, mut a: impl FnMut(), mut b: impl FnMut()) -> Self {
        a();
        b();
        let round = |i: usize| match i % 2 {
            0 => [time_ms(&mut a), time_ms(&mut b)],
            _ => {
                let second = time_ms(&mut b);
                [time_ms(&mut a), second]
            }
        };
        Self { times: (0..rounds).map(round).collect() }
    }

    /// Median milliseconds of each.
    pub(super) fn ms(&self) -> [f64; 2] {
        [0, 1].map(|side| median(self.times.iter().map(|pair| pair[side]).collect()))
    }

    /// Median over rounds of the first over the second.
    pub(super) fn ratio(&self) -> f64 {
        median(self.times.iter().map(|[a, b]| a / b).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle_and_the_ratio_is_taken_within_rounds() {
        assert_eq!(median(vec![5.0, 1.0, 3.0]), 3.0);
        assert_eq!(median(vec![4.0, 1.0, 3.0, 2.0]), 2.5);
        assert!(median(Vec::new()).is_nan());
        let pair = Pair { times: vec![[1.0, 2.0], [100.0, 200.0], [3.0, 2.0]] };
        assert_eq!((pair.ms(), pair.ratio()), ([3.0, 2.0], 0.5));
    }
}
