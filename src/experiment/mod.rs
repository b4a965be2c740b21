//! What a run is made of: configuration, presets, the session that runs it.

pub mod config;
pub mod config_error;
mod config_keys;
mod config_toml;
pub mod frozen;
pub mod latents;
pub mod modelfile;
pub mod parallel;
pub mod parameters;
pub mod presets;
pub mod samples;
pub mod session;
pub mod stages;
mod stop_cause;
mod validation;
mod whole_number;

pub use config::*;
pub use frozen::{FrozenModel, ModelVersion, WatchedUnits};
pub use modelfile::{ModelFileError, Resumed};
pub use session::{Session, SessionError, SessionState};
pub use stop_cause::{Remedy, StopCause, slow_interneurons};
pub use whole_number::LARGEST_COUNT;
