//! Measured points with error bars beside theory's curve, on logarithmic axes where that helps; and the buttons of a study.

use crate::app::actions::Action;
use crate::app::theme;
use crate::app::widgets::figure;
use crate::engine::{Command, Snapshot};
use crate::export::table::Table;
use crate::studies::{Curve, Point, Study, StudyFindings, StudyOptions};
use egui::{Color32, Ui};
use egui_plot::{PlotPoints, PlotUi, Points};

pub use crate::studies::Scale as Axis;

/// Points with bars of one standard error each way; on a logarithmic axis a bar that reaches 0 ends at a tenth of the value.
pub fn points(plot: &mut PlotUi<'_>, name: &str, points: impl Iterator<Item = Point>, [x, y]: [Axis; 2], color: Color32) {
    let points: Vec<Point> = points.filter(|p| x == Axis::Linear || p.x > 0.0).collect();
    for p in points.iter().filter(|p| p.error.is_finite()) {
        let bar: Vec<[f64; 2]> = ends(p, y).iter().map(|end| [x.place(p.x), y.place(*end)]).collect();
        plot.line(figure::line("", PlotPoints::from(bar)).color(color).width(1.5).allow_hover(false));
    }
    let places: Vec<[f64; 2]> = points.iter().map(|p| [x.place(p.x), y.place(p.y)]).collect();
    plot.points(Points::new(name, PlotPoints::from(places)).color(color).radius(3.5));
}

/// Where the bar of a point ends below and above.
fn ends(p: &Point, y: Axis) -> [f64; 2] {
    let low = p.y - p.error;
    [if y == Axis::Logarithmic { low.max(0.1 * p.y) } else { low }, p.y + p.error]
}

/// A theory curve.
pub fn curve(plot: &mut PlotUi<'_>, name: &str, curve: &Curve, [x, y]: [Axis; 2], color: Color32) {
    let line: Vec<[f64; 2]> = curve.points.iter().map(|p| [x.place(p[0]), y.place(p[1])]).collect();
    plot.line(figure::line(name, PlotPoints::from(line)).color(color).width(1.6));
}

/// Measure, stop, and how far it is. Returns the findings where they are those of this study with these options.
pub fn controls<'a>(
    ui: &mut Ui,
    snapshot: &'a Snapshot,
    study: &dyn Study,
    options: &StudyOptions,
    tip: &str,
    actions: &mut Vec<Action>,
) -> Option<&'a StudyFindings> {
    let complete = options.completed(study).ok();
    let findings = snapshot.findings.as_deref().filter(|f| f.study == study.name() && Some(&f.options) == complete.as_ref());
    ui.horizontal_wrapped(|ui| {
        match findings.filter(|f| !f.finished) {
            Some(under_way) => {
                if ui.button("Stop").on_hover_text("What was measured stays").clicked() {
                    actions.push(Action::Send(Command::StopStudy));
                }
                let text = format!("{} of {}", under_way.done, under_way.total);
                ui.add(egui::ProgressBar::new(under_way.share()).desired_width(180.0).text(text));
            }
            None => {
                let text = if findings.is_some() { "Measure again" } else { "Measure" };
                if ui.button(text).on_hover_text(tip).clicked() {
                    actions.push(Action::Send(Command::RunStudy { name: study.name().into(), options: options.clone() }));
                }
            }
        }
        let of_before = |f: &StudyFindings| f.target.as_ref().is_some_and(|t| t.frozen.dynamics != snapshot.config.dynamics);
        if findings.is_some_and(of_before) {
            let color = theme::caution(ui.visuals().dark_mode);
            ui.colored_label(color, "Points and curves are of the settings at the time of measuring");
        }
    });
    findings
}

/// The points of the last study: what was varied, what was measured, its error and what theory says; what the series differ in where
/// they do.
pub fn table(snapshot: &Snapshot) -> Option<Table> {
    let findings = snapshot.findings.as_deref().filter(|f| !f.points.is_empty())?;
    let mut table = Table::default();
    table.push("series", findings.points.iter().map(|p| p.series as f64));
    if findings.figure.series_key != "series" {
        table.push(findings.figure.series_key.as_str(), findings.points.iter().map(|p| findings.series_value(p)));
    }
    table.push("x", findings.points.iter().map(|p| p.x));
    table.push("y", findings.points.iter().map(|p| p.y));
    table.push("standard_error", findings.points.iter().map(|p| p.error));
    table.push(findings.figure.expectation.name(), findings.points.iter().map(|p| p.expected.unwrap_or(f64::NAN)));
    Some(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_that_reaches_0_leaves_a_logarithmic_axis_as_wide_as_its_values() {
        let p = Point::new(0, 1.0, 0.02, 0.03);
        assert_eq!(ends(&p, Axis::Logarithmic), [0.1 * 0.02, 0.02 + 0.03]);
        assert_eq!(ends(&p, Axis::Linear), [0.02 - 0.03, 0.02 + 0.03]);
        assert_eq!(ends(&Point::new(0, 1.0, 0.02, 0.01), Axis::Logarithmic), [0.02 - 0.01, 0.02 + 0.01]);
    }
}
