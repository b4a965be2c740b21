//! What the window asks for, done.

use super::Worker;
use super::running::Running;
use super::shared::Shared;
use super::subject::subject;
use crate::engine::{Command, EngineError, Event};
use crate::experiment::config::{DynamicsConfig, LearningConfig};
use crate::experiment::modelfile;
use crate::experiment::parameters::{self, Effect, Value};
use crate::studies::race::SamplerConfig;
use std::path::PathBuf;

impl Worker {
    /// Executes a command; false at the end.
    pub(super) fn execute(&mut self, command: Command) -> bool {
        self.shared.publication.mark_changed();
        self.shared.commands_executed += 1;
        match command {
            Command::Shutdown => return false,
            Command::Run => {
                self.shared.settings.paused = false;
                self.restart_pacing();
            }
            Command::Pause => self.shared.settings.paused = true,
            Command::SetParameter { key, value } => self.set_parameter(key, value),
            Command::Step(n) => {
                self.shared.settings.paused = true;
                self.running.iter_mut().for_each(|running| running.pacing.pending_steps = n);
            }
            Command::SetPace(pace) => {
                self.shared.settings.pace = pace;
                self.restart_pacing();
            }
            Command::Reset => self.reset(),
            Command::Load(config) => {
                self.load(*config, None);
            }
            Command::LoadModel(path) => self.load_file(&path),
            Command::Back => self.load_previous(),
            Command::SwitchRun(id) => self.switch_to(&id),
            Command::DuplicateRun(id) => self.duplicate(&id),
            Command::SameAgain { run, changes } => self.same_again(&run, &changes),
            Command::GoOnFrom(of) => {
                let (config, model) = *of;
                self.load(config, Some(model));
            }
            Command::RenameRun(id, name) => self.keeper(|keeper| keeper.rename(id, name)),
            Command::DeleteRun(id) => self.delete(&id),
            Command::RestoreRun(id) => self.keeper(|keeper| keeper.restore(id)),
            Command::SetRunBudget(bytes) => self.keeper(|keeper| keeper.set_budget(bytes)),
            Command::ListRuns => self.keeper(|keeper| keeper.list_again()),
            Command::KeepViews(id, views) => self.keep_views(&id, *views),
            Command::KeepTimeline(id, timeline) => self.keep_timeline(&id, timeline),
            Command::UseImages(paths) => self.use_images(paths),
            Command::SaveModel(path) => self.save(path),
            Command::ShareCores(share) => self.shared.share = share,
            Command::PanicForTest => panic!("asked to panic"),
            command => {
                if let Some(running) = &mut self.running {
                    running.execute(command, &mut self.shared);
                }
            }
        }
        true
    }

    /// Sets a row of the table of parameters, in flight or by a rebuild.
    fn set_parameter(&mut self, key: &str, value: Value) {
        let Some(running) = &mut self.running else { return };
        let mut changed = running.session.config().clone();
        match parameters::assign(&mut changed, key, value) {
            Ok(parameter) if parameter.effect == Effect::Rebuild => {
                self.load(changed, None);
            }
            Ok(_) => running.adjust(changed.dynamics, changed.learning, &mut self.shared),
            Err(error) => self.shared.report(Event::Failed(error.to_string())),
        }
    }

    fn save(&self, path: PathBuf) {
        let saved = self.running.as_ref().map(|Running { session, .. }| modelfile::save(&path, session.config(), session));
        match saved {
            Some(Ok(())) => self.shared.report(Event::Saved(path)),
            Some(Err(error)) => self.shared.report(Event::Failed(format!("{error:#}"))),
            None => self.shared.report_failure(Err(EngineError::NoModel { task: "save" })),
        }
    }
}

