//! NPY and NPZ, read by numpy.load without pickle: float32 arrays, and text as uint8.

use crate::export::{FileError, write_atomically};
use ndarray::{Array, Array1, ArrayD, Dimension};
use ndarray_npy::{NpzWriter, ReadNpyExt, WriteNpyExt};
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use zip::ZipArchive;

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
    pub fn add<D: Dimension>(&mut self, name: &str, array: &Array<f32, D>) -> Result<(), FileError> {
        self.writer.add_array(name, array).map_err(|e| FileError::encode(format!("array {name}"), e))
    }

    /// Adds text as UTF-8 bytes.
    pub fn add_text(&mut self, name: &str, text: &str) -> Result<(), FileError> {
        let bytes = Array1::from(text.as_bytes().to_vec());
        self.writer.add_array(name, &bytes).map_err(|e| FileError::encode(format!("array {name}"), e))
    }

    /// Writes everything under `path`, or nothing.
    pub fn save(self, path: &Path) -> Result<(), FileError> {
        let bytes = self.writer.finish().map_err(|e| FileError::encode("NPZ", e))?;
        write_atomically(path, bytes.get_ref())
    }
}

/// An NPZ file that was opened.
pub struct Opened {
    archive: ZipArchive<Cursor<Vec<u8>>>,
    path: PathBuf,
}

/// Opens an NPZ file; the error names it.
pub fn open(path: &Path) -> Result<Opened, FileError> {
    let bytes = std::fs::read(path).map_err(|problem| FileError::Read { path: path.into(), problem })?;
    let archive = ZipArchive::new(Cursor::new(bytes));
    let archive = archive.map_err(|e| FileError::Archive { path: path.into(), problem: e.to_string() })?;
    Ok(Opened { archive, path: path.into() })
}

impl Opened {
    /// Whether there is an array of that name.
    pub fn has(&self, name: &str) -> bool {
        self.archive.index_for_name(&format!("{name}.npy")).is_some()
    }

    /// A float32 array; the error names file and array.
    pub fn array(&mut self, name: &str) -> Result<ArrayD<f32>, FileError> {
        self.read(name, 4).map_err(|problem| FileError::content(&self.path, format!("array {name} (float32): {problem}")))
    }

    /// Text stored as bytes; the error names file and array.
    pub fn text(&mut self, name: &str) -> Result<String, FileError> {
        let bytes: Result<Array1<u8>, Unsound> = self.read(name, 1);
        let bytes = bytes.map_err(|problem| FileError::content(&self.path, format!("text {name} (uint8): {problem}")))?;
        String::from_utf8(bytes.to_vec()).map_err(|_| FileError::content(&self.path, format!("{name} is not UTF-8")))
    }

