//! `heescope train`: learns without a window and writes the model.

use crate::cli::{Start, notice};
use crate::data::Source;
use crate::dynamics::Probes;
use crate::experiment::parallel::run_on;
use crate::experiment::session::Session;
use crate::experiment::{LARGEST_COUNT, LearningRateSchedule, modelfile, stages};
use crate::export::filters::{Format, save};
use crate::export::mosaic::Scale;
use anyhow::bail;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Instant;

/// Options of `train`.
#[derive(clap::Args, Debug)]
pub(super) struct Train {
    #[command(flatten)]
    start: Start,
    /// Own images: a file or a folder of PNG and JPEG; for presets that learn whole images (digits, fashion, mnist) also IDX, NPY,
    /// NPZ or CIFAR-10 batches
    #[arg(long)]
    data: Vec<PathBuf>,
    /// Images to learn from
    #[arg(long)]
    images: Option<u64>,
    /// Seconds to learn
    #[arg(long)]
    seconds: Option<f64>,
    /// Model file to go on from
    #[arg(long)]
    init: Option<PathBuf>,
    /// Model file to write
    #[arg(long)]
    out: PathBuf,
    /// Mosaic of the filters to write (PNG)
    #[arg(long)]
    filters: Option<PathBuf>,
}

impl Train {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let (mut config, model) = self.start.read(self.init.as_ref())?;
        if !self.data.is_empty() {
            config.use_images(self.data.clone());
        }
        if config.data.source == Source::Fixed {
            bail!("preset {} has one fixed stimulus and nothing to learn", config.model.name);
        }
        if let Some(seconds) = self.seconds.filter(|s| !(s.is_finite() && *s > 0.0)) {
            bail!("--seconds {seconds}: a number above 0 is needed");
        }
        if let Some(images) = self.images.filter(|images| *images > LARGEST_COUNT) {
            bail!("--images {images} is out of range: 1 to {LARGEST_COUNT}");
        }
        config.learning.enabled = true;
        if let (Some(images), None) = (self.images, &self.init) {
            stages::scale(&mut config.stages, images); // the stages keep their shares of the run
        }
        let staged = stages::total(&config.stages);
        let whole = if staged > 0 { staged.saturating_sub(config.learning.images_seen).max(1) } else { 100_000 };
        let images = self.images.or(if self.seconds.is_none() { Some(whole) } else { None });
        let decay = config.learning.rate_schedule;
        if images.is_some() && decay == LearningRateSchedule::InverseImages {
            config.learning.rate_schedule = LearningRateSchedule::Linear; // a run of known length (model.md 6)
        }
        let mut session = match model {
            Some(model) => Session::with_model(config, model)?,
            None => Session::new(config)?,
        };
        if let Some(path) = &self.init {
            modelfile::resume(path, &mut session)?;
        }
        let last = images.map(|images| session.run_for(images));
        for warning in session.warnings() {
            notice(&format!("left out: {warning}"));
        }
        let bar = match images {
            Some(images) if std::io::stderr().is_terminal() => indicatif::ProgressBar::new(images),
            _ => indicatif::ProgressBar::hidden(),
        };
        let (start, probes) = (Instant::now(), Probes::default());
        let (mut residual, pool) = (0.0, session.pool());
        let learn = || -> anyhow::Result<()> {
            // The images of the presentation that runs are counted when it begins, so the last one ends past the number asked for.
            while last.is_none_or(|last| session.images() <= last) && self.seconds.is_none_or(|s| start.elapsed().as_secs_f64() < s) {
                if let (None, Some(seconds)) = (last, self.seconds) {
                    session.set_run_progress(start.elapsed().as_secs_f64() / seconds);
                }
                if let (_, Some(report)) = session.advance(usize::MAX, &probes) {
                    residual += 0.05 * (f64::from(report.residual_variance) - residual);
                    if let Some(reason) = session.broken() {
                        bail!("learning diverged after {} images: {reason}", session.images());
                    }
                    bar.set_position(session.images());
                }
            }
            Ok(())
        };
        run_on(pool, learn)?;
        bar.finish_and_clear();
        let mut config = session.config().clone();
        config.learning.rate_schedule = decay; // this run's end is not the model's
        modelfile::save(&self.out, &config, &session)?;
        if let Some(path) = &self.filters {
            save(path, session.model().weights[0].view(), Format::Png, Scale::PerFilter, 4, &[])?;
        }
        println!(
            "{} images, {} steps, {:.2} s, residual variance {residual:.3}",
            session.images(),
            session.steps(),
            start.elapsed().as_secs_f64()
        );
        Ok(())
    }
}
