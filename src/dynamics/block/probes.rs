//! The recording of a block's probes.

use super::Block;
use crate::dynamics::recording::{ProbeSample, Probes};

impl Block {
    pub(super) fn record(&mut self, probes: &Probes) {
        if probes.layer == 0 || probes.layer >= self.layers.len() {
            return;
        }
        let (state, below) = (&self.layers[probes.layer], &self.layers[probes.layer - 1]);
        if !probes.units.is_empty() {
            let frame = |(&i, &p): (&usize, &usize)| ProbeSample {
                neuron: [&state.x, &state.v, &state.likelihood, &state.prior].map(|v| v.get(i).copied().unwrap_or(0.0)), // categorical: x alone
                below: [
                    below.eps[p] / below.slope.get(p).map_or(1.0, |slope| slope.min(-1e-9)) + below.mean_statistic[p],
                    below.mean_statistic[p],
                    below.eta[p],
                ],
            };
            self.traces.push(probes.units.iter().zip(&probes.below).map(frame).collect());
        }
        if probes.raster {
            let units = below.mean_statistic.len() / self.rows;
            self.rasters.push(below.mean_statistic[..units].to_vec());
        }
        if let Some([a, b]) = probes.pair {
            let units = state.x.len() / self.rows;
            self.pairs.extend(state.x.chunks_exact(units).map(|row| [row[a], row[b]]));
        }
    }
}
