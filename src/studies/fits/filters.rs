//! Fits of filters as numbers and as ellipses: what the window and the command line both write.

use crate::analysis::gabor::{self, Gabor};
use crate::experiment::parallel::on_each;
use crate::export::filters::{self, Ellipse, Format, Look};
use crate::export::table::Table;
use crate::export::write_atomically;
use crate::studies::StudyError;
use ndarray::ArrayView2;
use std::path::Path;

/// Filters that are fitted between two reports.
const AT_A_TIME: usize = 32;

/// The fits of the columns of `filters` `[pixels, units]`, pictures of `shape`; None where that is less than 6 x 6 pixels.
pub fn of(filters: ArrayView2<f32>, shape: [usize; 2]) -> Option<Vec<Gabor>> {
    fit_all(filters, patch(shape)?, &[], &mut |_| true)
}

/// Fits every column of `filters` `[pixels, units]`, pictures of `shape`, on the threads of the pool that this runs in: from the fits `before`
/// where there are any, as [`gabor::follow`] does. `go_on` hears how many are done; where it answers no, None is returned.
pub fn fit_all(filters: ArrayView2<f32>, shape: [usize; 2], before: &[Gabor], go_on: &mut dyn FnMut(usize) -> bool) -> Option<Vec<Gabor>> {
    let mut fits: Vec<Gabor> = Vec::with_capacity(filters.ncols());
    while go_on(fits.len()) {
        if fits.len() == filters.ncols() {
            return Some(fits);
        }
        let mut units: Vec<usize> = (fits.len()..filters.ncols().min(fits.len() + AT_A_TIME)).collect();
        fits.extend(on_each(&mut units, |_, unit| {
            let filter = filters.column(*unit).to_vec();
            before.get(*unit).map_or_else(|| gabor::fit(&filter, shape), |before| gabor::follow(&filter, shape, before))
        }));
    }
    None
}

/// Rows and columns of a picture, where it can hold a Gabor function.
pub fn patch(shape: [usize; 2]) -> Option<[usize; 2]> {
    shape.iter().all(|&side| side >= SMALLEST_SIDE).then_some(shape)
}

const SMALLEST_SIDE: usize = 6;

/// Writes filters `[pixels, units]` as [`filters::save`] does, with their fits where these are asked for: as the rows of a CSV, and
/// as `outlines` over an SVG.
pub fn save(
    path: &Path,
    filters: ArrayView2<f32>,
    shape: [usize; 2],
    format: Format,
    look: Look,
    zoom: u32,
    outlines: bool,
) -> Result<(), StudyError> {
    let fits = if format == Format::Csv || outlines { of(filters, shape) } else { None };
    match (format, &fits) {
        (Format::Csv, Some(fits)) => Ok(write_atomically(path, table(fits, shape).csv().as_bytes())?),
        _ => {
            let outlines = fits.map(|fits| ellipses(&fits, shape)).unwrap_or_default();
            Ok(filters::save(path, filters, shape, format, look, zoom, &outlines)?)
        }
    }
}

/// One row a filter: unit, centre (pixels), orientation (degrees), frequency (cycles a pixel), phase (degrees), widths (pixels),
/// n_x, n_y, amplitude, R^2, and whether it counts as Gabor-like on a patch of `shape`.
pub fn table(fits: &[Gabor], shape: [usize; 2]) -> Table {
    let mut table = Table::default();
    let mut column = |name: &str, value: &dyn Fn(usize, &Gabor) -> f64| {
        table.push(name, fits.iter().enumerate().map(|(unit, fit)| value(unit, fit)));
    };
    column("unit", &|unit, _| unit as f64);
    column("x", &|_, fit| fit.centre[0]);
    column("y", &|_, fit| fit.centre[1]);
    column("orientation_deg", &|_, fit| fit.orientation.to_degrees());
    column("frequency", &|_, fit| fit.frequency);
    column("phase_deg", &|_, fit| fit.phase.to_degrees());
    column("width_across", &|_, fit| fit.widths[0]);
    column("width_along", &|_, fit| fit.widths[1]);
    column("n_x", &|_, fit| fit.periods()[0]);
    column("n_y", &|_, fit| fit.periods()[1]);
    column("amplitude", &|_, fit| fit.amplitude);
    column("r2", &|_, fit| fit.r2);
    column("gabor_like", &|_, fit| f64::from(u8::from(fit.is_gabor_like(shape))));
    table
}

/// Outlines of the envelopes (one standard deviation) of the Gabor-like fits, by unit.
pub fn ellipses(fits: &[Gabor], shape: [usize; 2]) -> Vec<Option<Ellipse>> {
    let outline = |fit: &Gabor| {
        fit.is_gabor_like(shape).then(|| Ellipse {
            centre: fit.centre.map(|c| c as f32),
            radii: [fit.widths[1] as f32, fit.widths[0] as f32],
            angle: -fit.orientation as f32,
        })
    };
    fits.iter().map(outline).collect()
}
