//! Population: the fitted filters as a physiologist would show them, and how their share grows.

use crate::analysis::gabor::Gabor;
use crate::analysis::published::{self, Bin};
use crate::app::actions::Action;
use crate::app::gabor_fitter::{FitPriority, Fits};
use crate::app::state::ViewState;
use crate::app::theme;
use crate::app::views::View;
use crate::app::widgets::figure::{self, Figure as _};
use crate::app::widgets::grid;
use crate::app::widgets::panels::{self, Panel};
use crate::app::widgets::plane_of_units::{Placed, Plane, PlaneOfUnits};
use crate::engine::{Command, Snapshot};
use crate::export::table::Table;
use crate::studies::fits;
use egui::Ui;
use egui_plot::{Bar, BarChart, Legend, Plot, PlotBounds, PlotUi, Points, Polygon};

/// Published work that the plane is compared with.
const RINGACH: &str = "Shaded: simple cells of macaque V1 (Ringach, J. Neurophysiol. 88:455, 2002), counted in logarithmic bins as Dapello et al. (NeurIPS 2020) tabulate them. He found them near a one-parameter family of shapes, from round blobs of one lobe outwards to long, many-lobed fields; the line is the principal axis through the bins. He also found that sparse coding and independent components predict more lobes than cells have, and no blobs.";
/// Bars of a histogram.
const BINS: usize = 12;

/// The figure with a point a unit.
const PLANE: &str = "widths in periods";
/// The figure that has a history of its own.
const GROWTH: &str = "share and R^2 over images";

/// What the view keeps.
#[derive(Default)]
pub struct Population {
    plane: PlaneOfUnits,
}

impl View for Population {
    fn ui(&mut self, ui: &mut Ui, state: &ViewState, snapshot: &Snapshot, actions: &mut Vec<Action>) {
        let pixels = snapshot.weights.first().map_or(0, |w| w.nrows());
        if fits::patch(snapshot.image_shape()).is_none() {
            ui.label(format!("This model observes {pixels} values, no picture of at least 6 x 6 pixels: there are no Gabor functions to fit. Choose dead-leaves or photographs."));
            return;
        }
        let Some(fits) = state.fits.as_ref().filter(|fits| fits.of.model == snapshot.model_id) else {
            ui.label("Fitting the filters ...");
            return;
        };
        let (share, median) = fits.summary();
        let good: Vec<(usize, &Gabor)> = gabor_like(fits);
        ui.horizontal_wrapped(|ui| {
            ui.label(format!(
                "{} of {} filters are Gabor-like ({:.0} %: R^2 of at least 0.7, inside the patch); median R^2 {median:.2}",
                good.len(),
                fits.gabors.len(),
                100.0 * share
            ));
            let [cells, units] = published::blob_shares(&good.iter().map(|(_, fit)| fit.periods()).collect::<Vec<_>>());
            ui.label(format!("Blobs, n_x and n_y below 0.3: {:.0} % here, {:.0} % in macaque V1", 100.0 * units, 100.0 * cells))
                .on_hover_text(RINGACH);
            if fits.stale(snapshot) && snapshot.config.learning.enabled && snapshot.clock.running {
                ui.weak(format!("fitted at {} images", fits.images));
            }
        });
        let (columns, size) = panels::layout(ui, 6, 3);
        let mut list: Vec<Panel<'_>> = vec![Box::new(|ui| plane(ui, size, &mut self.plane, &good, snapshot, actions))];
        for histogram in &HISTOGRAMS {
            list.push(Box::new(move |ui| histogram.draw(ui, size, fits)));
        }
        list.push(Box::new(|ui| growth(ui, size, state)));
        panels::grid(ui, "population", columns, list);
    }

