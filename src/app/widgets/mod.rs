//! Pieces that several views use.

pub mod background_value;
pub mod cached_lines;
pub mod cached_texture;
pub mod choice;
pub mod colour_bar;
pub mod decimate;
pub mod figure;
pub mod greek;
pub mod grid;
pub mod highlight;
pub mod measured;
pub mod number_field;
pub mod panels;
pub mod path_field;
pub mod switch;
pub mod texture;
pub mod tile_window;
pub mod whole_frame;
