//! Writing a recording, at once or on a thread of its own.

use super::{ENDING, HEADER, pack};
use crate::engine::background::{BackgroundJob, JobContext};
use crate::engine::{Engine, Snapshot, SnapshotIncrement, SnapshotState};
use crate::export::{FileError, begin_growing, check_ending, check_output};
use crossbeam_channel::Receiver;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Snapshots that wait to be written, at most.
const WAITING: usize = 64;
/// Between two snapshots that hold the weights while these change all the time, s.
const WEIGHTS_INTERVAL: f64 = 0.5;
/// Between two looks at an engine that is recorded.
const LOOK: Duration = Duration::from_millis(5);

/// Model and version of the weights that a recording held last, and their moment in s.
#[derive(Clone, Copy, Default)]
struct RecordedWeights(Option<(u64, u64, f64)>);

impl RecordedWeights {
    /// Takes the weights out of a snapshot of this moment that need none: it has those of the snapshot before, or they were recorded a
    /// moment ago.
    fn leave_out(&mut self, seconds: f64, state: &mut SnapshotState) {
        let [model, version] = [state.model_id, state.weights_version];
        let is_known =
            self.0.is_some_and(|(known_model, known, at)| known_model == model && (known == version || seconds - at < WEIGHTS_INTERVAL));
        if is_known {
            state.weights.clear();
            state.subject = None;
        } else {
            self.0 = Some((model, version, seconds));
        }
    }
}

/// A recording that is being written.
pub struct RecordingWriter {
    path: PathBuf,
    file: BufWriter<File>,
    weights: RecordedWeights,
    bytes: u64,
}

impl RecordingWriter {
    /// Begins a file under `path`, which ends in `.heerec`; what was there is replaced.
    pub fn create(path: &Path) -> Result<Self, FileError> {
        check_ending(path, ENDING)?;
        let failed = |problem| FileError::Write { path: path.into(), problem };
        let mut file = BufWriter::new(begin_growing(path)?);
        file.write_all(HEADER).map_err(failed)?;
        Ok(Self { path: path.into(), file, weights: RecordedWeights::default(), bytes: HEADER.len() as u64 })
    }

    /// Adds a snapshot at its moment, s from the beginning.
    pub fn add(&mut self, seconds: f64, mut snapshot: Snapshot) -> Result<(), FileError> {
        self.weights.leave_out(seconds, &mut snapshot.state);
        self.write(seconds, &snapshot)
    }

    /// Adds a snapshot as it is.
    fn write(&mut self, seconds: f64, snapshot: &Snapshot) -> Result<(), FileError> {
        let packed = pack(snapshot)?;
        let length = u32::try_from(packed.len()).map_err(|_| FileError::encode("a snapshot", "it is too large"))?;
        let parts: [&[u8]; 3] = [&length.to_le_bytes(), &seconds.to_le_bytes(), &packed];
        let written = parts.iter().try_for_each(|part| self.file.write_all(part)).and_then(|()| self.file.flush());
        self.bytes += parts.iter().map(|part| part.len() as u64).sum::<u64>();
        written.map_err(|problem| FileError::Write { path: self.path.clone(), problem })
    }

    /// Bytes written so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Records what an engine shows for so many seconds, at most `rate` snapshots a second. `goes_on` is told the seconds so far and asked
    /// whether to go on.
    pub fn record(mut self, engine: &Engine, seconds: f64, rate: f64, goes_on: &mut dyn FnMut(f64) -> bool) -> Result<u64, FileError> {
        let begin = Instant::now();
        let (mut next, mut waiting) = (0.0, None::<Snapshot>);
        loop {
            let now = begin.elapsed().as_secs_f64();
            if let Some(found) = engine.take_snapshot() {
                let mut increment = waiting.take().map(|before| before.increment).unwrap_or_default();
                let Snapshot { state, increment: later } = *found;
                increment.append(later);
                waiting = Some(Snapshot { state, increment });
            }
            if now >= next
                && let Some(snapshot) = waiting.take()
            {
                self.add(now, snapshot)?;
                next = now + 1.0 / rate;
            }
            if now >= seconds || !goes_on(now) {
                return Ok(self.bytes);
            }
            std::thread::sleep(LOOK);
        }
    }
}

/// Writes the snapshots that a window shows, on a thread of its own.
pub struct SnapshotRecorder {
    job: BackgroundJob<Waiting, Result<u64, FileError>>,
    path: PathBuf,
    /// Left out before a snapshot waits: what waits is small.
    weights: RecordedWeights,
    begin: Instant,
    bytes: u64,
    lost: u64,
    /// Between two snapshots that are recorded, at least.
    interval: Duration,
    /// When the last one was, and of which model.
    last: Option<(Instant, u64)>,
    /// What is new since, as it came.
    increments: Vec<SnapshotIncrement>,
}

/// A snapshot that is to be written: its moment, its state, and what is new in it, in parts.
type Waiting = (f64, Box<SnapshotState>, Vec<SnapshotIncrement>);

/// Between two snapshots that are recorded of a window: twenty a second, with all that was sampled in between.
const INTERVAL: Duration = Duration::from_millis(50);

