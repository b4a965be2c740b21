//! `heescope evaluate --likelihood`: how probable held-out images are under a model (model.md 10, 11).

use crate::cli::console::Console;
use crate::cli::image_data::read_data;
use crate::data::Part;
use crate::experiment::{FrozenModel, modelfile};
use crate::model::{FamilyConfig, Layer};
use crate::shown::one_line;
use crate::studies::likelihood::{AnnealingOptions, Binarisation, MOST_RUNS, MOST_TEMPERATURES, ancestral, annealed, mean_and_error};
use anyhow::{anyhow, bail};
use indicatif::ProgressBar;
use ndarray::Axis;
use std::io::IsTerminal;
use std::path::PathBuf;

/// Ancestral draws at most.
const MOST_DRAWS: usize = 1_000_000;

/// Options of `evaluate --likelihood`.
#[derive(clap::Args, Debug)]
pub(super) struct LikelihoodOptions {
    /// Tell how probable held-out images are under --model, nats an image: by annealed importance sampling, and by ancestral draws
    #[arg(long, requires = "model")]
    pub(super) likelihood: bool,
    /// Model file (with --likelihood)
    #[arg(long, requires = "likelihood")]
    model: Option<PathBuf>,
    /// Runs of annealed importance sampling for each image (with --likelihood)
    #[arg(long, default_value_t = AnnealingOptions::default().runs, requires = "likelihood")]
    runs: usize,
    /// Gains of the lowest coupling from 0 to 1 in each run (with --likelihood)
    #[arg(long, default_value_t = AnnealingOptions::default().temperatures, requires = "likelihood")]
    temperatures: usize,
    /// Ancestral draws of the other estimate (with --likelihood)
    #[arg(long, default_value_t = 5000, requires = "likelihood")]
    draws: usize,
    /// How grey levels become pixels of 0 or 1 where the model observes these: drawn (the default) or threshold (with --likelihood). Of a model
    /// with binomial pixels, whose levels are taken as they are otherwise: one trial a pixel, with the chance that the model gives to each of its
    /// trials
    #[arg(long, value_enum, requires = "likelihood")]
    binarise: Option<Binarise>,
    /// Seed of everything random, 0 to 2^64 - 1 (with --likelihood); that of the model without it
    #[arg(long, value_parser = crate::cli::seed, requires = "likelihood")]
    seed: Option<u64>,
    /// Worker threads (with --likelihood); results do not depend on it
    #[arg(long, requires = "likelihood")]
    threads: Option<usize>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Binarise {
    Drawn,
    Threshold,
}

impl LikelihoodOptions {
    /// The first `count` held-out images of `data`, 100 without it.
    pub(super) fn run(&self, data: &str, count: Option<usize>, json: bool) -> anyhow::Result<()> {
        let Some(file) = &self.model else { bail!("--likelihood needs --model") };
        for (option, value, range) in [
            ("--runs", self.runs, 2..=MOST_RUNS),
            ("--temperatures", self.temperatures, 2..=MOST_TEMPERATURES),
            ("--draws", self.draws, 1..=MOST_DRAWS),
        ] {
            if !range.contains(&value) {
                bail!("{option} {value} is out of range: {} to {}", range.start(), range.end());
            }
        }
        let (mut config, mut model) = modelfile::load(file)?;
        if let Some(threads) = self.threads {
            config.set(&format!("threads={threads}"))?;
        }
        let seed = self.seed.unwrap_or(config.dynamics.seed);
        let pixels = &mut model.layers[0];
        if let (Some(_), FamilyConfig::Binomial { .. }) = (self.binarise, pixels.config()) {
            *pixels = Layer::new(FamilyConfig::Bernoulli, pixels.activation, pixels.size)?;
            config.model.layers[0].family = FamilyConfig::Bernoulli;
        }
        let frozen = FrozenModel::from_model(&config, model);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(config.dynamics.threads).build()?;
        pool.install(|| self.measure(&frozen, data, count, seed, json))
    }

    fn measure(&self, frozen: &FrozenModel, data: &str, count: Option<usize>, seed: u64, json: bool) -> anyhow::Result<()> {
        let shape = frozen.model.image_shape();
        let set = read_data(data, Part::Test, shape)?;
        if set.shape() != shape {
            let ([r, c], [rows, columns]) = (set.shape(), shape);
            bail!("{data}: images of {r} x {c} pixels, the model has {rows} x {columns}");
        }
        let count = count.unwrap_or(100.min(set.len()));
        if count == 0 || count > set.len() {
            bail!("--count {count}: there are {} held-out images in {data}", set.len());
        }
        let images = set.pixels.select(Axis(0), &Vec::from_iter(0..count));
        let binary = frozen.model.observed_family().is_binary();
        let binarisation = match self.binarise {
            None | Some(Binarise::Drawn) => Binarisation::Drawn,
            Some(Binarise::Threshold) => Binarisation::Threshold,
        };
        let images = if binary { binarisation.apply(images.view(), seed) } else { images };
        let bar = if std::io::stderr().is_terminal() { ProgressBar::new(count as u64) } else { ProgressBar::hidden() };
        let options = AnnealingOptions { runs: self.runs, temperatures: self.temperatures, seed };
        let done = |done: usize| {
            bar.set_position(done as u64);
            true
        };
        let found = annealed(frozen, images.view(), options, &done).map_err(|error| anyhow!("{error}"))?;
        bar.finish_and_clear();
        let by_draws = ancestral(frozen, images.view(), self.draws, seed)?;
        let [[mean, error], [draws_mean, draws_error]] = [&found.log_likelihood, &by_draws].map(|values| mean_and_error(values));
        // The error of the estimates themselves, which the spread between images holds already.
        let own = found.error.iter().map(|error| error * error).sum::<f64>().sqrt() / count as f64;
        let effective = found.effective_runs.iter().sum::<f64>() / count as f64;
        let least = found.effective_runs.iter().fold(f64::INFINITY, |least, &runs| least.min(runs));
        let how = if !binary {
            "as they are".to_string()
        } else {
            match binarisation {
                Binarisation::Drawn => "each pixel drawn once with the probability of its grey level".into(),
                Binarisation::Threshold => "each pixel 1 from the grey level 0.5 on".into(),
            }
        };
        let mut console = Console::new();
        if json {
            console.line(serde_json::json!({
                "data": data,
                "count": count,
                "pixels": how,
                "log_likelihood": { "mean": mean, "error": error, "own_error": own, "images": found.log_likelihood, "errors": found.error },
                "runs": self.runs,
                "temperatures": self.temperatures,
                "effective_runs": { "mean": effective, "least": least },
                "accepted": found.accepted,
                "ancestral": { "draws": self.draws, "mean": draws_mean, "error": draws_error },
            }));
        } else {
            console.print(format!(
                "{count} held-out images of {}, {how}\n\n\
                 {:<44}{:>12}{:>16}\n{:<44}{mean:>12.2}{error:>16.2}\n{:<44}{draws_mean:>12.2}{draws_error:>16.2}\n\n\
                 Standard errors are from the spread between images; that of annealing itself is {own:.2}.\n\
                 Effective runs of {}: {effective:.1} in the mean, {least:.1} at least; {:.0} % of proposals accepted.\n",
                one_line(data),
                "log likelihood, nats an image",
                "mean",
                "standard error",
                format!("annealed importance sampling ({} gains)", self.temperatures),
                format!("log mean of {} ancestral draws", self.draws),
                self.runs,
                100.0 * found.accepted,
            ));
        }
        console.finish()
    }
}
