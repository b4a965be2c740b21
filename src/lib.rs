//! heescope makes one model live: the Hierarchical Exponential-family Energy-based (HEE) model of
//! Dong and Wu (NeurIPS 2023), sampled by Langevin neurons and learned without a negative phase.
//!
//! A [`Config`] (TOML, or one of the [`presets`]) says everything that determines a run. A [`Session`] is the run: its networks are
//! independent chains that sample the posterior given a stimulus, and learn from it. A [`Hierarchy`] is the model alone, with its
//! energy and its exact answers. An [`Engine`] runs a session on a thread of its own, takes commands and hands out [`Snapshot`]s;
//! the window and other viewers read these.
//!
//! Two causes explain one observed value; the posterior's mean is known in closed form:
//!
//! ```
//! use heescope::dynamics::Probes;
//! use heescope::{Session, presets};
//!
//! let mut config = presets::by_name("ridge")?; // x_0 ~ N(x_1[0] + x_1[1], 0.2^2), x_1 ~ N(0, I), x_0 = 1 is observed
//! config.set("batch=500")?; // independent chains
//! let mut session = Session::new(config)?;
//! session.advance(4000, &Probes::default()); // steps: the burn-in
//! let states: Vec<f32> = session.networks().states(1).map(|x| x[0]).collect();
//! let mean = states.iter().sum::<f32>() / states.len() as f32;
//! let exact = 1.0 / (2.0 + 0.2 * 0.2);
//! // The posterior's standard deviation is 0.71: five standard errors over 500 chains are 0.16.
//! assert!((mean - exact).abs() < 0.16, "{mean} beside {exact}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The repository's folder `examples` has longer ones: `sample_posterior`, `learn_gabor_filters` and `run_study`.
//!
//! [`model_reference`] has every formula. The modules, each importing only from those below it:
//!
//! | module | what is in it |
//! |---|---|
//! | `app`, [`cli`] | the window (feature `window`, on by default); the headless commands |
//! | [`engine`] | the simulation thread: commands in, snapshots and events out |
//! | [`studies`] | experiments behind one trait: sweeps beside theory, race, tuning, fits, generation |
//! | [`experiment`] | configuration, presets, the running session, model files |
//! | [`dynamics`], [`data`], [`analysis`], [`export`] | what moves the model; stimuli; measurements; files |
//! | [`model`] | the mathematics and its exact oracles |

#![warn(clippy::print_stdout, clippy::print_stderr)] // both panic where the stream is closed or full: src/cli/console.rs

pub mod analysis;
#[cfg(feature = "window")]
pub mod app;
pub mod cli;
pub mod data;
pub mod dynamics;
pub mod engine;
mod error;
pub mod experiment;
pub mod export;
pub mod model;
mod panics;
mod shown;
pub mod studies;

/// The model with every formula, under the section numbers that the source cites (the file docs/model.md).
#[doc = include_str!("../docs/model.md")]
pub mod model_reference {}

pub use engine::{Engine, Snapshot};
pub use error::Error;
pub use experiment::{Config, Session, presets};
pub use model::Hierarchy;
