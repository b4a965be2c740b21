//! The marginals of the two units beside the plane: histograms of the samples, and the exact curves.

use super::plot_square::PlotSquare;
use crate::analysis::density::DensityGrid;
use crate::app::state::ViewState;
use crate::app::theme;
use crate::engine::{RaceState, RacerState};
use egui::{Pos2, Rect, Stroke, Ui, pos2};
use egui_plot::PlotTransform;

/// Bins of a histogram.
pub(super) const BINS: usize = 60;

/// What the marginals are of: the samples, or those of a race's samplers; and the exact density where it is known.
pub(super) struct Samples<'a> {
    pub(super) state: &'a ViewState,
    pub(super) race: Option<&'a RaceState>,
    pub(super) exact: Option<&'a DensityGrid>,
}

/// A strip beside the plot's frame, above it (axis 0) or right of it (axis 1).
struct Strip {
    axis: usize,
    width: f32,
    transform: PlotTransform,
    /// The density that reaches the strip's edge.
    top: f64,
}

impl Strip {
    /// Where a value along the axis and a density stand.
    fn place(&self, value: f64, density: f64) -> Pos2 {
        let frame = self.transform.frame();
        let away = (density / self.top) as f32 * (self.width - 4.0) + 2.0;
        if self.axis == 0 {
            pos2(self.transform.position_from_point_x(value), frame.top() - away)
        } else {
            pos2(frame.right() + away, self.transform.position_from_point_y(value))
        }
    }

    fn clip(&self) -> Rect {
        let frame = self.transform.frame();
        if self.axis == 0 {
            Rect::from_min_max(pos2(frame.left(), frame.top() - self.width), frame.right_top())
        } else {
            Rect::from_min_max(frame.right_top(), pos2(frame.right() + self.width, frame.bottom()))
        }
    }
}

/// Draws the marginal along one axis in a strip of this width: the histogram of the samples (one line a sampler of a race), with the
/// exact marginal where there is one.
pub(super) fn draw(ui: &Ui, transform: &PlotTransform, axis: usize, width: f32, square: PlotSquare, samples: &Samples<'_>) {
    let bin = 2.0 * square.half / BINS as f64;
    let measured = if samples.race.is_none() { histogram(samples.state, square, axis) } else { [0.0; BINS] };
    let racers = samples.race.iter().flat_map(|race| race.racers.iter().map(|racer| of_racer(racer, race.window[axis], axis)));
    let lines: Vec<Vec<[f64; 2]>> = racers.collect();
    let curve = samples.exact.map_or_else(Vec::new, |grid| exact(grid, axis));
    let top = curve.iter().chain(lines.iter().flatten()).map(|p| p[1]).chain(measured).fold(f64::MIN_POSITIVE, f64::max) * 1.1;
    let strip = Strip { axis, width, transform: *transform, top };
    let painter = ui.painter_at(strip.clip());
    let dark = ui.visuals().dark_mode;
    for (i, density) in measured.into_iter().enumerate() {
        let at = square.low(axis) + i as f64 * bin;
        let bar = Rect::from_two_pos(strip.place(at, 0.0), strip.place(at + bin, density));
        painter.rect_filled(bar, 0.0, theme::histogram(dark));
    }
    let points = |line: Vec<[f64; 2]>| line.into_iter().map(|[x, p]| strip.place(x, p)).collect();
    for (i, line) in lines.into_iter().enumerate() {
        painter.line(points(line), Stroke::new(1.4, theme::RACERS[i]));
    }
    painter.line(points(curve), Stroke::new(1.6, theme::exact(dark)));
}

/// Density of the samples in each bin of the square's side; samples outside of it count in the whole.
fn histogram(state: &ViewState, square: PlotSquare, axis: usize) -> [f64; BINS] {
    let (mut counts, mut total) = ([0.0f64; BINS], 0.0);
    for p in state.thinned_cloud(20_000) {
        total += 1.0;
        if let Some(i) = square.bin(axis, p[axis], BINS) {
            counts[i] += 1.0;
        }
    }
    counts.map(|count| count / (f64::max(total, 1.0) * 2.0 * square.half / BINS as f64))
}

/// Points (value, density) of the exact marginal of one coordinate.
pub(super) fn exact(grid: &DensityGrid, axis: usize) -> Vec<[f64; 2]> {
    let along = if axis == 0 { grid.x } else { grid.y };
    let across = if axis == 0 { grid.y } else { grid.x };
    let sums = grid.density.sum_axis(ndarray::Axis(axis));
    let other = grid.density.len_of(ndarray::Axis(axis)) as f64;
    let cell = (along[1] - along[0]) / sums.len() as f64;
    let point = |(i, sum): (usize, &f64)| [along[0] + (i as f64 + 0.5) * cell, sum * (across[1] - across[0]) / other];
    sums.iter().enumerate().map(point).collect()
}

/// Points (value, density) of a sampler's histogram along one axis, as steps.
pub(super) fn of_racer(racer: &RacerState, [low, high]: [f64; 2], axis: usize) -> Vec<[f64; 2]> {
    let sums = racer.visits.mapv(f64::from).sum_axis(ndarray::Axis(axis));
    let cell = (high - low) / sums.len() as f64;
    let density = |count: &f64| count / (racer.visited.max(1) as f64 * cell);
    sums.iter().enumerate().flat_map(|(i, count)| [0.0, 1.0].map(|end| [low + (i as f64 + end) * cell, density(count)])).collect()
}
