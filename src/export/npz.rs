//! NPY and NPZ, read by numpy.load without pickle: float32 arrays, and text as uint8.

use crate::export::write_atomically;
use anyhow::{Context, anyhow};
use ndarray::{Array, Array1, ArrayD, Dimension};
use ndarray_npy::{NpzReader, NpzWriter, ReadNpyExt, WriteNpyExt};
use std::io::Cursor;
use std::path::Path;

/// Arrays gathered in memory, then written as a whole.
pub struct Archive {
    writer: NpzWriter<Cursor<Vec<u8>>>,
}

impl Default for Archive {
    fn default() -> Self {
        Self { writer: NpzWriter::new(Cursor::new(Vec::new())) }
    }
}

impl Archive {
    /// Adds a float32 array of any shape.
    pub fn add<D: Dimension>(&mut self, name: &str, array: &Array<f32, D>) -> anyhow::Result<()> {
        self.writer.add_array(name, array).with_context(|| format!("array {name}"))
    }

    /// Adds text as UTF-8 bytes.
    pub fn add_text(&mut self, name: &str, text: &str) -> anyhow::Result<()> {
        self.writer.add_array(name, &Array1::from(text.as_bytes().to_vec())).with_context(|| format!("array {name}"))
    }

    /// Writes everything under `path`, or nothing.
    pub fn save(self, path: &Path) -> anyhow::Result<()> {
        let bytes = self.writer.finish().context("NPZ")?;
        write_atomically(path, bytes.get_ref())
    }
}

/// An NPZ file that was opened.
pub struct Opened {
    reader: NpzReader<Cursor<Vec<u8>>>,
    path: std::path::PathBuf,
}

/// Opens an NPZ file; the error names it.
pub fn open(path: &Path) -> anyhow::Result<Opened> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let reader = NpzReader::new(Cursor::new(bytes)).map_err(|e| anyhow!("{} is not a whole NPZ file: {e}", path.display()))?;
    Ok(Opened { reader, path: path.into() })
}

impl Opened {
    /// Whether there is an array of that name.
    pub fn has(&mut self, name: &str) -> bool {
        self.reader.names().is_ok_and(|names| names.iter().any(|n| n == name))
    }

    /// A float32 array; the error names file and array.
    pub fn array(&mut self, name: &str) -> anyhow::Result<ArrayD<f32>> {
        self.reader.by_name(name).map_err(|e| anyhow!("{}: array {name} (float32): {e}", self.path.display()))
    }

    /// Text stored as bytes.
    pub fn text(&mut self, name: &str) -> anyhow::Result<String> {
        let bytes: Array1<u8> = self.reader.by_name(name).map_err(|e| anyhow!("{}: text {name} (uint8): {e}", self.path.display()))?;
        String::from_utf8(bytes.to_vec()).map_err(|_| anyhow!("{}: {name} is not UTF-8", self.path.display()))
    }
}

/// Writes one float32 array as NPY.
pub fn save_npy<D: Dimension>(path: &Path, array: &Array<f32, D>) -> anyhow::Result<()> {
    let mut bytes = Vec::new();
    array.write_npy(&mut bytes).context("NPY")?;
    write_atomically(path, &bytes)
}

/// Reads one float32 array; the error names the file.
pub fn read_npy<D: Dimension>(path: &Path) -> anyhow::Result<Array<f32, D>> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    Array::read_npy(&bytes[..]).map_err(|e| anyhow!("{}: a float32 array is needed: {e}", path.display()))
}
