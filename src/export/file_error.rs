//! What can go wrong with a file that is written or read here.

use crate::shown::one_line;
use std::path::{Path, PathBuf};

/// What went wrong with a file: the message names it, what was tried and what was found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// It cannot be read.
    #[error("cannot read {path}: {problem}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        problem: std::io::Error,
    },
    /// It cannot be written; what stood in its place stands there still.
    #[error("cannot write {path}: {problem}")]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        problem: std::io::Error,
    },
    /// The folder of several files cannot be made.
    #[error("cannot make the folder {path}: {problem}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The system's reason.
        problem: std::io::Error,
    },
    /// A picture or an array cannot be brought into the format.
    #[error("{what}: {problem}")]
    Encode {
        /// What was tried, as `array W0`.
        what: String,
        /// The reason.
        problem: String,
    },
    /// The content is not what it should be.
    #[error("{path}: {problem}")]
    Content {
        /// The file.
        path: PathBuf,
        /// What was found and what would be right.
        problem: String,
    },
    /// The file is cut short or is no archive of arrays.
    #[error("{path} is not a whole NPZ file: {problem}")]
    Archive {
        /// The file.
        path: PathBuf,
        /// What was found.
        problem: String,
    },
    /// The name does not tell one of the formats that can be written.
    #[error("{path}: a name that ends in {needed} is needed")]
    Ending {
        /// The file.
        path: PathBuf,
        /// The endings that can be written.
        needed: &'static str,
    },
    /// Two options name the same file, one of them to write it.
    #[error("{option} {path}: {other} {does} the same file; another name is needed")]
    Conflict {
        /// The option whose file would be written.
        option: &'static str,
        /// That file.
        path: PathBuf,
        /// The other option.
        other: &'static str,
        /// What the other does with it: reads or writes.
        does: &'static str,
    },
    /// A setting of what is written lies outside its range.
    #[error("{key} = {value} is out of range: {range}")]
    OutOfRange {
        /// The setting.
        key: &'static str,
        /// What was given.
        value: String,
        /// The valid range.
        range: &'static str,
    },
}

impl FileError {
    /// What was tried (`what`) failed in memory.
    pub(crate) fn encode(what: impl Into<String>, problem: impl ToString) -> Self {
        Self::Encode { what: what.into(), problem: problem.to_string() }
    }

    /// A file whose content is not what it should be.
    pub(crate) fn content(path: &Path, problem: impl Into<String>) -> Self {
        Self::Content { path: path.into(), problem: one_line(&problem.into()) }
    }
}
