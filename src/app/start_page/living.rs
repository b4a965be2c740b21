//! Pictures that live: small models that run while the start page is open.

use crate::analysis::density::{self, DensityGrid};
use crate::app::theme;
use crate::data::photographs;
use crate::dynamics::Probes;
use crate::experiment::session::Session;
use crate::experiment::{FrozenModel, ModelVersion, presets};
use crate::export::images::{self, Tone};
use crate::export::mosaic::{self, Colours, Layout, Scale};
use crate::model::receptive_field;
use crate::studies::StudyTarget;
use crate::studies::generation::comparison::Settings;
use crate::studies::generation::{GenerationChains, Mode};
use crate::studies::separation::stationary_variance;
use egui::{Color32, ColorImage};
use ndarray::{Array2, s};
use std::time::{Duration, Instant};

/// Computing time of one picture between two frames of it.
const TURN: Duration = Duration::from_millis(5);
/// Patches or images that a small model learns from, and its networks.
const PATCHES: usize = 1000;
const IMAGES: usize = 500;
const NETWORKS: usize = 25;
/// Width and height of a drawing, pixels.
const SIZE: [usize; 2] = [150, 112];
/// Filters and images in a picture, side by side and one below the other.
const TILES: [usize; 2] = [8, 6];
/// Turns between two sets of dreams.
const DREAM_TURNS: u32 = 5;
/// Bars of a histogram.
const BARS: usize = 50;
/// What is left of a histogram's counts in the next turn.
const FADING: f64 = 0.99;
/// Turns after which another photograph comes, and how far a window moves across it in one, pixels.
const PHOTOGRAPH_TURNS: usize = 60;
const DRIFT: usize = 1;

/// A picture that changes by itself.
pub(super) trait Living: Send {
    /// Computes for a turn.
    fn advance(&mut self);
    /// What there is to see now.
    fn picture(&self, dark: bool) -> ColorImage;
}

/// A small session of a preset; None where it cannot be built.
fn session(preset: &str) -> Option<Session> {
    let mut config = presets::by_name(preset).ok()?;
    config.dynamics.threads = 1;
    config.data.patches = config.data.patches.min(PATCHES);
    if config.learning.enabled {
        config.stimulus.batch = config.stimulus.batch.min(NETWORKS);
    }
    if config.data.source.is_whole() {
        config.stimulus.images = IMAGES;
    }
    Session::new(config).ok()
}

/// Advances it for a turn.
fn advance(session: &mut Session) {
    let begin = Instant::now();
    while begin.elapsed() < TURN {
        session.advance(1, &Probes::default());
    }
}

fn of_rgb(picture: &image::RgbImage) -> ColorImage {
    ColorImage::from_rgb([picture.width() as usize, picture.height() as usize], picture.as_raw())
}

/// Filters that are learned.
pub(super) struct Filters(Session);

impl Filters {
    pub(super) fn living(preset: &str) -> Option<Box<dyn Living>> {
        Some(Box::new(Self(session(preset)?)))
    }
}

impl Living for Filters {
    fn advance(&mut self) {
        advance(&mut self.0);
    }

    fn picture(&self, dark: bool) -> ColorImage {
        let filters = receptive_field::filters(self.0.model(), 1, None);
        let [columns, rows] = TILES;
        let count = filters.ncols().min(columns * rows);
        let layout = Layout { columns, ..Layout::new(count, self.0.model().image_shape(), 1) };
        of_rgb(&mosaic::render(filters.view(), &Vec::from_iter(0..count), layout, Scale::PerFilter, Colours::usual(dark)))
    }
}

/// Chains on the exact posterior of two neurons.
pub(super) struct Cloud {
    session: Session,
    density: DensityGrid,
}

impl Cloud {
    pub(super) fn living(preset: &str) -> Option<Box<dyn Living>> {
        let session = session(preset)?;
        let density = DensityGrid::posterior(session.model(), session.stimulus(), 1.0, SIZE[1])?;
        Some(Box::new(Self { session, density }))
    }
}

impl Living for Cloud {
    fn advance(&mut self) {
        // Slowly enough for the eye.
        for _ in 0..8 {
            self.session.advance(1, &Probes::default());
        }
    }

    fn picture(&self, dark: bool) -> ColorImage {
        let [width, height] = SIZE;
        let top = self.density.density.iter().fold(f64::MIN_POSITIVE, |top, &value| top.max(value));
        let mut picture = ColorImage::filled(SIZE, ground(dark));
        for (row, column) in (0..height).flat_map(|row| (0..width).map(move |column| (row, column))) {
            let value = self.density.density[[height - 1 - row, column * height / width]];
            picture.pixels[row * width + column] = ground(dark).blend(theme::density(value / top, dark));
        }
        for x in self.session.networks().states(1) {
            let place = |value: f32, [low, high]: [f64; 2], size: usize| ((f64::from(value) - low) / (high - low) * size as f64) as i64;
            let at = [place(x[0], self.density.x, width), height as i64 - 1 - place(x[1], self.density.y, height)];
            for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                dot(&mut picture, [at[0] + dx, at[1] + dy], theme::SERIES[1]);
            }
        }
        picture
    }
}

/// The samples of a single neuron under its posterior and its prior.
pub(super) struct Single {
    session: Session,
    /// Points of the exact posterior, and the variance of what is sampled at these interneurons.
    posterior: Vec<[f64; 2]>,
    sampled: f64,
    counts: [f64; BARS],
}

