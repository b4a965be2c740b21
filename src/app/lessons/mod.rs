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
use crate::engine::{Command, Pace, RunId, Snapshot};
use crate::experiment::parameters;
use egui::{Button, ProgressBar, RichText, Ui};
use lesson::{Lesson, Prediction, Step};
use measure::{Expected, Measure, Measured};

/// The panel of lessons.
#[derive(Default)]
pub(super) struct Lessons {
    open: bool,
    /// The lesson under way, and how far it is.
    under_way: Option<Place>,
    /// The view that a step brings to the front; where it begins with another model than this, when that has come.
    wanted: Option<(ViewKind, Option<u64>)>,
    /// The user's run before the lessons, and the runs of lessons.
    own: Option<RunId>,
    runs: Vec<RunId>,
}

/// A place in a lesson.
#[derive(Default)]
struct Place {
    lesson: usize,
    step: usize,
    /// What was predicted at this step.
    predicted: Option<usize>,
    /// The run that was left when the lesson began, and the lesson's own when it has come.
    left: RunId,
    run: Option<RunId>,
}

impl Place {
    /// Takes in which run is shown, and notes the lesson's among `runs`; whether it is another than that.
    fn is_elsewhere(&mut self, snapshot: &Snapshot, runs: &mut Vec<RunId>) -> bool {
        if self.run.is_none() && snapshot.run != self.left {
            self.run = Some(snapshot.run.clone());
            runs.push(snapshot.run.clone());
        }
        self.run.as_ref().is_some_and(|own| *own != snapshot.run)
    }
}

