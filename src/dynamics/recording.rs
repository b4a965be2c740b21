//! What is recorded while a span runs.

/// What to record while a span runs.
#[derive(Clone, Debug, Default)]
pub struct Probes {
    /// The layer whose units are traced.
    pub layer: usize,
    /// Traced units of network 0; empty: none.
    pub units: Vec<usize>,
    /// For each traced unit the unit of the layer below whose interneurons are shown.
    pub below: Vec<usize>,
    /// Two units recorded in every network.
    pub pair: Option<[usize; 2]>,
    /// Whether <T(y)> of the layer below is recorded, of network 0.
    pub raster: bool,
    /// Whether what moves every unit of network 0 is looked at where a presentation ends.
    pub parts: bool,
}

/// What was recorded of one traced unit in one step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ProbeSample {
    /// x, v, likelihood current, prior current.
    pub neuron: [f32; 4],
    /// T(x), <T(y)> and eta of the unit below.
    pub below: [f32; 3],
}

/// What was recorded since it was last taken.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recorded {
    /// The traced units of network 0, one list of units a step.
    pub traces: Vec<Vec<ProbeSample>>,
    /// <T(y)> of the layer below the traced one, network 0, `[units]` a step.
    pub rasters: Vec<Vec<f32>>,
    /// The pair in every network, `[networks]` a step.
    pub pairs: Vec<Vec<[f32; 2]>>,
}
