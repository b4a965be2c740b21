//! Use of the window by the hour: a random walk over views, presets and controls, and the memory of every preset in every view. Each
//! runs in a process of its own, since resident memory is that of a process. What the graphics card would hold is no part of it:
//! frames end with their triangles.
//!
//! The forms that run with the other tests take some seconds. The long ones are eight hours of use in 48 minutes, and 20 s of every pair:
//!
//!     HEESCOPE_WALK_HOURS=8 cargo test --release --test walk random_walk -- --nocapture
//!     HEESCOPE_MEMORY_SECONDS=20 cargo test --release --test walk memory -- --nocapture
//!
//! `HEESCOPE_WALK_SEED` chooses another walk. A walk that fails prints its seed and its last actions. Each action has random numbers
//! of its own; what it finds in the window also depends on how far the simulation is, so that a replay is close and not exact.

#![cfg(all(feature = "window", target_os = "linux", target_env = "gnu"))] // of /proc and of glibc's allocator
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod actions;
mod walk;
mod window;

use heescope::app::ViewKind;
use heescope::experiment::presets;
use std::process::{Command, Stdio};
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use window::{Window, median, resident_mb};

/// Simulated hours of the walk, and its seed.
const HOURS: &str = "HEESCOPE_WALK_HOURS";
const SEED: &str = "HEESCOPE_WALK_SEED";
/// Seconds for which every preset is shown in every view.
const SECONDS: &str = "HEESCOPE_MEMORY_SECONDS";
/// The preset and the view of one process.
const PRESET: &str = "HEESCOPE_MEMORY_PRESET";
const VIEW: &str = "HEESCOPE_MEMORY_VIEW";

/// Simulated hours of the short walk, which take ten seconds.
const SHORT_HOURS: f64 = 80.0 / 3600.0;
/// Memory is flat where it does not grow by more than this share.
const FLAT: f64 = 0.1;
/// Besides the share, growth of a single view is at least so many megabytes: small processes grow by what they draw for the first time.
const NOTABLE_MB: f64 = 8.0;
/// No frame takes longer, ms, in a long walk.
const LONGEST_FRAME_MS: f64 = 100.0;
/// Walks and measurements do not disturb each other.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A setting of the environment.
fn setting<T: FromStr>(name: &str) -> Option<T> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} = {text} is not understood")))
}

/// Runs a test of this file that is otherwise ignored in a process of its own, and returns the lines that it prints with this word
/// before them. Of freed memory the process keeps what the program keeps (src/allocator.rs).
fn in_own_process(test: &str, settings: &[(&str, &str)], word: &str) -> Vec<String> {
    let kept = [("MALLOC_ARENA_MAX", "2"), ("MALLOC_MMAP_THRESHOLD_", "262144"), ("MALLOC_TRIM_THRESHOLD_", "262144")];
    let mut process = Command::new(std::env::current_exe().unwrap());
    process.args(["--exact", test, "--ignored", "--nocapture"]).envs(kept).envs(settings.iter().copied());
    let output = process.stderr(Stdio::inherit()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{settings:?}: {text}");
    text.lines().filter_map(|line| line.strip_prefix(word)).map(String::from).collect()
}

#[test]
fn a_random_walk_breaks_nothing() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let lines = in_own_process("walk_in_its_process", &[], "walk: ");
    lines.iter().for_each(|line| println!("walk: {line}"));
    assert!(lines.last().is_some_and(|line| line.ends_with("panics 0")), "{lines:?}");
}

