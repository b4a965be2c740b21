//! The window used by keys and pointer, without a display: start, pause, step, a slider, another preset, typed values, measurements.

use egui_kittest::{Harness, kittest::Queryable};
use heescope::app::{App, Options};
use heescope::experiment::{Config, presets};
use std::time::{Duration, Instant};

pub(crate) fn window(preset: &str, view: Option<&str>) -> Harness<'static, Option<App>> {
    let mut config = presets::by_name(preset).unwrap();
    config.data.patches = config.data.patches.min(2000);
    window_of(config, view)
}

pub(crate) fn window_of(config: Config, view: Option<&str>) -> Harness<'static, Option<App>> {
    Harness::builder().with_size([1000.0, 700.0]).build_ui_state(drawn_by(config, view), None)
}

/// What draws a frame, and starts the program in the first.
pub(crate) fn drawn_by(config: Config, view: Option<&str>) -> impl FnMut(&mut egui::Ui, &mut Option<App>) + use<> {
    let view = view.map(str::to_string);
    move |ui: &mut egui::Ui, app: &mut Option<App>| {
        let app = app.get_or_insert_with(|| {
            App::start(ui.ctx(), Options { config: config.clone(), view: view.clone(), ..Default::default() }).unwrap()
        });
        app.drain(ui.ctx());
        app.frame(ui);
    }
}

pub(crate) fn until(harness: &mut Harness<'static, Option<App>>, wanted: impl Fn(&App) -> bool) {
    let start = Instant::now();
    loop {
        harness.step();
        if harness.state().as_ref().is_some_and(&wanted) {
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "waited too long");
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub(crate) fn click(harness: &mut Harness<'static, Option<App>>, label: &str) {
    harness.get_by_label(label).click();
    harness.run_steps(4); // a menu needs more than one frame to open
}

#[test]
fn run_pause_step_and_parameters_reach_the_engine() {
    let mut harness = window("dead-leaves", Some("receptive-fields"));
    until(&mut harness, |app| app.state.latest.as_ref().is_some_and(|s| s.clock.steps > 30));
    click(&mut harness, "Pause");
    until(&mut harness, |app| app.state.latest.as_ref().is_some_and(|s| !s.clock.running));
    let steps = harness.state().as_ref().unwrap().state.latest.as_ref().unwrap().clock.steps;
    click(&mut harness, "Step");
    until(&mut harness, |app| app.state.latest.as_ref().is_some_and(|s| s.clock.steps == steps + 1));
    click(&mut harness, "Exact interneurons");
    until(&mut harness, |app| {
        app.state.latest.as_ref().is_some_and(|s| s.config.dynamics.interneuron_mode == heescope::experiment::InterneuronMode::Exact)
    });
    // Drag the slider of m from its middle to the right end: the engine takes what the pointer says.
    let adaptation = |app: &App| app.state.latest.as_ref().map(|s| s.config.dynamics.adaptation);
    let before = adaptation(harness.state().as_ref().unwrap()).unwrap();
    let slider = harness.get_by_role_and_label(egui::accesskit::Role::Slider, "m").rect();
    harness.drag_at(slider.center());
    harness.step();
    for share in [0.6, 0.8, 1.0] {
        harness.hover_at(egui::pos2(slider.left() + share * slider.width(), slider.center().y));
        harness.step();
    }
    harness.drop_at(egui::pos2(slider.right(), slider.center().y));
    until(&mut harness, |app| adaptation(app) == Some(10.0));
    // One drag is one change to undo; a double click on the name gives the preset's value again.
    harness.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::Z);
    until(&mut harness, |app| adaptation(app) == Some(before));
}

#[test]
fn gratings_are_shown_and_can_be_stopped() {
    let mut harness = window("dead-leaves", Some("tuning"));
    until(&mut harness, |app| app.state.latest.is_some());
    click(&mut harness, "Show gratings");
    let tuning = |app: &App| app.state.latest.as_ref().and_then(|s| s.tuning.clone());
    until(&mut harness, |app| tuning(app).is_some_and(|t| t.progress.0 > 0));
    click(&mut harness, "Stop");
    until(&mut harness, |app| tuning(app).is_some_and(|t| t.ended));
    assert!(tuning(harness.state().as_ref().unwrap()).unwrap().responses.is_none(), "stopped halfway");
    let mut harness = window("bars", Some("tuning"));
    until(&mut harness, |app| app.state.latest.is_some());
    click(&mut harness, "Show gratings");
    until(&mut harness, |app| tuning(app).is_some_and(|t| t.responses.is_some()));
    harness.run_steps(2);
    assert!(harness.query_by_label_contains("Circular variance: median").is_some());
}

#[test]
fn an_experiment_is_measured_and_can_be_stopped() {
    let mut harness = window("ridge", Some("partition"));
    let findings = |app: &App| app.state.latest.as_ref().and_then(|s| s.findings.clone());
    until(&mut harness, |app| app.state.latest.is_some());
    click(&mut harness, "Measure");
    until(&mut harness, |app| findings(app).is_some_and(|f| f.finished && f.points.len() == f.total));
    let mut harness = window("slow-interneurons", Some("separation"));
    until(&mut harness, |app| app.state.latest.is_some());
    click(&mut harness, "Measure");
    until(&mut harness, |app| findings(app).is_some_and(|f| f.points.len() >= 2));
    click(&mut harness, "Stop");
    until(&mut harness, |app| findings(app).is_some_and(|f| f.finished));
    assert!(findings(harness.state().as_ref().unwrap()).is_some_and(|f| f.points.len() < f.total), "what was measured stays");
}

/// Types a text into the field of this name, in place of what was there.
pub(crate) fn type_into(harness: &mut Harness<'static, Option<App>>, field: &str, text: &str) {
    harness.get_by_role_and_label(egui::accesskit::Role::TextInput, field).focus();
    harness.step();
    harness.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::A);
    harness.get_by_role_and_label(egui::accesskit::Role::TextInput, field).type_text(text);
    harness.step();
}

