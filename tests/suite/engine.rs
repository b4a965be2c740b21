//! The simulation thread: commands in order, a reader that is slow or absent, NaN, panics, the end.

use heescope::engine::{COMPLETIONS, Command, Engine, Event, Halt, MAX_SAMPLES, Pace, Snapshot};
use heescope::experiment::parameters::Value;
use heescope::experiment::{Config, InterneuronMode, modelfile, presets};
use heescope::model::FamilyConfig;
use std::time::{Duration, Instant};

fn small() -> Config {
    let mut config = presets::by_name("dead-leaves").unwrap();
    config.data.patches = 500;
    config.stimulus.batch = 25;
    config
}

/// A preset small enough to be built in a moment.
pub(crate) fn small_preset(preset: &str) -> Config {
    let mut config = presets::by_name(preset).unwrap();
    config.data.patches = config.data.patches.min(400);
    config.stimulus.batch = config.stimulus.batch.min(25);
    if config.stimulus.images > 0 {
        (config.stimulus.images, config.stimulus.first_images) = (200, 200);
    }
    config.dynamics.threads = 1;
    config
}

/// The first snapshot for which `wanted` holds; fails after 20 s.
pub fn wait(engine: &Engine, wanted: impl Fn(&Snapshot) -> bool) -> Box<Snapshot> {
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
        Command::SetParameter { key: "tau_v_ms", value: Value::Number(12.0) },
        Command::SetParameter { key: "tau_v_ms", value: Value::Number(34.0) },
        Command::Step(7),
    ] {
        assert!(engine.send(command));
    }
    let snapshot = wait(&engine, |s| s.clock.steps == 7 && s.config.dynamics.tau_v_ms == 34.0);
    assert!(!snapshot.clock.running);
    assert!(engine.send(Command::SetParameter { key: "tau_x_ms", value: Value::Number(-1.0) }));
    let Event::Failed(text) = wait_event(&engine, |e| matches!(e, Event::Failed(_))) else { unreachable!() };
    assert!(text.contains("tau_x_ms = -1"), "{text}");
}

#[test]
fn an_absent_reader_blocks_nothing_and_lists_stay_bounded() {
    let engine = Engine::start(small(), || {}).unwrap();
    assert!(engine.send(Command::SetPace(Pace::Full)));
    for i in 0..5000 {
        engine.send(Command::SetParameter { key: "adaptation", value: Value::Number(f64::from(i % 5)) }); // many are refused: the queue is bounded
        engine.send(Command::SetParameter { key: "tau_x_ms", value: Value::Number(-1.0) }); // events nobody reads
    }
    std::thread::sleep(Duration::from_millis(800));
    let first = wait(&engine, |_| true);
    std::thread::sleep(Duration::from_millis(100));
    let later = wait(&engine, |s| s.clock.steps > first.clock.steps);
    assert!(later.clock.dropped > 0, "what was not drawn is counted");
    assert!(later.increment.traces.iter().all(|t| t.len() <= MAX_SAMPLES));
}

#[test]
fn not_a_number_pauses_with_the_reason_and_good_weights() {
    let engine = Engine::start(small(), || {}).unwrap();
    wait(&engine, |s| s.clock.steps > 20);
    assert!(engine.send(Command::PoisonForTest));
    let Event::Halted(Halt { reason, .. }) = wait_event(&engine, |e| matches!(e, Event::Halted(_))) else { unreachable!() };
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
    let Event::Halted(Halt { reason, .. }) = wait_event(&engine, |e| matches!(e, Event::Halted(_))) else { unreachable!() };
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
        let first = wait(&engine, |_| true).model_id;
        for command in [Command::Pause, Command::SetPace(pace), Command::Reset, Command::Step(150)] {
            assert!(engine.send(command));
        }
        if !read {
            std::thread::sleep(Duration::from_millis(300));
        }
        wait(&engine, |s| s.clock.steps == 150 && s.model_id != first).weights[0].iter().map(|w| w.to_bits()).collect::<Vec<_>>()
    };
    assert!(run(Pace::Full, true) == run(Pace::StepsPerSecond(100.0), false), "bit-identical");
}

