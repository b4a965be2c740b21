//! The sums of the learning rule: eps_l f(x_(l+1))^T over rows and steps (model.md 3).

use super::Block;
use crate::dynamics::state::{HISTORY, view};
use crate::model::product::multiply;
use crate::model::vector;

impl Block {
    /// Sums of the learning rule back to 0.
    pub(in crate::dynamics) fn clear_sums(&mut self) {
        for state in &mut self.layers {
            state.weight_sums.fill(0.0);
            state.bias_sums.fill(0.0);
            state.category_counts.fill(0.0);
            state.squared_errors_sum = 0.0;
        }
        self.learned_steps = 0;
        self.stored_steps = 0;
    }

    /// Stores eps_l of this step and f(x_(l+1)) at its end for the learning rule (model.md 3). Of a categorical layer above, eps_l is added to
    /// the column of its state at once.
    pub(super) fn accumulate(&mut self) {
        for l in (0..self.active_layers).filter(|&l| self.learns[l]) {
            let (low, high) = self.layers.split_at_mut(l + 1);
            let (below, above) = (&mut low[l], &mut high[0]);
            let (n, m) = (below.eps.len(), above.x.len());
            below.squared_errors_sum += vector::squares(&below.eps);
            if above.category.is_empty() {
                below.eps_history[self.stored_steps * n..][..n].copy_from_slice(&below.eps);
                below.f_history[self.stored_steps * m..][..m].copy_from_slice(above.output());
            } else {
                let (units, states) = (n / self.rows, above.category_counts.len());
                for (eps, &c) in below.eps.chunks_exact(units).zip(&above.category) {
                    above.category_counts[c as usize] += 1.0;
                    below.weight_sums[c as usize..].iter_mut().step_by(states).zip(eps).for_each(|(sum, eps)| *sum += eps);
                }
            }
        }
        self.stored_steps += 1;
        self.learned_steps += 1;
        if self.stored_steps == HISTORY {
            self.sum_products();
        }
    }

    /// Adds the products of the stored steps to the sums.
    pub(super) fn sum_products(&mut self) {
        if self.stored_steps == 0 {
            return;
        }
        let rows = self.stored_steps * self.rows;
        for l in (0..self.active_layers).filter(|&l| self.learns[l]) {
            if !self.layers[l + 1].category.is_empty() {
                continue; // added to its column at once
            }
            let (n, m) = (self.layers[l].eps.len() / self.rows, self.layers[l + 1].x.len() / self.rows);
            let state = &mut self.layers[l];
            let eps = &state.eps_history[..rows * n];
            multiply(&mut state.weight_sums, view(eps, rows).t(), view(&state.f_history[..rows * m], rows), 1.0, true);
            for row in eps.chunks_exact(n) {
                state.bias_sums.iter_mut().zip(row).for_each(|(sum, eps)| *sum += eps);
            }
        }
        self.stored_steps = 0;
    }
}
