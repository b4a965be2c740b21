//! A row of the table: a parameter and the values that it takes.

use crate::data::Source;
use crate::experiment::config::{
    AdaptationUnit, Config, Curvature, FirstWeights, Governor, InterneuronMode, LearningRateSchedule, Optimizer,
};
use crate::experiment::config_error::ConfigError;
use std::fmt;

/// Up to here every whole number is a floating-point number of its own: 2^53.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// A parameter's value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// A real number, in the parameter's unit.
    Number(f64),
    /// A whole number.
    Whole(u64),
    /// On or off.
    Switch(bool),
    /// One of a few names.
    Choice(&'static str),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(v) => v.fmt(f),
            Self::Whole(v) => v.fmt(f),
            Self::Switch(v) => v.fmt(f),
            Self::Choice(v) => v.fmt(f),
        }
    }
}

/// The values that are valid.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Domain {
    /// Real numbers from `low` to `high`.
    Number {
        /// The smallest.
        low: f64,
        /// The largest.
        high: f64,
    },
    /// Whole numbers from `low` to `high`.
    Whole {
        /// The smallest.
        low: u64,
        /// The largest.
        high: u64,
    },
    /// true or false.
    Switch,
    /// One of these names.
    Choice(&'static [&'static str]),
}

/// When a change acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// From the next simulation step on.
    InFlight,
    /// Model, stimuli and networks are built anew.
    Rebuild,
}

/// The span of a slider: the usual values, which are fewer than the valid ones.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UsualRange {
    /// Left end.
    pub low: f64,
    /// Right end.
    pub high: f64,
    /// Whether equal ways on the slider are equal factors.
    pub logarithmic: bool,
}

/// A row of the table.
#[derive(Debug)]
pub struct Parameter {
    /// The table of the configuration in which it stands, as `dynamics`.
    pub table: &'static str,
    /// Its key in TOML and for `--set`, as `tau_v_ms`.
    pub key: &'static str,
    /// How it is shown, as `tau_v`.
    pub symbol: &'static str,
    /// Its unit, as `ms`; empty where it has none.
    pub unit: &'static str,
    /// What is valid.
    pub domain: Domain,
    /// The span of its slider; None: it has none.
    pub usual: Option<UsualRange>,
    /// What it is, with the equation in which it stands.
    pub meaning: &'static str,
    /// Where docs/model.md has that equation, as `model.md 2`; empty where it stands in none.
    pub equation: &'static str,
    /// When a change acts.
    pub effect: Effect,
    pub(super) get: fn(&Config) -> Value,
    pub(super) set: fn(&mut Config, Value),
}

impl Parameter {
    /// Its value in a configuration.
    pub fn get(&self, config: &Config) -> Value {
        (self.get)(config)
    }

    /// Puts a value into a configuration. A value of another kind or outside the valid range is an error and changes nothing.
    pub fn set(&self, config: &mut Config, value: Value) -> Result<(), ConfigError> {
        self.check(value)?;
        (self.set)(config, value);
        Ok(())
    }

    /// Whether a value is valid by itself; the error names the key, the value and the range.
    pub fn check(&self, value: Value) -> Result<(), ConfigError> {
        let inside = match (self.domain, value) {
            (Domain::Number { low, high }, Value::Number(v)) => (low..=high).contains(&v),
            (Domain::Whole { low, high }, Value::Whole(v)) => (low..=high).contains(&v),
            (Domain::Switch, Value::Switch(_)) => true,
            (Domain::Choice(names), Value::Choice(name)) => names.contains(&name),
            _ => return Err(self.wrong_kind(value)),
        };
        if inside { Ok(()) } else { Err(ConfigError::out_of_range(self.key, value, self.range())) }
    }

    /// The valid values in words, as `0 to 1` or `auto, manual`.
    pub fn range(&self) -> String {
        match self.domain {
            Domain::Number { low, high } => format!("{low} to {high}"),
            Domain::Whole { low, high } => format!("{low} to {high}"),
            Domain::Switch => "true or false".into(),
            Domain::Choice(names) => names.join(", "),
        }
    }