    fn read<A: ReadNpyExt>(&mut self, name: &str, item: usize) -> Result<A, Unsound> {
        let entry = self.archive.by_name(&format!("{name}.npy"))?;
        let mut bytes = Vec::new(); // grows with what is really there, not with what the header says
        entry.take(LARGEST_ENTRY + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > LARGEST_ENTRY {
            return Err(Unsound::TooLarge);
        }
        parse(&bytes, item)
    }
}

/// Bytes of one array at most.
const LARGEST_ENTRY: u64 = 1 << 30;

/// Why the bytes of an array cannot be used.
#[derive(Debug, thiserror::Error)]
enum Unsound {
    #[error("{0}")]
    Entry(#[from] zip::result::ZipError),
    #[error("{0}")]
    Bytes(#[from] std::io::Error),
    #[error("{0}")]
    Array(#[from] ndarray_npy::ReadNpyError),
    #[error("larger than {LARGEST_ENTRY} bytes")]
    TooLarge,
    #[error("not a whole NPY header")]
    Header,
    #[error("its header promises {promised} values, its {bytes} bytes cannot hold them")]
    Promise { promised: usize, bytes: usize },
}

/// Reads NPY bytes once their header's shape is known to fit them: the reader below makes room before it looks.
fn parse<A: ReadNpyExt>(bytes: &[u8], item: usize) -> Result<A, Unsound> {
    let promised = promised_values(bytes).ok_or(Unsound::Header)?;
    if promised.checked_mul(item).is_none_or(|needed| needed > bytes.len()) {
        return Err(Unsound::Promise { promised, bytes: bytes.len() });
    }
    Ok(A::read_npy(bytes)?)
}

/// The number of values that an NPY header promises (NumPy Enhancement Proposal 1); usize::MAX where it overflows.
fn promised_values(bytes: &[u8]) -> Option<usize> {
    let version = *bytes.strip_prefix(b"\x93NUMPY")?.first()?;
    let (start, length): (usize, usize) = match version {
        1 => (10, u16::from_le_bytes(bytes.get(8..10)?.try_into().ok()?) as usize),
        _ => (12, u32::from_le_bytes(bytes.get(8..12)?.try_into().ok()?) as usize),
    };
    let header = std::str::from_utf8(bytes.get(start..start.checked_add(length)?)?).ok()?;
    let shape = header.split_once("shape")?.1.split_once('(')?.1.split_once(')')?.0;
    let mut values = Some(1usize);
    for side in shape.split(',').map(str::trim).filter(|side| !side.is_empty()) {
        values = values.and_then(|v| v.checked_mul(side.parse().ok()?));
    }
    Some(values.unwrap_or(usize::MAX))
}

/// Writes one float32 array as NPY.
pub fn save_npy<D: Dimension>(path: &Path, array: &Array<f32, D>) -> Result<(), FileError> {
    let mut bytes = Vec::new();
    array.write_npy(&mut bytes).map_err(|e| FileError::encode("NPY", e))?;
    write_atomically(path, &bytes)
}

/// Reads one float32 array; the error names the file.
pub fn read_npy<D: Dimension>(path: &Path) -> Result<Array<f32, D>, FileError> {
    let bytes = std::fs::read(path).map_err(|problem| FileError::Read { path: path.into(), problem })?;
    parse(&bytes, 4).map_err(|problem| FileError::content(path, format!("a float32 array is needed: {problem}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

    fn everything(path: &Path) -> Result<(ArrayD<f32>, String), FileError> {
        let mut file = open(path)?;
        Ok((file.array("W0")?, file.text("config")?))
    }

    #[test]
    fn round_trip_and_ten_thousand_broken_files() {
        let folder = tempfile::tempdir().unwrap();
        let (good, bad) = (folder.path().join("good.npz"), folder.path().join("bad.npz"));
        let mut archive = Archive::default();
        let w = ndarray::Array2::from_shape_fn((5, 3), |(i, j)| i as f32 - 0.5 * j as f32);
        archive.add("W0", &w).unwrap();
        archive.add_text("config", "a = 1").unwrap();
        archive.save(&good).unwrap();
        assert_eq!(everything(&good).unwrap(), (w.clone().into_dyn(), "a = 1".to_string()));
        let bytes = std::fs::read(&good).unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(8);
        let mut refused = 0;
        for round in 0..10_000 {
            let mut broken = bytes.clone();
            if round % 2 == 0 {
                broken.truncate(rng.random_range(0..bytes.len()));
            } else {
                (0..rng.random_range(1..6)).for_each(|_| broken[rng.random_range(0..bytes.len())] = rng.random_range(0..=255));
            }
            std::fs::write(&bad, broken).unwrap();
            if let Err(error) = everything(&bad) {
                assert!(format!("{error:#}").contains("bad.npz"), "{error:#}");
                refused += 1;
            }
        }
        assert!(refused > 5000, "every file cut short is refused: {refused}");
    }

    #[test]
    fn a_header_that_lies_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lie.npy");
        for shape in ["1000000000000000,", "99999999999, 99999999999", "4000000000,", "7,"] {
            let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({shape}), }}");
            header.push_str(&" ".repeat(63 - (10 + header.len()) % 64));
            header.push('\n');
            let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
            bytes.extend((header.len() as u16).to_le_bytes());
            bytes.extend(header.bytes());
            std::fs::write(&path, bytes).unwrap();
            let error = format!("{:#}", read_npy::<ndarray::IxDyn>(&path).unwrap_err());
            assert!(error.contains("lie.npy"), "{error}");
        }
    }
}
