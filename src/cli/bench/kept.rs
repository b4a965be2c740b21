//! What it costs that a run is kept: autosave, timeline and recording, of the steps a second and of a frame, in bytes an hour; and how long it
//! takes to go on with another run and to open the one of yesterday.

use super::clock::median;
use super::watched::{Window, percentile};
use crate::app::Options;
use crate::engine::{AutosaveOptions, Command, Engine, Pace};
use crate::experiment::{Config, presets};
use anyhow::Context as _;
use std::path::Path;
use std::time::{Duration, Instant};

/// Before it counts, and of each phase that does.
const SETTLING: Duration = Duration::from_millis(3000);
const PHASE: Duration = Duration::from_millis(900);
/// Between two saves, as in the program.
const INTERVAL: Duration = Duration::from_secs(30);
/// Between two saves while it is measured what they cost: a hundred times as often.
const OFTEN: Duration = Duration::from_millis(300);
const PATIENCE: Duration = Duration::from_secs(60);
const HOUR: f64 = 3600.0;

/// Medians over rounds; the default preset at full speed, with 60 frames a second.
#[derive(Debug, serde::Serialize)]
pub(super) struct Kept {
    /// Shares of its steps that the engine loses to the timeline, to timeline and recording, and to autosave.
    pub lost_share_timeline: f64,
    pub lost_share_timeline_and_recording: f64,
    pub lost_share_autosave: f64,
    /// Standard errors of these.
    pub lost_share_timeline_error: f64,
    pub lost_share_timeline_and_recording_error: f64,
    pub lost_share_autosave_error: f64,
    /// What they add to the median work of a frame, ms.
    pub frame_ms_timeline: f64,
    pub frame_ms_timeline_and_recording: f64,
    /// Standard errors of these.
    pub frame_ms_timeline_error: f64,
    pub frame_ms_timeline_and_recording_error: f64,
    /// Bytes an hour: states that are written over and over, the timeline as it grows at first, a recording.
    pub autosave_bytes_an_hour: f64,
    pub timeline_bytes_an_hour: f64,
    pub recording_bytes_an_hour: f64,
    /// Until another run is shown that is in memory, and one that is on disk alone, ms.
    pub switch_in_memory_ms: f64,
    pub switch_from_disk_ms: f64,
    /// From the start of the engine until the run that was saved last is shown, ms.
    pub open_ms: f64,
}

/// Ways to keep what a window shows.
const NOTHING: usize = 0;
const TIMELINE: usize = 1;
const RECORDING: usize = 2;

/// Measures so many rounds. One window keeps nothing, a timeline, and a timeline and a recording in turn: whatever else it draws stays the
/// same.
pub(super) fn measure(rounds: usize) -> anyhow::Result<Kept> {
    let config = presets::by_name(presets::DEFAULT)?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("recording.heerec");
    let runs = folder.path().join("runs");
    let (mut rounds_found, mut recorded) = (Vec::<[(f64, f64); 3]>::new(), Vec::new());
    let options = Options {
        config: config.clone(),
        full_speed: true,
        autosave: Some(autosave(&runs, Duration::from_secs(3600), false)), // not while it is measured
        ..Options::default()
    };
    let mut window = Window::with(options)?;
    window.watch(SETTLING)?;
    let mut with_timeline = 0.0;
    for round in 0..rounds {
        let mut of_round = [(f64::NAN, f64::NAN); 3];
        // Each comes first, second and last in turn.
        for way in (0..3).map(|i| (i + round) % 3) {
            window.keep(way != NOTHING, (way == RECORDING).then_some(file.as_path()))?;
            let begin = Instant::now();
            let (rate, mut frames) = window.watch(PHASE)?;
            let seconds = begin.elapsed().as_secs_f64();
            of_round[way] = (rate, percentile(&mut frames, 0.5));
            with_timeline += if way == NOTHING { 0.0 } else { seconds };
            if way == RECORDING {
                window.keep(false, None)?;
                window.watch(Duration::from_millis(200))?; // what waited is written
                recorded.push(bytes(&file) / seconds * HOUR);
                std::fs::remove_file(&file)?;
            }
        }
        rounds_found.push(of_round);
    }
    window.keep(true, None)?;
    drop(window); // which writes the timeline
    let timeline =
        named(&runs, "timeline.bin").iter().map(|path| bytes(path)).sum::<f64>() / (SETTLING.as_secs_f64() + with_timeline) * HOUR;
    let lost = |way: usize| Spread::of(rounds_found.iter().map(|of| 1.0 - of[way].0 / of[NOTHING].0).collect());
    let added = |way: usize| Spread::of(rounds_found.iter().map(|of| of[way].1 - of[NOTHING].1).collect());
    let state = named(&runs, "state.npz").iter().map(|path| bytes(path)).fold(0.0, f64::max);
    let saving = saving(&config, &folder.path().join("saving"), rounds.div_ceil(3))?;
    let [switch_in_memory_ms, switch_from_disk_ms] = switches(&config, &folder.path().join("switches"))?;
    Ok(Kept {
        lost_share_timeline: lost(TIMELINE).median,
        lost_share_timeline_and_recording: lost(RECORDING).median,
        lost_share_autosave: saving.median,
        lost_share_timeline_error: lost(TIMELINE).error,
        lost_share_timeline_and_recording_error: lost(RECORDING).error,
        lost_share_autosave_error: saving.error,
        frame_ms_timeline: added(TIMELINE).median,
        frame_ms_timeline_and_recording: added(RECORDING).median,
        frame_ms_timeline_error: added(TIMELINE).error,
        frame_ms_timeline_and_recording_error: added(RECORDING).error,
        autosave_bytes_an_hour: state * HOUR / INTERVAL.as_secs_f64(),
        timeline_bytes_an_hour: timeline,
        recording_bytes_an_hour: median(recorded),
        switch_in_memory_ms,
        switch_from_disk_ms,
        open_ms: opening(&config, &folder.path().join("opening"))?,
    })
}

