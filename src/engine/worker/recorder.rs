//! What is recorded for the window: the increment of the next snapshot, and what is derived from the model for it.

use super::exact::ExactDensities;
use super::subject::SubjectCache;
use crate::dynamics::{LayerParts, ProbeSample, Probes, Recorded};
use crate::engine::{InterneuronSample, LearningPoint, MAX_SAMPLES, MAX_TRACED, SnapshotIncrement, StimulusState, TraceSample, Watch};
use crate::experiment::session::{BatchReport, Session};
use ndarray::Array2;
use std::sync::Arc;

/// Steps of the pair cloud and of the raster kept for one snapshot at most.
const MAX_PAIR_STEPS: usize = 400;

/// Records one model.
pub(super) struct Recorder {
    pub(super) watch: Watch,
    pub(super) probes: Probes,
    increment: SnapshotIncrement,
    /// The presentation that the increment's pairs belong to.
    pairs_presentation: u64,
    pub(super) exact: ExactDensities,
    /// The presentation that ended last, where presentations end.
    pub(super) finished_stimulus: Option<StimulusState>,
    /// What moved the layers of network 0 at its end; empty where nobody looks at it.
    pub(super) finished_parts: Vec<LayerParts>,
    pub(super) weights: PublishedWeights,
    pub(super) subject: SubjectCache,
}

/// The weights of the last snapshot, shared with its readers, and their version.
#[derive(Default)]
pub(super) struct PublishedWeights {
    version: u64,
    pub(super) matrices: Vec<Arc<Array2<f32>>>,
}

impl Recorder {
    /// Watches the first units of layer 1, and the raster and what moves every unit where these are asked for.
    pub(super) fn new(session: &Session, raster: bool, shows_parts: bool) -> Self {
        let mut recorder = Self {
            watch: Watch::default(),
            probes: Probes { parts: shows_parts, ..Probes::default() },
            increment: SnapshotIncrement::default(),
            pairs_presentation: 0,
            exact: ExactDensities::of(session),
            finished_stimulus: None,
            finished_parts: Vec::new(),
            weights: PublishedWeights::default(),
            subject: SubjectCache::default(),
        };
        recorder.set_watch(Watch { raster, ..Watch::first_units(session.model().layers[1].size) }, session);
        recorder
    }

    /// Watches something else, as far as the model has it; what was recorded of other units is dropped. True where it is another pair.
    pub(super) fn set_watch(&mut self, watch: Watch, session: &Session) -> bool {
        let layer = watch.trace_layer.clamp(1, session.model().depth());
        let size = session.model().layers[layer].size;
        let units: Vec<usize> = watch.trace_units.iter().copied().filter(|&u| u < size).take(MAX_TRACED).collect();
        let pair = watch.pair.map(|u| u.min(size - 1));
        let weights = &session.model().weights[layer - 1];
        let strongest = |&u: &usize| {
            let column = weights.column(u);
            (0..column.len()).max_by(|&a, &b| column[a].abs().total_cmp(&column[b].abs())).unwrap_or(0)
        };
        let below = units.iter().map(strongest).collect();
        self.probes = Probes { layer, below, units: units.clone(), pair: Some(pair), raster: watch.raster, parts: self.probes.parts };
        self.increment = SnapshotIncrement { learning: std::mem::take(&mut self.increment.learning), ..empty_increment(units.len()) };
        let is_other_pair = self.watch.pair != pair || self.watch.trace_layer != layer;
        self.watch = Watch { trace_layer: layer, trace_units: units, pair, raster: watch.raster };
        is_other_pair
    }

    /// Before a span: whether the pair is recorded in it, in all networks, where a snapshot is published soon or `always`. At full speed
    /// many presentations pass between two snapshots, and only the last of them is shown.
    pub(super) fn prepare(&mut self, session: &Session, always: bool, publishes_soon: impl FnOnce() -> bool) {
        let is_changing = session.steps_left() < usize::MAX;
        self.probes.pair = (!is_changing || always || publishes_soon()).then_some(self.watch.pair);
        if std::mem::replace(&mut self.pairs_presentation, session.presentations()) != session.presentations() {
            self.increment.pairs.clear();
        }
    }