    fn figure_table(&self, figure: &str, state: &ViewState, _: &Snapshot) -> Option<Table> {
        let mut table = Table::default();
        if figure == GROWTH {
            for (k, name) in ["images", "gabor_like_share", "median_r2"].into_iter().enumerate() {
                table.push(name, state.fit_history.iter().map(|point| point[k]));
            }
        } else if let Some(histogram) = HISTOGRAMS.iter().find(|histogram| histogram.name == figure) {
            table.push("from", (0..BINS).map(|i| histogram.edge(i)));
            table.push("to", (0..BINS).map(|i| histogram.edge(i + 1)));
            table.push("filters", histogram.counts(state.fits.as_ref()?));
        }
        (!table.columns.is_empty()).then_some(table)
    }

    fn arrangement(&self, figure: Option<&str>) -> Option<String> {
        let part = self.plane.caption();
        let is_plane = figure.is_none_or(|figure| figure == PLANE);
        (is_plane && !part.is_empty()).then(|| format!("Widths in periods{part}."))
    }

    fn fit_priority(&self) -> FitPriority {
        FitPriority::Visible
    }

    fn table(&self, state: &ViewState, _: &Snapshot) -> Option<Table> {
        state.fits.as_ref().map(|Fits { gabors, shape, .. }| fits::table(gabors, *shape))
    }
}

fn plot<'a>(id: &str, size: egui::Vec2) -> Plot<'a> {
    Plot::new(id.to_string())
        .width(size.x)
        .height(size.y)
        .allow_scroll(false)
        .allow_drag(false)
        .allow_zoom(false)
        .allow_boxed_zoom(false)
        .y_axis_min_width(30.0)
}

fn gabor_like(fits: &Fits) -> Vec<(usize, &Gabor)> {
    fits.gabors.iter().enumerate().filter(|(_, fit)| fit.is_gabor_like(fits.shape)).collect()
}

/// A fitted parameter's histogram.
struct Histogram {
    /// Of the figure.
    name: &'static str,
    title: &'static str,
    value: fn(&Gabor) -> f64,
    range: [f64; 2],
    /// Between two numbers on the axis.
    mark: f64,
    /// Of every filter, not only of the Gabor-like ones.
    all: bool,
}

const HISTOGRAMS: [Histogram; 4] = [
    Histogram {
        name: "orientation",
        title: "Orientation of the bars, degrees from horizontal",
        value: |fit| fit.orientation.to_degrees(),
        range: [0.0, 180.0],
        mark: 45.0,
        all: false,
    },
    Histogram {
        name: "frequency",
        title: "Frequency, cycles a pixel",
        value: |fit| fit.frequency,
        range: [0.0, 0.5],
        mark: 0.1,
        all: false,
    },
    Histogram {
        name: "phase",
        title: "Phase, degrees: 0 even, 90 odd",
        value: |fit| fit.phase.to_degrees(),
        range: [0.0, 90.0],
        mark: 30.0,
        all: false,
    },
    Histogram {
        name: "R^2 of the fits",
        title: "R^2 of the fits of all filters",
        value: |fit| fit.r2,
        range: [0.0, 1.0],
        mark: 0.25,
        all: true,
    },
];

impl Histogram {
    fn edge(&self, i: usize) -> f64 {
        self.range[0] + i as f64 * (self.range[1] - self.range[0]) / BINS as f64
    }

    fn counts(&self, fits: &Fits) -> [f64; BINS] {
        let mut counts = [0.0; BINS];
        let width = self.edge(1) - self.range[0];
        for fit in fits.gabors.iter().filter(|fit| self.all || fit.is_gabor_like(fits.shape)) {
            counts[((((self.value)(fit) - self.range[0]) / width) as usize).min(BINS - 1)] += 1.0;
        }
        counts
    }

    fn draw(&self, ui: &mut Ui, size: egui::Vec2, fits: &Fits) {
        ui.strong(self.title);
        let width = self.edge(1) - self.range[0];
        let bar = |(i, count): (usize, &f64)| Bar::new(self.edge(i) + 0.5 * width, *count).width(0.94 * width);
        let bars = self.counts(fits).iter().enumerate().map(bar).collect();
        let chart = BarChart::new(self.name, bars).color(theme::histogram(ui.visuals().dark_mode));
        let show = grid::every(plot(self.name, size), self.mark).include_x(self.range[0]).include_x(self.range[1]).include_y(0.0);
        show.figure(ui, self.name, |plot| plot.bar_chart(chart));
    }
}