#[test]
fn the_sampler_with_the_settings_of_the_panel_follows_them_from_where_it_is() {
    let engine = Engine::start(presets::by_name("ridge").unwrap(), || {}).unwrap();
    let race = |s: &Snapshot| s.race.clone().filter(|race| race.time_ms > 300.0);
    let before = wait(&engine, |s| race(s).is_some());
    let own = before.config.dynamics;
    let far = 3.0 * own.adaptation;
    assert!(engine.send(Command::SetParameter { key: "adaptation", value: Value::Number(far) }));
    let after = wait(&engine, |s| s.race.as_ref().is_some_and(|race| race.racers.iter().any(|racer| racer.config.adaptation == far)));
    let [still, moved] = &after.race.as_ref().unwrap().racers[..] else { panic!("two samplers race") };
    assert!(still.config.adaptation == 0.0 && moved.config.adaptation == far, "the one without adaptation stays as it is");
    assert!(after.race.as_ref().unwrap().time_ms < 300.0, "what was measured of the settings before is forgotten");
    // The chains go on: those of a race that begins anew stand in one place.
    let spread = |at: &[[f32; 2]]| {
        let mean = at.iter().map(|p| p[0]).sum::<f32>() / at.len() as f32;
        (at.iter().map(|p| (p[0] - mean).powi(2)).sum::<f32>() / at.len() as f32).sqrt()
    };
    let first = moved.trail.first().unwrap();
    assert!(spread(first) > 0.1, "{} after a change", spread(first));
    // Interneurons that come or go need networks of their own: that race begins anew.
    assert!(engine.send(Command::SetParameter { key: "interneurons", value: Value::Whole(7) }));
    let anew =
        wait(&engine, |s| s.race.as_ref().is_some_and(|race| race.racers.last().is_some_and(|racer| racer.config.interneurons == 7)));
    assert_eq!(anew.race.as_ref().unwrap().racers[0].config.interneurons, own.interneurons);
    assert!(engine.send(Command::SetParameter { key: "tau_v_ms", value: Value::Number(2.0 * own.tau_v_ms) }));
    wait(&engine, |s| s.race.as_ref().is_some_and(|race| race.racers[1].config.tau_v_ms == 2.0 * own.tau_v_ms));
}

#[test]
fn at_full_speed_the_pair_is_that_of_one_presentation() {
    let config = small();
    let (steps, batch) = (config.stimulus.steps_per_stimulus, config.stimulus.batch);
    let engine = Engine::start(config, || {}).unwrap();
    engine.send(Command::SetPace(Pace::Full));
    let (mut recorded, mut apart) = (0, 0);
    let mut images = wait(&engine, |s| s.clock.images > 1000).clock.images;
    for _ in 0..20 {
        let snapshot = wait(&engine, |s| s.clock.images > images);
        apart += u64::from(snapshot.clock.images - images > 2 * batch as u64);
        images = snapshot.clock.images;
        assert!(snapshot.increment.pairs.len() <= steps, "{} steps of a presentation of {steps}", snapshot.increment.pairs.len());
        assert!(snapshot.increment.pairs.iter().all(|step| step.len() == batch), "every network has its point");
        recorded += snapshot.increment.pairs.len();
    }
    assert!(recorded > 0, "the presentation shown is recorded");
    assert!(apart > 0, "many presentations pass between two snapshots, as long as the machine has nothing else to do");
}

