//! Completed images against the conditional Gaussian (model.md 4, 8), and `heescope complete`. The statistical test states its tolerance
//! in standard errors and has planted bugs that it must see.

use crate::program::heescope;
use heescope::experiment::{FrozenModel, InterneuronMode, presets};
use heescope::export::npz;
use heescope::model::{Activation, FamilyConfig, Hierarchy, Layer};
use heescope::studies::completion::{CompletionOptions, CompletionStart, Mask, class_agreement, complete};
use heescope::studies::generation::schedule::Schedule;
use nalgebra::{DMatrix, DVector};
use ndarray::{Array2, array};
use std::path::Path;

/// x_1 (2 units) -> x_0 (2 x 2 pixels), linear and gaussian.
fn linear() -> Hierarchy {
    let gaussian = |sigma: f64, size| Layer::new(FamilyConfig::Gaussian { sigma }, Activation::Linear, size).unwrap();
    let weights = vec![array![[1.0f32, 0.2], [0.4, -0.7], [-0.3, 0.9], [0.8, 0.5]]];
    Hierarchy::new(vec![gaussian(0.5, 4), gaussian(1.0, 2)], weights).unwrap()
}

/// E[hidden pixels | the others] under N(0, W W^T + sigma^2).
fn conditional_mean(model: &Hierarchy, image: &[f32], hidden: &[bool]) -> Vec<f64> {
    let w = DMatrix::from_fn(4, 2, |i, j| f64::from(model.weights[0][[i, j]]));
    let covariance = &w * w.transpose() + DMatrix::identity(4, 4) * 0.25;
    let [inside, outside] = [true, false].map(|wanted| (0..4).filter(|&i| hidden[i] == wanted).collect::<Vec<_>>());
    let part = |rows: &[usize], columns: &[usize]| DMatrix::from_fn(rows.len(), columns.len(), |i, j| covariance[(rows[i], columns[j])]);
    let seen = DVector::from_iterator(outside.len(), outside.iter().map(|&i| f64::from(image[i])));
    (part(&inside, &outside) * part(&outside, &outside).lu().solve(&seen).unwrap()).iter().copied().collect()
}

#[test]
fn means_are_those_of_the_conditional_gaussian() {
    const CHAINS: usize = 400;
    let (model, image) = (linear(), [1.5f32, -1.0, 0.7, 2.0]);
    let mut config = presets::by_name("chain").unwrap();
    (config.dynamics.dt_ms, config.dynamics.adaptation) = (2.0, 0.0);
    let frozen = FrozenModel::from_model(&config, model.clone());
    let images = Array2::from_shape_fn((CHAINS, 4), |(_, i)| image[i]);
    for (mask, schedule) in [(Mask::BottomHalf, Schedule::Plain), (Mask::LeftHalf, Schedule::Woken)] {
        let hidden = mask.hidden([2, 2], 0);
        let mut last = 0;
        let how = CompletionOptions { start: CompletionStart::Prior, schedule, steps: 2000, seed: 5 };
        let found = complete(&frozen, images.view(), &hidden, how, &mut |step| last = step).unwrap();
        assert_eq!(last, 2000);
        // Largest distance from an expectation in standard errors over the chains.
        let worst = |expected: &[f64]| {
            let pixels = (0..4).filter(|&i| hidden[i]).zip(expected);
            pixels.fold(0.0, |worst: f64, (i, expected)| {
                let values: Vec<f64> = found.means.column(i).iter().map(|&v| f64::from(v)).collect();
                let mean = values.iter().sum::<f64>() / CHAINS as f64;
                let spread = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (CHAINS - 1) as f64).sqrt();
                worst.max((mean - expected).abs() / (spread / (CHAINS as f64).sqrt()))
            })
        };
        let exact = conditional_mean(&model, &image, &hidden);
        assert!(worst(&exact) < 4.0, "{mask:?}: {} standard errors", worst(&exact));
        // Planted: nothing is heard of the pixels that are seen; and the other pixels are the seen ones.
        assert!(worst(&[0.0, 0.0]) > 8.0, "{mask:?}");
        let other: Vec<bool> = hidden.iter().map(|hidden| !hidden).collect();
        assert!(worst(&conditional_mean(&model, &image, &other)) > 8.0, "{mask:?}");
        // What is seen stays.
        for i in (0..4).filter(|&i| !hidden[i]) {
            assert!(found.means.column(i).iter().chain(found.samples.column(i)).all(|&v| v == image[i]));
        }
    }
}

