//! NPY and NPZ, read by numpy.load without pickle: float32 arrays, and text or other bytes as uint8.

mod header;
mod part;

use crate::export::{FileError, write_atomically};
use crate::shown::shown;
use header::Header;
use ndarray::{Array, Array1, ArrayBase, ArrayD, Data, Dimension};
use ndarray_npy::{NpzWriter, ReadNpyExt, ReadableElement, WritableElement, WriteNpyExt};
use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek};
use std::ops::Range;
use std::path::{Path, PathBuf};
use zip::ZipArchive;
use zip::read::ZipFile;

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
    /// Adds an array of any shape; files hold float32 and uint8.
    pub fn add<T, S, D>(&mut self, name: &str, array: &ArrayBase<S, D>) -> Result<(), FileError>
    where
        T: WritableElement,
        S: Data<Elem = T>,
        D: Dimension,
    {
        self.writer.add_array(name, array).map_err(|e| FileError::encode(format!("array {name}"), e))
    }

    /// Adds text as UTF-8 bytes.
    pub fn add_text(&mut self, name: &str, text: &str) -> Result<(), FileError> {
        let bytes = Array1::from(text.as_bytes().to_vec());
        self.writer.add_array(name, &bytes).map_err(|e| FileError::encode(format!("array {name}"), e))
    }

    /// Everything as the bytes of an NPZ file.
    pub fn into_bytes(self) -> Result<Vec<u8>, FileError> {
        Ok(self.writer.finish().map_err(|e| FileError::encode("NPZ", e))?.into_inner())
    }

    /// Writes everything under `path`, or nothing.
    pub fn save(self, path: &Path) -> Result<(), FileError> {
        write_atomically(path, &self.into_bytes()?)
    }
}

/// What an archive is read from: a file, or memory where it came through a pipe.
trait Source: Read + Seek + Send {}

impl<T: Read + Seek + Send> Source for T {}

/// An NPZ file that was opened.
pub struct Opened {
    archive: ZipArchive<Box<dyn Source>>,
    path: PathBuf,
    /// Bytes of the file.
    length: u64,
}

/// Opens an NPZ file; the error names it. What is no regular file is read into memory, 2 GiB at most.
pub fn open(path: &Path) -> Result<Opened, FileError> {
    let (source, length) = open_source(path).map_err(|problem| FileError::Read { path: path.into(), problem })?;
    let archive = ZipArchive::new(source).map_err(|e| FileError::Archive { path: path.into(), problem: e.to_string() })?;
    Ok(Opened { archive, path: path.into(), length })
}

fn open_source(path: &Path) -> std::io::Result<(Box<dyn Source>, u64)> {
    let mut file = File::open(path)?;
    let known = file.metadata()?;
    if known.is_file() {
        return Ok((Box::new(BufReader::new(file)), known.len()));
    }
    let mut bytes = Vec::new();
    file.by_ref().take(2).read_to_end(&mut bytes)?; // what is no archive may have no end
    if bytes == b"PK" {
        file.take(LARGEST_PIPE).read_to_end(&mut bytes)?;
    }
    let length = bytes.len() as u64;
    Ok((Box::new(Cursor::new(bytes)), length))
}

impl Opened {
    /// Whether there is an array of that name.
    pub fn has(&self, name: &str) -> bool {
        self.archive.index_for_name(&format!("{name}.npy")).is_some()
    }

    /// A float32 array; the error names file and array.
    pub fn array(&mut self, name: &str) -> Result<ArrayD<f32>, FileError> {
        self.read(name, 4, LARGEST_ENTRY).map_err(|problem| self.wrong_array(name, &problem))
    }

    /// The shape of an array, by its header alone.
    pub fn shape(&mut self, name: &str) -> Result<Vec<usize>, FileError> {
        self.header(name).map(|header| header.shape).map_err(|problem| self.wrong_array(name, &problem))
    }

    /// Of a float32 array the values of some entries of the last axis: of each all values together, in C order of the other axes. The array
    /// is read as it comes, so that only these take memory, 1 GiB each at most. `taken` is told how many values came.
    pub fn last_axis(&mut self, name: &str, wanted: Range<usize>, taken: &mut dyn FnMut(usize)) -> Result<Vec<f32>, FileError> {
        self.read_last_axis(name, wanted, taken).map_err(|problem| self.wrong_array(name, &problem))
    }

