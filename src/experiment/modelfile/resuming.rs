//! Going on from a model file: exactly where it holds the whole state and nothing else was asked for, else as well as can be.

use super::state_arrays::{self, FORMAT};
use super::{ModelFile, ModelFileError};
use crate::dynamics::StateValues;
use crate::dynamics::adam::Moments;
use crate::experiment::config::{Config, DataConfig};
use crate::experiment::session::{Session, SessionCounters};
use ndarray::{Array1, Array2};
use serde_json::{Map, Value, json};
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
            let [before, here] = [counters, &now].map(|of| of.networks.block_rows);
            if before != here {
                Some(format!("{before} networks were computed together, and {here} are now"))
            } else if counters.stimuli != now.stimuli {
                Some("the images are others than those that it was saved with".into())
            } else if counters.chains.is_none() && now.chains.is_some() {
                Some("the chains of the images were not saved with it (save_latents = false)".into())
            } else {
                None
            }
        }))
    }
}

/// The first key in which a session differs so that its streams are others: the key, its saved value and its value now. Where images
/// lie does not count: whether they are the same ones is seen by what they hold.
fn differing_key(saved: &Config, now: &Config) -> Option<[String; 3]> {
    let of = |config: &Config| {
        let (d, s, l) = (&config.dynamics, &config.stimulus, &config.learning);
        let data = DataConfig { paths: Vec::new(), ..config.data.clone() };
        json!({
            "layers": config.model.layers,
            "seed": d.seed,
            "interneurons": d.interneurons,
            "batch": s.batch,
            "persistent": s.persistent,
            "images": s.images,
            "ascent": l.optimizer,
            "data": data,
        })
    };
    first_difference("", &of(saved), &of(now))
}

/// The first value in which two trees differ, by its place in them.
fn first_difference(place: &str, saved: &Value, now: &Value) -> Option<[String; 3]> {
    let inside = |key: &str| if place.is_empty() { key.to_string() } else { format!("{place}.{key}") };
    let absent = Value::Null;
    match (saved, now) {
        (Value::Object(saved), Value::Object(now)) => {
            let keys = saved.keys().chain(now.keys().filter(|key| !saved.contains_key(*key)));
            let of = |tree: &'_ Map<String, Value>, key: &String| tree.get(key).unwrap_or(&absent).clone();
            keys.into_iter().find_map(|key| first_difference(&inside(key), &of(saved, key), &of(now, key)))
        }
        (Value::Array(saved), Value::Array(now)) if saved.len() == now.len() => {
            let pairs = saved.iter().zip(now).enumerate();
            pairs.into_iter().find_map(|(i, (saved, now))| first_difference(&format!("{place}[{i}]"), saved, now))
        }
        (Value::Array(saved), Value::Array(now)) => Some([format!("number of {place}"), saved.len().to_string(), now.len().to_string()]),
        _ => (saved != now).then(|| [place.to_string(), saved.to_string(), now.to_string()]),
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::presets;
    use std::path::PathBuf;

    #[test]
    fn a_difference_is_told_by_its_key_and_two_plain_values() {
        let saved = presets::by_name("dead-leaves").unwrap();
        let told = |change: fn(&mut Config)| {
            let mut now = saved.clone();
            change(&mut now);
            differing_key(&saved, &now).map(|found| found.join(" "))
        };
        assert_eq!(told(|_| {}), None);
        assert_eq!(told(|now| now.data.paths = vec![PathBuf::from("elsewhere")]), None, "what the images hold decides");
        assert_eq!(told(|now| now.data.patch = 9).as_deref(), Some("data.patch 12 9"));
        assert_eq!(
            told(|now| now.data.source = crate::data::Source::Photographs).as_deref(),
            Some("data.source \"dead-leaves\" \"photographs\"")
        );
        assert_eq!(told(|now| now.model.layers[1].size = 9).as_deref(), Some("layers[1].size 144 9"));
        assert_eq!(told(|now| now.model.layers.truncate(1)).as_deref(), Some("number of layers 2 1"));
        assert_eq!(told(|now| now.dynamics.seed += 1).as_deref(), Some("seed 0 1"));
    }
}
