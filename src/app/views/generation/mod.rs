//! Generation: joint, marginal and ancestral side by side from the same weights, and how far each is from the data.

mod couplings;
mod distances;
mod generated_images;

use crate::app::actions::Action;
use crate::app::state::ViewState;
use crate::app::theme;
use crate::app::views::View;
use crate::app::widgets::choice::{choice, keep_together};
use crate::app::widgets::figure;
use crate::app::widgets::greek::greek;
use crate::app::widgets::number_field::{drag_value, slider};
use crate::app::widgets::switch::Switches as _;
use crate::data::Source;
use crate::engine::{Command, GenerationCommand, GenerationState, MOST_FRAMES, Measuring, Snapshot};
use crate::experiment::slow_interneurons;
use crate::export::table::Table;
use crate::model::FamilyConfig;
use crate::studies::generation::comparison::{ModeResult, SMALLEST_PICTURE, Settings};
use crate::studies::generation::{Mode, Origin};
use couplings::Couplings;
use egui::{Ui, vec2};
use generated_images::{ImageTiles, PinnedImage, capacity, latents};
use std::path::PathBuf;
use std::sync::Arc;

/// Points of a sheet of images that can be told apart, at least where there is no room for all.
const SHEET_SIDE: f32 = 200.0;
/// Narrower than this the three stand below each other.
const NARROW: f32 = 560.0;
/// Points that a slider needs with its name and value.
const WITH_SLIDER: f32 = 215.0;
/// What is said of a model that learns from patches.
const UNTAUGHT: &str = "This model was not taught to generate: it learns filters from patches of images, and takes them for independent. \
                        What it makes up are sums of filters, no images. Choose digits, fashion or bars to see images come.";
/// Share of the width that the distances have beside the gains.
const DISTANCES: f32 = 0.66;
/// Height of the strip of prototypes.
const STRIP: f32 = 44.0;

/// One line for each way of generating, and its equations.
const MODES: [(&str, &str, &str); 3] = [
    (
        "Joint",
        "All layers move together.",
        "tau_x dx_l = (I_l - m v_l) dt + sqrt(2 tau_x) dW for every layer l = 0..L at once; x_0 has its own current I_0 = T'(x_0) eta_0 - B'(x_0).",
    ),
    (
        "Marginal",
        "x0 moves, the layers above are averaged.",
        "Langevin on p(x_0) by Fisher's identity, grad log p(x_0) = E over p(x_1 | x_0) of grad log p(x_0 | x_1): the current of x_0 is averaged over S steps of the layers above, then x_0 moves once. (Pixels of 0 or 1 flip by the mean of exp((1 - 2 x) eta).)",
    ),
    (
        "Ancestral",
        "Each layer drawn given the one above.",
        "x_L ~ p(x_L), then x_l ~ p(x_l | x_(l+1)) down to x_0: independent draws, no chain. They are shown anew now and then.",
    ),
];

/// What the view keeps.
pub struct Generation {
    settings: Settings,
    couplings: Couplings,
    means: bool,
    over_steps: bool,
    /// The model for which it was started_for without being asked, so that there is something to see.
    started_for: Option<u64>,
    pinned: Option<PinnedImage>,
    tiles: [ImageTiles; 3],
    prototypes: ImageTiles,
    export: Export,
}

struct Export {
    mode: Mode,
    path: String,
    frames: usize,
    every: usize,
}

impl Default for Generation {
    fn default() -> Self {
        let export = Export { mode: Mode::Joint, path: "joint.png".into(), frames: 60, every: 10 };
        Self {
            settings: Settings::default(),
            couplings: Couplings::default(),
            means: true,
            over_steps: false,
            started_for: None,
            pinned: None,
            tiles: Default::default(),
            prototypes: ImageTiles::default(),
            export,
        }
    }
}

/// Whether the model learns whole images; else it learns what patches of them are made of.
fn was_taught(snapshot: &Snapshot) -> bool {
    !matches!(snapshot.config.data.source, Source::DeadLeaves | Source::Photographs | Source::Files)
}

