//! The cards of the start page: what each shows, and what it opens.

use super::living::{Cloud, Dreams, Filters, Living, Photographs, Single};
use crate::app::actions::{Action, PathField};
use crate::app::views::ViewKind;
use crate::engine::{Command, GenerationCommand, Pace};
use crate::experiment::presets;
use crate::studies::generation::comparison::Settings;

/// One way to begin.
pub(super) struct Card {
    pub(super) title: &'static str,
    pub(super) text: &'static str,
    /// What it opens; None: a dialog for one's own pictures.
    pub(super) opens: Option<Opens>,
    /// Makes the picture that lives on it; None where that cannot be.
    pub(super) living: fn() -> Option<Box<dyn Living>>,
}

/// A preset, the view that shows it best, and the pace at which it is seen well.
pub(super) struct Opens {
    preset: &'static str,
    pub(super) view: ViewKind,
    pace: Pace,
    /// Images are generated from the start, with the weights as they become.
    dreams: bool,
}

impl Opens {
    const fn new(preset: &'static str, view: ViewKind, pace: Pace) -> Self {
        Self { preset, view, pace, dreams: false }
    }
}

/// All cards, in the order in which they stand.
pub(super) const CARDS: [Card; 6] = [
    Card {
        title: "Gabor filters",
        text: "Neurons learn to explain images, and become the edge detectors of the visual cortex.",
        opens: Some(Opens::new("dead-leaves", ViewKind::ReceptiveFields, Pace::Full)),
        living: || Filters::living("dead-leaves"),
    },
    Card {
        title: "Two explanations",
        text: "Two causes compete for one observation: the chains wander from one to the other.",
        opens: Some(Opens::new("explaining-away", ViewKind::Posterior, Pace::StepsPerSecond(5000.0))),
        living: || Cloud::living("explaining-away"),
    },
    Card {
        title: "Adaptation as momentum",
        text: "Neurons that tire sample faster: a race along a narrow ridge.",
        opens: Some(Opens::new("ridge", ViewKind::Posterior, Pace::StepsPerSecond(300.0))),
        living: || Cloud::living("ridge"),
    },
    Card {
        title: "Slow interneurons",
        text: "Interneurons that are too slow tell their neuron nothing, and it falls back to what it believed before.",
        opens: Some(Opens::new("slow-interneurons", ViewKind::Separation, Pace::StepsPerSecond(5000.0))),
        living: || Single::living("slow-interneurons"),
    },
    Card {
        title: "Digits that dream",
        text: "A hierarchy learns handwritten digits, and makes up new ones from noise.",
        opens: Some(Opens { dreams: true, ..Opens::new("digits", ViewKind::Generation, Pace::Full) }),
        living: || Dreams::living("digits"),
    },
    Card {
        title: "Your own photographs",
        text: "Choose a folder of pictures, and see the filters that they lead to.",
        opens: None,
        living: Photographs::living,
    },
];

impl Card {
    /// What a click asks for. The run before stays in the list of runs.
    pub(super) fn actions(&self) -> Vec<Action> {
        let Some(opens) = &self.opens else { return vec![Action::Dialog(PathField::Images)] };
        let Ok(config) = presets::by_name(opens.preset) else { return Vec::new() };
        let mut commands = vec![Command::Load(Box::new(config)), Command::SetPace(opens.pace), Command::Run];
        if opens.dreams {
            commands.extend([Command::Generate(Settings::default()), Command::Generation(GenerationCommand::Follow(true))]);
        }
        commands.into_iter().map(Action::Send).collect()
    }
}
