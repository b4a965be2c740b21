//! How well a rule estimates a gradient.

use crate::export::table::Table;
use serde::{Deserialize, Serialize};

/// What was found of a rule with so many steps for an estimate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GradientEstimate {
    /// Index of the rule in the study's series.
    pub rule: usize,
    /// Steps of the network or of Gibbs sampling.
    pub steps: usize,
    /// Computing time of one estimate on one core, microseconds.
    pub microseconds: f64,
    /// |mean of the estimates - gradient| / |gradient|, and what it is in the mean where there is no bias.
    pub bias: [f64; 2],
    /// Standard deviation of an estimate over |gradient|, and its standard error.
    pub deviation: [f64; 2],
}

impl GradientEstimate {
    /// A row each.
    pub fn table(all: &[Self]) -> Table {
        let mut table = Table::default();
        table.push("rule", all.iter().map(|of| of.rule as f64));
        table.push("steps", all.iter().map(|of| of.steps as f64));
        table.push("microseconds", all.iter().map(|of| of.microseconds));
        table.push("bias", all.iter().map(|of| of.bias[0]));
        table.push("bias_by_chance", all.iter().map(|of| of.bias[1]));
        table.push("deviation", all.iter().map(|of| of.deviation[0]));
        table.push("deviation_standard_error", all.iter().map(|of| of.deviation[1]));
        table
    }
}
