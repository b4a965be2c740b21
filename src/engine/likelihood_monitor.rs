//! Measures the likelihood of held-out images in the background while the weights learn.

use crate::data::Progress;
use crate::engine::EngineError;
use crate::engine::background::{BackgroundJob, JobContext};
use crate::experiment::parallel::on_one_thread;
use crate::experiment::session::Session;
use crate::experiment::{Config, FrozenModel, ModelVersion};
use crate::studies::likelihood::{HeldOut, LikelihoodPoint};
use crossbeam_channel::Receiver;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Points kept at most; when there are as many, every second one goes.
const MOST_POINTS: usize = 400;

/// The likelihood over learning, as far as it was measured.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct LikelihoodState {
    /// Whether it goes on being measured.
    pub on: bool,
    /// What is measured, in words.
    pub of: String,
    /// In order.
    pub points: Vec<LikelihoodPoint>,
    /// Why nothing is measured, where that is so.
    pub problem: Option<String>,
}

/// What the thread says.
enum Report {
    Of(String),
    Point(LikelihoodPoint),
    Problem(String),
}

/// The job of one model, where there is one, and what it has found.
pub(super) struct LikelihoodMonitor {
    /// Nobody waits for the end of a measurement.
    job: Option<BackgroundJob<Box<FrozenModel>, Report>>,
    state: Arc<LikelihoodState>,
    model_id: u64,
    /// The weights that are measured or were measured last, and since when.
    measured: Option<(u64, Instant)>,
    /// When the next measurement may begin: the thread rests for as long as it has worked. None while it works.
    due: Option<Instant>,
}

impl LikelihoodMonitor {
    pub(super) fn new(on: bool, model_id: u64) -> Self {
        let state = Arc::new(LikelihoodState { on, ..LikelihoodState::default() });
        Self { job: None, state, model_id, measured: None, due: Some(Instant::now()) }
    }

    /// Whether it was asked for: this outlives the model.
    pub(super) fn is_on(&self) -> bool {
        self.state.on
    }

    /// What is known; None where it was never asked for.
    pub(super) fn state(&self) -> Option<Arc<LikelihoodState>> {
        (self.state.on || !self.state.points.is_empty()).then(|| self.state.clone())
    }

    /// Begins to measure, or leaves it off; points stay.
    pub(super) fn set_on(&mut self, on: bool) {
        let state = Arc::make_mut(&mut self.state);
        (state.on, state.problem) = (on, None);
        self.job = None;
        (self.measured, self.due) = (None, Some(Instant::now()));
    }

    /// Takes in what was measured and hands over weights that were not; true if something is new. The error says what has failed.
    pub(super) fn follow(&mut self, session: &Session) -> (bool, Result<(), EngineError>) {
        if !self.state.on || self.state.problem.is_some() {
            return (false, Ok(()));
        }
        let is_new = self.collect();
        if self.state.problem.is_some() {
            self.job = None;
            return (true, Ok(()));
        }
        let mut outcome = self.job.as_ref().and_then(BackgroundJob::loss).map_or(Ok(()), |report| {
            Err(EngineError::Lost { job: "the measurement of the likelihood", advice: "", report: report.into() })
        });
        if outcome.is_ok()
            && self.due.is_some_and(|due| Instant::now() >= due)
            && self.measured.is_none_or(|(version, _)| version != session.weights_version())
        {
            outcome = self.submit(session);
        }
        if outcome.is_err() {
            self.set_on(false);
        }
        (is_new || outcome.is_err(), outcome)
    }

    fn collect(&mut self) -> bool {
        let Some(job) = &self.job else { return false };
        let mut is_new = false;
        for report in job.reports() {
            let state = Arc::make_mut(&mut self.state);
            match report {
                Report::Of(what) => state.of = what,
                Report::Problem(problem) => state.problem = Some(problem),
                Report::Point(point) => {
                    if state.points.len() >= MOST_POINTS {
                        state.points = state.points.iter().copied().step_by(2).collect();
                    }
                    state.points.push(point);
                    let worked = self.measured.map_or(Duration::ZERO, |(_, begin)| begin.elapsed());
                    self.due = Some(Instant::now() + worked);
                }
            }
            is_new = true;
        }
        is_new
    }

    fn submit(&mut self, session: &Session) -> Result<(), EngineError> {
        let version = ModelVersion { model: self.model_id, weights: session.weights_version() };
        let frozen = Box::new(FrozenModel::of(session, version));
        let job = match self.job.take() {
            Some(job) => job,
            None => start(session.config().clone())
                .map_err(|error| EngineError::Thread { task: "measure the likelihood", reason: error.to_string() })?,
        };
        if job.submit(frozen) {
            (self.measured, self.due) = (Some((version.weights, Instant::now())), None);
        }
        self.job = Some(job);
        Ok(())
    }
}

fn start(config: Config) -> std::io::Result<BackgroundJob<Box<FrozenModel>, Report>> {
    let job = BackgroundJob::spawn("likelihood", 1, 4, move |requests, job: &JobContext<Report>| {
        if let Err(error) = on_one_thread(|| measure(&config, &requests, job)) {
            job.report_waiting(Report::Problem(error.to_string()));
        }
    });
    Ok(job?.detached())
}

/// Measures every model that comes; the images are read before the first.
fn measure(config: &Config, requests: &Receiver<Box<FrozenModel>>, job: &JobContext<Report>) {
    let mut held_out = None;
    for frozen in requests {
        if held_out.is_none() {
            match HeldOut::load(config, &frozen, &Progress::default()) {
                Ok(Some(found)) => {
                    job.report_waiting(Report::Of(format!("{} {}", found.images.nrows(), found.kind)));
                    held_out = Some(found);
                }
                Ok(None) => _ = job.report_waiting(Report::Problem("a fixed stimulus has no images that are held out".into())),
                Err(error) => _ = job.report_waiting(Report::Problem(error.to_string())),
            }
        }
        let Some(held_out) = &held_out else { return };
        let report = match LikelihoodPoint::measure(&frozen, held_out, &|| !job.is_stopped()) {
            Ok(point) => Report::Point(point),
            Err(_) if job.is_stopped() => return,
            Err(error) => Report::Problem(error.to_string()),
        };
        job.report_waiting(report);
    }
}
