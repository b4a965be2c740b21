//! The mathematics of the hierarchy (model.md 1 and 5): families, activations, energy, exact oracles. No I/O, no threads.

pub mod activation;
pub mod byte_lists;
pub mod closed_form;
pub mod energy;
pub mod error;
pub mod families;
pub mod hierarchy;
pub mod layer;
pub mod linear;
pub mod linear_step;
pub mod mean_table;
pub mod product;
pub mod quadrature;
pub mod receptive_field;
pub mod small_product;
pub mod stability;
#[cfg(test)]
pub(crate) mod ulps;
pub mod vector;

pub use activation::Activation;
pub use error::ModelError;
pub use families::{Family, FamilyConfig};
pub use hierarchy::{Hierarchy, usual_image_shape};
pub use layer::{Layer, LayerKind};
