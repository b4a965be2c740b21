//! Model files that are not as they should be: each is refused at once, in one line that says what is wrong and where.

use crate::program::{heescope, succeeds};
use heescope::experiment::modelfile;
use ndarray::{Array0, Array1, Array2, ArrayD, IxDyn, OwnedRepr};
use ndarray_npy::{NpzReader, NpzWriter};
use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

/// The arrays of a model file, to be written with some of them changed.
#[derive(Clone)]
struct Contents {
    arrays: Vec<(String, ArrayD<f32>)>,
    /// Bytes of the state.
    bytes: Vec<(String, ArrayD<u8>)>,
    config: String,
}

impl Contents {
    fn read(path: &Path) -> Self {
        let mut file = NpzReader::new(File::open(path).unwrap()).unwrap();
        let names = file.names().unwrap();
        let config: Array1<u8> = file.by_name("config").unwrap();
        let config = String::from_utf8(config.to_vec()).unwrap();
        let mut read = Self { arrays: Vec::new(), bytes: Vec::new(), config };
        for name in names.iter().map(|name| name.trim_end_matches(".npy")).filter(|name| *name != "config") {
            match file.by_name::<OwnedRepr<f32>, IxDyn>(name) {
                Ok(array) => read.arrays.push((name.into(), array)),
                Err(_) => read.bytes.push((name.into(), file.by_name(name).unwrap())),
            }
        }
        read
    }

    fn write(&self, path: &Path) {
        let mut file = NpzWriter::new(File::create(path).unwrap());
        self.arrays.iter().for_each(|(name, array)| file.add_array(name.as_str(), array).unwrap());
        self.bytes.iter().for_each(|(name, array)| file.add_array(name.as_str(), array).unwrap());
        file.add_array("config", &Array1::from(self.config.clone().into_bytes())).unwrap();
        file.finish().unwrap();
    }

    /// As versions wrote it that did not save the state.
    fn without_state(&self) -> Self {
        let arrays = self.arrays.iter().filter(|(name, _)| !name.starts_with("state_")).cloned().collect();
        Self { arrays, bytes: Vec::new(), config: self.config.clone() }
    }

    fn without(&self, name: &str) -> Self {
        assert!(self.arrays.iter().any(|(own, _)| own == name), "{name}");
        Self { arrays: self.arrays.iter().filter(|(own, _)| own != name).cloned().collect(), ..self.clone() }
    }

    fn with(&self, name: &str, array: ArrayD<f32>) -> Self {
        let mut changed = self.clone();
        changed.arrays.retain(|(own, _)| own != name);
        changed.arrays.push((name.into(), array));
        changed
    }

    fn get(&self, name: &str) -> ArrayD<f32> {
        self.arrays.iter().find(|(own, _)| own == name).unwrap().1.clone()
    }

    fn with_config(&self, from: &str, to: &str) -> Self {
        assert!(self.config.contains(from), "{from} is not in {}", self.config);
        Self { config: self.config.replacen(from, to, 1), ..self.clone() }
    }

    /// With one value of an array replaced.
    fn with_value(&self, name: &str, at: usize, value: f32) -> Self {
        let mut array = self.get(name);
        *array.iter_mut().nth(at).unwrap() = value;
        self.with(name, array)
    }
}

/// `heescope` with `arguments` on the file is refused in a line that has these parts.
fn refused(folder: &Path, contents: &Contents, arguments: &[&str], parts: &[&str]) {
    contents.write(&folder.join("bad.npz"));
    let begin = Instant::now();
    let output = heescope(folder, arguments);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), text.lines().count()), (Some(1), 1), "{parts:?}: {text}");
    assert!(text.contains("bad.npz") && parts.iter().all(|part| text.contains(part)), "{parts:?}: {text}");
    assert!(begin.elapsed() < Duration::from_secs(5), "{parts:?}: {:?}", begin.elapsed());
    assert!(!folder.join("out.npz").exists() && !folder.join("out.png").exists());
}

const FILTERS: [&str; 5] = ["filters", "--model", "bad.npz", "--out", "out.png"];
const RESUME: [&str; 7] = ["train", "--init", "bad.npz", "--images", "50", "--out", "out.npz"];

/// Digits that have learned a little, with everything a model file can hold.
fn digits(folder: &Path) -> Contents {
    let sets = ["batch=50", "images=100", "first_images=0", "save_latents=true", "learned_sigma=false"];
    let sets: Vec<&str> = sets.iter().flat_map(|set| ["--set", set]).collect();
    succeeds(folder, &[&["train", "--preset", "digits", "--images", "400", "--out", "good.npz"], &sets[..]].concat());
    Contents::read(&folder.join("good.npz"))
}

