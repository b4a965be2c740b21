//! All that a person can ask for, handled in one place.

use crate::engine::{Command, Parameter, Watch};
use crate::export::filters::Format;
use crate::export::mosaic::Scale;
use std::path::PathBuf;

/// Something asked for in a view or panel.
#[derive(Clone, Debug)]
pub enum Action {
    /// For the engine as it is.
    Send(Command),
    /// A parameter moved, with the value before, for undo.
    Change {
        /// The new value.
        to: Parameter,
        /// The value before.
        from: Parameter,
    },
    /// Watch other units.
    Watch(Watch),
    /// Write the filters of a layer.
    Export {
        /// File, or folder for one PNG a filter.
        path: PathBuf,
        /// Kind of file.
        format: Format,
        /// Colour scale.
        scale: Scale,
        /// Screen pixels a weight.
        zoom: u32,
        /// 1..=L.
        layer: usize,
    },
    /// Ask for a file or folder in a dialog; the answer goes into the field.
    Dialog(Field),
    /// Full speed, or the slow pace again.
    ToggleSpeed,
}

/// A path field that a dialog fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Own images.
    Images,
    /// Where filters are written.
    Export,
    /// A model file to open.
    Open,
    /// Where the model is written.
    Save,
}
