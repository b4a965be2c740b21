//! `heescope evaluate` from outside: what it finds of real, noisy and collapsed images, and bad input named in one line.

use crate::program;
use heescope::data::{self, Part};
use heescope::export::npz::Archive;
use ndarray::{Array, Array3, Array4, Axis, Dimension};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use std::path::Path;
use std::process::Output;

fn evaluate(folder: &Path, arguments: &[&str]) -> Output {
    program::heescope(folder, &[&["evaluate"], arguments].concat())
}

fn evaluated(folder: &Path, arguments: &[&str]) -> serde_json::Value {
    let output = evaluate(folder, &[arguments, &["--data", "digits", "--json"]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn fails(folder: &Path, arguments: &[&str], parts: &[&str]) {
    let output = evaluate(folder, arguments);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {text}");
    assert_eq!(text.trim().lines().count(), 1, "{arguments:?}: {text}");
    assert!(parts.iter().all(|part| text.contains(part)), "{arguments:?}: {parts:?} are not in: {text}");
}

/// Some of the digits that are learned from.
fn digits(count: usize) -> Array3<f32> {
    data::digits(Part::Train).unwrap().subset(count, 3).pixels.into_shape_with_order((count, 8, 8)).unwrap()
}

fn write<D: Dimension>(folder: &Path, file: &str, arrays: &[(&str, &Array<f32, D>)]) {
    let mut archive = Archive::default();
    arrays.iter().for_each(|(name, array)| archive.add(name, array).unwrap());
    archive.save(&folder.join(file)).unwrap();
}

#[test]
fn real_digits_reach_the_floor_and_noisy_or_collapsed_ones_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let real = digits(600);
    let noisy = real.mapv(|v| (v + 1.0 * (rng.random::<f32>() - 0.5)).clamp(0.0, 1.0));
    write(folder, "a.npz", &[("means", &real), ("samples", &noisy)]);
    let number = |report: &serde_json::Value, set: &str, key: &str| report[set][key].as_f64().unwrap();
    let good = evaluated(folder, &["--samples", "a.npz"]);
    assert_eq!((good["array"].as_str(), good["generated"]["count"].as_u64()), (Some("means"), Some(600)));
    assert_eq!(good["floor"]["count"], good["generated"]["count"]);
    assert!(number(&good, "generated", "frechet") < 1.3 * number(&good, "floor", "frechet"), "{good}");
    assert!(good["discriminants_accuracy"].as_f64().unwrap() > 0.85, "{good}");
    assert_eq!(number(&good, "generated", "nearest_training"), 0.0, "they are training images");
    let shares: Vec<f64> = serde_json::from_value(good["generated"]["class_shares"].clone()).unwrap();
    assert!(shares.len() == 10 && (shares.iter().sum::<f64>() - 1.0).abs() < 1e-9 && shares.iter().all(|s| *s > 0.05), "{shares:?}");
    let bad = evaluated(folder, &["--samples", "a.npz", "--array", "samples"]);
    assert!(number(&bad, "generated", "frechet") > 2.0 * number(&good, "generated", "frechet"), "{bad}");
    write(folder, "b.npz", &[("samples", &real.select(Axis(0), &[1; 300]))]);
    let collapsed = evaluated(folder, &["--samples", "b.npz"]);
    assert_eq!((collapsed["array"].as_str(), collapsed["generated"]["count"].as_u64()), (Some("samples"), Some(300)));
    assert!(number(&collapsed, "generated", "recall") < 0.05 && number(&collapsed, "floor", "recall") > 0.5, "{collapsed}");
    assert_eq!(evaluated(folder, &["--samples", "a.npz", "--count", "100"])["floor"]["count"].as_u64(), Some(100));
    let table = evaluate(folder, &["--samples", "a.npz", "--data", "digits"]).stdout;
    let table = String::from_utf8(table).unwrap();
    assert!(["600 means against 297 held-out", "floor", "precision", "class shares"].iter().all(|part| table.contains(part)), "{table}");
}

#[test]
fn files_of_images_are_data_too() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, "data.npz", &[("images", &digits(900))]);
    write(folder, "a.npz", &[("samples", &digits(60))]);
    let output = evaluate(folder, &["--samples", "a.npz", "--data", "data.npz", "--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["training_count"].as_u64().unwrap() + report["generated"]["reference_count"].as_u64().unwrap(), 900);
    assert!(report["generated"]["class_shares"].is_null(), "no labels, no classes");
}

#[test]
fn held_out_images_that_do_not_differ_are_named_and_singular_ones_are_compared() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, "a.npz", &[("samples", &digits(60))]);
    write(folder, "flat.npz", &[("images", &Array3::<f32>::from_elem((300, 8, 8), 0.25))]);
    fails(folder, &["--samples", "a.npz", "--data", "flat.npz"], &["flat.npz", "reference images do not differ"]);
    let two: Vec<usize> = (0..600).map(|i| i % 2).collect();
    write(folder, "two.npz", &[("images", &digits(2).select(Axis(0), &two))]);
    write(folder, "same.npz", &[("samples", &digits(2).select(Axis(0), &[0; 40]))]);
    for samples in ["a.npz", "same.npz"] {
        let output = evaluate(folder, &["--samples", samples, "--data", "two.npz", "--json"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(report["generated"]["frechet"].is_number() && report["floor"]["frechet"].is_number(), "{report}");
    }
    write(folder, "huge.npz", &[("samples", &digits(40).mapv(|v| v * 1e37))]);
    fails(folder, &["--samples", "huge.npz", "--data", "digits"], &["huge.npz", "image 0 holds"]);
}

#[test]
fn bad_input_is_named_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let on = |file: &'static str| ["--samples", file, "--data", "digits"];
    fails(folder, &on("nowhere.npz"), &["nowhere.npz"]);
    std::fs::write(folder.join("text.npz"), "no archive").unwrap();
    fails(folder, &on("text.npz"), &["text.npz"]);
    write(folder, "other.npz", &[("pictures", &digits(30))]);
    fails(folder, &on("other.npz"), &["other.npz", "no array samples"]);
    write(folder, "good.npz", &[("samples", &digits(30))]);
    fails(folder, &[&on("good.npz")[..], &["--array", "means"]].concat(), &["good.npz", "no array means"]);
    fails(folder, &["--samples", "good.npz", "--data", "nothing"], &["nothing"]);
    fails(folder, &["--samples", "good.npz", "--data", "fashion"], &["good.npz", "8 x 8", "28 x 28"]);
    fails(folder, &[&on("good.npz")[..], &["--count", "5"]].concat(), &["--count", "20"]);
    write(folder, "flat.npz", &[("means", &digits(30).into_shape_with_order((30, 64)).unwrap())]);
    fails(folder, &on("flat.npz"), &["flat.npz", "[30, 64]"]);
    write(folder, "colour.npz", &[("means", &Array4::<f32>::zeros((30, 8, 8, 3)))]);
    fails(folder, &on("colour.npz"), &["colour.npz", "[30, 8, 8, 3]"]);
    write(folder, "few.npz", &[("means", &digits(19))]);
    fails(folder, &on("few.npz"), &["few.npz", "19 images"]);
    write(folder, "none.npz", &[("means", &Array3::<f32>::zeros((0, 8, 8)))]);
    fails(folder, &on("none.npz"), &["none.npz", "0 images"]);
    let mut broken = digits(30);
    broken[[11, 2, 3]] = f32::NAN;
    write(folder, "nan.npz", &[("means", &broken)]);
    fails(folder, &on("nan.npz"), &["nan.npz: means", "image 11"]);
}
