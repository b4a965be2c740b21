//! Partition function: A(eta) and A'(eta) of a family as interneurons find them, on the exact curves.

use crate::app::actions::Action;
use crate::app::state::ViewState;
use crate::app::theme;
use crate::app::views::View;
use crate::app::widgets::figure::Figure as _;
use crate::app::widgets::grid;
use crate::app::widgets::measured::{self, Axis};
use crate::engine::Snapshot;
use crate::experiment::laboratory::{self, Experiment, FRACTIONS, INTERNEURONS};
use crate::export::table::Table;
use crate::model::{Family, FamilyConfig};
use egui::Ui;
use egui_plot::{Corner, Legend, Plot, PlotPoints, VLine};

/// What the view keeps.
#[derive(Default)]
pub struct Partition {
    /// None: that of layer 0.
    family: Option<FamilyConfig>,
    error: bool,
    /// The unit of layer 0 .. whose eta is marked.
    unit: usize,
    exact: Option<(FamilyConfig, [Vec<[f64; 2]>; 2])>,
}

/// The family with its parameters, as a configuration names it.
fn title(family: &FamilyConfig) -> String {
    let text = toml::to_string(family).unwrap_or_default(); // plain numbers, which TOML can always hold
    let mut parts = text.lines().map(|line| line.replace(['"'], "")).collect::<Vec<_>>();
    let name = parts.iter().position(|p| p.starts_with("family")).map(|i| parts.remove(i).replace("family = ", "")).unwrap_or_default();
    if parts.is_empty() { name } else { format!("{name} ({})", parts.join(", ")) }
}

impl View for Partition {
    fn ui(&mut self, ui: &mut Ui, _: &ViewState, snapshot: &Snapshot, actions: &mut Vec<Action>) {
        let layers = &snapshot.config.model.layers;
        let Some(first) = layers.first().map(|layer| layer.family) else {
            ui.label("No model yet: choose a preset on the left.");
            return;
        };
        let mut input = None;
        ui.horizontal_wrapped(|ui| {
            ui.selectable_value(&mut self.error, false, "A and A'").on_hover_text("The log-partition and its slope, against eta");
            ui.selectable_value(&mut self.error, true, "Error").on_hover_text("Of <T(y)> over one step, against tau_eps/dt and K");
            let label = ui.label("Family");
            let chosen = self.family.unwrap_or(first);
            egui::ComboBox::from_id_salt("family")
                .selected_text(title(&chosen))
                .width(240.0)
                .show_ui(ui, |ui| {
                    let below = layers.len() - 1;
                    for (l, layer) in layers.iter().enumerate().take(below) {
                        ui.selectable_value(&mut self.family, Some(layer.family), format!("layer {l}: {}", title(&layer.family)));
                    }
                    for family in laboratory::FAMILIES {
                        ui.selectable_value(&mut self.family, Some(family), title(&family));
                    }
                })
                .response
                .labelled_by(label.id);
            let below = layers.len() - 1;
            let layer = layers.iter().take(below).position(|layer| layer.family == chosen).filter(|_| !self.error);
            if let Some(layer) = layer {
                let label = ui.label("Unit");
                self.unit = self.unit.min(layers[layer].size - 1);
                ui.add(egui::DragValue::new(&mut self.unit).range(0..=layers[layer].size - 1))
                    .labelled_by(label.id)
                    .on_hover_text(format!("Of layer {layer}: its eta in network 0 now is marked"));
            }
            input = layer.and_then(|layer| eta_now(snapshot, layer, self.unit));
        });
        let config = self.family.unwrap_or(first);
        let Ok(family) = config.build() else { return };
        if self.error {
            errors(ui, snapshot, config, family.as_ref(), actions);
        } else {
            self.curves(ui, snapshot, (config, family.as_ref()), input, actions);
        }
    }

    fn table(&self, _: &ViewState, snapshot: &Snapshot) -> Option<Table> {
        measured::table(snapshot)
    }
}

