//! What is shown in detail of a run.

/// What is shown in detail.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Watch {
    /// Layer of the traced units (1..=L).
    pub trace_layer: usize,
    /// Units traced in network 0, at most [`crate::engine::MAX_TRACED`].
    pub trace_units: Vec<usize>,
    /// The two units of the Posterior view, of layer `trace_layer`.
    pub pair: [usize; 2],
    /// Whether the interneurons of the whole layer below are recorded.
    pub raster: bool,
}

impl Watch {
    /// The first units of a layer 1 of `size` units: what is shown until somebody chooses.
    pub fn first_units(size: usize) -> Self {
        Self { trace_layer: 1, trace_units: (0..size.min(3)).collect(), pair: [0, size.saturating_sub(1).min(1)], raster: false }
    }
}
