//! What moves the model: noise, neurons, interneurons, governor, learning (model.md 2, 3). No I/O, no threads.
//!
//! [`Ensemble`] is the one way to make and move networks; the blocks in which it computes are its own.

pub mod adam;
mod ancestral;
mod block;
pub mod categorical;
pub mod completions;
pub mod ensemble;
pub mod executor;
pub mod governor;
pub mod interneurons;
pub mod learning;
pub mod learning_sums;
pub mod mixture_learning;
mod neurons;
pub mod noise;
mod observation;
mod prepared_weights;
pub mod recording;
mod state;
pub mod state_array;
pub mod step_parameters;
mod whole_batch;

pub use crate::model::product;
pub use block::Span;
pub use ensemble::{Ensemble, EnsembleCounters, EnsembleOptions, EnsembleState, Start, StateMismatch};
pub use executor::{Executor, Task, in_turn};
pub use learning_sums::LearningSums;
pub use recording::{ProbeSample, Probes, Recorded};
pub use state::{ChainState, LayerParts};
pub use state_array::{StateArray, StateValues};
pub use step_parameters::{LayerStep, StepParameters};
