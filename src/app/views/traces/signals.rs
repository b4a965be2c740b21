//! What is traced: the signals of each plot, as points over time and as values at one moment.

use crate::app::state::ViewState;
use crate::app::theme;
use crate::app::widgets::decimate::min_max;
use crate::engine::{InterneuronSample, Snapshot, TraceSample};
use egui::Color32;
use std::collections::VecDeque;
use std::ops::RangeInclusive;

/// Nothing was recorded where the time between two samples is so many times as long as usual, which that many of them say.
const GAP: f64 = 8.0;
const SPACINGS: usize = 100;

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

/// The samples within a span and the ones beside it, at most two in each bucket, in pieces between which nothing was recorded: of a moment
/// of the past only the last samples are kept.
fn pieces<T: Timed>(samples: &VecDeque<T>, value: fn(&T) -> f32, span: &RangeInclusive<f64>, bucket: f64) -> Vec<Vec<[f64; 2]>> {
    let first = samples.partition_point(|sample| sample.time_ms() < *span.start()).saturating_sub(1);
    let behind = (samples.partition_point(|sample| sample.time_ms() <= *span.end()) + 1).min(samples.len()); // the line goes on to the edge
    let time = |number: usize| samples[number].time_ms();
    let between = |number: usize| time(number) - time(number - 1);
    let mut sizes: Vec<f64> = (first + 1..behind).step_by(((behind - first) / SPACINGS).max(1)).map(between).collect();
    sizes.sort_by(f64::total_cmp);
    let longest = sizes.get(sizes.len() / 2).map_or(f64::INFINITY, |usual| GAP * usual);
    let gaps = (first + 1..behind).filter(|&number| between(number) > longest);
    let ends: Vec<usize> = gaps.chain([behind]).collect();
    let begins = std::iter::once(first).chain(ends.iter().copied());
    let point = |sample: &T| [sample.time_ms(), f64::from(value(sample))];
    begins.zip(&ends).map(|(begin, &end)| min_max(samples.range(begin..end.max(begin)).map(point), bucket)).collect()
}

/// The last sample up to this time.
fn at<T: Timed>(samples: &VecDeque<T>, value: fn(&T) -> f32, time_ms: f64) -> Option<f64> {
    let behind = samples.partition_point(|sample| sample.time_ms() <= time_ms);
    behind.checked_sub(1).map(|number| f64::from(value(&samples[number])))
}

impl Signal {
    /// Its points within `span`, ms, at most two in each `bucket`, ms, in pieces between which nothing was recorded.
    pub fn pieces(&self, state: &ViewState, span: &RangeInclusive<f64>, bucket: f64) -> Vec<Vec<[f64; 2]>> {
        match self.source {
            Source::Unit(number, value) => state.traces.get(number).map(|trace| pieces(trace, value, span, bucket)),
            Source::Interneurons(value) => state.interneurons.first().map(|samples| pieces(samples, value, span, bucket)),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(times: impl Iterator<Item = f64>) -> VecDeque<TraceSample> {
        times.map(|time_ms| TraceSample { time_ms, x: time_ms as f32, ..Default::default() }).collect()
    }

    #[test]
    fn no_line_goes_where_nothing_was_recorded() {
        let recorded = samples((0..300).map(|i| f64::from(i) * 0.5).chain((0..300).map(|i| 1000.0 + f64::from(i) * 0.5)));
        let found = pieces(&recorded, |s| s.x, &(0.0..=2000.0), 0.1);
        let ends: Vec<[f64; 2]> = found.iter().map(|piece| [piece[0][0], piece[piece.len() - 1][0]]).collect();
        assert_eq!(ends, [[0.0, 149.5], [1000.0, 1149.5]]);
        let whole = samples((0..5000).map(|i| f64::from(i) * if i < 2500 { 0.5 } else { 0.4 }));
        assert!(pieces(&whole, |s| s.x, &(0.0..=1200.0), 0.1).len() == 1, "a step that changes is no gap");
    }

    #[test]
    fn a_span_has_the_samples_beside_it_too_and_a_value_is_the_last_before_its_time() {
        let recorded = samples((0..100).map(f64::from));
        let found = pieces(&recorded, |s| s.x, &(10.5..=20.5), 0.1);
        assert_eq!((found.len(), found[0][0][0], found[0][found[0].len() - 1][0]), (1, 10.0, 21.0));
        assert!(pieces(&VecDeque::<TraceSample>::new(), |s| s.x, &(0.0..=1.0), 0.1).iter().all(Vec::is_empty));
        assert_eq!([-0.5, 0.0, 7.9, 1e9].map(|time| at(&recorded, |s| s.x, time)), [None, Some(0.0), Some(7.0), Some(99.0)]);
    }
}
