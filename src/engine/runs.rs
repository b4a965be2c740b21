//! Runs that stay: each has a folder with its exact state and what its views have shown, and is found at the next start.

mod keeper;
mod list;
mod packed_snapshot;
mod store;
mod summary;
mod timeline;
mod views;
mod writer;

pub(super) use keeper::{KeeperNews, RunKeeper};
pub use list::RunList;
pub use packed_snapshot::PackedSnapshot;
pub use store::{RunFolder, RunStore};
pub(super) use summary::RunLabel;
pub use summary::{RunId, RunSummary, THUMBNAIL};
pub use timeline::{Bookmark, Moment, RunTimeline};
pub use views::ViewArrays;

use std::path::PathBuf;
use std::time::Duration;

/// Where and how often runs are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AutosaveOptions {
    /// The folder of the runs; it is made where it is not there.
    pub folder: PathBuf,
    /// A folder in which earlier versions have saved what was learned: it becomes a run.
    pub older: Option<PathBuf>,
    /// Wall time between two saves of a run that goes on, at least.
    pub interval: Duration,
    /// Whether to begin with the run that was saved last.
    pub recover: bool,
}
