//! Panics where they end: at the boundary of a subcommand or of a thread they become one line that asks for a report.

use crate::shown::one_line;
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::io::Write;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::{Mutex, PoisonError};

thread_local! {
    /// Where the last panic of this thread began, as `src/a.rs:12`: what is caught does not tell.
    static OWN_PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
    /// How many boundaries this thread is within.
    static BOUNDARIES: Cell<usize> = const { Cell::new(0) };
}

/// Where the last panic of any thread began: a pool hands the panics of its threads on to the thread that waits for them.
static LAST_PLACE: Mutex<Option<String>> = Mutex::new(None);

/// From now on a panic within a boundary writes nothing by itself: whoever catches it does, with the place where it began. In a thread of
/// somebody else's it is one line at once. This is for the process as a whole to decide, so that it is called by the program alone.
pub(crate) fn leave_to_boundaries() {
    std::panic::set_hook(Box::new(remember));
}

fn remember(panic: &PanicHookInfo) {
    let place = panic.location().map(|place| format!("{}:{}", place.file(), place.line()));
    // A pool's threads hand their panics on.
    if BOUNDARIES.try_with(Cell::get) == Ok(0) && rayon::current_thread_index().is_none() {
        // Where standard error is closed or full, a second panic would end the process.
        let _ = writeln!(std::io::stderr().lock(), "{}", report(panic.payload(), place.as_deref()));
    }
    LAST_PLACE.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&place);
    // Where the thread is about to end its own variables may be gone.
    let _ = OWN_PLACE.try_with(|own| own.replace(place));
}

/// Does `work`; a panic in it, or in threads that it waits for, is the error: one line that asks for a report. What the work has changed
/// halfway is for the caller to judge.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    OWN_PLACE.with(|own| own.take());
    BOUNDARIES.set(BOUNDARIES.get() + 1);
    let outcome = catch_unwind(AssertUnwindSafe(work));
    BOUNDARIES.set(BOUNDARIES.get() - 1);
    outcome.map_err(|panic| {
        let last = || LAST_PLACE.lock().unwrap_or_else(PoisonError::into_inner).take();
        let place = OWN_PLACE.with(|own| own.take()).or_else(last);
        report(panic.as_ref(), place.as_deref())
    })
}

/// Does `work`; None where it panics and `is_meant` says so of the report. Any other panic goes on.
#[cfg(feature = "window")]
pub(crate) fn unless<T>(work: impl FnOnce() -> T, is_meant: impl FnOnce(&str) -> bool) -> Option<T> {
    BOUNDARIES.set(BOUNDARIES.get() + 1);
    let outcome = catch_unwind(AssertUnwindSafe(work));
    BOUNDARIES.set(BOUNDARIES.get() - 1);
    match outcome {
        Ok(found) => Some(found),
        Err(panic) => {
            let place = OWN_PLACE.with_borrow(Clone::clone);
            if !is_meant(&report(panic.as_ref(), place.as_deref())) {
                std::panic::resume_unwind(panic);
            }
            None
        }
    }
}

fn report(panic: &(dyn Any + Send), place: Option<&str>) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string).or_else(|| panic.downcast_ref::<String>().cloned());
    let place = place.map(|place| format!(" ({place})")).unwrap_or_default();
    one_line(&format!(
        "internal error: {}{place}; this is a mistake in heescope {}: please report this line and what you did",
        text.unwrap_or_else(|| "a panic without a message".into()),
        env!("CARGO_PKG_VERSION")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_one_line_that_asks_for_a_report() {
        assert_eq!(caught(|| 7), Ok(7));
        let text = caught(|| panic!("index {} is\nout of bounds", 5)).unwrap_err();
        assert!(text.starts_with("internal error: index 5 is out of bounds") && text.contains("please report"), "{text}");
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        let text = caught(|| pool.install(|| rayon::join(|| panic!("in a pool"), || ()))).unwrap_err();
        assert!(text.starts_with("internal error: in a pool"), "{text}");
        #[cfg(feature = "window")]
        {
            assert_eq!(unless(|| panic!("the server has gone"), |report| report.contains("server")), None::<u8>);
            assert_eq!(unless(|| 7, |_| true), Some(7));
            let other = caught(|| unless(|| panic!("another"), |report| report.contains("server"))).unwrap_err();
            assert!(other.starts_with("internal error: another"), "{other}");
        }
        assert!(report(&7u8, Some("src/a.rs:12")).starts_with("internal error: a panic without a message (src/a.rs:12); "));
    }
}
