//! The list of runs at the left: which there are, which one runs, and what can be done with each.

use crate::app::actions::{Action, BesideRequest};
use crate::app::run_beside::shares;
use crate::app::state::ViewState;
use crate::app::theme;
use crate::app::widgets::greek::greek;
use crate::engine::{Command, RunId, RunList, RunSummary, Snapshot, THUMBNAIL};
use crate::experiment::parameters::{self, Parameter};
use egui::{
    Button, CollapsingHeader, Color32, ColorImage, Rect, RichText, ScrollArea, Sense, TextEdit, TextureHandle, TextureOptions, Ui, pos2,
    vec2,
};
use std::collections::HashMap;

/// Points a side of a picture in the list, and height of the list.
const PICTURE: f32 = 34.0;
const HEIGHT: f32 = 230.0;
/// What a run has been changed in is told up to so many values.
const CHANGES: usize = 3;
/// What happens where all runs take more than they may.
const ROOM: &str =
    "Room for all runs. Where there is no more, the timelines of those without a name go first, then these runs, the oldest first";
const MEGABYTE: f64 = 1024.0 * 1024.0;

/// What the list keeps between frames.
#[derive(Default)]
pub(super) struct RunsPanel {
    /// Pictures by run, with the time at which each was saved.
    pictures: HashMap<RunId, (u64, TextureHandle)>,
    /// The run whose name is being typed, and the name so far.
    renaming: Option<(RunId, String)>,
    /// The run that is to be begun again with other values, and these.
    again: Option<(RunId, Vec<(&'static Parameter, String)>)>,
}

impl RunsPanel {
    /// Draws the list.
    pub(super) fn ui(&mut self, ui: &mut Ui, state: &ViewState, snapshot: &Snapshot, actions: &mut Vec<Action>) {
        let Some(list) = snapshot.runs.clone() else { return };
        let beside = state.beside.as_ref().and_then(|state| state.latest.as_deref());
        let is_listed = list.runs.iter().any(|run| run.id == snapshot.run);
        // One that runs and was not saved yet stands first, after it one beside it that this list does not have.
        let unsaved = |of: &Snapshot| RunSummary { id: of.run.clone(), preset: of.config.model.name.clone(), ..RunSummary::default() };
        let shown = (!is_listed).then(|| unsaved(snapshot));
        let beside_row = beside.filter(|of| list.runs.iter().all(|run| run.id != of.run)).map(|of| {
            let saved = of.runs.iter().flat_map(|list| &list.runs).find(|run| run.id == of.run);
            saved.cloned().unwrap_or_else(|| unsaved(of))
        });
        let rows: Vec<&RunSummary> = shown.iter().chain(&beside_row).chain(&list.runs).collect();
        CollapsingHeader::new(format!("Runs ({})", rows.len())).id_salt("runs").default_open(true).show(ui, |ui| {
            let area = ScrollArea::vertical().id_salt("list of runs").max_height(HEIGHT).auto_shrink([false, true]);
            area.show_rows(ui, PICTURE, rows.len(), |ui, seen| {
                self.pictures.retain(|id, _| rows[seen.clone()].iter().any(|run| run.id == *id));
                rows[seen].iter().for_each(|run| self.row(ui, run, [Some(snapshot), beside], actions));
            });
            below(ui, &list, actions);
        });
        self.same_again(ui, snapshot, actions);
    }

    /// A run: its picture, what it is called, what it has seen; a click goes on with it. `live` are the one that is shown and the one that
    /// goes on beside it.
    fn row(&mut self, ui: &mut Ui, run: &RunSummary, live: [Option<&Snapshot>; 2], actions: &mut Vec<Action>) {
        let [is_current, is_beside] = live.map(|live| live.is_some_and(|snapshot| snapshot.run == run.id));
        let snapshot = live.into_iter().flatten().find(|snapshot| snapshot.run == run.id);
        ui.horizontal(|ui| {
            ui.set_height(PICTURE);
            self.picture(ui, run);
            if let Some((_, name)) = self.renaming.as_mut().filter(|(id, _)| *id == run.id) {
                let field = ui.add(TextEdit::singleline(name).desired_width(150.0).hint_text("name"));
                if field.lost_focus() {
                    let (id, name) = (run.id.clone(), name.clone());
                    if !ui.input(|i| i.key_pressed(egui::Key::Escape)) {
                        actions.push(Action::Send(Command::RenameRun(id, name)));
                    }
                    self.renaming = None;
                } else {
                    field.request_focus();
                }
                return;
            }
            let title = if is_current { RichText::new(run.title()).strong() } else { RichText::new(run.title()) };
            let images = snapshot.map_or(run.images, |snapshot| snapshot.clock.images);
            let time_ms = snapshot.map_or(run.time_ms, |snapshot| snapshot.clock.time_ms);
            let learns = snapshot.map_or(run.learns, |snapshot| snapshot.config.stimulus.steps_per_stimulus > 0);
            let seen = if learns { format!("{images} images") } else { format!("{:.1} s simulated", time_ms / 1e3) };
            let seen = if is_beside { format!("beside, {seen}") } else { seen };
            let changed = run.changes.iter().take(CHANGES).cloned().collect::<Vec<_>>().join(", ");
            let more = if run.changes.len() > CHANGES { " ..." } else { "" };
            ui.vertical(|ui| {
                ui.spacing_mut().item_spacing.y = 0.0;
                let response = ui.selectable_label(is_current, title);
                let name = if run.name.is_some() { format!("{}, {seen}", run.preset) } else { seen };
                ui.weak(RichText::new(if changed.is_empty() { name } else { format!("{name}, {changed}{more}") }).small());
                let response = if is_beside {
                    response.on_hover_text("Goes on beside the one that is shown. Click: both change places")
                } else if run.is_elsewhere && !is_current {
                    response.on_hover_text("Open in another window")
                } else {
                    response.on_hover_text(format!(
                        "{}\nClick: go on with it, exactly where it was left. Right click: name, duplicate, begin again, delete",
                        if run.changes.is_empty() { "As the preset has it".to_string() } else { run.changes.join("\n") }
                    ))
                };
                if response.clicked() && !is_current {
                    actions.push(Action::Send(Command::SwitchRun(run.id.clone())));
                }
                response.context_menu(|ui| self.menu(ui, run, actions));
            });
        });
    }

    fn menu(&mut self, ui: &mut Ui, run: &RunSummary, actions: &mut Vec<Action>) {
        if ui.button("Name").clicked() {
            self.renaming = Some((run.id.clone(), run.name.clone().unwrap_or_default()));
            ui.close();
        }
        if ui.button("Duplicate").on_hover_text("A run like this one, as it is now").clicked() {
            actions.push(Action::Send(Command::DuplicateRun(run.id.clone())));
            ui.close();
        }
        if ui.button("The same again with ...").on_hover_text("From the seed, with one or several values changed").clicked() {
            self.again = Some((run.id.clone(), Vec::new()));
            ui.close();
        }
        if ui.button("Delete").on_hover_text("It can be taken back for a day").clicked() {
            actions.push(Action::Send(Command::DeleteRun(run.id.clone())));
            ui.close();
        }
    }

    /// The picture of a run, as it was saved.
    fn picture(&mut self, ui: &mut Ui, run: &RunSummary) {
        let (rect, _) = ui.allocate_exact_size(vec2(PICTURE, PICTURE), Sense::hover());
        if run.thumbnail.len() != 3 * THUMBNAIL * THUMBNAIL {
            ui.painter().rect_filled(rect, 3.0, ui.visuals().faint_bg_color);
            return;
        }
        let is_new = self.pictures.get(&run.id).is_none_or(|(saved, _)| *saved != run.saved);
        if is_new {
            let image = ColorImage::from_rgb([THUMBNAIL, THUMBNAIL], &run.thumbnail);
            let texture = ui.ctx().load_texture(format!("run {}", run.id), image, TextureOptions::LINEAR);
            self.pictures.insert(run.id.clone(), (run.saved, texture));
        }
        if let Some((_, texture)) = self.pictures.get(&run.id) {
            ui.painter().image(texture.id(), rect, Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0)), Color32::WHITE);
        }
    }

