//! Tuning: gratings shown to the network as to a neuron in V1, and how every unit of a layer is tuned to them.

pub mod figures;
mod gratings;
mod protocol;
mod responses;

pub use gratings::Preparation;
pub use protocol::Protocol;
pub use responses::{Responses, UnitTuning};

use crate::analysis::published::{MACAQUE_CIRCULAR_VARIANCE, MACAQUE_HALF_WIDTH_DEG};
use crate::export::table::Table;
use crate::studies::{
    Axis, Detail, Expectation, Figure, Observer, Point, Report, Study, StudyError, StudyFindings, StudyOptions, StudyTarget, fits,
};
use std::sync::Arc;

/// The study.
pub struct Tuning;
/// Its value in the registry.
pub static STUDY: Tuning = Tuning;

impl Study for Tuning {
    fn name(&self) -> &'static str {
        "tuning"
    }

    fn title(&self) -> &'static str {
        "Tuning to gratings"
    }

    fn summary(&self) -> &'static str {
        "How every unit of a layer is tuned to gratings, beside macaque V1"
    }

    fn applies(&self, target: &StudyTarget) -> Result<(), StudyError> {
        fits::picture_shape(&target.frozen.model)?;
        let (layer, active) = (target.watched.layer, target.frozen.active_layers);
        if (1..=active).contains(&layer) {
            return Ok(());
        }
        Err(StudyError::NotApplicable(format!("--layer {layer} is out of range: 1 to {active}, the layers that run")))
    }

    fn figure(&self, _: &StudyTarget, _: &StudyOptions) -> Figure {
        Figure::of(Axis::linear("unit"), Axis::linear("circular variance")).expecting(Expectation::Guide)
    }

    fn total(&self, target: &StudyTarget, _: &StudyOptions) -> usize {
        Protocol::default().networks(target.frozen.model.layers[target.watched.layer].size)
    }

    fn expected(&self, _: &StudyTarget, _: &StudyOptions, _: usize, _: f64) -> Option<f64> {
        Some(MACAQUE_CIRCULAR_VARIANCE)
    }

    /// A point for each unit that responds: its circular variance. The responses themselves are the detail.
    fn run(&self, target: &StudyTarget, _: &StudyOptions, observer: &mut dyn Observer) -> Result<(), StudyError> {
        let frozen = &target.frozen;
        let shape = fits::picture_shape(&frozen.model)?;
        let parameters = frozen.step_parameters();
        let preparation =
            Preparation { model: &frozen.model, parameters: &parameters, active_layers: frozen.active_layers, layer: target.watched.layer };
        let protocol = Protocol { seed: frozen.dynamics.seed, ..Protocol::default() };
        let detail = |found: &Responses| Report::Detail(Detail::Tuning(Arc::new(found.clone())));
        let found = preparation.run(&protocol, shape, &mut |done, total, so_far| {
            so_far.is_none_or(|found| observer.report(detail(found))) && observer.report(Report::Progress(done, total))
        });
        let found = found.ok_or(StudyError::Stopped)?;
        observer.tell(detail(&found))?;
        let variances = found.units.iter().map(figures::circular_variance).enumerate();
        variances
            .filter_map(|(unit, variance)| Some((unit, variance?)))
            .try_for_each(|(unit, variance)| observer.point(Point::new(0, unit as f64, variance, f64::NAN)))
    }

    /// A row a unit.
    fn table(&self, findings: &StudyFindings) -> Option<Table> {
        match &findings.detail {
            Detail::Tuning(responses) => Some(figures::table(responses)),
            _ => None,
        }
    }

    fn printed(&self, findings: &StudyFindings) -> Option<String> {
        let Detail::Tuning(responses) = &findings.detail else { return None };
        let m = figures::medians(responses);
        Some(format!(
            "{} of {} units respond; medians: circular variance {:.2} (macaque {MACAQUE_CIRCULAR_VARIANCE}), half-width {:.1} degrees (macaque {MACAQUE_HALF_WIDTH_DEG}), F1/F0 {:.2}; simple {:.0} %\n",
            m.responding,
            responses.units.len(),
            m.circular_variance,
            m.half_width_deg,
            m.modulation,
            100.0 * m.simple
        ))
    }

    fn prints_points(&self) -> bool {
        false
    }
}
