//! Generates in all three ways on a thread of its own, from a snapshot of the weights: learning goes on meanwhile.

use crate::experiment::{FrozenModel, ModelVersion};
use crate::export::images::{Tone, picture, save_npz};
use crate::export::{animation, save_png, write_atomically};
use crate::studies::generation::comparison::{GenerationComparison, ModeResult, SHOWN, Settings};
use crate::studies::generation::image_distance::{Floor, Measure, Sample};
use crate::studies::generation::prototypes::{self, Prototypes};
use crate::studies::generation::{GenerationChains, Mode};
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

/// What is asked of the generation_thread under way.
#[derive(Clone, Debug, PartialEq)]
pub enum GenerationCommand {
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
    /// The weights in use.
    pub version: ModelVersion,
    /// Images that they had learned from.
    pub images: u64,
    /// What was asked for.
    pub settings: Settings,
    /// Rows and columns of an image.
    pub shape: [usize; 2],
    /// What the values are.
    pub tone: Tone,
    /// Joint, marginal, ancestral.
    pub modes: Vec<Arc<ModeResult>>,
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

/// What stays the same as long as the model does.
pub(super) struct GenerationContext {
    pub(super) model_id: u64,
    pub(super) shape: [usize; 2],
    pub(super) seed: u64,
    /// The configuration, for the files.
    pub(super) config: String,
    /// Images of the session, where it has any.
    pub(super) data: Option<Sample>,
}

enum Order {
    Start(Box<FrozenModel>, Settings),
    Renew(Box<FrozenModel>),
    Ask(GenerationCommand),
}

#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    unseen: AtomicBool,
    no_film: AtomicBool,
    latest: Mutex<Option<Arc<GenerationState>>>,
}

/// The thread and what it has made.
pub(super) struct GenerationThread {
    shared: Arc<Shared>,
    orders: Sender<Order>,
    outcomes: Receiver<Result<PathBuf, String>>,
    thread: Option<JoinHandle<()>>,
}

impl GenerationThread {
    /// A thread for this model; it waits for [`GenerationThread::start`].
    pub(super) fn new(context: GenerationContext) -> std::io::Result<Self> {
        let (orders, inbox) = bounded(ORDERS);
        let (outbox, outcomes) = bounded(ORDERS);
        let shared = Arc::new(Shared::default());
        let own = shared.clone();
        let body = move || match rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build() {
            // One thread for all of it: the cores are for learning.
            Ok(pool) => pool.install(|| GenerationWorker::new(context, own, outbox).run(&inbox)),
            Err(error) => drop(outbox.try_send(Err(format!("cannot generate: {error}")))),
        };
        let thread = Some(std::thread::Builder::new().name("generation".into()).spawn(body)?);
        Ok(Self { shared, orders, outcomes, thread })
    }

    /// Starts all three anew; false where too many orders wait.
    pub(super) fn start(&self, frozen: FrozenModel, settings: Settings) -> bool {
        self.orders.try_send(Order::Start(Box::new(frozen), settings)).is_ok()
    }

    /// Goes on with these weights; false where too many orders wait.
    pub(super) fn renew(&self, frozen: FrozenModel) -> bool {
        self.orders.try_send(Order::Renew(Box::new(frozen))).is_ok()
    }

    /// Asks something that needs no weights; false where too many orders wait.
    pub(super) fn ask(&self, request: GenerationCommand) -> bool {
        match request {
            GenerationCommand::Look(looked_at) => self.shared.unseen.store(!looked_at, Ordering::Relaxed),
            GenerationCommand::StopFilm => self.shared.no_film.store(true, Ordering::Relaxed),
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

impl Drop for GenerationThread {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // it looks at `stop` after every turn
        }
    }
}

/// What the thread has.
struct GenerationWorker {
    context: GenerationContext,
    shared: Arc<Shared>,
    outbox: Sender<Result<PathBuf, String>>,
    comparison: Option<GenerationComparison>,
    frozen: Option<FrozenModel>,
    measure: Option<Measure>,
    state: Option<GenerationState>,
}

impl GenerationWorker {
    fn new(context: GenerationContext, shared: Arc<Shared>, outbox: Sender<Result<PathBuf, String>>) -> Self {
        Self { context, shared, outbox, comparison: None, frozen: None, measure: None, state: None }
    }

