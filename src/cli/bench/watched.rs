//! What it costs to be watched: the engine alone against the engine with a window's thread that computes 60 frames a second, and
//! how long these frames take. Frames end with their triangles: what a graphics card would be handed.

use super::clock::median;
use super::models;
use crate::app::ViewKind;
use crate::app::{App, Options};
use crate::experiment::{Config, presets};
use std::path::Path;
use std::time::{Duration, Instant};

const FRAME: Duration = Duration::from_micros(16_667);
/// Before it counts: the first fits of the filters are through, the threads are warm.
const SETTLING: Duration = Duration::from_millis(700);
/// Of one view.
const COUNTED: Duration = Duration::from_millis(1500);
/// For how long at a time nobody watches, or somebody does.
const PHASE: Duration = Duration::from_millis(400);
/// Between two looks for a snapshot that is to come.
const LOOK: Duration = Duration::from_micros(200);
const PATIENCE: Duration = Duration::from_secs(60);

/// Medians over rounds.
#[derive(Debug, serde::Serialize)]
pub(super) struct Watched {
    /// Steps a second at full speed, default preset, nobody watching.
    pub alone_steps_per_second: f64,
    /// The same with 60 frames a second of the standard layout.
    pub watched_steps_per_second: f64,
    /// Share of its steps that the engine loses: median over rounds, each against the rates before and after it.
    pub lost_share: f64,
    /// Standard error of that median, from the spread of the rounds.
    pub lost_share_error: f64,
    /// From the start of the engine and the window's state to the first frame that shows the model, without a window's own start.
    pub first_snapshot_ms: f64,
    /// Work of a frame on the window's thread while learning at full speed, by view.
    pub views: Vec<ViewFrames>,
    /// Median over all views.
    pub frame_median_ms: f64,
    /// 99th percentile over all views.
    pub frame_p99_ms: f64,
    /// The same with 2048 units that learn from patches of 32 x 32 pixels.
    pub large_views: Vec<ViewFrames>,
    pub large_frame_median_ms: f64,
    pub large_frame_p99_ms: f64,
}

/// Frames of one view.
#[derive(Debug, serde::Serialize)]
pub(super) struct ViewFrames {
    pub view: String,
    pub median_ms: f64,
    pub p99_ms: f64,
}

/// Measures the default preset at 1400x900.
pub(super) fn measure(rounds: usize) -> anyhow::Result<Watched> {
    let config = presets::by_name(presets::DEFAULT)?;
    let (mut rates, mut first) = (Vec::new(), Vec::new());
    let mut window = Window::open(&config, None)?;
    first.push(window.first_ms);
    window.watch(SETTLING)?;
    for _ in 0..rounds {
        rates.push([window.look_away(PHASE)?, window.watch(PHASE)?.0]);
    }
    let after = window.look_away(PHASE)?;
    drop(window);
    let (views, mut all) = frames_by_view(&config, &mut first)?;
    let (large_views, mut large) = frames_by_view(&models::photographs_32()?, &mut Vec::new())?;
    let alone: Vec<f64> = rates.iter().map(|rate| rate[0]).chain([after]).collect();
    let lost = |(round, rate): (usize, &[f64; 2])| 1.0 - 2.0 * rate[1] / (alone[round] + alone[round + 1]);
    let mut lost: Vec<f64> = rates.iter().enumerate().map(lost).collect();
    // Of a normal law of the same quartiles: the rounds have stragglers.
    let spread = (percentile(&mut lost, 0.75) - percentile(&mut lost, 0.25)) / 1.349;
    Ok(Watched {
        watched_steps_per_second: median(rates.iter().map(|rate| rate[1]).collect()),
        lost_share: median(lost),
        lost_share_error: (std::f64::consts::FRAC_PI_2 / rounds as f64).sqrt() * spread,
        alone_steps_per_second: median(alone),
        first_snapshot_ms: median(first),
        views,
        frame_median_ms: percentile(&mut all, 0.5),
        frame_p99_ms: percentile(&mut all, 0.99),
        large_views,
        large_frame_median_ms: percentile(&mut large, 0.5),
        large_frame_p99_ms: percentile(&mut large, 0.99),
    })
}

