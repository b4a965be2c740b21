//! The presets: settings known to show something (model.md 6).

use crate::data::Source;
use crate::experiment::config::*;
use crate::experiment::stages::StageConfig;
use crate::model::{Activation, FamilyConfig};

/// The preset the window opens with.
pub const DEFAULT: &str = "dead-leaves";

/// A named configuration.
pub struct Preset {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it shows, one line.
    pub summary: &'static str,
    build: fn() -> Config,
}

impl Preset {
    /// The configuration.
    pub fn config(&self) -> Config {
        let mut config = (self.build)();
        config.model.name = self.name.into();
        config
    }
}

/// All of them, in the order of the list.
pub fn all() -> &'static [Preset] {
    &[
        Preset {
            name: "dead-leaves",
            summary: "Gabor filters from synthetic images of opaque discs",
            build: || sparse_coding(Source::DeadLeaves),
        },
        Preset { name: "photographs", summary: "Gabor filters from photographs of nature", build: || sparse_coding(Source::Photographs) },
        Preset { name: "explaining-away", summary: "two sparse causes compete for one observation", build: explaining_away },
        Preset { name: "ridge", summary: "a strongly correlated Gaussian posterior, where adaptation pays", build: ridge },
        Preset { name: "ring", summary: "a sum of squares is observed: the posterior is curved", build: ring },
        Preset {
            name: "slow-interneurons",
            summary: "one neuron, interneurons 10 ms slow: move tau_eps and the posterior turns into the prior",
            build: slow_interneurons,
        },
        Preset {
            name: "chain",
            summary: "three linear-Gaussian layers: evidence climbs, expectation descends, all exactly known",
            build: chain,
        },
        Preset {
            name: "competition",
            summary: "eight rectified neurons tuned to overlapping places share one bump: neighbours silence each other",
            build: competition,
        },
        Preset { name: "bars", summary: "16 bars that appear independently, and rectified units that find them all", build: bars },
        Preset {
            name: "v1-v2",
            summary: "a second layer that sets the scale of the first learns groups of like orientation: complex cells",
            build: v1_v2,
        },
        Preset {
            name: "digits",
            summary: "handwritten digits of 8 x 8 pixels, three layers of latents: the model generates digits",
            build: || {
                GenerativePreset {
                    source: Source::Digits,
                    pixel: FamilyConfig::Binomial { trials: 16 }, // they have 17 grey levels
                    sizes: [64, 64, 16],
                    states: [100, 100],
                    images: 1500,
                    first_images: 1500,
                    images_shown: 1_500_000,
                    first_rate: 2e-3,
                    top_rate: 0.02,
                }
                .config()
            },
        },
        Preset {
            name: "fashion",
            summary: "pieces of clothing of 28 x 28 pixels (9000 images of Fashion-MNIST)",
            build: || GenerativePreset::large(Source::Fashion, 9000).config(),
        },
        Preset {
            name: "mnist",
            summary: "MNIST's digits, read from a folder with its files (--data)",
            build: || GenerativePreset::large(Source::Mnist, 10_000).config(),
        },
    ]
}

/// The preset of that name, or an error that lists the names.
pub fn by_name(name: &str) -> Result<Config, ConfigError> {
    all().iter().find(|p| p.name == name).map(Preset::config).ok_or_else(|| {
        let names = all().iter().map(|p| p.name.into()).collect();
        ConfigError::UnknownPreset { name: name.into(), known: names }
    })
}

fn layer(size: usize, family: FamilyConfig) -> LayerConfig {
    LayerConfig { size, family, activation: Activation::Linear, bias: 0.0, learned_sigma: false }
}

fn sparse_coding(source: Source) -> Config {
    let layers =
        vec![layer(144, FamilyConfig::Gaussian { sigma: 0.4 }), layer(144, FamilyConfig::StudentT { nu: 8.0, s: 0.15, kappa: 0.0 })];
    Config {
        model: ModelConfig { layers, ..Default::default() },
        dynamics: DynamicsConfig { adaptation: 4.0, ..Default::default() },
        learning: LearningConfig { enabled: true, ..Default::default() },
        data: DataConfig { source, contrast_normalisation: source == Source::Photographs, ..Default::default() },
        ..Default::default()
    }
}

