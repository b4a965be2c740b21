//! The views: one file each behind one trait.

pub mod adaptation;
mod arrangement;
mod distances;
mod generated_images;
pub mod generation;
pub mod layers;
pub mod learning;
mod matrix;
pub mod partition;
pub mod population;
pub mod posterior;
mod race;
pub mod receptive_fields;
mod rhythm;
pub mod separation;
mod signals;
pub mod stimulus;
pub mod studies;
pub mod traces;
pub mod tuning;

use crate::app::actions::Action;
use crate::app::fitter::Need;
use crate::app::state::ViewState;
use crate::engine::Snapshot;
use crate::experiment::Config;
use crate::export::table::Table;
use crate::studies::StudyOptions;
use crate::studies::natural_parameter::family_options;
use serde::{Deserialize, Serialize};

/// One view.
pub trait View {
    /// Draws it; `snapshot` is `state.latest`.
    fn ui(&mut self, ui: &mut egui::Ui, state: &ViewState, snapshot: &Snapshot, actions: &mut Vec<Action>);
    /// How much it needs the Gabor fits of the filters.
    fn fits(&self) -> Need {
        Need::Nothing
    }
    /// The numbers behind the picture, for CSV and NPY; None where there are none.
    fn table(&self, _state: &ViewState, _snapshot: &Snapshot) -> Option<Table> {
        None
    }
    /// The numbers behind one figure of it, where they are not the view's.
    fn figure_table(&self, _figure: &str, _state: &ViewState, _snapshot: &Snapshot) -> Option<Table> {
        None
    }
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
    /// Three ways of generating.
    Generation,
    /// Learning curves.
    Learning,
    /// Fitted filters as histograms and planes.
    Population,
    /// Second-layer units by the filters they drive, and weights as a matrix.
    Layers,
    /// Responses to gratings.
    Tuning,
    /// Speed-up by adaptation.
    Adaptation,
    /// Separation of time scales.
    Separation,
    /// The partition function as interneurons find it.
    Partition,
    /// Every study of the registry.
    Studies,
}

impl Kind {
    /// All, in the order of the tabs.
    pub const ALL: [Self; 13] = [
        Self::ReceptiveFields,
        Self::Population,
        Self::Tuning,
        Self::Layers,
        Self::Traces,
        Self::Posterior,
        Self::Stimulus,
        Self::Generation,
        Self::Learning,
        Self::Adaptation,
        Self::Separation,
        Self::Partition,
        Self::Studies,
    ];

    /// The name on the tab.
    pub fn title(self) -> &'static str {
        match self {
            Self::ReceptiveFields => "Receptive fields",
            Self::Population => "Population",
            Self::Layers => "Layers",
            Self::Tuning => "Tuning",
            Self::Traces => "Traces",
            Self::Posterior => "Posterior",
            Self::Stimulus => "Stimulus",
            Self::Generation => "Generation",
            Self::Learning => "Learning",
            Self::Adaptation => "Adaptation",
            Self::Separation => "Separation",
            Self::Partition => "Partition",
            Self::Studies => "Studies",
        }
    }

    /// The name on the command line.
    pub fn name(self) -> String {
        self.title().to_lowercase().replace(' ', "-")
    }

    /// Name and options of the study that the view runs first, if it runs one.
    pub fn study(self, config: &Config) -> Option<(&'static str, StudyOptions)> {
        match self {
            Self::Adaptation | Self::Studies => Some(("adaptation", StudyOptions::default())),
            Self::Separation => Some(("separation", StudyOptions::default())),
            Self::Partition => config.model.layers.first().map(|layer| ("partition", family_options(layer.family))),
            _ => None,
        }
    }

    /// A fresh view.
    pub fn view(self) -> Box<dyn View> {
        match self {
            Self::ReceptiveFields => Box::<receptive_fields::ReceptiveFields>::default(),
            Self::Population => Box::<population::Population>::default(),
            Self::Layers => Box::<layers::Layers>::default(),
            Self::Tuning => Box::<tuning::Tuning>::default(),
            Self::Traces => Box::<traces::Traces>::default(),
            Self::Posterior => Box::<posterior::Posterior>::default(),
            Self::Stimulus => Box::<stimulus::Stimulus>::default(),
            Self::Generation => Box::<generation::Generation>::default(),
            Self::Learning => Box::<learning::Learning>::default(),
            Self::Adaptation => Box::<adaptation::Adaptation>::default(),
            Self::Separation => Box::<separation::Separation>::default(),
            Self::Partition => Box::<partition::Partition>::default(),
            Self::Studies => Box::<studies::Studies>::default(),
        }
    }
}
