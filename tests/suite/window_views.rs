//! Every view of the window, drawn without a display: for every preset, in its modes, at the limits of textures.

use crate::window::{click, drawn_by, until, window, window_of};
use crate::window_figures::save_figure;
use egui_kittest::{Harness, kittest::Queryable};
use heescope::app::{App, ViewKind, view_by_name};
use heescope::experiment::{Config, presets};
use std::time::{Duration, Instant};

#[test]
fn every_view_draws_for_every_preset() {
    let pictures = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    for preset in presets::all().iter().filter(|p| p.name != "mnist") {
        // (that one needs files)
        for view in ViewKind::ALL {
            assert_eq!(view_by_name(&view.name()).unwrap(), view);
            let mut harness = window(preset.name, Some(&view.name()));
            until(&mut harness, |app| app.state.latest.as_ref().is_some_and(|s| s.clock.steps > 45));
            assert!(harness.query_all_by_label(view.title()).count() > 0);
            let image = ["dead-leaves", "photographs", "bars", "v1-v2", "digits", "fashion"].contains(&preset.name);
            if view == ViewKind::Learning && preset.config().learning.enabled {
                until(&mut harness, |app| app.state.learning.len() > 2);
            }
            if image && matches!(view, ViewKind::Population | ViewKind::Layers) {
                until(&mut harness, |app| app.state.fits.is_some());
            }
            harness.run_steps(4);
            while harness.query_by_label_contains("are being computed").is_some() {
                harness.step();
            }
            let picture = harness.render().unwrap();
            let written = pictures.join(format!("{}-{}.png", preset.name, view.name()));
            picture.save(&written).unwrap();
            // The view's own area, right of the panel and above the timeline: a drawn view has far more colours than a sentence.
            let area = image::imageops::crop_imm(&picture, 310, 90, 680, 520).to_image();
            let colours: std::collections::HashSet<_> = area.pixels().map(|p| p.0).collect();
            let learns = presets::by_name(preset.name).unwrap().learning.enabled;
            let drawn = area.pixels().filter(|p| p.0 != area.get_pixel(679, 519).0).count();
            // A filter or a stimulus of a tiny model is a few plain tiles: there only the area counts.
            let few = if learns || view == ViewKind::Posterior || view == ViewKind::Traces { 40 } else { 2 };
            let full = colours.len() > few && drawn > 2500;
            let gaussian = ["ridge", "slow-interneurons", "chain"].contains(&preset.name);
            // Where a view has nothing to show it says what to do.
            let empty = match view {
                ViewKind::Generation if !image => Some("no picture of at least"),
                ViewKind::Population | ViewKind::Tuning if !image => Some("no picture of at least 6 x 6"),
                ViewKind::Tuning => Some("Gratings of"),
                ViewKind::Layers if preset.name == "v1-v2" => Some("still closed"),
                ViewKind::Layers => None,
                ViewKind::Learning if !learns => Some("does not learn"),
                ViewKind::Adaptation if learns => Some("hold one in"),
                ViewKind::Separation if !gaussian => Some("Exact curves need"),
                _ => None,
            };
            if let Some(sentence) = empty {
                assert!(harness.query_by_label_contains(sentence).is_some(), "an empty state that says what to do");
                assert!(!(colours.len() > 40 && drawn > 2500), "{}: a sentence does not pass for a picture", written.display());
            } else {
                assert!(full, "{}: {} colours, {drawn} pixels drawn", written.display(), colours.len());
            }
            // A model without groups of filters begins with its weights.
            let without_groups = match preset.name {
                "v1-v2" | "digits" | "fashion" => None,
                "chain" => Some(["W1: units of layer 1 down", "observes no picture of at least 6 x 6"]),
                _ => Some(["W0: units of layer 0 down", "one layer of neurons"]),
            };
            if let Some([weights, sentence]) = without_groups.filter(|_| view == ViewKind::Layers) {
                assert!(harness.query_by_label_contains(weights).is_some(), "its weights are shown");
                click(&mut harness, "Bars");
                assert!(harness.query_by_label_contains(sentence).is_some(), "there are no groups of filters");
            }
        }
    }
}

