//! Tuning curves as V1 is described by them: orientation, half-width, circular variance, F1/F0, all from mean rates.

use std::f64::consts::{FRAC_1_SQRT_2, PI, TAU};

/// Concentrations of the von Mises curve that are tried, from flat to a few degrees wide.
const CONCENTRATIONS: usize = 80;

/// Orientation tuning of one unit.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct OrientationTuning {
    /// Orientation of the fitted peak, radians in [0, pi).
    pub preferred: f64,
    /// 1 - |sum r exp(2 i theta)| / sum r: 0 for one orientation only, 1 for none (Ringach, Shapley and Hawken 2002).
    pub circular_variance: f64,
    /// Half the width of the fitted curve where it has fallen to 1/sqrt(2) of its peak (the same authors), radians; None where it
    /// never falls so far.
    pub half_width: Option<f64>,
    /// The same at half of the peak (De Valois, Yund and Hepler 1982).
    pub half_width_at_half: Option<f64>,
    /// The fit r(theta) = offset + height exp(concentration (cos 2(theta - preferred) - 1)): offset, height, concentration.
    pub fit: [f64; 3],
}

impl OrientationTuning {
    /// The fitted rate at `theta`, radians.
    pub fn rate(&self, theta: f64) -> f64 {
        let [offset, height, concentration] = self.fit;
        offset + height * (concentration * ((2.0 * (theta - self.preferred)).cos() - 1.0)).exp()
    }
}

/// From mean rates (at least 0) at orientations k pi / n, k = 0 .. n - 1. None where there is no response.
pub fn orientation(rates: &[f64]) -> Option<OrientationTuning> {
    let n = rates.len();
    let total: f64 = rates.iter().sum();
    if n < 4 || total <= 0.0 || !total.is_finite() {
        return None;
    }
    let theta = |k: usize| k as f64 * PI / n as f64;
    let (mut re, mut im) = (0.0, 0.0);
    for (k, r) in rates.iter().enumerate() {
        re += r * (2.0 * theta(k)).cos();
        im += r * (2.0 * theta(k)).sin();
    }
    let circular_variance = 1.0 - re.hypot(im) / total;
    // Von Mises: for each concentration and centre the other two are a linear regression.
    let middle = 0.5 * im.atan2(re);
    let mut best = (f64::INFINITY, [0.0; 3], 0.0);
    for step in 0..CONCENTRATIONS {
        let concentration = 0.1 * 1.08f64.powi(step as i32);
        for shift in -12..=12 {
            let centre = middle + f64::from(shift) * PI / (6.0 * n as f64);
            let basis: Vec<f64> = (0..n).map(|k| (concentration * ((2.0 * (theta(k) - centre)).cos() - 1.0)).exp()).collect();
            let (offset, height) = regression(&basis, rates);
            let error: f64 = basis.iter().zip(rates).map(|(b, r)| (offset + height * b - r).powi(2)).sum();
            if height > 0.0 && error < best.0 {
                best = (error, [offset, height, concentration], centre);
            }
        }
    }
    let (_, fit, centre) = best;
    let mut tuning = OrientationTuning { preferred: centre.rem_euclid(PI), circular_variance, fit, ..Default::default() };
    tuning.half_width = width_at(fit, FRAC_1_SQRT_2);
    tuning.half_width_at_half = width_at(fit, 0.5);
    Some(tuning)
}

/// Offset and factor of the least-squares line r = offset + factor b; the offset is at least 0.
fn regression(b: &[f64], r: &[f64]) -> (f64, f64) {
    let n = b.len() as f64;
    let (mean_b, mean_r) = (b.iter().sum::<f64>() / n, r.iter().sum::<f64>() / n);
    let covariance: f64 = b.iter().zip(r).map(|(b, r)| (b - mean_b) * (r - mean_r)).sum();
    let variance: f64 = b.iter().map(|b| (b - mean_b).powi(2)).sum();
    let factor = if variance > 0.0 { covariance / variance } else { 0.0 };
    let offset = mean_r - factor * mean_b;
    if offset >= 0.0 {
        return (offset, factor);
    }
    let (cross, square) = (b.iter().zip(r).map(|(b, r)| b * r).sum::<f64>(), b.iter().map(|b| b * b).sum::<f64>());
    (0.0, if square > 0.0 { cross / square } else { 0.0 })
}

