//! Room for the window: while it draws, the simulation leaves it one core.
//!
//! On a machine whose cores all compute, a frame takes the place of one thread in the middle of its rows, and all other threads wait
//! for that one at the end of the presentation: the frame costs its length on every core. A thread that is left out beforehand costs
//! its length on one.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The window waits for its core this long at most.
const PATIENCE: Duration = Duration::from_millis(2);
/// A core is left for this long at most: where a frame takes longer the system divides the cores.
const LONGEST: Duration = Duration::from_millis(8);

/// What both sides know.
#[derive(Default)]
struct State {
    /// The simulation computes without a pause.
    busy: bool,
    /// Until when the window draws: at first the longest time, then its own estimate of what is left.
    until: Option<Instant>,
    /// The simulation has seen it and left a core.
    left: bool,
}

/// Between the window's thread and the simulation's.
#[derive(Default)]
pub(super) struct Room {
    state: Mutex<State>,
    left: Condvar,
}

impl Room {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The window begins a frame: returns when there is a core for it, or the patience has ended; at once where the simulation is not
    /// busy. Tells how long that took.
    pub(super) fn ask(&self) -> Duration {
        let begin = Instant::now();
        let mut state = self.state();
        if !state.busy {
            return Duration::ZERO;
        }
        (state.until, state.left) = (Some(begin + PATIENCE + LONGEST), false);
        let waiting = |state: &mut State| state.busy && !state.left;
        let (mut state, _) = self.left.wait_timeout_while(state, PATIENCE, waiting).unwrap_or_else(PoisonError::into_inner);
        state.until = Some(Instant::now() + LONGEST);
        begin.elapsed()
    }

    /// The window needs the core for `rest` more.
    pub(super) fn end(&self, rest: Duration) {
        let mut state = self.state();
        if state.until.is_some() {
            state.until = Some(Instant::now() + rest.min(LONGEST));
        }
    }

    /// The simulation, between two spans: whether it is to leave a core just now.
    pub(super) fn leave(&self) -> bool {
        let mut state = self.state();
        let draws = state.until.is_some_and(|until| Instant::now() < until);
        if draws && !state.left {
            state.left = true;
            self.left.notify_one();
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
            self.left.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_simulation_leaves_a_core_until_the_frame_ends_and_no_longer() {
        let (room, rest) = (Room::default(), Duration::from_millis(3));
        room.set_busy(true);
        assert!(!room.leave(), "nobody has asked");
        let asked = || {
            std::thread::scope(|scope| {
                let window = scope.spawn(|| room.ask());
                while !room.leave() {
                    std::thread::yield_now();
                }
                window.join().unwrap();
            });
            Instant::now()
        };
        let taken_back = || {
            while room.leave() {
                std::thread::yield_now();
            }
            Instant::now()
        };
        let begun = asked();
        assert!(room.leave(), "while it draws");
        room.end(rest);
        let ended = Instant::now();
        assert!(taken_back() - ended + Duration::from_micros(200) >= rest, "what is left of the frame needs a core too");
        asked();
        room.end(Duration::ZERO);
        assert!(!room.leave(), "nothing was left of it");
        room.end(rest);
        assert!(!room.leave(), "a frame that has no core gets none by ending");
        let forgotten = asked();
        assert!(taken_back() - forgotten + Duration::from_micros(200) >= LONGEST, "a frame of which no end comes");
        assert!(begun.elapsed() < 60 * LONGEST, "but not for ever");
        assert!(room.state().until.is_none());
    }

    #[test]
    fn the_window_waits_for_nobody_who_does_not_come() {
        let room = Room::default();
        assert_eq!(room.ask(), Duration::ZERO, "idle");
        assert!(!room.leave());
        room.set_busy(true);
        assert!(room.ask() >= PATIENCE, "busy, and never between two spans");
        // It ends meanwhile: the window goes on at once.
        std::thread::scope(|scope| {
            let window = scope.spawn(|| room.ask());
            room.set_busy(false);
            window.join().unwrap();
        });
        assert_eq!(room.ask(), Duration::ZERO);
    }
}
