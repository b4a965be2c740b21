//! Why values have left the finite range, and which change of one parameter keeps them in it: by the exact stability of the linear
//! dynamics where the model has them, by a comparison of time constants elsewhere (model.md 2, 5.2).

use crate::dynamics::LayerStep;
use crate::dynamics::governor::largest_step;
use crate::experiment::config::{Config, DynamicsConfig, Governor, InterneuronMode};
use crate::experiment::parameters::{self, Value};
use crate::experiment::session::step_parameters;
use crate::model::Hierarchy;
use crate::model::stability::LinearStability;

/// What is offered lies this far below the edge of stability.
const MARGIN: f64 = 0.5;
/// Factor from one value that is tried to the next.
const STEP_DOWN: f64 = 0.8;
/// Values that are tried at most, which span eight decades.
const MOST_TRIED: i32 = 80;
/// Interneurons slower than this share of the fastest time of the neurons that they inform are named as the probable cause.
const SLOW: f64 = 0.2;

/// A change of one parameter that helps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Remedy {
    /// The row of the table of parameters.
    pub key: &'static str,
    /// The value that is offered.
    pub to: Value,
}

impl Remedy {
    fn number(key: &'static str, to: f64) -> Self {
        Self { key, to: Value::Number(two_digits(to)) }
    }

    /// What is done, in words, as `Set tau_eps to 4.5 ms`.
    pub fn in_words(&self) -> String {
        match self.key {
            "governor" => "Automatic step size".into(),
            "interneuron_mode" => "Exact interneurons".into(),
            key => parameters::find(key).map_or_else(String::new, |row| format!("Set {} to {}", row.symbol, row.with_unit(self.to))),
        }
    }
}

/// Why a run diverged, and what helps.
#[derive(Clone, Debug, PartialEq)]
pub struct StopCause {
    /// A clause without a full stop, which says "probably" where it is not exactly known.
    pub text: String,
    /// What helps, the least change first; each alone is enough where the stability is exactly known.
    pub remedies: Vec<Remedy>,
}

impl StopCause {
    /// Of a run with this configuration, weights that are finite, and the stiffness of its layers 1..=L; `active_layers` of them run.
    /// None where nothing stands out.
    pub fn of(config: &Config, model: &Hierarchy, stiffness: &[f64], active_layers: usize) -> Option<Self> {
        let diverging = Diverging { config, model, stiffness };
        match diverging.stability(&config.dynamics).filter(|_| active_layers == model.depth()) {
            Some(stability) if !stability.is_stable() => Some(diverging.unstable(stability)),
            Some(_) => diverging.fast_learning("the dynamics are stable with the last good weights; "),
            None => {
                diverging.long_step().or_else(|| slow_interneurons(&config.dynamics, stiffness)).or_else(|| diverging.fast_learning(""))
            }
        }
    }
}

/// A run that has diverged.
struct Diverging<'a> {
    config: &'a Config,
    model: &'a Hierarchy,
    stiffness: &'a [f64],
}

