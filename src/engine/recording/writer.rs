//! Writing a recording, at once or on a thread of its own.

use super::{ENDING, HEADER, pack};
use crate::engine::background::{BackgroundJob, JobContext};
use crate::engine::{Engine, Snapshot};
use crate::export::{FileError, begin_growing, check_ending};
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

/// A recording that is being written.
pub struct RecordingWriter {
    path: PathBuf,
    file: BufWriter<File>,
    /// Model and version of the weights that were written last, and when.
    weights: Option<(u64, u64, f64)>,
    bytes: u64,
}

impl RecordingWriter {
    /// Begins a file under `path`, which ends in `.heerec`; what was there is replaced.
    pub fn create(path: &Path) -> Result<Self, FileError> {
        check_ending(path, ENDING)?;
        let failed = |problem| FileError::Write { path: path.into(), problem };
        let mut file = BufWriter::new(begin_growing(path)?);
        file.write_all(HEADER).map_err(failed)?;
        Ok(Self { path: path.into(), file, weights: None, bytes: HEADER.len() as u64 })
    }

    /// Adds a snapshot at its moment, s from the beginning.
    pub fn add(&mut self, seconds: f64, mut snapshot: Snapshot) -> Result<(), FileError> {
        let [model, version] = [snapshot.model_id, snapshot.weights_version];
        let is_known = self
            .weights
            .is_some_and(|(known_model, known, at)| known_model == model && (known == version || seconds - at < WEIGHTS_INTERVAL));
        if is_known {
            snapshot.state.weights.clear();
            snapshot.state.subject = None;
        } else {
            self.weights = Some((model, version, seconds));
        }
        let packed = pack(&snapshot)?;
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
    job: BackgroundJob<(f64, Box<Snapshot>), Result<u64, FileError>>,
    path: PathBuf,
    begin: Instant,
    bytes: u64,
    lost: u64,
}

impl SnapshotRecorder {
    /// Begins a file. The error says why not.
    pub fn start(path: &Path) -> Result<Self, FileError> {
        let mut writer = RecordingWriter::create(path)?;
        let body = move |snapshots: Receiver<(f64, Box<Snapshot>)>, job: &JobContext<Result<u64, FileError>>| {
            for (seconds, snapshot) in snapshots {
                let written = writer.add(seconds, *snapshot).map(|()| writer.bytes());
                let has_failed = written.is_err();
                job.report(written);
                if has_failed {
                    return;
                }
            }
        };
        let job = BackgroundJob::spawn("recording", WAITING, WAITING, body);
        let job = job.map_err(|problem| FileError::Write { path: path.into(), problem })?;
        Ok(Self { job, path: path.into(), begin: Instant::now(), bytes: 0, lost: 0 })
    }

    /// Adds what is shown now. Where the disk cannot keep up it is left out, and counted.
    pub fn add(&mut self, snapshot: &Snapshot) {
        let moment = (self.begin.elapsed().as_secs_f64(), Box::new(snapshot.clone()));
        self.lost += u64::from(!self.job.submit(moment));
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
        for written in self.job.reports() {
            self.bytes = written?;
        }
        Ok((&self.path, self.begin.elapsed().as_secs_f64(), self.bytes, self.lost))
    }
}