#[test]
fn at_full_speed_snapshots_are_fewer_but_what_was_asked_for_is_shown_at_once() {
    let engine = Engine::start(small(), || {}).unwrap();
    engine.send(Command::SetPace(Pace::Full));
    wait(&engine, |s| s.clock.images > 1000);
    let time = |ask: bool| {
        let begin = Instant::now();
        for k in 0..12 {
            let tau = 20.0 + f64::from(k);
            if ask {
                engine.send(Command::SetParameter { key: "tau_v_ms", value: Value::Number(tau) });
            }
            wait(&engine, |s| !ask || s.config.dynamics.tau_v_ms == tau);
        }
        begin.elapsed()
    };
    let least = Duration::from_millis(11 * 25); // however slow or fast the machine is
    assert!(time(false) > least, "12 snapshots in less than {least:?}");
    let asked = (0..4).map(|_| time(true)).min().unwrap(); // a busy machine may delay one of them
    assert!(asked < least * 4 / 5, "{asked:?} with a command before each, at least {least:?} without");
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

/// Two gaussian pixels below one gaussian cause, linear: x_0 = w x_1 + sigma noise; many networks, short steps.
fn two_pixels(w: [f32; 2]) -> Config {
    let mut config = presets::by_name("chain").unwrap();
    config.model.layers.truncate(2);
    config.model.layers[1].size = 1;
    for (layer, sigma) in config.model.layers.iter_mut().zip([0.6, 1.0]) {
        layer.family = FamilyConfig::Gaussian { sigma };
    }
    config.model.weights = w.iter().map(|&w| vec![w]).collect();
    config.model.deeper_weights.clear();
    config.stimulus.values = vec![0.9, -0.7];
    config.stimulus.batch = 500;
    config.dynamics.interneuron_mode = InterneuronMode::Exact;
    (config.dynamics.dt_ms, config.dynamics.adaptation) = (0.2, 0.0);
    config
}

#[test]
fn completions_have_the_conditional_mean_and_spread() {
    let (w, sigma2, clamped, h) = ([1.0f64, 0.8], 0.36, 0.9f64, 0.002);
    // Without adaptation the pair (x_1, free pixel) follows the gradient of a quadratic form: its softest direction, of curvature
    // `slowest`, bounds how far draws of one chain depend on each other.
    let (a, b, c) = (1.0 + (w[0] * w[0] + w[1] * w[1]) / sigma2, -w[1] / sigma2, 1.0 / sigma2);
    let slowest = 0.5 * (a + c) - (0.25 * (a - c).powi(2) + b * b).sqrt();
    // x_1 given the clamped pixel, then the free one given x_1.
    let precision = 1.0 + w[0] * w[0] / sigma2;
    let (mean, variance) = (w[1] * w[0] * clamped / sigma2 / precision, sigma2 + w[1] * w[1] / precision);
    let z = |strength: f32| {
        let engine = Engine::start(two_pixels([1.0, 0.8 * strength]), || {}).unwrap();
        for command in [Command::Pause, Command::FreePixels(vec![false, true]), Command::Step(6500)] {
            assert!(engine.send(command));
        }
        let done = wait(&engine, |s| s.clock.steps == 6500).state.stimulus.completed.unwrap();
        assert_eq!((done.networks, done.free, done.mean[0], done.spread[0]), (500, vec![false, true], 0.9, 0.0));
        assert!((4900..=5000).contains(&done.steps), "a burn-in of three tau_x: {}", done.steps);
        let independent = 500.0 * (done.steps as f64 * h * slowest / 2.0).max(1.0);
        let by_mean = (f64::from(done.mean[1]) - mean).abs() / (variance / independent).sqrt();
        let found = f64::from(done.spread[1]).powi(2);
        by_mean.max((found - variance).abs() / (variance * (2.0 / independent).sqrt()))
    };
    let found = z(1.0);
    assert!(found < 5.0, "z = {found}");
    let bug = z(1.25);
    assert!(bug > 5.0, "a weight that is too strong is not seen: z = {bug}");
}

#[test]
fn freed_pixels_move_and_clamped_ones_stay_to_the_bit() {
    let engine = Engine::start(small(), || {}).unwrap();
    assert!(engine.send(Command::FreePixels(vec![true; 144])));
    let Event::Failed(text) = wait_event(&engine, |e| matches!(e, Event::Failed(_))) else { unreachable!() };
    assert!(text.contains("while the stimulus is held"), "{text}");
    let mask: Vec<bool> = (0..144).map(|i| i % 12 < 4).collect();
    for command in [Command::HoldStimulus(true), Command::FreePixels(mask.clone())] {
        assert!(engine.send(command));
    }
    let first = wait(&engine, |s| s.stimulus.completed.is_some());
    let later = wait(&engine, |s| s.clock.steps > first.clock.steps + 20);
    let [before, after] = [&first, &later].map(|s| s.stimulus.completed.clone().unwrap());
    assert_eq!((&before.free, before.samples.len(), before.expected.len()), (&mask, COMPLETIONS, COMPLETIONS));
    assert_eq!(first.stimulus.stimulus, later.stimulus.stimulus, "what was given is remembered under the mask");
    for (x, y) in before.samples.iter().zip(&after.samples) {
        for i in 0..144 {
            assert_eq!(x[i].to_bits() == y[i].to_bits(), !mask[i], "pixel {i}");
            assert!(mask[i] || x[i].to_bits() == first.stimulus.stimulus[i].to_bits(), "pixel {i} is clamped at the stimulus");
        }
    }
    assert_ne!(before.samples[0], before.samples[1], "networks complete on their own");
    // Drawn on while freed: clamped pixels take the values, freed ones go on from where they are.
    let mut drawn = later.stimulus.stimulus.clone();
    drawn.iter_mut().for_each(|x| *x += 1.0);
    assert!(engine.send(Command::Pause));
    let paused = wait(&engine, |s| !s.clock.running).state.stimulus.completed.unwrap();
    assert!(engine.send(Command::SetStimulus(drawn.clone())));
    let moved = wait(&engine, |s| s.stimulus.stimulus == drawn).state.stimulus.completed.unwrap();
    for i in 0..144 {
        assert_eq!(moved.samples[0][i], if mask[i] { paused.samples[0][i] } else { drawn[i] });
    }
    assert!(engine.send(Command::RestartCompletions));
    let anew = wait(&engine, |s| s.stimulus.completed.as_ref().is_some_and(|done| done.samples != moved.samples))
        .state
        .stimulus
        .completed
        .unwrap();
    assert!(anew.steps == 0 && mask.iter().zip(&anew.samples[0]).zip(&drawn).all(|((free, x), y)| *free || x == y));
    // Clamped again, each pixel has its given value; going on with other stimuli frees nothing.
    assert!(engine.send(Command::FreePixels(Vec::new())));
    let clamped = wait(&engine, |s| s.stimulus.completed.is_none());
    assert_eq!(clamped.states[0], drawn);
    assert!(engine.send(Command::FreePixels(mask)) && engine.send(Command::HoldStimulus(false)));
    assert!(wait(&engine, |s| !s.stimulus.held).stimulus.completed.is_none());
}

/// What is learned in `folder`, saved when the engine ends and whenever `interval` has passed.
fn saving(folder: &std::path::Path, interval: Duration, recover: bool, config: Config) -> Engine {
    let autosave = heescope::engine::AutosaveOptions { folder: folder.into(), older: None, interval, recover };
    Engine::start_with(config, Some(autosave), || {}).unwrap()
}

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn what_was_learned_is_there_again_after_the_end_and_goes_on_exactly() {
    let folder = tempfile::tempdir().unwrap();
    let engine = saving(folder.path(), HOUR, true, small());
    for command in [Command::Pause, Command::Reset, Command::Step(200)] {
        assert!(engine.send(command));
    }
    wait(&engine, |s| s.clock.steps == 200);
    drop(engine); // closing saves
    let engine = saving(folder.path(), HOUR, true, presets::by_name("ridge").unwrap());
    let Event::Resumed(text) = wait_event(&engine, |e| matches!(e, Event::Resumed(_))) else { unreachable!() };
    assert!(text.starts_with("Recovered dead-leaves, 350 images seen, saved "), "{text}");
    assert!(engine.send(Command::Pause));
    let steps = wait(&engine, |s| !s.clock.running).clock.steps;
    assert!(engine.send(Command::Step(400 - steps)));
    let again = wait(&engine, |s| s.clock.steps == 400);
    let unbroken = Engine::start(small(), || {}).unwrap();
    for command in [Command::Pause, Command::Reset, Command::Step(400)] {
        assert!(unbroken.send(command));
    }
    let never_stopped = wait(&unbroken, |s| s.clock.steps == 400);
    assert_eq!(again.weights, never_stopped.weights);
    assert_eq!((&again.states, again.clock.images), (&never_stopped.states, never_stopped.clock.images));
}

#[test]
fn a_start_that_asks_for_another_model_keeps_what_was_learned_for_back() {
    let folder = tempfile::tempdir().unwrap();
    let engine = saving(folder.path(), HOUR, true, small());
    wait(&engine, |s| s.clock.images > 300);
    drop(engine);
    let images = modelfile::load(&folder.path().join("0001-dead-leaves/state.npz")).unwrap().0.learning.images_seen;
    let mut bars = presets::by_name("bars").unwrap();
    bars.data.patches = 300;
    let engine = saving(folder.path(), Duration::ZERO, false, bars);
    let Event::Resumed(text) = wait_event(&engine, |e| matches!(e, Event::Resumed(_))) else { unreachable!() };
    assert_eq!(text, format!("What was learned before is kept (dead-leaves, {images} images seen): Back brings it"));
    let snapshot = wait(&engine, |s| s.config.model.name == "bars" && s.clock.images > 300); // saved all the time meanwhile
    assert_eq!(snapshot.previous, Some(("dead-leaves".to_string(), images)));
    assert!(engine.send(Command::Back));
    let snapshot = wait(&engine, |s| s.config.model.name == "dead-leaves");
    assert!(snapshot.clock.images >= images && snapshot.previous.as_ref().is_some_and(|(name, _)| name == "bars"));
    drop(engine);
    // Both are there again at the next start.
    let engine = saving(folder.path(), HOUR, true, presets::by_name("ridge").unwrap());
    let snapshot = wait(&engine, |_| true);
    assert_eq!(
        (snapshot.config.model.name.as_str(), snapshot.previous.as_ref().map(|(name, _)| name.as_str())),
        ("dead-leaves", Some("bars"))
    );
}

#[test]
fn a_save_that_cannot_be_read_costs_one_interval_and_is_put_aside_where_there_is_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join("0001-dead-leaves").join(name);
    let engine = saving(folder.path(), Duration::ZERO, true, small());
    let start = Instant::now();
    while !path("state.previous.npz").exists() {
        assert!(start.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(2));
    }
    drop(engine);
    std::fs::write(path("state.npz"), "a disk that lost it").unwrap();
    let engine = saving(folder.path(), HOUR, true, presets::by_name("ridge").unwrap());
    let Event::Resumed(text) = wait_event(&engine, |e| matches!(e, Event::Resumed(_))) else { unreachable!() };
    assert!(text.starts_with("Recovered dead-leaves") && text.ends_with("the file that was saved last could not be read"), "{text}");
    drop(engine);
    for name in ["state.npz", "state.previous.npz"] {
        std::fs::write(path(name), "both are lost").unwrap();
    }
    let engine = saving(folder.path(), Duration::ZERO, true, small());
    let put_aside = |e: &Event| matches!(e, Event::Failed(text) if text.contains("state.not-recovered-1.npz"));
    wait_event(&engine, put_aside);
    wait(&engine, |s| s.config.model.name == "dead-leaves" && s.clock.images > 100);
    drop(engine);
    assert_eq!(std::fs::read_to_string(path("state.not-recovered-1.npz")).unwrap(), "both are lost");
    assert!(modelfile::load(&folder.path().join("0002-dead-leaves/state.npz")).is_ok(), "the run that began in its place");
}

