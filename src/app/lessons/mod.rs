//! Lessons: steps of text beside the running model, with the control that each speaks of framed, a prediction before the answer, and what
//! was measured beside theory at the end.

mod lesson;
mod measure;

use crate::app::actions::Action;
use crate::app::state::ViewState;
use crate::app::theme;
use crate::app::views::ViewKind;
use crate::app::widgets::greek::greek;
use crate::app::widgets::grid::short;
use crate::app::widgets::highlight;
use crate::engine::{Command, Pace, Snapshot};
use crate::experiment::parameters;
use egui::{Button, ProgressBar, RichText, Ui};
use lesson::{Lesson, Prediction, Step};
use measure::{Expected, Measured};

/// The panel of lessons.
#[derive(Default)]
pub(super) struct Lessons {
    open: bool,
    /// The lesson under way, and how far it is.
    under_way: Option<Place>,
    /// The view that a step brings to the front, and once more when another model than this has come.
    wanted: Option<(ViewKind, Option<u64>)>,
}

/// A place in a lesson.
#[derive(Default)]
struct Place {
    lesson: usize,
    step: usize,
    /// What was predicted at this step.
    predicted: Option<usize>,
}

/// Points that a window is wide from which on the panel stands beside the views.
const BESIDE: f32 = 1150.0;

impl Lessons {
    /// Opens or closes the panel; the lesson stays where it is.
    pub(super) fn toggle(&mut self) {
        self.open = !self.open;
    }

    /// Whether the panel is open.
    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    /// Has a view brought to the front when another model than `model_id` has come.
    pub(super) fn want_view(&mut self, view: ViewKind, model_id: u64) {
        self.wanted = Some((view, Some(model_id)));
    }

    /// The view that the step reached last asks for: once, and where it begins with another model once more when that is shown.
    pub(super) fn take_view(&mut self, model_id: u64) -> Option<ViewKind> {
        let (view, before) = self.wanted?;
        let waits = before == Some(model_id);
        if !waits {
            self.wanted = None;
        }
        Some(view)
    }

    /// Draws the panel, where it is open, and frames the control that is spoken of. Answers whether another control is framed than before.
    pub(super) fn panel(&mut self, ui: &mut Ui, state: &ViewState, snapshot: &Snapshot, actions: &mut Vec<Action>) -> bool {
        let step = self.under_way.as_ref().filter(|_| self.open).and_then(|place| lesson::all().get(place.lesson)?.steps.get(place.step));
        let is_new = highlight::set(ui.ctx(), step.and_then(|step| step.control.as_deref()));
        if self.open {
            // Beside Controls and a view there may be too little room: then it stands below the view.
            let panel = if ui.ctx().content_rect().width() < BESIDE {
                egui::Panel::bottom("lessons below").default_size(190.0).size_range(110.0..=320.0)
            } else {
                egui::Panel::right("lessons").default_size(280.0).size_range(220.0..=400.0)
            };
            panel.show(ui, |ui| {
                if self.under_way.is_some() {
                    // However much a step has to say, the way on is at the same place.
                    egui::Panel::bottom("steps of the lesson").show(ui, |ui| self.ways_on(ui, snapshot, actions));
                }
                egui::ScrollArea::vertical().show(ui, |ui| match &self.under_way {
                    None => self.list(ui, snapshot, actions),
                    Some(_) => self.lesson(ui, state, snapshot, actions),
                });
            });
        }
        is_new
    }

    /// All lessons; a click begins one.
    fn list(&mut self, ui: &mut Ui, snapshot: &Snapshot, actions: &mut Vec<Action>) {
        ui.heading("Lessons");
        ui.weak("Each takes a few minutes, in a run of its own: yours stays in the list of runs at the left.");
        for (i, lesson) in lesson::all().iter().enumerate() {
            ui.separator();
            ui.strong(format!("{}. {}", i + 1, lesson.title));
            ui.label(&lesson.summary);
            if ui.button(format!("Begin lesson {}", i + 1)).clicked() {
                self.begin(i, lesson, snapshot, actions);
            }
        }
    }

    fn begin(&mut self, number: usize, lesson: &Lesson, snapshot: &Snapshot, actions: &mut Vec<Action>) {
        let Some(config) = lesson.config() else { return };
        let commands = [Command::Load(Box::new(config)), Command::SetPace(Pace::StepsPerSecond(lesson.pace)), Command::Run];
        actions.extend(commands.into_iter().map(Action::Send));
        self.under_way = Some(Place { lesson: number, ..Place::default() });
        self.wanted = lesson.view_at(0).map(|view| (view, Some(snapshot.model_id)));
    }

