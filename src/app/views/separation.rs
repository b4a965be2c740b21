//! Separation: the variance of a neuron against the slowness of its interneurons, live and measured, on the exact curve.

use crate::app::actions::Action;
use crate::app::state::ViewState;
use crate::app::theme;
use crate::app::views::View;
use crate::app::widgets::background_value::{BackgroundValue, COMPUTED};
use crate::app::widgets::figure::Figure as _;
use crate::app::widgets::greek::greek;
use crate::app::widgets::grid;
use crate::app::widgets::measured::{self, Axis};
use crate::engine::{Command, Snapshot};
use crate::experiment::Config;
use crate::experiment::config::DynamicsConfig;
use crate::export::table::Table;
use crate::studies::separation::{STUDY, variance_levels};
use crate::studies::{Curve, Point, Study, StudyOptions, StudyTarget};
use egui::Ui;
use egui_plot::{HLine, Legend, Plot, Polygon, VLine};
use std::sync::Arc;

/// Variances above this many times the prior's are not shown: where the dynamics become unstable they grow without bound.
const TOP: f64 = 3.0;

/// What is said where there is such a region.
const UNSTABLE: &str =
    " Shaded: slow interneurons and adaptation make the dynamics unstable there, no distribution is stationary, and the curves end.";

/// What the view keeps.
#[derive(Default)]
pub struct Separation {
    theory: BackgroundValue<SweptTarget, Option<Theory>>,
}

/// Variances of the posterior and of the prior, and the curves, which cost a Lyapunov equation a point.
struct Theory {
    levels: [f64; 2],
    /// In pieces that end where the next point is missing.
    curves: Vec<Curve>,
    /// Where no distribution is stationary, from and to which tau_eps / tau_x.
    unstable: Vec<[f64; 2]>,
}

/// A target whose tau_eps and K are swept: the curves of one hold for another that has all else the same.
#[derive(Clone)]
struct SweptTarget(Arc<StudyTarget>);

impl PartialEq for SweptTarget {
    fn eq(&self, other: &Self) -> bool {
        let kept = |s: &StudyTarget| DynamicsConfig { tau_eps_ms: 1.0, interneurons: 1, ..s.frozen.dynamics };
        let (a, b) = (&self.0, &other.0);
        a.frozen.model.weights == b.frozen.model.weights && a.watched == b.watched && kept(a) == kept(b)
    }
}

impl Theory {
    fn of(target: &StudyTarget) -> Option<Self> {
        let curves = STUDY.curves(target, &StudyOptions::default());
        let levels = variance_levels(target)?;
        let range = STUDY.figure(target, &StudyOptions::default()).range?;
        // Stability does not depend on K.
        let first: Vec<[f64; 2]> = curves.iter().filter(|curve| curve.series == 0).flat_map(|curve| curve.points.clone()).collect();
        let unstable = missing(&first, range);
        let low = |curve: Curve| Curve { points: curve.points.into_iter().filter(|p| p[1] < TOP * levels[1]).collect(), ..curve };
        let curves = curves.into_iter().flat_map(|curve| in_pieces(low(curve))).collect();
        Some(Self { levels, curves, unstable })
    }
}

/// The smallest ratio of the places of two successive points, a little enlarged: those further apart are not neighbours.
fn apart(points: &[[f64; 2]]) -> f64 {
    points.windows(2).map(|pair| pair[1][0] / pair[0][0]).fold(f64::INFINITY, f64::min).powf(1.5)
}

/// The parts of a curve between which points were left out.
fn in_pieces(curve: Curve) -> Vec<Curve> {
    let apart = apart(&curve.points);
    let pieces = curve.points.chunk_by(|a, b| b[0] < apart * a[0]);
    pieces.map(|points| Curve { points: points.to_vec(), ..curve }).collect()
}

/// The parts of `range` in which a curve has no points.
fn missing(points: &[[f64; 2]], range: [f64; 2]) -> Vec<[f64; 2]> {
    let apart = apart(points);
    let places: Vec<f64> = std::iter::once(range[0]).chain(points.iter().map(|p| p[0])).chain([range[1]]).collect();
    places.windows(2).filter(|pair| pair[1] > apart * pair[0]).map(|pair| [pair[0], pair[1]]).collect()
}

