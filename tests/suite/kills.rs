//! Programs that are killed while they save: the last save is whole every time. `scripts/check_kills.sh` does the same a thousand times,
//! with the window too.

use crate::engine;
use heescope::dynamics::Probes;
use heescope::engine::{AutosaveOptions, Command, Engine, Event, Pace};
use heescope::experiment::modelfile::{self, Resumed};
use heescope::experiment::{Config, Session, presets};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// Name the folder and the preset for the process that is to be killed.
const FOLDER: &str = "HEESCOPE_TEST_FOLDER";
const PRESET: &str = "HEESCOPE_TEST_PRESET";
/// Steps that a run goes on after it was killed.
const NEXT: u64 = 1000;

fn small() -> Config {
    let mut config = presets::by_name("bars").unwrap();
    (config.data.patches, config.stimulus.batch) = (300, 30);
    config
}

/// Images that a model file has seen; it goes on exactly.
fn images(path: &Path) -> u64 {
    let (config, model) = modelfile::load(path).unwrap();
    let mut session = Session::with_model(config, model).unwrap();
    assert_eq!(modelfile::resume(path, &mut session).unwrap(), Resumed::Exactly);
    session.images()
}

fn await_file(path: &Path, child: &mut Child) {
    let begin = Instant::now();
    while !path.exists() {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        assert!(begin.elapsed() < Duration::from_secs(30), "nothing was saved");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Kills a process that saves all the time, after a random while.
fn kill(mut child: Child, rng: &mut ChaCha8Rng) {
    std::thread::sleep(Duration::from_micros(rng.random_range(0..60_000)));
    child.kill().unwrap(); // SIGKILL on Unix
    assert!(!child.wait().unwrap().success(), "it was killed, it has not ended by itself");
}

fn left_behind(folder: &Path) -> usize {
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with(".heescope-")).count()
}

#[test]
fn a_run_that_is_killed_while_it_saves_leaves_a_whole_model() {
    let folder = tempfile::tempdir().unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let (mut saved, mut seen) = (None::<String>, 0);
    for round in 0..10 {
        let out = format!("{round}.npz");
        let begin =
            saved.as_ref().map_or(vec!["--preset", "bars", "--set", "patches=300", "--set", "batch=30"], |path| vec!["--init", path]);
        let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_heescope"))
            .arg("train")
            .args(begin)
            .args(["--images", "100000000", "--save-every", "0", "--out", &out])
            .current_dir(folder.path())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        await_file(&folder.path().join(&out), &mut child);
        kill(child, &mut rng);
        let now = images(&folder.path().join(&out));
        assert!(now > seen, "{now} images after {seen}");
        (seen, saved) = (now, Some(out));
    }
    assert!(left_behind(folder.path()) <= 1, "what a killed run left is removed by the next");
}

/// The process that the next test kills: an engine that learns, and saves whenever the last save is done.
#[test]
#[ignore = "runs until it is killed"]
fn an_engine_that_saves_until_it_is_killed() {
    let folder = std::env::var(FOLDER).unwrap();
    let autosave = AutosaveOptions { folder: folder.into(), older: None, interval: Duration::ZERO, recover: true };
    let config = std::env::var(PRESET).map_or_else(|_| small(), |preset| engine::small_preset(&preset));
    let engine = Engine::start_with(config, Some(autosave), || {}).unwrap();
    engine.send(Command::SetPace(Pace::Full));
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// That process, with runs in this folder.
fn saving(folder: &Path, settings: &[(&str, &str)]) -> Child {
    std::process::Command::new(std::env::current_exe().unwrap())
        .args(["kills::an_engine_that_saves_until_it_is_killed", "--exact", "--ignored"])
        .env(FOLDER, folder)
        .envs(settings.iter().copied())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Runs the session up to this step.
fn advance(session: &mut Session, steps: u64) {
    while session.steps() < steps {
        session.advance((steps - session.steps()) as usize, &Probes::default());
    }
}

#[test]
fn every_preset_that_is_killed_goes_on_with_the_bits_of_one_that_was_not() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    for preset in presets::all().iter().map(|preset| preset.name).filter(|name| *name != "mnist") {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(format!("0001-{preset}/state.npz"));
        let mut child = saving(folder.path(), &[(PRESET, preset)]);
        await_file(&path, &mut child);
        kill(child, &mut rng);
        let (config, model) = modelfile::load(&path).unwrap();
        let mut killed = Session::with_model(config, model).unwrap();
        assert_eq!(modelfile::resume(&path, &mut killed).unwrap(), Resumed::Exactly, "{preset}");
        let mut never = Session::new(engine::small_preset(preset)).unwrap();
        advance(&mut never, killed.steps());
        let bytes = |session: &Session| modelfile::state_archive(session.state()).unwrap().into_bytes().unwrap();
        assert!(bytes(&killed) == bytes(&never), "{preset} after {} steps", killed.steps());
        let end = killed.steps() + NEXT;
        for session in [&mut killed, &mut never] {
            advance(session, end);
        }
        assert!(bytes(&killed) == bytes(&never), "{preset} after {NEXT} more");
    }
}

#[test]
fn an_engine_that_is_killed_while_it_saves_is_recovered() {
    let folder = tempfile::tempdir().unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let path = folder.path().join("0001-bars/state.npz");
    let mut seen = 0;
    for round in 0..10 {
        let mut child = saving(folder.path(), &[]);
        if round == 0 {
            await_file(&path, &mut child);
        } else {
            std::thread::sleep(Duration::from_millis(150)); // it recovers, learns and saves
        }
        kill(child, &mut rng);
        let now = images(&path);
        assert!(now >= seen, "{now} images after {seen}");
        let previous = folder.path().join("0001-bars/state.previous.npz");
        assert!(!previous.exists() || images(&previous) <= now);
        seen = now;
    }
    assert!(left_behind(&folder.path().join("0001-bars")) <= 2);
    let autosave = AutosaveOptions { folder: folder.path().into(), older: None, interval: Duration::ZERO, recover: true };
    let engine = Engine::start_with(small(), Some(autosave), || {}).unwrap();
    let begin = Instant::now();
    let text = loop {
        if let Some(Event::Resumed(text)) = engine.events().find(|event| matches!(event, Event::Resumed(_))) {
            break text;
        }
        assert!(begin.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(2));
    };
    assert!(text.starts_with(&format!("Recovered bars, {seen} images seen, saved ")), "{text}");
}
