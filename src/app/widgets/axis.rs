//! Marks along the lower axis of a small plot, each with its number where that has room.

use egui_plot::{AxisHints, GridInput, GridMark, Plot};

/// Points between two marks below which numbers are left out, and from which they stand in full strength.
const ROOM: std::ops::RangeInclusive<f32> = 18.0..=34.0;

/// Marks at the multiples of `step`.
pub fn every(plot: Plot<'_>, step: f64) -> Plot<'_> {
    let spacer = move |input: GridInput| {
        let (first, last) = ((input.bounds.0 / step).ceil() as i64, (input.bounds.1 / step).floor() as i64);
        (first..=last).map(|k| GridMark { value: k as f64 * step, step_size: step }).collect()
    };
    numbered(plot.x_grid_spacer(spacer), number)
}

/// The text of each mark.
fn numbered<'a>(plot: Plot<'a>, text: impl Fn(f64) -> String + 'a) -> Plot<'a> {
    plot.custom_x_axes(vec![AxisHints::new_x().label_spacing(ROOM).formatter(move |mark, _| text(mark.value))])
}

/// The number in as few digits as it has, three after the point at most.
fn number(value: f64) -> String {
    let rounded = (value * 1000.0).round() / 1000.0;
    format!("{}", if rounded == 0.0 { 0.0 } else { rounded })
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn numbers_are_short_and_not_rounded_into_one_another() {
        assert_eq!([0.0, -1e-9, 0.5, 1.5, 22.5, 135.0, 0.1 + 0.2].map(number), ["0", "0", "0.5", "1.5", "22.5", "135", "0.3"]);
    }
}
