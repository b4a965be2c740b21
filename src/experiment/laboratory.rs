//! Experiments that measure what theory predicts: speed-up by adaptation, separation of time scales, the partition function.
//! Each reports its points one by one and stops when it is told to.

use crate::analysis::chains::windowed_autocorrelation_time;
use crate::analysis::density::DensityGrid;
use crate::dynamics::interneurons::equilibrium_statistics;
use crate::dynamics::noise::Noise;
use crate::dynamics::step_parameters::{StepParameters, averaged_variance};
use crate::experiment::config::DynamicsConfig;
use crate::experiment::race::{Field, Race, SamplerConfig, Start};
use crate::experiment::session::step_parameters;
use crate::model::closed_form::{adaptation_speedup, solve};
use crate::model::linear::{LinearDynamics, critical_adaptation, precision, symmetric_eigenvalues};
use crate::model::{Family, FamilyConfig, Hierarchy};
use ndarray::Array2;

/// What is swept.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum Experiment {
    /// Speed-up of the first watched unit against m.
    AdaptationStrength,
    /// Speed-up against tau_v, at the present m.
    AdaptationTime,
    /// Var(x) of the first watched unit against tau_eps/tau_x, for several K.
    Separation,
    /// A(eta) and A'(eta) of a family by its interneurons.
    Partition {
        /// The family.
        family: FamilyConfig,
    },
    /// The error of <T(y)> over one step against tau_eps/dt, for several K.
    PartitionError {
        /// The family.
        family: FamilyConfig,
    },
}

/// One measured point.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Point {
    /// Which of the experiment's series: an index into its K, or the quantity.
    pub series: usize,
    /// What was varied.
    pub x: f64,
    /// What was measured.
    pub y: f64,
    /// Its standard error.
    pub error: f64,
}

/// Numbers of interneurons that are compared.
pub const INTERNEURONS: [usize; 3] = [1, 4, 16];
/// Adaptation strengths of the sweep.
pub const STRENGTHS: [f64; 10] = [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0];
/// tau_v/tau_x of the sweep.
pub const ADAPTATION_TIMES: [f64; 9] = [0.03, 0.06, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 4.0];
/// A family of each kind, for those that the model at hand has not.
pub const FAMILIES: [FamilyConfig; 7] = [
    FamilyConfig::Gaussian { sigma: 0.5 },
    FamilyConfig::RectifiedGaussian { sigma: 0.5 },
    FamilyConfig::ContinuousBernoulli,
    FamilyConfig::Bernoulli,
    FamilyConfig::Laplace { lambda: 3.0, delta: 0.1, kappa: 0.5 },
    FamilyConfig::StudentT { nu: 3.0, s: 0.5, kappa: 1.0 },
    FamilyConfig::LaplaceScale { eta_max: 14.0, delta: 0.15 },
];

/// tau_eps/tau_x of the separation.
pub const RATIOS: [f64; 11] = [0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.4, 1.0, 2.0, 4.0, 10.0];
/// tau_eps/dt of the partition function's error.
pub const FRACTIONS: [f64; 8] = [0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0];

const CHAINS: usize = 128;

/// What an experiment is done on.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Subject {
    /// The model; its weights stay.
    pub model: Hierarchy,
    /// lambda of its layers.
    pub stiffness: Vec<f64>,
    /// Time constants, step, seed.
    pub dynamics: DynamicsConfig,
    /// x_0.
    pub stimulus: Vec<f32>,
    /// The layer and the units looked at.
    pub watched: (usize, [usize; 2]),
}

/// Points that `experiment` will report.
pub fn count(experiment: Experiment) -> usize {
    match experiment {
        Experiment::AdaptationStrength => STRENGTHS.len(),
        Experiment::AdaptationTime => ADAPTATION_TIMES.len() + 1,
        Experiment::Separation => RATIOS.len() * INTERNEURONS.len(),
        Experiment::Partition { .. } => 2 * (ETAS / 2 + 1),
        Experiment::PartitionError { .. } => FRACTIONS.len() * INTERNEURONS.len(),
    }
}

