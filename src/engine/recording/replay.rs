//! Reading a recording, and showing it as an engine would.

use super::{ENDING, HEADER, HEADER_BEFORE, HEADER_OF_ALL, MOST_PACKED, fill, unpack};
use crate::engine::{Command, Event, Snapshot, SnapshotSource};
use crate::export::FileError;
use std::cell::RefCell;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// More than the models of a recording: what their numbers are apart when it begins again.
const ROUND: u64 = 1 << 32;

/// A recording that was opened.
pub struct RecordedRun {
    path: PathBuf,
    file: BufReader<File>,
    /// The moment of each snapshot, s, where it begins in the file, and its packed length.
    places: Vec<(f64, u64, u32)>,
    /// The last snapshot that was read whole, and its number.
    last: Option<(usize, Snapshot)>,
}

impl RecordedRun {
    /// Opens a recording; one that was cut short ends with its last whole snapshot. Errors name the file.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        let failed = |problem| FileError::Read { path: path.into(), problem };
        let mut file = BufReader::new(File::open(path).map_err(failed)?);
        let mut header = vec![0; HEADER.len()];
        file.read_exact(&mut header).map_err(|_| FileError::content(path, format!("no recording (*{ENDING})")))?;
        if header != HEADER && header != HEADER_BEFORE {
            let is_other = header.starts_with(HEADER_OF_ALL);
            return Err(FileError::content(path, if is_other { "a recording of a later version" } else { "no recording" }));
        }
        let size = file.get_ref().metadata().map_err(failed)?.len();
        let (mut places, mut at) = (Vec::<(f64, u64, u32)>::new(), HEADER.len() as u64);
        loop {
            let (mut length, mut seconds) = ([0; 4], [0; 8]);
            if file.read_exact(&mut length).and_then(|()| file.read_exact(&mut seconds)).is_err() {
                break;
            }
            let (length, seconds) = (u32::from_le_bytes(length), f64::from_le_bytes(seconds));
            let begin = at + 12;
            at = begin + u64::from(length);
            let is_later = places.last().is_none_or(|(before, ..)| seconds >= *before);
            if length > MOST_PACKED || !seconds.is_finite() || !is_later {
                return Err(FileError::content(path, format!("snapshot {} is damaged", places.len())));
            }
            if at > size {
                break; // cut short
            }
            places.push((seconds, begin, length));
            file.seek_relative(i64::from(length)).map_err(failed)?;
        }
        if places.is_empty() {
            return Err(FileError::content(path, "a recording without a single snapshot"));
        }
        Ok(Self { path: path.into(), file, places, last: None })
    }

    /// Seconds from the beginning to the last snapshot.
    pub fn seconds(&self) -> f64 {
        self.places.last().map_or(0.0, |(seconds, ..)| *seconds)
    }

    /// Snapshots.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there are none, which no recording that was opened is.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The moment of the snapshot of this number, s; that of the last where there are not so many.
    pub fn moment(&self, number: usize) -> f64 {
        self.places.get(number).map_or(self.seconds(), |(seconds, ..)| *seconds)
    }

    /// How many snapshots were shown by this moment.
    pub fn shown_by(&self, seconds: f64) -> usize {
        self.places.partition_point(|(at, ..)| *at <= seconds)
    }

    /// The snapshots of these numbers as one: the state of the last, and all that was new. None for an empty range; errors name the file.
    pub fn read(&mut self, numbers: std::ops::Range<usize>) -> Result<Option<Snapshot>, FileError> {
        let mut all: Option<Snapshot> = None;
        for number in numbers {
            let mut snapshot = self.unpack(number)?;
            if snapshot.state.weights.is_empty() {
                if self.last.as_ref().is_none_or(|(last, _)| last + 1 != number) {
                    self.find_weights(number)?;
                }
                self.last.iter().for_each(|(_, before)| fill(&mut snapshot, before));
            }
            snapshot.check_shapes().map_err(|problem| self.damaged(number, problem))?;
            let state = Snapshot { state: snapshot.state.clone(), increment: Default::default() };
            self.last = Some((number, state));
            let mut increment = all.take().map(|before| before.increment).unwrap_or_default();
            increment.append(snapshot.increment);
            all = Some(Snapshot { state: snapshot.state, increment });
        }
        Ok(all)
    }

    /// Goes back to the last snapshot before `number` that holds weights.
    fn find_weights(&mut self, number: usize) -> Result<(), FileError> {
        for before in (0..number).rev() {
            let snapshot = self.unpack(before)?;
            if !snapshot.state.weights.is_empty() {
                self.last = Some((number.saturating_sub(1), Snapshot { state: snapshot.state, increment: Default::default() }));
                return Ok(());
            }
        }
        Ok(())
    }

    fn unpack(&mut self, number: usize) -> Result<Snapshot, FileError> {
        let (_, begin, length) = self.places[number];
        let mut packed = vec![0; length as usize];
        let read = self.file.seek(SeekFrom::Start(begin)).and_then(|_| self.file.read_exact(&mut packed));
        read.map_err(|e| self.damaged(number, e))?;
        unpack(&packed).map_err(|problem| self.damaged(number, problem))
    }

    fn damaged(&self, number: usize, problem: impl std::fmt::Display) -> FileError {
        FileError::content(&self.path, format!("snapshot {number} is damaged: {problem}"))
    }
}

