//! Model files (NPZ): W0.., b0.., sigma0.. where learned, the configuration, and what is needed to go on training: the moments of
//! Adam (adam_W0_first, adam_W0_second, .. and adam_count) and, where asked for, the chains of every image (latent_x1, latent_v1, ..).

use crate::dynamics::adam::Moments;
use crate::experiment::config::{Config, Optimizer};
use crate::experiment::config_error::ConfigError;
use crate::experiment::session::{Session, assemble_model, layers_of};
use crate::export::npz::{Archive, Opened, open};
use crate::export::{FileError, check_ending};
use crate::model::{Hierarchy, Layer};
use ndarray::{Array0, Array1, Array2, ArrayD, Ix2};
use std::path::{Path, PathBuf};

/// What is wrong with a model file; the message names it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelFileError {
    /// It cannot be read or written, or an array is missing in it.
    #[error(transparent)]
    File(#[from] FileError),
    /// Its configuration cannot be used.
    #[error("{path}: config: {problem}")]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong with the configuration.
        problem: Box<ConfigError>,
    },
    /// Its configuration has a key that this version does not know.
    #[error("{path}: config: {problem}; a later version than {} may have written the file", env!("CARGO_PKG_VERSION"))]
    LaterVersion {
        /// The file.
        path: PathBuf,
        /// The key and where it stands.
        problem: Box<ConfigError>,
    },
    /// An array in it does not fit the model that its configuration describes.
    #[error("{path}: {problem}")]
    Array {
        /// The file.
        path: PathBuf,
        /// What was found and what would be right.
        problem: String,
    },
}

/// The ending of a model file's name.
pub const ENDING: &str = ".npz";

/// In a file, the bias of a state of a categorical top that is not active: files have no other place that says so.
const INACTIVE_BIAS: f32 = -1e30;

/// Adds the model's arrays and configuration to an archive.
pub fn add_model(archive: &mut Archive, config: &Config, model: &Hierarchy) -> Result<(), FileError> {
    for (l, w) in model.weights.iter().enumerate() {
        archive.add(&format!("W{l}"), w)?;
    }
    for (l, (b, layer)) in model.biases.iter().zip(&model.layers).enumerate() {
        match layer.active_states() {
            None => archive.add(&format!("b{l}"), b)?,
            Some(active) => {
                archive.add(&format!("b{l}"), &Array1::from_shape_fn(b.len(), |c| if c < active { b[c] } else { INACTIVE_BIAS }))?;
            }
        }
    }
    for (l, layer) in model.layers.iter().enumerate() {
        if let (true, Some(sigma)) = (sigma_learns(config, model, l), layer.sigma()) {
            archive.add(&format!("sigma{l}"), &Array0::from_elem((), sigma as f32))?;
        }
    }
    archive.add_text("config", &config.to_toml())
}

/// Whether sigma of layer l is learned, so that the configuration alone does not tell it.
fn sigma_learns(config: &Config, model: &Hierarchy, l: usize) -> bool {
    let below_categorical = l + 1 == model.depth() && model.layers[l + 1].is_categorical();
    below_categorical || (l == 0 && config.learning.learned_sigma) || config.model.layers.get(l).is_some_and(|layer| layer.learned_sigma)
}

/// Writes a model file from which learning goes on where `session` is; `config` is what it shall say of the run.
pub fn save(path: &Path, config: &Config, session: &Session) -> Result<(), ModelFileError> {
    check_ending(path, ENDING)?;
    Ok(archive(config, session)?.save(path)?)
}

/// Bytes that a model file of this session will have at most, also when it has learned.
pub fn largest_size(session: &Session) -> Result<u64, ModelFileError> {
    let model = session.model();
    let moments = match session.config().learning.optimizer {
        Optimizer::Adam => 2 * (model.weights.iter().map(Array2::len).sum::<usize>() + model.biases.iter().map(Array1::len).sum::<usize>()),
        Optimizer::Plain => 0,
    };
    let now = archive(session.config(), session)?.into_bytes()?.len();
    Ok((now + moments * size_of::<f32>() + HEADERS) as u64)
}

/// Bytes that arrays not yet there need besides their values.
const HEADERS: usize = 4096;

fn archive(config: &Config, session: &Session) -> Result<Archive, ModelFileError> {
    let mut archive = Archive::default();
    let config = session.with_progress(config.clone());
    add_model(&mut archive, &config, session.model())?;
    let vector = |values: &[f32]| Array1::from(values.to_vec());
    let mut count = 0;
    for (kind, list) in [("W", &session.optimizer().weights), ("b", &session.optimizer().biases)] {
        for (l, moments) in list.iter().enumerate().filter(|(_, moments)| moments.count > 0) {
            archive.add(&format!("adam_{kind}{l}_first"), &vector(&moments.first))?;
            archive.add(&format!("adam_{kind}{l}_second"), &vector(&moments.second))?;
            count = count.max(moments.count);
        }
    }
    if count > 0 {
        archive.add("adam_count", &Array0::from_elem((), count as f32))?;
    }
    if let (true, Some(latents)) = (config.stimulus.save_latents, session.latents()) {
        for (l, [x, v]) in latents.arrays() {
            archive.add(&format!("latent_x{l}"), &x)?;
            archive.add(&format!("latent_v{l}"), &v)?;
        }
    }
    Ok(archive)
}

