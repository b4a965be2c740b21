//! The thread's body: obeys commands, runs spans at the pace asked for, leaves snapshots; survives NaN and panics.

use crate::analysis::density::DensityGrid;
use crate::data::Progress;
use crate::dynamics::block::Probes;
use crate::engine::core_lease::CoreLease;
use crate::engine::generation::Generation;
use crate::engine::laboratory::StudyRunner;
use crate::engine::race_runner::RaceRunner;
use crate::engine::tuning_runner::{TuningRunner, TuningState};
use crate::engine::{Command, Event, InterneuronSample, LearningPoint, MAX_SAMPLES, Pace, Slot, StimulusState, TraceSample, Watch};
use crate::experiment::parallel::{on_at_most, run_on};
use crate::experiment::session::Session;
use crate::experiment::{Config, DataSource, presets};
use crate::model::Hierarchy;
use crate::studies::{StudyFindings, StudyTarget};
use crossbeam_channel::{Receiver, Sender};
use ndarray::Array2;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

mod commands;
mod publishing;

use publishing::SubjectKey;

/// Wall time of one span at most, so that commands act soon.
const SPAN: Duration = Duration::from_millis(3);
/// Wall time from which no other span begins before the worker looks round. Meanwhile the threads need not be woken anew.
const TURN: Duration = Duration::from_millis(10);
/// Pieces of a presentation while a core is left to the window: after each the core may be free again.
const PIECES: usize = 16;
/// Steps a second at first, for learning and for chains on a fixed stimulus.
const LEARNING_PACE: f64 = 450.0;
const CHAINS_PACE: f64 = 4000.0;
/// Points of the pair cloud kept for one snapshot at most.
const MAX_PAIR_STEPS: usize = 400;
/// Shown where what was asked for at the start cannot be.
const FALLBACK: &str = "digits";

pub(super) fn run(
    config: Config,
    inbox: Receiver<Command>,
    outbox: Sender<Event>,
    shared: (Slot, Arc<Progress>, Arc<CoreLease>),
    wake: Box<dyn Fn() + Send + Sync>,
) {
    let mut worker = Worker::new(config, outbox, shared, wake);
    loop {
        match catch_unwind(AssertUnwindSafe(|| worker.turn(&inbox))) {
            Ok(true) => {}
            Ok(false) => return,
            Err(panic) => {
                let text = panic.downcast_ref::<&str>().map(ToString::to_string).or_else(|| panic.downcast_ref::<String>().cloned());
                worker.halt(format!("the simulation stopped on an internal error: {}", text.unwrap_or_default()));
            }
        }
    }
}

struct Worker {
    session: Option<Session>,
    /// Weights, biases and families when they were last known to be finite.
    good: Option<Hierarchy>,
    config: Config,
    outbox: Sender<Event>,
    slot: Slot,
    progress: Arc<Progress>,
    core_lease: Arc<CoreLease>,
    /// Of this machine.
    cores: usize,
    /// Configuration and model before the last rebuild.
    previous: Option<(Config, Hierarchy)>,
    /// MNIST's preset, asked for without its files: the next images named are for it.
    wanted: Option<Config>,
    wake: Box<dyn Fn() + Send + Sync>,
    running: bool,
    pace: Pace,
    pending_steps: u64,
    paced_since: (Instant, u64),
    watch: Watch,
    probes: Probes,
    model_id: u64,
    shared_weights: (u64, Vec<Arc<Array2<f32>>>),
    traces: Vec<Vec<TraceSample>>,
    interneurons: Vec<Vec<InterneuronSample>>,
    rasters: Vec<Vec<f32>>,
    pairs: Vec<Vec<[f32; 2]>>,
    /// The presentation that `pairs` belong to.
    pairs_of: u64,
    learning: Vec<LearningPoint>,
    exact: Option<Arc<DensityGrid>>,
    exact_line: Option<Arc<Vec<[f64; 2]>>>,
    finished: Option<StimulusState>,
    study_runner: Option<StudyRunner>,
    subject: Option<(SubjectKey, Arc<StudyTarget>)>,
    findings: Option<Arc<StudyFindings>>,
    tuner: Option<TuningRunner>,
    tuning: Option<Arc<TuningState>>,
    generation: Generation,
    race_runner: RaceRunner,
    dropped: u64,
    rate: (Instant, u64, u64, f64, f64),
    steps_a_span: usize,
    last_snapshot: Instant,
    changed: bool,
    /// Commands commands_executed, and how many the last snapshot had seen.
    commands_executed: u64,
    answered: Option<u64>,
}

