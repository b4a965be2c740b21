//! Runs one experiment at a time in the background and keeps its points.

use crate::engine::background::BackgroundJob;
use crate::experiment::laboratory::{self, Experiment, Point, Subject};
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::sync::Arc;

/// An experiment as far as it has come.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StudyFindings {
    /// What is swept.
    pub experiment: Experiment,
    /// What it is done on.
    pub subject: Arc<Subject>,
    /// Points so far.
    pub points: Vec<Point>,
    /// Points in all.
    pub total: usize,
    /// No more points will come.
    pub done: bool,
}

/// The job and what it has found.
pub(super) struct StudyRunner {
    findings: StudyFindings,
    job: BackgroundJob<Infallible, Point>,
}

impl StudyRunner {
    /// Starts the experiment.
    pub(super) fn start(experiment: Experiment, subject: Subject) -> std::io::Result<Self> {
        let (total, subject) = (laboratory::count(experiment), Arc::new(subject));
        let shared = subject.clone();
        let job = BackgroundJob::spawn("laboratory", 0, total.max(1), move |_, job| {
            laboratory::run(experiment, &shared, &mut |point| point.is_none_or(|point| job.report(point)) && !job.is_stopped());
        })?;
        Ok(Self { findings: StudyFindings { experiment, subject, points: Vec::new(), total, done: false }, job })
    }

    /// Asks it to stop soon; what was found stays.
    pub(super) fn stop(&self) {
        self.job.stop();
    }

    /// Takes in new points; true if something is new.
    pub(super) fn collect(&mut self) -> bool {
        let before = self.findings.points.len();
        let finished = self.job.is_finished(); // asked first, so that no point comes after it
        self.findings.points.extend(self.job.reports());
        let done = std::mem::replace(&mut self.findings.done, finished);
        self.findings.points.len() != before || done != finished
    }

    /// Whether the experiment has ended by a panic.
    pub(super) fn is_lost(&self) -> bool {
        self.job.is_lost()
    }

    pub(super) fn findings(&self) -> &StudyFindings {
        &self.findings
    }
}
