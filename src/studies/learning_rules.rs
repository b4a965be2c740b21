//! Learning with and without a negative phase (model.md 12): the rule of the model beside contrastive divergence and persistent chains.

mod estimate;
mod gradient;
mod harmonium;
mod images;
mod learners;
mod negative_phase;
mod normaliser;
mod progress;
mod settings;
mod without_negative_phase;

pub use estimate::GradientEstimate;
pub use gradient::NAMES as GRADIENT_RULES;
pub use progress::{LearningPoint, RuleComparison, RuleProgress};

use crate::export::table::Table;
use crate::studies::{
    Axis, Curve, Detail, Expectation, Figure, Observer, OptionKind, Point, Report, Study, StudyError, StudyFindings, StudyOption,
    StudyOptions, StudyTarget,
};
use harmonium::HiddenUnits;
use images::{BinaryImages, HeldOut};
use ndarray::s;
use settings::Settings;
use std::sync::Arc;

/// What the rules learn from; the first word of each option is the usual one.
pub const IMAGES: [&str; 2] = ["bars", "digits"];
/// What is measured of them.
pub const MEASURES: [&str; 3] = ["likelihood", "bias", "deviation"];
const AGAINST: [&str; 2] = ["updates", "time"];
/// What learns with a negative phase.
pub const MACHINES: [&str; 2] = ["rbm", "same-layers"];
const HELD_OUT: [&str; 2] = ["test", "validation"];
/// Updates before the first measurement; from there they grow by 2 or 2.5.
const FIRST: u64 = 10;
/// Images and samples that are shown.
const SHOWN: usize = 16;

/// The study.
pub struct LearningRules;
/// Its value in the registry.
pub static STUDY: LearningRules = LearningRules;

const OPTIONS: [StudyOption; 7] = [
    StudyOption {
        key: "quantity",
        help: "The likelihood of held-out images over learning; or bias or standard deviation of each rule's estimate of the gradient, \
               over that gradient, in a model of two hidden units in which it is known",
        kind: OptionKind::Choice(&MEASURES),
    },
    StudyOption {
        key: "learn-from",
        help: "Bars of 4 x 4 pixels, whose distribution is known, or handwritten digits of 8 x 8; pixels are 0 or 1",
        kind: OptionKind::Choice(&IMAGES),
    },
    StudyOption { key: "against", help: "The likelihood against updates or against computing time", kind: OptionKind::Choice(&AGAINST) },
    StudyOption {
        key: "machine",
        help: "What learns with a negative phase: a restricted Boltzmann machine, or the layers of the model under one partition function",
        kind: OptionKind::Choice(&MACHINES),
    },
    StudyOption {
        key: "updates",
        help: "Updates of each rule, from 100 images each",
        kind: OptionKind::Whole { usual: 5_000, least: FIRST, most: 10_000_000 },
    },
    StudyOption {
        key: "rate-factor",
        help: "Every learning rate but that of the preset's hierarchy is multiplied by this: 1 was best of a grid in factors of 2",
        kind: OptionKind::Number { usual: 1.0, least: 0.001, most: 1000.0 },
    },
    StudyOption {
        key: "held-out",
        help: "The images whose likelihood is measured: those of the figures, or those by which settings were chosen",
        kind: OptionKind::Choice(&HELD_OUT),
    },
];

impl Study for LearningRules {
    fn name(&self) -> &'static str {
        "learning-rules"
    }

    fn title(&self) -> &'static str {
        "Learning rules"
    }

    fn summary(&self) -> &'static str {
        "The model's rule, which needs no negative phase, beside contrastive divergence and persistent chains, on models of their own"
    }

    fn options(&self) -> &'static [StudyOption] {
        &OPTIONS
    }

    fn figure(&self, _: &StudyTarget, options: &StudyOptions) -> Figure {
        match options.text("quantity") {
            "likelihood" => {
                let x = if options.text("against") == "time" { "computing time, s" } else { "updates" };
                let figure = Figure::of(Axis::logarithmic(x), Axis::linear("log-likelihood, nats an image"));
                let figure = figure.named(learners::names(is_digits(options)));
                if is_digits(options) { figure } else { figure.expecting(Expectation::Guide) }
            }
            measure => {
                let y = if measure == "bias" { "bias over |gradient|" } else { "standard deviation over |gradient|" };
                Figure::of(Axis::logarithmic("computing time, microseconds"), Axis::logarithmic(y)).named(&gradient::NAMES)
            }
        }
    }

    fn total(&self, _: &StudyTarget, options: &StudyOptions) -> usize {
        match options.text("quantity") {
            "likelihood" => checkpoints(options).len() * learners::names(is_digits(options)).len(),
            _ => gradient::ESTIMATED,
        }
    }

    /// One level: the likelihood under the distribution that has drawn the images, where that is known.
    fn curves(&self, _: &StudyTarget, options: &StudyOptions) -> Vec<Curve> {
        if options.text("quantity") != "likelihood" || is_digits(options) || options.text("against") == "time" {
            return Vec::new();
        }
        let Some(truth) = images::bars(held_out(options)).mean_truth() else { return Vec::new() };
        vec![Curve { series: 0, points: vec![[FIRST as f64, truth], [options.whole("updates") as f64, truth]] }]
    }

    fn run(&self, target: &StudyTarget, options: &StudyOptions, observer: &mut dyn Observer) -> Result<(), StudyError> {
        let seed = target.frozen.dynamics.seed;
        if options.text("quantity") == "likelihood" {
            return compare(options, seed, observer);
        }
        let is_bias = options.text("quantity") == "bias";
        let mut all = Vec::new();
        gradient::measure(seed, observer, &mut |found, observer| {
            all.push(found);
            observer.tell(Report::Detail(Detail::Gradients(Arc::new(all.clone()))))?;
            let [y, error] = if is_bias { found.bias } else { found.deviation };
            observer.point(Point::new(found.rule, found.microseconds, y, error))
        })
    }

    fn table(&self, findings: &StudyFindings) -> Option<Table> {
        match &findings.detail {
            Detail::LearningRules(comparison) => Some(comparison.table()),
            Detail::Gradients(all) => Some(GradientEstimate::table(all)),
            _ => None,
        }
    }
}

