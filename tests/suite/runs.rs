//! Runs that stay: switching loses nothing, two programs share a folder, and what was deleted comes back.

use crate::engine::{small_preset, wait};
use heescope::app::{App, Options};
use heescope::data::Source;
use heescope::engine::recording::unpack;
use heescope::engine::{
    AutosaveOptions, Bookmark, Command, Engine, Event, Moment, Pace, PackedSnapshot, RunId, RunTimeline, Snapshot, ViewArrays,
};
use heescope::experiment::config::DynamicsConfig;
use heescope::experiment::parameters::Value;
use heescope::experiment::{Config, presets};
use ndarray::Array2;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

const HOUR: Duration = Duration::from_secs(3600);

fn keeping(folder: &Path, recover: bool, config: Config) -> Engine {
    let autosave = AutosaveOptions { folder: folder.into(), older: None, interval: HOUR, recover };
    Engine::start_with(config, Some(autosave), || {}).unwrap()
}

fn send(engine: &Engine, commands: impl IntoIterator<Item = Command>) {
    for command in commands {
        let start = Instant::now();
        while !engine.send(command.clone()) {
            assert!(start.elapsed() < Duration::from_secs(20));
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// `steps` more than `done`, of a run that is paused.
fn step(engine: &Engine, done: u64, steps: u64) -> Box<Snapshot> {
    send(engine, [Command::Step(steps)]);
    wait(engine, |s| s.clock.steps == done + steps)
}

/// What the next steps depend on, as far as a snapshot shows it.
fn state(snapshot: &Snapshot) -> (u64, u64, Vec<Vec<f32>>, Vec<Array2<f32>>) {
    let weights = snapshot.weights.iter().map(|w| (**w).clone()).collect();
    (snapshot.clock.steps, snapshot.clock.images, snapshot.states.clone(), weights)
}

#[test]
fn an_engine_beside_another_has_its_own_run_its_own_models_and_the_same_bits_on_a_share_of_the_cores() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { dynamics: DynamicsConfig { threads: 2, ..small_preset("dead-leaves").dynamics }, ..small_preset("dead-leaves") };
    let first = keeping(folder.path(), false, config.clone());
    let autosave = AutosaveOptions { folder: folder.path().into(), older: None, interval: HOUR, recover: false };
    let beside = Engine::start_beside(config, None, Some(autosave), 1, || {}).unwrap();
    send(&first, [Command::ShareCores(Some(1))]);
    let [a, b] = [&first, &beside].map(|engine| {
        send(engine, [Command::Pause, Command::Reset, Command::Step(60)]);
        wait(engine, |s| !s.clock.running && s.clock.steps == 60)
    });
    assert_eq!(state(&a), state(&b), "the same seed, on a core each");
    assert!(a.run != b.run && a.model_id != b.model_id, "{} and {}, models {} and {}", a.run, b.run, a.model_id, b.model_id);
    // From the weights as they are, and with all cores again.
    send(&first, [Command::ShareCores(None)]);
    let autosave = AutosaveOptions { folder: folder.path().into(), older: None, interval: HOUR, recover: false };
    let from_here = Engine::start_beside(a.config_so_far(), Some(a.model().unwrap()), Some(autosave), 1, || {}).unwrap();
    send(&from_here, [Command::Pause]);
    let third = wait(&from_here, |s| !s.clock.running);
    assert!(third.clock.images >= a.clock.images && third.run != b.run);
    let alone =
        Engine::start(Config { dynamics: DynamicsConfig { threads: 2, ..a.config.dynamics }, ..(*a.config).clone() }, || {}).unwrap();
    send(&alone, [Command::Pause, Command::Reset, Command::Step(60)]);
    assert_eq!(state(&wait(&alone, |s| !s.clock.running && s.clock.steps == 60)), state(&a), "on two cores");
    // What cannot be built leaves nothing that runs.
    let mut broken = small_preset("bars");
    broken.data.paths = vec![folder.path().join("nothing.npz")];
    broken.data.source = Source::Images;
    let refused = Engine::start_beside(broken, None, None, 1, || {}).unwrap();
    let begin = Instant::now();
    while !refused.events().any(|event| matches!(&event, Event::Failed(text) if text.contains("nothing.npz"))) {
        assert!(begin.elapsed() < Duration::from_secs(20), "nothing was said");
        std::thread::sleep(Duration::from_millis(2));
    }
    std::thread::sleep(Duration::from_millis(50));
    assert!(refused.take_snapshot().is_none_or(|snapshot| snapshot.config.model.layers.is_empty()), "no preset in its place");
}

#[test]
fn every_preset_goes_on_with_the_same_bits_from_memory_and_from_disk() {
    for preset in presets::all().iter().map(|preset| preset.name).filter(|name| *name != "mnist") {
        let folder = tempfile::tempdir().unwrap();
        let engine = keeping(folder.path(), false, small_preset(preset));
        send(&engine, [Command::Pause, Command::Reset, Command::Step(40)]);
        let run = wait(&engine, |s| s.clock.steps == 40).run.clone();
        // In memory, while two others run.
        let others = [if preset == "ridge" { "ring" } else { "ridge" }, "chain"].map(|name| presets::by_name(name).unwrap());
        for other in others {
            let name = other.model.name.clone();
            send(&engine, [Command::Load(Box::new(other))]);
            wait(&engine, |s| s.config.model.name == name);
        }
        send(&engine, [Command::SwitchRun(run.clone())]);
        let done = wait(&engine, |s| s.run == run).clock.steps;
        step(&engine, done, 40);
        // On disk, after two more.
        for other in ["explaining-away", "ring", "slow-interneurons"] {
            send(&engine, [Command::Load(Box::new(presets::by_name(other).unwrap()))]);
            wait(&engine, |s| s.config.model.name == other);
        }
        send(&engine, [Command::SwitchRun(run.clone())]);
        let done = wait(&engine, |s| s.run == run).clock.steps;
        step(&engine, done, 20);
        drop(engine);
        // In the next start.
        let engine = keeping(folder.path(), true, presets::by_name("ring").unwrap());
        send(&engine, [Command::Pause]);
        let found = wait(&engine, |s| !s.clock.running);
        assert_eq!((&found.run, found.config.model.name.as_str()), (&run, preset));
        let now = found.clock.steps;
        assert!(now >= 100, "{preset}: {now} steps");
        let unbroken = Engine::start(small_preset(preset), || {}).unwrap();
        send(&unbroken, [Command::Pause, Command::Reset, Command::Step(now)]);
        let expected = wait(&unbroken, |s| !s.clock.running && s.clock.steps == now);
        assert_eq!(state(&found), state(&expected), "{preset} after {now} steps");
    }
}

#[test]
fn two_programs_on_one_folder_have_runs_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let first = keeping(folder.path(), true, small_preset("bars"));
    send(&first, [Command::SetPace(Pace::Full)]);
    let own = wait(&first, |s| s.clock.images > 500).run.clone();
    let second = keeping(folder.path(), true, small_preset("ridge"));
    let other = wait(&second, |s| s.clock.steps > 10).run.clone();
    assert_ne!(own, other, "what the first has is not recovered by the second");
    send(&second, [Command::SwitchRun(own.clone())]);
    let start = Instant::now();
    while !second.events().any(|event| matches!(event, Event::Failed(text) if text.contains("open in another window"))) {
        assert!(start.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(2));
    }
    send(&first, [Command::Pause]);
    let images = wait(&first, |s| !s.clock.running).clock.images;
    drop(first);
    send(&second, [Command::SwitchRun(own.clone())]);
    assert_eq!(wait(&second, |s| s.run == own).clock.images, images, "free again, with all that it had learned");
}

#[test]
fn a_run_is_named_duplicated_begun_again_and_deleted_with_a_way_back() {
    let folder = tempfile::tempdir().unwrap();
    let engine = keeping(folder.path(), false, small_preset("ridge"));
    send(&engine, [Command::Pause, Command::Step(100)]);
    let first = wait(&engine, |s| !s.clock.running && s.clock.steps >= 100);
    let run = first.run.clone();
    send(&engine, [Command::RenameRun(run.clone(), "strong adaptation".into()), Command::DuplicateRun(run.clone())]);
    let copy = wait(&engine, |s| s.run != run);
    assert_eq!((&copy.states, copy.clock.steps), (&first.states, first.clock.steps));
    step(&engine, copy.clock.steps, 50); // the copy goes on by itself
    let changes = vec![("adaptation", Value::Number(0.0))];
    send(&engine, [Command::SameAgain { run: run.clone(), changes }]);
    let again = wait(&engine, |s| s.run != run && s.run != copy.run);
    assert_eq!((again.config.dynamics.adaptation, again.clock.steps), (0.0, 0));
    let named = |s: &Snapshot| s.runs.as_ref().is_some_and(|list| list.runs.iter().any(|r| r.title() == "strong adaptation"));
    let list = wait(&engine, |s| named(s) && s.runs.as_ref().unwrap().runs.len() >= 2).runs.clone().unwrap();
    assert!(list.runs.iter().all(|run| !run.is_elsewhere), "all are this program's");
    // Deleted, also where it runs; and taken back.
    send(&engine, [Command::SwitchRun(run.clone()), Command::DeleteRun(run.clone())]);
    let left = wait(&engine, |s| s.run != run && s.runs.as_ref().is_some_and(|list| list.deleted.as_ref() == Some(&run)));
    assert!(left.runs.as_ref().unwrap().runs.iter().all(|other| other.id != run));
    send(&engine, [Command::RestoreRun(run.clone())]);
    wait(&engine, named);
    send(&engine, [Command::SwitchRun(run.clone())]);
    let back = wait(&engine, |s| s.run == run);
    assert_eq!((&back.states, back.clock.steps), (&first.states, first.clock.steps));
}

#[test]
fn what_the_views_have_shown_is_kept_with_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let engine = keeping(folder.path(), false, small_preset("bars"));
    let run = wait(&engine, |s| s.clock.images > 100).run.clone();
    let views = ViewArrays { arrays: vec![("learning".into(), Array2::ones((3, 8)))], ..ViewArrays::default() };
    send(&engine, [Command::KeepViews(run.clone(), Box::new(views.clone()))]);
    drop(engine);
    let engine = keeping(folder.path(), true, small_preset("ridge"));
    let found = wait(&engine, |s| s.run == run).views.clone().unwrap();
    assert_eq!(found.arrays, views.arrays);
}

