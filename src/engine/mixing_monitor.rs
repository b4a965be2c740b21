//! A helper thread that measures autocorrelation times, so that the simulation never waits for a Fourier transform.

use crate::analysis::chains::{diagnose, windowed_autocorrelation_time};
use crossbeam_channel::{Receiver, Sender, bounded};
use std::thread::JoinHandle;
use std::time::Duration;

/// Draws of one sampler of a race.
pub(super) struct Job {
    /// Which race, and which sampler of it.
    pub of: (u64, usize),
    /// Of both units of the pair, `[chains][draws]`.
    pub chains: [Vec<Vec<f64>>; 2],
    /// Between two draws, ms.
    pub spacing_ms: f64,
    /// Simulated and wall time that the sampler has run.
    pub ran: (f64, Duration),
}

/// How well one sampler mixes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MixingDiagnostics {
    /// Integrated autocorrelation time of each unit of the pair, ms.
    pub autocorrelation_ms: [f64; 2],
    /// Its standard error, ms.
    pub error_ms: [f64; 2],
    /// The same in draws, the larger.
    pub autocorrelation_draws: f64,
    /// Effective draws of all chains a simulated second, the worse unit.
    pub ess_per_simulated_second: f64,
    /// Effective draws of all chains a second of wall time.
    pub ess_per_wall_second: f64,
    /// Split R-hat, the larger.
    pub r_hat: f64,
}

/// The helper; ends with its owner.
pub(super) struct MixingMonitor {
    jobs: Option<Sender<Job>>,
    results: Receiver<((u64, usize), Option<MixingDiagnostics>)>,
    thread: Option<JoinHandle<()>>,
}

impl MixingMonitor {
    pub(super) fn start() -> std::io::Result<Self> {
        let (jobs, inbox) = bounded::<Job>(1);
        let (outbox, results) = bounded(8);
        let body = move || {
            for job in inbox {
                let _ = outbox.try_send((job.of, measure(&job))); // a reader that does not look gets the next one
            }
        };
        let thread = std::thread::Builder::new().name("monitor".into()).spawn(body)?;
        Ok(Self { jobs: Some(jobs), results, thread: Some(thread) })
    }

    /// Hands a job over if the helper is free.
    pub(super) fn offer(&self, job: Job) -> bool {
        self.jobs.as_ref().is_some_and(|jobs| jobs.try_send(job).is_ok())
    }

    /// What was measured; None where the draws span too short a time to say.
    pub(super) fn results(&self) -> impl Iterator<Item = ((u64, usize), Option<MixingDiagnostics>)> + '_ {
        self.results.try_iter()
    }
}

impl Drop for MixingMonitor {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // one job at most is under way
        }
    }
}

fn measure(job: &Job) -> Option<MixingDiagnostics> {
    let r_hat = job.chains.iter().filter_map(|c| diagnose(c)).map(|d| d.r_hat).fold(f64::NAN, f64::max);
    let [a, b] = [windowed_autocorrelation_time(&job.chains[0])?, windowed_autocorrelation_time(&job.chains[1])?];
    let chains = job.chains[0].len() as f64;
    let slowest = a.0.max(b.0);
    let slowest_ms = slowest * job.spacing_ms;
    let (ran_ms, wall) = job.ran;
    Some(MixingDiagnostics {
        autocorrelation_ms: [a, b].map(|t| t.0 * job.spacing_ms),
        error_ms: [a, b].map(|t| t.1 * job.spacing_ms),
        autocorrelation_draws: slowest,
        ess_per_simulated_second: chains * 1000.0 / slowest_ms,
        ess_per_wall_second: chains * ran_ms / slowest_ms / wall.as_secs_f64().max(1e-9),
        r_hat,
    })
}
