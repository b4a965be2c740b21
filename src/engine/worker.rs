//! The thread's body: obeys commands, runs spans at the pace asked for, leaves snapshots; survives NaN and panics.

use crate::analysis::density::{self, DensityGrid};
use crate::data::Progress;
use crate::dynamics::block::{Frame, Taps};
use crate::engine::contest::Contest;
use crate::engine::generation::Generation;
use crate::engine::laboratory::{Bench, Findings};
use crate::engine::tuner::{Animal, Tuner, TuningState};
use crate::engine::{
    COMPLETIONS, Clock, Command, Event, GovernorState, InterneuronSample, LearningPoint, MAX_SAMPLES, MAX_TRACED, Pace, Parameter, Slot,
};
use crate::engine::{Snapshot, StimulusState, TraceSample, Watch};
use crate::experiment::fits;
use crate::experiment::laboratory::{Experiment, Subject};
use crate::experiment::race::SamplerConfig;
use crate::experiment::session::Session;
use crate::experiment::tuning::Protocol;
use crate::experiment::{Config, DataSource, Governor, InterneuronMode, modelfile, presets};
use crate::model::Hierarchy;
use crossbeam_channel::{Receiver, Sender};
use ndarray::Array2;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

/// Wall time of one span at most, so that commands act soon.
const SPAN: Duration = Duration::from_millis(3);
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
    shared: (Slot, Arc<Progress>),
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
    /// Configuration and model before the last rebuild.
    previous: Option<(Config, Hierarchy)>,
    /// MNIST's preset, asked for without its files: the next images named are for it.
    wanted: Option<Config>,
    wake: Box<dyn Fn() + Send + Sync>,
    running: bool,
    pace: Pace,
    owed: u64,
    paced_since: (Instant, u64),
    watch: Watch,
    taps: Taps,
    model_id: u64,
    shared_weights: (u64, Vec<Arc<Array2<f32>>>),
    traces: Vec<Vec<TraceSample>>,
    interneurons: Vec<Vec<InterneuronSample>>,
    rasters: Vec<Vec<f32>>,
    pairs: Vec<Vec<[f32; 2]>>,
    learning: Vec<LearningPoint>,
    exact: Option<Arc<DensityGrid>>,
    exact_line: Option<Arc<Vec<[f64; 2]>>>,
    finished: Option<StimulusState>,
    bench: Option<Bench>,
    subject: Option<(SubjectKey, Arc<Subject>)>,
    findings: Option<Arc<Findings>>,
    tuner: Option<Tuner>,
    tuning: Option<Arc<TuningState>>,
    generation: Generation,
    contest: Contest,
    dropped: u64,
    rate: (Instant, u64, u64, f64, f64),
    steps_a_span: usize,
    last_snapshot: Instant,
    changed: bool,
}

/// What a subject depends on.
#[derive(PartialEq)]
struct SubjectKey {
    model_id: u64,
    weights_version: u64,
    dynamics: crate::experiment::config::DynamicsConfig,
    watched: (usize, [usize; 2]),
    stimulus: Vec<f32>,
}

