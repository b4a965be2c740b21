//! What is to be told of files that were read.

use crate::data::DataError;
use std::fmt;
use std::path::PathBuf;

/// Something about a file that whoever named it should know: one line.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// A file that was left out, and why.
    LeftOut(DataError),
    /// A file that was taken in another way than as it is.
    Taken {
        /// The file or folder.
        path: PathBuf,
        /// What was done: its values were scaled, only its first part was read.
        how: String,
    },
}

impl From<DataError> for Notice {
    fn from(error: DataError) -> Self {
        Self::LeftOut(error)
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LeftOut(error) => write!(f, "left out: {error}"),
            Self::Taken { path, how } => write!(f, "{}: {how}", path.display()),
        }
    }
}

/// The first file that was left out: why there is nothing else.
pub(super) fn first_left_out(notices: &[Notice]) -> Option<&DataError> {
    notices.iter().find_map(|notice| match notice {
        Notice::LeftOut(error) => Some(error),
        Notice::Taken { .. } => None,
    })
}
