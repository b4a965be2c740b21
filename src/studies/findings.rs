//! What a study has found: its points, tables and richer results, and how far it has come.

use crate::experiment::{ModelVersion, WatchedUnits};
use crate::studies::{Detail, Figure, Point, Report, StudyError, StudyOptions, StudyTarget};
use serde::{Deserialize, Serialize};

/// A study as far as it has come.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StudyFindings {
    /// The study's name.
    pub study: String,
    /// The options, all of them.
    pub options: StudyOptions,
    /// The model and weights that it is done on.
    pub version: ModelVersion,
    /// The layer and the units looked at.
    pub watched: WatchedUnits,
    /// What it is done on.
    pub target: Option<StudyTarget>,
    /// Axes and series.
    pub figure: Figure,
    /// Points so far.
    pub points: Vec<Point>,
    /// What is more than points.
    pub detail: Detail,
    /// How far it is, of [`StudyFindings::total`]: points, or what the study counts.
    pub done: usize,
    /// What there is to do.
    pub total: usize,
    /// No more will come.
    pub finished: bool,
    /// Why it ended before its end.
    pub stopped: Option<String>,
}

impl StudyFindings {
    /// Takes in a report.
    pub fn absorb(&mut self, report: Report) {
        match report {
            Report::Working => {}
            Report::Point(point) => {
                self.points.push(point);
                self.done = self.done.max(self.points.len().min(self.total));
            }
            Report::Progress(done, total) => (self.done, self.total) = (done, total),
            Report::Detail(detail) => self.detail = detail,
        }
    }

    /// No more will come: why, where it ended before its end.
    pub fn end(&mut self, error: Option<StudyError>) {
        self.finished = true;
        self.stopped = error.map(|error| error.to_string());
    }

    /// Share that is done, 0 to 1.
    pub fn share(&self) -> f32 {
        self.done as f32 / self.total.max(1) as f32
    }

    /// The value of a point's series: what the column [`Figure::series_key`] holds.
    pub fn series_value(&self, point: &Point) -> f64 {
        self.figure.series.get(point.series).map_or(point.series as f64, |series| series.value)
    }
}