    /// Text stored as bytes; the error names file and array.
    pub fn text(&mut self, name: &str) -> Result<String, FileError> {
        let bytes: Result<Array1<u8>, Unsound> = self.read(name, 1, LARGEST_TEXT);
        let bytes = bytes.map_err(|problem| FileError::content(&self.path, format!("text {name} (uint8): {problem}")))?;
        String::from_utf8(bytes.to_vec()).map_err(|_| FileError::content(&self.path, format!("{name} is not UTF-8")))
    }

    /// The values of an array of `count` of them, of any shape, row by row; the error names file and array.
    pub fn values<T: ReadableElement + Copy>(&mut self, name: &str, count: usize) -> Result<Vec<T>, FileError> {
        let largest = count.saturating_mul(size_of::<T>()) as u64;
        let array: Result<ArrayD<T>, Unsound> = self.read(name, size_of::<T>(), largest);
        let found = array.map_err(|problem| FileError::content(&self.path, format!("array {name}: {problem}")))?;
        if found.len() != count {
            return Err(FileError::content(
                &self.path,
                format!("array {name} has the shape {:?}, {count} values are needed", found.shape()),
            ));
        }
        Ok(if found.is_standard_layout() { found.into_raw_vec_and_offset().0 } else { found.iter().copied().collect() })
    }

    fn wrong_array(&self, name: &str, problem: &Unsound) -> FileError {
        FileError::content(&self.path, format!("array {name} (float32): {problem}"))
    }

    fn entry(&mut self, name: &str) -> Result<ZipFile<'_, Box<dyn Source>>, Unsound> {
        Ok(self.archive.by_name(&format!("{name}.npy"))?)
    }

    fn header(&mut self, name: &str) -> Result<Header, Unsound> {
        Header::read(&mut self.entry(name)?)?.ok_or(Unsound::Header)
    }

    fn read<A: ReadNpyExt>(&mut self, name: &str, item: usize, largest: u64) -> Result<A, Unsound> {
        let mut entry = self.entry(name)?;
        let header = Header::read(&mut entry)?.ok_or(Unsound::Header)?;
        let promised = header.values().and_then(|values| values.checked_mul(item)).and_then(|bytes| u64::try_from(bytes).ok());
        let promised = promised.filter(|&bytes| bytes <= largest).ok_or(Unsound::TooLarge(largest))?;
        let mut bytes = header.bytes; // grows with what is really there, not with what the header says
        entry.take(promised + 1).read_to_end(&mut bytes)?;
        parse(&bytes, item)
    }

    fn read_last_axis(&mut self, name: &str, wanted: Range<usize>, taken: &mut dyn FnMut(usize)) -> Result<Vec<f32>, Unsound> {
        let length = self.length;
        let mut entry = self.entry(name)?;
        let header = Header::read(&mut entry)?.ok_or(Unsound::Header)?;
        let width = header.shape.last().copied().unwrap_or(0);
        let bytes = header.values().and_then(|values| (values as u64).checked_mul(4)).ok_or(Unsound::TooLarge(LARGEST_ENTRY))?;
        if bytes / (width.max(1) as u64) > LARGEST_ENTRY {
            return Err(Unsound::TooLarge(LARGEST_ENTRY));
        }
        // Room is made before the values come, so what is promised must be possible.
        let possible = entry.size().min(entry.compressed_size().min(length).saturating_mul(MOST_DEFLATED)).saturating_add(MOST_DEFLATED);
        if bytes > possible {
            return Err(Unsound::Impossible(bytes / 4));
        }
        if wanted.end > width {
            return Err(Unsound::Short);
        }
        part::read(&mut entry, &header, wanted, taken)
    }
}

/// Bytes of one array at most.
const LARGEST_ENTRY: u64 = 1 << 30;
/// Bytes of a text at most.
const LARGEST_TEXT: u64 = 1 << 24;
/// Bytes that are read of what is no regular file.
const LARGEST_PIPE: u64 = 1 << 31;
/// Bytes that one deflated byte can stand for, at most.
const MOST_DEFLATED: u64 = 1040;

