//! Posterior: two units' chains over the exact density where a grid can give it, else over the density of the samples.

use crate::analysis::density::DensityGrid;
use crate::app::actions::Action;
use crate::app::state::ViewState;
use crate::app::theme;
use crate::app::views::{View, race};
use crate::app::widgets::figure::{self, Figure as _};
use crate::app::widgets::{grid, texture};
use crate::engine::{Command, RaceState, RacerState, Snapshot, Watch};
use crate::export::table::Table;
use crate::studies::race::Start;
use egui::{ColorImage, TextureHandle, TextureOptions, Ui, vec2};
use egui_plot::{Line, Plot, PlotBounds, PlotImage, PlotPoint, PlotPoints, PlotTransform, Points};
use std::sync::Arc;

const BINS: usize = 64;
const MARGINAL_BINS: usize = 60;
/// Pixels of the exact density's picture a cell of its grid.
const FINE: usize = 3;
/// Chains drawn with a trail.
const TRAILS: usize = 4;
/// Room for a marginal beside the plot, points.
const STRIP: f32 = 56.0;

/// The figure with its two strips.
const WITH_MARGINALS: &str = "posterior with marginals";

/// The part of the plane that is shown.
#[derive(Clone, Copy, Default, PartialEq)]
struct Square {
    centre: [f64; 2],
    half: f64,
}

impl Square {
    /// Around a rectangle, with a margin.
    fn around(low: [f64; 2], high: [f64; 2]) -> Self {
        let half = (high[0] - low[0]).max(high[1] - low[1]).clamp(2e-3, 2e4) * 0.6;
        Self { centre: [0, 1].map(|axis| 0.5 * (low[axis] + high[axis])), half }
    }

    /// Where all but 1 % of the samples are, on each side: one that strayed does not shrink the picture.
    fn of_samples(state: &ViewState) -> Self {
        let ends = [0, 1].map(|axis| {
            let mut values: Vec<f32> = thinned(state, 4000).map(|p| p[axis]).filter(|v| v.is_finite()).collect();
            values.sort_unstable_by(f32::total_cmp);
            let at = |i: usize| values.get(i).map_or(0.0, |v| f64::from(*v));
            [at(values.len() / 100), at(values.len().saturating_sub(1 + values.len() / 100))]
        });
        Self::around([ends[0][0], ends[1][0]], [ends[0][1], ends[1][1]])
    }

