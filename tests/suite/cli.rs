//! The command line from outside: every call that is documented, and bad input for each.

use crate::program::{heescope, succeeds};
use heescope::model::FamilyConfig;
use std::path::Path;

/// Exit status 1, one line that contains `part`, and no file `out`.
fn fails(folder: &Path, arguments: &[&str], part: &str) {
    let output = heescope(folder, arguments);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {text}");
    assert_eq!(text.trim().lines().count(), 1, "{arguments:?}: {text}");
    assert!(text.contains(part), "{arguments:?}: '{part}' is not in: {text}");
    assert!(!folder.join("out").exists() && !folder.join("out.npz").exists(), "{arguments:?} left a file");
}

const TINY: [&str; 8] = ["--preset", "dead-leaves", "--set", "patches=500", "--set", "batch=50", "--images", "500"];

#[test]
fn trains_samples_and_writes_filters() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    assert!(succeeds(folder, &["presets"]).lines().count() >= 4);
    succeeds(folder, &[&["train"], &TINY[..], &["--out", "m.npz", "--filters", "f.png"]].concat());
    assert!(image::open(folder.join("f.png")).unwrap().width() > 500);
    for (format, file) in [("png", "a.png"), ("svg", "a.svg"), ("npy", "a.npy")] {
        succeeds(folder, &["filters", "--model", "m.npz", "--format", format, "--out", file]);
    }
    succeeds(folder, &["filters", "--model", "m.npz", "--out", "a.csv"]);
    let rows = std::fs::read_to_string(folder.join("a.csv")).unwrap();
    assert!(rows.starts_with("unit,x,y,orientation_deg,frequency,phase_deg,") && rows.lines().count() == 145, "a row a filter");
    succeeds(folder, &["filters", "--model", "m.npz", "--ellipses", "--out", "b.svg"]);
    let stack: ndarray::Array3<f32> = heescope::export::npz::read_npy(&folder.join("a.npy")).unwrap();
    assert_eq!(stack.dim(), (144, 12, 12));
    succeeds(folder, &["train", "--init", "m.npz", "--images", "100", "--out", "n.npz"]);
    let seen = |file: &str| heescope::experiment::modelfile::load(&folder.join(file)).unwrap().0.learning;
    assert!(seen("n.npz").images_seen >= seen("m.npz").images_seen + 100, "training went on where it was");
    assert_eq!(
        seen("m.npz").rate_schedule,
        heescope::experiment::LearningRateSchedule::InverseImages,
        "opened again it learns without an end"
    );
    succeeds(folder, &["sample", "--model", "m.npz", "--chains", "3", "--steps", "20", "--burn", "5", "--thin", "2", "--out", "s.npz"]);
    let mut file = heescope::export::npz::open(&folder.join("s.npz")).unwrap();
    assert_eq!(file.array("x1").unwrap().shape(), [3, 10, 144]);
    assert_eq!(file.array("v1").unwrap().shape(), [3, 10, 144]);
    assert_eq!(file.array("time_ms").unwrap().shape(), [10]);
    assert_eq!(file.array("x0").unwrap().shape(), [144]);
    assert_eq!(file.array("W0").unwrap().shape(), [144, 144]);
    assert!(file.text("config").unwrap().contains("[dynamics]"));
    let report: serde_json::Value = serde_json::from_str(&succeeds(folder, &["bench", "--preset", "ridge", "--json"])).unwrap();
    assert!(report["step_ms"].as_f64().unwrap() > 0.0);
}

#[test]
fn gratings_are_shown_to_a_model_and_every_unit_has_a_row() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    succeeds(folder, &["train", "--preset", "bars", "--images", "2000", "--out", "m.npz"]);
    let told = succeeds(folder, &["tuning", "--model", "m.npz", "--out", "t.csv"]);
    assert!(told.contains("medians: circular variance") && told.contains("macaque 0.61"), "{told}");
    let (_, model) = heescope::experiment::modelfile::load(&folder.join("m.npz")).unwrap();
    let text = std::fs::read_to_string(folder.join("t.csv")).unwrap();
    assert!(text.starts_with("unit,preferred_deg,frequency,circular_variance,half_width_deg"), "{text}");
    assert_eq!(text.lines().count(), 1 + model.layers[1].size);
    fails(folder, &["tuning", "--model", "m.npz", "--layer", "2", "--out", "out"], "--layer 2 is out of range: 1 to 1");
}

