//! Two models side by side: which parameters differ, which filters belong together, how their distributions compare.

use crate::analysis::gabor::{self, Gabor};
use crate::analysis::matching::{MatchedFilters, matched, two_sample};
use crate::experiment::Config;
use crate::experiment::config::LayerConfig;
use crate::experiment::parameters;
use crate::model::{Hierarchy, receptive_field};
use crate::studies::fits;
use serde::Serialize;

/// |cosine| from which on two filters are taken for one and the same.
pub const ALIKE: f64 = 0.9;

/// A model with its configuration.
#[derive(Clone, Debug)]
pub struct ComparedModel {
    /// Its configuration.
    pub config: Config,
    /// The model.
    pub model: Hierarchy,
}

/// A value of the configuration that is not the same.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DifferingValue {
    /// Its key, or what it is in words.
    pub key: String,
    /// Of the first model.
    pub first: String,
    /// Of the second.
    pub second: String,
}

/// How a quantity is distributed over the units of both.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ComparedDistribution {
    /// What it is.
    pub name: &'static str,
    /// Medians of both; NaN where there is no value.
    pub medians: [f64; 2],
    /// Values of both.
    #[serde(skip)]
    pub values: [Vec<f64>; 2],
    /// Largest distance of the distribution functions.
    pub statistic: f64,
    /// Probability of one so large where both are one distribution.
    pub chance: f64,
}

/// What differs between two models.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModelComparison {
    /// Values of the configuration.
    pub differing: Vec<DifferingValue>,
    /// Filters of the first layer that belong together, the most alike first; empty where pixels are not the same.
    pub matched: Vec<MatchedFilters>,
    /// Of these, how many are alike.
    pub alike: usize,
    /// |W - W'| / |W| with filters matched and signs as they fit best; NaN where pixels or units are not the same.
    pub weight_difference: f64,
    /// Quantities of the units.
    pub distributions: Vec<ComparedDistribution>,
}

impl ModelComparison {
    /// Compares two models; filters that are pictures of at least 6 x 6 pixels are fitted.
    pub fn of(first: &ComparedModel, second: &ComparedModel) -> Self {
        let models = [first, second];
        let filters = models.map(|of| receptive_field::filters(&of.model, 1, None));
        let same_pixels = filters[0].nrows() == filters[1].nrows();
        let matched = if same_pixels { matched(filters[0].view(), filters[1].view()) } else { Vec::new() };
        let same_units = same_pixels && filters[0].ncols() == filters[1].ncols();
        let weight_difference = if same_units {
            let apart = |pair: &MatchedFilters| {
                let sign = if pair.cosine < 0.0 { -1.0 } else { 1.0 };
                let [a, b] = [filters[0].column(pair.first), filters[1].column(pair.second)];
                a.iter().zip(b).map(|(a, b)| f64::from(a - sign * b).powi(2)).sum::<f64>()
            };
            let size: f64 = filters[0].iter().map(|w| f64::from(w * w)).sum();
            (matched.iter().map(apart).sum::<f64>() / size).sqrt()
        } else {
            f64::NAN
        };
        let norms =
            [0, 1].map(|i| filters[i].columns().into_iter().map(|c| c.iter().map(|w| f64::from(*w).powi(2)).sum::<f64>().sqrt()).collect());
        let mut distributions = vec![ComparedDistribution::of("norm of a filter", norms)];
        let fitted = [0, 1].map(|i| fitted(&models[i].model, &filters[i]));
        if fitted.iter().all(|fits| !fits.is_empty()) {
            for (name, value) in [
                ("R^2 of the Gabor fit", (|g: &Gabor| g.r2) as fn(&Gabor) -> f64),
                ("frequency, cycles a pixel", |g| g.frequency),
                ("orientation, degrees", |g| g.orientation.to_degrees().rem_euclid(180.0)),
                ("width across, periods", |g| g.periods()[0]),
                ("width along, periods", |g| g.periods()[1]),
            ] {
                let good =
                    |fits: &Vec<Gabor>| fits.iter().filter(|g| name.starts_with("R^2") || g.r2 >= gabor::GABOR_LIKE).map(value).collect();
                let values: [Vec<f64>; 2] = [good(&fitted[0]), good(&fitted[1])];
                if values.iter().all(|values| !values.is_empty()) {
                    distributions.push(ComparedDistribution::of(name, values));
                }
            }
        }
        Self {
            differing: differing(&first.config, &second.config),
            alike: matched.iter().filter(|pair| pair.cosine.abs() >= ALIKE).count(),
            matched,
            weight_difference,
            distributions,
        }
    }
}

