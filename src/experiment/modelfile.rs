//! Model files (NPZ): W0.., b0.., sigma0.. where learned, the configuration, and what is needed to go on exactly: the numbers of the
//! session's state (`state`, TOML) and its arrays (state_x0, state_streams, ..), the moments of Adam (adam_W0_first, adam_W0_second, ..
//! and adam_count) and, unless that is switched off, the chains of every image (latent_x1, latent_v1, ..).

use crate::experiment::config::{Config, Optimizer};
use crate::experiment::config_error::ConfigError;
use crate::experiment::latents::Latents;
use crate::experiment::session::{Session, SessionState, assemble_model, layers_of};
use crate::export::npz::{Archive, Opened, open};
use crate::export::{FileError, check_ending};
use crate::model::{Hierarchy, Layer};
use ndarray::{Array0, Array1, Array2, ArrayD, Ix2};
use std::path::{Path, PathBuf};

mod resuming;
mod state_arrays;

pub use resuming::{Resumed, resume};
pub use state_arrays::state_archive;

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

/// The text that holds the numbers of the session's state.
const STATE: &str = "state";

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

/// Writes a model file from which learning goes on exactly where `session` is; `config` is what it shall say of the run.
pub fn save(path: &Path, config: &Config, session: &Session) -> Result<(), ModelFileError> {
    let mut state = session.state();
    state.config = session.with_progress(config.clone());
    save_state(path, state)
}

/// The same of a state that was taken before.
pub fn save_state(path: &Path, state: SessionState) -> Result<(), ModelFileError> {
    check_ending(path, ENDING)?;
    Ok(state_archive(state)?.save(path)?)
}

/// Bytes that a model file of this session will have at most, also when it has learned.
pub fn largest_size(session: &Session) -> Result<u64, ModelFileError> {
    let (model, config) = (session.model(), session.config());
    let moments = match config.learning.optimizer {
        Optimizer::Adam => 2 * (model.weights.iter().map(Array2::len).sum::<usize>() + model.biases.iter().map(Array1::len).sum::<usize>()),
        Optimizer::Plain => 0,
    };
    let images = session.latents().filter(|_| config.stimulus.save_latents).map_or(0, Latents::images);
    let chains = Latents::bytes(model, images) + images * size_of::<u32>(); // and the order in which they come
    let now = state_archive(session.state())?.into_bytes()?.len();
    Ok((now + (moments + model.layers[0].size) * size_of::<f32>() + chains + HEADERS) as u64)
}

/// Bytes that arrays not yet there need besides their values.
const HEADERS: usize = 4096;

/// Reads a model file; errors name the file and what is wrong in it. Every shape is compared with the configuration before values are read.
pub fn load(path: &Path) -> Result<(Config, Hierarchy), ModelFileError> {
    let mut file = ModelFile::open(path)?;
    let mut config = file.config()?;
    if !file.has(STATE) {
        config.stimulus.save_latents = true; // versions without a state never asked for less
    }
    let layers = layers_of(&config).map_err(|problem| file.wrong_config(problem))?;
    file.check_shapes(&layers)?;
    let weights = (1..layers.len()).map(|l| file.matrix(&format!("W{}", l - 1))).collect::<Result<_, _>>()?;
    let mut model = assemble_model(&config, layers, weights).map_err(|problem| file.wrong_config(problem))?;
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

/// The configuration alone of a model file.
pub fn load_config(path: &Path) -> Result<Config, ModelFileError> {
    ModelFile::open(path)?.config()
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

    fn wrong_config(&self, problem: ConfigError) -> ModelFileError {
        let (path, problem) = (self.path.into(), Box::new(problem));
        match *problem {
            ConfigError::UnknownKeyIn { .. } => ModelFileError::LaterVersion { path, problem },
            _ => ModelFileError::Config { path, problem },
        }
    }

    fn config(&mut self) -> Result<Config, ModelFileError> {
        let text = self.archive.text("config")?;
        Config::from_toml(&text).map_err(|problem| self.wrong_config(problem))
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
