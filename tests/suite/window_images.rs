//! One's own images in the window: dropped, named by path, looked at before anything is learned from them.

use crate::window::{click, type_into, until, window, window_of};
use egui_kittest::{Harness, kittest::Queryable};
use heescope::app::App;
use heescope::data::Source;
use heescope::experiment::presets;
use std::time::{Duration, Instant};

/// A file as the desktop hands it over.
#[derive(Debug)]
struct Dropped(std::path::PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &std::path::Path {
        &self.0
    }
    fn bytes(&self) -> Result<Vec<u8>, String> {
        std::fs::read(&self.0).map_err(|e| e.to_string())
    }
}

#[test]
fn sets_of_images_are_dropped_and_named_by_path() {
    let folder = tempfile::tempdir().unwrap();
    let header: Vec<u8> = [0x803u32, 60, 9, 9].iter().flat_map(|n| n.to_be_bytes()).collect();
    let file = folder.path().join("train-images-idx3-ubyte");
    std::fs::write(&file, [header, (0..60 * 81usize).map(|p| (p * 7 % 256) as u8).collect()].concat()).unwrap();
    let mut harness = window("digits", Some("stimulus"));
    let shown = |app: &App| app.state.latest.as_ref().map(|s| (s.config.data.source, s.config.model.layers[0].size, s.clock.images));
    until(&mut harness, |app| shown(app).is_some_and(|(source, ..)| source == Source::Digits));
    harness.input_mut().dropped_files.push(std::sync::Arc::new(Dropped(file.clone())));
    until(&mut harness, |app| shown(app).is_some_and(|(source, size, images)| source == Source::Images && size == 81 && images > 50));
    // Its own images again, then the same file by its path.
    harness.run_steps(2);
    assert!(harness.query_by_label("photographs").is_none(), "patches make no sense here");
    let own = harness.get_all_by_label("digits").last().unwrap().rect();
    harness.drag_at(own.center());
    harness.step();
    harness.drop_at(own.center());
    until(&mut harness, |app| shown(app).is_some_and(|(source, size, _)| source == Source::Digits && size == 64));
    type_into(&mut harness, "Your images", &file.display().to_string());
    click(&mut harness, "Learn from these");
    until(&mut harness, |app| shown(app).is_some_and(|(source, size, _)| source == Source::Images && size == 81));
}

#[test]
fn own_pictures_are_looked_at_before_anything_is_learned_from_them() {
    let folder = tempfile::tempdir().unwrap();
    for i in 0..3u32 {
        let pixel = |x: u32, y: u32| image::Luma([((x * (i + 3) + y * y / 5) % 251) as u8]);
        image::GrayImage::from_fn(90, 70, pixel).save(folder.path().join(format!("{i}.png"))).unwrap();
    }
    std::fs::write(folder.path().join("torn.png"), "no picture").unwrap();
    let mut harness = window("dead-leaves", Some("receptive-fields"));
    let shown = |app: &App| app.state.latest.as_ref().map(|s| (s.config.data.source, s.config.data.whitening, s.clock.images));
    until(&mut harness, |app| shown(app).is_some_and(|(source, ..)| source == Source::DeadLeaves));
    harness.run_steps(2);
    type_into(&mut harness, "Your images", &folder.path().display().to_string());
    click(&mut harness, "Look at them");
    until_seen(&mut harness, "Patches, as they are learned");
    assert!(harness.query_by_label_contains("3 of 4 images used").is_some(), "what was left out is said");
    assert_eq!(shown(harness.state().as_ref().unwrap()).map(|s| s.0), Some(Source::DeadLeaves), "nothing is learned yet");
    click(&mut harness, "Whiten");
    harness.run_steps(2); // what was seen before is taken away
    until_seen(&mut harness, "Patches, as they are learned");
    click(&mut harness, "Learn from them");
    until(&mut harness, |app| shown(app).is_some_and(|(source, whitening, images)| source == Source::Files && !whitening && images > 50));
    harness.run_steps(2);
    let name = folder.path().file_name().unwrap().to_string_lossy().into_owned();
    assert!(
        harness.query_by_label_contains(&format!("on your images: {name}")).is_some(),
        "the source has its name where the preset's was"
    );
    assert!(harness.query_by_label("Learn from them").is_none(), "the window is closed");
}

/// Steps until something of this name is drawn.
fn until_seen(harness: &mut Harness<Option<App>>, name: &str) {
    let begin = Instant::now();
    while harness.query_all_by_label(name).next().is_none() {
        assert!(begin.elapsed() < Duration::from_secs(30), "{name} is not drawn");
        harness.step();
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn without_its_files_mnist_says_where_they_go_and_the_next_images_named_are_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = presets::by_name("mnist").unwrap();
    config.data.paths = vec![folder.path().into()];
    let mut harness = window_of(config, Some("stimulus"));
    let shown = |app: &App| app.state.latest.as_ref().map(|s| (s.config.model.name.clone(), s.config.model.layers[0].size, s.clock.steps));
    until(&mut harness, |app| shown(app).is_some_and(|(name, _, steps)| name == "digits" && steps > 5));
    let header = |numbers: &[u32]| numbers.iter().flat_map(|n| n.to_be_bytes()).collect::<Vec<u8>>();
    let pixels: Vec<u8> = (0..40 * 784usize).map(|p| (p * 7 % 256) as u8).collect();
    std::fs::write(folder.path().join("train-images-idx3-ubyte"), [header(&[0x803, 40, 28, 28]), pixels].concat()).unwrap();
    std::fs::write(folder.path().join("train-labels-idx1-ubyte"), [header(&[0x801, 40]), vec![1; 40]].concat()).unwrap();
    type_into(&mut harness, "Your images", &folder.path().display().to_string());
    click(&mut harness, "Learn from these");
    until(&mut harness, |app| shown(app).is_some_and(|(name, size, _)| name == "mnist" && size == 784));
}
