//! What a lesson is: a text file of steps, apart from the code that shows it.

use super::measure::Measure;
use crate::app::views::ViewKind;
use crate::app::widgets::highlight;
use crate::engine::{Command, Pace, Snapshot};
use crate::experiment::parameters::{self, Value};
use crate::experiment::{Config, presets};
use crate::studies::generation::comparison::Settings;
use serde::Deserialize;
use std::sync::LazyLock;

/// The files, in the order in which they are taught.
const FILES: [(&str, &str); 8] = [
    ("1-perception.toml", include_str!("../../../assets/lessons/1-perception.toml")),
    ("2-explaining-away.toml", include_str!("../../../assets/lessons/2-explaining-away.toml")),
    ("3-adaptation.toml", include_str!("../../../assets/lessons/3-adaptation.toml")),
    ("4-interneurons.toml", include_str!("../../../assets/lessons/4-interneurons.toml")),
    ("5-learning.toml", include_str!("../../../assets/lessons/5-learning.toml")),
    ("6-receptive-fields.toml", include_str!("../../../assets/lessons/6-receptive-fields.toml")),
    ("7-second-layer.toml", include_str!("../../../assets/lessons/7-second-layer.toml")),
    ("8-dreaming.toml", include_str!("../../../assets/lessons/8-dreaming.toml")),
];

/// A lesson.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Lesson {
    pub(super) title: String,
    /// What it is about, in a sentence or two.
    pub(super) summary: String,
    /// The preset that it begins on, in a run of its own.
    preset: String,
    /// The view that is brought to the front.
    view: String,
    /// Steps a second at its beginning.
    pub(super) pace: f64,
    /// The run begins paused, until something was predicted or done.
    #[serde(default)]
    pub(super) waits: bool,
    pub(super) steps: Vec<Step>,
}

/// A step of a lesson: some text, and at most one thing to do, to predict and to measure.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    pub(super) text: String,
    /// The key of the parameter whose control is framed.
    pub(super) control: Option<String>,
    /// The view that is brought to the front.
    view: Option<String>,
    /// Another view that the text speaks of.
    other_view: Option<String>,
    /// Values that "Do it for me" sets.
    #[serde(default)]
    set: toml::Table,
    /// "Do it for me" goes to full speed.
    #[serde(default)]
    full_speed: bool,
    /// Images that the weights have learned from when this step has shown what it is about.
    pub(super) images: Option<u64>,
    /// "Do it for me" holds the stimulus, covers its lower half and has that completed.
    #[serde(default)]
    cover: bool,
    /// "Do it for me" has images generated with the weights as they are.
    #[serde(default)]
    generate: bool,
    #[serde(flatten)]
    prediction: PartOfPrediction,
    /// What is measured, beside its theory.
    pub(super) measure: Option<Measure>,
}

/// A question before the answer is seen, as a file holds it.
#[derive(Clone, Debug, Default, Deserialize)]
struct PartOfPrediction {
    question: Option<String>,
    #[serde(default)]
    choices: Vec<String>,
    #[serde(default)]
    answer: usize,
    #[serde(default)]
    because: String,
}

/// A question before the answer is seen.
pub(super) struct Prediction<'a> {
    pub(super) question: &'a str,
    pub(super) choices: &'a [String],
    /// The number of the right choice.
    pub(super) answer: usize,
    pub(super) because: &'a str,
}

/// All lessons. A file that is no lesson is left out; a test sees to it that there is none.
pub(super) fn all() -> &'static [Lesson] {
    static LESSONS: LazyLock<Vec<Lesson>> = LazyLock::new(|| FILES.iter().filter_map(|(_, text)| toml::from_str(text).ok()).collect());
    &LESSONS
}

impl Lesson {
    /// The model that it begins with.
    pub(super) fn config(&self) -> Option<Config> {
        presets::by_name(&self.preset).ok()
    }

    /// The view at a step: its own, or the one before.
    pub(super) fn view_at(&self, step: usize) -> Option<ViewKind> {
        let own = self.steps.iter().take(step + 1).rev().find_map(|step| step.view.as_deref());
        ViewKind::by_name(own.unwrap_or(&self.view))
    }
}

