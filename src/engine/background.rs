//! A job in the background: a named thread that takes requests and gives reports, both through bounded channels.

use crate::engine::priority;
use crate::panics;
use crossbeam_channel::{Receiver, SendTimeoutError, Sender, TrySendError, bounded};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long a report that finds no room waits until it is looked whether the thread is to stop.
const PATIENCE: Duration = Duration::from_millis(20);

/// What both sides of a job know.
#[derive(Default)]
struct JobState {
    stop: AtomicBool,
    finished: AtomicBool,
    /// What a panic has left to say.
    loss: OnceLock<String>,
    done: AtomicUsize,
    total: AtomicUsize,
}

/// A running job. Dropping it stops its thread and joins it, which takes as long as the thread's function takes to look at
/// [`JobContext::is_stopped`].
pub struct BackgroundJob<Request, Report> {
    requests: Option<Sender<Request>>,
    reports: Receiver<Report>,
    state: Arc<JobState>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread's function has of its job.
pub struct JobContext<Report> {
    reports: Sender<Report>,
    state: Arc<JobState>,
}

impl<Request: Send + 'static, Report: Send + 'static> BackgroundJob<Request, Report> {
    /// Starts `body` on a thread of this name. At most `requests` and `reports` of each kind wait in the channels. `body` should return
    /// when the channel of requests is closed and soon after [`JobContext::is_stopped`]. An error where the system gives no thread.
    pub fn spawn(
        name: &str,
        requests: usize,
        reports: usize,
        body: impl FnOnce(Receiver<Request>, &JobContext<Report>) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (request_sender, request_receiver) = bounded(requests);
        let (report_sender, report_receiver) = bounded(reports);
        let state = Arc::new(JobState::default());
        let context = JobContext { reports: report_sender, state: state.clone() };
        let ended = state.clone();
        let thread = std::thread::Builder::new().name(name.into()).spawn(move || {
            priority::follow();
            if let Err(report) = panics::caught(|| body(request_receiver, &context)) {
                let _ = ended.loss.set(report); // the only time
            }
            ended.finished.store(true, Ordering::Release); // after all reports
        })?;
        Ok(Self { requests: Some(request_sender), reports: report_receiver, state, thread: Some(thread) })
    }

    /// Hands a request over without waiting; false where too many wait already or the thread has ended.
    pub fn submit(&self, request: Request) -> bool {
        self.offer(request).is_ok()
    }

    /// The same; where it cannot be handed over it comes back.
    pub fn offer(&self, request: Request) -> Result<(), Request> {
        match &self.requests {
            Some(requests) => requests.try_send(request).map_err(TrySendError::into_inner),
            None => Err(request),
        }
    }
}

impl<Request, Report> BackgroundJob<Request, Report> {
    /// Reports that came since the last call, oldest first.
    pub fn reports(&self) -> impl Iterator<Item = Report> + '_ {
        self.reports.try_iter()
    }

    /// Asks the thread to stop soon; what it has reported stays.
    pub fn stop(&self) {
        self.state.stop.store(true, Ordering::Relaxed);
    }

    /// The same job, for whose end nobody waits: dropping it stops its thread, which ends by itself.
    pub fn detached(mut self) -> Self {
        self.thread = None;
        self
    }

    /// Says that no other request comes: the thread ends when it has done those that wait.
    pub fn close(&mut self) {
        self.requests = None;
    }

    /// How much is done, and how much there is in all, as the thread has said last.
    pub fn progress(&self) -> (usize, usize) {
        (self.state.done.load(Ordering::Relaxed), self.state.total.load(Ordering::Relaxed))
    }

    /// Whether the thread has ended, so that no other report will come after those that [`BackgroundJob::reports`] gives from now on.
    pub fn is_finished(&self) -> bool {
        self.state.finished.load(Ordering::Acquire)
    }

    /// Whether the thread has ended by a panic.
    pub fn is_lost(&self) -> bool {
        self.loss().is_some()
    }

    /// Where the thread has ended by a panic, a line that asks for a report.
    pub fn loss(&self) -> Option<&str> {
        if self.is_finished() { self.state.loss.get().map(String::as_str) } else { None }
    }
}

impl<Request, Report> Drop for BackgroundJob<Request, Report> {
    fn drop(&mut self) {
        self.stop();
        self.requests = None; // a thread that waits for a request wakes up
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // a panic was caught within, and `loss` has told of it
        }
    }
}

impl<Report> JobContext<Report> {
    /// Whether nobody wants the rest any more.
    pub fn is_stopped(&self) -> bool {
        self.state.stop.load(Ordering::Relaxed)
    }

    /// Sends a report without waiting; false, and the report is lost, where as many as the channel holds were not read.
    pub fn report(&self, report: Report) -> bool {
        self.reports.try_send(report).is_ok()
    }

    /// Sends a report, and waits for room in the channel as long as nobody asks the thread to stop; false where it was not sent.
    pub fn report_waiting(&self, report: Report) -> bool {
        let mut waiting = report;
        loop {
            match self.reports.send_timeout(waiting, PATIENCE) {
                Ok(()) => return true,
                Err(SendTimeoutError::Timeout(report)) if !self.is_stopped() => waiting = report,
                Err(_) => return false,
            }
        }
    }

    /// Tells how much is done, and how much there is in all.
    pub fn set_progress(&self, done: usize, total: usize) {
        self.state.done.store(done, Ordering::Relaxed);
        self.state.total.store(total, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    fn until(done: impl Fn() -> bool) {
        let start = Instant::now();
        while !done() {
            assert!(start.elapsed() < Duration::from_secs(20), "waited too long");
            std::thread::yield_now();
        }
    }

    fn squares() -> BackgroundJob<u64, u64> {
        let body = |requests: Receiver<u64>, job: &JobContext<u64>| {
            for (done, request) in requests.iter().enumerate() {
                job.report(request * request);
                job.set_progress(done + 1, 3);
            }
        };
        BackgroundJob::spawn("squares", 4, 2, body).unwrap()
    }

    #[test]
    fn requests_are_answered_in_order_and_reports_that_nobody_reads_stop_nothing() {
        let job = squares();
        assert!((2..5).all(|request| job.submit(request)));
        until(|| job.progress() == (3, 3));
        assert_eq!(job.reports().collect::<Vec<_>>(), [4, 9], "two fit into the channel");
        assert!(!job.is_finished() && !job.is_lost());
        drop(job); // ends although the thread waits for a request
    }

    #[test]
    fn a_job_that_is_stopped_has_finished_and_one_that_panics_is_lost() {
        let stopped: BackgroundJob<(), ()> = BackgroundJob::spawn("waits", 1, 1, |_, job| {
            while !job.is_stopped() {
                std::thread::yield_now();
            }
        })
        .unwrap();
        stopped.stop();
        until(|| stopped.is_finished());
        assert!(!stopped.is_lost());
        let lost: BackgroundJob<(), ()> = BackgroundJob::spawn("panics", 1, 1, |_, _| panic!("asked to panic")).unwrap();
        until(|| lost.is_lost());
        let report = lost.loss().unwrap();
        assert!(report.starts_with("internal error: asked to panic") && report.contains("please report"), "{report}");
        assert!(!lost.submit(()), "nobody takes requests");
    }
}
