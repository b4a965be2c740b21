//! The timeline: moments of a run that are kept in a bounded room, thinned as they age, and shown again in every view.

use crate::app::histories::Histories;
use crate::app::state::ViewState;
use crate::engine::recording::{pack, unpack};
use crate::engine::{BackgroundJob, Bookmark, JobContext, Moment, PackedSnapshot, RunId, RunTimeline, Snapshot, SnapshotIncrement};
use crossbeam_channel::Receiver;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// Bytes of all moments at most, in a temporary file.
pub(super) const BUDGET: usize = 64 << 20;
/// Between two moments at least.
const INTERVAL: Duration = Duration::from_millis(250);
/// Numbers of models that one window may have: those of its moments begin above, so that no past model is taken for one that runs, whichever
/// window and start it is from.
const MODELS: u64 = 1 << 16;
/// Of the last seconds every moment stays.
const DENSE: f64 = 60.0;
/// These take at most this share of the budget: moments of a large model are further apart.
const DENSE_SHARE: f64 = 0.5;
/// Samples of each trace that a moment holds.
const SAMPLES: usize = 300;
/// A moment is shown with what was recorded so long before it, s, in at most so many moments.
const BEFORE: f64 = 10.0;
const MOST_BEFORE: usize = 40;

/// The moments of the run that is shown.
pub(super) struct Timeline {
    run: RunId,
    moments: Vec<Moment>,
    bookmarks: Vec<Bookmark>,
    bytes: usize,
    /// Whether what was kept of the run is here: until then nothing is handed over to be kept.
    is_read: bool,
    /// What was kept of a run that is not shown yet.
    awaited: Option<(RunId, RunTimeline)>,
    /// Whether something is here that was not handed over to be kept.
    has_news: bool,
    /// Seconds before `since`.
    before: f64,
    since: Instant,
    /// What is new since the last moment.
    increment: SnapshotIncrement,
    /// Added to the numbers of its models.
    first_model: u64,
    last: Option<Instant>,
    /// How long the next moment waits at least after the last.
    pause: Duration,
    job: Option<PackingJob>,
    /// It takes in nothing.
    is_held: bool,
}

impl Default for Timeline {
    fn default() -> Self {
        Self {
            run: RunId::default(),
            moments: Vec::new(),
            bookmarks: Vec::new(),
            bytes: 0,
            is_read: false,
            awaited: None,
            has_news: false,
            before: 0.0,
            since: Instant::now(),
            increment: SnapshotIncrement::default(),
            first_model: first_model(),
            last: None,
            pause: INTERVAL,
            job: start(),
            is_held: false,
        }
    }
}

/// Packs a snapshot that was shown so many seconds after `since`.
type PackingJob = BackgroundJob<(f64, Box<Snapshot>), (RunId, Moment)>;

/// The thread that packs moments; None where the system gives none: then nothing can be rewound.
fn start() -> Option<PackingJob> {
    let body = |requests: Receiver<(f64, Box<Snapshot>)>, job: &JobContext<_>| {
        for (seconds, snapshot) in requests {
            if let Ok(packed) = pack(&snapshot) {
                let (time_ms, images) = (snapshot.clock.time_ms, snapshot.clock.images);
                let moment = Moment { seconds, time_ms, images, packed: Arc::new(PackedSnapshot::new(packed)) };
                job.report((snapshot.run.clone(), moment));
            }
        }
    };
    BackgroundJob::spawn("timeline", 1, 4, body).ok()
}

impl Timeline {
    /// Has it take in nothing, or go on.
    pub(super) fn hold(&mut self, held: bool) {
        self.is_held = held;
    }

    /// Takes in what is shown now. Another run begins another timeline.
    pub(super) fn follow(&mut self, snapshot: &Snapshot) {
        if self.run != snapshot.run {
            let (job, run, awaited) = (self.job.take(), snapshot.run.clone(), self.awaited.take());
            *self = Self { run, job, is_held: self.is_held, ..Self::default() };
            awaited.into_iter().for_each(|(run, kept)| self.restore(run, kept));
        }
        self.collect();
        if self.is_held {
            return;
        }
        self.increment.append(end_of(&snapshot.increment));
        shorten(&mut self.increment);
        let is_due = self.last.is_none_or(|last| last.elapsed() >= self.pause);
        if !is_due || !snapshot.clock.running {
            return;
        }
        let Some(job) = &self.job else { return };
        let increment = std::mem::take(&mut self.increment);
        let mut moment = Snapshot { state: snapshot.state.clone(), increment };
        moment.state.model_id = self.first_model + moment.model_id % MODELS;
        if job.submit((self.since.elapsed().as_secs_f64(), Box::new(moment))) {
            self.last = Some(Instant::now());
        }
    }

