//! How far generated images are from the data: numbers, classes, and the three distances over time or steps.

use crate::app::theme;
use crate::app::widgets::figure::{self, Figure as _};
use crate::app::widgets::grid;
use crate::app::widgets::measured::Axis;
use crate::app::widgets::switch::Switches as _;
use crate::engine::{GenerationState, Measuring};
use crate::export::table::Table;
use crate::studies::generation::Mode;
use crate::studies::generation::comparison::{Distance, ModeResult};
use egui::{Align2, Color32, FontId, Rect, Sense, Ui, pos2, vec2};
use egui_plot::{Corner, HLine, Legend, LineStyle, Plot, Points, VLine};

const MEASURE: &str = "Frechet distance between generated images and images of the data, on the features of a fixed random convolutional network, whitened. It falls with the number of images: compare only figures of one count. The floor is the distance of other images of the data.";
/// Marks of newer weights drawn at most.
const MOST_MARKS: usize = 12;
/// Distances closer than this share are called even.
const EVEN: f64 = 0.05;

fn value(distance: &Distance, means: bool) -> f64 {
    if means { distance.means } else { distance.samples }
}

/// Mean distance of independent draws from the present weights: every point of the ancestral mode is one.
fn level(mode_result: &ModeResult, means: bool) -> Option<f64> {
    let since = mode_result.renewed.last().copied().unwrap_or(0.0);
    let all = &mode_result.distances;
    let first = all.iter().position(|d| d.seconds > since).unwrap_or(all.len().saturating_sub(1));
    let present = &all[first..];
    (!present.is_empty()).then(|| present.iter().map(|d| value(d, means)).sum::<f64>() / present.len() as f64)
}

/// A number with about three digits that count.
fn short(value: f64) -> String {
    let digits = (2.0 - value.abs().max(1e-3).log10().floor()).clamp(0.0, 3.0) as usize;
    format!("{value:.digits$}")
}

/// Distance, steps and seconds of one mode.
pub(super) fn numbers(ui: &mut Ui, found: &GenerationState, mode_result: &ModeResult, means: bool) {
    let distance = match mode_result.mode {
        Mode::Ancestral => level(mode_result, means),
        _ => mode_result.distances.last().map(|d| value(d, means)),
    };
    let plural = if mode_result.steps == 1 { "" } else { "s" };
    let pace = format!("{} step{plural}", mode_result.steps);
    let text = match (&found.measuring, distance) {
        (Measuring::Ready(floor), Some(distance)) => format!("Frechet {} (real images {}), {pace}", short(distance), short(floor.distance)),
        _ => pace,
    };
    let seconds = short(mode_result.seconds);
    let tip = format!("Frechet distance (that of data), steps of the whole network; {seconds} s of computing");
    ui.add(egui::Label::new(text).truncate()).on_hover_text(tip);
}

/// Share of each class, with a mark where the data have it.
pub(super) fn classes(ui: &mut Ui, found: &GenerationState, mode_result: &ModeResult, color: Color32) {
    let (Measuring::Ready(floor), Some(shares)) = (&found.measuring, &mode_result.shares) else { return };
    let count = shares.len().max(1) as f32;
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 40.0), Sense::hover());
    figure::mark(ui, format!("classes, {}", mode_result.mode.name()), rect);
    let dark = ui.visuals().dark_mode;
    let data = floor.shares.clone().unwrap_or_default();
    let top = shares.iter().chain(&data).fold(f64::MIN_POSITIVE, |t, s| t.max(*s)) as f32;
    let (available, width) = (rect.height() - 13.0, rect.width() / count);
    for (i, share) in shares.iter().enumerate() {
        let (left, base) = (rect.left() + i as f32 * width, rect.bottom() - 13.0);
        let height = |share: f64| share as f32 / top * available;
        let bar = Rect::from_min_max(pos2(left + 1.0, base - height(*share)), pos2(left + width - 1.0, base));
        ui.painter().rect_filled(bar, 0.0, color);
        if let Some(share) = data.get(i) {
            let y = base - height(*share);
            ui.painter().hline(left..=left + width, y, egui::Stroke::new(1.2, theme::exact(dark)));
        }
        let name = floor.classes.get(i).map(u8::to_string).unwrap_or_default();
        let font = FontId::proportional(10.0);
        ui.painter().text(pos2(left + width / 2.0, rect.bottom()), Align2::CENTER_BOTTOM, name, font, ui.visuals().weak_text_color());
    }
    response.on_hover_text("Share of each class among the means (linear discriminants of the features); line: among the data");
}

/// The last distance up to a time or step.
fn until(mode_result: &ModeResult, over_steps: bool, limit: f64, means: bool) -> Option<f64> {
    let place = |d: &Distance| if over_steps { d.steps as f64 } else { d.seconds };
    mode_result.distances.iter().rfind(|d| place(d) <= limit * 1.0001).map(|d| value(d, means))
}

