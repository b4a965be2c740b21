//! What one model hands on to the next.

/// What the window looks at.
#[derive(Clone, Copy)]
pub(super) struct Visibility {
    pub(super) raster: bool,
    /// What moves every unit of network 0.
    pub(super) parts: bool,
    pub(super) generation: bool,
    /// Whether the likelihood is measured while the weights learn.
    pub(super) likelihood: bool,
}

impl Default for Visibility {
    fn default() -> Self {
        Self { raster: false, parts: false, generation: true, likelihood: false }
    }
}