#[test]
fn modes_of_traces_draw_or_say_what_to_do() {
    let mut harness = window("ridge", Some("traces"));
    until(&mut harness, |app| app.state.latest.as_ref().is_some_and(|s| s.clock.steps > 4000));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("membrane.svg");
    save_figure(&mut harness, "Membrane x", &path);
    let text = std::fs::read_to_string(&path).unwrap();
    let longest = text.lines().filter(|line| line.starts_with("<polyline")).map(|line| line.matches(',').count()).max();
    assert!(longest > Some(100), "a file of curves holds the curve, not the triangles that are drawn: {longest:?} points");
    click(&mut harness, "Spectrum");
    assert!(harness.query_by_label_contains("Autocorrelation of unit 0").is_some());
    let path = folder.path().join("spectrum.csv");
    save_figure(&mut harness, "power spectrum", &path);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("frequency_hz_measured,power_measured,frequency_hz_exact,power_exact\n"), "what is shown: {}", &text[..80]);
    click(&mut harness, "Raster");
    until(&mut harness, |app| app.state.raster.len() > 50);
    harness.run_steps(2);
    assert!(harness.query_by_label_contains("all 1 units of layer 0").is_some());
    let mut harness = window("dead-leaves", Some("traces"));
    until(&mut harness, |app| app.state.latest.as_ref().is_some_and(|s| s.clock.steps > 100));
    click(&mut harness, "Spectrum");
    assert!(harness.query_by_label_contains("no stationary process").is_some(), "an empty state that says what to do");
}

#[test]
fn filters_are_fitted_sorted_and_outlined() {
    let mut harness = window("dead-leaves", Some("receptive-fields"));
    until(&mut harness, |app| app.state.latest.is_some());
    click(&mut harness, "Full speed");
    // Fits come, and better ones as learning goes on.
    until(&mut harness, |app| app.state.fits.as_ref().is_some_and(|fits| fits.summary().0 > 0.3));
    click(&mut harness, "Fits");
    harness.get_by_role_and_label(egui::accesskit::Role::ComboBox, "Group by").click();
    harness.run_steps(4);
    click(&mut harness, "orientation");
    assert!(harness.query_by_label_contains("From above: horizontal").is_some());
    let first = harness.render().unwrap();
    click(&mut harness, "Pause");
    harness.run_steps(30);
    assert!(harness.query_by_label("Save as").is_some() && first.width() == 1000);
    let mut harness = window("bars", Some("population"));
    until(&mut harness, |app| app.state.fits.is_some() && !app.state.fit_history.is_empty());
    harness.run_steps(2);
    assert!(harness.query_by_label_contains("of 20 filters are Gabor-like").is_some());
    let mut harness = window("ridge", Some("population"));
    until(&mut harness, |app| app.state.latest.is_some());
    harness.run_steps(2);
    assert!(harness.query_by_label_contains("no picture of at least 6 x 6").is_some(), "an empty state that says what to do");
}

/// In a window of 1000 points the tabs do not fit: that of the view in front is scrolled to.
#[test]
fn the_tab_of_the_view_in_front_is_in_sight() {
    let mut harness = window("ridge", None);
    until(&mut harness, |app| app.state.latest.is_some());
    harness.run_steps(10);
    let tab = harness.get_all_by_label("Posterior").next().unwrap().rect();
    let first = |rects: Vec<egui::Rect>| rects.into_iter().min_by(|a, b| a.left().total_cmp(&b.left())).unwrap();
    let end = first(harness.get_all_by_label("Save as").map(|button| button.rect()).collect());
    let begin = harness.get_all_by_label("Preset").next().unwrap().rect();
    assert!(tab.left() > begin.right() && tab.right() <= end.left(), "{tab:?} between {begin:?} and {end:?}");
}

