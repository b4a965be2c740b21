//! A core for the window: while it draws, the simulation leaves it one core.
//!
//! On a machine whose cores all compute, a frame takes the place of one thread in the middle of its rows, and all other threads wait
//! for that one at the end of the presentation: the frame costs its length on every core. A thread that is left out beforehand costs
//! its length on one.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The window waits for its core this long at most.
const LONGEST_WAIT: Duration = Duration::from_millis(2);
/// A core is left for this long at most: where a frame takes longer the system divides the cores.
const LONGEST_LEASE: Duration = Duration::from_millis(8);

/// What both sides know.
#[derive(Default)]
struct State {
    /// The simulation computes without a pause.
    busy: bool,
    /// Until when the window draws: at first the longest time, then its own estimate of what is left.
    until: Option<Instant>,
    /// The simulation has seen it and left a core.
    yielded: bool,
}

/// Between the window's thread and the simulation's.
#[derive(Default)]
pub(super) struct CoreLease {
    state: Mutex<State>,
    yielded: Condvar,
}

impl CoreLease {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The window begins a frame: returns when there is a core for it, or the patience has ended; at once where the simulation is not
    /// busy. Tells how long that took.
    pub(super) fn acquire(&self) -> Duration {
        let begin = Instant::now();
        let mut state = self.state();
        if !state.busy {
            return Duration::ZERO;
        }
        (state.until, state.yielded) = (Some(begin + LONGEST_WAIT + LONGEST_LEASE), false);
        let waiting = |state: &mut State| state.busy && !state.yielded;
        let (mut state, _) = self.yielded.wait_timeout_while(state, LONGEST_WAIT, waiting).unwrap_or_else(PoisonError::into_inner);
        state.until = Some(Instant::now() + LONGEST_LEASE);
        begin.elapsed()
    }

    /// The window needs the core for `rest` more.
    pub(super) fn release_after(&self, rest: Duration) {
        let mut state = self.state();
        if state.until.is_some() {
            state.until = Some(Instant::now() + rest.min(LONGEST_LEASE));
        }
    }

    /// The simulation, between two spans: whether it is to leave a core just now.
    pub(super) fn yields_core(&self) -> bool {
        let mut state = self.state();
        let draws = state.until.is_some_and(|until| Instant::now() < until);
        if draws && !state.yielded {
            state.yielded = true;
            self.yielded.notify_one();
        } else if !draws {
            state.until = None;
        }
        draws
    }

    /// The simulation computes without a pause from now on, or no longer.
    pub(super) fn set_busy(&self, busy: bool) {
        let mut state = self.state();
        if state.busy != busy {
            state.busy = busy;
            self.yielded.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_simulation_leaves_a_core_until_the_frame_ends_and_no_longer() {
        let (lease, rest) = (CoreLease::default(), Duration::from_millis(3));
        lease.set_busy(true);
        assert!(!lease.yields_core(), "nobody has asked");
        let asked = || {
            std::thread::scope(|scope| {
                let window = scope.spawn(|| lease.acquire());
                while !lease.yields_core() {
                    std::thread::yield_now();
                }
                window.join().unwrap();
            });
            Instant::now()
        };
        let taken_back = || {
            while lease.yields_core() {
                std::thread::yield_now();
            }
            Instant::now()
        };
        let begun = asked();
        assert!(lease.yields_core(), "while it draws");
        lease.release_after(rest);
        let ended = Instant::now();
        assert!(taken_back() - ended + Duration::from_micros(200) >= rest, "what is left of the frame needs a core too");
        asked();
        lease.release_after(Duration::ZERO);
        assert!(!lease.yields_core(), "nothing was left of it");
        lease.release_after(rest);
        assert!(!lease.yields_core(), "a frame that has no core gets none by ending");
        let forgotten = asked();
        assert!(taken_back() - forgotten + Duration::from_micros(200) >= LONGEST_LEASE, "a frame of which no end comes");
        assert!(begun.elapsed() < 60 * LONGEST_LEASE, "but not for ever");
        assert!(lease.state().until.is_none());
    }

    #[test]
    fn the_window_waits_for_nobody_who_does_not_come() {
        let lease = CoreLease::default();
        assert_eq!(lease.acquire(), Duration::ZERO, "idle");
        assert!(!lease.yields_core());
        lease.set_busy(true);
        assert!(lease.acquire() >= LONGEST_WAIT, "busy, and never between two spans");
        // It ends meanwhile: the window goes on at once.
        std::thread::scope(|scope| {
            let window = scope.spawn(|| lease.acquire());
            lease.set_busy(false);
            window.join().unwrap();
        });
        assert_eq!(lease.acquire(), Duration::ZERO);
    }
}
