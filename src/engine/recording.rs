//! Recordings: the snapshots of a run with the moments at which they were shown, in one file that is whole up to its last snapshot
//! whenever the program ends.
//!
//! The file begins with a line that says its form. Each snapshot follows as four bytes that hold its length, eight that hold its moment in
//! seconds (both little-endian), and the snapshot as [`pack`] gives it. Weights and what hangs on them are left out where they are those of
//! the snapshot before.

mod replay;
mod writer;

pub use replay::{RecordedRun, Replay};
pub use writer::{RecordingWriter, SnapshotRecorder};

use crate::engine::{Snapshot, SnapshotIncrement};
use crate::export::FileError;
use flate2::{Crc, read::ZlibDecoder};
use std::io::Read;

/// The first line of a file, and that of the version before, which is read as well.
const HEADER: &[u8] = b"heescope recording 2\n";
const HEADER_BEFORE: &[u8] = b"heescope recording 1\n";
/// The first byte of a snapshot that is not compressed; zlib begins with another. What stands before its CBOR is so long.
const PLAIN: u8 = 2;
const HEAD: usize = 5;
/// The beginning of the first line of every version.
const HEADER_OF_ALL: &[u8] = b"heescope recording ";
/// The ending of a recording's name.
pub const ENDING: &str = ".heerec";
/// Bytes of a snapshot in a file at most, and when it is decompressed.
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

/// A snapshot as bytes: one that tells them from the compressed ones of version 1, the CRC-32 of what follows (four bytes, little-endian),
/// and its CBOR, in which samples and weights are byte strings. Nothing is compressed: samples are noise, of which nothing is saved, and the
/// time would be taken from the simulation.
pub fn pack(snapshot: &Snapshot) -> Result<Vec<u8>, FileError> {
    let mut packed = vec![PLAIN, 0, 0, 0, 0];
    ciborium::into_writer(snapshot, &mut packed).map_err(|e| FileError::encode("a snapshot", e))?;
    let sum = checksum(&packed[HEAD..]);
    packed[1..HEAD].copy_from_slice(&sum.to_le_bytes());
    Ok(packed)
}

/// The snapshot of these bytes; the error says what is wrong with them. Those of version 1, compressed as zlib does it, are read too.
pub fn unpack(packed: &[u8]) -> Result<Snapshot, String> {
    let Some((&[PLAIN, ref sum @ ..], cbor)) = packed.split_first_chunk::<HEAD>() else { return inflate(packed) };
    if checksum(cbor) != u32::from_le_bytes(*sum) {
        return Err("its checksum is not that of its bytes".into());
    }
    let mut rest = cbor;
    let snapshot = ciborium::from_reader(&mut rest).map_err(|e| e.to_string())?;
    if rest.is_empty() { Ok(snapshot) } else { Err(format!("{} bytes too many", rest.len())) }
}

fn inflate(packed: &[u8]) -> Result<Snapshot, String> {
    let mut bytes = ZlibDecoder::new(packed).take(MOST_UNPACKED);
    let snapshot = ciborium::from_reader(&mut bytes).map_err(|e| e.to_string())?;
    // The checksum is behind the last byte.
    match std::io::copy(&mut bytes, &mut std::io::sink()) {
        Ok(0) => Ok(snapshot),
        Ok(more) => Err(format!("{more} bytes too many")),
        Err(error) => Err(error.to_string()),
    }
}

/// The CRC-32 of bytes.
pub(super) fn checksum(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// Takes over what a snapshot of the same weights has left out.
fn fill(snapshot: &mut Snapshot, before: &Snapshot) {
    snapshot.state.weights.clone_from(&before.state.weights);
    snapshot.state.subject.clone_from(&before.state.subject);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::presets;
    use std::path::Path;

    #[test]
    fn a_recording_of_the_version_before_has_what_one_of_this_has() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/recording");
        let read = |name: &str| {
            let mut run = RecordedRun::open(&corpus.join(name)).unwrap();
            run.read(0..run.len()).unwrap().unwrap()
        };
        let (before, now) = (read("one.heerec"), read("two.heerec"));
        assert_eq!(format!("{before:?}"), format!("{now:?}"));
        assert!(!before.weights.is_empty() && before.subject.is_some(), "they hold something");
    }

    #[test]
    fn no_changed_byte_of_a_packed_snapshot_is_believed() {
        let packed = pack(&Snapshot::synthetic(presets::by_name("ridge").unwrap())).unwrap();
        assert!(unpack(&packed).is_ok());
        for i in (0..packed.len()).step_by(7) {
            let mut changed = packed.clone();
            changed[i] ^= 0x10;
            assert!(unpack(&changed).is_err(), "byte {i}");
        }
        assert!(unpack(&packed[..packed.len() - 1]).is_err() && unpack(&packed[..3]).is_err() && unpack(&[]).is_err());
    }
}