/// Takes what a model file holds beside the model into a session that was built on it: moments of Adam, chains of the images.
pub fn resume(path: &Path, session: &mut Session) -> Result<(), ModelFileError> {
    let mut file = ModelFile::open(path)?;
    resume_moments(&mut file, session)?;
    resume_chains(&mut file, session)
}

fn resume_moments(file: &mut ModelFile, session: &mut Session) -> Result<(), ModelFileError> {
    let count = if file.has("adam_count") { file.scalar("adam_count")? } else { 0.0 };
    if !(count.is_finite() && count >= 0.0) {
        return Err(file.wrong(format!("adam_count = {count} must be a number of updates")));
    }
    let count = count as u64; // `as` saturates
    let (model, mut optimizer) = (session.model(), session.optimizer().clone());
    let sizes = [("W", model.weights.iter().map(Array2::len).collect::<Vec<_>>()), ("b", model.biases.iter().map(Array1::len).collect())];
    for ((kind, sizes), list) in sizes.into_iter().zip([&mut optimizer.weights, &mut optimizer.biases]) {
        for (l, moments) in list.iter_mut().enumerate() {
            let name = |which: &str| format!("adam_{kind}{l}_{which}");
            if count == 0 || !file.has(&name("first")) {
                continue;
            }
            let mut read = |which: &str| file.vector(&name(which), sizes[l]).map(|vector| vector.to_vec());
            *moments = Moments { first: read("first")?, second: read("second")?, count };
            if let Some(at) = moments.second.iter().position(|&v| v < 0.0) {
                return Err(file.wrong(format!(
                    "{}: value {at} is {}: a mean of squares is not negative",
                    name("second"),
                    moments.second[at]
                )));
            }
        }
    }
    session.resume_optimizer(optimizer);
    Ok(())
}

fn resume_chains(file: &mut ModelFile, session: &mut Session) -> Result<(), ModelFileError> {
    let layers = session.model().layers.clone();
    if !(1..layers.len()).any(|l| file.has(&format!("latent_x{l}"))) {
        return Ok(());
    }
    let mut kept = Vec::new();
    for (l, layer) in layers.iter().enumerate().skip(1) {
        let [x, v] = [format!("latent_x{l}"), format!("latent_v{l}")];
        let chains = [file.matrix(&x)?, file.matrix(&v)?];
        let is_state = |&value: &f32| value >= 0.0 && value.fract() == 0.0 && value < layer.size as f32;
        if let (true, Some(value)) = (layer.is_categorical(), chains[0].iter().find(|value| !is_state(value))) {
            return Err(file.wrong(format!("{x}: {value} is not one of the {} states", layer.size)));
        }
        kept.push(chains);
    }
    session.resume_latents(kept).map_err(|problem| file.wrong(problem.to_string()))
}

/// Reads a model file; errors name the file and what is wrong in it. Every shape is compared with the configuration before values are read.
pub fn load(path: &Path) -> Result<(Config, Hierarchy), ModelFileError> {
    let mut file = ModelFile::open(path)?;
    let of_config = |problem: ConfigError| {
        let (path, problem) = (path.into(), Box::new(problem));
        match *problem {
            ConfigError::UnknownKeyIn { .. } => ModelFileError::LaterVersion { path, problem },
            _ => ModelFileError::Config { path, problem },
        }
    };
    let config = Config::from_toml(&file.archive.text("config")?).map_err(of_config)?;
    let layers = layers_of(&config).map_err(of_config)?;
    file.check_shapes(&layers)?;
    let weights = (1..layers.len()).map(|l| file.matrix(&format!("W{}", l - 1))).collect::<Result<_, _>>()?;
    let mut model = assemble_model(&config, layers, weights).map_err(of_config)?;
    for (l, biases) in model.biases.iter_mut().enumerate() {
        *biases = file.vector(&format!("b{l}"), biases.len())?;
        if model.layers[l].is_categorical() {
            let active = biases.iter().take_while(|&&b| b > 0.5 * INACTIVE_BIAS).count().max(1);
            model.layers[l].set_active_states(active);
            biases.iter_mut().skip(active).for_each(|b| *b = 0.0);
        }
    }
    for l in 0..model.layers.len() {
        let name = format!("sigma{l}");
        if file.has(&name) {
            let sigma = file.scalar(&name)?;
            if !(sigma.is_finite() && sigma > 0.0) {
                return Err(file.wrong(format!("{name} = {sigma} must be finite and above 0")));
            }
            model.layers[l].set_sigma(f64::from(sigma));
        } else if sigma_learns(&config, &model, l) && model.layers[l].sigma().is_some() {
            return Err(file.wrong(format!("{name} is missing: the configuration says that it is learned")));
        }
    }
    Ok((config, model))
}

