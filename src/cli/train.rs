//! `heescope train`: learns without a window and writes the model.

use crate::cli::console::{Console, notice};
use crate::cli::stop::Stop;
use crate::cli::{Start, reads, writes};
use crate::data::Source;
use crate::dynamics::Probes;
use crate::experiment::parallel::run_on;
use crate::experiment::session::Session;
use crate::experiment::{Config, LARGEST_COUNT, LearningRateSchedule, modelfile, stages};
use crate::export::filters::{Format, save};
use crate::export::mosaic::Scale;
use crate::export::{Outputs, check_room, write_or_keep};
use anyhow::bail;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Images of a run whose length nobody says.
const USUAL_IMAGES: u64 = 100_000;

/// Options of `train`.
#[derive(clap::Args, Debug)]
pub(super) struct Train {
    #[command(flatten)]
    start: Start,
    /// Own images: a file or a folder of PNG, JPEG, TIFF, WebP and BMP; for presets that learn whole images (digits, fashion, mnist)
    /// also IDX, NPY, NPZ or CIFAR-10 batches, and folders of pictures by class
    #[arg(long)]
    data: Vec<PathBuf>,
    /// Images to learn from
    #[arg(long)]
    images: Option<u64>,
    /// Seconds to learn
    #[arg(long)]
    seconds: Option<f64>,
    /// Model file to go on from; --out is another one
    #[arg(long)]
    init: Option<PathBuf>,
    /// Model file to write (NPZ); Ctrl-C, SIGTERM and SIGHUP save there what was learned
    #[arg(long)]
    out: PathBuf,
    /// Mosaic of the filters to write (PNG)
    #[arg(long)]
    filters: Option<PathBuf>,
}

/// How long a run of `train` lasts.
#[derive(Clone, Copy)]
struct Length {
    /// Images, where their number is known beforehand.
    images: Option<u64>,
    /// Seconds at most.
    seconds: Option<f64>,
}

impl Train {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let (mut config, model) = self.start.read(self.init.as_ref())?;
        self.apply_to(&mut config)?;
        self.outputs(&config).check()?;
        let length = self.length(&config);
        let decay = config.learning.rate_schedule;
        if length.images.is_some() && decay == LearningRateSchedule::InverseImages {
            config.learning.rate_schedule = LearningRateSchedule::Linear; // a run of known length (model.md 6)
        }
        let mut session = match model {
            Some(model) => Session::with_model(config, model)?,
            None => Session::new(config)?,
        };
        if let Some(path) = &self.init {
            modelfile::resume(path, &mut session)?;
        }
        for warning in session.warnings() {
            notice(warning);
        }
        check_room(&self.out, modelfile::largest_size(&session)?)?;
        let (start, stop) = (Instant::now(), Stop::listen()?);
        let residual = learn(&mut session, length, &stop)?;
        let seconds = start.elapsed().as_secs_f64();
        if let Some(signal) = stop.signal() {
            notice(format_args!("{signal}: saving what was learned; a second Ctrl-C or SIGTERM ends at once"));
        }
        let mut config = session.config().clone();
        config.learning.rate_schedule = decay; // this run's end is not the model's
        let saved = self.save(&config, &session);
        if let (Some(signal), Ok(())) = (stop.signal(), &saved) {
            notice(format_args!("{signal}: what was learned is in {}", self.out.display()));
        }
        let mut console = Console::beside(self.files());
        console.line(format_args!(
            "{} images, {} steps, {seconds:.2} s, residual variance {residual:.3}",
            session.images(),
            session.steps()
        ));
        saved?;
        console.finish()
    }

    /// Writes what was asked for into the configuration; the error says what cannot be learned.
    fn apply_to(&self, config: &mut Config) -> anyhow::Result<()> {
        if !self.data.is_empty() {
            config.use_images(self.data.clone());
        }
        if config.data.source == Source::Fixed {
            bail!("preset {} has one fixed stimulus and nothing to learn", config.model.name);
        }
        if config.stimulus.steps_per_stimulus == 0 {
            bail!("steps_per_stimulus = 0 lets the first stimulus stay, and nothing is learned: 1 or more is needed");
        }
        if let Some(images) = self.images.filter(|images| !(1..=LARGEST_COUNT).contains(images)) {
            bail!("--images {images} is out of range: 1 to {LARGEST_COUNT}");
        }
        if let Some(seconds) = self.seconds.filter(|s| !(s.is_finite() && *s > 0.0)) {
            bail!("--seconds {seconds}: a number above 0 is needed");
        }
        config.learning.enabled = true;
        if let (Some(images), None) = (self.images, &self.init) {
            stages::scale(&mut config.stages, images); // the stages keep their shares of the run
        }
        Ok(())
    }

    /// The length of the run: as asked for, otherwise that of the stages, or usual.
    fn length(&self, config: &Config) -> Length {
        let staged = stages::total(&config.stages);
        let whole = if staged > 0 { staged.saturating_sub(config.learning.images_seen).max(1) } else { USUAL_IMAGES };
        let images = self.images.or(if self.seconds.is_none() { Some(whole) } else { None });
        Length { images, seconds: self.seconds }
    }

    fn outputs<'a>(&'a self, config: &'a Config) -> Outputs<'a> {
        let outputs = Outputs::default().writes("--out", &self.out, modelfile::ENDING);
        let outputs = writes("--filters", self.filters.as_ref(), ".png", outputs);
        let outputs = reads("--init", self.init.as_ref(), self.start.reads(None, outputs));
        config.data.paths.iter().fold(outputs, |outputs, path| outputs.reads("--data", path))
    }

    fn files(&self) -> impl Iterator<Item = &Path> {
        std::iter::once(self.out.as_path()).chain(self.filters.as_deref())
    }

    /// Writes the model and the filters. Where one of the two fails, the other is written all the same.
    fn save(&self, config: &Config, session: &Session) -> anyhow::Result<()> {
        let saved = write_or_keep(&self.out, |path| modelfile::save(path, config, session));
        if let Some(path) = &self.filters {
            let model = session.model();
            let written =
                write_or_keep(path, |path| save(path, model.weights[0].view(), model.image_shape(), Format::Png, Scale::PerFilter, 4, &[]));
            saved?;
            return Ok(written?);
        }
        Ok(saved?)
    }
}

/// Learns until the run is over or a signal asks for its end; returns a running mean of the residual's variance. An error where a
/// value is not finite.
fn learn(session: &mut Session, length: Length, stop: &Stop) -> anyhow::Result<f64> {
    let last = length.images.map(|images| session.run_for(images));
    let bar = match length.images {
        Some(images) if std::io::stderr().is_terminal() => indicatif::ProgressBar::new(images),
        _ => indicatif::ProgressBar::hidden(),
    };
    let (start, probes) = (Instant::now(), Probes::default());
    let (mut residual, pool) = (0.0, session.pool());
    let is_over = |session: &Session| {
        // The images of the presentation that runs are counted when it begins, so the last one ends past the number asked for.
        last.is_some_and(|last| session.images() > last)
            || length.seconds.is_some_and(|seconds| start.elapsed().as_secs_f64() >= seconds)
            || stop.signal().is_some()
    };
    run_on(pool, || -> anyhow::Result<()> {
        while !is_over(session) {
            if let (None, Some(seconds)) = (last, length.seconds) {
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
    })?;
    bar.finish_and_clear();
    Ok(residual)
}
