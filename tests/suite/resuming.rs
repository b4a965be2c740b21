//! Going on: a run that was stopped, saved and loaded computes the same bits as one that never stopped.

use crate::program::{heescope, succeeds};
use heescope::data::Source;
use heescope::dynamics::{Probes, StateValues};
use heescope::experiment::modelfile::{self, Resumed};
use heescope::experiment::parameters::{self, Value};
use heescope::experiment::{Config, InterneuronMode, LearningRateSchedule, Session, SessionState, presets, stages};
use heescope::export::npz;
use std::path::Path;

/// A preset with few images and networks, whose stages all pass within a few presentations.
fn small(preset: &str) -> Config {
    let mut config = presets::by_name(preset).unwrap();
    if config.data.source == Source::Mnist {
        config.data.source = Source::Fashion; // of the same shape, and there without files
    }
    config.stimulus.batch = 60; // three blocks, the last of another size
    config.data.patches = 300;
    if config.stimulus.persistent {
        (config.stimulus.images, config.stimulus.first_images, config.stimulus.first_visit_steps) = (150, 100, 4);
    }
    if config.model.layers[0].size == 784 {
        config.stimulus.batch = 52;
        config.model.layers[1].size = 60;
        config.model.layers[3].size = 40;
        config.stages.iter_mut().filter(|stage| stage.states > 0).for_each(|stage| stage.states = 10);
    }
    stages::scale(&mut config.stages, 700);
    config
}

/// Runs `steps` steps in pieces, and keeps what the finished presentations were like.
fn run(session: &mut Session, steps: u64, piece: usize) -> String {
    let (end, mut reports) = (session.steps() + steps, String::new());
    while session.steps() < end {
        let (_, report) = session.advance(piece.min((end - session.steps()) as usize), &Probes::default());
        report.into_iter().for_each(|report| reports.push_str(&format!("{report:?}\n")));
    }
    reports
}

/// Everything that a session is, to the bit: numbers, and the bits of every array by its name.
fn bits(session: &Session) -> Vec<(String, Vec<u64>)> {
    let mut state = session.state();
    let mut config = session.config_for_saving();
    config.dynamics.threads = 0; // results do not depend on it
    let numbers = format!("{:?} {config:?}", state.counters()).into_bytes().into_iter().map(u64::from).collect();
    let mut all = vec![("numbers".to_string(), numbers)];
    let values = state.model.weights.iter().flatten().chain(state.model.biases.iter().flatten());
    all.push(("weights and biases".into(), values.map(|value| u64::from(value.to_bits())).collect()));
    for array in state.arrays() {
        let bits = match array.values {
            StateValues::Single(parts) => parts.iter().flat_map(|part| part.iter()).map(|value| u64::from(value.to_bits())).collect(),
            StateValues::Double(parts) => parts.iter().flat_map(|part| part.iter()).map(|value| value.to_bits()).collect(),
            StateValues::Whole(parts) => parts.iter().flat_map(|part| part.iter()).map(|&value| u64::from(value)).collect(),
        };
        all.push((array.name, bits));
    }
    all
}

fn assert_same(found: &Session, expected: &Session, what: &str) {
    let (found, expected) = (bits(found), bits(expected));
    let names = |all: &[(String, Vec<u64>)]| all.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&found), names(&expected), "{what}");
    let text = |all: &[(String, Vec<u64>)]| all[0].1.iter().map(|&byte| char::from(byte as u8)).collect::<String>();
    assert_eq!(text(&found), text(&expected), "{what}");
    let differ: Vec<String> = found.iter().zip(&expected).filter(|(a, b)| a != b).map(|(a, _)| a.0.clone()).collect();
    assert!(differ.is_empty(), "{what}: {differ:?} differ");
}

/// A session on another number of threads that goes on from a file in which `session` was saved.
fn through_a_file(session: &Session, folder: &Path) -> Session {
    let path = folder.join("m.npz");
    modelfile::save(&path, session.config(), session).unwrap();
    let (mut config, model) = modelfile::load(&path).unwrap();
    config.dynamics.threads = 3;
    let mut again = Session::with_model(config, model).unwrap();
    assert_eq!(modelfile::resume(&path, &mut again).unwrap(), Resumed::Exactly);
    again
}

/// The same from a state in memory.
fn through_a_state(state: SessionState) -> Session {
    let mut again = Session::with_model(state.config.clone(), state.model.clone()).unwrap();
    again.restore(state).unwrap();
    again
}

