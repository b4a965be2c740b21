//! Partition function: A(eta) and A'(eta) of a family as interneurons find them, on the exact curves.

use crate::app::actions::Action;
use crate::app::state::ViewState;
use crate::app::theme;
use crate::app::views::View;
use crate::app::widgets::background_value::BackgroundValue;
use crate::app::widgets::figure::Figure as _;
use crate::app::widgets::greek::greek;
use crate::app::widgets::grid;
use crate::app::widgets::measured::{self, Axis};
use crate::app::widgets::number_field::drag_value;
use crate::app::widgets::switch::Switches as _;
use crate::engine::{Command, Snapshot};
use crate::experiment::Config;
use crate::export::table::Table;
use crate::model::{Family, FamilyConfig};
use crate::studies::natural_parameter::{FAMILIES, eta_origin, family_options};
use crate::studies::{Curve, Study, StudyTarget, partition, partition_error};
use egui::Ui;
use egui_plot::{Corner, Legend, Plot, VLine};

/// What the view keeps.
#[derive(Default)]
pub struct Partition {
    /// None: that of layer 0.
    family: Option<FamilyConfig>,
    error: bool,
    /// The unit of layer 0 .. whose eta is marked.
    unit: usize,
    /// Theory's curves.
    exact: BackgroundValue<Picture, Vec<Curve>>,
}

/// The family and whether it is its errors that are drawn.
type Picture = (FamilyConfig, bool);

/// Theory's curves of a picture, which are integrals for many families.
fn exact_curves(study: &'static dyn Study, target: &StudyTarget) -> impl FnOnce(&Picture) -> Vec<Curve> + Send + 'static {
    let target = target.clone();
    move |picture| study.curves(&target, &family_options(picture.0))
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
            ui.switch_value(&mut self.error, false, "A and A'").on_hover_text("The log-partition and its slope, against eta");
            ui.switch_value(&mut self.error, true, "Error").on_hover_text("Of <T(y)> over one step, against tau_eps/dt and K");
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
                    for family in FAMILIES {
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
                ui.add(drag_value(&mut self.unit).range(0..=layers[layer].size - 1))
                    .labelled_by(label.id)
                    .on_hover_text(format!("Of layer {layer}: its eta in network 0 now is marked"));
            }
            input = layer.and_then(|layer| eta_now(snapshot, layer, self.unit));
        });
        let config = self.family.unwrap_or(first);
        let (Ok(family), Some(target)) = (config.build(), snapshot.subject()) else { return };
        if self.error {
            self.errors(ui, snapshot, &target, config, actions);
        } else {
            self.curves(ui, (snapshot, &target), (config, family.as_ref()), input, actions);
        }
    }

    fn measurement(&self, config: &Config) -> Option<Command> {
        let options = family_options(config.model.layers.first()?.family);
        Some(Command::RunStudy { name: partition::STUDY.name().into(), options })
    }

    fn table(&self, _: &ViewState, snapshot: &Snapshot) -> Option<Table> {
        measured::table(snapshot)
    }
}

impl Partition {
    fn curves(
        &mut self,
        ui: &mut Ui,
        (snapshot, target): (&Snapshot, &StudyTarget),
        (config, family): (FamilyConfig, &dyn Family),
        input: Option<f64>,
        actions: &mut Vec<Action>,
    ) {
        let (study, options) = (&partition::STUDY, family_options(config));
        let tip = "64 groups of K interneurons at each eta, 20 steps of dt";
        let findings = measured::controls(ui, snapshot, study, &options, tip, actions);
        let origin = (eta_origin(family) * 100.0).round() / 100.0;
        ui.weak(greek(&format!("Lines: exact. Points: above <T(y)>, below its integral over eta from {origin} (thermodynamic integration: the log-partition without any sum over states), one standard error.")));
        let unit = self.unit;
        let exact = self.exact.of(ui, &(config, false), exact_curves(study, target)).map_or(&[][..], Vec::as_slice);
        let dark = ui.visuals().dark_mode;
        let height = (ui.available_height() - 56.0) / 2.0;
        let names = ["A'(eta), the mean of T".to_string(), format!("A(eta) - A({origin}), the log-partition")];
        for (series, name) in names.into_iter().enumerate() {
            ui.strong(greek(&name));
            grid::numbered(Plot::new(("partition", series)))
                .height(height.max(80.0))
                .legend(Legend::default().follow_insertion_order(true).position([Corner::LeftTop, Corner::LeftBottom][series]))
                .allow_scroll(false)
                .x_axis_label(greek("eta"))
                .y_axis_min_width(36.0)
                .link_axis(egui::Id::unique("partition axes"), [true, false])
                .figure(ui, name, |plot| {
                    for curve in exact.iter().filter(|curve| curve.series == series) {
                        measured::curve(plot, "exact", curve, [Axis::Linear; 2], theme::exact(dark));
                    }
                    if let Some(eta) = input {
                        let name = greek(&format!("eta of unit {unit} now"));
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

impl Partition {
    fn errors(&mut self, ui: &mut Ui, snapshot: &Snapshot, target: &StudyTarget, config: FamilyConfig, actions: &mut Vec<Action>) {
        let (study, options) = (&partition_error::STUDY, family_options(config));
        let tip = "At eight tau_eps and three K, 512 values of eta each";
        let findings = measured::controls(ui, snapshot, study, &options, tip, actions);
        let figure = study.figure(target, &options);
        let found = self.exact.of(ui, &(config, true), exact_curves(study, target));
        let curves = found.map_or(&[][..], Vec::as_slice);
        ui.weak(if found.is_some() && curves.is_empty() {
        "Root mean square of <T(y)> - A'(eta) over one step, in standard deviations of T in the middle of its range. No closed form for this family."
    } else {
        "Root mean square of <T(y)> - A'(eta) over one step, in standard deviations of T. Lines: exact for the Ornstein-Uhlenbeck process."
    });
        let axes = [figure.x.scale, figure.y.scale];
        let [low, high] = figure.range.unwrap_or([0.01, 10.0]).map(f64::log10);
        grid::scaled(Plot::new("partition error"), axes)
            .legend(Legend::default().follow_insertion_order(true).position(Corner::LeftTop))
            .allow_scroll(false)
            .x_axis_label(greek(&figure.x.label))
            .y_axis_label(greek(&figure.y.label))
            .include_x(low)
            .include_x(high)
            .include_y(-2.0)
            .include_y(0.2)
            .figure(ui, "error", |plot| {
                for (series, described) in figure.series.iter().enumerate() {
                    let color = theme::SERIES[series];
                    let own = curves.iter().filter(|curve| curve.series == series);
                    own.for_each(|curve| measured::curve(plot, &described.name, curve, axes, color));
                    let found = findings.iter().flat_map(|f| f.points.iter().copied()).filter(|p| p.series == series);
                    measured::points(plot, &described.name, found, axes, color);
                }
            });
    }
}
