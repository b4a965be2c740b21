//! Gabor filters as model.md 6 counts them: well fitted, elongated, and local.

use crate::analysis::gabor::Gabor;
use std::f64::consts::PI;

/// R^2 that a fit must exceed.
const GOOD_FIT: f64 = 0.8;
/// Area of the disc in which a local filter has half of its energy, as a fraction of the patch.
const DISC: f64 = 0.25;

/// Whether `filter`, of a patch of `shape`, rows and columns, `[rows * columns]`, and its fit are a Gabor function in the sense of
/// model.md 6: R^2 above 0.8; elongated: longer along the bars than across; local: half of its energy within a quarter of the patch.
/// Where the centre of the fit lies does not matter: that of an edge at the border of the patch is hardly determined.
pub fn is_gabor(filter: &[f32], shape: [usize; 2], fit: &Gabor) -> bool {
    let [across, along] = fit.widths;
    fit.r2 > GOOD_FIT && along > across && concentration(filter, shape) > 0.5
}

/// Fraction of a filter's energy within a disc of a quarter of the patch's area about its centre of energy; 0 of a filter of zeros.
pub fn concentration(filter: &[f32], [rows, columns]: [usize; 2]) -> f64 {
    let energy = |i: usize| f64::from(filter[i]).powi(2);
    let place = |i: usize| [(i % columns) as f64, (i / columns) as f64];
    let all: f64 = (0..filter.len()).map(energy).sum();
    if all == 0.0 {
        return 0.0;
    }
    let centre = [0, 1].map(|axis| (0..filter.len()).map(|i| energy(i) * place(i)[axis]).sum::<f64>() / all);
    let square = |i: usize| (0..2).map(|axis| (place(i)[axis] - centre[axis]).powi(2)).sum::<f64>();
    let within = DISC * (rows * columns) as f64 / PI;
    (0..filter.len()).filter(|&i| square(i) <= within).map(energy).sum::<f64>() / all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::gabor::fit;

    const SIDE: usize = 12;

    /// Bars along the rows: an envelope of these widths about (x, y), pixels, and a wave of `frequency` across, in sine phase.
    fn patch([x, y]: [f64; 2], [across, along]: [f64; 2], frequency: f64) -> Vec<f32> {
        let value = |i: usize| {
            let (u, w) = ((i / SIDE) as f64 + 0.5 - y, (i % SIDE) as f64 + 0.5 - x);
            (-0.5 * ((u / across).powi(2) + (w / along).powi(2))).exp() * (2.0 * PI * frequency * u).sin()
        };
        (0..SIDE * SIDE).map(|i| value(i) as f32).collect()
    }

    fn is_local(filter: &[f32]) -> bool {
        is_gabor(filter, [SIDE; 2], &fit(filter, [SIDE; 2]))
    }

    #[test]
    fn local_elongated_waves_count_and_nothing_else() {
        assert!(is_local(&patch([6.0, 6.0], [1.5, 2.5], 0.2)));
        let edge = patch([5.6, -0.3], [2.0, 2.6], 0.2);
        assert!(is_local(&edge), "centred just outside: half of it is seen: {:?}", fit(&edge, [SIDE; 2]));
        assert!(!is_local(&patch([6.0, 6.0], [2.5, 1.2], 0.2)), "wider across than along");
        assert!(!is_local(&patch([6.0, 6.0], [1e3, 1e3], 0.2)), "a grating over the whole patch");
        assert!(!is_local(&patch([6.0, 6.0], [1.5, 1e3], 0.2)), "bars from side to side");
        let checks: Vec<f32> = (0..SIDE * SIDE).map(|i| if (i / SIDE + i % SIDE).is_multiple_of(2) { 1.0 } else { -1.0 }).collect();
        assert!(!is_local(&checks) && !is_local(&[0.0; SIDE * SIDE]));
    }

    #[test]
    fn concentration_is_the_share_within_a_quarter_of_the_patch() {
        let flat = concentration(&[1.0; SIDE * SIDE], [SIDE; 2]);
        assert!((flat - 0.25).abs() < 0.03, "{flat}");
        let mut point = [0.0; SIDE * SIDE];
        point[17] = -3.0;
        assert_eq!(concentration(&point, [SIDE; 2]), 1.0);
    }
}