#[test]
fn what_is_typed_takes_effect_on_enter_and_is_left_alone_until_then() {
    let mut harness = window("dead-leaves", Some("receptive-fields"));
    let tau_v = |app: &App| app.state.latest.as_ref().map(|s| s.config.dynamics.tau_v_ms);
    until(&mut harness, |app| app.state.latest.as_ref().is_some_and(|s| s.clock.steps > 10));
    click(&mut harness, "Full speed");
    let field = |harness: &Harness<'static, Option<App>>| {
        harness.get_by_role_and_label(egui::accesskit::Role::TextInput, "\u{03C4}_v").value().unwrap()
    };
    let mut in_force = tau_v(harness.state().as_ref().unwrap()).unwrap();
    for (round, text) in ["0.5", "2 s", "0,25 ms", "1e3", "7"].into_iter().cycle().take(20).enumerate() {
        harness.get_by_role_and_label(egui::accesskit::Role::TextInput, "\u{03C4}_v").focus();
        harness.run_steps(2); // what stands there is selected
        let mut typed = String::new();
        for letter in text.chars() {
            harness.get_by_role_and_label(egui::accesskit::Role::TextInput, "\u{03C4}_v").type_text(&letter.to_string());
            typed.push(letter);
            std::thread::sleep(Duration::from_millis(3)); // snapshots come in between
            harness.run_steps(2);
            assert_eq!(field(&harness), typed, "round {round}");
            assert_eq!(tau_v(harness.state().as_ref().unwrap()), Some(in_force), "round {round}: by a keystroke");
        }
        harness.key_press(egui::Key::Enter);
        in_force = [0.5, 2000.0, 0.25, 1000.0, 7.0][round % 5];
        harness.step();
        assert_eq!(field(&harness), format!("{in_force} ms"), "shown at once");
        until(&mut harness, |app| tau_v(app) == Some(in_force));
    }
    // What is not valid stays to be seen, and changes nothing; Escape gives it up.
    for wrong in ["-5", "five", "1e9"] {
        type_into(&mut harness, "\u{03C4}_v", wrong);
        harness.key_press(egui::Key::Enter);
        harness.run_steps(8);
        assert_eq!((field(&harness), tau_v(harness.state().as_ref().unwrap())), (wrong.to_string(), Some(7.0)));
        assert!(harness.query_by_label_contains("0.001 to 10000000 ms").is_some(), "what is valid is said");
    }
    harness.get_by_role_and_label(egui::accesskit::Role::TextInput, "\u{03C4}_v").focus();
    harness.step();
    harness.key_press(egui::Key::Escape);
    harness.run_steps(2);
    assert_eq!(field(&harness), "7 ms");
    // One edit is one change to undo.
    harness.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::Z);
    until(&mut harness, |app| tau_v(app) == Some(1000.0));
}

