//! Posterior: two units' chains over the exact density where a grid can give it, else over the density of the samples.

mod chains;
mod marginals;
mod plot_square;
mod race;

use crate::analysis::density::DensityGrid;
use crate::app::actions::Action;
use crate::app::state::ViewState;
use crate::app::theme;
use crate::app::views::View;
use crate::app::widgets::choice::keep_together;
use crate::app::widgets::figure::{self, Figure as _};
use crate::app::widgets::grid;
use crate::app::widgets::number_field::{drag_value, slider};
use crate::app::widgets::texture::Slot;
use crate::engine::{Command, RaceState, Snapshot, Watch};
use crate::experiment::Config;
use crate::export::table::Table;
use crate::studies::race::{SamplerConfig, Start};
use egui::{ColorImage, Rect, TextureOptions, Ui, UiBuilder, pos2, vec2};
use egui_plot::{Plot, PlotBounds, PlotImage, PlotPoint, PlotResponse};
use marginals::Samples;
use plot_square::PlotSquare;
use std::sync::Arc;

/// Cells of the density of samples along each axis.
const BINS: usize = 64;
/// Pixels of the exact density's picture a cell of its grid.
const FINE: usize = 3;
/// Room for a marginal beside the plot, points.
const STRIP: f32 = 56.0;
/// Observed values that can be set with a slider each, at most.
const FEW_VALUES: usize = 3;

/// A square that holds what was shown as well is so many times as wide as the one that is needed, at most.
const WIDER: f64 = 2.0;

/// Length of the trails at first, ms; points that the slider needs with its name and value.
const TRAIL_MS: f64 = 40.0;
const WITH_SLIDER: f32 = 190.0;
/// The figure with its two strips.
const WITH_MARGINALS: &str = "posterior with marginals";

/// The exact density as it was drawn.
struct Exact {
    grid: Arc<DensityGrid>,
    dark: bool,
    square: PlotSquare,
}

/// What the view keeps.
pub struct Posterior {
    exact: Option<Exact>,
    exact_picture: Slot,
    cloud: Slot,
    /// What the cloud's texture was made of: the model, its steps, the samples, the square, the theme.
    cloud_of: Option<(u64, u64, usize, PlotSquare, bool)>,
    square: PlotSquare,
    square_for: Option<(u64, [usize; 2])>,
    /// Two samplers of a race in a panel each, in place of all in one.
    split: bool,
    /// How long the trails are, ms of simulated time.
    trail_ms: f64,
}

impl Default for Posterior {
    fn default() -> Self {
        Self {
            exact: None,
            exact_picture: Slot::default(),
            cloud: Slot::default(),
            cloud_of: None,
            square: PlotSquare::default(),
            square_for: None,
            split: false,
            trail_ms: TRAIL_MS,
        }
    }
}

/// With less height than this the picture has all of it.
const LOW: f32 = 220.0;

impl View for Posterior {
    fn ui(&mut self, ui: &mut Ui, state: &ViewState, snapshot: &Snapshot, actions: &mut Vec<Action>) {
        controls(ui, &mut self.trail_ms, snapshot, actions);
        if let Some(line) = &snapshot.exact_line {
            scalar(ui, state, snapshot, line);
            return;
        }
        if snapshot.exact_stimulus() {
            race::controls(ui, &mut self.split, snapshot, actions);
        }
        let exact = exact_of_pair(snapshot);
        if ui.available_height() > LOW {
            ui.weak(legend(snapshot, exact.is_some()));
        }
        if state.trails.is_empty() && exact.is_none() {
            ui.label("No samples yet: press Run.");
            return;
        }
        self.plane(ui, state, snapshot, exact, actions);
    }

    fn measurement(&self, config: &Config) -> Option<Command> {
        Some(Command::Race(SamplerConfig::contrast(&config.dynamics).into()))
    }

