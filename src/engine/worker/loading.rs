//! Other models in place of the one that runs.

use super::running::Running;
use super::shared::Shared;
use super::{Start, Worker};
use crate::data::Source;
use crate::engine::Event;
use crate::experiment::session::Session;
use crate::experiment::{Config, ModelFileError, Resumed, modelfile, presets};
use crate::model::Hierarchy;
use crate::panics;
use std::path::{Path, PathBuf};

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
    /// Starts on what was asked for. An engine that is alone else starts on a preset that needs no files: a window that shows nothing helps
    /// nobody.
    pub(super) fn start(&mut self, start: Start) {
        let Start { config, autosave, beside } = start;
        let is_alone = beside.is_none();
        let (share, model) = beside.map_or((None, None), |(cores, model)| (Some(cores), model));
        self.shared.share = share;
        let begin = || autosave.is_some_and(|options| self.begin_autosave(&options)) || self.load(config, model);
        if let Err(report) = panics::caught(begin) {
            self.shared.report(Event::Failed(report));
        }
        if self.running.is_none() && is_alone {
            let awaited = std::mem::take(&mut self.loading);
            if let Ok(config) = presets::by_name(FALLBACK) {
                self.load(config, None);
            }
            self.loading = awaited;
        }
    }

    /// Builds a session, fresh without a `model`, as a new run in place of the present one, which is kept.
    /// False where that fails: the present one stays.
    pub(super) fn load(&mut self, config: Config, model: Option<Hierarchy>) -> bool {
        let built = self.build(config, model);
        let is_built = built.is_some();
        built.into_iter().for_each(|session| self.replace(session, None));
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

    /// Starts again from the seed with the configuration in force and the stimulus that it began with.
    pub(super) fn reset(&mut self) {
        if let Some(config) = self.running.as_ref().map(|running| running.session.config_for_restart()) {
            let pace = self.shared.settings.pace;
            self.load(config, None);
            self.shared.settings.pace = pace; // of the same model: what was watched slowly is watched slowly again
        }
    }

    /// Begins a run with a model file and what is needed to go on with its training, and says how it goes on.
    pub(super) fn load_file(&mut self, path: &Path) {
        let Some((session, resumed)) = self.session_of_file(path) else { return };
        self.replace(session, None);
        let text = match resumed {
            Resumed::Exactly => "learning goes on exactly where it stopped".to_string(),
            Resumed::Approximately(reason) => format!("learning goes on approximately: {reason}"),
        };
        self.shared.report(Event::Resumed(format!("{}: {text}", path.display())));
    }

    /// The session of a model file, and how it goes on; None, after the reason was reported, where there is none.
    pub(super) fn session_of_file(&mut self, path: &Path) -> Option<(Session, Resumed)> {
        let report = |shared: &Shared, error: ModelFileError| shared.report(Event::Failed(format!("{error:#}")));
        let (config, model) = modelfile::load(path).map_err(|error| report(&self.shared, error)).ok()?;
        let mut session = self.build(config, Some(model))?;
        let resumed = modelfile::resume(path, &mut session).map_err(|error| report(&self.shared, error)).ok()?;
        Some((session, resumed))
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