/// The (n_x, n_y) plane; a click traces the nearest unit.
fn plane(
    ui: &mut Ui,
    size: egui::Vec2,
    plane: &mut PlaneOfUnits,
    good: &[(usize, &Gabor)],
    snapshot: &Snapshot,
    actions: &mut Vec<Action>,
) {
    ui.strong("Widths in periods; shaded: macaque V1").on_hover_text(RINGACH);
    let dark = ui.visuals().dark_mode;
    let units: Vec<Placed> = good.iter().map(|(unit, fit)| (*unit, fit.periods())).collect();
    let top = units.iter().flat_map(|(_, at)| at).fold(1.2f64, |top, v| top.max(*v)).min(2.0);
    // Neither is ever negative: the origin stands in the corner, and one unit is as long up as across.
    let (low, span) = (-0.08, top + 0.16);
    let wide = span * f64::from(((size.x - 50.0) / (size.y - 40.0)).max(1.0));
    let clicked = plane.ui(
        ui,
        Plane {
            name: PLANE,
            plot: grid::numbered(plot("plane", size))
                .data_aspect(1.0)
                .x_axis_label("n_x, across the bars")
                .y_axis_label("n_y, along the bars"),
            whole: PlotBounds::from_min_max([low, low], [low + wide, low + span]),
            units,
            chosen: snapshot.watch.trace_units.first().copied().filter(|_| snapshot.watch.trace_layer == 1),
            axes: ["n_x", "n_y"],
            behind: Box::new(move |plot| macaque(plot, top, dark)),
        },
    );
    if let Some(unit) = clicked {
        let watch = crate::engine::Watch { trace_layer: 1, trace_units: vec![unit], ..snapshot.watch.clone() };
        actions.push(Action::Send(Command::Watch(watch)));
    }
}

/// The published cells as shaded bins, and the family they lie near.
fn macaque<'a>(plot: &mut PlotUi<'a>, top: f64, dark: bool) {
    let bins = published::macaque_bins();
    let most = bins.iter().fold(0.0f64, |most, bin| most.max(bin.share));
    for Bin { low: [x0, y0], high: [x1, y1], share } in bins {
        let corners = vec![[x0, y0], [x1, y0], [x1, y1], [x0, y1]];
        let fill = theme::published(dark).gamma_multiply((0.08 + 0.5 * share / most) as f32);
        plot.polygon(Polygon::new("", corners).fill_color(fill).stroke(egui::Stroke::NONE).allow_hover(false));
    }
    let [factor, power] = published::macaque_family();
    let family: Vec<[f64; 2]> =
        (4..=40).map(|i| 0.02 * f64::from(i)).map(|x| [x, factor * x.powf(power)]).filter(|p| p[1] <= top).collect();
    plot.line(figure::line("macaque family", family).color(theme::published(dark)).width(1.6).allow_hover(false));
}

fn growth(ui: &mut Ui, size: egui::Vec2, state: &ViewState) {
    ui.strong("Share and R^2 over images seen");
    let line = |k: usize| figure::points(state.fit_history.iter().map(|p| [p[0], p[k]]).collect::<Vec<_>>());
    let show = grid::numbered(plot("growth", size))
        .include_y(0.0)
        .include_y(1.0)
        .legend(Legend::default().position(egui_plot::Corner::RightBottom));
    let show = show.x_axis_formatter(|mark, _| format!("{}k", grid::number(mark.value / 1000.0)));
    show.figure(ui, GROWTH, |plot| {
        if state.fit_history.len() < 2 {
            let dots = |k: usize, color| Points::new("", line(k)).color(color).radius(2.8);
            plot.points(dots(1, theme::SERIES[0]));
            plot.points(dots(2, theme::SERIES[1]));
        }
        plot.line(figure::line("Gabor-like share", line(1)).color(theme::SERIES[0]).width(1.8));
        plot.line(figure::line("median R^2", line(2)).color(theme::SERIES[1]).width(1.4));
    });
}