/// Shows a recording in its own time, as an engine would.
pub struct Replay(RefCell<Position>);

struct Position {
    recording: RecordedRun,
    /// Snapshots that were shown.
    shown: usize,
    /// The moment at which it stood when the clock was started or stopped, s.
    at: f64,
    /// Since when the clock runs; None while it rests.
    since: Option<Instant>,
    events: Vec<Event>,
    has_refused: bool,
    /// How often it was begun again.
    rounds: u64,
}

impl Replay {
    /// From this moment on, s from the beginning.
    pub fn new(recording: RecordedRun, at: f64) -> Self {
        let at = at.clamp(0.0, recording.seconds());
        Self(RefCell::new(Position {
            recording,
            shown: 0,
            at,
            since: Some(Instant::now()),
            events: Vec::new(),
            has_refused: false,
            rounds: 0,
        }))
    }
}

impl Position {
    fn now(&self) -> f64 {
        (self.at + self.since.map_or(0.0, |since| since.elapsed().as_secs_f64())).min(self.recording.seconds())
    }

    fn set_running(&mut self, runs: bool) {
        self.at = self.now();
        self.since = runs.then(Instant::now);
    }
}

impl SnapshotSource for Replay {
    fn send(&self, command: Command) -> bool {
        let mut position = self.0.borrow_mut();
        match command {
            Command::Run => position.set_running(true),
            Command::Pause => position.set_running(false),
            Command::Step(_) => {
                position.set_running(false);
                let next = position.recording.places.get(position.shown).map(|(seconds, ..)| *seconds);
                next.into_iter().for_each(|seconds| position.at = seconds);
            }
            Command::Reset => {
                // The increments come again: as those of another model, so that no history has them twice.
                (position.shown, position.at, position.since) = (0, 0.0, Some(Instant::now()));
                position.rounds += 1;
            }
            Command::Generation(_) | Command::ShowParts(_) | Command::KeepViews(..) | Command::KeepTimeline(..) | Command::SetPace(_) => {}
            _ if !position.has_refused => {
                position.has_refused = true;
                let text = "this is a recording: it runs, pauses and steps, and changes nothing".to_string();
                position.events.push(Event::Warning(text));
            }
            _ => {}
        }
        true
    }

    fn take(&self) -> Option<Box<Snapshot>> {
        let mut position = self.0.borrow_mut();
        let until = position.recording.shown_by(position.now()).max(1);
        if until <= position.shown {
            return None;
        }
        let from = position.shown;
        position.shown = until;
        match position.recording.read(from..until) {
            Ok(found) => found.map(|mut snapshot| {
                snapshot.state.clock.running = position.since.is_some();
                snapshot.state.model_id += position.rounds * ROUND;
                Box::new(snapshot)
            }),
            Err(error) => {
                position.events.push(Event::Failed(error.to_string()));
                position.shown = position.recording.len();
                None
            }
        }
    }

