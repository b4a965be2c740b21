//! A density on a rectangular grid, for contours: the exact posterior of two units.

use ndarray::Array2;

/// A density tabulated at cell centres.
#[derive(Clone, Debug, PartialEq)]
pub struct DensityGrid {
    /// Horizontal range [low, high].
    pub x: [f64; 2],
    /// Vertical range [low, high].
    pub y: [f64; 2],
    /// Density [rows (y), columns (x)], integrating to 1 over the rectangle.
    pub density: Array2<f64>,
}