    /// Moves what the networks recorded into the increment. The first step began at `first_ms`.
    pub(super) fn record(&mut self, session: &mut Session, first_ms: f64, dt_ms: f64) {
        let Recorded { traces, mut rasters, mut pairs } = session.take_recorded(MAX_PAIR_STEPS);
        self.record_units(traces, session, first_ms, dt_ms);
        self.increment.raster.append(&mut rasters);
        drop_oldest(&mut self.increment.raster, MAX_PAIR_STEPS);
        self.increment.pairs.append(&mut pairs);
        drop_oldest(&mut self.increment.pairs, MAX_PAIR_STEPS);
    }

    /// `steps` are those of the traced units, one list a step.
    fn record_units(&mut self, steps: Vec<Vec<ProbeSample>>, session: &Session, first_ms: f64, dt_ms: f64) {
        let below = self.probes.layer - 1;
        let (family, table) = (session.model().family_below_top(below), session.networks().tables().get(below).and_then(Option::as_ref));
        let mean = |eta: f64| table.map_or_else(|| family.mean_statistic(eta), |t| t.mean(family.as_ref(), eta));
        let SnapshotIncrement { traces, interneurons, .. } = &mut self.increment;
        for (step, frames) in steps.into_iter().enumerate() {
            let time_ms = first_ms + (step + 1) as f64 * dt_ms;
            for (unit, ProbeSample { neuron: [x, v, likelihood, prior], below: [observed, sampled, eta] }) in frames.into_iter().enumerate()
            {
                traces[unit].push(TraceSample { time_ms, x, v, likelihood, prior });
                let exact = mean(f64::from(eta)) as f32;
                interneurons[unit].push(InterneuronSample { time_ms, observed, sampled, exact });
            }
        }
        traces.iter_mut().for_each(|list| drop_oldest(list, MAX_SAMPLES));
        interneurons.iter_mut().for_each(|list| drop_oldest(list, MAX_SAMPLES));
    }

    /// After a presentation: its stimulus and a point of the learning curves.
    pub(super) fn record_batch(&mut self, session: &Session, report: BatchReport) {
        let w = &session.model().weights[0];
        let sigma2 = session.model().layers[0].sigma().map_or(f64::NAN, |s| s * s);
        let learning = &mut self.increment.learning;
        learning.push(LearningPoint {
            images: session.images(),
            residual_variance: report.residual_variance,
            sigma2: sigma2 as f32,
            weight_change: report.weight_change,
            weight_norm: (w.iter().map(|v| v * v).sum::<f32>() / w.ncols() as f32).sqrt(),
            kurtosis: report.kurtosis,
            lr: report.lr,
        });
        if learning.len() > MAX_SAMPLES {
            learning.drain(..MAX_SAMPLES / 2);
        }
        let BatchReport { stimulus, reconstruction, steps, parts, .. } = report;
        self.finished_parts = parts;
        self.finished_stimulus = Some(StimulusState { stimulus, reconstruction, steps, ..StimulusState::default() });
    }

    /// Forgets the presentation that ended last: another stimulus is asked for.
    pub(super) fn forget_finished(&mut self) {
        self.finished_stimulus = None;
        self.finished_parts.clear();
    }

    /// Brings up to date what a snapshot shares with its readers.
    pub(super) fn refresh(&mut self, session: &Session, model_id: u64) {
        self.subject.refresh(session, &self.watch, model_id);
        if self.weights.version != session.weights_version() {
            self.exact.follow_weights(session);
            let matrices = session.model().weights.iter().cloned().map(Arc::new).collect();
            self.weights = PublishedWeights { version: session.weights_version(), matrices };
        }
    }

    /// What was recorded since the last call.
    pub(super) fn take_increment(&mut self) -> SnapshotIncrement {
        std::mem::replace(&mut self.increment, empty_increment(self.watch.trace_units.len()))
    }
}

/// Nothing recorded of so many units.
fn empty_increment(traced: usize) -> SnapshotIncrement {
    SnapshotIncrement { traces: vec![Vec::new(); traced], interneurons: vec![Vec::new(); traced], ..SnapshotIncrement::default() }
}

fn drop_oldest<T>(list: &mut Vec<T>, most: usize) {
    if list.len() > most {
        list.drain(..list.len() - most);
    }
}
