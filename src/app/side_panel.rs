//! The side panel: preset, run controls, sliders of the dynamics, images and model files.

use crate::app::actions::{Action, PathField};
use crate::app::own_images::{self, OwnImages};
use crate::app::paths::full_path;
use crate::app::views::ViewKind;
use crate::app::widgets::greek::greek;
use crate::app::widgets::highlight;
use crate::app::widgets::number_field::{self, NumberField};
use crate::app::widgets::path_field::{IMAGES, MODEL, path_field};
use crate::app::widgets::switch::Switches as _;
use crate::data::{ImagesReport, Source};
use crate::engine::{Command, Pace, Snapshot};
use crate::experiment::parameters::{self, Parameter, Value};
use crate::experiment::{Config, Governor, InterneuronMode, LearningRateSchedule, modelfile, presets};
use egui::{Button, ComboBox, Context, Slider, Ui};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::LazyLock;

/// Room for the value in force beside the slider of a rate that moves by itself.
const NOW_WIDTH: f32 = 58.0;

/// Lines of the summary of a preset at most.
const SUMMARY_LINES: f32 = 3.0;

/// What the panel keeps between frames.
#[derive(Default)]
pub struct SidePanel {
    /// Path of own images.
    pub images: String,
    /// What became of the images that were read last.
    pub images_report: Option<ImagesReport>,
    /// The window in which they are looked at.
    pub(super) look: OwnImages,
    /// Path of the model file.
    pub model: String,
    /// The seed as it is being typed.
    seed: Option<String>,
}

impl SidePanel {
    /// Draws the panel.
    pub fn ui(&mut self, ui: &mut Ui, snapshot: &Snapshot, actions: &mut Vec<Action>) {
        let config = &snapshot.config;
        preset(ui, snapshot, actions);
        run_controls(ui, snapshot, actions);
        pace(ui, snapshot, actions);
        self.seed(ui, config, actions);
        ui.separator();
        ui.strong("Dynamics");
        ui.weak("Double-click a name for the preset's value");
        let standard = presets::by_name(&config.model.name).unwrap_or_else(|_| (**config).clone());
        for parameter in parameters::all().iter() {
            let now = match parameter.key {
                "lr" => snapshot.learning_rate.filter(|_| rate_moves(config) && resting_reason(snapshot).is_none()),
                "dt_ms" => {
                    Some(snapshot.governor.dt_ms).filter(|dt| config.dynamics.governor == Governor::Auto && *dt != config.dynamics.dt_ms)
                }
                _ => None,
            };
            slider(ui, parameter, [config, &standard], now, actions);
        }
        for (key, label, [off, on]) in [
            ("interneuron_mode", "Exact interneurons", [InterneuronMode::Sampled.into(), InterneuronMode::Exact.into()]),
            ("governor", "Manual step size", [Governor::Auto.into(), Governor::Manual.into()]),
        ] {
            checkbox(ui, key, label, [off, on], config, actions);
        }
        learning_switch(ui, snapshot, actions);
        ui.separator();
        learn_from(ui, config, actions);
        self.own_images(ui, config, actions);
        self.model_file(ui, config, actions);
    }

    /// The seed; another one is taken when the field is let go, since it rebuilds the model. It is text: a number that is dragged has 53
    /// bits, and a seed 64.
    fn seed(&mut self, ui: &mut Ui, config: &Config, actions: &mut Vec<Action>) {
        let Some(parameter) = parameters::find("seed") else { return };
        let in_force = parameter.get(config);
        let mut text = self.seed.clone().unwrap_or_else(|| in_force.to_string());
        let response = ui
            .horizontal(|ui| {
                let label = ui.label("Seed");
                let field = egui::TextEdit::singleline(&mut text).desired_width(150.0);
                ui.add(field).labelled_by(label.id).on_hover_text(parameter.tooltip())
            })
            .inner;
        if response.changed() {
            self.seed = Some(text.clone());
        }
        match parameter.parse(&text).and_then(|value| parameter.check(value).map(|()| value)) {
            Ok(to) if response.lost_focus() => {
                self.seed = None;
                let mut changed = config.clone();
                if to != in_force && parameter.set(&mut changed, to).is_ok() {
                    actions.push(Action::Send(Command::Load(Box::new(changed))));
                }
            }
            Ok(_) => {}
            Err(error) => drop(ui.colored_label(ui.visuals().error_fg_color, error.to_string())),
        }
    }

