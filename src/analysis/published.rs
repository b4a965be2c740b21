//! Published measurements of macaque V1 that units are compared with.

/// Edges of the bins of [`MACAQUE_PERIODS`] in n_x as in n_y: 0.1 to 10^0.2, evenly spaced in the logarithm.
pub const PERIOD_EDGES: [f64; 6] = [0.1, 0.173_78, 0.301_995, 0.524_807, 0.912_011, 1.584_893];

/// Simple cells of macaque V1 by n_x (row) and n_y (column): the plane of Ringach, J. Neurophysiol. 88:455 (2002), counted in bins by
/// Dapello et al. (NeurIPS 2020, VOneNet).
pub const MACAQUE_PERIODS: [[u32; 5]; 5] = [[2, 0, 1, 0, 0], [8, 9, 4, 1, 0], [1, 2, 19, 17, 3], [0, 0, 1, 7, 4], [0, 0, 0, 0, 0]];

/// Median circular variance of 308 cells of macaque V1 (Ringach, Shapley and Hawken, J. Neurosci. 22:5639, 2002).
pub const MACAQUE_CIRCULAR_VARIANCE: f64 = 0.61;

/// Median half-width at 1/sqrt(2) of the peak of the same cells, degrees.
pub const MACAQUE_HALF_WIDTH_DEG: f64 = 23.5;

/// A bin of the plane: its lower and upper corner, and its share of the cells.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bin {
    /// n_x and n_y of the lower corner.
    pub low: [f64; 2],
    /// n_x and n_y of the upper corner.
    pub high: [f64; 2],
    /// Share of all cells.
    pub share: f64,
}

/// The bins that hold cells.
pub fn macaque_bins() -> Vec<Bin> {
    let total: u32 = MACAQUE_PERIODS.iter().flatten().sum();
    let bin = |i: usize, j: usize| Bin {
        low: [PERIOD_EDGES[i], PERIOD_EDGES[j]],
        high: [PERIOD_EDGES[i + 1], PERIOD_EDGES[j + 1]],
        share: f64::from(MACAQUE_PERIODS[i][j]) / f64::from(total),
    };
    (0..5).flat_map(|i| (0..5).map(move |j| bin(i, j))).filter(|bin| bin.share > 0.0).collect()
}

/// The one-parameter family near which Ringach found the cells, here n_y = factor n_x^power: the principal axis through the bins in
/// logarithmic coordinates. Returns factor and power.
pub fn macaque_family() -> [f64; 2] {
    principal_axis(&macaque_bins().iter().map(|bin| (middle(bin), bin.share)).collect::<Vec<_>>())
}

/// Logarithms of the middle of a bin.
fn middle(bin: &Bin) -> [f64; 2] {
    [0, 1].map(|k| 0.5 * (bin.low[k].ln() + bin.high[k].ln()))
}

/// Factor and power of y = factor x^power along the axis of largest variance of weighted points `[ln x, ln y]`.
fn principal_axis(points: &[([f64; 2], f64)]) -> [f64; 2] {
    let total: f64 = points.iter().map(|(_, share)| share).sum();
    let mean = [0, 1].map(|k| points.iter().map(|(p, share)| share * p[k]).sum::<f64>() / total);
    let moment = |a: usize, b: usize| points.iter().map(|(p, share)| share * (p[a] - mean[a]) * (p[b] - mean[b])).sum::<f64>() / total;
    let power = (0.5 * (2.0 * moment(0, 1)).atan2(moment(0, 0) - moment(1, 1))).tan();
    [(mean[1] - power * mean[0]).exp(), power]
}

/// Share of the cells of the macaque, and of `periods` (n_x, n_y of model units), that are blobs: broadly tuned, with n_x and n_y
/// below `PERIOD_EDGES[2]`, about 0.3, where the envelope leaves hardly more than one lobe.
pub fn blob_shares(periods: &[[f64; 2]]) -> [f64; 2] {
    let small = |p: &[f64; 2]| p.iter().all(|n| *n < PERIOD_EDGES[2]);
    let cells = macaque_bins().iter().filter(|bin| bin.high.iter().all(|n| *n <= PERIOD_EDGES[2])).map(|bin| bin.share).sum();
    [cells, periods.iter().filter(|p| small(p)).count() as f64 / periods.len().max(1) as f64]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bins_and_the_axis_through_them() {
        let bins = macaque_bins();
        assert!((bins.iter().map(|bin| bin.share).sum::<f64>() - 1.0).abs() < 1e-12);
        assert!(PERIOD_EDGES.windows(2).all(|w| (w[1] / w[0] - 10f64.powf(0.24)).abs() < 1e-4), "evenly spaced in the logarithm");
        // The same by NumPy: numpy.linalg.eigh of the weighted covariance of log10 n_x and log10 n_y.
        let [factor, power] = macaque_family();
        assert!((factor - 2.884_452).abs() < 1e-3 && (power - 1.876_552).abs() < 1e-4, "factor {factor}, power {power}");
        let points: Vec<([f64; 2], f64)> = (1..9).map(|i| f64::from(i).ln()).map(|x| ([x, 0.7 + 1.3 * x], 1.0)).collect();
        let found = principal_axis(&points);
        assert!((found[0] - 0.7f64.exp()).abs() < 1e-9 && (found[1] - 1.3).abs() < 1e-9, "{found:?}");
        // Planted: regression of x on y after a shear is not the axis.
        let sheared: Vec<([f64; 2], f64)> = points.iter().map(|(p, s)| ([p[0], p[1] + 0.5 * p[0]], *s)).collect();
        assert!((principal_axis(&sheared)[1] - 1.3).abs() > 0.4);
        let [cells, units] = blob_shares(&[[0.2, 0.25], [0.5, 0.5], [0.2, 0.6], [0.4, 0.2]]);
        assert!((cells - 19.0 / 79.0).abs() < 1e-12 && units == 0.25);
    }
}
