//! Signals that ask a command to end: the first lets it save what it has, a second one ends the process at once.

#[cfg(unix)]
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, atomic::AtomicBool};

/// Whether a signal has asked for the end.
#[derive(Debug, Default)]
pub(super) struct Stop {
    /// The number of the last one; 0: none.
    #[cfg(unix)]
    received: Arc<AtomicUsize>,
    /// Set by the first one.
    asked: Arc<AtomicBool>,
}

impl Stop {
    /// What the first signal sets.
    #[cfg(feature = "window")]
    pub(super) fn asked(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.asked)
    }
}

#[cfg(unix)]
impl Stop {
    /// From here on Ctrl-C (SIGINT), SIGTERM and SIGHUP are requests. A second Ctrl-C or SIGTERM ends the process as if nobody listened.
    /// A second SIGHUP does not: a terminal that closes sends several, and a session that ends sends SIGTERM and SIGHUP together.
    /// A signal that the process was started to ignore, as by `nohup`, stays ignored.
    pub(super) fn listen() -> std::io::Result<Self> {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
        use signal_hook::flag;
        let stop = Self::default();
        for signal in [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|&signal| !is_ignored(signal)) {
            // Actions run in this order: the default one acts only where a signal has come before.
            if signal != SIGHUP {
                flag::register_conditional_default(signal, Arc::clone(&stop.asked))?;
            }
            flag::register(signal, Arc::clone(&stop.asked))?;
            flag::register_usize(signal, Arc::clone(&stop.received), signal.unsigned_abs() as usize)?;
        }
        Ok(stop)
    }

    /// The name of the last signal that asked for the end; None where none has.
    pub(super) fn signal(&self) -> Option<&'static str> {
        match self.received.load(Ordering::Relaxed) {
            0 => None,
            signal => Some(i32::try_from(signal).ok().and_then(signal_hook::low_level::signal_name).unwrap_or("a signal")),
        }
    }
}

#[cfg(not(unix))]
impl Stop {
    /// Without signals nothing asks for the end.
    pub(super) fn listen() -> std::io::Result<Self> {
        Ok(Self::default())
    }

    /// None: there are no signals.
    pub(super) fn signal(&self) -> Option<&'static str> {
        None
    }
}

/// Lets a file that grows past what the process may write (`ulimit -f`) be an error of that file, not the end of the process.
pub(super) fn survive_file_limit() {
    #[cfg(unix)]
    // Where the handler cannot be had, the process ends as it would without one.
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::new(AtomicBool::new(false)));
}

/// Whether the process was started with this signal ignored. Linux says it in a file; where there is none, no signal counts as ignored.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    std::fs::read_to_string("/proc/self/status").is_ok_and(|status| ignored_in(&status).is_some_and(|mask| mask >> (signal - 1) & 1 == 1))
}

/// The signals that a process ignores, a bit each from signal 1 on.
#[cfg(unix)]
fn ignored_in(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
    u64::from_str_radix(line.trim(), 16).ok()
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_signals_are_read_from_the_status() {
        assert_eq!(ignored_in("SigBlk:\t0000000000000000\nSigIgn:\t0000000000001001\n"), Some(0x1001));
        assert_eq!(ignored_in("Name:\tx\n"), None);
        if cfg!(target_os = "linux") {
            assert!(is_ignored(13) && !is_ignored(15), "a Rust program ignores SIGPIPE, and not SIGTERM");
        }
    }
}