/// Runs it; `report` gets each point, and None between two of them, and returns false to stop.
pub fn run(experiment: Experiment, subject: &Subject, report: &mut dyn FnMut(Option<Point>) -> bool) {
    match experiment {
        Experiment::AdaptationStrength => {
            speed_up(subject, &STRENGTHS.map(|m| (m, SamplerConfig { adaptation: m, ..SamplerConfig::of(&subject.dynamics) })), report);
        }
        Experiment::AdaptationTime => {
            let as_is = SamplerConfig::of(&subject.dynamics);
            let mut sweep = vec![(0.0, SamplerConfig { adaptation: 0.0, ..as_is })];
            sweep.extend(ADAPTATION_TIMES.map(|t| (t, SamplerConfig { tau_v_ms: t * subject.dynamics.tau_x_ms, ..as_is })));
            speed_up(subject, &sweep, report);
        }
        Experiment::Separation => separation(subject, report),
        Experiment::Partition { family } => {
            if let Ok(family) = family.build() {
                partition(subject, family.as_ref(), report);
            }
        }
        Experiment::PartitionError { family } => {
            if let Ok(family) = family.build() {
                partition_error(subject, family.as_ref(), report);
            }
        }
    }
}

/// A race of one sampler, run until stationary.
fn settled(
    subject: &Subject,
    config: SamplerConfig,
    common: &DynamicsConfig,
    burn_ms: f64,
    report: &mut dyn FnMut(Option<Point>) -> bool,
) -> Option<Race> {
    let field = Field {
        model: &subject.model,
        stiffness: &subject.stiffness,
        common,
        stimulus: &subject.stimulus,
        exact: None,
        watched: subject.watched,
    };
    let mut race = Race::new(&field, &[config], CHAINS);
    race.restart(Start::Prior);
    let steps = (burn_ms / race.dt_ms()).ceil() as usize;
    let went = advance(&mut race, steps, report);
    went.then_some(race)
}

/// At least `steps` steps; false where it was stopped.
fn advance(race: &mut Race, steps: usize, report: &mut dyn FnMut(Option<Point>) -> bool) -> bool {
    (0..steps.div_ceil(CHUNK)).all(|_| {
        race.advance(CHUNK);
        report(None)
    })
}

/// Steps in one go.
const CHUNK: usize = 500;

/// Time from the sampler without adaptation over the time with it, for each setting; the first setting has m = 0.
fn speed_up(subject: &Subject, sweep: &[(f64, SamplerConfig)], report: &mut dyn FnMut(Option<Point>) -> bool) {
    // One step for all, so that the step's own bias cancels.
    let limits = sweep.iter().map(|(_, c)| {
        let d = DynamicsConfig { adaptation: c.adaptation, tau_v_ms: c.tau_v_ms, ..subject.dynamics };
        step_parameters(&d, &subject.stiffness).dt_ms
    });
    let common = DynamicsConfig { dt_ms: limits.fold(f64::INFINITY, f64::min), ..subject.dynamics };
    let mut still: Option<(f64, f64)> = None;
    for (i, &(x, config)) in sweep.iter().enumerate() {
        // Its own random numbers, so that the errors of different settings are independent.
        let common = DynamicsConfig { seed: common.seed.wrapping_add(1 + i as u64), ..common };
        let guess = still.map_or(4.0, |(tau, _)| tau / common.tau_x_ms);
        let Some(mut race) = settled(subject, config, &common, 4.0 * guess * common.tau_x_ms, report) else { return };
        let (mut found, mut run) = (None, 0.0);
        race.samplers[0].set_stride(1);
        // Until the error is below 3 %, or for long enough that the user should know that it is not.
        while run < 400.0 * common.tau_x_ms {
            if !advance(&mut race, 4 * CHUNK, report) {
                return;
            }
            run += 4.0 * CHUNK as f64 * race.dt_ms();
            // One unit, always the same: the larger of two noisy times would be too large on average.
            let (chains, stride) = race.samplers[0].chains(0);
            let spacing = stride as f64 * race.dt_ms();
            let measured = windowed_autocorrelation_time(&chains).map(|(tau, error)| (tau * spacing, error * spacing, tau));
            match measured {
                Some((tau, error, draws)) => {
                    found = Some((tau, error));
                    race.samplers[0].widen(draws);
                }
                None => race.samplers[0].widen(40.0), // too short a window to say
            }
            if found.is_some_and(|(tau, error)| error < 0.03 * tau && run > 30.0 * tau) {
                break;
            }
        }
        let Some((tau, error)) = found else { continue };
        let (base, base_error) = *still.get_or_insert((tau, error));
        let y = base / tau;
        let relative = if x == 0.0 { 0.0 } else { (error / tau).hypot(base_error / base) };
        if !report(Some(Point { series: 0, x, y, error: y * relative })) {
            return;
        }
    }
}

