//! Generates in all three ways in the background, from a copy of the weights: learning goes on meanwhile.

use super::state::{GenerationCommand, GenerationState, MOST_FRAMES, Measuring};
use crate::engine::EngineError;
use crate::engine::background::{BackgroundJob, JobContext};
use crate::experiment::FrozenModel;
use crate::experiment::parallel::on_one_thread;
use crate::export::images::{Tone, picture, save_npz};
use crate::export::{animation, check_output, ending, save_png, write_atomically, write_or_keep};
use crate::studies::generation::comparison::{GenerationComparison, SHOWN, Settings};
use crate::studies::generation::image_distance::{Measure, Sample};
use crate::studies::generation::{GenerationChains, Mode, prototypes};
use crossbeam_channel::{Receiver, RecvTimeoutError};
use ndarray::Array2;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Requests and outcomes that wait, at most.
const CAPACITY: usize = 32;
/// Computing time of one turn of one mode, about.
const TURN: Duration = Duration::from_millis(40);
/// How long the thread waits for a request where there is nothing to do.
const IDLE: Duration = Duration::from_millis(100);
/// A pause where no mode needs to compute: only ancestral draws, which are shown for a while.
const SHORT: Duration = Duration::from_millis(5);
/// Steps of a film between two looks at whether it is to go on.
const STEPS_AT_ONCE: u64 = 10;
/// Screen pixels of a pixel in pictures that are written.
const ZOOM: usize = 2;
/// Milliseconds that a frame of a film is shown.
const FRAME_MS: u32 = 80;

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

enum Request {
    Start(Box<FrozenModel>, Settings),
    ReplaceWeights(Box<FrozenModel>),
    Command(GenerationCommand),
}

/// A file that was written, or why not.
type Outcome = Result<PathBuf, EngineError>;

/// What acts at once, without waiting for the requests before it, and the latest state.
struct Shared {
    visible: AtomicBool,
    film_stopped: AtomicBool,
    latest: Mutex<Option<Arc<GenerationState>>>,
}

/// The job and what it has made.
pub(super) struct GenerationJob {
    shared: Arc<Shared>,
    /// Nobody waits for its end: thousands of images take their time for a step or a comparison.
    job: BackgroundJob<Request, Outcome>,
}

impl GenerationJob {
    /// A job for this model; it waits for [`GenerationJob::start_modes`].
    pub(super) fn start(context: GenerationContext) -> std::io::Result<Self> {
        let shared = Arc::new(Shared { visible: AtomicBool::new(true), film_stopped: AtomicBool::new(false), latest: Mutex::default() });
        let own = shared.clone();
        let job = BackgroundJob::spawn("generation", CAPACITY, CAPACITY, move |requests, job: &JobContext<Outcome>| {
            if let Err(error) = on_one_thread(|| Generator::new(context, own, job).run(&requests)) {
                job.report(Err(EngineError::Thread { task: "generate", reason: error.to_string() }));
            }
        })?;
        Ok(Self { shared, job: job.detached() })
    }

    /// Starts all three modes anew; false where too many requests wait.
    pub(super) fn start_modes(&self, weights: FrozenModel, settings: Settings) -> bool {
        self.job.submit(Request::Start(Box::new(weights), settings))
    }

    /// Goes on with these weights; false where too many requests wait.
    pub(super) fn replace_weights(&self, weights: FrozenModel) -> bool {
        self.job.submit(Request::ReplaceWeights(Box::new(weights)))
    }

    /// Passes a command on that needs no weights; false where too many requests wait.
    pub(super) fn submit(&self, command: GenerationCommand) -> bool {
        match command {
            GenerationCommand::SetVisible(visible) => self.shared.visible.store(visible, Ordering::Relaxed),
            GenerationCommand::StopFilm => self.shared.film_stopped.store(true, Ordering::Relaxed),
            command => return self.job.submit(Request::Command(command)),
        }
        true
    }

    /// The latest state, if it was not taken yet.
    pub(super) fn take(&self) -> Option<Arc<GenerationState>> {
        self.shared.latest.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Files written, and what failed, since the last call.
    pub(super) fn outcomes(&self) -> impl Iterator<Item = Outcome> + '_ {
        self.job.reports()
    }