impl Running {
    /// Executes a command to the model that runs.
    fn execute(&mut self, command: Command, shared: &mut Shared) {
        match command {
            Command::Stage(_)
            | Command::NextStimulus
            | Command::HoldStimulus(_)
            | Command::SetStimulus(_)
            | Command::FreePixels(_)
            | Command::RestartCompletions => self.change_stimulus(command, shared),
            Command::Watch(watch) => self.set_watch(watch, shared),
            Command::Race(samplers) => self.start_race(&samplers, shared),
            Command::RaceFrom(start) => self.race.restart(start),
            Command::RunStudy { name, options } => {
                let target = subject(&self.session, &self.recorder.watch, shared.model_id);
                shared.report_failure(self.jobs.start_study(&name, options, target, &self.session));
            }
            Command::StopStudy => self.jobs.stop_study(),
            Command::ShowParts(on) => self.recorder.probes.parts = on,
            Command::MeasureLikelihood(on) => self.jobs.likelihood.set_on(on),
            Command::Tune { layer } => shared.report_failure(self.jobs.start_gratings(layer, &self.session, shared.model_id)),
            Command::StopTuning => self.jobs.stop_gratings(),
            Command::Generate(settings) => {
                shared.report_failure(self.jobs.generation.generate(settings, &self.session));
            }
            Command::Generation(command) => shared.report_failure(self.jobs.generation.execute(command, &self.session)),
            Command::PoisonForTest => self.session.spoil_weights_for_test(),
            // The worker executes these itself.
            Command::Run
            | Command::Pause
            | Command::Step(_)
            | Command::SetPace(_)
            | Command::SetParameter { .. }
            | Command::Reset
            | Command::Load(_)
            | Command::LoadModel(_)
            | Command::Back
            | Command::SwitchRun(_)
            | Command::DuplicateRun(_)
            | Command::SameAgain { .. }
            | Command::GoOnFrom(_)
            | Command::RenameRun(..)
            | Command::DeleteRun(_)
            | Command::RestoreRun(_)
            | Command::SetRunBudget(_)
            | Command::ListRuns
            | Command::KeepViews(..)
            | Command::KeepTimeline(..)
            | Command::UseImages(_)
            | Command::SaveModel(_)
            | Command::ShareCores(_)
            | Command::Shutdown
            | Command::PanicForTest => {}
        }
    }

    /// Another stimulus, or another use of it; the exact densities and the race follow.
    fn change_stimulus(&mut self, command: Command, shared: &mut Shared) {
        match command {
            Command::Stage(stage) => {
                self.recorder.forget_finished();
                self.session.go_to_stage(stage);
            }
            Command::NextStimulus => {
                self.recorder.forget_finished();
                self.session.show_next();
                self.refresh_exact();
                self.restart_race(shared);
            }
            Command::HoldStimulus(hold) => {
                shared.report_failure(self.session.hold(hold));
                self.refresh_exact();
                if !hold {
                    self.race.end();
                }
            }
            Command::SetStimulus(values) => {
                shared.report_failure(self.session.set_stimulus(&values));
                self.refresh_exact();
                self.race.set_stimulus(self.session.stimulus(), self.recorder.exact.grid.as_deref());
            }
            Command::FreePixels(free) => {
                shared.report_failure(self.session.free_pixels(&free));
                self.refresh_exact();
            }
            Command::RestartCompletions => self.session.restart_completions(),
            _ => {}
        }
    }

    /// Changes values that act from the next step on. The sampler of a race that has the settings of the model follows them; the race starts
    /// again where they are common to all its samplers, or interneurons come or go.
    fn adjust(&mut self, dynamics: DynamicsConfig, learning: LearningConfig, shared: &mut Shared) {
        let before = self.session.config().dynamics;
        match self.session.adjust(dynamics, learning) {
            Ok(()) => {
                if before.temperature != dynamics.temperature {
                    self.refresh_exact();
                }
                let common = |d: &DynamicsConfig| (d.tau_x_ms, d.dt_ms, d.governor, d.interneuron_mode, d.temperature);
                let [was, is] = [before, dynamics].map(|d| SamplerConfig::of(&d));
                let follows = was != is && self.race.follow(was, is);
                if common(&before) != common(&dynamics) {
                    self.restart_race(shared);
                } else if was != is && !follows {
                    let mut samplers = self.race.samplers();
                    if let Some(own) = samplers.iter_mut().rfind(|sampler| **sampler == was) {
                        *own = is;
                        self.start_race(&samplers, shared);
                    }
                }
            }
            Err(error) => shared.report(Event::Failed(error.to_string())),
        }
    }
}