impl Worker {
    fn new(config: Config, outbox: Sender<Event>, (slot, progress): (Slot, Arc<Progress>), wake: Box<dyn Fn() + Send + Sync>) -> Self {
        let now = Instant::now();
        let mut worker = Self {
            session: None,
            good: None,
            config: config.clone(),
            outbox,
            slot,
            progress,
            previous: None,
            wanted: None,
            wake,
            running: true,
            pace: Pace::StepsPerSecond(LEARNING_PACE),
            owed: 0,
            paced_since: (now, 0),
            watch: Watch::default(),
            taps: Taps::default(),
            model_id: 0,
            shared_weights: (0, Vec::new()),
            traces: Vec::new(),
            interneurons: Vec::new(),
            rasters: Vec::new(),
            pairs: Vec::new(),
            learning: Vec::new(),
            exact: None,
            exact_line: None,
            finished: None,
            bench: None,
            subject: None,
            findings: None,
            tuner: None,
            tuning: None,
            generation: Generation::default(),
            contest: Contest::new(),
            dropped: 0,
            rate: (now, 0, 0, 0.0, 0.0),
            steps_a_span: 1,
            last_snapshot: now,
            changed: true,
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
        self.bench = None;
        self.findings = None;
        self.tuner = None;
        self.tuning = None;
        self.generation.end();
        self.owed = 0;
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

    /// A model of two causes and a fixed stimulus starts with a race: without adaptation, and as the preset has it.
    fn default_race(&mut self) {
        let as_is = SamplerConfig::of(&self.config.dynamics);
        let still = SamplerConfig { adaptation: 0.0, ..as_is };
        let samplers = if self.exact.is_none() {
            Vec::new()
        } else if as_is.adaptation > 0.0 {
            vec![still, as_is]
        } else {
            vec![as_is]
        };
        self.start_race(&samplers);
    }

    fn start_race(&mut self, samplers: &[SamplerConfig]) {
        self.changed = true;
        let Some(session) = &self.session else { return };
        let started = self.contest.start(samplers, session, &self.config.dynamics, &self.watch, self.exact.as_deref());
        if let Err(problem) = started {
            self.tell(Event::Failed(problem.into()));
        }
    }

    /// The race again, on what has changed.
    fn restart_race(&mut self) {
        let samplers = self.contest.samplers();
        if !samplers.is_empty() {
            self.start_race(&samplers);
        }
    }

    fn experiment(&mut self, experiment: Experiment) {
        self.bench = None; // the one under way ends first
        let Some(session) = &self.session else { return };
        match Bench::start(experiment, self.subject_of(session)) {
            Ok(bench) => {
                self.findings = Some(Arc::new(bench.findings().clone()));
                self.bench = Some(bench);
            }
            Err(error) => self.tell(Event::Failed(format!("cannot start the experiment: {error}"))),
        }
    }

    fn subject_of(&self, session: &Session) -> Subject {
        Subject {
            model: session.model.clone(),
            stiffness: session.stiffness().to_vec(),
            dynamics: self.config.dynamics,
            stimulus: session.stimulus().to_vec(),
            watched: (self.watch.trace_layer, self.watch.pair),
        }
    }

    /// The subject for the window's curves, made anew only when it has changed. While weights learn, those of the start stand in:
    /// what is shown then does not depend on them.
    fn refresh_subject(&mut self) {
        let Some(session) = &self.session else { return };
        let steady = session.held || session.config().stimulus.steps_per_stimulus == 0;
        let key = SubjectKey {
            model_id: self.model_id,
            weights_version: if steady { session.weights_version } else { 0 },
            dynamics: self.config.dynamics,
            watched: (self.watch.trace_layer, self.watch.pair),
            stimulus: if steady { session.stimulus().to_vec() } else { Vec::new() },
        };
        if self.subject.as_ref().is_none_or(|(known, _)| *known != key) {
            self.subject = Some((key, Arc::new(self.subject_of(session))));
        }
    }

    fn collect_findings(&mut self) {
        if let Some(bench) = &mut self.bench
            && bench.collect()
        {
            self.findings = Some(Arc::new(bench.findings().clone()));
            self.changed = true;
        }
        if let Some(tuner) = &mut self.tuner
            && tuner.collect()
        {
            self.tuning = Some(Arc::new(tuner.state().clone()));
            self.changed = true;
        }
        if let Some(session) = &self.session {
            let mut outcomes = Vec::new();
            self.changed |= self.generation.collect(session, &mut outcomes);
            outcomes.into_iter().for_each(|outcome| self.tell(outcome.map_or_else(Event::Failed, Event::Saved)));
        }
    }

    fn generation(&mut self, action: impl FnOnce(&mut Generation, &Session, u64) -> Result<(), String>) {
        if let Some(Err(problem)) = self.session.as_ref().map(|session| action(&mut self.generation, session, self.model_id)) {
            self.tell(Event::Failed(problem));
        }
    }

    fn show_gratings(&mut self, layer: usize) {
        self.tuner = None; // the one under way ends first
        let Some(session) = &self.session else { return };
        let open = session.stage().map_or(session.model.depth(), |stage| stage.open);
        let Some(side) = fits::side(session.model.layers[0].size).filter(|_| (1..=open).contains(&layer)) else {
            self.tell(Event::Failed(format!("layer {layer} of this model cannot be shown gratings")));
            return;
        };
        let started = Tuner::start(Animal {
            of: (self.model_id, session.weights_version),
            model: session.model.clone(),
            parameters: session.parameters().clone(),
            open,
            layer,
            side,
            protocol: Protocol { seed: session.config().dynamics.seed, ..Protocol::default() },
        });
        match started {
            Ok(tuner) => {
                self.tuning = Some(Arc::new(tuner.state().clone()));
                self.tuner = Some(tuner);
                self.changed = true;
            }
            Err(error) => self.tell(Event::Failed(format!("cannot show gratings: {error}"))),
        }
    }

    /// The exact densities, which are those of a stimulus that is clamped as a whole.
    fn refresh_exact(&mut self) {
        let clamped = self.session.as_ref().filter(|session| session.freed().is_empty());
        self.exact = clamped.and_then(|s| DensityGrid::posterior(&s.model, s.stimulus(), 128)).map(Arc::new);
        self.exact_line = clamped.and_then(|s| density::line(&s.model, s.stimulus())).map(Arc::new);
    }

    fn set_watch(&mut self, watch: Watch) {
        let Some(session) = &self.session else { return };
        let layer = watch.trace_layer.clamp(1, session.model.depth());
        let size = session.model.layers[layer].size;
        let units: Vec<usize> = watch.trace_units.iter().copied().filter(|&u| u < size).take(MAX_TRACED).collect();
        let pair = watch.pair.map(|u| u.min(size - 1));
        let weights = &session.model.weights[layer - 1];
        let strongest = |&u: &usize| {
            let column = weights.column(u);
            (0..column.len()).max_by(|&a, &b| column[a].abs().total_cmp(&column[b].abs())).unwrap_or(0)
        };
        self.taps =
            Taps { layer, below: units.iter().map(strongest).collect(), units: units.clone(), pair: Some(pair), raster: watch.raster };
        self.traces = vec![Vec::new(); units.len()];
        self.interneurons = vec![Vec::new(); units.len()];
        self.pairs.clear();
        let other = self.watch.pair != pair || self.watch.trace_layer != layer;
        self.watch = Watch { trace_layer: layer, trace_units: units, pair, raster: watch.raster };
        if other {
            self.restart_race();
        }
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
                    if !self.obey(command) {
                        return false;
                    }
                }
                Err(crossbeam_channel::RecvTimeoutError::Timeout) => {}
                Err(crossbeam_channel::RecvTimeoutError::Disconnected) => return false,
            }
        }
        while let Ok(command) = inbox.try_recv() {
            if !self.obey(command) {
                return false;
            }
        }
        let due = self.steps_due();
        if due > 0 {
            self.span(due);
        }
        self.publish(false);
        true
    }

    fn steps_due(&self) -> u64 {
        let Some(session) = &self.session else { return 0 };
        if self.owed > 0 {
            return self.owed;
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
        let Some(session) = &mut self.session else { return };
        let begin = Instant::now();
        let steps = (due.min(self.steps_a_span as u64)) as usize;
        let (first_ms, dt_ms) = (session.time_ms, session.parameters().dt_ms);
        let (done, report) = session.advance(steps, &self.taps);
        if !self.contest.advance(done) {
            let text = "the race ended: a sampler left the stable range; lower dt or choose the automatic step size";
            self.tell(Event::Failed(text.into()));
        }
        let ended = report.is_some();
        self.owed = self.owed.saturating_sub(done as u64);
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

    /// Moves what the blocks recorded into the snapshot's lists.
    fn collect(&mut self, first_ms: f64, dt_ms: f64) {
        let Some(session) = &mut self.session else { return };
        let family = session.model.layers[self.taps.layer - 1].family.clone();
        let table = session.blocks[0].tables.get(self.taps.layer - 1).cloned().flatten();
        for (step, frames) in session.blocks[0].frames.drain(..).enumerate() {
            let time_ms = first_ms + (step + 1) as f64 * dt_ms;
            for (unit, Frame { neuron: [x, v, likelihood, prior], below: [observed, sampled, eta] }) in frames.into_iter().enumerate() {
                self.traces[unit].push(TraceSample { time_ms, x, v, likelihood, prior });
                let mean = |eta: f64| table.as_ref().map_or_else(|| family.mean_statistic(eta), |t| t.mean(family.as_ref(), eta));
                let exact = mean(f64::from(eta)) as f32;
                self.interneurons[unit].push(InterneuronSample { time_ms, observed, sampled, exact });
            }
        }
        for list in &mut self.traces {
            drop_oldest(list, MAX_SAMPLES);
        }
        for list in &mut self.interneurons {
            drop_oldest(list, MAX_SAMPLES);
        }
        self.rasters.append(&mut session.blocks[0].rasters);
        drop_oldest(&mut self.rasters, MAX_PAIR_STEPS);
        let steps = session.blocks.iter().map(|b| b.pairs.len()).min().unwrap_or(0);
        for step in steps.saturating_sub(MAX_PAIR_STEPS)..steps {
            self.pairs.push(session.blocks.iter().flat_map(|b| b.pairs[step].iter().copied()).collect());
        }
        session.blocks.iter_mut().for_each(|b| b.pairs.clear());
        drop_oldest(&mut self.pairs, MAX_PAIR_STEPS);
    }

    fn obey(&mut self, command: Command) -> bool {
        self.changed = true;
        match command {
            Command::Shutdown => return false,
            Command::Run => {
                self.running = true;
                self.pace_from_now();
            }
            Command::Pause => self.running = false,
            Command::Step(n) => {
                self.running = false;
                self.owed = n;
            }
            Command::Reset => self.load(self.config.clone()),
            Command::SetParameter(parameter) => self.set(parameter),
            Command::SetPace(pace) => {
                self.pace = pace;
                self.pace_from_now();
            }
            Command::Load(config) => self.load(*config),
            Command::LoadModel(path) => match modelfile::load(&path) {
                Ok((config, model)) => {
                    let before = self.model_id;
                    self.rebuild(config, Some(model));
                    if let (true, Some(session)) = (self.model_id != before, &mut self.session)
                        && let Err(error) = modelfile::resume(&path, session)
                    {
                        self.tell(Event::Failed(format!("{error:#}")));
                    }
                }
                Err(error) => self.tell(Event::Failed(format!("{error:#}"))),
            },
            Command::Back => {
                // Taken only when the rebuild has put the present model in its place.
                if let Some((config, model)) = self.previous.clone() {
                    self.rebuild(config, Some(model));
                }
            }
            Command::UseImages(paths) => {
                let mut config = self.wanted.as_ref().unwrap_or(&self.config).clone();
                config.use_images(paths);
                self.load(config);
                self.running = true;
                self.pace_from_now();
            }
            Command::Stage(stage) => {
                self.finished = None;
                self.session.iter_mut().for_each(|session| session.go_to_stage(stage));
            }
            Command::NextStimulus => {
                self.finished = None;
                self.session.iter_mut().for_each(Session::show_next);
                self.refresh_exact();
                self.restart_race();
            }
            Command::HoldStimulus(hold) => {
                self.attempt(|session| session.hold(hold));
                self.refresh_exact();
                if !hold {
                    self.contest.end();
                }
            }
            Command::Race(samplers) => self.start_race(&samplers),
            Command::Experiment(experiment) => self.experiment(experiment),
            Command::Tune { layer } => self.show_gratings(layer),
            Command::StopTuning => self.tuner.iter().for_each(Tuner::stop),
            Command::Generate(settings) => self.generation(|g, session, model_id| g.generate(settings, session, model_id)),
            Command::Dreams(request) => self.generation(|g, session, _| g.ask(request, session)),
            Command::StopExperiment => self.bench.iter().for_each(Bench::stop),
            Command::RaceFrom(start) => {
                self.contest.restart(start);
            }
            Command::SetStimulus(values) => {
                self.attempt(|session| session.set_stimulus(&values));
                self.refresh_exact();
                if let Some(session) = &self.session {
                    self.contest.set_stimulus(session.stimulus(), self.exact.as_deref());
                }
            }
            Command::FreePixels(free) => {
                self.attempt(|session| session.free_pixels(&free));
                self.refresh_exact();
            }
            Command::RestartCompletions => self.session.iter_mut().for_each(Session::restart_completions),
            Command::Watch(watch) => self.set_watch(watch),
            Command::SaveModel(path) => {
                let saved = self.session.as_ref().map(|session| modelfile::save(&path, session.config(), session));
                match saved {
                    Some(Ok(())) => self.tell(Event::Saved(path)),
                    Some(Err(error)) => self.tell(Event::Failed(format!("{error:#}"))),
                    None => self.tell(Event::Failed("there is no model to save".into())),
                }
            }
            Command::PanicForTest => panic!("asked to panic"),
            Command::PoisonForTest => self.session.iter_mut().for_each(|s| s.model.weights[0][[0, 0]] = f32::NAN),
        }
        true
    }

    fn attempt(&mut self, action: impl FnOnce(&mut Session) -> Result<(), crate::experiment::ConfigError>) {
        if let Some(Err(error)) = self.session.as_mut().map(action) {
            self.tell(Event::Failed(error.to_string()));
        }
    }

    fn set(&mut self, parameter: Parameter) {
        let (mut d, mut l) = (self.config.dynamics, self.config.learning);
        match parameter {
            Parameter::TauXMs(v) => d.tau_x_ms = v,
            Parameter::TauEpsMs(v) => d.tau_eps_ms = v,
            Parameter::TauVMs(v) => d.tau_v_ms = v,
            Parameter::Adaptation(v) => d.adaptation = v,
            Parameter::Interneurons(v) => d.interneurons = v,
            Parameter::DtMs(v) => d.dt_ms = v,
            Parameter::LearningRate(v) => l.lr = v,
            Parameter::ExactInterneurons(v) => d.interneuron_mode = if v { InterneuronMode::Exact } else { InterneuronMode::Sampled },
            Parameter::ManualGovernor(v) => d.governor = if v { Governor::Manual } else { Governor::Auto },
            Parameter::Learning(v) => l.enabled = v,
        }
        match self.session.as_mut().map(|session| session.adjust(d, l)) {
            Some(Ok(())) => {
                let before = self.config.dynamics;
                (self.config.dynamics, self.config.learning) = (d, l);
                // What all samplers share; the rest is each one's own.
                let shared = |d: &crate::experiment::config::DynamicsConfig| (d.tau_x_ms, d.dt_ms, d.governor, d.interneuron_mode);
                if shared(&before) != shared(&d) {
                    self.restart_race();
                }
            }
            Some(Err(error)) => self.tell(Event::Failed(error.to_string())),
            None => {}
        }
    }

    /// Leaves a snapshot if the window has taken the last one, at most about 120 a second.
    fn publish(&mut self, idle: bool) {
        if !self.changed || (!idle && self.last_snapshot.elapsed() < Duration::from_millis(8)) {
            return;
        }
        self.refresh_subject();
        let mut slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(session) = &self.session else { return };
        if slot.is_some() {
            self.dropped += u64::from(!idle && self.last_snapshot.elapsed() > Duration::from_millis(16));
            return;
        }
        if self.shared_weights.0 != session.weights_version {
            if self.exact.is_some() {
                self.exact = DensityGrid::posterior(&session.model, session.stimulus(), 128).map(Arc::new);
            }
            self.shared_weights = (session.weights_version, session.model.weights.iter().cloned().map(Arc::new).collect());
        }
        let elapsed = self.rate.0.elapsed().as_secs_f64();
        if elapsed > 0.25 {
            let per_second = |now: u64, before: u64| now.saturating_sub(before) as f64 / elapsed;
            self.rate = (
                Instant::now(),
                session.steps,
                session.images,
                per_second(session.steps, self.rate.1),
                per_second(session.images, self.rate.2),
            );
        }
        if session.stage().is_some() {
            self.config.learning.lr = session.config().learning.lr;
            self.config.stages.clone_from(&session.config().stages);
        }
        let (d, limit_ms) = (&self.config.dynamics, session.largest_dt_ms());
        let (reconstruction, count) = &session.blocks[0].reconstruction;
        let now = || StimulusState {
            stimulus: session.stimulus().to_vec(),
            reconstruction: reconstruction.iter().map(|sum| sum / (*count).max(1) as f32).collect(),
            steps: *count,
            held: session.held,
            presentation: session.presentations,
            completed: session.completed(COMPLETIONS),
        };
        // A presentation lasts a few milliseconds: while it runs, the last finished one is worth more than the start of the next.
        let stimulus = self.finished.clone().filter(|_| (self.running || *count == 0) && !session.held).unwrap_or_else(now);
        let n = session.model.layers[self.watch.trace_layer].size;
        let traced = self.traces.len();
        *slot = Some(Box::new(Snapshot {
            model_id: self.model_id,
            previous: self.previous.as_ref().map(|(config, _)| (config.model.name.clone(), config.learning.images_seen)),
            config: Arc::new(self.config.clone()),
            clock: Clock {
                running: self.running,
                pace: self.pace,
                time_ms: session.time_ms,
                steps: session.steps,
                images: session.images,
                steps_per_second: self.rate.3,
                images_per_second: self.rate.4,
                dropped: self.dropped,
            },
            governor: GovernorState {
                dt_ms: session.parameters().dt_ms,
                limit_ms,
                stiffness: session.stiffness().to_vec(),
                lowered: d.governor == Governor::Auto && d.dt_ms > limit_ms * 1.000_001,
                beyond: d.governor == Governor::Manual && d.dt_ms > limit_ms * 1.000_001,
            },
            stage: session.stage().map(|_| session.position()),
            weights_version: session.weights_version,
            weights: self.shared_weights.1.clone(),
            stimulus,
            watch: self.watch.clone(),
            traces: std::mem::replace(&mut self.traces, vec![Vec::new(); traced]),
            interneurons: std::mem::replace(&mut self.interneurons, vec![Vec::new(); traced]),
            raster: std::mem::take(&mut self.rasters),
            pairs: std::mem::take(&mut self.pairs),
            states: session.blocks[0]
                .layers
                .iter()
                .zip(&session.model.layers)
                .map(|(state, layer)| state.x[..layer.size].to_vec())
                .collect(),
            biases: session.model.biases.clone(),
            activity: session.blocks[0].layers[self.watch.trace_layer].x[..n].to_vec(),
            exact_posterior: self.exact.clone(),
            exact_line: self.exact_line.clone(),
            learning: std::mem::take(&mut self.learning),
            subject: self.subject.as_ref().map(|(_, subject)| subject.clone()),
            findings: self.findings.clone(),
            tuning: self.tuning.clone(),
            generation: self.generation.state(),
            race: self.contest.state(d.tau_x_ms),
        }));
        drop(slot);
        self.last_snapshot = Instant::now();
        self.changed = false;
        (self.wake)();
    }
}

fn drop_oldest<T>(list: &mut Vec<T>, most: usize) {
    if list.len() > most {
        list.drain(..list.len() - most);
    }
}
