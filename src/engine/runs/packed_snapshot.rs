//! Packed snapshots that lie in a temporary file: a long timeline takes no memory.

use crate::export::FileError;
use std::fs::File;
use std::io::{Read, Result, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Where temporary files lie on a disk, on systems where others may lie in memory.
const ON_DISK: &str = "/var/tmp";

/// A snapshot as [`crate::engine::recording::pack`] gives it, in a temporary file of the process that has no name, or in memory where there
/// can be none. Its room in the file is used again when it is dropped.
#[derive(Debug)]
pub struct PackedSnapshot {
    place: Place,
    length: usize,
}

#[derive(Debug)]
enum Place {
    /// From this byte of the file on.
    File(u64),
    Memory(Vec<u8>),
}

impl PackedSnapshot {
    /// Puts these bytes away.
    pub fn new(bytes: Vec<u8>) -> Self {
        let length = bytes.len();
        let kept = store().put(&bytes);
        Self { place: kept.map_or(Place::Memory(bytes), Place::File), length }
    }

    /// How many bytes they are.
    #[expect(clippy::len_without_is_empty, reason = "no snapshot is packed in no bytes")]
    pub fn len(&self) -> usize {
        self.length
    }

    /// The bytes; an error where the temporary file cannot be read.
    pub fn bytes(&self) -> std::result::Result<Vec<u8>, FileError> {
        match &self.place {
            Place::Memory(bytes) => Ok(bytes.clone()),
            Place::File(at) => {
                let path = || PathBuf::from("the temporary file of the timeline");
                store().get(*at, self.length).map_err(|problem| FileError::Read { path: path(), problem })
            }
        }
    }
}

impl Drop for PackedSnapshot {
    fn drop(&mut self) {
        if let Place::File(at) = self.place {
            store().free(at, self.length as u64);
        }
    }
}

impl PartialEq for PackedSnapshot {
    fn eq(&self, other: &Self) -> bool {
        self.length == other.length && self.bytes().is_ok_and(|own| other.bytes().is_ok_and(|bytes| own == bytes))
    }
}

static STORE: Mutex<Store> = Mutex::new(Store::new());

fn store() -> MutexGuard<'static, Store> {
    STORE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The file, and what of it is in use.
struct Store {
    file: Option<File>,
    /// First byte and length of what is free before `end`, in this order; no two touch.
    gaps: Vec<(u64, u64)>,
    /// Behind the last byte in use.
    end: u64,
}

impl Store {
    const fn new() -> Self {
        Self { file: None, gaps: Vec::new(), end: 0 }
    }

    /// Where these bytes lie now; an error where they are not in the file.
    fn put(&mut self, bytes: &[u8]) -> Result<u64> {
        let length = bytes.len() as u64;
        if self.file.is_none() {
            self.file = Some(tempfile::tempfile_in(ON_DISK).or_else(|_| tempfile::tempfile())?);
        }
        let Some(file) = &mut self.file else { return Err(std::io::ErrorKind::NotFound.into()) };
        let gap = self.gaps.iter().position(|gap| gap.1 >= length);
        let at = gap.map_or(self.end, |gap| self.gaps[gap].0);
        file.seek(SeekFrom::Start(at))?;
        file.write_all(bytes)?;
        match gap {
            Some(gap) if self.gaps[gap].1 == length => drop(self.gaps.remove(gap)),
            Some(gap) => self.gaps[gap] = (at + length, self.gaps[gap].1 - length),
            None => self.end = at + length,
        }
        Ok(at)
    }

    fn get(&mut self, at: u64, length: usize) -> Result<Vec<u8>> {
        let Some(file) = &mut self.file else { return Err(std::io::ErrorKind::NotFound.into()) };
        let mut bytes = vec![0; length];
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn free(&mut self, at: u64, length: u64) {
        let next = self.gaps.partition_point(|gap| gap.0 < at);
        self.gaps.insert(next, (at, length));
        self.join(next);
        if next > 0 {
            self.join(next - 1);
        }
        if let Some(&(last, _)) = self.gaps.last().filter(|gap| gap.0 + gap.1 == self.end) {
            self.end = last;
            self.gaps.pop();
            // A file that stays longer is written over later.
            let _ = self.file.as_ref().map(|file| file.set_len(last));
        }
    }

    /// Makes one gap of this and the next, where they touch.
    fn join(&mut self, i: usize) {
        if self.gaps.get(i + 1).is_some_and(|next| self.gaps[i].0 + self.gaps[i].1 == next.0) {
            self.gaps[i].1 += self.gaps.remove(i + 1).1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng, rngs::SmallRng};

    #[test]
    fn what_is_put_away_is_found_again_and_room_is_used_again() {
        let mut store = Store::new();
        let mut rng = SmallRng::seed_from_u64(1);
        let mut held: Vec<(u64, Vec<u8>)> = Vec::new();
        let mut most = 0;
        for _ in 0..3000 {
            if held.len() < 40 || rng.random_bool(0.5) {
                let bytes = vec![rng.random(); rng.random_range(1..2000)];
                held.push((store.put(&bytes).unwrap(), bytes));
            } else {
                let (at, bytes) = held.swap_remove(rng.random_range(0..held.len()));
                store.free(at, bytes.len() as u64);
            }
            if held.len() > 80 {
                held.drain(..40).for_each(|(at, bytes)| store.free(at, bytes.len() as u64));
            }
            most = most.max(store.end);
            assert!(store.gaps.windows(2).all(|two| two[0].0 + two[0].1 < two[1].0), "gaps that touch are one");
        }
        assert!(held.iter().all(|(at, bytes)| store.get(*at, bytes.len()).unwrap() == *bytes));
        assert!(most < 3 * 80 * 1000, "{most} bytes for at most 80 of 1000 on average");
        held.drain(..).for_each(|(at, bytes)| store.free(at, bytes.len() as u64));
        assert_eq!((store.end, store.gaps.len(), store.file.unwrap().metadata().unwrap().len()), (0, 0, 0));
    }

    #[test]
    fn a_snapshot_is_the_same_in_memory_and_in_the_file() {
        let bytes: Vec<u8> = (0..=255).collect();
        let in_file = PackedSnapshot::new(bytes.clone());
        let in_memory = PackedSnapshot { place: Place::Memory(bytes.clone()), length: 256 };
        assert!(matches!(in_file.place, Place::File(_)), "there is a temporary file here");
        assert_eq!((&in_file, in_file.bytes().unwrap(), in_file.len()), (&in_memory, bytes.clone(), 256));
        assert_ne!(in_file, PackedSnapshot::new(vec![0; 256]));
    }
}