    /// One's own images: a path, dialogs that fill it, and the button that learns from them.
    fn own_images(&mut self, ui: &mut Ui, config: &Config, actions: &mut Vec<Action>) {
        let label = ui.strong("Your images");
        ui.horizontal(|ui| {
            if path_field(ui, &label, IMAGES, &mut self.images) {
                self.look.open();
            }
            for (text, field, hint) in [
                ("File", PathField::ImageFile, "Choose a picture, or a set of images: IDX (gzip or not), NPY, NPZ, CIFAR-10 batch"),
                ("Folder", PathField::Images, "Choose a folder of pictures, or one with MNIST's files or CIFAR-10 batches"),
            ] {
                if ui.button(text).on_hover_text(hint).clicked() {
                    actions.push(Action::Dialog(field));
                }
            }
        });
        if let Some(report) = &self.images_report {
            own_images::list(ui, report);
        }
        let hint = if config.data.source.is_whole() {
            "Whole images: IDX, NPY, NPZ, CIFAR-10, or a folder of pictures, with a folder for each class or not; or drop them on the window"
        } else {
            "PNG, JPEG, TIFF, WebP or BMP; or drop files on the window"
        };
        let (look, learn) = ui
            .horizontal(|ui| {
                let look = ui.button("Look at them").on_hover_text("Thumbnails, and patches of them as they would be learned");
                (look, ui.add_enabled(!self.images.trim().is_empty(), Button::new("Learn from these")))
            })
            .inner;
        if look.clicked() {
            self.look.open();
        }
        if learn.on_hover_text(hint).clicked() {
            actions.push(Action::Send(Command::UseImages(vec![PathBuf::from(self.images.trim())])));
        }
    }

    /// The window in which one's own images are looked at, where it is open.
    pub(super) fn own_images_window(&mut self, ctx: &Context, config: &Config, actions: &mut Vec<Action>) {
        self.look.ui(ctx, &mut self.images, config, actions);
    }

    /// The model file: its path, opening and saving; and the configuration to the clipboard.
    fn model_file(&mut self, ui: &mut Ui, config: &Config, actions: &mut Vec<Action>) {
        let label = ui.strong("Model file");
        let mut opens = false;
        ui.horizontal(|ui| {
            opens = path_field(ui, &label, MODEL, &mut self.model);
            if ui.button("Choose").clicked() {
                actions.push(Action::Dialog(PathField::Open));
            }
        });
        let given = !self.model.trim().is_empty();
        let path = full_path(&self.model, Some(modelfile::ENDING));
        if given {
            ui.add(egui::Label::new(egui::RichText::new(path.display().to_string()).weak().small()).truncate());
        }
        ui.horizontal(|ui| {
            if ui.add_enabled(given, Button::new("Open")).clicked() || (opens && given) {
                actions.push(Action::Send(Command::LoadModel(path.clone())));
            }
            if ui.add_enabled(given, Button::new("Save")).clicked() {
                actions.push(Action::Send(Command::SaveModel(path)));
            }
            if ui.button("Copy TOML").on_hover_text("The whole configuration, seed included, to the clipboard").clicked() {
                ui.ctx().copy_text(config.to_toml());
            }
        });
    }
}