/// The distance from the peak at which the curve is `fraction` of its peak.
fn width_at([offset, height, concentration]: [f64; 3], fraction: f64) -> Option<f64> {
    let wanted = (fraction * (offset + height) - offset) / height;
    if height <= 0.0 || wanted <= 0.0 {
        return None;
    }
    let cosine = 1.0 + wanted.ln() / concentration;
    (cosine >= -1.0).then(|| 0.5 * cosine.acos())
}

/// F1/F0 of mean rates over one cycle of phase, evenly spaced: above 1 a simple cell, below 1 a complex one (Skottun et al. 1991).
/// None where there is no response.
pub fn modulation_ratio(rates: &[f64]) -> Option<f64> {
    let n = rates.len() as f64;
    let mean = rates.iter().sum::<f64>() / n;
    let (mut re, mut im) = (0.0, 0.0);
    for (k, r) in rates.iter().enumerate() {
        let phase = TAU * k as f64 / n;
        re += r * phase.cos();
        im += r * phase.sin();
    }
    (mean > 0.0).then(|| 2.0 * re.hypot(im) / n / mean)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn von_mises(n: usize, centre: f64, [offset, height, concentration]: [f64; 3]) -> Vec<f64> {
        (0..n).map(|k| offset + height * (concentration * ((2.0 * (k as f64 * PI / n as f64 - centre)).cos() - 1.0)).exp()).collect()
    }

    #[test]
    fn a_known_curve_is_recovered_and_turns_with_its_centre() {
        for centre in [0.1, 0.8, 1.9, 3.0] {
            let tuning = orientation(&von_mises(16, centre, [0.1, 2.0, 3.0])).unwrap();
            let away = (tuning.preferred - centre).rem_euclid(PI);
            assert!(away.min(PI - away) < 0.02, "{centre}: {tuning:?}");
            // 0.1 + 2 exp(3 (cos 2d - 1)) = 2.1/sqrt(2)
            let exact = 0.5 * (1.0 + ((2.1 * FRAC_1_SQRT_2 - 0.1) / 2.0).ln() / 3.0).acos();
            assert!((tuning.half_width.unwrap() - exact).abs() < 0.02, "{tuning:?} against {exact}");
        }
        // Circular variance: 0 for a single orientation, 1 for all alike, 1 - 1/2 for 1 + cos 2 theta.
        let mut single = vec![0.0; 12];
        single[5] = 1.0;
        assert!(orientation(&single).unwrap().circular_variance < 1e-12);
        assert!((orientation(&[1.0; 12]).unwrap().circular_variance - 1.0).abs() < 1e-12);
        let cosine: Vec<f64> = (0..12).map(|k| 1.0 + (TAU * f64::from(k) / 12.0).cos()).collect();
        assert!((orientation(&cosine).unwrap().circular_variance - 0.5).abs() < 1e-12);
        // Planted bug: without doubling the angle the same curve has another value.
        let wrong: (f64, f64) = cosine.iter().enumerate().fold((0.0, 0.0), |(re, im), (k, r)| {
            let t = k as f64 * PI / 12.0;
            (re + r * t.cos(), im + r * t.sin())
        });
        assert!((1.0 - wrong.0.hypot(wrong.1) / 12.0 - 0.5).abs() > 0.05);
        assert!(orientation(&[0.0; 12]).is_none() && orientation(&[f64::NAN; 12]).is_none());
        assert!(orientation(&von_mises(16, 1.0, [5.0, 0.1, 1.0])).unwrap().half_width.is_none(), "never falls to 0.7 of its peak");
    }

    #[test]
    fn modulation_of_a_rectified_and_of_a_steady_response() {
        let half: Vec<f64> = (0..64).map(|k| (TAU * f64::from(k) / 64.0).sin().max(0.0)).collect();
        assert!((modulation_ratio(&half).unwrap() - PI / 2.0).abs() < 0.01, "a half-wave has pi/2");
        assert!(modulation_ratio(&[2.0; 8]).unwrap() < 1e-12);
        assert!(modulation_ratio(&[0.0; 8]).is_none());
    }
}
