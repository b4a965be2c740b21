//! Other models in place of the one that runs.

use super::Worker;
use super::running::{Running, Visibility};
use crate::data::Source;
use crate::engine::command::LEARNING_STEPS_PER_SECOND;
use crate::engine::{Event, Pace};
use crate::experiment::session::Session;
use crate::experiment::{Config, modelfile, presets};
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
    pub(super) fn start(&mut self, config: Config) {
        if let Err(report) = panics::caught(|| self.load(config, None)) {
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
        let progress = &self.shared.exchange.progress;
        progress.clear();
        let built = Session::build(config.clone(), model, progress);
        progress.clear();
        match built {
            Ok(session) => {
                self.replace(session);
                true
            }
            Err(error) => {
                if config.data.source == Source::Mnist {
                    self.loading = Loading::AwaitsImages(Box::new(config));
                }
                self.shared.report(Event::Failed(format!("{error:#}")));
                false
            }
        }
    }

    /// Runs this session from now on.
    pub(super) fn replace(&mut self, session: Session) {
        let visibility = self.running.as_ref().map_or_else(Visibility::default, Running::visibility);
        self.shared.previous = self.running.take().map(|running| (running.session.config_for_saving(), running.session.into_model()));
        self.loading = Loading::Settled;
        for warning in session.warnings() {
            self.shared.report(Event::Warning(warning.clone()));
        }
        self.shared.report(Event::Loaded(session.config().model.name.clone()));
        self.shared.model_id += 1;
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

    /// Loads a model file, with what is needed to go on with its training.
    pub(super) fn load_file(&mut self, path: &Path) {
        match modelfile::load(path) {
            Ok((config, model)) => {
                if let (true, Some(running)) = (self.load(config, Some(model)), &mut self.running) {
                    self.shared.report_failure(modelfile::resume(path, &mut running.session));
                }
            }
            Err(error) => self.shared.report(Event::Failed(format!("{error:#}"))),
        }
    }

    /// Goes back to the model before the last rebuild, which is dropped only when it runs.
    pub(super) fn load_previous(&mut self) {
        if let Some((config, model)) = self.shared.previous.clone() {
            self.load(config, Some(model));
        }
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
