//! Threads that compute stand back behind the one that draws: a frame that has much to do must not share its core evenly with them.

use std::sync::atomic::{AtomicBool, Ordering};

/// Whether this program draws a window.
static HAS_WINDOW: AtomicBool = AtomicBool::new(false);

/// Has the threads that the engine starts from now on stand back behind the main thread: for a program whose main thread draws a window.
pub fn let_threads_stand_back() {
    HAS_WINDOW.store(true, Ordering::Relaxed);
}

/// Lets the thread that calls this stand back, where the program draws a window.
pub(super) fn follow() {
    if HAS_WINDOW.load(Ordering::Relaxed) {
        stand_back();
    }
}

/// How much nicer the threads of the engine are than the main thread, which draws.
#[cfg(target_os = "linux")]
const NICER: i32 = 5;
#[cfg(target_os = "linux")]
const NICEST: i32 = 19;

/// Lets the thread that calls this stand back. Between each other such threads are equal, and where nothing is drawn nothing changes.
#[cfg(target_os = "linux")]
fn stand_back() {
    use rustix::process::{getpid, getpriority_process, setpriority_process};
    // On Linux a process is a thread to these calls: the main one, or with None the one that calls.
    if let Ok(of_main) = getpriority_process(Some(getpid())) {
        let _ = setpriority_process(None, (of_main + NICER).min(NICEST)); // refused where the thread is nicer already
    }
}

/// Elsewhere priorities belong to whole processes.
#[cfg(not(target_os = "linux"))]
fn stand_back() {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use rustix::process::{getpid, getpriority_process};

    #[test]
    fn a_thread_that_stands_back_is_nicer_than_the_main_one_however_often_it_does() {
        let of_main = getpriority_process(Some(getpid())).unwrap();
        let builder = std::thread::Builder::new;
        let own = builder().spawn(move || {
            stand_back();
            stand_back();
            let inherited = builder().spawn(|| getpriority_process(None).unwrap()).unwrap();
            (getpriority_process(None).unwrap(), inherited.join().unwrap())
        });
        let own = own.unwrap();
        let wanted = (of_main + NICER).min(NICEST);
        assert_eq!(own.join().unwrap(), (wanted, wanted), "threads that it starts are as nice");
        assert_eq!(getpriority_process(Some(getpid())).unwrap(), of_main);
    }
}
