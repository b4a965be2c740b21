//! Keys and numbers on the command line and in files: one range for one thing, the same words everywhere, the key that was meant.

use crate::program::{heescope, succeeds};
use heescope::experiment::modelfile;
use std::path::Path;

/// The one line of a call that is refused.
fn refused(folder: &Path, arguments: &[&str]) -> String {
    let output = heescope(folder, arguments);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), text.lines().count()), (Some(1), 1), "{arguments:?}: {text}");
    text
}

/// Weights of a model that learned from 200 images of bars, to the bit, and the seed in its file.
fn trained(folder: &Path, arguments: &[&str]) -> (Vec<u32>, u64) {
    succeeds(folder, &[&["train", "--images", "200", "--out", "m.npz"], arguments].concat());
    let (config, model) = modelfile::load(&folder.join("m.npz")).unwrap();
    (model.weights[0].iter().map(|w| w.to_bits()).collect(), config.dynamics.seed)
}

#[test]
fn a_seed_has_one_range_everywhere() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let preset = heescope::presets::by_name("bars").unwrap();
    for seed in ["0", "9223372036854775807", "9223372036854775808", "18446744073709551615"] {
        let by_option = trained(folder, &["--preset", "bars", "--seed", seed]);
        assert_eq!(by_option.1.to_string(), seed);
        assert_eq!(trained(folder, &["--preset", "bars", "--set", &format!("seed={seed}")]), by_option);
        let text = preset.to_toml();
        for toml in [format!("seed = {seed}"), format!("seed = \"{seed}\"")] {
            std::fs::write(folder.join("c.toml"), text.replacen("seed = 0", &toml, 1)).unwrap();
            assert_eq!(trained(folder, &["--config", "c.toml"]), by_option, "{toml}");
        }
        std::fs::copy(folder.join("m.npz"), folder.join("model.npz")).unwrap();
        succeeds(folder, &["sample", "--model", "model.npz", "--chains", "2", "--steps", "4", "--burn", "1", "--out", "s.npz"]);
        assert_eq!(modelfile::load(&folder.join("s.npz")).unwrap().0.dynamics.seed.to_string(), seed);
    }
    assert_ne!(trained(folder, &["--preset", "bars", "--seed", "1"]).0, trained(folder, &["--preset", "bars", "--seed", "2"]).0);
    for (seed, words) in [
        ("18446744073709551616", "seed = 18446744073709551616 is out of range: 0 to 18446744073709551615"),
        ("-1", "seed = -1: a whole number of at least 0 is needed"),
        ("1.5", "seed = 1.5: a whole number of at least 0 is needed"),
    ] {
        let toml = preset.to_toml().replacen("seed = 0", &format!("seed = {seed}"), 1);
        std::fs::write(folder.join("c.toml"), toml).unwrap();
        let option = format!("--seed={seed}");
        let set = format!("seed={seed}");
        for arguments in [&["--preset", "bars", &option][..], &["--preset", "bars", "--set", &set], &["--config", "c.toml"]] {
            let text = refused(folder, &[&["train", "--out", "out.npz"], arguments].concat());
            assert!(text.contains(words), "{arguments:?}: {text}");
        }
    }
}

#[test]
fn messages_name_the_key_the_file_and_what_was_meant() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let train = |arguments: &[&str]| refused(folder, &[&["train", "--out", "out.npz"], arguments].concat());
    assert!(train(&["--set", "tau_x=3"]).contains("unknown key 'tau_x'; did you mean 'tau_x_ms'?"));
    assert!(train(&["--set", "m=3"]).contains("did you mean 'adaptation'?"));
    assert!(train(&["--preset", "fotographs"]).contains("did you mean 'photographs'?"));
    std::fs::write(folder.join("a.toml"), "[dynamics]\n\ntau_x = 3\n").unwrap();
    let text = train(&["--config", "a.toml"]);
    assert!(["a.toml", "line 3", "'tau_x' in [dynamics]", "did you mean 'tau_x_ms'?"].iter().all(|part| text.contains(part)), "{text}");
    std::fs::write(folder.join("a.toml"), "[dynamics]\ndt_ms = -1\n").unwrap();
    let text = train(&["--config", "a.toml"]);
    assert!(["a.toml", "dt_ms = -1 is out of range"].iter().all(|part| text.contains(part)), "{text}");
    std::fs::write(folder.join("a.toml"), "[dynamics\n").unwrap();
    let text = train(&["--config", "a.toml"]);
    assert!(text.contains("a.toml: line 1"), "{text}");
}

#[test]
fn nothing_raw_and_nothing_endless_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let steering = "a\u{1b}]0;title\u{7}\u{1b}[2Jb";
    let long = "x".repeat(100_000);
    std::fs::write(folder.join("a.toml"), format!("[dynamics]\n\"{}\" = 1\n", "y".repeat(3_000_000))).unwrap();
    std::fs::write(folder.join("b.toml"), format!("[dynamics]\ngovernor = \"\\u001b[2J{}\"\n", "y".repeat(3_000_000))).unwrap();
    std::fs::write(folder.join("c.toml"), format!("[model]\nname = {}\n", "[".repeat(3_000_000))).unwrap();
    std::fs::write(folder.join("d.toml"), format!("[[model.layers]]\nsize = 1\nfamily = \"{}\"\n", "z".repeat(3_000_000))).unwrap();
    for arguments in [
        &["--set", &format!("{steering}=1")][..],
        &["--set", &format!("dt_ms={steering}")],
        &["--set", &format!("governor={steering}")],
        &["--set", &format!("{long}=1")],
        &["--set", &format!("dt_ms={long}")],
        &["--set", &format!("values={long}")],
        &["--preset", steering],
        &["--preset", &long],
        &["--seed", steering],
        &["--seed", &long],
        &["--config", steering],
        &[&format!("--{steering}")],
        &["--config", "a.toml"],
        &["--config", "b.toml"],
        &["--config", "c.toml"],
        &["--config", "d.toml"],
    ] {
        let text = refused(folder, &[&["train", "--out", "out.npz"], arguments].concat());
        let shown: Vec<&str> = arguments.iter().map(|a| &a[..a.len().min(40)]).collect();
        assert!(!text.trim_end().contains(|c: char| c.is_control()), "{shown:?}: {text:?}");
        assert!(text.len() < 5000, "{shown:?}: {} bytes", text.len());
    }
}

#[test]
fn values_that_stages_have_of_their_own_act_or_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let digits = ["--preset", "digits", "--set", "batch=20", "--set", "images=40", "--set", "first_images=0"];
    let learned = |set: &str| trained(folder, &[&digits[..], &["--set", set]].concat()).0;
    let [usual, still, faster] = ["lr=0.002", "lr=0", "lr=0.004"].map(learned);
    assert!(usual != still && usual != faster, "the rate acts");
    assert_ne!(usual, learned("unit_norm=true"), "so does unit_norm");
    let biases = |set: &str| {
        learned(set);
        modelfile::load(&folder.join("m.npz")).unwrap().1.biases[1].clone()
    };
    assert!(biases("biases=false").iter().all(|b| *b == 0.0) && biases("biases=true").iter().any(|b| *b != 0.0), "and biases");
    for set in ["decay=constant", "settle_images=10", "floor=0.5"] {
        let text = refused(folder, &[&["train", "--out", "out.npz"], &digits[..], &["--set", set]].concat());
        assert!(text.contains("it would not act") && text.contains("[[stages]]"), "{text}");
    }
}
