//! What it costs to be watched: the engine alone against the engine with a window's thread that computes 60 frames a second, and
//! how long these frames take. Frames end with their triangles: what a graphics card would be handed.

use super::clock::median;
use crate::app::views::Kind;
use crate::app::{App, Options};
use crate::engine::{Command, Engine, Pace};
use crate::experiment::{Config, presets};
use std::time::{Duration, Instant};

const FRAME: Duration = Duration::from_micros(16_667);
/// Before it counts, and then counted, in each round.
const SETTLING: Duration = Duration::from_millis(700);
const COUNTED: Duration = Duration::from_millis(1500);
/// Between two looks of somebody who does not watch.
const GLANCE: Duration = Duration::from_millis(500);

/// Medians over rounds.
#[derive(Debug, serde::Serialize)]
pub(super) struct Watched {
    /// Steps a second at full speed, default preset, nobody watching: one look at the counter every half second.
    pub alone_steps_per_second: f64,
    /// The same with 60 frames a second of the standard layout.
    pub watched_steps_per_second: f64,
    /// Share of its steps that the engine loses, median within rounds.
    pub lost_share: f64,
    /// From the start of the engine and the window's state to the first frame that shows the model, without a window's own start.
    pub first_snapshot_ms: f64,
    /// Work of a frame on the window's thread while learning at full speed, by view.
    pub views: Vec<ViewFrames>,
    /// Median over all views.
    pub frame_median_ms: f64,
    /// 99th percentile over all views.
    pub frame_p99_ms: f64,
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
    let (mut pairs, mut first) = (Vec::new(), Vec::new());
    for i in 0..rounds {
        let mut pair = [0.0; 2];
        for side in if i % 2 == 0 { [0, 1] } else { [1, 0] } {
            pair[side] = if side == 0 {
                alone(&config)?
            } else {
                let seen = window(&config, None)?;
                first.push(seen.first_ms);
                seen.steps_per_second
            };
        }
        pairs.push(pair);
    }
    let (mut views, mut all) = (Vec::new(), Vec::new());
    for kind in Kind::ALL {
        let view = kind.name();
        let mut frames = window(&config, Some(&view))?.frames_ms;
        views.push(ViewFrames { view, median_ms: percentile(&mut frames, 0.5), p99_ms: percentile(&mut frames, 0.99) });
        all.extend(frames);
    }
    Ok(Watched {
        alone_steps_per_second: median(pairs.iter().map(|p| p[0]).collect()),
        watched_steps_per_second: median(pairs.iter().map(|p| p[1]).collect()),
        lost_share: median(pairs.iter().map(|p| 1.0 - p[1] / p[0]).collect()),
        first_snapshot_ms: median(first),
        views,
        frame_median_ms: percentile(&mut all, 0.5),
        frame_p99_ms: percentile(&mut all, 0.99),
    })
}

fn percentile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get((share * values.len() as f64) as usize).copied().unwrap_or(f64::NAN)
}

/// Steps a second of the engine, seen twice.
fn alone(config: &Config) -> anyhow::Result<f64> {
    let engine = Engine::start(config.clone(), || {})?;
    engine.send(Command::SetPace(Pace::Full));
    let mut seen: Vec<(Instant, u64)> = Vec::new();
    let start = Instant::now();
    let mut ran = None;
    // The counter starts with the first picture: stimuli are made before.
    while ran.is_none_or(|first: Instant| first.elapsed() < SETTLING + COUNTED) && start.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(if ran.is_none() { Duration::from_millis(5) } else { GLANCE });
        if let Some(snapshot) = engine.take_snapshot() {
            let first = *ran.get_or_insert_with(Instant::now);
            if first.elapsed() >= SETTLING {
                seen.push((Instant::now(), snapshot.clock.steps));
            }
        }
    }
    Ok(rate(&seen))
}

/// What a window saw that computed 60 frames a second.
struct Seen {
    steps_per_second: f64,
    frames_ms: Vec<f64>,
    /// Until the first frame with a snapshot was computed.
    first_ms: f64,
}

fn window(config: &Config, view: Option<&str>) -> anyhow::Result<Seen> {
    let start = Instant::now();
    let ctx = egui::Context::default();
    let options = Options { config: config.clone(), view: view.map(Into::into), full_speed: true, ..Default::default() };
    let mut app = App::new(&ctx, options)?;
    let mut next = Instant::now();
    let mut first = None;
    let (mut seen, mut frames): (Vec<(Instant, u64)>, Vec<f64>) = (Vec::new(), Vec::new());
    while first.is_none_or(|first: Instant| first.elapsed() < SETTLING + COUNTED) && start.elapsed() < Duration::from_secs(60) {
        std::hint::black_box(app.compute_frame(&ctx, start.elapsed().as_secs_f64()));
        if let Some(snapshot) = &app.state.latest {
            let first = *first.get_or_insert_with(Instant::now);
            if first.elapsed() >= SETTLING {
                frames.extend(app.work_ms().map(f64::from));
                if seen.last().is_none_or(|&(_, steps)| steps < snapshot.clock.steps) {
                    seen.push((Instant::now(), snapshot.clock.steps));
                }
            }
        }
        next += FRAME;
        match next.checked_duration_since(Instant::now()) {
            Some(wait) => std::thread::sleep(wait),
            None => next = Instant::now(),
        }
    }
    let first_ms = first.map_or(f64::NAN, |first| first.duration_since(start).as_secs_f64() * 1e3);
    Ok(Seen { steps_per_second: rate(&seen), frames_ms: frames, first_ms })
}

/// Steps a second between the first and the last look.
fn rate(seen: &[(Instant, u64)]) -> f64 {
    match seen {
        [first, .., last] => (last.1 - first.1) as f64 / last.0.duration_since(first.0).as_secs_f64(),
        _ => f64::NAN,
    }
}