    fn table(&self, state: &ViewState, snapshot: &Snapshot) -> Option<Table> {
        let mut table = Table::default();
        match &snapshot.race {
            Some(race) => {
                for (racer, name) in race.racers.iter().zip(race::keys(race)) {
                    table.push(format!("time_ms ({name})"), racer.distance.iter().map(|d| d[0]));
                    table.push(format!("total_variation ({name})"), racer.distance.iter().map(|d| d[1]));
                    let last = racer.trail.last().cloned().unwrap_or_default();
                    for axis in 0..2 {
                        table.push(format!("x{axis}_now ({name})"), last.iter().map(|p| f64::from(p[axis])));
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
            if let Some(grid) = exact_of_pair(snapshot) {
                let curve = marginals::exact(grid, axis);
                table.push(format!("exact_x{axis}"), curve.iter().map(|p| p[0]));
                table.push(format!("exact_density_of_x{axis}"), curve.iter().map(|p| p[1]));
            }
            for (racer, name) in snapshot.race.iter().flat_map(|race| race.racers.iter().zip(race::keys(race))) {
                let [low, high] = snapshot.race.as_ref().map_or([0.0, 1.0], |race| race.window[axis]);
                let steps = marginals::of_racer(racer, [low, high], axis);
                let middles = steps.chunks_exact(2).map(|ends| 0.5 * (ends[0][0] + ends[1][0]));
                table.push(format!("x{axis} ({name})"), middles);
                table.push(format!("density_of_x{axis} ({name})"), steps.chunks_exact(2).map(|ends| ends[0][1]));
            }
        }
        (!table.columns.is_empty()).then_some(table)
    }
}

impl Posterior {
    /// The plane of the two units with the marginals at its sides, and what belongs to a race beside it.
    fn plane(&mut self, ui: &mut Ui, state: &ViewState, snapshot: &Snapshot, exact: Option<&Arc<DensityGrid>>, actions: &mut Vec<Action>) {
        let dark = ui.visuals().dark_mode;
        let race = snapshot.race.as_ref();
        self.draw_exact(ui, exact);
        let moved = self.move_axes(state, snapshot, exact.is_some());
        let image = self.density(ui, state, snapshot, exact.is_some());
        let area = match race {
            Some(race) => beside_race(ui, snapshot, race, actions),
            None => ui.available_rect_before_wrap(),
        };
        if let Some((race, pair)) = race.and_then(|race| Some((race, race::pair(snapshot, race).filter(|_| self.split)?))) {
            self.split_plane(ui, area, (race, pair), state, snapshot, moved);
            // Both panels tell of one start, also when a slider was moved.
            if !race.common_start && !state.is_past && !ui.input(|i| i.pointer.any_down()) {
                actions.push(Action::Send(Command::RaceFrom(Start::Origin)));
            }
            return;
        }
        let strip = if area.width() > 300.0 && area.height() > 260.0 { STRIP } else { 0.0 };
        let mut inner = Rect::from_min_max(area.min + vec2(0.0, strip), area.max - vec2(strip, 0.0));
        // About a square: more height would only show empty plane.
        inner.max.y = inner.max.y.min(inner.min.y + inner.width());
        let (square, trail_ms) = (self.square, self.trail_ms);
        let followed = race.and_then(|race| race::followed(snapshot, race));
        let draw = |ui: &mut Ui| {
            plot(snapshot).figure(ui, "posterior", |plot| {
                if moved {
                    let ends = |sign: f64| [0, 1].map(|axis| square.centre[axis] + sign * square.half);
                    plot.set_plot_bounds(PlotBounds::from_min_max(ends(-1.0), ends(1.0)));
                }
                if let Some(image) = image {
                    plot.image(image);
                }
                match race {
                    Some(race) => chains::of_race(plot, race, trail_ms, followed),
                    None => chains::all(plot, state, trail_ms, dark),
                }
            })
        };
        let shown = ui.scope_builder(UiBuilder::new().max_rect(inner), draw).inner;
        if race.is_some() {
            restart_where_clicked(&shown, actions);
        }
        ui.advance_cursor_after_rect(area);
        if strip > 0.0 {
            figure::mark(ui, WITH_MARGINALS, area.with_max_y(inner.max.y));
            let samples = Samples { state, race, exact: exact.map(Arc::as_ref) };
            (0..2).for_each(|axis| marginals::draw(ui, &shown.transform, axis, strip, square, &samples));
        }
    }

    /// Two samplers of a race side by side, each over the density, with its time and its distance above it.
    fn split_plane(
        &mut self,
        ui: &mut Ui,
        area: Rect,
        (race, pair): (&RaceState, [usize; 2]),
        state: &ViewState,
        snapshot: &Snapshot,
        moved: bool,
    ) {
        let (square, width, trail_ms) = (self.square, 0.5 * area.width() - 4.0, self.trail_ms);
        for (k, i) in pair.into_iter().enumerate() {
            let left = area.min.x + k as f32 * (width + 8.0);
            let place = Rect::from_min_max(pos2(left, area.min.y), pos2(left + width, area.max.y));
            let image = self.density(ui, state, snapshot, exact_of_pair(snapshot).is_some());
            let draw = |ui: &mut Ui| {
                race::clock(ui, race, i);
                let side = width.min(ui.available_height());
                Plot::new(("posterior", k))
                    .width(width)
                    .height(side)
                    .data_aspect(1.0)
                    .allow_scroll(false)
                    .allow_drag(false)
                    .allow_zoom(false)
                    .allow_boxed_zoom(false)
                    .show_axes(false)
                    .figure(ui, format!("sampler {}", i + 1), |plot| {
                        if moved || plot.plot_bounds().width() > 3.0 * square.half || plot.plot_bounds().width() < square.half {
                            let ends = |sign: f64| [0, 1].map(|axis| square.centre[axis] + sign * square.half);
                            plot.set_plot_bounds(PlotBounds::from_min_max(ends(-1.0), ends(1.0)));
                        }
                        if let Some(image) = image {
                            plot.image(image);
                        }
                        chains::of_one(plot, race, trail_ms, i);
                    });
            };
            ui.scope_builder(UiBuilder::new().max_rect(place), draw);
        }
        ui.advance_cursor_after_rect(area);
    }

    /// Makes the picture of the exact density anew, where it has changed.
    fn draw_exact(&mut self, ui: &Ui, exact: Option<&Arc<DensityGrid>>) {
        let dark = ui.visuals().dark_mode;
        if let Some(grid) = exact
            && (self.exact.as_ref().is_none_or(|drawn| !Arc::ptr_eq(&drawn.grid, grid) || drawn.dark != dark)
                || self.exact_picture.id(ui).is_none())
        {
            self.exact_picture.put(ui, "exact posterior", picture(&grid.density, FINE, dark), TextureOptions::LINEAR);
            self.exact = Some(Exact { grid: grid.clone(), dark, square: PlotSquare::of_density(grid) });
        }
    }

    /// The axes move when they must and stay otherwise. Answers whether they do.
    fn move_axes(&mut self, state: &ViewState, snapshot: &Snapshot, is_exact: bool) -> bool {
        let drawn = self.exact.as_ref().filter(|_| is_exact);
        let wanted = drawn.map_or_else(|| PlotSquare::of_samples(state), |drawn| drawn.square);
        let square_for = Some((snapshot.model_id, snapshot.watch.pair));
        let moved = self.square.is_far_from(wanted) || self.square_for != square_for;
        if moved {
            // Wider where both have room, so that what has moved is seen to move.
            let wider = self.square.with(wanted);
            let keeps = self.square_for == square_for && wider.half < WIDER * wanted.half;
            self.square = if keeps { wider } else { wanted };
            // Few samples say little about where the rest will be.
            self.square_for = square_for.filter(|_| is_exact || state.cloud.len() > 1000);
        }
        moved
    }

    /// The density under the chains: the exact one, or that of the samples.
    fn density(&mut self, ui: &Ui, state: &ViewState, snapshot: &Snapshot, is_exact: bool) -> Option<PlotImage> {
        if let (Some(Exact { grid, .. }), Some(texture)) = (self.exact.as_ref().filter(|_| is_exact), self.exact_picture.id(ui)) {
            let centre = PlotPoint::new((grid.x[0] + grid.x[1]) / 2.0, (grid.y[0] + grid.y[1]) / 2.0);
            let size = vec2((grid.x[1] - grid.x[0]) as f32, (grid.y[1] - grid.y[0]) as f32);
            return Some(PlotImage::new("exact posterior", texture, centre, size));
        }
        let (square, dark) = (self.square, ui.visuals().dark_mode);
        let of = Some((snapshot.model_id, snapshot.clock.steps, state.cloud.len(), square, dark));
        if self.cloud_of != of || self.cloud.id(ui).is_none() {
            self.cloud_of = of;
            let mut counts = ndarray::Array2::<f64>::zeros((BINS, BINS));
            // A thinned cloud gives the same picture at a fraction of the cost.
            for p in state.thinned_cloud(20_000) {
                if let (Some(column), Some(row)) = (square.bin(0, p[0], BINS), square.bin(1, p[1], BINS)) {
                    counts[[row, column]] += 1.0;
                }
            }
            self.cloud.put(ui, "sample density", picture(&counts, 1, dark), TextureOptions::LINEAR);
        }
        let size = egui::Vec2::splat(2.0 * square.half as f32);
        let [x, y] = square.centre;
        self.cloud.id(ui).map(|texture| PlotImage::new("sample density", texture, PlotPoint::new(x, y), size))
    }
}

/// The exact density of the two units that are watched, where they are units 0 and 1 of layer 1, in this order.
fn exact_of_pair(snapshot: &Snapshot) -> Option<&Arc<DensityGrid>> {
    let watch = &snapshot.watch;
    snapshot.exact_posterior.as_ref().filter(|_| watch.trace_layer == 1 && watch.pair == [0, 1])
}

/// Which units, the held stimulus, and the values of a small one.
fn controls(ui: &mut Ui, trail_ms: &mut f64, snapshot: &Snapshot, actions: &mut Vec<Action>) {
    ui.horizontal_wrapped(|ui| {
        let size = snapshot.activity.len();
        let mut pair = snapshot.watch.pair;
        // A layer of one unit leaves nothing to choose.
        for (axis, unit) in ["x axis", "y axis"].into_iter().zip(&mut pair).filter(|_| size > 1) {
            let label = ui.label(axis);
            ui.add(drag_value(unit).range(0..=size.saturating_sub(1)).prefix("unit ")).labelled_by(label.id);
        }
        if pair != snapshot.watch.pair {
            actions.push(Action::Watch(Watch { pair, ..snapshot.watch.clone() }));
        }
        if snapshot.exact_line.is_none() {
            keep_together(ui, WITH_SLIDER);
            let label = ui.label("Trail");
            ui.spacing_mut().slider_width = 70.0;
            let trail = slider(trail_ms, 5.0..=1000.0, "ms").logarithmic(true).max_decimals(0);
            ui.add(trail).labelled_by(label.id).on_hover_text("Simulated time that the trails of chains go back");
        }
        if snapshot.config.stimulus.steps_per_stimulus > 0 {
            let mut held = snapshot.stimulus.held;
            let tip = "Every network gets network 0's stimulus, so that all sample one posterior; learning rests";
            if ui.checkbox(&mut held, "Hold the stimulus").on_hover_text(tip).changed() {
                actions.push(Action::Send(Command::HoldStimulus(held)));
            }
        }
    });
    if snapshot.stimulus.stimulus.len() > FEW_VALUES {
        return;
    }
    let mut values = snapshot.stimulus.stimulus.clone();
    let mut changed = false;
    for (i, value) in values.iter_mut().enumerate() {
        ui.horizontal(|ui| {
            let label = ui.label(format!("Stimulus x0[{i}]"));
            changed |= ui.add(slider(value, -4.0..=4.0, "")).labelled_by(label.id).changed();
        });
    }
    if changed {
        actions.push(Action::Send(Command::SetStimulus(values)));
    }
}

/// What the picture shows, in words.
fn legend(snapshot: &Snapshot, is_exact: bool) -> &'static str {
    if snapshot.race.is_some() {
        "A colour a sampler: one chain with its trail, the others as dots, and where there is room its histograms at the sides. The large one follows the sliders of the model. Filled contours and grey lines: the exact posterior, where known."
    } else if is_exact {
        "Filled contours and lines at the sides: the exact posterior. Dots: the chains, four with trails. Bars: their histograms."
    } else if snapshot.exact_stimulus() {
        "Shading: density of the samples. All chains share one stimulus."
    } else {
        "Shading: density of the samples since the last stimulus. Each network has its own stimulus: hold it to see one posterior."
    }
}

/// Draws the race's figures right of the picture, or below it in a narrow view; answers with the room that is left.
fn beside_race(ui: &mut Ui, snapshot: &Snapshot, race: &RaceState, actions: &mut Vec<Action>) -> Rect {
    let area = ui.available_rect_before_wrap();
    let is_wide = area.width() > 640.0 || area.width() > 1.6 * area.height();
    let corner = if is_wide {
        pos2(area.max.x - (area.width() * 0.5).min(430.0), area.min.y)
    } else {
        pos2(area.min.x, area.min.y + area.height() * 0.5)
    };
    let place = Rect::from_min_max(corner, area.max);
    ui.scope_builder(UiBuilder::new().max_rect(place), |ui| race::panel(ui, snapshot, race, actions));
    let left = if is_wide { pos2(place.min.x - 10.0, area.max.y) } else { pos2(area.max.x, place.min.y - 6.0) };
    Rect::from_min_max(area.min, left)
}

fn plot<'a>(snapshot: &Snapshot) -> Plot<'a> {
    grid::numbered(Plot::new("posterior"))
        .data_aspect(1.0)
        .allow_scroll(false)
        .x_axis_label(format!("x of unit {}", snapshot.watch.pair[0]))
        .y_axis_label(format!("x of unit {}", snapshot.watch.pair[1]))
        .allow_boxed_zoom(false)
}

/// A click in the picture: every chain of every sampler starts there.
fn restart_where_clicked(shown: &PlotResponse<()>, actions: &mut Vec<Action>) {
    if let (true, Some(at)) = (shown.response.clicked(), shown.response.interact_pointer_pos()) {
        let point = shown.transform.value_from_position(at);
        actions.push(Action::Send(Command::RaceFrom(Start::Point([point.x as f32, point.y as f32]))));
    }
}

/// A single latent unit: the histogram of its samples under the exact density.
fn scalar(ui: &mut Ui, state: &ViewState, snapshot: &Snapshot, line: &[[f64; 2]]) {
    ui.weak("Lines: the exact posterior density of the only neuron, and dashed its prior. Bars: the samples since the last change, all networks.");
    let (Some(first), Some(last)) = (line.first(), line.last()) else { return };
    let (low, width) = (first[0], (last[0] - first[0]) / marginals::BINS as f64);
    let (mut counts, mut total) = ([0.0f64; marginals::BINS], 0.0f64);
    for p in state.thinned_cloud(40_000) {
        total += 1.0;
        let at = (f64::from(p[0]) - low) / width;
        if (0.0..marginals::BINS as f64).contains(&at) {
            counts[at as usize] += 1.0;
        }
    }
    let (dark, prior) = (ui.visuals().dark_mode, prior(snapshot, line));
    let bar =
        |(i, count): (usize, &f64)| egui_plot::Bar::new(low + (i as f64 + 0.5) * width, count / (total.max(1.0) * width)).width(width);
    let bars = egui_plot::BarChart::new("samples", counts.iter().enumerate().map(bar).collect()).color(theme::histogram(dark));
    let plot = grid::numbered(Plot::new("scalar posterior")).allow_scroll(false).allow_boxed_zoom(false);
    plot.x_axis_label("x").y_axis_label("density").figure(ui, "posterior", |plot| {
        plot.bar_chart(bars);
        plot.line(figure::line("exact posterior", figure::points(line.to_vec())).color(theme::exact(dark)).width(2.0));
        if let Some(prior) = prior {
            let style = egui_plot::LineStyle::dashed_loose();
            plot.line(figure::line("prior", figure::points(prior)).color(theme::SERIES[1]).width(1.6).style(style));
        }
    });
}

/// The prior density of the only neuron at the places of `line`: exp(eta T(x) - B(x) - A(eta)) with eta its bias.
fn prior(snapshot: &Snapshot, line: &[[f64; 2]]) -> Option<Vec<[f64; 2]>> {
    let family = snapshot.config.model.layers.get(1)?.family.build().ok()?;
    let eta = f64::from(*snapshot.biases.get(1)?.first()?);
    let partition = family.log_partition(eta);
    let density = |x: f64| (eta * family.statistic(x) - family.base_energy(x) - partition).exp();
    Some(line.iter().map(|[x, _]| [*x, density(*x)]).collect())
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
