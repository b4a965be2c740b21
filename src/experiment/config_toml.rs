//! The configuration as TOML: reading, writing, and setting one value as `--set key=value` does.

use crate::experiment::config::Config;
use crate::experiment::config_error::ConfigError;
use crate::experiment::stages::{self, LearningValues};
use crate::experiment::{config_keys, parameters};
use crate::shown::one_line;
use serde::Deserialize;
use toml::de::{DeTable, Deserializer, Error};

/// Values of `[model]` that `--set` leaves alone: they are tables and matrices.
const NOT_SET_ALONE: [&str; 3] = ["layers", "weights", "deeper_weights"];
/// Values of `[learning]` for which stages have rates of their own.
const COURSE_OF_RATE: [&str; 3] = ["decay", "settle_images", "floor"];

impl Config {
    /// The configuration as TOML.
    pub fn to_toml(&self) -> String {
        // Every field is a plain value, which TOML can hold once `validate` has looked at numbers and paths.
        toml::to_string(self).unwrap_or_default()
    }

    /// Reads TOML; an unknown key, a value of the wrong kind and one out of range are named.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        let wrong = |error: Error| {
            let line = error.span().map(|span| format!("line {}: ", config_keys::line(text, span.start)));
            ConfigError::Toml(format!("{}{}", line.unwrap_or_default(), brief(&error.to_string())))
        };
        let without_input = |mut error: Error| {
            error.set_input(None); // a line of the input may be of any length
            wrong(error)
        };
        let root = DeTable::parse(text).map_err(without_input)?;
        config_keys::check(root.get_ref(), text)?;
        let config = Self::deserialize(Deserializer::from(root)).map_err(wrong)?;
        config.validate()?;
        Ok(config)
    }

    /// Sets `key=value`, the key a leaf's name or `table.leaf`. Errors list the keys, or name the range. Where there are stages, values that
    /// each of them has of its own are set there, or are refused.
    pub fn set(&mut self, assignment: &str) -> Result<(), ConfigError> {
        let (key, value) = assignment.split_once('=').ok_or_else(|| ConfigError::Assignment(assignment.into()))?;
        let (key, value) = (key.trim(), value.trim());
        let tables = toml::Table::try_from(&*self).map_err(|e| ConfigError::Toml(brief(&e.to_string())))?;
        let (table, leaf) = leaf_named(&tables, key)?;
        let changed = match parameters::find(&leaf) {
            Some(parameter) => {
                let mut changed = self.clone();
                parameter.set(&mut changed, parameter.parse(value)?)?;
                changed
            }
            None => self.with_list(tables, [&table, &leaf], value)?,
        };
        let changed = changed.heeded_by_stages(&leaf, value)?;
        changed.validate()?;
        *self = changed;
        Ok(())
    }

    /// With a leaf that is a name or a list.
    fn with_list(&self, mut tables: toml::Table, [table, leaf]: [&str; 2], value: &str) -> Result<Self, ConfigError> {
        let Some(slot) = tables.get_mut(table).and_then(|t| t.as_table_mut()).and_then(|t| t.get_mut(leaf)) else {
            return Ok(self.clone());
        };
        *slot = parsed_like(slot, leaf, value)?;
        let refused = |e: Error| ConfigError::Refused { key: leaf.into(), value: value.into(), problem: brief(e.message()) };
        tables.try_into().map_err(refused)
    }

    /// The same where `leaf` was set and stages have that value of their own.
    fn heeded_by_stages(mut self, leaf: &str, value: &str) -> Result<Self, ConfigError> {
        if !self.stages.is_empty() && COURSE_OF_RATE.contains(&leaf) {
            let problem = "it would not act: the stages of this configuration have rates of their own, lr and lr_end of [[stages]]".into();
            return Err(ConfigError::Refused { key: leaf.into(), value: value.into(), problem });
        }
        let l = &self.learning;
        stages::take_over(&mut self.stages, leaf, &LearningValues { lr: l.lr, biases: l.biases, unit_norm: l.unit_norm }, l.stage);
        Ok(self)
    }
}

/// Table and name of the one leaf that `key` names, alone or as `table.leaf`; the error lists the leaves.
fn leaf_named(tables: &toml::Table, key: &str) -> Result<(String, String), ConfigError> {
    let leaves: Vec<(&String, &String)> = tables
        .iter()
        .filter_map(|(table, content)| content.as_table().map(|content| (table, content)))
        .flat_map(|(table, content)| content.keys().map(move |leaf| (table, leaf)))
        .filter(|(_, leaf)| !NOT_SET_ALONE.contains(&leaf.as_str()))
        .collect();
    let wanted: Vec<_> = leaves.iter().filter(|(table, leaf)| key == *leaf || key == format!("{table}.{leaf}")).collect();
    match wanted[..] {
        [&(table, leaf)] => Ok((table.clone(), leaf.clone())),
        _ => {
            let symbol = parameters::find_named(key).map(|parameter| parameter.key);
            Err(ConfigError::unknown_key(key, leaves.into_iter().map(|(_, leaf)| leaf.clone()).collect(), symbol))
        }
    }
}

/// `text` as a value of the kind that the leaf has now.
fn parsed_like(now: &toml::Value, leaf: &str, text: &str) -> Result<toml::Value, ConfigError> {
    let wrong = |needed: &str| ConfigError::WrongKind { key: leaf.into(), value: text.into(), needed: needed.into() };
    Ok(match now {
        toml::Value::String(_) => toml::Value::String(text.into()),
        _ => {
            let parsed: toml::Table = toml::from_str(&format!("v = {text}")).map_err(|_| wrong("a list like [1.0, 2.0]"))?;
            parsed.get("v").cloned().ok_or_else(|| wrong("a list"))?
        }
    })
}