    /// Takes in what was kept of a run: what has been shown of it since comes after that.
    pub(super) fn restore(&mut self, run: RunId, kept: RunTimeline) {
        if run != self.run {
            self.awaited = Some((run, kept));
        } else if !std::mem::replace(&mut self.is_read, true) {
            let before = kept.moments.last().map_or(0.0, |moment| moment.seconds);
            self.moments.iter_mut().for_each(|moment| moment.seconds += before);
            self.bookmarks.iter_mut().for_each(|bookmark| bookmark.seconds += before);
            self.before += before;
            self.bytes += kept.bytes();
            self.moments.splice(..0, kept.moments);
            self.bookmarks.splice(..0, kept.bookmarks);
            self.thin_to_budget();
        }
    }

    /// What is to be kept of the run that is shown; None where nothing is new since the last time.
    pub(super) fn take_news(&mut self) -> Option<(RunId, RunTimeline)> {
        let kept = || (self.run.clone(), RunTimeline { moments: self.moments.clone(), bookmarks: self.bookmarks.clone() });
        let found = (self.is_read && self.has_news).then(kept);
        self.has_news &= found.is_none();
        found
    }

    fn collect(&mut self) {
        let Some(job) = &self.job else { return };
        for (run, moment) in job.reports() {
            self.pause = pause(moment.packed.len());
            if run == self.run {
                self.bytes += moment.packed.len();
                self.moments.push(Moment { seconds: self.before + moment.seconds, ..moment });
                self.has_news = true;
            }
        }
        self.thin_to_budget();
    }

    fn thin_to_budget(&mut self) {
        while self.bytes > BUDGET && self.moments.len() > 2 {
            self.thin();
        }
    }

    /// The moment goes that leaves the smallest gap beside its age, so that moments lie as their ages do on a logarithmic scale; neither the
    /// first nor one of the last minute, unless these alone are too many.
    fn thin(&mut self) {
        let now = self.moments.last().map_or(0.0, |moment| moment.seconds);
        let end = self.moments.partition_point(|moment| moment.seconds < now - DENSE).max(2).min(self.moments.len() - 1);
        let gap = |i: usize| (self.moments[i + 1].seconds - self.moments[i - 1].seconds) / (now - self.moments[i].seconds);
        let goes = (1..end).min_by(|&a, &b| gap(a).total_cmp(&gap(b))).unwrap_or(0);
        self.bytes -= self.moments.remove(goes).packed.len();
    }

    /// The number of the moment that was shown at this time, s: the last one before it, or the first.
    pub(super) fn number_of(&self, seconds: f64) -> usize {
        self.moments.partition_point(|moment| moment.seconds <= seconds).saturating_sub(1)
    }

    /// The moments, the oldest first.
    pub(super) fn moments(&self) -> &[Moment] {
        &self.moments
    }

    /// The notes, in the order in which they were set.
    pub(super) fn bookmarks(&self) -> &[Bookmark] {
        &self.bookmarks
    }

    /// Sets a note at the moment of this number.
    pub(super) fn add_bookmark(&mut self, number: usize, note: String) {
        let at = self.moments.get(number).map(|moment| moment.seconds);
        self.bookmarks.extend(at.map(|seconds| Bookmark { seconds, note }));
        self.has_news = true;
    }

    /// Takes a note away.
    pub(super) fn remove_bookmark(&mut self, i: usize) {
        self.bookmarks.remove(i);
        self.has_news = true;
    }

    /// Bytes of all.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// What is needed to show a moment, which [`shown`] does on another thread.
    pub(super) fn before(&self, number: usize) -> Vec<Moment> {
        let Some(moment) = self.moments.get(number) else { return Vec::new() };
        let first = self.moments.partition_point(|other| other.seconds < moment.seconds - BEFORE);
        self.moments[first.max((number + 1).saturating_sub(MOST_BEFORE))..=number].to_vec()
    }
}