#[test]
fn stages_are_steered_and_the_second_layer_is_drawn_once_it_is_open() {
    let mut harness = window("v1-v2", Some("layers"));
    until(&mut harness, |app| app.state.fits.is_some());
    harness.run_steps(2);
    assert!(harness.query_by_label_contains("still closed").is_some());
    click(&mut harness, "Matrix");
    assert!(harness.query_by_label_contains("units of layer 1 down (256)").is_some());
    let mut harness = window("v1-v2", Some("learning"));
    let stage = |app: &App| app.state.latest.as_ref().and_then(|s| s.stage).map(|p| p.stage);
    until(&mut harness, |app| stage(app) == Some(0) && !app.state.learning.is_empty());
    harness.run_steps(2);
    click(&mut harness, "2. groups");
    until(&mut harness, |app| stage(app) == Some(1));
    let opened = |app: &App| app.state.latest.as_ref().is_some_and(|s| s.weights[1].iter().any(|&w| w != 0.0));
    until(&mut harness, opened);
    // The slider of the learning rate is that of the stage.
    assert_eq!(harness.state().as_ref().unwrap().state.latest.as_ref().unwrap().config.learning.lr, 0.2);
}

#[test]
fn every_study_is_listed_and_runs() {
    let mut harness = window("ridge", Some("studies"));
    let findings = |app: &App| app.state.latest.as_ref().and_then(|s| s.findings.clone());
    until(&mut harness, |app| app.state.latest.as_ref().is_some_and(|s| s.subject.is_some()));
    harness.run_steps(2);
    for study in heescope::studies::all() {
        assert!(harness.query_all_by_label(study.title()).next().is_some(), "{} is not in the list", study.title());
    }
    assert!(harness.query_all_by_label_contains("Not for this model").count() >= 3, "tuning, fits and generation need pictures");
    click(&mut harness, "Error of the log-partition's slope");
    click(&mut harness, "Measure");
    until(&mut harness, |app| findings(app).is_some_and(|f| f.study == "partition-error" && f.finished && f.points.len() == f.total));
    harness.run_steps(2);
    assert!(harness.query_by_label("Measure again").is_some());
}

/// The digits with so many states at the top, and all layers open at once.
fn digits_with(states: usize) -> Config {
    let mut config = presets::by_name("digits").unwrap();
    config.model.layers.last_mut().unwrap().size = states;
    config.stages.clear();
    config
}

#[test]
fn thousands_of_states_are_shown_and_generated_from() {
    let mut harness = window_of(digits_with(3000), Some("generation"));
    let prototypes = |app: &App| app.state.latest.as_ref().and_then(|s| s.generation.as_ref()?.prototypes.clone());
    until(&mut harness, |app| prototypes(app).is_some_and(|found| found.states.len() == 3000));
    harness.run_steps(2);
    assert!(harness.query_by_label_contains("The 3000 states of the top").is_some());
    click(&mut harness, "Follow learning");
    until(&mut harness, |app| app.state.latest.as_ref().and_then(|s| s.generation.clone()).is_some_and(|found| !found.following));
    harness.run_steps(4);
    // A click along the strip finds its state.
    let states = prototypes(harness.state().as_ref().unwrap()).unwrap().states.clone();
    let strip = harness.get_by_role_and_label(egui::accesskit::Role::Image, "States of the top").rect();
    let eighth = strip.min + egui::vec2(7.5 * (strip.height() + 2.0), 20.0);
    harness.hover_at(eighth);
    harness.step();
    harness.drag_at(eighth);
    harness.step();
    harness.drop_at(eighth);
    harness.run_steps(2);
    assert!(harness.query_by_label_contains(&format!("From state {}  x", states[7])).is_some());
}

/// The sizes of the textures handed over since they were last taken, letters left out; draws nothing.
#[derive(Clone, Default)]
struct Recorder(std::sync::Arc<std::sync::Mutex<Vec<[usize; 2]>>>);

