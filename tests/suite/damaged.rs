//! Configurations, model files and files of samples that are damaged: refused in one line, or as good as whole. The corpora are those
//! of the fuzzers in fuzz/, which go on for longer; readers.rs does the same with sets of images and pictures.

#[path = "../../fuzz/src/archive.rs"]
mod archive;

use archive::archive;
use heescope::dynamics::Probes;
use heescope::engine::recording::{RecordedRun, RecordingWriter};
use heescope::engine::{Engine, Snapshot};
use heescope::experiment::samples::SampleFile;
use heescope::experiment::{modelfile, presets};
use heescope::export::FileError;
use heescope::{Config, Session};
use ndarray::Array2;
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use std::path::Path;

/// Damaged forms of every file of a corpus.
fn damaged(corpus: &str, forms: usize, mut check: impl FnMut(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(corpus);
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    for file in files {
        let whole = std::fs::read(file).unwrap();
        check(&whole);
        (0..forms).for_each(|_| check(&damage(&whole, &mut rng)));
    }
}

/// One to three changes: another byte, another digit, a part that is gone, doubled or overwritten by another one.
fn damage(whole: &[u8], rng: &mut ChaCha8Rng) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    for _ in 0..rng.random_range(1..=3) {
        let at = rng.random_range(0..bytes.len().max(2) - 1);
        let part = at..bytes.len().min(at + rng.random_range(1..64));
        match rng.random_range(0..6) {
            0 => bytes[at] = rng.random(),
            1 | 2 => bytes[part].iter_mut().filter(|byte| byte.is_ascii_digit()).for_each(|byte| *byte = rng.random_range(b'0'..=b'9')),
            3 => drop(bytes.drain(part)),
            4 => {
                let copy = bytes[part].to_vec();
                bytes.splice(at..at, copy);
            }
            _ => {
                let from = rng.random_range(0..=bytes.len() - part.len());
                bytes.copy_within(from..from + part.len(), at);
            }
        }
    }
    bytes
}

/// Reads the bytes as a file.
fn with_file<T>(bytes: &[u8], read: impl FnOnce(&Path) -> T) -> T {
    let file = tempfile::Builder::new().suffix(".npz").tempfile().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    read(file.path())
}

fn is_one_line(error: &str) {
    assert!(!error.contains(|c: char| c.is_control()) && error.len() < 2000, "{error:?}");
}

/// Both outcomes have to come up, or the damage tests nothing.
fn both([refused, accepted]: [usize; 2]) {
    assert!(refused > 20 && accepted > 5, "refused {refused}, accepted {accepted}");
}

#[test]
fn damaged_configurations_are_refused_or_are_written_and_read_as_they_are() {
    let mut counts = [0, 0];
    damaged("configuration", 500, |bytes| {
        let Ok(text) = std::str::from_utf8(bytes) else { return };
        let config = Config::from_toml(text);
        counts[usize::from(config.is_ok())] += 1;
        match config {
            Ok(config) => assert_eq!(Config::from_toml(&config.to_toml()).unwrap(), config),
            Err(error) => is_one_line(&error.to_string()),
        }
    });
    both(counts);
}

#[test]
fn damaged_model_files_are_refused_or_run() {
    let mut counts = [0, 0];
    damaged("model_file", 120, |bytes| {
        with_file(&archive(bytes), |path| {
            let loaded = modelfile::load(path);
            counts[usize::from(loaded.is_ok())] += 1;
            let (config, model) = match loaded {
                Ok(found) => found,
                Err(error) => return is_one_line(&error.to_string()),
            };
            if config.stimulus.batch * config.dynamics.interneurons > 1 << 14 || config.data.patches > 1000 || !config.data.paths.is_empty()
            {
                return; // is allowed, and takes its time
            }
            let Ok(mut session) = Session::with_model(config, model) else { return };
            if let Err(error) = modelfile::resume(path, &mut session) {
                is_one_line(&error.to_string());
            }
            session.advance(3, &Probes::default());
        });
    });
    both(counts);
}