    /// Where the density is above a thousandth of its peak.
    fn of_density(grid: &DensityGrid) -> Self {
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

    /// Whether `other` is so different that the axes should move.
    fn is_far_from(self, other: Self) -> bool {
        let apart = (0..2).map(|axis| (self.centre[axis] - other.centre[axis]).abs()).fold(0.0, f64::max);
        apart + other.half > 1.3 * self.half || self.half > 3.0 * other.half
    }

    fn low(self, axis: usize) -> f64 {
        self.centre[axis] - self.half
    }

    fn bin(self, axis: usize, value: f32, bins: usize) -> Option<usize> {
        let at = (f64::from(value) - self.low(axis)) / (2.0 * self.half) * bins as f64;
        (0.0..bins as f64).contains(&at).then_some(at as usize)
    }
}

/// The exact density as it was drawn.
struct Exact {
    grid: Arc<DensityGrid>,
    dark: bool,
    texture: TextureHandle,
    square: Square,
}

/// What the view keeps.
#[derive(Default)]
pub struct Posterior {
    exact: Option<Exact>,
    cloud: Option<TextureHandle>,
    /// What the cloud's texture was made of: the model, its steps, the samples, the square, the theme.
    cloud_of: Option<(u64, u64, usize, Square, bool)>,
    square: Square,
    square_for: Option<(u64, [usize; 2])>,
}

impl View for Posterior {
    fn ui(&mut self, ui: &mut Ui, state: &ViewState, snapshot: &Snapshot, actions: &mut Vec<Action>) {
        let dark = ui.visuals().dark_mode;
        ui.horizontal_wrapped(|ui| {
            let size = snapshot.activity.len();
            let mut pair = snapshot.watch.pair;
            for (axis, unit) in ["Across", "Up"].into_iter().zip(&mut pair) {
                let label = ui.label(axis);
                ui.add(egui::DragValue::new(unit).range(0..=size.saturating_sub(1)).prefix("unit ")).labelled_by(label.id);
            }
            if pair != snapshot.watch.pair {
                actions.push(Action::Watch(Watch { pair, ..snapshot.watch.clone() }));
            }
            if snapshot.config.stimulus.steps_per_stimulus > 0 {
                let mut held = snapshot.stimulus.held;
                let tip = "Every network gets network 0's stimulus, so that all sample one posterior; learning rests";
                if ui.checkbox(&mut held, "Hold the stimulus").on_hover_text(tip).changed() {
                    actions.push(Action::Send(Command::HoldStimulus(held)));
                }
            }
        });
        if snapshot.stimulus.stimulus.len() <= 3 {
            let mut values = snapshot.stimulus.stimulus.clone();
            let mut changed = false;
            for (i, value) in values.iter_mut().enumerate() {
                ui.horizontal(|ui| {
                    let label = ui.label(format!("Stimulus x0[{i}]"));
                    changed |= ui.add(egui::Slider::new(value, -4.0..=4.0)).labelled_by(label.id).changed();
                });
            }
            if changed {
                actions.push(Action::Send(Command::SetStimulus(values)));
            }
        }
        if let Some(line) = &snapshot.exact_line {
            scalar(ui, state, line);
            return;
        }
        if snapshot.config.stimulus.steps_per_stimulus == 0 || snapshot.stimulus.held {
            race::controls(ui, snapshot, actions);
        }
        // The grid is of units 0 and 1, in this order.
        let exact = snapshot.exact_posterior.as_ref().filter(|_| snapshot.watch.pair == [0, 1]);
        let race = snapshot.race.as_ref();
        let text = match (exact, snapshot.stimulus.held || snapshot.config.stimulus.steps_per_stimulus == 0) {
            _ if race.is_some() => {
                "A colour a sampler: one chain with its trail, the others as dots; at the sides its histogram. Filled contours and grey lines: the exact posterior, where known."
            }
            (Some(_), _) => {
                "Filled contours and lines at the sides: the exact posterior. Dots: the chains, four with trails. Bars: their histograms."
            }
            (None, true) => "Shading: density of the samples. All chains share one stimulus.",
            (None, false) => {
                "Shading: density of the samples since the last stimulus. Each network has its own stimulus: hold it to see one posterior."
            }
        };
        ui.weak(text);
        if state.trails.is_empty() && exact.is_none() {
            ui.label("No samples yet: press Run.");
            return;
        }
        if let Some(grid) = exact
            && self.exact.as_ref().is_none_or(|drawn| !Arc::ptr_eq(&drawn.grid, grid) || drawn.dark != dark)
        {
            let texture = ui.ctx().load_texture("exact posterior", picture(&grid.density, FINE, dark), TextureOptions::LINEAR);
            self.exact = Some(Exact { grid: grid.clone(), dark, texture, square: Square::of_density(grid) });
        }
        let drawn = self.exact.as_ref().filter(|_| exact.is_some());
        // The axes move when they must and stay otherwise.
        let wanted = drawn.map_or_else(|| Square::of_samples(state), |drawn| drawn.square);
        let square_for = Some((snapshot.model_id, snapshot.watch.pair));
        let moved = self.square.is_far_from(wanted) || self.square_for != square_for;
        if moved {
            self.square = wanted;
            // Few samples say little about where the rest will be.
            self.square_for = square_for.filter(|_| exact.is_some() || state.cloud.len() > 1000);
        }
        let square = self.square;
        let image = match drawn {
            Some(Exact { grid, texture, .. }) => {
                let centre = PlotPoint::new((grid.x[0] + grid.x[1]) / 2.0, (grid.y[0] + grid.y[1]) / 2.0);
                let size = vec2((grid.x[1] - grid.x[0]) as f32, (grid.y[1] - grid.y[0]) as f32);
                Some(PlotImage::new("exact posterior", texture.id(), centre, size))
            }
            None => {
                let of = Some((snapshot.model_id, snapshot.clock.steps, state.cloud.len(), square, dark));
                if self.cloud_of != of {
                    self.cloud_of = of;
                    let mut counts = ndarray::Array2::<f64>::zeros((BINS, BINS));
                    // A thinned cloud gives the same picture at a fraction of the cost.
                    for p in thinned(state, 20_000) {
                        if let (Some(column), Some(row)) = (square.bin(0, p[0], BINS), square.bin(1, p[1], BINS)) {
                            counts[[row, column]] += 1.0;
                        }
                    }
                    texture::put(ui, &mut self.cloud, "sample density", picture(&counts, 1, dark), TextureOptions::LINEAR);
                }
                let size = egui::Vec2::splat(2.0 * square.half as f32);
                let [x, y] = square.centre;
                self.cloud.as_ref().map(|texture| PlotImage::new("sample density", texture.id(), PlotPoint::new(x, y), size))
            }
        };
        let mut area = ui.available_rect_before_wrap();
        let beside = area.width() > 640.0;
        if let Some(race) = race {
            // The race's figures stand right of the picture, or below it in a narrow view.
            let side = if beside { (area.width() * 0.5).min(430.0) } else { area.width() };
            let place = if beside {
                egui::Rect::from_min_max(egui::pos2(area.max.x - side, area.min.y), area.max)
            } else {
                egui::Rect::from_min_max(egui::pos2(area.min.x, area.min.y + area.height() * 0.5), area.max)
            };
            ui.scope_builder(egui::UiBuilder::new().max_rect(place), |ui| race::panel(ui, snapshot, race, actions));
            area = if beside {
                egui::Rect::from_min_max(area.min, egui::pos2(place.min.x - 10.0, area.max.y))
            } else {
                egui::Rect::from_min_max(area.min, egui::pos2(area.max.x, place.min.y - 6.0))
            };
        }
        let strip = if area.width() > 300.0 && area.height() > 260.0 { STRIP } else { 0.0 };
        let mut inner = egui::Rect::from_min_max(area.min + vec2(0.0, strip), area.max - vec2(strip, 0.0));
        // About a square: more height would only show empty plane.
        inner.max.y = inner.max.y.min(inner.min.y + inner.width());
        let plot = grid::numbered(Plot::new("posterior"))
            .data_aspect(1.0)
            .allow_scroll(false)
            .x_axis_label(format!("x of unit {}", snapshot.watch.pair[0]))
            .y_axis_label(format!("x of unit {}", snapshot.watch.pair[1]))
            .allow_boxed_zoom(false);
        let draw = |ui: &mut Ui| {
            plot.figure(ui, "posterior", |plot| {
                if moved {
                    let ends = |sign: f64| [0, 1].map(|axis| square.centre[axis] + sign * square.half);
                    plot.set_plot_bounds(PlotBounds::from_min_max(ends(-1.0), ends(1.0)));
                }
                if let Some(image) = image {
                    plot.image(image);
                }
                if let Some(race) = race {
                    race.racers.iter().enumerate().rev().for_each(|(i, racer)| chains(plot, racer, theme::RACERS[i]));
                    return;
                }
                let Some(latest) = state.trails.back() else { return };
                let newest = state.trails.len() - 1;
                for chain in 0..latest.len().min(TRAILS) {
                    let color = theme::CHAINS[chain % theme::CHAINS.len()];
                    // Fading: older pieces of the trail are fainter.
                    for (from, alpha) in [(30, 0.15), (15, 0.3), (5, 0.6)] {
                        let points: Vec<[f64; 2]> = state
                            .trails
                            .iter()
                            .skip(newest.saturating_sub(from))
                            .filter_map(|step| step.get(chain))
                            .map(|p| p.map(f64::from))
                            .collect();
                        plot.line(Line::new("trail", PlotPoints::from(points)).color(color.gamma_multiply(alpha)).width(1.2));
                    }
                }
                // The chains with a trail stand out, the others show where the ensemble is.
                let others: Vec<[f64; 2]> = latest.iter().skip(TRAILS).map(|p| p.map(f64::from)).collect();
                plot.points(
                    Points::new("other chains", PlotPoints::from(others)).color(theme::exact(dark).gamma_multiply(0.45)).radius(1.6),
                );
                for (chain, p) in latest.iter().take(TRAILS).enumerate() {
                    let color = theme::CHAINS[chain % theme::CHAINS.len()];
                    plot.points(Points::new("chains", vec![p.map(f64::from)]).color(color).radius(3.5));
                }
            })
        };
        let shown = ui.scope_builder(egui::UiBuilder::new().max_rect(inner), draw).inner;
        let transform = shown.transform;
        if let (true, Some(at)) = (shown.response.clicked() && race.is_some(), shown.response.interact_pointer_pos()) {
            let point = transform.value_from_position(at);
            actions.push(Action::Send(Command::RaceFrom(Start::Point([point.x as f32, point.y as f32]))));
        }
        ui.advance_cursor_after_rect(area);
        if strip > 0.0 {
            figure::mark(ui, WITH_MARGINALS, area.with_max_y(inner.max.y));
            for axis in 0..2 {
                marginal(ui, &transform, axis, strip, square, (state, race), exact.map(Arc::as_ref));
            }
        }
    }