    /// The window in which values are changed for a run that begins again.
    fn same_again(&mut self, ui: &mut Ui, snapshot: &Snapshot, actions: &mut Vec<Action>) {
        let Some((id, changes)) = &mut self.again else { return };
        let listed = snapshot.runs.iter().flat_map(|list| &list.runs).find(|run| run.id == *id);
        let title = listed.map_or_else(|| id.to_string(), RunSummary::title);
        let (mut open, mut is_done) = (true, false);
        let window = egui::Window::new(format!("The same again as {title}, with")).collapsible(false).resizable(false).open(&mut open);
        window.show(ui.ctx(), |ui| {
            let mut values = Vec::new();
            let mut removed = None;
            for (i, (parameter, text)) in changes.iter_mut().enumerate() {
                ui.horizontal(|ui| {
                    let label = ui.label(greek(parameter.symbol)).on_hover_text(parameter.tooltip());
                    ui.add(TextEdit::singleline(text).desired_width(90.0)).labelled_by(label.id);
                    if ui.small_button("x").on_hover_text("Not this one").clicked() {
                        removed = Some(i);
                    }
                    match parameter.parse(text).and_then(|value| parameter.check(value).map(|()| value)) {
                        Ok(value) => values.push((parameter.key, value)),
                        Err(_) if text.trim().is_empty() => _ = ui.weak("its value"),
                        Err(error) => _ = ui.colored_label(ui.visuals().error_fg_color, error.to_string()),
                    }
                });
            }
            if let Some(i) = removed {
                changes.remove(i);
            }
            egui::ComboBox::from_id_salt("changed parameter").selected_text("change ...").show_ui(ui, |ui| {
                for parameter in parameters::settings() {
                    let is_there = changes.iter().any(|(other, _)| other.key == parameter.key);
                    if !is_there && ui.selectable_label(false, greek(parameter.symbol)).on_hover_text(parameter.meaning).clicked() {
                        // What it is in the run that is shown; of others the list has but what differs.
                        let text = if *id == snapshot.run { parameter.get(&snapshot.config).to_string() } else { String::new() };
                        changes.push((parameter, text));
                    }
                }
            });
            let is_whole = values.len() == changes.len();
            if ui.add_enabled(is_whole, Button::new("Begin")).on_hover_text("The run before stays as it is").clicked() {
                actions.push(Action::Send(Command::SameAgain { run: id.clone(), changes: values.clone() }));
                is_done = true;
            }
            let can_be_beside = is_whole && *id == snapshot.run && shares().is_some();
            let button = ui.add_enabled(can_be_beside, Button::new("Begin beside"));
            let hint = "It goes on live beside the one that is shown, each on its share of the cores, and Compare shows both";
            if button.on_hover_text(hint).on_disabled_hover_text("Of the run that is shown alone, with two cores or more").clicked() {
                actions.push(Action::RunBeside(BesideRequest { changes: values, from_here: false }));
                is_done = true;
            }
        });
        if is_done || !open {
            self.again = None;
        }
    }
}