/// The walk. A long one asserts that no frame takes longer than 100 ms unless a model is being built, and that memory is flat: it
/// goes back to the same state 32 times, the default preset in the standard layout with the same preset before it. The median of
/// what the program has asked for there and not freed is in the last quarter at most a tenth above that in the second; that of what is
/// resident, which depends on the holes that chance has left between, in the second half at most a tenth above that in the first.
/// (What is resident on the way depends on the presets that chance has brought there; it is printed.)
#[test]
#[ignore = "a_random_walk_breaks_nothing runs it in a process of its own"]
fn walk_in_its_process() {
    let hours = setting(HOURS).unwrap_or(SHORT_HOURS);
    let is_long = hours >= 0.5;
    let found = walk::walk(setting(SEED).unwrap_or(1), hours, if is_long { 32 } else { 1 });
    println!("walk: {:?}", found.counts);
    println!("walk: frames while a model is built: {}; the longest {:.0} ms", found.frames_building, found.longest_building_ms);
    found.slowest.iter().for_each(|frame| println!("walk: {frame}"));
    let [resident, in_use] = [0, 1].map(|part| found.rest_mb.iter().map(|found| found[part]).collect::<Vec<f64>>());
    println!("walk: most resident in each quarter, MB: {:.0?}; at rest {resident:.0?}, in use {in_use:.1?}", found.most_mb);
    let share = |all: &[f64], part: [usize; 2]| median(&all[all.len() * part[0] / 4..(all.len() * part[1]).div_ceil(4)]);
    let [before, after] = [[0, 2], [2, 4]].map(|half| share(&resident, half));
    let in_use = [[1, 2], [3, 4]].map(|quarter| share(&in_use, quarter));
    println!(
        "walk: {hours:.2} hours simulated in {:.0} s, {} actions, {} frames, longest frame {:.1} ms (p99.9 {:.1}), memory {before:.0} -> {after:.0} MB, in use {:.1} -> {:.1} MB, panics 0",
        found.took.as_secs_f64(),
        found.actions,
        found.frames,
        found.longest_ms,
        found.p999_ms,
        in_use[0],
        in_use[1],
    );
    if is_long {
        assert!(after <= (1.0 + FLAT) * before, "memory grows from {before:.0} to {after:.0} MB");
        assert!(in_use[1] <= (1.0 + FLAT) * in_use[0], "memory in use grows from {:.1} to {:.1} MB", in_use[0], in_use[1]);
        assert!(found.longest_ms <= LONGEST_FRAME_MS, "a frame takes {:.0} ms", found.longest_ms);
    }
}

/// Whether memory has grown from the middle of a measurement to its end.
fn grows([middle, last]: [f64; 2]) -> bool {
    last > (1.0 + FLAT) * middle && last - middle > NOTABLE_MB
}

/// The memory of every preset that needs no files in every view; the short form has two presets and every fourth view.
#[test]
fn memory_of_every_preset_and_view_is_flat() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let is_long = std::env::var_os(SECONDS).is_some();
    let presets = presets::all().iter().map(|preset| preset.name).filter(|name| *name != "mnist");
    let presets: Vec<&str> = if is_long { presets.collect() } else { vec!["dead-leaves", "ridge"] };
    println!("{:18} {:18} {:>9} {:>9} {:>9}", "preset", "view", "first MB", "last MB", "growth");
    for preset in presets {
        for kind in ViewKind::ALL.into_iter().step_by(if is_long { 1 } else { 4 }) {
            let view = kind.name();
            let lines = in_own_process("memory_in_its_process", &[(PRESET, preset), (VIEW, &view)], "memory: ");
            let numbers: Vec<f64> = lines.iter().flat_map(|line| line.split(' ')).map(|number| number.parse().unwrap()).collect();
            let [first, middle, last] = numbers[..] else { panic!("{lines:?}") };
            println!("{preset:18} {view:18} {first:9.1} {last:9.1} {:9.1}", last - middle);
            assert!(!grows([middle, last]), "{preset} in {view} grows from {middle:.0} to {last:.0} MB in the second half");
        }
    }
}

/// Shows one preset in one view, and prints megabytes: at the first snapshot, in the middle, at the end. While memory grows it is
/// measured anew, at most so often: chains of every image, and what generation compares with, take their time until they are there.
#[test]
#[ignore = "memory_of_every_preset_and_view_is_flat runs it in a process of its own"]
fn memory_in_its_process() {
    const MOST_ROUNDS: usize = 6;
    let (preset, view): (String, String) = (setting(PRESET).unwrap_or("ridge".into()), setting(VIEW).unwrap_or("posterior".into()));
    let frames = 30 * setting(SECONDS).unwrap_or(2);
    let mut window = Window::open(presets::by_name(&preset).unwrap(), Some(view), None, 1.0 / 30.0);
    while window.engine.is_building() {
        window.frame(Vec::new());
        std::thread::sleep(Duration::from_millis(1));
    }
    let first = resident_mb();
    let mut resident = || {
        window.frame(Vec::new());
        std::thread::sleep(Duration::from_millis(33));
        resident_mb()
    };
    let mut measure = || {
        let mut tenths = (0..10).map(|_| median(&(0..frames / 10).map(|_| resident()).collect::<Vec<f64>>()));
        [tenths.nth(4).unwrap(), tenths.last().unwrap()]
    };
    let mut found = measure();
    for _ in 1..MOST_ROUNDS {
        if grows(found) {
            found = measure();
        }
    }
    println!("memory: {first} {} {}", found[0], found[1]);
}
