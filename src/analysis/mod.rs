//! What is measured: densities on a grid, filters, chains, generated images. No I/O, no threads.

pub mod chains;
pub mod density;
pub mod discriminants;
pub mod features;
pub mod frechet;
pub mod gabor;
pub mod groups;
pub mod image_evaluator;
pub mod locality;
pub mod manifold;
pub mod matching;
pub mod principal;
pub mod published;
pub mod spectrum;
pub mod tuning;