/// Standard errors that measurement and theory are apart by chance, at most.
const BY_CHANCE: f64 = 4.0;
/// Height of the panel where it stands below the views: a question and its choices are seen at once.
const STEP_HEIGHT: f32 = 200.0;
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

    /// The view that the step reached last asks for, once; not before the model has come that it begins with: the views of the run that
    /// is left stay as they are.
    pub(super) fn take_view(&mut self, model_id: u64) -> Option<ViewKind> {
        self.wanted.take_if(|(_, before)| *before != Some(model_id)).map(|(view, _)| view)
    }

    /// Draws the panel, where it is open, and frames the control that is spoken of. Answers whether another control is framed than before.
    pub(super) fn panel(&mut self, ui: &mut Ui, state: &ViewState, snapshot: &Snapshot, actions: &mut Vec<Action>) -> bool {
        let step = self.under_way.as_ref().filter(|_| self.open).and_then(|place| lesson::all().get(place.lesson)?.steps.get(place.step));
        let is_new = highlight::set(ui.ctx(), step.and_then(Step::framed));
        if self.open {
            // Beside Controls and a view there may be too little room: then it stands below the view.
            let panel = if is_low(ui) {
                let least = if self.under_way.is_some() { STEP_HEIGHT } else { 110.0 };
                egui::Panel::bottom("lessons below").default_size(STEP_HEIGHT).size_range(least..=320.0)
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
        if is_low(ui) {
            ui.horizontal_wrapped(|ui| {
                for (i, lesson) in lesson::all().iter().enumerate() {
                    if ui.button(format!("{}. {}", i + 1, lesson.title)).on_hover_text(&lesson.summary).clicked() {
                        self.begin(i, lesson, snapshot, actions);
                    }
                }
            });
            return;
        }
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
        // Paused first: nothing is learned at the pace of the run before.
        let mut commands = vec![Command::Pause, Command::Load(Box::new(config)), Command::SetPace(Pace::StepsPerSecond(lesson.pace))];
        if !lesson.waits {
            commands.push(Command::Run);
        }
        actions.extend(commands.into_iter().map(Action::Send));
        if !self.runs.contains(&snapshot.run) {
            self.own = Some(snapshot.run.clone());
        }
        self.under_way = Some(Place { lesson: number, left: snapshot.run.clone(), ..Place::default() });
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
        if place.is_elsewhere(snapshot, &mut self.runs) {
            ui.label("Another run than the lesson's is shown: what is measured here would be its own.");
            if let Some(run) = &place.run
                && ui.button("Back to the lesson's run").clicked()
            {
                actions.push(Action::Send(Command::SwitchRun(run.clone())));
            }
            return;
        }
        if is_low(ui) && (step.prediction().is_some() || step.measure.is_some()) {
            ui.columns(2, |columns| {
                told(&mut columns[0], step, snapshot, &mut self.wanted, actions);
                asked(&mut columns[1], (lesson, step), place, state, snapshot, actions);
            });
        } else {
            told(ui, step, snapshot, &mut self.wanted, actions);
            asked(ui, (lesson, step), place, state, snapshot, actions);
        }
    }

    /// The buttons to the steps before and after, and to other lessons: in one row where height is dear.
    fn ways_on(&mut self, ui: &mut Ui, snapshot: &Snapshot, actions: &mut Vec<Action>) {
        if is_low(ui) {
            ui.horizontal_wrapped(|ui| {
                self.steps(ui);
                self.others(ui, snapshot, actions);
            });
        } else {
            ui.horizontal_wrapped(|ui| self.steps(ui));
            ui.horizontal_wrapped(|ui| self.others(ui, snapshot, actions));
        }
    }

    /// To the steps before and after.
    fn steps(&mut self, ui: &mut Ui) {
        let Some(place) = &mut self.under_way else { return };
        let Some(lesson) = lesson::all().get(place.lesson) else { return };
        let mut target = None;
        if ui.add_enabled(place.step > 0, Button::new("Previous step")).clicked() {
            target = Some(place.step - 1);
        }
        if ui.add_enabled(place.step + 1 < lesson.steps.len(), Button::new("Next step")).clicked() {
            target = Some(place.step + 1);
        }
        if let Some(step) = target {
            (place.step, place.predicted) = (step, None);
            self.wanted = lesson.view_at(step).map(|view| (view, None));
        }
    }

    /// To other lessons, and back to the user's own run.
    fn others(&mut self, ui: &mut Ui, snapshot: &Snapshot, actions: &mut Vec<Action>) {
        let Some(&Place { lesson: number, step, .. }) = self.under_way.as_ref() else { return };
        let is_last = lesson::all().get(number).is_some_and(|lesson| step + 1 == lesson.steps.len());
        if let Some(next) = lesson::all().get(number + 1).filter(|_| is_last)
            && ui.button("Next lesson").on_hover_text(&next.title).clicked()
        {
            self.begin(number + 1, next, snapshot, actions);
        }
        if ui.button("All lessons").clicked() {
            self.under_way = None;
        }
        let is_kept = |own: &&RunId| **own != snapshot.run && snapshot.runs.iter().flat_map(|all| &all.runs).any(|run| run.id == **own);
        let own = self.own.as_ref().filter(is_kept).cloned();
        let tip = "The run that you had before the lessons; the lesson's stays in the list of runs";
        if let Some(own) = own
            && ui.button("Back to your run").on_hover_text(tip).clicked()
        {
            actions.push(Action::Send(Command::SwitchRun(own)));
            self.under_way = None;
        }
    }
}

/// Whether the panel stands below the views.
fn is_low(ui: &Ui) -> bool {
    ui.ctx().content_rect().width() < BESIDE
}

/// What a step tells, the button that does it, and how far it is.
fn told(ui: &mut Ui, step: &Step, snapshot: &Snapshot, wanted: &mut Option<(ViewKind, Option<u64>)>, actions: &mut Vec<Action>) {
    ui.label(RichText::new(greek(&step.text)).size(14.5));
    if let Some(parameter) = step.control.as_deref().and_then(parameters::find) {
        ui.weak(format!("The slider {} at the left is framed.", greek(parameter.symbol)));
    }
    if let Some(images) = step.images {
        let share = (snapshot.clock.images as f32 / images as f32).min(1.0);
        ui.add(ProgressBar::new(share).text(format!("{} of {images} images", snapshot.clock.images.min(images))));
    }
    ui.horizontal_wrapped(|ui| {
        if step.has_action() && ui.button("Do it for me").on_hover_text("Moves the control that this step speaks of").clicked() {
            do_it(step, snapshot, actions);
        }
        if let Some(view) = step.other_view()
            && ui.button(format!("Show {}", view.title())).clicked()
        {
            *wanted = Some((view, None));
        }
    });
}

/// What a step asks, and what is measured at its end.
fn asked(
    ui: &mut Ui,
    (lesson, step): (&Lesson, &Step),
    place: &mut Place,
    state: &ViewState,
    snapshot: &Snapshot,
    actions: &mut Vec<Action>,
) {
    if let Some(prediction) = step.prediction()
        && ask(ui, &prediction, &mut place.predicted)
        && lesson.waits
        && !snapshot.clock.running
    {
        actions.push(Action::Send(Command::Run));
    }
    if let Some(measure) = step.measure {
        compare(ui, measure, measure.of(state, snapshot), snapshot);
    }
}

/// A question with its choices; after one was chosen, which is right and why. Answers whether one was chosen now.
fn ask(ui: &mut Ui, prediction: &Prediction<'_>, predicted: &mut Option<usize>) -> bool {
    let before = *predicted;
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
    *predicted != before
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
fn compare(ui: &mut Ui, measure: Measure, measured: Option<Measured>, snapshot: &Snapshot) {
    ui.add_space(6.0);
    let Some(measured) = measured else {
        ui.weak(if snapshot.clock.running {
            "Measuring: this needs some more time."
        } else {
            "Measuring stands still while the run is paused: press Run."
        });
        return;
    };
    ui.strong(greek(measured.what));
    let error = if measured.error > 0.0 { format!(" \u{00B1} {}", short(measured.error)) } else { String::new() };
    let theory = match measured.expected {
        Expected::Exactly(value) => format!("theory {}", short(value)),
        Expected::AtLeast(value) => format!("at least {} is expected", short(value)),
    };
    ui.label(format!("measured {}{error}, {theory}", short(measured.value)));
    if let Some(apart) = measured.standard_errors() {
        ui.weak(format!("{:.1} standard errors apart", apart.abs()));
        if apart.abs() > BY_CHANCE && measure.ignores_steps() {
            let dt_ms = short(snapshot.governor.dt_ms);
            ui.weak(format!("Theory is of continuous time: with steps shorter than dt = {dt_ms} ms they come closer."));
        }
    }
}

#[cfg(test)]
mod tests;
