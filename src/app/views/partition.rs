//! Partition function: A(eta) and A'(eta) of a layer as its interneurons find them, on the exact curves.

use crate::app::actions::Action;
use crate::app::state::ViewState;
use crate::app::theme;
use crate::app::views::View;
use crate::app::widgets::measured::{self, Axis};
use crate::engine::Snapshot;
use crate::experiment::laboratory::{self, Experiment, FRACTIONS, INTERNEURONS};
use crate::export::table::Table;
use egui::Ui;
use egui_plot::{Legend, Plot, PlotPoints};

/// What the view keeps.
#[derive(Default)]
pub struct Partition {
    layer: usize,
    error: bool,
    exact: Option<(u64, usize, [Vec<[f64; 2]>; 2])>,
}

impl View for Partition {
    fn ui(&mut self, ui: &mut Ui, _: &ViewState, snapshot: &Snapshot, actions: &mut Vec<Action>) {
        let Some(subject) = snapshot.subject() else {
            ui.label("No model yet: choose a preset on the left.");
            return;
        };
        self.layer = self.layer.min(subject.model.depth() - 1);
        ui.horizontal_wrapped(|ui| {
            ui.selectable_value(&mut self.error, false, "A and A'").on_hover_text("The log-partition and its slope, against eta");
            ui.selectable_value(&mut self.error, true, "Error").on_hover_text("Of <T(y)> over one step, against tau_eps/dt and K");
            for layer in (0..subject.model.depth()).filter(|_| subject.model.depth() > 1) {
                ui.selectable_value(&mut self.layer, layer, format!("Layer {layer}"));
            }
            ui.label(format!("family {}", subject.model.layers[self.layer].family.name()));
        });
        if self.error { self.errors(ui, snapshot, actions) } else { self.curves(ui, snapshot, actions) }
    }

    fn table(&self, _: &ViewState, snapshot: &Snapshot) -> Option<Table> {
        measured::table(snapshot)
    }
}

impl Partition {
    fn curves(&mut self, ui: &mut Ui, snapshot: &Snapshot, actions: &mut Vec<Action>) {
        let experiment = Experiment::Partition { layer: self.layer };
        let findings = measured::controls(ui, snapshot, experiment, "64 groups of K interneurons at each eta, 20 steps of dt", actions);
        let Some(subject) = findings.map(|f| f.subject.clone()).or_else(|| snapshot.subject()) else { return };
        ui.weak("Lines: exact. Points: above <T(y)>, below its integral from 0 by eta (thermodynamic integration: A itself, without ever summing over states), one standard error.");
        if self.exact.as_ref().is_none_or(|e| (e.0, e.1) != (snapshot.model_id, self.layer)) {
            let family = &subject.model.layers[self.layer].family;
            let reach = laboratory::eta_range(family.as_ref());
            let eta = |i: i32| reach * (f64::from(i) / 60.0 - 1.0);
            let zero = family.log_partition(0.0);
            let slope = (0..=120).map(|i| [eta(i), family.mean_statistic(eta(i))]).collect();
            let value = (0..=120).map(|i| [eta(i), family.log_partition(eta(i)) - zero]).collect();
            self.exact = Some((snapshot.model_id, self.layer, [slope, value]));
        }
        let Some((_, _, exact)) = &self.exact else { return };
        let dark = ui.visuals().dark_mode;
        let height = (ui.available_height() - 40.0) / 2.0;
        for (series, name) in ["A'(eta), the mean of T", "A(eta) - A(0), the log-partition"].into_iter().enumerate() {
            ui.strong(name);
            Plot::new(("partition", series))
                .height(height.max(80.0))
                .legend(Legend::default().position(egui_plot::Corner::LeftTop))
                .allow_scroll(false)
                .y_axis_min_width(36.0)
                .link_axis(egui::Id::unique("partition axes"), [true, false])
                .show(ui, |plot| {
                    plot.line(egui_plot::Line::new("exact", PlotPoints::from(exact[series].clone())).color(theme::exact(dark)).width(1.6));
                    let found = findings.iter().flat_map(|f| f.points.iter().copied()).filter(|p| p.series == series);
                    measured::points(plot, "interneurons", found, [Axis::Linear; 2], theme::SERIES[series]);
                });
        }
    }

    fn errors(&self, ui: &mut Ui, snapshot: &Snapshot, actions: &mut Vec<Action>) {
        let experiment = Experiment::PartitionError { layer: self.layer };
        let findings = measured::controls(ui, snapshot, experiment, "At eight tau_eps and three K, 512 values of eta each", actions);
        let Some(subject) = findings.map(|f| f.subject.clone()).or_else(|| snapshot.subject()) else { return };
        let family = subject.model.layers[self.layer].family.clone();
        let known = family.name() == "gaussian";
        ui.weak(if known {
            "Root mean square of <T(y)> - A'(eta) over one step, in standard deviations of T. Lines: exact for the Ornstein-Uhlenbeck process."
        } else {
            "Root mean square of <T(y)> - A'(eta) over one step, in standard deviations of T at eta = 0. No closed form for this family."
        });
        Plot::new("partition error")
            .legend(Legend::default().position(egui_plot::Corner::LeftTop))
            .allow_scroll(false)
            .x_axis_label("tau_eps / dt")
            .y_axis_label("error")
            .x_axis_formatter(|mark, _| measured::power_of_ten(mark.value))
            .y_axis_formatter(|mark, _| measured::power_of_ten(mark.value))
            .include_x(FRACTIONS[0].log10())
            .include_x(FRACTIONS[FRACTIONS.len() - 1].log10())
            .include_y(-2.0)
            .include_y(0.2)
            .show(ui, |plot| {
                let axes = [Axis::Logarithmic; 2];
                for (series, k) in INTERNEURONS.into_iter().enumerate() {
                    let color = theme::SERIES[series];
                    if known {
                        let theory = |fraction: f64| laboratory::partition_error_theory(family.as_ref(), fraction, k).unwrap_or(f64::NAN);
                        let range = [FRACTIONS[0], FRACTIONS[FRACTIONS.len() - 1]].map(f64::log10);
                        measured::curve(plot, &format!("K = {k}"), theory, range, axes, color);
                    }
                    let found = findings.iter().flat_map(|f| f.points.iter().copied()).filter(|p| p.series == series);
                    measured::points(plot, &format!("K = {k}"), found, axes, color);
                }
            });
    }
}
