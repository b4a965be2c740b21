//! The race: how long samplers take to reach the exact posterior of two units, from one point, several times.

mod arrivals;
mod chains;
mod sampler;

pub use arrivals::Arrivals;
pub use chains::{Race, Start};
pub use sampler::{CELLS, DRAWS, MOST_SAMPLERS, Sampler, SamplerConfig};

use crate::analysis::density::DensityGrid;
use crate::experiment::config::DynamicsConfig;
use crate::experiment::{FrozenModel, WatchedUnits};
use crate::export::table::Table;
use crate::studies::{
    Axis, Detail, Figure, Observer, OptionKind, Point, Report, Study, StudyError, StudyFindings, StudyOption, StudyOptions, StudyTarget,
};
use std::fmt::Write as _;
use std::sync::Arc;

/// Cells a side of the grid of the exact posterior.
const GRID: usize = 128;
/// Steps between two looks at the distances.
const CHUNK: usize = 10;

/// The study.
pub struct RaceStudy;
/// Its value in the registry.
pub static STUDY: RaceStudy = RaceStudy;

impl Study for RaceStudy {
    fn name(&self) -> &'static str {
        "race"
    }

    fn title(&self) -> &'static str {
        "Race of samplers"
    }

    fn summary(&self) -> &'static str {
        "Time until samplers reach the exact posterior of two units"
    }

    fn options(&self) -> &'static [StudyOption] {
        &OPTIONS
    }

    fn applies(&self, target: &StudyTarget) -> Result<(), StudyError> {
        posterior(target).map(drop)
    }

    fn figure(&self, target: &StudyTarget, options: &StudyOptions) -> Figure {
        let samplers = samplers(target, options).unwrap_or_default();
        let names: Vec<String> = samplers.iter().map(SamplerConfig::label).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        Figure::of(Axis::linear("race"), Axis::logarithmic("simulated time until it arrived, s")).named(&names)
    }

    fn total(&self, target: &StudyTarget, options: &StudyOptions) -> usize {
        options.whole("repeats") as usize * samplers(target, options).map_or(0, |samplers| samplers.len())
    }

    /// A series for each sampler, a point for each race in which it arrived.
    fn run(&self, target: &StudyTarget, options: &StudyOptions, observer: &mut dyn Observer) -> Result<(), StudyError> {
        let exact = posterior(target)?;
        let samplers = samplers(target, options)?;
        let mut arrivals: Vec<Arrivals> = samplers.iter().map(|&sampler| Arrivals { sampler, times: Vec::new() }).collect();
        let (repeats, chains) = (options.whole("repeats"), options.whole("chains") as usize);
        let d = target.frozen.dynamics;
        for repeat in 0..repeats {
            let dynamics = DynamicsConfig { seed: d.seed.wrapping_add(repeat), ..d };
            let frozen = FrozenModel { dynamics, ..(*target.frozen).clone() };
            let watched = WatchedUnits { layer: 1, pair: [0, 1] };
            let race = Race::new(&frozen, watched, Some(&exact), &samplers, chains);
            for (i, time) in arrival_times(race, options, observer)?.into_iter().enumerate() {
                let Some(time) = time else { continue };
                arrivals[i].times.push(time);
                observer.point(Point::new(i, repeat as f64, time[0] / 1e3, f64::NAN))?;
            }
            observer.tell(Report::Detail(Detail::Race(Arc::new(arrivals.clone()))))?;
            observer.progress((repeat as usize + 1) * samplers.len(), repeats as usize * samplers.len())?;
        }
        Ok(())
    }

    /// A column of arrivals (ms) a sampler.
    fn table(&self, findings: &StudyFindings) -> Option<Table> {
        let Detail::Race(arrivals) = &findings.detail else { return None };
        let mut table = Table::default();
        for (i, sampler) in arrivals.iter().enumerate() {
            table.push(format!("sampler_{i}_arrival_ms"), sampler.times.iter().map(|time| time[0]));
        }
        Some(table)
    }

    /// Each sampler's arrivals, and how much later than the first sampler named it comes.
    fn printed(&self, findings: &StudyFindings) -> Option<String> {
        let Detail::Race(arrivals) = &findings.detail else { return None };
        Some(text(arrivals, &findings.options))
    }

    fn prints_points(&self) -> bool {
        false
    }
}

const OPTIONS: [StudyOption; 5] = [
    StudyOption {
        key: "sampler",
        help: "A sampler of the race, such as m=4,tau_v_ms=30,tau_eps_ms=0.05,K=1,noisy=true: what is not named is as configured; up to four",
        kind: OptionKind::Texts,
    },
    StudyOption {
        key: "chains",
        help: "Chains of each sampler of the race",
        kind: OptionKind::Whole { usual: 64, least: 1, most: 100_000 },
    },
    StudyOption {
        key: "distance",
        help: "Total variation distance to the exact posterior at which a sampler has arrived",
        kind: OptionKind::Number { usual: 0.05, least: 1e-6, most: 0.999_999 },
    },
    StudyOption { key: "repeats", help: "Races from different seeds", kind: OptionKind::Whole { usual: 8, least: 1, most: 100_000 } },
    StudyOption {
        key: "longest",
        help: "Simulated time after which a race ends, seconds",
        kind: OptionKind::Number { usual: 1000.0, least: 0.0, most: 1e9 },
    },
];

