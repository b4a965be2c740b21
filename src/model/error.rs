//! What can be wrong with a model.

/// Why a family, a layer or a hierarchy cannot be built or used as asked.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A parameter of a family is out of range.
    #[error("{name} = {value} is out of range: it must be finite and {needed}")]
    FamilyParameter {
        /// Name of the parameter, as in a configuration.
        name: &'static str,
        /// What was given.
        value: f64,
        /// What would be right.
        needed: &'static str,
    },
    /// A family of independent units was asked of a categorical layer.
    #[error("a categorical layer has no family of independent units: it is in one state as a whole")]
    CategoricalHasNoFamily,
    /// There is nothing between which weights could stand.
    #[error("a model needs an observation layer and at least one layer of neurons, found {found} layers")]
    TooFewLayers {
        /// Layers given.
        found: usize,
    },
    /// Weights are missing, or there are too many.
    #[error("{layers} layers need {} weight matrices, found {found}", layers - 1)]
    WeightCount {
        /// Layers given.
        layers: usize,
        /// Weight matrices given.
        found: usize,
    },
    /// Weights do not fit the layers that they connect.
    #[error("W{layer} has shape {found:?}, the layers need {expected:?}")]
    WeightShape {
        /// The lower one of the two layers.
        layer: usize,
        /// Shape given.
        found: (usize, usize),
        /// Shape that the layers need.
        expected: (usize, usize),
    },
    /// Biases are missing, or there are too many.
    #[error("{layers} layers need {layers} vectors of biases, found {found}")]
    BiasCount {
        /// Layers of the model.
        layers: usize,
        /// Vectors given.
        found: usize,
    },
    /// Biases do not fit their layer.
    #[error("b{layer} has {found} values, the layer needs {expected}")]
    BiasShape {
        /// The layer.
        layer: usize,
        /// Length given.
        found: usize,
        /// Length that the layer needs.
        expected: usize,
    },
    /// The image that layer 0 is said to observe has another number of pixels.
    #[error("an image of {rows} x {columns} needs a layer 0 of as many units, it has {pixels}")]
    ImageShape {
        /// Rows given.
        rows: usize,
        /// Columns given.
        columns: usize,
        /// Units of layer 0.
        pixels: usize,
    },
    /// A layer below another must have a finite integral for every eta.
    #[error("layer {layer} ({family}) stands below another layer but is not normalisable for every eta: it needs kappa > 0")]
    NotNormalisable {
        /// The layer.
        layer: usize,
        /// Name of its family.
        family: &'static str,
    },
    /// A layer of two-valued units is not at the bottom.
    #[error("layer {layer} ({family}) can only be observed: neurons move continuously")]
    OnlyObserved {
        /// The layer.
        layer: usize,
        /// Name of its family.
        family: &'static str,
    },
    /// A categorical layer is not at the top.
    #[error("layer {layer} (categorical) can only be the top layer")]
    CategoricalBelowTop {
        /// The layer.
        layer: usize,
    },
    /// A categorical layer has an activation other than linear.
    #[error("layer {layer} (categorical) shows its one-hot state: activation must be linear")]
    CategoricalActivation {
        /// The layer.
        layer: usize,
    },
    /// A top layer that is normalisable for eta = 0 only was given a bias.
    #[error("layer {layer} ({family}) is normalisable for bias = 0 only, or with kappa > 0")]
    BiasNotNormalisable {
        /// The layer.
        layer: usize,
        /// Name of its family.
        family: &'static str,
    },
}