impl Worker {
    fn new(
        config: Config,
        outbox: Sender<Event>,
        (slot, progress, core_lease): (Slot, Arc<Progress>, Arc<CoreLease>),
        wake: Box<dyn Fn() + Send + Sync>,
    ) -> Self {
        let now = Instant::now();
        let mut worker = Self {
            session: None,
            good: None,
            config: config.clone(),
            outbox,
            slot,
            progress,
            core_lease,
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            previous: None,
            wanted: None,
            wake,
            running: true,
            pace: Pace::StepsPerSecond(LEARNING_PACE),
            pending_steps: 0,
            paced_since: (now, 0),
            watch: Watch::default(),
            probes: Probes::default(),
            model_id: 0,
            shared_weights: (0, Vec::new()),
            traces: Vec::new(),
            interneurons: Vec::new(),
            rasters: Vec::new(),
            pairs: Vec::new(),
            pairs_of: 0,
            learning: Vec::new(),
            exact: None,
            exact_line: None,
            finished: None,
            study_runner: None,
            subject: None,
            findings: None,
            tuner: None,
            tuning: None,
            generation: Generation::default(),
            race_runner: RaceRunner::new(),
            dropped: 0,
            rate: (now, 0, 0, 0.0, 0.0),
            steps_a_span: 1,
            last_snapshot: now,
            changed: true,
            commands_executed: 0,
            answered: None,
        };
        worker.load(config);
        if worker.session.is_none() {
            // A window that shows nothing helps nobody: the message, and a preset that needs no files.
            let wanted = worker.wanted.take();
            if let Ok(config) = presets::by_name(FALLBACK) {
                worker.load(config);
            }
            worker.wanted = wanted;
        }
        worker
    }

    fn tell(&self, event: Event) {
        let _ = self.outbox.try_send(event); // a reader that is gone or slow must not stop the simulation
        (self.wake)();
    }

    fn halt(&mut self, reason: String) {
        self.running = false;
        self.changed = true;
        if let (Some(session), Some(good)) = (&mut self.session, &self.good) {
            session.restore(good);
        }
        self.tell(Event::Halted(reason));
    }

    fn load(&mut self, config: Config) {
        self.rebuild(config, None);
    }

    /// Builds a session in place of the present one, which is kept for [`Command::Back`]; the present one stays where that fails.
    fn rebuild(&mut self, mut config: Config, model: Option<Hierarchy>) {
        self.progress.clear();
        let built = Session::build(config.clone(), model, &self.progress);
        self.progress.clear();
        match built {
            Ok(session) => {
                self.previous = self.session.take().map(|session| {
                    let mut config = session.config().clone();
                    config.learning.images_seen = session.images;
                    let position = session.position();
                    (config.learning.stage, config.learning.stage_since) = (position.stage, position.since);
                    (config, session.model)
                });
                self.wanted = None;
                config.model.layers.clone_from(&session.config().model.layers); // own images may have another size
                self.take(session, config);
            }
            Err(error) => {
                if config.data.source == DataSource::Mnist {
                    self.wanted = Some(config);
                }
                self.tell(Event::Failed(format!("{error:#}")));
            }
        }
    }

    fn take(&mut self, session: Session, config: Config) {
        for warning in &session.warnings {
            self.tell(Event::Warning(warning.clone()));
        }
        self.tell(Event::Loaded(config.model.name.clone()));
        self.good = Some(session.model.clone());
        self.model_id += 1;
        self.shared_weights = (0, Vec::new());
        self.learning.clear();
        self.finished = None;
        self.study_runner = None;
        self.findings = None;
        self.tuner = None;
        self.tuning = None;
        self.generation.end();
        self.pending_steps = 0;
        self.config = config;
        let units: Vec<usize> = (0..3.min(session.model.layers[1].size)).collect();
        let second = 1.min(session.model.layers[1].size - 1);
        self.session = Some(session);
        self.set_watch(Watch { trace_layer: 1, trace_units: units, pair: [0, second], raster: self.watch.raster });
        self.refresh_exact();
        self.default_race();
        if let Pace::StepsPerSecond(_) = self.pace {
            // Chains on a fixed stimulus pass a second in a second or so; learning is shown slowly enough to be watched.
            let fixed = self.config.stimulus.steps_per_stimulus == 0;
            self.pace = Pace::StepsPerSecond(if fixed { CHAINS_PACE } else { LEARNING_PACE });
        }
        self.pace_from_now();
        self.changed = true;
    }

    fn pace_from_now(&mut self) {
        self.paced_since = (Instant::now(), self.session.as_ref().map_or(0, |s| s.steps));
    }

