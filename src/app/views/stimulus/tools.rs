//! The bars over the pictures: tools of the brush, pins, morph, contrast, noise.

use super::brush::Tool;
use super::edit::pinned;
use super::pictures::Picture;
use super::{Stimulus, palette};
use crate::app::widgets::number_field::slider;
use crate::app::widgets::switch::Switches as _;
use crate::engine::Snapshot;
use egui::{Sense, Slider, Ui};

/// Side of a pinned stimulus beside its button, points.
const THUMB: f32 = 22.0;
const SLIDER: f32 = 70.0;
/// Width of a slider with its name and value.
const NAMED: f32 = 200.0;

/// A slider with its name; whether it was moved.
fn named(ui: &mut Ui, name: &str, slider: Slider<'_>, enabled: bool, tip: &str) -> bool {
    if ui.available_size_before_wrap().x < NAMED {
        ui.end_row(); // name, slider and value stay together
    }
    let label = ui.label(name);
    ui.spacing_mut().slider_width = SLIDER;
    ui.add_enabled(enabled, slider).labelled_by(label.id).on_hover_text(tip).on_disabled_hover_text(tip).changed()
}

impl Stimulus {
    /// Tool and size of the brush, undo, clear.
    pub(super) fn tools(&mut self, ui: &mut Ui, [rows, columns]: [usize; 2]) {
        ui.horizontal_wrapped(|ui| {
            for (tool, name, tip) in Tool::ALL {
                if ui.switch(self.tool == tool, name).on_hover_text(tip).clicked() {
                    self.tool = tool;
                }
            }
            let most = (rows.max(columns) as f32 / 2.0).max(1.0);
            let slider = slider(&mut self.radius, 0.5..=most, "").step_by(0.5).max_decimals(1);
            named(ui, "Brush", slider, true, "Radius of the brush, pixels");
            let edit = self.edit.as_mut();
            let can = (edit.as_ref().is_some_and(|edit| edit.can_undo()), edit.as_ref().is_some_and(|edit| edit.is_marked()));
            let undo = ui.add_enabled(can.0, egui::Button::new("Undo stroke")).on_hover_text("The last stroke of the brush");
            let clear = ui.add_enabled(can.1, egui::Button::new("Clear")).on_hover_text("All that was drawn and freed");
            match edit {
                Some(edit) if undo.clicked() => edit.undo(),
                Some(edit) if clear.clicked() => edit.clear(),
                _ => {}
            }
        });
    }

    /// Pins and the morph between them, contrast, noise.
    pub(super) fn mixer(&mut self, ui: &mut Ui, snapshot: &Snapshot) {
        ui.horizontal_wrapped(|ui| {
            self.pin(ui, snapshot, 0);
            let both = self.pins.iter().all(Option::is_some);
            let tip = "(1 - t) A + t B becomes the held stimulus, live; pin two stimuli first";
            if named(ui, "Morph", slider(&mut self.morph, 0.0..=1.0, "").max_decimals(2), both, tip) {
                self.editing(snapshot).adjustments.morph = Some(self.morph);
            }
            self.pin(ui, snapshot, 1);
            ui.separator();
            let r = self.edit.as_ref().map(|edit| &edit.adjustments);
            let (mut contrast, mut noise) = r.map_or((1.0, 0.0), |r| (r.contrast, r.noise));
            let tip = "Factor of all deviations from the middle (of grey pictures: from their mean); always of the original";
            if named(ui, "Contrast", slider(&mut contrast, 0.0..=3.0, "").max_decimals(2), true, tip) {
                self.editing(snapshot).adjustments.contrast = contrast;
            }
            let tip = "Standard deviation of noise added to the original, the same pattern at every strength";
            if named(ui, "Noise", slider(&mut noise, 0.0..=2.0, "").max_decimals(2), true, tip) {
                self.editing(snapshot).adjustments.noise = noise;
            }
            if ui.add_enabled(noise > 0.0, egui::Button::new("Other noise")).on_hover_text("Another pattern").clicked() {
                self.editing(snapshot).adjustments.pattern += 1;
            }
            let changed = self
                .edit
                .as_ref()
                .is_some_and(|e| e.adjustments.morph.is_some() || e.adjustments.contrast != 1.0 || e.adjustments.noise > 0.0);
            let original = ui.add_enabled(changed, egui::Button::new("Original"));
            if original.on_hover_text("The stimulus as it came: no morph, full contrast, no noise").clicked()
                && let Some(edit) = &mut self.edit
            {
                (edit.adjustments.morph, edit.adjustments.contrast, edit.adjustments.noise) = (None, 1.0, 0.0);
            }
        });
    }

    /// The button that pins A or B, with what is pinned.
    fn pin(&mut self, ui: &mut Ui, snapshot: &Snapshot, end: usize) {
        let button = ui.button(["Pin A", "Pin B"][end]).on_hover_text("Keep the present stimulus as one end of the morph");
        if button.clicked() {
            let present = match &self.edit {
                Some(edit) => edit.adjustments.plain(pinned(&self.pins)),
                None => snapshot.stimulus.stimulus.clone(),
            };
            self.pins[end] = Some(present);
        }
        if let Some(values) = &self.pins[end] {
            let (palette, name) = (palette(snapshot, values), ["Pinned A", "Pinned B"][end]);
            let picture = Picture { name, values, shape: snapshot.image_shape(), palette, hatched: &[] };
            self.textures.show(ui, &picture, THUMB, Sense::hover());
        }
    }
}
