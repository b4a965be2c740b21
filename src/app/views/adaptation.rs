//! Adaptation: how much faster sampling is with adaptation, measured, on the curve that theory gives.

use crate::app::actions::Action;
use crate::app::state::ViewState;
use crate::app::theme;
use crate::app::views::View;
use crate::app::widgets::background_value::BackgroundValue;
use crate::app::widgets::figure::Figure as _;
use crate::app::widgets::greek::greek;
use crate::app::widgets::grid;
use crate::app::widgets::measured::{self, Axis};
use crate::app::widgets::switch::Switches as _;
use crate::engine::{Command, Snapshot};
use crate::experiment::Config;
use crate::export::table::Table;
use crate::studies::{Expectation, SameTarget, Study, StudyOptions, adaptation, adaptation_time};
use egui::Ui;
use egui_plot::{Legend, Plot, VLine};
use std::sync::Arc;

/// What the view keeps.
#[derive(Default)]
pub struct Adaptation {
    /// Sweep tau_v in place of m.
    times: bool,
    /// m* of a target, which may need the posterior on a grid.
    critical: BackgroundValue<SameTarget, Option<[f64; 2]>>,
}

impl View for Adaptation {
    fn ui(&mut self, ui: &mut Ui, _: &ViewState, snapshot: &Snapshot, actions: &mut Vec<Action>) {
        if snapshot.config.stimulus.steps_per_stimulus > 0 && !snapshot.stimulus.held {
            ui.label("Each network has its own stimulus here: hold one in Posterior or Stimulus, or choose the preset ridge.");
            return;
        }
        ui.horizontal(|ui| {
            ui.label("Sweep");
            ui.switch_value(&mut self.times, false, "m").on_hover_text("Adaptation strength, at the present tau_v");
            ui.switch_value(&mut self.times, true, greek("tau_v")).on_hover_text("Adaptation time constant, at the present m");
        });
        let tip = "128 chains for each setting, until the autocorrelation time is known to 3 %";
        let study: &dyn Study = if self.times { &adaptation_time::STUDY } else { &adaptation::STUDY };
        let options = StudyOptions::default();
        let findings = measured::controls(ui, snapshot, study, &options, tip, actions);
        let Some(now) = snapshot.subject() else { return };
        let target = findings.and_then(|f| f.target.clone()).map_or(now, Arc::new);
        let key = SameTarget(target.clone());
        let found = self.critical.latest(ui, &key, |SameTarget(target)| adaptation::critical_strengths(target));
        let critical = found.and_then(|(_, critical)| *critical).filter(|_| !self.times);
        let figure = study.figure(&target, &options);
        let exact = figure.expectation == Expectation::Exact;
        ui.weak(greek(if exact {
            "Line: S = 1 + m^2 tau_v/tau_x, exact for this Gaussian posterior whatever its curvature. Points: autocorrelation time of the pair's first unit at m = 0 over that with adaptation, one standard error."
        } else {
            "This posterior is not Gaussian: the line S = 1 + m^2 tau_v/tau_x and m* (of the Gaussian with the same covariance) are guides here, not exact. Points: autocorrelation time of the pair's first unit at m = 0 over that with adaptation, one standard error."
        }));
        let dark = ui.visuals().dark_mode;
        let axes = [figure.x.scale, figure.y.scale];
        let curves = study.curves(&target, &options);
        grid::scaled(Plot::new(("adaptation", self.times)), [axes[0], Axis::Linear])
            .legend(Legend::default().follow_insertion_order(true).position(egui_plot::Corner::LeftTop))
            .allow_scroll(false)
            .x_axis_label(greek(&figure.x.label))
            .y_axis_label(greek(&figure.y.label))
            .include_y(0.0)
            .figure(ui, "speed-up", |plot| {
                let name = if exact { "theory S" } else { "S, a guide" };
                curves.iter().for_each(|curve| measured::curve(plot, name, curve, axes, theme::exact(dark)));
                if let Some([soft, stiff]) = critical {
                    // Directions alike in all but rounding have one m*.
                    let alike = (soft - stiff).abs() < 0.02 * (soft + stiff);
                    let names = if alike { ["m*", ""] } else { ["m* of the softest direction", "m* of the stiffest"] };
                    for ((name, m), color) in names.into_iter().zip([soft, stiff]).zip([4, 3]).filter(|((name, _), _)| !name.is_empty()) {
                        plot.vline(VLine::new(name, m).color(theme::SERIES[color]).width(1.2));
                    }
                }
                let found = findings.iter().flat_map(|f| f.points.iter().copied());
                measured::points(plot, "measured", found, axes, theme::SERIES[0]);
            });
    }

    fn measurement(&self, _: &Config) -> Option<Command> {
        Some(Command::RunStudy { name: adaptation::STUDY.name().into(), options: StudyOptions::default() })
    }

    fn table(&self, _: &ViewState, snapshot: &Snapshot) -> Option<Table> {
        measured::table(snapshot)
    }
}