    /// Reads a value; it is not yet checked against the valid range.
    pub fn parse(&self, text: &str) -> Result<Value, ConfigError> {
        let text = text.trim();
        let whole = || {
            // As 1e3; above 2^53 such a number may stand for another one.
            let number = || text.parse::<f64>().ok().filter(|v| v.fract() == 0.0 && (0.0..=EXACT).contains(v)).map(|v| v as u64);
            text.parse().ok().or_else(number)
        };
        if self.is_whole() && !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) && text.parse::<u64>().is_err() {
            return Err(ConfigError::out_of_range(self.key, text, self.range()));
        }
        let value = match self.domain {
            Domain::Number { .. } => text.parse().ok().map(Value::Number),
            Domain::Whole { .. } => whole().map(Value::Whole),
            Domain::Switch => text.parse().ok().map(Value::Switch),
            Domain::Choice(names) => names.iter().find(|name| **name == text).map(|name| Value::Choice(name)),
        };
        value.ok_or_else(|| self.wrong_kind(text))
    }

    /// A value of another kind than the row's.
    pub(crate) fn wrong_kind(&self, value: impl ToString) -> ConfigError {
        let needed = match self.domain {
            Domain::Number { .. } => "a number".into(),
            Domain::Whole { .. } => "a whole number of at least 0".into(),
            Domain::Switch => "true or false".into(),
            Domain::Choice(names) => format!("one of {}", names.join(", ")),
        };
        ConfigError::WrongKind { key: self.key.into(), value: value.to_string(), needed }
    }

    /// The value as a number, for a slider; None for switches and choices.
    pub fn number(&self, config: &Config) -> Option<f64> {
        match self.get(config) {
            Value::Number(v) => Some(v),
            Value::Whole(v) => Some(v as f64),
            Value::Switch(_) | Value::Choice(_) => None,
        }
    }

    /// The valid value next to a number, rounded where whole numbers are needed; None for switches, choices and NaN.
    pub fn nearest(&self, number: f64) -> Option<Value> {
        if number.is_nan() {
            return None;
        }
        match self.domain {
            Domain::Number { low, high } => Some(Value::Number(number.clamp(low, high))),
            Domain::Whole { low, high } => Some(Value::Whole((number.round() as u64).clamp(low, high))), // `as` saturates
            Domain::Switch | Domain::Choice(_) => None,
        }
    }

    /// Whether its values are whole numbers.
    pub fn is_whole(&self) -> bool {
        matches!(self.domain, Domain::Whole { .. })
    }

    /// What it is and where the equation stands, for a tooltip.
    pub fn tooltip(&self) -> String {
        if self.equation.is_empty() { self.meaning.into() } else { format!("{} ({})", self.meaning, self.equation) }
    }

    /// A value with its unit, as `30 ms`.
    pub fn with_unit(&self, value: Value) -> String {
        if self.unit.is_empty() { value.to_string() } else { format!("{value} {}", self.unit) }
    }

    /// A change in words, as `tau_v 30 ms -> 60 ms`.
    pub fn change(&self, from: Value, to: Value) -> String {
        format!("{} {} -> {}", self.symbol, self.with_unit(from), self.with_unit(to))
    }
}

/// A setting that takes one of a few named values.
pub trait Choice: Copy + PartialEq + 'static {
    /// Every value.
    const VALUES: &'static [Self];
    /// Their names in TOML, in the same order.
    const NAMES: &'static [&'static str];

    /// The name of this value.
    fn name(self) -> &'static str {
        Self::VALUES.iter().zip(Self::NAMES).find(|(value, _)| **value == self).map_or("", |(_, name)| name)
    }

    /// The value of this name.
    fn named(name: &str) -> Option<Self> {
        Self::VALUES.iter().zip(Self::NAMES).find(|(_, other)| **other == name).map(|(value, _)| *value)
    }
}

impl<T: Choice> From<T> for Value {
    fn from(choice: T) -> Self {
        Self::Choice(choice.name())
    }
}

/// Names the values of a type once, for [`Choice`].
macro_rules! choices {
    ($($type:ident { $($value:ident => $name:literal),+ $(,)? })+) => {$(
        impl Choice for $type {
            const VALUES: &'static [Self] = &[$(Self::$value),+];
            const NAMES: &'static [&'static str] = &[$($name),+];
        }
    )+};
}

choices! {
    InterneuronMode { Sampled => "sampled", Exact => "exact", Simulated => "simulated" }
    Governor { Auto => "auto", Manual => "manual" }
    AdaptationUnit { Absolute => "absolute", Stiffness => "stiffness" }
    Curvature { Bound => "bound", Mean => "mean" }
    LearningRateSchedule { Constant => "constant", Linear => "linear", InverseImages => "settle" }
    Optimizer { Plain => "plain", Adam => "adam" }
    FirstWeights { UnitNorm => "unit-norm", FanIn => "fan-in", Local => "local" }
    Source {
        Fixed => "fixed", DeadLeaves => "dead-leaves", Photographs => "photographs", Bars => "bars", Files => "files",
        Digits => "digits", Fashion => "fashion", Mnist => "mnist", Images => "images",
    }
}
