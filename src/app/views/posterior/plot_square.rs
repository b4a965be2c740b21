//! The part of the plane of two units that is shown.

use crate::analysis::density::DensityGrid;
use crate::app::state::ViewState;

/// The centre is no further than this from 0 along each axis.
const FARTHEST: f64 = 1e6;

/// The part of the plane that is shown.
#[derive(Clone, Copy, Default, PartialEq)]
pub(super) struct PlotSquare {
    pub(super) centre: [f64; 2],
    pub(super) half: f64,
}

impl PlotSquare {
    /// Around a rectangle, with a margin.
    fn around(low: [f64; 2], high: [f64; 2]) -> Self {
        let half = (high[0] - low[0]).max(high[1] - low[1]).clamp(2e-3, 2e4) * 0.6;
        // Axes further out than this have no digits left for what they show.
        Self { centre: [0, 1].map(|axis| (0.5 * (low[axis] + high[axis])).clamp(-FARTHEST, FARTHEST)), half }
    }

    /// Where all but 1 % of the samples are, on each side: one that strayed does not shrink the picture.
    pub(super) fn of_samples(state: &ViewState) -> Self {
        let ends = [0, 1].map(|axis| {
            let mut values: Vec<f32> = state.thinned_cloud(4000).map(|p| p[axis]).filter(|v| v.is_finite()).collect();
            let outside = values.len() / 100;
            [outside, values.len().saturating_sub(1 + outside)].map(|i| match values.get(i) {
                Some(_) => f64::from(*values.select_nth_unstable_by(i, f32::total_cmp).1),
                None => 0.0,
            })
        });
        Self::around([ends[0][0], ends[1][0]], [ends[0][1], ends[1][1]])
    }

    /// Where the density is above a thousandth of its peak.
    pub(super) fn of_density(grid: &DensityGrid) -> Self {
        let floor = grid.density.fold(0.0f64, |top, &p| top.max(p)) * 1e-3;
        let (rows, columns) = grid.density.dim();
        let (mut low, mut high) = ([f64::INFINITY; 2], [f64::NEG_INFINITY; 2]);
        for ((row, column), _) in grid.density.indexed_iter().filter(|(_, p)| **p > floor) {
            for (axis, (i, n, range)) in [(column, columns, grid.x), (row, rows, grid.y)].into_iter().enumerate() {
                let at = range[0] + (i as f64 + 0.5) / n as f64 * (range[1] - range[0]);
                (low[axis], high[axis]) = (low[axis].min(at), high[axis].max(at));
            }
        }
        if low[0] <= high[0] { Self::around(low, high) } else { Self::around([grid.x[0], grid.y[0]], [grid.x[1], grid.y[1]]) }
    }

    /// The smallest that holds both.
    pub(super) fn with(self, other: Self) -> Self {
        let ends = |axis: usize, sign: f64| [self, other].map(|square| square.centre[axis] + sign * square.half);
        let low = [0, 1].map(|axis| ends(axis, -1.0).into_iter().fold(f64::INFINITY, f64::min));
        let high = [0, 1].map(|axis| ends(axis, 1.0).into_iter().fold(f64::NEG_INFINITY, f64::max));
        Self { centre: [0, 1].map(|axis| 0.5 * (low[axis] + high[axis])), half: 0.5 * (high[0] - low[0]).max(high[1] - low[1]) }
    }

    /// Whether `other` is so different that the axes should move.
    pub(super) fn is_far_from(self, other: Self) -> bool {
        let apart = (0..2).map(|axis| (self.centre[axis] - other.centre[axis]).abs()).fold(0.0, f64::max);
        apart + other.half > 1.3 * self.half || self.half > 3.0 * other.half
    }

    /// Its lower end along an axis.
    pub(super) fn low(self, axis: usize) -> f64 {
        self.centre[axis] - self.half
    }

    /// Which of `bins` equal parts of its side along an axis holds a value; None outside of it.
    pub(super) fn bin(self, axis: usize, value: f32, bins: usize) -> Option<usize> {
        let at = (f64::from(value) - self.low(axis)) / (2.0 * self.half) * bins as f64;
        (0.0..bins as f64).contains(&at).then_some(at as usize)
    }
}
