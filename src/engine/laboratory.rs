//! Runs one study at a time on a thread of its own and keeps what it finds.

use crate::studies::{self, Report, Study, StudyError, StudyFindings, StudyOptions, StudyTarget};
use crossbeam_channel::{Receiver, SendTimeoutError, Sender, bounded};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Reports that wait, at most.
const REPORTS: usize = 256;
/// How long a report that finds no room waits until it looks whether to stop.
const PATIENCE: Duration = Duration::from_millis(20);

/// The thread and what it has found.
pub(super) struct StudyRunner {
    findings: StudyFindings,
    stop: Arc<AtomicBool>,
    inbox: Receiver<Report>,
    thread: Option<JoinHandle<Result<(), StudyError>>>,
}

impl StudyRunner {
    /// Starts a study. The error says why it cannot be done on this target.
    pub(super) fn start(study: &'static dyn Study, target: StudyTarget, options: StudyOptions) -> Result<Self, StudyError> {
        study.applies(&target)?;
        let findings = StudyFindings::new(study, &target, &options)?;
        let (outbox, inbox) = bounded(REPORTS);
        let stop = Arc::new(AtomicBool::new(false));
        let told = stop.clone();
        let body = move || {
            // One thread for all of it: the cores are for learning.
            let pool = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build().map_err(|_| StudyError::Internal)?;
            pool.install(|| studies::run(study, &target, &options, &mut |report: Report| pass_on(report, &outbox, &told)))
        };
        let thread = Some(std::thread::Builder::new().name("study".into()).spawn(body)?);
        Ok(Self { findings, stop, inbox, thread })
    }

    /// Asks it to stop soon; what was found stays.
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Takes in what has come; true if something changed.
    pub(super) fn collect(&mut self) -> bool {
        if self.findings.finished {
            return false;
        }
        let ended = self.thread.as_ref().is_none_or(JoinHandle::is_finished);
        let mut changed = ended;
        for report in self.inbox.try_iter() {
            self.findings.absorb(report);
            changed = true;
        }
        if ended {
            let outcome = self.thread.take().map(|thread| thread.join().unwrap_or(Err(StudyError::Internal)));
            self.findings.end(outcome.and_then(Result::err));
        }
        changed
    }

    pub(super) fn findings(&self) -> &StudyFindings {
        &self.findings
    }
}

/// Hands a report over; false where the study is to stop. Progress that finds no room is left out, all else waits for it.
fn pass_on(report: Report, outbox: &Sender<Report>, stop: &AtomicBool) -> bool {
    let mut waiting = match report {
        Report::Working => None,
        Report::Progress(..) => {
            let _ = outbox.try_send(report); // the next one tells more
            None
        }
        report => Some(report),
    };
    while let Some(report) = waiting.take() {
        match outbox.send_timeout(report, PATIENCE) {
            Ok(()) => {}
            Err(SendTimeoutError::Timeout(report)) if !stop.load(Ordering::Relaxed) => waiting = Some(report),
            Err(_) => return false,
        }
    }
    !stop.load(Ordering::Relaxed)
}

impl Drop for StudyRunner {
    fn drop(&mut self) {
        self.stop();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // it looks at `stop` every few hundred steps
        }
    }
}
