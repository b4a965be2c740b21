//! Grid lines that all carry their number, however small the plot.

use egui_plot::{GridInput, GridMark, Plot};

/// Steps of the finest grid (8 points each) that a number needs along the lower axis and up the side.
const ROOM: [f64; 2] = [10.5, 4.0];

/// Lines at multiples of 1, 2 or 5 times a power of ten on both axes, as dense as their numbers allow.
pub fn numbered(plot: Plot<'_>) -> Plot<'_> {
    upright(plot.x_grid_spacer(|input| marks(&input, ROOM[0])))
}

/// The same for the axis at the side alone.
pub fn upright(plot: Plot<'_>) -> Plot<'_> {
    plot.y_grid_spacer(|input| marks(&input, ROOM[1]))
}

fn marks(input: &GridInput, room: f64) -> Vec<GridMark> {
    let (low, high) = input.bounds;
    let step = round_up(input.base_step_size * room);
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
}