impl Partition {
    fn curves(
        &mut self,
        ui: &mut Ui,
        snapshot: &Snapshot,
        (config, family): (FamilyConfig, &dyn Family),
        input: Option<f64>,
        actions: &mut Vec<Action>,
    ) {
        let experiment = Experiment::Partition { family: config };
        let findings = measured::controls(ui, snapshot, experiment, "64 groups of K interneurons at each eta, 20 steps of dt", actions);
        let origin = (laboratory::eta_origin(family) * 100.0).round() / 100.0;
        ui.weak(format!("Lines: exact. Points: above <T(y)>, below its integral over eta from {origin} (thermodynamic integration: the log-partition without any sum over states), one standard error."));
        if self.exact.as_ref().is_none_or(|e| e.0 != config) {
            let [low, high] = laboratory::eta_interval(family);
            let eta = |i: i32| low + (high - low) * f64::from(i) / 120.0;
            let zero = family.log_partition(laboratory::eta_origin(family));
            let slope = (0..=120).map(|i| [eta(i), family.mean_statistic(eta(i))]).collect();
            let value = (0..=120).map(|i| [eta(i), family.log_partition(eta(i)) - zero]).collect();
            self.exact = Some((config, [slope, value]));
        }
        let Some((_, exact)) = &self.exact else { return };
        let dark = ui.visuals().dark_mode;
        let (height, unit) = ((ui.available_height() - 56.0) / 2.0, self.unit);
        let names = ["A'(eta), the mean of T".to_string(), format!("A(eta) - A({origin}), the log-partition")];
        for (series, name) in names.into_iter().enumerate() {
            ui.strong(&name);
            grid::numbered(Plot::new(("partition", series)))
                .height(height.max(80.0))
                .legend(Legend::default().follow_insertion_order(true).position([Corner::LeftTop, Corner::LeftBottom][series]))
                .allow_scroll(false)
                .x_axis_label("eta")
                .y_axis_min_width(36.0)
                .link_axis(egui::Id::unique("partition axes"), [true, false])
                .figure(ui, name, |plot| {
                    plot.line(egui_plot::Line::new("exact", PlotPoints::from(exact[series].clone())).color(theme::exact(dark)).width(1.6));
                    if let Some(eta) = input {
                        let name = format!("eta of unit {unit} now");
                        plot.vline(VLine::new(name, eta).color(theme::SERIES[4]).width(1.2));
                    }
                    let found = findings.iter().flat_map(|f| f.points.iter().copied()).filter(|p| p.series == series);
                    measured::points(plot, "interneurons", found, [Axis::Linear; 2], theme::SERIES[series]);
                });
        }
    }
}

/// eta of a unit in network 0 now: g(W f(x above) + b).
fn eta_now(snapshot: &Snapshot, layer: usize, unit: usize) -> Option<f64> {
    let (weights, above) = (snapshot.weights.get(layer)?, snapshot.config.model.layers.get(layer + 1)?);
    let x = snapshot.states.get(layer + 1).filter(|x| x.len() == weights.ncols() && unit < weights.nrows())?;
    let shown = x.iter().map(|&x| above.activation.value(f64::from(x)));
    let input: f64 = weights.row(unit).iter().zip(shown).map(|(&w, f)| f64::from(w) * f).sum();
    let family = snapshot.config.model.layers[layer].family.build().ok()?;
    Some(family.link(input + f64::from(*snapshot.biases.get(layer)?.get(unit)?))).filter(|eta| eta.is_finite())
}

fn errors(ui: &mut Ui, snapshot: &Snapshot, config: FamilyConfig, family: &dyn Family, actions: &mut Vec<Action>) {
    let experiment = Experiment::PartitionError { family: config };
    let findings = measured::controls(ui, snapshot, experiment, "At eight tau_eps and three K, 512 values of eta each", actions);
    let known = family.is_normal();
    ui.weak(if known {
        "Root mean square of <T(y)> - A'(eta) over one step, in standard deviations of T. Lines: exact for the Ornstein-Uhlenbeck process."
    } else {
        "Root mean square of <T(y)> - A'(eta) over one step, in standard deviations of T in the middle of its range. No closed form for this family."
    });
    Plot::new("partition error")
        .legend(Legend::default().follow_insertion_order(true).position(Corner::LeftTop))
        .allow_scroll(false)
        .x_axis_label("tau_eps / dt")
        .y_axis_label("error")
        .x_axis_formatter(|mark, _| measured::power_of_ten(mark.value))
        .y_axis_formatter(|mark, _| measured::power_of_ten(mark.value))
        .include_x(FRACTIONS[0].log10())
        .include_x(FRACTIONS[FRACTIONS.len() - 1].log10())
        .include_y(-2.0)
        .include_y(0.2)
        .figure(ui, "error", |plot| {
            let axes = [Axis::Logarithmic; 2];
            for (series, k) in INTERNEURONS.into_iter().enumerate() {
                let color = theme::SERIES[series];
                if known {
                    let theory = |fraction: f64| laboratory::partition_error_theory(family, fraction, k).unwrap_or(f64::NAN);
                    let range = [FRACTIONS[0], FRACTIONS[FRACTIONS.len() - 1]].map(f64::log10);
                    measured::curve(plot, &format!("K = {k}"), theory, range, axes, color);
                }
                let found = findings.iter().flat_map(|f| f.points.iter().copied()).filter(|p| p.series == series);
                measured::points(plot, &format!("K = {k}"), found, axes, color);
            }
        });
}
