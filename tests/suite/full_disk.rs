//! Runs on a disk that is full: it is said once, the run goes on, what was kept stays whole, and once there is room all is kept again.
//!
//! The disk is full for a process whose files may not grow any longer.

use crate::engine::{small_preset, wait};
use heescope::engine::{AutosaveOptions, Command, Engine, Event, Moment, Pace, PackedSnapshot, RunTimeline, ViewArrays};
use heescope::experiment::modelfile;
use ndarray::Array2;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

/// Names the folder for the process whose files may not grow.
const FOLDER: &str = "HEESCOPE_TEST_FULL_DISK";
/// Bytes that a file may have on the full disk.
const ROOM: u64 = 200;

fn images(path: &Path) -> u64 {
    modelfile::load(path).unwrap().0.learning.images_seen
}

/// What was said in so long a time.
fn said(engine: &Engine, time: Duration) -> Vec<String> {
    let (begin, mut texts) = (Instant::now(), Vec::new());
    while begin.elapsed() < time {
        texts.extend(engine.events().filter_map(|event| if let Event::Failed(text) = event { Some(text) } else { None }));
        std::thread::sleep(Duration::from_millis(5));
    }
    texts
}

#[test]
#[ignore = "a_full_disk_is_said_once_and_nothing_kept_is_damaged runs it in a process of its own"]
fn runs_on_a_full_disk() {
    let folder = std::path::PathBuf::from(std::env::var(FOLDER).unwrap());
    signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::new(AtomicBool::new(false))).unwrap(); // a write fails, and ends nothing
    let autosave = AutosaveOptions { folder: folder.clone(), older: None, interval: Duration::ZERO, recover: false };
    let engine = Engine::start_with(small_preset("bars"), Some(autosave), || {}).unwrap();
    assert!(engine.send(Command::SetPace(Pace::StepsPerSecond(2000.0))));
    let run = wait(&engine, |s| s.clock.images > 500).run.clone();
    let [state, views, timeline] = ["state.npz", "views.npz", "timeline.bin"].map(|name| folder.join(&run.0).join(name));
    let kept = |count: u16| {
        let moment =
            |i: u16| Moment { seconds: f64::from(i + 1), time_ms: 0.0, images: 0, packed: Arc::new(PackedSnapshot::new(vec![1; 5000])) };
        let arrays = vec![("learning".to_string(), Array2::zeros((usize::from(count), 8)))];
        let timeline = RunTimeline { moments: (0..count).map(moment).collect(), bookmarks: Vec::new() };
        assert!(engine.send(Command::KeepViews(run.clone(), Box::new(ViewArrays { arrays, ..ViewArrays::default() }))));
        assert!(engine.send(Command::KeepTimeline(run.clone(), Box::new(timeline))));
    };
    kept(3);
    assert_eq!(said(&engine, Duration::from_secs(1)), [""; 0]);
    let rows = |path: &Path| ViewArrays::load(path).unwrap().array("learning").unwrap().nrows();
    assert_eq!((rows(&views), RunTimeline::load(&timeline).moments.len()), (3, 3));

    let Rlimit { maximum, .. } = getrlimit(Resource::Fsize);
    setrlimit(Resource::Fsize, Rlimit { current: Some(ROOM), maximum }).unwrap();
    std::thread::sleep(Duration::from_millis(200)); // what was being written is written
    let before = images(&state);
    let steps = engine.take_snapshot().map_or(0, |snapshot| snapshot.clock.steps);
    kept(5);
    kept(6);
    let texts = said(&engine, Duration::from_secs(2));
    for what in ["this run is not kept", "histories are not kept", "timelines are not kept"] {
        assert_eq!(texts.iter().filter(|text| text.contains(what)).count(), 1, "{what}: {texts:?}");
    }
    wait(&engine, |s| s.clock.steps > steps + 1000);
    assert_eq!((images(&state), rows(&views)), (before, 3), "what was kept stays");
    let moments = RunTimeline::load(&timeline).moments;
    assert!(moments.len() <= 3 && moments.iter().all(|moment| moment.packed.len() == 5000));

    setrlimit(Resource::Fsize, Rlimit { current: maximum, maximum }).unwrap();
    kept(7);
    let texts = said(&engine, Duration::from_secs(1));
    assert!(texts.is_empty(), "{texts:?}");
    drop(engine); // waits for what is handed over
    assert!(images(&state) > before && rows(&views) == 7 && RunTimeline::load(&timeline).moments.len() == 7);
}

#[test]
fn a_full_disk_is_said_once_and_nothing_kept_is_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["full_disk::runs_on_a_full_disk", "--exact", "--ignored", "--nocapture"])
        .env(FOLDER, folder.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
