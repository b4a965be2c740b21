//! The presets: settings known to show something (SPEC 6).

use crate::experiment::config::*;
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
            build: || sparse(DataSource::DeadLeaves),
        },
        Preset { name: "photographs", summary: "Gabor filters from photographs of nature", build: || sparse(DataSource::Photographs) },
        Preset { name: "explaining-away", summary: "two sparse causes compete for one observation", build: explaining_away },
        Preset { name: "ridge", summary: "a strongly correlated Gaussian posterior, where adaptation pays", build: ridge },
    ]
}

/// The preset of that name, or an error that lists the names.
pub fn by_name(name: &str) -> Result<Config, ConfigError> {
    all().iter().find(|p| p.name == name).map(Preset::config).ok_or_else(|| {
        let names: Vec<_> = all().iter().map(|p| p.name).collect();
        ConfigError(format!("no preset is called '{name}'; there are: {}", names.join(", ")))
    })
}

fn layer(size: usize, family: FamilyConfig) -> LayerConfig {
    LayerConfig { size, family, activation: Activation::Linear }
}

fn sparse(source: DataSource) -> Config {
    let layers =
        vec![layer(144, FamilyConfig::Gaussian { sigma: 0.4 }), layer(144, FamilyConfig::StudentT { nu: 8.0, s: 0.15, kappa: 0.0 })];
    Config {
        model: ModelConfig { layers, ..Default::default() },
        dynamics: DynamicsConfig { adaptation: 4.0, ..Default::default() },
        learning: LearningConfig { enabled: true, ..Default::default() },
        data: DataConfig { source, contrast_normalisation: source == DataSource::Photographs, ..Default::default() },
        ..Default::default()
    }
}

fn chains(weights: Vec<Vec<f32>>, layers: Vec<LayerConfig>, values: Vec<f32>, dt_ms: f64) -> Config {
    Config {
        model: ModelConfig { weights, layers, ..Default::default() },
        dynamics: DynamicsConfig { dt_ms, ..Default::default() },
        stimulus: StimulusConfig { batch: 64, steps_per_stimulus: 0, burn_in_steps: 0, values },
        ..Default::default()
    }
}

fn explaining_away() -> Config {
    // Heavy tails make two causes compete; a log-concave prior such as laplace could have one mode only.
    let cause = layer(2, FamilyConfig::StudentT { nu: 2.0, s: 0.2, kappa: 0.0 });
    chains(vec![vec![1.0, 1.0]], vec![layer(1, FamilyConfig::Gaussian { sigma: 0.3 }), cause], vec![2.0], 1.0)
}

fn ridge() -> Config {
    let layers = vec![layer(1, FamilyConfig::Gaussian { sigma: 0.2 }), layer(2, FamilyConfig::Gaussian { sigma: 1.0 })];
    chains(vec![vec![1.0, 1.0]], layers, vec![1.0], 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::density::DensityGrid;
    use crate::experiment::session::build_model;

    /// Density where both causes share the observation, over that at the strongest single cause.
    fn valley(config: &Config) -> f64 {
        let grid = build_model(config).ok().and_then(|model| DensityGrid::posterior(&model, &config.stimulus.values, 200));
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
