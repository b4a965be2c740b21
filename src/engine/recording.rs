//! Recordings: the snapshots of a run with the moments at which they were shown, in one file that is whole up to its last snapshot
//! whenever the program ends.
//!
//! The file begins with a line that says its form. Each snapshot follows as four bytes that hold its length, eight that hold its moment in
//! seconds (both little-endian), and its CBOR, compressed as zlib does it. Weights and what hangs on them are left out where they are
//! those of the snapshot before.

mod replay;
mod writer;

pub use replay::{RecordedRun, Replay};
pub use writer::{RecordingWriter, SnapshotRecorder};

use crate::engine::{Snapshot, SnapshotIncrement};
use crate::export::FileError;
use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};
use std::io::Read;

/// The first line of a file.
const HEADER: &[u8] = b"heescope recording 1\n";
/// The beginning of the first line of every version.
const HEADER_OF_ALL: &[u8] = b"heescope recording ";
/// The ending of a recording's name.
pub const ENDING: &str = ".heerec";
/// Bytes of a snapshot in a file at most, and when it is unpacked.
const MOST_PACKED: u32 = 1 << 28;
const MOST_UNPACKED: u64 = 1 << 30;

impl SnapshotIncrement {
    /// Adds what is new after this.
    pub fn append(&mut self, mut later: Self) {
        fn each<T>(before: &mut Vec<Vec<T>>, later: &mut Vec<Vec<T>>) {
            before.resize_with(before.len().max(later.len()), Vec::new);
            before.iter_mut().zip(later).for_each(|(before, later)| before.append(later));
        }
        each(&mut self.traces, &mut later.traces);
        each(&mut self.interneurons, &mut later.interneurons);
        self.raster.append(&mut later.raster);
        self.pairs.append(&mut later.pairs);
        self.learning.append(&mut later.learning);
    }
}

/// A snapshot as bytes.
pub fn pack(snapshot: &Snapshot) -> Result<Vec<u8>, FileError> {
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::fast());
    ciborium::into_writer(snapshot, &mut packed).map_err(|e| FileError::encode("a snapshot", e))?;
    packed.finish().map_err(|e| FileError::encode("a snapshot", e))
}

/// The snapshot of these bytes; the error says what is wrong with them.
pub fn unpack(packed: &[u8]) -> Result<Snapshot, String> {
    let mut bytes = ZlibDecoder::new(packed).take(MOST_UNPACKED);
    let snapshot = ciborium::from_reader(&mut bytes).map_err(|e| e.to_string())?;
    // The checksum is behind the last byte.
    match std::io::copy(&mut bytes, &mut std::io::sink()) {
        Ok(0) => Ok(snapshot),
        Ok(more) => Err(format!("{more} bytes too many")),
        Err(error) => Err(error.to_string()),
    }
}

/// Takes over what a snapshot of the same weights has left out.
fn fill(snapshot: &mut Snapshot, before: &Snapshot) {
    snapshot.state.weights.clone_from(&before.state.weights);
    snapshot.state.subject.clone_from(&before.state.subject);
}