impl SnapshotRecorder {
    /// Begins a file. The error says why not. Nobody waits for the disk to let go of a large file that was there: what fails then ends the
    /// recording.
    pub fn start(path: &Path) -> Result<Self, FileError> {
        check_ending(path, ENDING)?;
        check_output(path)?;
        let file = path.to_path_buf();
        let body = move |waiting: Receiver<Waiting>, job: &JobContext<Result<u64, FileError>>| {
            let mut writer = match RecordingWriter::create(&file) {
                Ok(writer) => writer,
                Err(error) => {
                    job.report(Err(error));
                    return;
                }
            };
            for (seconds, state, parts) in waiting {
                let mut increment = SnapshotIncrement::default();
                parts.into_iter().for_each(|part| increment.append(part));
                let snapshot = Snapshot { state: *state, increment };
                let written = writer.write(seconds, &snapshot).map(|()| writer.bytes());
                let has_failed = written.is_err();
                job.report(written);
                if has_failed {
                    return;
                }
            }
        };
        let job = BackgroundJob::spawn("recording", WAITING, WAITING, body);
        let job = job.map_err(|problem| FileError::Write { path: path.into(), problem })?;
        Ok(Self {
            job,
            path: path.into(),
            weights: RecordedWeights::default(),
            begin: Instant::now(),
            bytes: 0,
            lost: 0,
            interval: INTERVAL,
            last: None,
            increments: Vec::new(),
        })
    }

    /// Adds what is shown now and what is new in it; it is written at most so often, with all that was new in between. Where the disk cannot
    /// keep up it is left out, and counted.
    pub fn add(&mut self, state: &SnapshotState, increment: SnapshotIncrement) {
        let is_other = self.last.is_none_or(|(_, model)| model != state.model_id);
        if is_other {
            self.increments.clear();
        }
        self.increments.push(increment);
        if !is_other && self.last.is_some_and(|(at, _)| at.elapsed() < self.interval) {
            return;
        }
        self.last = Some((Instant::now(), state.model_id));
        let (seconds, weights) = (self.begin.elapsed().as_secs_f64(), self.weights);
        let mut state = Box::new(state.clone());
        self.weights.leave_out(seconds, &mut state);
        if !self.job.submit((seconds, state, std::mem::take(&mut self.increments))) {
            self.weights = weights; // they were not recorded
            self.lost += 1;
        }
    }

    /// Says that no other snapshot comes; those that wait are still written.
    pub fn close(&mut self) {
        self.job.close();
    }

    /// Whether a recording that was closed is written to its end.
    pub fn is_finished(&self) -> bool {
        self.job.is_finished()
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file, seconds and bytes so far, and snapshots that were left out; the error ends the recording.
    pub fn progress(&mut self) -> Result<(&Path, f64, u64, u64), FileError> {
        let loss = self.job.loss().map(|loss| FileError::content(&self.path, loss)); // before its last report is read
        for written in self.job.reports() {
            self.bytes = written?;
        }
        loss.map_or(Ok(()), Err)?;
        Ok((&self.path, self.begin.elapsed().as_secs_f64(), self.bytes, self.lost))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::recording::RecordedRun;
    use crate::experiment::presets;
    use ndarray::Array2;
    use std::sync::Arc;

    #[test]
    fn twenty_snapshots_a_second_are_recorded_with_all_that_was_sampled_between_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("often.heerec");
        let mut recorder = SnapshotRecorder::start(&path).unwrap();
        let mut snapshot = Snapshot::synthetic(presets::by_name("bars").unwrap());
        let begin = Instant::now();
        let mut added = 0;
        while begin.elapsed() < Duration::from_millis(600) {
            snapshot.increment.pairs = vec![vec![[added as f32; 2]]];
            recorder.add(&snapshot.state, snapshot.increment.clone());
            added += 1;
            std::thread::sleep(Duration::from_millis(2));
        }
        recorder.close();
        while !recorder.is_finished() {
            assert!(begin.elapsed().as_secs() < 20, "it is never written");
            std::thread::sleep(Duration::from_millis(2));
        }
        let mut recording = RecordedRun::open(&path).unwrap();
        let count = recording.len();
        assert!((2..=13).contains(&count), "{count} snapshots in 0.6 s");
        let pairs: Vec<f32> =
            (0..count).flat_map(|k| recording.read(k..k + 1).unwrap().unwrap().increment.pairs).map(|pair| pair[0][0]).collect();
        let expected: Vec<f32> = (0..pairs.len()).map(|k| k as f32).collect();
        assert!(pairs == expected && pairs.len() + 60 > added, "{} of {added} samples, in their order", pairs.len());
    }

    #[test]
    fn what_was_left_out_takes_no_weights_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("many.heerec");
        let mut recorder = SnapshotRecorder::start(&path).unwrap();
        recorder.interval = Duration::ZERO;
        let mut snapshot = Snapshot::synthetic(presets::by_name("bars").unwrap());
        let shape = snapshot.weights[0].dim();
        let tries = 4 * WAITING as u64; // more than can wait
        for model in 1..=tries {
            // Two snapshots of a model, of which the second leaves its weights out.
            snapshot.state.model_id = model;
            snapshot.state.weights = vec![Arc::new(Array2::from_elem(shape, model as f32))];
            (0..2).for_each(|_| recorder.add(&snapshot.state, snapshot.increment.clone()));
        }
        recorder.close();
        let begin = Instant::now();
        while !recorder.is_finished() {
            assert!(begin.elapsed().as_secs() < 20, "it is never written");
            std::thread::sleep(Duration::from_millis(2));
        }
        let lost = recorder.progress().unwrap().3;
        let mut recording = RecordedRun::open(&path).unwrap();
        assert_eq!(recording.len() as u64 + lost, 2 * tries);
        for number in 0..recording.len() {
            let read = recording.read(number..number + 1).unwrap().unwrap();
            assert_eq!(read.weights[0][[0, 0]], read.model_id as f32, "snapshot {number}");
        }
    }
}
