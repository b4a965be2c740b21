//! Findings in the terms of their study: its axes at the beginning, its table and JSON at the end.

use crate::export::table::Table;
use crate::studies::{Detail, Study, StudyError, StudyFindings, StudyOptions, StudyTarget};

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
