//! How many steps are to be run now, and how many at a time.

use crate::engine::Pace;
use crate::engine::command::LEARNING_STEPS_PER_SECOND;
use crate::experiment::session::Session;
use std::time::{Duration, Instant};

/// Wall time of one span at most, so that commands act soon.
const SPAN: Duration = Duration::from_millis(3);
/// Steps of one span at most.
const MOST_STEPS: usize = 4096;
/// Steps a second at first, for chains on a fixed stimulus.
const CHAIN_STEPS_PER_SECOND: f64 = 4000.0;
/// Wall time over which rates are taken, s, at least.
const RATE_SECONDS: f64 = 0.25;
/// Seconds that the steps done may be behind the pace asked for before those that are missing are given up.
const BACKLOG_SECONDS: f64 = 0.25;
/// A pace for which steps were given up twice within this time is not kept: it is missed by a twelfth or more.
const MISSED_WITHIN: Duration = Duration::from_secs(3);

/// What was asked for of any model that runs.
#[derive(Default)]
pub(super) struct RunSettings {
    pub(super) paused: bool,
    pub(super) pace: Pace,
}

impl RunSettings {
    /// A limited pace becomes the usual one for this session: chains on a fixed stimulus pass a second in a second or so; learning is
    /// shown slowly enough to be watched.
    pub(super) fn follow_stimulus(&mut self, session: &Session) {
        if let Pace::StepsPerSecond(_) = self.pace {
            let fixed = session.config().stimulus.steps_per_stimulus == 0;
            self.pace = Pace::StepsPerSecond(if fixed { CHAIN_STEPS_PER_SECOND } else { LEARNING_STEPS_PER_SECOND });
        }
    }
}

/// The pace of the model that runs.
pub(super) struct Pacing {
    /// Steps asked for one by one that are still to be run.
    pub(super) pending_steps: u64,
    /// From when on steps are counted against the pace, and how many had been done by then.
    since: (Instant, u64),
    /// When steps were given up, the last time and the time before.
    missed: [Option<Instant>; 2],
    steps_per_span: usize,
    pub(super) rates: RateMeter,
}

impl Pacing {
    pub(super) fn new(steps: u64, images: u64) -> Self {
        let since = (Instant::now(), steps);
        Self { pending_steps: 0, since, missed: [None; 2], steps_per_span: 1, rates: RateMeter::new(steps, images) }
    }

    /// Counts against the pace from now on, when `steps` are done.
    pub(super) fn restart(&mut self, steps: u64) {
        self.since = (Instant::now(), steps);
        self.missed = [None; 2];
    }

    /// Whether the machine is too slow for the pace asked for.
    pub(super) fn is_behind(&self) -> bool {
        self.missed.iter().all(|missed| missed.is_some_and(|at| at.elapsed() < MISSED_WITHIN))
    }

    /// Steps to be run now, when `steps` are done; `u64::MAX` at full speed.
    pub(super) fn steps_requested(&self, settings: &RunSettings, steps: u64) -> u64 {
        if self.pending_steps > 0 {
            return self.pending_steps;
        }
        match settings.pace {
            _ if settings.paused => 0,
            Pace::Full => u64::MAX,
            Pace::StepsPerSecond(rate) => {
                let (since, before) = self.since;
                ((since.elapsed().as_secs_f64() * rate) as u64).saturating_sub(steps - before)
            }
        }
    }

    /// Of these, the steps of the next span.
    pub(super) fn steps_of_span(&self, requested: u64) -> usize {
        requested.min(self.steps_per_span as u64) as usize
    }

    /// After a span of `done` of the `requested` steps, which took this long; `steps` are done in all.
    pub(super) fn after_span(&mut self, [requested, done, steps]: [u64; 3], took: Duration, settings: &RunSettings) {
        self.pending_steps = self.pending_steps.saturating_sub(done);
        if took < SPAN / 2 {
            self.steps_per_span = (self.steps_per_span * 2).min(MOST_STEPS);
        } else if took > SPAN {
            self.steps_per_span = (self.steps_per_span / 2).max(1);
        }
        if let Pace::StepsPerSecond(rate) = settings.pace {
            // A machine that cannot keep up must not fall behind more and more.
            if requested as f64 > rate * BACKLOG_SECONDS + 2.0 {
                (self.since, self.missed) = ((Instant::now(), steps), [Some(Instant::now()), self.missed[0]]);
            }
        }
    }
}

/// Steps and images a second of wall time, lately.
pub(super) struct RateMeter {
    since: Instant,
    steps: u64,
    images: u64,
    pub(super) steps_per_second: f64,
    pub(super) images_per_second: f64,
}

impl RateMeter {
    fn new(steps: u64, images: u64) -> Self {
        Self { since: Instant::now(), steps, images, steps_per_second: 0.0, images_per_second: 0.0 }
    }

    /// Takes the rates anew, if those that are known are old enough.
    pub(super) fn update(&mut self, steps: u64, images: u64) {
        let elapsed = self.since.elapsed().as_secs_f64();
        if elapsed > RATE_SECONDS {
            let per_second = |now: u64, before: u64| now.saturating_sub(before) as f64 / elapsed;
            *self = Self {
                since: Instant::now(),
                steps,
                images,
                steps_per_second: per_second(steps, self.steps),
                images_per_second: per_second(images, self.images),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pacing that has run for so long at this pace on a machine that does so many steps a second; time is what is counted back.
    fn after(seconds: u32, pace: f64, machine: f64) -> Pacing {
        let (mut pacing, mut steps) = (Pacing::new(0, 0), 0);
        let settings = RunSettings { paused: false, pace: Pace::StepsPerSecond(pace) };
        for _ in 0..20 * seconds {
            let step = Duration::from_millis(50);
            pacing.since.0 = pacing.since.0.checked_sub(step).unwrap();
            pacing.missed = pacing.missed.map(|at| at.and_then(|at| at.checked_sub(step)));
            let requested = pacing.steps_requested(&settings, steps);
            let done = requested.min((machine * 0.05) as u64);
            steps += done;
            pacing.after_span([requested, done, steps], SPAN, &settings);
        }
        pacing
    }

    #[test]
    fn a_pace_that_the_machine_cannot_keep_is_told_and_one_that_it_keeps_is_not() {
        assert!(!after(10, 450.0, 500.0).is_behind());
        assert!(after(2, 450.0, 200.0).is_behind());
        assert!(after(10, 450.0, 400.0).is_behind(), "a ninth too slow");
        let mut behind = after(10, 20_000.0, 1000.0);
        behind.restart(0);
        assert!(!behind.is_behind(), "another pace is asked for");
    }
}
