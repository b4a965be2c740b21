//! Archives of damaged arrays.

use std::io::{Cursor, Write};

/// An archive of arrays from a line of names, with commas between them, and the arrays (NPY) one behind the other: checksums and
/// directory are right, so that what is in the arrays comes under test. What is an archive already stays as it is.
pub fn archive(bytes: &[u8]) -> Vec<u8> {
    const MAGIC: &[u8] = b"\x93NUMPY";
    let Some(end) = bytes.iter().position(|byte| *byte == b'\n').filter(|_| !bytes.starts_with(b"PK")) else { return bytes.into() };
    let (names, arrays) = (String::from_utf8_lossy(&bytes[..end]), &bytes[end + 1..]);
    let mut starts: Vec<usize> = (0..arrays.len()).filter(|&i| arrays[i..].starts_with(MAGIC)).collect();
    starts.push(arrays.len());
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, range) in names.split(',').zip(starts.windows(2)) {
        let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        if writer.start_file(format!("{name}.npy"), options).is_ok() {
            writer.write_all(&arrays[range[0]..range[1]]).unwrap();
        }
    }
    writer.finish().unwrap().into_inner()
}
