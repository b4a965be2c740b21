//! What a run is made of: configuration, presets, the session that runs it.

pub mod config;
pub mod frozen;
pub mod latents;
pub mod modelfile;
pub mod parallel;
pub mod presets;
pub mod session;
pub mod stages;

pub use config::*;
pub use frozen::{FrozenModel, ModelVersion, WatchedUnits};
pub use session::Session;
