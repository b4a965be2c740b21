//! Integration tests of the library's and the program's public face, in one binary that is linked once.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod architecture;
mod citations;
mod cli;
mod completion;
mod damaged;
mod determinism;
mod diagnose;
mod engine;
mod evaluate;
mod families;
#[cfg(unix)]
mod files;
#[cfg(feature = "window")]
mod film;
#[cfg(unix)]
mod full_disk;
mod generate;
mod generation;
mod grid;
mod kills;
mod laboratory;
mod likelihood;
mod local_fields;
mod model_files;
#[cfg(not(feature = "window"))]
mod no_window;
mod numbers;
mod parameters;
mod pictures;
mod program;
mod random;
mod readers;
mod receptive_fields;
mod resuming;
#[cfg(feature = "window")]
mod runs;
mod sampling;
mod second_layer;
#[cfg(feature = "window")]
mod teaching;
#[cfg(feature = "window")]
mod window;
#[cfg(feature = "window")]
mod window_figures;
#[cfg(feature = "window")]
mod window_images;
#[cfg(feature = "window")]
mod window_runs;
#[cfg(feature = "window")]
mod window_stimulus;
#[cfg(feature = "window")]
mod window_views;
