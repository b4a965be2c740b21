//! The range of the natural parameter eta over which a family's interneurons are looked at.

use crate::dynamics::step_parameters::StepParameters;
use crate::model::{Family, FamilyConfig};
use crate::studies::{OptionKind, StudyError, StudyOption, StudyOptions, StudyTarget};
use std::sync::Arc;

/// A family of each kind, for those that the model at hand has not.
pub const FAMILIES: [FamilyConfig; 8] = [
    FamilyConfig::Gaussian { sigma: 0.5 },
    FamilyConfig::RectifiedGaussian { sigma: 0.5 },
    FamilyConfig::ContinuousBernoulli,
    FamilyConfig::Bernoulli,
    FamilyConfig::Binomial { trials: 8 },
    FamilyConfig::Laplace { lambda: 3.0, delta: 0.1, kappa: 0.5 },
    FamilyConfig::StudentT { nu: 3.0, s: 0.5, kappa: 1.0 },
    FamilyConfig::LaplaceScale { eta_max: 14.0, delta: 0.15 },
];

/// The option that names a family.
pub(super) const FAMILY_OPTION: StudyOption = StudyOption {
    key: "family",
    help: "Family as a line of TOML, such as family=\"gaussian\";sigma=0.5; otherwise that of the layer below the one looked at",
    kind: OptionKind::Text,
};

/// Options of a study of one family.
pub fn family_options(family: FamilyConfig) -> StudyOptions {
    let text = toml::to_string(&family).unwrap_or_default(); // plain numbers, which TOML can always hold
    StudyOptions::with_text(FAMILY_OPTION.key, &text)
}

/// The family that the options name, else that of the layer below the watched one.
pub(super) fn family(target: &StudyTarget, options: &StudyOptions) -> Result<Arc<dyn Family>, StudyError> {
    let text = options.text(FAMILY_OPTION.key);
    if text.is_empty() {
        return Ok(target.frozen.model.family_below_top(target.watched.layer - 1).clone());
    }
    let wrong = |error: String| StudyError::Option(format!("--family {}: {error}", text.replace('\n', "; ")));
    let config: FamilyConfig = toml::from_str(&text.replace(';', "\n")).map_err(|error| wrong(error.message().into()))?;
    config.build().map_err(|error| wrong(error.to_string()))
}

/// The ends of the range of eta that is shown: what is typical of the family about 0; for laplace-scale what its link can give, since exp(eta T)
/// has no finite integral at 0.
pub fn eta_interval(family: &dyn Family) -> [f64; 2] {
    if family.has_link() {
        let largest = family.link(-40.0);
        return [0.05 * largest, largest];
    }
    let range = family.typical_natural_parameter();
    [-range, range]
}

/// The eta from which A is integrated: the middle of the range shown.
pub fn eta_origin(family: &dyn Family) -> f64 {
    let [low, high] = eta_interval(family);
    0.5 * (low + high)
}

/// Steps of interneurons alone, `dt_over_tau_eps` long.
pub(super) fn interneuron_parameters(dt_over_tau_eps: f64, k: usize) -> StepParameters {
    StepParameters { layers: Vec::new(), dt_ms: 1.0, dt_over_tau_eps, interneurons: k, exact: false, simulated: false, choice_interval: 1 }
}
