//! The directory of a ZIP file and its entries, read without trusting any length that it names (PKWARE APPNOTE 4.3).
//!
//! The zip crate makes room for as many entries as a file says it has, before it looks: here nothing grows past the file's size.

use super::input::MOST_UNPACKED;
use crate::data::ReadError;
use flate2::{Crc, read::DeflateDecoder};
use std::fs::File;
use std::io::{BufReader, Error, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

/// First bytes of a ZIP file.
pub const MAGIC: &[u8] = b"PK\x03\x04";
/// Bytes of the directory at most: an NPZ of images has a handful of entries of about 60 bytes.
const LARGEST_DIRECTORY: u64 = 1 << 20;

/// A file in a ZIP file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Bytes unpacked, as the directory says: at most 1032 for each packed one, and no more than that are ever read.
    pub length: u64,
    packed: u64,
    method: u16,
    crc: u32,
    /// Where its local header begins.
    start: u64,
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).map_or(0, |b| u16::from_le_bytes([b[0], b[1]]))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

/// Every entry of a ZIP file.
pub fn entries(path: &Path) -> Result<Vec<Entry>, ReadError> {
    let mut file = File::open(path)?;
    let whole = file.metadata()?.len();
    let mut piece = |from: u64, length: u64| -> Result<Vec<u8>, ReadError> {
        file.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::new();
        (&mut file).take(length).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    // The end record is the last thing in the file but for a comment of up to 65,535 bytes.
    let tail_start = whole.saturating_sub(22 + 65_535);
    let tail = piece(tail_start, whole - tail_start)?;
    let end = tail.windows(4).rposition(|window| window == b"PK\x05\x06").filter(|at| at + 22 <= tail.len());
    let end = end.ok_or("not a whole ZIP file: its directory is missing")?;
    let record = &tail[end..];
    let (count, length, start) = (u16_at(record, 10), u64::from(u32_at(record, 12)), u64::from(u32_at(record, 16)));
    if u64::from(count) * 46 > length || length > LARGEST_DIRECTORY || start + length > tail_start + end as u64 {
        return Err(format!("its ZIP directory of {count} entries in {length} bytes is not sound, or larger than is read").into());
    }
    let directory = piece(start, length)?;
    let (mut found, mut rest) = (Vec::new(), &directory[..]);
    for _ in 0..count {
        let name_length = usize::from(u16_at(rest, 28));
        let all = 46 + name_length + usize::from(u16_at(rest, 30)) + usize::from(u16_at(rest, 32));
        if !rest.starts_with(b"PK\x01\x02") || rest.len() < all {
            return Err("its ZIP directory is damaged".into());
        }
        let entry = Entry {
            name: String::from_utf8_lossy(&rest[46..46 + name_length]).into_owned(),
            length: u64::from(u32_at(rest, 24)),
            packed: u64::from(u32_at(rest, 20)),
            method: u16_at(rest, 10),
            crc: u32_at(rest, 16),
            start: u64::from(u32_at(rest, 42)),
        };
        if u16_at(rest, 8) & 1 == 1 {
            return Err(format!("{}: encrypted", entry.name).into());
        }
        if entry.packed > whole || entry.length > entry.packed.saturating_mul(MOST_UNPACKED) {
            return Err(format!("{}: {} bytes cannot be in {} packed ones", entry.name, entry.length, entry.packed).into());
        }
        found.push(entry);
        rest = &rest[all..];
    }
    Ok(found)
}

impl Entry {
    /// Its bytes, unpacked; the end comes with an error where their checksum is not the stored one.
    pub fn open(&self, path: &Path) -> Result<Box<dyn Read>, ReadError> {
        let mut file = File::open(path)?;
        let mut header = [0; 30];
        file.seek(SeekFrom::Start(self.start)).and_then(|_| file.read_exact(&mut header))?;
        if !header.starts_with(MAGIC) {
            return Err(format!("{}: its header is damaged", self.name).into());
        }
        let skip = i64::from(u16_at(&header, 26)) + i64::from(u16_at(&header, 28));
        file.seek(SeekFrom::Current(skip))?;
        let stored = BufReader::new(file).take(self.packed);
        let unpacked: Box<dyn Read> = match self.method {
            0 => Box::new(stored),
            8 => Box::new(DeflateDecoder::new(stored)),
            other => return Err(format!("{}: packed by method {other}; NumPy stores or deflates", self.name).into()),
        };
        Ok(Box::new(Checked { reader: unpacked.take(self.length), seen: Crc::new(), expected: self.crc }))
    }
}

/// A reader that compares the checksum at the end.
struct Checked<R> {
    reader: R,
    seen: Crc,
    expected: u32,
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.seen.update(&buffer[..count]);
        if count == 0 && !buffer.is_empty() && self.seen.sum() != self.expected {
            return Err(Error::new(ErrorKind::InvalidData, "the checksum is wrong"));
        }
        Ok(count)
    }
}