#[test]
fn every_preset_goes_on_with_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    for preset in presets::all() {
        let mut config = small(preset.name);
        config.dynamics.threads = 1;
        let mut session = Session::new(config).unwrap();
        session.run_for(700);
        // Before the first step, within the burn-in and the learning steps of presentations, and in every stage.
        for stop in [0, 3, 9, 48, 100, 171] {
            let what = format!("{} after {} steps", preset.name, session.steps());
            let (mut loaded, mut restored) = (through_a_file(&session, folder.path()), through_a_state(session.state()));
            assert_same(&loaded, &session, &what);
            let mut unbroken = through_a_state(session.state());
            let reports = [(&mut unbroken, 1000), (&mut loaded, 7), (&mut restored, 1)].map(|(s, piece)| run(s, 60, piece));
            assert!(reports[0] == reports[1] && reports[0] == reports[2], "{what}: reports differ");
            // The one that never stopped goes on itself.
            let own = run(&mut session, 60, 11);
            assert!(own == reports[0], "{what}: reports differ");
            for (other, way) in [(&unbroken, "in memory"), (&loaded, "through a file"), (&restored, "step by step")] {
                assert_same(other, &session, &format!("{what}, 60 steps on, {way}"));
            }
            run(&mut session, stop, 13);
        }
        if !session.config().stages.is_empty() {
            assert_eq!(session.position().stage + 1, session.config().stages.len(), "{}: the last stage was reached", preset.name);
        }
    }
}

#[test]
fn what_was_changed_by_hand_goes_on_too() {
    let folder = tempfile::tempdir().unwrap();
    for preset in ["ridge", "competition", "digits", "dead-leaves"] {
        let mut session = Session::new(small(preset)).unwrap();
        run(&mut session, 25, 25);
        let mut changed = session.config().clone();
        for (key, value) in [("interneurons", Value::Whole(3)), ("adaptation", Value::Number(0.7)), ("lr", Value::Number(0.01))] {
            parameters::assign(&mut changed, key, value).unwrap();
        }
        changed.dynamics.interneuron_mode = InterneuronMode::Sampled;
        session.adjust(changed.dynamics, changed.learning).unwrap();
        run(&mut session, 4, 4);
        session.hold(true).unwrap();
        let stimulus: Vec<f32> = session.stimulus().iter().map(|value| 0.5 * value + 0.1).collect();
        session.set_stimulus(&stimulus).unwrap();
        let free: Vec<bool> = (0..stimulus.len()).map(|i| i % 3 == 0).collect();
        session.free_pixels(&free).unwrap();
        run(&mut session, 33, 10);
        let mut loaded = through_a_file(&session, folder.path());
        for session in [&mut session, &mut loaded] {
            run(session, 40, 9);
        }
        assert_eq!(loaded.completed(3), session.completed(3), "{preset}: what the free pixels became");
        assert_same(&loaded, &session, preset);
        for session in [&mut session, &mut loaded] {
            session.hold(false).unwrap();
            run(session, 40, 9);
        }
        assert_same(&loaded, &session, preset);
    }
}

/// One value of an array of the state is another.
fn spoiled(session: &Session, name: &str) -> SessionState {
    let mut state = session.state();
    let mut arrays = state.arrays();
    let array = arrays.iter_mut().find(|array| array.name == name).unwrap_or_else(|| panic!("no array {name}"));
    match &mut array.values {
        StateValues::Single(parts) => parts[0][0] = parts[0][0] * 1.25 + 0.01,
        StateValues::Double(parts) => parts[0][0] += 0.5,
        StateValues::Whole(parts) => parts[0][0] ^= 1,
    }
    drop(arrays);
    state
}

#[test]
fn no_array_of_the_state_could_be_left_out() {
    let mut config = small("dead-leaves");
    (config.learning.learned_sigma, config.learning.biases, config.learning.lr) = (true, true, 0.01);
    let mut session = Session::new(config).unwrap();
    run(&mut session, 57, 57); // 12 steps of a presentation, 4 of them learning steps
    let names = |session: &Session| -> Vec<String> { session.state().arrays().into_iter().map(|array| array.name).collect() };
    let after = |state: SessionState| {
        let mut again = through_a_state(state);
        let reports = run(&mut again, 75, 15);
        (reports, again.model().weights[0].clone(), again.model().layers[0].sigma().map(f64::to_bits))
    };
    let right = after(session.state());
    for name in &names(&session) {
        assert!(after(spoiled(&session, name)) != right, "{name} does not matter");
    }
    let sums: Vec<String> = names(&session).into_iter().filter(|name| name.contains("history") || name.contains("sums")).collect();
    assert!(sums.len() >= 3, "the presentation under way has learning sums: {sums:?}");
}