impl Step {
    /// What is framed: the control that the step speaks of.
    pub(super) fn framed(&self) -> Option<&str> {
        self.control.as_deref().or(self.full_speed.then_some(highlight::FULL_SPEED))
    }

    /// Another view that the text speaks of.
    pub(super) fn other_view(&self) -> Option<ViewKind> {
        ViewKind::by_name(self.other_view.as_deref()?)
    }

    /// The parameters that "Do it for me" sets, and their values.
    pub(super) fn values(&self) -> Vec<(&'static str, Value)> {
        let value = |(key, value): (&String, &toml::Value)| {
            let parameter = parameters::find(key)?;
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_string);
            Some((parameter.key, parameter.parse(&text).ok()?))
        };
        self.set.iter().filter_map(value).collect()
    }

    /// What "Do it for me" asks of the engine besides the values that it sets.
    pub(super) fn commands(&self, snapshot: &Snapshot) -> Vec<Command> {
        let mut commands = Vec::new();
        if self.full_speed {
            commands.extend([Command::SetPace(Pace::Full), Command::Run]);
        }
        if self.cover {
            let [rows, columns] = snapshot.image_shape();
            let covered = (0..rows * columns).map(|pixel| pixel / columns >= rows / 2).collect();
            commands.extend([Command::HoldStimulus(true), Command::FreePixels(covered), Command::Run]);
        }
        if self.generate {
            commands.push(Command::Generate(Settings::default()));
        }
        commands
    }

    /// Whether there is anything to do.
    pub(super) fn has_action(&self) -> bool {
        self.full_speed || self.cover || self.generate || !self.set.is_empty()
    }

    /// The question, where it has one.
    pub(super) fn prediction(&self) -> Option<Prediction<'_>> {
        let PartOfPrediction { question, choices, answer, because } = &self.prediction;
        Some(Prediction { question: question.as_deref()?, choices, answer: *answer, because })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_a_lesson_whose_presets_views_and_parameters_there_are() {
        for (name, text) in FILES {
            let lesson: Lesson = toml::from_str(text).unwrap_or_else(|e| panic!("{name}: {e}"));
            let config = lesson.config().unwrap_or_else(|| panic!("{name}: no preset {}", lesson.preset));
            assert!((3..=6).contains(&lesson.steps.len()), "{name}: {} steps", lesson.steps.len());
            assert!(lesson.steps.last().unwrap().measure.is_some(), "{name} ends without a measurement");
            assert!(lesson.steps.iter().any(|step| step.prediction().is_some()), "{name} asks nothing");
            let begins = lesson.steps.iter().any(|step| step.prediction().is_some() || step.full_speed || step.cover);
            assert!(!lesson.waits || begins, "{name} waits for ever");
            for (i, step) in lesson.steps.iter().enumerate() {
                assert!(lesson.view_at(i).is_some(), "{name}, step {i}: no such view");
                assert_eq!(step.other_view.is_some(), step.other_view().is_some(), "{name}, step {i}: no such view");
                assert_eq!(step.values().len(), step.set.len(), "{name}, step {i}: a value that cannot be set");
                for (key, value) in step.values() {
                    parameters::assign(&mut config.clone(), key, value).unwrap_or_else(|e| panic!("{name}, step {i}: {e}"));
                }
                let framed = step.control.as_deref().map(|key| parameters::find(key).and_then(|parameter| parameter.usual));
                assert!(framed.is_none_or(|slider| slider.is_some()), "{name}, step {i}: {:?} has no slider", step.control);
                if let Some(prediction) = step.prediction() {
                    assert!(prediction.answer < prediction.choices.len() && !prediction.because.is_empty(), "{name}, step {i}");
                }
                let sentences = 1 + [". ", "? ", ": "].map(|end| step.text.matches(end).count()).iter().sum::<usize>();
                assert!(sentences <= 5 && step.text.len() < 330, "{name}, step {i} is long");
            }
        }
        assert_eq!(all().len(), FILES.len());
    }
}