    /// Whether the thread has ended although nobody asked it to.
    pub(super) fn is_finished(&self) -> bool {
        self.job.is_finished()
    }

    /// Where it has ended by a panic, a line that asks for a report.
    pub(super) fn loss(&self) -> Option<&str> {
        self.job.loss()
    }
}

/// What the thread has.
struct Generator<'a> {
    context: GenerationContext,
    shared: Arc<Shared>,
    job: &'a JobContext<Outcome>,
    comparison: Option<GenerationComparison>,
    weights: Option<FrozenModel>,
    measure: Option<Measure>,
    state: Option<GenerationState>,
}

impl<'a> Generator<'a> {
    fn new(context: GenerationContext, shared: Arc<Shared>, job: &'a JobContext<Outcome>) -> Self {
        Self { context, shared, job, comparison: None, weights: None, measure: None, state: None }
    }

    fn run(mut self, requests: &Receiver<Request>) {
        while !self.job.is_stopped() {
            let computes = self.comparison.is_some()
                && self.shared.visible.load(Ordering::Relaxed)
                && self.state.as_ref().is_some_and(|state| !state.paused);
            let patience = if computes { Duration::ZERO } else { IDLE };
            match requests.recv_timeout(patience) {
                Ok(request) => self.execute(request),
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) if computes => self.advance(),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    fn publish(&self) {
        if let Some(state) = &self.state {
            let latest = Some(Arc::new(state.clone()));
            *self.shared.latest.lock().unwrap_or_else(PoisonError::into_inner) = latest;
        }
    }

    fn execute(&mut self, request: Request) {
        let done = match request {
            Request::Start(weights, settings) => self.start(*weights, settings),
            Request::ReplaceWeights(weights) => self.replace_weights(*weights),
            Request::Command(command) => self.command(command),
        };
        if let Err(error) = done {
            self.job.report(Err(error)); // where the channel is full, nobody reads what is in it
        }
        self.publish();
    }

    fn start(&mut self, weights: FrozenModel, settings: Settings) -> Result<(), EngineError> {
        let data = self.context.data.as_ref().map(|sample| &sample.pixels);
        let comparison = GenerationComparison::new(&weights, &settings, self.context.seed, data).map_err(EngineError::of_generation)?;
        let model = &weights.model;
        let measuring = match (&self.measure, &self.state) {
            (Some(measure), _) => Measuring::Ready(Arc::new(measure.floor(settings.count))),
            (None, Some(state)) => state.measuring.clone(),
            (None, None) if self.context.data.is_none() => Measuring::Missing("no images to compare with".into()),
            (None, None) => Measuring::Preparing,
        };
        self.state = Some(GenerationState {
            model_id: self.context.model_id,
            version: weights.version,
            images: weights.images,
            settings,
            shape: self.context.shape,
            tone: Tone::of(model.layers[0].bounds()),
            modes: (0..Mode::ALL.len()).map(|i| Arc::new(comparison.mode_result(i))).collect(),
            measuring,
            prototypes: prototypes::prototypes(model, weights.active_layers).map(Arc::new),
            paused: false,
            following: self.state.as_ref().is_some_and(|state| state.following),
            film: None,
        });
        (self.comparison, self.weights) = (Some(comparison), Some(weights));
        Ok(())
    }

    fn replace_weights(&mut self, weights: FrozenModel) -> Result<(), EngineError> {
        let (Some(comparison), Some(state)) = (&mut self.comparison, &mut self.state) else { return Ok(()) };
        comparison.renew(&weights).map_err(EngineError::of_generation)?;
        (state.version, state.images) = (weights.version, weights.images);
        state.prototypes = prototypes::prototypes(&weights.model, weights.active_layers).map(Arc::new);
        state.modes = (0..Mode::ALL.len()).map(|i| Arc::new(comparison.mode_result(i))).collect();
        self.weights = Some(weights);
        Ok(())
    }

    /// One mode computes for a while, and is measured when its time has come.
    fn advance(&mut self) {
        let (Some(comparison), Some(state)) = (&mut self.comparison, &mut self.state) else { return };
        let Some(which) = comparison.turn(TURN) else {
            std::thread::sleep(SHORT);
            return;
        };
        if let Some(measure) = &self.measure {
            comparison.evaluate(which, measure);
        }
        state.modes[which] = Arc::new(comparison.mode_result(which));
        let all_have_begun = state.modes.iter().all(|mode_result| mode_result.steps > 0 || mode_result.broken.is_some());
        self.publish();
        if all_have_begun {
            self.prepare_measure(); // the first pictures are out
        }
    }

    fn prepare_measure(&mut self) {
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

    fn command(&mut self, command: GenerationCommand) -> Result<(), EngineError> {
        let Some(state) = &mut self.state else { return Ok(()) };
        match command {
            GenerationCommand::SetPaused(paused) => state.paused = paused,
            GenerationCommand::Follow(follow) => state.following = follow,
            GenerationCommand::SetGains(gains) => self.comparison.iter_mut().for_each(|comparison| comparison.set_gains(gains.as_deref())),
            GenerationCommand::Save { mode, means, path } => {
                self.save(mode, means, &path)?;
                self.job.report(Ok(path));
            }
            GenerationCommand::Film { mode, means, frames, every, path } => {
                let written = self.film(mode, means, [frames, every], &path);
                self.state.iter_mut().for_each(|state| state.film = None);
                if written? {
                    self.job.report(Ok(path)); // else it was stopped, and nothing was written
                }
            }
            // The simulation thread deals with these.
            GenerationCommand::SetVisible(_) | GenerationCommand::NewWeights | GenerationCommand::StopFilm => {}
        }
        Ok(())
    }

    fn save(&self, mode: Mode, means: bool, path: &Path) -> Result<(), EngineError> {
        let (Some(comparison), Some(state)) = (&self.comparison, &self.state) else { return Err(EngineError::NothingGenerated) };
        let [samples, expected] = comparison.images(mode).ok_or(EngineError::NothingGenerated)?;
        match ending(path).as_str() {
            "npz" => save_npz(path, &samples, &expected, state.shape, &self.context.config).map_err(EngineError::of_file),
            "png" => {
                let images = if means { expected } else { samples };
                save_png(path, &picture(images.view(), state.shape, SHOWN, state.tone, ZOOM)).map_err(EngineError::of_file)
            }
            _ => Err(EngineError::UnknownImageFormat { path: path.into() }),
        }
    }

    /// A film of a mode from its start; false where it was stopped.
    fn film(&mut self, mode: Mode, means: bool, [frames, every]: [usize; 2], path: &Path) -> Result<bool, EngineError> {
        check_output(path).map_err(EngineError::of_file)?; // before its frames are computed
        self.shared.film_stopped.store(false, Ordering::Relaxed);
        let (Some(weights), Some(state)) = (&self.weights, &self.state) else { return Err(EngineError::NothingGenerated) };
        let mut request = state.settings.request(mode, self.context.seed);
        request.count = request.count.min(SHOWN);
        let (shape, tone, frames) = (state.shape, state.tone, frames.clamp(1, MOST_FRAMES));
        let data = self.context.data.as_ref().map(|sample| &sample.pixels);
        let mut chains = GenerationChains::new(weights, request, data).map_err(EngineError::of_generation)?;
        let bytes = animation::gif(frames, FRAME_MS, |frame| {
            let steps = if mode == Mode::Ancestral { 1 } else { every as u64 }; // a draw from the top down is one step
            let end = chains.steps + if frame > 0 { steps } else { 0 };
            while chains.steps < end {
                chains.advance((end - chains.steps).min(STEPS_AT_ONCE) as usize);
                if self.shared.film_stopped.load(Ordering::Relaxed) || self.job.is_stopped() {
                    return None;
                }
            }
            self.state.iter_mut().for_each(|state| state.film = Some((frame + 1, frames)));
            self.publish();
            let images: Array2<f32> = if means { chains.means() } else { chains.samples() };
            Some(picture(images.view(), shape, SHOWN, tone, ZOOM))
        })
        .map_err(EngineError::of_file)?;
        match bytes {
            Some(bytes) => {
                write_or_keep(path, |path| write_atomically(path, &bytes)).map_err(EngineError::of_file)?;
                Ok(true)
            }
            None => Ok(false),
        }
    }
}