#[test]
fn back_brings_the_very_same_run_and_a_panic_loses_nothing_that_was_learned() {
    let folder = tempfile::tempdir().unwrap();
    let engine = saving(folder.path(), HOUR, true, small());
    for command in [Command::Pause, Command::Reset, Command::Step(100)] {
        assert!(engine.send(command));
    }
    let before = wait(&engine, |s| s.clock.steps == 100);
    assert!(engine.send(Command::Load(Box::new(presets::by_name("ridge").unwrap()))));
    wait(&engine, |s| s.config.model.name == "ridge");
    for command in [Command::Back, Command::Step(50)] {
        assert!(engine.send(command));
    }
    let after = wait(&engine, |s| s.clock.steps == 150);
    let unbroken = Engine::start(small(), || {}).unwrap();
    for command in [Command::Pause, Command::Reset, Command::Step(150)] {
        assert!(unbroken.send(command));
    }
    assert_eq!(after.weights, wait(&unbroken, |s| s.clock.steps == 150).weights);
    assert!(after.clock.images > before.clock.images);
    assert!(engine.send(Command::PanicForTest));
    wait_event(&engine, |e| matches!(e, Event::Halted(_)));
    // A panic of whoever holds the engine ends it as closing does.
    let unwound = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
        let _engine = engine;
        panic!("asked to panic");
    }));
    assert!(unwound.is_err());
    let saved = modelfile::load(&folder.path().join(&after.run.0).join("state.npz")).unwrap();
    assert_eq!(saved.1.weights[0], *after.weights[0]);
}

