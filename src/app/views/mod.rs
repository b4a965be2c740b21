//! The views: one file each behind the trait [`View`]; [`registry`] knows them all, [`ViewKind`] names them.

mod adaptation;
mod distances;
mod filter_order;
mod generated_images;
mod generation;
mod kind;
mod layers;
mod learning;
mod partition;
mod population;
mod posterior;
mod race;
mod receptive_fields;
pub(super) mod registry;
mod separation;
mod spectrum;
mod stimulus;
mod trace_plots;
mod traces;
mod tuning;
mod view;
mod weight_matrix;

pub use kind::ViewKind;
pub use view::View;
