//! What the window writes, by its buttons: figures, curves, filters, generated images.

use crate::window::{click, type_into, until, window};
use egui_kittest::{Harness, kittest::Queryable};
use heescope::app::App;
use heescope::engine::Measuring;
use std::time::{Duration, Instant};

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
    assert!(text.starts_with("time_ms (m 0),total_variation (m 0),x0_now (m 0)"), "{text}");
    assert_eq!(text.lines().next().unwrap().split(',').count(), 12, "four columns for each of three samplers");
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
fn a_view_that_is_too_narrow_for_its_letters_is_said_and_how_wide_it_must_be() {
    let mut harness = window("ridge", Some("posterior"));
    until(&mut harness, |app| app.state.latest.as_ref().and_then(|s| s.race.as_ref()).is_some_and(|r| r.racers[0].distance.len() > 3));
    click(&mut harness, "Save as");
    harness.get_by_role_and_label(egui::accesskit::Role::RadioButton, "The whole view").click();
    harness.run_steps(4);
    let warned = |harness: &Harness<'static, Option<App>>| {
        let label = harness.query_by_label_contains("too narrow for these letters")?;
        egui_kittest::kittest::NodeT::accesskit_node(&label).value()
    };
    let text = warned(&harness).expect("one column is too narrow for a whole view");
    let needed: f32 = text.split(' ').rev().nth(1).unwrap().parse().unwrap();
    assert!(85.0 < needed && needed < 180.0, "{text}");
    click(&mut harness, "two columns");
    assert_eq!(warned(&harness), None, "180 mm are enough");
    click(&mut harness, "one column");
    assert!(warned(&harness).is_some());
    harness.get_by_role_and_label(egui::accesskit::Role::RadioButton, "distance to the posterior").click();
    harness.run_steps(4);
    assert_eq!(warned(&harness), None, "a plot by itself follows its width");
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
