//! Learning on images yields localised, oriented filters.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use heescope::dynamics::block::Taps;
use heescope::experiment::{Session, presets};
use ndarray::ArrayView1;

/// Effective number of pixels, (sum e)^2 / sum e^2 of the energy e = w^2: 48 of 144 for a patch of white noise.
fn effective_area(filter: ArrayView1<f32>) -> f64 {
    let energy: Vec<f64> = filter.iter().map(|&w| f64::from(w).powi(2)).collect();
    energy.iter().sum::<f64>().powi(2) / energy.iter().map(|e| e * e).sum::<f64>()
}

/// Ratio of the power spectrum's spread along its main axis to that across it: 1 without orientation.
fn elongation(filter: ArrayView1<f32>, side: usize) -> f64 {
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    let half = side as i32 / 2;
    for u in -half..=half {
        for v in -half..=half {
            let (fx, fy) = (f64::from(u) / side as f64, f64::from(v) / side as f64);
            let (mut re, mut im) = (0.0, 0.0);
            for (i, &w) in filter.iter().enumerate() {
                let phase = 2.0 * std::f64::consts::PI * (fx * (i % side) as f64 + fy * (i / side) as f64);
                re += f64::from(w) * phase.cos();
                im += f64::from(w) * phase.sin();
            }
            let power = re * re + im * im;
            (xx, yy, xy) = (xx + power * fx * fx, yy + power * fy * fy, xy + power * fx * fy);
        }
    }
    let (mean, difference) = (0.5 * (xx + yy), (0.25 * (xx - yy).powi(2) + xy * xy).sqrt());
    (mean + difference) / (mean - difference)
}

fn share_localised_and_oriented(session: &Session) -> f64 {
    let w = &session.model.weights[0];
    let good = w.columns().into_iter().filter(|c| effective_area(c.view()) < 30.0 && elongation(c.view(), 12) > 1.5).count();
    good as f64 / w.ncols() as f64
}

#[test]
fn dead_leaves_and_photographs_give_localised_oriented_filters() {
    for (preset, residual) in [("dead-leaves", 0.14), ("photographs", 0.26)] {
        let mut config = presets::by_name(preset).unwrap();
        config.learning.decay = heescope::experiment::Decay::Linear;
        let mut session = Session::new(config).unwrap();
        session.run_for(50_000);
        let start = share_localised_and_oriented(&session);
        assert!(start < 0.1, "{preset}: the random start has {start}");
        let mut measured = 0.0;
        for _ in 0..500 {
            // However a presentation is divided, the posterior mean is over the steps after the burn-in.
            session.advance(3, &Taps::default());
            if let (_, Some(report)) = session.advance(usize::MAX, &Taps::default()) {
                assert_eq!(report.steps, 7);
                measured += 0.05 * (report.residual_variance - measured);
            }
        }
        let share = share_localised_and_oriented(&session);
        assert!(share > 0.8, "{preset}: share {share}");
        // the known values of these settings are .14 and .26, here within 15 %.
        assert!((measured / residual - 1.0).abs() < 0.15, "{preset}: residual variance {measured}");
    }
}