fn fixed_stimulus(weights: Vec<Vec<f32>>, layers: Vec<LayerConfig>, values: Vec<f32>, dt_ms: f64) -> Config {
    Config {
        model: ModelConfig { weights, layers, ..Default::default() },
        dynamics: DynamicsConfig { dt_ms, ..Default::default() },
        stimulus: StimulusConfig { batch: 64, steps_per_stimulus: 0, burn_in_steps: 0, values, ..Default::default() },
        ..Default::default()
    }
}

fn explaining_away() -> Config {
    // Heavy tails make two causes compete; a log-concave prior such as laplace could have one mode only.
    let cause = layer(2, FamilyConfig::StudentT { nu: 2.0, s: 0.2, kappa: 0.0 });
    fixed_stimulus(vec![vec![1.0, 1.0]], vec![layer(1, FamilyConfig::Gaussian { sigma: 0.3 }), cause], vec![2.0], 0.25)
}

fn ridge() -> Config {
    let layers = vec![layer(1, FamilyConfig::Gaussian { sigma: 0.2 }), layer(2, FamilyConfig::Gaussian { sigma: 1.0 })];
    fixed_stimulus(vec![vec![1.0, 1.0]], layers, vec![1.0], 0.25)
}

fn ring() -> Config {
    let square = LayerConfig { activation: Activation::Square, ..layer(2, FamilyConfig::Gaussian { sigma: 1.0 }) };
    fixed_stimulus(vec![vec![1.0, 1.0]], vec![layer(1, FamilyConfig::Gaussian { sigma: 0.3 }), square], vec![2.0], 0.05)
}

fn slow_interneurons() -> Config {
    let layers = vec![layer(1, FamilyConfig::Gaussian { sigma: 0.5 }), layer(1, FamilyConfig::Gaussian { sigma: 1.0 })];
    let mut config = fixed_stimulus(vec![vec![2.0]], layers, vec![0.0], 0.5);
    config.dynamics.tau_eps_ms = 10.0;
    config.dynamics.adaptation = 0.0;
    config
}

fn chain() -> Config {
    let gaussian = |size, sigma| layer(size, FamilyConfig::Gaussian { sigma });
    let layers = vec![gaussian(2, 0.4), gaussian(2, 0.6), gaussian(1, 1.0)];
    let mut config = fixed_stimulus(vec![vec![1.0, 0.3], vec![0.3, 1.0]], layers, vec![1.2, -0.3], 0.25);
    // One cause above makes both units below likely: what one pixel says, the other unit hears through it.
    config.model.deeper_weights = vec![vec![vec![1.0], vec![1.0]]];
    config
}

/// Places of the population of `competition`, pixels, and the width of a field.
const PLACES: usize = 8;
const PIXELS: usize = 16;

fn competition() -> Config {
    let bump = |pixel: usize, centre: f32| (-0.5 * ((pixel as f32 - centre) / 1.8).powi(2)).exp();
    let centre = |unit: usize| (unit as f32 + 0.5) * PIXELS as f32 / PLACES as f32 - 0.5;
    let weights = (0..PIXELS).map(|pixel| (0..PLACES).map(|unit| bump(pixel, centre(unit))).collect()).collect();
    let rectified = LayerConfig { bias: -1.5, ..layer(PLACES, FamilyConfig::RectifiedGaussian { sigma: 1.0 }) };
    let stimulus = (0..PIXELS).map(|pixel| 1.5 * bump(pixel, 0.5 * (centre(3) + centre(4)))).collect();
    fixed_stimulus(weights, vec![layer(PIXELS, FamilyConfig::Gaussian { sigma: 0.3 }), rectified], stimulus, 0.1)
}