#[test]
fn without_noise_all_completions_of_an_image_come_to_rest_at_the_most_probable_one() {
    let (model, image) = (linear(), [1.5f32, -1.0, 0.7, 2.0]);
    let mut config = presets::by_name("chain").unwrap();
    config.dynamics.interneuron_mode = InterneuronMode::Exact;
    let images = Array2::from_shape_fn((10, 4), |(_, i)| image[i]);
    let hidden = Mask::BottomHalf.hidden([2, 2], 0);
    let exact = conditional_mean(&model, &image, &hidden);
    // The largest distance from it.
    let mut worst = |temperature: f64| {
        config.dynamics.temperature = temperature;
        let frozen = FrozenModel::from_model(&config, model.clone());
        let how = CompletionOptions { start: CompletionStart::Rest, schedule: Schedule::Plain, steps: 20_000, seed: 5 };
        let found = complete(&frozen, images.view(), &hidden, how, &mut |_| {}).unwrap().samples;
        let pixels = || (0..4).filter(|&i| hidden[i]).zip(&exact);
        found.rows().into_iter().flat_map(|row| pixels().map(move |(i, exact)| (f64::from(row[i]) - exact).abs())).fold(0.0, f64::max)
    };
    assert!(worst(0.0) < 1e-3, "{}", worst(0.0));
    assert!(worst(0.05) > 0.02, "planted: noise that is small is not none: {}", worst(0.05));
}

#[test]
fn masks_hide_what_their_names_say() {
    let hidden = |mask: &str, shape| mask.parse::<Mask>().unwrap().hidden(shape, 1);
    assert_eq!(hidden("bottom-half", [3, 2]), [false, false, false, false, true, true]);
    assert_eq!(hidden("top-half", [3, 2]), [true, true, false, false, false, false]);
    assert_eq!(hidden("left-half", [2, 3]), [true, false, false, true, false, false]);
    assert_eq!(hidden("right-half", [2, 3]), [false, false, true, false, false, true]);
    // 10,000 pixels: a share within four standard errors; planted: another share.
    let share = hidden("random:0.3", [100, 100]).iter().filter(|hidden| **hidden).count() as f64 / 1e4;
    let error = (0.3f64 * 0.7 / 1e4).sqrt();
    assert!((share - 0.3).abs() < 4.0 * error && (share - 0.33).abs() > 4.0 * error, "{share}");
    for wrong in ["half", "random:0", "random:1", "random:nan", "random:", ""] {
        assert!(wrong.parse::<Mask>().unwrap_err().contains("random:SHARE"), "{wrong}");
    }
}

