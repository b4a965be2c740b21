//! The window used by keys and pointer, without a display: start, pause, step, a slider, another preset, typed values, a brush, files.

use egui_kittest::{Harness, kittest::Queryable};
use heescope::app::{App, Options};
use heescope::engine::Measuring;
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
fn export_from_the_view_and_read_the_file_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mosaic.npy");
    let mut harness = window("dead-leaves", Some("receptive-fields"));
    until(&mut harness, |app| app.state.latest.as_ref().is_some_and(|s| s.clock.images > 200));
    click(&mut harness, "Pause");
    until(&mut harness, |app| app.state.latest.as_ref().is_some_and(|s| !s.clock.running));
    click(&mut harness, "Save as");
    click(&mut harness, "All filters, weight by weight");
    click(&mut harness, "NPY");
    let field = harness.get_by_role_and_label(egui::accesskit::Role::TextInput, "File");
    field.focus();
    harness.step();
    harness.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::A);
    harness.get_by_role_and_label(egui::accesskit::Role::TextInput, "File").type_text(&path.display().to_string());
    harness.step();
    click(&mut harness, "Save to file");
    until(&mut harness, |_| path.exists());
    let filters: ndarray::Array3<f32> = heescope::export::npz::read_npy(&path).unwrap();
    assert_eq!(filters.dim(), (144, 12, 12), "[units, rows, columns]");
    let weights = &harness.state().as_ref().unwrap().state.latest.as_ref().unwrap().weights[0];
    for unit in [0, 77, 143] {
        assert!(filters.index_axis(ndarray::Axis(0), unit).iter().eq(weights.column(unit)), "filter {unit} is a column of W0");
    }
}

#[test]
fn a_race_is_changed_restarted_by_a_click_and_saved() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = window("ridge", Some("posterior"));
    let race = |app: &App| app.state.latest.as_ref().and_then(|s| s.race.clone());
    until(&mut harness, |app| race(app).is_some_and(|r| r.racers.len() == 2 && r.racers[0].distance.len() > 3));
    click(&mut harness, "Add sampler");
    until(&mut harness, |app| race(app).is_some_and(|r| r.racers.len() == 3));
    until(&mut harness, |app| race(app).is_some_and(|r| r.time_ms > 200.0));
    // Autocorrelation times are measured, with theory beside them, although they are long for the first draws.
    click(&mut harness, "Full speed");
    until(&mut harness, |app| race(app).is_some_and(|r| r.racers.iter().all(|racer| racer.mixing.is_some() && racer.theory_ms.is_some())));
    // A click in the picture: every chain of every sampler starts there.
    click(&mut harness, "Pause");
    harness.hover_at(egui::pos2(470.0, 430.0));
    harness.step();
    harness.drag_at(egui::pos2(470.0, 430.0));
    harness.step();
    harness.event(egui::Event::PointerButton {
        pos: egui::pos2(470.0, 430.0),
        button: egui::PointerButton::Primary,
        pressed: false,
        modifiers: egui::Modifiers::NONE,
    });
    until(&mut harness, |app| race(app).is_some_and(|r| r.time_ms == 0.0));
    click(&mut harness, "Step");
    until(&mut harness, |app| race(app).is_some_and(|r| r.racers.iter().all(|racer| racer.trail.len() == 1)));
    let state = race(harness.state().as_ref().unwrap()).unwrap();
    let spread = |r: &heescope::engine::RacerState| r.trail[0].iter().map(|p| (p[0] - r.trail[0][0][0]).abs()).fold(0.0, f32::max);
    assert!(state.racers.iter().all(|r| spread(r) < 1.0), "one step from one point");
    // The numbers behind the picture.
    let path = folder.path().join("race.csv");
    click(&mut harness, "Save as");
    harness.get_by_role_and_label(egui::accesskit::Role::TextInput, "File").focus();
    harness.step();
    harness.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::A);
    harness.get_by_role_and_label(egui::accesskit::Role::TextInput, "File").type_text(&path.display().to_string());
    harness.step();
    click(&mut harness, "Save to file");
    until(&mut harness, |_| path.exists());
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("sampler_0_time_ms,sampler_0_total_variation,sampler_0_x0_now"), "{text}");
    assert_eq!(text.lines().next().unwrap().split(',').count(), 12, "four columns for each of three samplers");
}

/// Opens the menu of the only view, chooses a figure and a file, and saves; screenshots are taken of what was drawn.
pub(crate) fn save_figure(harness: &mut Harness<'static, Option<App>>, figure: &str, path: &std::path::Path) {
    click(harness, "Save as");
    harness.get_by_role_and_label(egui::accesskit::Role::RadioButton, figure).click();
    harness.run_steps(4);
    harness.get_by_role_and_label(egui::accesskit::Role::TextInput, "File").focus();
    harness.step();
    harness.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::A);
    harness.get_by_role_and_label(egui::accesskit::Role::TextInput, "File").type_text(&path.display().to_string());
    harness.step();
    harness.get_by_label("Save to file").click();
    let start = Instant::now();
    while !path.exists() {
        let said = || {
            harness
                .query_all_by_label_contains("")
                .filter_map(|node| egui_kittest::kittest::NodeT::accesskit_node(&node).label())
                .collect::<Vec<_>>()
                .join(" | ")
        };
        assert!(start.elapsed() < Duration::from_secs(20), "{} was not saved: {}", path.display(), said());
        harness.step();
        let asked: Vec<egui::ViewportCommand> =
            harness.output().viewport_output.values().flat_map(|viewport| viewport.commands.clone()).collect();
        for command in asked {
            if let egui::ViewportCommand::Screenshot(callback) = command {
                let picture = harness.render().unwrap();
                let size = [picture.width() as usize, picture.height() as usize];
                callback.complete(egui::ColorImage::from_rgba_unmultiplied(size, &picture).into());
            }
        }
    }
    harness.key_press(egui::Key::Escape); // the dialog stays for other figures
    harness.run_steps(2);
}