/// The paper's claim as it comes out here; None before both have been measured.
fn claim(found: &GenerationState, over_steps: bool, means: bool) -> Option<String> {
    let place = |d: &Distance| if over_steps { d.steps as f64 } else { d.seconds };
    let last = |i: usize| found.modes[i].distances.last().map(place);
    let limit = last(0)?.min(last(1)?);
    let [joint, marginal] = [0, 1].map(|i| until(&found.modes[i], over_steps, limit, means));
    let (joint, marginal) = (joint?, marginal?);
    let scores = match marginal / joint {
        ratio if (ratio - 1.0).abs() < EVEN => "even",
        ratio if ratio < 1.0 => "marginal is ahead",
        _ => "joint is ahead",
    };
    let at = if over_steps { format!("After {limit} steps each") } else { format!("After {} s each", short(limit)) };
    Some(format!("{at}: joint {}, marginal {}: {scores} (the paper: marginal)", short(joint), short(marginal)))
}

/// The three distances over computing time or steps of the network, with the floor.
pub(super) fn plot(ui: &mut Ui, found: &GenerationState, over_steps: &mut bool, means: bool, height: f32) {
    let floor = match &found.measuring {
        Measuring::Missing(reason) => {
            ui.weak(format!("No distance: {reason}."));
            return;
        }
        Measuring::Preparing => {
            ui.weak("Fitting the measure to the data ...");
            return;
        }
        Measuring::Ready(floor) => floor,
    };
    ui.horizontal(|ui| {
        ui.switch_value(over_steps, false, "Time").on_hover_text("Seconds of computing of each mode; all get the same");
        ui.switch_value(over_steps, true, "Steps").on_hover_text("Steps of the whole network");
        let text = claim(found, *over_steps, means).unwrap_or_else(|| "The paper says marginal beats joint: measured here.".into());
        let counts = format!("{MEASURE} {} images of each against {} of the data.", floor.count, floor.reference_count);
        ui.add(egui::Label::new(text).truncate()).on_hover_text(counts);
    });
    let (dark, over_steps) = (ui.visuals().dark_mode, *over_steps);
    let log = |value: f64| Axis::Logarithmic.place(value);
    let place = |d: &Distance| [log(if over_steps { d.steps as f64 } else { d.seconds }), log(value(d, means))];
    let renewed = &found.modes[0].renewed;
    grid::scaled(Plot::new(("distances", over_steps)), [Axis::Logarithmic; 2])
        .height(height.max(60.0))
        .legend(Legend::default().position(Corner::LeftBottom).follow_insertion_order(true))
        .allow_scroll(false)
        .x_axis_label(if over_steps { "steps of the network" } else { "seconds of computing" })
        .y_axis_label("Frechet distance")
        .y_axis_min_width(36.0)
        .figure(ui, "distance", |plot| {
            for (mode_result, color) in found.modes.iter().zip(theme::SERIES) {
                let name = mode_result.mode.name();
                let points: Vec<[f64; 2]> = mode_result.distances.iter().map(place).collect();
                if mode_result.mode == Mode::Ancestral {
                    if let Some(level) = level(mode_result, means) {
                        plot.hline(HLine::new(name, log(level)).color(color).width(1.6).style(LineStyle::dashed_loose()));
                    }
                } else {
                    plot.line(figure::line(name, figure::points(points.clone())).color(color).width(1.6));
                }
                plot.points(Points::new(name, figure::points(points)).color(color).radius(2.6));
            }
            plot.hline(HLine::new("data", log(floor.distance)).color(theme::exact(dark)).width(1.4));
            if !over_steps && renewed.len() <= MOST_MARKS {
                let marks = renewed.iter().map(|&at| VLine::new("new weights", log(at)).color(theme::exact(dark).gamma_multiply(0.3)));
                marks.for_each(|mark| plot.vline(mark.width(1.0)));
            }
        });
}

/// Distances of every mode, the floor, and shares of the classes.
pub(super) fn table(found: &GenerationState) -> Option<Table> {
    let mut table = Table::default();
    for mode_result in &found.modes {
        let (name, all) = (mode_result.mode.name(), &mode_result.distances);
        table.push(format!("{name}_seconds"), all.iter().map(|d| d.seconds));
        table.push(format!("{name}_steps"), all.iter().map(|d| d.steps as f64));
        table.push(format!("{name}_distance_of_samples"), all.iter().map(|d| d.samples));
        table.push(format!("{name}_distance_of_means"), all.iter().map(|d| d.means));
    }
    if let Measuring::Ready(floor) = &found.measuring {
        table.push("distance_of_data", [floor.distance]);
        table.push("images", [floor.count as f64]);
        table.push("class", floor.classes.iter().map(|&c| f64::from(c)));
    }
    for mode_result in &found.modes {
        table.push(format!("{}_share", mode_result.mode.name()), mode_result.shares.iter().flatten().copied());
    }
    found.modes.iter().any(|mode_result| !mode_result.distances.is_empty()).then_some(table)
}