/// The arrays of two model files that differ, by name; the configuration is no array of the run.
fn differences(a: &Path, b: &Path) -> Vec<String> {
    let read = |path: &Path| zip_entries(path);
    let (a, b) = (read(a), read(b));
    assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>());
    a.iter().filter(|(name, bytes)| b[*name] != **bytes).map(|(name, _)| name.clone()).collect()
}

fn zip_entries(path: &Path) -> std::collections::BTreeMap<String, Vec<u8>> {
    use std::io::Read;
    let mut archive = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
    let names: Vec<String> = archive.file_names().map(String::from).collect();
    let mut read = |name: &String| {
        let mut bytes = Vec::new();
        archive.by_name(name).unwrap().read_to_end(&mut bytes).unwrap();
        (name.clone(), bytes)
    };
    names.iter().map(&mut read).collect()
}

const TINY: [&str; 7] = ["train", "--preset", "dead-leaves", "--set", "patches=500", "--set", "batch=50"];

#[test]
fn two_runs_of_train_are_one_run() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let constant = [&TINY[..], &["--set", "decay=constant"]].concat();
    for [first, second, both] in [["400", "600", "1000"], ["30", "95", "125"]] {
        succeeds(folder, &[&constant[..], &["--images", first, "--threads", "1", "--out", "a.npz"]].concat());
        let told = heescope(folder, &["train", "--init", "a.npz", "--images", second, "--threads", "2", "--out", "b.npz"]);
        let text = String::from_utf8(told.stderr).unwrap();
        assert!(told.status.success() && text.contains("a.npz: learning goes on exactly"), "{text}");
        succeeds(folder, &[&constant[..], &["--images", both, "--out", "c.npz"]].concat());
        let differ = differences(&folder.join("b.npz"), &folder.join("c.npz"));
        // The last run's beginning and the threads asked for are not the same; every bit of the model and the streams is.
        assert_eq!(differ, ["config.npy", "state.npy"], "{first} + {second} against {both}");
        let numbers = |file: &str| {
            let text = npz::open(&folder.join(file)).unwrap().text("state").unwrap();
            text.lines().filter(|line| !line.starts_with("run ")).collect::<Vec<_>>().join("\n")
        };
        assert_eq!(numbers("b.npz"), numbers("c.npz"));
    }
    let seed = heescope(folder, &["train", "--init", "a.npz", "--seed", "9", "--images", "100", "--out", "d.npz"]);
    let text = String::from_utf8(seed.stderr).unwrap();
    assert!(seed.status.success() && text.contains("approximately: seed was 0 and is 9"), "{text}");
    assert!(differences(&folder.join("d.npz"), &folder.join("b.npz")).contains(&"W0.npy".to_string()), "another seed, other images");
}

#[test]
fn a_run_that_was_stopped_goes_on_to_its_end_in_every_stage() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for (preset, sets) in [
        ("digits", &["--set", "stimulus.images=200", "--set", "first_images=100", "--set", "batch=50"][..]),
        ("v1-v2", &["--set", "patches=300", "--set", "batch=50"][..]),
        ("bars", &["--set", "patches=300", "--set", "batch=50"][..]), // the rate falls to 0 over the second half
    ] {
        let train = [&["train", "--preset", preset, "--images", "1200"], sets].concat();
        succeeds(folder, &[&train[..], &["--out", "whole.npz"]].concat());
        succeeds(folder, &[&train[..], &["--stop-after", "500", "--out", "a.npz"]].concat());
        succeeds(folder, &["train", "--init", "a.npz", "--stop-after", "480", "--out", "b.npz"]);
        succeeds(folder, &["train", "--init", "b.npz", "--out", "c.npz"]);
        let differ = differences(&folder.join("c.npz"), &folder.join("whole.npz"));
        assert!(differ.is_empty(), "{preset}: {differ:?}");
        assert!(differences(&folder.join("b.npz"), &folder.join("whole.npz")).iter().any(|name| name.starts_with('W')), "{preset}");
    }
}

/// What becomes of an entry of an archive: other bytes, or nothing.
type Change<'a> = &'a dyn Fn(&str, &[u8]) -> Option<Vec<u8>>;

