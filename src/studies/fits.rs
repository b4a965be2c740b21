//! Gabor fits of the filters of a layer, in the plane of Ringach: lengths and widths of the envelope in periods of the carrier.

mod filters;
pub mod groups;

pub use filters::{ellipses, fit_all, of, patch, save, table};

use crate::analysis::groups::groups as groups_of;
use crate::export::table::Table;
use crate::model::{Hierarchy, receptive_field};
use crate::studies::{Axis, Detail, Figure, Observer, Point, Report, Study, StudyError, StudyFindings, StudyOptions, StudyTarget};
use std::sync::Arc;

/// The study.
pub struct Fits;
/// Its value in the registry.
pub static STUDY: Fits = Fits;

impl Study for Fits {
    fn name(&self) -> &'static str {
        "fits"
    }

    fn title(&self) -> &'static str {
        "Gabor fits"
    }

    fn summary(&self) -> &'static str {
        "Gabor functions fitted to the filters of a layer, or the groups of filters whose scale its units set"
    }

    fn applies(&self, target: &StudyTarget) -> Result<(), StudyError> {
        picture_shape(&target.frozen.model).map(drop)?;
        let layer = target.watched.layer;
        if groups::sets_scale(&target.frozen.model, layer) && layer != 2 {
            return Err(StudyError::NotApplicable(format!("layer {layer} sets the scale of a layer without filters of its own")));
        }
        Ok(())
    }

    fn figure(&self, target: &StudyTarget, _: &StudyOptions) -> Figure {
        if groups::sets_scale(&target.frozen.model, target.watched.layer) {
            return Figure::of(Axis::linear("unit"), Axis::linear("z of the concentration of orientations"));
        }
        Figure::of(Axis::linear("n_x: width across in periods"), Axis::linear("n_y: width along in periods")).named(&["Gabor-like filters"])
    }

    fn total(&self, target: &StudyTarget, _: &StudyOptions) -> usize {
        target.frozen.model.weights[fitted_layer(target) - 1].ncols()
    }

    fn run(&self, target: &StudyTarget, _: &StudyOptions, observer: &mut dyn Observer) -> Result<(), StudyError> {
        let (model, layer) = (&target.frozen.model, fitted_layer(target));
        let shape = picture_shape(model)?;
        let filters = receptive_field::filters(model, layer, None);
        let mut told = Ok(());
        let mut go_on = |done: usize| {
            told = observer.progress(done, filters.ncols());
            told.is_ok()
        };
        let fitted = fit_all(filters.view(), shape, &[], &mut go_on);
        told?;
        let fitted = fitted.unwrap_or_default(); // it ends early only where it was told to
        if groups::sets_scale(model, target.watched.layer) {
            let found = groups_of(model.weights[layer].view(), &fitted, shape);
            observer.tell(Report::Detail(Detail::Table(Arc::new(groups::table(&found)))))?;
            return found
                .iter()
                .enumerate()
                .try_for_each(|(unit, group)| observer.point(Point::new(0, unit as f64, group.orientation_z, f64::NAN)));
        }
        observer.tell(Report::Detail(Detail::Table(Arc::new(table(&fitted, shape)))))?;
        fitted.iter().filter(|fit| fit.is_gabor_like(shape)).try_for_each(|fit| {
            let [n_x, n_y] = fit.periods();
            observer.point(Point::new(0, n_x, n_y, f64::NAN))
        })
    }

    /// A row a unit.
    fn table(&self, findings: &StudyFindings) -> Option<Table> {
        match &findings.detail {
            Detail::Table(table) => Some((**table).clone()),
            _ => None,
        }
    }

    fn printed(&self, findings: &StudyFindings) -> Option<String> {
        let table = self.table(findings)?;
        let mut r2 = table.columns.iter().find(|(name, _)| name == "r2").map(|(_, values)| values.clone()).unwrap_or_default();
        if r2.is_empty() {
            return Some(format!("{} units set the scale of groups of filters\n", findings.points.len()));
        }
        r2.sort_by(f64::total_cmp);
        let (count, like) = (r2.len(), findings.points.len());
        Some(format!("{like} of {count} filters are Gabor-like; median R^2 {:.2}\n", r2[count / 2]))
    }

    fn prints_points(&self) -> bool {
        false
    }
}

/// The layer whose filters are fitted: that looked at, or the one below where it sets that layer's scale.
fn fitted_layer(target: &StudyTarget) -> usize {
    let layer = target.watched.layer;
    if groups::sets_scale(&target.frozen.model, layer) { (layer - 1).max(1) } else { layer }
}

/// Rows and columns of the picture that a model observes; the error says what is needed.
pub fn picture_shape(model: &Hierarchy) -> Result<[usize; 2], StudyError> {
    let shape @ [rows, columns] = model.image_shape();
    patch(shape)
        .ok_or_else(|| StudyError::NotApplicable(format!("it observes {rows} x {columns} values, no picture of at least 6 x 6 pixels")))
}
