//! Population: the fitted filters as a physiologist would show them, and how their share grows.

use crate::analysis::gabor::Gabor;
use crate::app::actions::Action;
use crate::app::fitter::Fits;
use crate::app::state::ViewState;
use crate::app::theme;
use crate::app::views::View;
use crate::app::widgets::figure::Figure as _;
use crate::app::widgets::panels::{self, Panel};
use crate::engine::{Command, Snapshot};
use crate::experiment::fits;
use crate::export::table::Table;
use egui::Ui;
use egui_plot::{Bar, BarChart, HoverPosition, Legend, Line, Plot, PlotPoints, Points};

/// Published work that the plane is compared with.
const RINGACH: &str = "Ringach, J. Neurophysiol. 88:455 (2002): simple cells of macaque V1 lie near one curve through this plane, from blobs near the origin (one subfield, broadly tuned) outwards; he found that sparse coding and independent components predict more subfields than the cells have, that is, too few units near the origin. The quarter circle marks n_x = n_y = 0.25 as a radius: inside, no side lobe is left.";
/// Radius of the blob-like region, periods: there the envelope hides all but one lobe.
const BLOB: f64 = 0.25 * std::f64::consts::SQRT_2;
/// Bars of a histogram.
const BINS: usize = 12;

/// What the view keeps: nothing.
#[derive(Default)]
pub struct Population;

