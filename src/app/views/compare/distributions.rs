//! Histograms of the units' quantities over each other, with the statistic of two samples.

use super::columns::{in_columns, shown_in_sight};
use super::compared::{Compared, color, named};
use crate::app::widgets::figure;
use crate::app::widgets::grid;
use crate::export::table::Table;
use egui::{Ui, vec2};
use egui_plot::{Plot, PlotPoints};

/// Steps of a histogram.
const BINS: usize = 16;
const HEIGHT: f32 = 110.0;
/// The width that a histogram has at least.
const WIDTH: f32 = 230.0;
/// What the statistic is.
pub(super) const STATISTIC: &str =
    "Statistic of Kolmogorov and Smirnov for two samples, and the chance of one so large where both are one distribution";

/// A quantity of the units of every run that has it.
struct Quantity<'a> {
    name: &'static str,
    /// By the number of the run.
    values: Vec<(usize, &'a [f64])>,
    /// By the number of the run that is compared with the first.
    statistics: Vec<(usize, [f64; 2])>,
}

/// The quantities that at least one of the others shares with the first.
fn quantities(compared: &[Compared]) -> Vec<Quantity<'_>> {
    let mut all: Vec<Quantity<'_>> = Vec::new();
    for (i, of) in compared.iter().enumerate() {
        for found in of.comparison.iter().flat_map(|comparison| &comparison.distributions) {
            let at = all.iter().position(|quantity| quantity.name == found.name).unwrap_or_else(|| {
                all.push(Quantity { name: found.name, values: vec![(0, &found.values[0])], statistics: Vec::new() });
                all.len() - 1
            });
            all[at].values.push((i, &found.values[1]));
            all[at].statistics.push((i, [found.statistic, found.chance]));
        }
    }
    all
}

/// Shares of the values in equal bins between `low` and `high`, as the outline of a histogram.
fn outline(values: &[f64], [low, high]: [f64; 2]) -> Vec<[f64; 2]> {
    let (width, mut counts, mut total) = ((high - low) / BINS as f64, [0.0; BINS], 0.0);
    for value in values.iter().filter(|value| value.is_finite()) {
        counts[(((value - low) / width) as usize).min(BINS - 1)] += 1.0;
        total += 1.0;
    }
    let edge = |i: usize| low + i as f64 * width;
    let steps = counts.iter().enumerate().flat_map(|(i, count)| [[edge(i), count / total], [edge(i + 1), count / total]]);
    std::iter::once([low, 0.0]).chain(steps).chain([[high, 0.0]]).collect()
}

/// Smallest and largest of all values; None where they are fewer than two different ones.
fn range(values: &[(usize, &[f64])]) -> Option<[f64; 2]> {
    let finite = || values.iter().flat_map(|(_, values)| *values).copied().filter(|value| value.is_finite());
    let (low, high) = (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max));
    (high - low > 1e-12 * high.abs().max(low.abs())).then_some([low, high]).filter(|range| (range[1] - range[0]).is_finite())
}

/// The values of every unit, a column a quantity and run: of the quantity of this name, or of all.
pub(super) fn add_to(table: &mut Table, compared: &[Compared], name: Option<&str>) {
    for quantity in quantities(compared).iter().filter(|quantity| name.is_none_or(|name| name == quantity.name)) {
        for (i, values) in &quantity.values {
            table.push(format!("{} ({})", quantity.name, compared[*i].label), values.iter().copied());
        }
    }
}

/// Draws them in as many columns as there is room for.
pub(super) fn all(ui: &mut Ui, compared: &[Compared]) {
    let quantities = quantities(compared);
    if quantities.is_empty() {
        return;
    }
    ui.heading("Distributions over units");
    let columns = ((ui.available_width() / WIDTH) as usize).clamp(1, 3);
    in_columns(ui, columns, &quantities, |ui, quantity, width| histogram(ui, quantity, compared, width));
    ui.add_space(4.0);
}

fn histogram(ui: &mut Ui, quantity: &Quantity<'_>, compared: &[Compared], width: f32) {
    let shown = ui.vertical(|ui| {
        ui.set_width(width);
        ui.strong(quantity.name);
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = 10.0;
            named(ui, 0, &compared[0].label);
            for (i, [statistic, chance]) in &quantity.statistics {
                let text = format!("{}: KS {statistic:.3}, p = {chance:.2}", compared[*i].label);
                named(ui, *i, &text).on_hover_text(STATISTIC);
            }
        });
        let Some(range) = range(&quantity.values) else {
            ui.weak("One value alone: no histogram.");
            return;
        };
        let plot = grid::numbered(Plot::new(("distribution", quantity.name))).height(HEIGHT).width(width).allow_scroll(false);
        let plot = plot.allow_drag(false).allow_zoom(false).allow_boxed_zoom(false).y_axis_min_width(34.0).include_y(0.0);
        shown_in_sight(ui, quantity.name, vec2(width, HEIGHT), plot, |plot| {
            for (i, values) in quantity.values.iter().filter(|(_, values)| !values.is_empty()) {
                let line = figure::line(compared[*i].label.clone(), PlotPoints::from(outline(values, range)));
                plot.line(line.color(color(*i)).width(1.4).allow_hover(false));
            }
        });
    });
    figure::mark(ui, quantity.name, shown.response.rect);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_has_the_shares_of_all_values() {
        let values = [0.0, 0.1, 0.5, 8.0, f64::NAN];
        let found = outline(&values, [0.0, 16.0]);
        assert_eq!(found[1..3], [[0.0, 0.75], [1.0, 0.75]]);
        let area: f64 = found.windows(2).map(|p| (p[1][0] - p[0][0]) * 0.5 * (p[0][1] + p[1][1])).sum();
        assert!((area - 1.0).abs() < 1e-12, "{area}");
        assert_eq!(outline(&[16.0], [0.0, 16.0])[31], [15.0, 1.0], "the largest value is in the last bin");
        assert_eq!(range(&[(0, &[1.0, 1.0])]), None);
        assert_eq!(range(&[(0, &[1.0]), (1, &[3.0, f64::NAN])]), Some([1.0, 3.0]));
    }
}