impl Recorder {
    fn take(&self) -> Vec<[usize; 2]> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl egui_kittest::TestRenderer for Recorder {
    fn handle_delta(&mut self, delta: &mut egui::TexturesDelta) {
        let handed = delta.set.iter().filter(|(id, _)| **id != egui::TextureId::default());
        self.0.lock().unwrap().extend(handed.flat_map(|(_, deltas)| deltas.iter().map(|delta| delta.image.size())));
        delta.clear();
    }

    fn render(&mut self, _: &egui::Context, _: &egui::FullOutput) -> Result<image::RgbaImage, String> {
        Err("nothing is drawn here".into())
    }
}

/// The same window with what it hands over to the screen.
fn recorded(config: Config, view: &str) -> (Harness<'static, Option<App>>, Recorder) {
    let recorder = Recorder::default();
    let builder = Harness::builder().with_size([1000.0, 700.0]).renderer(recorder.clone());
    (builder.build_ui_state(drawn_by(config, Some(view)), None), recorder)
}

#[test]
fn textures_are_no_larger_than_the_screen_can_hold() {
    let most = 1024;
    for (view, then) in [("receptive-fields", "Layer 3"), ("layers", "Matrix"), ("generation", "Follow learning")] {
        let (mut harness, recorder) = recorded(digits_with(15_000), view);
        harness.input_mut().max_texture_side = Some(most);
        until(&mut harness, |app| app.state.latest.is_some());
        until(&mut harness, |app| view != "generation" || app.state.latest.as_ref().is_some_and(|s| s.generation.is_some()));
        click(&mut harness, then);
        let (start, mut largest) = (Instant::now(), 0);
        while largest <= most / 2 {
            harness.step();
            largest = recorder.take().into_iter().flatten().fold(largest, usize::max);
            assert!(largest <= most, "{view}: a side of {largest}");
            assert!(start.elapsed() < Duration::from_secs(30), "{view}: nothing larger than {largest}");
        }
        if view == "generation" {
            assert!(harness.query_by_label_contains("The 12769 most probable of 15000 states").is_some(), "a sheet of 113 x 113");
        }
    }
}

#[test]
fn pictures_that_stay_the_same_are_not_handed_over_again() {
    for (preset, view, then) in
        [("digits", "stimulus", None), ("dead-leaves", "posterior", None), ("dead-leaves", "traces", Some("Raster"))]
    {
        let (mut harness, recorder) = recorded(presets::by_name(preset).unwrap(), view);
        until(&mut harness, |app| app.state.latest.as_ref().is_some_and(|s| s.clock.steps > 50));
        then.into_iter().for_each(|name| click(&mut harness, name));
        let start = Instant::now();
        while recorder.take().is_empty() {
            harness.step();
            assert!(start.elapsed() < Duration::from_secs(20), "{view} shows nothing");
        }
        click(&mut harness, "Pause");
        until(&mut harness, |app| app.state.latest.as_ref().is_some_and(|s| !s.clock.running));
        harness.run_steps(3);
        recorder.take();
        harness.run_steps(5);
        assert_eq!(recorder.take(), [[0; 2]; 0], "{view}, while paused");
    }
}

#[test]
fn words_and_numbers_fit_the_family_shown() {
    let mut harness = window("digits", Some("learning"));
    until(&mut harness, |app| app.state.learning.len() > 5);
    harness.run_steps(2);
    assert!(harness.query_by_label_contains(", residual variance 0.").is_some());
    assert!(harness.query_by_label_contains("\u{03C3}^2").is_none(), "grey levels have no sigma");
    let worst = harness.state().as_ref().unwrap().state.learning.iter().fold(0.0f32, |worst, p| worst.max(p.residual_variance));
    assert!((0.001..1.0).contains(&worst), "residual of values from 0 to 1: {worst}");
    let mut harness = window("dead-leaves", Some("learning"));
    until(&mut harness, |app| app.state.learning.len() > 5);
    harness.run_steps(2);
    assert!(harness.query_by_label_contains("(\u{03C3}^2 ").is_some());
    let mut harness = window("digits", Some("layers"));
    until(&mut harness, |app| app.state.fits.is_some());
    harness.run_steps(2);
    assert!(harness.query_by_label_contains("the eight filters of its largest weights").is_some(), "few of these are Gabor functions");
    click(&mut harness, "Bars");
    assert!(harness.query_by_label_contains("Red: positive weight").is_some() && harness.query_by_label_contains("scale").is_none());
}
