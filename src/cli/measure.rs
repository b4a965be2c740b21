//! `heescope measure`: the laboratory's experiments and the race without a window, measured beside theory.

use crate::analysis::density::DensityGrid;
use crate::cli::Start;
use crate::experiment::config::{Config, DynamicsConfig};
use crate::experiment::laboratory::{self, Experiment, INTERNEURONS, Point, Subject};
use crate::experiment::parameters;
use crate::experiment::race::{Field, MOST_SAMPLERS, Race, SamplerConfig};
use crate::experiment::session::Session;
use crate::export::table::Table;
use anyhow::{Context, bail};
use std::path::PathBuf;
use std::time::Instant;

/// Options of `measure`.
#[derive(clap::Args, Debug)]
pub(super) struct Measure {
    /// What is measured
    #[arg(value_enum)]
    what: What,
    #[command(flatten)]
    start: Start,
    /// Model file
    #[arg(long)]
    model: Option<PathBuf>,
    /// Layer that is looked at, from 1; for the partition function the one below it
    #[arg(long, default_value_t = 1)]
    layer: usize,
    /// Unit that is looked at
    #[arg(long, default_value_t = 0)]
    unit: usize,
    /// A sampler of the race, such as m=4,tau_v_ms=30,tau_eps_ms=0.05,K=1,noisy=true: what is not named is as configured; up to four
    #[arg(long = "sampler", value_name = "KEY=VALUE,..")]
    samplers: Vec<String>,
    /// Chains of each sampler of the race
    #[arg(long, default_value_t = 64)]
    chains: usize,
    /// Total variation distance to the exact posterior at which a sampler has arrived
    #[arg(long, default_value_t = 0.05)]
    distance: f64,
    /// Races from different seeds
    #[arg(long, default_value_t = 8)]
    repeats: u64,
    /// Simulated time after which a race ends, seconds
    #[arg(long, default_value_t = 1000.0)]
    longest: f64,
    /// File of the numbers (CSV or NPY)
    #[arg(long)]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, clap::ValueEnum)]
enum What {
    /// Speed-up against m, beside S = 1 + m^2 tau_v/tau_x
    Adaptation,
    /// Speed-up against tau_v/tau_x
    AdaptationTime,
    /// Var(x) against tau_eps/tau_x for several K, beside the Lyapunov equation's
    Separation,
    /// A'(eta) and A(eta) by the interneurons
    Partition,
    /// Error of <T(y)> against tau_eps/dt and K
    PartitionError,
    /// Time until samplers reach the exact posterior of two units
    Race,
}

impl Measure {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let (mut config, model) = self.start.read(self.model.as_ref())?;
        config.learning.enabled = false;
        let mut session = match model {
            Some(model) => Session::with_model(config, model)?,
            None => Session::new(config)?,
        };
        session.hold(true)?;
        let depth = session.model().depth();
        if !(1..=depth).contains(&self.layer) {
            bail!("--layer {}: the model has layers 1 to {depth} of neurons", self.layer);
        }
        let size = session.model().layers[self.layer].size;
        if self.unit >= size {
            bail!("--unit {}: layer {} has units 0 to {}", self.unit, self.layer, size - 1);
        }
        let table = match self.experiment(&session) {
            Some(experiment) => {
                let subject = Subject {
                    model: session.model().clone(),
                    stiffness: session.stiffness().to_vec(),
                    dynamics: session.config().dynamics,
                    stimulus: session.stimulus().to_vec(),
                    watched: (self.layer, [self.unit, if self.unit == 0 { size.min(2) - 1 } else { 0 }]),
                };
                points(experiment, &subject)?
            }
            None => self.race(&session)?,
        };
        match &self.out {
            Some(path) => Ok(table.save(path)?),
            None => Ok(()),
        }
    }

    /// None for the race.
    fn experiment(&self, session: &Session) -> Option<Experiment> {
        let family = session.config().model.layers[self.layer - 1].family;
        match self.what {
            What::Adaptation => Some(Experiment::AdaptationStrength),
            What::AdaptationTime => Some(Experiment::AdaptationTime),
            What::Separation => Some(Experiment::Separation),
            What::Partition => Some(Experiment::Partition { family }),
            What::PartitionError => Some(Experiment::PartitionError { family }),
            What::Race => None,
        }
    }

