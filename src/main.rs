//! The program heescope: no argument opens the window, a subcommand runs headless.

#![warn(clippy::print_stdout, clippy::print_stderr)] // both panic where the stream is closed or full

#[cfg(feature = "window")]
mod allocator;

fn main() -> std::process::ExitCode {
    let program = heescope::cli::Program::default();
    #[cfg(feature = "window")]
    let program = program.on_window_phase(allocator::set_policy);
    program.run()
}
