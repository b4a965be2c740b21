//! The program heescope: no argument opens the window, a subcommand runs headless.

fn main() -> std::process::ExitCode {
    heescope::cli::main()
}