/// A model file that was opened; every error names it.
struct ModelFile<'a> {
    path: &'a Path,
    archive: Opened,
}

impl<'a> ModelFile<'a> {
    fn open(path: &'a Path) -> Result<Self, ModelFileError> {
        Ok(Self { path, archive: open(path)? })
    }

    fn has(&self, name: &str) -> bool {
        self.archive.has(name)
    }

    fn wrong(&self, problem: String) -> ModelFileError {
        ModelFileError::Array { path: self.path.into(), problem }
    }

    /// Compares the shapes of weights and biases with the layers, by their headers alone.
    fn check_shapes(&mut self, layers: &[Layer]) -> Result<(), ModelFileError> {
        let weights = layers.windows(2).enumerate().map(|(l, pair)| (format!("W{l}"), vec![pair[0].size, pair[1].size]));
        let biases = layers.iter().enumerate().map(|(l, layer)| (format!("b{l}"), vec![layer.size]));
        weights.chain(biases).try_for_each(|(name, needed)| self.check_shape(&name, &needed))
    }

    fn check_shape(&mut self, name: &str, needed: &[usize]) -> Result<(), ModelFileError> {
        if !self.has(name) {
            return Err(self.wrong(format!("{name} is missing")));
        }
        let found = self.archive.shape(name)?;
        if found == needed { Ok(()) } else { Err(self.wrong(format!("{name} has the shape {found:?}, its model needs {needed:?}"))) }
    }

    /// A single value.
    fn scalar(&mut self, name: &str) -> Result<f32, ModelFileError> {
        let found = self.archive.shape(name)?;
        let value = if found.iter().all(|&side| side == 1) { self.archive.array(name)?.first().copied() } else { None };
        value.ok_or_else(|| self.wrong(format!("{name} has the shape {found:?}, a single number is needed")))
    }

    /// A matrix of finite values, row by row in memory.
    fn matrix(&mut self, name: &str) -> Result<Array2<f32>, ModelFileError> {
        let array: ArrayD<f32> = self.archive.array(name)?;
        let matrix = array.into_dimensionality::<Ix2>().map_err(|_| self.wrong(format!("{name} is not a matrix")))?;
        if let Some(((row, column), value)) = matrix.indexed_iter().find(|(_, value)| !value.is_finite()) {
            return Err(self.wrong(format!("{name}: the value in row {row}, column {column} is {value}: all must be finite")));
        }
        Ok(matrix.as_standard_layout().into_owned())
    }

    /// So many finite values.
    fn vector(&mut self, name: &str, count: usize) -> Result<Array1<f32>, ModelFileError> {
        self.check_shape(name, &[count])?;
        let vector: Vec<f32> = self.archive.array(name)?.into_iter().collect();
        if let Some((at, value)) = vector.iter().enumerate().find(|(_, value)| !value.is_finite()) {
            return Err(self.wrong(format!("{name}: value {at} is {value}: all must be finite")));
        }
        Ok(vector.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::config::LayerConfig;
    use crate::experiment::session::build_model;
    use crate::model::{Activation, FamilyConfig};

    #[test]
    fn a_file_says_by_its_biases_which_states_of_the_top_are_active() {
        let layer = |family, size| LayerConfig { size, family, activation: Activation::Linear, bias: 0.0, learned_sigma: false };
        let gaussian = FamilyConfig::Gaussian { sigma: 0.5 };
        let mut config = Config::default();
        config.model.layers = vec![layer(gaussian, 3), layer(gaussian, 2), layer(FamilyConfig::Categorical, 4)];
        (config.stimulus.values, config.stimulus.steps_per_stimulus) = (vec![0.0; 3], 0);
        let mut model = build_model(&config).unwrap();
        assert_eq!(model.active_states(), Some(4), "all are, where nothing says otherwise");
        model.layers[2].set_active_states(2);
        model.biases[2] = ndarray::array![0.5, -0.25, 0.0, 0.0];
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.npz");
        let mut archive = Archive::default();
        add_model(&mut archive, &config, &model).unwrap();
        archive.save(&path).unwrap();
        let written: Vec<f32> = open(&path).unwrap().array("b2").unwrap().into_iter().collect();
        assert_eq!(written, [0.5, -0.25, -1e30, -1e30], "as in files of earlier versions");
        let (_, again) = load(&path).unwrap();
        assert_eq!((again.active_states(), &again.biases[2]), (Some(2), &model.biases[2]));
    }
}
