//! `heescope generate` and learning from sets of whole images, from outside: every way, every option, bad input for each.

use crate::program::{heescope, succeeds};
use heescope::experiment::modelfile;
use heescope::export::npz;
use ndarray::{Array3, ArrayD};
use ndarray_npy::NpzWriter;
use std::path::Path;

/// Exit status 1, one line that contains every part, and no file out.npz.
fn fails(folder: &Path, arguments: &[&str], parts: &[&str]) {
    let output = heescope(folder, arguments);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {text}");
    assert_eq!(text.trim().lines().count(), 1, "{arguments:?}: {text}");
    assert!(parts.iter().all(|part| text.contains(part)), "{arguments:?}: {parts:?} not in: {text}");
    assert!(!folder.join("out.npz").exists(), "{arguments:?} left a file");
}

fn images(folder: &Path, file: &str) -> [ArrayD<f32>; 2] {
    let mut file = npz::open(&folder.join(file)).unwrap();
    assert!(file.text("config").unwrap().contains("[dynamics]"));
    ["samples", "means"].map(|name| file.array(name).unwrap())
}

#[test]
fn every_way_generates_images_that_its_seed_decides() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    succeeds(folder, &["train", "--preset", "digits", "--images", "3000", "--out", "m.npz"]);
    let generate = |more: &[&str]| succeeds(folder, &[&["generate", "--model", "m.npz", "--count", "30"], more].concat());
    for mode in ["joint", "marginal", "ancestral"] {
        let report = generate(&["--mode", mode, "--seed", "3", "--steps", "20", "--out", "a.npz", "--png", "a.png"]);
        assert!(report.contains("30 images of 8 x 8 pixels") && report.contains(mode), "{report}");
        let [samples, means] = images(folder, "a.npz");
        assert_eq!((samples.shape(), means.shape()), (&[30, 8, 8][..], &[30, 8, 8][..]));
        assert!(
            samples.iter().all(|&x| (0.0..=1.0).contains(&x) && (16.0 * x).fract() == 0.0) && means.iter().all(|x| (0.0..=1.0).contains(x)),
            "{mode}"
        );
        assert!(means.iter().any(|&x| x > 0.02 && x < 0.98) && samples != means, "{mode}");
        let picture = image::open(folder.join("a.png")).unwrap();
        assert!(picture.width() >= 6 * 16 && picture.height() >= 5 * 16, "{mode}: all 30 are in it");
        generate(&["--mode", mode, "--seed", "3", "--threads", "1", "--steps", "20", "--out", "b.npz"]);
        assert_eq!(images(folder, "b.npz")[0], samples, "{mode}: the same seed");
        generate(&["--mode", mode, "--seed", "4", "--steps", "20", "--out", "b.npz"]);
        assert_ne!(images(folder, "b.npz")[0], samples, "{mode}: another seed");
    }
    // Where chains start is seen before they have forgotten it.
    let first_step = |from: &str| {
        generate(&["--mode", "joint", "--steps", "1", "--from", from, "--out", "c.npz"]);
        images(folder, "c.npz")[1].clone()
    };
    let [noise, prior, data] = ["noise", "prior", "data"].map(first_step);
    assert!(noise != prior && prior != data && noise != data);
    generate(&["--mode", "ancestral", "--category", "7", "--temperature", "0.5", "--out", "d.npz"]);
    generate(&["--mode", "marginal", "--inner", "2", "--steps", "9", "--from", "prior", "--out", "d.npz"]);
}

#[test]
fn interneurons_that_are_slow_beside_the_neurons_are_told_of_and_fast_ones_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for (tau_eps, is_slow) in [("0.02", false), ("20", true)] {
        let set = format!("tau_eps_ms={tau_eps}");
        succeeds(folder, &["train", "--preset", "digits", "--images", "2000", "--set", &set, "--set", "lr=0", "--out", "m.npz"]);
        for command in [
            &["generate", "--mode", "joint", "--steps", "2", "--count", "2", "--out", "a.npz"][..],
            &["complete", "--data", "digits", "--mask", "left-half", "--steps", "20", "--count", "2", "--out", "c.npz"],
        ] {
            let output = heescope(folder, &[command, &["--model", "m.npz"]].concat());
            let text = String::from_utf8(output.stderr).unwrap();
            assert!(output.status.success(), "{text}");
            assert_eq!(text.contains(&format!("interneurons are too slow for this adaptation: tau_eps = {tau_eps} ms")), is_slow, "{text}");
        }
    }
}

