//! The views: one file each behind one trait.

pub mod learning;
pub mod posterior;
mod race;
pub mod receptive_fields;
pub mod stimulus;
pub mod traces;

use crate::app::actions::Action;
use crate::app::state::ViewState;
use crate::engine::Snapshot;
use serde::{Deserialize, Serialize};

/// One view.
pub trait View {
    /// Draws it; `snapshot` is `state.latest`.
    fn ui(&mut self, ui: &mut egui::Ui, state: &ViewState, snapshot: &Snapshot, actions: &mut Vec<Action>);
}

/// The views there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// Mosaic of filters.
    ReceptiveFields,
    /// Membrane, adaptation, currents, interneurons.
    Traces,
    /// Two units' posterior.
    Posterior,
    /// Patch, reconstruction, residual.
    Stimulus,
    /// Learning curves.
    Learning,
}

impl Kind {
    /// All, in the order of the tabs.
    pub const ALL: [Self; 5] = [Self::ReceptiveFields, Self::Traces, Self::Posterior, Self::Stimulus, Self::Learning];

    /// The name on the tab.
    pub fn title(self) -> &'static str {
        match self {
            Self::ReceptiveFields => "Receptive fields",
            Self::Traces => "Traces",
            Self::Posterior => "Posterior",
            Self::Stimulus => "Stimulus",
            Self::Learning => "Learning",
        }
    }

    /// The name on the command line.
    pub fn name(self) -> String {
        self.title().to_lowercase().replace(' ', "-")
    }

    /// A fresh view.
    pub fn view(self) -> Box<dyn View> {
        match self {
            Self::ReceptiveFields => Box::<receptive_fields::ReceptiveFields>::default(),
            Self::Traces => Box::<traces::Traces>::default(),
            Self::Posterior => Box::<posterior::Posterior>::default(),
            Self::Stimulus => Box::<stimulus::Stimulus>::default(),
            Self::Learning => Box::<learning::Learning>::default(),
        }
    }
}
