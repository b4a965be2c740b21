//! Learning in stages: which layers run, which weights learn, at what rate and for how long (model.md 7: a critical period).

use crate::experiment::config_error::ConfigError;
use crate::experiment::whole_number::LARGEST_COUNT;
use serde::{Deserialize, Serialize};

/// One stage, a table `[[stages]]` of the configuration. Without stages every layer runs and learns from the start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageConfig {
    /// What the stage is called.
    pub name: String,
    /// Images that it lasts; 0: without end. The rate falls linearly to 0 over the second half of a stage that ends.
    #[serde(default)]
    pub images: u64,
    /// Layers of neurons that run, 1..=this; those above rest, and the highest that runs has eta = g(b).
    #[serde(rename = "open")]
    pub active_layers: usize,
    /// The l of the weights W_l and biases b_l that learn.
    pub learn: Vec<usize>,
    /// Learning rate.
    pub lr: f64,
    /// Rate at the end of the stage, to which it falls linearly from the beginning; 0: it stays, then falls to 0 over the second half.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub lr_end: f64,
    /// Whether the biases b_l learn too.
    #[serde(default)]
    pub biases: bool,
    /// Columns of W_l kept at norm 1.
    #[serde(default)]
    pub unit_norm: bool,
    /// Largest norm of a column of W_l; 0: no limit.
    #[serde(default)]
    pub largest_norm: f64,
    /// States of a categorical top that are open, from the first on; 0: all. More than in the stage before begin at latents of images.
    #[serde(default, skip_serializing_if = "is_none")]
    pub states: usize,
    /// Standard deviation of the weights into the highest layer that runs when the stage begins; 0: as they are.
    #[serde(default)]
    pub start_weights: f64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_none(value: &usize) -> bool {
    *value == 0
}

/// Checks the stages of a model whose layers 0..=L have these sizes; the error names stage and key.
pub fn validate(stages: &[StageConfig], sizes: &[usize]) -> Result<(), ConfigError> {
    let (depth, top) = (sizes.len().saturating_sub(1), sizes.last().copied().unwrap_or_default());
    for stage in stages {
        let wrong = |key: &str, found: String, range: String| {
            Err(ConfigError::Stage { stage: stage.name.clone(), key: key.into(), value: found, range })
        };
        if !(1..=depth).contains(&stage.active_layers) {
            return wrong("open", stage.active_layers.to_string(), format!("1 to {depth}"));
        }
        if let Some(l) = stage.learn.iter().find(|&&l| l >= stage.active_layers) {
            return wrong("learn", l.to_string(), format!("0 to {}, the weights between layers that run", stage.active_layers - 1));
        }
        if stage.states > top {
            return wrong("states", stage.states.to_string(), format!("0 to {top}, the size of the top"));
        }
        if stage.images > LARGEST_COUNT {
            return wrong("images", stage.images.to_string(), format!("0 to {LARGEST_COUNT}"));
        }
        for (key, value) in
            [("lr", stage.lr), ("lr_end", stage.lr_end), ("largest_norm", stage.largest_norm), ("start_weights", stage.start_weights)]
        {
            if !(0.0..=1e3).contains(&value) {
                return wrong(key, value.to_string(), "0 to 1000".into());
            }
        }
    }
    Ok(())
}

/// Images that all stages last together.
pub fn total(stages: &[StageConfig]) -> u64 {
    stages.iter().fold(0, |sum: u64, stage| sum.saturating_add(stage.images))
}

/// Stretches the stages that end so that together they last `images`.
pub fn scale(stages: &mut [StageConfig], images: u64) {
    let total = total(stages);
    let scaled = |own: u64| ((own as f64 * images as f64 / total as f64).round() as u64).min(LARGEST_COUNT);
    if total > 0 {
        stages.iter_mut().for_each(|stage| stage.images = scaled(stage.images));
    }
}

/// Has `lr`, `biases` or `unit_norm` of `[learning]`, which was set, act although every stage has its own: switches in every
/// stage, and `lr` in the stage `under_way`, while the rates of the others and at the ends keep their ratios to it.
pub fn take_over(stages: &mut [StageConfig], key: &str, learning: &LearningValues, under_way: usize) {
    let ratio = stages.get(under_way).map_or(0.0, |stage| learning.lr / stage.lr);
    for (number, stage) in stages.iter_mut().enumerate() {
        match key {
            "lr" if ratio.is_finite() => (stage.lr, stage.lr_end) = (stage.lr * ratio, stage.lr_end * ratio),
            "biases" => stage.biases = learning.biases,
            "unit_norm" => stage.unit_norm = learning.unit_norm,
            _ => {}
        }
        if key == "lr" && number == under_way {
            stage.lr = learning.lr; // to the last bit, and where it was 0
        }
    }
}

/// Values of `[learning]` that every stage has of its own.
#[derive(Clone, Copy, Debug)]
pub struct LearningValues {
    /// Learning rate.
    pub lr: f64,
    /// Whether biases learn.
    pub biases: bool,
    /// Columns of W kept at norm 1.
    pub unit_norm: bool,
}

/// Where a run stands in its stages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct StagePosition {
    /// Number of the stage.
    pub stage: usize,
    /// Images seen when it began.
    pub since: u64,
}

impl StageConfig {
    /// The rate when `share` of the stage is done; a stage without end has its first one.
    pub fn rate(&self, share: f64) -> f64 {
        if self.images == 0 {
            self.lr
        } else if self.lr_end > 0.0 {
            self.lr + (self.lr_end - self.lr) * share.clamp(0.0, 1.0)
        } else {
            self.lr * (2.0 * (1.0 - share)).clamp(0.0, 1.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(active_layers: usize, learn: Vec<usize>) -> StageConfig {
        StageConfig {
            name: "s".into(),
            images: 100,
            active_layers,
            learn,
            lr: 0.2,
            lr_end: 0.0,
            biases: false,
            unit_norm: false,
            largest_norm: 0.0,
            states: 0,
            start_weights: 0.0,
        }
    }

    #[test]
    fn rates_fall_over_the_second_half_and_lengths_scale() {
        let mut stages = vec![stage(1, vec![0]), StageConfig { images: 300, ..stage(2, vec![1]) }];
        assert_eq!([0.0, 0.5, 0.75, 1.0, 5.0].map(|share| (stages[0].rate(share) * 1e3).round() as u64), [200, 200, 100, 0, 0]);
        let falling = StageConfig { lr_end: 0.1, ..stage(1, vec![0]) };
        assert_eq!([0.0, 0.5, 1.0, 5.0].map(|share| (falling.rate(share) * 1e3).round() as u64), [200, 150, 100, 100]);
        scale(&mut stages, 40);
        assert_eq!((stages[0].images, stages[1].images), (10, 30));
        assert_eq!(StageConfig { images: 0, ..stage(1, vec![0]) }.rate(1e6), 0.2);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let sizes = [4, 3, 7];
        assert!(validate(&[stage(1, vec![0]), StageConfig { states: 7, ..stage(2, vec![1]) }], &sizes).is_ok());
        for (bad, part) in [
            (StageConfig { states: 8, ..stage(2, vec![1]) }, "states = 8"),
            (stage(3, vec![0]), "open = 3"),
            (stage(1, vec![1]), "learn = 1"),
            (StageConfig { lr: -1.0, ..stage(1, vec![]) }, "lr = -1"),
        ] {
            let error = validate(&[bad], &sizes).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
