//! What is traced: the signals of each plot, as points over time and as values at one moment.

use crate::app::state::ViewState;
use crate::app::theme;
use crate::app::widgets::decimate::min_max;
use crate::engine::{InterneuronSample, Snapshot, TraceSample};
use egui::Color32;
use std::collections::VecDeque;
use std::ops::RangeInclusive;

/// Where a signal is read.
#[derive(Clone, Copy)]
enum Source {
    /// The trace of this number among those kept.
    Unit(usize, fn(&TraceSample) -> f32),
    /// The interneurons below the first unit.
    Interneurons(fn(&InterneuronSample) -> f32),
}

/// One line of a plot.
pub struct Signal {
    pub name: String,
    pub color: Color32,
    source: Source,
}

/// One plot.
pub struct Group {
    pub name: String,
    pub signals: Vec<Signal>,
}

/// A sample of what is recorded, with its simulated time in ms.
trait Timed {
    fn time_ms(&self) -> f64;
}

impl Timed for TraceSample {
    fn time_ms(&self) -> f64 {
        self.time_ms
    }
}

impl Timed for InterneuronSample {
    fn time_ms(&self) -> f64 {
        self.time_ms
    }
}

/// The samples within a span and the one before it, at most two in each bucket.
fn points<T: Timed>(samples: &VecDeque<T>, value: fn(&T) -> f32, span: &RangeInclusive<f64>, bucket: f64) -> Vec<[f64; 2]> {
    let first = samples.partition_point(|sample| sample.time_ms() < *span.start()).saturating_sub(1);
    let behind = (samples.partition_point(|sample| sample.time_ms() <= *span.end()) + 1).min(samples.len()); // the line goes on to the edge
    min_max(samples.range(first..behind.max(first)).map(|sample| [sample.time_ms(), f64::from(value(sample))]), bucket)
}

/// The last sample up to this time.
fn at<T: Timed>(samples: &VecDeque<T>, value: fn(&T) -> f32, time_ms: f64) -> Option<f64> {
    let behind = samples.partition_point(|sample| sample.time_ms() <= time_ms);
    behind.checked_sub(1).map(|number| f64::from(value(&samples[number])))
}

impl Signal {
    /// Its points within `span`, ms, at most two in each `bucket`, ms.
    pub fn points(&self, state: &ViewState, span: &RangeInclusive<f64>, bucket: f64) -> Vec<[f64; 2]> {
        match self.source {
            Source::Unit(number, value) => state.traces.get(number).map(|trace| points(trace, value, span, bucket)),
            Source::Interneurons(value) => state.interneurons.first().map(|samples| points(samples, value, span, bucket)),
        }
        .unwrap_or_default()
    }

    /// Its value at this time, ms; None before the first sample.
    pub fn at(&self, state: &ViewState, time_ms: f64) -> Option<f64> {
        match self.source {
            Source::Unit(number, value) => at(state.traces.get(number)?, value, time_ms),
            Source::Interneurons(value) => at(state.interneurons.first()?, value, time_ms),
        }
    }
}

/// The plots of what is recorded now.
pub fn groups(state: &ViewState, snapshot: &Snapshot, dark: bool) -> Vec<Group> {
    let signal = |name: &str, color, source| Signal { name: name.into(), color, source };
    let units = || state.traces.iter().zip(&snapshot.watch.trace_units).map(|(_, unit)| unit).enumerate();
    let of_all = |name: &str, value: fn(&TraceSample) -> f32| Group {
        name: name.into(),
        signals: units().map(|(i, unit)| signal(&format!("unit {unit}"), theme::SERIES[i % 6], Source::Unit(i, value))).collect(),
    };
    let mut groups = vec![of_all("Membrane x", |s| s.x), of_all("Adaptation v", |s| s.v)];
    if let Some((_, unit)) = units().next() {
        let below = signal("likelihood, from below", theme::SERIES[0], Source::Unit(0, |s| s.likelihood));
        let above = signal("prior, from above", theme::SERIES[1], Source::Unit(0, |s| s.prior));
        groups.push(Group { name: format!("Input to unit {unit}"), signals: vec![below, above] });
    }
    if !state.interneurons.is_empty() {
        let sampled = signal("<T(y)>", theme::SERIES[2], Source::Interneurons(|s| s.sampled));
        let exact = signal("A'(eta)", theme::exact(dark), Source::Interneurons(|s| s.exact));
        let observed = signal("T(x)", theme::SERIES[4], Source::Interneurons(|s| s.observed));
        groups.push(Group { name: "Interneurons at its strongest pixel".into(), signals: vec![sampled, exact, observed] });
        let error = signal("eps = T(x) - <T(y)>", theme::SERIES[3], Source::Interneurons(|s| s.observed - s.sampled));
        groups.push(Group { name: "Prediction error".into(), signals: vec![error] });
    }
    groups
}