impl Diverging<'_> {
    /// The stability that these dynamics would have.
    fn stability(&self, d: &DynamicsConfig) -> Option<LinearStability> {
        let p = step_parameters(d, self.stiffness);
        let layers: Vec<_> = p.layers.iter().map(|layer| layer.constants(p.dt_ms)).collect();
        LinearStability::of(self.model, &layers, [p.dt_ms, d.tau_eps_ms], p.exact)
    }

    fn is_stable(&self, d: &DynamicsConfig) -> bool {
        self.stability(d).is_some_and(|stability| stability.is_stable())
    }

    /// The exact answer for linear dynamics that are unstable.
    fn unstable(&self, stability: LinearStability) -> StopCause {
        let d = self.config.dynamics;
        let tau_eps = |tau_eps_ms: f64| DynamicsConfig { tau_eps_ms, ..d };
        let strength = |adaptation: f64| DynamicsConfig { adaptation, ..d };
        let step = |dt_ms: f64| DynamicsConfig { dt_ms, ..d };
        let automatic = DynamicsConfig { governor: Governor::Auto, ..d };
        let mut remedies = Vec::new();
        if stability.growth > 0.0 {
            let slowest = self.largest(d.tau_eps_ms, tau_eps);
            remedies.extend(self.offer("tau_eps_ms", slowest, tau_eps));
            remedies.extend(self.offer("adaptation", self.largest(d.adaptation, strength), strength));
            let edge = slowest.map_or_else(String::new, |edge| format!("; up to tau_eps = {:.3} ms they are stable", edge));
            let adaptation = if self.is_stable(&strength(0.0)) { "for this adaptation" } else { "even without adaptation" };
            let text = format!(
                "the interneurons are too slow {adaptation}: with tau_eps = {} ms and m = {} the linear dynamics of this model have a mode \
                 that grows e-fold in {:.3} ms, and no distribution is stationary{edge}",
                d.tau_eps_ms,
                d.adaptation,
                1.0 / stability.growth
            );
            return StopCause { text, remedies };
        }
        if d.governor == Governor::Manual && self.is_stable(&automatic) {
            remedies.push(Remedy { key: "governor", to: Governor::Auto.into() });
        }
        let dt_ms = step_parameters(&d, self.stiffness).dt_ms;
        let longest = self.largest(dt_ms, step);
        remedies.extend(self.offer("dt_ms", longest, step));
        let edge = longest.map_or_else(String::new, |edge| format!("; up to dt = {edge:.3} ms it is stable"));
        let growth = stability.step_radius;
        let text = format!(
            "the step is too long: dt = {dt_ms} ms multiplies a mode of the linear dynamics of this model by {growth:.3} each time{edge}"
        );
        StopCause { text, remedies }
    }

    /// The edge of stability nearest below a value that is unstable; None where there is none.
    fn largest(&self, now: f64, with: impl Fn(f64) -> DynamicsConfig) -> Option<f64> {
        let tried = (1..=MOST_TRIED).map(|k| now * STEP_DOWN.powi(k));
        let mut low = tried.into_iter().find(|&value| self.is_stable(&with(value)))?;
        let mut high = low / STEP_DOWN;
        for _ in 0..20 {
            let middle = 0.5 * (low + high);
            if self.is_stable(&with(middle)) { low = middle } else { high = middle }
        }
        Some(low)
    }

    /// A value well below its edge, where that is stable too.
    fn offer(&self, key: &'static str, edge: Option<f64>, with: impl Fn(f64) -> DynamicsConfig) -> Option<Remedy> {
        let value = two_digits(MARGIN * edge?);
        self.is_stable(&with(value)).then(|| Remedy::number(key, value))
    }

    /// Past the limit of the governor, which is a bound and no exact one.
    fn long_step(&self) -> Option<StopCause> {
        let d = &self.config.dynamics;
        let layers = step_parameters(d, self.stiffness).layers;
        let moving = layers.iter().zip(self.stiffness).filter(|(_, lambda)| lambda.is_finite());
        let limits = moving.map(|(layer, &lambda)| largest_step(lambda, f64::from(layer.m), d.safety)); // (2.11)
        let limit = limits.fold(f64::INFINITY, f64::min) * d.tau_x_ms;
        (d.governor == Governor::Manual && d.dt_ms > limit).then(|| StopCause {
            text: format!("probably the step is too long: dt = {} ms, and the stiffest layer is stable up to {limit:.3} ms", d.dt_ms),
            remedies: vec![Remedy { key: "governor", to: Governor::Auto.into() }, Remedy::number("dt_ms", MARGIN * limit)],
        })
    }

    /// A rate that carries weights away.
    fn fast_learning(&self, known: &str) -> Option<StopCause> {
        let learning = &self.config.learning;
        let learns = learning.enabled && self.config.stimulus.steps_per_stimulus > 0 && learning.lr > 0.0;
        learns.then(|| StopCause {
            text: format!("{known}probably the learning rate is too large: lr = {}", learning.lr),
            remedies: vec![Remedy::number("lr", MARGIN * MARGIN * learning.lr)],
        })
    }
}