#[test]
fn a_model_file_has_the_steps_that_it_learned_with_wherever_its_chains_start() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    // By the largest curvature of the pixels steps would be so short that these interneurons are slow beside them.
    succeeds(folder, &["train", "--preset", "digits", "--images", "60000", "--set", "tau_eps_ms=0.6", "--out", "m.npz"]);
    for from in ["noise", "prior", "data"] {
        let arguments =
            ["generate", "--model", "m.npz", "--mode", "joint", "--steps", "1", "--count", "2", "--from", from, "--out", "a.npz"];
        let output = heescope(folder, &arguments);
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success() && !text.contains("too slow"), "{from}: {text}");
    }
}

#[test]
fn bad_input_is_named_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    succeeds(folder, &["train", "--preset", "digits", "--images", "500", "--out", "m.npz"]);
    let bytes = std::fs::read(folder.join("m.npz")).unwrap();
    std::fs::write(folder.join("cut.npz"), &bytes[..bytes.len() / 2]).unwrap();
    let refused = |arguments: &[&str], parts: &[&str]| {
        fails(folder, &[&["generate", "--model", "m.npz", "--out", "out.npz"], arguments].concat(), parts);
    };
    refused(&["--mode", "both"], &["--mode both", "joint, marginal, ancestral"]);
    refused(&["--mode", "joint", "--from", "rest"], &["--from rest", "noise, prior, data"]);
    refused(&["--mode", "joint", "--schedule", "slow"], &["--schedule slow", "woken, plain"]);
    refused(&["--mode", "joint", "--from", "prior", "--schedule", "woken"], &["--schedule woken", "--from prior"]);
    refused(&["--mode", "ancestral", "--schedule", "plain"], &["--schedule plain", "joint and marginal"]);
    refused(&["--mode", "joint", "--steps", "0"], &["--steps 0", "1 to"]);
    refused(&["--mode", "joint", "--count", "0"], &["count = 0", "1 to"]);
    refused(&["--mode", "joint", "--count", "99999999"], &["count = 99999999"]);
    refused(&["--mode", "joint", "--count", "few"], &["few"]);
    refused(&["--mode", "joint", "--temperature", "0"], &["temperature = 0"]);
    refused(&["--mode", "joint", "--temperature", "nan"], &["temperature = NaN"]);
    refused(&["--mode", "marginal", "--inner", "0"], &["inner = 0"]);
    refused(&["--mode", "ancestral", "--category", "100"], &["category = 100", "0 to 99"]);
    refused(&["--mode", "ancestral", "--set", "nonsense=1"], &["nonsense", "tau_x_ms"]);
    let other = |arguments: &[&str], parts: &[&str]| fails(folder, &[&["generate", "--mode", "joint"], arguments].concat(), parts);
    other(&["--model", "nowhere.npz", "--out", "out.npz"], &["nowhere.npz"]);
    other(&["--model", "cut.npz", "--out", "out.npz"], &["cut.npz"]);
    other(&["--preset", "ridge", "--out", "out.npz"], &["ridge", "21 pixels"]);
    other(&["--preset", "nothing", "--out", "out.npz"], &["nothing", "digits"]);
    other(&["--model", "m.npz", "--steps", "2", "--out", "none/out.npz"], &["none/out.npz"]);
    fails(folder, &["train", "--preset", "mnist", "--out", "out.npz"], &["data/mnist", "train-images-idx3-ubyte", "--data"]);
}

#[test]
fn own_sets_of_any_size_are_learned_from_and_generated_like() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    // Bars on 12 x 12 pixels as NPZ, CIFAR's 32 x 32, and IDX of 9 x 9: none is the size of a preset.
    let bars = Array3::from_shape_fn((80, 12, 12), |(i, y, x)| f32::from(u8::from(if i % 2 == 0 { x == i % 12 } else { y == i % 12 })));
    let mut file = NpzWriter::new(std::fs::File::create(folder.join("bars.npz")).unwrap());
    file.add_array("images", &bars).unwrap();
    file.finish().unwrap();
    let batch: Vec<u8> =
        (0..40usize).flat_map(|i| std::iter::once((i % 10) as u8).chain((0..3072).map(move |p| (p * (i + 3)) as u8))).collect();
    std::fs::write(folder.join("data_batch_1.bin"), batch).unwrap();
    let header: Vec<u8> = [0x803u32, 50, 9, 9].iter().flat_map(|n| n.to_be_bytes()).collect();
    std::fs::write(folder.join("nines.idx"), [header, (0..50 * 81usize).map(|p| (p * 7 % 256) as u8).collect()].concat()).unwrap();
    for (data, side) in [("bars.npz", 12), ("data_batch_1.bin", 32), ("nines.idx", 9)] {
        succeeds(folder, &["train", "--preset", "digits", "--data", data, "--images", "300", "--out", "m.npz"]);
        succeeds(folder, &["generate", "--model", "m.npz", "--mode", "joint", "--count", "4", "--steps", "3", "--out", "a.npz"]);
        assert_eq!(images(folder, "a.npz")[0].shape(), [4, side, side], "{data}");
    }
    // A model that has learned keeps its size; patches are not cut from sets.
    let go_on = ["train", "--init", "m.npz", "--data", "bars.npz", "--images", "300", "--out", "out.npz"];
    fails(folder, &go_on, &["12 x 12", "144", "81"]);
    let patches = ["train", "--preset", "dead-leaves", "--data", "bars.npz", "--out", "out.npz"];
    fails(folder, &patches, &["bars.npz", "digits, fashion and mnist"]);
}