    fn run(mut self, inbox: &Receiver<Order>) {
        while !self.shared.stop.load(Ordering::Relaxed) {
            let at_work = self.comparison.is_some()
                && !self.shared.unseen.load(Ordering::Relaxed)
                && self.state.as_ref().is_some_and(|state| !state.resting);
            let patience = if at_work { Duration::ZERO } else { IDLE };
            match inbox.recv_timeout(patience) {
                Ok(order) => self.execute(order),
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

    fn execute(&mut self, order: Order) {
        match order {
            Order::Start(frozen, settings) => self.start(*frozen, settings),
            Order::Renew(frozen) => self.renew(*frozen),
            Order::Ask(request) => self.ask(request),
        }
        self.publish();
    }

    fn start(&mut self, frozen: FrozenModel, settings: Settings) {
        let data = self.context.data.as_ref().map(|sample| &sample.pixels);
        let comparison = match GenerationComparison::new(&frozen, &settings, self.context.seed, data) {
            Ok(comparison) => comparison,
            Err(error) => return self.tell(Err(error.to_string())),
        };
        let model = &frozen.model;
        let measuring = match (&self.measure, &self.state) {
            (Some(measure), _) => Measuring::Ready(Arc::new(measure.floor(settings.count))),
            (None, Some(state)) => state.measuring.clone(),
            (None, None) if self.context.data.is_none() => Measuring::Missing("no images to compare with".into()),
            (None, None) => Measuring::Preparing,
        };
        self.state = Some(GenerationState {
            model_id: self.context.model_id,
            version: frozen.version,
            images: frozen.images,
            settings,
            shape: self.context.shape,
            tone: Tone::of(model.layers[0].family.bounds()),
            modes: (0..Mode::ALL.len()).map(|i| Arc::new(comparison.mode_result(i))).collect(),
            measuring,
            prototypes: prototypes::prototypes(model, frozen.active_layers).map(Arc::new),
            resting: false,
            following: self.state.as_ref().is_some_and(|state| state.following),
            film: None,
        });
        (self.comparison, self.frozen) = (Some(comparison), Some(frozen));
    }

    fn renew(&mut self, frozen: FrozenModel) {
        let (Some(comparison), Some(state)) = (&mut self.comparison, &mut self.state) else { return };
        if let Err(error) = comparison.renew(&frozen) {
            return self.tell(Err(error.to_string()));
        }
        (state.version, state.images) = (frozen.version, frozen.images);
        state.prototypes = prototypes::prototypes(&frozen.model, frozen.active_layers).map(Arc::new);
        state.modes = (0..Mode::ALL.len()).map(|i| Arc::new(comparison.mode_result(i))).collect();
        self.frozen = Some(frozen);
    }

    /// One mode computes for a while, and is judged where that is due.
    fn turn(&mut self) {
        let (Some(comparison), Some(state)) = (&mut self.comparison, &mut self.state) else { return };
        let Some(which) = comparison.turn(TURN) else {
            std::thread::sleep(SHORT);
            return;
        };
        if let Some(measure) = &self.measure {
            comparison.evaluate(which, measure);
        }
        state.modes[which] = Arc::new(comparison.mode_result(which));
        self.publish();
        let seen = self
            .state
            .as_ref()
            .is_some_and(|state| state.modes.iter().all(|mode_result| mode_result.steps > 0 || mode_result.broken.is_some()));
        if seen {
            self.prepare(); // the first pictures are out: now the measure
        }
    }

    fn prepare(&mut self) {
        let (Some(state), Some(sample)) = (&mut self.state, &self.context.data) else { return };
        if state.measuring != Measuring::Preparing {
            return;
        }
        match Measure::fit(self.context.shape, sample) {
            Ok(measure) => {
                state.measuring = Measuring::Ready(Arc::new(measure.floor(state.settings.count)));
                self.measure = Some(measure);
            }
            Err(reason) => state.measuring = Measuring::Missing(reason.to_string()),
        }
        self.publish();
    }

    fn ask(&mut self, request: GenerationCommand) {
        let Some(state) = &mut self.state else { return };
        match request {
            GenerationCommand::Rest(rest) => state.resting = rest,
            GenerationCommand::Follow(follow) => state.following = follow,
            GenerationCommand::Save { mode, means, path } => {
                self.tell(self.save(mode, means, &path).map(|()| path).map_err(|e| format!("{e:#}")))
            }
            GenerationCommand::Film { mode, means, frames, every, path } => {
                match self.film(mode, means, [frames, every], &path) {
                    Ok(true) => self.tell(Ok(path)),
                    Ok(false) => {} // stopped: nothing was written
                    Err(error) => self.tell(Err(format!("{error:#}"))),
                }
                self.state.iter_mut().for_each(|state| state.film = None);
            }
            GenerationCommand::Look(_) | GenerationCommand::NewWeights | GenerationCommand::StopFilm => {} // handled by the owner
        }
    }

    fn save(&self, mode: Mode, means: bool, path: &Path) -> anyhow::Result<()> {
        let (Some(comparison), Some(state)) = (&self.comparison, &self.state) else { anyhow::bail!("nothing was generated yet") };
        let Some([samples, expected]) = comparison.images(mode) else { anyhow::bail!("nothing was generated yet") };
        match path.extension().and_then(|e| e.to_str()) {
            Some("npz") => save_npz(path, &samples, &expected, state.shape, &self.context.config),
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
        let (Some(frozen), Some(state)) = (&self.frozen, &self.state) else { anyhow::bail!("nothing was generated yet") };
        let mut request = state.settings.request(mode, self.context.seed);
        request.count = request.count.min(SHOWN);
        let (shape, tone, frames) = (state.shape, state.tone, frames.clamp(1, MOST_FRAMES));
        let mut chains = GenerationChains::new(frozen, request, self.context.data.as_ref().map(|sample| &sample.pixels))?;
        let bytes = animation::gif(frames, FRAME_MS, |frame| {
            if frame > 0 {
                chains.advance(every);
            }
            self.state.iter_mut().for_each(|state| state.film = Some((frame + 1, frames)));
            self.publish();
            let images: Array2<f32> = if means { chains.means() } else { chains.samples() };
            let stopped = self.shared.no_film.load(Ordering::Relaxed) || self.shared.stop.load(Ordering::Relaxed);
            (!stopped).then(|| picture(images.view(), shape, SHOWN, tone, ZOOM))
        })?;
        bytes.as_ref().map_or(Ok(()), |bytes| write_atomically(path, bytes))?;
        Ok(bytes.is_some())
    }
}
