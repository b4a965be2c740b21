//! What is recorded while a span runs.

use super::Block;

/// What to record while a span runs.
#[derive(Clone, Debug, Default)]
pub struct Taps {
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
pub struct Frame {
    /// x, v, likelihood current, prior current.
    pub neuron: [f32; 4],
    /// T(x), <T(y)> and eta of the unit below.
    pub below: [f32; 3],
}

impl Block {
    pub(super) fn record(&mut self, taps: &Taps) {
        if taps.layer == 0 || taps.layer >= self.layers.len() {
            return;
        }
        let (state, below) = (&self.layers[taps.layer], &self.layers[taps.layer - 1]);
        if !taps.units.is_empty() {
            let frame = |(&i, &p): (&usize, &usize)| Frame {
                neuron: [&state.x, &state.v, &state.likelihood, &state.prior].map(|v| v.get(i).copied().unwrap_or(0.0)), // categorical: x alone
                below: [
                    below.eps[p] / below.slope.get(p).map_or(1.0, |slope| slope.min(-1e-9)) + below.mean_statistic[p],
                    below.mean_statistic[p],
                    below.eta[p],
                ],
            };
            self.frames.push(taps.units.iter().zip(&taps.below).map(frame).collect());
        }
        if taps.raster {
            let units = below.mean_statistic.len() / self.rows;
            self.rasters.push(below.mean_statistic[..units].to_vec());
        }
        if let Some([a, b]) = taps.pair {
            let units = state.x.len() / self.rows;
            self.pairs.push(state.x.chunks_exact(units).map(|row| [row[a], row[b]]).collect());
        }
    }
}