#[test]
fn the_command_writes_images_mask_means_samples_and_labels() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| heescope(folder.path(), arguments);
    let learned = run(&["train", "--preset", "digits", "--images", "2000", "--out", "m.npz"]);
    assert!(learned.status.success(), "{learned:?}");
    let whole =
        ["complete", "--model", "m.npz", "--data", "digits", "--mask", "bottom-half", "--count", "30", "--steps", "100", "--json", "--out"];
    let found = run(&[&whole[..], &["c.npz"]].concat());
    assert!(found.status.success(), "{found:?}");
    let report: serde_json::Value = serde_json::from_slice(&found.stdout).unwrap();
    let mut file = npz::open(&folder.path().join("c.npz")).unwrap();
    let [images, means, samples] = ["images", "means", "samples"].map(|name| file.array(name).unwrap());
    let (mask, labels) = (file.array("mask").unwrap(), file.array("labels").unwrap());
    assert_eq!((images.shape(), mask.shape(), labels.shape()), (&[30, 8, 8][..], &[8, 8][..], &[30][..]));
    assert_eq!(mask.iter().filter(|&&hidden| hidden == 1.0).count(), 32);
    let mut squares = [0.0, 0.0];
    for (at, &image) in images.indexed_iter() {
        let place = &[at[1], at[2]][..];
        if mask[place] == 0.0 {
            assert_eq!((means[&at], samples[&at]), (image, image));
        }
        squares[0] += f64::from(means[&at] - image).powi(2);
        squares[1] += f64::from(samples[&at] - image).powi(2);
    }
    for (name, sum) in ["mean", "sample"].into_iter().zip(squares) {
        let told = report["squared_error"][name].as_f64().unwrap();
        assert!((told - sum / (30.0 * 32.0)).abs() < 1e-6, "{name}: {told}");
    }
    // The same errors from the file, and the classes beside the originals'.
    let evaluated = heescope(folder.path(), &["evaluate", "--completions", "c.npz", "--data", "digits", "--json"]);
    assert!(evaluated.status.success(), "{evaluated:?}");
    let evaluated: serde_json::Value = serde_json::from_slice(&evaluated.stdout).unwrap();
    assert!((evaluated["squared_error"]["mean"].as_f64().unwrap() - report["squared_error"]["mean"].as_f64().unwrap()).abs() < 1e-6);
    let (same, divergence) = (evaluated["classes"]["same"].as_f64().unwrap(), evaluated["classes"]["divergence"].as_f64().unwrap());
    assert!((0.1..=1.0).contains(&same) && divergence >= 0.0, "{same}, {divergence}");
    for (arguments, part) in [
        (["--completions", "m.npz", "--data", "digits"], "no array images"),
        (["--completions", "c.npz", "--data", "fashion"], "8 x 8"),
        (["--completions", "none.npz", "--data", "digits"], "none.npz"),
    ] {
        let refused = heescope(folder.path(), &[&["evaluate"], &arguments[..]].concat());
        let text = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(refused.status.code() == Some(1) && text.contains(part) && text.trim().lines().count() == 1, "{arguments:?}: {text}");
    }
    // The threads make no difference, the seed does.
    assert!(run(&[&whole[..], &["one.npz", "--threads", "1"]].concat()).status.success());
    assert!(run(&[&whole[..], &["other.npz", "--seed", "9"]].concat()).status.success());
    let means_of = |name: &str| npz::open(&folder.path().join(name)).unwrap().array("means").unwrap();
    assert_eq!(means_of("one.npz"), means);
    assert_ne!(means_of("other.npz"), means);
    for (change, part) in [
        (["--mask", "half"], "random:SHARE"),
        (["--count", "0"], "--count 0"),
        (["--count", "100000"], "held-out images"),
        (["--steps", "3"], "--steps 3"),
        (["--out", "c.png"], ".npz"),
        (["--model", "none.npz"], "none.npz"),
        (["--out", "m.npz"], "--model"),
    ] {
        let mut arguments: Vec<&str> = [&whole[..], &["x.npz"]].concat();
        let place = arguments.iter().position(|argument| *argument == change[0]).unwrap();
        arguments[place + 1] = change[1];
        let refused = run(&arguments);
        let text = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(refused.status.code() == Some(1) && text.contains(part) && text.trim().lines().count() == 1, "{change:?}: {text}");
    }
    assert!(!Path::new(&folder.path().join("x.npz")).exists());
}

#[test]
fn classes_of_completions_are_held_against_those_of_the_originals() {
    let classes = [0, 1, 2];
    let originals = [0, 1, 2].repeat(100);
    let same = class_agreement(&originals, &originals, &classes);
    assert_eq!((same.same, same.divergence), (1.0, 0.0));
    let all_one = vec![1; 300];
    let found = class_agreement(&originals, &all_one, &classes);
    // 100 of each class, half an image added: p = 1/3; q = 0.5/301.5 but for 300.5/301.5.
    let [rare, often] = [0.5 / 301.5, 300.5 / 301.5].map(|q: f64| (1.0 / 3.0) * (1.0 / 3.0 / q).ln());
    assert!((found.same - 1.0 / 3.0).abs() < 1e-12 && (found.divergence - (2.0 * rare + often)).abs() < 1e-12, "{found:?}");
}