#[test]
fn the_window_s_curves_come_back_with_their_run() {
    let folder = tempfile::tempdir().unwrap();
    let autosave = AutosaveOptions { folder: folder.path().into(), older: None, interval: HOUR, recover: true };
    let ctx = egui::Context::default();
    let open = |config| App::start(&ctx, Options { config, autosave: Some(autosave.clone()), ..Options::default() }).unwrap();
    let until = |app: &mut App, done: &dyn Fn(&App) -> bool| {
        let start = Instant::now();
        while !done(app) {
            app.drain(&ctx);
            assert!(start.elapsed() < Duration::from_secs(20));
            std::thread::sleep(Duration::from_millis(2));
        }
    };
    let mut app = open(small_preset("bars"));
    until(&mut app, &|app| app.state.learning.len() > 20);
    let curve = app.state.learning.clone();
    drop(app); // closing keeps them
    let mut app = open(small_preset("ridge"));
    until(&mut app, &|app| app.state.latest.is_some());
    assert!(app.state.learning.starts_with(&curve), "{} points, {} before", app.state.learning.len(), curve.len());
}

#[test]
fn the_past_of_a_run_comes_back_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let engine = keeping(folder.path(), false, small_preset("ridge"));
    let run = wait(&engine, |s| s.clock.steps > 0).run.clone();
    let events = || {
        let begin = Instant::now();
        loop {
            if let Some(Event::Timeline(of, timeline)) = engine.events().find(|event| matches!(event, Event::Timeline(..))) {
                return (of, *timeline);
            }
            assert!(begin.elapsed() < Duration::from_secs(20));
            std::thread::sleep(Duration::from_millis(1));
        }
    };
    assert_eq!(events(), (run.clone(), RunTimeline::default()), "a new one has none");
    let moment = |i: u8| Moment { seconds: f64::from(i), time_ms: 1.0, images: 2, packed: Arc::new(PackedSnapshot::new(vec![i; 1000])) };
    let bookmarks = vec![Bookmark { seconds: 3.0, note: "here".into() }];
    let timeline = RunTimeline { moments: (0..9).map(moment).collect(), bookmarks };
    send(&engine, [Command::KeepTimeline(run.clone(), Box::new(timeline.clone())), Command::Load(Box::new(small_preset("ring")))]);
    assert_eq!(events().1, RunTimeline::default());
    // Handed over and asked for at once: what is read is what was handed over.
    let mut more = timeline.clone();
    more.moments.push(moment(9));
    send(&engine, [Command::KeepTimeline(run.clone(), Box::new(more.clone())), Command::SwitchRun(run.clone())]);
    assert_eq!(events(), (run, more));
}