impl View for Separation {
    fn ui(&mut self, ui: &mut Ui, state: &ViewState, snapshot: &Snapshot, actions: &mut Vec<Action>) {
        let now = snapshot.subject().filter(|target| target.frozen.model.is_linear_gaussian());
        let Some(now) = now else {
            ui.label("Exact curves need gaussian layers with linear f: choose slow-interneurons, ridge or chain.");
            return;
        };
        let options = StudyOptions::default();
        let tip = "Var(x) at eleven ratios for K = 1, 4 and 16, 128 chains each";
        let findings = measured::controls(ui, snapshot, &STUDY, &options, tip, actions);
        let target = findings.and_then(|f| f.target.clone()).map_or(now, Arc::new);
        let figure = STUDY.figure(&target, &options);
        let found = self.theory.latest(ui, &SweptTarget(target.clone()), |SweptTarget(target)| Theory::of(target));
        let Some((_, theory)) = found else {
            ui.weak(COMPUTED);
            return;
        };
        let Some(Theory { levels: [posterior, prior], curves, unstable }) = theory else { return };
        let (posterior, prior) = (*posterior, *prior);
        let top = TOP * prior;
        ui.weak(greek(&format!(
            "Lines: exact. Interneurons as slow as the neuron tell it nothing: its variance rises from the posterior's {posterior:.3} to the prior's {prior:.3}, and past it by their own noise, the more the fewer they are. Large dot: unit {} now, moved by the slider of tau_eps.{}",
            target.watched.pair[0],
            if unstable.is_empty() { "" } else { UNSTABLE }
        )));
        let dark = ui.visuals().dark_mode;
        let d = &snapshot.config.dynamics;
        let live = state.variance().map(|(y, error)| Point::new(0, d.tau_eps_ms / d.tau_x_ms, y, error));
        grid::scaled(Plot::new("separation"), [Axis::Logarithmic, Axis::Linear])
            .legend(Legend::default().follow_insertion_order(true).position(egui_plot::Corner::LeftTop))
            .allow_scroll(false)
            .include_y(0.0)
            .include_x(figure.range.map_or(-3.0, |range| range[0].log10()) - 0.3)
            .x_axis_label(greek(&figure.x.label))
            .y_axis_label(greek(&figure.y.label))
            .figure(ui, "variance against tau_eps", |plot| {
                for [from, to] in unstable.iter().map(|range| range.map(f64::log10)) {
                    let corners = vec![[from, 0.0], [to, 0.0], [to, top], [from, top]];
                    let fill = theme::alarm(dark).gamma_multiply(0.15);
                    plot.polygon(Polygon::new("not stationary", corners).fill_color(fill).stroke(egui::Stroke::NONE).allow_hover(false));
                }
                let styles = [egui_plot::LineStyle::dashed_loose(), egui_plot::LineStyle::dotted_dense()];
                for ((name, level), style) in [("posterior (dashes)", posterior), ("prior (dots)", prior)].into_iter().zip(styles) {
                    plot.hline(HLine::new(name, level).color(theme::exact(dark)).width(1.2).style(style));
                }
                let axes = [Axis::Logarithmic, Axis::Linear];
                for (series, described) in figure.series.iter().enumerate() {
                    let color = theme::SERIES[series];
                    let own = curves.iter().filter(|curve| curve.series == series);
                    own.for_each(|curve| measured::curve(plot, &described.name, curve, axes, color));
                    let found = findings.iter().flat_map(|f| f.points.iter().copied()).filter(|p| p.series == series && p.y < top);
                    measured::points(plot, &described.name, found, axes, color);
                }
                if let Some(live) = live {
                    plot.vline(VLine::new("", live.x.log10()).color(theme::SERIES[4]).width(0.8));
                    // A variance that grows without bound would leave no room for the curves: the line alone stands for it.
                    let name = format!("now, K = {}", d.interneurons);
                    let inside = Some(live).filter(|live| live.y < top);
                    measured::points(plot, &name, inside.into_iter(), axes, theme::SERIES[4]);
                    let big = inside.map_or_else(Vec::new, |live| vec![[live.x.log10(), live.y]]);
                    plot.points(egui_plot::Points::new(name, big).color(theme::SERIES[4]).radius(6.0));
                }
            });
    }

    fn measurement(&self, _: &Config) -> Option<Command> {
        Some(Command::RunStudy { name: STUDY.name().into(), options: StudyOptions::default() })
    }

    fn table(&self, _: &ViewState, snapshot: &Snapshot) -> Option<Table> {
        measured::table(snapshot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::session::Session;
    use crate::experiment::{ModelVersion, presets};
    use crate::studies::separation::stationary_variance;

    #[test]
    fn curves_end_where_nothing_is_stationary_and_that_region_is_told() {
        let mut config = presets::by_name("slow-interneurons").unwrap();
        let theory = |config: &crate::experiment::Config| {
            let session = Session::new(config.clone()).unwrap();
            let target = StudyTarget::of(&session, ModelVersion::default());
            (Theory::of(&target).unwrap(), target)
        };
        config.dynamics.adaptation = 0.0;
        let (stable, _) = theory(&config);
        assert!(stable.unstable.is_empty() && stable.curves.len() == 3, "a curve for each K, in one piece");
        config.dynamics.adaptation = 4.0;
        let (found, target) = theory(&config);
        let [[from, to]] = found.unstable[..] else { panic!("{:?}", found.unstable) };
        let middle = (from * to).sqrt();
        assert_eq!(stationary_variance(&target, middle, 4), None, "nothing is stationary at {middle}");
        for curve in &found.curves {
            assert!(curve.points.windows(2).all(|pair| pair[1][0] < 1.5 * pair[0][0]), "no line across what is missing");
            assert!(curve.points.iter().all(|p| !(from + 1e-9..to - 1e-9).contains(&p[0])), "no point in {from} to {to}");
        }
    }
}