/// Images of `rows` x `columns`, bars across or along, as the array `images` of a file.
fn bars(path: &Path, count: usize, [rows, columns]: [usize; 2]) {
    let bar = |(i, y, x): (usize, usize, usize)| f32::from(u8::from(if i % 2 == 0 { x == i % columns } else { y == i % rows }));
    let mut file = NpzWriter::new(std::fs::File::create(path).unwrap());
    file.add_array("images", &Array3::from_shape_fn((count, rows, columns), bar)).unwrap();
    file.finish().unwrap();
}

#[test]
fn images_that_are_not_square_keep_their_rows_and_columns() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    // 16 x 25 pixels could be taken for 20 x 20, 20 x 30 for one row.
    for [rows, columns] in [[20, 30], [16, 25]] {
        bars(&folder.join("data.npz"), 240, [rows, columns]);
        bars(&folder.join("turned.npz"), 240, [columns, rows]);
        let train = ["train", "--preset", "digits", "--data", "data.npz", "--images", "300", "--out", "m.npz", "--filters", "f.png"];
        succeeds(folder, &train);
        let model = npz::open(&folder.join("m.npz")).unwrap().text("config").unwrap();
        let line = format!("image_shape = [{rows}, {columns}]\n");
        assert!(model.contains(&line), "{model}");
        let (config, hierarchy) = modelfile::load(&folder.join("m.npz")).unwrap();
        assert_eq!((config.model.image_shape, hierarchy.image_shape()), (Some([rows, columns]), [rows, columns]));
        let units = hierarchy.layers[1].size;
        let tiles = (units as f64).sqrt().ceil() as u32;
        let mosaic = image::open(folder.join("f.png")).unwrap();
        assert_eq!(mosaic.width(), 4 * (tiles * (columns as u32 + 1) + 1), "a filter is as wide as an image");
        succeeds(folder, &["generate", "--model", "m.npz", "--mode", "joint", "--count", "40", "--steps", "3", "--out", "a.npz"]);
        assert_eq!(images(folder, "a.npz")[0].shape(), [40, rows, columns]);
        succeeds(folder, &["evaluate", "--samples", "a.npz", "--data", "data.npz"]);
        succeeds(folder, &["filters", "--model", "m.npz", "--out", "f.npy"]);
        assert_eq!(npz::read_npy::<ndarray::IxDyn>(&folder.join("f.npy")).unwrap().shape(), [units, rows, columns]);
        succeeds(folder, &["measure", "fits", "--model", "m.npz", "--out", "fits.csv"]);
        succeeds(folder, &["train", "--init", "m.npz", "--data", "data.npz", "--images", "200", "--out", "more.npz"]);
        let turned = ["train", "--init", "m.npz", "--data", "turned.npz", "--images", "200", "--out", "out.npz"];
        fails(folder, &turned, &["turned.npz", &format!("images of {columns} x {rows}"), &format!("{rows} x {columns}")]);
        // A file of an earlier version does not say which rows and columns: those of the data are taken.
        let mut archive = npz::Archive::default();
        hierarchy.weights.iter().enumerate().for_each(|(l, w)| archive.add(&format!("W{l}"), w).unwrap());
        hierarchy.biases.iter().enumerate().for_each(|(l, b)| archive.add(&format!("b{l}"), b).unwrap());
        let mut file = npz::open(&folder.join("m.npz")).unwrap();
        for name in (0..hierarchy.layers.len()).map(|l| format!("sigma{l}")).filter(|name| file.has(name)).collect::<Vec<_>>() {
            archive.add(&name, &file.array(&name).unwrap()).unwrap();
        }
        archive.add_text("config", &model.replace(&line, "")).unwrap();
        archive.save(&folder.join("old.npz")).unwrap();
        succeeds(folder, &["train", "--init", "old.npz", "--data", "data.npz", "--images", "200", "--out", "new.npz"]);
        assert_eq!(modelfile::load(&folder.join("new.npz")).unwrap().1.image_shape(), [rows, columns]);
    }
}