fn posterior(target: &StudyTarget) -> Result<DensityGrid, StudyError> {
    let frozen = &target.frozen;
    DensityGrid::posterior(&frozen.model, &frozen.stimulus, frozen.dynamics.temperature, GRID).ok_or_else(|| {
        let needed = "a race against the exact posterior needs a first layer of two neurons, alone or below linear-Gaussian ones, and a temperature above 0";
        StudyError::NotApplicable(needed.into())
    })
}

/// The samplers named, else four that show what matters; those of them are left out whose linear dynamics are unstable.
fn samplers(target: &StudyTarget, options: &StudyOptions) -> Result<Vec<SamplerConfig>, StudyError> {
    let d = &target.frozen.dynamics;
    match options.texts("sampler") {
        [] => {
            let watched = WatchedUnits { layer: 1, pair: [0, 1] };
            let race = Race::new(&target.frozen, watched, None, &SamplerConfig::contrast(d), 1);
            let unstable: Vec<SamplerConfig> = race.unstable().map(|sampler| sampler.config).collect();
            Ok(SamplerConfig::contrast(d).into_iter().filter(|config| !unstable.contains(config)).collect())
        }
        named if named.len() <= MOST_SAMPLERS => named.iter().map(|text| SamplerConfig::read(text, d)).collect(),
        named => Err(StudyError::Option(format!("{} samplers: a race has at most {MOST_SAMPLERS}", named.len()))),
    }
}

/// Simulated ms and wall seconds until each sampler arrived, where it did.
fn arrival_times(mut race: Race, options: &StudyOptions, observer: &mut dyn Observer) -> Result<Vec<Option<[f64; 2]>>, StudyError> {
    let (distance, longest_ms) = (options.number("distance"), 1e3 * options.number("longest"));
    let mut found: Vec<Option<[f64; 2]>> = vec![None; race.samplers.len()];
    while found.iter().any(Option::is_none) && race.time_ms() < longest_ms {
        race.advance(CHUNK);
        if let Some(reason) = race.broken() {
            return Err(StudyError::Diverged(reason));
        }
        for (i, slot) in found.iter_mut().enumerate().filter(|(_, slot)| slot.is_none()) {
            *slot = race.arrival_ms(i, distance).map(|time| [time, race.samplers[i].wall.as_secs_f64()]);
        }
        observer.tell(Report::Working)?;
    }
    Ok(found)
}

fn text(arrivals: &[Arrivals], options: &StudyOptions) -> String {
    let (chains, repeats, distance) = (options.whole("chains"), options.whole("repeats"), options.number("distance"));
    let mut out = format!("{chains} chains a sampler, {repeats} races from one point: simulated time until the distance is {distance}\n");
    // Writing to a string does not fail.
    let _ = writeln!(
        out,
        "{:>8} {:>10} {:>10} {:>4} {:>6}   arrived   time, s   factor        a second of computing",
        "m", "tau_v, ms", "tau_eps", "K", "noisy"
    );
    let logs = |i: usize, which: usize| arrivals[i].times.iter().map(move |a| a[which].ln()).collect::<Vec<f64>>();
    for (i, Arrivals { sampler: s, .. }) in arrivals.iter().enumerate() {
        let (own, first) = (logs(i, 0), logs(0, 0));
        let shown = if own.is_empty() {
            format!("{:>9} {:>9}", "-", "-")
        } else {
            let ((time, _), factor) = (mean(&own), difference(&first, &own));
            let wall = mean(&logs(i, 1)).0.exp();
            format!("{:>9.2} {:>8.2} \u{00B1} {:<6.2} {:>9.3} s", time.exp() / 1e3, factor.0.exp(), factor.0.exp() * factor.1, wall)
        };
        let _ = writeln!(
            out,
            "{:>8} {:>10} {:>10} {:>4} {:>6} {:>5}/{repeats:<3} {shown}",
            s.adaptation,
            s.tau_v_ms,
            s.tau_eps_ms,
            s.interneurons,
            s.noisy,
            own.len()
        );
    }
    out
}

/// Mean and its standard error (NaN for a single value).
fn mean(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (mean, (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0) / n).sqrt())
}

/// Difference of two means and its standard error.
fn difference(a: &[f64], b: &[f64]) -> (f64, f64) {
    let ((a, a_error), (b, b_error)) = (mean(a), mean(b));
    (a - b, a_error.hypot(b_error))
}