/// Why the bytes of an array cannot be used.
#[derive(Debug, thiserror::Error)]
enum Unsound {
    #[error("it is missing")]
    Missing,
    #[error("{0}")]
    Entry(zip::result::ZipError),
    #[error("{0}")]
    Bytes(#[from] std::io::Error),
    #[error("{0}")]
    Array(#[from] ndarray_npy::ReadNpyError),
    #[error("larger than {0} bytes")]
    TooLarge(u64),
    #[error("not a whole NPY header")]
    Header,
    #[error("its header promises {promised} values, its {bytes} bytes cannot hold them")]
    Promise { promised: usize, bytes: usize },
    #[error("its values are of type {}, float32 is needed", shown(.0))]
    Kind(String),
    #[error("its header promises {0} values, more than the file can hold")]
    Impossible(u64),
    #[error("there are fewer values than its header promises")]
    Short,
    #[error("there are more values than its header promises")]
    Longer,
}

impl From<zip::result::ZipError> for Unsound {
    fn from(error: zip::result::ZipError) -> Self {
        if matches!(error, zip::result::ZipError::FileNotFound) { Self::Missing } else { Self::Entry(error) }
    }
}

/// Reads NPY bytes once their header's shape is known to fit them: the reader below makes room before it looks.
fn parse<A: ReadNpyExt>(bytes: &[u8], item: usize) -> Result<A, Unsound> {
    let header = Header::read(&mut &bytes[..])?.ok_or(Unsound::Header)?;
    let promised = header.values().unwrap_or(usize::MAX);
    if promised.checked_mul(item).is_none_or(|needed| needed > bytes.len() - header.bytes.len()) {
        return Err(Unsound::Promise { promised, bytes: bytes.len() });
    }
    Ok(A::read_npy(bytes)?)
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
    fn parts_of_the_last_axis_are_those_of_the_whole_array() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npz");
        let x = ndarray::Array3::from_shape_fn((7, 501, 37), |(c, t, u)| (c * 100_000 + t * 100 + u) as f32);
        let mut turned = ndarray::Array3::<f32>::zeros(ndarray::ShapeBuilder::f(x.dim()));
        turned.assign(&x);
        let mut archive = Archive::default();
        archive.add("c", &x).unwrap();
        archive.add("f", &turned).unwrap();
        archive.save(&path).unwrap();
        let mut file = open(&path).unwrap();
        for name in ["c", "f"] {
            assert_eq!(file.shape(name).unwrap(), [7, 501, 37]);
            for wanted in [0..37, 0..1, 5..9, 36..37, 3..3] {
                let mut taken = 0;
                let found = file.last_axis(name, wanted.clone(), &mut |count| taken += count).unwrap();
                let expected: Vec<f32> =
                    wanted.clone().flat_map(|u| x.slice(ndarray::s![.., .., u]).iter().copied().collect::<Vec<_>>()).collect();
                assert!(found == expected && taken == x.len(), "{name}, {wanted:?}");
            }
            assert!(file.last_axis(name, 30..38, &mut |_| ()).unwrap_err().to_string().contains("a.npz: array "));
        }
        assert!(file.shape("d").unwrap_err().to_string().ends_with("a.npz: array d (float32): it is missing"));
    }

    #[test]
    fn what_an_archive_promises_takes_no_room_before_it_comes() {
        use std::io::Write;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lie.npz");
        let header = |shape: &str| {
            let text = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({shape}), }}\n");
            [b"\x93NUMPY\x01\x00", &(text.len() as u16).to_le_bytes()[..], text.as_bytes()].concat()
        };
        for (shape, part) in [
            ("4, 50000000, 2", "promises 400000000 values, more than the file can hold"),
            ("4, 100000000, 2", "larger than"),
            ("300000000, 1, 1", "larger than"),
            ("1000000, 1000000, 1000000", "larger than"),
            ("4, 99999999999999999999, 1", "larger than"),
            ("4, 20, 2", "fewer values"),
            ("2, 20, 2", "more values"),
        ] {
            let mut writer = zip::ZipWriter::new(File::create(&path).unwrap());
            writer.start_file("x1.npy", zip::write::SimpleFileOptions::default()).unwrap();
            writer.write_all(&header(shape)).unwrap();
            writer.write_all(&[0; 600]).unwrap();
            writer.finish().unwrap();
            let error = open(&path).unwrap().last_axis("x1", 0..1, &mut |_| ()).unwrap_err().to_string();
            assert!(error.contains("lie.npz: array x1") && error.contains(part), "{shape}: {error}");
        }
        let mut archive = Archive::default();
        archive.add_text("config", &" ".repeat(LARGEST_TEXT as usize + 1)).unwrap();
        archive.save(&path).unwrap();
        let error = open(&path).unwrap().text("config").unwrap_err().to_string();
        assert!(error.contains("config") && error.contains("larger than"), "{error}");
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
