//! `heescope train`: learns without a window and writes the model.

mod goal;

use crate::cli::console::{Console, notice};
use crate::cli::stop::Stop;
use crate::cli::{Start, reads, writes};
use crate::data::{ImagesReport, Source};
use crate::dynamics::Probes;
use crate::experiment::parallel::run_on;
use crate::experiment::session::Session;
use crate::experiment::{Config, LARGEST_COUNT, LearningConfig, LearningRateSchedule, ModelFileError, Resumed, modelfile, stages};
use crate::export::filters::{Format, Look, save};
use crate::export::{Outputs, check_room, is_stream, write_or_keep};
use anyhow::bail;
use goal::{Goal, Length};
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
    /// Stop after so many images of the run; --init goes on with the others
    #[arg(long, value_name = "N")]
    stop_after: Option<u64>,
    /// Write the model again and again while it learns, with so many seconds between
    #[arg(long, value_name = "SECONDS")]
    save_every: Option<f64>,
    /// Mosaic of the filters to write (PNG)
    #[arg(long)]
    filters: Option<PathBuf>,
}

impl Train {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let (mut config, model) = self.start.read(self.init.as_ref())?;
        self.apply_to(&mut config)?;
        self.outputs(&config).check()?;
        let length = self.length(&config);
        let decay = config.learning.rate_schedule;
        let mut session = match model {
            Some(model) => Session::with_model(config, model)?,
            None => Session::new(config)?,
        };
        let resumed = self.init.as_ref().map(|path| modelfile::resume(path, &mut session)).transpose()?;
        session.images_report().into_iter().flat_map(ImagesReport::lines).for_each(notice);
        check_room(&self.out, modelfile::largest_size(&session)?)?;
        self.say_how(resumed.as_ref());
        let (goal, stop) = (Goal::announce(length, &mut session, resumed == Some(Resumed::Exactly)), Stop::listen()?);
        if goal.is_in_images() && decay == LearningRateSchedule::InverseImages {
            let learning = LearningConfig { rate_schedule: LearningRateSchedule::Linear, ..session.config().learning };
            session.adjust(session.config().dynamics, learning)?; // a run of known length (model.md 6)
        }
        let residual = self.learn(&mut session, &goal, &stop, decay)?;
        let seconds = goal.elapsed_seconds();
        if let Some(signal) = stop.signal() {
            notice(format_args!("{signal}: saving what was learned; a second Ctrl-C or SIGTERM ends at once"));
        }
        let saved = self.save(decay, &session);
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
        if let Some(images) = self.stop_after.filter(|images| !(1..=LARGEST_COUNT).contains(images)) {
            bail!("--stop-after {images} is out of range: 1 to {LARGEST_COUNT}");
        }
        if let Some(seconds) = self.save_every.filter(|s| !(s.is_finite() && *s >= 0.0)) {
            bail!("--save-every {seconds}: a number of at least 0 is needed");
        }
        if self.save_every.is_some() && is_stream(&self.out) {
            bail!("--save-every: --out {} is no file that can be written again", self.out.display());
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
        let usual = if staged > 0 { staged.saturating_sub(config.learning.images_seen).max(1) } else { USUAL_IMAGES };
        Length { images: self.images, seconds: self.seconds, stop_after: self.stop_after, usual }
    }

    /// Says how learning goes on from a model file.
    fn say_how(&self, resumed: Option<&Resumed>) {
        let (Some(path), Some(resumed)) = (&self.init, resumed) else { return };
        match resumed {
            Resumed::Exactly => notice(format_args!("{}: learning goes on exactly where it stopped", path.display())),
            Resumed::Approximately(reason) => notice(format_args!("{}: learning goes on approximately: {reason}", path.display())),
        }
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
    fn save(&self, decay: LearningRateSchedule, session: &Session) -> anyhow::Result<()> {
        let saved = write_or_keep(&self.out, |path| save_model(path, decay, session));
        if let Some(path) = &self.filters {
            let model = session.model();
            let written =
                write_or_keep(path, |path| save(path, model.weights[0].view(), model.image_shape(), Format::Png, Look::default(), 4, &[]));
            saved?;
            return Ok(written?);
        }
        Ok(saved?)
    }

    /// Learns until the run is over or a signal asks for its end, and saves meanwhile where that is asked for; returns a running mean of
    /// the residual's variance. An error where a value is not finite.
    fn learn(&self, session: &mut Session, goal: &Goal, stop: &Stop, decay: LearningRateSchedule) -> anyhow::Result<f64> {
        let bar = match goal.stop() {
            Some(images) if std::io::stderr().is_terminal() => indicatif::ProgressBar::new(images),
            _ => indicatif::ProgressBar::hidden(),
        };
        let probes = Probes::default();
        let (mut residual, pool, mut saved, mut failed) = (0.0, session.pool(), Instant::now(), false);
        run_on(pool, || -> anyhow::Result<()> {
            while !goal.is_reached(session) && stop.signal().is_none() {
                goal.tell(session);
                if let (_, Some(report)) = session.advance(usize::MAX, &probes) {
                    residual += 0.05 * (f64::from(report.residual_variance) - residual);
                    if let Some(reason) = session.broken() {
                        bail!("learning diverged after {} images: {reason}", session.images());
                    }
                    bar.set_position(session.images());
                }
                if self.save_every.is_some_and(|seconds| saved.elapsed().as_secs_f64() >= seconds) {
                    let outcome = save_model(&self.out, decay, session);
                    if let (Err(error), false) = (&outcome, failed) {
                        notice(format_args!("learning goes on, but {error}"));
                    }
                    (failed, saved) = (outcome.is_err(), Instant::now());
                }
            }
            Ok(())
        })?;
        goal.end(session);
        bar.finish_and_clear();
        Ok(residual)
    }
}

/// Writes the model; the course of the rate in this run is not the model's.
fn save_model(path: &Path, decay: LearningRateSchedule, session: &Session) -> Result<(), ModelFileError> {
    let mut config = session.config().clone();
    config.learning.rate_schedule = decay;
    modelfile::save(path, &config, session)
}
