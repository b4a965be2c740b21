//! What the targets have in common: a file with the bytes to be read, and counts of what was refused and accepted.

use std::io::{Cursor, Write};
use std::path::Path;
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

static REFUSED: AtomicU64 = AtomicU64::new(0);
static ACCEPTED: AtomicU64 = AtomicU64::new(0);
static AT_EXIT: Once = Once::new();

/// Counts an input; the counts are printed when the process ends by itself.
pub fn count(accepted: bool) {
    AT_EXIT.call_once(|| {
        // SAFETY: the function takes nothing and touches only atomic numbers and standard error.
        unsafe { libc::atexit(print) };
    });
    if accepted { &ACCEPTED } else { &REFUSED }.fetch_add(1, Relaxed);
}

extern "C" fn print() {
    eprintln!("refused: {} accepted: {}", REFUSED.load(Relaxed), ACCEPTED.load(Relaxed));
}

/// Reads `bytes` from a file of this name in a folder of its own.
pub fn with_file(name: &str, bytes: &[u8], read: impl FnOnce(&Path)) {
    let folder = tempfile::tempdir_in(if Path::new("/dev/shm").is_dir() { "/dev/shm" } else { "." }).unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    read(&path);
}

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

/// The numbers of a set are what every reader promises, whatever it was made from.
pub fn assert_sound(set: &heescope::data::ImageSet) {
    assert_eq!(set.pixels.dim(), (set.len(), set.rows * set.columns));
    assert!(set.pixels.iter().all(|v| (0.0..=1.0).contains(v)));
    assert!(set.labels.as_ref().is_none_or(|labels| labels.len() == set.pixels.nrows()));
}