/// The state of this model, if there is one yet.
fn state(snapshot: &Snapshot) -> Option<&GenerationState> {
    snapshot.generation.as_deref().filter(|state| state.model_id == snapshot.model_id)
}

impl View for Generation {
    fn ui(&mut self, ui: &mut Ui, _: &ViewState, snapshot: &Snapshot, actions: &mut Vec<Action>) {
        let pixels = snapshot.weights.first().map_or(0, |w| w.nrows());
        if pixels < SMALLEST_PICTURE {
            ui.label(format!(
                "This model observes {pixels} values, no picture of at least {SMALLEST_PICTURE} pixels to generate: choose digits, fashion or bars."
            ));
            return;
        }
        if self.started_for != Some(snapshot.model_id) {
            self.started_for = Some(snapshot.model_id);
            self.pinned = None;
            self.settings.category = None;
            self.couplings.forget();
            if state(snapshot).is_none() && was_taught(snapshot) {
                actions.push(Action::Send(Command::Generate(self.settings)));
                if snapshot.config.learning.enabled {
                    actions.push(Action::Send(Command::Generation(GenerationCommand::Follow(true)))); // so that digits are seen to come
                }
            }
        }
        let found = state(snapshot);
        self.controls(ui, snapshot, found, actions);
        let Some(found) = found else {
            if was_taught(snapshot) {
                ui.weak("The first images are on their way.");
            } else {
                ui.label(UNTAUGHT);
                if ui.button("Generate all the same").on_hover_text("Sums of filters that are active independently").clicked() {
                    actions.push(Action::Send(Command::Generate(self.settings)));
                }
            }
            return;
        };
        if let Some(cause) = slow_interneurons(&snapshot.config.dynamics, &snapshot.governor.stiffness) {
            let text = "The interneurons are slow beside these neurons: chains may leave the model's distribution.";
            ui.colored_label(theme::caution(ui.visuals().dark_mode), text).on_hover_text(cause.text);
        }
        self.strip(ui, snapshot, found, actions);
        let available = ui.available_size();
        let side = if self.pinned.is_some() { (available.x * 0.28).clamp(130.0, 300.0) } else { 0.0 };
        ui.horizontal_top(|ui| {
            ui.allocate_ui(vec2(available.x - side - 8.0, available.y), |ui| {
                ui.vertical(|ui| self.panels(ui, snapshot, found, actions));
            });
            if side > 0.0 {
                ui.vertical(|ui| {
                    ui.set_width(side - 8.0);
                    self.pin(ui, snapshot, found, actions);
                });
            }
        });
    }

    fn table(&self, _: &ViewState, snapshot: &Snapshot) -> Option<Table> {
        state(snapshot).and_then(distances::table)
    }
}

