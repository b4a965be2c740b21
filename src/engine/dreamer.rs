//! Generates in all three ways on a thread of its own, from a snapshot of the weights: learning goes on meanwhile.

use crate::experiment::dream::{Dream, Dreamer, Mode};
use crate::experiment::gallery::{Exhibit, Gallery, SHOWN, Settings};
use crate::experiment::measure::{Floor, Measure, Sample};
use crate::experiment::prototypes::{self, Prototypes};
use crate::export::images::{Tone, picture, save_npz};
use crate::export::{animation, save_png, write_atomically};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use ndarray::Array2;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Orders and outcomes that wait, at most.
const ORDERS: usize = 32;
/// Computing time of one turn of one mode, about.
const TURN: Duration = Duration::from_millis(40);
/// How long the thread waits for an order where there is nothing to do.
const IDLE: Duration = Duration::from_millis(100);
/// Nothing is due for a moment: only ancestral draws, which are shown for a while.
const SHORT: Duration = Duration::from_millis(5);
/// Screen pixels of a pixel in pictures that are written.
const ZOOM: usize = 2;
/// Milliseconds that a frame of a film is shown.
const FRAME_MS: u32 = 80;
/// Frames of a film at most.
pub const MOST_FRAMES: usize = 500;

/// What is asked of the dreams under way.
#[derive(Clone, Debug, PartialEq)]
pub enum DreamRequest {
    /// true: rest, pictures stay; false: go on.
    Rest(bool),
    /// Whether anybody looks: they rest while nobody does.
    Look(bool),
    /// Go on with the weights as they are now.
    NewWeights,
    /// Whether to go on with the newest weights every few seconds.
    Follow(bool),
    /// Write all images of a mode: a picture (.png) of those shown, or samples and means of all (.npz).
    Save {
        /// Which.
        mode: Mode,
        /// The picture shows means rather than samples.
        means: bool,
        /// The file.
        path: PathBuf,
    },
    /// Write an animated GIF of a mode from its start, with the weights in use.
    Film {
        /// Which.
        mode: Mode,
        /// It shows means rather than samples.
        means: bool,
        /// Frames, at most [`MOST_FRAMES`].
        frames: usize,
        /// Steps of the network between two frames.
        every: usize,
        /// The file.
        path: PathBuf,
    },
    /// Stop the film; nothing is written.
    StopFilm,
}

/// Whether distances can be told.
#[derive(Clone, Debug, PartialEq)]
pub enum Measuring {
    /// The measure is being fitted.
    Preparing,
    /// Distances are to be read beside this.
    Ready(Arc<Floor>),
    /// There can be none: the reason.
    Missing(String),
}

/// Generation as far as it has come.
#[derive(Clone, Debug)]
pub struct GenerationState {
    /// The model.
    pub model_id: u64,
    /// The weights in use, and the images that they had learned from.
    pub weights: (u64, u64),
    /// What was asked for.
    pub settings: Settings,
    /// Rows and columns of an image.
    pub shape: [usize; 2],
    /// What the values are.
    pub tone: Tone,
    /// Joint, marginal, ancestral.
    pub exhibits: Vec<Arc<Exhibit>>,
    /// Whether distances can be told.
    pub measuring: Measuring,
    /// The states of a categorical top, where that is open.
    pub prototypes: Option<Arc<Prototypes>>,
    /// It was asked to rest.
    pub resting: bool,
    /// It goes on with the newest weights every few seconds.
    pub following: bool,
    /// Frames of a film that are done, and in all.
    pub film: Option<(usize, usize)>,
}

/// Weights at one time.
pub(super) struct Weights {
    pub(super) dreamer: Dreamer,
    /// Their version, and the images that they had learned from.
    pub(super) version: (u64, u64),
}

/// What stays the same as long as the model does.
pub(super) struct Scene {
    pub(super) model_id: u64,
    pub(super) shape: [usize; 2],
    pub(super) seed: u64,
    /// The configuration, for the files.
    pub(super) config: String,
    /// Images of the session, where it has any.
    pub(super) data: Option<Sample>,
}

enum Order {
    Start(Box<Weights>, Settings),
    Renew(Box<Weights>),
    Ask(DreamRequest),
}

#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    unseen: AtomicBool,
    no_film: AtomicBool,
    latest: Mutex<Option<Arc<GenerationState>>>,
}

/// The thread and what it has made.
pub(super) struct Dreams {
    shared: Arc<Shared>,
    orders: Sender<Order>,
    outcomes: Receiver<Result<PathBuf, String>>,
    thread: Option<JoinHandle<()>>,
}

