//! What a class sees: lessons beside the running model, the model as a picture, one view for a room.

use egui::accesskit::Role;
use egui_kittest::{Harness, kittest::Queryable};
use heescope::app::{App, Options};
use heescope::engine::Snapshot;
use heescope::experiment::presets;
use std::time::{Duration, Instant};

type Window = Harness<'static, Option<App>>;

fn window(preset: &'static str, view: Option<&str>, size: [f32; 2]) -> Window {
    let view = view.map(str::to_string);
    let draw = move |ui: &mut egui::Ui, app: &mut Option<App>| {
        let app = app.get_or_insert_with(|| {
            let mut config = presets::by_name(preset).unwrap();
            config.data.patches = config.data.patches.min(2000);
            App::start(ui.ctx(), Options { config, view: view.clone(), ..Default::default() }).unwrap()
        });
        app.drain(ui.ctx());
        app.frame(ui);
    };
    Harness::builder().with_size(size).build_ui_state(draw, None)
}

fn shown(harness: &Window) -> Option<&Snapshot> {
    harness.state().as_ref()?.state.latest.as_deref()
}

fn until(harness: &mut Window, wanted: impl Fn(&Snapshot) -> bool) {
    let start = Instant::now();
    loop {
        harness.step();
        if shown(harness).is_some_and(&wanted) {
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "waited too long");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn click(harness: &mut Window, label: &str) {
    harness.get_by_label(label).click();
    harness.run_steps(4);
}

/// Waits until something is said.
fn told(harness: &mut Window, text: &str) {
    let start = Instant::now();
    while harness.query_by_label_contains(text).is_none() {
        harness.step();
        assert!(start.elapsed() < Duration::from_secs(30), "nothing says {text}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_lesson_begins_a_run_of_its_own_and_its_buttons_do_what_they_say() {
    let mut harness = window("dead-leaves", None, [1400.0, 900.0]);
    until(&mut harness, |s| s.clock.images > 0);
    click(&mut harness, "Lessons");
    click(&mut harness, "Begin lesson 4");
    until(&mut harness, |s| s.config.model.name == "slow-interneurons" && s.clock.running);
    assert_eq!(shown(&harness).unwrap().previous.as_ref().map(|(name, _)| name.as_str()), Some("dead-leaves"), "the run before is kept");
    told(&mut harness, "Lines: exact"); // by the view that the lesson speaks of
    (0..2).for_each(|_| click(&mut harness, "Next step"));
    assert!(harness.query_by_label_contains("closed form 5.3").is_none(), "no answer before the prediction");
    click(&mut harness, "That of the posterior, reached more slowly");
    assert!(harness.query_by_label_contains("It is: That of the prior").is_some());
    assert!(harness.query_by_label_contains("closed form 5.3").is_some());
    click(&mut harness, "Do it for me");
    until(&mut harness, |s| s.config.dynamics.tau_eps_ms == 100.0);
    click(&mut harness, "Next step");
    assert!(harness.query_by_label("Next lesson").is_some(), "the last step leads on");
    told(&mut harness, "standard errors apart");
}

#[test]
fn a_lesson_that_asks_first_waits_and_leads_back_to_its_run() {
    let mut harness = window("ridge", None, [1400.0, 900.0]);
    until(&mut harness, |s| s.clock.steps > 0);
    click(&mut harness, "Lessons");
    click(&mut harness, "Begin lesson 5");
    until(&mut harness, |s| s.config.model.name == "bars");
    (0..2).for_each(|_| click(&mut harness, "Next step"));
    harness.run_steps(20);
    assert_eq!(shown(&harness).map(|s| (s.clock.running, s.clock.steps)), Some((false, 0)), "nothing is learned before the prediction");
    click(&mut harness, "the interneurons, all the time");
    assert!(harness.query_by_label("So it is.").is_some());
    until(&mut harness, |s| s.clock.running && s.clock.steps > 0);
    // Back to the run before: the lesson says that this is not its own, and knows the way.
    click(&mut harness, "Back");
    until(&mut harness, |s| s.config.model.name == "ridge");
    told(&mut harness, "Another run than the lesson's is shown");
    click(&mut harness, "Back to the lesson's run");
    until(&mut harness, |s| s.config.model.name == "bars" && s.clock.steps > 0);
    assert!(harness.query_by_label_contains("Another run than the lesson's").is_none());
}

#[test]
fn a_click_on_a_unit_of_the_network_traces_it() {
    let mut harness = window("bars", Some("network"), [1000.0, 700.0]);
    until(&mut harness, |s| s.parts.as_ref().is_some_and(|parts| parts[1].likelihood.iter().any(|&i| i != 0.0)));
    let caption = |symbol: &str| harness.get_by_label_contains(symbol).rect();
    let (neurons, errors) = (caption("x_1 neurons"), caption("\u{03B5}_0 errors"));
    assert!(neurons.bottom() < errors.top(), "neurons stand above the errors that drive them");
    let traced = |s: &Snapshot| (s.watch.trace_layer, s.watch.trace_units.clone());
    let before = shown(&harness).map(traced).unwrap();
    let at = neurons.center_bottom() + egui::vec2(70.0, 40.0);
    harness.drag_at(at);
    harness.drop_at(at);
    until(&mut harness, |s| traced(s) != before);
    assert_eq!(shown(&harness).unwrap().watch.trace_units.len(), 1);
}

#[test]
fn one_view_for_a_room_has_its_sliders_and_goes_back() {
    let mut harness = window("ridge", None, [1024.0, 768.0]);
    until(&mut harness, |s| s.clock.steps > 0);
    harness.key_press(egui::Key::F1);
    harness.run_steps(3);
    assert!(harness.query_by_label("Six ways to begin").is_some(), "the help is open");
    harness.key_press(egui::Key::F11);
    harness.run_steps(3);
    assert!(harness.query_by_label("Lessons").is_none(), "the menu makes room");
    assert!(harness.query_by_label("Six ways to begin").is_none(), "nothing covers the view");
    assert!(harness.query_by_role_and_label(Role::Slider, "Pace").is_some(), "a room can be shown single steps");
    assert_eq!(harness.query_all_by_role(Role::Slider).filter(|slider| slider.rect().top() > 400.0).count(), 3, "three sliders below");
    let zoom = harness.ctx.zoom_factor();
    click(&mut harness, "Whole window");
    harness.run_steps(3);
    assert!(harness.query_by_label("Lessons").is_some());
    assert!((zoom / harness.ctx.zoom_factor() - 1.5).abs() < 1e-6, "everything was half as large again");
    harness.key_press(egui::Key::F11);
    harness.run_steps(3);
    assert!(harness.query_by_label("Lessons").is_none());
    harness.key_press(egui::Key::Escape);
    harness.run_steps(3);
    assert!(harness.query_by_label("Lessons").is_some(), "Escape leads back too");
}

#[test]
fn the_panel_at_the_left_folds_away_where_there_is_little_room() {
    let mut harness = window("ridge", None, [700.0, 500.0]);
    until(&mut harness, |s| s.clock.steps > 0);
    harness.run_steps(2);
    let has_panel = |harness: &Window| harness.query_by_label("Full speed").is_some();
    let buttons = |harness: &Window| harness.query_all_by_label("Pause").count();
    assert!(!has_panel(&harness));
    assert_eq!(buttons(&harness), 1, "the run can be paused without it");
    click(&mut harness, "Controls");
    assert!(has_panel(&harness), "it comes where it is asked for");
    assert_eq!(buttons(&harness), 1);
    click(&mut harness, "Controls");
    harness.set_size(egui::vec2(1200.0, 800.0));
    harness.run_steps(3);
    assert!(has_panel(&harness), "and by itself where there is room");
}

#[test]
fn help_leads_to_ways_to_begin_and_to_lessons() {
    let mut harness = window("ridge", None, [1000.0, 700.0]);
    until(&mut harness, |s| s.clock.steps > 0);
    click(&mut harness, "Help");
    assert!(harness.query_by_label_contains("is explained in the view Network").is_some());
    click(&mut harness, "Six ways to begin");
    assert!(harness.query_by_label("Where to begin").is_some());
    assert!(harness.query_by_label_contains("is explained in the view Network").is_none(), "the help makes room");
}

#[test]
fn the_way_on_in_a_lesson_stays_in_its_place() {
    let mut harness = window("ridge", Some("learning"), [1400.0, 900.0]);
    until(&mut harness, |s| s.clock.steps > 0);
    click(&mut harness, "Lessons");
    click(&mut harness, "Begin lesson 4");
    until(&mut harness, |s| s.config.model.name == "slow-interneurons" && s.clock.running);
    told(&mut harness, "Lines: exact"); // by the view that the lesson speaks of, in place of the one that was shown alone
    let place = |harness: &Window| harness.get_by_label("Next step").rect().min;
    harness.run_steps(3);
    let first = place(&harness);
    for _ in 0..2 {
        click(&mut harness, "Next step");
        assert_eq!(place(&harness), first);
    }
}
