//! What the window asks for, done.

use super::Worker;
use crate::dynamics::block::Probes;
use crate::engine::generation::Generation;
use crate::engine::laboratory::StudyRunner;
use crate::engine::tuning_runner::{TuningRequest, TuningRunner};
use crate::engine::{Command, Event, MAX_TRACED, Parameter, Watch};
use crate::experiment::session::Session;
use crate::experiment::{ConfigError, FrozenModel, Governor, InterneuronMode, ModelVersion, modelfile};
use crate::studies::race::SamplerConfig;
use crate::studies::tuning::Protocol;
use crate::studies::{self, StudyOptions, fits};
use std::sync::Arc;

impl Worker {
    pub(super) fn execute(&mut self, command: Command) -> bool {
        self.changed = true;
        self.commands_executed += 1;
        match command {
            Command::Shutdown => return false,
            Command::Run => {
                self.running = true;
                self.pace_from_now();
            }
            Command::Pause => self.running = false,
            Command::Step(n) => {
                self.running = false;
                self.pending_steps = n;
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
                    self.race_runner.end();
                }
            }
            Command::Race(samplers) => self.start_race(&samplers),
            Command::RunStudy { name, options } => self.run_study(&name, options),
            Command::Tune { layer } => self.show_gratings(layer),
            Command::StopTuning => self.tuner.iter().for_each(TuningRunner::stop),
            Command::Generate(settings) => self.generation(|g, session, model_id| g.generate(settings, session, model_id)),
            Command::GenerationThread(request) => self.generation(|g, session, _| g.ask(request, session)),
            Command::StopStudy => self.study_runner.iter().for_each(StudyRunner::stop),
            Command::RaceFrom(start) => {
                self.race_runner.restart(start);
            }
            Command::SetStimulus(values) => {
                self.attempt(|session| session.set_stimulus(&values));
                self.refresh_exact();
                if let Some(session) = &self.session {
                    self.race_runner.set_stimulus(session.stimulus(), self.exact.as_deref());
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

    pub(super) fn attempt(&mut self, action: impl FnOnce(&mut Session) -> Result<(), ConfigError>) {
        if let Some(Err(error)) = self.session.as_mut().map(action) {
            self.tell(Event::Failed(error.to_string()));
        }
    }

    pub(super) fn set(&mut self, parameter: Parameter) {
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

    pub(super) fn set_watch(&mut self, watch: Watch) {
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
        self.probes =
            Probes { layer, below: units.iter().map(strongest).collect(), units: units.clone(), pair: Some(pair), raster: watch.raster };
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

    pub(super) fn run_study(&mut self, name: &str, options: StudyOptions) {
        self.study_runner = None; // the one under way ends first
        let Some(session) = &self.session else { return };
        let started = studies::by_name(name).and_then(|study| {
            let target = self.subject_of(session).with_images(study, session.images_shown(), session.labels_shown());
            StudyRunner::start(study, target, options)
        });
        match started {
            Ok(study_runner) => {
                self.findings = Some(Arc::new(study_runner.findings().clone()));
                self.study_runner = Some(study_runner);
            }
            Err(error) => self.tell(Event::Failed(format!("cannot run the study {name}: {error}"))),
        }
    }

    pub(super) fn show_gratings(&mut self, layer: usize) {
        self.tuner = None; // the one under way ends first
        let Some(session) = &self.session else { return };
        let Some(side) = fits::side(session.model.layers[0].size).filter(|_| (1..=session.active_layers()).contains(&layer)) else {
            self.tell(Event::Failed(format!("layer {layer} of this model cannot be shown gratings")));
            return;
        };
        let started = TuningRunner::start(TuningRequest {
            frozen: FrozenModel::of(session, ModelVersion { model: self.model_id, weights: session.weights_version }),
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

    pub(super) fn generation(&mut self, action: impl FnOnce(&mut Generation, &Session, u64) -> Result<(), String>) {
        if let Some(Err(problem)) = self.session.as_ref().map(|session| action(&mut self.generation, session, self.model_id)) {
            self.tell(Event::Failed(problem));
        }
    }

    /// A model of two causes and a fixed stimulus starts with a race: without adaptation, and as the preset has it.
    pub(super) fn default_race(&mut self) {
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

    pub(super) fn start_race(&mut self, samplers: &[SamplerConfig]) {
        self.changed = true;
        let Some(session) = &self.session else { return };
        let started = self.race_runner.start(samplers, session, &self.config.dynamics, &self.watch, self.exact.as_deref());
        if let Err(problem) = started {
            self.tell(Event::Failed(problem.into()));
        }
    }

    /// The race again, on what has changed.
    pub(super) fn restart_race(&mut self) {
        let samplers = self.race_runner.samplers();
        if !samplers.is_empty() {
            self.start_race(&samplers);
        }
    }
}
