//! Measures autocorrelation times in the background, so that the simulation never waits for a Fourier transform.

use crate::analysis::chains::{diagnose, windowed_autocorrelation_time};
use crate::engine::background::BackgroundJob;
use std::time::Duration;

/// Draws of one sampler of a race.
pub(super) struct MixingRequest {
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
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
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

/// The job; ends with its owner.
pub(super) struct MixingMonitor(BackgroundJob<MixingRequest, MixingReport>);

/// Which race and which sampler of it, and what was measured; None where the draws span too short a time to say.
pub(super) type MixingReport = ((u64, usize), Option<MixingDiagnostics>);

impl MixingMonitor {
    pub(super) fn start() -> std::io::Result<Self> {
        let job = BackgroundJob::<MixingRequest, _>::spawn("monitor", 1, 8, |requests, job| {
            for request in requests.iter().take_while(|_| !job.is_stopped()) {
                job.report((request.of, measure(&request))); // a reader that does not look gets the next one
            }
        })?;
        Ok(Self(job))
    }

    /// Has these draws measured if the thread is free.
    pub(super) fn submit(&self, request: MixingRequest) -> bool {
        self.0.submit(request)
    }

    /// Where the thread has ended by a panic, a line that asks for a report.
    pub(super) fn loss(&self) -> Option<&str> {
        self.0.loss()
    }

    /// What was measured since the last call.
    pub(super) fn reports(&self) -> impl Iterator<Item = MixingReport> + '_ {
        self.0.reports()
    }
}

fn measure(request: &MixingRequest) -> Option<MixingDiagnostics> {
    let r_hat = request.chains.iter().filter_map(|c| diagnose(c)).map(|d| d.r_hat).fold(f64::NAN, f64::max);
    let [a, b] = [windowed_autocorrelation_time(&request.chains[0])?, windowed_autocorrelation_time(&request.chains[1])?];
    let chains = request.chains[0].len() as f64;
    let slowest = a.0.max(b.0);
    let slowest_ms = slowest * request.spacing_ms;
    let (ran_ms, wall) = request.ran;
    Some(MixingDiagnostics {
        autocorrelation_ms: [a, b].map(|t| t.0 * request.spacing_ms),
        error_ms: [a, b].map(|t| t.1 * request.spacing_ms),
        autocorrelation_draws: slowest,
        ess_per_simulated_second: chains * 1000.0 / slowest_ms,
        ess_per_wall_second: chains * ran_ms / slowest_ms / wall.as_secs_f64().max(1e-9),
        r_hat,
    })
}
