//! `heescope generate`: images from the model, jointly, marginally or from the top down (model.md 4).

use crate::cli::console::{Console, notice};
use crate::cli::{Start, writes};
use crate::experiment::{Config, FrozenModel, ModelVersion, Session, slow_interneurons};
use crate::export::images::{Tone, picture, save_npz};
use crate::export::{Outputs, check_room, save_png, write_or_keep};
use crate::model::Hierarchy;
use crate::studies::generation::comparison::SMALLEST_PICTURE;
use crate::studies::generation::schedule::Schedule;
use crate::studies::generation::{GenerationChains, GenerationRequest, MOST_STEPS, Mode, Origin};
use anyhow::bail;
use indicatif::ProgressBar;
use std::io::IsTerminal;
use std::path::PathBuf;

/// Steps between two looks at the progress.
const CHUNK: usize = 10;
/// Images in the picture at most, a square.
const MOST_TILES: usize = 400;
/// Screen pixels of a pixel.
const ZOOM: usize = 2;

/// Options of `generate`.
#[derive(clap::Args, Debug)]
pub(super) struct Generate {
    #[command(flatten)]
    start: Start,
    /// Model file
    #[arg(long)]
    model: Option<PathBuf>,
    /// joint: all layers move; marginal: x0 follows grad log p(x0); ancestral: layer by layer from the top
    #[arg(long)]
    mode: String,
    /// Images
    #[arg(long, default_value_t = 100)]
    count: usize,
    /// Steps of the network before the images are taken (joint and marginal)
    #[arg(long, default_value_t = 600)]
    steps: usize,
    /// Steps of the layers above for one of x0 (marginal)
    #[arg(long, default_value_t = 8)]
    inner: usize,
    /// Temperature; 1 is the model
    #[arg(long, default_value_t = 1.0)]
    temperature: f64,
    /// Where joint and marginal chains start: noise, prior (ancestral draws) or data
    #[arg(long, default_value = "noise")]
    from: String,
    /// How joint and marginal chains reach the model: woken (the gain of each coupling rises from 0 to 1 over the steps, from the top
    /// down) or plain; woken from noise, else plain
    #[arg(long)]
    schedule: Option<String>,
    /// State of a categorical top layer from which to descend (ancestral)
    #[arg(long)]
    category: Option<usize>,
    /// File to write (NPZ: samples and means, both count x rows x columns)
    #[arg(long)]
    out: PathBuf,
    /// Picture of the means to write (PNG)
    #[arg(long)]
    png: Option<PathBuf>,
}

