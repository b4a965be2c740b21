//! Sets of images as commands name them: one of those in the program, a file or a folder.

use crate::cli::console::notice;
use crate::data::{self, ImageSet, Part, PictureSize, Progress};
use std::path::PathBuf;

/// One part of the data; pictures are scaled to these rows and columns. What is to be told of the files is told once.
pub(super) fn read_data(data: &str, part: Part, size: [usize; 2]) -> anyhow::Result<ImageSet> {
    match data {
        "digits" => Ok(data::digits(part)?),
        "fashion" => Ok(data::fashion(part)?),
        path => {
            let (set, told) = data::read(&[PathBuf::from(path)], part, PictureSize::Exactly(size), &Progress::default())?;
            for line in told.iter().filter(|_| part == Part::Train) {
                notice(line);
            }
            Ok(set)
        }
    }
}