impl ComparedDistribution {
    fn of(name: &'static str, values: [Vec<f64>; 2]) -> Self {
        let [statistic, chance] = two_sample(&values[0], &values[1]);
        Self { name, medians: [0, 1].map(|i| median(&values[i])), values, statistic, chance }
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

fn fitted(model: &Hierarchy, filters: &ndarray::Array2<f32>) -> Vec<Gabor> {
    fits::of(filters.view(), model.image_shape()).unwrap_or_default()
}

/// What differs between two configurations: sizes and families of layers, images, and every parameter of the table.
pub fn differing(first: &Config, second: &Config) -> Vec<DifferingValue> {
    let mut all = Vec::new();
    let mut add = |key: &str, first: String, second: String| {
        if first != second {
            all.push(DifferingValue { key: key.into(), first, second });
        }
    };
    let layer = |layer: &LayerConfig| format!("{} {:?}", layer.size, layer.family).to_lowercase();
    let layers = |config: &Config| config.model.layers.iter().map(layer).collect::<Vec<_>>().join(" - ");
    add("layers", layers(first), layers(second));
    let images = |config: &Config| {
        let paths = config.data.paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
        format!("{:?} {paths}", config.data.source).trim().to_lowercase()
    };
    add("images", images(first), images(second));
    for parameter in parameters::settings() {
        let [a, b] = [first, second].map(|config| parameter.get(config).to_string());
        add(parameter.key, a, b);
    }
    add("images seen", first.learning.images_seen.to_string(), second.learning.images_seen.to_string());
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{Session, presets};
    use ndarray::Axis;

    fn learned(preset: &str, seed: u64) -> ComparedModel {
        let mut config = presets::by_name(preset).unwrap();
        config.data.patches = 300;
        config.dynamics.seed = seed;
        let session = Session::new(config).unwrap();
        ComparedModel { config: session.config_for_saving(), model: session.into_model() }
    }

    #[test]
    fn a_run_and_its_permuted_copy_are_one_and_two_runs_are_not() {
        let run = learned("bars", 1);
        let mut copy = run.clone();
        let order: Vec<usize> = (0..20).map(|unit| (7 * unit + 3) % 20).collect();
        copy.model.weights[0] = run.model.weights[0].select(Axis(1), &order);
        copy.config.dynamics.adaptation = 0.5;
        let same = ModelComparison::of(&run, &copy);
        assert_eq!((same.alike, same.matched.len()), (20, 20));
        assert!(same.matched.iter().all(|pair| order[pair.second] == pair.first) && same.weight_difference < 1e-6);
        assert_eq!(same.differing.len(), 1);
        assert_eq!((same.differing[0].key.as_str(), same.differing[0].second.as_str()), ("adaptation", "0.5"));
        assert!(same.distributions.iter().all(|d| d.statistic < 1e-9), "{:?}", same.distributions);
        let other = ModelComparison::of(&run, &learned("bars", 2));
        assert!(other.alike < 5 && other.weight_difference > 0.5, "{} {}", other.alike, other.weight_difference);
        assert!(other.differing.iter().any(|value| value.key == "seed"));
    }

    #[test]
    fn models_of_other_sizes_have_no_matched_filters() {
        let comparison = ModelComparison::of(&learned("bars", 1), &learned("dead-leaves", 1));
        assert!(comparison.matched.is_empty() && comparison.weight_difference.is_nan());
        let keys: Vec<&str> = comparison.differing.iter().map(|value| value.key.as_str()).collect();
        assert!(keys.starts_with(&["layers", "images"]), "{keys:?}");
    }
}
