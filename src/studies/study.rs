//! The trait of a study.

use crate::data::Stimuli;
use crate::export::table::Table;
use crate::studies::generation::image_distance::Sample;
use crate::studies::{Curve, Figure, Observer, StudyError, StudyFindings, StudyOption, StudyOptions, StudyTarget};
use std::sync::Arc;

/// Places at which a theory curve is drawn, one more than this.
const CURVE_STEPS: usize = 120;

/// An experiment on a model: what it is called, what it needs, what it measures and what theory expects. A value of it is in the
/// registry of [`crate::studies`].
pub trait Study: Send + Sync {
    /// The name on the command line: small letters and hyphens.
    fn name(&self) -> &'static str;
    /// The name on screen.
    fn title(&self) -> &'static str;
    /// What is measured, in one sentence without a full stop.
    fn summary(&self) -> &'static str;
    /// What can be chosen.
    fn options(&self) -> &'static [StudyOption] {
        &[]
    }
    /// Whether it can be done on this model; the error says why not.
    fn applies(&self, _target: &StudyTarget) -> Result<(), StudyError> {
        Ok(())
    }
    /// Whether it compares with images of the data, which [`StudyTarget::images`] then holds.
    fn needs_images(&self) -> bool {
        false
    }
    /// Axes and series of its points.
    fn figure(&self, target: &StudyTarget, options: &StudyOptions) -> Figure;
    /// How far [`Study::run`] goes, in the units of [`crate::studies::Report::Progress`]: points where it does not say otherwise.
    fn total(&self, target: &StudyTarget, options: &StudyOptions) -> usize;
    /// What theory expects at `x` of a series; None where it says nothing.
    fn expected(&self, _target: &StudyTarget, _options: &StudyOptions, _series: usize, _x: f64) -> Option<f64> {
        None
    }
    /// Theory's curves over the range of the figure; a series has one for each range in which theory says something.
    fn curves(&self, target: &StudyTarget, options: &StudyOptions) -> Vec<Curve> {
        let figure = self.figure(target, options);
        let Some([low, high]) = figure.range.map(|range| range.map(|x| figure.x.scale.place(x))) else { return Vec::new() };
        let x = |i: usize| figure.x.scale.value(low + (high - low) * i as f64 / CURVE_STEPS as f64);
        let point = |series: usize, x: f64| self.expected(target, options, series, x).filter(|y| y.is_finite()).map(|y| [x, y]);
        let pieces = |series: usize| {
            let points: Vec<Option<[f64; 2]>> = (0..=CURVE_STEPS).map(|i| point(series, x(i))).collect();
            let pieces = points.split(Option::is_none).filter(|piece| !piece.is_empty());
            pieces.map(|piece| Curve { series, points: piece.iter().copied().flatten().collect() }).collect::<Vec<Curve>>()
        };
        (0..figure.series.len()).flat_map(pieces).collect()
    }
    /// Runs it on the calling thread, and the pool that this is in; `options` are complete. Points go to the observer as they are
    /// found; where that says stop, the error is [`StudyError::Stopped`].
    fn run(&self, target: &StudyTarget, options: &StudyOptions, observer: &mut dyn Observer) -> Result<(), StudyError>;
    /// Its own table in place of a row a point.
    fn table(&self, _findings: &StudyFindings) -> Option<Table> {
        None
    }
    /// What the command line prints at the end in place of a line a point.
    fn printed(&self, _findings: &StudyFindings) -> Option<String> {
        None
    }
    /// Whether the command line prints a line a point as they are found.
    fn prints_points(&self) -> bool {
        true
    }
}

impl StudyTarget {
    /// With images of the data for a study that needs them.
    pub fn with_images(self, study: &dyn Study, images: Option<&Stimuli>, labels: Option<&[u8]>) -> Self {
        let images = images.filter(|_| study.needs_images()).map(|images| Arc::new(Sample::of(images, labels)));
        Self { images: images.or(self.images), ..self }
    }
}