    /// Obeys what has come and runs one span. False at the end.
    fn turn(&mut self, inbox: &Receiver<Command>) -> bool {
        self.collect_findings();
        let due = self.steps_due();
        if due == 0 {
            // Nothing to run: wait for a command, or for the pace's next step.
            self.publish(true);
            match inbox.recv_timeout(Duration::from_millis(4)) {
                Ok(command) => {
                    if !self.execute(command) {
                        return false;
                    }
                }
                Err(crossbeam_channel::RecvTimeoutError::Timeout) => {}
                Err(crossbeam_channel::RecvTimeoutError::Disconnected) => return false,
            }
        }
        while let Ok(command) = inbox.try_recv() {
            if !self.execute(command) {
                return false;
            }
        }
        let pool = self.session.as_ref().and_then(Session::pool);
        let fills = pool.as_ref().is_some_and(|pool| pool.current_num_threads() >= self.cores);
        self.core_lease.set_busy(fills && self.steps_due() == u64::MAX);
        run_on(pool, || self.spans(inbox));
        self.core_lease.set_busy(false);
        true
    }

    /// Runs spans while steps are due and no command waits, for a short time.
    fn spans(&mut self, inbox: &Receiver<Command>) {
        let begin = Instant::now();
        loop {
            let due = self.steps_due();
            if due > 0 {
                self.span(due);
            }
            self.publish(false);
            if due == 0 || !inbox.is_empty() || begin.elapsed() >= TURN {
                return;
            }
        }
    }

    fn steps_due(&self) -> u64 {
        let Some(session) = &self.session else { return 0 };
        if self.pending_steps > 0 {
            return self.pending_steps;
        }
        match (self.running, self.pace) {
            (false, _) => 0,
            (true, Pace::Full) => u64::MAX,
            (true, Pace::StepsPerSecond(rate)) => {
                let (since, start) = self.paced_since;
                ((since.elapsed().as_secs_f64() * rate) as u64).saturating_sub(session.steps - start)
            }
        }
    }

    fn span(&mut self, due: u64) {
        self.choose_pair(due);
        let Some(session) = &mut self.session else { return };
        let begin = Instant::now();
        let steps = (due.min(self.steps_a_span as u64)) as usize;
        let (first_ms, dt_ms) = (session.time_ms, session.parameters().dt_ms);
        let (done, report) = if self.core_lease.yields_core() {
            let steps = steps.min(session.steps_left()).div_ceil(PIECES);
            on_at_most(self.cores.saturating_sub(1), || session.advance(steps, &self.probes))
        } else {
            session.advance(steps, &self.probes)
        };
        if !self.race_runner.advance(done) {
            let text = "the race ended: a sampler left the stable range; lower dt or choose the automatic step size";
            self.tell(Event::Failed(text.into()));
        }
        let ended = report.is_some();
        self.pending_steps = self.pending_steps.saturating_sub(done as u64);
        let took = begin.elapsed();
        if took < SPAN / 2 {
            self.steps_a_span = (self.steps_a_span * 2).min(4096);
        } else if took > SPAN {
            self.steps_a_span = (self.steps_a_span / 2).max(1);
        }
        if let Pace::StepsPerSecond(rate) = self.pace {
            // A machine that cannot keep up must not owe more and more.
            if due as f64 > rate * 0.25 + 2.0 {
                self.pace_from_now();
            }
        }
        self.collect(first_ms, dt_ms);
        let Some(session) = &mut self.session else { return };
        if let Some(report) = report {
            let (stimulus, reconstruction) = (report.stimulus.clone(), report.reconstruction.clone());
            self.finished = Some(StimulusState { stimulus, reconstruction, steps: report.steps, ..StimulusState::default() });
            let w = &session.model.weights[0];
            let sigma2 = session.model.layers[0].family.sigma().map_or(f64::NAN, |s| s * s);
            self.learning.push(LearningPoint {
                images: session.images,
                residual_variance: report.residual_variance,
                sigma2: sigma2 as f32,
                weight_change: report.weight_change,
                weight_norm: (w.iter().map(|v| v * v).sum::<f32>() / w.ncols() as f32).sqrt(),
                kurtosis: report.kurtosis,
                lr: report.lr,
            });
            if self.learning.len() > MAX_SAMPLES {
                self.learning.drain(..MAX_SAMPLES / 2);
            }
        }
        if let Some(reason) = session.broken() {
            self.halt(format!("{reason}; the last good weights are back, lower dt or choose the automatic governor"));
        } else if ended {
            match &mut self.good {
                Some(good) => good.copy_values(&session.model),
                None => self.good = Some(session.model.clone()),
            }
        }
        self.changed = true;
    }
}
