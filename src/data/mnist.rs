//! MNIST (Y. LeCun, C. Cortes, C. Burges), read from a folder: it is not part of the program.

use crate::data::{DataError, ImageSet, Notice, Part, PictureSize, Progress, readers};
use std::path::{Path, PathBuf};

/// The folder that is looked into where none is named, in the folder the program was started from.
pub const FOLDER: &str = "data/mnist";

/// Reads MNIST's IDX files, packed by gzip or not, from `folder`: 60,000 images to learn from, 10,000 held out, 28 x 28. The error
/// names the file that is missing and where to put it.
pub fn mnist(folder: &Path, part: Part, progress: &Progress) -> Result<(ImageSet, Vec<Notice>), DataError> {
    let names: &[&str] = match part {
        Part::Train => &["train-images"],
        Part::Test => &["t10k-images"],
        Part::All => &["train-images", "t10k-images"],
    };
    let files = names.iter().map(|name| find(folder, name)).collect::<Result<Vec<_>, _>>()?;
    // The folder holds both parts, of which only that which is wanted is read: nothing of it is held out.
    readers::read(&files, Part::All, PictureSize::Own, progress)
}

fn find(folder: &Path, name: &str) -> Result<PathBuf, DataError> {
    let spellings = [format!("{name}-idx3-ubyte"), format!("{name}.idx3-ubyte")];
    let files = spellings.iter().flat_map(|name| [folder.join(name), folder.join(format!("{name}.gz"))]);
    files.into_iter().find(|file| file.is_file()).ok_or_else(|| DataError::File {
        path: folder.into(),
        problem: format!(
            "there is no {name}-idx3-ubyte(.gz): put MNIST's four files there (train-images-idx3-ubyte, train-labels-idx1-ubyte, \
             t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte, each with or without .gz), or name their folder by --data, in the window under Your images"
        )
        .into(),
    })
}
