//! `heescope filters`: a model's filters as PNG, SVG or NPY, or their Gabor fits as CSV; units that set a scale as groups and bars.

use crate::experiment::modelfile;
use crate::export::filters::Format;
use crate::export::mosaic::Scale;
use crate::model::receptive_field;
use crate::studies::fits::{self, groups};
use anyhow::bail;
use std::path::PathBuf;

/// Options of `filters`.
#[derive(clap::Args, Debug)]
pub(super) struct Filters {
    /// Model file
    #[arg(long)]
    model: PathBuf,
    /// Layer whose units are shown; deeper layers are multiplied down to pixels, units that set the scale of the layer below are shown
    /// by its filters (csv, svg)
    #[arg(long, default_value_t = 1)]
    layer: usize,
    /// png, svg, npy or csv (the Gabor fits); otherwise by the file's ending
    #[arg(long)]
    format: Option<String>,
    /// Outline the Gabor fits in an SVG
    #[arg(long)]
    ellipses: bool,
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
            "csv" => Format::Csv,
            other => bail!("--format {other}: png, svg, npy or csv is needed"),
        };
        let (_, model) = modelfile::load(&self.model)?;
        if !(1..=model.depth()).contains(&self.layer) {
            bail!("--layer {} is out of range: 1 to {}", self.layer, model.depth());
        }
        if groups::sets_scale(&model, self.layer) {
            return Ok(groups::save(&self.out, &model, self.layer, format)?);
        }
        let pixels = receptive_field::filters(&model, self.layer, None);
        let scale = if self.shared_scale { Scale::Shared } else { Scale::PerFilter };
        Ok(fits::save(&self.out, pixels.view(), format, scale, 4, self.ellipses)?)
    }
}
