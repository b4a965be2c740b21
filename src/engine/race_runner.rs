//! The race as the simulation thread runs it: when it starts again, when it is measured, what the window gets of it.

use crate::analysis::density::DensityGrid;
use crate::engine::mixing_monitor::{MixingDiagnostics, MixingMonitor, MixingRequest};
use crate::engine::{EngineError, RaceState, RacerState, Watch};
use crate::experiment::session::Session;
use crate::experiment::{FrozenModel, ModelVersion, WatchedUnits};
use crate::studies::race::{Race, Sampler, SamplerConfig, Start};
use std::time::{Duration, Instant};

/// Chains of each sampler.
const CHAINS: usize = 64;
/// Each sampler is measured this often.
const MEASURE_EVERY: Duration = Duration::from_millis(800);

/// At most one race, and how well its samplers mix.
pub(super) struct RaceRunner {
    race: Option<Race>,
    /// Grows whenever the chains start again: what was measured of earlier ones does not apply.
    restarts: u64,
    mixing: Vec<Option<MixingDiagnostics>>,
    /// When the next sampler is to be measured, and which.
    next: (Instant, usize),
    monitor: Option<MixingMonitor>,
}

impl RaceRunner {
    pub(super) fn new() -> Self {
        let monitor = MixingMonitor::start().ok(); // without it a race runs unmeasured
        Self { race: None, restarts: 0, mixing: Vec::new(), next: (Instant::now(), 0), monitor }
    }

    /// A race of these samplers in place of the present one; none ends it. An error where stimuli change.
    pub(super) fn start(
        &mut self,
        samplers: &[SamplerConfig],
        session: &Session,
        watch: &Watch,
        exact: Option<&DensityGrid>,
    ) -> Result<(), EngineError> {
        self.race = None;
        self.forget(samplers.len());
        if samplers.is_empty() {
            return Ok(());
        }
        if session.config().stimulus.steps_per_stimulus > 0 && !session.is_held() {
            return Err(EngineError::ChangingStimulus);
        }
        let frozen = FrozenModel::of(session, ModelVersion::default());
        let watched = WatchedUnits { layer: watch.trace_layer, pair: watch.pair };
        self.race = Some(Race::new(&frozen, watched, exact, samplers, CHAINS));
        Ok(())
    }

    /// No race.
    pub(super) fn end(&mut self) {
        self.race = None;
    }

    /// The settings of the samplers; empty without a race.
    pub(super) fn samplers(&self) -> Vec<SamplerConfig> {
        self.race.iter().flat_map(|race| race.samplers.iter().map(|s| s.config)).collect()
    }

    fn forget(&mut self, samplers: usize) {
        self.restarts += 1;
        self.mixing = vec![None; samplers];
    }

    /// All chains start again from here.
    pub(super) fn restart(&mut self, start: Start) {
        if let Some(race) = &mut self.race {
            race.restart(start);
            self.forget(self.mixing.len());
        }
    }

    /// The sampler that has had the settings `before` follows to `after`. False where there is none, or it has to begin anew.
    pub(super) fn follow(&mut self, before: SamplerConfig, after: SamplerConfig) -> bool {
        let Some(race) = self.race.as_mut().filter(|_| before.interneurons == after.interneurons) else { return false };
        let Some(sampler) = race.samplers.iter().rposition(|sampler| sampler.config == before) else { return false };
        race.set_config(sampler, after);
        self.forget(self.mixing.len());
        true
    }

    /// The chains follow another stimulus.
    pub(super) fn set_stimulus(&mut self, stimulus: &[f32], exact: Option<&DensityGrid>) {
        if let Some(race) = &mut self.race {
            race.set_stimulus(stimulus, exact);
            self.forget(self.mixing.len());
        }
    }

    /// Every sampler takes `steps`; an error where one has left the stable range, which ends the race.
    pub(super) fn advance(&mut self, steps: usize) -> Result<(), EngineError> {
        let Some(race) = &mut self.race else { return Ok(()) };
        race.advance(steps);
        if let Some(reason) = race.broken() {
            self.race = None;
            return Err(EngineError::UnstableRace(reason));
        }
        self.measure();
        Ok(())
    }

    /// Says once that samplers are no longer measured, because of a panic; the race goes on.
    pub(super) fn take_loss(&mut self) -> Option<EngineError> {
        let report = self.monitor.as_ref()?.loss()?.to_string();
        self.monitor = None;
        Some(EngineError::Lost { job: "the measuring of samplers", advice: "", report })
    }

    fn measure(&mut self) {
        let (Some(race), Some(monitor)) = (&mut self.race, &self.monitor) else { return };
        for ((restarts, i), mixing) in monitor.reports() {
            if restarts == self.restarts
                && let (Some(slot), Some(sampler)) = (self.mixing.get_mut(i), race.samplers.get_mut(i))
            {
                // Too short a window to say: take draws further apart.
                sampler.widen(mixing.map_or(40.0, |m| m.autocorrelation_draws));
                *slot = mixing.or(*slot);
            }
        }
        let (when, next) = self.next;
        let count = race.samplers.len().max(1);
        let Some(sampler) = race.samplers.get(next % count).filter(|_| Instant::now() >= when) else { return };
        let [(first, stride), (second, _)] = [0, 1].map(|axis| sampler.chains(axis));
        monitor.submit(MixingRequest {
            of: (self.restarts, next % count),
            chains: [first, second],
            spacing_ms: stride as f64 * race.dt_ms(),
            ran: (race.time_ms(), sampler.wall),
        });
        self.next = (Instant::now() + MEASURE_EVERY / count as u32, next + 1);
    }

    /// What the window gets.
    pub(super) fn state(&self, tau_x_ms: f64) -> Option<RaceState> {
        let race = self.race.as_ref()?;
        let racer = |(s, mixing): (&Sampler, &Option<MixingDiagnostics>)| RacerState {
            config: s.config,
            trail: s.trail.clone(),
            path: s.path.iter().copied().collect(),
            visits: s.visits.clone(),
            visited: s.visited(),
            distance: s.distance.clone(),
            theory_ms: s.theory_ms,
            floor: s.floor,
            mixing: *mixing,
        };
        Some(RaceState {
            racers: race.samplers.iter().zip(&self.mixing).map(racer).collect(),
            window: race.window,
            common_start: race.has_common_start(),
            time_ms: race.time_ms(),
            dt_ms: race.dt_ms(),
            tau_x_ms,
            chains: race.chains,
        })
    }
}
