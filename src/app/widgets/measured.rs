//! Measured points with error bars beside theory's curve, on logarithmic axes where that helps; and the buttons of an experiment.

use crate::app::actions::Action;
use crate::app::theme;
use crate::engine::{Command, Snapshot, StudyFindings};
use crate::experiment::laboratory::{self, Experiment, INTERNEURONS, Point};
use crate::export::table::Table;
use egui::{Color32, Ui};
use egui_plot::{GridInput, GridMark, Line, PlotPoints, PlotUi, Points};

/// How an axis shows its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axis {
    /// As they are.
    Linear,
    /// Their decimal logarithms.
    Logarithmic,
}

impl Axis {
    /// Where a value stands on the axis.
    pub fn place(self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::Logarithmic => value.max(1e-12).log10(),
        }
    }
}

/// Points with bars of one standard error each way.
pub fn points(plot: &mut PlotUi<'_>, name: &str, points: impl Iterator<Item = Point>, [x, y]: [Axis; 2], color: Color32) {
    let points: Vec<Point> = points.filter(|p| x == Axis::Linear || p.x > 0.0).collect();
    for p in &points {
        let bar = vec![[x.place(p.x), y.place(p.y - p.error)], [x.place(p.x), y.place(p.y + p.error)]];
        plot.line(Line::new("", PlotPoints::from(bar)).color(color).width(1.5).allow_hover(false));
    }
    let places: Vec<[f64; 2]> = points.iter().map(|p| [x.place(p.x), y.place(p.y)]).collect();
    plot.points(Points::new(name, PlotPoints::from(places)).color(color).radius(3.5));
}

/// A curve given by a function, over `[low, high]` of the axis' places.
pub fn curve(plot: &mut PlotUi<'_>, name: &str, value: impl Fn(f64) -> f64, [low, high]: [f64; 2], [x, y]: [Axis; 2], color: Color32) {
    let at = |i: usize| low + (high - low) * i as f64 / 120.0;
    let value_at = |place: f64| if x == Axis::Linear { place } else { 10f64.powf(place) };
    let line: Vec<[f64; 2]> = (0..=120).map(|i| [at(i), y.place(value(value_at(at(i))))]).collect();
    plot.line(Line::new(name, PlotPoints::from(line)).color(color).width(1.6));
}

/// A whole power of ten on a logarithmic axis; nothing between.
pub fn power_of_ten(value: f64) -> String {
    if (value - value.round()).abs() > 1e-6 {
        return String::new();
    }
    let number = 10f64.powf(value.round());
    if (0.0009..10_001.0).contains(&number) { format!("{}", (number * 1e6).round() / 1e6) } else { format!("1e{value:.0}") }
}

/// Grid of a logarithmic axis: 1 to 9 of every decade, the powers of ten strongest, then 2 and 5.
pub fn decades(input: GridInput) -> Vec<GridMark> {
    let (low, high) = input.bounds;
    if !(low.is_finite() && high.is_finite() && high - low < 30.0) {
        return Vec::new();
    }
    let mark = |(decade, k): (i32, i32)| {
        let step_size = match k {
            1 => 1.0,
            2 | 5 => 0.3,
            _ => 0.06,
        };
        GridMark { value: f64::from(decade) + f64::from(k).log10(), step_size }
    };
    let all = (low.floor() as i32..=high.floor() as i32).flat_map(|decade| (1..10).map(move |k| (decade, k)));
    all.map(mark).filter(|mark| (low..=high).contains(&mark.value)).collect()
}

/// 1, 2 and 5 of every decade on a logarithmic axis; nothing between.
pub fn round_number(place: f64) -> String {
    let decade = (place + 1e-9).floor();
    let first = 10f64.powf(place - decade);
    match [1.0, 2.0, 5.0].into_iter().find(|k| (first - k).abs() < 1e-6) {
        Some(k) if (-4.0..5.0).contains(&decade) => format!("{}", k * 10f64.powf(decade)).chars().take(6).collect(),
        Some(k) => format!("{k}e{decade}"),
        None => String::new(),
    }
}

/// Measure, stop, and how far it is. Returns the findings where they are those of `experiment`.
pub fn controls<'a>(
    ui: &mut Ui,
    snapshot: &'a Snapshot,
    experiment: Experiment,
    tip: &str,
    actions: &mut Vec<Action>,
) -> Option<&'a StudyFindings> {
    let findings = snapshot.findings.as_deref().filter(|f| f.experiment == experiment);
    ui.horizontal_wrapped(|ui| {
        match findings.filter(|f| !f.done) {
            Some(under_way) => {
                if ui.button("Stop").on_hover_text("What was measured stays").clicked() {
                    actions.push(Action::Send(Command::StopExperiment));
                }
                let share = under_way.points.len() as f32 / under_way.total.max(1) as f32;
                ui.add(egui::ProgressBar::new(share).desired_width(180.0).text(format!(
                    "{} of {}",
                    under_way.points.len(),
                    under_way.total
                )));
            }
            None => {
                let text = if findings.is_some() { "Measure again" } else { "Measure" };
                if ui.button(text).on_hover_text(tip).clicked() {
                    actions.push(Action::Send(Command::Experiment(experiment)));
                }
            }
        }
        if findings.is_some_and(|f| f.subject.dynamics != snapshot.config.dynamics) {
            let color = theme::caution(ui.visuals().dark_mode);
            ui.colored_label(color, "Points and curves are of the settings at the time of measuring");
        }
    });
    findings
}

/// The points of the last experiment: what was varied, what was measured, its error and what theory says; K where that was varied too.
pub fn table(snapshot: &Snapshot) -> Option<Table> {
    let findings = snapshot.findings.as_deref().filter(|f| !f.points.is_empty())?;
    let mut table = Table::default();
    table.push("series", findings.points.iter().map(|p| p.series as f64));
    if matches!(findings.experiment, Experiment::Separation | Experiment::PartitionError { .. }) {
        table.push("K", findings.points.iter().map(|p| INTERNEURONS[p.series] as f64));
    }
    table.push("x", findings.points.iter().map(|p| p.x));
    table.push("y", findings.points.iter().map(|p| p.y));
    table.push("standard_error", findings.points.iter().map(|p| p.error));
    let name = if laboratory::is_exact(findings.experiment, &findings.subject) { "exact" } else { "guide" };
    let theory = |p: &Point| laboratory::theory(findings.experiment, &findings.subject, p).unwrap_or(f64::NAN);
    table.push(name, findings.points.iter().map(theory));
    Some(table)
}
