//! A build without the feature `window`: the program says so, and the headless commands are there.

use std::process::Command;

fn run(arguments: &[&str]) -> (bool, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_heescope")).args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

#[test]
fn no_subcommand_says_in_one_line_that_there_is_no_window() {
    for arguments in [&[][..], &["--preset", "ring"], &["--view", "posterior"]] {
        let (success, out, error) = run(arguments);
        assert!(!success && out.is_empty() && error.lines().count() == 1 && error.contains("this build has no window"), "{error}");
    }
}

#[test]
fn the_headless_commands_are_there() {
    let (success, out, error) = run(&["presets"]);
    assert!(success && out.lines().count() > 10, "{out}{error}");
}
