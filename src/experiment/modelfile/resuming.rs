//! Going on from a model file: exactly where it holds the whole state and nothing else was asked for, else as well as can be.

use super::state_arrays::{self, FORMAT};
use super::{ModelFile, ModelFileError};
use crate::dynamics::StateValues;
use crate::dynamics::adam::Moments;
use crate::experiment::config::Config;
use crate::experiment::session::{Session, SessionCounters};
use ndarray::{Array1, Array2};
use std::path::Path;

/// How a session goes on from a model file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resumed {
    /// With the same bits as the session that was saved would have gone on with.
    Exactly,
    /// From its weights, and what else of the state could be taken over; the reason.
    Approximately(String),
}

/// Takes what a model file holds beside the model into a session that was built on it.
pub fn resume(path: &Path, session: &mut Session) -> Result<Resumed, ModelFileError> {
    let mut file = ModelFile::open(path)?;
    let approximately = match state_arrays::read_numbers(&mut file)? {
        None => "it is of an earlier version, which did not save the streams of stimuli and noise".to_string(),
        Some(Err(format)) => format!("the state in it has format {format}, this version reads {FORMAT}"),
        Some(Ok(counters)) => match file.difference(session, &counters)? {
            Some(difference) => difference,
            None => {
                resume_state(&mut file, session, counters)?;
                return Ok(Resumed::Exactly);
            }
        },
    };
    resume_moments(&mut file, session)?;
    resume_chains(&mut file, session)?;
    Ok(Resumed::Approximately(approximately))
}

fn resume_state(file: &mut ModelFile, session: &mut Session, counters: SessionCounters) -> Result<(), ModelFileError> {
    let mut state = session.blank_state(counters).map_err(|mismatch| file.wrong(format!("state: {mismatch}")))?;
    file.adam_count()?;
    state.arrays().iter_mut().try_for_each(|array| state_arrays::read(file, array))?;
    let (top, layer) = (session.model().depth(), &session.model().layers[session.model().depth()]);
    for array in state.arrays() {
        if let StateValues::Single(parts) = &array.values {
            let values = || parts.iter().flat_map(|part| part.iter());
            if array.name.starts_with("adam_") && array.name.ends_with("_second") {
                file.check_squares(&array.name, values())?;
            } else if layer.is_categorical() && array.name == format!("latent_x{top}") {
                file.check_states(&array.name, values(), layer.size)?;
            }
        }
    }
    session.restore(state).map_err(|mismatch| file.wrong(format!("state: {mismatch}")))
}

impl ModelFile<'_> {
    /// Updates by Adam as earlier versions know them, one number for all weights; 0 where there is none.
    fn adam_count(&mut self) -> Result<u64, ModelFileError> {
        let count = if self.has("adam_count") { self.scalar("adam_count")? } else { 0.0 };
        if !(count.is_finite() && count >= 0.0) {
            return Err(self.wrong(format!("adam_count = {count} must be a number of updates")));
        }
        Ok(count as u64) // `as` saturates
    }

    fn check_squares<'v>(&self, name: &str, values: impl IntoIterator<Item = &'v f32>) -> Result<(), ModelFileError> {
        match values.into_iter().enumerate().find(|(_, value)| **value < 0.0) {
            Some((at, value)) => Err(self.wrong(format!("{name}: value {at} is {value}: a mean of squares is not negative"))),
            None => Ok(()),
        }
    }

    fn check_states<'v>(&self, name: &str, mut values: impl Iterator<Item = &'v f32>, states: usize) -> Result<(), ModelFileError> {
        match values.find(|&&value| !(value >= 0.0 && value.fract() == 0.0 && value < states as f32)) {
            Some(value) => Err(self.wrong(format!("{name}: {value} is not one of the {states} states"))),
            None => Ok(()),
        }
    }

    /// What makes this session another than the one that was saved, so that it cannot go on with the same bits.
    fn difference(&mut self, session: &Session, counters: &SessionCounters) -> Result<Option<String>, ModelFileError> {
        let saved = self.config()?;
        let other = differing_key(&saved, session.config());
        let changed = other.map(|[key, saved, now]| format!("{key} was {saved} and is {now}"));
        Ok(changed.or_else(|| {
            let now = session.counters();
            if counters.stimuli != now.stimuli {
                Some("the images are others than those that it was saved with".into())
            } else if counters.chains.is_none() && now.chains.is_some() {
                Some("the chains of the images were not saved with it (save_latents = false)".into())
            } else {
                None
            }
        }))
    }
}

/// The first key in which a session differs so that its streams are others: the key, its saved value and its value now.
fn differing_key(saved: &Config, now: &Config) -> Option<[String; 3]> {
    let of = |config: &Config| {
        let (d, s, l) = (&config.dynamics, &config.stimulus, &config.learning);
        [
            ("layers", format!("{:?}", config.model.layers)),
            ("seed", d.seed.to_string()),
            ("interneurons", d.interneurons.to_string()),
            ("batch", s.batch.to_string()),
            ("persistent", s.persistent.to_string()),
            ("images", s.images.to_string()),
            ("ascent", format!("{:?}", l.optimizer).to_lowercase()),
            ("[data]", format!("{:?}", config.data)),
        ]
    };
    let differs = |((key, saved), (_, now)): ((&str, String), (&str, String))| (saved != now).then(|| [key.to_string(), saved, now]);
    of(saved).into_iter().zip(of(now)).find_map(differs)
}

fn resume_moments(file: &mut ModelFile, session: &mut Session) -> Result<(), ModelFileError> {
    let count = file.adam_count()?;
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
            file.check_squares(&name("second"), &moments.second)?;
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
        if layer.is_categorical() {
            file.check_states(&x, chains[0].iter(), layer.size)?;
        }
        kept.push(chains);
    }
    session.resume_latents(kept).map_err(|problem| file.wrong(problem.to_string()))
}
