//! Generation: how close images drawn jointly, marginally and from the top down come to the data, against steps of the network
//! (model.md 4, 8).

mod chains;
pub mod comparison;
pub mod image_distance;
pub mod image_evaluation;
pub mod prototypes;
mod request;
pub mod schedule;
mod waking;

pub use chains::{ChainSteps, GenerationChains};
pub use request::{GenerationRequest, MOST_IMAGES, MOST_STEPS, Mode, Origin};

use crate::studies::{
    Axis, Expectation, Figure, Observer, OptionKind, Point, Report, Study, StudyError, StudyOption, StudyOptions, StudyTarget,
};
use comparison::{SMALLEST_PICTURE, Settings};
use image_distance::{Measure, Sample};
use schedule::Schedule;

/// Steps between two looks at whether to go on.
const CHUNK: usize = 10;
/// Between two distances, steps grow by this factor.
const SPACING: usize = 2;

/// The study.
pub struct Generation;
/// Its value in the registry.
pub static STUDY: Generation = Generation;

impl Study for Generation {
    fn name(&self) -> &'static str {
        "generation"
    }

    fn title(&self) -> &'static str {
        "Generation"
    }

    fn summary(&self) -> &'static str {
        "Frechet distance of generated images to the data against steps, beside that of other images of the data"
    }

    fn options(&self) -> &'static [StudyOption] {
        &OPTIONS
    }

    fn applies(&self, target: &StudyTarget) -> Result<(), StudyError> {
        let pixels = target.frozen.model.layers[0].size;
        if pixels < SMALLEST_PICTURE {
            let reason = format!("{pixels} observed values make no picture to generate: at least {SMALLEST_PICTURE} are needed");
            return Err(StudyError::NotApplicable(reason));
        }
        Ok(())
    }

    fn needs_images(&self) -> bool {
        true
    }

    /// The guide is the distance of as many images of the data.
    fn figure(&self, _: &StudyTarget, _: &StudyOptions) -> Figure {
        Figure::of(Axis::logarithmic("steps of the network"), Axis::logarithmic("Frechet distance"))
            .named(&Mode::ALL.map(Mode::name))
            .expecting(Expectation::Guide)
    }

    fn total(&self, _: &StudyTarget, options: &StudyOptions) -> usize {
        checkpoints(options).len() * (Mode::ALL.len() - 1) + 1
    }

    fn run(&self, target: &StudyTarget, options: &StudyOptions, observer: &mut dyn Observer) -> Result<(), StudyError> {
        let frozen = &target.frozen;
        let sample = sample(target)?;
        let measure = Measure::fit(frozen.model.image_shape(), sample)?;
        observer.tell(Report::Working)?;
        let floor = measure.floor(options.whole("images") as usize).distance;
        let settings = settings(options);
        for (series, mode) in Mode::ALL.into_iter().enumerate() {
            let request = settings.request(mode, frozen.dynamics.seed);
            let mut chains = GenerationChains::new(frozen, request, Some(&sample.pixels))?;
            let all = if mode == Mode::Ancestral { vec![1] } else { checkpoints(options) };
            for steps in all {
                advance(&mut chains, steps, observer)?;
                let [samples, _] = measure.scores(chains.samples().view(), chains.means().view()).ok_or_else(too_few)?;
                observer.point(Point { expected: Some(floor), ..Point::new(series, steps as f64, samples.distance, f64::NAN) })?;
            }
        }
        Ok(())
    }
}

const OPTIONS: [StudyOption; 6] = [
    StudyOption { key: "images", help: "Images generated in each mode", kind: OptionKind::Whole { usual: 256, least: 50, most: 2000 } },
    StudyOption {
        key: "steps",
        help: "Steps of the network before the last distance (joint and marginal)",
        kind: OptionKind::Whole { usual: 512, least: 1, most: MOST_STEPS as u64 },
    },
    StudyOption {
        key: "inner",
        help: "Steps of the layers above for one of x0 (marginal)",
        kind: OptionKind::Whole { usual: 8, least: 1, most: 10_000 },
    },
    StudyOption {
        key: "temperature",
        help: "Temperature; 1 is the model",
        kind: OptionKind::Number { usual: 1.0, least: 0.01, most: 100.0 },
    },
    StudyOption {
        key: "from",
        help: "Where joint and marginal chains start: noise, prior (ancestral draws) or data",
        kind: OptionKind::Choice(&["noise", "prior", "data"]),
    },
    StudyOption {
        key: "schedule",
        help: "How chains from noise reach the model: woken (couplings rise from the top down over all steps) or plain",
        kind: OptionKind::Choice(&["woken", "plain"]),
    },
];

/// Steps at which distances are taken.
fn checkpoints(options: &StudyOptions) -> Vec<usize> {
    let last = options.whole("steps") as usize;
    let mut all: Vec<usize> = std::iter::successors(Some(1), |steps| Some(steps * SPACING)).take_while(|steps| *steps < last).collect();
    all.push(last);
    all
}

fn settings(options: &StudyOptions) -> Settings {
    let origin = match options.text("from") {
        "prior" => Origin::Prior,
        "data" => Origin::Data,
        _ => Origin::Noise,
    };
    Settings {
        count: options.whole("images") as usize,
        inner: options.whole("inner") as usize,
        temperature: options.number("temperature"),
        origin,
        schedule: if options.text("schedule") == "plain" { Schedule::Plain } else { Schedule::Woken },
        waking_steps: options.whole("steps") as usize,
        category: None,
    }
}

fn sample(target: &StudyTarget) -> Result<&Sample, StudyError> {
    target.images.as_deref().ok_or_else(|| StudyError::NotApplicable("no images of the data to compare with".into()))
}

fn too_few() -> StudyError {
    StudyError::NotApplicable("too few images for a distance".into())
}

/// Runs chains up to so many steps in all.
fn advance(chains: &mut GenerationChains, steps: usize, observer: &mut dyn Observer) -> Result<(), StudyError> {
    while (chains.steps as usize) < steps {
        chains.advance(CHUNK.min(steps - chains.steps as usize));
        if let Some(l) = chains.broken() {
            return Err(StudyError::Diverged(format!("generation diverged after {} steps: x{l} is not finite", chains.steps)));
        }
        observer.tell(Report::Working)?;
    }
    Ok(())
}
