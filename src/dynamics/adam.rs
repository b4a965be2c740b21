//! Adam (Kingma and Ba 2015) as a local rule: every weight scales its own change by its own moments (model.md 8).

/// Decay of the first and the second moment.
const DECAY: [f32; 2] = [0.9, 0.999];
const EPSILON: f32 = 1e-8;

/// Running moments of the changes of one array of weights.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Moments {
    /// Mean of the gradient.
    pub first: Vec<f32>,
    /// Mean of its square.
    pub second: Vec<f32>,
    /// Updates so far.
    pub count: u64,
}

impl Moments {
    /// Moments of `count` weights before the first update.
    pub fn zeros(count: usize) -> Self {
        Self { first: vec![0.0; count], second: vec![0.0; count], count: 0 }
    }

    /// Begins the next update of `count` weights: its constants, and both moments. Sized at the first call.
    pub fn begin(&mut self, count: usize, rate: f64) -> (Step, &mut [f32], &mut [f32]) {
        if self.first.len() != count {
            *self = Self::zeros(count);
        }
        self.count = self.count.saturating_add(1);
        let power = i32::try_from(self.count.min(1_000_000)).unwrap_or(i32::MAX);
        let correction = DECAY.map(|decay| 1.0 - f64::from(decay).powi(power));
        let step = Step { rate: (rate / correction[0]) as f32, scale: (1.0 / correction[1]) as f32 };
        (step, &mut self.first, &mut self.second)
    }

    /// Column i of the weights, stored row by row, was divided by `gains[i]`: gradients are multiplied by it.
    pub fn rescale_columns(&mut self, gains: &[f32]) {
        for row in self.first.chunks_exact_mut(gains.len()) {
            row.iter_mut().zip(gains).for_each(|(m, g)| *m *= g);
        }
        for row in self.second.chunks_exact_mut(gains.len()) {
            row.iter_mut().zip(gains).for_each(|(m, g)| *m *= g * g);
        }
    }
}

/// The constants of one update: both moments start at 0, which these correct.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    rate: f32,
    scale: f32,
}

impl Step {
    /// w <- w + rate m1/(sqrt(m2) + 1e-8) of any piece of the weights, with the same piece of the gradient and of both moments.
    pub fn ascend(self, weights: &mut [f32], gradient: &[f32], first: &mut [f32], second: &mut [f32]) {
        update(weights, gradient, first, second, self.rate, self.scale);
    }
}

#[multiversion::multiversion(targets("x86_64+avx512f+avx512dq+avx512vl+avx512bw+avx2+avx", "x86_64+avx2+avx"))]
fn update(weights: &mut [f32], gradient: &[f32], first: &mut [f32], second: &mut [f32], step: f32, scale: f32) {
    let n = weights.len();
    let (gradient, first, second) = (&gradient[..n], &mut first[..n], &mut second[..n]);
    for i in 0..n {
        let g = gradient[i];
        first[i] += (1.0 - DECAY[0]) * (g - first[i]);
        second[i] += (1.0 - DECAY[1]) * (g * g - second[i]);
        weights[i] += step * first[i] / ((second[i] * scale).sqrt() + EPSILON);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ulps::{column, rows, ulps, worst_of_many};

    #[test]
    fn an_update_is_within_six_ulps_of_f64_and_a_planted_bug_is_not() {
        let (step, scale) = (3e-3f32, 1.7f32);
        let worst = |gain: f64| {
            worst_of_many(rows::<4>(-2.0, 2.0), |input| {
                let [mut w, g, mut m1, m2] = [0, 1, 2, 3].map(|k| column(&input, k));
                let mut m2: Vec<f32> = m2.iter().map(|m| m.abs() + 0.01).collect();
                let before = m2.clone();
                update(&mut w, &g, &mut m1, &mut m2, step, scale);
                let decay = DECAY.map(|d| f64::from(1.0 - d));
                let each = |i: usize| {
                    let [w0, g, first, _] = input[i].map(f64::from);
                    let (first1, second0) = (first + gain * decay[0] * (g - first), f64::from(before[i]));
                    let second1 = second0 + decay[1] * (g * g - second0);
                    let change = f64::from(step) * first1 / ((second1 * f64::from(scale)).sqrt() + f64::from(EPSILON));
                    ulps(m1[i], first1, first).max(ulps(m2[i], second1, 0.0)).max(ulps(w[i], w0 + change, w0))
                };
                (0..input.len()).map(each).fold(0.0, f64::max)
            })
        };
        assert!(worst(1.0) <= 6.0, "{} ulps", worst(1.0));
        assert!(worst(1.0001) > 6.0, "planted: the first moment learns 1e-4 too fast");
    }

    /// One update of all weights in one piece.
    fn ascend(moments: &mut Moments, weights: &mut [f32], gradient: &[f32], rate: f64) {
        let (step, first, second) = moments.begin(weights.len(), rate);
        step.ascend(weights, gradient, first, second);
    }

    #[test]
    fn steps_have_the_size_of_the_rate_whatever_the_gradient_s() {
        for size in [1e-6f32, 1.0, 1e4] {
            let (mut moments, mut w) = (Moments::default(), [0.0f32, 0.0]);
            for _ in 0..10 {
                ascend(&mut moments, &mut w, &[size, -size], 0.1);
            }
            // A steady gradient moves by the rate at every step.
            assert!((w[0] - 1.0).abs() < 0.02 && (w[1] + 1.0).abs() < 0.02, "{size}: {w:?}");
        }
    }

    #[test]
    fn agrees_with_the_published_algorithm() {
        let (mut moments, mut w) = (Moments::default(), [0.5f32]);
        let (mut m1, mut m2, mut exact) = (0.0f64, 0.0f64, 0.5f64);
        for t in 1..=50 {
            let g = f64::from((t as f32 * 0.7).sin());
            ascend(&mut moments, &mut w, &[g as f32], 1e-2);
            (m1, m2) = (0.9 * m1 + 0.1 * g, 0.999 * m2 + 0.001 * g * g);
            exact += 1e-2 * (m1 / (1.0 - 0.9f64.powi(t))) / ((m2 / (1.0 - 0.999f64.powi(t))).sqrt() + 1e-8);
        }
        assert!((f64::from(w[0]) - exact).abs() < 1e-5, "{} against {exact}", w[0]);
    }
}
