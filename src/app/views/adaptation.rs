//! Adaptation: how much faster sampling is with adaptation, measured, on the curve that theory gives.

use crate::app::actions::Action;
use crate::app::state::ViewState;
use crate::app::theme;
use crate::app::views::View;
use crate::app::widgets::figure::Figure as _;
use crate::app::widgets::grid;
use crate::app::widgets::measured::{self, Axis};
use crate::engine::{Command, Snapshot};
use crate::experiment::Config;
use crate::experiment::laboratory::{self, ADAPTATION_TIMES, Experiment, STRENGTHS, Subject};
use crate::export::table::Table;
use egui::Ui;
use egui_plot::{Legend, Plot, VLine};
use std::sync::Arc;

/// What the view keeps.
pub struct Adaptation {
    experiment: Experiment,
    /// m* of a subject, which may need the posterior on a grid.
    critical: Option<(Arc<Subject>, Option<[f64; 2]>)>,
}

impl Default for Adaptation {
    fn default() -> Self {
        Self { experiment: Experiment::AdaptationStrength, critical: None }
    }
}

impl View for Adaptation {
    fn ui(&mut self, ui: &mut Ui, _: &ViewState, snapshot: &Snapshot, actions: &mut Vec<Action>) {
        if snapshot.config.stimulus.steps_per_stimulus > 0 && !snapshot.stimulus.held {
            ui.label("Each network has its own stimulus here: hold one in Posterior or Stimulus, or choose the preset ridge.");
            return;
        }
        ui.horizontal(|ui| {
            ui.label("Sweep");
            ui.selectable_value(&mut self.experiment, Experiment::AdaptationStrength, "m")
                .on_hover_text("Adaptation strength, at the present tau_v");
            ui.selectable_value(&mut self.experiment, Experiment::AdaptationTime, "tau_v")
                .on_hover_text("Adaptation time constant, at the present m");
        });
        let tip = "128 chains for each setting, until the autocorrelation time is known to 3 %";
        let findings = measured::controls(ui, snapshot, self.experiment, tip, actions);
        let subject = match (findings, snapshot.subject()) {
            (Some(findings), _) => findings.subject.clone(),
            (None, Some(subject)) => subject,
            (None, None) => return,
        };
        if self.critical.as_ref().is_none_or(|(of, _)| !Arc::ptr_eq(of, &subject)) {
            self.critical = Some((subject.clone(), laboratory::critical_strengths(&subject)));
        }
        let critical =
            self.critical.as_ref().and_then(|(_, critical)| *critical).filter(|_| self.experiment == Experiment::AdaptationStrength);
        let exact = laboratory::is_linear_gaussian(&subject.model);
        ui.weak(if exact {
            "Line: S = 1 + m^2 tau_v/tau_x, exact for this Gaussian posterior whatever its curvature. Points: autocorrelation time of the pair's first unit at m = 0 over that with adaptation, one standard error."
        } else {
            "This posterior is not Gaussian: the line S = 1 + m^2 tau_v/tau_x and m* (of the Gaussian with the same covariance) are guides here, not exact. Points: autocorrelation time of the pair's first unit at m = 0 over that with adaptation, one standard error."
        });
        let (dark, d) = (ui.visuals().dark_mode, subject.dynamics);
        let times = self.experiment == Experiment::AdaptationTime;
        let x = if times { Axis::Logarithmic } else { Axis::Linear };
        let range = if times {
            [ADAPTATION_TIMES[0], ADAPTATION_TIMES[ADAPTATION_TIMES.len() - 1]].map(|t| x.place(t))
        } else {
            [0.0, STRENGTHS[STRENGTHS.len() - 1]]
        };
        grid::upright(Plot::new(("adaptation", times)))
            .legend(Legend::default().follow_insertion_order(true).position(egui_plot::Corner::LeftTop))
            .allow_scroll(false)
            .x_axis_label(if times { "tau_v / tau_x" } else { "adaptation strength m" })
            .y_axis_label("speed-up")
            .x_axis_formatter(move |mark, _| if times { measured::power_of_ten(mark.value) } else { format!("{}", mark.value) })
            .include_y(0.0)
            .figure(ui, "speed-up", |plot| {
                let axes = [x, Axis::Linear];
                let theory = |value| laboratory::speed_up_theory(self.experiment, &d, value);
                let name = if exact { "theory S" } else { "S, a guide" };
                measured::curve(plot, name, theory, range, axes, theme::exact(dark));
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
        Some(Command::Experiment(Experiment::AdaptationStrength))
    }

    fn table(&self, _: &ViewState, snapshot: &Snapshot) -> Option<Table> {
        measured::table(snapshot)
    }
}