/// A parser's words in one line; what they quote may be of any length.
fn brief(text: &str) -> String {
    const LONGEST: usize = 400;
    let line = one_line(text);
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}..", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::presets;

    #[test]
    fn presets_survive_toml_and_leaves_can_be_set() {
        for preset in presets::all() {
            let config = preset.config();
            assert_eq!(Config::from_toml(&config.to_toml()).unwrap(), config, "{}", preset.name);
        }
        let mut config = presets::by_name("ridge").unwrap();
        for (set, expected) in
            [("tau_v_ms=12.5", true), ("interneuron_mode=exact", true), ("stimulus.batch=7", true), ("values=[0.5]", true)]
        {
            assert_eq!(config.set(set).is_ok(), expected, "{set}: {:?}", config.set(set));
        }
        assert_eq!((config.dynamics.tau_v_ms, config.stimulus.batch), (12.5, 7));
        for (set, part) in
            [("nonsense=1", "tau_x_ms"), ("tau_x_ms=-3", "out of range"), ("interneurons=2.5", "whole"), ("governor=maybe", "auto")]
        {
            let before = config.clone();
            let error = config.set(set).unwrap_err().to_string();
            assert!(error.contains(part) && !error.contains('\n'), "{set}: {error}");
            assert_eq!(config, before);
        }
        assert!(presets::by_name("x").unwrap_err().to_string().contains("dead-leaves"));
    }

    #[test]
    fn a_wrong_name_is_answered_with_the_one_that_was_meant() {
        let mut config = presets::by_name("ridge").unwrap();
        for (set, meant) in
            [("tau_x=3", "tau_x_ms"), ("m=3", "adaptation"), ("K=3", "interneurons"), ("learning.dt_ms=1", "dt_ms"), ("Batch=3", "batch")]
        {
            let error = config.set(set).unwrap_err().to_string();
            assert!(error.contains(&format!("did you mean '{meant}'?")), "{set}: {error}");
        }
        let error = presets::by_name("dead-leafs").unwrap_err().to_string();
        assert!(error.contains("did you mean 'dead-leaves'?"), "{error}");
        let steering = config.set("a\u{1b}[2Jb=1").unwrap_err().to_string();
        assert!(steering.contains("a\\u{1b}[2Jb") && !steering.contains('\u{1b}'), "{steering}");
        for long in [
            format!("{}=1", "x".repeat(2_000_000)),
            format!("dt_ms={}", "9x".repeat(1_000_000)),
            "values=".to_string() + &"[".repeat(1_000_000),
        ] {
            assert!(config.set(&long).unwrap_err().to_string().len() < 2000);
        }
    }

    #[test]
    fn values_that_a_stage_has_of_its_own_are_set_in_every_stage_or_refused() {
        for preset in ["digits", "v1-v2"] {
            let before = presets::by_name(preset).unwrap();
            let mut config = before.clone();
            config.set("lr=0.004").unwrap();
            assert_eq!((config.learning.lr, config.stages[0].lr), (0.004, 0.004));
            let ratio = 0.004 / before.stages[0].lr;
            for (now, before) in config.stages.iter().zip(&before.stages) {
                assert!((now.lr - ratio * before.lr).abs() < 1e-12 && (now.lr_end - ratio * before.lr_end).abs() < 1e-12, "{preset}");
            }
            config.set("biases=false").unwrap();
            config.set("unit_norm=true").unwrap();
            assert!(config.stages.iter().all(|stage| !stage.biases && stage.unit_norm), "{preset}");
            for key in COURSE_OF_RATE {
                let error = config.set(&format!("{key}={}", parameters::find(key).unwrap().get(&before))).unwrap_err().to_string();
                assert!(error.contains(key) && error.contains("[[stages]]"), "{error}");
            }
            config.learning.stage = 1;
            config.set("lr=0.01").unwrap();
            assert_eq!(config.stages[1].lr, 0.01, "the rate of the stage under way is the one that is set");
            assert!((config.stages[0].lr / before.stages[0].lr - 0.01 / before.stages[1].lr).abs() < 1e-9);
        }
        assert!(presets::by_name("dead-leaves").unwrap().set("decay=constant").is_ok(), "without stages it acts");
    }

    #[test]
    fn what_toml_cannot_hold_is_refused_before_it_is_written() {
        let mut config = presets::by_name("digits").unwrap();
        config.stages[0].images = u64::MAX;
        assert!(config.validate().unwrap_err().to_string().contains("images = 18446744073709551615"));
        stages::scale(&mut config.stages, u64::MAX);
        assert_eq!(Config::from_toml(&config.to_toml()).unwrap(), config, "stages of any length that scaling gives are written");
        #[cfg(unix)]
        {
            use std::os::unix::ffi::OsStringExt;
            config.data.paths = vec![std::ffi::OsString::from_vec(b"a\xffb".to_vec()).into()];
            assert!(config.validate().unwrap_err().to_string().contains("not UTF-8"));
        }
        let error = presets::by_name("ridge").unwrap().set("values=[nan]").unwrap_err().to_string();
        assert_eq!(error, "values: number 0 is NaN: it must be finite");
    }
}