fn diagnose(path: &Path) -> Result<usize, FileError> {
    let mut file = SampleFile::open(path)?;
    let mut found = Vec::new();
    for layer in file.layers()? {
        file.diagnose(&layer, &|_| (), &mut found)?;
    }
    Ok(found.len())
}

#[test]
fn damaged_samples_are_refused_or_diagnosed() {
    let mut counts = [0, 0];
    damaged("samples", 500, |bytes| {
        let outcome = with_file(&archive(bytes), diagnose);
        counts[usize::from(outcome.is_ok())] += 1;
        match outcome {
            Ok(units) => assert!(units > 0),
            Err(error) => is_one_line(&error.to_string()),
        }
    });
    both(counts);
}

/// The snapshots of a recording, or why it cannot be read as one.
fn snapshots(path: &Path) -> Result<Vec<String>, FileError> {
    let mut run = RecordedRun::open(path)?;
    (0..run.len()).map(|number| Ok(format!("{:?}", run.read(number..number + 1)?))).collect()
}

#[test]
fn a_damaged_recording_is_refused_or_shows_what_was_recorded_and_nothing_else() {
    let mut config = presets::by_name("ridge").unwrap();
    config.dynamics.threads = 1;
    let engine = Engine::start(config, || {}).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.heerec");
    RecordingWriter::create(&path).unwrap().record(&engine, 0.25, 30.0, &mut |_| true).unwrap();
    let (bytes, whole) = (std::fs::read(&path).unwrap(), snapshots(&path).unwrap());
    assert!(whole.len() > 2);
    let (mut rng, mut counts) = (ChaCha8Rng::seed_from_u64(9), [0, 0]);
    for _ in 0..300 {
        std::fs::write(&path, damage(&bytes, &mut rng)).unwrap();
        let outcome = snapshots(&path);
        counts[usize::from(outcome.is_ok())] += 1;
        match outcome {
            // What was cut out or is doubled leaves whole snapshots; none is another one.
            Ok(found) => assert!(found.iter().all(|snapshot| whole.contains(snapshot))),
            Err(error) => is_one_line(&error.to_string()),
        }
    }
    assert!(counts[0] > 200, "refused {}, accepted {}", counts[0], counts[1]);
}

#[test]
fn a_snapshot_whose_arrays_do_not_fit_is_refused_by_the_name_of_what_does_not() {
    type Change = fn(&mut Snapshot);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.heerec");
    let write = |change: Change| {
        let mut snapshot = Snapshot::synthetic(presets::by_name("bars").unwrap());
        change(&mut snapshot);
        RecordingWriter::create(&path).unwrap().add(0.0, snapshot).unwrap();
        RecordedRun::open(&path).unwrap().read(0..1).map(|_| ()).map_err(|error| error.to_string())
    };
    assert_eq!(write(|_| ()), Ok(()));
    assert_eq!(write(|snapshot| snapshot.state.watch.trace_units.truncate(2)), Ok(()), "one is not traced any more");
    let wrong: [(Change, &str); 7] = [
        (|snapshot| snapshot.state.weights[0] = Array2::zeros((3, 4)).into(), "rows of W_0: 3 where 64 are needed"),
        (|snapshot| drop(snapshot.state.biases.pop()), "the number of biases"),
        (|snapshot| snapshot.state.states[1].push(0.0), "x_1: "),
        (|snapshot| snapshot.state.stimulus.reconstruction.clear(), "the reconstruction: 0 where 64"),
        (|snapshot| snapshot.state.watch.trace_units[0] = 10_000, "unit 10000 is watched"),
        (|snapshot| snapshot.state.watch.trace_layer = 5, "layer 5 is traced"),
        (|snapshot| snapshot.increment.traces.clear(), "the traces: 0"),
    ];
    for (change, words) in wrong {
        let error = write(change).unwrap_err();
        assert!(error.contains(words) && error.contains("a.heerec: snapshot 0 is damaged"), "{error}");
    }
}
