//! What is recorded while a span runs.

use super::Block;

/// What to record while a span runs.
#[derive(Clone, Debug, Default)]
pub struct Probes {
    /// The layer whose units are traced.
    pub layer: usize,
    /// Traced units, network 0 of the block; empty: none.
    pub units: Vec<usize>,
    /// For each traced unit the unit of the layer below whose interneurons are shown.
    pub below: Vec<usize>,
    /// Two units recorded in every row.
    pub pair: Option<[usize; 2]>,
    /// Whether <T(y)> of the layer below is recorded, network 0 of the block.
    pub raster: bool,
}

/// What was recorded of one traced unit in one step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ProbeSample {
    /// x, v, likelihood current, prior current.
    pub neuron: [f32; 4],
    /// T(x), <T(y)> and eta of the unit below.
    pub below: [f32; 3],
}

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
            self.frames.push(probes.units.iter().zip(&probes.below).map(frame).collect());
        }
        if probes.raster {
            let units = below.mean_statistic.len() / self.rows;
            self.rasters.push(below.mean_statistic[..units].to_vec());
        }
        if let Some([a, b]) = probes.pair {
            let units = state.x.len() / self.rows;
            self.pairs.push(state.x.chunks_exact(units).map(|row| [row[a], row[b]]).collect());
        }
    }
}
