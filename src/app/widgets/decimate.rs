//! Min-max decimation: of each bucket the smallest and the largest value in their order, so that no spike is lost.

/// At most about 2 x `buckets` points of `points` (ordered by x).
pub fn min_max(points: impl ExactSizeIterator<Item = [f64; 2]>, buckets: usize) -> Vec<[f64; 2]> {
    let bucket = points.len().div_ceil(buckets.max(1)).max(1);
    if bucket <= 2 {
        return points.collect();
    }
    let mut out = Vec::with_capacity(2 * buckets + 2);
    let (mut low, mut high, mut inside) = ([0.0, f64::INFINITY], [0.0, f64::NEG_INFINITY], 0);
    for point in points {
        if point[1] < low[1] {
            low = point;
        }
        if point[1] > high[1] {
            high = point;
        }
        inside += 1;
        if inside == bucket {
            flush(&mut out, &mut low, &mut high);
            inside = 0;
        }
    }
    if inside > 0 {
        flush(&mut out, &mut low, &mut high);
    }
    out
}

fn flush(out: &mut Vec<[f64; 2]>, low: &mut [f64; 2], high: &mut [f64; 2]) {
    if low[1].is_finite() && high[1].is_finite() {
        let (first, second) = if low[0] <= high[0] { (*low, *high) } else { (*high, *low) };
        out.push(first);
        if second != first {
            out.push(second);
        }
    }
    (*low, *high) = ([0.0, f64::INFINITY], [0.0, f64::NEG_INFINITY]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_spike_survives() {
        let points = (0..100_000).map(|i| [f64::from(i), if i == 77_777 { 9.0 } else { (f64::from(i) * 0.01).sin() }]);
        let thin = min_max(points.collect::<Vec<_>>().into_iter(), 500);
        assert!(thin.len() <= 1002);
        assert!(thin.contains(&[77_777.0, 9.0]));
        assert!(thin.windows(2).all(|w| w[0][0] <= w[1][0]), "in order");
    }
}
