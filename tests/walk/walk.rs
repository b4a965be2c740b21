//! The walk: actions at random, the frames between them, and what is measured on the way.

use crate::window::{FrameTime, Window, in_use_mb, is_finishing, median, resident_mb};
use heescope::engine::{AutosaveOptions, Command, Pace};
use heescope::experiment::presets;
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Frames in a simulated second.
const FRAMES_PER_SECOND: u64 = 15;
/// Simulated seconds in a second: no frame is drawn sooner.
const SPEED_UP: u64 = 10;
/// Frames from one action to the next at most: half a second in the mean.
const MOST_FRAMES_BETWEEN: u64 = 14;
/// Actions that are printed when a walk fails.
const LAST_ACTIONS: usize = 20;
/// Slow frames that are told of.
const SLOWEST: usize = 8;
/// A simulation from which no snapshot comes for so long stands still: the longest building takes a quarter of it.
const PATIENCE: Duration = Duration::from_secs(120);
/// Frames from a model's first to the measurement of its memory, and those over which that is taken.
const SETTLING_FRAMES: u64 = 240;
const COUNTED_FRAMES: u64 = 60;

/// The panics of all threads.
static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// What was measured.
pub struct Findings {
    pub took: Duration,
    pub actions: u64,
    pub frames: u64,
    /// Actions by kind.
    pub counts: BTreeMap<&'static str, u64>,
    /// Of the frames while no model is built: the longest, and 99.9 % are shorter than that.
    pub longest_ms: f64,
    pub p999_ms: f64,
    pub frames_building: u64,
    pub longest_building_ms: f64,
    /// The slowest frames, in words.
    pub slowest: Vec<String>,
    /// Resident at rest, each time, and of that in use.
    pub rest_mb: Vec<[f64; 2]>,
    /// Most resident in each quarter of the walk.
    pub most_mb: [f64; 4],
}

/// Walks for so many simulated hours, and rests so many times.
pub fn walk(seed: u64, hours: f64, rests: u64) -> Findings {
    let standard = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        PANICS.lock().unwrap().push(panic.to_string());
        standard(panic);
    }));
    heescope::engine::let_threads_stand_back(); // as in the program with its window
    // Whatever is written goes there.
    let folder = tempfile::tempdir().unwrap();
    std::env::set_current_dir(folder.path()).unwrap();
    let autosave = AutosaveOptions { folder: folder.path().join("data"), older: None, interval: Duration::from_secs(5), recover: true };
    let config = presets::by_name(presets::DEFAULT).unwrap();
    let frames = (hours * 3600.0 * FRAMES_PER_SECOND as f64) as u64;
    let mut walk = Walk {
        window: Window::open(config, None, Some(autosave), 1.0 / FRAMES_PER_SECOND as f32),
        random: ChaCha8Rng::seed_from_u64(seed),
        seed,
        actions: 0,
        last_actions: VecDeque::new(),
        counts: BTreeMap::new(),
        begin: Instant::now(),
        frames: 0,
        frames_in_all: frames,
        times: vec![f32::NAN; 2 * frames as usize], // all of it written now, so that it does not grow
        frames_building: 0,
        longest_building_ms: 0.0,
        slowest: Vec::new(),
        most_mb: [0.0; 4],
    };
    walk.times.clear();
    let (mut rest_mb, mut due) = (Vec::new(), 0);
    for rest in 1..=rests {
        while walk.frames < frames * rest / rests {
            walk.act();
            due += walk.random.random_range(1..=MOST_FRAMES_BETWEEN);
            while walk.frames < due {
                walk.frame(Vec::new());
            }
        }
        rest_mb.push(walk.rest());
        due = walk.frames;
        if rests > 1 {
            let hours = walk.frames as f64 / (3600 * FRAMES_PER_SECOND) as f64;
            let [resident, in_use] = rest_mb[rest_mb.len() - 1];
            eprintln!("walk: {hours:.2} hours, {} actions, at rest {resident:.1} MB, in use {in_use:.2}", walk.actions);
        }
    }
    walk.findings(rest_mb)
}

/// A walk under way.
pub struct Walk {
    pub window: Window,
    /// Of the present action.
    pub random: ChaCha8Rng,
    seed: u64,
    actions: u64,
    last_actions: VecDeque<String>,
    counts: BTreeMap<&'static str, u64>,
    begin: Instant,
    frames: u64,
    frames_in_all: u64,
    /// Milliseconds of each frame while no model is built.
    times: Vec<f32>,
    frames_building: u64,
    longest_building_ms: f64,
    /// The slowest of the others, in words.
    slowest: Vec<(f64, String)>,
    most_mb: [f64; 4],
}

impl Walk {
    /// Begins the next action, with random numbers of its own.
    fn act(&mut self) {
        self.actions += 1;
        self.random = ChaCha8Rng::seed_from_u64(self.seed);
        self.random.set_stream(self.actions);
        let kind = crate::actions::act(self);
        *self.counts.entry(kind).or_default() += 1;
    }

