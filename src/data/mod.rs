//! Where stimuli come from: dead leaves, photographs, digits, one's own images; whitening and patches (model.md 6), whole images.

pub mod bars;
pub mod dead_leaves;
pub mod embedded;
mod folder;
pub mod grey_scale;
pub mod images;
pub mod mnist;
mod notice;
pub mod patches;
pub mod photographs;
mod picture;
mod preview;
mod progress;
mod read_error;
pub mod readers;
mod set;
mod source;
pub mod stimuli;
pub mod whitening;

pub use embedded::{digits, fashion};
pub use mnist::mnist;
pub use notice::{ImagesReport, Notice};
pub use picture::{PictureSize, READ as PICTURES_READ};
pub use preview::{ImagePreview, MOST_FILES, PreviewRequest};
pub use progress::Progress;
pub use read_error::ReadError;
pub use readers::read;
pub use set::{ClassNames, ImageSet, Part};
pub use source::Source;
pub use stimuli::Stimuli;

use ndarray::Array2;
use rand::{SeedableRng, rngs::ChaCha8Rng};
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// What went wrong with data: the message names the file, what was found and what would be right.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DataError {
    /// A file that cannot be used.
    #[error("{path}: {problem}")]
    File {
        /// The file.
        path: PathBuf,
        /// What was found and what would be right.
        problem: ReadError,
    },
    /// Nothing is left to cut patches from.
    #[error("no usable image: {0}")]
    Nothing(String),
    /// Somebody asked for it.
    #[error("stopped: the model before goes on")]
    Cancelled,
}

/// Whole images of a source, grey 0 to 1, and what is to be told of its files. `paths` are the files and folders of those sources that
/// need some. `size` says what becomes of pictures of another size. An error for a source of patches.
pub fn whole(
    source: Source,
    paths: &[PathBuf],
    part: Part,
    size: PictureSize,
    progress: &Progress,
) -> Result<(ImageSet, Vec<Notice>), DataError> {
    match source {
        Source::Digits => digits(part).map(|set| (set, Vec::new())),
        Source::Fashion => fashion(part).map(|set| (set, Vec::new())),
        Source::Mnist => mnist(paths.first().map_or(Path::new(mnist::FOLDER), PathBuf::as_path), part, progress),
        Source::Images => read(paths, part, size, progress),
        _ => Err(DataError::Nothing("this source has patches, not whole images".into())),
    }
}

/// What becomes of pictures before patches are cut from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preparation {
    /// Pixels along the longer side of one's own pictures at most, to which larger ones are reduced; 0: as many as are ever kept, 2048.
    pub longest_side: usize,
    /// Whether they are whitened; else their mean is removed and their variance made 1.
    pub whitening: bool,
}

impl Default for Preparation {
    fn default() -> Self {
        Self { longest_side: 0, whitening: true }
    }
}

/// Patches of a source, whitened unless `preparation` says otherwise, of side^2 pixels, and what is to be told of its files. `paths` are the files and folders of
/// [`Source::Files`]. Bit-identical for one seed. An error for a source that has no patches.
pub fn patches(
    source: Source,
    paths: &[PathBuf],
    settings: &patches::Settings,
    preparation: Preparation,
    seed: u64,
    progress: &Progress,
) -> Result<(Stimuli, Vec<Notice>), DataError> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(u64::MAX);
    if source == Source::Bars {
        return Ok((bars::bars(settings.count, settings.side, &mut rng).into(), Vec::new()));
    }
    let mut notices = Vec::new();
    let raw: Vec<Array2<f32>> = match source {
        Source::DeadLeaves => (0..6u64)
            .into_par_iter()
            .map(|i| {
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                rng.set_stream(u64::MAX - 1 - i);
                dead_leaves::dead_leaves(384, 3.0, 200.0, &mut rng)
            })
            .collect(),
        Source::Photographs => photographs::images()?,
        Source::Files => {
            let loaded = images::load(paths, settings.side + 2 * settings.border + 1, preparation.longest_side, progress);
            if progress.cancelled() {
                return Err(DataError::Cancelled);
            }
            notices = loaded.notices;
            if loaded.images.is_empty() {
                return Err(notice::nothing(&notices));
            }
            loaded.images
        }
        _ => return Err(DataError::Nothing("this source has whole images, not patches".into())),
    };
    let white = prepared(&raw, source != Source::DeadLeaves, preparation, progress)?;
    Ok((Stimuli::Cut(patches::Patches::draw(white, settings, &mut rng)), notices))
}

/// Pictures as patches are cut from them. Of photographs the logarithm is taken before.
fn prepared(raw: &[Array2<f32>], logarithm: bool, preparation: Preparation, progress: &Progress) -> Result<Vec<Array2<f32>>, DataError> {
    progress.begin("whitening", raw.len());
    let prepared = if preparation.whitening { whitening::whiten } else { whitening::standardise };
    let whitened = |image: &Array2<f32>| {
        let white = (!progress.cancelled()).then(|| prepared(&if logarithm { whitening::log_intensity(image) } else { image.clone() }));
        progress.advance(1);
        white
    };
    let white: Option<Vec<_>> = raw.par_iter().map(whitened).collect();
    white.ok_or(DataError::Cancelled)
}