#[test]
fn files_without_a_state_go_on_approximately_and_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    succeeds(folder, &[&TINY[..], &["--images", "500", "--set", "ascent=adam", "--out", "new.npz"]].concat());
    // As earlier versions wrote it: the model, the moments of Adam and the configuration.
    let entries = zip_entries(&folder.join("new.npz"));
    let rewrite = |file: &str, change: Change| {
        let mut writer = zip::ZipWriter::new(std::fs::File::create(folder.join(file)).unwrap());
        for (name, bytes) in &entries {
            if let Some(bytes) = change(name, bytes) {
                writer.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
                std::io::Write::write_all(&mut writer, &bytes).unwrap();
            }
        }
        writer.finish().unwrap();
    };
    rewrite("old.npz", &|name, bytes| (!name.starts_with("state")).then(|| bytes.to_vec()));
    let told = heescope(folder, &["train", "--init", "old.npz", "--images", "100", "--out", "more.npz"]);
    let text = String::from_utf8(told.stderr).unwrap();
    assert!(told.status.success() && text.contains("old.npz: learning goes on approximately: it is of an earlier version"), "{text}");
    let told = heescope(folder, &["train", "--init", "more.npz", "--images", "100", "--out", "again.npz"]);
    assert!(String::from_utf8(told.stderr).unwrap().contains("exactly"), "from then on exactly");
    // What cannot be is one line that names the file and the array.
    let spoil = |wanted: &'static str, with: &'static [u8]| {
        move |name: &str, bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            if name == wanted {
                let end = bytes.len() - 4;
                bytes[end..].copy_from_slice(with);
            }
            Some(bytes)
        }
    };
    rewrite("nan.npz", &spoil("state_x1.npy", &[0, 0, 0xc0, 0x7f]));
    rewrite("short.npz", &|name, bytes| (name != "state_v1.npy").then(|| bytes.to_vec()));
    rewrite("zeros.npz", &|name, bytes| {
        let mut bytes = bytes.to_vec();
        let values = bytes.len().saturating_sub(64 * 4);
        if name == "state_streams.npy" {
            bytes[values..].fill(0);
        }
        Some(bytes)
    });
    rewrite("later.npz", &|name, bytes| {
        Some(if name == "state.npy" { replaced(bytes, b"format = 1", b"format = 7") } else { bytes.to_vec() })
    });
    rewrite("negative.npz", &|name, bytes| {
        Some(if name == "state.npy" { replaced(bytes, b"networks = 50", b"networks = 51") } else { bytes.to_vec() })
    });
    for (file, part) in [
        ("nan.npz", "state_x1: the value in row 49, column 143 is NaN"),
        ("short.npz", "state_v1"),
        ("zeros.npz", "a random stream"),
        ("negative.npz", "networks = 51, where 50 is needed"),
    ] {
        let told = heescope(folder, &["train", "--init", file, "--images", "100", "--out", "none.npz"]);
        let text = String::from_utf8(told.stderr).unwrap();
        assert_eq!((told.status.code(), text.trim().lines().count()), (Some(1), 1), "{file}: {text}");
        assert!(text.contains(file) && text.contains(part), "{file}: {text}");
    }
    let told = heescope(folder, &["train", "--init", "later.npz", "--images", "100", "--out", "none.npz"]);
    assert!(String::from_utf8(told.stderr).unwrap().contains("approximately: the state in it has format 7"));
    // Another version may compute more networks at once: their random streams are others.
    rewrite("blocks.npz", &|name, bytes| {
        Some(if name == "state.npy" { replaced(bytes, b"block_rows = 25", b"block_rows = 50") } else { bytes.to_vec() })
    });
    let told = heescope(folder, &["train", "--init", "blocks.npz", "--images", "100", "--out", "none.npz"]);
    let text = String::from_utf8(told.stderr).unwrap();
    assert!(text.contains("approximately: 50 networks were computed together, and 25 are now"), "{text}");
}

fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = bytes.windows(from.len()).position(|window| window == from).unwrap();
    let mut bytes = bytes.to_vec();
    bytes[at..at + to.len()].copy_from_slice(to);
    bytes
}

#[test]
fn two_announced_runs_show_as_many_images_as_one() {
    let mut config = small("dead-leaves");
    config.learning.rate_schedule = LearningRateSchedule::Constant;
    let run = |lengths: &[u64]| {
        let mut session = Session::new(config.clone()).unwrap();
        for (i, &images) in lengths.iter().enumerate() {
            let last = if i == 0 { session.run_for(images) } else { session.run_on_for(images) };
            while session.images() <= last {
                session.advance(usize::MAX, &Probes::default());
            }
        }
        session.images()
    };
    for [a, b] in [[60, 60], [1, 1], [100, 350], [59, 61], [600, 7]] {
        assert_eq!(run(&[a, b]), run(&[a + b]), "{a} and {b}");
    }
}