    /// Keeps what the present action does, in words, until others have followed.
    pub fn note(&mut self, text: impl Into<String>) {
        if self.last_actions.len() == LAST_ACTIONS {
            self.last_actions.pop_front();
        }
        self.last_actions.push_back(format!("action {}, frame {}: {}", self.actions, self.frames, text.into()));
    }

    /// Draws a frame in which these events have come, not before its time, and looks whether all is well.
    pub fn frame(&mut self, events: Vec<egui::Event>) {
        let time = self.window.frame(events);
        self.count(time);
        self.frames += 1;
        let panics = std::mem::take(&mut *PANICS.lock().unwrap());
        assert!(panics.is_empty(), "panics: {panics:?}");
        assert!(self.window.engine.silence() < PATIENCE, "the simulation stands still");
        let due = Duration::from_secs_f64(self.frames as f64 / (FRAMES_PER_SECOND * SPEED_UP) as f64);
        std::thread::sleep(due.saturating_sub(self.begin.elapsed()));
    }

    fn count(&mut self, time: FrameTime) {
        if self.frames.is_multiple_of(FRAMES_PER_SECOND) {
            let quarter = (4 * self.frames / self.frames_in_all).min(3) as usize;
            self.most_mb[quarter] = self.most_mb[quarter].max(resident_mb());
        }
        if self.window.engine.is_building() {
            self.frames_building += 1;
            self.longest_building_ms = self.longest_building_ms.max(time.ms);
            return;
        }
        self.times.push(time.ms as f32);
        if self.slowest.len() < SLOWEST || time.ms > self.slowest[SLOWEST - 1].0 {
            let FrameTime { ms, running_ms, waiting_ms } = time;
            let (size, preset) = (self.window.size(), self.window.preset().unwrap_or("no model"));
            let action = self.last_actions.back().map_or("the start", String::as_str);
            let words = format!(
                "a frame of {ms:.1} ms, on a core {running_ms:.1}, waiting for one {waiting_ms:.1}: {preset}, {} x {}, {action}",
                size.x, size.y
            );
            self.slowest.push((ms, words));
            self.slowest.sort_by(|a, b| b.0.total_cmp(&a.0));
            self.slowest.truncate(SLOWEST);
        }
    }

    /// Goes back to the same state each time, the default preset in the standard layout with the same preset in the two runs before it, which
    /// stay in memory, no job of another at work, and letters of one size (another theme makes them anew; those of other sizes go when their
    /// texture is full, up to 16 MB), and returns what is resident there, and of that in use.
    fn rest(&mut self) -> [f64; 2] {
        self.note("rest");
        self.window.resize([1000.0, 700.0]);
        self.key(egui::Modifiers::NONE, egui::Key::Escape);
        let config = presets::by_name(presets::DEFAULT).unwrap();
        let load = || Command::Load(Box::new(config.clone()));
        for command in [Command::MeasureLikelihood(false), load(), load(), load(), Command::SetPace(Pace::default()), Command::Run] {
            while !self.window.engine.send(command.clone()) {
                self.frame(Vec::new());
            }
        }
        while self.window.engine.is_building() {
            self.frame(Vec::new());
        }
        self.click_button("Standard layout");
        for _ in 0..2 {
            let _ = self.click_button("Light") || self.click_button("Dark");
            self.frame(Vec::new());
        }
        (0..SETTLING_FRAMES).for_each(|_| self.frame(Vec::new()));
        let begin = Instant::now();
        while is_finishing() && begin.elapsed() < PATIENCE {
            self.frame(Vec::new());
        }
        let mut now = || {
            self.frame(Vec::new());
            [resident_mb(), in_use_mb()]
        };
        let found: Vec<[f64; 2]> = (0..COUNTED_FRAMES).map(|_| now()).collect();
        [0, 1].map(|part| median(&found.iter().map(|found| found[part]).collect::<Vec<f64>>()))
    }

    fn findings(mut self, rest_mb: Vec<[f64; 2]>) -> Findings {
        self.times.sort_by(f32::total_cmp);
        let at = |share: f64| f64::from(self.times[((self.times.len() - 1) as f64 * share) as usize]);
        Findings {
            took: self.begin.elapsed(),
            actions: self.actions,
            frames: self.frames,
            counts: std::mem::take(&mut self.counts),
            longest_ms: at(1.0),
            p999_ms: at(0.999),
            frames_building: self.frames_building,
            longest_building_ms: self.longest_building_ms,
            slowest: std::mem::take(&mut self.slowest).into_iter().map(|(_, words)| words).collect(),
            rest_mb,
            most_mb: self.most_mb,
        }
    }
}

impl Drop for Walk {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the walk of seed {} failed at action {}, frame {}; the last were", self.seed, self.actions, self.frames);
            self.last_actions.iter().for_each(|action| eprintln!("  {action}"));
        }
    }
}