/// The pause after a moment of so many bytes.
fn pause(bytes: usize) -> Duration {
    INTERVAL.max(Duration::from_secs_f64(DENSE * bytes as f64 / (DENSE_SHARE * BUDGET as f64)))
}

/// A number of models that no earlier window had.
fn first_model() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    (since.as_millis() as u64).saturating_mul(MODELS) | (1 << 63)
}

/// The last of what is new, as much as a moment holds at most.
fn end_of(increment: &SnapshotIncrement) -> SnapshotIncrement {
    fn last<T: Clone>(list: &[T], most: usize) -> Vec<T> {
        list[list.len().saturating_sub(most)..].to_vec()
    }
    SnapshotIncrement {
        traces: increment.traces.iter().map(|trace| last(trace, SAMPLES)).collect(),
        interneurons: increment.interneurons.iter().map(|samples| last(samples, SAMPLES)).collect(),
        raster: last(&increment.raster, SAMPLES),
        pairs: last(&increment.pairs, SAMPLES / 10),
        learning: Vec::new(), // the live curves have them
    }
}

/// Leaves out what a moment does not hold.
fn shorten(increment: &mut SnapshotIncrement) {
    fn last<T>(list: &mut Vec<T>, most: usize) {
        list.drain(..list.len().saturating_sub(most));
    }
    increment.traces.iter_mut().for_each(|trace| last(trace, SAMPLES));
    increment.interneurons.iter_mut().for_each(|samples| last(samples, SAMPLES));
    last(&mut increment.raster, SAMPLES);
    last(&mut increment.pairs, SAMPLES / 10);
}