    /// Each sampler's arrivals, and how much later than the first sampler named it comes.
    fn race(&self, session: &Session) -> anyhow::Result<Table> {
        let Some(exact) = DensityGrid::posterior(session.model(), session.stimulus(), 128) else {
            bail!("{}: a race against the exact posterior needs one layer of two neurons", session.config().model.name);
        };
        let d = session.config().dynamics;
        if !(0.0..1.0).contains(&self.distance) || self.distance == 0.0 || self.chains == 0 || self.repeats == 0 {
            bail!("--distance between 0 and 1 and at least one chain and repeat are needed");
        }
        let samplers = match &self.samplers[..] {
            [] => SamplerConfig::contrast(&d).to_vec(),
            named if named.len() <= MOST_SAMPLERS => named.iter().map(|text| sampler(text, &d)).collect::<anyhow::Result<_>>()?,
            named => bail!("{} samplers: a race has at most {MOST_SAMPLERS}", named.len()),
        };
        let mut arrivals: Vec<Vec<[f64; 2]>> = vec![Vec::new(); samplers.len()];
        for repeat in 0..self.repeats {
            let common = DynamicsConfig { seed: d.seed.wrapping_add(repeat), ..d };
            let (model, stiffness, stimulus) = (session.model(), session.stiffness(), session.stimulus());
            let field = Field { model, stiffness, common: &common, stimulus, exact: Some(&exact), watched: (1, [0, 1]) };
            let found = self.arrivals(Race::new(&field, &samplers, self.chains))?;
            arrivals.iter_mut().zip(found).for_each(|(all, found)| all.extend(found));
        }
        println!(
            "{} chains a sampler, {} races from one point: simulated time until the distance is {}",
            self.chains, self.repeats, self.distance
        );
        println!(
            "{:>8} {:>10} {:>10} {:>4} {:>6}   arrived   time, s   factor        a second of computing",
            "m", "tau_v, ms", "tau_eps", "K", "noisy"
        );
        let mut table = Table::default();
        let logs = |i: usize, which: usize| arrivals[i].iter().map(move |a| a[which].ln()).collect::<Vec<f64>>();
        for (i, s) in samplers.iter().enumerate() {
            let (own, first) = (logs(i, 0), logs(0, 0));
            let shown = if own.is_empty() {
                format!("{:>9} {:>9}", "-", "-")
            } else {
                let ((time, _), factor) = (mean(&own), difference(&first, &own));
                let wall = mean(&logs(i, 1)).0.exp();
                format!("{:>9.2} {:>8.2} \u{00B1} {:<6.2} {:>9.3} s", time.exp() / 1e3, factor.0.exp(), factor.0.exp() * factor.1, wall)
            };
            println!(
                "{:>8} {:>10} {:>10} {:>4} {:>6} {:>5}/{:<3} {shown}",
                s.adaptation,
                s.tau_v_ms,
                s.tau_eps_ms,
                s.interneurons,
                s.noisy,
                own.len(),
                self.repeats
            );
            table.push(format!("sampler_{i}_arrival_ms"), arrivals[i].iter().map(|a| a[0]));
        }
        Ok(table)
    }

