//! The run that goes on live beside the one that is shown: how it is begun, what it does, how it ends.

use crate::app::actions::{Action, BesideRequest};
use crate::app::run_beside::shares;
use crate::app::state::ViewState;
use crate::engine::{RunId, Snapshot};
use crate::experiment::parameters::Value;
use egui::{Button, Ui};

/// What it is called.
pub(super) const NAME: &str = "the one beside";
/// The adaptation strength of a run beside one that has none.
const ADAPTED: f64 = 2.0;

/// Which run it is.
pub(super) fn run(state: &ViewState) -> Option<&RunId> {
    let snapshot = state.beside.as_ref()?.latest.as_ref()?;
    Some(&snapshot.run)
}

/// The row that begins one or tells of it.
pub(super) fn row(ui: &mut Ui, from_here: &mut bool, state: &ViewState, snapshot: &Snapshot, actions: &mut Vec<Action>) {
    ui.horizontal_wrapped(|ui| match &state.beside {
        Some(beside) => progress(ui, beside.latest.as_deref(), actions),
        None => begin(ui, from_here, snapshot, actions),
    });
}

/// One click begins the same run with adaptation switched off, or on.
fn begin(ui: &mut Ui, from_here: &mut bool, snapshot: &Snapshot, actions: &mut Vec<Action>) {
    let m = if snapshot.config.dynamics.adaptation > 0.0 { 0.0 } else { ADAPTED };
    let shares = shares();
    let hint = shares.map_or_else(
        || "This machine has one core, which the run that is shown needs".to_string(),
        |[here, beside]| {
            format!(
                "Both go on at once: this one on {here}, the other one on {beside} of {} cores. With other values: right click on the run \
                 that is shown in the list of runs, The same again with ...",
                here + beside
            )
        },
    );
    let button = Button::new(format!("Run beside this one with m = {m}"));
    if ui.add_enabled(shares.is_some(), button).on_hover_text(&hint).on_disabled_hover_text(&hint).clicked() {
        let changes = vec![("adaptation", Value::Number(m))];
        actions.push(Action::RunBeside(BesideRequest { changes, from_here: *from_here }));
    }
    ui.checkbox(from_here, "from here on").on_hover_text("With the weights as they are now; else from the seed, as this one began");
}

fn progress(ui: &mut Ui, beside: Option<&Snapshot>, actions: &mut Vec<Action>) {
    match beside {
        None => _ = ui.weak("The run beside this one is being prepared ..."),
        Some(snapshot) => {
            let clock = &snapshot.clock;
            let learns = snapshot.config.stimulus.steps_per_stimulus > 0;
            let seen = if learns { format!("{} images", clock.images) } else { format!("{:.1} s simulated", clock.time_ms / 1e3) };
            let share = shares().map_or_else(String::new, |[here, beside]| format!(", {beside} of {} cores", here + beside));
            ui.label(format!("Beside this one: {}, {seen}, {:.0} steps/s{share}", snapshot.run_title(), clock.steps_per_second));
            if ui.button("Show it").on_hover_text("Both change places; each goes on as it does").clicked() {
                actions.push(Action::ShowBeside);
            }
        }
    }
    if ui.button("End it").on_hover_text("It is saved and stays in the list of runs; this one has all cores again").clicked() {
        actions.push(Action::EndBeside);
    }
}
