//! Pieces that several views use.

pub mod background_value;
pub mod cached_lines;
pub mod cached_texture;
pub mod cell_values;
pub mod choice;
pub mod colour_bar;
pub mod decimate;
pub mod figure;
pub mod greek;
pub mod grid;
pub mod highlight;
pub mod latest_picture;
pub mod measured;
pub mod number_field;
pub mod pages;
pub mod panels;
pub mod path_field;
pub mod plane_of_units;
pub mod switch;
pub mod texture;
pub mod viewport;
pub mod whole_frame;
