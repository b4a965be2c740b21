//! The program as a test runs it: from outside, in a folder of the test's own.

use std::path::Path;
use std::process::{Command, Output};

/// Runs the program in `folder`.
pub fn heescope(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_heescope")).args(arguments).current_dir(folder).output().unwrap()
}

/// Standard output of a run that has to succeed.
pub fn succeeds(folder: &Path, arguments: &[&str]) -> String {
    let output = heescope(folder, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