#[test]
fn shapes_missing_arrays_and_bad_values_are_named_as_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let good = digits(folder);
    let filters = |contents: &Contents, parts: &[&str]| refused(folder, contents, &FILTERS, parts);
    let top = good.config.matches("[[model.layers]]").count() - 1;
    for l in 0..=top {
        filters(&good.without(&format!("b{l}")), &[&format!("b{l} is missing")]);
    }
    for l in 0..top {
        filters(&good.without(&format!("W{l}")), &[&format!("W{l} is missing")]);
        let whole = good.get(&format!("W{l}"));
        let [rows, columns] = [whole.shape()[0], whole.shape()[1]];
        let short = Array2::<f32>::zeros((rows - 1, columns)).into_dyn();
        let parts = [format!("W{l} has the shape [{}, {columns}]", rows - 1), format!("[{rows}, {columns}]")];
        filters(&good.with(&format!("W{l}"), short), &parts.each_ref().map(String::as_str));
    }
    filters(&good.with("b0", Array1::<f32>::zeros(3).into_dyn()), &["b0 has the shape [3]", "[64]"]);
    filters(&good.with("b0", Array2::<f32>::zeros((64, 1)).into_dyn()), &["b0 has the shape [64, 1]"]);
    let columns = good.get("W0").shape()[1];
    filters(&good.with_value("W0", 5 * columns + 2, f32::NAN), &["W0: the value in row 5, column 2 is NaN", "finite"]);
    filters(&good.with_value("b1", 3, f32::INFINITY), &["b1: value 3 is inf", "finite"]);
    filters(&good.without("sigma2"), &["sigma2 is missing", "learned"]);
    filters(&good.with("sigma2", Array0::from_elem((), -1.0).into_dyn()), &["sigma2 = -1"]);
    filters(&good.with("sigma2", Array1::from_elem(2, 1.0).into_dyn()), &["sigma2 has the shape [2]", "a single number"]);
    // The same with the state and in a file of an earlier version.
    let resume = |contents: &Contents, parts: &[&str]| {
        refused(folder, contents, &RESUME, parts);
        refused(folder, &contents.without_state(), &RESUME, parts);
    };
    resume(&good.without("adam_W0_second"), &["adam_W0_second", "missing"]);
    resume(&good.with_value("adam_W0_first", 7, f32::NAN), &["adam_W0_first: value 7 is NaN"]);
    resume(&good.with_value("adam_W0_second", 7, -1.0), &["adam_W0_second: value 7 is -1", "not negative"]);
    resume(&good.with("adam_count", Array0::from_elem((), f32::NAN).into_dyn()), &["adam_count = NaN"]);
    resume(&good.without("latent_v1"), &["latent_v1", "missing"]);
    resume(&good.without("latent_x2"), &["latent_x2", "missing"]);
    resume(&good.with_value("latent_x1", 3, f32::NAN), &["latent_x1: the value in row 0, column 3 is NaN"]);
    let states = good.get(&format!("b{top}")).len() as f32;
    for state in [states, -1.0, 0.5, 1e30] {
        resume(&good.with_value(&format!("latent_x{top}"), 2, state), &[&format!("latent_x{top}: "), "is not one of the", "states"]);
    }
    filters(&good.with_config("\nstage = ", "\nstage = 9"), &["config", "stage = 9", "the stages that there are"]);
    // What is good is still taken.
    good.write(&folder.join("bad.npz"));
    succeeds(folder, &FILTERS);
    succeeds(folder, &RESUME);
}

#[test]
fn a_small_file_that_claims_large_layers_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let layer = "[[model.layers]]\nsize = 16384\nfamily = \"gaussian\"\nsigma = 1.0\n";
    let empty = Contents { arrays: Vec::new(), bytes: Vec::new(), config: layer.repeat(4) };
    refused(folder.path(), &empty, &FILTERS, &["W0 is missing"]);
    let small = empty.with("W0", Array2::<f32>::zeros((2, 2)).into_dyn());
    refused(folder.path(), &small, &FILTERS, &["W0 has the shape [2, 2]", "[16384, 16384]"]);
}

#[test]
fn a_key_of_a_later_version_is_named_as_one() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    succeeds(folder, &["train", "--preset", "bars", "--images", "200", "--out", "good.npz"]);
    let good = Contents::read(&folder.join("good.npz"));
    let later = good.with_config("[dynamics]\n", "[dynamics]\nspike_threshold = 1.0\n");
    refused(folder, &later, &FILTERS, &["unknown key 'spike_threshold' in [dynamics]", "line ", "later version"]);
    refused(
        folder,
        &good.with_config("[dynamics]\n", "[spikes]\na = 1\n\n[dynamics]\n"),
        &FILTERS,
        &["unknown key 'spikes'", "later version"],
    );
    refused(folder, &good.with_config("seed = 0", "seed = -1"), &FILTERS, &["config", "seed = -1"]);
}

#[test]
fn counters_at_the_end_of_their_range_stay_there() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    succeeds(folder, &["train", "--preset", "bars", "--images", "200", "--out", "good.npz"]);
    let good = Contents::read(&folder.join("good.npz"));
    let seen = good.config.lines().find(|line| line.starts_with("images_seen")).unwrap();
    for images in [i64::MAX as u64 - 50, i64::MAX as u64] {
        good.with_config(seen, &format!("images_seen = {images}")).write(&folder.join("last.npz"));
        succeeds(folder, &["train", "--init", "last.npz", "--images", "300", "--out", "longer.npz"]);
        let (config, _) = modelfile::load(&folder.join("longer.npz")).unwrap();
        assert_eq!(config.learning.images_seen, i64::MAX as u64);
    }
    refused(folder, &good.with_config(seen, "images_seen = 9223372036854775808"), &FILTERS, &["images_seen", "0 to 9223372036854775807"]);
    let output = heescope(folder, &["train", "--preset", "bars", "--images", "9223372036854775808", "--out", "out.npz"]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(1) && text.contains("--images 9223372036854775808 is out of range"), "{text}");
}
