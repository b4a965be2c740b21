//! One layer of a hierarchy: what its units are, and what it shows to the layer below (model.md 1).

use crate::model::{Activation, Family, FamilyConfig, ModelError};
use std::sync::Arc;

/// What the units of a layer are.
#[derive(Clone, Debug)]
pub enum LayerKind {
    /// Units that are independent given the layer above, each of this exponential family.
    Independent(Arc<dyn Family>),
    /// The layer is in one of as many states as it has units: just one unit is 1, all others are 0, and P(c) is proportional to
    /// exp(b_c) over the active states. It is drawn as a whole, and can only be at the top.
    Categorical {
        /// The first so many states can be drawn and learn; the others have probability 0.
        active_states: usize,
    },
}

/// One layer: what its units are, what it shows to the layer below, its size.
#[derive(Clone, Debug)]
pub struct Layer {
    /// What its units are.
    pub kind: LayerKind,
    /// f, applied to this layer's x for the layer below.
    pub activation: Activation,
    /// Units; of a categorical layer states.
    pub size: usize,
}

impl Layer {
    /// A layer as a configuration names it; of a categorical one every state is active. Errors name the parameter of the family that is
    /// out of range.
    pub fn new(family: FamilyConfig, activation: Activation, size: usize) -> Result<Self, ModelError> {
        let kind = match family {
            FamilyConfig::Categorical => LayerKind::Categorical { active_states: size },
            family => LayerKind::Independent(family.build()?),
        };
        Ok(Self { kind, activation, size })
    }

    /// The family of each unit; None of a categorical layer, whose units are not independent.
    pub fn family(&self) -> Option<&Arc<dyn Family>> {
        match &self.kind {
            LayerKind::Independent(family) => Some(family),
            LayerKind::Categorical { .. } => None,
        }
    }

    /// Whether the layer is in one state as a whole.
    pub fn is_categorical(&self) -> bool {
        matches!(self.kind, LayerKind::Categorical { .. })
    }

    /// The states of a categorical layer that can be drawn, `0..active_states`; None where units are independent.
    pub fn active_states(&self) -> Option<usize> {
        match self.kind {
            LayerKind::Independent(_) => None,
            LayerKind::Categorical { active_states } => Some(active_states),
        }
    }

    /// Makes the first `states` of a categorical layer active, at most all; nothing happens to a layer of independent units.
    pub fn set_active_states(&mut self, states: usize) {
        if let LayerKind::Categorical { active_states } = &mut self.kind {
            *active_states = states.min(self.size);
        }
    }

    /// What a configuration calls the layer's kind.
    pub fn name(&self) -> &'static str {
        self.family().map_or("categorical", |family| family.name())
    }

    /// The layer's kind as a configuration writes it down, with the present parameters.
    pub fn config(&self) -> FamilyConfig {
        self.family().map_or(FamilyConfig::Categorical, |family| family.config())
    }

    /// The values that a unit can take, `[low, high]`.
    pub fn bounds(&self) -> [f64; 2] {
        self.family().map_or([0.0, 1.0], |family| family.bounds())
    }

    /// The standard deviation that learning may change; None where the layer has none.
    pub fn sigma(&self) -> Option<f64> {
        self.family().and_then(|family| family.sigma())
    }

    /// Gives the family another standard deviation; nothing happens where it has none.
    pub fn set_sigma(&mut self, sigma: f64) {
        if let LayerKind::Independent(family) = &mut self.kind {
            *family = family.with_sigma(sigma);
        }
    }

    /// Whether the layer's conditional is N(eta, sigma^2) and f is the identity: a linear-Gaussian layer.
    pub fn is_linear_gaussian(&self) -> bool {
        self.activation == Activation::Linear && self.family().is_some_and(|family| family.is_normal())
    }
}