    fn events(&self) -> Vec<Event> {
        std::mem::take(&mut self.0.borrow_mut().events)
    }
}

#[cfg(test)]
mod tests {
    use super::super::RecordingWriter;
    use super::*;
    use crate::engine::{Engine, Pace};
    use crate::experiment::presets;

    fn recorded(path: &Path, seconds: f64) -> u64 {
        let mut config = presets::by_name("bars").unwrap();
        (config.data.patches, config.dynamics.threads) = (300, 1);
        let engine = Engine::start(config, || {}).unwrap();
        engine.send(Command::SetPace(Pace::Full));
        RecordingWriter::create(path).unwrap().record(&engine, seconds, 30.0, &mut |_| true).unwrap()
    }

    #[test]
    fn a_recording_is_read_back_and_one_that_was_cut_short_up_to_its_last_snapshot() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.heerec");
        let bytes = recorded(&path, 1.2);
        assert_eq!(std::fs::metadata(&path).unwrap().len(), bytes);
        let mut recording = RecordedRun::open(&path).unwrap();
        let count = recording.len();
        assert!(count >= 5 && recording.seconds() <= 1.3, "{count} snapshots in {} s", recording.seconds());
        let all = recording.read(0..count).unwrap().unwrap();
        let weights = |snapshot: &Snapshot| snapshot.weights.iter().map(|w| w.len()).collect::<Vec<_>>();
        assert_eq!(weights(&all), [64 * 20], "weights that were left out are filled in");
        // One by one, and from the middle.
        let mut learned = Vec::new();
        for number in 0..count {
            let one = recording.read(number..number + 1).unwrap().unwrap();
            assert_eq!(weights(&one), [64 * 20]);
            learned.extend(one.increment.learning);
        }
        assert_eq!(learned, all.increment.learning);
        let mut again = RecordedRun::open(&path).unwrap();
        let last = again.read(count - 1..count).unwrap().unwrap();
        assert_eq!((&last.states, last.clock.images), (&all.states, all.clock.images));
        assert_eq!(weights(&last), [64 * 20]);

        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - 7]).unwrap();
        assert_eq!(RecordedRun::open(&path).unwrap().len(), count - 1);
        for (bytes, word) in [
            (b"heescope recording 9\nabc".to_vec(), "later version"),
            (HEADER.to_vec(), "without a single snapshot"),
            (vec![7; 100], "no recording"),
            ([HEADER, &[255; 40]].concat(), "damaged"),
        ] {
            std::fs::write(&path, bytes).unwrap();
            let error = RecordedRun::open(&path).err().unwrap().to_string();
            assert!(error.contains(word) && error.contains("a.heerec"), "{error}");
        }
        assert!(RecordingWriter::create(&folder.path().join("a.txt")).is_err());
    }

    #[test]
    fn a_replay_shows_everything_once_pauses_and_begins_where_it_is_told_to() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.heerec");
        recorded(&path, 0.6);
        let end = RecordedRun::open(&path).unwrap().seconds();
        let replay = Replay::new(RecordedRun::open(&path).unwrap(), end);
        assert!(replay.send(Command::Pause));
        let all = replay.take().unwrap();
        let mut direct = RecordedRun::open(&path).unwrap();
        let count = direct.len();
        assert_eq!(all.increment, direct.read(0..count).unwrap().unwrap().increment);
        assert!(replay.take().is_none() && !all.clock.running, "shown, and resting");
        let replay = Replay::new(RecordedRun::open(&path).unwrap(), 0.0);
        replay.send(Command::Pause);
        assert!(replay.take().is_some() && replay.take().is_none());
        replay.send(Command::Step(1));
        assert!(replay.take().is_some() && replay.take().is_none());
        let model_id = all.model_id;
        replay.send(Command::Reset);
        replay.send(Command::Pause);
        let begun_again = replay.take().unwrap();
        assert!(begun_again.model_id != model_id, "what comes again is not added to the histories of the first time");
        replay.send(Command::Back);
        replay.send(Command::Back);
        assert_eq!(replay.events().len(), 1, "that a recording changes nothing is said once");
    }
}
