//! What a study has found: its points, tables and richer results, and how far it has come.

use crate::experiment::{ModelVersion, WatchedUnits};
use crate::export::table::Table;
use crate::studies::race::Arrivals;
use crate::studies::tuning::Responses;
use crate::studies::{Figure, Report, Study, StudyError, StudyOptions, StudyTarget};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One measured point.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Index of its series in the study's figure.
    pub series: usize,
    /// What was varied.
    pub x: f64,
    /// What was measured.
    #[serde(rename = "measured")]
    pub y: f64,
    /// Its standard error; NaN where it is not known.
    #[serde(rename = "standard_error", with = "nan_as_null")]
    pub error: f64,
    /// What theory expects.
    pub expected: Option<f64>,
}

impl Point {
    /// A measured point; what theory expects is added where it is reported.
    pub fn new(series: usize, x: f64, y: f64, error: f64) -> Self {
        Self { series, x, y, error, expected: None }
    }
}

/// Numbers as JSON can hold them.
mod nan_as_null {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        Some(*value).filter(|value| value.is_finite()).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
    }
}

/// A result that is more than points.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Detail {
    /// Nothing else.
    #[default]
    None,
    /// Numbers that are not points of the figure.
    Table(Arc<Table>),
    /// Responses to gratings.
    Tuning(Arc<Responses>),
    /// Arrivals of the samplers of a race.
    Race(Arc<Vec<Arrivals>>),
}

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
    /// What it is done on; None in findings that were read from a file.
    #[serde(skip)]
    pub target: Option<StudyTarget>,
    /// Axes and series.
    pub figure: Figure,
    /// Points so far.
    pub points: Vec<Point>,
    /// What is more than points.
    #[serde(skip)]
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
    /// Nothing yet. The error says why the study does not apply, or names an option that is out of range.
    pub fn new(study: &dyn Study, target: &StudyTarget, options: &StudyOptions) -> Result<Self, StudyError> {
        study.applies(target)?;
        let options = options.completed(study)?;
        Ok(Self {
            study: study.name().into(),
            version: target.frozen.version,
            watched: target.watched,
            figure: study.figure(target, &options),
            points: Vec::new(),
            detail: Detail::None,
            done: 0,
            total: study.total(target, &options),
            finished: false,
            stopped: None,
            target: Some(target.clone()),
            options,
        })
    }

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

    /// The numbers: a table of the study's own, else a row a point: series, x, measured, standard error, expected.
    pub fn to_table(&self, study: &dyn Study) -> Table {
        if let Some(table) = study.table(self) {
            return table;
        }
        let mut table = Table::default();
        table.push(self.figure.series_key.as_str(), self.points.iter().map(|p| self.series_value(p)));
        table.push("x", self.points.iter().map(|p| p.x));
        table.push("measured", self.points.iter().map(|p| p.y));
        table.push("standard_error", self.points.iter().map(|p| p.error));
        table.push(self.figure.expectation.name(), self.points.iter().map(|p| p.expected.unwrap_or(f64::NAN)));
        table
    }

    /// One object: study, options, axes, what the expectation is, series with their points, and the columns of the table.
    pub fn to_json(&self, study: &dyn Study) -> serde_json::Value {
        let series = |(i, series): (usize, &crate::studies::Series)| {
            let points: Vec<serde_json::Value> = self
                .points
                .iter()
                .filter(|p| p.series == i)
                .map(|p| serde_json::json!({"x": p.x, "measured": p.y, "standard_error": finite(p.error), "expected": p.expected.and_then(finite)}))
                .collect();
            serde_json::json!({"name": series.name, (self.figure.series_key.as_str()): series.value, "points": points})
        };
        let columns = study.table(self).unwrap_or_default().columns;
        let column = |(name, values): (String, Vec<f64>)| (name, values.into_iter().map(finite).collect::<Vec<_>>().into());
        serde_json::json!({
            "name": self.study,
            "title": study.title(),
            "options": self.options,
            "layer": self.watched.layer,
            "units": self.watched.pair,
            "x_axis": self.figure.x,
            "y_axis": self.figure.y,
            "expectation": self.figure.expectation,
            "series": self.figure.series.iter().enumerate().map(series).collect::<Vec<_>>(),
            "table": columns.into_iter().map(column).collect::<serde_json::Map<String, serde_json::Value>>(),
            "done": self.done,
            "total": self.total,
            "finished": self.finished,
            "stopped": self.stopped,
        })
    }
}

fn finite(value: f64) -> Option<f64> {
    Some(value).filter(|value| value.is_finite())
}