    /// Simulated ms and wall seconds until each sampler arrived, where it did.
    fn arrivals(&self, mut race: Race) -> anyhow::Result<Vec<Option<[f64; 2]>>> {
        let count = race.samplers.len();
        let mut found: Vec<Option<[f64; 2]>> = vec![None; count];
        while found.iter().any(Option::is_none) && race.time_ms() < 1e3 * self.longest {
            race.advance(10);
            if race.broken() {
                bail!("a sampler left the stable range; lower dt_ms");
            }
            for (i, slot) in found.iter_mut().enumerate().filter(|(_, slot)| slot.is_none()) {
                *slot = race.arrival_ms(i, self.distance).map(|time| [time, race.samplers[i].wall.as_secs_f64()]);
            }
        }
        Ok(found)
    }
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

/// Parameters that a sampler of the race has for itself.
const OF_A_SAMPLER: [&str; 4] = ["adaptation", "tau_v_ms", "tau_eps_ms", "interneurons"];

/// A sampler out of `m=4,K=2`; the rest as the configuration has it. Keys are those of the configuration or the symbols m and K.
fn sampler(text: &str, d: &DynamicsConfig) -> anyhow::Result<SamplerConfig> {
    let (mut config, mut noisy) = (Config { dynamics: *d, ..Config::default() }, true);
    for part in text.split(',') {
        let Some((key, value)) = part.split_once('=') else { bail!("--sampler {text}: '{part}' is no KEY=VALUE") };
        let key = match key.trim() {
            "m" => "adaptation",
            "K" => "interneurons",
            key => key,
        };
        match parameters::find(key).filter(|_| OF_A_SAMPLER.contains(&key)) {
            Some(parameter) => {
                parameter.parse(value).and_then(|value| parameter.set(&mut config, value)).with_context(|| format!("--sampler {text}"))?
            }
            None if key == "noisy" => {
                noisy = value.parse().with_context(|| format!("--sampler {text}: noisy = {value} is neither true nor false"))?;
            }
            None => bail!("--sampler {text}: no key '{key}'; there are: m, tau_v_ms, tau_eps_ms, K, noisy"),
        }
    }
    Ok(SamplerConfig { noisy, ..SamplerConfig::of(&config.dynamics) })
}

/// Prints each point as it is found.
fn points(experiment: Experiment, subject: &Subject) -> anyhow::Result<Table> {
    let several = matches!(experiment, Experiment::Separation | Experiment::PartitionError { .. });
    let theory = if laboratory::is_exact(experiment, subject) { "exact" } else { "guide" };
    println!("{:>8} {:>12} {:>12} {:>10} {:>12}", if several { "K" } else { "series" }, "x", "measured", "error", theory);
    let begin = Instant::now();
    let mut found: Vec<(Point, f64)> = Vec::new();
    laboratory::run(experiment, subject, &mut |point| {
        if let Some(p) = point {
            let expected = laboratory::theory(experiment, subject, &p).unwrap_or(f64::NAN);
            let series = if several { INTERNEURONS[p.series] } else { p.series };
            println!("{series:>8} {:>12.4} {:>12.5} {:>10.5} {expected:>12.5}", p.x, p.y, p.error);
            found.push((p, expected));
        }
        true
    });
    eprintln!("{} points, {:.1} s", found.len(), begin.elapsed().as_secs_f64());
    let mut table = Table::default();
    table.push(
        if several { "K" } else { "series" },
        found.iter().map(|f| if several { INTERNEURONS[f.0.series] } else { f.0.series } as f64),
    );
    table.push("x", found.iter().map(|f| f.0.x));
    table.push("measured", found.iter().map(|f| f.0.y));
    table.push("standard_error", found.iter().map(|f| f.0.error));
    table.push(theory, found.iter().map(|f| f.1));
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sampler_has_the_ranges_of_the_configuration() {
        let d = DynamicsConfig::default();
        for key in OF_A_SAMPLER {
            let high = match parameters::find(key).unwrap().domain {
                parameters::Domain::Number { high, .. } => high,
                parameters::Domain::Whole { high, .. } => high as f64,
                _ => panic!("{key} is no number"),
            };
            let error = format!("{:#}", sampler(&format!("{key}={}", 2.0 * high), &d).unwrap_err());
            let expected = Config::default().set(&format!("{key}={}", 2.0 * high)).unwrap_err().to_string();
            assert!(error.ends_with(&expected) && error.contains("is out of range"), "{error} against {expected}");
            assert!(sampler(&format!("{key}={high}"), &d).is_ok());
        }
        let found = sampler("m=200,K=3,noisy=false", &d).unwrap();
        assert_eq!((found.adaptation, found.interneurons, found.noisy, found.tau_v_ms), (200.0, 3, false, d.tau_v_ms));
        assert!(sampler("K=2.5", &d).is_err() && sampler("m=-1", &d).is_err() && sampler("tau_v_ms=nan", &d).is_err());
    }
}
