//! A second run that goes on live beside the one that is shown, each on its share of the machine's cores.

use crate::app::error::WindowError;
use crate::app::gabor_fitter::GaborFitter;
use crate::app::simulation::Simulation;
use crate::app::stop_banner::StopBanner;
use crate::app::timeline::Timeline;
use crate::engine::{AutosaveOptions, Command, Engine};
use crate::experiment::Config;
use crate::model::Hierarchy;
use egui::Context;
use std::time::Instant;

/// Starts engines beside the first one.
pub(super) struct EngineStarter {
    /// Where runs are kept.
    pub(super) autosave: Option<AutosaveOptions>,
    pub(super) ctx: Context,
}

impl EngineStarter {
    pub(super) fn start(&self, config: Config, model: Option<Hierarchy>, cores: usize) -> std::io::Result<Engine> {
        let waker = self.ctx.clone();
        let autosave = self.autosave.clone().map(|options| AutosaveOptions { recover: false, older: None, ..options });
        Engine::start_beside(config, model, autosave, cores, move || waker.request_repaint())
    }
}

/// What the window has of the run beside; what it shows of it is in [`crate::app::ViewState`]'s `beside`.
pub(super) struct RunBeside {
    pub(super) simulation: Simulation,
    pub(super) timeline: Timeline,
    pub(super) fitter: GaborFitter,
    pub(super) stopped: Option<StopBanner>,
    pub(super) views_kept: Instant,
}

impl RunBeside {
    pub(super) fn new(engine: Engine, ctx: &Context) -> Result<Self, WindowError> {
        let waker = ctx.clone();
        let fitter = GaborFitter::start(move || waker.request_repaint()).map_err(WindowError::Fitter)?;
        let simulation = Simulation::new(Box::new(engine));
        Ok(Self { simulation, timeline: Timeline::default(), fitter, stopped: None, views_kept: Instant::now() })
    }
}

/// A run that was ended and is being saved, and what follows for the one that is shown.
pub(super) struct EndingRun {
    pub(super) simulation: Simulation,
    pub(super) then: Option<Command>,
}

/// Cores of the run that is shown and of the one beside it. None where there is one core, of which none can be spared.
pub(super) fn shares() -> Option<[usize; 2]> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    (cores > 1).then_some([cores.div_ceil(2), cores / 2])
}
