//! What it costs that a run is kept: autosave, timeline and recording, of the steps a second and of a frame, in bytes an hour; and how long it
//! takes to go on with another run and to open the one of yesterday.

use super::clock::median;
use super::watched::Window;
use crate::app::Options;
use crate::engine::{AutosaveOptions, Command, Engine, Pace};
use crate::experiment::{Config, presets};
use anyhow::Context as _;
use std::path::Path;
use std::time::{Duration, Instant};

/// Before it counts, and of each round that does.
const SETTLING: Duration = Duration::from_millis(2000);
const ROUND: Duration = Duration::from_millis(4000);
/// Between two saves, as in the program.
const INTERVAL: Duration = Duration::from_secs(30);
/// Between two saves while it is measured what they cost: a hundred times as often.
const OFTEN: Duration = Duration::from_millis(300);
const PATIENCE: Duration = Duration::from_secs(60);
const HOUR: f64 = 3600.0;

/// Medians over rounds; the default preset at full speed, with 60 frames a second.
#[derive(Debug, serde::Serialize)]
pub(super) struct Kept {
    /// Share of its steps that the engine loses where timeline and autosave are on, and where it is recorded too.
    pub lost_share: f64,
    pub lost_share_recording: f64,
    /// Standard errors of these.
    pub lost_share_error: f64,
    pub lost_share_recording_error: f64,
    /// What they add to the median work of a frame, ms.
    pub frame_ms: f64,
    pub frame_ms_recording: f64,
    /// Bytes an hour: states that are written over and over, the timeline as it grows at first, a recording at 30 snapshots a second.
    pub autosave_bytes_an_hour: f64,
    pub timeline_bytes_an_hour: f64,
    pub recording_bytes_an_hour: f64,
    /// Until another run is shown that is in memory, and one that is on disk alone, ms.
    pub switch_in_memory_ms: f64,
    pub switch_from_disk_ms: f64,
    /// From the start of the engine until the run that was saved last is shown, ms.
    pub open_ms: f64,
}

/// How a window keeps what it shows.
#[derive(Clone, Copy, PartialEq)]
enum Keeping {
    Nothing,
    Run,
    RunAndRecording,
}

/// Measures so many rounds, each of a window for every way of keeping.
pub(super) fn measure(rounds: usize) -> anyhow::Result<Kept> {
    let config = presets::by_name(presets::DEFAULT)?;
    let folder = tempfile::tempdir()?;
    let ways = [Keeping::Nothing, Keeping::Run, Keeping::RunAndRecording];
    let mut found: Vec<[(f64, f64); 3]> = Vec::new();
    let (mut timeline, mut recording) = (0.0, 0.0);
    for round in 0..rounds {
        let mut of_round = [(f64::NAN, f64::NAN); 3];
        // Each way comes first, second and last in turn.
        for i in (0..3).map(|i| (i + round) % 3) {
            let here = folder.path().join(format!("{round}-{i}"));
            let (mut window, file) = open(&config, ways[i], &here)?;
            window.watch(SETTLING)?;
            let (rate, mut frames) = window.watch(ROUND)?;
            of_round[i] = (rate, super::watched::percentile(&mut frames, 0.5));
            let seconds = window.seconds();
            drop(window); // which writes what is left
            if ways[i] == Keeping::RunAndRecording {
                recording = bytes(&file) / seconds * HOUR;
                timeline = named(&here, "timeline.bin").iter().map(|path| bytes(path)).sum::<f64>() / seconds * HOUR;
            }
        }
        found.push(of_round);
    }
    let lost = |i: usize| found.iter().map(|of| 1.0 - of[i].0 / of[0].0).collect::<Vec<f64>>();
    let error = |i: usize| {
        let mut lost = lost(i);
        let spread = (super::watched::percentile(&mut lost, 0.75) - super::watched::percentile(&mut lost, 0.25)) / 1.349;
        (std::f64::consts::FRAC_PI_2 / rounds as f64).sqrt() * spread
    };
    let added = |i: usize| median(found.iter().map(|of| of[i].1 - of[0].1).collect());
    let state = named(folder.path(), "state.npz").iter().map(|path| bytes(path)).fold(0.0, f64::max);
    let [switch_in_memory_ms, switch_from_disk_ms] = switches(&config, &folder.path().join("switches"))?;
    Ok(Kept {
        lost_share: median(lost(1)),
        lost_share_recording: median(lost(2)),
        lost_share_error: error(1),
        lost_share_recording_error: error(2),
        frame_ms: added(1),
        frame_ms_recording: added(2),
        autosave_bytes_an_hour: state * HOUR / INTERVAL.as_secs_f64(),
        timeline_bytes_an_hour: timeline,
        recording_bytes_an_hour: recording,
        switch_in_memory_ms,
        switch_from_disk_ms,
        open_ms: opening(&config, &folder.path().join("opening"))?,
    })
}

fn autosave(folder: &Path, interval: Duration, recover: bool) -> AutosaveOptions {
    AutosaveOptions { folder: folder.to_path_buf(), older: None, interval, recover }
}

/// A window at full speed, and the file that it is recorded into.
fn open(config: &Config, keeping: Keeping, folder: &Path) -> anyhow::Result<(Window, std::path::PathBuf)> {
    std::fs::create_dir_all(folder)?;
    let kept = keeping != Keeping::Nothing;
    let autosave = kept.then(|| autosave(&folder.join("runs"), INTERVAL, false));
    let options = Options { config: config.clone(), full_speed: true, autosave, without_timeline: !kept, ..Options::default() };
    let mut window = Window::with(options)?;
    let file = folder.join("recording.heerec");
    if keeping == Keeping::RunAndRecording {
        window.record(&file)?;
    }
    Ok((window, file))
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