/// Frames of each view alone, and of all together; what passes until each shows the model is added to `first`.
fn frames_by_view(config: &Config, first: &mut Vec<f64>) -> anyhow::Result<(Vec<ViewFrames>, Vec<f64>)> {
    let (mut views, mut all) = (Vec::new(), Vec::new());
    for kind in ViewKind::ALL {
        let view = kind.name();
        let mut window = Window::open(config, Some(&view))?;
        first.push(window.first_ms);
        window.watch(SETTLING)?;
        let mut frames = window.watch(COUNTED)?.1;
        views.push(ViewFrames { view, median_ms: percentile(&mut frames, 0.5), p99_ms: percentile(&mut frames, 0.99) });
        all.extend(frames);
    }
    Ok((views, all))
}

pub(super) fn percentile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get((share * values.len() as f64) as usize).copied().unwrap_or(f64::NAN)
}

/// A window at full speed that computes its frames when it is told to.
pub(super) struct Window {
    ctx: egui::Context,
    app: App,
    start: Instant,
    /// Until the first frame with a snapshot was computed.
    first_ms: f64,
}

impl Window {
    /// Opens it and waits for the first picture of the model.
    fn open(config: &Config, view: Option<&str>) -> anyhow::Result<Self> {
        Self::with(Options { config: config.clone(), view: view.map(Into::into), full_speed: true, ..Default::default() })
    }

    /// The same with these options.
    pub(super) fn with(options: Options) -> anyhow::Result<Self> {
        let start = Instant::now();
        let ctx = egui::Context::default();
        let app = App::start(&ctx, options)?;
        let mut window = Self { ctx, app, start, first_ms: f64::NAN };
        while window.app.state.latest.is_none() {
            window.frame();
            anyhow::ensure!(start.elapsed() < PATIENCE, "the engine shows nothing");
            std::thread::sleep(LOOK);
        }
        window.first_ms = start.elapsed().as_secs_f64() * 1e3;
        Ok(window)
    }

    /// Has what it shows kept in the timeline or not, and recorded where a file is named.
    pub(super) fn keep(&mut self, timeline: bool, recording: Option<&Path>) -> anyhow::Result<()> {
        self.app.hold_timeline(!timeline);
        self.app.end_record();
        Ok(recording.map_or(Ok(()), |path| self.app.record(path))?)
    }

    fn frame(&mut self) {
        std::hint::black_box(self.app.compute_frame(&self.ctx, self.start.elapsed().as_secs_f64()));
    }

    fn steps(&self) -> u64 {
        self.app.state.latest.as_ref().map_or(0, |snapshot| snapshot.clock.steps)
    }

    /// The steps of the engine now: those of a snapshot that is built after the one that lies ready.
    fn steps_now(&mut self) -> anyhow::Result<(Instant, u64)> {
        let begin = Instant::now();
        self.app.drain(&self.ctx);
        let ready = self.steps();
        while self.steps() == ready {
            anyhow::ensure!(begin.elapsed() < PATIENCE, "the engine stands still");
            std::thread::sleep(LOOK);
            self.app.drain(&self.ctx);
        }
        Ok((Instant::now(), self.steps()))
    }

    /// Computes no frame for this long, at least. Steps a second meanwhile.
    fn look_away(&mut self, time: Duration) -> anyhow::Result<f64> {
        let before = self.steps_now()?;
        std::thread::sleep(time);
        Ok(rate(before, self.steps_now()?))
    }

    /// Computes 60 frames a second. Steps a second meanwhile, and the work of each frame, ms.
    pub(super) fn watch(&mut self, time: Duration) -> anyhow::Result<(f64, Vec<f64>)> {
        let (begin, mut next) = (Instant::now(), Instant::now());
        let (mut seen, mut frames): (Vec<(Instant, u64)>, Vec<f64>) = (Vec::new(), Vec::new());
        while begin.elapsed() < time || (seen.len() < 2 && begin.elapsed() < PATIENCE) {
            let before = self.steps();
            self.frame();
            frames.extend(self.app.work_ms().map(f64::from));
            if self.steps() > before {
                seen.push((Instant::now(), self.steps()));
            }
            next += FRAME;
            match next.checked_duration_since(Instant::now()) {
                Some(wait) => std::thread::sleep(wait),
                None => next = Instant::now(),
            }
        }
        match seen.as_slice() {
            [first, .., last] => Ok((rate(*first, *last), frames)),
            _ => anyhow::bail!("the engine stands still"),
        }
    }
}

/// Steps a second between two looks.
fn rate(first: (Instant, u64), last: (Instant, u64)) -> f64 {
    (last.1 - first.1) as f64 / last.0.duration_since(first.0).as_secs_f64()
}
