//! Pieces that several views use.

pub mod cached;
pub mod choice;
pub mod decimate;
pub mod figure;
pub mod grid;
pub mod lasting;
pub mod measured;
pub mod panels;
pub mod picture;
pub mod texture;