#[test]
fn the_window_s_past_is_there_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let ctx = egui::Context::default();
    let autosave = AutosaveOptions { folder: folder.path().into(), older: None, interval: HOUR, recover: true };
    let kept = |seconds: u64| {
        let options = Options { config: small_preset("bars"), autosave: Some(autosave.clone()), ..Options::default() };
        let mut app = App::start(&ctx, options).unwrap();
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_secs(seconds) {
            app.drain(&ctx);
            std::thread::sleep(Duration::from_millis(2));
        }
        drop(app);
        RunTimeline::load(&folder.path().join("0001-bars/timeline.bin"))
    };
    let first = kept(3);
    assert!(first.moments.len() > 1, "{} moments", first.moments.len());
    let second = kept(3);
    assert!(second.moments.len() > first.moments.len() && second.moments.starts_with(&first.moments));
    assert!(second.moments.is_sorted_by(|a, b| a.seconds < b.seconds && a.images <= b.images));
    let snapshots: Vec<Snapshot> = second.moments.iter().map(|moment| unpack(&moment.packed.bytes().unwrap()).unwrap()).collect();
    assert!(snapshots.iter().zip(&second.moments).all(|(snapshot, moment)| snapshot.clock.images == moment.images));
    let models = [&snapshots[0], &snapshots[snapshots.len() - 1]].map(|snapshot| snapshot.model_id);
    assert_ne!(models[0], models[1], "what one start has shown is not taken for what another one has");
}

#[test]
fn a_run_id_from_elsewhere_opens_nothing_outside_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let engine = keeping(folder.path(), false, small_preset("ridge"));
    let run = wait(&engine, |_| true).run.clone();
    for id in ["../..", "", "deleted", "no such run"] {
        let id = RunId(id.into());
        send(&engine, [Command::SwitchRun(id.clone()), Command::DuplicateRun(id.clone()), Command::DeleteRun(id.clone())]);
    }
    send(&engine, [Command::Step(1)]);
    assert_eq!(wait(&engine, |s| !s.clock.running).run, run, "the present one goes on");
}
