//! Why a file's content cannot be used.

use std::io::ErrorKind;

/// Why a file's content cannot be used. It does not name the file: [`super::DataError::File`] does.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The system could not read it.
    #[error("{text}")]
    System {
        /// What kind of failure it was.
        kind: ErrorKind,
        /// The system's own words.
        text: String,
    },
    /// It is not what its format promises, or not what can be used here: what was found and what would be right.
    #[error("{0}")]
    Content(String),
    /// Somebody asked for it.
    #[error("stopped")]
    Stopped,
}

impl From<std::io::Error> for ReadError {
    fn from(error: std::io::Error) -> Self {
        Self::System { kind: error.kind(), text: error.to_string() }
    }
}

impl From<String> for ReadError {
    fn from(text: String) -> Self {
        Self::Content(text)
    }
}

impl From<&str> for ReadError {
    fn from(text: &str) -> Self {
        Self::Content(text.into())
    }
}