#[test]
fn the_likelihood_is_measured_while_weights_learn_and_outlives_no_model() {
    let mut config = presets::by_name("digits").unwrap();
    config.dynamics.threads = 1;
    let engine = Engine::start(config, || {}).unwrap();
    assert!(engine.send(Command::SetPace(Pace::Full)) && engine.send(Command::MeasureLikelihood(true)));
    let snapshot = wait(&engine, |s| s.likelihood.as_ref().is_some_and(|found| found.points.len() >= 2));
    let found = snapshot.likelihood.as_ref().unwrap();
    assert_eq!((found.on, found.of.as_str(), &found.problem), (true, "50 held-out images", &None));
    let [first, second] = [found.points[0], found.points[1]];
    assert!(second.images > first.images && second.mean > first.mean, "{first:?} {second:?}");

    assert!(engine.send(Command::MeasureLikelihood(false)));
    let kept = wait(&engine, |s| s.likelihood.as_ref().is_some_and(|found| !found.on));
    assert!(kept.likelihood.as_ref().unwrap().points.starts_with(&found.points), "the points stay");

    // What is measured goes on with the next model, of which nothing is known yet; one with a fixed stimulus says why not.
    assert!(engine.send(Command::MeasureLikelihood(true)));
    assert!(engine.send(Command::Load(Box::new(presets::by_name("ridge").unwrap()))));
    let fixed = wait(&engine, |s| s.model_id != kept.model_id && s.likelihood.as_ref().is_some_and(|found| found.problem.is_some()));
    let found = fixed.likelihood.as_ref().unwrap();
    assert!(found.points.is_empty() && found.problem.as_ref().unwrap().contains("a fixed stimulus"), "{found:?}");
}

