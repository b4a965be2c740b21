//! heescope makes one model live: the Hierarchical Exponential-family Energy-based (HEE) model of
//! Dong and Wu (NeurIPS 2023), sampled by Langevin neurons and learned without a negative phase.
//!
//! The rooms, each importing only from those below it:
//!
//! | room | what is in it |
//! |---|---|
//! | [`app`], [`cli`] | the window; the headless commands |
//! | [`engine`] | the simulation thread: commands in, snapshots and events out |
//! | [`studies`] | experiments behind one trait: sweeps beside theory, race, tuning, fits, generation |
//! | [`experiment`] | configuration, presets, the running session, model files |
//! | [`dynamics`], [`data`], [`analysis`], [`export`] | what moves the model; stimuli; measurements; files |
//! | [`model`] | the mathematics and its exact oracles |

pub mod analysis;
pub mod app;
pub mod cli;
pub mod data;
pub mod dynamics;
pub mod engine;
pub mod experiment;
pub mod export;
pub mod model;
pub mod studies;
