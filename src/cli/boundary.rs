//! The boundary of a subcommand: nothing that happens within leaves the process otherwise than by its exit status.

use crate::cli::console::notice;
use crate::panics;

/// The exit status after a panic: an internal error in software (`EX_SOFTWARE` of sysexits.h).
const INTERNAL_ERROR: u8 = 70;

/// Runs a subcommand and returns its exit status; after a panic that is 70, with one line on standard error.
pub(super) fn guarded(command: impl FnOnce() -> u8) -> u8 {
    panics::leave_to_boundaries();
    panics::caught(command).unwrap_or_else(|report| {
        notice(report);
        INTERNAL_ERROR
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    /// Names the panic that the child process is to end with.
    const PLANTED: &str = "HEESCOPE_PLANTED_PANIC";

    /// Not a test by itself: what the test below runs in a process of its own, because a hook is for the whole process.
    #[test]
    #[ignore = "is run by the test below in a process of its own"]
    fn child() {
        let Ok(planted) = std::env::var(PLANTED) else { return };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        let status = guarded(|| match planted.as_str() {
            "here" => panic!("planted {planted}"),
            "in a pool" => pool.install(|| rayon::join(|| 1, || panic!("planted {planted}"))).0,
            "elsewhere" => {
                let planted = planted.clone();
                let thread = std::thread::Builder::new().spawn(move || panic!("planted {planted}")).unwrap();
                if thread.join().is_err() { 4 } else { 5 }
            }
            _ => 3,
        });
        std::process::exit(status.into());
    }

    #[test]
    fn a_panic_ends_with_one_line_and_its_own_status() {
        for (planted, status) in [("here", 70), ("in a pool", 70), ("elsewhere", 4), ("nowhere", 3)] {
            let mut command = Command::new(std::env::current_exe().unwrap());
            command.args(["--exact", "cli::boundary::tests::child", "--ignored", "--nocapture"]).env(PLANTED, planted);
            let output = command.output().unwrap();
            let text = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(status), "{planted}: {text}");
            if status != 3 {
                assert!(text.starts_with(&format!("internal error: planted {planted} (src/cli/boundary.rs:")), "{text}");
                assert!(text.lines().count() == 1 && text.contains("please report"), "{text}");
            } else {
                assert_eq!(text, "");
            }
        }
    }
}
