//! Speed-up by adaptation against its time constant, beside S = 1 + m^2 tau_v/tau_x (model.md 5.2).

use super::speed_up;
use crate::model::closed_form::adaptation_speedup;
use crate::studies::race::SamplerConfig;
use crate::studies::{Axis, Figure, Observer, Study, StudyError, StudyOptions, StudyTarget};

/// tau_v/tau_x of the sweep.
const TIMES: [f64; 9] = [0.03, 0.06, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 4.0];

/// The study.
pub struct AdaptationTime;
/// Its value in the registry.
pub static STUDY: AdaptationTime = AdaptationTime;

impl Study for AdaptationTime {
    fn name(&self) -> &'static str {
        "adaptation-time"
    }

    fn title(&self) -> &'static str {
        "Adaptation time"
    }

    fn summary(&self) -> &'static str {
        "Speed-up against tau_v/tau_x"
    }

    fn figure(&self, target: &StudyTarget, _: &StudyOptions) -> Figure {
        speed_up::figure(target, Axis::logarithmic("tau_v / tau_x")).over(TIMES[0], TIMES[TIMES.len() - 1])
    }

    fn total(&self, _: &StudyTarget, _: &StudyOptions) -> usize {
        TIMES.len() + 1
    }

    fn expected(&self, target: &StudyTarget, _: &StudyOptions, _: usize, ratio: f64) -> Option<f64> {
        Some(adaptation_speedup(target.frozen.dynamics.adaptation, ratio, 1.0))
    }

    /// The first point, at x = 0, is the sampler without adaptation.
    fn run(&self, target: &StudyTarget, _: &StudyOptions, observer: &mut dyn Observer) -> Result<(), StudyError> {
        let d = &target.frozen.dynamics;
        let as_is = SamplerConfig::of(d);
        let mut sweep = vec![(0.0, SamplerConfig { adaptation: 0.0, ..as_is })];
        sweep.extend(TIMES.map(|t| (t, SamplerConfig { tau_v_ms: t * d.tau_x_ms, ..as_is })));
        speed_up::run(target, &sweep, observer)
    }
}
