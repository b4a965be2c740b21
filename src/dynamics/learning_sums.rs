//! The sums of the learning rule, as an ensemble hands them out.

use crate::dynamics::block::Block;

/// Sums over networks and learning steps of one presentation. They come in parts, which are to be added in their order: so the total
/// does not depend on which thread computed which part.
#[derive(Clone, Debug)]
pub struct LearningSums<'a> {
    blocks: &'a [Block],
}

impl<'a> LearningSums<'a> {
    pub(super) fn new(blocks: &'a [Block]) -> Self {
        Self { blocks }
    }

    /// Terms of each sum: networks times learning steps.
    pub fn samples(&self) -> usize {
        self.blocks.iter().map(|block| block.learned_steps * block.rows).sum()
    }

    /// Parts of the sum of eps_l f(x_(l+1))^T, `[n_l, n_(l+1)]` row by row.
    pub fn weights(&self, l: usize) -> Vec<&'a [f32]> {
        self.blocks.iter().map(|block| block.layers[l].weight_sums.as_slice()).collect()
    }

    /// Parts of the sum of eps_l, `[n_l]`.
    pub fn biases(&self, l: usize) -> Vec<&'a [f32]> {
        self.blocks.iter().map(|block| block.layers[l].bias_sums.as_slice()).collect()
    }

    /// The sum of (eps_l)^2 over units too.
    pub fn squared_errors(&self, l: usize) -> f64 {
        self.blocks.iter().map(|block| block.layers[l].squared_errors_sum).sum()
    }

    /// Parts of the number of times that each state of a categorical top was taken, `[k]`.
    pub fn state_counts(&self) -> impl Iterator<Item = &'a [f32]> {
        self.blocks.iter().map(|block| block.layers[block.layers.len() - 1].category_counts.as_slice())
    }
}
