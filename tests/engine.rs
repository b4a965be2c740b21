//! The simulation thread: commands in order, a reader that is slow or absent, NaN, panics, the end.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use heescope::engine::{Command, Engine, Event, MAX_SAMPLES, Pace, Parameter, Snapshot};
use heescope::experiment::{Config, presets};
use std::time::{Duration, Instant};

fn small() -> Config {
    let mut config = presets::by_name("dead-leaves").unwrap();
    config.data.patches = 500;
    config.stimulus.batch = 25;
    config
}

/// The first snapshot for which `wanted` holds; fails after 20 s.
fn wait(engine: &Engine, wanted: impl Fn(&Snapshot) -> bool) -> Box<Snapshot> {
    let start = Instant::now();
    loop {
        if let Some(snapshot) = engine.take_snapshot()
            && wanted(&snapshot)
        {
            return snapshot;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "waited too long");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn wait_event(engine: &Engine, wanted: impl Fn(&Event) -> bool) -> Event {
    let start = Instant::now();
    loop {
        if let Some(event) = engine.events().find(&wanted) {
            return event;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "waited too long");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn commands_act_in_order() {
    let engine = Engine::start(small(), || {}).unwrap();
    for command in [
        Command::Pause,
        Command::Reset,
        Command::SetParameter(Parameter::TauVMs(12.0)),
        Command::SetParameter(Parameter::TauVMs(34.0)),
        Command::Step(7),
    ] {
        assert!(engine.send(command));
    }
    let snapshot = wait(&engine, |s| s.clock.steps == 7 && s.config.dynamics.tau_v_ms == 34.0);
    assert!(!snapshot.clock.running);
    assert!(engine.send(Command::SetParameter(Parameter::TauXMs(-1.0))));
    let Event::Failed(text) = wait_event(&engine, |e| matches!(e, Event::Failed(_))) else { unreachable!() };
    assert!(text.contains("tau_x_ms = -1"), "{text}");
}

#[test]
fn an_absent_reader_blocks_nothing_and_lists_stay_bounded() {
    let engine = Engine::start(small(), || {}).unwrap();
    assert!(engine.send(Command::SetPace(Pace::Full)));
    for i in 0..5000 {
        engine.send(Command::SetParameter(Parameter::Adaptation(f64::from(i % 5)))); // many are refused: the queue is bounded
        engine.send(Command::SetParameter(Parameter::TauXMs(-1.0))); // events nobody reads
    }
    std::thread::sleep(Duration::from_millis(800));
    let first = wait(&engine, |_| true);
    std::thread::sleep(Duration::from_millis(100));
    let later = wait(&engine, |s| s.clock.steps > first.clock.steps);
    assert!(later.clock.dropped > 0, "what was not drawn is counted");
    assert!(later.traces.iter().all(|t| t.len() <= MAX_SAMPLES));
}

#[test]
fn not_a_number_pauses_with_the_reason_and_good_weights() {
    let engine = Engine::start(small(), || {}).unwrap();
    wait(&engine, |s| s.clock.steps > 20);
    assert!(engine.send(Command::PoisonForTest));
    let Event::Halted(reason) = wait_event(&engine, |e| matches!(e, Event::Halted(_))) else { unreachable!() };
    assert!(reason.contains("finite"), "{reason}");
    let snapshot = wait(&engine, |s| !s.clock.running);
    assert!(snapshot.weights[0].iter().all(|w| w.is_finite()));
    assert!(snapshot.governor.limit_ms > 0.1 && snapshot.governor.stiffness.iter().all(|l| l.is_finite()), "the governor works again");
    assert!(engine.send(Command::Run));
    wait(&engine, |s| s.clock.running && s.clock.steps > snapshot.clock.steps + 20);
}

#[test]
fn a_panic_is_reported_and_survived() {
    let engine = Engine::start(small(), || {}).unwrap();
    wait(&engine, |_| true);
    assert!(engine.send(Command::PanicForTest));
    let Event::Halted(reason) = wait_event(&engine, |e| matches!(e, Event::Halted(_))) else { unreachable!() };
    assert!(reason.contains("asked to panic"), "{reason}");
    assert!(engine.send(Command::Run));
    let before = wait(&engine, |s| s.clock.running).clock.steps;
    wait(&engine, |s| s.clock.steps > before);
}

#[test]
fn the_end_joins_even_with_a_full_queue() {
    let engine = Engine::start(small(), || {}).unwrap();
    while engine.send(Command::NextStimulus) {}
    let start = Instant::now();
    drop(engine);
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[test]
fn the_law_does_not_depend_on_the_pace_or_the_reader() {
    let run = |pace: Pace, read: bool| {
        let engine = Engine::start(small(), || {}).unwrap();
        for command in [Command::Pause, Command::SetPace(pace), Command::Reset, Command::Step(150)] {
            assert!(engine.send(command));
        }
        if !read {
            std::thread::sleep(Duration::from_millis(300));
        }
        wait(&engine, |s| s.clock.steps == 150 && s.model_id == 2).weights[0].iter().map(|w| w.to_bits()).collect::<Vec<_>>()
    };
    assert!(run(Pace::Full, true) == run(Pace::StepsPerSecond(100.0), false), "bit-identical");
}

#[test]
fn a_rebuild_can_be_taken_back_and_a_slow_one_stopped() {
    let engine = Engine::start(small(), || {}).unwrap();
    let first = wait(&engine, |s| s.clock.images > 100);
    assert!(first.previous.is_none());
    assert!(engine.send(Command::Pause));
    let learned = wait(&engine, |s| !s.clock.running);
    assert!(engine.send(Command::Load(Box::new(presets::by_name("ridge").unwrap()))));
    let ridge = wait(&engine, |s| s.config.model.name == "ridge");
    assert_eq!(ridge.previous, Some(("dead-leaves".into(), learned.clock.images)));
    assert!(engine.send(Command::Back));
    let back = wait(&engine, |s| s.config.model.name == "dead-leaves");
    assert_eq!(back.weights[0], learned.weights[0]);

    // Enough large images that reading them takes seconds; asked to stop, the model before goes on.
    let folder = tempfile::tempdir().unwrap();
    let picture = image::GrayImage::from_fn(2000, 1500, |x, y| image::Luma([((x * 31) ^ (y * 17)) as u8]));
    picture.save(folder.path().join("0.png")).unwrap();
    for i in 1..30 {
        std::fs::copy(folder.path().join("0.png"), folder.path().join(format!("{i}.png"))).unwrap();
    }
    assert!(engine.send(Command::UseImages(vec![folder.path().into()])));
    let start = Instant::now();
    let seen = loop {
        if let Some((what, done, total)) = engine.progress().state()
            && done > 0
        {
            break (what, total);
        }
        assert!(start.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(1));
    };
    assert_eq!(seen, ("reading images", 30));
    engine.progress().cancel();
    let before_that = back.previous.clone();
    let Event::Failed(text) = wait_event(&engine, |e| matches!(e, Event::Failed(_))) else { unreachable!() };
    assert!(text.contains("stopped"), "{text}");
    assert!(engine.send(Command::Run));
    let went_on = wait(&engine, |s| s.model_id == back.model_id && s.clock.steps > back.clock.steps + 5);
    assert_eq!(went_on.previous, before_that, "what Back would bring is still there");
}

#[test]
fn a_fixed_stimulus_that_was_moved_stays_moved() {
    let engine = Engine::start(presets::by_name("explaining-away").unwrap(), || {}).unwrap();
    wait(&engine, |_| true);
    for command in [Command::SetStimulus(vec![0.7]), Command::NextStimulus] {
        assert!(engine.send(command));
    }
    let moved = wait(&engine, |s| s.stimulus.stimulus == [0.7] && s.stimulus.steps > 5);
    let most_likely = |s: &Snapshot| {
        let grid = s.exact_posterior.as_ref().unwrap();
        let best = grid.density.indexed_iter().max_by(|a, b| a.1.total_cmp(b.1)).unwrap().0;
        let at = |i: usize, n: usize, range: [f64; 2]| range[0] + (i as f64 + 0.5) / n as f64 * (range[1] - range[0]);
        at(best.1, 128, grid.x) + at(best.0, 128, grid.y)
    };
    assert!(most_likely(&moved) < 0.8, "the exact density belongs to the stimulus shown");
}
