//! Grid lines that all carry their number, however small the plot.

use egui_plot::{AxisHints, GridInput, GridMark, Plot};

/// Steps of the finest grid (8 points each) that a number needs along the lower axis and up the side.
const LABEL_SPACING: [f64; 2] = [7.0, 4.0];
/// Points between two given marks below which their numbers are left out, and from which they stand in full strength.
const FADE: std::ops::RangeInclusive<f32> = 18.0..=34.0;

/// Lines at multiples of 1, 2 or 5 times a power of ten on both axes, as dense as their numbers allow.
pub fn numbered(plot: Plot<'_>) -> Plot<'_> {
    upright(plot.x_grid_spacer(|input| marks(&input, LABEL_SPACING[0])).x_axis_formatter(|mark, _| number(mark.value)))
}

/// The same for the axis at the side alone.
pub fn upright(plot: Plot<'_>) -> Plot<'_> {
    plot.y_grid_spacer(|input| marks(&input, LABEL_SPACING[1])).y_axis_formatter(|mark, _| number(mark.value))
}

/// Lines at the multiples of `step` along the lower axis, and up the side as dense as their numbers allow.
pub fn every(plot: Plot<'_>, step: f64) -> Plot<'_> {
    let axis = AxisHints::new_x().label_spacing(FADE).formatter(|mark, _| number(mark.value));
    upright(plot.x_grid_spacer(move |input| multiples(input.bounds, step)).custom_x_axes(vec![axis]))
}

fn marks(input: &GridInput, spacing: f64) -> Vec<GridMark> {
    multiples(input.bounds, round_up(input.base_step_size * spacing))
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
            marks(&GridInput { bounds: (low, high), base_step_size: base }, 4.0).iter().map(|mark| mark.value).collect()
        };
        assert_eq!(values(-1.1, 2.3, 0.2), [-1.0, 0.0, 1.0, 2.0]);
        assert!(values(0.0, 1.0, f64::NAN).is_empty() && values(0.0, 1e12, 1e-6).is_empty());
    }

    #[test]
    fn numbers_are_short_and_not_rounded_into_one_another() {
        let shown = [0.0, -1e-15, 0.5, -0.5, 22.5, 135.0, 0.1 + 0.2, 0.0005, 12_000.0, 1.5e6, 2e-5].map(number);
        assert_eq!(shown, ["0", "0", "0.5", "-0.5", "22.5", "135", "0.3", "0.0005", "12000", "1.5e6", "2e-5"]);
        assert_eq!([0.00183833, 0.0, -21.26, 1234.0, 6e-5].map(short), ["0.00184", "0", "-21.3", "1230", "6e-5"]);
    }
}