/// The value of that name, or an error that lists the names.
fn named<T: Copy>(option: &str, name: &str, known: &[(&str, T)]) -> anyhow::Result<T> {
    match known.iter().find(|(known, _)| *known == name) {
        Some((_, value)) => Ok(*value),
        None => bail!("--{option} {name}: {} is needed", known.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")),
    }
}

impl Generate {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let mode = named("mode", &self.mode, &Mode::ALL.map(|mode| (mode.name(), mode)))?;
        let origins = [("noise", Origin::Noise), ("prior", Origin::Prior), ("data", Origin::Data)];
        let origin = named("from", &self.from, &origins)?;
        let schedules = [Schedule::Woken, Schedule::Plain].map(|schedule| (schedule.name(), schedule));
        let schedule = match &self.schedule {
            Some(name) => named("schedule", name, &schedules)?,
            None if origin == Origin::Noise => Schedule::Woken,
            None => Schedule::Plain,
        };
        if let (Some(name), Mode::Ancestral) = (&self.schedule, mode) {
            bail!("--schedule {name} has a meaning with --mode joint and marginal only: ancestral draws are independent");
        }
        if schedule == Schedule::Woken && origin != Origin::Noise {
            bail!("--schedule woken starts from noise: --from {} has no meaning with it", self.from);
        }
        if !(1..=MOST_STEPS).contains(&self.steps) {
            bail!("--steps {} is out of range: 1 to {MOST_STEPS}", self.steps);
        }
        if let (Some(category), true) = (self.category, mode != Mode::Ancestral) {
            bail!("--category {category} has a meaning with --mode ancestral only: {} chains choose their own", mode.name());
        }
        let (config, model) = self.start.read(self.model.as_ref())?;
        let pixels = config.model.layers.first().map_or(0, |layer| layer.size);
        if pixels < SMALLEST_PICTURE {
            bail!("{} observes {pixels} values: a picture of at least {SMALLEST_PICTURE} pixels is needed", config.model.name);
        }
        let outputs = writes("--png", self.png.as_ref(), ".png", Outputs::default().writes("--out", &self.out, ".npz"));
        self.start.reads(self.model.as_ref(), outputs).check()?;
        let request = GenerationRequest {
            mode,
            count: self.count,
            inner: self.inner,
            temperature: self.temperature,
            origin,
            waking_steps: if schedule == Schedule::Woken { self.steps } else { 0 },
            category: self.category,
            seed: config.dynamics.seed,
        };
        let threads = config.dynamics.threads;
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
        pool.install(|| self.generate(&config, model, request))
    }

    fn generate(&self, config: &Config, model: Option<Hierarchy>, request: GenerationRequest) -> anyhow::Result<()> {
        let needs_data = request.origin == Origin::Data && request.mode != Mode::Ancestral;
        let (frozen, data) = match (model, needs_data) {
            (Some(model), false) => (FrozenModel::from_model(config, model), None),
            (model, _) => {
                if model.is_none() && config.learning.enabled {
                    notice(format_args!(
                        "preset {} has not learned: its weights are random (train it, then use --model)",
                        config.model.name
                    ));
                }
                let session = match &model {
                    Some(model) => Session::with_model(config.clone(), model.clone())?,
                    None => Session::new(config.clone())?,
                };
                let images = session.images_shown().map(|images| images.copied(&Vec::from_iter(0..images.len())));
                let frozen = match model {
                    // By the mean curvature of the pixels, which a session does not know until it learns.
                    Some(model) => FrozenModel::from_model(config, model),
                    None => FrozenModel::of(&session, ModelVersion::default()),
                };
                (frozen, images)
            }
        };
        self.check_category(&frozen)?;
        let slow = slow_interneurons(&frozen.dynamics, &frozen.stiffness).filter(|_| request.mode != Mode::Ancestral);
        if let Some(cause) = &slow {
            notice(&cause.text);
        }
        request.validate(&frozen.model)?;
        let shape = frozen.model.image_shape();
        check_room(&self.out, (2 * self.count * shape[0] * shape[1] * size_of::<f32>()) as u64)?;
        let tone = Tone::of(frozen.model.layers[0].bounds());
        let mut chains = GenerationChains::new(&frozen, request, data.as_ref())?;
        let steps = if request.mode == Mode::Ancestral { 0 } else { self.steps };
        let bar = if std::io::stderr().is_terminal() { ProgressBar::new(steps as u64) } else { ProgressBar::hidden() };
        while (chains.steps as usize) < steps {
            chains.advance(CHUNK.min(steps - chains.steps as usize));
            bar.set_position(chains.steps);
            if let Some(l) = chains.broken() {
                let why = slow.map_or_else(String::new, |cause| format!(": {}", cause.text));
                bail!("generation diverged after {} steps: x{l} is not finite{why}", chains.steps);
            }
        }
        bar.finish_and_clear();
        let (samples, means) = (chains.samples(), chains.means());
        let written = write_or_keep(&self.out, |path| save_npz(path, &samples, &means, shape, &config.to_toml()));
        if let Some(path) = &self.png {
            write_or_keep(path, |path| save_png(path, &picture(means.view(), shape, MOST_TILES, tone, ZOOM)))?;
        }
        written?;
        let how = match request.mode {
            Mode::Ancestral => String::new(),
            _ if request.waking_steps > 0 => format!(", {steps} steps from {}, woken from the top down", self.from),
            _ => format!(", {steps} steps from {}", self.from),
        };
        let mut console = Console::beside([&self.out].into_iter().chain(&self.png).map(PathBuf::as_path));
        console.line(format_args!("{} images of {} x {} pixels, {}{how}", request.count, shape[0], shape[1], self.mode));
        console.finish()
    }

    /// An error where `--category` names a state that learning has not opened.
    fn check_category(&self, frozen: &FrozenModel) -> anyhow::Result<()> {
        let (Some(category), Some(open)) = (self.category, frozen.model.active_states()) else { return Ok(()) };
        if frozen.active_layers < frozen.model.depth() {
            bail!("--category {category}: learning has not opened the categorical top of this model yet");
        }
        if (open..frozen.model.layers[frozen.model.depth()].size).contains(&category) {
            bail!("--category {category}: learning has opened the states 0 to {} so far", open - 1);
        }
        Ok(())
    }
}