#[test]
fn a_second_layer_is_written_by_the_filters_it_drives_on_either_source() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for source in ["dead-leaves", "photographs"] {
        let set = format!("source={source}");
        succeeds(folder, &["train", "--preset", "v1-v2", "--set", &set, "--set", "patches=2000", "--images", "4000", "--out", "m.npz"]);
        let (config, model) = heescope::experiment::modelfile::load(&folder.join("m.npz")).unwrap();
        assert!(config.to_toml().contains(&format!("source = \"{source}\"")));
        assert!(model.weights[1].iter().any(|&w| w != 0.0), "the second layer has opened");
    }
    succeeds(folder, &["filters", "--model", "m.npz", "--layer", "2", "--out", "g.csv"]);
    let rows = std::fs::read_to_string(folder.join("g.csv")).unwrap();
    assert!(rows.starts_with("unit,orientation_deg,concentration,orientation_z,x,y,spread,place_z") && rows.lines().count() == 41);
    succeeds(folder, &["filters", "--model", "m.npz", "--layer", "2", "--out", "g.svg"]);
    assert_eq!(std::fs::read_to_string(folder.join("g.svg")).unwrap().matches("<svg x=").count(), 40, "one square a unit");
    fails(folder, &["filters", "--model", "m.npz", "--layer", "2", "--format", "png", "--out", "out"], "csv (its groups) or svg");
}

#[test]
fn own_images_are_learned_contrast_normalised_and_bad_ones_named() {
    let folder = tempfile::tempdir().unwrap();
    let images = folder.path().join("images");
    std::fs::create_dir(&images).unwrap();
    // A faint half and a strong half: only contrast normalisation makes their patches alike.
    let grey = |x: u32, y: u32| 128.0 + ((x * 7919 + y * 104_729) % 97) as f32 * if x < 64 { 0.05 } else { 0.9 };
    image::GrayImage::from_fn(128, 96, |x, y| image::Luma([grey(x, y) as u8])).save(images.join("a.png")).unwrap();
    std::fs::write(images.join("b.jpg"), "no image").unwrap();
    let output = heescope(folder.path(), &[&["train"], &TINY[..], &["--data", "images", "--out", "m.npz"]].concat());
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && text.contains("b.jpg"), "{text}");
    let (config, model) = heescope::experiment::modelfile::load(&folder.path().join("m.npz")).unwrap();
    let spread = |contrast_normalisation: bool| {
        let mut config = config.clone();
        config.data.paths = vec![images.clone()];
        config.data.contrast_normalisation = contrast_normalisation;
        let mut session = heescope::experiment::Session::with_model(config, model.clone()).unwrap();
        let mut norms: Vec<f32> = Vec::new();
        for _ in 0..200 {
            norms.push(session.stimulus().iter().map(|v| v * v).sum::<f32>().sqrt());
            session.show_next();
        }
        norms.sort_by(f32::total_cmp);
        norms[180] / norms[20]
    };
    assert!(config.data.contrast_normalisation, "as the documentation says");
    assert!(spread(true) < 0.6 * spread(false), "{} against {}", spread(true), spread(false));
    fails(folder.path(), &["train", "--preset", "dead-leaves", "--data", "nowhere", "--out", "out.npz"], "nowhere");
}

#[test]
fn every_preset_is_sampled_and_diagnosed() {
    let folder = tempfile::tempdir().unwrap();
    for preset in heescope::experiment::presets::all().iter().filter(|p| p.name != "mnist") {
        // (that one needs files)
        let small: &[&str] = if preset.config().learning.enabled { &["--set", "patches=500"] } else { &[] };
        let call = ["sample", "--preset", preset.name, "--chains", "4", "--steps", "400", "--burn", "100", "--out", "s.npz"];
        succeeds(folder.path(), &[&call[..], small].concat());
        let rows: serde_json::Value = serde_json::from_str(&succeeds(folder.path(), &["diagnose", "s.npz", "--json"])).unwrap();
        let units: usize = preset.config().model.layers[1..].iter().map(|l| l.size).sum();
        assert_eq!(rows.as_array().unwrap().len(), units, "{}", preset.name);
        for row in rows.as_array().unwrap() {
            let number = |key: &str| row[key].as_f64().unwrap_or(f64::NAN);
            // A state of a categorical layer that no chain visited does not vary.
            let still = number("sd") == 0.0 && preset.config().model.layers[number("layer") as usize].family == FamilyConfig::Categorical;
            let measured = number("mcse") > 0.0 && number("r_hat") > 0.9;
            let note = row["note"].as_str().unwrap_or_default();
            let said = row["r_hat"].is_null() && note.contains("not available");
            // A layer that opens in a later stage of learning rests where each chain began.
            let rests = preset.config().stages.first().is_some_and(|stage| number("layer") as usize > stage.active_layers);
            let apart = row["r_hat"] == "Infinity" && note.starts_with("not converged");
            assert!(number("ess_mean") > 1.0 && (measured || still && said || rests && apart), "{}: {row}", preset.name);
        }
        let table = succeeds(folder.path(), &["diagnose", "s.npz"]);
        assert!(table.lines().count() == units + 1 && table.contains("r_hat"), "{table}");
    }
    fails(folder.path(), &["diagnose", "nowhere.npz"], "nowhere.npz");
    std::fs::write(folder.path().join("bad.npz"), "no archive").unwrap();
    fails(folder.path(), &["diagnose", "bad.npz"], "bad.npz");
}

