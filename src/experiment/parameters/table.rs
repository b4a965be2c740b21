//! The rows. A parameter is added here, and in the table of the configuration that holds its value.

use super::row::{Choice, Domain, Effect, Parameter, UsualRange, Value};
use crate::data::Source;
use crate::experiment::config::{AdaptationUnit, Config, Curvature, FirstWeights, Governor, InterneuronMode};
use crate::experiment::config::{LearningRateSchedule, Optimizer};
use crate::experiment::whole_number::LARGEST_COUNT;

impl Parameter {
    const fn new(table: &'static str, key: &'static str, domain: Domain, get: fn(&Config) -> Value, set: fn(&mut Config, Value)) -> Self {
        let (symbol, unit, meaning, equation) = (key, "", "", "");
        Self { table, key, symbol, unit, domain, usual: None, meaning, equation, effect: Effect::Rebuild, get, set }
    }

    /// The key in TOML, where the field in Rust is called otherwise.
    const fn key(self, key: &'static str) -> Self {
        Self { key, symbol: key, ..self }
    }

    const fn symbol(self, symbol: &'static str) -> Self {
        Self { symbol, ..self }
    }

    const fn ms(self) -> Self {
        Self { unit: "ms", ..self }
    }

    const fn means(self, meaning: &'static str) -> Self {
        Self { meaning, ..self }
    }

    const fn equation(self, equation: &'static str) -> Self {
        Self { equation, ..self }
    }

    const fn in_flight(self) -> Self {
        Self { effect: Effect::InFlight, ..self }
    }

    const fn linear_slider(self, low: f64, high: f64) -> Self {
        Self { usual: Some(UsualRange { low, high, logarithmic: false }), ..self }
    }

    const fn logarithmic_slider(self, low: f64, high: f64) -> Self {
        Self { usual: Some(UsualRange { low, high, logarithmic: true }), ..self }
    }
}

/// A row of real numbers from `low` to `high`: `number!(dynamics.dt_ms, low, high)`.
macro_rules! number {
    ($table:ident . $field:ident, $low:expr, $high:expr) => {
        Parameter::new(
            stringify!($table),
            stringify!($field),
            Domain::Number { low: $low, high: $high },
            |config| Value::Number(config.$table.$field),
            |config, value| {
                if let Value::Number(number) = value {
                    config.$table.$field = number;
                }
            },
        )
    };
}

/// A row of whole numbers from `low` to `high`, which the configuration holds as `type`.
macro_rules! whole {
    ($table:ident . $field:ident: $type:ty, $low:expr, $high:expr) => {
        Parameter::new(
            stringify!($table),
            stringify!($field),
            Domain::Whole { low: $low, high: $high },
            |config| Value::Whole(config.$table.$field as u64),
            |config, value| {
                if let Value::Whole(number) = value {
                    config.$table.$field = number as $type;
                }
            },
        )
    };
}

/// A row of true and false.
macro_rules! switch {
    ($table:ident . $field:ident) => {
        Parameter::new(
            stringify!($table),
            stringify!($field),
            Domain::Switch,
            |config| Value::Switch(config.$table.$field),
            |config, value| {
                if let Value::Switch(on) = value {
                    config.$table.$field = on;
                }
            },
        )
    };
}

/// A row of a [`Choice`].
macro_rules! choice {
    ($table:ident . $field:ident: $type:ty) => {
        Parameter::new(
            stringify!($table),
            stringify!($field),
            Domain::Choice(<$type as Choice>::NAMES),
            |config| config.$table.$field.into(),
            |config, value| {
                if let Value::Choice(name) = value
                    && let Some(choice) = <$type>::named(name)
                {
                    config.$table.$field = choice;
                }
            },
        )
    };
}