/// Interneurons that are no faster than the neurons that they inform, with adaptation: what neurons of this `stiffness` (layers 1..=L) hear
/// from them is late, and an oscillation between x and v may grow. None where they are fast enough, or exact.
pub fn slow_interneurons(d: &DynamicsConfig, stiffness: &[f64]) -> Option<StopCause> {
    let p = step_parameters(d, stiffness);
    // x relaxes at lambda/tau_x, and with v it turns at m sqrt(lambda)/tau_x.
    let rate = |(layer, &lambda): (&LayerStep, &f64)| lambda.max(f64::from(layer.m) * lambda.sqrt()) * f64::from(layer.h) / p.dt_ms;
    let moving = p.layers.iter().zip(stiffness).filter(|(_, lambda)| lambda.is_finite());
    let fastest_ms = 1.0 / moving.map(rate).fold(0.0, f64::max);
    let is_slow = d.interneuron_mode != InterneuronMode::Exact && d.adaptation > 0.0 && d.tau_eps_ms > SLOW * fastest_ms;
    is_slow.then(|| StopCause {
        text: format!(
            "probably the interneurons are too slow for this adaptation: tau_eps = {} ms, and with m = {} the fastest neurons move within \
             {fastest_ms:.3} ms",
            d.tau_eps_ms, d.adaptation
        ),
        remedies: vec![
            Remedy::number("tau_eps_ms", MARGIN * SLOW * fastest_ms),
            Remedy { key: "interneuron_mode", to: InterneuronMode::Exact.into() },
        ],
    })
}

