//! What is recorded step by step or batch by batch, and is new in every snapshot.

use crate::model::byte_lists::packed_record;
use serde::{Deserialize, Serialize};

/// One sample of a traced unit, network 0, after one step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TraceSample {
    /// Simulated time, ms.
    pub time_ms: f64,
    /// Membrane x.
    pub x: f32,
    /// Adaptation v.
    pub v: f32,
    /// Input from below, f' W^T eps.
    pub likelihood: f32,
    /// Input from above, T' eta - B'.
    pub prior: f32,
}

packed_record!(TraceSample { time_ms: f64, x: f32, v: f32, likelihood: f32, prior: f32 });

/// One sample of the interneurons that predict one observed unit, network 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct InterneuronSample {
    /// Simulated time, ms.
    pub time_ms: f64,
    /// T(x), what is observed.
    pub observed: f32,
    /// <T(y)>, what the interneurons say.
    pub sampled: f32,
    /// A'(eta), what they should say.
    pub exact: f32,
}

packed_record!(InterneuronSample { time_ms: f64, observed: f32, sampled: f32, exact: f32 });

/// One point of the learning curves, a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LearningPoint {
    /// Images seen.
    pub images: u64,
    /// Variance of x_0 - <x_0 | x_1>.
    pub residual_variance: f32,
    /// sigma_0^2.
    pub sigma2: f32,
    /// |dW_0| / |W_0|.
    pub weight_change: f32,
    /// Mean norm of the columns of W_0.
    pub weight_norm: f32,
    /// Excess kurtosis of x_1 over batch and units.
    pub kurtosis: f32,
    /// Learning rate in force.
    pub lr: f32,
}
