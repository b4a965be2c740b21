//! What the thread that writes runs does: each request in its turn, and the list of all runs after them.

use super::list::RunList;
use super::store::RunPlace;
use super::timeline::TimelineFile;
use super::{RunFolder, RunId, RunStore, RunTimeline, ViewArrays};
use crate::experiment::session::SessionState;
use crate::export::FileError;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What the thread is asked for.
pub(super) enum Request {
    Save(RunPlace, Box<SessionState>),
    Views(RunPlace, Arc<ViewArrays>),
    ReadTimeline(RunId, RunPlace),
    KeepTimeline(RunId, RunPlace, Box<RunTimeline>),
    Rename(RunId, String),
    Delete(RunId),
    Restore(RunId),
    SetBudget(u64),
    Release(RunFolder),
    List,
}

/// What it answers.
pub(super) enum Report {
    Saved(Result<Duration, FileError>),
    Released(RunId),
    Timeline(RunId, Box<RunTimeline>),
    Listed(Box<RunList>),
    Failed(String),
}

/// The runs that this program has, and which of them runs.
#[derive(Default)]
pub(super) struct Own {
    pub(super) all: BTreeSet<RunId>,
    pub(super) current: Option<RunId>,
}

/// The thread's side.
pub(super) struct Writer {
    store: RunStore,
    own: Arc<Mutex<Own>>,
    deleted: Option<RunId>,
    /// The files of the timelines of the runs that this program has.
    timelines: BTreeMap<RunId, TimelineFile>,
    /// What could not be written the last time, which is said once.
    failing: BTreeSet<&'static str>,
}

impl Writer {
    /// Of the runs in this store; `own` says which of them this program has.
    pub(super) fn new(store: RunStore, own: Arc<Mutex<Own>>) -> Self {
        Self { store, own, deleted: None, timelines: BTreeMap::new(), failing: BTreeSet::new() }
    }

    /// The report on `what` was to be written.
    fn said_once(&mut self, what: &'static str, outcome: Result<(), FileError>) -> Option<Report> {
        match outcome {
            Ok(()) => {
                self.failing.remove(what);
                None
            }
            Err(error) => self.failing.insert(what).then(|| Report::Failed(format!("{what} are not kept: {error}"))),
        }
    }

    pub(super) fn execute(&mut self, request: Request) -> Option<Report> {
        let said = |outcome: Result<(), String>| outcome.err().map(Report::Failed);
        match request {
            Request::Save(place, state) => {
                let begin = Instant::now();
                let written = place.save(*state);
                let current = self.own.lock().unwrap_or_else(PoisonError::into_inner).current.clone();
                self.store.make_room(current.as_ref());
                Some(Report::Saved(written.map(|()| begin.elapsed())))
            }
            Request::Views(place, views) => {
                let outcome = place.save_views(&views);
                self.said_once("histories", outcome)
            }
            Request::ReadTimeline(id, place) => {
                let (file, found) = TimelineFile::open(place.timeline());
                self.timelines.insert(id.clone(), file);
                Some(Report::Timeline(id, Box::new(found)))
            }
            Request::KeepTimeline(id, place, timeline) => {
                let file = self.timelines.entry(id).or_insert_with(|| TimelineFile::open(place.timeline()).0);
                let outcome = file.update(&timeline);
                self.said_once("timelines", outcome)
            }
            Request::Rename(id, name) => said(self.store.rename(&id, &name).map_err(|e| format!("run {id} keeps its name: {e}"))),
            Request::Delete(id) => said(match self.store.delete(&id) {
                Ok(true) => {
                    self.deleted = Some(id);
                    Ok(())
                }
                Ok(false) => Err(format!("run {id} is open in another window and stays")),
                Err(error) => Err(format!("run {id} is not deleted: {error}")),
            }),
            Request::Restore(id) => {
                let restored = self.store.restore(&id).map_err(|e| format!("run {id} does not come back: {e}"));
                self.deleted = self.deleted.take().filter(|deleted| *deleted != id);
                said(restored)
            }
            Request::SetBudget(bytes) => {
                let set = self.store.set_budget(bytes).map_err(|e| format!("the budget of the runs is not kept: {e}"));
                let current = self.own.lock().unwrap_or_else(PoisonError::into_inner).current.clone();
                self.store.make_room(current.as_ref());
                said(set)
            }
            Request::Release(run) => {
                let id = run.id.clone();
                self.timelines.remove(&id);
                self.store.discard(run);
                Some(Report::Released(id))
            }
            Request::List => None,
        }
    }

    pub(super) fn list(&self) -> RunList {
        let mut runs = self.store.list();
        let own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        runs.iter_mut().filter(|run| own.all.contains(&run.id)).for_each(|run| run.is_elsewhere = false);
        let next_to_go = RunStore::next_to_go(&runs, own.current.as_ref()).into_iter().filter(|id| !own.all.contains(id)).collect();
        RunList { folder: self.store.folder().into(), next_to_go, budget: self.store.budget(), deleted: self.deleted.clone(), runs }
    }
}