#[test]
fn a_step_size_that_follows_stability_is_said_without_alarm() {
    let mut config = presets::by_name("dead-leaves").unwrap();
    (config.data.patches, config.dynamics.dt_ms) = (2000, 20.0); // far past what is stable
    let mut harness = window_of(config, Some("receptive-fields"));
    until(&mut harness, |app| app.state.latest.as_ref().is_some_and(|s| s.governor.lowered && s.clock.steps > 10));
    harness.run_steps(10);
    assert!(harness.query_by_label_contains("(automatic)").is_some());
    assert!(harness.query_by_label_contains("dropped").is_none(), "states that are not drawn are nothing to worry about");
}

#[test]
fn a_seed_has_all_of_its_64_bits_and_no_more() {
    let mut harness = window("ridge", Some("posterior"));
    let seed = |app: &App| app.state.latest.as_ref().map(|s| s.config.dynamics.seed);
    until(&mut harness, |app| seed(app) == Some(0));
    type_into(&mut harness, "Seed", "18446744073709551615");
    harness.key_press(egui::Key::Enter);
    until(&mut harness, |app| seed(app) == Some(u64::MAX));
    type_into(&mut harness, "Seed", "18446744073709551616");
    harness.key_press(egui::Key::Enter);
    harness.run_steps(4);
    assert!(harness.query_by_label_contains("seed = 18446744073709551616 is out of range").is_some());
    assert_eq!(seed(harness.state().as_ref().unwrap()), Some(u64::MAX), "nothing was built anew");
}

#[test]
fn a_panic_while_a_frame_is_drawn_loses_nothing_and_the_next_start_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = presets::by_name("bars").unwrap();
    config.data.patches = 300;
    let autosave =
        heescope::engine::AutosaveOptions { folder: folder.path().into(), older: None, interval: Duration::from_secs(3600), recover: true };
    let images = |app: &App| app.state.latest.as_ref().map_or(0, |snapshot| snapshot.clock.images);
    let window = |panics_after: u64| {
        let (config, autosave) = (config.clone(), autosave.clone());
        let draw = move |ui: &mut egui::Ui, app: &mut Option<App>| {
            let options = || Options { config: config.clone(), autosave: Some(autosave.clone()), ..Default::default() };
            let app = app.get_or_insert_with(|| App::start(ui.ctx(), options()).unwrap());
            app.drain(ui.ctx());
            app.frame(ui);
            assert!(images(app) < panics_after, "asked to panic");
        };
        Harness::builder().with_size([1000.0, 700.0]).build_ui_state(draw, None)
    };
    let seen = std::panic::catch_unwind(|| {
        let mut harness = window(1500);
        until(&mut harness, |app| images(app) > 1_000_000);
    });
    assert!(seen.is_err());
    let saved = heescope::experiment::modelfile::load(&folder.path().join("0001-bars/state.npz")).unwrap().0.learning.images_seen;
    assert!(saved >= 1500, "{saved} images are in the file");
    let mut harness = window(u64::MAX);
    harness.step();
    until(&mut harness, |app| images(app) > 0);
    assert!(images(harness.state().as_ref().unwrap()) >= saved, "the next start goes on with them");
}
