//! The folder of the runs: who has which, what they are, what goes first where there is no room.

use super::summary::{FORMAT, RunRecord, thumbnail};
use super::{RunId, RunSummary, ViewArrays};
use crate::experiment::modelfile;
use crate::experiment::session::SessionState;
use crate::export::{FileError, lock, move_folder, put_aside, write_atomically, write_keeping};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Files of a run.
const STATE: &str = "state.npz";
const PREVIOUS: &str = "state.previous.npz";
const RECORD: &str = "run.toml";
const NAME: &str = "name.txt";
const VIEWS: &str = "views.npz";
const TIMELINE: &str = "timeline.bin";
const THUMBNAIL: &str = "thumbnail.png";
const LOCK: &str = "lock";
/// The folder in which deleted runs wait for somebody to want them back, and how long they do.
const DELETED: &str = "deleted";
const DELETED_FOR: Duration = Duration::from_secs(86_400);
/// Holds the budget, bytes.
const BUDGET: &str = "budget.txt";
/// Bytes of all runs at most, where nobody has set another budget.
pub(super) const USUAL_BUDGET: u64 = 2 << 30;
/// The newest so many runs have their pictures in the list.
const PICTURED: usize = 100;
/// How often a lock is tried, 2 ms apart.
const LOOKS: usize = 5;
/// Characters of a name at most.
const LONGEST_NAME: usize = 80;

/// The folder of the runs.
#[derive(Clone, Debug)]
pub struct RunStore {
    folder: PathBuf,
}

/// A run's folder, which no other window has.
#[derive(Debug)]
pub struct RunFolder {
    /// What the run is called among all.
    pub id: RunId,
    path: PathBuf,
    /// When it began, ms since 1970.
    created: u64,
    /// Locked as long as this value lives.
    _lock: File,
}

impl RunFolder {
    /// The last saved state, and the one before it.
    pub fn states(&self) -> [PathBuf; 2] {
        [STATE, PREVIOUS].map(|name| self.path.join(name))
    }

    /// Gives states that cannot be read names of their own, so that nothing is written in their place; the new names.
    pub fn put_aside(&self) -> Vec<PathBuf> {
        self.states().iter().filter_map(|path| put_aside(path, "not-recovered")).collect()
    }

    /// What its views have shown; None where nothing was kept or it cannot be read.
    pub fn views(&self) -> Option<ViewArrays> {
        ViewArrays::load(&self.path.join(VIEWS))
    }

    /// The path and the beginning of the run, for whoever writes into it while it stays locked here.
    pub(super) fn place(&self) -> RunPlace {
        RunPlace { path: self.path.clone(), created: self.created }
    }
}

/// Where a run is written.
#[derive(Clone, Debug)]
pub(super) struct RunPlace {
    path: PathBuf,
    created: u64,
}

impl RunPlace {
    /// Writes the state, and what the list shows of it. A program that is killed in the midst of it leaves a whole state.
    pub(super) fn save(&self, state: SessionState) -> Result<(), FileError> {
        let record = RunRecord::of(&state, self.created, now());
        let mut picture = io::Cursor::new(Vec::new());
        let drawn = thumbnail(&state).write_to(&mut picture, image::ImageFormat::Png).is_ok();
        let bytes = modelfile::state_archive(state)?.into_bytes()?;
        write_keeping(&self.path.join(STATE), &self.path.join(PREVIOUS), &bytes)?;
        let text = toml::to_string(&record).map_err(|error| FileError::encode("the record of a run", error))?;
        write_atomically(&self.path.join(RECORD), text.as_bytes())?;
        if drawn {
            write_atomically(&self.path.join(THUMBNAIL), picture.get_ref())?;
        }
        Ok(())
    }

    /// The file of its timeline.
    pub(super) fn timeline(&self) -> PathBuf {
        self.path.join(TIMELINE)
    }

    /// Writes what the views have shown.
    pub(super) fn save_views(&self, views: &ViewArrays) -> Result<(), FileError> {
        write_atomically(&self.path.join(VIEWS), &views.to_bytes()?)
    }
}