/// S = 1 + m^2 tau_v/tau_x on the sweep's axis.
pub fn speed_up_theory(experiment: Experiment, d: &DynamicsConfig, x: f64) -> f64 {
    match experiment {
        Experiment::AdaptationTime => adaptation_speedup(d.adaptation, x, 1.0),
        _ => adaptation_speedup(x, d.tau_v_ms, d.tau_x_ms),
    }
}

/// m* of the softest and of the stiffest direction of the posterior of a one-layer model: exact for a linear-Gaussian one; for two
/// units of another kind that of the Gaussian with the same covariance, a guide.
pub fn critical_strengths(subject: &Subject) -> Option<[f64; 2]> {
    let (model, d) = (&subject.model, &subject.dynamics);
    if model.depth() != 1 {
        return None;
    }
    let curvatures = if is_linear_gaussian(model) {
        symmetric_eigenvalues(&precision(model))
    } else {
        let covariance = DensityGrid::posterior(model, &subject.stimulus, 96)?.covariance();
        symmetric_eigenvalues(&covariance).into_iter().map(|variance| 1.0 / variance).collect()
    };
    let ends = [curvatures.iter().copied().fold(f64::INFINITY, f64::min), curvatures.iter().copied().fold(0.0, f64::max)];
    Some(ends.map(|lambda| critical_adaptation(lambda, d.tau_x_ms / d.tau_v_ms)))
}

/// Whether every layer is gaussian with linear f, so that everything is known exactly.
pub fn is_linear_gaussian(model: &Hierarchy) -> bool {
    model.is_linear_gaussian()
}

/// Var(x) of a unit as theory has it, for tau_eps = ratio tau_x; None where the dynamics are unstable.
pub fn separation_theory(subject: &Subject, ratio: f64, k: usize) -> Option<f64> {
    let d = DynamicsConfig { tau_eps_ms: ratio * subject.dynamics.tau_x_ms, interneurons: k, ..subject.dynamics };
    let p = step_parameters(&d, &subject.stiffness);
    let constants: Vec<_> = p.layers.iter().map(|layer| layer.constants(p.dt_ms)).collect();
    let dynamics = LinearDynamics::new(&subject.model, &constants, d.tau_eps_ms, k, false)?;
    let i = dynamics.state(subject.watched.0, subject.watched.1[0]);
    Some(dynamics.covariance[[i, i]])
}

/// Variance of the watched unit under the posterior and under the prior.
pub fn separation_levels(subject: &Subject) -> Option<[f64; 2]> {
    let model = &subject.model;
    if !is_linear_gaussian(model) {
        return None;
    }
    let before: usize = model.layers[1..subject.watched.0].iter().map(|l| l.size).sum();
    let posterior = solve(&precision(model), &Array2::eye(precision(model).nrows()))?;
    // Covariance of the prior, down from the top: C_l = W C W^T + sigma^2.
    let mut prior = Array2::<f64>::zeros((0, 0));
    for l in (subject.watched.0..=model.depth()).rev() {
        let own = Array2::<f64>::eye(model.layers[l].size) * model.layers[l].sigma()?.powi(2);
        prior = if l == model.depth() {
            own
        } else {
            let w = model.weights[l].mapv(f64::from);
            w.dot(&prior).dot(&w.t()) + own
        };
    }
    let unit = subject.watched.1[0];
    Some([posterior[[before + unit, before + unit]], prior[[unit, unit]]])
}

