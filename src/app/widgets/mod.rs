//! Pieces that several views use.

pub mod axis;
pub mod cached;
pub mod decimate;
pub mod figure;
pub mod grid;
pub mod measured;
pub mod panels;
pub mod picture;
