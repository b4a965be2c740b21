//! Second-layer units by the filters whose scale they set, as numbers and as bars: what the window and the command line both show.

use crate::analysis::gabor::Gabor;
use crate::analysis::groups::{Group, groups};
use crate::export::bars::{self, Bar};
use crate::export::filters::Format;
use crate::export::table::Table;
use crate::export::write_atomically;
use crate::model::Hierarchy;
use crate::studies::StudyError;
use crate::studies::fits;
use ndarray::ArrayView1;
use std::path::Path;

/// Weights weaker than this share of a unit's strongest are not drawn as bars.
const FAINTEST: f32 = 0.35;
/// R^2 from which a filter has an orientation and a place to be drawn at.
const DRAWN: f64 = 0.5;

/// Whether the units of `layer` set the scale of those below, so that they have no linear filter.
pub fn sets_scale(model: &Hierarchy, layer: usize) -> bool {
    layer >= 1 && model.family_below_top(layer - 1).has_link()
}

/// The fitted filters that a unit drives, by its `weights` `[first-layer units]`, as bars as long as twice the envelope's width along
/// them; the strongest last, so that it is drawn on top.
pub fn bars(weights: ArrayView1<f32>, fits: &[Gabor]) -> Vec<Bar> {
    let top = weights.iter().fold(f32::MIN_POSITIVE, |top, w| top.max(w.abs()));
    let bar = |(filter, (w, fit)): (usize, (&f32, &Gabor))| {
        let (sin, cos) = (fit.orientation as f32).sin_cos();
        let (half, [x, y]) = (fit.widths[1] as f32, fit.centre.map(|c| c as f32));
        // Rows run downwards.
        let (dx, dy) = (half * cos, -half * sin);
        Bar { filter, from: [x - dx, y - dy], to: [x + dx, y + dy], weight: w / top }
    };
    let drawn = |(_, (w, fit)): &(usize, (&f32, &Gabor))| w.abs() >= FAINTEST * top && fit.r2 > DRAWN;
    let mut list: Vec<Bar> = weights.iter().zip(fits).enumerate().filter(drawn).map(bar).collect();
    list.sort_by(|a, b| a.weight.abs().total_cmp(&b.weight.abs()));
    list
}

/// One row a unit: mean orientation (degrees) and its concentration, centre and spread (pixels), both with z beyond shuffled weights.
pub fn table(groups: &[Group]) -> Table {
    let mut table = Table::default();
    table.push("unit", (0..groups.len()).map(|unit| unit as f64));
    let mut column = |name: &str, value: fn(&Group) -> f64| table.push(name, groups.iter().map(value));
    column("orientation_deg", |g| g.orientation.to_degrees());
    column("concentration", |g| g.concentration);
    column("orientation_z", |g| g.orientation_z);
    column("x", |g| g.centre[0]);
    column("y", |g| g.centre[1]);
    column("spread", |g| g.spread);
    column("place_z", |g| g.place_z);
    table
}

/// Writes the units of a layer that sets the scale of the one below: a table (CSV) or bars (SVG). Errors say what is needed.
pub fn save(path: &Path, model: &Hierarchy, layer: usize, format: Format) -> Result<(), StudyError> {
    let wrong = |text: &str| StudyError::NotApplicable(text.into());
    if layer != 2 {
        return Err(StudyError::NotApplicable(format!(
            "layer {layer} sets the scale of a layer without filters of its own: only layer 2 can be shown by the filters it drives"
        )));
    }
    if !matches!(format, Format::Csv | Format::Svg) {
        return Err(wrong("layer 2 sets the scale of layer 1 and has no filter in pixels: csv (its groups) or svg (its bars) is needed"));
    }
    let shape = model.image_shape();
    let Some(gabors) = fits::of(model.weights[0].view(), shape) else {
        return Err(wrong("layer 0 is no picture of at least 6 x 6 pixels"));
    };
    let weights = &model.weights[1];
    let text = if format == Format::Csv {
        table(&groups(weights.view(), &gabors, shape)).csv()
    } else {
        let units: Vec<(usize, Vec<Bar>)> = weights.columns().into_iter().map(|column| bars(column, &gabors)).enumerate().collect();
        bars::svg(&units, shape)
    };
    Ok(write_atomically(path, text.as_bytes())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_lie_where_their_filters_lie() {
        let fit = |degrees: f64, r2: f64| Gabor {
            orientation: degrees.to_radians(),
            centre: [6.0, 3.0],
            widths: [1.0, 2.0],
            r2,
            ..Gabor::default()
        };
        let fits = [fit(90.0, 0.9), fit(0.0, 0.9), fit(0.0, 0.2), fit(0.0, 0.9)];
        let found = bars(ndarray::aview1(&[2.0f32, -1.0, 1.9, 0.1]), &fits);
        let filters: Vec<usize> = found.iter().map(|bar| bar.filter).collect();
        assert_eq!(filters, [1, 0], "no bar for a bad fit or a weak weight, the strongest last");
        assert_eq!((found[0].from, found[0].to, found[0].weight), ([4.0, 3.0], [8.0, 3.0], -0.5));
        assert!((found[1].from[0] - 6.0).abs() < 1e-5 && (found[1].from[1] - 5.0).abs() < 1e-5, "upright: {:?}", found[1]);
    }
}
