//! What the targets have in common: a file with the bytes to be read, and counts of what was refused and accepted.

mod archive;
mod still;

pub use archive::archive;
use std::path::Path;
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
pub use still::{Still, draw};

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

/// The numbers of a set are what every reader promises, whatever it was made from.
pub fn assert_sound(set: &heescope::data::ImageSet) {
    assert_eq!(set.pixels.dim(), (set.len(), set.rows * set.columns));
    assert!(set.pixels.iter().all(|v| (0.0..=1.0).contains(v)));
    assert!(set.labels.as_ref().is_none_or(|labels| labels.len() == set.pixels.nrows()));
}
