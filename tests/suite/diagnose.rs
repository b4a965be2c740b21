//! `heescope diagnose` from outside: every kind of chain as ArviZ has it, or `not available`; bad files named in one line.

use crate::program::{heescope, succeeds};
use heescope::export::npz::Archive;
use ndarray::{Array, Array1, Array3, Dimension, s};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// What ArviZ says (scripts/record_diagnostics.py).
fn recorded_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/diagnose")
}

fn rows(folder: &Path, file: &str) -> Vec<Value> {
    serde_json::from_str(&succeeds(folder, &["diagnose", file, "--json"])).unwrap()
}

/// A figure: NaN where it is not available.
fn figure(row: &Value, key: &str) -> f64 {
    match &row[key] {
        Value::Null => f64::NAN,
        Value::String(text) => text.parse().unwrap(),
        number => number.as_f64().unwrap(),
    }
}

/// Whether a figure is the recorded one. R-hat of chains that stand still apart is infinite; rounding makes it very large in ArviZ.
fn agrees(found: f64, recorded: f64, scale: f64) -> bool {
    if recorded.is_nan() || found.is_nan() {
        return found.is_nan() && recorded.is_nan();
    }
    (found > 1e6 && recorded > 1e6) || (found - recorded).abs() <= 1e-6 * recorded.abs().max(scale)
}

#[test]
fn every_kind_of_chain_agrees_with_arviz() {
    let folder = recorded_folder();
    let recorded: Value = serde_json::from_slice(&std::fs::read(folder.join("recorded.json")).unwrap()).unwrap();
    let (mut compared, mut told_apart) = (0, 0);
    for (file, expected) in recorded["files"].as_object().unwrap() {
        let found = rows(&folder, file);
        assert_eq!(found.len(), expected.as_array().unwrap().len(), "{file}");
        for (found, expected) in found.iter().zip(expected.as_array().unwrap()) {
            let sd = figure(expected, "sd");
            for key in ["mean", "sd", "mcse", "ess_bulk", "ess_mean", "r_hat"] {
                let (a, b) = (figure(found, key), figure(expected, key));
                let scale = if key == "mean" { sd } else { 0.0 };
                assert!(agrees(a, b, scale), "{file}, {}: {key} is {a}, ArviZ has {b}; {found}", expected["kind"]);
                compared += 1;
                told_apart += usize::from(a.is_finite() && !agrees(1.0001 * a, b, scale));
            }
        }
    }
    assert!(compared > 1000 && told_apart > 700, "{compared} figures; a planted error of 1e-4 is seen in {told_apart}");
}

fn write<D: Dimension>(folder: &Path, file: &str, x: &Array<f32, D>, draws: usize) {
    let mut archive = Archive::default();
    archive.add("x1", x).unwrap();
    archive.add("time_ms", &Array1::from_shape_fn(draws, |t| 2.0 * t as f32)).unwrap();
    archive.save(&folder.join(file)).unwrap();
}

/// White noise of a kind: 3 chains, 40 draws, 4 units.
fn noise() -> Array3<f32> {
    Array3::from_shape_fn((3, 40, 4), |(c, t, u)| {
        let n = (c * 7919 + t * 104_729 + u * 1_299_709 + 17) as u32;
        (n.wrapping_mul(2_654_435_761) >> 8) as f32 / (1u32 << 24) as f32
    })
}

