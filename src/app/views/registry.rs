//! Which type draws which view: the only place that knows them all. A new view is a file, its line here, and its name in
//! [`ViewKind`]; the compiler asks for whichever is missing.

use super::kind::ViewKind;
use super::view::View;
use std::collections::HashMap;

macro_rules! registry {
    ($($kind:ident: $module:ident::$view:ident,)*) => {
        /// A fresh view of this kind.
        pub fn create(kind: ViewKind) -> Box<dyn View> {
            match kind {
                $(ViewKind::$kind => Box::<super::$module::$view>::default(),)*
            }
        }
    };
}

registry! {
    ReceptiveFields: receptive_fields::ReceptiveFields,
    Population: population::Population,
    Tuning: tuning::Tuning,
    Layers: layers::Layers,
    Network: network::Network,
    Traces: traces::Traces,
    Posterior: posterior::Posterior,
    Stimulus: stimulus::Stimulus,
    Generation: generation::Generation,
    Learning: learning::Learning,
    LearningRules: learning_rules::LearningRules,
    Adaptation: adaptation::Adaptation,
    Separation: separation::Separation,
    Partition: partition::Partition,
    Studies: studies::Studies,
    Compare: compare::Compare,
}

/// All views, fresh.
pub fn create_all() -> HashMap<ViewKind, Box<dyn View>> {
    ViewKind::ALL.into_iter().map(|kind| (kind, create(kind))).collect()
}
