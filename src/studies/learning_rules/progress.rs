//! What the rules have come to, as far as it is measured.

use crate::export::table::Table;
use ndarray::Array2;
use serde::{Deserialize, Serialize};

/// A rule after some updates.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LearningPoint {
    /// Updates so far, each from 100 images.
    pub updates: u64,
    /// Computing time of these on one core, seconds.
    pub seconds: f64,
    /// Mean log p of the held-out images, nats.
    pub log_likelihood: f64,
    /// Its standard error by the estimate, 0 where it is exact.
    pub error: f64,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RuleProgress {
    /// Its name.
    pub name: String,
    /// What was measured, in order.
    pub points: Vec<LearningPoint>,
    /// What each hidden unit tells the pixels, `[n_1, n_0]`.
    pub filters: Array2<f32>,
    /// Some samples of the last negative phase, `[count, n_0]`; None where there is none.
    pub negative_samples: Option<Array2<f32>>,
}

/// All rules.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RuleComparison {
    /// Rows and columns of an image.
    pub shape: [usize; 2],
    /// Some of the images that are learned from, `[count, n_0]`.
    pub images: Array2<f32>,
    /// Mean log p of the held-out images under the distribution that has drawn them, nats, where that is known.
    pub truth: Option<f64>,
    /// In the order of the study's series.
    pub rules: Vec<RuleProgress>,
}

impl RuleComparison {
    /// A row for each measurement; rules are numbered.
    pub fn table(&self) -> Table {
        let numbered = |(rule, of): (usize, &RuleProgress)| of.points.iter().map(move |point| (rule, *point)).collect::<Vec<_>>();
        let rows: Vec<(usize, LearningPoint)> = self.rules.iter().enumerate().flat_map(numbered).collect();
        let mut table = Table::default();
        table.push("rule", rows.iter().map(|(rule, _)| *rule as f64));
        table.push("updates", rows.iter().map(|(_, point)| point.updates as f64));
        table.push("seconds", rows.iter().map(|(_, point)| point.seconds));
        table.push("log_likelihood", rows.iter().map(|(_, point)| point.log_likelihood));
        table.push("standard_error", rows.iter().map(|(_, point)| point.error));
        table
    }
}