impl RunStore {
    /// The store in this folder, which is made where it is not there. What was deleted a day ago goes for good.
    pub fn open(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let store = Self { folder: folder.into() };
        for (path, _) in store.folders_in(&folder.join(DELETED)) {
            let age = fs::metadata(&path).and_then(|found| found.modified()).ok().and_then(|at| at.elapsed().ok());
            if age.is_some_and(|age| age > DELETED_FOR) {
                let _ = fs::remove_dir_all(path);
            }
        }
        Ok(store)
    }

    /// The folder itself.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Makes runs of what earlier versions have saved in `folder`: the last save, and that of the model before.
    pub fn import(&self, folder: &Path) -> io::Result<()> {
        let mut names = vec!["autosave.before.npz".to_string(), "autosave.npz".to_string()];
        names.extend((2..=16).map(|n| format!("autosave-{n}.npz")));
        for path in names.iter().map(|name| folder.join(name)).filter(|path| path.exists()) {
            let Ok(config) = modelfile::load_config(&path) else { continue };
            let modified = fs::metadata(&path).and_then(|found| found.modified());
            let saved = modified.map_or_else(|_| now(), milliseconds);
            let run = self.create(&config.model.name)?;
            move_folder(&path, &run.path.join(STATE))?;
            let record = RunRecord {
                format: FORMAT,
                preset: config.model.name.clone(),
                created: saved,
                saved,
                images: config.learning.images_seen,
                time_ms: 0.0,
                learns: config.learning.enabled,
                changes: super::summary::changes(&config),
            };
            if let Ok(text) = toml::to_string(&record) {
                let _ = write_atomically(&run.path.join(RECORD), text.as_bytes()); // the list makes one up else
            }
        }
        Ok(())
    }