impl View for Population {
    fn ui(&mut self, ui: &mut Ui, state: &ViewState, snapshot: &Snapshot, actions: &mut Vec<Action>) {
        let pixels = snapshot.weights.first().map_or(0, |w| w.nrows());
        if fits::side(pixels).is_none() {
            ui.label(format!("This model observes {pixels} values, no square picture of at least 6 x 6 pixels: there are no Gabor functions to fit. Choose dead-leaves or photographs."));
            return;
        }
        let Some(fits) = state.fits.as_ref().filter(|fits| fits.of.0 == snapshot.model_id) else {
            ui.label("Fitting the filters ...");
            return;
        };
        let (share, median) = fits.summary();
        let good: Vec<(usize, &Gabor)> = fits.gabors.iter().enumerate().filter(|(_, fit)| fit.is_gabor_like(fits.side)).collect();
        ui.horizontal_wrapped(|ui| {
            ui.label(format!(
                "{} of {} filters are Gabor-like ({:.0} %: R^2 of at least 0.7, inside the patch); median R^2 {median:.2}",
                good.len(),
                fits.gabors.len(),
                100.0 * share
            ));
            if fits.stale(snapshot) && snapshot.config.learning.enabled && snapshot.clock.running {
                ui.weak(format!("fitted at {} images", fits.images));
            }
        });
        let dark = ui.visuals().dark_mode;
        let (columns, size) = panels::layout(ui, 6, 3);
        let values = |value: &dyn Fn(&Gabor) -> f64| good.iter().map(|(_, fit)| value(fit)).collect::<Vec<_>>();
        let list: Vec<Panel<'_>> = vec![
            Box::new(|ui| plane(ui, size, &good, dark, snapshot, actions)),
            Box::new(|ui| {
                histogram(
                    ui,
                    size,
                    "orientation",
                    "Orientation of the bars, degrees from horizontal",
                    values(&|f| f.orientation.to_degrees()),
                    [0.0, 180.0],
                );
            }),
            Box::new(|ui| histogram(ui, size, "frequency", "Frequency, cycles a pixel", values(&|f| f.frequency), [0.0, 0.5])),
            Box::new(|ui| {
                histogram(ui, size, "phase", "Phase, degrees: 0 even, 90 odd", values(&|f| f.phase.to_degrees()), [0.0, 90.0]);
            }),
            Box::new(|ui| {
                histogram(ui, size, "quality", "R^2 of all filters", fits.gabors.iter().map(|f| f.r2).collect(), [0.0, 1.0]);
            }),
            Box::new(|ui| growth(ui, size, state)),
        ];
        panels::grid(ui, "population", columns, list);
    }

    fn table(&self, state: &ViewState, _: &Snapshot) -> Option<Table> {
        state.fits.as_ref().map(|Fits { gabors, side, .. }| fits::table(gabors, *side))
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

fn histogram(ui: &mut Ui, size: egui::Vec2, name: &str, title: &str, values: Vec<f64>, [low, high]: [f64; 2]) {
    ui.strong(title);
    let width = (high - low) / BINS as f64;
    let mut counts = [0.0f64; BINS];
    for value in values {
        counts[(((value - low) / width) as usize).min(BINS - 1)] += 1.0;
    }
    let bar = |(i, count): (usize, &f64)| Bar::new(low + (i as f64 + 0.5) * width, *count).width(0.94 * width);
    let bars = BarChart::new(name, counts.iter().enumerate().map(bar).collect()).color(theme::histogram(ui.visuals().dark_mode));
    let show = plot(name, size).include_x(low).include_x(high).include_y(0.0);
    show.figure(ui, name, |plot| plot.bar_chart(bars));
}

/// The (n_x, n_y) plane; a click traces the nearest unit.
fn plane(ui: &mut Ui, size: egui::Vec2, good: &[(usize, &Gabor)], dark: bool, snapshot: &Snapshot, actions: &mut Vec<Action>) {
    ui.strong("Widths in periods").on_hover_text(RINGACH);
    let points: Vec<[f64; 2]> = good.iter().map(|(_, fit)| fit.periods()).collect();
    let top = points.iter().flatten().fold(1.0f64, |top, v| top.max(*v)).min(2.0);
    let nearest = points.clone();
    let units: Vec<usize> = good.iter().map(|(unit, _)| *unit).collect();
    let name = units.clone();
    let show = plot("plane", size)
        .data_aspect(1.0)
        .include_x(0.0)
        .include_y(0.0)
        .include_x(top)
        .include_y(top)
        .x_axis_label("n_x, across the bars")
        .y_axis_label("n_y, along the bars")
        .label_formatter(move |at| match at {
            HoverPosition::NearDataPoint { position: p, .. } => {
                let unit = nearest.iter().position(|q| (q[0] - p.x).abs() + (q[1] - p.y).abs() < 1e-9).map(|i| name[i]);
                unit.map(|unit| format!("unit {unit}: n_x {:.2}, n_y {:.2}", p.x, p.y))
            }
            HoverPosition::Elsewhere { .. } => None,
        });
    let shown = show.figure(ui, "widths in periods", |plot| {
        let arc: Vec<[f64; 2]> =
            (0..=24).map(|i| f64::from(i) * std::f64::consts::FRAC_PI_2 / 24.0).map(|t| [BLOB * t.cos(), BLOB * t.sin()]).collect();
        plot.line(Line::new("blob-like", PlotPoints::from(arc)).color(theme::SERIES[4]).width(1.2).allow_hover(false));
        let style = egui_plot::LineStyle::dashed_loose();
        let round = Line::new("round envelopes", vec![[0.0, 0.0], [top, top]]);
        plot.line(round.color(theme::exact(dark)).width(0.8).style(style).allow_hover(false));
        plot.points(Points::new("filters", PlotPoints::from(points.clone())).color(theme::SERIES[0]).radius(2.8));
        plot.response().clicked().then(|| plot.pointer_coordinate()).flatten()
    });
    let away = |q: &[f64; 2], p: egui_plot::PlotPoint| (q[0] - p.x).hypot(q[1] - p.y);
    if let Some(at) = shown.inner
        && let Some(i) = (0..points.len()).min_by(|&a, &b| away(&points[a], at).total_cmp(&away(&points[b], at)))
    {
        let watch = crate::engine::Watch { trace_layer: 1, trace_units: vec![units[i]], ..snapshot.watch.clone() };
        actions.push(Action::Send(Command::Watch(watch)));
    }
}

fn growth(ui: &mut Ui, size: egui::Vec2, state: &ViewState) {
    ui.strong("Over images seen");
    let line = |k: usize| PlotPoints::from(state.fit_history.iter().map(|p| [p[0], p[k]]).collect::<Vec<_>>());
    let show = plot("growth", size).include_y(0.0).include_y(1.0).legend(Legend::default().position(egui_plot::Corner::RightBottom));
    let show = show.x_axis_formatter(|mark, _| format!("{:.0}k", mark.value / 1000.0));
    show.figure(ui, "growth", |plot| {
        plot.line(Line::new("Gabor-like share", line(1)).color(theme::SERIES[0]).width(1.8));
        plot.line(Line::new("median R^2", line(2)).color(theme::SERIES[1]).width(1.4));
    });
}