#[test]
fn what_moves_every_unit_is_published_where_it_is_asked_for() {
    let engine = Engine::start(presets::by_name("ridge").unwrap(), || {}).unwrap();
    assert!(wait(&engine, |s| s.clock.steps > 0).parts.is_none(), "nobody has asked");
    assert!(engine.send(Command::ShowParts(true)));
    let snapshot = wait(&engine, |s| s.parts.as_ref().is_some_and(|parts| parts[1].likelihood.iter().any(|&i| i != 0.0)));
    let (parts, sigma) = (snapshot.parts.as_ref().unwrap(), snapshot.sigmas[0].unwrap());
    assert_eq!(parts.len(), 2);
    assert!(parts[1].error.is_empty() && parts[0].adaptation.is_empty(), "nothing is above the top, and the observation does not adapt");
    let near = |a: f64, b: f64| (a - b).abs() <= 1e-4 * (1.0 + a.abs());
    for (i, &error) in parts[0].error.iter().enumerate() {
        let statistic = f64::from(snapshot.states[0][i]) / (sigma * sigma);
        assert!(near(f64::from(error), statistic - f64::from(parts[0].statistic[i])), "eps of unit {i} (model.md 2.2)");
    }
    for (j, &current) in parts[1].likelihood.iter().enumerate() {
        let pushed: f64 = parts[0].error.iter().zip(snapshot.weights[0].column(j)).map(|(&e, &w)| f64::from(e) * f64::from(w)).sum();
        assert!(near(f64::from(current), pushed), "the current of unit {j} is W^T eps (model.md 2.1): {current} {pushed}");
    }
    // The next model shows it too, until nobody looks.
    assert!(engine.send(Command::Load(Box::new(presets::by_name("v1-v2").unwrap()))));
    let next = wait(&engine, |s| s.model_id != snapshot.model_id && s.clock.steps > 0);
    assert_eq!(next.parts.as_ref().map(Vec::len), Some(3));
    assert!(engine.send(Command::ShowParts(false)));
    wait(&engine, |s| s.parts.is_none());
}

/// At full speed a snapshot comes between two presentations: neurons, interneurons and errors are those of the one that has ended.
#[test]
fn what_moves_every_unit_is_of_one_moment() {
    let mut config = presets::by_name("bars").unwrap();
    config.learning.enabled = false;
    let engine = Engine::start(config, || {}).unwrap();
    assert!(engine.send(Command::SetPace(Pace::Full)));
    assert!(engine.send(Command::ShowParts(true)));
    let mut images = 0;
    for _ in 0..10 {
        let snapshot = wait(&engine, |s| s.clock.images > images + 1000 && s.parts.is_some());
        images = snapshot.clock.images;
        let (parts, sigma) = (snapshot.parts.as_ref().unwrap(), snapshot.sigmas[0].unwrap());
        assert!(parts[1].neurons.iter().any(|&x| x != 0.0), "the neurons have not begun");
        let own = parts[0].neurons.iter().zip(&parts[0].statistic).map(|(&x, &mean)| f64::from(x) / (sigma * sigma) - f64::from(mean));
        let off = own.zip(&parts[0].error).map(|(own, &error)| (own - f64::from(error)).abs()).fold(0.0, f64::max);
        let largest = parts[0].error.iter().fold(0.0, |top: f64, &error| top.max(f64::from(error).abs()));
        assert!(off <= 1e-3 * largest, "errors are of another stimulus than what is shown: {off} of {largest}");
    }
}
