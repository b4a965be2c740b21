//! What was found in a file: its images, which are not in memory yet, and what is known of them.

use super::values::Shape;
use crate::data::grey_scale::{Number, ValueRange};
use crate::data::{Notice, Part, Progress, ReadError};
use std::path::{Path, PathBuf};

/// Images in a file, known to be sound, and not yet in memory.
pub(super) trait Images {
    /// Their number and size.
    fn shape(&self) -> Shape;
    /// Grey levels 0 to 1, values divided by `divisor`, of the images from `first` on, as many as `out` has room for.
    fn fill(&self, first: usize, divisor: f32, out: &mut [f32], progress: &Progress) -> Result<(), ReadError>;
}

/// A file's images with what is known of them.
pub struct Found {
    pub(super) path: PathBuf,
    pub(super) images: Box<dyn Images>,
    /// How many of its images are read: the first so many.
    pub(super) count: usize,
    pub(super) labels: Option<Vec<u8>>,
    /// Train or Test where the name says so.
    pub(super) part: Option<Part>,
    pub(super) number: Number,
    pub(super) range: ValueRange,
    /// What values are divided by for grey levels of 0 to 1.
    pub(super) divisor: f32,
    /// What is to be said of how it was taken.
    pub(super) said: Option<String>,
}

impl Found {
    pub(super) fn new(path: &Path, images: impl Images + 'static, number: Number, range: ValueRange) -> Self {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_ascii_lowercase();
        let part = match () {
            () if name.contains("t10k") || name.contains("test") => Some(Part::Test),
            () if name.contains("train") || name.contains("data_batch") => Some(Part::Train),
            () => None,
        };
        let count = images.shape().count;
        Self { path: path.into(), images: Box::new(images), count, labels: None, part, number, range, divisor: 1.0, said: None }
    }

    pub(super) fn taken(&self, how: String) -> Notice {
        Notice::Taken { path: self.path.clone(), how }
    }
}