/// What the views showed at the last of these moments; None where it cannot be read. `live` has the curves over the whole run.
pub(super) fn shown(moments: &[Moment], live: &Histories) -> Option<ViewState> {
    let mut state = ViewState::default();
    let (last, before) = moments.split_last()?;
    let read = |moment: &Moment| unpack(&moment.packed.bytes().ok()?).ok();
    let found = before.iter().filter_map(read); // one that cannot be read leaves a gap
    found.for_each(|snapshot| state.absorb(Box::new(snapshot)));
    state.absorb(Box::new(read(last)?));
    let images = moments.last()?.images;
    state.learning = live.learning.iter().copied().filter(|point| point.images <= images).collect();
    state.is_past = true;
    state.fit_history = live.fits.iter().copied().filter(|row| row[0] <= images as f64).collect();
    Some(state)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::LearningPoint;
    use crate::experiment::presets;

    fn snapshot(steps: u64) -> Snapshot {
        let mut snapshot = Snapshot::synthetic(presets::by_name("bars").unwrap());
        snapshot.state.run = RunId("0001-bars".into());
        (snapshot.state.clock.running, snapshot.state.clock.steps, snapshot.state.clock.images) = (true, steps, 10 * steps);
        snapshot
    }

    fn with_moments(count: u64) -> Timeline {
        let mut timeline = Timeline { run: RunId("0001-bars".into()), ..Timeline::default() };
        for i in 0..count {
            let packed = Arc::new(PackedSnapshot::new(pack(&snapshot(i)).unwrap()));
            timeline.bytes += packed.len();
            timeline.moments.push(Moment { seconds: i as f64, time_ms: 0.0, images: 10 * i, packed });
        }
        timeline
    }

    #[test]
    fn an_hour_stays_within_its_budget_and_the_last_minutes_stay_dense() {
        let mut timeline = Timeline { run: RunId("0001-bars".into()), ..Timeline::default() };
        let packed = Arc::new(PackedSnapshot::new(vec![0u8; 100 << 10]));
        for i in 0..4 * 3600 {
            timeline.moments.push(Moment { seconds: f64::from(i) / 4.0, time_ms: 0.0, images: 0, packed: packed.clone() });
            timeline.bytes += packed.len();
            while timeline.bytes > BUDGET {
                timeline.thin();
            }
        }
        assert!(timeline.bytes() <= BUDGET && timeline.moments[0].seconds == 0.0, "the first moment stays");
        let between = |low: f64, high: f64| timeline.moments.iter().filter(|m| (low..high).contains(&m.seconds)).count();
        assert!(between(3540.0, 3600.0) == 240, "the last minute has all of its moments: {}", between(3540.0, 3600.0));
        assert!(between(0.0, 1800.0) > 10, "{} in the first half hour", between(0.0, 1800.0));
    }

    #[test]
    fn the_last_minute_takes_half_the_budget_at_most() {
        for bytes in [1 << 10, 400 << 10, 16 << 20] {
            let pause = pause(bytes);
            let minute = DENSE / pause.as_secs_f64() * bytes as f64;
            assert!(pause >= INTERVAL && minute <= 0.501 * BUDGET as f64, "{bytes} bytes every {pause:?} are {minute}");
        }
    }

    #[test]
    fn a_moment_shows_what_was_shown_then() {
        let timeline = with_moments(30);
        let point = |images: u64| LearningPoint { images, ..Default::default() };
        let live = Histories {
            learning: (0..100).map(|i| point(10 * i)).collect(),
            fits: vec![[50.0, 0.0, 0.0], [500.0, 0.0, 0.0]],
            ..Histories::default()
        };
        let state = shown(&timeline.before(12), &live).unwrap();
        let latest = state.latest.as_ref().unwrap();
        assert_eq!(format!("{:?}", latest.state), format!("{:?}", snapshot(12).state));
        assert_eq!((state.learning.len(), state.fit_history.len()), (13, 1));
        assert_eq!(timeline.before(12).len(), 11, "ten seconds before it");
        assert!(timeline.before(99).is_empty() && shown(&[], &live).is_none());
    }

    #[test]
    fn moments_come_from_what_is_shown_and_another_run_begins_anew() {
        let mut timeline = Timeline::default();
        let begin = Instant::now();
        while timeline.moments().len() < 2 {
            timeline.follow(&snapshot(begin.elapsed().as_millis() as u64));
            assert!(begin.elapsed() < Duration::from_secs(20));
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(timeline.moments()[1].seconds - timeline.moments()[0].seconds >= 0.2);
        let mut other = snapshot(0);
        other.state.run = RunId("0002-bars".into());
        timeline.follow(&other);
        assert!(timeline.moments().is_empty() && timeline.bytes() == 0);
    }

    #[test]
    fn what_was_kept_comes_before_what_is_shown_and_is_kept_with_it() {
        let [earlier, later] = [30, 5].map(with_moments);
        let run = RunId("0001-bars".into());
        let mut timeline = later;
        timeline.has_news = true;
        timeline.add_bookmark(2, "now".into());
        assert_eq!(timeline.take_news(), None, "nothing is written over what was not read");
        let bookmarks = vec![Bookmark { seconds: 3.0, note: "then".into() }];
        let kept = RunTimeline { moments: earlier.moments, bookmarks };
        timeline.restore(RunId("0002-ring".into()), kept.clone());
        assert_eq!(timeline.moments().len(), 5, "that of another run waits for it");
        timeline.restore(run.clone(), kept.clone());
        timeline.restore(run.clone(), kept.clone());
        let (of, all) = timeline.take_news().unwrap();
        assert_eq!((of, all.moments.len(), &all.moments[..30]), (run, 35, &kept.moments[..]));
        assert!(all.moments.is_sorted_by(|a, b| a.seconds <= b.seconds));
        let notes: Vec<_> = all.bookmarks.iter().map(|bookmark| (bookmark.seconds, bookmark.note.as_str())).collect();
        assert_eq!(notes, [(3.0, "then"), (31.0, "now")]);
        assert_eq!(all.bytes(), timeline.bytes());
        assert_eq!(timeline.take_news(), None, "nothing is new since");
    }

    #[test]
    fn no_past_model_is_taken_for_one_that_runs() {
        let mut timeline = Timeline::default();
        let begin = Instant::now();
        while timeline.moments().is_empty() {
            timeline.follow(&snapshot(1));
            assert!(begin.elapsed() < Duration::from_secs(20));
            std::thread::sleep(Duration::from_millis(5));
        }
        let past = shown(timeline.moments(), &Histories::default()).unwrap().latest.unwrap();
        assert!(past.model_id > u64::from(u32::MAX) && past.model_id % MODELS == snapshot(1).model_id);
    }
}
