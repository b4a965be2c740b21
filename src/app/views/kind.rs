//! Which views there are: their names in the tabs, on the command line and in kept layouts. Imports no view, so that everything else
//! can name one.

use serde::{Deserialize, Serialize};

macro_rules! view_kinds {
    ($($(#[$doc:meta])* $kind:ident $title:literal,)*) => {
        /// The views there are. A kept layout names them as this enum does: a renamed variant would no longer be found there.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum ViewKind {
            $($(#[$doc])* $kind,)*
        }

        impl ViewKind {
            /// All, in the order of the tabs.
            pub const ALL: [Self; [$($title),*].len()] = [$(Self::$kind),*];

            /// The name on the tab.
            pub fn title(self) -> &'static str {
                match self {
                    $(Self::$kind => $title,)*
                }
            }
        }
    };
}

view_kinds! {
    /// Mosaic of filters.
    ReceptiveFields "Receptive fields",
    /// Fitted filters as histograms and planes.
    Population "Population",
    /// Responses to gratings.
    Tuning "Tuning",
    /// Second-layer units by the filters they drive, and weights as a matrix.
    Layers "Layers",
    /// The model as a picture: layers, interneurons, errors, adaptation and the currents between them.
    Network "Network",
    /// Membrane, adaptation, currents, interneurons.
    Traces "Traces",
    /// Two units' posterior.
    Posterior "Posterior",
    /// Patch, reconstruction, residual.
    Stimulus "Stimulus",
    /// Three ways of generating.
    Generation "Generation",
    /// Learning curves.
    Learning "Learning",
    /// Learning with and without a negative phase.
    LearningRules "Learning rules",
    /// Speed-up by adaptation.
    Adaptation "Adaptation",
    /// Separation of time scales.
    Separation "Separation",
    /// The partition function as interneurons find it.
    Partition "Partition",
    /// Every study of the registry.
    Studies "Studies",
    /// Runs side by side.
    Compare "Compare",
}

impl ViewKind {
    /// The name on the command line.
    pub fn name(self) -> String {
        self.title().to_lowercase().replace(' ', "-")
    }

    /// The view of this name on the command line.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_kept_layouts_are_those_of_the_variants() {
        let kept =
            ["ReceptiveFields", "Population", "Tuning", "Layers", "Network", "Traces", "Posterior", "Stimulus", "Generation", "Learning"];
        let kept = [&kept[..], &["LearningRules", "Adaptation", "Separation", "Partition", "Studies", "Compare"]].concat();
        let names: Vec<String> = ViewKind::ALL.iter().map(|kind| serde_json::to_string(kind).unwrap()).collect();
        assert_eq!(names, kept.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>());
        assert!(ViewKind::ALL.into_iter().all(|kind| ViewKind::by_name(&kind.name()) == Some(kind)));
        assert_eq!(ViewKind::by_name("receptive fields"), None);
    }
}