fn bars() -> Config {
    let causes = LayerConfig { bias: -3.0, ..layer(20, FamilyConfig::RectifiedGaussian { sigma: 1.0 }) };
    Config {
        model: ModelConfig { layers: vec![layer(64, FamilyConfig::Gaussian { sigma: 0.4 }), causes], ..Default::default() },
        dynamics: DynamicsConfig { adaptation: 2.0, ..Default::default() },
        learning: LearningConfig { enabled: true, ..Default::default() },
        stimulus: StimulusConfig { steps_per_stimulus: 40, burn_in_steps: 20, ..Default::default() },
        data: DataConfig { source: Source::Bars, patch: 8, patches: 20_000, ..Default::default() },
        ..Default::default()
    }
}

/// Settings of model.md 7. The clock is that of the second layer, which is the softer one.
fn v1_v2() -> Config {
    let first = LayerConfig { bias: -1.0, ..layer(256, FamilyConfig::LaplaceScale { eta_max: 14.0, delta: 0.15 }) };
    let second = LayerConfig { activation: Activation::Centred, ..layer(40, FamilyConfig::Exponential) };
    let stage = |name: &str, images, active_layers| StageConfig {
        name: name.into(),
        images,
        active_layers,
        learn: vec![active_layers - 1],
        lr: 0.1,
        lr_end: 0.0,
        biases: false,
        unit_norm: true,
        largest_norm: 0.0,
        states: 0,
        start_weights: 0.0,
    };
    let groups =
        StageConfig { lr: 0.2, biases: true, unit_norm: false, largest_norm: 3.0, start_weights: 0.1, ..stage("groups", 60_000, 2) };
    Config {
        model: ModelConfig { layers: vec![layer(256, FamilyConfig::Gaussian { sigma: 0.4 }), first, second], ..Default::default() },
        dynamics: DynamicsConfig { dt_ms: 6.0, adaptation: 4.0, ..Default::default() },
        learning: LearningConfig { enabled: true, ..Default::default() },
        data: DataConfig { source: Source::Photographs, patch: 16, contrast_normalisation: true, ..Default::default() },
        stages: vec![stage("filters", 100_000, 1), groups],
        ..Default::default()
    }
}

/// A hierarchy that learns to generate whole images (model.md 8).
struct GenerativePreset {
    source: Source,
    /// What the pixels are.
    pixel: FamilyConfig,
    /// Pixels, units of x_1 and x_2.
    sizes: [usize; 3],
    /// States of the top that take part at first, and in the end.
    states: [usize; 2],
    /// Images that have chains in the end.
    images: usize,
    /// Of these, how many have them at first.
    first_images: usize,
    /// Images shown over all stages.
    images_shown: u64,
    /// Learning rate at the beginning.
    first_rate: f64,
    /// Learning rate of the top's centres.
    top_rate: f64,
}

impl GenerativePreset {
    /// Images of 28 x 28 pixels, of which at most `images` have chains.
    fn large(source: Source, images: usize) -> Self {
        let (sizes, states) = ([784, 400, 32], [1000, 4000]);
        Self {
            source,
            // One trial a pixel leaves the latents less sure of an image than its grey levels make them, and what is drawn is blurred.
            pixel: FamilyConfig::Binomial { trials: 2 },
            sizes,
            states,
            images,
            first_images: 5000,
            images_shown: 1_500_000,
            first_rate: 2e-3,
            top_rate: 0.03,
        }
    }

    /// Share of the run after which the categorical top takes part.
    const TOP_BEGINS: f64 = 0.15;
    /// Share of the run after which all of its states take part. Few states order the latents, and many then cover them without gaps.
    /// If all took part earlier, states of two or three images each would draw the latents closer and closer together.
    const ALL_STATES_BEGIN: f64 = 0.92;
    /// Steps, which are as long as the softest layer allows, last 10 to 70 of these. Where they last less than three, what interneurons tell the
    /// stiffest layer is so late that chains with this adaptation leave the posterior.
    const TAU_EPS_MS: f64 = 0.02;
    /// Learning rate at the end of the run.
    const LAST_RATE: f64 = 6e-5;

