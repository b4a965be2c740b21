//! What a study reports while it runs, and whom it reports to.

use crate::export::table::Table;
use crate::studies::StudyError;
use crate::studies::learning_rules::{GradientEstimate, RuleComparison};
use crate::studies::race::Arrivals;
use crate::studies::tuning::Responses;
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
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
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
    /// Learning rules side by side.
    LearningRules(Arc<RuleComparison>),
    /// How well learning rules estimate a gradient.
    Gradients(Arc<Vec<GradientEstimate>>),
}

/// What a study reports while it runs.
#[derive(Clone, Debug)]
pub enum Report {
    /// It is at work.
    Working,
    /// A measured point.
    Point(Point),
    /// How far it is, of how much.
    Progress(usize, usize),
    /// A result that is more than points; it takes the place of the last.
    Detail(Detail),
}

/// Whom a study reports to.
pub trait Observer {
    /// Takes a report; false: stop.
    fn report(&mut self, report: Report) -> bool;

    /// Reports, and stops the study where it is told to.
    fn tell(&mut self, report: Report) -> Result<(), StudyError> {
        if self.report(report) { Ok(()) } else { Err(StudyError::Stopped) }
    }

    /// A measured point.
    fn point(&mut self, point: Point) -> Result<(), StudyError> {
        self.tell(Report::Point(point))
    }

    /// How far the study is.
    fn progress(&mut self, done: usize, total: usize) -> Result<(), StudyError> {
        self.tell(Report::Progress(done, total))
    }
}

impl<F: FnMut(Report) -> bool> Observer for F {
    fn report(&mut self, report: Report) -> bool {
        self(report)
    }
}