/// Rounded down to two significant digits.
fn two_digits(value: f64) -> f64 {
    if !(value > 0.0 && value.is_finite()) {
        return value;
    }
    let unit = value.log10().floor() as i32 - 1;
    // A power of ten below 1 is not exact, its inverse is.
    let (up, down) = (10f64.powi(unit.max(0)), 10f64.powi((-unit).max(0)));
    (value * down / up * (1.0 + 1e-12)).floor() / down * up
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamics::Probes;
    use crate::experiment::{Session, presets};

    /// Of a session, as it stands after `steps`, and whether a value has left the finite range (or the range of its prior by far).
    fn run(config: &Config, steps: usize) -> (Option<StopCause>, bool) {
        let mut session = Session::new(config.clone()).unwrap();
        let cause = StopCause::of(session.config(), session.model(), session.stiffness(), session.active_layers());
        session.advance(steps, &Probes::default());
        let far = |value: &f32| value.is_nan() || value.abs() > 1e4;
        let diverged = (1..=session.model().depth()).any(|l| session.networks().states(l).any(|row| row.iter().any(far)));
        (cause, diverged)
    }

    fn with_remedy(config: &Config, remedy: Remedy) -> Config {
        let mut changed = config.clone();
        parameters::assign(&mut changed, remedy.key, remedy.to).unwrap();
        changed
    }

    #[test]
    fn interneurons_just_too_slow_diverge_and_are_named_and_each_remedy_holds() {
        let mut config = presets::by_name("chain").unwrap();
        (config.stimulus.batch, config.dynamics.adaptation) = (4, 3.0);
        config.dynamics.tau_eps_ms = 60.0;
        let cause = run(&config, 1).0.unwrap();
        assert!(cause.text.contains("too slow even without adaptation"), "{}", cause.text);
        assert_eq!(cause.remedies.iter().map(|remedy| remedy.key).collect::<Vec<_>>(), ["tau_eps_ms"], "no adaptation is weak enough");
        config.dynamics.tau_eps_ms = 20.0;
        let (cause, diverged) = run(&config, 200_000);
        let cause = cause.unwrap();
        assert!(diverged && cause.text.contains("the interneurons are too slow for this adaptation"), "{}", cause.text);
        assert_eq!(cause.remedies.iter().map(|remedy| remedy.key).collect::<Vec<_>>(), ["tau_eps_ms", "adaptation"]);
        for remedy in cause.remedies {
            let (left, diverged) = run(&with_remedy(&config, remedy), 200_000);
            assert!(left.is_none() && !diverged, "{remedy:?}: {left:?}");
        }
        // At the edge that is named itself: stable below, unstable above, in the simulation as in the algebra.
        let edge: f64 = cause.text.rsplit_once("tau_eps = ").unwrap().1.split_once(' ').unwrap().0.parse().unwrap();
        for (share, stable) in [(0.9, true), (1.1, false)] {
            config.dynamics.tau_eps_ms = share * edge;
            let (cause, diverged) = run(&config, 200_000);
            assert_eq!((cause.is_none(), diverged), (stable, !stable), "tau_eps = {} ms: {cause:?}", share * edge);
        }
    }

    #[test]
    fn a_step_just_too_long_diverges_and_is_named_and_each_remedy_holds() {
        let mut config = presets::by_name("ridge").unwrap();
        (config.dynamics.governor, config.stimulus.batch, config.dynamics.dt_ms) = (Governor::Manual, 4, 50.0);
        let (cause, diverged) = run(&config, 20_000);
        let cause = cause.unwrap();
        assert!(diverged && cause.text.contains("the step is too long"), "{}", cause.text);
        assert_eq!(cause.remedies.iter().map(|remedy| remedy.key).collect::<Vec<_>>(), ["governor", "dt_ms"]);
        for remedy in cause.remedies {
            let (left, diverged) = run(&with_remedy(&config, remedy), 20_000);
            assert!(left.is_none() && !diverged, "{remedy:?}: {left:?}");
        }
        let edge: f64 = cause.text.rsplit_once("dt = ").unwrap().1.split_once(' ').unwrap().0.parse().unwrap();
        for (share, stable) in [(0.98, true), (1.02, false)] {
            config.dynamics.dt_ms = share * edge;
            let (cause, diverged) = run(&config, 20_000);
            assert_eq!((cause.is_none(), diverged), (stable, !stable), "dt = {} ms: {cause:?}", share * edge);
        }
    }

    #[test]
    fn elsewhere_time_constants_are_compared_and_it_says_probably() {
        let of = |config: &Config| {
            let mut config = config.clone();
            (config.data.patches, config.stimulus.batch) = (300, 25);
            let session = Session::new(config).unwrap();
            StopCause::of(session.config(), session.model(), session.stiffness(), session.active_layers())
        };
        let usual = presets::by_name("dead-leaves").unwrap();
        let keys = |cause: &StopCause| cause.remedies.iter().map(|remedy| remedy.key).collect::<Vec<_>>();
        let mut slow = usual.clone();
        slow.dynamics.tau_eps_ms = 100.0;
        let cause = of(&slow).unwrap();
        assert!(cause.text.starts_with("probably the interneurons"), "{}", cause.text);
        assert_eq!(keys(&cause), ["tau_eps_ms", "interneuron_mode"]);
        assert!(!of(&with_remedy(&slow, cause.remedies[0])).unwrap().text.contains("interneurons"), "what is offered is fast enough");
        let mut long = usual.clone();
        (long.dynamics.governor, long.dynamics.dt_ms) = (Governor::Manual, 30.0);
        let cause = of(&long).unwrap();
        assert!(cause.text.starts_with("probably the step"), "{}", cause.text);
        assert_eq!(keys(&cause), ["governor", "dt_ms"]);
        let cause = of(&usual).unwrap();
        assert_eq!((cause.text.as_str(), keys(&cause)), ("probably the learning rate is too large: lr = 0.1", vec!["lr"]));
        let mut fixed = presets::by_name("explaining-away").unwrap();
        fixed.dynamics.tau_eps_ms = 0.01;
        assert_eq!(of(&fixed), None, "nothing stands out");
    }

    #[test]
    fn what_is_offered_has_two_digits_and_is_not_above() {
        let rounded = [0.04567, 4.5, 99.9, 1234.0, 0.1].map(two_digits);
        assert_eq!(rounded, [0.045, 4.5, 99.0, 1200.0, 0.1]);
        assert_eq!(Remedy::number("tau_eps_ms", 4.56).in_words(), "Set tau_eps to 4.5 ms");
    }
}