    /// The step of the lesson under way.
    fn lesson(&mut self, ui: &mut Ui, state: &ViewState, snapshot: &Snapshot, actions: &mut Vec<Action>) {
        let lessons = lesson::all();
        let Some((place, lesson)) = self.under_way.as_mut().and_then(|place| lessons.get(place.lesson).map(|lesson| (place, lesson)))
        else {
            return;
        };
        let Some(step) = lesson.steps.get(place.step) else { return };
        ui.horizontal(|ui| {
            ui.strong(&lesson.title);
            ui.weak(format!("step {} of {}", place.step + 1, lesson.steps.len()));
        });
        ui.separator();
        ui.label(RichText::new(greek(&step.text)).size(14.5));
        if let Some(key) = &step.control
            && let Some(parameter) = parameters::find(key)
        {
            ui.weak(format!("The slider {} at the left is framed.", greek(parameter.symbol)));
        }
        if let Some(wanted) = step.images {
            let share = (snapshot.clock.images as f32 / wanted as f32).min(1.0);
            ui.add(ProgressBar::new(share).text(format!("{} of {wanted} images", snapshot.clock.images.min(wanted))));
        }
        if let Some(prediction) = step.prediction() {
            ask(ui, &prediction, &mut place.predicted);
        }
        if step.has_action() && ui.button("Do it for me").on_hover_text("Moves the control that this step speaks of").clicked() {
            do_it(step, snapshot, actions);
        }
        if let Some(measure) = step.measure {
            compare(ui, measure.of(state, snapshot));
        }
    }

    /// The buttons to the steps before and after, and to other lessons.
    fn ways_on(&mut self, ui: &mut Ui, snapshot: &Snapshot, actions: &mut Vec<Action>) {
        let lessons = lesson::all();
        let Some((place, lesson)) = self.under_way.as_mut().and_then(|place| lessons.get(place.lesson).map(|lesson| (place, lesson)))
        else {
            return;
        };
        let mut target = None;
        ui.horizontal_wrapped(|ui| {
            if ui.add_enabled(place.step > 0, Button::new("Previous step")).clicked() {
                target = Some(place.step - 1);
            }
            if ui.add_enabled(place.step + 1 < lesson.steps.len(), Button::new("Next step")).clicked() {
                target = Some(place.step + 1);
            }
        });
        let number = place.lesson;
        if let Some(step) = target {
            (place.step, place.predicted) = (step, None);
            self.wanted = lesson.view_at(step).map(|view| (view, None));
        }
        let is_last = self.under_way.as_ref().is_some_and(|place| place.step + 1 == lesson.steps.len());
        ui.horizontal(|ui| {
            if let Some(next) = lessons.get(number + 1).filter(|_| is_last)
                && ui.button("Next lesson").on_hover_text(&next.title).clicked()
            {
                self.begin(number + 1, next, snapshot, actions);
            }
            if ui.button("All lessons").clicked() {
                self.under_way = None;
            }
        });
    }
}

/// A question with its choices; after one was chosen, which is right and why.
fn ask(ui: &mut Ui, prediction: &Prediction<'_>, predicted: &mut Option<usize>) {
    ui.add_space(6.0);
    ui.strong(greek(prediction.question));
    for (i, choice) in prediction.choices.iter().enumerate() {
        if ui.radio(*predicted == Some(i), greek(choice)).clicked() {
            *predicted = Some(i);
        }
    }
    if let Some(predicted) = *predicted {
        let dark = ui.visuals().dark_mode;
        if predicted == prediction.answer {
            ui.colored_label(theme::exact(dark), "So it is.");
        } else {
            ui.colored_label(theme::caution(dark), format!("It is: {}", prediction.choices[prediction.answer]));
        }
        ui.label(greek(prediction.because));
    }
}

/// Does what a step asks for.
fn do_it(step: &Step, snapshot: &Snapshot, actions: &mut Vec<Action>) {
    for (key, to) in step.values() {
        if let Some(parameter) = parameters::find(key) {
            actions.push(Action::Change { key, to, from: parameter.get(&snapshot.config) });
        }
    }
    actions.extend(step.commands(snapshot).into_iter().map(Action::Send));
}

/// What was measured beside what was expected.
fn compare(ui: &mut Ui, measured: Option<Measured>) {
    ui.add_space(6.0);
    let Some(measured) = measured else {
        ui.weak("Measuring: this needs some more time.");
        return;
    };
    ui.strong(greek(measured.what));
    let error = if measured.error > 0.0 { format!(" \u{00B1} {}", short(measured.error)) } else { String::new() };
    let theory = match measured.expected {
        Expected::Exactly(value) => format!("theory {}", short(value)),
        Expected::AtLeast(value) => format!("it should reach {}", short(value)),
    };
    ui.label(format!("measured {}{error}, {theory}", short(measured.value)));
    if let Some(apart) = measured.standard_errors() {
        ui.weak(format!("{:.1} standard errors apart", apart.abs()));
    }
}

#[cfg(test)]
mod tests;
