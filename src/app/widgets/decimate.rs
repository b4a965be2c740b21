//! Min-max decimation: of each bucket the smallest and the largest value in their order, so that no spike is lost.

/// Of `points` (ordered by x) at most two in each bucket of `width`. Buckets stand at multiples of `width`, so that a
/// window that slides does not make the picture flicker.
pub fn min_max(points: impl Iterator<Item = [f64; 2]>, width: f64) -> Vec<[f64; 2]> {
    let mut out = Vec::new();
    let mut open: Option<(f64, [f64; 2], [f64; 2])> = None;
    for point in points.filter(|p| p[1].is_finite()) {
        let bucket = (point[0] / width).floor();
        match &mut open {
            Some((at, low, high)) if *at == bucket => {
                if point[1] < low[1] {
                    *low = point;
                }
                if point[1] > high[1] {
                    *high = point;
                }
            }
            _ => {
                flush(&mut out, open.replace((bucket, point, point)));
            }
        }
    }
    flush(&mut out, open);
    without_flat_inside(out)
}

/// Of a run of equal values only its two ends: a step stays a step with a fraction of the points.
fn without_flat_inside(mut points: Vec<[f64; 2]>) -> Vec<[f64; 2]> {
    let mut kept = 0;
    for i in 0..points.len() {
        let inside = kept > 0 && i + 1 < points.len() && points[kept - 1][1] == points[i][1] && points[i][1] == points[i + 1][1];
        if !inside {
            points[kept] = points[i];
            kept += 1;
        }
    }
    points.truncate(kept);
    points
}

fn flush(out: &mut Vec<[f64; 2]>, bucket: Option<(f64, [f64; 2], [f64; 2])>) {
    if let Some((_, low, high)) = bucket {
        let (first, second) = if low[0] <= high[0] { (low, high) } else { (high, low) };
        out.push(first);
        if second != first {
            out.push(second);
        }
    }
}

/// Points ordered from left to right, at most two in each column of a plot of this width; others are left as they are.
pub fn thinned(points: Vec<[f64; 2]>, width: f32) -> Vec<[f64; 2]> {
    match (points.first(), points.last()) {
        (Some(first), Some(last)) if points.len() as f32 > 2.0 * width && points.is_sorted_by(|a, b| a[0] <= b[0]) => {
            let column = (last[0] - first[0]) / f64::from(width);
            min_max(points.into_iter(), column)
        }
        _ => points,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_spike_survives() {
        let points = (0..100_000).map(|i| [f64::from(i), if i == 77_777 { 9.0 } else { (f64::from(i) * 0.01).sin() }]);
        let thin = min_max(points, 200.0);
        assert!(thin.len() <= 1000);
        assert!(thin.contains(&[77_777.0, 9.0]));
        assert!(thin.windows(2).all(|w| w[0][0] <= w[1][0]), "in order");
    }

    #[test]
    fn a_sliding_window_keeps_its_points() {
        let wave = |i: i32| [f64::from(i), (f64::from(i) * 0.37).sin()];
        let (early, late) = (min_max((0..1000).map(wave), 10.0), min_max((500..1500).map(wave), 10.0));
        let inside = |points: &[[f64; 2]]| points.iter().copied().filter(|p| (500.0..1000.0).contains(&p[0])).collect::<Vec<_>>();
        assert_eq!(inside(&early), inside(&late));
        let step = |i: i32| [f64::from(i), f64::from(i / 50)];
        assert_eq!(min_max((0..100).map(step), 1.0), [[0.0, 0.0], [49.0, 0.0], [50.0, 1.0], [99.0, 1.0]], "steps keep their corners");
        assert!(min_max([[0.0, f64::NAN], [1.0, 2.0]].into_iter(), 10.0) == [[1.0, 2.0]], "not a number is left out");
    }

    #[test]
    fn a_long_curve_keeps_its_extremes_and_few_points() {
        let mut curve: Vec<[f64; 2]> = (0..4000).map(|i| [f64::from(i), (f64::from(i) * 0.01).sin()]).collect();
        curve[1234][1] = 9.0;
        let thin = thinned(curve.clone(), 300.0);
        assert!(thin.len() <= 604 && thin.contains(&curve[1234]) && thin[0] == curve[0]);
        let back_and_forth: Vec<[f64; 2]> = curve.iter().chain(&curve).copied().collect();
        assert_eq!(thinned(back_and_forth.clone(), 300.0), back_and_forth);
        assert!(thinned(Vec::new(), 300.0).is_empty());
    }
}