impl Generation {
    fn controls(&mut self, ui: &mut Ui, snapshot: &Snapshot, found: Option<&GenerationState>, actions: &mut Vec<Action>) {
        let mut ask = |request| actions.push(Action::Send(Command::Generation(request)));
        let mut generate = false;
        ui.horizontal_wrapped(|ui| {
            generate = ui.button("Generate").on_hover_text("All three from the start, with the weights as they are now").clicked();
            if let Some(found) = found {
                let (text, tip) = if found.paused { ("Go on", "From where they are") } else { ("Stop", "The images stay") };
                if ui.button(text).on_hover_text(tip).clicked() {
                    ask(GenerationCommand::SetPaused(!found.paused));
                }
                let stale = found.version.weights != snapshot.weights_version;
                let tip = format!("Go on with the weights as they are now; in use: those after {} images", found.images);
                if ui.add_enabled(stale, egui::Button::new("New weights")).on_hover_text(&tip).on_disabled_hover_text(&tip).clicked() {
                    ask(GenerationCommand::NewWeights);
                }
                let mut following = found.following;
                if ui.checkbox(&mut following, "Follow learning").on_hover_text("New weights every 3 s").changed() {
                    ask(GenerationCommand::Follow(following));
                }
            }
            ui.separator();
            ui.switch_value(&mut self.means, true, "Means").on_hover_text("E[x0 | x1]: without the noise of the observation layer");
            ui.switch_value(&mut self.means, false, "Samples").on_hover_text("x0 itself");
            ui.separator();
            match found.and_then(|found| found.film) {
                Some((done, frames)) => {
                    ui.add(
                        egui::ProgressBar::new(done as f32 / frames as f32).desired_width(120.0).text(format!("frame {done} of {frames}")),
                    );
                    if ui.button("Cancel").on_hover_text("Nothing is written").clicked() {
                        ask(GenerationCommand::StopFilm);
                    }
                }
                None => self.export(ui, &mut ask),
            }
        });
        ui.horizontal_wrapped(|ui| self.sliders(ui));
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().slider_width = 70.0;
            self.couplings.controls(ui, &mut self.settings, found).into_iter().for_each(&mut ask);
        });
        if generate {
            self.couplings.forget();
            actions.push(Action::Send(Command::Generate(self.settings)));
        }
    }

    fn sliders(&mut self, ui: &mut Ui) {
        ui.spacing_mut().slider_width = 70.0;
        let Settings { count, inner, temperature, origin, category, .. } = &mut self.settings;
        keep_together(ui, WITH_SLIDER);
        let label = ui.label("Inner steps");
        let tip = "Steps of the layers above for one of x0, marginal mode: the mean in Fisher's identity is taken over them. From the next Generate on";
        ui.add(slider(inner, 1..=64, "").logarithmic(true)).labelled_by(label.id).on_hover_text(tip);
        keep_together(ui, WITH_SLIDER);
        let label = ui.label("Temperature");
        let tip = "Every conditional to the power 1/temperature; 1 is the model";
        ui.add(slider(temperature, 0.1..=3.0, "").logarithmic(true).max_decimals(2)).labelled_by(label.id).on_hover_text(tip);
        keep_together(ui, WITH_SLIDER);
        let label = ui.label("Images");
        let tip = "Of each way; distances are measured on all, the first 64 are shown";
        ui.add(slider(count, 36..=1000, "").logarithmic(true)).labelled_by(label.id).on_hover_text(tip);
        let names = [(Origin::Noise, "noise"), (Origin::Prior, "prior"), (Origin::Data, "data")];
        choice(ui, "Start", 60.0, origin, &names)
            .on_hover_text("Where joint and marginal chains start: random pixels, ancestral draws, images of the data");
        if let Some(c) = *category
            && ui.button(format!("From state {c}  x")).on_hover_text("Descend from any state again").clicked()
        {
            *category = None;
        }
    }

    fn export(&mut self, ui: &mut Ui, ask: &mut impl FnMut(GenerationCommand)) {
        let Export { mode, path, frames, every } = &mut self.export;
        let config = egui::containers::menu::MenuConfig::new().close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside);
        let button = egui::containers::menu::MenuButton::new("Export images").config(config);
        let (response, _) = button.ui(ui, |ui| {
            ui.set_min_width(270.0);
            for (i, way) in Mode::ALL.into_iter().enumerate() {
                if ui.radio_value(mode, way, MODES[i].0).clicked() {
                    let ending = PathBuf::from(&*path).extension().map_or("png".into(), |e| e.to_string_lossy().into_owned());
                    *path = PathBuf::from(&*path).with_file_name(format!("{}.{ending}", way.name())).display().to_string();
                }
            }
            ui.horizontal(|ui| {
                for (ending, tip) in [
                    ("png", "The images shown, as tiles"),
                    ("npz", "Samples and means of all images, and the configuration"),
                    ("gif", "The chains from their start, with the weights in use"),
                ] {
                    if ui.switch(path.ends_with(&format!(".{ending}")), ending.to_uppercase()).on_hover_text(tip).clicked() {
                        *path = PathBuf::from(&*path).with_extension(ending).display().to_string();
                    }
                }
            });
            let film = path.ends_with(".gif");
            if film {
                ui.horizontal(|ui| {
                    let label = ui.label("Frames");
                    ui.add(drag_value(frames).range(2..=MOST_FRAMES)).labelled_by(label.id);
                    let label = ui.label("Steps a frame");
                    ui.add(drag_value(every).range(1..=10_000)).labelled_by(label.id);
                });
            }
            let label = ui.label("File of images");
            ui.add(egui::TextEdit::singleline(path).desired_width(250.0)).labelled_by(label.id);
            if ui.button("Write images").clicked() {
                let (mode, means, path) = (*mode, self.means, PathBuf::from(path.trim()));
                let (frames, every) = (*frames, *every);
                ask(if film {
                    GenerationCommand::Film { mode, means, frames, every, path }
                } else {
                    GenerationCommand::Save { mode, means, path }
                });
                ui.close();
            }
        });
        response.on_hover_text("Tiles as PNG, all images as NPZ, the chains as an animated GIF");
    }

    /// The states of a categorical top; a click starts chains from one.
    fn strip(&mut self, ui: &mut Ui, snapshot: &Snapshot, found: &GenerationState, actions: &mut Vec<Action>) {
        let Some(prototypes) = &found.prototypes else {
            if let Some(top) = snapshot.config.model.layers.last().filter(|top| matches!(top.family, FamilyConfig::Categorical)) {
                ui.weak(format!("The {} states of the top are shown here once learning has opened it (Learning, stages).", top.size));
            }
            return;
        };
        let key = (Arc::as_ptr(prototypes) as usize, found.version.weights);
        let (all, shown) = (prototypes.states.len(), prototypes.states.len().min(capacity(ui, found.shape)));
        let texture = self.prototypes.of(ui, "prototypes", (key.0, key.1, theme::colours(ui), true), &prototypes.images, found, shown);
        let which = if shown < all { format!("The {shown} most probable of {all} states") } else { format!("The {all} states") };
        ui.weak(format!("{which} of the top, the most probable first: click one to start chains from it"));
        let mut clicked = None;
        egui::ScrollArea::horizontal().id_salt("prototypes").max_height(STRIP + 12.0).show(ui, |ui| {
            let (response, under) = self.prototypes.strip(ui, "States of the top", texture, shown, STRIP);
            figure::mark(ui, "prototypes", response.rect.intersect(ui.clip_rect()));
            if let Some(i) = under {
                let (state, share) = (prototypes.states[i], prototypes.shares[i]);
                if response.clicked() {
                    clicked = Some(state);
                }
                response.on_hover_text(format!("State {state} of the top, p = {share:.2e}. Click: every chain starts from it anew"));
            }
        });
        if let Some(state) = clicked {
            (self.settings.category, self.settings.origin) = (Some(state), Origin::Prior);
            self.couplings.forget();
            actions.push(Action::Send(Command::Generate(self.settings)));
        }
    }

    fn panels(&mut self, ui: &mut Ui, snapshot: &Snapshot, found: &GenerationState, actions: &mut Vec<Action>) {
        let available = ui.available_size();
        let bars = found.modes.iter().any(|mode_result| mode_result.shares.is_some());
        let narrow = available.x < NARROW;
        let plot = if matches!(found.measuring, Measuring::Missing(_)) { 24.0 } else { (available.y * 0.32).clamp(90.0, 260.0) + 24.0 };
        let words = if bars { 118.0 } else { 72.0 };
        let columns = if narrow { 1.0 } else { 3.0 };
        let width = ((available.x - 8.0 * (columns - 1.0)) / columns).max(60.0);
        // Where images and plots do not both find room, images have it, and the plots follow below them.
        let beside_plots = available.y - plot - words;
        let low = !narrow && beside_plots < 0.5 * width;
        let side = match (narrow, low) {
            (true, _) => width.min(320.0),
            (false, true) => width.min((available.y - words).max(SHEET_SIDE)),
            (false, false) => width.min(beside_plots),
        };
        let side = side.max(60.0);
        let mut clicked = None;
        let mut each = |ui: &mut Ui, this: &mut Self, i: usize| {
            ui.vertical(|ui| {
                ui.set_width(width);
                clicked = this.panel(ui, found, i, side).map(|image| (i, image)).or(clicked);
            });
        };
        if narrow || low {
            egui::ScrollArea::vertical().id_salt("panels").show(ui, |ui| {
                if low {
                    ui.horizontal_top(|ui| (0..3).for_each(|i| each(ui, self, i)));
                } else {
                    (0..3).for_each(|i| each(ui, self, i));
                }
                distances::plot(ui, found, &mut self.over_steps, self.means, 160.0);
                couplings::plot(ui, found, 120.0);
            });
        } else {
            ui.horizontal_top(|ui| (0..3).for_each(|i| each(ui, self, i)));
            let height = ui.available_height() - 26.0;
            let share = if couplings::has_gains(found) { DISTANCES } else { 1.0 };
            ui.horizontal_top(|ui| {
                ui.vertical(|ui| {
                    ui.set_width(share * available.x - 8.0);
                    distances::plot(ui, found, &mut self.over_steps, self.means, height);
                });
                if share < 1.0 {
                    ui.vertical(|ui| {
                        ui.weak("Gains of the couplings, joint chains").on_hover_text(
                            "eta_l = gain W_l f(x_(l+1)) + b_l. At gain 0 layers do not hear each other; the model is where every gain is 1. Vertical lines: how far the chains are",
                        );
                        couplings::plot(ui, found, height);
                    });
                }
            });
        }
        if let Some((i, image)) = clicked {
            self.pinned = PinnedImage::of(&found.modes[i], image, self.means);
            let Some(pinned) = &self.pinned else { return };
            if snapshot.config.stimulus.steps_per_stimulus > 0 {
                actions.push(Action::Send(Command::HoldStimulus(true)));
            }
            actions.push(Action::Send(Command::SetStimulus(pinned.image.clone())));
        }
    }

    /// One way of generating; the image that was clicked.
    fn panel(&mut self, ui: &mut Ui, found: &GenerationState, i: usize, side: f32) -> Option<usize> {
        let (title, line, equations) = MODES[i];
        let mode_result: &Arc<ModeResult> = &found.modes[i];
        ui.horizontal(|ui| {
            let (_, dot) = ui.allocate_space(vec2(10.0, 10.0));
            ui.painter().circle_filled(dot.center(), 4.0, theme::SERIES[i]);
            ui.strong(title).on_hover_text(greek(equations));
        });
        ui.add(egui::Label::new(egui::RichText::new(line).weak()).truncate()).on_hover_text(greek(equations));
        let images = if self.means { &mode_result.means } else { &mode_result.samples };
        let key = (Arc::as_ptr(mode_result) as usize, mode_result.steps, theme::colours(ui), self.means);
        let texture = self.tiles[i].of(ui, title, key, images, found, images.nrows());
        let response = self.tiles[i].draw(ui, &format!("{title} images"), texture, side);
        figure::mark(ui, title.to_lowercase(), response.rect);
        let at = response.hover_pos().and_then(|p| self.tiles[i].tile_at(p, response.rect)).filter(|&image| image < images.nrows());
        let clicked = response.clicked();
        if at.is_some() {
            response.on_hover_text("Click: pin it, see its latents, and hold it as stimulus (Traces)");
        }
        match &mode_result.broken {
            Some(reason) => drop(ui.colored_label(theme::alarm(ui.visuals().dark_mode), reason)),
            None => distances::numbers(ui, found, mode_result, self.means),
        }
        distances::classes(ui, found, mode_result, theme::SERIES[i]);
        at.filter(|_| clicked)
    }

    fn pin(&mut self, ui: &mut Ui, snapshot: &Snapshot, found: &GenerationState, actions: &mut Vec<Action>) {
        let Some(pinned) = &mut self.pinned else { return };
        let mut release = false;
        ui.horizontal_wrapped(|ui| {
            ui.strong(format!("Image {}, {}", pinned.number + 1, pinned.mode.name()));
            release = ui.button("Release").on_hover_text("The stimuli go on, and learning with them").clicked();
        });
        pinned.draw(ui, found);
        if snapshot.stimulus.held {
            ui.weak("Held as stimulus: Traces shows its latents. Learning rests.");
        }
        latents(ui, pinned);
        if release {
            self.pinned = None;
            if snapshot.stimulus.held {
                actions.push(Action::Send(Command::HoldStimulus(false)));
            }
        }
    }
}
