//! Speed-up by adaptation against its strength m, beside S = 1 + m^2 tau_v/tau_x (model.md 5.2).

use super::speed_up;
pub use super::speed_up::critical_strengths;
use crate::model::closed_form::adaptation_speedup;
use crate::studies::race::SamplerConfig;
use crate::studies::{Axis, Figure, Observer, Study, StudyError, StudyOptions, StudyTarget};

/// m of the sweep.
const STRENGTHS: [f64; 10] = [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0];

/// The study.
pub struct AdaptationStrength;
/// Its value in the registry.
pub static STUDY: AdaptationStrength = AdaptationStrength;

impl Study for AdaptationStrength {
    fn name(&self) -> &'static str {
        "adaptation"
    }

    fn title(&self) -> &'static str {
        "Adaptation strength"
    }

    fn summary(&self) -> &'static str {
        "Speed-up against m, beside S = 1 + m^2 tau_v/tau_x"
    }

    fn figure(&self, target: &StudyTarget, _: &StudyOptions) -> Figure {
        speed_up::figure(target, Axis::linear("adaptation strength m")).over(STRENGTHS[0], STRENGTHS[STRENGTHS.len() - 1])
    }

    fn total(&self, _: &StudyTarget, _: &StudyOptions) -> usize {
        STRENGTHS.len()
    }

    fn expected(&self, target: &StudyTarget, _: &StudyOptions, _: usize, m: f64) -> Option<f64> {
        let d = &target.frozen.dynamics;
        Some(adaptation_speedup(m, d.tau_v_ms, d.tau_x_ms))
    }

    fn run(&self, target: &StudyTarget, _: &StudyOptions, observer: &mut dyn Observer) -> Result<(), StudyError> {
        let as_is = SamplerConfig::of(&target.frozen.dynamics);
        speed_up::run(target, &STRENGTHS.map(|m| (m, SamplerConfig { adaptation: m, ..as_is })), observer)
    }
}