    fn table(&self, state: &ViewState, snapshot: &Snapshot) -> Option<Table> {
        let mut table = Table::default();
        match &snapshot.race {
            Some(race) => {
                for (i, racer) in race.racers.iter().enumerate() {
                    table.push(format!("sampler_{i}_time_ms"), racer.distance.iter().map(|d| d[0]));
                    table.push(format!("sampler_{i}_total_variation"), racer.distance.iter().map(|d| d[1]));
                    let last = racer.trail.last().cloned().unwrap_or_default();
                    for axis in 0..2 {
                        table.push(format!("sampler_{i}_x{axis}_now"), last.iter().map(|p| f64::from(p[axis])));
                    }
                }
            }
            None => (0..2).for_each(|axis| table.push(format!("x{axis}"), state.cloud.iter().map(|p| f64::from(p[axis])))),
        }
        table.columns.iter().any(|(_, values)| !values.is_empty()).then_some(table)
    }

    /// The curves beside the picture: exact marginals, and those of the samplers of a race.
    fn figure_table(&self, figure: &str, _: &ViewState, snapshot: &Snapshot) -> Option<Table> {
        let mut table = Table::default();
        for axis in [0, 1].into_iter().filter(|_| figure == WITH_MARGINALS) {
            if let Some(grid) = snapshot.exact_posterior.as_ref().filter(|_| snapshot.watch.pair == [0, 1]) {
                let curve = exact_marginal(grid, axis);
                table.push(format!("exact_x{axis}"), curve.iter().map(|p| p[0]));
                table.push(format!("exact_density_of_x{axis}"), curve.iter().map(|p| p[1]));
            }
            for (i, racer) in snapshot.race.iter().flat_map(|race| race.racers.iter().enumerate()) {
                let [low, high] = snapshot.race.as_ref().map_or([0.0, 1.0], |race| race.window[axis]);
                let steps = marginal_of(racer, [low, high], axis);
                let middles = steps.chunks_exact(2).map(|ends| 0.5 * (ends[0][0] + ends[1][0]));
                table.push(format!("sampler_{i}_x{axis}"), middles);
                table.push(format!("sampler_{i}_density_of_x{axis}"), steps.chunks_exact(2).map(|ends| ends[0][1]));
            }
        }
        (!table.columns.is_empty()).then_some(table)
    }
}

/// A few of the accumulated samples, evenly.
fn thinned(state: &ViewState, most: usize) -> impl Iterator<Item = &[f32; 2]> {
    state.cloud.iter().step_by((state.cloud.len() / most).max(1))
}

/// The histogram of one coordinate's samples beside the plot (one line a sampler of a race), with the exact marginal where there is one.
fn marginal(
    ui: &Ui,
    transform: &PlotTransform,
    axis: usize,
    strip: f32,
    square: Square,
    (state, race): (&ViewState, Option<&RaceState>),
    exact: Option<&DensityGrid>,
) {
    let width = 2.0 * square.half / MARGINAL_BINS as f64;
    let (mut counts, mut total) = ([0.0f64; MARGINAL_BINS], 0.0);
    for p in thinned(state, 20_000).filter(|_| race.is_none()) {
        total += 1.0;
        if let Some(i) = square.bin(axis, p[axis], MARGINAL_BINS) {
            counts[i] += 1.0;
        }
    }
    let measured = counts.map(|c| c / (f64::max(total, 1.0) * width));
    let samplers: Vec<Vec<[f64; 2]>> =
        race.iter().flat_map(|race| race.racers.iter().map(|r| marginal_of(r, race.window[axis], axis))).collect();
    let curve = exact.map_or_else(Vec::new, |grid| exact_marginal(grid, axis));
    let top = curve.iter().chain(samplers.iter().flatten()).map(|p| p[1]).chain(measured).fold(f64::MIN_POSITIVE, f64::max) * 1.1;
    let frame = *transform.frame();
    let place = |value: f64, density: f64| {
        let away = (density / top) as f32 * (strip - 4.0) + 2.0;
        if axis == 0 {
            egui::pos2(transform.position_from_point_x(value), frame.top() - away)
        } else {
            egui::pos2(frame.right() + away, transform.position_from_point_y(value))
        }
    };
    let clip = if axis == 0 {
        egui::Rect::from_min_max(egui::pos2(frame.left(), frame.top() - strip), frame.right_top())
    } else {
        egui::Rect::from_min_max(frame.right_top(), egui::pos2(frame.right() + strip, frame.bottom()))
    };
    let painter = ui.painter_at(clip);
    let dark = ui.visuals().dark_mode;
    for (i, density) in measured.into_iter().enumerate() {
        let at = square.low(axis) + i as f64 * width;
        painter.rect_filled(egui::Rect::from_two_pos(place(at, 0.0), place(at + width, density)), 0.0, theme::histogram(dark));
    }
    for (i, line) in samplers.into_iter().enumerate() {
        painter.line(line.into_iter().map(|[x, p]| place(x, p)).collect(), egui::Stroke::new(1.4, theme::RACERS[i]));
    }
    painter.line(curve.into_iter().map(|[x, p]| place(x, p)).collect(), egui::Stroke::new(1.6, theme::exact(dark)));
}

/// Points (value, density) of the exact marginal of one coordinate.
fn exact_marginal(grid: &DensityGrid, axis: usize) -> Vec<[f64; 2]> {
    let along = if axis == 0 { grid.x } else { grid.y };
    let across = if axis == 0 { grid.y } else { grid.x };
    let sums = grid.density.sum_axis(ndarray::Axis(axis));
    let other = grid.density.len_of(ndarray::Axis(axis)) as f64;
    let cell = (along[1] - along[0]) / sums.len() as f64;
    let point = |(i, sum): (usize, &f64)| [along[0] + (i as f64 + 0.5) * cell, sum * (across[1] - across[0]) / other];
    sums.iter().enumerate().map(point).collect()
}

/// Points (value, density) of a sampler's histogram along one axis, as steps.
fn marginal_of(racer: &RacerState, [low, high]: [f64; 2], axis: usize) -> Vec<[f64; 2]> {
    let sums = racer.visits.mapv(f64::from).sum_axis(ndarray::Axis(axis));
    let cell = (high - low) / sums.len() as f64;
    let density = |count: &f64| count / (racer.visited.max(1) as f64 * cell);
    sums.iter().enumerate().flat_map(|(i, count)| [0.0, 1.0].map(|end| [low + (i as f64 + end) * cell, density(count)])).collect()
}

/// One sampler's chains: the first with a fading trail, the others as dots.
fn chains(plot: &mut egui_plot::PlotUi<'_>, racer: &RacerState, color: egui::Color32) {
    let Some(latest) = racer.trail.last() else { return };
    let newest = racer.trail.len() - 1;
    for (from, alpha) in [(39, 0.25), (20, 0.45), (8, 0.8)] {
        let steps = racer.trail.iter().skip(newest.saturating_sub(from));
        let points: Vec<[f64; 2]> = steps.filter_map(|step| step.first()).map(|p| p.map(f64::from)).collect();
        plot.line(Line::new("trail", PlotPoints::from(points)).color(color.gamma_multiply(alpha)).width(1.4));
    }
    let others: Vec<[f64; 2]> = latest.iter().skip(1).map(|p| p.map(f64::from)).collect();
    plot.points(Points::new("chains", PlotPoints::from(others)).color(color.gamma_multiply(0.75)).radius(1.9));
    let first: Vec<[f64; 2]> = latest.iter().take(1).map(|p| p.map(f64::from)).collect();
    plot.points(Points::new("first chain", PlotPoints::from(first)).color(color).radius(4.0));
}

/// A single latent unit: the histogram of its samples under the exact density.
fn scalar(ui: &mut Ui, state: &ViewState, line: &[[f64; 2]]) {
    ui.weak("Line: the exact posterior density of the only neuron. Bars: the samples since the last change, all networks.");
    let (Some(first), Some(last)) = (line.first(), line.last()) else { return };
    let (low, width) = (first[0], (last[0] - first[0]) / MARGINAL_BINS as f64);
    let (mut counts, mut total) = ([0.0f64; MARGINAL_BINS], 0.0f64);
    for p in thinned(state, 40_000) {
        total += 1.0;
        let at = (f64::from(p[0]) - low) / width;
        if (0.0..MARGINAL_BINS as f64).contains(&at) {
            counts[at as usize] += 1.0;
        }
    }
    let dark = ui.visuals().dark_mode;
    let bar =
        |(i, count): (usize, &f64)| egui_plot::Bar::new(low + (i as f64 + 0.5) * width, count / (total.max(1.0) * width)).width(width);
    let bars = egui_plot::BarChart::new("samples", counts.iter().enumerate().map(bar).collect()).color(theme::histogram(dark));
    Plot::new("scalar posterior").allow_scroll(false).allow_boxed_zoom(false).x_axis_label("x").y_axis_label("density").figure(
        ui,
        "posterior",
        |plot| {
            plot.bar_chart(bars);
            plot.line(Line::new("exact posterior", PlotPoints::from(line.to_vec())).color(theme::exact(dark)).width(2.0));
        },
    );
}

/// Density `[rows from the bottom, columns]` as a picture with `fine` pixels a cell, between whose centres it is bilinear: the edges
/// of its bands are then smooth contours.
fn picture(density: &ndarray::Array2<f64>, fine: usize, dark: bool) -> ColorImage {
    let (rows, columns) = density.dim();
    let top = density.iter().fold(f64::MIN_POSITIVE, |t, &v| t.max(v));
    let place = |pixel: usize, cells: usize| {
        let at = ((pixel as f64 + 0.5) / fine as f64 - 0.5).clamp(0.0, cells as f64 - 1.0);
        let below = (at as usize).min(cells.saturating_sub(2));
        (below, (below + 1).min(cells - 1), at - below as f64)
    };
    let across: Vec<_> = (0..columns * fine).map(|pixel| place(pixel, columns)).collect();
    let mut pixels = Vec::with_capacity(rows * columns * fine * fine);
    for row in (0..rows * fine).rev() {
        let (low, high, up) = place(row, rows);
        pixels.extend(across.iter().map(|&(left, right, along)| {
            let at = |row: usize| density[[row, left]] * (1.0 - along) + density[[row, right]] * along;
            theme::density((at(low) * (1.0 - up) + at(high) * up) / top, dark)
        }));
    }
    ColorImage::new([columns * fine, rows * fine], pixels)
}