/// The list of presets, and the way back to the model before.
fn preset(ui: &mut Ui, snapshot: &Snapshot, actions: &mut Vec<Action>) {
    let name = &snapshot.config.model.name;
    let label = ui
        .horizontal(|ui| {
            let label = ui.label("Preset");
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| back(ui, snapshot, actions));
            label
        })
        .inner;
    let own = snapshot.config.data.own_images();
    ComboBox::from_id_salt("preset")
        .selected_text(own.as_ref().map_or_else(|| name.clone(), |own| format!("{name} on {own}")))
        .width(ui.available_width() - 8.0)
        .height(460.0) // all of them
        .show_ui(ui, |ui| {
            for preset in presets::all() {
                if ui.selectable_label(*name == preset.name, preset.name).on_hover_text(greek(preset.summary)).clicked() {
                    actions.push(Action::Send(Command::Load(Box::new(preset.config()))));
                }
            }
        })
        .response
        .labelled_by(label.id)
        .on_hover_text("Rebuilds the model; Back brings the one before with what it had learned");
    let summary = presets::all().iter().find(|preset| preset.name == *name).map(|preset| greek(preset.summary));
    // Room for the longest: what stands below keeps its place.
    let room = SUMMARY_LINES * ui.text_style_height(&egui::TextStyle::Body);
    ui.scope(|ui| {
        ui.set_min_height(room);
        match (own, summary) {
            (Some(own), _) => drop(ui.weak(format!("The settings of {name}, on your images: {own}"))),
            (None, Some(summary)) => drop(ui.weak(summary)),
            (None, None) => {}
        }
    });
}

/// The button that brings the model before a rebuild back.
fn back(ui: &mut Ui, snapshot: &Snapshot, actions: &mut Vec<Action>) {
    let before = snapshot.previous.as_ref();
    let text = before.map_or_else(
        || "Brings back the model before a rebuild, with what it had learned".to_string(),
        |(name, images)| format!("Back to {name}, {images} images learned"),
    );
    let button = ui.add_enabled(before.is_some(), Button::new("Back").small());
    if button.on_hover_text(&text).on_disabled_hover_text(&text).clicked() {
        actions.push(Action::Send(Command::Back));
    }
}

/// The button that runs or pauses.
pub(super) fn run_or_pause(ui: &mut Ui, snapshot: &Snapshot, actions: &mut Vec<Action>) {
    let (text, command) = if snapshot.clock.running { ("Pause", Command::Pause) } else { ("Run", Command::Run) };
    let height = ui.spacing().interact_size.y;
    if ui.add(Button::new(text).min_size([58.0, height].into())).on_hover_text("Space").clicked() {
        actions.push(Action::Send(command));
    }
}

/// Run, step, reset and full speed.
fn run_controls(ui: &mut Ui, snapshot: &Snapshot, actions: &mut Vec<Action>) {
    ui.horizontal_wrapped(|ui| {
        run_or_pause(ui, snapshot, actions);
        if ui.button("Step").on_hover_text("One step (S)").clicked() {
            actions.push(Action::Send(Command::Step(1)));
        }
        if ui.button("Reset").on_hover_text("Start again from the seed (R)").clicked() {
            actions.push(Action::Send(Command::Reset));
        }
        let full = snapshot.clock.pace == Pace::Full;
        let button = ui.switch(full, "Full speed").on_hover_text("As fast as the machine can (F)");
        highlight::around(ui, highlight::FULL_SPEED, button.rect);
        if button.clicked() {
            actions.push(Action::ToggleSpeed);
        }
    });
}

/// The slider of the pace. It stays in its place at full speed, so that nothing below it moves.
pub(super) fn pace(ui: &mut Ui, snapshot: &Snapshot, actions: &mut Vec<Action>) {
    let limited = match snapshot.clock.pace {
        Pace::StepsPerSecond(rate) => Some(rate),
        Pace::Full => None,
    };
    // At full speed the rate in two digits, so that the number can be read.
    let mut rate = limited.unwrap_or_else(|| two_digits(snapshot.clock.steps_per_second));
    let label = ui.label("Pace");
    let slider = number_field::slider(&mut rate, 1.0..=20_000.0, "steps/s").logarithmic(true).max_decimals(0);
    let response = ui.add_enabled(limited.is_some(), slider).labelled_by(label.id);
    if response.on_hover_text("Simulation steps in a second of your time").changed() && limited.is_some() {
        actions.push(Action::Send(Command::SetPace(Pace::StepsPerSecond(rate.max(0.1)))));
    }
}

/// A number with the two digits that count most.
fn two_digits(value: f64) -> f64 {
    let unit = 10f64.powf(value.abs().max(1.0).log10().floor() - 1.0);
    (value / unit).round() * unit
}

