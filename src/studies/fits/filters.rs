//! Fits of filters as numbers and as ellipses: what the window and the command line both write.

use crate::analysis::gabor::{self, Gabor};
use crate::export::filters::{self, Ellipse, Format, tile};
use crate::export::mosaic::Scale;
use crate::export::table::Table;
use crate::export::write_atomically;
use crate::studies::StudyError;
use ndarray::ArrayView2;
use std::path::Path;

/// The fits of the columns of `filters` `[pixels, units]` and the side of the patch; None where it is no square picture of at
/// least 6 x 6 pixels.
pub fn of(filters: ArrayView2<f32>) -> Option<(Vec<Gabor>, usize)> {
    let side = side(filters.nrows())?;
    Some((filters.columns().into_iter().map(|column| gabor::fit(&column.to_vec(), side)).collect(), side))
}

/// The side of a square picture of so many pixels that can hold a Gabor function.
pub fn side(pixels: usize) -> Option<usize> {
    let [rows, columns] = tile(pixels);
    (rows == columns && rows >= SMALLEST_SIDE).then_some(rows)
}

const SMALLEST_SIDE: usize = 6;

/// Writes filters `[pixels, units]` as [`filters::save`] does, with their fits where these are asked for: as the rows of a CSV, and
/// as `outlines` over an SVG.
pub fn save(path: &Path, filters: ArrayView2<f32>, format: Format, scale: Scale, zoom: u32, outlines: bool) -> Result<(), StudyError> {
    let fits = if format == Format::Csv || outlines { of(filters) } else { None };
    match (format, &fits) {
        (Format::Csv, Some((fits, side))) => Ok(write_atomically(path, table(fits, *side).csv().as_bytes())?),
        _ => {
            let outlines = fits.map(|(fits, side)| ellipses(&fits, side)).unwrap_or_default();
            Ok(filters::save(path, filters, format, scale, zoom, &outlines)?)
        }
    }
}

/// One row a filter: unit, centre (pixels), orientation (degrees), frequency (cycles a pixel), phase (degrees), widths (pixels),
/// n_x, n_y, amplitude, R^2, and whether it counts as Gabor-like on a patch of `side` pixels.
pub fn table(fits: &[Gabor], side: usize) -> Table {
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
    column("gabor_like", &|_, fit| f64::from(u8::from(fit.is_gabor_like(side))));
    table
}

/// Outlines of the envelopes (one standard deviation) of the Gabor-like fits, by unit.
pub fn ellipses(fits: &[Gabor], side: usize) -> Vec<Option<Ellipse>> {
    let outline = |fit: &Gabor| {
        fit.is_gabor_like(side).then(|| Ellipse {
            centre: fit.centre.map(|c| c as f32),
            radii: [fit.widths[1] as f32, fit.widths[0] as f32],
            angle: -fit.orientation as f32,
        })
    };
    fits.iter().map(outline).collect()
}