impl Dreams {
    /// A thread for this model; it waits for [`Dreams::start`].
    pub(super) fn new(scene: Scene) -> std::io::Result<Self> {
        let (orders, inbox) = bounded(ORDERS);
        let (outbox, outcomes) = bounded(ORDERS);
        let shared = Arc::new(Shared::default());
        let own = shared.clone();
        let body = move || match rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build() {
            // One thread for all of it: the cores are for learning.
            Ok(pool) => pool.install(|| Studio::new(scene, own, outbox).run(&inbox)),
            Err(error) => drop(outbox.try_send(Err(format!("cannot generate: {error}")))),
        };
        let thread = Some(std::thread::Builder::new().name("generation".into()).spawn(body)?);
        Ok(Self { shared, orders, outcomes, thread })
    }

    /// Starts all three anew; false where too many orders wait.
    pub(super) fn start(&self, weights: Weights, settings: Settings) -> bool {
        self.orders.try_send(Order::Start(Box::new(weights), settings)).is_ok()
    }

    /// Goes on with these weights; false where too many orders wait.
    pub(super) fn renew(&self, weights: Weights) -> bool {
        self.orders.try_send(Order::Renew(Box::new(weights))).is_ok()
    }

    /// Asks something that needs no weights; false where too many orders wait.
    pub(super) fn ask(&self, request: DreamRequest) -> bool {
        match request {
            DreamRequest::Look(looked_at) => self.shared.unseen.store(!looked_at, Ordering::Relaxed),
            DreamRequest::StopFilm => self.shared.no_film.store(true, Ordering::Relaxed),
            request => return self.orders.try_send(Order::Ask(request)).is_ok(),
        }
        true
    }

    /// The latest state, if it was not taken yet.
    pub(super) fn take(&self) -> Option<Arc<GenerationState>> {
        self.shared.latest.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Files written, and what failed, since the last call.
    pub(super) fn outcomes(&self) -> Vec<Result<PathBuf, String>> {
        self.outcomes.try_iter().collect()
    }

    /// Whether the thread has ended although nobody asked it to.
    pub(super) fn is_lost(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }
}

impl Drop for Dreams {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // it looks at `stop` after every turn
        }
    }
}

/// What the thread has.
struct Studio {
    scene: Scene,
    shared: Arc<Shared>,
    outbox: Sender<Result<PathBuf, String>>,
    gallery: Option<Gallery>,
    weights: Option<Weights>,
    measure: Option<Measure>,
    state: Option<GenerationState>,
}

impl Studio {
    fn new(scene: Scene, shared: Arc<Shared>, outbox: Sender<Result<PathBuf, String>>) -> Self {
        Self { scene, shared, outbox, gallery: None, weights: None, measure: None, state: None }
    }

    fn run(mut self, inbox: &Receiver<Order>) {
        while !self.shared.stop.load(Ordering::Relaxed) {
            let at_work = self.gallery.is_some()
                && !self.shared.unseen.load(Ordering::Relaxed)
                && self.state.as_ref().is_some_and(|state| !state.resting);
            let patience = if at_work { Duration::ZERO } else { IDLE };
            match inbox.recv_timeout(patience) {
                Ok(order) => self.obey(order),
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) if at_work => self.turn(),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    fn tell(&self, outcome: Result<PathBuf, String>) {
        let _ = self.outbox.try_send(outcome); // so many unread ones: nobody reads them
    }

    fn publish(&self) {
        if let Some(state) = &self.state {
            *self.shared.latest.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(state.clone()));
        }
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Start(weights, settings) => self.start(*weights, settings),
            Order::Renew(weights) => self.renew(*weights),
            Order::Ask(request) => self.ask(request),
        }
        self.publish();
    }

    fn start(&mut self, weights: Weights, settings: Settings) {
        let data = self.scene.data.as_ref().map(|sample| &sample.pixels);
        let gallery = match Gallery::new(&weights.dreamer, &settings, self.scene.seed, data) {
            Ok(gallery) => gallery,
            Err(error) => return self.tell(Err(error.to_string())),
        };
        let model = &weights.dreamer.model;
        let measuring = match (&self.measure, &self.state) {
            (Some(measure), _) => Measuring::Ready(Arc::new(measure.floor(settings.count))),
            (None, Some(state)) => state.measuring.clone(),
            (None, None) if self.scene.data.is_none() => Measuring::Missing("no images to compare with".into()),
            (None, None) => Measuring::Preparing,
        };
        self.state = Some(GenerationState {
            model_id: self.scene.model_id,
            weights: weights.version,
            settings,
            shape: self.scene.shape,
            tone: Tone::of(model.layers[0].family.bounds()),
            exhibits: (0..Mode::ALL.len()).map(|i| Arc::new(gallery.exhibit(i))).collect(),
            measuring,
            prototypes: prototypes::prototypes(model, weights.dreamer.open).map(Arc::new),
            resting: false,
            following: self.state.as_ref().is_some_and(|state| state.following),
            film: None,
        });
        (self.gallery, self.weights) = (Some(gallery), Some(weights));
    }