fn separation(subject: &Subject, report: &mut dyn FnMut(Option<Point>) -> bool) {
    for (series, k) in INTERNEURONS.into_iter().enumerate() {
        for ratio in RATIOS {
            let tau_eps_ms = ratio * subject.dynamics.tau_x_ms;
            let config = SamplerConfig { tau_eps_ms, interneurons: k, ..SamplerConfig::of(&subject.dynamics) };
            // Slow interneurons are the slowest part: wait for them.
            let burn = 5.0 * subject.dynamics.tau_x_ms.max(tau_eps_ms);
            let Some(mut race) = settled(subject, config, &subject.dynamics, burn, report) else { return };
            let apart = ((0.1 * subject.dynamics.tau_x_ms / race.dt_ms()).round() as u64).max(1);
            race.samplers[0].set_stride(apart);
            let steps = (6.0 * burn / race.dt_ms()) as usize;
            if !advance(&mut race, steps, report) {
                return;
            }
            let (chains, _) = race.samplers[0].chains(0);
            let (y, error) = variance(&chains);
            if !(y.is_finite() && y < 1e4) {
                continue; // unstable: there is no variance to report
            }
            if !report(Some(Point { series, x: ratio, y, error })) {
                return;
            }
        }
    }
}

/// Variance of all draws about their mean, and its standard error over chains.
fn variance(chains: &[Vec<f64>]) -> (f64, f64) {
    let draws = chains.first().map_or(1, Vec::len).max(1) as f64;
    let count = chains.len() as f64;
    let mean = chains.iter().flatten().sum::<f64>() / (draws * count);
    let own: Vec<f64> = chains.iter().map(|c| c.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / draws).collect();
    let all = own.iter().sum::<f64>() / count;
    let spread = own.iter().map(|v| (v - all).powi(2)).sum::<f64>() / (count - 1.0);
    (all, (spread / count).sqrt())
}

/// Intervals of the thermodynamic integration.
const ETAS: usize = 80;
/// Independent repeats at each eta.
const REPEATS: usize = 64;

/// The range of eta shown for a family: four standard deviations of x either way count as typical input.
pub fn eta_range(family: &dyn Family) -> f64 {
    family.typical_natural_parameter()
}

/// The ends of the range of eta that is shown: `eta_range` about 0; for laplace-scale what its link can give, since exp(eta T)
/// has no finite integral at 0.
pub fn eta_interval(family: &dyn Family) -> [f64; 2] {
    if family.has_link() {
        let largest = family.link(-40.0);
        return [0.05 * largest, largest];
    }
    let reach = eta_range(family);
    [-reach, reach]
}

/// The eta from which A is integrated: the middle of the range shown.
pub fn eta_origin(family: &dyn Family) -> f64 {
    let [low, high] = eta_interval(family);
    0.5 * (low + high)
}

/// What theory says of a point, where it says something; see [`is_exact`].
pub fn theory(experiment: Experiment, subject: &Subject, point: &Point) -> Option<f64> {
    match experiment {
        Experiment::AdaptationStrength | Experiment::AdaptationTime => Some(speed_up_theory(experiment, &subject.dynamics, point.x)),
        Experiment::Separation => separation_theory(subject, point.x, INTERNEURONS[point.series]),
        Experiment::Partition { family } => {
            let family = family.build().ok()?;
            Some(match point.series {
                0 => family.mean_statistic(point.x),
                _ => family.log_partition(point.x) - family.log_partition(eta_origin(family.as_ref())),
            })
        }
        Experiment::PartitionError { family } => partition_error_theory(family.build().ok()?.as_ref(), point.x, INTERNEURONS[point.series]),
    }
}

/// Whether theory is a law for this subject, or (speed-up where the posterior is not Gaussian) a guide.
pub fn is_exact(experiment: Experiment, subject: &Subject) -> bool {
    let adaptation = matches!(experiment, Experiment::AdaptationStrength | Experiment::AdaptationTime);
    !adaptation || is_linear_gaussian(&subject.model)
}

fn interneuron_parameters(a_dt: f64, k: usize) -> StepParameters {
    StepParameters { layers: Vec::new(), dt_ms: 1.0, dt_over_tau_eps: a_dt, interneurons: k, exact: false, choice_interval: 1 }
}

