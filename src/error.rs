//! One error for whoever uses the library: each module's own error within it, so that it can be matched.

use crate::data::DataError;
use crate::experiment::{ConfigError, ModelFileError, SessionError};
use crate::export::FileError;
use crate::model::ModelError;

/// What can go wrong. The message is one line that names the file or the key, what was found and what would be right.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A configuration, or what is asked of a session, is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Layers, weights and biases that do not make a model.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Stimuli cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A file cannot be written or read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A model file cannot be written or read.
    #[error(transparent)]
    ModelFile(#[from] ModelFileError),
    /// The worker threads of a session cannot be started.
    #[error("{0}")]
    Threads(String),
}

impl From<SessionError> for Error {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Config(error) => Self::Config(error),
            SessionError::Data(error) => Self::Data(error),
            SessionError::Threads(text) => Self::Threads(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{Session, modelfile, presets};
    use std::path::Path;

    /// What the library's functions return comes together in one type, and what it was can still be matched.
    fn opened(path: &Path, preset: &str, set: &str) -> Result<Session, Error> {
        let mut config = presets::by_name(preset)?;
        config.set(set)?;
        if path.as_os_str().is_empty() { Ok(Session::new(config)?) } else { Ok(Session::with_model(config, modelfile::load(path)?.1)?) }
    }

    #[test]
    fn errors_can_be_matched_and_name_the_key_or_the_file() {
        let none = Path::new("");
        assert!(opened(none, "ridge", "m=1").is_err_and(|e| matches!(e, Error::Config(ConfigError::UnknownKey { .. }))));
        assert!(opened(none, "x", "lr=1").is_err_and(|e| matches!(e, Error::Config(ConfigError::UnknownPreset { .. }))));
        let data = opened(none, "mnist", r#"paths=["nowhere"]"#).err();
        assert!(matches!(&data, Some(Error::Data(DataError::File { path, .. })) if path == Path::new("nowhere")), "{data:?}");
        let file = opened(Path::new("nowhere.npz"), "ridge", "lr=1").err();
        assert!(matches!(&file, Some(Error::ModelFile(ModelFileError::File(FileError::Read { .. })))), "{file:?}");
        assert!(file.is_some_and(|e| e.to_string().starts_with("cannot read nowhere.npz: ")));
        assert!(opened(none, "ridge", "lr=1").is_ok());
    }
}
