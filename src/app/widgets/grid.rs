//! Axes whose grid lines carry their number, at least two of them however small the plot and wherever it was moved to.

use crate::studies::Scale;
use egui_plot::{AxisHints, GridInput, GridMark, Plot};
use std::ops::RangeInclusive;

/// Steps of the finest grid (8 points each) that a number needs along the lower axis and up the side.
const LABEL_SPACING: [f64; 2] = [7.0, 4.0];
/// Half the width of a usual number and of a long one, in such steps.
const SHORT: f64 = 1.0;
const LONG: f64 = 3.5;
/// Points between two lines below which their numbers are left out, and from which they stand in full strength: along and up.
const FADE: [RangeInclusive<f32>; 2] = [14.0..=24.0, 9.0..=14.0];
/// Steps, the largest first, times a power of ten; of those that are less round each is at most one and a half times the next.
const ROUND: [f64; 5] = [5.0, 2.0, 1.0, 0.5, 0.2];
const LESS_ROUND: [f64; 14] = [8.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.5, 1.0, 0.8, 0.6, 0.5, 0.4, 0.3, 0.2];
/// The step of lines between the numbers of a logarithmic axis, which tells them from others.
const BETWEEN: f64 = 0.06;

/// Lines at multiples of 1, 2 or 5 times a power of ten on both axes, as dense as their numbers allow. It comes before what is said of
/// the axes besides.
pub fn numbered(plot: Plot<'_>) -> Plot<'_> {
    scaled(plot, [Scale::Linear; 2])
}

/// The same for axes that may be logarithmic: the lower one and the one at the side.
pub fn scaled(plot: Plot<'_>, [x, y]: [Scale; 2]) -> Plot<'_> {
    let lower = AxisHints::new_x().label_spacing(FADE[0].clone()).formatter(move |mark, _| text(x, mark));
    let spacer = move |input: GridInput| clear_of_end(&input, SHORT, marks(x, &input, LABEL_SPACING[0]));
    side(plot.x_grid_spacer(spacer).custom_x_axes(vec![lower]), y)
}

/// Lines at the multiples of `step` along the lower axis, and up the side as dense as their numbers allow.
pub fn every(plot: Plot<'_>, step: f64) -> Plot<'_> {
    let lower = AxisHints::new_x().label_spacing(FADE[0].clone()).formatter(|mark, _| number(mark.value));
    let spacer = move |input: GridInput| {
        let lines = multiples(input.bounds, step);
        if lines.len() < 2 { marks(Scale::Linear, &input, LABEL_SPACING[0]) } else { lines }
    };
    side(plot.x_grid_spacer(spacer).custom_x_axes(vec![lower]), Scale::Linear)
}

fn side(plot: Plot<'_>, scale: Scale) -> Plot<'_> {
    let axis = AxisHints::new_y().label_spacing(FADE[1].clone()).formatter(move |mark, _| text(scale, mark));
    plot.y_grid_spacer(move |input| marks(scale, &input, LABEL_SPACING[1])).custom_y_axes(vec![axis])
}

fn marks(scale: Scale, input: &GridInput, spacing: f64) -> Vec<GridMark> {
    let least = input.base_step_size * spacing;
    match scale {
        Scale::Linear => two_at_least(input.bounds, least),
        Scale::Logarithmic => decades(input.bounds, least),
    }
}

/// What stands at a line: its number, or on a logarithmic axis the number of which it is the logarithm; nothing between the numbers.
fn text(scale: Scale, mark: GridMark) -> String {
    match scale {
        Scale::Linear => number(mark.value),
        Scale::Logarithmic if mark.step_size == BETWEEN => String::new(),
        Scale::Logarithmic => number(10f64.powf(mark.value)),
    }
}

/// Lines along the lower axis whose numbers are long, as with a unit.
pub fn with_long_numbers(input: GridInput) -> Vec<GridMark> {
    clear_of_end(&input, LONG, marks(Scale::Linear, &input, LABEL_SPACING[0]))
}

/// Without the line at the right that is closer to the end than so many steps of the finest grid, where two others are left: its number
/// would be cut off there.
fn clear_of_end(input: &GridInput, steps: f64, mut lines: Vec<GridMark>) -> Vec<GridMark> {
    let is_clear = |mark: &GridMark| input.bounds.1 - mark.value > steps * input.base_step_size;
    if lines.iter().filter(|mark| mark.step_size != BETWEEN && is_clear(mark)).count() >= 2 {
        lines.retain(is_clear);
    }
    lines
}

/// Multiples of the smallest round number from `least` on, or of a smaller one where those are fewer than two: of one that is less round
/// before the lines are so close that a number does not find its room.
fn two_at_least(bounds: (f64, f64), least: f64) -> Vec<GridMark> {
    let mut step = round_up(least);
    if multiples(bounds, step).len() < 2 {
        let power = 10f64.powf(least.log10().floor());
        let steps = ROUND.into_iter().chain(LESS_ROUND).map(|digit| digit * power).filter(|step| (0.5 * least..=least).contains(step));
        if let Some(lines) = steps.map(|step| multiples(bounds, step)).find(|lines| lines.len() >= 2) {
            return lines;
        }
    }
    for _ in 0..4 {
        let lines = multiples(bounds, step);
        if lines.len() != 1 && !(lines.is_empty() && bounds.1 > bounds.0) {
            return lines;
        }
        step = round_up(0.39 * step);
    }
    multiples(bounds, step)
}

/// Lines of a logarithmic axis, whose numbers are `least` decades apart at least: whole decades, every second or third where they are
/// dense, and the numbers between them where they are not. Where fewer than two would stand there, round numbers between the bounds.
fn decades((low, high): (f64, f64), least: f64) -> Vec<GridMark> {
    if !(low.is_finite() && high.is_finite() && least.is_finite() && high > low && high - low < 300.0) {
        return Vec::new();
    }
    let mut step = least.ceil().max(1.0);
    let mut lines = multiples((low, high), step);
    while lines.len() < 2 && step > 1.0 {
        step = (0.5 * step).ceil();
        lines = multiples((low, high), step);
    }
    if step == 1.0 {
        let digits = |step_size: fn(i32) -> f64| {
            let all = (low.floor() as i32..=high.floor() as i32).flat_map(|decade| (2..10).map(move |k| (decade, k)));
            let mark = move |(decade, k): (i32, i32)| GridMark { value: f64::from(decade) + f64::from(k).log10(), step_size: step_size(k) };
            all.map(mark).filter(move |mark| (low..=high).contains(&mark.value))
        };
        // 1, 2 and 5 have numbers where there is room or need.
        let has_few = lines.len() < 2;
        lines.extend(digits(match (has_few, least <= 0.3) {
            (true, _) => |k| if k == 2 || k == 5 { 1.0 } else { BETWEEN },
            (false, true) => |k| if k == 2 || k == 5 { 0.3 } else { BETWEEN },
            (false, false) => |_| BETWEEN,
        }));
    }
    if lines.iter().filter(|mark| mark.step_size != BETWEEN).count() < 2 {
        let [first, last] = [low, high].map(|place| 10f64.powf(place));
        let between = two_at_least((first, last), (last - first) / 4.0);
        lines = between.iter().map(|mark| GridMark { value: mark.value.log10(), step_size: 0.3 * (high - low) }).collect();
    }
    lines
}

fn multiples((low, high): (f64, f64), step: f64) -> Vec<GridMark> {
    let ends = (low / step).ceil()..=(high / step).floor();
    if !(step.is_finite() && step > 0.0 && (ends.end() - ends.start()) < 1000.0) {
        return Vec::new();
    }
    (*ends.start() as i64..=*ends.end() as i64).map(|k| GridMark { value: k as f64 * step, step_size: step }).collect()
}

/// The next number of the form 1, 2 or 5 times a power of ten.
fn round_up(value: f64) -> f64 {
    let power = 10f64.powf(value.log10().floor());
    [1.0, 2.0, 5.0].map(|digit| digit * power).into_iter().find(|&step| step >= value * (1.0 - 1e-9)).unwrap_or(10.0 * power)
}

/// The number in as few digits as it has, six that count at most.
pub fn number(value: f64) -> String {
    let size = value.abs();
    if size < 1e-12 {
        return "0".into();
    }
    if !(1e-4..1e6).contains(&size) {
        let text = format!("{value:.3e}");
        return text.split_once('e').map_or(text.clone(), |(digits, power)| format!("{}e{power}", trimmed(digits)));
    }
    let digits = (5 - size.log10().floor() as i32).clamp(0, 9) as usize;
    trimmed(&format!("{value:.digits$}")).into()
}

/// The number with three digits that count.
pub fn short(value: f64) -> String {
    let scale = 10f64.powi(2 - value.abs().max(1e-300).log10().floor() as i32);
    number(if scale.is_finite() { (value * scale).round() / scale } else { 0.0 })
}

/// Without the zeros at its end that say nothing.
fn trimmed(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round_and_lines_stand_within_the_bounds() {
        assert_eq!([0.011, 0.2, 3.0, 7.0].map(round_up), [0.02, 0.2, 5.0, 10.0]);
        let values = |low, high, base| -> Vec<f64> {
            marks(Scale::Linear, &GridInput { bounds: (low, high), base_step_size: base }, 4.0).iter().map(|mark| mark.value).collect()
        };
        assert_eq!(values(-1.1, 2.3, 0.2), [-1.0, 0.0, 1.0, 2.0]);
        assert!(values(0.0, 1.0, f64::NAN).is_empty() && values(0.0, 1e12, 1e-6).is_empty());
        assert_eq!(values(0.3, 1.4, 0.25), [0.5, 1.0], "closer together where else one number would stand alone");
    }

    #[test]
    fn every_axis_has_two_numbers_that_do_not_overlap_much() {
        for scale in [Scale::Linear, Scale::Logarithmic] {
            for points in [60.0, 90.0, 150.0, 400.0, 1200.0] {
                for (low, high) in [(0.0, 1.0), (-3.1, 1.7), (0.31, 0.64), (2.001, 2.004), (-9.0, 9.0), (-0.4, 0.9), (1.0, 3.0)] {
                    let input = || GridInput { bounds: (low, high), base_step_size: (high - low) / points * 8.0 };
                    for (axis, spacing) in LABEL_SPACING.into_iter().enumerate() {
                        let all = marks(scale, &input(), spacing);
                        let places: Vec<f64> = all
                            .iter()
                            .filter(|mark| !text(scale, **mark).is_empty())
                            .map(|mark| (mark.value - low) / (high - low) * points)
                            .collect();
                        let mut sorted = places.clone();
                        sorted.sort_by(f64::total_cmp);
                        let closest = sorted.windows(2).map(|pair| pair[1] - pair[0]).fold(f64::INFINITY, f64::min);
                        let least = (0.13 * points).min([12.0, 9.0][axis]);
                        assert!(places.len() >= 2, "{scale:?}, {low} to {high} on {points} points: {places:?}");
                        assert!(closest >= least, "{scale:?}, {low} to {high} on {points} points: {closest} points apart");
                        let hidden = all.iter().filter(|mark| mark.step_size * points / (high - low) <= f64::from(*FADE[axis].start()));
                        assert!(
                            hidden.clone().all(|mark| text(scale, *mark).is_empty()),
                            "{scale:?}, {low} to {high}: {:?}",
                            hidden.count()
                        );
                    }
                }
            }
        }
    }

    /// A number up the side is left out where the next line is closer than it is high.
    #[test]
    fn numbers_up_the_side_have_room_in_low_plots() {
        for points in (50..140).map(f64::from) {
            for k in 0..200 {
                let (centre, half) = (0.137 * f64::from(k % 20) - 1.3, 1.3f64.powi(k / 10 - 8));
                let input = GridInput { bounds: (centre - half, centre + half), base_step_size: 2.0 * half / points * 8.0 };
                let lines = marks(Scale::Linear, &input, LABEL_SPACING[1]);
                let closest = lines.iter().map(|mark| mark.step_size / (2.0 * half) * points).fold(f64::INFINITY, f64::min);
                assert!(lines.len() >= 2 && closest >= 15.9, "{centre} +- {half} on {points} points: {closest} apart, {lines:?}");
            }
        }
    }

    #[test]
    fn a_logarithmic_axis_has_the_numbers_themselves() {
        let shown = |low, high, points: f64| -> Vec<String> {
            let input = GridInput { bounds: (low, high), base_step_size: (high - low) / points * 8.0 };
            marks(Scale::Logarithmic, &input, 7.0)
                .into_iter()
                .map(|mark| text(Scale::Logarithmic, mark))
                .filter(|text| !text.is_empty())
                .collect()
        };
        assert_eq!(shown(-2.0, 1.0, 300.0), ["0.01", "0.1", "1", "10"]);
        assert_eq!(shown(-6.0, 6.0, 200.0), ["0.0001", "1", "10000"]);
        assert_eq!(shown(0.2, 0.9, 300.0), ["2", "5"]);
        assert_eq!(shown(1.45, 1.6, 300.0), ["30", "35"]);
    }

    #[test]
    fn numbers_are_short_and_not_rounded_into_one_another() {
        let shown = [0.0, -1e-15, 0.5, -0.5, 22.5, 135.0, 0.1 + 0.2, 0.0005, 12_000.0, 1.5e6, 2e-5].map(number);
        assert_eq!(shown, ["0", "0", "0.5", "-0.5", "22.5", "135", "0.3", "0.0005", "12000", "1.5e6", "2e-5"]);
        assert_eq!([0.00183833, 0.0, -21.26, 1234.0, 6e-5].map(short), ["0.00184", "0", "-21.3", "1230", "6e-5"]);
    }
}