/// What can be taken back, and the room that the runs take.
fn below(ui: &mut Ui, list: &RunList, actions: &mut Vec<Action>) {
    if let Some(id) = &list.deleted {
        ui.horizontal(|ui| {
            ui.weak(format!("Deleted {id}"));
            if ui.small_button("Take back").clicked() {
                actions.push(Action::Send(Command::RestoreRun(id.clone())));
            }
        });
    }
    ui.horizontal_wrapped(|ui| {
        let used = list.bytes() as f64 / MEGABYTE;
        let mut budget = (list.budget as f64 / MEGABYTE).round();
        let text = RichText::new(format!("{used:.0} of")).small();
        if list.is_nearly_full() {
            ui.colored_label(theme::caution(ui.visuals().dark_mode), text)
        } else {
            ui.weak(text)
        };
        let field = crate::app::widgets::number_field::drag_value(&mut budget).range(10.0..=10_000_000.0).speed(10.0).suffix(" MB");
        if ui.add(field).on_hover_text(ROOM).changed() {
            actions.push(Action::Send(Command::SetRunBudget((budget * MEGABYTE) as u64)));
        }
        if let Some(next) = list.next_to_go.first().filter(|_| list.is_nearly_full()) {
            ui.colored_label(theme::caution(ui.visuals().dark_mode), format!("next {next} goes; a name keeps it"));
        }
    });
}
