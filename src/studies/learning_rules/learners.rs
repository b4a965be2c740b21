//! The rules side by side: each learns from the same images, update by update, and is asked for the likelihood of others.

use super::harmonium::{Harmonium, HiddenUnits, log_odds};
use super::images::BinaryImages;
use super::negative_phase::{Learner, NegativePhase, Samples};
use super::normaliser::log_normaliser;
use super::settings::{MachineSettings, Settings};
use super::without_negative_phase::{BATCH, LocalLearner};
use crate::studies::{Observer, Report, StudyError};
use ndarray::{Array1, Array2};

/// Updates between two looks at whether to go on.
const TOGETHER: u64 = 20;

/// A model that learns by some rule.
pub(super) trait Learns {
    /// One update more. An error where the weights are not finite.
    fn update(&mut self, images: &Array2<f32>) -> Result<(), StudyError>;
    /// Mean log p of `images`, `[count, n_0]`, nats, and the standard error of the estimate.
    fn log_likelihood(&self, images: &Array2<f32>, observer: &mut dyn Observer) -> Result<[f64; 2], StudyError>;
    /// What each hidden unit tells the pixels, `[n_1, n_0]`.
    fn filters(&self) -> Array2<f32>;
    /// Samples of the last negative phase, `[count, n_0]`.
    fn negative_samples(&self) -> Option<&Array2<f32>>;
}

impl Learns for LocalLearner {
    fn update(&mut self, _: &Array2<f32>) -> Result<(), StudyError> {
        LocalLearner::update(self)
    }

    fn log_likelihood(&self, images: &Array2<f32>, observer: &mut dyn Observer) -> Result<[f64; 2], StudyError> {
        LocalLearner::log_likelihood(self, images, observer)
    }

    fn filters(&self) -> Array2<f32> {
        self.model().weights[0].t().to_owned()
    }

    fn negative_samples(&self) -> Option<&Array2<f32>> {
        None
    }
}

/// A machine with one partition function that learns for so many updates.
pub(super) struct MachineLearner {
    learner: Learner,
    /// Log odds of the pixels of the images that are learned from.
    independent: Array1<f32>,
    rate: f64,
    updates: u64,
    done: u64,
    seed: u64,
}

impl MachineLearner {
    pub(super) fn new(
        units: HiddenUnits,
        rule: NegativePhase,
        images: &BinaryImages,
        settings: MachineSettings,
        updates: u64,
        seed: u64,
    ) -> Self {
        let MachineSettings { hidden, bias, rate, weight_decay } = settings;
        let machine = Harmonium::untrained(units, hidden, bias, images.learned.view(), seed);
        let learner = Learner::new(machine, rule, BATCH, weight_decay, &images.learned, seed);
        Self { learner, independent: log_odds(images.learned.view()), rate, updates, done: 0, seed }
    }

    /// The rate stays over the first half of the updates and falls to 0 over the second, as in a stage of the model beside it.
    fn rate(&self) -> f64 {
        let share = self.done as f64 / self.updates.max(1) as f64;
        self.rate * (2.0 * (1.0 - share)).clamp(0.0, 1.0)
    }
}

impl Learns for MachineLearner {
    fn update(&mut self, images: &Array2<f32>) -> Result<(), StudyError> {
        let rate = self.rate();
        self.learner.update(images, rate);
        self.done += 1;
        Ok(())
    }

    fn log_likelihood(&self, images: &Array2<f32>, observer: &mut dyn Observer) -> Result<[f64; 2], StudyError> {
        let machine = &self.learner.machine;
        if machine.weights.iter().any(|w| !w.is_finite()) {
            return Err(StudyError::Diverged("weights of a machine with a negative phase are not finite".into()));
        }
        let normaliser = log_normaliser(machine, &self.independent, self.seed, observer)?;
        let logs = machine.log_unnormalised(images.view());
        Ok([logs.iter().sum::<f64>() / logs.len() as f64 - normaliser.value, normaliser.error])
    }

    fn filters(&self) -> Array2<f32> {
        self.learner.machine.weights.t().to_owned()
    }

    fn negative_samples(&self) -> Option<&Array2<f32>> {
        Some(self.learner.negative_samples())
    }
}

/// A rule by its name, made for so many updates.
pub(super) struct NamedLearner {
    pub(super) name: &'static str,
    pub(super) learner: Box<dyn Learns>,
}

/// The names of the rules, in the order of the series.
pub(super) fn names(with_hierarchy: bool) -> &'static [&'static str] {
    const NAMES: [&str; 5] = ["model's rule", "CD-1", "CD-10", "PCD", "model's rule, preset digits"];
    if with_hierarchy { &NAMES } else { &NAMES[..4] }
}

/// Every rule before its first update, in the order of [`names`].
pub(super) fn all(
    images: &BinaryImages,
    settings: &Settings,
    units: HiddenUnits,
    with_hierarchy: bool,
    updates: u64,
    seed: u64,
) -> Result<Vec<NamedLearner>, StudyError> {
    let machine = |samples, steps, settings| {
        let rule = NegativePhase { samples, steps };
        Box::new(MachineLearner::new(units, rule, images, settings, updates, seed)) as Box<dyn Learns>
    };
    let [one, ten, persistent] = settings.machines;
    let mut learners: Vec<Box<dyn Learns>> = vec![
        Box::new(LocalLearner::of_layers(images, settings.layers, updates, seed)?),
        machine(Samples::FromImages, 1, one),
        machine(Samples::FromImages, 10, ten),
        machine(Samples::Persistent, 1, persistent),
    ];
    if with_hierarchy {
        learners.push(Box::new(LocalLearner::of_preset(images, updates, seed)?));
    }
    Ok(names(with_hierarchy).iter().zip(learners).map(|(name, learner)| NamedLearner { name, learner }).collect())
}

/// So many updates; the seconds that they took.
pub(super) fn learn(learner: &mut dyn Learns, images: &Array2<f32>, updates: u64, observer: &mut dyn Observer) -> Result<f64, StudyError> {
    let mut seconds = 0.0;
    let mut left = updates;
    while left > 0 {
        let begin = std::time::Instant::now();
        for _ in 0..TOGETHER.min(left) {
            learner.update(images)?;
        }
        seconds += begin.elapsed().as_secs_f64();
        left = left.saturating_sub(TOGETHER);
        observer.tell(Report::Working)?;
    }
    Ok(seconds)
}
