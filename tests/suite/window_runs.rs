//! Runs in the window: compared, beside one another, annotated, left and gone back to.

use crate::window::{click, until, window};
use egui_kittest::{Harness, kittest::Queryable};
use heescope::app::{App, Options};
use heescope::engine::{AutosaveOptions, RunTimeline};
use heescope::experiment::presets;
use std::time::{Duration, Instant};

/// A window of Compare that keeps its runs there.
fn comparing(folder: &std::path::Path) -> Harness<'static, Option<App>> {
    opened(folder, false)
}

/// The same, which where `recover` says so goes on with the last run.
fn opened(folder: &std::path::Path, recover: bool) -> Harness<'static, Option<App>> {
    let autosave = AutosaveOptions { folder: folder.into(), older: None, interval: Duration::from_millis(200), recover };
    let mut config = presets::by_name("bars").unwrap();
    config.data.patches = 500;
    let draw = move |ui: &mut egui::Ui, app: &mut Option<App>| {
        let options =
            || Options { config: config.clone(), view: Some("compare".into()), autosave: Some(autosave.clone()), ..Options::default() };
        let app = app.get_or_insert_with(|| App::start(ui.ctx(), options()).unwrap());
        app.drain(ui.ctx());
        app.frame(ui);
    };
    Harness::builder().with_size([1100.0, 1400.0]).build_ui_state(draw, None)
}

#[test]
fn a_run_that_is_ticked_is_compared_with_the_one_that_runs() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = comparing(folder.path());
    let learned = |app: &App| app.state.learning.len() > 20;
    until(&mut harness, learned);
    let first = harness.state().as_ref().unwrap().state.latest.as_ref().unwrap().run.clone();
    harness.key_press(egui::Key::R);
    until(&mut harness, |app| app.state.latest.as_ref().is_some_and(|snapshot| snapshot.run != first) && learned(app));
    harness.get_by_role_and_label(egui::accesskit::Role::CheckBox, "bars 1").click();
    let begin = Instant::now();
    while harness.query_by_label("Residual variance").is_none() || harness.query_all_by_label_contains("KS ").next().is_none() {
        harness.step();
        assert!(begin.elapsed() < Duration::from_secs(30), "the run is not there beside the other");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(harness.query_all_by_label_contains("filters alike").next().is_some());
}

#[test]
fn the_next_start_goes_on_with_the_run_that_was_in_front() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = comparing(folder.path());
    until(&mut harness, |app| app.state.learning.len() > 20);
    click(&mut harness, "Run beside this one with m = 0");
    let begin = Instant::now();
    while harness.query_by_label_contains("Beside this one: bars 2").is_none() {
        harness.step();
        assert!(begin.elapsed() < Duration::from_secs(30), "no run beside");
        std::thread::sleep(Duration::from_millis(5));
    }
    let in_front = |harness: &Harness<'static, Option<App>>| {
        let snapshot = harness.state().as_ref().unwrap().state.latest.as_ref().unwrap();
        (snapshot.run.to_string(), snapshot.config.dynamics.adaptation)
    };
    let before = in_front(&harness);
    drop(harness);
    let mut harness = opened(folder.path(), true);
    until(&mut harness, |app| app.state.latest.is_some());
    assert_eq!(in_front(&harness), before);
}