    /// A new run, empty, in a folder whose number none had.
    pub fn create(&self, preset: &str) -> io::Result<RunFolder> {
        let slug: String = preset.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).take(40).collect();
        let folders = [self.folder.clone(), self.folder.join(DELETED)];
        let number = |(_, id): &(PathBuf, RunId)| id.0.split('-').next().and_then(|number| number.parse::<u64>().ok());
        let last = folders.iter().flat_map(|folder| self.folders_in(folder)).filter_map(|found| number(&found)).max().unwrap_or(0);
        for number in last + 1.. {
            let id = RunId(format!("{number:04}-{slug}"));
            match fs::create_dir(self.folder.join(&id.0)) {
                Ok(()) => return self.claim(&id)?.ok_or_else(|| io::Error::other("a new run is taken by another program")),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {} // another window was quicker
                Err(error) => return Err(error),
            }
        }
        unreachable!("there are more numbers than folders")
    }

    /// The run of this name, for as long as the value lives; None where another window has it. An error where there is none.
    pub fn claim(&self, id: &RunId) -> io::Result<Option<RunFolder>> {
        let path = self.path_of(id)?;
        let Some(lock) = lock_patiently(&path.join(LOCK))? else { return Ok(None) };
        let created = read_record(&path).map_or_else(now, |record| record.created);
        Ok(Some(RunFolder { id: id.clone(), path, created, _lock: lock }))
    }

    /// The folder of a run. An error where the name is none of a folder within this one, or there is none.
    fn path_of(&self, id: &RunId) -> io::Result<PathBuf> {
        let is_name = !id.0.is_empty() && Path::new(&id.0).components().count() == 1 && !id.0.starts_with('.') && id.0 != DELETED;
        let path = self.folder.join(&id.0);
        if is_name && path.is_dir() { Ok(path) } else { Err(io::Error::new(io::ErrorKind::NotFound, format!("there is no run {id}"))) }
    }

    /// All runs that hold something, the one saved last first.
    pub fn list(&self) -> Vec<RunSummary> {
        let mut all: Vec<RunSummary> = self.folders_in(&self.folder).into_iter().filter_map(|(path, id)| summary(&path, id)).collect();
        all.sort_by(|a, b| (b.saved, &b.id).cmp(&(a.saved, &a.id)));
        all.iter_mut().take(PICTURED).for_each(|run| run.thumbnail = Arc::new(picture(&self.folder.join(&run.id.0))));
        all
    }

    /// Gives a run a name; an empty one takes it away.
    pub fn rename(&self, id: &RunId, name: &str) -> io::Result<()> {
        let path = self.path_of(id)?.join(NAME);
        let name: String = name.trim().chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect();
        if name.is_empty() {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            }
        } else {
            write_atomically(&path, name.as_bytes()).map_err(io::Error::other)
        }
    }

    /// Puts a run where [`RunStore::restore`] finds it for a day; false where a window has it.
    pub fn delete(&self, id: &RunId) -> io::Result<bool> {
        let Some(run) = self.claim(id)? else { return Ok(false) };
        let deleted = self.folder.join(DELETED);
        fs::create_dir_all(&deleted)?;
        move_folder(&run.path, &deleted.join(&id.0))?;
        let _ = File::open(deleted.join(&id.0)).and_then(|folder| folder.set_modified(SystemTime::now())); // its day begins now
        Ok(true)
    }

    /// Takes a deleted run back.
    pub fn restore(&self, id: &RunId) -> io::Result<()> {
        move_folder(&self.folder.join(DELETED).join(&id.0), &self.folder.join(&id.0))
    }

    /// Gives a run up; one that holds nothing is removed.
    pub(super) fn discard(&self, run: RunFolder) {
        if !run.path.join(STATE).exists() {
            let _ = fs::remove_dir_all(&run.path);
        }
    }

    /// Bytes of all runs at most.
    pub fn budget(&self) -> u64 {
        fs::read_to_string(self.folder.join(BUDGET)).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(USUAL_BUDGET)
    }

    /// Sets the budget.
    pub fn set_budget(&self, bytes: u64) -> Result<(), FileError> {
        write_atomically(&self.folder.join(BUDGET), bytes.to_string().as_bytes())
    }

    /// Runs that go where there is no room, the next one first: those without a name that no window has, the oldest first.
    pub fn next_to_go(list: &[RunSummary], current: Option<&RunId>) -> Vec<RunId> {
        let may_go = |run: &&RunSummary| run.name.is_none() && !run.is_elsewhere && Some(&run.id) != current;
        list.iter().rev().filter(may_go).map(|run| run.id.clone()).collect()
    }

    /// Removes what was deleted, then the timelines of runs that may go, then these runs, until all have room; the ids of the latter.
    pub(super) fn make_room(&self, current: Option<&RunId>) -> Vec<RunId> {
        let (list, budget) = (self.list(), self.budget());
        let mut all: u64 = list.iter().map(|run| run.bytes).sum();
        for (path, _) in self.folders_in(&self.folder.join(DELETED)) {
            let bytes = size_of_folder(&path);
            all += bytes;
            if all > budget && fs::remove_dir_all(&path).is_ok() {
                all -= bytes;
            }
        }
        let mut gone = Vec::new();
        let next_to_go = Self::next_to_go(&list, current);
        for id in &next_to_go {
            if all <= budget {
                break;
            }
            let Ok(Some(run)) = self.claim(id) else { continue };
            let timeline = run.path.join(TIMELINE);
            let bytes = fs::metadata(&timeline).map_or(0, |found| found.len());
            if fs::remove_file(&timeline).is_ok() {
                all = all.saturating_sub(bytes);
            }
        }
        for id in next_to_go {
            if all <= budget {
                break;
            }
            let Ok(Some(run)) = self.claim(&id) else { continue };
            let bytes = size_of_folder(&run.path);
            if fs::remove_dir_all(&run.path).is_ok() {
                all = all.saturating_sub(bytes);
                gone.push(id);
            }
        }
        gone
    }

    /// The folders in one, with their names.
    fn folders_in(&self, folder: &Path) -> Vec<(PathBuf, RunId)> {
        let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
        let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        let named = folders.filter_map(|entry| entry.file_name().into_string().ok().map(|name| (entry.path(), RunId(name))));
        named.filter(|(_, id)| id.0 != DELETED).collect()
    }
}