#[test]
fn one_plot_of_a_view_is_saved_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = window("ridge", Some("posterior"));
    until(&mut harness, |app| app.state.latest.as_ref().and_then(|s| s.race.as_ref()).is_some_and(|r| r.racers[0].distance.len() > 3));
    let [whole, plot, svg] = ["whole.png", "distance.png", "distance.svg"].map(|name| folder.path().join(name));
    save_figure(&mut harness, "The whole view", &whole);
    save_figure(&mut harness, "distance to the posterior", &plot);
    save_figure(&mut harness, "distance to the posterior", &svg);
    let size = |path: &std::path::Path| image::open(path).unwrap().into_rgb8().dimensions();
    let ((w, h), (pw, ph)) = (size(&whole), size(&plot));
    // One column of 85 mm at 300 dots an inch, three quarters as high.
    assert!([w, pw].iter().all(|width| width.abs_diff(1004) <= 2), "{w} and {pw} pixels wide");
    assert!(ph.abs_diff(753) < 60 && h > 300, "{h} and {ph} pixels high");
    let text = std::fs::read_to_string(&svg).unwrap();
    assert!(text.contains("width=\"85mm\"") && text.contains("<polyline"), "the plot as curves: {}", &text[..300]);
    assert!(!text.contains("<text") && text.contains("<path d=\"M"), "letters are outlines");
    assert!(text.matches("<path d=\"M").count() < 60, "what stands beside the plot is left out");
    let caption = std::fs::read_to_string(svg.with_extension("txt")).unwrap();
    for words in ["distance to the posterior, Posterior of the run", "preset ridge", "seed", "heescope", "[dynamics]", "tau_x_ms"] {
        assert!(caption.contains(words), "{words} is missing: {caption}");
    }
    // A PDF of the same size, and a view whose pictures are textures.
    let pdf = folder.path().join("posterior.pdf");
    save_figure(&mut harness, "posterior", &pdf);
    let bytes = std::fs::read(&pdf).unwrap();
    assert!(bytes.starts_with(b"%PDF-1.") && bytes.len() > 5000, "{} bytes", bytes.len());
    let text = String::from_utf8_lossy(&bytes);
    let page = text.split_once("/MediaBox [").unwrap().1.split_once(']').unwrap().0;
    let page: Vec<f32> = page.split_whitespace().map(|side| side.parse().unwrap()).collect();
    assert!((page[2] - 85.0 * 72.0 / 25.4).abs() < 0.5, "{page:?}");
    assert!(text.contains("/Subtype /Image"), "the exact density is a picture in it");
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
fn images_are_generated_measured_and_exported() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = window("digits", Some("generation"));
    let state = |app: &App| app.state.latest.as_ref().and_then(|s| s.generation.clone());
    let under_way = |app: &App| state(app).is_some_and(|found| found.modes.iter().all(|mode_result| mode_result.steps > 5));
    until(&mut harness, |app| under_way(app));
    // Measured beside the data, with the share of every class.
    until(&mut harness, |app| {
        state(app).is_some_and(|found| {
            let floor = matches!(&found.measuring, Measuring::Ready(floor) if floor.classes.len() == 10 && floor.shares.is_some());
            floor && found.modes.iter().all(|mode_result| !mode_result.distances.is_empty() && mode_result.shares.is_some())
        })
    });
    assert!(state(harness.state().as_ref().unwrap()).unwrap().following, "a model that learns is followed");
    for (ending, way) in [("PNG", "Joint"), ("NPZ", "Marginal"), ("GIF", "Ancestral")] {
        let path = folder.path().join(format!("images.{}", ending.to_lowercase()));
        click(&mut harness, "Export images");
        harness.get_by_role_and_label(egui::accesskit::Role::RadioButton, way).click();
        harness.run_steps(2);
        click(&mut harness, ending);
        type_into(&mut harness, "File of images", &path.display().to_string());
        click(&mut harness, "Write images");
        until(&mut harness, |_| path.exists());
    }
    let picture = image::open(folder.path().join("images.png")).unwrap();
    assert!(picture.width() >= 8 * 16 && picture.height() >= 8 * 16);
    let mut file = heescope::export::npz::open(&folder.path().join("images.npz")).unwrap();
    assert_eq!(file.array("means").unwrap().shape(), [256, 8, 8], "all, not only those shown");
    let film = std::fs::read(folder.path().join("images.gif")).unwrap();
    assert!(film.starts_with(b"GIF89a"));
    // From the start again, and an image pinned: it becomes the stimulus.
    click(&mut harness, "Generate");
    until(&mut harness, |app| under_way(app));
    let picture = harness.get_by_role_and_label(egui::accesskit::Role::Image, "Joint images").rect();
    harness.hover_at(picture.min + egui::vec2(12.0, 12.0));
    harness.step();
    harness.drag_at(picture.min + egui::vec2(12.0, 12.0));
    harness.step();
    harness.drop_at(picture.min + egui::vec2(12.0, 12.0));
    harness.run_steps(2);
    until(&mut harness, |app| app.state.latest.as_ref().is_some_and(|s| s.stimulus.held));
    click(&mut harness, "Release");
    until(&mut harness, |app| app.state.latest.as_ref().is_some_and(|s| !s.stimulus.held));
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
