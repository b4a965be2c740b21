//! Other models in place of the one that runs.

use super::Worker;
use super::keeping::Previous;
use super::running::Running;
use super::shared::Shared;
use super::visibility::Visibility;
use crate::data::Source;
use crate::engine::command::LEARNING_STEPS_PER_SECOND;
use crate::engine::{AutosaveOptions, Event, Pace};
use crate::experiment::session::Session;
use crate::experiment::{Config, ModelFileError, Resumed, modelfile, presets};
use crate::model::Hierarchy;
use crate::panics;
use std::path::{Path, PathBuf};

/// Steps a second at first, for chains on a fixed stimulus.
const CHAIN_STEPS_PER_SECOND: f64 = 4000.0;
/// Shown where what was asked for at the start cannot be loaded: a preset that needs no files.
const FALLBACK: &str = "digits";

/// Whether a configuration that was asked for still waits for something.
#[derive(Default)]
pub(super) enum Loading {
    /// It became a session, or was refused for good.
    #[default]
    Settled,
    /// MNIST's preset was asked for and its files are not there: the next images that are named are for it. What ran before goes on
    /// meanwhile.
    AwaitsImages(Box<Config>),
}

impl Worker {
    /// Starts on `config`, or on a preset that needs no files: a window that shows nothing helps nobody.
    pub(super) fn start(&mut self, config: Config, autosave: Option<&AutosaveOptions>) {
        let begin = || autosave.is_some_and(|options| self.begin_autosave(options)) || self.load(config, None);
        if let Err(report) = panics::caught(begin) {
            self.shared.report(Event::Failed(report));
        }
        if self.running.is_none() {
            let awaited = std::mem::take(&mut self.loading);
            if let Ok(config) = presets::by_name(FALLBACK) {
                self.load(config, None);
            }
            self.loading = awaited;
        }
    }

    /// Builds a session, fresh without a `model`, in place of the present one, which is kept for [`crate::engine::Command::Back`].
    /// False where that fails: the present one stays.
    pub(super) fn load(&mut self, config: Config, model: Option<Hierarchy>) -> bool {
        let built = self.build(config, model);
        let is_built = built.is_some();
        built.into_iter().for_each(|session| self.replace(session));
        is_built
    }

    /// Builds a session, fresh without a `model`; None, after the reason was reported, where that fails.
    pub(super) fn build(&mut self, config: Config, model: Option<Hierarchy>) -> Option<Session> {
        let progress = &self.shared.exchange.progress;
        progress.clear();
        let built = Session::build(config.clone(), model, progress);
        progress.clear();
        match built {
            Ok(session) => Some(session),
            Err(error) => {
                if config.data.source == Source::Mnist {
                    self.loading = Loading::AwaitsImages(Box::new(config));
                }
                self.shared.report(Event::Failed(format!("{error:#}")));
                None
            }
        }
    }

    /// Runs this session from now on.
    pub(super) fn replace(&mut self, session: Session) {
        let visibility = self.running.as_ref().map_or_else(Visibility::default, Running::visibility);
        self.save_learned();
        if let Some(running) = self.running.take() {
            self.shared.previous = Some(Previous::State(Box::new(running.session.state())));
        }
        self.loading = Loading::Settled;
        for warning in session.warnings() {
            self.shared.report(Event::Warning(warning.clone()));
        }
        self.shared.report(Event::Loaded(session.config().model.name.clone()));
        self.shared.model_id += 1;
        if let Some(autosave) = &mut self.shared.autosave {
            autosave.begin(self.shared.model_id, &session);
        }
        if let Pace::StepsPerSecond(_) = self.shared.settings.pace {
            // Chains on a fixed stimulus pass a second in a second or so; learning is shown slowly enough to be watched.
            let fixed = session.config().stimulus.steps_per_stimulus == 0;
            self.shared.settings.pace = Pace::StepsPerSecond(if fixed { CHAIN_STEPS_PER_SECOND } else { LEARNING_STEPS_PER_SECOND });
        }
        self.running = Some(Running::new(session, visibility, &mut self.shared));
        self.shared.publication.mark_changed();
    }

    /// Starts again from the seed with the configuration in force and the stimulus that it began with.
    pub(super) fn reset(&mut self) {
        if let Some(config) = self.running.as_ref().map(|running| running.session.config_for_restart()) {
            self.load(config, None);
        }
    }

    /// Loads a model file, with what is needed to go on with its training, and says how it goes on.
    pub(super) fn load_file(&mut self, path: &Path) {
        let text = match self.resume_file(path) {
            None => return,
            Some(Resumed::Exactly) => "learning goes on exactly where it stopped".to_string(),
            Some(Resumed::Approximately(reason)) => format!("learning goes on approximately: {reason}"),
        };
        self.shared.report(Event::Resumed(format!("{}: {text}", path.display())));
    }

    /// The same without a word on how it goes on; None, after the reason was reported and with the present model running on, where it
    /// does not.
    pub(super) fn resume_file(&mut self, path: &Path) -> Option<Resumed> {
        let report = |shared: &Shared, error: ModelFileError| shared.report(Event::Failed(format!("{error:#}")));
        let (config, model) = modelfile::load(path).map_err(|error| report(&self.shared, error)).ok()?;
        let mut session = self.build(config, Some(model))?;
        let resumed = modelfile::resume(path, &mut session).map_err(|error| report(&self.shared, error)).ok()?;
        self.replace(session);
        Some(resumed)
    }

    /// Loads the configuration that waits for images, or else the one in force, on these, and runs.
    pub(super) fn use_images(&mut self, paths: Vec<PathBuf>) {
        let in_force = self.running.as_ref().map(|running| running.session.config());
        let config = match &self.loading {
            Loading::AwaitsImages(config) => Some(&**config),
            Loading::Settled => in_force,
        };
        if let Some(mut config) = config.cloned() {
            config.use_images(paths);
            self.load(config, None);
        }
        self.shared.settings.paused = false;
        self.restart_pacing();
    }

    /// Counts steps against the pace from now on.
    pub(super) fn restart_pacing(&mut self) {
        if let Some(Running { session, pacing, .. }) = &mut self.running {
            pacing.restart(session.steps());
        }
    }
}
