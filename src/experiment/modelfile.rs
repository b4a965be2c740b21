//! Model files (NPZ): W0.., b0.., sigma0 where learned, and the configuration.

use crate::experiment::config::Config;
use crate::experiment::session::build_model;
use crate::experiment::stages::StagePosition;
use crate::export::npz::{Archive, open};
use crate::model::Hierarchy;
use anyhow::{anyhow, bail};
use ndarray::{Array0, Ix1, Ix2};
use std::path::Path;

/// Adds the model's arrays and configuration to an archive.
pub fn add_model(archive: &mut Archive, config: &Config, model: &Hierarchy) -> anyhow::Result<()> {
    for (l, w) in model.weights.iter().enumerate() {
        archive.add(&format!("W{l}"), w)?;
    }
    for (l, b) in model.biases.iter().enumerate() {
        archive.add(&format!("b{l}"), b)?;
    }
    if let (true, Some(sigma)) = (config.learning.learned_sigma, model.layers[0].family.sigma()) {
        archive.add("sigma0", &Array0::from_elem((), sigma as f32))?;
    }
    archive.add_text("config", &config.to_toml())
}

/// Writes a model file from which learning goes on where it was.
pub fn save(path: &Path, config: &Config, model: &Hierarchy, images_seen: u64, position: StagePosition) -> anyhow::Result<()> {
    let mut archive = Archive::default();
    let mut config = config.clone();
    config.learning.images_seen = images_seen;
    (config.learning.stage, config.learning.stage_since) = (position.stage, position.since);
    add_model(&mut archive, &config, model)?;
    archive.save(path)
}

/// Reads a model file; errors name the file and what is wrong in it.
pub fn load(path: &Path) -> anyhow::Result<(Config, Hierarchy)> {
    let mut file = open(path)?;
    let config = Config::from_toml(&file.text("config")?).map_err(|e| anyhow!("{}: config: {e}", path.display()))?;
    let mut model = build_model(&config).map_err(|e| anyhow!("{}: config: {e}", path.display()))?;
    for l in 0..model.weights.len() {
        let w =
            file.array(&format!("W{l}"))?.into_dimensionality::<Ix2>().map_err(|_| anyhow!("{}: W{l} is not a matrix", path.display()))?;
        if w.dim() != model.weights[l].dim() || w.iter().any(|v| !v.is_finite()) {
            bail!("{}: W{l} has shape {:?}, finite values of shape {:?} are needed", path.display(), w.dim(), model.weights[l].dim());
        }
        model.weights[l] = w;
    }
    for l in 0..model.biases.len() {
        let name = format!("b{l}");
        if file.has(&name) {
            let b = file.array(&name)?.into_dimensionality::<Ix1>().map_err(|_| anyhow!("{}: {name} is not a vector", path.display()))?;
            if b.len() != model.biases[l].len() || b.iter().any(|v| !v.is_finite()) {
                bail!("{}: {name} needs {} finite values", path.display(), model.biases[l].len());
            }
            model.biases[l] = b;
        }
    }
    if file.has("sigma0") {
        let sigma = file.array("sigma0")?.iter().next().copied().unwrap_or(f32::NAN);
        if !(sigma.is_finite() && sigma > 0.0) {
            bail!("{}: sigma0 = {sigma} must be finite and above 0", path.display());
        }
        model.layers[0].family = model.layers[0].family.with_sigma(f64::from(sigma));
    }
    Ok((config, model))
}
