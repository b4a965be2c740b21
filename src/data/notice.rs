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

/// How many of one's own images are used, and what is to be told of the others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImagesReport {
    /// Images that are learned from.
    pub used: usize,
    /// A line for each that was left out, and why.
    pub left_out: Vec<String>,
    /// A line for what was taken in another way than as it is.
    pub taken: Vec<String>,
}

impl ImagesReport {
    /// Of so many images that are used.
    pub fn new(used: usize, notices: &[Notice]) -> Self {
        let lines = |wanted: bool| notices.iter().filter(|n| matches!(n, Notice::LeftOut(_)) == wanted).map(ToString::to_string).collect();
        Self { used, left_out: lines(true), taken: lines(false) }
    }

    /// A line for each thing that is to be told.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.left_out.iter().chain(&self.taken).map(String::as_str)
    }

    /// In one line: 23 of 40 images used.
    pub fn summary(&self) -> String {
        let all = self.used + self.left_out.len();
        let images = if all == 1 { "image" } else { "images" };
        if self.left_out.is_empty() { format!("{all} {images} used") } else { format!("{} of {all} {images} used", self.used) }
    }
}

/// That there is nothing to cut patches from, by the first file that was left out.
pub(super) fn nothing(notices: &[Notice]) -> DataError {
    DataError::Nothing(first_left_out(notices).map_or_else(|| "no picture was named".into(), ToString::to_string))
}

/// The first file that was left out: why there is nothing else.
pub(super) fn first_left_out(notices: &[Notice]) -> Option<&DataError> {
    notices.iter().find_map(|notice| match notice {
        Notice::LeftOut(error) => Some(error),
        Notice::Taken { .. } => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_counts_what_was_left_out_and_nothing_else() {
        let problem = || DataError::File { path: "a.png".into(), problem: "too small".to_string().into() };
        let taken = Notice::Taken { path: "b.npy".into(), how: "divided by 255".into() };
        let report = ImagesReport::new(23, &[problem().into(), taken.clone(), problem().into()]);
        assert_eq!(report.summary(), "23 of 25 images used");
        assert_eq!((report.left_out.len(), report.taken.len(), report.lines().count()), (2, 1, 3));
        assert_eq!(ImagesReport::new(23, &[taken]).summary(), "23 images used");
        assert_eq!(ImagesReport::new(1, &[]).summary(), "1 image used");
    }
}
