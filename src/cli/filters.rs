//! `heescope filters`: a model's filters as PNG, SVG or NPY.

use crate::experiment::modelfile;
use crate::export::filters::{Format, save};
use crate::export::mosaic::Scale;
use anyhow::bail;
use std::path::PathBuf;

/// Options of `filters`.
#[derive(clap::Args, Debug)]
pub(super) struct Filters {
    /// Model file
    #[arg(long)]
    model: PathBuf,
    /// Layer whose units are shown; deeper layers are multiplied down to pixels
    #[arg(long, default_value_t = 1)]
    layer: usize,
    /// png, svg or npy; otherwise by the file's ending
    #[arg(long)]
    format: Option<String>,
    /// One colour scale for all filters
    #[arg(long)]
    shared_scale: bool,
    /// File to write
    #[arg(long)]
    out: PathBuf,
}

impl Filters {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let ending = self.out.extension().and_then(|e| e.to_str()).unwrap_or("png").to_ascii_lowercase();
        let format = match self.format.as_deref().unwrap_or(&ending) {
            "png" => Format::Png,
            "svg" => Format::Svg,
            "npy" => Format::Npy,
            other => bail!("--format {other}: png, svg or npy is needed"),
        };
        let (_, model) = modelfile::load(&self.model)?;
        if !(1..=model.depth()).contains(&self.layer) {
            bail!("--layer {} is out of range: 1 to {}", self.layer, model.depth());
        }
        let pixels = model.weights[..self.layer].iter().skip(1).fold(model.weights[0].clone(), |down, w| down.dot(w));
        save(&self.out, pixels.view(), format, if self.shared_scale { Scale::Shared } else { Scale::PerFilter }, 4)
    }
}