/// The lock, for which a program that only looks whether it is taken may have to be waited for.
fn lock_patiently(path: &Path) -> io::Result<Option<File>> {
    for _ in 0..LOOKS {
        if let Some(lock) = lock(path)? {
            return Ok(Some(lock));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(None)
}

/// What a folder holds; None where that is no run, or nothing yet.
fn summary(path: &Path, id: RunId) -> Option<RunSummary> {
    let [state, previous] = [STATE, PREVIOUS].map(|name| path.join(name));
    if !state.exists() && !previous.exists() {
        return None;
    }
    let record = read_record(path).or_else(|| {
        let config = modelfile::load_config(&state).or_else(|_| modelfile::load_config(&previous)).ok()?;
        let saved = fs::metadata(&state).and_then(|found| found.modified()).map_or(0, milliseconds);
        Some(RunRecord { preset: config.model.name.clone(), saved, images: config.learning.images_seen, ..RunRecord::default() })
    })?;
    let name = fs::read_to_string(path.join(NAME)).ok().filter(|name| !name.trim().is_empty());
    Some(RunSummary {
        is_elsewhere: lock(&path.join(LOCK)).is_ok_and(|lock| lock.is_none()),
        id,
        name,
        preset: record.preset,
        saved: record.saved,
        images: record.images,
        time_ms: record.time_ms,
        learns: record.learns,
        changes: record.changes,
        bytes: size_of_folder(path),
        thumbnail: Arc::default(),
    })
}

/// The picture in a run's folder; empty where there is none of the right size.
fn picture(path: &Path) -> Vec<u8> {
    let found = image::open(path.join(THUMBNAIL)).ok().map(|picture| picture.to_rgb8());
    let side = super::THUMBNAIL as u32;
    found.filter(|picture| picture.dimensions() == (side, side)).map(image::RgbImage::into_raw).unwrap_or_default()
}

fn read_record(path: &Path) -> Option<RunRecord> {
    let record: RunRecord = toml::from_str(&fs::read_to_string(path.join(RECORD)).ok()?).ok()?;
    (record.format == FORMAT).then_some(record)
}

/// Bytes of the files in a folder.
fn size_of_folder(path: &Path) -> u64 {
    let entries = fs::read_dir(path).into_iter().flatten().filter_map(Result::ok);
    entries.filter_map(|entry| entry.metadata().ok()).filter(fs::Metadata::is_file).map(|found| found.len()).sum()
}

fn now() -> u64 {
    milliseconds(SystemTime::now())
}

fn milliseconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{Session, presets};

    fn state() -> SessionState {
        Session::new(presets::by_name("ridge").unwrap()).unwrap().state()
    }

    fn saved(store: &RunStore, preset: &str) -> RunId {
        let run = store.create(preset).unwrap();
        run.place().save(state()).unwrap();
        run.id.clone()
    }

    #[test]
    fn a_run_is_found_again_with_its_name_and_only_one_program_has_it() {
        let folder = tempfile::tempdir().unwrap();
        let store = RunStore::open(folder.path()).unwrap();
        let run = store.create("dead leaves/..").unwrap();
        assert_eq!(run.id.0, "0001-dead-leaves---", "a name of a folder, whatever the preset is called");
        assert!(store.list().is_empty(), "it holds nothing yet");
        run.place().save(state()).unwrap();
        assert!(store.claim(&run.id).unwrap().is_none() && store.list()[0].is_elsewhere);
        let id = run.id.clone();
        drop(run);
        let list = RunStore::open(folder.path()).unwrap().list();
        assert_eq!((list.len(), list[0].preset.as_str(), list[0].is_elsewhere), (1, "ridge", false));
        assert_eq!(list[0].thumbnail.len(), 3 * super::super::THUMBNAIL.pow(2), "the posterior of two units");
        assert_eq!(list[0].title(), "ridge 1");
        store.rename(&id, " strong\nprior ").unwrap();
        assert_eq!(store.list()[0].title(), "strongprior");
        store.rename(&id, "").unwrap();
        assert_eq!(store.list()[0].name, None);
        for wrong in ["", "..", "nothing", "deleted", "a/b"] {
            assert!(store.claim(&RunId(wrong.into())).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_deleted_comes_back_and_numbers_are_never_used_twice() {
        let folder = tempfile::tempdir().unwrap();
        let store = RunStore::open(folder.path()).unwrap();
        let [first, second] = ["ridge", "ring"].map(|preset| saved(&store, preset));
        let taken = store.claim(&second).unwrap();
        assert!(!store.delete(&second).unwrap(), "a window has it");
        drop(taken);
        assert!(store.delete(&second).unwrap());
        assert_eq!(store.list().iter().map(|run| run.id.clone()).collect::<Vec<_>>(), [first]);
        assert_eq!(saved(&store, "chain").0, "0003-chain");
        store.restore(&second).unwrap();
        assert_eq!(store.list().len(), 3);
    }

    #[test]
    fn where_there_is_no_room_the_oldest_without_a_name_go_first() {
        let folder = tempfile::tempdir().unwrap();
        let store = RunStore::open(folder.path()).unwrap();
        let ids: Vec<RunId> = (0..4).map(|_| saved(&store, "ridge")).collect();
        store.rename(&ids[0], "kept").unwrap();
        assert_eq!(RunStore::next_to_go(&store.list(), Some(&ids[3])), ids[1..3]);
        assert!(store.make_room(Some(&ids[3])).is_empty(), "two gigabytes are enough");
        let one = store.list()[0].bytes;
        store.set_budget(3 * one + one / 2).unwrap();
        assert_eq!((store.budget(), store.make_room(Some(&ids[3]))), (3 * one + one / 2, vec![ids[1].clone()]));
        store.set_budget(1).unwrap();
        assert_eq!(store.make_room(Some(&ids[3])), [ids[2].clone()], "one with a name stays, and the one that runs");
        assert_eq!(store.list().len(), 2);
    }

    #[test]
    fn a_timeline_goes_before_its_run_does() {
        let folder = tempfile::tempdir().unwrap();
        let store = RunStore::open(folder.path()).unwrap();
        let ids: Vec<RunId> = (0..3).map(|_| saved(&store, "ridge")).collect();
        let timeline = |id: &RunId| folder.path().join(&id.0).join(TIMELINE);
        ids.iter().for_each(|id| fs::write(timeline(id), vec![0; 1 << 20]).unwrap());
        let all: u64 = store.list().iter().map(|run| run.bytes).sum();
        store.set_budget(all - 1).unwrap();
        assert!(store.make_room(Some(&ids[2])).is_empty() && store.list().len() == 3);
        assert_eq!(ids.iter().map(|id| timeline(id).exists()).collect::<Vec<_>>(), [false, true, true]);
        store.set_budget(all - (2 << 20) - 1).unwrap();
        assert_eq!(store.make_room(Some(&ids[2])), [ids[0].clone()], "then the oldest run");
        assert_eq!(ids[1..].iter().map(|id| timeline(id).exists()).collect::<Vec<_>>(), [false, true], "the one that runs keeps all");
    }

    #[test]
    fn of_many_runs_all_stay_and_the_newest_have_pictures() {
        let folder = tempfile::tempdir().unwrap();
        let store = RunStore::open(folder.path()).unwrap();
        let ids: Vec<RunId> = (0..PICTURED + 3).map(|_| saved(&store, "ridge")).collect();
        assert!(store.make_room(None).is_empty());
        let list = store.list();
        assert!(list.iter().rev().map(|run| &run.id).eq(&ids), "the newest first");
        assert!(list.iter().enumerate().all(|(i, run)| run.thumbnail.is_empty() == (i >= PICTURED)));
    }

    #[test]
    fn what_earlier_versions_have_saved_becomes_runs() {
        let [older, folder] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        modelfile::save_state(&older.path().join("autosave.npz"), state()).unwrap();
        std::fs::write(older.path().join("autosave.before.npz"), "not whole").unwrap();
        let store = RunStore::open(folder.path()).unwrap();
        store.import(older.path()).unwrap();
        let list = store.list();
        assert_eq!((list.len(), list[0].preset.as_str()), (1, "ridge"));
        assert!(!older.path().join("autosave.npz").exists() && older.path().join("autosave.before.npz").exists());
        store.import(older.path()).unwrap();
        assert_eq!(store.list().len(), 1);
    }
}
