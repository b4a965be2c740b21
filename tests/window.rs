//! The window, without a display: start, pause, step, a slider, another preset, export.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use egui_kittest::{Harness, kittest::Queryable};
use heescope::app::{App, Options, view_by_name};
use heescope::experiment::presets;
use std::time::{Duration, Instant};

fn window(preset: &str, view: Option<&str>) -> Harness<'static, Option<App>> {
    let mut config = presets::by_name(preset).unwrap();
    config.data.patches = config.data.patches.min(2000);
    let view = view.map(str::to_string);
    let ui = move |ui: &mut egui::Ui, app: &mut Option<App>| {
        let app = app.get_or_insert_with(|| {
            App::new(ui.ctx(), Options { config: config.clone(), view: view.clone(), ..Default::default() }).unwrap()
        });
        app.drain(ui.ctx());
        app.frame(ui);
    };
    Harness::builder().with_size([1000.0, 700.0]).build_ui_state(ui, None)
}

fn until(harness: &mut Harness<'static, Option<App>>, wanted: impl Fn(&App) -> bool) {
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

fn click(harness: &mut Harness<'static, Option<App>>, label: &str) {
    harness.get_by_label(label).click();
    harness.step();
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
    // A key on the slider of m moves it, as a drag does.
    let before = harness.state().as_ref().unwrap().state.latest.as_ref().unwrap().config.dynamics.adaptation;
    harness.get_by_role_and_label(egui::accesskit::Role::Slider, "m").focus();
    harness.step();
    harness.key_press(egui::Key::ArrowRight);
    until(&mut harness, move |app| app.state.latest.as_ref().is_some_and(|s| s.config.dynamics.adaptation > before));
}

#[test]
fn every_view_draws_for_every_preset() {
    for preset in presets::all() {
        for view in heescope::app::views::Kind::ALL {
            assert_eq!(view_by_name(&view.name()).unwrap(), view);
            let mut harness = window(preset.name, Some(&view.name()));
            until(&mut harness, |app| app.state.latest.as_ref().is_some_and(|s| s.clock.steps > 20));
            assert!(harness.query_all_by_label(view.title()).count() > 0);
        }
    }
}
