//! Files: PNG, SVG, NPY and NPZ, each written beside its final name and then renamed.

pub mod animation;
pub mod bars;
mod file_error;
pub mod filters;
pub mod images;
pub mod mosaic;
pub mod npz;
pub mod table;

pub use file_error::FileError;

use std::io::{Cursor, Write};
use std::path::Path;

/// Writes `bytes` under `path` as a whole or not at all. Errors name the path.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let write = || -> std::io::Result<()> {
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(std::fs::Permissions::from_mode(0o644));
        }
        let mut file = builder.prefix(".heescope-").tempfile_in(folder)?;
        file.write_all(bytes)?;
        file.persist(path).map_err(|e| e.error)?;
        Ok(())
    };
    write().map_err(|problem| FileError::Write { path: path.into(), problem })
}

/// Writes a picture as PNG.
pub fn save_png(path: &Path, picture: &image::RgbImage) -> Result<(), FileError> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Png).map_err(|e| FileError::encode(format!("cannot encode {}", path.display()), e))?;
    write_atomically(path, bytes.get_ref())
}
