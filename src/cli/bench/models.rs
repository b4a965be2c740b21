//! The models that are measured besides the presets.

use crate::data::Source;
use crate::experiment::{Config, presets};
use crate::model::{Activation, FamilyConfig};

/// The dead-leaves preset with other sizes; patches need a square number of pixels, so the stimulus is fixed.
pub(super) fn sparse(pixels: usize, units: usize, batch: usize) -> Config {
    let mut config = presets::by_name(presets::DEFAULT).unwrap_or_default();
    if let [below, above] = &mut config.model.layers[..] {
        (below.size, above.size) = (pixels, units);
    }
    config.stimulus.batch = batch;
    fix(&mut config);
    config
}

/// The same with `layers` layers of 144 units: gaussian, student-t, student-t ...
pub(super) fn deep(layers: usize) -> Config {
    let mut config = sparse(144, 144, 100);
    if let Some(top) = config.model.layers.last().copied() {
        config.model.layers[1..].iter_mut().for_each(|layer| layer.family = FamilyConfig::StudentT { nu: 8.0, s: 0.15, kappa: 1.0 });
        for _ in 2..=layers {
            config.model.layers.insert(1, crate::experiment::LayerConfig { family: FamilyConfig::Gaussian { sigma: 0.4 }, ..top });
        }
    }
    config
}

/// The preset mnist with so many pixels, units, latents and states, all layers open, batch 100.
pub(super) fn hierarchy(sizes: [usize; 4]) -> anyhow::Result<Config> {
    let mut config = presets::by_name("mnist")?;
    for (layer, size) in config.model.layers.iter_mut().zip(sizes) {
        layer.size = size;
    }
    debug_assert_eq!(config.model.layers[1].activation, Activation::Relu);
    config.stages.clear();
    config.stimulus.batch = 100;
    fix(&mut config);
    Ok(config)
}

/// The photographs preset with patches of 16x16 and 256 units.
pub(super) fn photographs_16() -> anyhow::Result<Config> {
    photographs(16, 256)
}

/// The same with patches of 32x32 and 2048 units.
#[cfg(feature = "window")]
pub(super) fn photographs_32() -> anyhow::Result<Config> {
    photographs(32, 2048)
}

fn photographs(patch: usize, units: usize) -> anyhow::Result<Config> {
    let mut config = presets::by_name("photographs")?;
    config.data.patch = patch;
    config.model.layers.iter_mut().zip([patch * patch, units]).for_each(|(layer, size)| layer.size = size);
    Ok(config)
}

/// One stimulus of 0 and 1 in turn, which every family can observe.
fn fix(config: &mut Config) {
    config.data.source = Source::Fixed;
    config.stimulus.persistent = false;
    config.stimulus.values = (0..config.model.layers[0].size).map(|i| (i % 2) as f32).collect();
}
