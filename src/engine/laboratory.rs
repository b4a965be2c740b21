//! Runs one experiment at a time on a thread of its own and keeps its points.

use crate::experiment::laboratory::{self, Experiment, Point, Subject};
use crossbeam_channel::{Receiver, bounded};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// An experiment as far as it has come.
#[derive(Clone, Debug)]
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

/// The thread and what it has found.
pub(super) struct StudyRunner {
    findings: StudyFindings,
    stop: Arc<AtomicBool>,
    inbox: Receiver<Point>,
    thread: Option<JoinHandle<()>>,
}

impl StudyRunner {
    /// Starts the experiment.
    pub(super) fn start(experiment: Experiment, subject: Subject) -> std::io::Result<Self> {
        let total = laboratory::count(experiment);
        let (outbox, inbox) = bounded(total.max(1));
        let (stop, subject) = (Arc::new(AtomicBool::new(false)), Arc::new(subject));
        let (told, shared) = (stop.clone(), subject.clone());
        let body = move || {
            laboratory::run(experiment, &shared, &mut |point| {
                point.is_none_or(|point| outbox.try_send(point).is_ok()) && !told.load(Ordering::Relaxed)
            });
        };
        let thread = Some(std::thread::Builder::new().name("laboratory".into()).spawn(body)?);
        Ok(Self { findings: StudyFindings { experiment, subject, points: Vec::new(), total, done: false }, stop, inbox, thread })
    }

    /// Asks it to stop soon; what was found stays.
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Takes in new points; true if something changed.
    pub(super) fn collect(&mut self) -> bool {
        let before = self.findings.points.len();
        let ended = self.thread.as_ref().is_none_or(JoinHandle::is_finished);
        self.findings.points.extend(self.inbox.try_iter());
        let done = std::mem::replace(&mut self.findings.done, ended);
        self.findings.points.len() != before || done != ended
    }

    pub(super) fn findings(&self) -> &StudyFindings {
        &self.findings
    }
}

impl Drop for StudyRunner {
    fn drop(&mut self) {
        self.stop();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // it looks at `stop` every few hundred steps
        }
    }
}