    fn config(self) -> Config {
        let ([pixels, hidden, latents], [first_states, states]) = (self.sizes, self.states);
        // Wider than 0.3: x_2 moves sooner (its steps are as long as x_1 lets it), and gaps between the states matter less.
        let first = LayerConfig { activation: Activation::Relu, ..layer(hidden, FamilyConfig::Gaussian { sigma: 0.45 }) };
        let layers = vec![
            layer(pixels, self.pixel),
            first,
            layer(latents, FamilyConfig::Gaussian { sigma: 1.0 }),
            layer(states, FamilyConfig::Categorical),
        ];
        let at = |share: f64| self.first_rate + (Self::LAST_RATE - self.first_rate) * share;
        let stage = |name: &str, share: [f64; 2], active_layers: usize| StageConfig {
            name: name.into(),
            images: ((share[1] - share[0]) * self.images_shown as f64) as u64,
            active_layers,
            learn: (0..active_layers).collect(),
            lr: at(share[0]),
            lr_end: at(share[1]),
            biases: true,
            unit_norm: false,
            largest_norm: 0.0,
            states: 0,
            start_weights: 0.0,
        };
        let stages = if first_states < states {
            let few = StageConfig { states: first_states, ..stage("prototypes", [Self::TOP_BEGINS, Self::ALL_STATES_BEGIN], 3) };
            vec![stage("decoder", [0.0, Self::TOP_BEGINS], 2), few, stage("finer prototypes", [Self::ALL_STATES_BEGIN, 1.0], 3)]
        } else {
            vec![stage("decoder", [0.0, Self::TOP_BEGINS], 2), stage("prototypes", [Self::TOP_BEGINS, 1.0], 3)]
        };
        Config {
            model: ModelConfig { layers, first_weights: FirstWeights::FanIn, ..Default::default() },
            dynamics: DynamicsConfig {
                dt_ms: 20.0,
                tau_eps_ms: Self::TAU_EPS_MS,
                tau_v_ms: 700.0,
                adaptation: 1.6,
                adaptation_unit: AdaptationUnit::Stiffness,
                safety: 0.35,
                curvature: Curvature::Mean,
                choice_interval: 5,
                ..Default::default()
            },
            learning: LearningConfig {
                enabled: true,
                optimizer: Optimizer::Adam,
                unit_norm: false,
                biases: true,
                lr: self.first_rate,
                top_rate: self.top_rate,
                ..Default::default()
            },
            stimulus: StimulusConfig {
                steps_per_stimulus: 10,
                burn_in_steps: 5,
                persistent: true,
                images: self.images,
                first_images: self.first_images,
                ..Default::default()
            },
            data: DataConfig { source: self.source, ..Default::default() },
            stages,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::density::DensityGrid;
    use crate::experiment::session::build_model;

    /// Density where both causes share the observation, over that at the strongest single cause.
    fn valley(config: &Config) -> f64 {
        let grid = build_model(config).ok().and_then(|model| DensityGrid::posterior(&model, &config.stimulus.values, 1.0, 200));
        let Some(grid) = grid else { return f64::NAN };
        let at = |x: f64, y: f64| {
            let cell = |v: f64, [low, high]: [f64; 2]| ((v - low) / (high - low) * 200.0) as usize;
            grid.density[[cell(y, grid.y), cell(x, grid.x)]]
        };
        let most = |f: &dyn Fn(f64) -> f64| (0..200).map(|i| f(f64::from(i) * 0.01)).fold(0.0, f64::max);
        // Along the line a + b = s, over s: the middle and the end where one cause explains all.
        most(&|s| at(0.5 * (s + 1.0), 0.5 * (s + 1.0))) / most(&|s| at(s + 0.5, 0.0))
    }

    #[test]
    fn explaining_away_has_two_modes_and_a_log_concave_prior_has_one() {
        let mut config = explaining_away();
        assert!(valley(&config) < 0.5, "valley {}", valley(&config));
        config.model.layers[1].family = FamilyConfig::Laplace { lambda: 2.0, delta: 0.05, kappa: 0.0 };
        assert!(valley(&config) > 0.9, "planted: valley {}", valley(&config));
    }
}
