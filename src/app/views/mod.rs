//! The views: a file or folder each behind the trait [`View`]; [`registry`] knows them all, [`ViewKind`] names them.

mod adaptation;
mod compare;
mod filter_order;
mod generation;
mod kind;
mod layers;
mod learning;
mod learning_rules;
mod network;
mod partition;
mod population;
mod posterior;
mod receptive_fields;
pub(super) mod registry;
mod separation;
mod stimulus;
mod studies;
mod traces;
mod tuning;
mod view;

#[cfg(test)]
mod readability_tests;
#[cfg(test)]
pub(super) mod tests;

pub use kind::ViewKind;
pub use view::{View, WholeView};
