//! What the views of a run have shown, as arrays that are kept with it, and back.

use crate::app::measured_curves::MeasuredCurves;
use crate::engine::{InterneuronSample, LearningPoint, TraceSample, ViewArrays};
use ndarray::{Array2, ArrayView1};
use std::collections::VecDeque;

/// Counts above this are kept in two numbers: every number up to it is one of its own in single precision.
const EXACT: u64 = 1 << 24;
/// Samples of each trace that are kept.
pub(super) const TRACE_SAMPLES: usize = 4_000;

/// What the views have recorded of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Histories {
    /// The learning curves.
    pub(super) learning: Vec<LearningPoint>,
    /// Images seen, share of Gabor-like filters and median R^2.
    pub(super) fits: Vec<[f64; 3]>,
    /// Of each traced unit.
    pub(super) traces: Vec<VecDeque<TraceSample>>,
    /// Of the interneurons below each.
    pub(super) interneurons: Vec<VecDeque<InterneuronSample>>,
    /// What was measured.
    pub(super) measured: MeasuredCurves,
}

/// What is to be kept of a run, and where the views stand.
pub(super) fn to_arrays(state: &Histories, layout: Option<String>) -> ViewArrays {
    let mut arrays = vec![
        ("learning".to_string(), rows(state.learning.iter().map(learning))),
        ("fits".to_string(), rows(state.fits.iter().map(|row| row.map(|value| value as f32)))),
    ];
    let last_ms = state.traces.iter().filter_map(|trace| trace.back().map(|sample| sample.time_ms)).fold(0.0, f64::max);
    for (unit, trace) in state.traces.iter().enumerate() {
        let skip = trace.len().saturating_sub(TRACE_SAMPLES);
        let row = |s: &TraceSample| [(s.time_ms - last_ms) as f32, s.x, s.v, s.likelihood, s.prior];
        arrays.push((format!("trace{unit}"), rows(trace.iter().skip(skip).map(row))));
    }
    for (unit, samples) in state.interneurons.iter().enumerate() {
        let skip = samples.len().saturating_sub(TRACE_SAMPLES);
        let row = |s: &InterneuronSample| [(s.time_ms - last_ms) as f32, s.observed, s.sampled, s.exact];
        arrays.push((format!("interneuron{unit}"), rows(samples.iter().skip(skip).map(row))));
    }
    let mut texts = vec![("time_ms".to_string(), last_ms.to_string())];
    texts.extend(layout.map(|text| ("layout".to_string(), text)));
    let mut views = ViewArrays { arrays, texts, watch: None };
    state.measured.add_to(&mut views);
    views
}

/// What was kept; what is not there or has another form stays empty.
pub(super) fn from_arrays(views: &ViewArrays) -> Histories {
    let mut state = Histories { measured: MeasuredCurves::from_arrays(views), ..Histories::default() };
    if let Some(found) = views.array("learning").filter(|found| found.ncols() == 8) {
        state.learning = found.rows().into_iter().map(learning_point).collect();
    }
    if let Some(found) = views.array("fits").filter(|found| found.ncols() == 3) {
        state.fits = found.rows().into_iter().map(|row| [0, 1, 2].map(|i| f64::from(row[i]))).collect();
    }
    let last_ms: f64 = views.text("time_ms").and_then(|text| text.parse().ok()).unwrap_or_default();
    let traces = (0..).map_while(|unit| views.array(&format!("trace{unit}")).filter(|found| found.ncols() == 5));
    let sample = |row: ArrayView1<f32>| TraceSample {
        time_ms: last_ms + f64::from(row[0]),
        x: row[1],
        v: row[2],
        likelihood: row[3],
        prior: row[4],
    };
    state.traces = traces.map(|found| found.rows().into_iter().map(sample).collect::<VecDeque<_>>()).collect();
    let interneurons = (0..).map_while(|unit| views.array(&format!("interneuron{unit}")).filter(|found| found.ncols() == 4));
    let sample =
        |row: ArrayView1<f32>| InterneuronSample { time_ms: last_ms + f64::from(row[0]), observed: row[1], sampled: row[2], exact: row[3] };
    state.interneurons = interneurons.map(|found| found.rows().into_iter().map(sample).collect::<VecDeque<_>>()).collect();
    state
}

fn rows<const N: usize>(rows: impl Iterator<Item = [f32; N]>) -> Array2<f32> {
    let values: Vec<f32> = rows.flatten().collect();
    Array2::from_shape_vec((values.len() / N, N), values).unwrap_or_else(|_| unreachable!("every row has {N} values"))
}

fn learning(point: &LearningPoint) -> [f32; 8] {
    let LearningPoint { images, residual_variance, sigma2, weight_change, weight_norm, kurtosis, lr } = *point;
    let [high, low] = [images / EXACT, images % EXACT];
    [high as f32, low as f32, residual_variance, sigma2, weight_change, weight_norm, kurtosis, lr]
}

fn learning_point(row: ArrayView1<f32>) -> LearningPoint {
    LearningPoint {
        images: (row[0].max(0.0) as u64).saturating_mul(EXACT).saturating_add(row[1].max(0.0) as u64),
        residual_variance: row[2],
        sigma2: row[3],
        weight_change: row[4],
        weight_norm: row[5],
        kurtosis: row[6],
        lr: row[7],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::measured_curves::Curve;

    #[test]
    fn what_was_shown_comes_back() {
        let point = |i: u64| LearningPoint { images: i * 10_000_001, kurtosis: i as f32, lr: 0.5, ..Default::default() };
        let trace = |k: usize| (0..k).map(|i| TraceSample { time_ms: 1e9 + i as f64, x: i as f32, ..Default::default() }).collect();
        let state = Histories {
            learning: (0..50).map(point).collect(),
            fits: vec![[1.0, 0.5, 0.25]],
            traces: vec![trace(TRACE_SAMPLES + 500), trace(3)],
            interneurons: vec![VecDeque::from([InterneuronSample { time_ms: 1e9, observed: 1.0, sampled: 2.0, exact: 3.0 }])],
            measured: MeasuredCurves { race: vec![Curve { name: "m = 2".into(), points: vec![[1.0, 0.5]] }], ..MeasuredCurves::default() },
        };
        let views = to_arrays(&state, Some("(layout)".into()));
        let again = from_arrays(&views);
        assert_eq!((&again.learning, &again.fits, &again.interneurons), (&state.learning, &state.fits, &state.interneurons));
        assert_eq!(again.measured, state.measured);
        assert!(again.traces[0].iter().eq(state.traces[0].iter().skip(500)) && again.traces[1] == state.traces[1]);
        assert_eq!(views.text("layout"), Some("(layout)"));
        assert_eq!(from_arrays(&ViewArrays::default()), Histories::default());
    }
}