/// Series 0: A'(eta) as <T(y)>; series 1: A(eta) - A(eta_0) as its integral from eta_0 (SPEC 5.5), by Simpson's rule.
fn partition(subject: &Subject, family: &dyn Family, report: &mut dyn FnMut(Option<Point>) -> bool) {
    let [low, high] = eta_interval(family);
    let h = (high - low) / ETAS as f64;
    let eta = |i: usize| low + h * i as f64;
    let repeated: Vec<f32> = (0..=ETAS).flat_map(|i| [eta(i) as f32; REPEATS]).collect();
    let d = &subject.dynamics;
    let parameters = interneuron_parameters(d.dt_ms / d.tau_eps_ms, d.interneurons);
    let mut noise = Noise::new(d.seed, 1 << 33);
    let steps = 20;
    let samples = equilibrium_statistics(family, &repeated, &parameters, steps, &mut noise);
    // Mean over steps of each repeat, then over repeats: repeats are independent, steps need not be.
    let estimates: Vec<(f64, f64)> = (0..=ETAS)
        .map(|i| {
            let own: Vec<f64> =
                (0..REPEATS).map(|r| samples.iter().map(|s| f64::from(s[i * REPEATS + r])).sum::<f64>() / steps as f64).collect();
            let mean = own.iter().sum::<f64>() / REPEATS as f64;
            let spread = own.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (REPEATS - 1) as f64;
            (mean, (spread / REPEATS as f64).sqrt())
        })
        .collect();
    let zero = ETAS / 2;
    for i in (0..=ETAS).step_by(2) {
        if !report(Some(Point { series: 0, x: eta(i), y: estimates[i].0, error: estimates[i].1 })) {
            return;
        }
    }
    for i in (0..=ETAS).step_by(2) {
        let (from, to, sign) = if i < zero { (i, zero, -1.0) } else { (zero, i, 1.0) };
        let (mut integral, mut square) = (0.0, 0.0);
        for (j, (mean, error)) in estimates[from..=to].iter().enumerate().filter(|_| from < to) {
            let weight = if j == 0 || j == to - from { h / 3.0 } else { h / 3.0 * (2.0 + 2.0 * (j % 2) as f64) };
            integral += weight * mean;
            square += (weight * error).powi(2);
        }
        if !report(Some(Point { series: 1, x: eta(i), y: sign * integral, error: square.sqrt() })) {
            return;
        }
    }
}

/// Root mean square of <T(y)> - A'(eta) over one step, in standard deviations of T at eta_0.
fn partition_error(subject: &Subject, family: &dyn Family, report: &mut dyn FnMut(Option<Point>) -> bool) {
    let [low, high] = eta_interval(family);
    let etas: Vec<f32> = (0..512).map(|i| (low + (high - low) * f64::from(i) / 512.0) as f32).collect();
    let exact: Vec<f64> = etas.iter().map(|&e| family.mean_statistic(f64::from(e))).collect();
    let unit = deviation(family);
    let mut noise = Noise::new(subject.dynamics.seed, 1 << 34);
    for (series, k) in INTERNEURONS.into_iter().enumerate() {
        for fraction in FRACTIONS {
            let steps = 40 + (20.0 * fraction) as usize;
            let samples = equilibrium_statistics(family, &etas, &interneuron_parameters(1.0 / fraction, k), steps, &mut noise);
            // Each eta is one independent estimate of the mean square.
            let own: Vec<f64> = (0..etas.len())
                .map(|i| samples.iter().map(|s| (f64::from(s[i]) - exact[i]).powi(2)).sum::<f64>() / samples.len() as f64)
                .collect();
            let mean = own.iter().sum::<f64>() / own.len() as f64;
            let spread = own.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (own.len() - 1) as f64;
            let y = mean.sqrt() / unit;
            let error = 0.5 * (spread / own.len() as f64).sqrt() / mean * y;
            if !report(Some(Point { series, x: fraction, y, error })) {
                return;
            }
        }
    }
}

/// Standard deviation of T at eta_0.
fn deviation(family: &dyn Family) -> f64 {
    let (eta, h) = (eta_origin(family), 1e-3);
    ((family.mean_statistic(eta + h) - family.mean_statistic(eta - h)) / (2.0 * h)).sqrt()
}

/// The same error as theory has it for the gaussian family, whose interneurons are Ornstein-Uhlenbeck processes.
pub fn partition_error_theory(family: &dyn Family, fraction: f64, k: usize) -> Option<f64> {
    family.is_normal().then(|| averaged_variance(&interneuron_parameters(1.0 / fraction, k)).sqrt())
}
