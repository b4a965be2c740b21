//! `heescope evaluate --likelihood` from outside.

use crate::program::{heescope, succeeds};
use heescope::experiment::presets;
use heescope::model::FamilyConfig;
use ndarray::{Array1, Ix0, Ix1, Ix2, OwnedRepr};
use ndarray_npy::{NpzReader, NpzWriter};
use std::fs::File;

fn fails(folder: &std::path::Path, arguments: &[&str], parts: &[&str]) {
    let output = heescope(folder, arguments);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), text.trim().lines().count()), (Some(1), 1), "{arguments:?}: {text}");
    assert!(parts.iter().all(|part| text.contains(part)), "{arguments:?}: {parts:?} are not in: {text}");
}

#[test]
fn the_likelihood_of_held_out_images_is_told_with_its_error_and_bad_input_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut config = presets::by_name("digits").unwrap();
    config.model.layers[0].family = FamilyConfig::Bernoulli;
    std::fs::write(folder.join("binary.toml"), config.to_toml()).unwrap();
    succeeds(folder, &["train", "--config", "binary.toml", "--images", "3000", "--out", "m.npz"]);
    let short = ["--model", "m.npz", "--data", "digits", "--runs", "4", "--temperatures", "6", "--draws", "30"];
    fn likelihood<'a>(short: &[&'a str], extra: &[&'a str]) -> Vec<&'a str> {
        [&["evaluate", "--likelihood"][..], short, extra].concat()
    }
    let run = |extra: &[&str]| -> serde_json::Value {
        serde_json::from_str(&succeeds(folder, &likelihood(&short, &[&["--json", "--count", "5"], extra].concat()))).unwrap()
    };
    let found = run(&["--threads", "1"]);
    assert_eq!(found, run(&["--threads", "2"]), "the same bits for any number of threads");
    assert_ne!(found, run(&["--seed", "9"]));
    assert_ne!(found["pixels"], run(&["--binarise", "threshold"])["pixels"], "how pixels become 0 or 1 is stated");
    let images = found["log_likelihood"]["images"].as_array().unwrap();
    assert_eq!(images.len(), 5);
    // 64 binary pixels that are all as likely 0 as 1 have 44.4 nats; a model that has learned a little is ahead of that.
    assert!(images.iter().all(|log_p| (-60.0..0.0).contains(&log_p.as_f64().unwrap())), "{images:?}");
    assert!(found["log_likelihood"]["error"].as_f64().unwrap() > 0.0 && found["accepted"].as_f64().unwrap() > 0.1);
    assert!(succeeds(folder, &likelihood(&short, &["--count", "2"])).contains("annealed importance sampling (6 gains)"));
    let refused = |arguments: &[&str], parts: &[&str]| fails(folder, arguments, parts);
    refused(&likelihood(&short, &["--count", "99999"]), &["--count 99999", "held-out images"]);
    refused(&["evaluate", "--likelihood", "--model", "m.npz", "--data", "digits", "--runs", "1"], &["--runs 1", "2 to"]);
    refused(&["evaluate", "--likelihood", "--model", "m.npz", "--data", "fashion", "--count", "2"], &["fashion", "28 x 28", "8 x 8"]);
    refused(&["evaluate", "--likelihood", "--data", "digits"], &["--model"]);
    refused(&["evaluate", "--data", "digits"], &["--samples"]);
    refused(&["evaluate", "--data", "digits", "--samples", "a.npz", "--runs", "5"], &["--likelihood"]);
}

#[test]
fn binary_images_are_judged_by_one_trial_of_binomial_pixels_and_levels_by_all() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut config = presets::by_name("digits").unwrap();
    config.model.layers[0].family = FamilyConfig::Bernoulli;
    std::fs::write(folder.join("binary.toml"), config.to_toml()).unwrap();
    succeeds(folder, &["train", "--config", "binary.toml", "--images", "3000", "--out", "one.npz"]);
    // The same weights under pixels of two trials.
    let mut read = NpzReader::new(File::open(folder.join("one.npz")).unwrap()).unwrap();
    let mut written = NpzWriter::new(File::create(folder.join("two.npz")).unwrap());
    for name in ["W0", "W1", "W2"] {
        written.add_array(name, &read.by_name::<OwnedRepr<f32>, Ix2>(&format!("{name}.npy")).unwrap()).unwrap();
    }
    for name in ["b0", "b1", "b2", "b3"] {
        written.add_array(name, &read.by_name::<OwnedRepr<f32>, Ix1>(&format!("{name}.npy")).unwrap()).unwrap();
    }
    written.add_array("sigma2", &read.by_name::<OwnedRepr<f32>, Ix0>("sigma2.npy").unwrap()).unwrap();
    let text = String::from_utf8(read.by_name::<OwnedRepr<u8>, Ix1>("config.npy").unwrap().to_vec()).unwrap();
    let two = text.replace("family = \"bernoulli\"", "family = \"binomial\"\ntrials = 2");
    assert_ne!(text, two);
    written.add_array("config", &Array1::from(two.into_bytes())).unwrap();
    written.finish().unwrap();
    let asked = |model: &str, extra: &[&str]| -> serde_json::Value {
        let short = ["--data", "digits", "--runs", "4", "--temperatures", "6", "--draws", "30", "--count", "5", "--json"];
        serde_json::from_str(&succeeds(folder, &[&["evaluate", "--likelihood", "--model", model][..], &short, extra].concat())).unwrap()
    };
    assert_eq!(asked("one.npz", &[]), asked("two.npz", &["--binarise", "drawn"]));
    assert_eq!(asked("one.npz", &["--binarise", "threshold"]), asked("two.npz", &["--binarise", "threshold"]));
    // Unasked, the levels of the images are taken, and each pixel is seen twice.
    let levels = asked("two.npz", &[]);
    assert_eq!(levels["pixels"], "as they are");
    assert_ne!(levels["log_likelihood"], asked("one.npz", &[])["log_likelihood"]);
}
