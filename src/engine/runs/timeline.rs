//! What a run has shown before, moment by moment, in a file beside its state.
//!
//! The file begins with a line that says its form. Records follow: one byte that says of what kind it is, four bytes that hold its length,
//! four that hold the CRC-32 of its bytes (both little-endian), and these. A moment is its time in seconds, its simulated time in ms, the
//! images seen then (eight bytes each, little-endian) and its packed snapshot; bookmarks are the JSON of all of them, of which the last
//! record counts. What follows a record that is not whole is left out.

use super::PackedSnapshot;
use crate::engine::recording::checksum;
use crate::export::{FileError, write_after, write_atomically};
use flate2::Crc;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The first line of a file.
const HEADER: &[u8] = b"heescope timeline 1\n";
/// Kinds of records.
const MOMENT: u8 = b'M';
const BOOKMARKS: u8 = b'B';
/// Bytes before a record's own, and of a moment before its snapshot.
const RECORD_HEAD: usize = 9;
const MOMENT_HEAD: usize = 24;
/// A file is written anew where it would be so many times as large as what it has to hold, and so many bytes more.
const MOST_WASTE: f64 = 1.5;
const LEAST_WASTE: u64 = 4 << 20;

/// What was shown at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Moment {
    /// Wall time during which the run had been shown until then, s.
    pub seconds: f64,
    /// Simulated time, ms.
    pub time_ms: f64,
    /// Images seen.
    pub images: u64,
    /// The snapshot.
    pub packed: Arc<PackedSnapshot>,
}

/// A note at a moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bookmark {
    /// The moment's time, s.
    pub seconds: f64,
    /// What a person has written there.
    pub note: String,
}

/// The moments of a run and the notes at them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunTimeline {
    /// The oldest first.
    pub moments: Vec<Moment>,
    /// In the order in which they were set.
    pub bookmarks: Vec<Bookmark>,
}

impl RunTimeline {
    /// What a file holds, as far as it is whole; nothing where there is none or it is of another form.
    pub fn load(path: &Path) -> Self {
        read(&std::fs::read(path).unwrap_or_default()).0
    }

    /// Bytes of all packed snapshots.
    pub fn bytes(&self) -> usize {
        self.moments.iter().map(|moment| moment.packed.len()).sum()
    }
}

/// What these bytes of a file hold, and how many of them are whole.
fn read(bytes: &[u8]) -> (RunTimeline, usize) {
    let mut found = RunTimeline::default();
    let Some(mut rest) = bytes.strip_prefix(HEADER) else { return (found, 0) };
    while let Some((record, after)) = next_record(rest) {
        match record {
            Record::Moment(moment) => found.moments.push(moment),
            Record::Bookmarks(bookmarks) => found.bookmarks = bookmarks,
        }
        rest = after;
    }
    found.moments.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
    (found, bytes.len() - rest.len())
}

enum Record {
    Moment(Moment),
    Bookmarks(Vec<Bookmark>),
}

/// The record that these bytes begin with, and what follows it; None where it is not whole.
fn next_record(bytes: &[u8]) -> Option<(Record, &[u8])> {
    let (head, rest) = bytes.split_at_checked(RECORD_HEAD)?;
    let number = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    let (own, rest) = rest.split_at_checked(number(1) as usize)?;
    if checksum(own) != number(5) {
        return None;
    }
    let record = match head[0] {
        MOMENT => {
            let (head, packed) = own.split_at_checked(MOMENT_HEAD)?;
            let word = |at: usize| <[u8; 8]>::try_from(&head[at..at + 8]).unwrap_or_default();
            let [seconds, time_ms] = [0, 8].map(|at| f64::from_le_bytes(word(at)));
            if !(seconds.is_finite() && seconds >= 0.0 && time_ms.is_finite()) {
                return None;
            }
            Record::Moment(Moment {
                seconds,
                time_ms,
                images: u64::from_le_bytes(word(16)),
                packed: Arc::new(PackedSnapshot::new(packed.to_vec())),
            })
        }
        BOOKMARKS => Record::Bookmarks(serde_json::from_slice(own).ok()?),
        _ => return None,
    };
    Some((record, rest))
}

fn add_record(file: &mut Vec<u8>, kind: u8, parts: &[&[u8]]) {
    let mut crc = Crc::new();
    parts.iter().for_each(|part| crc.update(part));
    let length: usize = parts.iter().map(|part| part.len()).sum();
    file.push(kind);
    file.extend((length as u32).to_le_bytes());
    file.extend(crc.sum().to_le_bytes());
    parts.iter().for_each(|part| file.extend_from_slice(part));
}

fn add_moment(file: &mut Vec<u8>, moment: &Moment) -> Result<(), FileError> {
    let head = [moment.seconds.to_le_bytes(), moment.time_ms.to_le_bytes(), moment.images.to_le_bytes()];
    add_record(file, MOMENT, &[head.as_flattened(), &moment.packed.bytes()?]);
    Ok(())
}

fn add_bookmarks(file: &mut Vec<u8>, bookmarks: &[Bookmark]) -> Result<(), FileError> {
    let text = serde_json::to_vec(bookmarks).map_err(|error| FileError::encode("bookmarks", error))?;
    add_record(file, BOOKMARKS, &[&text]);
    Ok(())
}