impl Single {
    pub(super) fn living(preset: &str) -> Option<Box<dyn Living>> {
        let session = session(preset)?;
        let posterior = density::line(session.model(), session.stimulus(), 1.0)?;
        let d = session.config().dynamics;
        let target = StudyTarget::of(&session, ModelVersion::default());
        let sampled = stationary_variance(&target, d.tau_eps_ms / d.tau_x_ms, d.interneurons)?;
        Some(Box::new(Self { session, posterior, sampled, counts: [0.0; BARS] }))
    }

    fn range(&self) -> [f64; 2] {
        let [first, last] = [self.posterior[0][0], self.posterior[self.posterior.len() - 1][0]];
        [first, last]
    }
}

impl Living for Single {
    fn advance(&mut self) {
        let [low, high] = self.range();
        let begin = Instant::now();
        while begin.elapsed() < TURN {
            self.session.advance(4, &Probes::default());
            self.counts.iter_mut().for_each(|count| *count *= FADING);
            for x in self.session.networks().states(1) {
                let at = (f64::from(x[0]) - low) / (high - low) * BARS as f64;
                if (0.0..BARS as f64).contains(&at) {
                    self.counts[at as usize] += 1.0;
                }
            }
        }
    }

    fn picture(&self, dark: bool) -> ColorImage {
        let [width, height] = SIZE;
        let [low, high] = self.range();
        let mut picture = ColorImage::filled(SIZE, ground(dark));
        let total = self.counts.iter().sum::<f64>().max(1.0) * (high - low) / BARS as f64;
        let top = 1.15 * self.posterior.iter().fold(0.0_f64, |top, point| top.max(point[1]));
        let row = |density: f64| height as i64 - 1 - (density / top * height as f64) as i64;
        let mean = {
            let mass: f64 = self.posterior.iter().map(|p| p[1]).sum();
            self.posterior.iter().map(|p| p[0] * p[1]).sum::<f64>() / mass
        };
        let mut before = None;
        for column in 0..width {
            let bar = row(self.counts[column * BARS / width] / total).max(0);
            (bar..height as i64).for_each(|y| dot(&mut picture, [column as i64, y], theme::histogram(dark)));
            let x = low + (column as f64 + 0.5) / width as f64 * (high - low);
            let exact = (-(x - mean).powi(2) / (2.0 * self.sampled)).exp() / (std::f64::consts::TAU * self.sampled).sqrt();
            let at = row(exact);
            let from: i64 = before.replace(at).unwrap_or(at);
            (from.min(at)..=from.max(at)).for_each(|y| dot(&mut picture, [column as i64, y], theme::exact(dark)));
        }
        picture
    }
}

/// Digits that a model makes up while it learns them.
pub(super) struct Dreams {
    session: Session,
    dreamt: Option<Array2<f32>>,
    turns: u32,
}

impl Dreams {
    pub(super) fn living(preset: &str) -> Option<Box<dyn Living>> {
        Some(Box::new(Self { session: session(preset)?, dreamt: None, turns: 0 }))
    }
}

impl Living for Dreams {
    fn advance(&mut self) {
        advance(&mut self.session);
        self.turns += 1;
        if self.turns % DREAM_TURNS == 1 {
            let frozen = FrozenModel::of(&self.session, ModelVersion::default());
            let request = Settings { count: TILES[0] * TILES[1], ..Settings::default() }.request(Mode::Ancestral, u64::from(self.turns));
            self.dreamt = GenerationChains::new(&frozen, request, None).ok().map(|mut chains| {
                chains.advance(1);
                chains.means()
            });
        }
    }

    fn picture(&self, dark: bool) -> ColorImage {
        let Some(dreamt) = &self.dreamt else { return ColorImage::filled(SIZE, ground(dark)) };
        of_rgb(&images::picture(dreamt.view(), self.session.model().image_shape(), dreamt.nrows(), Tone::Grey, 2))
    }
}

/// A window that moves across one photograph after the other.
pub(super) struct Photographs {
    /// Its grey levels.
    image: Array2<u8>,
    turns: usize,
}

impl Photographs {
    pub(super) fn living() -> Option<Box<dyn Living>> {
        Some(Box::new(Self { image: Self::image(0)?, turns: 0 }))
    }

    /// A photograph; None where it is smaller than the window and its way.
    fn image(number: usize) -> Option<Array2<u8>> {
        let image = photographs::ALL[number % photographs::ALL.len()].image().ok()?.mapv(|grey| (255.0 * grey.clamp(0.0, 1.0)) as u8);
        let [width, height] = SIZE;
        (image.nrows() >= height && image.ncols() >= width + DRIFT * PHOTOGRAPH_TURNS).then_some(image)
    }
}

impl Living for Photographs {
    fn advance(&mut self) {
        self.turns += 1;
        if self.turns.is_multiple_of(PHOTOGRAPH_TURNS) {
            self.image = Self::image(self.turns / PHOTOGRAPH_TURNS).unwrap_or_else(|| std::mem::take(&mut self.image));
        }
    }

    fn picture(&self, _: bool) -> ColorImage {
        let [width, height] = SIZE;
        let image = &self.image;
        let left = self.turns % PHOTOGRAPH_TURNS * DRIFT;
        let top = (image.nrows() - height) / 2;
        let part = image.slice(s![top..top + height, left..left + width]);
        let pixels = part.iter().map(|&grey| Color32::from_gray(grey)).collect();
        ColorImage::new(SIZE, pixels)
    }
}

fn ground(dark: bool) -> Color32 {
    if dark { Color32::from_gray(20) } else { Color32::from_gray(250) }
}

/// Colours a pixel, where it is in the picture.
fn dot(picture: &mut ColorImage, [x, y]: [i64; 2], color: Color32) {
    let [width, height] = picture.size;
    if (0..width as i64).contains(&x) && (0..height as i64).contains(&y) {
        picture.pixels[y as usize * width + x as usize] = color;
    }
}
