//! What a run is made of: configuration, presets, the session that runs it.

pub mod config;
pub mod config_error;
mod config_toml;
pub mod fits;
pub mod generation;
pub mod generation_comparison;
pub mod groups;
pub mod image_distance;
pub mod image_evaluation;
pub mod laboratory;
pub mod latents;
pub mod modelfile;
pub mod parallel;
pub mod parameters;
pub mod presets;
pub mod prototypes;
pub mod race;
pub mod session;
pub mod stages;
pub mod tuning;
pub mod tuning_figures;
mod validation;

pub use config::*;
pub use modelfile::ModelFileError;
pub use session::{Session, SessionError};
