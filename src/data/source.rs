//! Where stimuli come from.

use serde::{Deserialize, Serialize};

/// Where stimuli come from: `source` of the table `[data]`. Files and folders stand beside it, in `data.paths`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// One stimulus that the configuration holds, `stimulus.values`.
    #[default]
    Fixed,
    /// Patches of six synthetic dead-leaves images of 384 x 384.
    DeadLeaves,
    /// Patches of the embedded photographs.
    Photographs,
    /// Bars that appear independently, an image each, without whitening.
    Bars,
    /// Patches of one's own images: files and folders.
    Files,
    /// The embedded digits, whole, 8 x 8.
    Digits,
    /// The embedded part of Fashion-MNIST, whole, 28 x 28.
    Fashion,
    /// MNIST's files, whole, in the first folder named, or in data/mnist.
    Mnist,
    /// One's own whole images: files and folders, grey levels as they are.
    Images,
}

impl Source {
    /// Whether a stimulus is a whole image, grey 0 to 1, and not a whitened patch.
    pub fn is_whole(self) -> bool {
        matches!(self, Self::Digits | Self::Fashion | Self::Mnist | Self::Images)
    }
}