/// A median, and its standard error from the quartiles as of a normal law: rounds have stragglers.
struct Spread {
    median: f64,
    error: f64,
}

impl Spread {
    fn of(mut values: Vec<f64>) -> Self {
        let spread = (percentile(&mut values, 0.75) - percentile(&mut values, 0.25)) / 1.349;
        let error = (std::f64::consts::FRAC_PI_2 / values.len() as f64).sqrt() * spread;
        Self { median: median(values), error }
    }
}

/// The share of its steps that an engine loses to saves as often as they are: engines that save a hundred times as often, and such that do
/// not, in turn.
fn saving(config: &Config, folder: &Path, rounds: usize) -> anyhow::Result<Spread> {
    let mut lost = Vec::new();
    for round in 0..rounds {
        let mut rates = [f64::NAN; 2];
        for saves in [round % 2 == 0, round % 2 == 1] {
            let interval = if saves { OFTEN } else { Duration::from_secs(3600) };
            let engine =
                Engine::start_with(config.clone(), Some(autosave(&folder.join(format!("{round}{saves}")), interval, false)), || {})?;
            engine.send(Command::SetPace(Pace::Full));
            let steps = |at_least: u64| Ok::<u64, anyhow::Error>(wait(&engine, |snapshot| snapshot.clock.steps > at_least)?.clock.steps);
            steps(1000)?;
            std::thread::sleep(PHASE);
            let (first, begin) = (steps(0)?, Instant::now());
            std::thread::sleep(PHASE);
            rates[usize::from(saves)] = (steps(first)? - first) as f64 / begin.elapsed().as_secs_f64();
        }
        lost.push((1.0 - rates[1] / rates[0]) * OFTEN.as_secs_f64() / INTERVAL.as_secs_f64());
    }
    Ok(Spread::of(lost))
}

fn autosave(folder: &Path, interval: Duration, recover: bool) -> AutosaveOptions {
    AutosaveOptions { folder: folder.to_path_buf(), older: None, interval, recover }
}

/// Waits for a snapshot of this run.
fn wait(engine: &Engine, wanted: impl Fn(&crate::engine::Snapshot) -> bool) -> anyhow::Result<Box<crate::engine::Snapshot>> {
    let begin = Instant::now();
    loop {
        if let Some(snapshot) = engine.take_snapshot().filter(|snapshot| wanted(snapshot)) {
            return Ok(snapshot);
        }
        anyhow::ensure!(begin.elapsed() < PATIENCE, "the engine shows nothing");
        std::thread::sleep(Duration::from_micros(200));
    }
}

/// Until another run is shown: one that is in memory, and one that went out of it.
fn switches(config: &Config, folder: &Path) -> anyhow::Result<[f64; 2]> {
    let engine = Engine::start_with(config.clone(), Some(autosave(folder, OFTEN, false)), || {})?;
    engine.send(Command::SetPace(Pace::Full));
    let first = wait(&engine, |snapshot| snapshot.clock.images > 2000)?.run.clone();
    let load = || {
        engine.send(Command::Load(Box::new(config.clone())));
    };
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..6 {
        // Two runs beside the one that runs stay in memory.
        let others = [1, 3][round % 2];
        for _ in 0..others {
            let before = wait(&engine, |_| true)?.run.clone();
            load();
            wait(&engine, |snapshot| snapshot.run != before && snapshot.clock.images > 500)?;
        }
        let begin = Instant::now();
        engine.send(Command::SwitchRun(first.clone()));
        wait(&engine, |snapshot| snapshot.run == first)?;
        times[round % 2].push(begin.elapsed().as_secs_f64() * 1e3);
    }
    Ok(times.map(median))
}

/// Until the run that was saved last is shown by an engine that starts.
fn opening(config: &Config, folder: &Path) -> anyhow::Result<f64> {
    let engine = Engine::start_with(config.clone(), Some(autosave(folder, OFTEN, false)), || {})?;
    engine.send(Command::SetPace(Pace::Full));
    wait(&engine, |snapshot| snapshot.clock.images > 2000)?;
    drop(engine);
    let once = || {
        let begin = Instant::now();
        let engine = Engine::start_with(config.clone(), Some(autosave(folder, OFTEN, true)), || {})?;
        let images = wait(&engine, |_| true)?.clock.images;
        anyhow::ensure!(images >= 2000, "another run was opened");
        Ok(begin.elapsed().as_secs_f64() * 1e3)
    };
    Ok(median((0..5).map(|_| once()).collect::<anyhow::Result<Vec<f64>>>()?))
}

fn bytes(path: &Path) -> f64 {
    std::fs::metadata(path).map_or(0.0, |found| found.len() as f64)
}

/// The files of this name, in a folder and those in it.
fn named(folder: &Path, name: &str) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).context("the folder is gone").into_iter().flatten().flatten();
    entries
        .flat_map(|entry| {
            let path = entry.path();
            if path.is_dir() {
                named(&path, name)
            } else if path.file_name().is_some_and(|found| found == name) {
                vec![path]
            } else {
                Vec::new()
            }
        })
        .collect()
}
