//! What is measured: densities on a grid, filters, chains. No I/O, no threads.

pub mod chains;
pub mod density;
pub mod gabor;
pub mod groups;
pub mod spectrum;
pub mod tuning;
