//! `heescope filters`: a model's filters as PNG, SVG or NPY, or their Gabor fits as CSV; units that set a scale as groups and bars.

use crate::experiment::modelfile;
use crate::experiment::parallel::on_threads;
use crate::export::filters::{Format, Look};
use crate::export::mosaic::Scale;
use crate::export::{Outputs, ending, is_stream};
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
        on_threads(0, || self.write())?
    }

    fn write(self) -> anyhow::Result<()> {
        let format = self.format()?;
        let (_, model) = modelfile::load(&self.model)?;
        if !(1..=model.depth()).contains(&self.layer) {
            bail!("--layer {} is out of range: 1 to {}", self.layer, model.depth());
        }
        Outputs::default().writes_any("--out", &self.out).reads("--model", &self.model).check()?;
        if groups::sets_scale(&model, self.layer) {
            return Ok(groups::save(&self.out, &model, self.layer, format)?);
        }
        let pixels = receptive_field::filters(&model, self.layer, None);
        let scale = if self.shared_scale { Scale::Shared } else { Scale::PerFilter };
        Ok(fits::save(&self.out, pixels.view(), model.image_shape(), format, Look { scale, ..Look::default() }, 4, self.ellipses)?)
    }

    /// What is written: as asked for, otherwise by the ending, PNG where there is none that could tell.
    fn format(&self) -> anyhow::Result<Format> {
        let ending = ending(&self.out);
        match (self.format.as_deref(), ending.as_str()) {
            (Some("png"), _) | (None, "png" | "") => Ok(Format::Png),
            (Some("svg"), _) | (None, "svg") => Ok(Format::Svg),
            (Some("npy"), _) | (None, "npy") => Ok(Format::Npy),
            (Some("csv"), _) | (None, "csv") => Ok(Format::Csv),
            (None, _) if is_stream(&self.out) => Ok(Format::Png),
            (Some(other), _) => bail!("--format {other}: png, svg, npy or csv is needed"),
            (None, _) => bail!("{}: a name that ends in .png, .svg, .npy or .csv is needed, or --format", self.out.display()),
        }
    }
}