/// The file of one run's timeline, which grows by what is new: it is written anew only where most of it has gone from the timeline.
#[derive(Debug)]
pub(super) struct TimelineFile {
    path: PathBuf,
    /// Bits of the times of the moments in it.
    moments: HashSet<u64>,
    bookmarks: Vec<Bookmark>,
    /// Bytes that are whole.
    bytes: u64,
}

impl TimelineFile {
    /// The file of this name, and what it holds.
    pub(super) fn open(path: PathBuf) -> (Self, RunTimeline) {
        let (found, whole) = read(&std::fs::read(&path).unwrap_or_default());
        let moments = found.moments.iter().map(|moment| moment.seconds.to_bits()).collect();
        (Self { path, moments, bookmarks: found.bookmarks.clone(), bytes: whole as u64 }, found)
    }

    /// Brings the file up to this timeline.
    pub(super) fn update(&mut self, timeline: &RunTimeline) -> Result<(), FileError> {
        let mut new = Vec::new();
        let is_new = |moment: &&Moment| !self.moments.contains(&moment.seconds.to_bits());
        timeline.moments.iter().filter(is_new).try_for_each(|moment| add_moment(&mut new, moment))?;
        if timeline.bookmarks != self.bookmarks {
            add_bookmarks(&mut new, &timeline.bookmarks)?;
        }
        if new.is_empty() {
            return Ok(());
        }
        let needed = (timeline.bytes() + timeline.moments.len() * (RECORD_HEAD + MOMENT_HEAD)) as f64;
        let is_wasteful = (self.bytes + new.len() as u64) as f64 > MOST_WASTE * needed + LEAST_WASTE as f64;
        let is_there = std::fs::metadata(&self.path).is_ok_and(|found| self.bytes > 0 && found.len() >= self.bytes);
        if !is_there || is_wasteful {
            let mut file = HEADER.to_vec();
            timeline.moments.iter().try_for_each(|moment| add_moment(&mut file, moment))?;
            add_bookmarks(&mut file, &timeline.bookmarks)?;
            write_atomically(&self.path, &file)?;
            self.bytes = file.len() as u64;
            self.moments.clear();
        } else {
            write_after(&self.path, self.bytes, &new)?;
            self.bytes += new.len() as u64;
        }
        self.moments.extend(timeline.moments.iter().map(|moment| moment.seconds.to_bits()));
        self.bookmarks.clone_from(&timeline.bookmarks);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timeline(times: std::ops::Range<u32>, bytes: usize) -> RunTimeline {
        let moment = |i: u32| {
            let packed = Arc::new(PackedSnapshot::new(vec![i as u8; bytes]));
            Moment { seconds: f64::from(i) / 4.0, time_ms: f64::from(i), images: u64::from(i) << 40, packed }
        };
        RunTimeline { moments: times.map(moment).collect(), bookmarks: vec![Bookmark { seconds: 1.0, note: "\u{3c4}_v".into() }] }
    }

    #[test]
    fn a_file_grows_by_what_is_new_and_gives_it_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("timeline.bin");
        let (mut file, found) = TimelineFile::open(path.clone());
        assert_eq!(found, RunTimeline::default());
        file.update(&timeline(0..10, 1000)).unwrap();
        let before = std::fs::metadata(&path).unwrap().len();
        file.update(&timeline(0..11, 1000)).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().len(), before + 1000 + (RECORD_HEAD + MOMENT_HEAD) as u64);
        assert_eq!(RunTimeline::load(&path), timeline(0..11, 1000));
        // Another program goes on with it.
        let (mut file, _) = TimelineFile::open(path.clone());
        let mut other = timeline(0..12, 1000);
        other.bookmarks.clear();
        file.update(&other).unwrap();
        assert_eq!(RunTimeline::load(&path), other);
    }

    #[test]
    fn a_file_holds_little_of_what_has_gone_from_the_timeline() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("timeline.bin");
        let (mut file, _) = TimelineFile::open(path.clone());
        for i in 0..40 {
            let now = timeline(i..i + 8, 1 << 20);
            file.update(&now).unwrap();
            let bytes = std::fs::metadata(&path).unwrap().len() as f64;
            assert!(bytes < 1.6 * f64::from(8 << 20) + LEAST_WASTE as f64, "{bytes}");
            let there = RunTimeline::load(&path);
            assert!(now.moments.iter().all(|moment| there.moments.contains(moment)));
        }
    }

    #[test]
    fn what_is_not_whole_is_left_out_and_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("timeline.bin");
        TimelineFile::open(path.clone()).0.update(&timeline(0..3, 100)).unwrap();
        let whole = std::fs::read(&path).unwrap();
        for cut in 0..whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let (mut file, found) = TimelineFile::open(path.clone());
            assert_eq!(found.moments, timeline(0..found.moments.len() as u32, 100).moments);
            file.update(&timeline(0..4, 100)).unwrap();
            assert_eq!(RunTimeline::load(&path), timeline(0..4, 100), "cut at {cut}");
        }
        let mut spoilt = whole.clone();
        spoilt[HEADER.len() + RECORD_HEAD + MOMENT_HEAD + 5] ^= 1;
        std::fs::write(&path, &spoilt).unwrap();
        assert_eq!(RunTimeline::load(&path), RunTimeline::default(), "the checksum of the first record says it");
    }
}