#[test]
fn chains_that_stand_still_apart_have_not_converged_and_that_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let mut x = noise();
    x.slice_mut(s![.., .., 1]).assign(&Array3::from_shape_fn((3, 40, 1), |(c, ..)| c as f32).slice(s![.., .., 0]));
    x.slice_mut(s![.., .., 2]).fill(0.25);
    write(folder.path(), "s.npz", &x, 40);
    let found = rows(folder.path(), "s.npz");
    assert_eq!((found[1]["r_hat"].as_str(), figure(&found[1], "r_hat")), (Some("Infinity"), f64::INFINITY));
    assert!(found[1]["note"].as_str().unwrap().starts_with("not converged"), "{}", found[1]);
    assert!(found[2]["r_hat"].is_null() && found[2]["note"].as_str().unwrap().contains("the same"), "{}", found[2]);
    assert!(found[0]["note"].is_null() && figure(&found[0], "r_hat") < 1.2, "{}", found[0]);
    let table = succeeds(folder.path(), &["diagnose", "s.npz"]);
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[2].contains(" inf ") && lines[2].contains("not converged"), "{table}");
    assert!(lines[3].contains(" n/a ") && lines[3].contains("not available"), "{table}");
}

#[test]
fn one_bad_unit_hides_none_of_the_others() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "good.npz", &noise(), 40);
    let good = rows(folder.path(), "good.npz");
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut x = noise();
        x[[1, 7, 2]] = bad;
        write(folder.path(), "bad.npz", &x, 40);
        let found = rows(folder.path(), "bad.npz");
        for unit in [0, 1, 3] {
            assert_eq!(found[unit], good[unit], "unit {unit}");
        }
        assert!(figure(&found[2], "ess_mean").is_nan() && figure(&found[2], "mean").is_nan());
        assert_eq!(found[2]["note"].as_str(), Some("not available: draw 7 of chain 1 is not finite"));
        assert!(succeeds(folder.path(), &["diagnose", "bad.npz"]).contains("draw 7 of chain 1"));
    }
}

#[test]
fn values_in_fortran_order_are_the_same_samples() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "c.npz", &noise(), 40);
    let mut turned = Array3::<f32>::zeros(ndarray::ShapeBuilder::f((3, 40, 4)));
    turned.assign(&noise());
    write(folder.path(), "f.npz", &turned, 40);
    assert_eq!(rows(folder.path(), "c.npz"), rows(folder.path(), "f.npz"));
    assert_ne!(std::fs::read(folder.path().join("c.npz")).unwrap(), std::fs::read(folder.path().join("f.npz")).unwrap());
}

#[test]
fn what_is_wrong_with_a_shape_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let fails = |file: &str, parts: &[&str]| {
        let output = heescope(folder, &["diagnose", file]);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), text.lines().count()), (Some(1), 1), "{text}");
        assert!(parts.iter().all(|part| text.contains(part)) && text.contains(file), "{parts:?}: {text}");
    };
    write(folder, "chains.npz", &Array3::<f32>::zeros((0, 100, 2)), 100);
    fails("chains.npz", &["x1", "[0, 100, 2]", "there is no chain"]);
    write(folder, "units.npz", &Array3::<f32>::zeros((2, 100, 0)), 100);
    fails("units.npz", &["there is no unit"]);
    write(folder, "draws.npz", &Array3::<f32>::zeros((2, 0, 3)), 0);
    fails("draws.npz", &["there is no draw"]);
    write(folder, "time.npz", &noise(), 39);
    fails("time.npz", &["x1 has 40 draws and time_ms 39"]);
    write(folder, "axes.npz", &ndarray::Array2::<f32>::zeros((2, 100)), 100);
    fails("axes.npz", &["[2, 100]", "chains, draws, units"]);
    let mut archive = Archive::default();
    archive.add("x1", &noise()).unwrap();
    archive.save(&folder.join("timeless.npz")).unwrap();
    fails("timeless.npz", &["time_ms", "it is missing"]);
    write(folder, "whole.npz", &noise(), 40);
    let bytes = std::fs::read(folder.join("whole.npz")).unwrap();
    // One value of x1 is another: the checksum does not agree.
    let mut spoiled = bytes.clone();
    let at = bytes.windows(4).position(|window| window == noise()[[2, 20, 1]].to_le_bytes()).unwrap();
    spoiled[at] ^= 1;
    std::fs::write(folder.join("spoiled.npz"), spoiled).unwrap();
    fails("spoiled.npz", &["x1"]);
}
