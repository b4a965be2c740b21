//! The stimulus, changed with the pointer: occluded, drawn on, dragged, completed.

use crate::window::{click, until, window};
use egui_kittest::{Harness, kittest::Queryable};
use heescope::app::App;

/// Presses at the first point, drags through the others, lets go at the last; shares of the picture of this name.
fn drag(harness: &mut Harness<'static, Option<App>>, picture: &str, way: &[[f32; 2]]) {
    let rect = harness.get_by_role_and_label(egui::accesskit::Role::Image, picture).rect();
    let at = |p: &[f32; 2]| rect.min + egui::vec2(p[0], p[1]) * rect.size();
    harness.hover_at(at(&way[0]));
    harness.step();
    harness.drag_at(at(&way[0]));
    harness.step();
    for p in &way[1..] {
        harness.hover_at(at(p));
        harness.step();
    }
    harness.drop_at(at(&way[way.len() - 1]));
    harness.run_steps(2);
}

#[test]
fn a_stimulus_is_occluded_drawn_on_and_completed() {
    let mut harness = window("dead-leaves", Some("stimulus"));
    let stimulus = |app: &App| app.state.latest.as_ref().map(|s| s.stimulus.clone()).unwrap_or_default();
    let now = |harness: &Harness<'static, Option<App>>| stimulus(harness.state().as_ref().unwrap());
    until(&mut harness, |app| app.state.latest.as_ref().is_some_and(|s| s.clock.images > 200));
    // Occlude the left side of a stimulus that passes: it is held first, as it was seen.
    drag(&mut harness, "Stimulus x0", &[[0.1, 0.05], [0.1, 0.95]]);
    until(&mut harness, |app| stimulus(app).held && stimulus(app).completed.is_some_and(|done| done.free[61]));
    let first = now(&harness);
    let mask = first.completed.as_ref().unwrap().free.clone();
    let row = &mask[60..72];
    assert!(row[1] && !row[6] && !row[11], "the brush's way along the left side: {row:?}");
    until(&mut harness, |app| stimulus(app).completed.is_some_and(|done| done.steps > 20));
    let later = now(&harness);
    let [before, after] = [&first, &later].map(|s| s.completed.clone().unwrap());
    for (i, &free) in mask.iter().enumerate() {
        assert_eq!(before.samples[0][i] != after.samples[0][i], free, "pixel {i}: completions change, clamped pixels do not");
    }
    assert_eq!(first.stimulus, later.stimulus);
    for name in ["Mean completion", "Spread", "Sample 6"] {
        harness.get_by_role_and_label(egui::accesskit::Role::Image, name);
    }
    // Draw on the right, take it back, and clear all.
    click(&mut harness, "Draw light");
    drag(&mut harness, "Stimulus x0", &[[0.9, 0.5]]);
    let lightest = first.stimulus.iter().fold(1.0f32, |t, v| t.max(v.abs()));
    until(&mut harness, |app| stimulus(app).stimulus[6 * 12 + 10] == lightest);
    let drawn = now(&harness).stimulus;
    assert!(drawn[6 * 12 + 5] == first.stimulus[6 * 12 + 5] && now(&harness).completed.is_some());
    click(&mut harness, "Undo stroke");
    until(&mut harness, |app| stimulus(app).stimulus == first.stimulus);
    // Contrast and noise act on the original.
    click(&mut harness, "Pin A");
    let slider = harness.get_by_role_and_label(egui::accesskit::Role::Slider, "Contrast").rect();
    for share in [0.9, 0.5, 0.0] {
        harness.drag_at(egui::pos2(slider.left() + share * slider.width(), slider.center().y));
        harness.step();
        harness.drop_at(egui::pos2(slider.left() + share * slider.width(), slider.center().y));
        harness.step();
    }
    until(&mut harness, |app| stimulus(app).stimulus.iter().all(|&x| x == 0.0));
    click(&mut harness, "Original");
    until(&mut harness, |app| stimulus(app).stimulus == first.stimulus);
    // The next stimulus is pinned as B; the morph at its right end is B.
    click(&mut harness, "Clear");
    until(&mut harness, |app| stimulus(app).completed.is_none());
    click(&mut harness, "Next");
    until(&mut harness, |app| stimulus(app).stimulus != first.stimulus && stimulus(app).held);
    let second = now(&harness).stimulus;
    harness.run_steps(2);
    click(&mut harness, "Pin B");
    let slider = harness.get_by_role_and_label(egui::accesskit::Role::Slider, "Morph").rect();
    harness.drag_at(slider.center());
    harness.step();
    until(&mut harness, |app| {
        let between = |(x, (a, b)): (&f32, (&f32, &f32))| (x - (a + b) / 2.0).abs() < 0.1 * (a - b).abs() + 1e-4;
        stimulus(app).stimulus.iter().zip(first.stimulus.iter().zip(&second)).all(between)
    });
    harness.drop_at(slider.center());
    // Going on lets all of it go.
    click(&mut harness, "Hold");
    until(&mut harness, |app| !stimulus(app).held && stimulus(app).completed.is_none());
}

#[test]
fn the_values_of_a_tiny_stimulus_are_dragged() {
    let mut harness = window("chain", Some("stimulus"));
    let value = |app: &App| app.state.latest.as_ref().map(|s| s.stimulus.stimulus[1]);
    until(&mut harness, |app| value(app).is_some());
    let field = harness.get_by_role_and_label(egui::accesskit::Role::SpinButton, "x0[1]").rect();
    harness.drag_at(field.center());
    harness.step();
    harness.hover_at(field.center() + egui::vec2(60.0, 0.0));
    harness.step();
    harness.drop_at(field.center() + egui::vec2(60.0, 0.0));
    until(&mut harness, |app| value(app).is_some_and(|x| x > 0.3));
}