/// The images that the program has for this model, beside one's own: whole images, or patches of pictures.
fn learn_from(ui: &mut Ui, config: &Config, actions: &mut Vec<Action>) {
    if config.stages.is_empty() {
        return;
    }
    let mut sources = vec![(Source::Photographs, "photographs"), (Source::DeadLeaves, "dead leaves")];
    let mut standard = None;
    if config.data.source.is_whole() {
        let Ok(own) = presets::by_name(&config.model.name) else { return };
        let name = match own.data.source {
            Source::Digits => "digits",
            Source::Fashion => "Fashion-MNIST",
            Source::Mnist => "MNIST",
            _ => return,
        };
        sources = vec![(own.data.source, name)];
        if config.data.source == Source::Images {
            sources.push((Source::Images, "your images"));
        }
        standard = Some(own);
    }
    ui.horizontal(|ui| {
        ui.strong("Learn from");
        for (source, name) in sources {
            let chosen = config.data.source == source;
            if ui.switch(chosen, name).on_hover_text("Rebuilds the model").clicked() && !chosen {
                let mut changed = config.clone();
                match &standard {
                    Some(own) => {
                        (changed.data, changed.model.layers) = (own.data.clone(), own.model.layers.clone());
                        changed.model.image_shape = own.model.image_shape;
                    }
                    None => changed.use_embedded(source),
                }
                actions.push(Action::Send(Command::Load(Box::new(changed))));
            }
        }
    });
}

/// What a parameter is called and what is said of it on screen.
struct Words {
    symbol: String,
    tooltip: String,
    /// The tooltip of its name.
    of_name: String,
    range: String,
}

/// The words of a parameter, which are made once: they are the same in every frame.
fn words(parameter: &'static Parameter) -> &'static Words {
    static ALL: LazyLock<HashMap<&str, Words>> = LazyLock::new(|| {
        let words = |parameter: &'static Parameter| {
            let tooltip = greek(&parameter.tooltip());
            let of_name = format!("{tooltip}\nRight click: where it acts in the model");
            (parameter.key, Words { symbol: greek(parameter.symbol), tooltip, of_name, range: parameter.range() })
        };
        parameters::all().iter().map(words).collect()
    });
    &ALL[parameter.key]
}

/// A slider over the usual values of a parameter that has one; beyond them a number can be typed, up to the valid range. A double
/// click on the name brings back the value of `standard`. `now` is the value in force where that moves by itself.
pub(super) fn slider(
    ui: &mut Ui,
    parameter: &'static Parameter,
    [config, standard]: [&Config; 2],
    now: Option<f64>,
    actions: &mut Vec<Action>,
) {
    let (Some(usual), Some(before), Some(of_preset)) = (parameter.usual, parameter.number(config), parameter.number(standard)) else {
        return;
    };
    let mut number = before;
    let is_valid = |number: f64| {
        let value = if parameter.is_whole() && number.fract() == 0.0 && number >= 0.0 {
            Value::Whole(number as u64)
        } else {
            Value::Number(number)
        };
        parameter.check(value).is_ok()
    };
    let row = ui.horizontal(|ui| {
        let Words { symbol, tooltip, of_name, range } = words(parameter);
        let name = egui::Label::new(symbol).sense(egui::Sense::click());
        let label = ui.add_sized([48.0, 18.0], name).on_hover_text(of_name);
        label.context_menu(|ui| {
            if ui.button("Where it acts").on_hover_text("Network, with the parts framed that it acts on").clicked() {
                highlight::show_where(ui.ctx(), parameter.key);
                actions.push(Action::ShowView(ViewKind::Network));
                ui.close();
            }
            if ui.button("The preset's value").on_hover_text("As a double click on the name").clicked() {
                number = of_preset;
                ui.close();
            }
        });
        let room = if now.is_some() { 86.0 + NOW_WIDTH } else { 86.0 };
        ui.spacing_mut().slider_width = (ui.available_width() - room).max(60.0);
        let mut slider = Slider::new(&mut number, usual.low..=usual.high)
            .logarithmic(usual.logarithmic)
            .show_value(false)
            .clamping(egui::SliderClamping::Never);
        if parameter.is_whole() {
            slider = slider.integer();
        }
        let response = ui.add(slider).labelled_by(label.id).on_hover_text(tooltip);
        let field = NumberField { value: before, unit: parameter.unit, is_valid: &is_valid, range, tooltip };
        field.ui(ui, &label).into_iter().for_each(|typed| number = typed);
        if let Some(now) = now {
            let text = egui::RichText::new(format!("now {}", rate(now))).weak().small();
            ui.add(egui::Label::new(text).truncate()).on_hover_text("The rate moves by itself: this is the one in force");
        }
        if label.double_clicked() || response.double_clicked() {
            number = of_preset;
        }
    });
    highlight::around(ui, parameter.key, row.response.rect);
    if number != before
        && let Some(to) = parameter.nearest(number)
    {
        actions.push(Action::Change { key: parameter.key, to, from: parameter.get(config) });
    }
}

