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
    Turns::time(rounds, [&mut action]).ms()[0]
}

/// Milliseconds of actions that ran in turn, a list of them a round.
pub(super) struct Turns<const N: usize> {
    times: Vec<[f64; N]>,
}

/// Milliseconds of two actions that ran in turn.
pub(super) type Pair = Turns<2>;

impl<const N: usize> Turns<N> {
    /// `rounds` of each, after one that does not count; which begins changes from round to round.
    pub(super) fn time(rounds: usize, mut actions: [&mut dyn FnMut(); N]) -> Self {
        actions.iter_mut().for_each(|action| action());
        let round = |first: usize| {
            let mut times = [0.0; N];
            for turn in 0..N {
                let which = (first + turn) % N;
                times[which] = time_ms(&mut actions[which]);
            }
            times
        };
        Self { times: (0..rounds).map(round).collect() }
    }

    /// Median milliseconds of each.
    pub(super) fn ms(&self) -> [f64; N] {
        std::array::from_fn(|which| median(self.times.iter().map(|round| round[which]).collect()))
    }

    /// Median over rounds of what `of` makes of the times in a round.
    pub(super) fn median_of(&self, of: impl FnMut(&[f64; N]) -> f64) -> f64 {
        median(self.times.iter().map(of).collect())
    }
}

impl Pair {
    /// Median over rounds of the first over the second.
    pub(super) fn ratio(&self) -> f64 {
        self.median_of(|[a, b]| a / b)
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

    #[test]
    fn actions_run_in_turn_and_another_begins_in_every_round() {
        let order = std::cell::RefCell::new(String::new());
        let [mut a, mut b, mut c] = ['a', 'b', 'c'].map(|name| {
            let order = &order;
            move || order.borrow_mut().push(name)
        });
        let turns = Turns::time(3, [&mut a, &mut b, &mut c]);
        assert_eq!((turns.times.len(), order.borrow().as_str()), (3, "abcabcbcacab"));
    }
}
