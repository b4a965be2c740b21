//! What a run is made of: configuration, presets, the session that runs it.

pub mod config;
pub mod dream;
pub mod fits;
pub mod gallery;
pub mod groups;
pub mod judging;
pub mod laboratory;
pub mod latents;
pub mod measure;
pub mod modelfile;
pub mod presets;
pub mod prototypes;
pub mod race;
pub mod session;
pub mod stages;
pub mod threads;
pub mod tuning;
pub mod tuning_figures;

pub use config::*;
pub use session::Session;