pub(super) static TABLE: &[Parameter] = &[
    // Dynamics. The first seven have sliders, in this order.
    number!(dynamics.tau_x_ms, 1e-3, 1e7)
        .symbol("tau_x")
        .ms()
        .logarithmic_slider(10.0, 1000.0)
        .means("Membrane time constant: how slowly a neuron follows its input. tau_x dx = (I - m v) dt + sqrt(2 tau_x) dW")
        .equation("model.md 2")
        .in_flight(),
    number!(dynamics.tau_eps_ms, 1e-6, 1e7)
        .symbol("tau_eps")
        .ms()
        .logarithmic_slider(0.001, 1000.0)
        .means(
            "Interneuron time constant: far below tau_x, interneurons sample the gradient of the normaliser; slow ones turn the posterior \
             into the prior. tau_eps dy = -M dE/dy dt + sqrt(2 tau_eps M) dW''",
        )
        .equation("model.md 2")
        .in_flight(),
    number!(dynamics.tau_v_ms, 1e-3, 1e7)
        .symbol("tau_v")
        .ms()
        .logarithmic_slider(1.0, 1000.0)
        .means("Adaptation time constant: how slowly adaptation follows a neuron. tau_v dv = (-v - m (tau_v/tau_x) I) dt + sqrt(2 tau_v) dW'")
        .equation("model.md 2")
        .in_flight(),
    number!(dynamics.adaptation, 0.0, 1e4)
        .symbol("m")
        .linear_slider(0.0, 10.0)
        .means("Adaptation strength: sampling is faster by S = 1 + m^2 tau_v/tau_x; the distribution sampled does not change")
        .equation("model.md 5.4")
        .in_flight(),
    whole!(dynamics.interneurons: usize, 1, 10_000)
        .symbol("K")
        .logarithmic_slider(1.0, 100.0)
        .means("Interneurons a unit: <T(y)> is their mean, its noise falls as 1/K")
        .equation("model.md 2")
        .in_flight(),
    number!(dynamics.dt_ms, 1e-6, 1e4)
        .symbol("dt")
        .ms()
        .logarithmic_slider(0.01, 20.0)
        .means("Integration step: shorter is more exact, and slower. x <- x + h (I - m v) + sqrt(2 h) N(0,1), h = dt/tau_x")
        .equation("model.md 2")
        .in_flight(),
    number!(dynamics.temperature, 0.0, 1.0)
        .symbol("theta")
        .linear_slider(0.0, 1.0)
        .means(
            "Temperature of the neurons: at 1 they sample the posterior, at 0 they come to rest at a maximum of it, as in predictive coding. \
             Their noise is sqrt(2 theta tau_x) dW: they sample the posterior to the power 1/theta",
        )
        .equation("model.md 2")
        .in_flight(),
    number!(dynamics.safety, 1e-3, 1.9)
        .symbol("c")
        .means("Safety of the automatic step size: h stays below c/lambda_max")
        .equation("model.md 2")
        .in_flight(),
    choice!(dynamics.adaptation_unit: AdaptationUnit)
        .symbol("unit of m")
        .means("Whether m is given as it is or in units of each layer's stiffness, m_l = m sqrt(lambda_l)")
        .equation("model.md 2")
        .in_flight(),
    choice!(dynamics.interneuron_mode: InterneuronMode)
        .symbol("interneurons")
        .means("Sampled: interneurons draw T(y). Exact: A'(eta) stands in place of <T(y)>, the limit tau_eps -> 0. Simulated: every redraw of bernoulli units is simulated")
        .equation("model.md 2")
        .in_flight(),
    choice!(dynamics.governor: Governor)
        .symbol("step size")
        .means("Whether dt is shortened where it would be unstable, or stays as given, even past h = 0.7/lambda_max and h m sqrt(lambda_max) = 1")
        .equation("model.md 2")
        .in_flight(),
    choice!(dynamics.curvature: Curvature)
        .means("Whether the stiffness of the observation layer is measured by the largest A'' or by its mean over the batch")
        .equation("model.md 8")
        .in_flight(),
    whole!(dynamics.choice_interval: usize, 1, 10_000)
        .means("Steps from one draw of a categorical top layer to the next; the distribution sampled does not depend on it")
        .equation("model.md 8")
        .in_flight(),
    whole!(dynamics.seed: u64, 0, u64::MAX).means("Of everything random; rebuilds the model"),
    whole!(dynamics.threads: usize, 0, 1024).means("Worker threads; 0: as many as cores. Results do not depend on it"),
    // Learning.
    number!(learning.lr, 0.0, 1e3)
        .logarithmic_slider(0.001, 1.0)
        .means("Learning rate: how far weights move at each step of learning. dW = lr <eps f(x)^T>")
        .equation("model.md 3")
        .in_flight(),
    switch!(learning.enabled).symbol("learning").means("Whether the weights change").equation("model.md 3").in_flight(),
    choice!(learning.optimizer: Optimizer)
        .key("ascent")
        .symbol("optimizer")
        .means("Whether weights follow the gradient itself or Adam's estimate of its moments")
        .equation("model.md 8")
        .in_flight(),
    number!(learning.top_rate, 0.0, 1.0)
        .means("Learning rate of a categorical top layer; it falls to a tenth over a run of known length")
        .equation("model.md 8")
        .in_flight(),
    choice!(learning.rate_schedule: LearningRateSchedule)
        .key("decay")
        .symbol("schedule of lr")
        .means("How the learning rate changes over a run")
        .equation("model.md 3")
        .in_flight(),
    whole!(learning.constant_rate_images: u64, 0, LARGEST_COUNT)
        .key("settle_images")
        .means("Images at the full learning rate before it falls as 1/images")
        .in_flight(),
    number!(learning.smallest_rate_share, 0.0, 1.0)
        .key("floor")
        .means("Share of lr below which the learning rate does not fall")
        .in_flight(),
    whole!(learning.images_seen: u64, 0, LARGEST_COUNT).means("Images the model had seen when it was saved"),
    whole!(learning.stage: usize, 0, LARGEST_COUNT).means("Number of the stage of learning in which the model was saved"),
    whole!(learning.stage_since: u64, 0, LARGEST_COUNT).means("Images the model had seen when that stage began"),
    switch!(learning.unit_norm).means("Columns of W kept at norm 1").equation("model.md 3").in_flight(),
    switch!(learning.biases).means("Whether biases learn").equation("model.md 3").in_flight(),
    switch!(learning.learned_sigma).means("Whether sigma_0 follows the mean of (eps sigma)^2").equation("model.md 3").in_flight(),
    // Stimuli.
    whole!(stimulus.batch: usize, 1, 100_000).means("Independent networks that share the weights").equation("model.md 1"),
    whole!(stimulus.steps_per_stimulus: usize, 0, 10_000_000).means("Steps a stimulus is shown; 0: it stays").equation("model.md 3"),
    whole!(stimulus.burn_in_steps: usize, 0, LARGEST_COUNT)
        .means("Steps after each change of stimulus that do not learn")
        .equation("model.md 3"),
    switch!(stimulus.persistent).means("Whether each image keeps its own chains from visit to visit").equation("model.md 8"),
    whole!(stimulus.images: usize, 0, 10_000_000).means("Images used at most; 0: all"),
    whole!(stimulus.first_images: usize, 0, LARGEST_COUNT)
        .means("Images used at the beginning, while the others join later; 0: all")
        .equation("model.md 8"),
    whole!(stimulus.first_visit_steps: usize, 0, 100_000)
        .key("settle_steps")
        .means("Steps before learning, at the first visit of an image with persistent chains")
        .equation("model.md 8"),
    whole!(stimulus.descent_steps: usize, 0, 100_000)
        .means("Of these the first so many without noise: descent of the energy")
        .equation("model.md 8"),
    switch!(stimulus.save_latents).means("Whether the chains are saved with the model"),
    // Data and model.
    choice!(data.source: Source).means("Where stimuli come from").equation("model.md 6"),
    whole!(data.patch: usize, 2, 64).means("Side of a patch, pixels").equation("model.md 6"),
    whole!(data.patches: usize, 1, 5_000_000).means("Patches cut").equation("model.md 6"),
    switch!(data.contrast_normalisation).means("Whether each patch is divided by its own standard deviation + 0.1").equation("model.md 6"),
    switch!(data.whitening).means("Whether images are whitened before patches are cut").equation("model.md 6"),
    whole!(data.longest_side: usize, 0, 2048).means("Pixels along the longer side to which one's own larger pictures are reduced; 0: 2048"),
    choice!(model.first_weights: FirstWeights).means("What random weights are at the start").equation("model.md 8"),
];
