//! The window.

use crate::experiment::Config;
use std::path::PathBuf;
use std::time::Duration;

/// A picture of the window to be taken.
#[derive(Clone, Debug)]
pub struct Shot {
    /// File.
    pub path: PathBuf,
    /// When, after the start.
    pub after: Duration,
}

/// How the window opens.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What runs.
    pub config: Config,
    /// A model file to go on with.
    pub model: Option<PathBuf>,
    /// One view alone.
    pub view: Option<String>,
    /// Theme; as kept otherwise.
    pub dark: Option<bool>,
    /// Size in points.
    pub size: Option<[f32; 2]>,
    /// A picture, then the end.
    pub shot: Option<Shot>,
    /// Full speed from the start.
    pub full_speed: bool,
}
/// x
pub fn view_by_name(_: &str) -> anyhow::Result<()> {
    Ok(())
}
/// x
pub fn open(_: Options) -> anyhow::Result<()> {
    Ok(())
}