fn is_digits(options: &StudyOptions) -> bool {
    options.text("learn-from") == "digits"
}

fn held_out(options: &StudyOptions) -> HeldOut {
    if options.text("held-out") == "validation" { HeldOut::Validation } else { HeldOut::Test }
}

/// Updates after which the likelihood is measured: 10, 20, 50, 100 and so on, and the last.
fn checkpoints(options: &StudyOptions) -> Vec<u64> {
    let last = options.whole("updates");
    let decades = std::iter::successors(Some(FIRST), |first| first.checked_mul(10));
    let mut all: Vec<u64> = decades.flat_map(|first| [1, 2, 5].map(|k| k * first)).take_while(|updates| *updates < last).collect();
    all.push(last);
    all
}

/// Every rule learns up to a checkpoint and is measured, then the next; so they are side by side at any time.
fn compare(options: &StudyOptions, seed: u64, observer: &mut dyn Observer) -> Result<(), StudyError> {
    let (which, is_digits) = (held_out(options), is_digits(options));
    let (images, settings) = if is_digits { (images::digits(which)?, Settings::DIGITS) } else { (images::bars(which), Settings::BARS) };
    let settings = settings.with_rates(options.number("rate-factor"));
    let units = if options.text("machine") == "rbm" { HiddenUnits::Binary } else { HiddenUnits::Rectified };
    let mut learners = learners::all(&images, &settings, units, is_digits, options.whole("updates"), seed)?;
    let mut comparison = before_learning(&images, &learners);
    let mut done = 0;
    for updates in checkpoints(options) {
        for (rule, named) in learners.iter_mut().enumerate() {
            let learner = named.learner.as_mut();
            let took = learners::learn(learner, &images.learned, updates - done, observer)?;
            let [log_likelihood, error] = learner.log_likelihood(&images.held_out, observer)?;
            let progress = &mut comparison.rules[rule];
            let seconds = progress.points.last().map_or(0.0, |point| point.seconds) + took;
            progress.points.push(LearningPoint { updates, seconds, log_likelihood, error });
            progress.filters = learner.filters();
            progress.negative_samples = learner.negative_samples().map(|samples| samples.slice(s![..SHOWN, ..]).to_owned());
            observer.tell(Report::Detail(Detail::LearningRules(Arc::new(comparison.clone()))))?;
            let x = if options.text("against") == "time" { seconds } else { updates as f64 };
            observer.point(Point { expected: comparison.truth, ..Point::new(rule, x, log_likelihood, error) })?;
        }
        done = updates;
    }
    Ok(())
}

fn before_learning(images: &BinaryImages, learners: &[learners::NamedLearner]) -> RuleComparison {
    let rule = |named: &learners::NamedLearner| RuleProgress {
        name: named.name.into(),
        points: Vec::new(),
        filters: named.learner.filters(),
        negative_samples: None,
    };
    RuleComparison {
        shape: images.shape,
        images: images.learned.slice(s![..SHOWN, ..]).to_owned(),
        truth: images.mean_truth(),
        rules: learners.iter().map(rule).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{ModelVersion, Session, presets};
    use crate::studies::measure;

    fn options(words: &[(&str, &str)]) -> StudyOptions {
        let mut options = StudyOptions::of(&STUDY);
        words.iter().for_each(|(key, value)| options.set(&STUDY, key, value).unwrap());
        options
    }

    fn findings(options: &StudyOptions) -> StudyFindings {
        let target = StudyTarget::of(&Session::new(presets::by_name("ridge").unwrap()).unwrap(), ModelVersion::default());
        measure(&STUDY, &target, options, &mut |_| true).unwrap()
    }

    #[test]
    fn measurements_are_at_round_numbers_of_updates_and_at_the_last() {
        assert_eq!(checkpoints(&options(&[("updates", "300")])), [10, 20, 50, 100, 200, 300]);
        assert_eq!(checkpoints(&options(&[("updates", "10")])), [10]);
    }

    #[test]
    fn every_rule_learns_bars_and_none_is_better_than_the_truth() {
        let found = findings(&options(&[("updates", "1000")]));
        assert_eq!(found.points.len(), found.total);
        let Detail::LearningRules(comparison) = &found.detail else { panic!("{:?}", found.detail) };
        let truth = comparison.truth.unwrap();
        for rule in &comparison.rules {
            let [first, last] = [rule.points[0], rule.points[rule.points.len() - 1]];
            assert!(last.log_likelihood > first.log_likelihood + 1.0, "{}: {first:?} {last:?}", rule.name);
            // One in a million images of a model may be as much above the truth on these hundred.
            assert!(last.log_likelihood < truth + 0.5, "{}: {last:?} against {truth}", rule.name);
            assert_eq!(rule.negative_samples.is_some(), !rule.name.starts_with("model"), "{}", rule.name);
        }
        let table = STUDY.table(&found).unwrap();
        assert_eq!(table.csv().lines().next(), Some("rule,updates,seconds,log_likelihood,standard_error"));
    }
}