#[test]
fn one_seed_gives_the_same_bytes_for_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    for threads in ["1", "2", "3"] {
        let set = ["--set", "tau_v_ms=20", "--threads", threads, "--out"];
        succeeds(folder.path(), &[&["train"], &TINY[..], &set, &["m.npz", "--seed", "5"]].concat());
        // The number of threads is part of the stored configuration; the arrays are what must not depend on it.
        let (_, model) = heescope::experiment::modelfile::load(&folder.path().join("m.npz")).unwrap();
        let bytes: Vec<u32> = model.weights[0].iter().map(|w| w.to_bits()).collect();
        let reference = folder.path().join("reference");
        let text = format!("{bytes:?}");
        if threads == "1" {
            std::fs::write(&reference, &text).unwrap();
        }
        assert!(std::fs::read_to_string(&reference).unwrap() == text, "{threads} threads differ from 1");
    }
}

#[test]
fn what_theory_predicts_is_measured_without_a_window() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let race = ["measure", "race", "--preset", "ridge", "--repeats", "2", "--distance", "0.2", "--sampler", "m=0", "--sampler", "m=3,K=2"];
    let text = succeeds(folder, &[&race[..], &["--out", "race.csv"]].concat());
    assert_eq!(text.matches("2/2").count(), 2, "both samplers arrive in both races: {text}");
    let table = std::fs::read_to_string(folder.join("race.csv")).unwrap();
    assert!(table.starts_with("sampler_0_arrival_ms,sampler_1_arrival_ms\n") && table.lines().count() == 3, "{table}");
    succeeds(folder, &["measure", "partition", "--preset", "competition", "--layer", "1", "--out", "partition.csv"]);
    let table = std::fs::read_to_string(folder.join("partition.csv")).unwrap();
    let rows: Vec<Vec<f64>> = table.lines().skip(1).map(|line| line.split(',').map(|v| v.parse().unwrap()).collect()).collect();
    assert!(table.starts_with("series,x,measured,standard_error,exact\n") && rows.len() == 82, "{table}");
    let worst = |gain: f64| rows.iter().map(|r| (r[2] - gain * r[4]).abs() / (r[3] + 0.002 * r[4].abs() + 1e-9)).fold(0.0, f64::max);
    assert!(worst(1.0) < 5.0 && worst(1.1) > 5.0, "points lie on the exact curve, not on one 1.1 times as high: {}", worst(1.0));
    let text = succeeds(folder, &["measure", "partition", "--preset", "competition", "--json"]);
    let object: serde_json::Value = serde_json::from_str(&text).unwrap();
    let points: Vec<&serde_json::Value> =
        object["series"].as_array().unwrap().iter().flat_map(|series| series["points"].as_array().unwrap()).collect();
    assert_eq!((points.len(), object["expectation"].as_str(), object["preset"].as_str()), (82, Some("exact"), Some("competition")));
    for (row, point) in rows.iter().zip(&points) {
        for (key, column) in [("x", 1), ("measured", 2), ("standard_error", 3), ("expected", 4)] {
            let apart = (point[key].as_f64().unwrap() - row[column]).abs(); // JSON is read to the last but one bit
            assert!(apart <= 1e-15 * row[column].abs(), "{key}: JSON and CSV are the same numbers, {apart} apart");
        }
    }
    let help = succeeds(folder, &["measure", "--help"]);
    for study in heescope::studies::all() {
        assert!(help.contains(study.name()) && help.contains(study.summary()), "{} is not in the help: {help}", study.name());
        assert!(study.options().iter().all(|option| help.contains(&format!("--{}", option.key))), "{help}");
    }
    fails(folder, &["measure", "nothing", "--preset", "ridge"], "partition-error");
    fails(folder, &["measure", "race", "--preset", "ridge", "--chains", "0"], "--chains 0");
    fails(folder, &["measure", "fits", "--preset", "ridge"], "no picture of at least 6 x 6 pixels");
    fails(folder, &["measure", "race", "--preset", "competition"], "two neurons");
    fails(folder, &["measure", "race", "--preset", "ridge", "--sampler", "q=1"], "no key 'q'");
    fails(folder, &["measure", "separation", "--preset", "ridge", "--unit", "9"], "--unit 9");
}