/// Whether the learning rate moves by itself.
fn rate_moves(config: &Config) -> bool {
    !config.stages.is_empty() || config.learning.rate_schedule != LearningRateSchedule::Constant
}

/// A learning rate as it is read beside its slider.
fn rate(value: f64) -> String {
    if value >= 1e-3 || value == 0.0 { format!("{value:.3}") } else { format!("{value:.1e}") }
}

/// Why nothing is learned although the box may be ticked; None where learning does not rest.
fn resting_reason(snapshot: &Snapshot) -> Option<&'static str> {
    if snapshot.config.stimulus.steps_per_stimulus == 0 {
        Some("the stimulus is fixed")
    } else if snapshot.stimulus.held {
        Some("the stimulus is held")
    } else {
        None
    }
}

/// The box that lets the weights change; grey, with the reason, where they rest anyway.
fn learning_switch(ui: &mut Ui, snapshot: &Snapshot, actions: &mut Vec<Action>) {
    let values = [Value::Switch(false), Value::Switch(true)];
    match resting_reason(snapshot) {
        None => checkbox(ui, "enabled", "Learning", values, &snapshot.config, actions),
        Some(reason) => {
            let text = format!("Learning rests: {reason}");
            ui.add_enabled_ui(false, |ui| checkbox(ui, "enabled", &text, values, &snapshot.config, actions));
        }
    }
}

/// A box that puts a parameter of two values to the second one; the parameter says what that means.
fn checkbox(ui: &mut Ui, key: &'static str, label: &str, [off, on]: [Value; 2], config: &Config, actions: &mut Vec<Action>) {
    let Some(parameter) = parameters::find(key) else { return };
    let from = parameter.get(config);
    let mut checked = from == on;
    if ui.checkbox(&mut checked, label).on_hover_text(parameter.tooltip()).changed() {
        actions.push(Action::Change { key, to: if checked { on } else { off }, from });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui_kittest::Harness;
    use egui_kittest::kittest::Queryable;

    #[test]
    fn learning_is_grey_and_says_why_where_it_rests() {
        let snapshot = |preset: &str, held: bool| {
            let mut snapshot = Snapshot::synthetic(presets::by_name(preset).unwrap());
            snapshot.state.stimulus.held = held;
            snapshot
        };
        for (shown, label, acts) in [
            (snapshot("dead-leaves", false), "Learning", true),
            (snapshot("dead-leaves", true), "Learning rests: the stimulus is held", false),
            (snapshot("ridge", false), "Learning rests: the stimulus is fixed", false),
        ] {
            let draw = move |ui: &mut Ui, actions: &mut Vec<Action>| learning_switch(ui, &shown, actions);
            let mut harness = Harness::builder().build_ui_state(draw, Vec::new());
            harness.run_steps(2);
            harness.get_by_label(label).click();
            harness.run_steps(2);
            let actions = harness.state();
            assert_eq!(matches!(actions.as_slice(), [Action::Change { key: "enabled", .. }]), acts, "{label}: {actions:?}");
            assert_eq!(actions.is_empty(), !acts, "{label}: {actions:?}");
        }
    }
}
