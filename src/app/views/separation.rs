//! Separation: the variance of a neuron against the slowness of its interneurons, live and measured, on the exact curve.

use crate::app::actions::Action;
use crate::app::state::ViewState;
use crate::app::theme;
use crate::app::views::View;
use crate::app::widgets::background_value::{BackgroundValue, COMPUTED};
use crate::app::widgets::figure::Figure as _;
use crate::app::widgets::grid;
use crate::app::widgets::measured::{self, Axis};
use crate::engine::{Command, Snapshot};
use crate::experiment::Config;
use crate::experiment::config::DynamicsConfig;
use crate::export::table::Table;
use crate::studies::separation::{STUDY, variance_levels};
use crate::studies::{Curve, Point, Study, StudyOptions, StudyTarget};
use egui::Ui;
use egui_plot::{HLine, Legend, Plot, VLine};
use std::sync::Arc;

/// Variances above this many times the prior's are not shown: where the dynamics become unstable they grow without bound.
const TOP: f64 = 3.0;

/// What the view keeps.
#[derive(Default)]
pub struct Separation {
    theory: BackgroundValue<SweptTarget, Option<Theory>>,
}

/// Variances of the posterior and of the prior, and the curves, which cost a Lyapunov equation a point.
struct Theory {
    levels: [f64; 2],
    curves: Vec<Curve>,
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
        let mut curves = STUDY.curves(target, &StudyOptions::default());
        let levels = variance_levels(target)?;
        curves.iter_mut().for_each(|curve| curve.points.retain(|p| p[1] < TOP * levels[1]));
        Some(Self { levels, curves })
    }
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
        let Some(Theory { levels: [posterior, prior], curves }) = theory else { return };
        let (posterior, prior) = (*posterior, *prior);
        let top = TOP * prior;
        ui.weak(format!(
            "Lines: exact. Interneurons as slow as the neuron tell it nothing: its variance rises from the posterior's {posterior:.3} to the prior's {prior:.3}, and past it by their own noise, the more the fewer they are. Large dot: unit {} now, moved by the slider of tau_eps. A curve that leaves upwards: slow interneurons and adaptation make the dynamics unstable, and no distribution is stationary.",
            target.watched.pair[0]
        ));
        let dark = ui.visuals().dark_mode;
        let d = &snapshot.config.dynamics;
        let live = state.variance().map(|(y, error)| Point::new(0, d.tau_eps_ms / d.tau_x_ms, y, error));
        grid::upright(Plot::new("separation"))
            .legend(Legend::default().follow_insertion_order(true).position(egui_plot::Corner::LeftTop))
            .allow_scroll(false)
            .include_y(0.0)
            .include_x(figure.range.map_or(-3.0, |range| range[0].log10()) - 0.3)
            .x_axis_label(figure.x.label)
            .y_axis_label(figure.y.label)
            .x_axis_formatter(|mark, _| measured::power_of_ten(mark.value))
            .figure(ui, "variance against tau_eps", |plot| {
                for (name, level) in [("posterior", posterior), ("prior", prior)] {
                    let style = egui_plot::LineStyle::dashed_loose();
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
                    let name = format!("now, K = {}", d.interneurons);
                    measured::points(plot, &name, std::iter::once(live), axes, theme::SERIES[4]);
                    let big = vec![[live.x.log10(), live.y]];
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
