//! What goes on beside the simulation: one study, one showing of gratings, generation.

use super::shared::Shared;
use super::visibility::Visibility;
use crate::engine::generation::Generation;
use crate::engine::likelihood_monitor::LikelihoodMonitor;
use crate::engine::study_runner::StudyRunner;
use crate::engine::tuning_runner::{TuningRequest, TuningRunner, TuningState};
use crate::engine::{EngineError, Event};
use crate::experiment::session::Session;
use crate::experiment::{FrozenModel, ModelVersion};
use crate::studies::tuning::Protocol;
use crate::studies::{self, StudyFindings, StudyOptions, StudyTarget, fits};
use std::sync::Arc;

/// The background jobs on one model, and what they have found. They end with it.
pub(super) struct Jobs {
    study: Option<StudyRunner>,
    pub(super) findings: Option<Arc<StudyFindings>>,
    gratings: Option<TuningRunner>,
    pub(super) tuning: Option<Arc<TuningState>>,
    pub(super) generation: Generation,
    pub(super) likelihood: LikelihoodMonitor,
}

impl Jobs {
    pub(super) fn new(visibility: Visibility, model_id: u64) -> Self {
        Self {
            study: None,
            findings: None,
            gratings: None,
            tuning: None,
            generation: Generation::new(visibility.generation, model_id),
            likelihood: LikelihoodMonitor::new(visibility.likelihood, model_id),
        }
    }

    /// Takes in what was found and reports what failed; true if something is new.
    pub(super) fn collect(&mut self, session: &Session, shared: &Shared) -> bool {
        let mut is_new = false;
        if let Some(study) = &mut self.study
            && study.collect()
        {
            self.findings = Some(Arc::new(study.findings().clone()));
            is_new = true;
            shared.report_failure(survived(study.loss(), "the study"));
        }
        if let Some(gratings) = &mut self.gratings
            && gratings.collect()
        {
            self.tuning = Some(Arc::new(gratings.state().clone()));
            is_new = true;
            shared.report_failure(survived(gratings.loss(), "the showing of gratings"));
        }
        let (is_measured, outcome) = self.likelihood.follow(session);
        is_new |= is_measured;
        shared.report_failure(outcome);
        let mut outcomes = Vec::new();
        is_new |= self.generation.collect(session, &mut outcomes);
        for outcome in outcomes {
            shared.report(outcome.map_or_else(|error| Event::Failed(error.to_string()), Event::Saved));
        }
        is_new
    }

    /// Starts the study of that name in place of the one under way.
    pub(super) fn start_study(
        &mut self,
        name: &str,
        options: StudyOptions,
        target: StudyTarget,
        session: &Session,
    ) -> Result<(), EngineError> {
        self.study = None; // the one under way ends by itself
        let started = studies::by_name(name).and_then(|study| {
            let target = target.with_images(study, session.images_shown(), session.labels_shown());
            StudyRunner::start(study, target, options)
        });
        let study = started.map_err(|error| EngineError::Study { name: name.into(), reason: error.to_string() })?;
        self.findings = Some(Arc::new(study.findings().clone()));
        self.study = Some(study);
        Ok(())
    }

    /// Asks the study to stop; its points stay.
    pub(super) fn stop_study(&self) {
        self.study.iter().for_each(StudyRunner::stop);
    }

    /// Shows gratings to copies of the network of the session, which is the model of this number, and records `layer`, 1..=L.
    pub(super) fn start_gratings(&mut self, layer: usize, session: &Session, model_id: u64) -> Result<(), EngineError> {
        self.gratings = None; // those under way end first
        let shape = fits::patch(session.model().image_shape()).filter(|_| (1..=session.active_layers()).contains(&layer));
        let started = TuningRunner::start(TuningRequest {
            frozen: FrozenModel::of(session, ModelVersion { model: model_id, weights: session.weights_version() }),
            layer,
            shape: shape.ok_or(EngineError::NoGratings { layer })?,
            protocol: Protocol { seed: session.config().dynamics.seed, ..Protocol::default() },
        });
        let gratings = started.map_err(|error| EngineError::Thread { task: "show gratings", reason: error.to_string() })?;
        self.tuning = Some(Arc::new(gratings.state().clone()));
        self.gratings = Some(gratings);
        Ok(())
    }

    /// Asks everything under way to stop or to wait.
    pub(super) fn rest(&mut self) {
        self.stop_study();
        self.stop_gratings();
        self.likelihood.set_on(false);
        self.generation.set_visible(false);
    }

    /// Goes on in sight of a window that looks at this.
    pub(super) fn go_on(&mut self, visibility: Visibility) {
        self.likelihood.set_on(visibility.likelihood);
        self.generation.set_visible(visibility.generation);
    }

    /// Asks the gratings to stop.
    pub(super) fn stop_gratings(&self) {
        self.gratings.iter().for_each(TuningRunner::stop);
    }
}

fn survived(loss: Option<&str>, job: &'static str) -> Result<(), EngineError> {
    loss.map_or(Ok(()), |report| Err(EngineError::Lost { job, advice: "", report: report.into() }))
}
