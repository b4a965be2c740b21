//! The sums of the learning rule: eps_l f(x_(l+1))^T over rows and steps (SPEC 3).

use super::{Block, HISTORY};
use crate::dynamics::state::view;
use crate::model::product::multiply;
use crate::model::vector;

impl Block {
    /// Sums of the learning rule back to 0.
    pub(in crate::dynamics) fn clear_sums(&mut self) {
        for state in &mut self.layers {
            state.weight_sum.fill(0.0);
            state.bias_sum.fill(0.0);
            state.uses.fill(0.0);
            state.eps_squares = 0.0;
        }
        self.learned_steps = 0;
        self.kept = 0;
    }

    /// Keeps eps_l of this step and f(x_(l+1)) at its end for the learning rule (SPEC 3).
    pub(super) fn keep(&mut self) {
        for l in (0..self.active_layers).filter(|&l| self.learns[l]) {
            let (low, high) = self.layers.split_at_mut(l + 1);
            let (below, above) = (&mut low[l], &mut high[0]);
            let (n, m) = (below.eps.len(), above.x.len());
            below.eps_squares += vector::squares(&below.eps);
            if above.choice.is_empty() {
                below.eps_history[self.kept * n..][..n].copy_from_slice(&below.eps);
                below.f_history[self.kept * m..][..m].copy_from_slice(above.output());
            } else {
                let (units, states) = (n / self.rows, above.uses.len());
                for (eps, &c) in below.eps.chunks_exact(units).zip(&above.choice) {
                    above.uses[c as usize] += 1.0;
                    below.weight_sum[c as usize..].iter_mut().step_by(states).zip(eps).for_each(|(sum, eps)| *sum += eps);
                }
            }
        }
        self.kept += 1;
        self.learned_steps += 1;
        if self.kept == HISTORY {
            self.multiply_out();
        }
    }

    pub(super) fn multiply_out(&mut self) {
        if self.kept == 0 {
            return;
        }
        let rows = self.kept * self.rows;
        for l in (0..self.active_layers).filter(|&l| self.learns[l]) {
            if !self.layers[l + 1].choice.is_empty() {
                continue; // summed as it came
            }
            let (n, m) = (self.layers[l].eps.len() / self.rows, self.layers[l + 1].x.len() / self.rows);
            let state = &mut self.layers[l];
            let eps = &state.eps_history[..rows * n];
            multiply(&mut state.weight_sum, view(eps, rows).t(), view(&state.f_history[..rows * m], rows), 1.0, true);
            for row in eps.chunks_exact(n) {
                state.bias_sum.iter_mut().zip(row).for_each(|(sum, eps)| *sum += eps);
            }
        }
        self.kept = 0;
    }
}
