//! `heescope complete`: images of which a part is hidden, completed by a model (model.md 4).

use crate::cli::console::{Console, notice};
use crate::cli::image_data::read_data;
use crate::data::Part;
use crate::experiment::{FrozenModel, modelfile, slow_interneurons};
use crate::export::npz::Archive;
use crate::export::{FileError, Outputs, check_room, write_or_keep};
use crate::studies::completion::{
    CompletionErrors, CompletionOptions, CompletionStart, Completions, FEWEST_STEPS, MOST_STEPS, Mask, complete,
};
use crate::studies::generation::schedule::Schedule;
use anyhow::{anyhow, bail};
use indicatif::ProgressBar;
use ndarray::{Array1, Array2, Axis};
use std::io::IsTerminal;
use std::path::PathBuf;

/// Options of `complete`.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Each image is one chain: hidden pixels start from noise, the layers above from the prior, all move for --steps steps, and means are
taken over the second half of them. Errors are over the hidden pixels alone; 'thresholded' puts the means to 0 or 1.")]
pub(super) struct Complete {
    /// Model file
    #[arg(long)]
    model: PathBuf,
    /// Images to complete: digits, fashion, or a file or folder of images; the held-out ones where there are such
    #[arg(long)]
    data: String,
    /// What is hidden: bottom-half, top-half, left-half, right-half, random:SHARE
    #[arg(long)]
    mask: Mask,
    /// Images, the first ones of the data
    #[arg(long, default_value_t = 100)]
    count: usize,
    /// Steps of the network
    #[arg(long, default_value_t = 600)]
    steps: usize,
    /// How chains reach the posterior: woken (the gain of the lowest coupling rises from 0 to 1 over 40 % of the steps) or plain
    #[arg(long, default_value = "woken", value_parser = ["woken", "plain"])]
    schedule: String,
    /// Temperature of neurons and hidden pixels, 0 to 1: 1 samples the posterior, 0 comes to rest at a maximum; that of the model without it
    #[arg(long)]
    temperature: Option<f64>,
    /// Seed of everything random, 0 to 2^64 - 1; that of the model without it
    #[arg(long, value_parser = crate::cli::seed)]
    seed: Option<u64>,
    /// Worker threads; results do not depend on it
    #[arg(long)]
    threads: Option<usize>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// File to write (NPZ: images, means, samples, each count x rows x columns; mask, rows x columns, 1 where hidden; labels where known)
    #[arg(long)]
    out: PathBuf,
}

impl Complete {
    pub(super) fn run(self) -> anyhow::Result<()> {
        if !(FEWEST_STEPS..=MOST_STEPS).contains(&self.steps) {
            bail!("--steps {} is out of range: {FEWEST_STEPS} to {MOST_STEPS}", self.steps);
        }
        if self.count == 0 {
            bail!("--count 0: at least one image is needed");
        }
        let data = PathBuf::from(&self.data);
        let outputs = Outputs::default().writes("--out", &self.out, ".npz").reads("--model", &self.model);
        if matches!(self.data.as_str(), "digits" | "fashion") { outputs } else { outputs.reads("--data", &data) }.check()?;
        let (mut config, model) = modelfile::load(&self.model)?;
        if let Some(threads) = self.threads {
            config.set(&format!("threads={threads}"))?;
        }
        if let Some(temperature) = self.temperature {
            if !(0.0..=1.0).contains(&temperature) {
                bail!("--temperature {temperature} is out of range: 0 to 1");
            }
            config.dynamics.temperature = temperature;
        }
        let pool = rayon::ThreadPoolBuilder::new().num_threads(config.dynamics.threads).build()?;
        pool.install(|| self.complete(&FrozenModel::from_model(&config, model), self.seed.unwrap_or(config.dynamics.seed)))
    }

    fn complete(&self, frozen: &FrozenModel, seed: u64) -> anyhow::Result<()> {
        let shape = frozen.model.image_shape();
        let set = read_data(&self.data, Part::Test, shape)?;
        if set.shape() != shape {
            let ([r, c], [rows, columns]) = (set.shape(), shape);
            bail!("{}: images of {r} x {c} pixels, the model has {rows} x {columns}", self.data);
        }
        if set.len() < self.count {
            bail!("--count {}: there are {} held-out images in {}", self.count, set.len(), self.data);
        }
        if let Some(cause) = slow_interneurons(&frozen.dynamics, &frozen.stiffness) {
            notice(&cause.text);
        }
        let images = set.pixels.select(Axis(0), &Vec::from_iter(0..self.count));
        check_room(&self.out, (3 * images.len() * size_of::<f32>()) as u64)?;
        let hidden = self.mask.hidden(shape, seed);
        let bar = if std::io::stderr().is_terminal() { ProgressBar::new(self.steps as u64) } else { ProgressBar::hidden() };
        let options = CompletionOptions {
            start: CompletionStart::Prior,
            schedule: if self.schedule == "plain" { Schedule::Plain } else { Schedule::Woken },
            steps: self.steps,
            seed,
        };
        let completed = complete(frozen, images.view(), &hidden, options, &mut |step| bar.set_position(step as u64));
        bar.finish_and_clear();
        let completed = completed.map_err(|error| anyhow!("{}: {error}", self.model.display()))?;
        let errors = CompletionErrors::new(&completed.means, &completed.samples, images.view(), &hidden);
        let labels = set.labels.as_ref().map(|labels| labels.iter().take(self.count).map(|label| *label as f32).collect());
        write_or_keep(&self.out, |path| self.archive(&images, &completed, &hidden, shape, labels.as_ref())?.save(path))?;
        let mut console = Console::beside(std::iter::once(self.out.as_path()));
        if self.json {
            let count = self.count;
            console.line(
                serde_json::json!({ "count": count, "hidden": hidden.iter().filter(|hidden| **hidden).count(), "squared_error": errors }),
            );
        } else {
            console.line(format_args!(
                "{} images of {} x {} pixels, mean squared error over {} hidden pixels: posterior mean {:.4}, one draw {:.4}, thresholded {:.4}",
                self.count,
                shape[0],
                shape[1],
                hidden.iter().filter(|hidden| **hidden).count(),
                errors.mean,
                errors.sample,
                errors.thresholded
            ));
        }
        console.finish()
    }

    fn archive(
        &self,
        images: &Array2<f32>,
        completed: &Completions,
        hidden: &[bool],
        [rows, columns]: [usize; 2],
        labels: Option<&Array1<f32>>,
    ) -> Result<Archive, FileError> {
        let mut archive = Archive::default();
        for (name, stack) in [("images", images), ("means", &completed.means), ("samples", &completed.samples)] {
            let stack = stack.to_shape((self.count, rows, columns)).map_err(|e| FileError::encode(name, e))?;
            archive.add(name, &stack.to_owned())?;
        }
        let mask: Array1<f32> = hidden.iter().map(|hidden| f32::from(u8::from(*hidden))).collect();
        archive.add("mask", &mask.to_shape((rows, columns)).map_err(|e| FileError::encode("mask", e))?.to_owned())?;
        labels.map_or(Ok(()), |labels| archive.add("labels", labels))?;
        Ok(archive)
    }
}