#[test]
fn every_study_that_applies_is_measured_and_the_others_say_why() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let quick =
        ["--repeats", "1", "--distance", "0.4", "--sampler", "m=0", "--updates", "20", "--set", "governor=manual", "--set", "dt_ms=2"];
    let text = succeeds(folder, &[&["measure", "all", "--preset", "ridge", "--json", "--out", "found"], &quick[..]].concat());
    let objects: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names: Vec<&str> = objects.iter().map(|object| object["name"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        ["adaptation", "adaptation-time", "separation", "partition", "partition-error", "race", "learning-rules", "temperature"]
    );
    for name in names {
        let table = std::fs::read_to_string(folder.join("found").join(format!("{name}.csv"))).unwrap();
        assert!(table.lines().count() > 1, "{name}: {table}");
    }
    assert!(objects.iter().all(|object| object["finished"] == true && object["seed"].is_u64() && object["version"].is_string()));
}

#[test]
fn bad_input_is_one_clear_line() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    succeeds(folder, &[&["train"], &TINY[..], &["--out", "good.npz"]].concat());
    let bytes = std::fs::read(folder.join("good.npz")).unwrap();
    std::fs::write(folder.join("cut.npz"), &bytes[..bytes.len() / 2]).unwrap();
    std::fs::write(folder.join("text.png"), "no image").unwrap();
    std::fs::write(folder.join("bad.toml"), "[dynamics]\ntau_x = 3\n").unwrap();
    fails(folder, &["train", "--preset", "nothing", "--out", "out.npz"], "dead-leaves");
    fails(folder, &["train", "--set", "nonsense=1", "--out", "out.npz"], "tau_eps_ms");
    fails(folder, &["train", "--set", "tau_x_ms=-1", "--out", "out.npz"], "tau_x_ms = -1");
    fails(folder, &["train", "--images", "many", "--out", "out.npz"], "many");
    fails(folder, &["train", "--seconds", "-1", "--out", "out.npz"], "-1");
    fails(folder, &["train", "--preset", "ridge", "--out", "out.npz"], "nothing to learn");
    fails(folder, &["train", "--config", "bad.toml", "--out", "out.npz"], "bad.toml");
    fails(folder, &["train", "--data", "missing", "--out", "out.npz"], "missing");
    fails(folder, &["train", "--data", "text.png", "--out", "out.npz"], "text.png");
    fails(folder, &["train", "--init", "cut.npz", "--out", "out.npz"], "cut.npz");
    fails(folder, &[&["train"], &TINY[..], &["--out", "none/out.npz"]].concat(), "none/out.npz");
    fails(folder, &["sample", "--model", "missing.npz", "--out", "out.npz"], "missing.npz");
    fails(folder, &["sample", "--preset", "ridge", "--chains", "0", "--out", "out.npz"], "--chains 0");
    fails(folder, &["sample", "--preset", "ridge", "--stimulus", "good.npz", "--out", "out.npz"], "good.npz");
    fails(folder, &["sample", "--preset", "ridge", "--thin", "0", "--out", "out.npz"], "--thin 0");
    fails(folder, &["filters", "--model", "cut.npz", "--out", "out"], "cut.npz");
    fails(folder, &["filters", "--model", "good.npz", "--layer", "2", "--out", "out"], "--layer 2");
    fails(folder, &["filters", "--model", "good.npz", "--format", "bmp", "--out", "out"], "bmp");
    fails(folder, &["bench", "--preset", "x"], "ridge");
    fails(folder, &["--view", "nothing"], "receptive-fields");
    fails(folder, &["--theme", "pink"], "pink");
    fails(folder, &["--size", "12"], "WIDTHxHEIGHT");
}
