//! What moves the model: noise, neurons, interneurons, governor, learning (SPEC 2, 3). No I/O, no threads.

pub mod adam;
pub mod ancestral;
pub mod block;
pub mod categorical;
pub mod completions;
pub mod governor;
pub mod interneurons;
pub mod learning;
mod neurons;
pub mod noise;
pub mod observation;
pub mod step_parameters;

pub use crate::model::product;
pub use block::{Block, ProbeSample, Span};
pub use step_parameters::{LayerStep, StepParameters};