#[test]
fn a_run_beside_goes_on_live_changes_places_and_stays_in_the_list() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = comparing(folder.path());
    let shown = |app: &App| {
        let snapshot = app.state.latest.as_ref().unwrap();
        (snapshot.run.to_string(), snapshot.config.dynamics.adaptation, snapshot.clock.images)
    };
    until(&mut harness, |app| app.state.learning.len() > 20);
    let (first, m, _) = shown(harness.state().as_ref().unwrap());
    assert!(m > 0.0);
    click(&mut harness, "Run beside this one with m = 0");
    let appears = |harness: &mut Harness<'static, Option<App>>, text: &str| {
        let begin = Instant::now();
        while harness.query_all_by_label_contains(text).next().is_none() {
            harness.step();
            assert!(begin.elapsed() < Duration::from_secs(30), "{text} is not there");
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    appears(&mut harness, "Beside this one: bars 2");
    appears(&mut harness, "filters alike"); // both are compared as they are, the one beside without being saved
    appears(&mut harness, "m = 0");
    assert!(harness.query_all_by_label_contains("of 2 cores").next().is_some() || std::thread::available_parallelism().unwrap().get() != 2);
    // A pause is one for both.
    click(&mut harness, "Pause");
    until(&mut harness, |app| app.state.latest.as_ref().is_some_and(|snapshot| !snapshot.clock.running));
    click(&mut harness, "Run");
    let before = shown(harness.state().as_ref().unwrap()).2;
    click(&mut harness, "Show it");
    until(&mut harness, |app| shown(app).0 != first);
    let (second, m, images) = shown(harness.state().as_ref().unwrap());
    assert!(second == "0002-bars" && m == 0.0, "{second}, m = {m}");
    until(&mut harness, |app| shown(app).2 > images + 50 && app.state.learning.len() > 20);
    appears(&mut harness, "Beside this one: bars 1");
    click(&mut harness, "Show it");
    until(&mut harness, |app| shown(app).0 == first && shown(app).2 > before + 50); // it went on meanwhile
    click(&mut harness, "End it");
    appears(&mut harness, "Run beside this one with m = 0");
    // It is saved, and can be gone on with.
    let begin = Instant::now();
    let can_be_opened = |app: &App| {
        let list = app.state.latest.as_ref().and_then(|snapshot| snapshot.runs.clone()).unwrap();
        list.runs.iter().any(|run| run.id.0 == second && run.images > images && !run.is_elsewhere)
    };
    while !can_be_opened(harness.state().as_ref().unwrap()) {
        harness.step();
        assert!(begin.elapsed() < Duration::from_secs(30), "the run that was ended is not in the list");
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(harness);
    let learned =
        |run: &str| heescope::experiment::modelfile::load(&folder.path().join(run).join("state.npz")).unwrap().0.learning.images_seen;
    assert!(learned(&second) > images && learned(&first) > before);
}

#[test]
fn a_note_is_typed_at_a_moment_and_kept_with_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let interval = Duration::from_secs(3600);
    let autosave = AutosaveOptions { folder: folder.path().into(), older: None, interval, recover: false };
    let draw = move |ui: &mut egui::Ui, app: &mut Option<App>| {
        let config = || presets::by_name("ridge").unwrap();
        let options = || Options { config: config(), view: Some("traces".into()), autosave: Some(autosave.clone()), ..Options::default() };
        let app = app.get_or_insert_with(|| App::start(ui.ctx(), options()).unwrap());
        app.drain(ui.ctx());
        app.frame(ui);
    };
    let mut harness = Harness::builder().with_size([1000.0, 700.0]).build_ui_state(draw, None);
    let begin = Instant::now();
    while harness.query_by_label("Bookmarks").is_none() {
        harness.step();
        assert!(begin.elapsed() < Duration::from_secs(30), "the timeline has no moments");
        std::thread::sleep(Duration::from_millis(5));
    }
    click(&mut harness, "Bookmarks");
    harness.get_by(|node| node.placeholder() == Some("note")).click();
    harness.run_steps(4);
    harness.get_by(|node| node.placeholder() == Some("note")).type_text("before the turn");
    harness.run_steps(2);
    harness.key_press(egui::Key::Enter);
    harness.run_steps(4);
    click(&mut harness, "Bookmarks");
    assert!(harness.query_by_label("before the turn").is_some(), "it is in the list");
    drop(harness); // closing keeps it
    let kept = RunTimeline::load(&folder.path().join("0001-ridge/timeline.bin"));
    let [bookmark] = &kept.bookmarks[..] else { panic!("{:?}", kept.bookmarks) };
    assert_eq!(bookmark.note, "before the turn");
    assert!(kept.moments.iter().any(|moment| moment.seconds == bookmark.seconds));
}

#[test]
fn another_preset_and_back_with_what_was_learned() {
    let mut harness = window("dead-leaves", Some("receptive-fields"));
    let snapshot = |app: &App| app.state.latest.as_ref().map(|s| (s.config.model.name.clone(), s.clock.images));
    until(&mut harness, |app| snapshot(app).is_some_and(|s| s.1 > 500));
    click(&mut harness, "Pause");
    until(&mut harness, |app| app.state.latest.as_ref().is_some_and(|s| !s.clock.running));
    let learned = harness.state().as_ref().unwrap().state.latest.as_ref().unwrap().weights[0].clone();
    harness.get_by_role_and_label(egui::accesskit::Role::ComboBox, "Preset").click();
    harness.run_steps(4);
    click(&mut harness, "ridge");
    until(&mut harness, |app| snapshot(app).is_some_and(|s| s.0 == "ridge"));
    harness.get_by_label("Back").click();
    until(&mut harness, |app| snapshot(app).is_some_and(|s| s.0 == "dead-leaves"));
    let back = harness.state().as_ref().unwrap().state.latest.as_ref().unwrap().weights[0].clone();
    assert!(back == learned, "what was learned is not lost");
}
