//! Runs one study at a time in the background and keeps what it finds.

use crate::engine::background::{BackgroundJob, JobContext};
use crate::experiment::parallel::on_one_thread;
use crate::studies::{self, Report, Study, StudyError, StudyFindings, StudyOptions, StudyTarget};
use std::convert::Infallible;

/// Reports that wait, at most.
const REPORTS: usize = 256;

/// What the thread says: a report of the study, or how it has ended.
enum Message {
    Report(Report),
    Ended(Result<(), StudyError>),
}

/// The job and what it has found.
pub(super) struct StudyRunner {
    findings: StudyFindings,
    job: BackgroundJob<Infallible, Message>,
}

impl StudyRunner {
    /// Starts a study. The error says why it cannot be done on this target.
    pub(super) fn start(study: &'static dyn Study, target: StudyTarget, options: StudyOptions) -> Result<Self, StudyError> {
        let findings = StudyFindings::new(study, &target, &options)?;
        let job = BackgroundJob::spawn("study", 0, REPORTS, move |_, job: &JobContext<Message>| {
            let outcome = on_one_thread(|| studies::run(study, &target, &options, &mut |report: Report| pass_on(report, job)));
            job.report_waiting(Message::Ended(outcome.unwrap_or_else(|error| Err(error.into()))));
        })?;
        Ok(Self { findings, job: job.detached() }) // the simulation does not wait for the end of a measurement
    }

    /// Asks it to stop soon; what was found stays.
    pub(super) fn stop(&self) {
        self.job.stop();
    }

    /// Takes in what has come; true if something is new.
    pub(super) fn collect(&mut self) -> bool {
        if self.findings.finished {
            return false;
        }
        let finished = self.job.is_finished(); // asked first, so that no report comes after it
        let mut is_new = finished;
        for message in self.job.reports() {
            match message {
                Message::Report(report) => self.findings.absorb(report),
                Message::Ended(outcome) => self.findings.end(outcome.err()),
            }
            is_new = true;
        }
        if finished && !self.findings.finished {
            self.findings.end(Some(StudyError::Internal)); // it ended without a word: a panic
        }
        is_new
    }

    /// Where the study has ended by a panic, a line that asks for a report.
    pub(super) fn loss(&self) -> Option<&str> {
        self.job.loss()
    }

    pub(super) fn findings(&self) -> &StudyFindings {
        &self.findings
    }
}

/// Hands a report over; false where the study is to stop. Progress that finds no room is left out, all else waits for it.
fn pass_on(report: Report, job: &JobContext<Message>) -> bool {
    match report {
        Report::Working => !job.is_stopped(),
        Report::Progress(..) => {
            job.report(Message::Report(report)); // where there is no room, the next one tells more
            !job.is_stopped()
        }
        report => job.report_waiting(Message::Report(report)) && !job.is_stopped(),
    }
}