    fn renew(&mut self, weights: Weights) {
        let (Some(gallery), Some(state)) = (&mut self.gallery, &mut self.state) else { return };
        if let Err(error) = gallery.renew(&weights.dreamer) {
            return self.tell(Err(error.to_string()));
        }
        state.weights = weights.version;
        state.prototypes = prototypes::prototypes(&weights.dreamer.model, weights.dreamer.open).map(Arc::new);
        state.exhibits = (0..Mode::ALL.len()).map(|i| Arc::new(gallery.exhibit(i))).collect();
        self.weights = Some(weights);
    }

    /// One mode computes for a while, and is judged where that is due.
    fn turn(&mut self) {
        let (Some(gallery), Some(state)) = (&mut self.gallery, &mut self.state) else { return };
        let Some(which) = gallery.turn(TURN) else {
            std::thread::sleep(SHORT);
            return;
        };
        if let Some(measure) = &self.measure {
            gallery.judge(which, measure);
        }
        state.exhibits[which] = Arc::new(gallery.exhibit(which));
        self.publish();
        let seen =
            self.state.as_ref().is_some_and(|state| state.exhibits.iter().all(|exhibit| exhibit.steps > 0 || exhibit.broken.is_some()));
        if seen {
            self.prepare(); // the first pictures are out: now the measure
        }
    }

    fn prepare(&mut self) {
        let (Some(state), Some(sample)) = (&mut self.state, &self.scene.data) else { return };
        if state.measuring != Measuring::Preparing {
            return;
        }
        match Measure::fit(self.scene.shape, sample) {
            Ok(measure) => {
                state.measuring = Measuring::Ready(Arc::new(measure.floor(state.settings.count)));
                self.measure = Some(measure);
            }
            Err(reason) => state.measuring = Measuring::Missing(reason),
        }
        self.publish();
    }

    fn ask(&mut self, request: DreamRequest) {
        let Some(state) = &mut self.state else { return };
        match request {
            DreamRequest::Rest(rest) => state.resting = rest,
            DreamRequest::Follow(follow) => state.following = follow,
            DreamRequest::Save { mode, means, path } => {
                self.tell(self.save(mode, means, &path).map(|()| path).map_err(|e| format!("{e:#}")))
            }
            DreamRequest::Film { mode, means, frames, every, path } => {
                match self.film(mode, means, [frames, every], &path) {
                    Ok(true) => self.tell(Ok(path)),
                    Ok(false) => {} // stopped: nothing was written
                    Err(error) => self.tell(Err(format!("{error:#}"))),
                }
                self.state.iter_mut().for_each(|state| state.film = None);
            }
            DreamRequest::Look(_) | DreamRequest::NewWeights | DreamRequest::StopFilm => {} // handled by the owner
        }
    }

    fn save(&self, mode: Mode, means: bool, path: &Path) -> anyhow::Result<()> {
        let (Some(gallery), Some(state)) = (&self.gallery, &self.state) else { anyhow::bail!("nothing was generated yet") };
        let Some([samples, expected]) = gallery.images(mode) else { anyhow::bail!("nothing was generated yet") };
        match path.extension().and_then(|e| e.to_str()) {
            Some("npz") => save_npz(path, &samples, &expected, state.shape, &self.scene.config),
            Some("png") => {
                let images = if means { expected } else { samples };
                save_png(path, &picture(images.view(), state.shape, SHOWN, state.tone, ZOOM))
            }
            _ => anyhow::bail!("{}: a name that ends in .png, .npz or .gif is needed", path.display()),
        }
    }

    /// A film of a mode from its start; false where it was stopped.
    fn film(&mut self, mode: Mode, means: bool, [frames, every]: [usize; 2], path: &Path) -> anyhow::Result<bool> {
        self.shared.no_film.store(false, Ordering::Relaxed);
        let (Some(weights), Some(state)) = (&self.weights, &self.state) else { anyhow::bail!("nothing was generated yet") };
        let mut wish = state.settings.wish(mode, self.scene.seed);
        wish.count = wish.count.min(SHOWN);
        let (shape, tone, frames) = (state.shape, state.tone, frames.clamp(1, MOST_FRAMES));
        let mut dream = Dream::new(weights.dreamer.clone(), wish, self.scene.data.as_ref().map(|sample| &sample.pixels))?;
        let bytes = animation::gif(frames, FRAME_MS, |frame| {
            if frame > 0 {
                dream.advance(every);
            }
            self.state.iter_mut().for_each(|state| state.film = Some((frame + 1, frames)));
            self.publish();
            let images: Array2<f32> = if means { dream.means() } else { dream.samples() };
            let stopped = self.shared.no_film.load(Ordering::Relaxed) || self.shared.stop.load(Ordering::Relaxed);
            (!stopped).then(|| picture(images.view(), shape, SHOWN, tone, ZOOM))
        })?;
        bytes.as_ref().map_or(Ok(()), |bytes| write_atomically(path, bytes))?;
        Ok(bytes.is_some())
    }
}
