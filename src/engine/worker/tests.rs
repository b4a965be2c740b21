//! The worker without its thread: what cannot be seen from outside without chance.

use super::loading::Loading;
use super::{Shared, Start, Worker};
use crate::engine::slot::SnapshotSlot;
use crate::engine::{Command, Event, Exchange, Watch};
use crate::experiment::presets;
use crate::experiment::session::{Session, build_model};
use crate::model::families::InterneuronDynamics;
use crate::model::{Family, FamilyConfig, LayerKind};
use crossbeam_channel::{Receiver, bounded};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn worker(preset: &str) -> (Worker, Receiver<Event>) {
    let (outbox, events) = bounded(64);
    let config = presets::by_name(preset).unwrap();
    let mut worker = Worker::new(Shared::new(outbox, Exchange::default(), Box::new(|| {})));
    worker.start(Start { config, autosave: None, beside: None });
    (worker, events)
}

fn run_all(worker: &mut Worker) {
    let (_commands, inbox) = bounded(1);
    while worker.steps_requested() > 0 {
        worker.run_spans(&inbox);
    }
}

fn failures(events: &Receiver<Event>) -> Vec<Event> {
    events.try_iter().filter(|event| matches!(event, Event::Failed(_))).collect()
}

#[test]
fn nothing_of_a_model_is_left_in_the_next() {
    let (mut worker, events) = worker("ridge");
    let watch = |pair| Command::Watch(Watch { trace_layer: 1, trace_units: vec![1], pair, raster: true });
    assert_eq!(worker.running.as_ref().unwrap().race.samplers().len(), 2, "two samplers race");
    [watch([1, 1]), Command::Step(20)].into_iter().for_each(|command| assert!(worker.execute(command)));
    let mut config = presets::by_name("dead-leaves").unwrap();
    (config.data.patches, config.stimulus.batch) = (500, 25);
    worker.execute(Command::Load(Box::new(config)));
    let running = worker.running.as_mut().unwrap();
    assert_eq!(failures(&events), [], "the race of the model before is not started on the next");
    assert!(running.race.samplers().is_empty() && running.pacing.pending_steps == 0 && running.recorder.exact.grid.is_none());
    assert_eq!(running.recorder.watch, Watch { raster: true, ..Watch::first_units(64) }, "but what the window looks at stays in sight");
    assert_eq!(worker.runs.previous().unwrap().0, "ridge");
}

#[test]
fn a_preset_without_its_files_waits_for_images_while_another_runs() {
    let folder = tempfile::tempdir().unwrap();
    for i in 0..3u8 {
        image::GrayImage::from_pixel(28, 28, image::Luma([80 * i])).save(folder.path().join(format!("{i}.png"))).unwrap();
    }
    let mut config = presets::by_name("mnist").unwrap();
    config.data.paths = vec![folder.path().join("nothing")];
    let (mut worker, events) = worker("ridge");
    worker.execute(Command::Load(Box::new(config.clone())));
    assert_eq!(failures(&events).len(), 1);
    assert!(matches!(&worker.loading, Loading::AwaitsImages(awaited) if **awaited == config));
    assert_eq!(worker.running.as_ref().unwrap().session.config().model.name, "ridge", "goes on");
    worker.execute(Command::UseImages(vec![folder.path().into()]));
    assert_eq!(failures(&events), []);
    assert!(matches!(worker.loading, Loading::Settled));
    assert_eq!(worker.running.as_ref().unwrap().session.config().model.name, config.model.name);
}

#[test]
fn rows_of_two_layers_are_never_mixed_in_one_raster() {
    let (mut worker, _events) = worker("chain");
    worker.shared.exchange.slot.put(Box::default()); // one that nobody takes: nothing is published
    let mut recorded = |layer: usize, steps: u64| {
        worker.execute(Command::Watch(Watch { trace_layer: layer, trace_units: vec![0], pair: [0, 0], raster: true }));
        worker.execute(Command::Step(steps));
        run_all(&mut worker);
    };
    recorded(1, 5);
    recorded(2, 3);
    let running = worker.running.as_mut().unwrap();
    assert_eq!(running.recorder.watch.trace_layer, 2);
    assert_eq!(running.recorder.take_increment().raster.len(), 3, "rows since the layer was chosen");
}

/// Counts how often it is asked for something that a snapshot needs, and how often the slot was locked meanwhile.
struct LockWatcher {
    family: Arc<dyn Family>,
    slot: Arc<SnapshotSlot>,
    calls: Arc<[AtomicUsize; 2]>,
}

impl LockWatcher {
    fn look(&self) {
        self.calls[0].fetch_add(1, Ordering::Relaxed);
        self.calls[1].fetch_add(usize::from(self.slot.is_locked()), Ordering::Relaxed);
    }
}

impl std::fmt::Debug for LockWatcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.family.fmt(f)
    }
}

impl Family for LockWatcher {
    fn name(&self) -> &'static str {
        self.family.name()
    }
    fn config(&self) -> FamilyConfig {
        self.family.config()
    }
    fn statistic(&self, x: f64) -> f64 {
        self.family.statistic(x)
    }
    fn statistic_derivative(&self, x: f64) -> f64 {
        self.family.statistic_derivative(x)
    }
    fn base_energy(&self, x: f64) -> f64 {
        self.look();
        self.family.base_energy(x)
    }
    fn base_energy_derivative(&self, x: f64) -> f64 {
        self.family.base_energy_derivative(x)
    }
    fn largest_base_curvature(&self) -> f64 {
        self.family.largest_base_curvature()
    }
    fn largest_statistic_variance(&self) -> f64 {
        self.family.largest_statistic_variance()
    }
    fn normalisable_for_every_eta(&self) -> bool {
        self.family.normalisable_for_every_eta()
    }
    fn integration_bounds(&self, eta: f64) -> (f64, f64) {
        self.family.integration_bounds(eta)
    }
    fn log_partition(&self, eta: f64) -> f64 {
        self.family.log_partition(eta)
    }
    fn mean_statistic(&self, eta: f64) -> f64 {
        self.family.mean_statistic(eta)
    }
    fn has_closed_mean(&self) -> bool {
        self.family.has_closed_mean()
    }
    fn interneuron_dynamics(&self) -> InterneuronDynamics {
        self.family.interneuron_dynamics()
    }
    fn sigma(&self) -> Option<f64> {
        self.look();
        self.family.sigma()
    }
    fn with_sigma(&self, sigma: f64) -> Arc<dyn Family> {
        self.family.with_sigma(sigma)
    }
}

#[test]
fn no_snapshot_is_built_under_the_lock_of_its_slot() {
    let config = presets::by_name("ridge").unwrap();
    let (mut worker, _events) = worker("ridge");
    let mut model = build_model(&config).unwrap();
    let (slot, calls) = (worker.shared.exchange.slot.clone(), Arc::<[AtomicUsize; 2]>::default());
    let watcher = LockWatcher { family: model.observed_family().clone(), slot: slot.clone(), calls: calls.clone() };
    model.layers[0].kind = LayerKind::Independent(Arc::new(watcher));
    worker.replace(Session::with_model(config, model).unwrap(), None);
    let before = calls[0].load(Ordering::Relaxed);
    slot.take();
    worker.publish(true);
    assert!(slot.take().is_some_and(|snapshot| snapshot.exact_posterior.is_some()));
    assert!(calls[0].load(Ordering::Relaxed) > before + 10_000, "a density was computed");
    assert_eq!(calls[1].load(Ordering::Relaxed), 0, "nobody waits for it");
}
