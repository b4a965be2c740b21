//! Mean and spread of the freed pixels over networks and time: running sums, with which a step allocates nothing (model.md 4).

/// How much has been counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CompletionCounters {
    /// Steps of the burn-in.
    pub burn_in: u64,
    /// Steps since the start.
    pub steps: u64,
    /// Steps in the sums.
    pub summed: u64,
}

/// Sums over the networks of a block and over steps; those of the burn-in are forgotten at its end.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Completions {
    /// Indices of the freed pixels, ascending.
    pixels: Vec<usize>,
    /// Sums of x and of x^2 of each of them.
    sums: Vec<[f64; 2]>,
    burn_in: u64,
    /// Steps since the start.
    steps: u64,
    /// Draws in the sums: steps times networks.
    draws: u64,
}

impl Completions {
    /// Counts the pixels of `free`, `[n_0]`, after `burn_in` steps.
    pub fn new(free: &[bool], burn_in: u64) -> Self {
        let pixels: Vec<usize> = (0..free.len()).filter(|&i| free[i]).collect();
        Self { sums: vec![[0.0; 2]; pixels.len()], pixels, burn_in, steps: 0, draws: 0 }
    }

    /// The same with what `networks` networks have counted so far: sums of x and of x^2 of each freed pixel, `[pixels, 2]`.
    pub fn restored(free: &[bool], networks: usize, counters: CompletionCounters, sums: &[f64]) -> Self {
        let CompletionCounters { burn_in, steps, summed } = counters;
        let mut restored = Self { steps, draws: summed.saturating_mul(networks as u64), ..Self::new(free, burn_in) };
        restored.sums.iter_mut().zip(sums.chunks_exact(2)).for_each(|(own, sums)| *own = [sums[0], sums[1]]);
        restored
    }

    /// How much `networks` networks have counted so far.
    pub fn counters(&self, networks: usize) -> CompletionCounters {
        CompletionCounters { burn_in: self.burn_in, steps: self.steps, summed: self.draws / (networks as u64).max(1) }
    }

    /// Sums of x and of x^2 of each freed pixel, `[pixels, 2]` row by row.
    pub fn sums(&self) -> Vec<f64> {
        self.sums.as_flattened().to_vec()
    }

    /// Counts x_0 of every network after a step, `[networks, units]`.
    pub fn add(&mut self, x: &[f32], units: usize) {
        if self.steps == self.burn_in {
            self.sums.fill([0.0; 2]); // states of the burn-in are no samples
            self.draws = 0;
        }
        for row in x.chunks_exact(units) {
            for (sums, &i) in self.sums.iter_mut().zip(&self.pixels) {
                let x = f64::from(row[i]);
                sums[0] += x;
                sums[1] += x * x;
            }
            self.draws += 1;
        }
        self.steps += 1;
    }

    /// Starts anew, burn-in included, because the distribution has changed.
    pub fn restart(&mut self) {
        self.sums.fill([0.0; 2]);
        (self.steps, self.draws) = (0, 0);
    }

    /// Steps after the burn-in; 0 while it lasts.
    pub fn settled_steps(&self) -> u64 {
        self.steps.saturating_sub(self.burn_in)
    }

    /// Adds the sums of another block's networks.
    pub fn merge(&mut self, other: &Self) {
        for (sums, more) in self.sums.iter_mut().zip(&other.sums) {
            sums[0] += more[0];
            sums[1] += more[1];
        }
        self.draws += other.draws;
    }

    /// Pixel, mean and standard deviation of each freed pixel; while the burn-in lasts, of what there is so far. Nothing before a step.
    pub fn moments(&self) -> impl Iterator<Item = (usize, f32, f32)> + '_ {
        let n = self.draws.max(1) as f64;
        self.pixels.iter().zip(&self.sums).filter(|_| self.draws > 0).map(move |(&i, sums)| {
            let mean = sums[0] / n;
            (i, mean as f32, (sums[1] / n - mean * mean).max(0.0).sqrt() as f32)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn freed_pixels_of_all_networks_are_counted_after_the_burn_in() {
        let mut one = Completions::new(&[false, true, true], 2);
        assert_eq!(one.moments().count(), 0);
        one.add(&[9.0, 100.0, 100.0], 3);
        assert_eq!((one.settled_steps(), one.moments().next()), (0, Some((1, 100.0, 0.0))), "shown while it settles");
        one.add(&[9.0, 100.0, 100.0], 3);
        one.add(&[9.0, 1.0, 5.0], 3);
        one.add(&[9.0, 3.0, 5.0], 3);
        assert_eq!(one.settled_steps(), 2);
        assert_eq!(one.moments().collect::<Vec<_>>(), [(1, 2.0, 1.0), (2, 5.0, 0.0)]);
        let mut both = Completions::new(&[false, true, true], 0);
        both.add(&[9.0, 2.0, 8.0, 9.0, 2.0, 8.0], 3); // two networks
        both.merge(&one);
        assert_eq!(both.moments().map(|(_, mean, _)| mean).collect::<Vec<_>>(), [2.0, 6.5]);
        both.restart();
        assert_eq!((both.settled_steps(), both.moments().count()), (0, 0));
    }
}
