//! Files: PNG, SVG, NPY and NPZ, checked before the work that they are to hold, written by one function, and not lost where that fails.

pub mod animation;
pub mod bars;
mod destination;
mod file_error;
pub mod film;
pub mod filters;
pub mod images;
mod keeping;
pub mod mosaic;
pub mod npz;
mod outputs;
mod rescue;
pub mod table;
mod temporary;
mod write;

pub use destination::{is_standard_output, is_stream};
pub use file_error::FileError;
pub use keeping::{keep_as, lock, move_folder, put_aside, write_keeping};
pub use outputs::{Outputs, check_ending, check_output, check_room, ending};
pub use rescue::{SaveError, write_or_keep};
pub use write::{PendingFile, begin_growing, write_after, write_atomically};

use std::io::Cursor;
use std::path::Path;

/// Writes a picture as PNG.
pub fn save_png(path: &Path, picture: &image::RgbImage) -> Result<(), FileError> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Png).map_err(|e| FileError::encode(format!("cannot encode {}", path.display()), e))?;
    write_atomically(path, bytes.get_ref())
}
